// A teacher's distribution, sharpened and made hard, and a batch of them against a threshold.
import {
  button, clamp, frame, handle, html, lifetime, mulberry32, number, slider, stops, svg, write,
} from "../kit/figure.js";

const T = [0.1, 10];
const THRESHOLD = [0.2, 0.99];
const MANY = 60;
const SMALLEST = 0.001; // a softmax is never exactly 0
const ALPHA = [0.03, 2]; // a small concentration gives sure predictions, a large one unsure ones

// ---------------------------------------------------------------- the maths

/** p^(1/T), normalised, in logs: T → 0 gives the hard label, T = 1 gives p. */
export function sharpen(p, temperature) {
  const logits = p.map((x) => Math.log(x) / temperature);
  const top = Math.max(...logits);
  const exps = logits.map((l) => Math.exp(l - top));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / total);
}

/** −Σ p ln p in nats, with 0 ln 0 = 0. */
export function entropy(p) {
  return p.reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0);
}

export const confidence = (p) => Math.max(...p);

/** The place of the largest entry, the first of several. */
export const winner = (p) => p.indexOf(Math.max(...p));

/** FixMatch's rule (Sohn et al. 2020): the largest entry of p itself reaches the threshold. */
export const passes = (p, threshold) => confidence(p) >= threshold;

/** The logarithm of a Gamma(alpha, 1) draw (Marsaglia and Tsang 2000); alpha may be tiny. */
export function logGamma(alpha, uniform) {
  const [d, c] = [alpha + 2 / 3, 1 / Math.sqrt(9 * (alpha + 2 / 3))];
  for (;;) {
    const z = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(uniform()) < z ** 2 / 2 + d - d * v + d * Math.log(v)) {
      // A draw for alpha + 1, taken down to alpha.
      return Math.log(d * v) + Math.log(uniform()) / alpha;
    }
  }
}

/** One draw from the symmetric Dirichlet distribution over `size` classes. */
export function dirichlet(alpha, size, uniform) {
  const logs = Array.from({ length: size }, () => logGamma(alpha, uniform));
  const top = Math.max(...logs);
  const parts = logs.map((l) => Math.exp(l - top));
  const total = parts.reduce((a, b) => a + b, 0);
  return parts.map((x) => x / total);
}

/** n draws at one concentration, for tests. */
export function dirichletMany(alpha, size, n, seed) {
  const uniform = mulberry32(seed);
  return Array.from({ length: n }, () => dirichlet(alpha, size, uniform));
}

/** n distributions, from sure to unsure, each with a true class drawn from it. */
export function drawBatch(n, size, seed) {
  const uniform = mulberry32(seed);
  return Array.from({ length: n }, () => {
    const p = dirichlet(ALPHA[0] * (ALPHA[1] / ALPHA[0]) ** uniform(), size, uniform);
    let left = uniform();
    const truth = p.findIndex((x) => (left -= x) < 0);
    return { p, truth: truth < 0 ? winner(p) : truth };
  });
}

/** Of a batch: how many pass, their mean entropy, and how many of their labels are right. */
export function judge(batch, threshold) {
  const kept = batch.filter(({ p }) => passes(p, threshold));
  const right = kept.filter(({ p, truth }) => winner(p) === truth).length;
  const none = kept.length === 0;
  return {
    count: kept.length,
    share: kept.length / batch.length,
    entropy: none ? null : kept.reduce((sum, { p }) => sum + entropy(p), 0) / kept.length,
    right,
    rightShare: none ? null : right / kept.length,
  };
}

/** The smallest and the largest entropy that a distribution of that confidence can have. */
export function entropyRange(top, size) {
  const whole = Math.floor(1 / top + 1e-9);
  const rest = Math.max(0, 1 - whole * top);
  const low = entropy([...Array(whole).fill(top), rest]);
  const high = entropy([top, ...Array(size - 1).fill((1 - top) / (size - 1))]);
  return [low, high];
}

/** p with entry i at `value`: the others keep their proportions above the smallest share. */
export function moveShare(p, i, value) {
  const room = 1 - SMALLEST * (p.length - 1);
  const wanted = clamp(value, SMALLEST, room);
  const free = p.map((x, k) => (k === i ? 0 : Math.max(0, x - SMALLEST)));
  const total = free.reduce((a, b) => a + b, 0);
  return p.map((_, k) => {
    if (k === i) return wanted;
    return SMALLEST + (room - wanted) * (total > 1e-12 ? free[k] / total : 1 / (p.length - 1));
  });
}

