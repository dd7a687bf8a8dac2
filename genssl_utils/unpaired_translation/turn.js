// Two clouds of words: turn one by hand, or let it run downhill on what a critic finds.
import { button, frame, html, lifetime, mulberry32, slider, stops, svg, write } from "../kit/figure.js";

// ---------------------------------------------------------------- the maths

/** The French cloud, 24 points, and the English one: the same with a little noise. */
export function clouds() {
  const draw = mulberry32(5);
  const normal = () => Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());
  const centres = [[1.05, 0.1], [-0.5, 0.85], [-0.35, -0.55], [0.3, -1.05]];
  const sizes = [9, 6, 6, 3];
  const french = centres.flatMap(([x, y], c) =>
    Array.from({ length: sizes[c] }, () => [x + 0.24 * normal(), y + 0.24 * normal()]));
  const english = french.map(([x, y]) => [x + 0.03 * normal(), y + 0.03 * normal()]);
  return { english, french };
}

export function turned(points, degrees) {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return points.map(([x, y]) => [c * x - s * y, s * x + c * y]);
}

/** Squared kernel distance of two clouds: what the best critic of unit size finds. */
export function distance(a, b, width) {
  const mean = (p, q) => {
    let sum = 0;
    for (const [x, y] of p) for (const [u, v] of q) sum += Math.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * width ** 2));
    return sum / (p.length * q.length);
  };
  return mean(a, a) + mean(b, b) - 2 * mean(a, b);
}

/** Pairs of points that are each other's nearest. */
export function mutual(a, b) {
  const nearest = (p, all) => {
    let best = 0;
    all.forEach((q, i) => {
      const far = (r) => (r[0] - p[0]) ** 2 + (r[1] - p[1]) ** 2;
      if (far(q) < far(all[best])) best = i;
    });
    return best;
  };
  const back = b.map((p) => nearest(p, a));
  return a.map((p, i) => [i, nearest(p, b)]).filter(([i, j]) => back[j] === i);
}

// ---------------------------------------------------------------- the picture

