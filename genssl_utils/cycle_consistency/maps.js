// Two clouds and the maps between them, for each weight of the cycle loss that was trained.
import {
  choice, floats, frame, html, lifetime, number, point, slider, svg, unpacked, write,
} from "../kit/figure.js";

// ---------------------------------------------------------------- the maths

/** How many numbers a map with two hidden layers of h units has. */
export const size = (h) => 2 * h + h + h * h + h + h * 2 + 2;

/** x + net(x), with tanh between three layers; the weights stand in `all` from `from` on. */
export function mapped(all, from, h, x) {
  let values = x;
  let at = from;
  for (const [n, m] of [[2, h], [h, h], [h, 2]]) {
    const next = [];
    for (let j = 0; j < m; j += 1) {
      let sum = all[at + n * m + j];
      for (let i = 0; i < n; i += 1) sum += values[i] * all[at + i * m + j];
      next.push(m === h ? Math.tanh(sum) : sum);
    }
    at += n * m + m;
    values = next;
  }
  return [x[0] + values[0], x[1] + values[1]];
}

/** The place of the nearest of some centres. */
export function nearest(p, centres) {
  const far = centres.map((c) => Math.hypot(p[0] - c[0], p[1] - c[1]));
  return far.indexOf(Math.min(...far));
}

/** What a pair of maps does with a cloud's points. */
export function judged(all, from, h, cloud) {
  const there = cloud.points.map((x) => mapped(all, from, h, x));
  const home = there.map((y) => mapped(all, from + size(h), h, y));
  const landed = there.map((y) => nearest(y, cloud.turned));
  const n = there.length;
  const right = landed.filter((k, i) => k === cloud.group[i]).length / n;
  let error = 0;
  home.forEach((p, i) => p.forEach((v, d) => { error += Math.abs(v - cloud.points[i][d]) / 2 / n; }));
  const gap = cloud.turned.reduce((sum, _, k) => {
    const share = (of) => of.filter((g) => g === k).length / n;
    return sum + Math.abs(share(landed) - share(cloud.group)) / 2;
  }, 0);
  return { there, home, landed, right, error, gap };
}

// ---------------------------------------------------------------- the picture

const REACH = 2.5; // of each cloud's half of the plane
const TALL = 74; // of a small chart
const tidy = (p) => `(${number(p[0], 1)}, ${number(p[1], 1)})`;

