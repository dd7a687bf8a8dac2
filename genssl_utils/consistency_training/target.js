// A teacher's guess under the reader's hand: sharpened by a temperature, kept or not by a threshold.
import { clamp, frame, handle, html, lifetime, number, slider, stops, svg, write } from "../kit/figure.js";

const SMALLEST = 0.01;

// ---------------------------------------------------------------- the maths

/** p^(1/T), normalised; by logarithms, so that a small T does not underflow. */
export function sharpened(p, temperature) {
  const logs = p.map((v) => Math.log(v) / temperature);
  const top = Math.max(...logs);
  const powers = logs.map((l) => Math.exp(l - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / total);
}

/** Entropy in nats. */
export const entropy = (p) => -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);

/** p with entry i at `value`: the others keep their proportions above the smallest share. */
export function withShare(p, i, value) {
  const room = 1 - SMALLEST * (p.length - 1);
  const wanted = clamp(value, SMALLEST, room);
  const free = p.map((v, k) => (k === i ? 0 : Math.max(0, v - SMALLEST)));
  const total = free.reduce((a, b) => a + b, 0);
  return p.map((_, k) => {
    if (k === i) return wanted;
    return SMALLEST + (room - wanted) * (total > 1e-12 ? free[k] / total : 1 / (p.length - 1));
  });
}

// ---------------------------------------------------------------- the picture

const [ROW, BAR, TOP, GUTTER, ROOM] = [48, 15, 10, 26, 128];

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const labels = model.get("labels");
  const change = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const cold = slider(life, {
    label: "temperature T =", values: stops(0.1, 2, { scale: "log" }), format: (v) => number(v),
    ends: ["0.1 one-hot", "2 flatter"], onInput: (v) => change("temperature", v),
  });
  const bar = slider(life, {
    label: "threshold =", values: stops(0.2, 1, { steps: 80 }), format: (v) => number(v),
    ends: ["0.2 all count", "1 none"], onInput: (v) => change("threshold", v),
  });
  controls.append(cold.node, bar.node);

  const bottom = TOP + labels.length * ROW;
  const height = bottom + 92;
  const said = html("p", { class: "genssl-heading" });
  const told = html("p", { class: "genssl-note genssl-said" });
  const plot = svg("svg", { height });
  picture.append(said, told, plot);
  const axis = svg("line", { class: "genssl-axis", y1: TOP - 4, y2: bottom });
  const line = svg("line", { class: "genssl-axis", y1: bottom + 46, y2: bottom + 46 });
  const ticks = [0, 0.5, 1].map((value) => ({ value, text: svg("text", {
    class: "genssl-soft", y: bottom + 84, "text-anchor": "middle", text: value }) }));
  const limit = svg("line", { y1: bottom + 30, y2: bottom + 62, stroke: "var(--genssl-ink)", "stroke-width": 3 });
  const limitName = svg("text", { class: "genssl-soft genssl-halo", y: bottom + 24, "text-anchor": "middle", text: "threshold" });
  const dot = svg("circle", { cy: bottom + 46, r: 7, stroke: "var(--genssl-paper)", "stroke-width": 2 });
  const dotName = svg("text", { class: "genssl-halo genssl-soft", y: bottom + 70, "text-anchor": "middle" });
  plot.append(axis, line, ...ticks.map((tick) => tick.text), limit, limitName, dot, dotName);
  let span = 1;
  const x = (v) => GUTTER + v * span;

  const rows = labels.map((label, i) => {
    const top = TOP + i * ROW;
    const word = svg("text", { x: GUTTER - 8, y: top + 22, "text-anchor": "end", text: label });
    const share = svg("rect", { y: top, height: BAR, rx: 1.5, fill: "var(--genssl-teacher)" });
    const grip = svg("rect", { class: "genssl-grip", y: top - 2, width: 8, height: BAR + 4, rx: 4,
      fill: "var(--genssl-paper)", stroke: "var(--genssl-teacher)", "stroke-width": 2 });
    const reach = svg("rect", { y: top - 5, height: 24, fill: "transparent" });
    const shareText = svg("text", { class: "genssl-halo", y: top + 12 });
    const sharp = svg("rect", { y: top + 19, height: BAR, rx: 1.5, fill: "none", stroke: "var(--genssl-teacher)", "stroke-width": 2 });
    const sharpText = svg("text", { class: "genssl-halo", y: top + 31 });
    const group = svg("g", {}, share, reach, grip, shareText);
    plot.append(word, sharp, sharpText, group);
    const drag = handle(life, group, {
      label: `probability of ${label}`, min: SMALLEST, max: 1 - SMALLEST * (labels.length - 1), step: 0.01,
      format: (p) => number(p),
      at: (event) => (event.clientX - plot.getBoundingClientRect().left - GUTTER) / span,
      onInput: (p) => change("p", withShare(model.get("p"), i, p)),
    });
    return (p, q, best) => {
      write(share, { x: x(0), width: Math.max(0.75, p * span) });
      write(grip, { x: x(p) - 4 });
      write(reach, { x: x(0), width: span });
      write(shareText, { x: x(p) + 10, text: `p = ${number(p)}` });
      write(sharp, { x: x(0), width: Math.max(0.75, q * span) });
      write(sharpText, { x: x(q) + 10, text: `sharpened ${q.toFixed(2)}` });
      write(word, { class: best ? "genssl-strong" : "" });
      drag.show(p);
    };
  });

  function draw() {
    const [p, T, threshold] = ["p", "temperature", "threshold"].map((name) => model.get(name));
    const q = sharpened(p, T);
    const most = Math.max(...p);
    const best = p.indexOf(most);
    const passes = most >= threshold;
    const [before, after] = [entropy(p), entropy(q)];
    cold.show(T);
    bar.show(threshold);
    rows.forEach((row, i) => row(p[i], q[i], i === best));
    const sentence = passes
      ? `It counts: the label would be ${labels[best]}, since ${number(most)} reaches ${number(threshold)}.`
      : `It does not count: ${number(most)} is below ${number(threshold)}.`;
    const entropies = `Entropy ${before.toFixed(2)} nats, ${after.toFixed(2)} once sharpened.`;
    write(said, { text: sentence });
    write(told, { text: `${entropies} Drag a filled bar to change p.` });
    write(axis, { x1: x(0), x2: x(0) });
    write(line, { x1: x(0), x2: x(1) });
    ticks.forEach(({ value, text }) => write(text, { x: x(value) }));
    write(limit, { x1: x(threshold), x2: x(threshold) });
    write(limitName, { x: clamp(x(threshold), GUTTER + 30, x(1)) });
    write(dot, { cx: x(most), fill: passes ? "var(--genssl-teacher)" : "var(--genssl-baseline)" });
    write(dotName, { x: clamp(x(most), GUTTER + 40, x(1)), text: passes ? "passes" : "masked out" });
    announce(`${sentence} ${entropies}`);
    Object.assign(root.dataset, {
      p: JSON.stringify(p), q: JSON.stringify(q), temperature: JSON.stringify(T),
      threshold: JSON.stringify(threshold), passes: JSON.stringify(passes),
      entropies: JSON.stringify([before, after]),
    });
  }
  life.resize(plot, (width) => {
    span = Math.max(60, width - GUTTER - ROOM);
    write(plot, { viewBox: `0 0 ${width} ${height}` });
    draw();
  });
  life.follow(model, ["p", "temperature", "threshold"], draw);
  draw();
  return () => life.end();
}

export default { render };
