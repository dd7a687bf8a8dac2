// The InfoNCE bound by batch size, beside log N and the true mutual information.
import {
  button, clamp, frame, handle, html, lifetime, mulberry32, number, slider, stops, svg, write,
} from "../kit/figure.js";

const INFORMATION = [0.1, 10];
const BATCHES = [2, 1024];
const CONTEXTS = 800; // rows whose mean is the curve
const POOL = 1 << 14; // candidates that they share; each row starts elsewhere in the pool
const REPEATS = 12; // whole batches at the chosen N

// ---------------------------------------------------------------- the maths

/** 1 − ρ² of each coordinate when the information of all is I = −½ · dims · log(1 − ρ²). */
export const noiseOf = (information, dims) => Math.exp(-2 * information / dims);

/** Seeded standard normals (Box–Muller). */
export function normals(count, seed) {
  const uniform = mulberry32(seed);
  const made = new Float64Array(count + (count % 2));
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    made[i] = radius * Math.cos(angle);
    made[i + 1] = radius * Math.sin(angle);
  }
  return made.subarray(0, count);
}

/** The best critic, log p(z|c) / p(z), of row j of z and row i of c. */
export function critic(z, j, c, i, dims, noise) {
  const rho = Math.sqrt(1 - noise);
  let total = 0;
  for (let k = 0; k < dims; k += 1) {
    const [to, from] = [z[j * dims + k], c[i * dims + k]];
    total += to * to - (to - rho * from) * (to - rho * from) / noise - Math.log(noise);
  }
  return total / 2;
}

/** Positives: z = ρ c + √(1 − ρ²) e, coordinate by coordinate. */
export function follow(c, e, noise) {
  const [rho, rest] = [Math.sqrt(1 - noise), Math.sqrt(noise)];
  return c.map((v, k) => rho * v + rest * e[k]);
}

/** The same, written out for many candidates: Σ exp(critic) is what takes the time. */
function ratios(z, c, i, dims, noise) {
  const rho = Math.sqrt(1 - noise);
  const mean = Array.from({ length: dims }, (_, k) => rho * c[i * dims + k]);
  const level = -dims * Math.log(noise);
  return (j) => {
    let total = level;
    for (let k = 0; k < dims; k += 1) {
      const to = z[j * dims + k];
      const off = to - mean[k];
      total += to * to - off * off / noise;
    }
    return Math.exp(total / 2);
  };
}

/** The noise of one seed, drawn once and used for every information and batch size. */
export function drawn(dims, seed) {
  return {
    pool: normals(POOL * dims, 3 * seed), c: normals(CONTEXTS * dims, 3 * seed + 1), e: normals(CONTEXTS * dims, 3 * seed + 2),
  };
}

/**
 * The mean bound log N − E[loss] for rising batch sizes, and its standard error. One pass over the
 * candidates serves all sizes. The mean of the positives' critic is known, the information itself:
 * regressing on it takes most of the Monte Carlo error away.
 */
export function curve({ pool, c, e }, information, dims, sizes) {
  const noise = noiseOf(information, dims);
  const z = follow(c, e, noise);
  const rows = sizes.map(() => new Float64Array(CONTEXTS));
  const own = new Float64Array(CONTEXTS);
  for (let i = 0; i < CONTEXTS; i += 1) {
    const ratio = ratios(pool, c, i, dims, noise);
    own[i] = critic(z, i, c, i, dims, noise);
    let total = Math.exp(own[i]);
    let count = 1;
    sizes.forEach((size, s) => {
      for (; count < size; count += 1) total += ratio((i * 41 + count) % POOL);
      rows[s][i] = Math.log(size) + own[i] - Math.log(total);
    });
  }
  const average = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const meanOwn = average(own);
  const away = own.map((v) => v - meanOwn);
  const spread = average(away.map((v) => v * v));
  const mean = [];
  const error = [];
  rows.forEach((values) => {
    const middle = average(values);
    const slope = average(values.map((v, i) => (v - middle) * away[i])) / spread;
    mean.push(middle - slope * (meanOwn - information));
    const left = average(values.map((v, i) => (v - middle - slope * away[i]) ** 2));
    error.push(Math.sqrt(left / CONTEXTS));
  });
  return { mean, error };
}

