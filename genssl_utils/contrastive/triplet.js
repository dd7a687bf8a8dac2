// A triplet on the unit circle or in the plane: its zones, its gradient and the kink of its hinge.
import {
  button, choice, clamp, frame, html, lifetime, number, point, slider, stops, svg, unique, write,
} from "../kit/figure.js";
import { hingePlot, line } from "./triplet_hinge.js";
import { borders, downhill, onCircle, triplets } from "./triplet_maths.js";

const MARGINS = [0, 2];
const EDGE = 1.3; // the plane can be dragged over [−EDGE, EDGE]²
const VIEW = 1.45; // and is drawn a little further
const ARROW = 0.5; // length of an arrow: this times the gradient
const STEP = 0.2; // the button's step down the gradient

// ---------------------------------------------------------------- the picture

// Shape, letter and colour together: nothing is told by colour alone.
const MARKS = {
  anchor: "M-12,0A12,12 0 1 1 12,0A12,12 0 1 1 -12,0Z",
  positive: "M-10.5,-10.5H10.5V10.5H-10.5Z",
  negative: "M0,-14.5L14.5,0L0,14.5L-14.5,0Z",
};

function mark(i) {
  const kind = ["anchor", "positive"][i] ?? "negative";
  return {
    kind,
    name: i < 2 ? kind : `negative ${i - 1}`,
    node: () => svg("g", {},
      svg("path", {
        class: "genssl-grip", d: MARKS[kind], fill: `var(--genssl-${kind})`,
        stroke: "var(--genssl-paper)", "stroke-width": 2,
      }),
      svg("text", {
        class: "genssl-strong", y: 4.5, "text-anchor": "middle", "pointer-events": "none",
        style: "fill: var(--genssl-paper)", text: i < 2 ? kind[0] : i - 1,
      })),
  };
}

const STROKES = [["hard", 11, 0.85], ["semi-hard", 7, 0.5], ["easy", 2, 0.6]];

