// A grid of the plane bent by one affine coupling layer; a point carried forward and back.
import { button, clamp, frame, html, lifetime, point, slider, stops, svg, write } from "../kit/figure.js";

const SIDE = 1.5; // the grid covers [−SIDE, SIDE]²
const CELLS = 12;
const S = [0, 0.6];
const T = [0, 0.8];
const REACH = 3.5; // y stays inside [−REACH, REACH] in the coordinate that moves

// ---------------------------------------------------------------- the maths

/** Log-scale and shift, read off the coordinate v that passes; neither needs an inverse. */
export function readOff(v, sStrength, tStrength) {
  return { s: sStrength * Math.sin(1.5 * v), t: tStrength * Math.cos(2 * v) };
}

const split = (passes) => (passes === 1 ? [0, 1] : [1, 0]);

/** x to y: one coordinate passes, the other becomes x·exp(s) + t. Dinh et al. 2017. */
export function forward(x, { passes, sStrength, tStrength }) {
  const [kept, moved] = split(passes);
  const { s, t } = readOff(x[kept], sStrength, tStrength);
  const y = [...x];
  y[moved] = x[moved] * Math.exp(s) + t;
  return { y, s, t, logDet: s };
}

/** y to x: ask the coordinate that passed for s and t again, take t off, divide by exp(s). */
export function inverse(y, { passes, sStrength, tStrength }) {
  const [kept, moved] = split(passes);
  const { s, t } = readOff(y[kept], sStrength, tStrength);
  const x = [...y];
  x[moved] = (y[moved] - t) * Math.exp(-s);
  return x;
}

/** How far x → y → x and y → x → y miss their start, the larger of both. */
export function roundTrip(x, layer) {
  const { y } = forward(x, layer);
  const back = inverse(y, layer);
  const again = forward(back, layer).y;
  return Math.max(...[0, 1].map((i) => Math.max(Math.abs(back[i] - x[i]), Math.abs(again[i] - y[i]))));
}

/** The log-det in the middle of each of `count` lines of cells, in the order of what passes. */
export function lineLogDets(layer, count = CELLS) {
  return Array.from({ length: count }, (_, i) =>
    readOff(-SIDE + (2 * SIDE * (i + 0.5)) / count, layer.sStrength, layer.tStrength).s);
}

/** Corners of a polygon around the rectangle from `low` to `high`, `n` points on each side. */
export function outline(low, high, n = 8) {
  const corners = [low, [high[0], low[1]], high, [low[0], high[1]]];
  return corners.flatMap((a, i) => {
    const b = corners[(i + 1) % 4];
    return Array.from({ length: n }, (_, k) => [0, 1].map((j) => a[j] + ((b[j] - a[j]) * k) / n));
  });
}

// ---------------------------------------------------------------- the picture