const [STEP, START] = [2, 140];
const TOP = 0.16; // the scale stands still, so that one sees a valley get shallow
const ANGLES = Array.from({ length: 181 }, (_, i) => -180 + 2 * i);
const wrap = (angle) => ((((angle + 180) % 360) + 360) % 360) - 180;
const signed = (v) => `${v < 0 ? "−" : ""}${Math.abs(Math.round(v))}°`;

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const { english, french } = clouds();
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const turn = slider(life, {
    label: "angle of the English cloud =", values: ANGLES, format: signed, ends: ["−180°", "180°"],
    onInput: (v) => set("angle", v),
  });
  const blur = slider(life, {
    label: "width of the critic's kernel =", values: stops(0.1, 2, { scale: "log", steps: 40 }),
    format: (v) => v.toFixed(2), ends: ["sharp", "blurred"], onInput: (v) => set("width", v),
  });
  let timer = 0;
  const still = () => { clearInterval(timer); timer = 0; };
  const descend = () => {
    const [at, width] = [model.get("angle"), model.get("width")];
    const cost = (angle) => distance(turned(english, angle), french, width);
    const next = [at, at - STEP, at + STEP].sort((p, q) => cost(p) - cost(q))[0];
    if (next === at) still();
    else set("angle", wrap(next));
  };
  const go = button(life, "Turn it downhill, against the critic", () => {
    still();
    timer = setInterval(descend, 40);
    descend();
  });
  const again = button(life, `Back to ${START}°`, () => {
    still();
    set("angle", START);
  });
  controls.append(turn.node, blur.node, html("div", { class: "genssl-buttons" }, go, again));

  const high = 300;
  const plane = svg("svg", { height: high });
  const lines = svg("g", {});
  const discs = english.map(() => svg("circle", { r: 5, fill: "var(--genssl-model)" }));
  const squares = french.map(() => svg("rect", { width: 9, height: 9, fill: "none", stroke: "var(--genssl-data)", "stroke-width": 2 }));
  plane.append(lines, ...squares, ...discs);
  const [tall, left] = [220, 42];
  const chart = svg("svg", { height: tall + 44 });
  const curve = svg("path", { fill: "none", stroke: "var(--genssl-negative)", "stroke-width": 2.5 });
  const spot = svg("circle", { r: 6, fill: "var(--genssl-negative)", stroke: "var(--genssl-paper)", "stroke-width": 1.5 });
  const marks = svg("g", {});
  chart.append(marks, curve, spot);
  const said = html("p", { class: "genssl-said", style: "margin-top:0.5rem" });
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel" }, html("p", { class: "genssl-heading", text: "The two clouds" }), plane),
    html("div", { class: "genssl-panel" }, html("p", { class: "genssl-heading", text: "What the critic finds, by angle" }), chart)),
  said,
  html("p", { class: "genssl-note genssl-said", text: "Discs are English words, squares French ones. A ring lights up round two words that are each other's nearest and translations; a dashed line joins two that are nearest and wrong." }));

  let [wide, long] = [0, 0];
  function draw() {
    const [angle, width] = [model.get("angle"), model.get("width")];
    turn.show(angle);
    blur.show(width);
    const now = turned(english, angle);
    const pairs = mutual(now, french);
    const right = pairs.filter(([i, j]) => i === j).length;
    const found = distance(now, french, width);
    if (wide > 0) {
      const scale = Math.min(wide, high) / 3.6;
      const put = ([x, y]) => [wide / 2 + scale * x, high / 2 - scale * y];
      now.forEach((p, i) => { const [cx, cy] = put(p); write(discs[i], { cx, cy }); });
      french.forEach((p, i) => { const [x, y] = put(p); write(squares[i], { x: x - 4.5, y: y - 4.5 }); });
      lines.replaceChildren(...pairs.flatMap(([i, j]) => {
        const [[x1, y1], [x2, y2]] = [put(now[i]), put(french[j])];
        if (i === j) return [svg("circle", {
          cx: (x1 + x2) / 2, cy: (y1 + y2) / 2, r: 10, fill: "var(--genssl-positive)", "fill-opacity": 0.25,
          stroke: "var(--genssl-positive)", "stroke-width": 2,
        })];
        return [svg("line", {
          x1, y1, x2, y2, stroke: "var(--genssl-baseline)", "stroke-width": 1.5, "stroke-dasharray": "3 3",
        })];
      }));
    }
    if (long > 0) {
      const costs = ANGLES.map((a) => distance(turned(english, a), french, width));
      const across = (a) => left + ((a + 180) / 360) * (long - left - 12);
      const down = (v) => tall - (v / TOP) * (tall - 16);
      write(curve, { d: `M${ANGLES.map((a, i) => `${across(a).toFixed(1)},${down(costs[i]).toFixed(1)}`).join("L")}` });
      write(spot, { cx: across(angle), cy: down(found) });
      marks.replaceChildren(
        svg("line", { class: "genssl-axis", x1: left, x2: long - 12, y1: tall, y2: tall }),
        ...[0, 0.05, 0.1, 0.15].flatMap((v) => [
          svg("line", { class: "genssl-axis", x1: left - 4, x2: left, y1: down(v), y2: down(v) }),
          svg("text", { class: "genssl-soft", x: left - 7, y: down(v) + 4, "text-anchor": "end", text: v.toFixed(2) }),
        ]),
        ...[-180, -90, 0, 90, 180].map((a) => svg("text", {
          class: "genssl-soft", x: across(a), y: tall + 18, text: signed(a),
          "text-anchor": a === 180 ? "end" : "middle",
        })),
        svg("text", { class: "genssl-soft", x: long - 12, y: tall + 38, "text-anchor": "end", text: "angle" }),
      );
    }
    const told = `At ${signed(angle)} the critic finds ${found.toFixed(3)}; ${pairs.length} pairs are each other's nearest, ${right} of them right, of 24.`;
    write(said, { text: told });
    announce(told);
    Object.assign(root.dataset, Object.fromEntries(Object.entries({
      angle, width, found, pairs: pairs.length, right, english, french,
    }).map(([name, v]) => [name, JSON.stringify(v)])));
  }
  life.resize(plane, (w) => { wide = w; write(plane, { viewBox: `0 0 ${w} ${high}` }); draw(); });
  life.resize(chart, (w) => { long = w; write(chart, { viewBox: `0 0 ${w} ${tall + 44}` }); draw(); });
  life.follow(model, ["angle", "width"], draw);
  draw();
  return () => { still(); life.end(); };
}

export default { render };
