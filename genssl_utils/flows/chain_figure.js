// A chain of 1-D bijections: the density after each step, one travelling point, and its receipt.
import {
  button, clamp, frame, handle, html, lifetime, number, slider, stops, svg, unique, write,
} from "../kit/figure.js";

const POINT = [-3, 3];
const SCALE = [0.3, 2]; // of |scale|
const SHIFT = [-2, 2];
// The nine points that cut a standard normal into ten strips of equal probability.
const HALF = [0.2533471031357997, 0.5244005127080407, 0.8416212335729143, 1.2815515655446004];
export const DECILES = [...HALF.map((z) => -z).reverse(), 0, ...HALF];

// ---------------------------------------------------------------- the maths

/** Log-density of a standard normal. */
export const logNormal = (z) => -0.5 * z * z - 0.5 * Math.log(2 * Math.PI);

/** One step, z ↦ u + bend·tanh 2u with u = scale·z + shift, and the log of its |derivative|. */
export function step(z, { scale, shift, bend }) {
  const u = scale * z + shift;
  const rise = Math.tanh(2 * u);
  const slope = 1 + 2 * bend * (1 - rise * rise);
  return { z: u + bend * rise, logDet: Math.log(Math.abs(scale)) + Math.log(slope) };
}

/** z0 through all steps: where it is after each, each log-det, and its log-density in each row. */
export function chain(z0, steps) {
  const [path, logDets, logP] = [[z0], [], [logNormal(z0)]];
  for (const f of steps) {
    const { z, logDet } = step(path.at(-1), f);
    path.push(z);
    logDets.push(logDet);
    logP.push(logP.at(-1) - logDet);
  }
  return { path, logDets, logP };
}

/** The density before and after each step, as points {x, p} that follow z0 from `from` to `to`. */
export function densities(steps, { from = -8, to = 8, count = 1601 } = {}) {
  const rows = [...steps, null].map(() => ({ x: [], p: [] }));
  for (let i = 0; i < count; i += 1) {
    const { path, logP } = chain(from + ((to - from) * i) / (count - 1), steps);
    rows.forEach((row, k) => {
      row.x.push(path[k]);
      row.p.push(Math.exp(logP[k]));
    });
  }
  return rows;
}

/** The area under the points {x, p} by the trapezoid rule; x may also run from right to left. */
export function area({ x, p }) {
  let sum = 0;
  for (let i = 1; i < x.length; i += 1) sum += ((p[i] + p[i - 1]) / 2) * Math.abs(x[i] - x[i - 1]);
  return sum;
}

/** The ends [from, to] in z0 of the strip, one of ten, that holds the point. */
export function strip(z0) {
  const edges = [-8, ...DECILES, 8];
  const right = Math.max(1, edges.findIndex((edge) => edge > z0));
  return [edges[right - 1], edges[right]];
}

/** Numbers in thousandths whose shown sum is the shown total: each term goes down or up to the next
 * thousandth, those nearest to it first, so that a reader who adds the receipt up finds its last line. */
