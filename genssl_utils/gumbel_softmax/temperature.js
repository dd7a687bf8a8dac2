// One Gumbel-softmax sample, and the mean of a thousand, as the temperature moves.
import {
  button, clamp, frame, handle, html, lifetime, mulberry32, number, slider, stops, svg, write,
} from "../kit/figure.js";

const TAU = [0.05, 10];
const MANY = 1000;
const SMALLEST = 0.01; // the smallest share that a bar can be dragged to

// ---------------------------------------------------------------- the maths

/** Standard Gumbel noise from a uniform in [0, 1]: −log(−log u), finite at both ends. */
export function gumbelFromUniform(u) {
  const inside = clamp(u, 2 ** -64, 1 - 2 ** -53);
  return -Math.log(-Math.log(inside));
}

/** Softmax that takes logits of any size. */
export function softmax(logits) {
  const top = Math.max(...logits);
  const exps = logits.map((l) => Math.exp(l - top));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / total);
}

/** y = softmax((log π + g) / τ): Jang et al. 2017, Maddison et al. 2017. */
export function gumbelSoftmax(logPi, tau, gumbel) {
  return softmax(logPi.map((l, k) => (l + gumbel[k]) / tau));
}

export const argmax = (values) => values.indexOf(Math.max(...values));

/** 1 − max y: 0 for a one-hot vector, 1 − 1/K for a flat one. */
export function distanceFromOneHot(y) {
  return 1 - Math.max(...y);
}

/** K seeded draws of Gumbel noise. */
export function drawGumbel(size, seed) {
  const uniform = mulberry32(seed);
  return Array.from({ length: size }, () => gumbelFromUniform(uniform()));
}

/** n samples at once: their mean, how often each category won, their mean distance from one-hot. */
export function sampleMany(logPi, tau, n, seed) {
  const uniform = mulberry32(seed);
  const mean = logPi.map(() => 0);
  const frequency = logPi.map(() => 0);
  let distance = 0;
  for (let i = 0; i < n; i += 1) {
    const gumbel = logPi.map(() => gumbelFromUniform(uniform()));
    const y = gumbelSoftmax(logPi, tau, gumbel);
    y.forEach((share, k) => { mean[k] += share / n; });
    frequency[argmax(logPi.map((l, k) => l + gumbel[k]))] += 1 / n;
    distance += distanceFromOneHot(y) / n;
  }
  return { mean, frequency, distance };
}

/** π with entry i at `value`: the others keep their proportions above the smallest share. */
export function renormalise(pi, i, value) {
  const room = 1 - SMALLEST * (pi.length - 1);
  const wanted = clamp(value, SMALLEST, room);
  const free = pi.map((p, k) => (k === i ? 0 : Math.max(0, p - SMALLEST)));
  const total = free.reduce((a, b) => a + b, 0);
  const rest = room - wanted;
  return pi.map((_, k) => {
    if (k === i) return wanted;
    return SMALLEST + rest * (total > 1e-12 ? free[k] / total : 1 / (pi.length - 1));
  });
}

// ---------------------------------------------------------------- the picture

const ROW = 48;
const BAR = 15;
const TOP = 20; // room for the name of the blue mark
const VALUES = 84; // room for "mean 0.38" right of the longest bar

/**
 * A panel of horizontal bars over [0, 1], two to a category, and under them a scale from one-hot
 * to flat. `rows` draws a category and returns the function that updates it.
 */
