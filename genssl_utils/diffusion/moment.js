// Points on their way to noise and back, time under the reader's thumb, and steps against quality.
import {
  button, choice, clamp, floats, frame, html, lifetime, number, slider, svg, unpacked, write,
} from "../kit/figure.js";
import { backward, beginnings, forwardAt, noiseAt, visited } from "./moment_maths.js";

const EDGE = 2.9; // half the side of the plane
const ROOM = 320; // units of its side on the screen
const GRID = 15; // arrows of a side
const TAILS = 10; // points with a line behind them
const WAYS = ["DDIM", "DDPM"];
const TOLD = {
  forward: "Forward: noise is added to true points",
  DDIM: "Back, no noise (DDIM)",
  DDPM: "Back, fresh noise in each step (DDPM)",
};

const dot = ([x, y], r) => `M${(x - r).toFixed(1)},${y.toFixed(1)}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0`;
const onScreen = ([a, b]) => [ROOM * (a + EDGE) / (2 * EDGE), ROOM * (EDGE - b) / (2 * EDGE)];

async function render({ model, el }) {
  const numbers = async (name) => {
    const bytes = await unpacked(model.get(name));
    return Array.from(floats(bytes));
  };
  const [kept, pool] = [await numbers("kept"), await numbers("pool")];
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const [sets, counts, quality, floor, points] =
    ["sets", "counts", "quality", "floor", "points"].map((name) => model.get(name));
  const last = kept.length - 1;
  const change = (name, value) => { model.set(name, value); model.save_changes(); };

  const which = choice(life, "set of points", sets.map(({ name }) => [name, name]), (v) => change("cloud", v));
  const walk = choice(life, "direction",
    [["forward", "forward"], ["DDIM", "back, no noise"], ["DDPM", "back, fresh noise"]], (v) => change("walk", v));
  const thumb = slider(life, {
    label: "time", values: Array.from({ length: 201 }, (_, i) => i * last / 200), format: (v) => String(v),
    ends: ["0, data", `${last}, noise`], onInput: (v) => change("time", v),
  });
  const many = slider(life, {
    label: "steps of the way back:", values: counts, format: (v) => String(v),
    ends: ["few", "many"], onInput: (v) => change("steps", v),
  });
  const next = button(life, "one step", () => {
    const [time, way] = [model.get("time"), model.get("walk")];
    if (way === "forward") change("time", time >= last ? 0 : Math.min(last, time + last / 20));
    else if (time <= 0) change("time", last);
    else change("time", Math.max(...visited(last, model.get("steps")).filter((v) => v < time)));
  });
  controls.append(which.node, walk.node, thumb.node, many.node, html("div", { class: "genssl-buttons" }, next));

  // The plane.
  const plane = svg("svg", {
    viewBox: `0 0 ${ROOM} ${ROOM}`, role: "img", "aria-label": "points, arrows and lines behind ten points",
    style: "max-width:430px;overflow:hidden;border:1px solid var(--genssl-line)",
  });
  const target = svg("path", { fill: "none", stroke: "var(--genssl-data)", "stroke-width": 1.2, "stroke-opacity": 0.75 });
  const field = svg("path", { fill: "none", stroke: "var(--genssl-soft)", "stroke-width": 1, "stroke-opacity": 0.85 });
  const tails = svg("path", { fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 1.1, "stroke-opacity": 0.7 });
  const cloud = svg("path", { fill: "var(--genssl-model)", "fill-opacity": 0.75 });
  const heads = svg("path", { fill: "var(--genssl-ink)" });
  plane.append(field, target, tails, cloud, heads);
  const said = html("p", { class: "genssl-heading genssl-said" });
  const key = html("p", {
    class: "genssl-note", style: "margin-top:0.4rem",
    text: "Orange: points. Black: ten that are followed, with the way that they came. Blue rings: middles of the true clouds. Grey: arrows to where it gets more likely.",
  });

  // Steps against quality.
  const [wide, high, left, bottom] = [320, 300, 46, 38];
  const [low, top] = [floor / 2, 2];
  const across = (steps) => left + (wide - left - 12) * Math.log(steps / counts[0]) / Math.log(counts.at(-1) / counts[0]);
  const up = (value) => {
    const share = Math.log(clamp(value, low, top) / low) / Math.log(top / low);
    return high - bottom - (high - bottom - 10) * share;
  };
  const curve = svg("svg", {
    viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": "energy distance against steps", style: "max-width:430px",
  });
  curve.append(svg("rect", {
    x: left, width: wide - left - 12, y: up(floor), height: high - bottom - up(floor), fill: "var(--genssl-line)",
  }));
  for (const value of [0.001, 0.01, 0.1, 1]) {
    curve.append(
      svg("line", { class: "genssl-grid", x1: left, x2: wide - 12, y1: up(value), y2: up(value) }),
      svg("text", { class: "genssl-soft", x: left - 5, y: up(value) + 4, "text-anchor": "end", text: value }),
    );
  }
  for (const steps of counts) {
    if (![2, 50].includes(steps)) curve.append(svg("text", {
      class: "genssl-soft", x: across(steps), y: high - bottom + 15, "text-anchor": "middle", text: steps,
    }));
  }
  curve.append(svg("text", { x: (left + wide - 12) / 2, y: high - 4, "text-anchor": "middle", text: "steps of the way back" }));
  const lines = WAYS.map((way) => svg("path", {
    fill: "none", "stroke-width": 2, stroke: way === "DDIM" ? "var(--genssl-teacher)" : "var(--genssl-model)",
    "stroke-dasharray": way === "DDIM" ? "6 3" : null,
  }));
  const marks = WAYS.map((way) => svg("circle", {
    r: 5, fill: way === "DDIM" ? "var(--genssl-teacher)" : "var(--genssl-model)", stroke: "var(--genssl-paper)", "stroke-width": 1.5,
  }));
  const names = WAYS.map((way) => svg("text", { class: "genssl-halo", text: way }));
  curve.append(...lines, ...marks, ...names,
    svg("text", { class: "genssl-soft genssl-halo", x: left + 6, y: high - bottom - 6, text: "as near as true points" }));
  const worth = html("p", { class: "genssl-note", style: "margin-top:0.4rem" });
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel" }, said, plane, key),
    html("div", { class: "genssl-panel" },
      html("p", { class: "genssl-heading genssl-said", text: "Energy distance from true points" }), curve, worth)));

  let [made, frames, begun] = ["", [], []];
  function walked(chosen, way, steps) {
    const name = JSON.stringify([chosen.name, way, steps]);
    if (name !== made) {
      begun = beginnings(chosen, pool, points);
      frames = way === "forward" ? [] : backward(begun, kept, visited(last, steps), chosen, way, pool);
      made = name;
    }
  }

  function draw() {
    const began = performance.now();
    const [time, way, steps] = ["time", "walk", "steps"].map((name) => model.get(name));
    const at = sets.findIndex(({ name }) => name === model.get("cloud"));
    const chosen = sets[at];
    const back = way !== "forward";
    walked(chosen, way, steps);
    which.show(chosen.name);
    walk.show(way);
    thumb.show(time);
    many.show(steps);

    const times = visited(last, steps);
    const done = back ? times.filter((v) => v >= time).length - 1 : 0; // steps taken
    const moment = back ? times[steps - done] : time;
    const places = back ? frames[done] : forwardAt(begun, kept[time]);
    write(said, { text: `${TOLD[way]}. ${back ? `${done} of ${steps} steps taken, time ${moment}` : `Time ${time}`}, ${number(100 * kept[moment], 1)} % of the variance is the data's.` });

    const share = kept[Math.max(1, moment)];
    const arrows = [];
    for (let row = 0; row < GRID; row += 1) {
      for (let column = 0; column < GRID; column += 1) {
        const place = [column, GRID - 1 - row].map((k) => EDGE * ((2 * k + 1) / GRID - 1));
        const guess = noiseAt(place, share, chosen);
        const size = Math.hypot(...guess);
        const reach = Math.min(0.3, 0.13 * size) / Math.max(size, 1e-9);
        arrows.push({ place, way: guess.map((v) => -reach * v) });
      }
    }
    const pen = (v) => v.map((c) => c.toFixed(1)).join(",");
    write(field, {
      d: arrows.map(({ place: [x, y], way: [a, b] }) => {
        const [from, to] = [onScreen([x - a / 2, y - b / 2]), onScreen([x + a / 2, y + b / 2])];
        const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
        if (length < 1) return dot(to, 0.5);
        const [u, v] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
        const wing = (s) => `M${pen(to)}L${pen([to[0] - 3.2 * u + s * 2 * v, to[1] - 3.2 * v - s * 2 * u])}`;
        return `M${pen(from)}L${pen(to)}${wing(1)}${wing(-1)}`;
      }).join(""),
    });
    const ring = clamp(chosen.spread, 0.07, 1) * ROOM / (2 * EDGE);
    write(target, { d: chosen.middles.map((m) => dot(onScreen(m), Number(ring.toFixed(1)))).join("") });
    write(cloud, { d: places.slice(TAILS).map((p) => dot(onScreen(p), 2.2)).join("") });
    write(heads, { d: places.slice(0, TAILS).map((p) => dot(onScreen(p), 3)).join("") });
    const path = back ? frames.slice(0, done + 1)
      : Array.from({ length: 1 + Math.ceil(time / 20) }, (_, i) => forwardAt(begun.slice(0, TAILS), kept[Math.min(time, 20 * i)]));
    write(tails, {
      d: path.length < 2 ? "" : Array.from({ length: way === "DDPM" ? 3 : TAILS }, (_, i) =>
        `M${path.map((places) => pen(onScreen(places[i]))).join("L")}`).join(""),
    });

    const here = counts.indexOf(steps);
    WAYS.forEach((name, w) => {
      const values = quality[at][w];
      write(lines[w], { d: `M${values.map((v, i) => pen([across(counts[i]), up(v)])).join("L")}` });
      write(marks[w], { cx: across(steps), cy: up(values[here]), visibility: way === "forward" || way === name ? "visible" : "hidden" });
      write(names[w], { x: across(counts[2]) + (w ? 6 : -8), y: up(values[2]) + (w ? -6 : 10), "text-anchor": w ? "start" : "end" });
    });
    const told = (v) => (v < floor ? "as near as true points" : number(v, 3));
    const worthIt = WAYS.map((name, w) => `${name} ${told(quality[at][w][here])}`);
    write(worth, {
      text: `At ${steps} step${steps > 1 ? "s" : ""}: ${worthIt.join(", ")}. Grey: two heaps of true points, up to ${number(floor, 4)} from each other. Measured once, on 4000 points.`,
    });
    announce(`${TOLD[way]}. Time ${moment}. ${chosen.name}, ${steps} steps.`);
    const data = {
      time, cloud: chosen.name, walk: way, steps, moment, taken: done, some: places.slice(0, 5), middle: places.slice(-3),
      mean: [0, 1].map((d) => places.reduce((sum, p) => sum + p[d], 0) / points),
      spread: Math.sqrt(places.reduce((sum, p) => sum + p[0] ** 2 + p[1] ** 2, 0) / (2 * points)),
      arrows: arrows.slice(0, 4).concat(arrows.slice(110, 114)).map(({ way: w }) => w), quality: WAYS.map((_, w) => quality[at][w][here]),
      milliseconds: performance.now() - began,
    };
    Object.assign(root.dataset, Object.fromEntries(Object.entries(data).map(([name, v]) => [name, JSON.stringify(v)])));
  }
  life.follow(model, ["time", "cloud", "walk", "steps"], draw);
  draw();
  return () => life.end();
}

export default { render };
