// A teacher's distribution, sharpened and made hard, and a batch of them against a threshold.
import { button, clamp, frame, handle, html, lifetime, number, slider, stops, svg, write } from "../kit/figure.js";
import { barPanel } from "./confidence_bars.js";
import {
  confidence, drawBatch, entropy, entropyRange, judge, moveShare, passes, sharpen, winner,
} from "./confidence_maths.js";

const T = [0.1, 10];
const THRESHOLD = [0.2, 0.99];
const MANY = 60;
const through = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}`;

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