function panel(life, labels, { heading, note, rows, onWidth }) {
  const gutter = Math.min(110, 14 + 7.6 * Math.max(4, ...labels.map((l) => l.length)));
  const bottom = TOP + labels.length * ROW;
  const height = bottom + 104;
  const picture = svg("svg", { height });
  const node = html("div", { class: "genssl-panel" },
    html("p", { class: "genssl-heading", text: heading }),
    html("p", { class: "genssl-note", text: note }), picture);
  const ticks = [0, 0.5, 1].map((value) => ({
    value,
    line: picture.appendChild(svg("line", {
      class: value ? "genssl-grid" : "genssl-axis", y1: TOP - 4, y2: bottom,
    })),
    text: picture.appendChild(svg("text", {
      class: "genssl-soft", y: bottom + 15, "text-anchor": "middle", text: value,
    })),
  }));
  const name = picture.appendChild(svg("text", {
    class: "genssl-soft", y: bottom + 31, "text-anchor": "middle", text: "probability",
  }));
  const flattest = 1 - 1 / labels.length;
  const scale = {
    said: svg("text", { x: 0, y: bottom + 62 }),
    line: svg("line", { class: "genssl-axis", y1: bottom + 80, y2: bottom + 80 }),
    hot: svg("text", { class: "genssl-soft", y: bottom + 98, "text-anchor": "end", text: "flat" }),
    cold: svg("text", { class: "genssl-soft", y: bottom + 98, text: "one-hot" }),
    dot: svg("circle", {
      cy: bottom + 80, r: 6, fill: "var(--genssl-model)", stroke: "var(--genssl-paper)", "stroke-width": 1.5,
    }),
  };
  picture.append(...Object.values(scale));
  const x = { of: () => 0, inverse: () => 0, gutter };
  const drawn = labels.map((label, k) => rows(picture, label, TOP + k * ROW, k, x));
  life.resize(picture, (width) => {
    const span = Math.max(60, width - gutter - VALUES);
    x.of = (p) => gutter + p * span;
    x.inverse = (clientX) => (clientX - picture.getBoundingClientRect().left - gutter) / span;
    write(picture, { viewBox: `0 0 ${width} ${height}` });
    ticks.forEach(({ value, line, text }) => {
      write(line, { x1: x.of(value), x2: x.of(value) });
      write(text, { x: x.of(value) });
    });
    write(name, { x: x.of(0.5) });
    write(scale.line, { x1: x.of(0), x2: x.of(1) });
    write(scale.cold, { x: x.of(0) });
    write(scale.hot, { x: x.of(1) });
    onWidth();
  });
  const showDistance = (words, distance) => {
    write(scale.said, { text: `${words}: 1 − max y = ${distance.toFixed(2)}` });
    write(scale.dot, { cx: x.of(distance / flattest) });
  };
  return { node, rows: drawn, showDistance };
}

const bar = (y, attributes) => svg("rect", { y, height: BAR, rx: 1.5, ...attributes });
const value = (y, attributes = {}) => svg("text", { y: y + 12, class: "genssl-halo", ...attributes });

/** Draw a bar of length p and the words right of its end. */
function lay(x, rect, text, p, words) {
  write(rect, { x: x.of(0), width: Math.max(0.75, x.of(p) - x.of(0)) });
  write(text, { x: x.of(p) + 6, text: words });
}