/** Text along a circle, upright in both halves. */
function bent(parent, text) {
  const id = unique("bend");
  const path = svg("path", { id, fill: "none" });
  const words = svg("textPath", { href: `#${id}`, startOffset: "50%", "text-anchor": "middle", text });
  const node = svg("text", { class: "genssl-soft genssl-halo" }, words);
  parent.append(path, node);
  return ([cx, cy], radius, angle, visible) => {
    const up = Math.sin(angle) > -0.2;
    const r = Math.max(1, up ? radius : radius + 9);
    const half = Math.min(Math.PI * 0.9, 60 / r);
    const [from, to] = up ? [angle + half, angle - half] : [angle - half, angle + half];
    const at = (phi) => `${(cx + r * Math.cos(phi)).toFixed(2)},${(cy - r * Math.sin(phi)).toFixed(2)}`;
    write(path, { d: `M${at(from)}A${r},${r} 0 ${half > Math.PI / 2 ? 1 : 0} ${up ? 1 : 0} ${at(to)}` });
    write(node, { visibility: visible ? "visible" : "hidden" });
  };
}

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };
  const circle = () => model.get("where") === "circle";
  const places = () => (circle() ? model.get("angles").map(onCircle) : model.get("points"));
  const start = { angles: [...model.get("angles")], points: model.get("points").map((p) => [...p]) };
  const put = (points) => {
    if (circle()) change({ angles: points.map(([x, y]) => Math.atan2(y, x)) });
    else change({ points: points.map((p) => p.map((v) => clamp(v, -EDGE, EDGE))) });
  };
  const marks = model.get("angles").map((_, i) => mark(i));

  const width = slider(life, {
    label: "margin =", values: stops(...MARGINS, { steps: 100 }), format: (m) => m.toFixed(2),
    ends: ["0", "2"], onInput: (margin) => change({ margin }),
  });
  const where = choice(life, "where the points live", [["circle", "unit circle"], ["plane", "plane"]],
    (value) => change({ where: value }));
  controls.append(width.node, where.node, html("div", { class: "genssl-buttons" },
    button(life, "step along the arrows", () => {
      const points = places();
      const moves = downhill(points, model.get("margin"), circle());
      put(points.map((p, i) => p.map((v, axis) => v + STEP * moves[i][axis])));
    }),
    button(life, "start again", () => change(circle() ? { angles: start.angles } : { points: start.points }))));

  // ---- the points and their zones
  const board = svg("svg", {});
  const clip = unique("clip");
  const clipBox = svg("rect", {});
  const inside = svg("g", { "clip-path": `url(#${clip})` });
  const rim = svg("circle", { fill: "none", class: "genssl-axis" });
  const room = svg("rect", { fill: "none", class: "genssl-grid", rx: 4 });
  const disc = Object.fromEntries(["semi-hard", "hard"].map((name) => [name, inside.appendChild(svg("path", {
    "fill-rule": "evenodd", fill: "var(--genssl-negative)", "fill-opacity": name === "hard" ? 0.3 : 0.13,
    stroke: "var(--genssl-negative)", "stroke-width": 1.5, "stroke-dasharray": name === "hard" ? null : "5 4",
  }))]));
  const arcs = Object.fromEntries(STROKES.map(([name, thick, opacity]) => [name, svg("path", {
    fill: "none", "stroke-width": thick, "stroke-opacity": opacity,
    stroke: name === "easy" ? "var(--genssl-edge)" : "var(--genssl-negative)",
  })]));
  board.append(svg("defs", {}, svg("clipPath", { id: clip }, clipBox)), room, inside, rim, ...Object.values(arcs));
  const ties = marks.map(({ kind }) => board.appendChild(svg("line", {
    stroke: `var(--genssl-${kind})`, "stroke-width": 1.75,
  })));
  const labels = Object.fromEntries(STROKES.map(([name]) => [name, bent(board, name)]));
  const arrows = marks.map(() => {
    const shaft = svg("line", { stroke: "var(--genssl-ink)", "stroke-width": 2.25 });
    const head = svg("path", { d: "M1,0L-9,5V-5Z", fill: "var(--genssl-ink)" });
    const node = svg("g", { "pointer-events": "none" }, shaft, head);
    board.append(node);
    return { node, shaft, head };
  });
  const view = { cx: 0, cy: 0, unit: 1 };
  const seen = ([x, y]) => [view.cx + x * view.unit, view.cy - y * view.unit];
  const at = (event) => {
    const box = board.getBoundingClientRect();
    const place = [(event.clientX - box.left - view.cx) / view.unit, (view.cy + box.top - event.clientY) / view.unit];
    // On the circle only the direction counts, however far out the pointer is.
    const length = Math.hypot(...place);
    return circle() && length > 0 ? place.map((v) => v / length) : place;
  };
  const drags = marks.map((m, i) => {
    const node = svg("g", {}, svg("circle", { r: 19, fill: "transparent" }), m.node());
    board.append(node);
    const moved = point(life, node, {
      label: m.name, x: [-EDGE, EDGE], y: [-EDGE, EDGE], step: 0.02, at,
      format: ([x, y]) => (circle()
        ? `${number(Math.atan2(y, x) * 180 / Math.PI, 0)} degrees`
        : `${number(x)}, ${number(y)}`),
      onInput: (place) => {
        if (circle() && Math.hypot(...place) < 1e-6) return; // the centre has no direction
        put(places().map((p, k) => (k === i ? place : p)));
      },
    });
    return { node, ...moved };
  });

  const hinge = hingePlot(life, marks.slice(2), () => draw());
  const said = html("p", { class: "genssl-heading genssl-said" });
  const rows = marks.slice(2).map((m) => {
    const cells = [html("td"), html("td"), html("td")];
    const key = svg("svg", { viewBox: "-16 -16 32 32", "aria-hidden": "true", style: "width: 22px; height: 22px" }, m.node());
    return { cells, node: html("tr", {}, html("th", { scope: "row" },
      html("span", { class: "genssl-named" }, key, html("span", { class: "genssl-unseen", text: m.name }))), ...cells) };
  });
  const table = html("table", {},
    html("thead", {}, html("tr", {}, ...["negative", "zone", "distance²", "loss"].map((text) => html("th", { scope: "col", text })))),
    html("tbody", {}, ...rows.map((r) => r.node)));
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel" },
      html("p", { class: "genssl-heading", text: "Drag the points" }),
      html("p", { class: "genssl-note", text: `a anchor, p positive, 1 to ${rows.length} negatives. Arrows: minus the gradient.` }), board),
    html("div", { class: "genssl-panel" }, said,
      html("p", { class: "genssl-note", text: "Loss of one triplet" }), hinge.node, table)));

  // ---- moving it all
  function drawZones(points, { dap }, margin) {
    const edge = borders(dap, margin, circle());
    const anchor = points[0];
    const turn = Math.atan2(anchor[1], anchor[0]);
    const shown = (node, yes) => write(node, { visibility: yes ? "visible" : "hidden" });
    [rim, ...Object.values(arcs)].forEach((node) => shown(node, circle()));
    [room, inside].forEach((node) => shown(node, !circle()));
    if (circle()) {
      const arc = (from, to) => {
        const count = Math.max(2, Math.ceil((to - from) * 40));
        return to - from < 1e-9 ? "" : line(Array.from({ length: count + 1 }, (_, k) =>
          seen(onCircle(turn + from + (to - from) * k / count).map((v) => v * 1.19))));
      };
      write(arcs.hard, { d: arc(-edge.hard, edge.hard) });
      write(arcs["semi-hard"], { d: arc(edge.hard, edge.semiHard) + arc(-edge.semiHard, -edge.hard) });
      write(arcs.easy, { d: arc(edge.semiHard, 2 * Math.PI - edge.semiHard) });
      const r = 1.19 * view.unit + 9;
      const side = Math.sin(Math.atan2(points[1][1], points[1][0]) - turn) > 0 ? -1 : 1;
      const middle = (edge.hard + edge.semiHard) / 2;
      labels.hard(seen([0, 0]), r, turn, edge.hard * r > 16);
      labels["semi-hard"](seen([0, 0]), r, turn + side * middle,
        (edge.semiHard - edge.hard) * r > 8 && middle * r > 48);
      labels.easy(seen([0, 0]), r, turn + Math.PI,
        (Math.PI - edge.semiHard) * r > 16 && (Math.PI - middle) * r > 48);
    } else {
      const ring = (r) => {
        const [[cx, cy], reach] = [seen(anchor), r * view.unit];
        return `M${cx - reach},${cy}a${reach},${reach} 0 1 1 ${2 * reach},0a${reach},${reach} 0 1 1 ${-2 * reach},0Z`;
      };
      write(disc.hard, { d: ring(edge.hard) });
      write(disc["semi-hard"], { d: ring(edge.semiHard) + ring(edge.hard) });
      const taken = points.map(seen);
      const put = (name, r, roomy) => {
        let best = { cost: Infinity, angle: 0 };
        for (let k = 0; k < 48; k += 1) {
          const angle = Math.PI / 2 + Math.ceil(k / 2) * (k % 2 ? 1 : -1) * Math.PI / 24;
          const [x, y] = seen([anchor[0] + r / view.unit * Math.cos(angle), anchor[1] + r / view.unit * Math.sin(angle)]);
          const out = Math.max(0, 36 - x, x - (2 * view.cx - 36), 16 - y, y - (2 * view.cy - 16));
          const near = Math.min(...taken.map(([u, v]) => Math.hypot(u - x, v - y)));
          const cost = 20 * out + Math.max(0, 46 - near) + 0.12 * k;
          if (cost < best.cost) best = { cost, angle, out };
        }
        labels[name](seen(anchor), r, best.angle, roomy && best.out === 0);
      };
      put("hard", edge.hard * view.unit - 13, edge.hard * view.unit > 30);
      put("semi-hard", (edge.hard + edge.semiHard) / 2 * view.unit - 4, (edge.semiHard - edge.hard) * view.unit > 13);
      put("easy", edge.semiHard * view.unit + 7, true);
    }
  }

  function drawPoints(points, moves, each) {
    const xy = points.map(seen);
    marks.forEach((_, i) => {
      const [x, y] = xy[i];
      write(drags[i].node, { transform: `translate(${x} ${y})` });
      drags[i].show(points[i]);
      write(ties[i], {
        x1: xy[0][0], y1: xy[0][1], x2: x, y2: y,
        "stroke-dasharray": i < 2 || each[i - 2].active ? null : "2 5",
      });
      const size = Math.hypot(...moves[i]);
      const length = size * ARROW * view.unit;
      const { node, shaft, head } = arrows[i];
      const turn = Math.atan2(-moves[i][1], moves[i][0]) * 180 / Math.PI;
      write(node, {
        visibility: length > 1.5 ? "visible" : "hidden", transform: `translate(${x} ${y}) rotate(${turn})`,
      });
      write(shaft, { x1: 0, x2: 14 + Math.max(0, length - 4) });
      write(head, { transform: `translate(${16 + length} 0)` });
    });
  }

  function draw() {
    const margin = model.get("margin");
    const points = places();
    const all = triplets(points, margin);
    const moves = downhill(points, margin, circle());
    width.show(margin);
    where.show(model.get("where"));
    const active = all.each.filter((t) => t.active).length;
    const sentence = `Mean loss ${number(all.loss)}: ${active} of ${rows.length} triplets active.`;
    write(said, { text: sentence });
    rows.forEach(({ cells }, k) => {
      const { dan, loss, active: on, zone: kind } = all.each[k];
      write(cells[0], { text: kind });
      write(cells[1], { text: number(dan) });
      write(cells[2], { text: on ? `${number(loss)} active` : "0 silent" });
    });
    if (view.unit > 1) {
      drawZones(points, all, margin);
      drawPoints(points, moves, all.each);
      hinge.show(all.each, margin);
    }
    announce(`${sentence} ${all.each.map((t, k) => `Negative ${k + 1} is ${t.zone}.`).join(" ")}`);
    // Full precision, for tests and for the curious.
    const numbers = {
      margin, where: model.get("where"), points, dap: all.dap, negatives: all.each, loss: all.loss, downhill: moves,
    };
    for (const [name, v] of Object.entries(numbers)) root.dataset[name] = JSON.stringify(v);
  }

  life.resize(board, (size) => {
    const height = Math.min(size, 400);
    const unit = height / 2 / VIEW;
    Object.assign(view, { cx: size / 2, cy: height / 2, unit });
    write(board, { viewBox: `0 0 ${size} ${height}`, height });
    write(room, { x: 0.5, y: 0.5, width: size - 1, height: height - 1 });
    write(clipBox, { x: 0, y: 0, width: size, height });
    write(rim, { cx: view.cx, cy: view.cy, r: unit });
    draw();
  });
  life.follow(model, ["margin", "where", "angles", "points"], draw);
  draw();
  return () => life.end();
}

export default { render };
