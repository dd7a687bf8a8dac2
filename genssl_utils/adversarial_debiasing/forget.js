// A score that should tell nothing of the group: its path as λ grows, in a case with known truth.
import {
  clamp, frame, html, lifetime, mulberry32, slider, svg, write,
} from "../kit/figure.js";

// s ~ Bernoulli(½), v ~ N(s, 1), u and w ~ N(v, 1), y = 1[w > 0]; the score is t = u + ρs.
const EDGES = [-8, 10];
const CELLS = 720;
const RHO_STEP = 0.005;
export const LAMBDAS = [0, ...Array.from({ length: 100 }, (_, i) => 0.05 * (50 / 0.05) ** (i / 99))];

// ---------------------------------------------------------------- the maths

/** The chance that a standard normal is below z, to about 1e-12. */
export function normalCdf(z) {
  const x = Math.abs(z) / Math.SQRT2;
  // The complementary error function as a continued fraction far out, as a series near 0.
  let tail;
  if (x > 2.5) {
    let f = x;
    for (let k = 40; k > 0; k -= 1) f = x + k / 2 / f;
    tail = Math.exp(-x * x) / (f * Math.sqrt(Math.PI));
  } else {
    let [term, sum] = [x, x];
    for (let k = 1; k < 80; k += 1) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
    }
    tail = 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  return z < 0 ? tail / 2 : 1 - tail / 2;
}

/** Density of the score at t in group s. */
export const density = (t, s, rho) => Math.exp(-((t - (1 + rho) * s) ** 2) / 4) / Math.sqrt(4 * Math.PI);

/** P(y = 1 | t, s): given u and s, w ~ N((u + s)/2, 3/2). */
export const chanceOfOne = (t, s, rho) => normalCdf((t + (1 - rho) * s) / 2 / Math.sqrt(1.5));

const entropy = (p) => (p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log(1 - p));

/** What the score t = u + ρs is worth: the loss of the best guess of y from it, the information on
 * the group in nats, and, for a yes where P(y = 1 | t) > ½, the accuracy and the two gaps. */
export function worth(rho) {
  const width = (EDGES[1] - EDGES[0]) / CELLS;
  let [loss, known, accuracy, threshold] = [0, 0, 0, EDGES[0]];
  const yes = [[0, 0], [0, 0]]; // [s][y]: mass of a yes
  const mass = [[0, 0], [0, 0]];
  let before = null;
  for (let i = 0; i < CELLS; i += 1) {
    const t = EDGES[0] + (i + 0.5) * width;
    const p = [0, 1].map((s) => density(t, s, rho) / 2);
    const one = [0, 1].map((s) => chanceOfOne(t, s, rho));
    const all = p[0] + p[1];
    if (all < 1e-300) continue;
    const chance = (p[0] * one[0] + p[1] * one[1]) / all;
    loss += width * all * entropy(chance);
    known += width * all * (Math.LN2 - entropy(p[1] / all));
    accuracy += width * all * Math.max(chance, 1 - chance);
    if (before !== null && before[1] <= 0.5 && chance > 0.5) {
      threshold = before[0] + ((0.5 - before[1]) / (chance - before[1])) * (t - before[0]);
    }
    before = [t, chance];
    for (const s of [0, 1]) {
      const parts = [width * p[s] * (1 - one[s]), width * p[s] * one[s]];
      for (const y of [0, 1]) mass[s][y] += parts[y];
    }
  }
  // The masses of a yes, by the same rule from the threshold on.
  const fine = (EDGES[1] - threshold) / CELLS;
  for (let i = 0; i < CELLS; i += 1) {
    const t = threshold + (i + 0.5) * fine;
    for (const s of [0, 1]) {
      const [p, one] = [density(t, s, rho) / 2, chanceOfOne(t, s, rho)];
      yes[s][0] += fine * p * (1 - one);
      yes[s][1] += fine * p * one;
    }
  }
  const share = (s) => (yes[s][0] + yes[s][1]) / (mass[s][0] + mass[s][1]);
  const odds = [0, 1].map((y) => Math.abs(yes[1][y] / mass[1][y] - yes[0][y] / mass[0][y]));
  return {
    rho, loss, information: known, accuracy, threshold,
    parity: Math.abs(share(1) - share(0)), odds: Math.max(...odds),
  };
}

/** The loss and the information at each ρ from −1 to 1, reckoned once. */
export function table() {
  const count = Math.round(2 / RHO_STEP);
  return Array.from({ length: count + 1 }, (_, i) => worth(-1 + i * RHO_STEP));
}