const CELL = (2 * SIDE) / CELLS;
const TILE = 0.28; // half a side of the tile drawn around the point
const SUB = ["₁", "₂"];
const plain = (v, digits = 2) => v.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
const signed = (v) => (Math.abs(v) < 0.05 ? "0" : `${v > 0 ? "+" : "−"}${Math.abs(v).toFixed(1)}`);
const pair = ([a, b]) => `(${plain(a)}, ${plain(b)})`;
const braced = (v) => (v < 0 ? `(${plain(v)})` : plain(v));
/** Full colour at the strongest log-det the sliders reach; none at 0. */
const tint = (logDet) => ({
  fill: `var(--genssl-${logDet < 0 ? "negative" : "positive"})`,
  "fill-opacity": (0.85 * Math.min(1, Math.abs(logDet) / S[1])).toFixed(3),
});

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };
  const layerNow = () => ({
    passes: model.get("passes"), sStrength: model.get("s_strength"), tStrength: model.get("t_strength"),
  });
  const inside = (x) => x.map((v) => clamp(v, -SIDE, SIDE));

  // ---- controls
  const scale = slider(life, {
    label: "strength of the log-scale s =", values: stops(...S, { steps: 60 }), format: (v) => plain(v),
    ends: ["0 no stretch", "0.6"], onInput: (v) => change({ s_strength: v }),
  });
  const shift = slider(life, {
    label: "strength of the shift t =", values: stops(...T, { steps: 80 }), format: (v) => plain(v),
    ends: ["0 no shift", "0.8"], onInput: (v) => change({ t_strength: v }),
  });
  const choices = [1, 2].map((passes) => button(life, "", () => change({ passes })));
  controls.append(scale.node, shift.node,
    html("div", { class: "genssl-buttons", role: "group", "aria-label": "which coordinate passes" }, ...choices));

  // ---- two planes in one picture, both at the same scale
  const plot = svg("svg", {});
  const planes = ["x", "y"].map((name, i) => {
    const colour = `var(--genssl-${i ? "model" : "data"})`;
    const parts = {
      title: svg("text", { class: "genssl-strong" }),
      back: svg("g", {}),
      cells: svg("g", { stroke: "var(--genssl-edge)", "stroke-width": 0.8, "stroke-linejoin": "round" }),
      tile: svg("path", { fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 2.2, "stroke-linejoin": "round" }),
      numbers: svg("g", {}),
    };
    const grip = svg("circle", { class: "genssl-grip", r: 9, fill: colour, stroke: "var(--genssl-paper)", "stroke-width": 2 });
    const letter = svg("text", { y: 4, "text-anchor": "middle", class: "genssl-strong", style: "fill:var(--genssl-paper)", text: name });
    const held = svg("g", {}, svg("circle", { r: 22, fill: "transparent" }), grip, letter);
    plot.append(...Object.values(parts));
    return { name, ...parts, held, middle: [0, 0], half: [0, 0] };
  });
  const carry = svg("path", { fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 1.5, "stroke-dasharray": "5 4" });
  plot.append(carry, ...planes.map((p) => p.held));
  const cells = Array.from({ length: CELLS * CELLS }, (_, i) => {
    const low = [-SIDE + CELL * Math.floor(i / CELLS), -SIDE + CELL * (i % CELLS)];
    return { low, line: outline(low, low.map((v) => v + CELL)) };
  });
  planes.forEach((plane) => {
    plane.paths = cells.map(() => plane.cells.appendChild(svg("path", {})));
  });
  const view = { width: 0, unit: 50 };
  const spot = (plane, [a, b]) => [plane.middle[0] + a * view.unit, plane.middle[1] - b * view.unit];
  const under = (plane) => (event) => {
    const box = plot.getBoundingClientRect();
    return [(event.clientX - box.left - plane.middle[0]) / view.unit,
      (plane.middle[1] - (event.clientY - box.top)) / view.unit];
  };
  const tidy = (x) => x.map((v) => Number(v.toFixed(3)));
  const handles = planes.map((plane, i) => point(life, plane.held, {
    label: i ? "the point in y" : "the point in x", step: 0.05, format: pair, at: under(plane),
    x: [-REACH, REACH], y: [-REACH, REACH],
    onInput: (place) => change({ x: i ? inside(inverse(place, layerNow())) : tidy(inside(place)) }),
  }));

  // ---- the numbers
  const rows = ["forward", "back", "round trip error", "log_det"].map((name) => {
    const cell = html("td", { style: "text-align:left" });
    return { cell, node: html("tr", {}, html("th", { scope: "row", text: name, style: "white-space:nowrap" }), cell) };
  });
  write(rows[3].node, { "data-best": "" });
  const readings = html("p", { class: "genssl-note" });
  picture.append(
    html("p", { class: "genssl-note", text: "Drag x, or drag y and watch its inverse. Green cells grow, purple cells shrink; a number is the log-det of its line of cells." }),
    readings, plot, html("table", {}, html("tbody", {}, ...rows.map((r) => r.node))));

  function layOut() {
    const { width } = view;
    const { passes } = layerNow();
    const square = SIDE + 0.5;
    const reach = passes === 1 ? [square, REACH] : [REACH, square];
    const wide = width >= 600;
    // One scale whichever way y is bent, so that areas can be compared.
    view.unit = wide ? Math.min(62, (width - 60) / (2 * square + 2 * REACH)) : width / (2 * REACH);
    const u = view.unit;
    const [px, py] = planes;
    const gap = wide ? Math.min(140, width - 2 * (square + reach[0]) * u) : 40;
    const left = (width - 2 * (square + reach[0]) * u - gap) / 2;
    const height = wide ? 2 * reach[1] * u + 24 : 2 * (square + reach[1]) * u + gap + 24;
    px.half = [square, square];
    px.middle = wide ? [left + square * u, 24 + reach[1] * u] : [width / 2, 24 + square * u];
    py.half = reach;
    py.middle = wide ? [width - left - reach[0] * u, 24 + reach[1] * u]
      : [width / 2, 24 + gap + (2 * square + reach[1]) * u];
    write(plot, { viewBox: `0 0 ${width} ${height}`, height });
    planes.forEach((plane) => {
      const [left, top] = spot(plane, [-plane.half[0], plane.half[1]]);
      write(plane.title, { x: Math.max(0, left), y: top - 8 });
      const [cx, cy] = plane.middle;
      const [w, h] = plane.half.map((v) => v * u);
      const ticks = [-1, 1].flatMap((v) => [
        svg("line", { class: "genssl-axis", x1: cx + v * u, x2: cx + v * u, y1: cy + h, y2: cy + h - 4 }),
        svg("line", { class: "genssl-axis", x1: cx - w, x2: cx - w + 4, y1: cy - v * u, y2: cy - v * u }),
        svg("text", { class: "genssl-soft", x: cx + v * u, y: cy + h - 7, "text-anchor": "middle", style: "font-size:11px", text: plain(v, 0) }),
        svg("text", { class: "genssl-soft", x: cx - w + 7, y: cy - v * u + 4, style: "font-size:11px", text: plain(v, 0) }),
      ]);
      plane.back.replaceChildren(
        svg("rect", { x: cx - w, y: cy - h, width: 2 * w, height: 2 * h, fill: "none", class: "genssl-grid", rx: 3 }),
        svg("line", { class: "genssl-grid", x1: cx - w, x2: cx + w, y1: cy, y2: cy }),
        svg("line", { class: "genssl-grid", x1: cx, x2: cx, y1: cy - h, y2: cy + h }), ...ticks,
        svg("text", { class: "genssl-soft", x: cx + w - 4, y: cy + h - 5, "text-anchor": "end", text: `${plane.name}₁ →` }),
        svg("text", { class: "genssl-soft", x: cx - w + 5, y: cy + h - 5, text: `${plane.name}₂ ↑` }));
    });
  }

  /** A number at the end of some lines of cells: their log-det, so that colour is not alone. */
  function nameLines(plane, map, layer, logDets) {
    const [kept, moved] = split(layer.passes);
    const stride = layer.passes === 1 && CELL * view.unit < 14 ? 3 : 2;
    plane.numbers.replaceChildren(...logDets.flatMap((logDet, i) => {
      if (i % stride !== 1) return [];
      const end = [0, 0];
      end[kept] = -SIDE + CELL * (i + 0.5);
      end[moved] = SIDE;
      const [a, b] = spot(plane, map(end));
      const place = layer.passes === 1 ? { x: a, y: b - 6, "text-anchor": "middle" } : { x: a + 4, y: b + 4 };
      return [svg("text", { class: "genssl-soft genssl-halo", ...place, style: "font-size:11px", text: signed(logDet) })];
    }));
  }

  function drawPlot(x, y, layer) {
    layOut();
    const logDets = lineLogDets(layer);
    const [kept] = split(layer.passes);
    const maps = [(v) => v, (v) => forward(v, layer).y];
    const tile = outline(x.map((v) => v - TILE), x.map((v) => v + TILE));
    planes.forEach((plane, k) => {
      const path = (points) => `M${points.map((v) => spot(plane, maps[k](v)).map((c) => c.toFixed(1)).join(",")).join("L")}Z`;
      cells.forEach(({ low, line }, i) => {
        const index = Math.round((low[kept] + SIDE) / CELL);
        write(plane.paths[i], { d: path(line), ...tint(logDets[index]) });
      });
      write(plane.tile, { d: path(tile) });
      nameLines(plane, maps[k], layer, logDets);
      const place = spot(plane, k ? y : x);
      write(plane.held, { transform: `translate(${place[0]} ${place[1]})` });
      write(plane.title, { text: `${plane.name} = ${pair(k ? y : x)}` });
    });
    const [from, to] = [spot(planes[0], x), spot(planes[1], y)];
    write(carry, { d: `M${from}L${to}` });
  }

  function draw() {
    const [x, layer] = [model.get("x"), layerNow()];
    const { y, s, t, logDet } = forward(x, layer);
    const [kept, moved] = split(layer.passes);
    const error = roundTrip(x, layer);
    const back = inverse(y, layer);
    scale.show(layer.sStrength);
    shift.show(layer.tStrength);
    choices.forEach((node, i) => write(node, {
      text: `${i + 1 === layer.passes ? "●" : "○"} x${SUB[i]} passes`, "aria-pressed": String(i + 1 === layer.passes),
    }));
    handles[0].show(x);
    handles[1].show(y);
    const v = `x${SUB[kept]}`;
    write(readings, { text: `s = ${plain(layer.sStrength)} sin 1.5${v} and t = ${plain(layer.tStrength)} cos 2${v} are read off ${v}; the outlined tile is a square around x.` });
    const [to, from] = [`y${SUB[moved]}`, `x${SUB[moved]}`];
    write(rows[0].cell, { text: `${to} = ${from} · exp(s) + t = ${plain(x[moved])} · exp(${plain(s)}) + ${braced(t)} = ${plain(y[moved])}` });
    write(rows[1].cell, { text: `the net is asked about y${SUB[kept]} alone, says the same s and t again, and ${from} = ${plain(back[moved])}` });
    write(rows[2].cell, { text: error.toFixed(9) });
    write(rows[3].cell, { text: `s(x${SUB[kept]}) = ${plain(logDet, 3)}: a tiny cell here becomes exp(${plain(logDet, 3)}) = ${Math.exp(logDet).toFixed(3)} times as large` });
    if (view.width > 0) drawPlot(x, y, layer);
    announce(`x = ${pair(x)} goes to y = ${pair(y)}. log_det ${plain(logDet, 3)}. Round trip error ${error.toFixed(9)}.`);
    // Full precision, for tests and for the curious.
    Object.assign(root.dataset, Object.fromEntries(Object.entries({
      x, y, back, s, t, logDet, error, ...layer, lineLogDets: lineLogDets(layer),
    }).map(([name, v]) => [name, JSON.stringify(v)])));
  }

  life.resize(plot, (width) => {
    view.width = width;
    draw();
  });
  life.follow(model, ["x", "s_strength", "t_strength", "passes"], draw);
  draw();
  return () => life.end();
}

export default { render };
