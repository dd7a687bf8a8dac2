// Who pulls the anchor and who pushes it, with what weight, as the temperature moves.
import {
  button, frame, html, lifetime, number, point, slider, stops, svg, unique, write,
} from "../kit/figure.js";

const TEMPERATURES = [0.02, 5];
const REACH = 1.5;

// ---------------------------------------------------------------- the maths

const logsumexp = (values) => {
  const top = Math.max(...values);
  if (top === -Infinity) return top;
  return top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
};

/**
 * The soft nearest neighbour loss of the first point, −log Σ_{j∈P} p_j with
 * p = softmax(−‖x_0 − x_j‖²/T) over j ≠ 0, and what each other point does to it.
 * P: all of the anchor's class, or the first of them alone (InfoNCE).
 * A weight is −dL/ds_j with s_j the score: above 0 it pulls, below 0 it pushes.
 */
export function pulls(points, labels, temperature, single) {
  const [anchor] = points;
  const others = points.slice(1);
  const score = others.map(([x, y]) => -((x - anchor[0]) ** 2 + (y - anchor[1]) ** 2) / temperature);
  const kin = labels.slice(1).map((label) => label === labels[0]);
  const chosen = single ? kin.map((_, j) => j === kin.indexOf(true)) : kin;
  const all = logsumexp(score);
  const near = logsumexp(score.filter((_, j) => chosen[j]));
  const p = score.map((s) => Math.exp(s - all));
  const weight = score.map((s, j) => (chosen[j] ? Math.exp(s - near) : 0) - p[j]);
  const force = [0, 1].map((i) =>
    others.reduce((sum, x, j) => sum + (weight[j] * 2 * (x[i] - anchor[i])) / temperature, 0));
  return { loss: all - near, p, weight, chosen, force };
}

// ---------------------------------------------------------------- the picture