/** The ρ that makes loss + λ · information smallest. */
export function best(lam, rows) {
  let at = 0;
  const cost = (i) => rows[i].loss + lam * rows[i].information;
  for (let i = 1; i < rows.length; i += 1) if (cost(i) < cost(at)) at = i;
  if (at === 0 || at === rows.length - 1) return rows[at].rho;
  // The bottom of the parabola through the three nearest.
  const [a, b, c] = [cost(at - 1), cost(at), cost(at + 1)];
  return rows[at].rho + clamp((0.5 * (a - c)) / (a - 2 * b + c), -0.5, 0.5) * RHO_STEP;
}

/** n people of each group: their proxy u, seeded. */
export function people(n, seed) {
  const draw = mulberry32(seed);
  const normal = () => Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());
  return [0, 1].map((s) => Array.from({ length: n }, () => s + Math.SQRT2 * normal()));
}

// ---------------------------------------------------------------- the picture

const COLOURS = ["var(--genssl-model)", "var(--genssl-data)"];
const VIEW = [-5.5, 7.5];
const ROW = 108;
const LINES = [
  ["accuracy", "accuracy", "var(--genssl-positive)", ""],
  ["parity", "parity gap", "var(--genssl-negative)", "6 3"],
  ["odds", "odds gap", "var(--genssl-baseline)", "2 3"],
];
const plain = (x, digits = 2) => x.toFixed(digits).replace("-", "−").replace(/^−(0\.0+)$/, "$1");

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const rows = table();
  const path = LAMBDAS.map((lam) => worth(best(lam, rows)));
  const crowd = people(90, model.get("seed"));
  const deleted = worth(0);

  const lam = slider(life, {
    label: "λ, weight of the adversary =", values: LAMBDAS, format: (v) => (v < 1 ? plain(v, 2) : plain(v, 1)),
    ends: ["0: accuracy alone", "50: forget"],
    onInput: (v) => { model.set("lam", v); model.save_changes(); },
  });
  controls.append(lam.node);

  // ---- left: the scores of people, group by group
  const height = 2 * ROW + 46;
  const plot = svg("svg", { height });
  const marks = [1, 0].map((s) => ({
    s,
    base: (s ? 1 : 2) * ROW + 8,
    fill: svg("path", { fill: COLOURS[s], "fill-opacity": 0.2, stroke: COLOURS[s], "stroke-width": 2 }),
    dots: svg("path", { fill: s ? COLOURS[s] : "none", stroke: COLOURS[s], "stroke-width": 1.3, "fill-opacity": 0.7 }),
    said: svg("text", { class: "genssl-halo genssl-strong", x: 4, text: s ? "group 1" : "group 0" }),
  }));
  const bar = svg("line", { stroke: "var(--genssl-ink)", "stroke-width": 2, y1: 14, y2: 2 * ROW + 8 });
  const yes = svg("text", { class: "genssl-halo", y: 14, text: "yes →" });
  const axis = svg("g", {});
  plot.append(axis, ...marks.flatMap((m) => [m.fill, m.dots, m.said]), bar, yes);
  let width = 0;
  const left = (t) => ((t - VIEW[0]) / (VIEW[1] - VIEW[0])) * width;

  // ---- right: the path
  const tall = 210;
  const curves = svg("svg", { height: tall + 44 });
  const grid = svg("g", {});
  const drawn = LINES.map(([, , colour, dash]) => svg("path", {
    fill: "none", stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash || null,
  }));
  const names = LINES.map(() => svg("text", { class: "genssl-halo genssl-strong" }));
  const spots = LINES.map(([, , colour]) => svg("circle", { r: 5, fill: colour, stroke: "var(--genssl-paper)", "stroke-width": 1.5 }));
  const now = svg("line", { stroke: "var(--genssl-ink)", "stroke-width": 1.5, y1: 8, y2: tall });
  curves.append(grid, now, ...drawn, ...spots, ...names);
  let wide = 0;
  const across = (i) => 34 + (i / (LAMBDAS.length - 1)) * (wide - 44);
  const down = (v) => tall - v * (tall - 12);
  const nearest = (v) => LAMBDAS.reduce((b, x, i) => (Math.abs(x - v) < Math.abs(LAMBDAS[b] - v) ? i : b), 0);

  const said = html("p", { class: "genssl-said", style: "margin-top:0.5rem" });
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel", style: "flex:1 1 280px" },
      html("p", { class: "genssl-heading", text: "Scores t = u + ρs of people" }), plot),
    html("div", { class: "genssl-panel", style: "flex:1 1 280px" },
      html("p", { class: "genssl-heading", text: "What forgetting costs" }), curves)),
  said,
  html("p", { class: "genssl-note genssl-said", text: "Filled dots are people of group 1, rings of group 0; who stands right of the line gets a yes. The dotted upright marks ρ = 0: the column deleted." }));

  function drawCloud(w) {
    axis.replaceChildren(...[-4, -2, 0, 2, 4, 6].flatMap((t) => [
      svg("line", { class: "genssl-axis", x1: left(t), x2: left(t), y1: 2 * ROW + 8, y2: 2 * ROW + 13 }),
      svg("text", { class: "genssl-soft", x: left(t), y: 2 * ROW + 28, "text-anchor": "middle", text: plain(t, 0) }),
    ]), svg("text", { class: "genssl-soft", x: width, y: 2 * ROW + 42, "text-anchor": "end", text: "score t" }));
    for (const { s, base, fill, dots, said: name } of marks) {
      const points = [];
      for (let i = 0; i <= 120; i += 1) {
        const t = VIEW[0] + (i / 120) * (VIEW[1] - VIEW[0]);
        points.push(`${left(t).toFixed(1)},${(base - density(t, s, w.rho) * 300).toFixed(1)}`);
      }
      write(fill, { d: `M${left(VIEW[0]).toFixed(1)},${base}L${points.join("L")}L${left(VIEW[1]).toFixed(1)},${base}Z` });
      write(dots, {
        d: crowd[s].map((u, i) => {
          const x = left(u + w.rho * s).toFixed(1);
          const y = (base - 5 - ((i * 37) % 26)).toFixed(1);
          return `M${x},${y}m-2.6,0a2.6,2.6 0 1,0 5.2,0a2.6,2.6 0 1,0 -5.2,0`;
        }).join(""),
      });
      write(name, { y: base - 74 });
    }
    const x = left(w.threshold);
    write(bar, { x1: x, x2: x });
    write(yes, { x: x + 6 });
  }

  function drawPath(at, w) {
    const zero = path.findIndex(({ rho }) => rho <= 0);
    grid.replaceChildren(
      ...[0, 0.25, 0.5, 0.75, 1].flatMap((v) => [
        svg("line", { class: "genssl-grid", x1: 34, x2: wide - 10, y1: down(v), y2: down(v) }),
        svg("text", { class: "genssl-soft", x: 28, y: down(v) + 4, "text-anchor": "end", text: plain(v) }),
      ]),
      ...[0, 0.1, 1, 10, 50].map((v) => svg("text", {
        class: "genssl-soft", x: across(nearest(v)), y: tall + 18, "text-anchor": "middle", text: String(v),
      })),
      svg("text", { class: "genssl-soft", x: wide - 10, y: tall + 36, "text-anchor": "end", text: "λ" }),
      svg("line", { class: "genssl-axis", x1: across(zero), x2: across(zero), y1: 8, y2: tall, "stroke-dasharray": "2 4" }),
      svg("text", { class: "genssl-soft genssl-halo", x: across(zero) + 4, y: 20, text: "ρ = 0" }),
    );
    const x = across(at);
    write(now, { x1: x, x2: x });
    LINES.forEach(([key, name], k) => {
      write(drawn[k], { d: `M${path.map((p, i) => `${across(i).toFixed(1)},${down(p[key]).toFixed(1)}`).join("L")}` });
      write(spots[k], { cx: x, cy: down(w[key]) });
      const [i, dy] = k === 1 ? [16, -9] : [path.length - 1, -9];
      write(names[k], {
        x: across(i) - (k === 1 ? 0 : 2), y: down(path[i][key]) + dy,
        "text-anchor": k === 1 ? "start" : "end", text: name,
      });
    });
  }

  function draw() {
    const value = model.get("lam");
    const w = worth(best(value, rows));
    lam.show(value);
    if (width > 0) drawCloud(w);
    if (wide > 0) drawPath(nearest(value), w);
    const told = `ρ = ${plain(w.rho)}: accuracy ${plain(w.accuracy, 3)}, parity gap ${plain(w.parity, 3)}, ` +
      `odds gap ${plain(w.odds, 3)}. The score tells ${plain(w.information, 3)} of ${plain(Math.LN2, 3)} nats of the group.`;
    const beside = ` With the column deleted: accuracy ${plain(deleted.accuracy, 3)}, parity gap ${plain(deleted.parity, 3)}.`;
    write(said, { text: told + beside });
    announce(`λ = ${plain(value)}. ${told}`);
    Object.assign(root.dataset, Object.fromEntries(
      Object.entries({ lam: value, ...w }).map(([name, v]) => [name, JSON.stringify(v)]),
    ));
  }

  life.resize(plot, (w) => {
    width = w;
    write(plot, { viewBox: `0 0 ${w} ${height}` });
    draw();
  });
  life.resize(curves, (w) => {
    wide = w;
    write(curves, { viewBox: `0 0 ${w} ${tall + 44}` });
    draw();
  });
  life.follow(model, ["lam"], draw);
  draw();
  return () => life.end();
}

export default { render };
