// One cloud, carried to a standard normal by a flow, by a diffusion, and by what lies between.
import {
  choice, clamp, frame, handle, html, lifetime, number, slider, stops, svg, unpacked, write,
} from "../kit/figure.js";

const [SLOW, FAST, HEAP] = [0.1, 12, 0.15];
const [PATHS, STEPS, PART, REACH] = [200, 100, 4000, 2.4];

// ---------------------------------------------------------------- the maths

const rate = (t) => SLOW + (FAST - SLOW) * t;
const kept = (t) => Math.exp(-(SLOW * t + ((FAST - SLOW) * t * t) / 2));

/** Slope of the log-density of the cloud at time t. */
export function score(x, t) {
  const share = kept(t);
  const variance = 1 - share + share * HEAP * HEAP;
  const middle = Math.sqrt(share);
  const up = 1 / (1 + Math.exp((-2 * middle * x) / variance));
  return ((2 * up - 1) * middle - x) / variance;
}

/** Density of the cloud at time t. */
export function density(x, t) {
  const share = kept(t);
  const variance = 1 - share + share * HEAP * HEAP;
  const bell = (m) => Math.exp(-((x - m) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
  return (bell(Math.sqrt(share)) + bell(-Math.sqrt(share))) / 2;
}

/** The drift of the way forth where the noise is gamma · √β. */
export const drift = (x, t, gamma) => -0.5 * rate(t) * (x + (1 - gamma * gamma) * score(x, t));

/** A walk of STEPS steps from x, forth or back; `noise(i)` is standard normal noise of step i. */
export function walk(x, way, gamma, noise) {
  const dt = 1 / STEPS;
  const path = [x];
  for (let i = 0; i < STEPS; i += 1) {
    if (way === "forth") {
      const t = i * dt;
      x += drift(x, t, gamma) * dt + gamma * Math.sqrt(rate(t) * dt) * noise(i);
    } else {
      const t = (STEPS - i) * dt;
      const g2 = gamma * gamma * rate(t);
      x += -(drift(x, t, gamma) - g2 * score(x, t)) * dt + Math.sqrt(g2 * dt) * noise(i);
    }
    path.push(x);
  }
  return path;
}

// ---------------------------------------------------------------- the picture

const [THIN, THICK, EVERY] = [44, 16, 2]; // paths that are drawn; points of a path from one drawn to the next
const [HIGH, TOP, EDGE, VIEW] = [230, 8, 34, 3]; // of a panel, in pixels, and the largest |x| in it
const NAMES = ["Flow", "Diffusion", "DiffFlow"];

async function render({ model, el }) {
  const bytes = await unpacked(model.get("noise"));
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const drawn = new Int16Array(bytes.buffer);
  const noise = (back, path) => (i) => drawn[((back ? PATHS : 0) + path) * STEPS + i] / PART;
  const [starts, latents] = [model.get("starts"), model.get("latents")];
  const change = (name, value) => { model.set(name, value); model.save_changes(); };

  const hush = slider(life, {
    label: "DiffFlow's noise =", values: stops(0, 1, { steps: 40 }), format: (v) => number(v),
    ends: ["0: a flow", "1: a diffusion"], onInput: (v) => change("gamma", v),
  });
  const ways = choice(life, "which way the paths go",
    [["back", "← back, from one latent point"], ["forth", "forth, from one data point →"]], (v) => change("way", v));
  controls.append(ways.node, hush.node);

  /** All paths of the cloud at one noise, forth and back, and how many come home; kept while the noise stays. */
  const known = new Map();
  function crowd(gamma) {
    if (!known.has(gamma)) {
      if (known.size > 60) known.clear();
      const forth = starts.map((x, k) => walk(x, "forth", gamma, noise(false, k)));
      const home = forth.filter((path, k) => {
        const back = walk(path[STEPS], "back", gamma, noise(true, k));
        return Math.sign(back[STEPS]) === Math.sign(starts[k]);
      }).length / PATHS;
      const back = latents.map((x, k) => walk(x, "back", gamma, noise(true, k)));
      known.set(gamma, { forth, back, home });
    }
    return known.get(gamma);
  }

  const panels = NAMES.map((name) => {
    const plot = svg("svg", { height: HIGH + 22, role: "group", "aria-label": `paths of the ${name}`, style: "overflow:hidden" });
    const axes = svg("g", { "aria-hidden": "true" });
    const thin = svg("path", { fill: "none", stroke: "var(--genssl-data)", "stroke-opacity": 0.32, "stroke-width": 1 });
    const thick = svg("path", { fill: "none", stroke: "var(--genssl-model)", "stroke-opacity": 0.85, "stroke-width": 1.8 });
    const halo = svg("circle", { r: 9, fill: "var(--genssl-paper)" });
    const grip = svg("circle", { class: "genssl-grip", r: 7, fill: "var(--genssl-model)" });
    const knob = svg("g", {}, svg("circle", { r: 20, fill: "transparent" }), halo, grip);
    const field = svg("svg", { x: 0, y: 0, width: "100%", height: HIGH, style: "overflow:hidden" }, thin, thick);
    plot.append(axes, field, knob);
    const held = handle(life, knob, {
      label: `point where the ${name}'s paths start`, min: -REACH, max: REACH, step: 0.1, format: (v) => number(v),
      at: (event) => {
        const box = plot.getBoundingClientRect();
        return Number((VIEW * (1 - (2 * (event.clientY - box.top - TOP)) / (HIGH - 2 * TOP))).toFixed(3));
      },
      onInput: (v) => change("start", Number(clamp(v, -REACH, REACH).toFixed(3))),
    });
    write(knob, { "aria-orientation": "vertical", style: "cursor:ns-resize;touch-action:none" });
    const heading = html("p", { class: "genssl-heading", text: name });
    const fork = html("p", { class: "genssl-note genssl-said" });
    const home = html("p", { class: "genssl-note genssl-said" });
    const node = html("div", { class: "genssl-panel" }, heading, plot, fork, home);
    return { name, plot, axes, thin, thick, knob, held, heading, fork, home, node, wide: 0 };
  });
  picture.append(html("div", { style: "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,235px),1fr));gap:1rem 1.4rem" }, ...panels.map((p) => p.node)),
    html("p", { class: "genssl-note", style: "margin-top:0.6rem", text: "Thin: points of the cloud. Thick: 16 paths from the point that you hold; the shares count 200. Grey: the density at both ends." }));

  const down = (x) => TOP + (HIGH - 2 * TOP) * (0.5 - x / (2 * VIEW));
  const across = (share, wide) => EDGE + share * (wide - 2 * EDGE);
  function line(path, way, wide) {
    let d = "";
    for (let i = 0; i <= STEPS; i += EVERY) {
      const share = way === "forth" ? i / STEPS : 1 - i / STEPS;
      d += `${i ? "L" : "M"}${across(share, wide).toFixed(1)},${down(path[i]).toFixed(1)}`;
    }
    return d;
  }

  function scene(panel) {
    const { wide, axes } = panel;
    const side = (t, at, toward) => {
      const top = t === 0 ? 1.33 : 0.4;
      const rows = Array.from({ length: 121 }, (_, i) => VIEW * (i / 60 - 1));
      const edge = rows.map((x) => `${(at + toward * (EDGE - 8) * Math.min(1, density(x, t) / top)).toFixed(1)},${down(x).toFixed(1)}`);
      return svg("path", { d: `M${at},${down(-VIEW)}L${edge.join("L")}L${at},${down(VIEW)}Z`, fill: "var(--genssl-baseline)", "fill-opacity": 0.35 });
    };
    axes.replaceChildren(
      ...[-2, -1, 0, 1, 2].map((v) => svg("line", { class: "genssl-grid", x1: EDGE, x2: wide - EDGE, y1: down(v), y2: down(v) })),
      side(0, EDGE, -1), side(1, wide - EDGE, 1),
      ...[EDGE, wide - EDGE].map((x) => svg("line", { class: "genssl-axis", x1: x, x2: x, y1: TOP, y2: HIGH - TOP })),
      svg("text", { class: "genssl-soft", x: 2, y: HIGH + 14, text: "data" }),
      svg("text", { class: "genssl-soft", x: wide / 2, y: HIGH + 14, "text-anchor": "middle", text: "time →" }),
      svg("text", { class: "genssl-soft", x: wide - 2, y: HIGH + 14, "text-anchor": "end", text: "latent" }),
    );
  }

  function draw() {
    const began = performance.now();
    const [gamma, way, start] = ["gamma", "way", "start"].map((k) => model.get(k));
    hush.show(gamma);
    ways.show(way);
    const found = panels.map((panel, p) => {
      const own = [0, 1, gamma][p];
      const all = crowd(own);
      const mine = Array.from({ length: PATHS }, (_, k) => walk(start, way, own, noise(way === "back", k)));
      const ends = mine.map((path) => path[STEPS]);
      const upper = ends.filter((x) => x > 0).length / PATHS;
      const middle = ends.reduce((a, b) => a + b, 0) / PATHS;
      const spread = Math.sqrt(ends.reduce((a, b) => a + (b - middle) ** 2, 0) / PATHS);
      write(panel.heading, { text: p === 2 ? `DiffFlow, noise ${number(gamma)}` : panel.name });
      write(panel.fork, {
        text: way === "back" ? (start === 0 && own === 0 ? "Back from here: between the heaps." : `Back from here: ${number(100 * upper, 0)} % end in the upper heap.`)
          : `Forth from here: ends spread by ${number(Math.abs(spread) < 1e-9 ? 0 : spread)}.${Math.abs(middle) > VIEW ? " They leave the picture: no data lie here." : ""}`,
      });
      write(panel.home, { text: `Home after forth and back: ${number(100 * all.home, 0)} %.` });
      panel.held.show(start);
      if (panel.wide > 0) {
        write(panel.thin, { d: all[way].slice(0, THIN).map((path) => line(path, way, panel.wide)).join("") });
        write(panel.thick, { d: mine.slice(0, THICK).map((path) => line(path, way, panel.wide)).join("") });
        write(panel.knob, { transform: `translate(${across(way === "back" ? 1 : 0, panel.wide)} ${down(start)})` });
      }
      return { ends, upper, spread, home: all.home };
    });
    announce(`DiffFlow's noise ${number(gamma)}, ${way} from ${number(start)}. ${found.map((f, p) =>
      `${NAMES[p]}: ${way === "back" ? `${number(100 * f.upper, 0)} % up` : `spread ${number(f.spread)}`}, ${number(100 * f.home, 0)} % home.`).join(" ")}`);
    const told = {
      gamma, way, start, upper: found.map((f) => f.upper), spread: found.map((f) => f.spread),
      home: found.map((f) => f.home), ends: found.map((f) => f.ends.map((v) => Number(v.toFixed(6)))),
      milliseconds: performance.now() - began,
    };
    Object.assign(root.dataset, Object.fromEntries(Object.entries(told).map(([k, v]) => [k, JSON.stringify(v)])));
  }
  for (const panel of panels) {
    life.resize(panel.plot, (w) => {
      panel.wide = w;
      write(panel.plot, { viewBox: `0 0 ${w} ${HIGH + 22}` });
      scene(panel);
      draw();
    });
  }
  life.follow(model, ["gamma", "way", "start"], draw);
  draw();
  return () => life.end();
}

export default { render };