const STAR = "M0,-11L3,-3.6L10.5,-3.4L4.6,1.4L6.6,8.9L0,4.6L-6.6,8.9L-4.6,1.4L-10.5,-3.4L-3,-3.6Z";
const CIRCLE = "M-8,0A8,8 0 1 1 8,0A8,8 0 1 1 -8,0Z";
const SQUARE = "M-7,-7H7V7H-7Z";

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (name, v) => {
    model.set(name, v);
    model.save_changes();
  };
  const labels = model.get("labels");

  const warm = slider(life, {
    label: "temperature T =", values: stops(...TEMPERATURES, { scale: "log" }), format: (v) => number(v),
    ends: ["0.02 cold", "5 hot"], onInput: (v) => change("temperature", v),
  });
  const flip = button(life, "", () => change("single", !model.get("single")));
  controls.append(warm.node, html("div", { class: "genssl-buttons" }, flip));

  const said = html("p", { class: "genssl-heading" });
  const note = html("p", { class: "genssl-note genssl-said" });
  const plane = svg("svg", {});
  const tip = unique("tip");
  plane.append(svg("defs", {}, svg("marker", {
    id: tip, viewBox: "0 0 8 8", refX: 5, refY: 4, markerWidth: 5, markerHeight: 5, orient: "auto",
  }, svg("path", { d: "M0,0L8,4L0,8Z", fill: "var(--genssl-ink)" }))));
  const room = plane.appendChild(svg("rect", { y: 0, fill: "none", class: "genssl-axis" }));
  const lines = labels.slice(1).map(() => plane.appendChild(svg("line", { "stroke-linecap": "butt" })));
  const arrow = plane.appendChild(svg("line", {
    stroke: "var(--genssl-ink)", "stroke-width": 2, "marker-end": `url(#${tip})`,
  }));
  const scale = { of: () => [0, 0], unit: 1, inverse: () => [0, 0], tall: 1 };
  const dots = labels.map((label, i) => {
    const kin = label === labels[0];
    const role = ["negative", "positive"][Number(kin)];
    const mark = svg("path", {
      class: "genssl-grip", d: kin ? CIRCLE : SQUARE, fill: `var(--genssl-${role})`,
      stroke: "var(--genssl-paper)", "stroke-width": 1.5,
    });
    if (i === 0) write(mark, { d: STAR, fill: "var(--genssl-anchor)" });
    const text = svg("text", { class: "genssl-halo", y: -11, "text-anchor": "middle", text: i ? "" : "anchor" });
    const node = plane.appendChild(svg("g", {}, svg("circle", { r: 17, fill: "transparent" }), mark, text));
    const held = point(life, node, {
      label: i ? `point ${i}, ${kin ? "the anchor's class" : "another class"}` : "the anchor",
      x: [-REACH, REACH], y: [-1, 1], step: 0.02,
      format: ([x, y]) => `${number(x)} to the right, ${number(y)} up`,
      at: (event) => scale.inverse(event),
      onInput: (place) => change("points", model.get("points").map((p, k) => (k === i ? place : p))),
    });
    return { node, text, held };
  });
  picture.append(said, note, plane, html("p", {
    class: "genssl-note",
    text: "Circles are of the anchor's class, squares are not. Solid lines pull, dashed lines push. " +
      "The arrow is the anchor's step. Drag any point.",
  }));

  life.resize(plane, (width) => {
    const side = Math.min(width, 640);
    const left = (width - side) / 2;
    const pad = 22;
    scale.unit = (side - 2 * pad) / (2 * REACH);
    const height = 2 * scale.unit + 2 * pad;
    scale.of = ([x, y]) => [left + pad + (x + REACH) * scale.unit, pad + (1 - y) * scale.unit];
    scale.inverse = (event) => {
      const box = plane.getBoundingClientRect();
      return [(event.clientX - box.left - left - pad) / scale.unit - REACH,
        1 - (event.clientY - box.top - pad) / scale.unit];
    };
    write(plane, { viewBox: `0 0 ${width} ${height}`, height });
    write(room, { x: left + 0.5, width: side - 1, height });
    draw();
  });

  function draw() {
    const [points, temperature, single] = ["points", "temperature", "single"].map((n) => model.get(n));
    const found = pulls(points, labels, temperature, single);
    warm.show(temperature);
    write(flip, { text: single ? "use all of its class" : "use one positive (InfoNCE)" });
    const [ax, ay] = scale.of(points[0]);
    points.forEach((place, i) => {
      const [x, y] = scale.of(place);
      write(dots[i].node, { transform: `translate(${x} ${y})` });
      dots[i].held.show(place);
      if (i === 0) return;
      const w = found.weight[i - 1];
      const percent = Math.round(Math.abs(w) * 100);
      const role = w > 0 ? "positive" : "negative";
      write(lines[i - 1], {
        x1: ax, y1: ay, x2: x, y2: y, stroke: `var(--genssl-${role})`, "stroke-opacity": 0.75,
        "stroke-width": Math.max(0.4, 26 * Math.abs(w)), "stroke-dasharray": w > 0 ? null : "7 4",
      });
      write(dots[i].text, { text: percent ? `${w > 0 ? "pull" : "push"} ${percent} %` : "0 %", class: percent >= 10 ? "genssl-halo genssl-strong" : "genssl-halo" });
    });
    const size = Math.hypot(...found.force);
    const reach = size ? (90 * Math.tanh(size / 4)) / size : 0;
    write(arrow, {
      x1: ax, y1: ay, x2: ax + found.force[0] * reach, y2: ay - found.force[1] * reach,
      visibility: size > 0.02 ? "visible" : "hidden",
    });
    const push = found.p.filter((_, j) => !found.chosen[j]);
    const total = push.reduce((a, b) => a + b, 0);
    const most = total > 0 ? Math.max(...push) / total : 0;
    const name = single ? "InfoNCE, one positive" : "Soft nearest neighbour";
    write(said, { text: `${name}: loss ${number(found.loss)} nats` });
    const kept = found.weight.filter((w, j) => w < 0 && labels[j + 1] === labels[0]).length;
    const false_ = single ? ` ${kept} points of its own class are pushed away: false negatives.` : "";
    const told = `The strongest negative has ${Math.round(most * 100)} % of all the push.${false_}`;
    write(note, { text: told });
    announce(`Temperature ${number(temperature)}, loss ${number(found.loss)}. ${told}`);
    Object.assign(root.dataset, {
      points: JSON.stringify(points), temperature: JSON.stringify(temperature),
      single: JSON.stringify(single), loss: JSON.stringify(found.loss),
      weight: JSON.stringify(found.weight), force: JSON.stringify(found.force),
    });
  }
  life.follow(model, ["points", "temperature", "single"], draw);
  draw();
  return () => life.end();
}

export default { render };
