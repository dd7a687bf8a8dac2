// One prediction as bars that are dragged, beside its sharpened and its hard label.
import { handle, html, number, svg, write } from "../kit/figure.js";
import { SMALLEST } from "./confidence_maths.js";

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

/** The bars of p, sharpened p and the hard label, and under them their three entropies. */
export function barPanel(life, labels, { onShare, onWidth }) {
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