/** The bound that one whole batch of N pairs gives: never more than log N. */
export function batchBound(information, dims, size, seed) {
  const noise = noiseOf(information, dims);
  // Pair after pair, so that a smaller batch is the beginning of a larger one.
  const both = normals(2 * size * dims, seed);
  const c = new Float64Array(size * dims);
  const e = new Float64Array(size * dims);
  for (let k = 0; k < size * dims; k += 1) {
    c[k] = both[2 * k];
    e[k] = both[2 * k + 1];
  }
  const z = follow(c, e, noise);
  let sum = 0;
  for (let i = 0; i < size; i += 1) {
    const ratio = ratios(z, c, i, dims, noise);
    let total = 0;
    for (let j = 0; j < size; j += 1) total += ratio(j);
    sum += critic(z, i, c, i, dims, noise) - Math.log(total);
  }
  return Math.log(size) + sum / size;
}

/** `count` whole batches, each from its own seed. */
export const batches = (information, dims, size, seed, count = REPEATS) =>
  Array.from({ length: count }, (_, b) => batchBound(information, dims, size, 1000 * seed + b));

/** Mean and sample standard deviation. */
export function summary(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(square / (values.length - 1)) };
}

// ---------------------------------------------------------------- the picture

const SIZES = stops(...BATCHES, { scale: "log", integer: true });
const line = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}`;

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const dims = model.get("dims");
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };
  let noise = { seed: null };
  const numbers = () => {
    if (noise.seed !== model.get("seed")) noise = { seed: model.get("seed"), ...drawn(dims, model.get("seed")) };
    return noise;
  };

  const amount = slider(life, {
    label: "true information I =", values: stops(...INFORMATION, { scale: "log" }), format: (v) => `${number(v)} nats`,
    ends: ["0.1", "10"], onInput: (information) => change({ information }),
  });
  const count = slider(life, {
    label: "batch size N =", values: SIZES, format: String, ends: BATCHES.map(String), onInput: (batch) => change({ batch }),
  });
  controls.append(amount.node, count.node, html("div", { class: "genssl-buttons" },
    button(life, "draw again", () => change({ seed: model.get("seed") + 1 }))));

  const said = html("p", { class: "genssl-heading" });
  const spreadSaid = html("p", { class: "genssl-note" });
  const setting = html("p", { class: "genssl-note genssl-said" });
  const plot = svg("svg", {});
  const area = { x: 40, y: 12, w: 0, h: 0 };
  const back = svg("g", {});
  const beyond = svg("path", { fill: "var(--genssl-baseline)", "fill-opacity": 0.13 });
  const ceiling = svg("path", { fill: "none", stroke: "var(--genssl-baseline)", "stroke-width": 2, "stroke-dasharray": "7 4" });
  const missing = svg("path", { fill: "var(--genssl-model)", "fill-opacity": 0.12 });
  const truth = svg("line", { stroke: "var(--genssl-data)", "stroke-width": 2.25 });
  const bound = svg("path", { fill: "none", stroke: "var(--genssl-model)", "stroke-width": 3 });
  const rings = Array.from({ length: REPEATS }, () => svg("circle", {
    r: 3.6, fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 1.4, visibility: "hidden",
  }));
  const reach = svg("rect", { width: 40, fill: "transparent" });
  const stem = svg("line", { class: "genssl-axis", "stroke-dasharray": "3 4" });
  const grip = svg("circle", {
    class: "genssl-grip", r: 7.5, fill: "var(--genssl-model)", stroke: "var(--genssl-paper)", "stroke-width": 2,
  });
  const held = svg("g", {}, reach, stem, grip);
  const words = ["ceiling", "truth", "bound"].reduce((all, name) => ({
    ...all, [name]: svg("text", { class: "genssl-halo", "pointer-events": "none" }),
  }), {});
  plot.append(back, beyond, missing, ceiling, truth, bound, held, ...rings, ...Object.values(words));
  const px = (size) => area.x + area.w * Math.log(size / BATCHES[0]) / Math.log(BATCHES[1] / BATCHES[0]);
  const top = () => Math.min(10.9, 1.2 * model.get("information") + Math.min(1, 0.65 + model.get("information") / 2));
  const py = (v) => area.y + area.h * (1 - v / top());
  const marker = handle(life, held, {
    label: "batch size N", min: 0, max: SIZES.length - 1, step: 1, format: (k) => `N = ${SIZES[k]}`,
    at: (event) => {
      const share = (event.clientX - plot.getBoundingClientRect().left - area.x) / area.w;
      const wanted = BATCHES[0] * (BATCHES[1] / BATCHES[0]) ** clamp(share, 0, 1);
      return nearest(wanted);
    },
    onInput: (k) => change({ batch: SIZES[Math.round(k)] }),
  });
  function nearest(size) {
    let best = 0;
    SIZES.forEach((s, k) => {
      if (Math.abs(Math.log(s / size)) < Math.abs(Math.log(SIZES[best] / size))) best = k;
    });
    return best;
  }
  picture.append(said, spreadSaid, setting, plot);

  function drawGrid() {
    const bottom = area.y + area.h;
    const lines = [];
    const most = top();
    const step = [0.25, 0.5, 1, 2].find((s) => most / s <= 6.5) ?? 2;
    for (let v = 0; v <= most; v += step) {
      lines.push(svg("line", { class: v ? "genssl-grid" : "genssl-axis", x1: area.x, x2: area.x + area.w, y1: py(v), y2: py(v) }),
        svg("text", { class: "genssl-soft", x: area.x - 7, y: py(v) + 4, "text-anchor": "end", text: v }));
    }
    for (let e = 1; e <= 10; e += area.w < 380 ? 2 : 1) {
      lines.push(svg("line", { class: "genssl-grid", x1: px(2 ** e), x2: px(2 ** e), y1: area.y, y2: bottom }),
        svg("text", { class: "genssl-soft", x: px(2 ** e), y: bottom + 17, "text-anchor": "middle", text: 2 ** e }));
    }
    const middle = area.y + area.h / 2;
    back.replaceChildren(...lines,
      svg("text", { class: "genssl-soft", x: area.x + area.w / 2, y: bottom + 36, "text-anchor": "middle", text: "batch size N" }),
      svg("text", { class: "genssl-soft", x: 9, y: middle, "text-anchor": "middle", transform: `rotate(-90 9 ${middle})`, text: "nats" }));
  }

  function drawPlot(sizes, mean, information, batch, now) {
    drawGrid();
    const most = top();
    const right = area.x + area.w;
    // log N leaves the plot at its upper edge where the information is small.
    const last = Math.min(BATCHES[1], Math.exp(most));
    const logs = [[px(2), py(Math.log(2))], [px(last), py(Math.log(last))]];
    write(ceiling, { d: line(logs) });
    write(beyond, { d: `${line(logs)}V${area.y}H${area.x}V${logs[0][1]}Z` });
    const path = sizes.map((size, k) => [px(size), py(mean[k])]);
    write(bound, { d: line(path) });
    write(missing, { d: `${line(path)}V${py(information)}H${area.x}Z` });
    write(truth, { x1: area.x, x2: right, y1: py(information), y2: py(information) });
    write(grip, { cx: px(batch), cy: py(now) });
    write(reach, { x: px(batch) - 20, y: area.y, height: area.h });
    write(stem, { x1: px(batch), x2: px(batch), y1: area.y, y2: area.y + area.h });
    marker.show(nearest(batch));
    const high = Math.min(0.88 * most, Math.log(BATCHES[1]) * 0.9);
    const atHigh = px(Math.max(2, Math.exp(high)));
    const leftward = atHigh > area.x + 150;
    write(words.ceiling, {
      text: "log N, the ceiling", x: atHigh + (leftward ? -10 : 12), y: py(high) + (leftward ? -2 : 12), "text-anchor": leftward ? "end" : "start",
    });
    const narrow = area.w < 380;
    const early = information > 1.6 || information < 0.5; // clear of the ceiling
    const under = sizes.findIndex((size) => px(size) > right - (narrow ? 105 : 145));
    write(words.truth, {
      text: `${narrow ? "truth" : "true information"} ${number(information)}`, x: early ? area.x + 8 : right - 4, y: py(information) - 8, "text-anchor": early ? "start" : "end",
    });
    write(words.bound, {
      text: narrow ? "InfoNCE bound" : "InfoNCE bound, mean", x: right - 4, y: Math.min(py(mean[under]) + 22, area.y + area.h - 8), "text-anchor": "end", class: "genssl-halo genssl-strong",
    });
  }

  // Rings stand left and right of the handle, so that it stays in sight.
  function beside(b, x) {
    const away = 12 + 1.8 * ((b * 5) % REPEATS);
    if (x + 36 > area.x + area.w) return -2 * away + 12; // no room on the right
    if (x - 36 < area.x) return 2 * away - 12;
    return b % 2 ? away : -away;
  }
  function drawRings(values, batch) {
    rings.forEach((ring, b) => write(ring, values && area.w > 0 ? {
      visibility: "visible", cx: px(batch) + beside(b, px(batch)), cy: py(values[b]),
    } : { visibility: "hidden" }));
  }

  let whole = { key: "", values: null };
  const keyNow = () => JSON.stringify([model.get("information"), model.get("batch"), model.get("seed")]);
  const settle = life.calm(140, () => {
    const [information, batch, seed] = [model.get("information"), model.get("batch"), model.get("seed")];
    whole = { key: keyNow(), values: batches(information, dims, batch, seed) };
    drawWhole();
  });
  function drawWhole() {
    const ready = whole.key === keyNow();
    const values = ready ? whole.values : null;
    drawRings(values, model.get("batch"));
    if (ready) {
      const { mean, sd } = summary(values);
      write(spreadSaid, { text: `${REPEATS} single batches (rings): ${number(mean)} ± ${number(sd)} (sd). They may pass the truth, never log N.` });
    } else {
      write(spreadSaid, { text: `${REPEATS} single batches (rings): …` });
      settle();
    }
    root.dataset.batches = JSON.stringify(values);
  }

  let computed = { key: "" }; // another batch size or width needs no new curve
  function draw() {
    const [information, batch] = [model.get("information"), model.get("batch")];
    const key = JSON.stringify([information, model.get("seed"), SIZES.includes(batch) || batch]);
    if (computed.key !== key) {
      const sizes = SIZES.includes(batch) ? SIZES : [...SIZES, batch].sort((a, b) => a - b);
      computed = { key, sizes, ...curve(numbers(), information, dims, sizes) };
    }
    const { sizes, mean, error } = computed;
    const now = mean[sizes.indexOf(batch)];
    amount.show(information);
    count.show(batch);
    const rho = Math.sqrt(1 - noiseOf(information, dims));
    const sentence = `With N = ${batch} the bound says ${number(now)} of ${number(information)} nats; log N is ${number(Math.log(batch))}.`;
    write(said, { text: sentence });
    write(setting, { text: `Gaussians in ${dims} dimension${dims > 1 ? "s" : ""}, correlation ρ = ${rho.toFixed(3)}, the best critic.` });
    if (area.w > 0) drawPlot(sizes, mean, information, batch, now);
    drawWhole();
    announce(sentence);
    // Full precision, for tests and for the curious.
    const shown = { information, batch, dims, seed: model.get("seed"), sizes, mean, error, bound: now, rho };
    for (const [name, v] of Object.entries(shown)) root.dataset[name] = JSON.stringify(v);
  }

  life.resize(plot, (width) => {
    const height = Math.round(clamp(width * 0.56, 290, 400));
    Object.assign(area, { w: width - area.x - 14, h: height - area.y - 44 });
    write(plot, { viewBox: `0 0 ${width} ${height}`, height });
    draw();
  });
  life.follow(model, ["information", "batch", "seed"], draw);
  draw();
  return () => life.end();
}

export default { render };