function render({ model, el }) {
  const life = lifetime();
  const labels = model.get("labels");
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };

  const warm = slider(life, {
    label: "temperature τ =",
    values: stops(...TAU, { scale: "log", steps: 120 }),
    format: (tau) => number(tau),
    ends: ["0.05 cold", "10 hot"],
    onInput: (tau) => change({ tau }),
  });
  controls.append(warm.node, html("div", { class: "genssl-buttons" },
    button(life, "sample", () => change({ seed: model.get("seed") + 1 })),
    button(life, "sample 1000 times", () => change({ seed_many: model.get("seed_many") + 1 }))));

  const one = panel(life, labels, {
    heading: "One sample y beside π",
    note: "Drag a blue bar to change π.",
    onWidth: () => draw(),
    rows(parent, label, top, i, x) {
      const word = svg("text", { x: x.gutter - 8, y: top + 16, "text-anchor": "end", text: label });
      const wins = svg("text", {
        x: x.gutter - 8, y: top + 32, class: "genssl-soft", "text-anchor": "end", text: "wins",
      });
      const share = bar(top, { fill: "var(--genssl-data)" });
      const grip = svg("rect", {
        class: "genssl-grip", y: top - 2, width: 8, height: BAR + 4, rx: 4,
        fill: "var(--genssl-paper)", stroke: "var(--genssl-data)", "stroke-width": 2,
      });
      const reach = svg("rect", { y: top - 5, height: 24, fill: "transparent" });
      const shareText = value(top);
      const soft = bar(top + 19, { fill: "var(--genssl-model)" });
      const softText = value(top + 19);
      const group = svg("g", {}, share, reach, grip, shareText);
      parent.append(word, wins, soft, softText, group);
      const drag = handle(life, group, {
        label: `probability of ${label}`,
        min: SMALLEST, max: 1 - SMALLEST * (labels.length - 1), step: 0.01,
        format: (p) => number(p),
        at: (event) => x.inverse(event.clientX),
        onInput: (p) => change({ pi: renormalise(model.get("pi"), i, p) }),
      });
      return (pi, y, won) => {
        lay(x, share, shareText, pi, `π = ${number(pi)}`);
        write(shareText, { x: x.of(pi) + 10 });
        write(grip, { x: x.of(pi) - 4 });
        write(reach, { x: x.of(0), width: x.of(1) - x.of(0) });
        lay(x, soft, softText, y, `y = ${y.toFixed(2)}`);
        write(word, { class: won ? "genssl-strong" : "" });
        write(softText, { class: won ? "genssl-halo genssl-strong" : "genssl-halo" });
        write(wins, { visibility: won ? "visible" : "hidden" });
        drag.show(pi);
      };
    },
  });

  const many = panel(life, labels, {
    heading: `${MANY} samples against π`,
    note: "The mean of y, and how often each word won.",
    onWidth: () => draw(),
    rows(parent, label, top, i, x) {
      const word = svg("text", { x: x.gutter - 8, y: top + 23, "text-anchor": "end", text: label });
      const soft = bar(top, { fill: "var(--genssl-model)" });
      const softText = value(top);
      const hard = bar(top + 19, {
        fill: "none", stroke: "var(--genssl-model)", "stroke-width": 1.5,
      });
      const hardText = value(top + 19);
      const mark = svg("line", {
        y1: top - 4, y2: top + 38, stroke: "var(--genssl-data)", "stroke-width": 3,
      });
      const markName = svg("text", { y: top - 6, "text-anchor": "middle", text: i === 0 ? "π" : "" });
      parent.append(word, soft, hard, mark, markName, softText, hardText);
      return (pi, mean, frequency) => {
        lay(x, soft, softText, mean, `mean ${mean.toFixed(2)}`);
        lay(x, hard, hardText, frequency, `won ${frequency.toFixed(2)}`);
        // The words stand clear of the blue mark too.
        write(softText, { x: x.of(Math.max(mean, pi)) + 7 });
        write(hardText, { x: x.of(Math.max(frequency, pi)) + 7 });
        write(mark, { x1: x.of(pi), x2: x.of(pi) });
        write(markName, { x: x.of(pi) });
      };
    },
  });
  picture.append(html("div", { class: "genssl-panels" }, one.node, many.node));

  function draw() {
    const [pi, tau] = [model.get("pi"), model.get("tau")];
    const logPi = pi.map(Math.log);
    const gumbel = drawGumbel(pi.length, model.get("seed"));
    const y = gumbelSoftmax(logPi, tau, gumbel);
    const winner = argmax(logPi.map((l, k) => l + gumbel[k]));
    const { mean, frequency, distance } = sampleMany(logPi, tau, MANY, model.get("seed_many"));
    warm.show(tau);
    one.rows.forEach((row, k) => row(pi[k], y[k], k === winner));
    many.rows.forEach((row, k) => row(pi[k], mean[k], frequency[k]));
    const far = distanceFromOneHot(y);
    one.showDistance("distance from one-hot", far);
    many.showDistance("mean distance", distance);
    announce(
      `Temperature ${number(tau)}. ${labels[winner]} wins. Distance from one-hot ` +
      `${far.toFixed(2)}; mean of ${MANY} samples ${distance.toFixed(2)}.`,
    );
    // Full precision, for tests and for the curious.
    Object.assign(root.dataset, {
      pi: JSON.stringify(pi), tau: JSON.stringify(tau), gumbel: JSON.stringify(gumbel),
      y: JSON.stringify(y), winner: labels[winner], distance: JSON.stringify(far), draws: MANY,
      mean: JSON.stringify(mean), frequency: JSON.stringify(frequency),
      meanDistance: JSON.stringify(distance),
    });
  }
  life.follow(model, ["pi", "tau", "seed", "seed_many"], draw);
  draw();
  return () => life.end();
}

export default { render };