async function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const bytes = await unpacked(model.get("weights"));
  const all = floats(bytes);
  const [clouds, lambdas, starts, h] = ["clouds", "lambdas", "starts", "hidden"].map((k) => model.get(k));
  const from = (c, l, s) => ((c * lambdas.length + l) * starts + s) * 2 * size(h);
  const every = clouds.map((cloud, c) => lambdas.map((_, l) =>
    Array.from({ length: starts }, (_, s) => judged(all, from(c, l, s), h, cloud))));
  const set = (name, value) => { model.set(name, value); model.save_changes(); };

  const lam = slider(life, {
    label: "λ, weight of the cycle loss =", values: lambdas.map((_, i) => i),
    format: (i) => String(lambdas[i]), ends: ["0: heaps alone", "10"], onInput: (i) => set("lam", i),
  });
  const which = choice(life, "cloud", clouds.map((c, i) => [i, c.name]), (i) => set("cloud", i));
  const begun = choice(life, "start of the training",
    Array.from({ length: starts }, (_, i) => [i, `start ${i + 1}`]), (i) => set("start", i));
  controls.append(lam.node, which.node, begun.node);

  const plane = svg("svg", { height: 260 });
  let middle = 132;
  const heads = svg("defs", {}, ...["right", "wrong", "mine"].map((kind) => svg("marker", {
    id: `${kind}-${Math.random().toString(36).slice(2)}`, viewBox: "0 0 8 8", refX: 7, refY: 4,
    markerWidth: 6, markerHeight: 6, orient: "auto",
  }, svg("path", { d: "M0,0.5L8,4L0,7.5Z", fill: `var(--genssl-${{ right: "positive", wrong: "negative", mine: "ink" }[kind]})` }))));
  const [okHead, badHead, mineHead] = [...heads.children].map((node) => `url(#${node.id})`);
  const ground = svg("g");
  const arrows = svg("g");
  const names = svg("g");
  const mine = svg("line", { stroke: "var(--genssl-ink)", "stroke-width": 2.2, "marker-end": mineHead });
  const back = svg("line", { stroke: "var(--genssl-ink)", "stroke-width": 1.5, "stroke-dasharray": "2 3" });
  const cross = svg("path", { stroke: "var(--genssl-ink)", "stroke-width": 2.5, fill: "none" });
  const grip = svg("circle", { class: "genssl-grip", r: 8, fill: "var(--genssl-paper)", stroke: "var(--genssl-ink)", "stroke-width": 2.5 });
  const knob = svg("g", {}, svg("circle", { r: 20, fill: "transparent" }), grip);
  plane.append(heads, ground, arrows, names, mine, back, cross, knob);

  let scale = 20;
  let width = 0;
  const side = () => REACH * scale + 8;
  const other = () => Math.min(width - side(), side() + 9.5 * scale);
  const spot = (p, inY) => [(inY ? other() : side()) + p[0] * scale, middle - p[1] * scale];
  const held = point(life, knob, {
    label: "the point x", x: [-2.2, 2.2], y: [-2, 2], step: 0.05, format: tidy,
    at: (event) => {
      const box = plane.getBoundingClientRect();
      return [(event.clientX - box.left - side()) / scale, (middle - (event.clientY - box.top)) / scale];
    },
    onInput: (p) => set("place", p),
  });

  const charts = [
    ["right", "Points in their own group", (j) => j.right, 1],
    ["error", "Error of the round trip, |g(f(x)) − x|", (j) => j.error, 2],
  ].map(([key, title, value, most]) => {
    const node = svg("svg", { height: TALL + 30 });
    return { key, title, value, most, node, wide: 0 };
  });
  const said = html("p", { class: "genssl-said", style: "margin-top:0.5rem" });
  picture.append(
    plane, said,
    html("div", { class: "genssl-panels" }, ...charts.map(({ title, node }) =>
      html("div", { class: "genssl-panel" }, html("p", { class: "genssl-heading", text: title }), node))),
    html("p", { class: "genssl-note", text: "Each dot is a start; the ringed one is shown above. Solid arrows: x lands in its own group; dashed: in another. A cross is g(f(x)); a thin line ties it to its x. Drag the open circle, or move it by the arrow keys." }),
  );

  function drawPlane(cloud, now) {
    const dot = (p, inY, fill) => {
      const [x, y] = spot(p, inY);
      return svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 2.2, fill, "fill-opacity": 0.55 });
    };
    const truth = cloud.points.map((p) => turn(p, cloud));
    ground.replaceChildren(
      ...[[false, "X"], [true, "Y"]].map(([inY, name]) => svg("text", {
        class: "genssl-strong", x: spot([0, 0], inY)[0], y: 14, "text-anchor": "middle", text: name,
      })),
      ...cloud.points.map((p) => dot(p, false, "var(--genssl-data)")),
      ...truth.map((p) => dot(p, true, "var(--genssl-model)")),
    );
    const lines = [];
    cloud.points.forEach((p, i) => {
      if (i % 3) return;
      const good = now.landed[i] === cloud.group[i];
      const [a, b, c] = [spot(p, false), spot(now.there[i], true), spot(now.home[i], false)];
      lines.push(
        svg("line", {
          x1: a[0], y1: a[1], x2: b[0], y2: b[1], "stroke-width": good ? 1.1 : 1.4,
          stroke: `var(--genssl-${good ? "positive" : "negative"})`, "stroke-opacity": 0.75,
          "stroke-dasharray": good ? null : "5 3", "marker-end": good ? okHead : badHead,
        }),
        svg("line", { x1: a[0], y1: a[1], x2: c[0], y2: c[1], stroke: "var(--genssl-soft)", "stroke-width": 1 }),
        svg("path", { d: x(c, 3), stroke: "var(--genssl-ink)", "stroke-width": 1.2 }),
      );
    });
    arrows.replaceChildren(...lines);
    const label = (p, inY, k) => {
      const [a, b] = spot(p, inY);
      return svg("text", { class: "genssl-halo genssl-strong", x: a, y: b + 5, "text-anchor": "middle", text: String(k + 1) });
    };
    names.replaceChildren(
      ...cloud.centres.map((p, k) => label(out(p), false, k)),
      ...cloud.turned.map((p, k) => label(out(p), true, k)),
    );
  }
  /** A place a little further out, where a label hides no point. */
  const out = (p) => { const r = Math.hypot(...p); return p.map((v) => v * (1 + 0.5 / r)); };
  const x = ([a, b], r) => `M${a - r},${b - r}L${a + r},${b + r}M${a - r},${b + r}L${a + r},${b - r}`;
  const turn = (p, cloud) => {
    const [[a, b], [c, d]] = [cloud.centres[0], cloud.turned[0]];
    const r2 = a * a + b * b;
    const [cos, sin] = [(a * c + b * d) / r2, (a * d - b * c) / r2];
    return [cos * p[0] - sin * p[1], sin * p[0] + cos * p[1]];
  };

  function drawChart(chart, c, l, s) {
    const { node, wide, value, most } = chart;
    const across = (i, k) => 30 + ((i + 0.5 + (k - (starts - 1) / 2) * 0.1) / lambdas.length) * (wide - 34);
    const down = (v) => 6 + (1 - Math.min(v, most) / most) * (TALL - 12);
    node.replaceChildren(
      ...[0, most / 2, most].flatMap((v) => [
        svg("line", { class: "genssl-grid", x1: 28, x2: wide - 4, y1: down(v), y2: down(v) }),
        svg("text", { class: "genssl-soft", x: 24, y: down(v) + 4, "text-anchor": "end", text: String(v) }),
      ]),
      ...lambdas.map((v, i) => svg("text", {
        class: i === l ? "genssl-strong" : "genssl-soft", x: across(i, (starts - 1) / 2), y: TALL + 16,
        "text-anchor": "middle", text: String(v),
      })),
      svg("text", { class: "genssl-soft", x: 24, y: TALL + 16, "text-anchor": "end", text: "λ" }),
      ...every[c].flatMap((row, i) => row.map((one, k) => svg("circle", {
        cx: across(i, k).toFixed(1), cy: down(value(one)).toFixed(1), r: 2.6,
        fill: i === l ? "var(--genssl-ink)" : "var(--genssl-baseline)",
      }))),
      svg("circle", { cx: across(l, s), cy: down(value(every[c][l][s])), r: 6, fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 2 }),
    );
  }

  function draw() {
    const [c, l, s, p] = ["cloud", "lam", "start", "place"].map((k) => model.get(k));
    const now = every[c][l][s];
    const at = from(c, l, s);
    const there = mapped(all, at, h, p);
    const home = mapped(all, at + size(h), h, there);
    lam.show(l);
    which.show(c);
    begun.show(s);
    held.show(p);
    if (width > 0) {
      drawPlane(clouds[c], now);
      const [a, b, e] = [spot(p, false), spot(there, true), spot(home, false)];
      write(mine, { x1: a[0], y1: a[1], x2: b[0], y2: b[1] });
      write(back, { x1: a[0], y1: a[1], x2: e[0], y2: e[1] });
      write(cross, { d: x(e, 5) });
      write(knob, { transform: `translate(${a[0]},${a[1]})` });
    }
    for (const chart of charts) if (chart.wide > 0) drawChart(chart, c, l, s);
    const fine = every[c][l].filter((one) => one.right > 0.9).length;
    const told = `λ = ${lambdas[l]}, start ${s + 1}: ${number(100 * now.right, 0)} % of the points land in their own ` +
      `group, the shares of the groups are off by ${number(now.gap)}, the round trip by ${number(now.error)}.`;
    write(said, { text: `${told} At this λ ${fine} of ${starts} starts are right.` });
    announce(told);
    const numbers = { cloud: c, lam: l, start: s, place: p, there, home, right: now.right, gap: now.gap, error: now.error, fine };
    Object.assign(root.dataset, Object.fromEntries(
      Object.entries(numbers).map(([name, v]) => [name, JSON.stringify(v)]),
    ));
  }

  life.resize(plane, (w) => {
    width = w;
    scale = Math.min(62, (w - 16) / (4 * REACH + 0.2));
    middle = 20 + 2.2 * scale;
    const height = Math.round(middle + 2.2 * scale);
    write(plane, { viewBox: `0 0 ${w} ${height}`, height });
    draw();
  });
  for (const chart of charts) {
    life.resize(chart.node, (w) => {
      chart.wide = w;
      write(chart.node, { viewBox: `0 0 ${w} ${TALL + 30}` });
      draw();
    });
  }
  life.follow(model, ["cloud", "lam", "start", "place"], draw);
  draw();
  return () => life.end();
}

export default { render };