// ---------------------------------------------------------------- one distribution

const [TOP, ROW, BAR] = [22, 57, 13];
const VALUES = 104; // room for "sharpened 0.38" right of the longest bar

// The three forms of one distribution, told apart by fill and outline.
const FORMS = [
  { name: "p", shift: 0, tall: BAR, look: { fill: "var(--genssl-teacher)" } },
  {
    name: "sharpened", shift: BAR + 3, tall: BAR,
    look: {
      fill: "var(--genssl-teacher)", "fill-opacity": 0.25, stroke: "var(--genssl-teacher)", "stroke-width": 1.5,
    },
  },
  { name: "hard", shift: 2 * BAR + 7, tall: 8, look: { fill: "var(--genssl-ink)" } },
];

const bar = (form, y) => svg("rect", { y, height: form.tall, rx: 1.5, ...form.look });
const label = (y, tall) => svg("text", { y: y + tall / 2 + 4.5, class: "genssl-halo" });
const through = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}`;

/** The bars of p, sharpened p and the hard label, and under them their three entropies. */
function barPanel(life, labels, { onShare, onWidth }) {
  const gutter = Math.min(96, 14 + 7.6 * Math.max(3, ...labels.map((l) => l.length)));
  const bottom = TOP + labels.length * ROW - 6;
  const under = bottom + 66;
  const height = under + 78;
  const most = Math.log(labels.length);
  const picture = svg("svg", { height });
  const said = html("p", { class: "genssl-note genssl-said" });
  const node = html("div", { class: "genssl-panel" },
    html("p", { class: "genssl-heading", text: "One prediction p: drag its solid bars" }), said, picture);

  const x = { of: () => 0, inverse: () => 0 };
  const ticks = [0, 0.5, 1].map((value) => ({
    value,
    line: svg("line", { class: value ? "genssl-grid" : "genssl-axis", y1: TOP - 6, y2: bottom }),
    text: svg("text", { class: "genssl-soft", y: bottom + 15, "text-anchor": "middle", text: value }),
  }));
  const named = svg("text", { class: "genssl-soft", y: bottom + 31, "text-anchor": "middle", text: "probability" });
  picture.append(...ticks.flatMap(({ line, text }) => [line, text]), named);

  const rows = labels.map((word, k) => {
    const top = TOP + k * ROW;
    const parts = FORMS.map((form) => ({
      rect: bar(form, top + form.shift), text: label(top + form.shift, form.tall),
    }));
    const grip = svg("rect", {
      class: "genssl-grip", y: top - 2, width: 8, height: BAR + 4, rx: 4,
      fill: "var(--genssl-paper)", stroke: "var(--genssl-teacher)", "stroke-width": 2,
    });
    const reach = svg("rect", { y: top - 5, height: BAR + 10, fill: "transparent" });
    const mark = svg("line", {
      y1: top - 5, y2: top + BAR + 3, stroke: "var(--genssl-ink)", "stroke-width": 2, "stroke-dasharray": "3 2",
    });
    const group = svg("g", {}, parts[0].rect, reach, mark, grip, parts[0].text);
    const name = svg("text", { x: gutter - 8, y: top + 16, "text-anchor": "end", text: word });
    picture.append(name, parts[1].rect, parts[2].rect, group, parts[1].text, parts[2].text);
    const drag = handle(life, group, {
      label: `probability of ${word}`,
      min: SMALLEST, max: 1 - SMALLEST * (labels.length - 1), step: 0.01,
      format: (p) => number(p), at: (event) => x.inverse(event.clientX),
      // Whole hundredths: 0.7 + 0.1 shall reach a threshold of 0.8.
      onInput: (p) => onShare(k, p > 0.005 && p < 0.995 ? Math.round(100 * p) / 100 : p),
    });
    return { parts, grip, reach, mark, name, drag };
  });
  const markName = svg("text", { class: "genssl-soft genssl-halo", y: TOP - 10, "text-anchor": "middle", text: "threshold" });

  const bars = FORMS.map((form, k) => {
    const y = under + k * 18;
    return { rect: bar({ ...form, tall: 10 }, y), text: label(y, 10) };
  });
  const scale = {
    name: svg("text", { y: under - 12, text: "entropy in nats" }),
    axis: svg("line", { class: "genssl-axis", y1: under - 5, y2: under + 53 }),
    end: svg("line", { class: "genssl-grid", y1: under - 5, y2: under + 53 }),
    zero: svg("text", { class: "genssl-soft", y: under + 68, text: "0 one-hot" }),
    flat: svg("text", { class: "genssl-soft", y: under + 68, "text-anchor": "middle", text: `ln ${labels.length} = ${most.toFixed(2)} flat` }),
  };
  picture.append(markName, ...Object.values(scale), ...bars.flatMap(({ rect, text }) => [rect, text]));

  const lay = ({ rect, text }, share, words, clear = 6) => {
    write(rect, { x: x.of(0), width: Math.max(0.75, x.of(share) - x.of(0)) });
    write(text, { x: x.of(share) + clear, text: words });
  };
  life.resize(picture, (width) => {
    const span = Math.max(60, width - gutter - VALUES);
    x.of = (p) => gutter + p * span;
    x.inverse = (clientX) => (clientX - picture.getBoundingClientRect().left - gutter) / span;
    write(picture, { viewBox: `0 0 ${width} ${height}` });
    ticks.forEach(({ value, line, text }) => {
      write(line, { x1: x.of(value), x2: x.of(value) });
      write(text, { x: x.of(value) });
    });
    write(named, { x: x.of(0.5) });
    for (const [part, share] of [[scale.axis, 0], [scale.end, 1]]) write(part, { x1: x.of(share), x2: x.of(share) });
    for (const [part, share] of [[scale.name, 0], [scale.zero, 0], [scale.flat, 1]]) write(part, { x: x.of(share) });
    onWidth();
  });

  return {
    node,
    said,
    show({ p, sharpened, hard, entropies, threshold, passed }) {
      rows.forEach(({ parts, grip, reach, mark, name, drag }, k) => {
        const names = k === 0 ? FORMS.map((form) => `${form.name} `) : ["", "", ""];
        const behind = x.of(threshold) > x.of(p[k]) - 4 && x.of(threshold) < x.of(p[k]) + 50;
        lay(parts[0], p[k], `${names[0]}${number(p[k])}`, behind ? x.of(threshold) - x.of(p[k]) + 8 : 10);
        lay(parts[1], sharpened[k], `${names[1]}${sharpened[k].toFixed(2)}`);
        lay(parts[2], hard[k], hard[k] || k === 0 ? `${names[2]}${hard[k]}` : "");
        // A label that is held back is an empty outline.
        write(parts[2].rect, {
          fill: passed ? "var(--genssl-ink)" : "none", stroke: "var(--genssl-ink)",
          "stroke-dasharray": passed ? null : "3 3", visibility: hard[k] ? "visible" : "hidden",
        });
        write(grip, { x: x.of(p[k]) - 4 });
        write(reach, { x: x.of(0), width: x.of(1) - x.of(0) });
        write(mark, { x1: x.of(threshold), x2: x.of(threshold) });
        write(name, { class: hard[k] ? "genssl-strong" : "" });
        drag.show(p[k]);
      });
      write(markName, { x: x.of(threshold) });
      bars.forEach((part, k) => {
        const words = k === 2 ? "hard 0" : `${FORMS[k].name} ${entropies[k].toFixed(2)}`;
        lay(part, entropies[k] / most, words);
      });
    },
  };
}

// ---------------------------------------------------------------- a batch of them

// Shape and colour together say what became of a prediction.
const FATES = {
  right: { d: "M-4.5,0A4.5,4.5 0 1 1 4.5,0A4.5,4.5 0 1 1 -4.5,0Z", fill: "var(--genssl-positive)", stroke: "var(--genssl-paper)", "stroke-width": 1 },
  wrong: { d: "M-4.5,-4.5L4.5,4.5M-4.5,4.5L4.5,-4.5", fill: "none", stroke: "var(--genssl-negative)", "stroke-width": 2.6 },
  held: { d: "M-3,0A3,3 0 1 1 3,0A3,3 0 1 1 -3,0Z", fill: "none", stroke: "var(--genssl-edge)", "stroke-width": 1.3 },
};
const AREA = { left: 44, top: 18, height: 208, gap: 42, share: 104 };

function batchPanel(life, size, { onThreshold, onWidth }) {
  const most = Math.log(size);
  const low = 1 / size;
  const [middle, lower] = [AREA.top + AREA.height, AREA.top + AREA.height + AREA.gap];
  const bottom = lower + AREA.share;
  const height = bottom + 36;
  const picture = svg("svg", { height });
  const said = html("p", { class: "genssl-note genssl-said" });
  const counts = Object.fromEntries(["right", "wrong", "held"].map((fate) => [fate, html("span")]));
  const key = html("p", { class: "genssl-note" });
  for (const [fate, words] of Object.entries(counts)) {
    key.append(html("span", { style: "white-space: nowrap; margin-right: 1em" },
      svg("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true", style: "display: inline-block; width: 14px; height: 14px; vertical-align: -2px; margin-right: 4px" },
        svg("path", FATES[fate])), words), " ");
  }
  const node = html("div", { class: "genssl-panel" },
    html("p", { class: "genssl-heading", text: `${MANY} predictions: drag the threshold` }),
    html("p", { class: "genssl-note", text: "The true class of each was drawn from its p." }), said, key, picture);

  const back = svg("g", {});
  const possible = svg("path", { fill: "var(--genssl-line)", "fill-opacity": 0.45 });
  const open = svg("rect", { y: AREA.top, height: AREA.height, fill: "var(--genssl-positive)", "fill-opacity": 0.08 });
  const dots = Array.from({ length: MANY }, () => svg("path", {}));
  const cloud = svg("g", {}, ...dots);
  const own = svg("path", {
    d: "M0,-8L8,0L0,8L-8,0Z", fill: "var(--genssl-teacher)", stroke: "var(--genssl-paper)", "stroke-width": 1.5,
  });
  const ownName = svg("text", { class: "genssl-halo genssl-strong", text: "p" });
  const lines = {
    pass: svg("path", { fill: "none", stroke: "var(--genssl-edge)", "stroke-width": 2, "stroke-dasharray": "5 3" }),
    right: svg("path", { fill: "none", stroke: "var(--genssl-positive)", "stroke-width": 2.2 }),
  };
  const ends = {
    pass: { dot: svg("rect", { width: 9, height: 9, fill: "var(--genssl-edge)", stroke: "var(--genssl-paper)" }), text: svg("text", { class: "genssl-halo" }) },
    right: { dot: svg("circle", { r: 5, fill: "var(--genssl-positive)", stroke: "var(--genssl-paper)" }), text: svg("text", { class: "genssl-halo" }) },
  };
  const wall = svg("line", { y1: AREA.top, y2: bottom, stroke: "var(--genssl-ink)", "stroke-width": 2, "stroke-dasharray": "3 2" });
  const reach = svg("rect", { y: AREA.top, width: 28, height: bottom - AREA.top, fill: "transparent" });
  const grip = svg("rect", {
    class: "genssl-grip", y: middle + 11, width: 12, height: 20, rx: 5,
    fill: "var(--genssl-paper)", stroke: "var(--genssl-ink)", "stroke-width": 2,
  });
  const wallName = svg("text", { class: "genssl-halo", y: middle + 26 });
  const group = svg("g", {}, reach, wall, grip);
  const span = { of: () => 0, inverse: () => 0, width: 0 };
  const high = (h) => AREA.top + (1 - h / most) * AREA.height;
  const level = (share) => bottom - share * AREA.share;
  picture.append(possible, open, back, ...Object.values(lines), group, cloud, own, ownName,
    wallName, ...Object.values(ends).flatMap(({ dot, text }) => [dot, text]));
  const drag = handle(life, group, {
    label: "threshold on the confidence", min: THRESHOLD[0], max: THRESHOLD[1], step: 0.01,
    format: (c) => number(c), at: (event) => span.inverse(event.clientX),
    onInput: (c) => onThreshold(Number(c.toFixed(3))),
  });

  life.resize(picture, (width) => {
    span.width = width - AREA.left - 12;
    span.of = (c) => AREA.left + ((c - low) / (1 - low)) * span.width;
    span.inverse = (clientX) =>
      low + ((clientX - picture.getBoundingClientRect().left - AREA.left) / span.width) * (1 - low);
    write(picture, { viewBox: `0 0 ${width} ${height}` });
    const [left, right] = [span.of(low), span.of(1)];
    const grid = [];
    const tick = (y, text) => grid.push(
      svg("line", { class: "genssl-grid", x1: left, x2: right, y1: y, y2: y }),
      svg("text", { class: "genssl-soft", x: left - 6, y: y + 4, "text-anchor": "end", text }));
    for (const h of [0, 0.5, 1, 1.5].filter((v) => v <= most)) tick(high(h), h);
    for (const share of [0, 0.5, 1]) tick(level(share), share);
    for (const c of [0.2, 0.4, 0.6, 0.8, 1].filter((v) => v >= low - 1e-9)) {
      grid.push(svg("text", { class: "genssl-soft", x: span.of(c), y: bottom + 16, "text-anchor": "middle", text: c }));
    }
    const side = (y, text) => svg("text", {
      class: "genssl-soft", x: 11, y, "text-anchor": "middle", transform: `rotate(-90 11 ${y})`, text,
    });
    back.replaceChildren(...grid,
      svg("path", { class: "genssl-axis", fill: "none", d: `M${left},${AREA.top}V${middle}H${right}M${left},${lower}V${bottom}H${right}` }),
      side((AREA.top + middle) / 2, "entropy, nats"), side((lower + bottom) / 2, "share"),
      svg("text", { class: "genssl-soft", x: (left + right) / 2, y: bottom + 32, "text-anchor": "middle", text: "confidence max p" }));
    const steps = Array.from({ length: 161 }, (_, i) => low + (1 - low) * (i / 160));
    const edge = (which) => steps.map((c) => [span.of(c), high(entropyRange(c, size)[which])]);
    write(possible, { d: `${through([...edge(0), ...edge(1).reverse()])}Z` });
    onWidth();
  });

  return {
    node,
    said,
    show({ batch, threshold, p, judged }) {
      write(counts.right, { text: `${judged.right} pass, right` });
      write(counts.wrong, { text: `${judged.count - judged.right} pass, wrong` });
      write(counts.held, { text: `${batch.length - judged.count} held back` });
      drag.show(threshold);
      if (!span.width) return;
      batch.forEach(({ p: other, truth }, i) => {
        const fate = !passes(other, threshold) ? "held" : winner(other) === truth ? "right" : "wrong";
        write(dots[i], {
          ...FATES[fate], transform: `translate(${span.of(confidence(other))} ${high(entropy(other))})`,
        });
        if (fate === "wrong") cloud.append(dots[i]); // the few wrong ones are never covered
      });
      const [ox, oy] = [span.of(confidence(p)), high(entropy(p))];
      write(own, { transform: `translate(${ox} ${oy})` });
      write(ownName, { x: ox + 11, y: oy - 6 });
      const at = span.of(threshold);
      write(open, { x: at, width: Math.max(0, span.of(1) - at) });
      write(wall, { x1: at, x2: at });
      write(reach, { x: at - 14 });
      write(grip, { x: at - 6 });
      const leans = at > AREA.left + span.width / 2;
      const beside = { x: at + (leans ? -12 : 12), "text-anchor": leans ? "end" : "start" };
      write(wallName, { ...beside, text: `threshold ${number(threshold)}` });

      const curve = Array.from({ length: 241 }, (_, i) => low + (1 - low) * (i / 240))
        .map((c) => ({ c, ...judge(batch, c) }));
      write(lines.pass, { d: through(curve.map(({ c, share }) => [span.of(c), level(share)])) });
      const known = curve.filter(({ rightShare }) => rightShare !== null);
      write(lines.right, { d: through(known.map(({ c, rightShare }) => [span.of(c), level(rightShare)])) });
      const ys = [level(judged.share), level(judged.rightShare ?? judged.share)];
      // The words of the nearly level curve stand under it, clear of the line.
      const words = [ys[0] + 4.5, ys[1] + 19];
      if (Math.abs(words[0] - words[1]) < 17) {
        const upper = ys[0] < ys[1] ? 0 : 1;
        const centre = clamp((words[0] + words[1]) / 2, lower + 22, bottom - 13);
        words[upper] = centre - 8.5;
        words[1 - upper] = centre + 8.5;
      }
      write(ends.pass.dot, { x: at - 4.5, y: ys[0] - 4.5 });
      write(ends.pass.text, { ...beside, y: words[0], text: `passes ${judged.share.toFixed(2)}` });
      const some = { visibility: judged.count ? "visible" : "hidden" };
      write(ends.right.dot, { cx: at, cy: ys[1], ...some });
      write(ends.right.text, { ...beside, y: words[1], ...some, text: `right ${(judged.rightShare ?? 0).toFixed(2)}` });
    },
  };
}

// ---------------------------------------------------------------- together

function render({ model, el }) {
  const life = lifetime();
  const labels = model.get("labels");
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };
  const warm = slider(life, {
    label: "sharpening temperature T =", values: stops(...T, { scale: "log" }), format: (v) => number(v),
    ends: ["0.1 nearly hard", "10 nearly flat"], onInput: (v) => change({ temperature: v }),
  });
  const limit = slider(life, {
    label: "confidence threshold =", values: stops(...THRESHOLD, { steps: 79 }), format: (v) => number(v),
    ends: ["0.2 all pass", "0.99"], onInput: (v) => change({ threshold: v }),
  });
  controls.append(warm.node, limit.node, html("div", { class: "genssl-buttons" },
    button(life, `draw another ${MANY}`, () => change({ seed: model.get("seed") + 1 }))));

  const one = barPanel(life, labels, {
    onShare: (i, share) => change({ p: moveShare(model.get("p"), i, share) }), onWidth: () => draw(),
  });
  const many = batchPanel(life, labels.length, {
    onThreshold: (threshold) => change({ threshold }), onWidth: () => draw(),
  });
  picture.append(html("div", { class: "genssl-panels" }, one.node, many.node));

  let [drawn, batch] = [null, []];
  function draw() {
    const [p, temperature, threshold] = ["p", "temperature", "threshold"].map((name) => model.get(name));
    if (drawn !== model.get("seed")) {
      drawn = model.get("seed");
      batch = drawBatch(MANY, labels.length, drawn);
    }
    const sharpened = sharpen(p, temperature);
    const top = winner(p);
    const hard = p.map((_, k) => (k === top ? 1 : 0));
    const entropies = [p, sharpened, hard].map(entropy);
    const passed = passes(p, threshold);
    const judged = judge(batch, threshold);
    warm.show(temperature);
    limit.show(threshold);
    one.show({ p, sharpened, hard, entropies, threshold, passed });
    many.show({ batch, threshold, p, judged });
    // As many digits as tell the two apart.
    const digits = [2, 3, 4].find((d) => passed || p[top].toFixed(d) !== threshold.toFixed(d)) ?? 5;
    const [sure, wanted] = [p[top], threshold].map((x) => x.toFixed(digits));
    const verdict = passed
      ? `max p = ${sure} reaches ${wanted}: passes as the hard label ${labels[top]}.`
      : `max p = ${sure} is below ${wanted}: held back, no hard label.`;
    const trade = judged.count
      ? `${judged.count} of ${MANY} pass: ${(100 * judged.rightShare).toFixed(0)}\u00a0% right, ` +
        `mean entropy ${judged.entropy.toFixed(2)}\u00a0nats.`
      : `None of the ${MANY} passes: nothing to learn from.`;
    const [before, after] = [entropies[0], entropies[1]].map((h) => h.toFixed(2));
    const warmth = `T\u00a0=\u00a0${number(temperature)}`;
    const effect = temperature === 1 ? "T\u00a0=\u00a01 leaves p as it is."
      : before === after ? `${warmth} hardly changes it: entropy ${after} nats.`
        : `${warmth} ${temperature < 1 ? "sharpens" : "flattens"} it: entropy ${before}\u00a0→\u00a0${after} nats.`;
    write(one.said, { text: `${verdict} ${effect}` });
    write(many.said, { text: trade });
    announce(`${verdict} ${effect} ${trade}`);
    // Full precision, for tests and for the curious.
    const numbers = {
      p, temperature, threshold, sharpened, hard, passed, winner: labels[top], judged,
      entropies: { p: entropies[0], sharpened: entropies[1], hard: entropies[2] },
      batch: batch.map((each) => each.p), truth: batch.map((each) => each.truth),
    };
    for (const [name, v] of Object.entries(numbers)) {
      root.dataset[name] = name === "winner" ? v : JSON.stringify(v);
    }
  }
  life.follow(model, ["p", "temperature", "threshold", "seed"], draw);
  draw();
  return () => life.end();
}

export default { render };