export function receiptOf(terms) {
  const total = Math.round(1000 * terms.reduce((a, b) => a + b, 0));
  const down = terms.map((v) => Math.floor(1000 * v));
  const rest = total - down.reduce((a, b) => a + b, 0);
  const order = terms.map((v, i) => [1000 * v - down[i], i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  order.slice(0, rest).forEach(([, i]) => { down[i] += 1; });
  return [...down, total].map((v) => v / 1000);
}

// ---------------------------------------------------------------- the picture

const NAMES = ["z₀", "z₁", "z₂", "x"];
const TOP = 20;
const HEIGHT = 84; // of a row's tallest density
const GAP = 46; // between a row's axis and the next row
const base = (row) => TOP + HEIGHT + row * (HEIGHT + GAP);
const firstFrom = (values, most) => values.find((v) => v >= most) ?? values.at(-1);
const signed = (x) => `${x > -5e-4 ? "+" : "−"} ${Math.abs(x).toFixed(3)}`;
const plain = (x, digits) => x.toFixed(digits).replace("-", "−");

/** "z₁ = 0.80 z₀ + 0.50", and the bend's name where there is one. */
function formula(row, { scale, shift, bend }) {
  const inside = `${plain(scale, 2)} ${NAMES[row - 1]} ${shift < 0 ? "−" : "+"} ${Math.abs(shift).toFixed(2)}`;
  return `${NAMES[row]} = ${bend ? `bend(${inside})` : inside}`;
}

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };
  const start = Object.fromEntries(["scales", "shifts", "z0"].map((name) => [name, model.get(name)]));
  const bends = model.get("bends");
  const put = (name, i, v) => change({ [name]: model.get(name).map((old, k) => (k === i ? v : old)) });

  // ---- two sliders a step
  const sizes = stops(...SCALE, { steps: 34 });
  const scales = [...sizes.map((s) => -s).reverse(), ...sizes]; // from −0.3 straight to 0.3
  write(controls, { style: "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,236px),1fr))" });
  const pairs = bends.map((bend, i) => {
    const scale = slider(life, {
      label: `scale ${i + 1} =`, values: scales, format: (v) => plain(v, 2), ends: ["−2", "2"],
      onInput: (v) => put("scales", i, v),
    });
    const shift = slider(life, {
      label: `shift ${i + 1} =`, values: stops(...SHIFT, { steps: 80 }), format: (v) => plain(v, 2),
      ends: ["−2", "2"], onInput: (v) => put("shifts", i, v),
    });
    for (const { node } of [scale, shift]) node.style.flex = "1 1 104px";
    const name = bend ? "scale, shift, then bend" : "scale and shift";
    const pair = html("div", { style: "display:flex;gap:1rem" }, scale.node, shift.node);
    controls.append(html("div", { style: "min-width:0" },
      html("p", {}, html("span", { style: "font-weight:650", text: `Step ${i + 1}: ` }), name), pair));
    return { scale, shift };
  });

  // ---- the densities
  const height = base(bends.length) + 40;
  const plot = svg("svg", { height });
  const clip = unique("clip");
  const clipBox = svg("rect", { x: 0, y: 0, height });
  const curves = svg("g", { "clip-path": `url(#${clip})` });
  const axes = svg("g", {});
  const strings = svg("path", { fill: "none", stroke: "var(--genssl-edge)", "stroke-width": 1, "stroke-opacity": 0.55 });
  const trail = svg("path", { fill: "none", stroke: "var(--genssl-data)", "stroke-width": 2.5, "stroke-linejoin": "round" });
  plot.append(svg("defs", {}, svg("clipPath", { id: clip }, clipBox)), axes, curves);
  const rows = NAMES.map((name, k) => {
    const colour = `var(--genssl-${k === 0 ? "baseline" : "model"})`;
    const parts = {
      fill: svg("path", { fill: colour, "fill-opacity": 0.22 }),
      slice: svg("path", { fill: "var(--genssl-data)", "fill-opacity": 0.6 }),
      line: svg("path", { fill: "none", stroke: colour, "stroke-width": 2 }),
      said: svg("text", { class: "genssl-halo", x: 0, y: base(k) - HEIGHT - 6 }),
      area: svg("text", { class: "genssl-soft genssl-halo", y: base(k) - HEIGHT - 6, "text-anchor": "end" }),
      dot: svg("circle", { r: 4.5, fill: "var(--genssl-data)", stroke: "var(--genssl-paper)", "stroke-width": 1.5 }),
      place: svg("text", { class: "genssl-halo genssl-strong", y: base(k) + 16 }),
    };
    curves.append(parts.fill, parts.slice, parts.line);
    return parts;
  });
  curves.append(strings, trail);
  plot.append(...rows.flatMap(({ said, area: sum }) => [said, sum]), ...rows.slice(1).map((r) => r.dot),
    ...rows.map((r) => r.place));
  const grip = svg("circle", {
    class: "genssl-grip", r: 8, cy: base(0), fill: "var(--genssl-paper)", stroke: "var(--genssl-data)", "stroke-width": 3,
  });
  const reach = svg("rect", { x: 0, y: base(0) - HEIGHT, height: HEIGHT + 22, fill: "transparent" });
  const held = svg("g", {}, reach, rows[0].dot, grip);
  plot.append(held);
  const view = { width: 0, half: 4, peak: 0.5 };
  const left = (z) => view.width / 2 + (z / view.half) * (view.width / 2 - 6);
  const point = handle(life, held, {
    label: "the point z₀", min: POINT[0], max: POINT[1], step: 0.05, format: (z) => plain(z, 2),
    at: (event) => ((event.clientX - plot.getBoundingClientRect().left - view.width / 2)
      / (view.width / 2 - 6)) * view.half,
    onInput: (z) => change({ z0: clamp(Number(z.toFixed(3)), ...POINT) }),
  });

  // ---- the receipt
  const lines = ["log π₀(z₀)", ...bends.map((_, i) => `− log|f${"₁₂₃"[i]}′(${NAMES[i]})|`), "log p(x)"]
    .map((text, i, all) => {
      const cells = [html("td"), html("td")];
      const last = i === all.length - 1;
      return {
        cells,
        node: html("tr", last ? { "data-best": "", style: "border-top:2px solid var(--genssl-edge)" } : {},
          html("th", { scope: "row", text }), ...cells),
      };
    });
  const heads = ["", "|f′| here", "in nats"].map((text) => html("th", { scope: "col", text }));
  const lookUp = html("p", { class: "genssl-said", style: "margin-top:0.6rem" });
  const bent = [...new Set(bends.filter((b) => b > 0))].map((b) => `u + ${b === 1 ? "" : `${number(b)}\u00a0`}tanh\u00a02u`);
  const receipt = html("div", { class: "genssl-panel", style: "flex:1 1 250px" },
    html("p", { class: "genssl-heading", text: "The receipt of the blue point" }),
    html("table", { style: "margin-bottom:0.4rem" }, html("thead", {}, html("tr", {}, ...heads)),
      html("tbody", {}, ...lines.map((l) => l.node))),
    lookUp,
    html("p", { class: "genssl-note genssl-said", text: "Thin lines cut each area into ten equal strips. The blue strip holds a tenth of it in every row." }),
    html("p", {
      class: "genssl-note genssl-said",
      text: bent.length ? `A bend, u ↦ ${bent.join(" or ")}, pushes values away from 0: its |f′| depends on the point.` : "",
    }),
    html("div", { class: "genssl-buttons" }, button(life, "start again", () => change(start))));
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel", style: "flex:3 1 300px" }, plot), receipt));

  const outline = ({ x, p }, row) => x.map((z, i) =>
    `${left(z).toFixed(1)},${(base(row) - (p[i] / view.peak) * HEIGHT).toFixed(1)}`).join("L");
  /** Without the tails that lie on the axis. */
  const seen = ({ x, p }) => {
    const high = (_, i) => p[i] > 0.002 * view.peak;
    return { x: x.filter(high), p: p.filter(high) };
  };
  const filled = (curve, row) =>
    `M${left(curve.x[0]).toFixed(1)},${base(row)}L${outline(curve, row)}L${left(curve.x.at(-1)).toFixed(1)},${base(row)}Z`;
  /** From axis to axis: slanted between two rows, upright inside a row. */
  const travel = (path) => path.map((z, row) =>
    `${row ? `L${left(z).toFixed(1)},${base(row) - HEIGHT}V${base(row)}` : `M${left(z).toFixed(1)},${base(0)}`}`).join("");

  function drawPlot(steps, now, shapes) {
    const ends = POINT.map((z) => chain(z, steps).path).flat();
    view.half = firstFrom([4, 6, 8, 12, 16, 24, 32, 48], Math.max(...ends.map(Math.abs)));
    view.peak = firstFrom([0.42, 0.6, 0.9, 1.4, 2, 3, 4.5, 7, 10, 15], Math.max(...shapes.flatMap(({ p }) => p)));
    const tick = view.half / (view.half === 6 || view.half === 24 || view.half === 48 ? 3 : 4);
    const ticks = [];
    for (let z = -view.half + tick; z < view.half; z += tick) ticks.push(z);
    axes.replaceChildren(...rows.flatMap((_, k) => [
      svg("line", { class: "genssl-axis", x1: 0, x2: view.width, y1: base(k), y2: base(k) }),
      ...ticks.map((z) => svg("line", { class: "genssl-axis", x1: left(z), x2: left(z), y1: base(k), y2: base(k) + 4 })),
    ]), ...ticks.map((z) => svg("text", {
      class: "genssl-soft", x: left(z), y: base(rows.length - 1) + 36, "text-anchor": "middle", text: plain(z, 0),
    })));
    const [from, to] = strip(now.path[0]);
    const slices = densities(steps, { from, to, count: 121 });
    rows.forEach((row, k) => {
      write(row.fill, { d: filled(shapes[k], k) });
      write(row.line, { d: `M${outline(seen(shapes[k]), k)}` });
      write(row.slice, { d: filled(slices[k], k) });
      write(row.area, { x: view.width });
      const x = left(now.path[k]);
      write(row.dot, { cx: x, cy: base(k) - (Math.exp(now.logP[k]) / view.peak) * HEIGHT });
      // The words stand on the side that the trail does not leave to.
      const wide = k === 0 || k === 3 ? 72 : 44;
      const rightward = k < 3 ? now.path[k + 1] < now.path[k] : x < view.width / 2;
      const toRight = x > view.width - wide ? false : x < wide || rightward;
      write(row.place, { x: x + (toRight ? 1 : -1) * (k ? 5 : 11), "text-anchor": toRight ? "start" : "end" });
    });
    const upright = (z) => `M${left(z).toFixed(1)},${base(0)}V${(base(0) - (Math.exp(logNormal(z)) / view.peak) * HEIGHT).toFixed(1)}`;
    write(strings, { d: DECILES.map((z) => upright(z) + travel(chain(z, steps).path)).join("") });
    write(trail, { d: upright(now.path[0]) + travel(now.path) });
    write(grip, { cx: left(now.path[0]) });
  }

  function draw() {
    const [scaleOf, shiftOf, z0] = ["scales", "shifts", "z0"].map((name) => model.get(name));
    const steps = bends.map((bend, i) => ({ scale: scaleOf[i], shift: shiftOf[i], bend }));
    const now = chain(z0, steps);
    const shapes = densities(steps);
    const areas = shapes.map(area);
    pairs.forEach(({ scale, shift }, i) => {
      scale.show(scaleOf[i]);
      shift.show(shiftOf[i]);
    });
    point.show(z0);
    rows.forEach((row, k) => {
      write(row.said, { text: k ? formula(k, steps[k - 1]) : "z₀ ~ N(0, 1)" });
      write(row.area, { text: `area ${areas[k].toFixed(3)}` });
      write(row.place, { text: `${k === 0 || k === 3 ? `${NAMES[k]} = ` : ""}${plain(now.path[k], 2)}` });
    });
    const total = now.logP.at(-1);
    receiptOf([now.logP[0], ...now.logDets.map((v) => -v)]).forEach((v, i) => {
      const size = i > 0 && i <= bends.length ? Math.exp(now.logDets[i - 1]).toFixed(3) : "";
      write(lines[i].cells[0], { text: size });
      write(lines[i].cells[1], { text: size ? signed(v) : plain(v, 3) });
    });
    const tall = `p(x) = exp(${plain(total, 3)}) = ${Math.exp(total).toFixed(3)}`;
    write(lookUp, { text: `${tall} is the height of the last curve at the point.` });
    if (view.width > 0) drawPlot(steps, now, shapes);
    announce(`z₀ = ${plain(z0, 2)} becomes x = ${plain(now.path.at(-1), 2)}. log p(x) = ` +
      `${plain(total, 3)}. The area under each density is ${areas.at(-1).toFixed(3)}.`);
    // Full precision, for tests and for the curious.
    Object.assign(root.dataset, Object.fromEntries(Object.entries({
      scales: scaleOf, shifts: shiftOf, bends, ...now, areas, strip: strip(z0),
    }).map(([name, v]) => [name, JSON.stringify(v)])));
  }

  life.resize(plot, (width) => {
    view.width = width;
    write(plot, { viewBox: `0 0 ${width} ${height}` });
    write(clipBox, { width });
    draw();
  });
  life.follow(model, ["scales", "shifts", "z0"], draw);
  draw();
  return () => life.end();
}

export default { render };
