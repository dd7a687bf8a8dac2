// Bias against variance of each gradient estimator, and the best one for n samples.
import {
  clamp, frame, html, lifetime, number, significant, slider, stops, svg, unique, write,
} from "../kit/figure.js";

// ---------------------------------------------------------------- the maths

/** Between two positive numbers by their ratio, else by their difference. */
const between = (a, b, share) =>
  a > 0 && b > 0 ? a * (b / a) ** share : a + (b - a) * share;

/**
 * Bias and variance of a curve {tau, bias, variance} at a temperature, interpolated in log τ.
 * A single number stands for a curve that does not move.
 */
export function at(curve, tau) {
  if (curve.bias.length === 1) return { bias: curve.bias[0], variance: curve.variance[0] };
  const knots = curve.tau;
  const inside = clamp(tau, knots[0], knots.at(-1));
  const right = Math.max(1, knots.findIndex((knot) => knot >= inside));
  const left = right - 1;
  const share = Math.log(inside / knots[left]) / Math.log(knots[right] / knots[left]);
  return {
    bias: between(curve.bias[left], curve.bias[right], share),
    variance: between(curve.variance[left], curve.variance[right], share),
  };
}

/** Mean squared error of the mean of n samples: bias² + variance / n. */
export function mse(bias, variance, n) {
  return bias ** 2 + variance / n;
}

/** The first number of samples above n, up to `most`, at which another estimator is best. */
export function overtaken(points, n, most) {
  const bestAt = (count) => {
    const errors = points.map(({ bias, variance }) => mse(bias, variance, count));
    return errors.indexOf(Math.min(...errors));
  };
  const now = bestAt(n);
  for (let count = n + 1; count <= most; count += 1) {
    if (bestAt(count) !== now) return { n: count, best: bestAt(count) };
  }
  return null;
}

/** A domain for a log axis around positive values, and the powers of ten inside it. */
export function logDomain(values, pad = 1.8) {
  const positive = values.filter((v) => v > 0);
  const low = (positive.length ? Math.min(...positive) : 0.1) / pad;
  const high = (positive.length ? Math.max(...positive) : 1) * pad;
  const ticks = [];
  for (let e = Math.ceil(Math.log10(low)); 10 ** e <= high; e += 1) ticks.push(10 ** e);
  return { low, high, ticks };
}

/**
 * Boxes {x, y, w, h} for labels of the given sizes beside points, kept inside `room`, away from
 * each other and from every point as far as that is possible.
 */
export function placeLabels(points, sizes, room) {
  const overlap = (a, b) =>
    Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)) *
    Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));
  const dots = points.map(({ x, y }) => ({ x: x - 9, y: y - 9, w: 18, h: 18 }));
  const crosses = (from, box, dot) => [0.25, 0.5, 0.75, 1].some((share) => {
    const x = from.x + share * (clamp(from.x, box.x, box.x + box.w) - from.x);
    const y = from.y + share * (clamp(from.y, box.y, box.y + box.h) - from.y);
    return Math.hypot(x - dot.x, y - dot.y) < 9;
  });
  const placed = [];
  points.forEach((point, i) => {
    const { w, h } = sizes[i];
    let best = null;
    for (const gap of [11, 20, 32, 48, 66, 88]) {
      for (const [sx, sy] of [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]]) {
        const lean = sx && sy ? 0.75 : 1;
        const box = {
          x: clamp(point.x + sx * gap * lean - (w * (1 - sx)) / 2, room.x, room.x + room.w - w),
          y: clamp(point.y + sy * gap * lean - (h * (1 - sy)) / 2, room.y, room.y + room.h - h),
          w, h,
        };
        const cover = [...dots, ...placed].reduce((sum, other) => sum + overlap(box, other), 0);
        const crossed = points.some((dot, k) => k !== i && crosses(point, box, dot));
        const cost = cover * 10 + gap + (crossed ? 60 : 0);
        if (!best || cost < best.cost - 1e-9) best = { ...box, cost };
      }
    }
    placed.push(best);
  });
  return placed;
}

// ---------------------------------------------------------------- the picture

// Colour and shape together: nothing is told by colour alone.
const LOOKS = [
  ["baseline", "M-6,-6H6V6H-6Z"],
  ["teacher", "M0,-8L7.5,6H-7.5Z"],
  ["model", "M-7,0A7,7 0 1 1 7,0A7,7 0 1 1 -7,0Z"],
  ["student", "M0,-8.5L8,0L0,8.5L-8,0Z"],
  ["data", "M0,8L7.5,-6H-7.5Z"],
  ["negative", "M-6,-2.5H-2.5V-6H2.5V-2.5H6V2.5H2.5V6H-2.5V2.5H-6Z"],
].map(([name, path]) => ({ colour: `var(--genssl-${name})`, path }));

const marker = (look) => svg("path", {
  d: look.path, fill: look.colour, stroke: "var(--genssl-paper)", "stroke-width": 1.5,
});

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const { tau: knots, estimators } = model.get("curves");
  const curves = estimators.map((curve, i) => (
    { tau: knots, ...curve, look: LOOKS[i % LOOKS.length] }));
  const change = (name, v) => {
    model.set(name, v);
    model.save_changes();
  };

  const [low, high] = [knots[0], knots.at(-1)];
  const warm = slider(life, {
    label: "temperature τ =", values: stops(low, high, { scale: "log" }), format: (v) => number(v),
    ends: [low, high].map((v) => String(Number(v.toPrecision(3)))), onInput: (v) => change("tau", v),
  });
  const samples = slider(life, {
    label: "samples averaged n =", values: stops(1, 1000, { scale: "log", integer: true }),
    format: (v) => String(v), ends: ["1", "1000"], onInput: (v) => change("n", v),
  });
  controls.append(warm.node, samples.node);

  // ---- the plot
  const said = html("p", { class: "genssl-heading" });
  const next = html("p", { class: "genssl-note genssl-said" });
  const plot = svg("svg", {});
  const [clip, names] = [unique("clip"), ["relative bias", "relative variance"]];
  const clipBox = svg("rect", {});
  const back = svg("g", {});
  const better = svg("path", { fill: "var(--genssl-baseline)", "fill-opacity": 0.14 });
  const level = svg("path", {
    fill: "none", stroke: "var(--genssl-edge)", "stroke-width": 1.5, "stroke-dasharray": "5 4",
  });
  const levelName = svg("text", { class: "genssl-soft genssl-halo" });
  const clipped = svg("g", { "clip-path": `url(#${clip})` }, better, level);
  plot.append(svg("defs", {}, svg("clipPath", { id: clip }, clipBox)), back, clipped);
  const marks = curves.map(({ name, look }) => ({
    trail: plot.appendChild(svg("path", {
      fill: "none", stroke: look.colour, "stroke-width": 2, "stroke-opacity": 0.4,
    })),
    lead: svg("line", { class: "genssl-axis" }),
    dot: marker(look),
    text: svg("text", { class: "genssl-halo", text: name }),
  }));
  plot.append(levelName, ...marks.map((m) => m.lead), ...marks.map((m) => m.dot),
    ...marks.map((m) => m.text));

  // ---- the table
  const head = ["estimator", "relative bias", "relative variance", ""].map((text) =>
    html("th", { scope: "col", text }));
  const rows = curves.map(({ name, look }) => {
    const cells = [html("td"), html("td"), html("td")];
    const key = svg("svg", { viewBox: "-9 -9 18 18", "aria-hidden": "true" }, marker(look));
    const mark = html("span", { class: "genssl-mark", text: "best" });
    const named = html("span", { class: "genssl-named" }, key, html("span", {}, name, " ", mark));
    return { cells, mark, node: html("tr", {}, html("th", { scope: "row" }, named), ...cells) };
  });
  picture.append(said, next, plot, html("table", {},
    html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows.map((r) => r.node))));

  const domain = {
    bias: logDomain(curves.flatMap((c) => c.bias)),
    variance: logDomain(curves.flatMap((c) => c.variance), 2.2),
  };
  const area = { x: 56, y: 10, w: 0, h: 0 };
  const spot = ({ bias, variance }) => {
    const share = (v, { low: a, high: b }) =>
      clamp(Math.log(Math.max(v, 1e-300) / a) / Math.log(b / a), 0, 1);
    return {
      x: area.x + share(bias, domain.bias) * area.w,
      y: area.y + (1 - share(variance, domain.variance)) * area.h,
    };
  };
  const through = (points) => `M${points.map(({ x, y }) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}`;

  function layOut(width) {
    const height = Math.round(clamp(width * 0.6, 300, 420));
    Object.assign(area, { w: width - area.x - 14, h: height - area.y - 46 });
    write(plot, { viewBox: `0 0 ${width} ${height}`, height });
    write(clipBox, { x: area.x, y: area.y, width: area.w, height: area.h });
    const [right, bottom] = [area.x + area.w, area.y + area.h];
    const grid = [];
    for (const tick of domain.bias.ticks) {
      const { x } = spot({ bias: tick, variance: 1 });
      grid.push(svg("line", { class: "genssl-grid", x1: x, x2: x, y1: area.y, y2: bottom }),
        svg("text", { class: "genssl-soft", x, y: bottom + 17, "text-anchor": "middle", text: tick }));
    }
    for (const tick of domain.variance.ticks) {
      const { y } = spot({ bias: 1, variance: tick });
      grid.push(svg("line", { class: "genssl-grid", x1: area.x, x2: right, y1: y, y2: y }),
        svg("text", { class: "genssl-soft", x: area.x - 7, y: y + 4, "text-anchor": "end", text: tick }));
    }
    const middle = area.y + area.h / 2;
    back.replaceChildren(...grid,
      svg("path", { class: "genssl-axis", fill: "none", d: `M${area.x},${area.y}V${bottom}H${right}` }),
      svg("text", { class: "genssl-soft", x: area.x + area.w / 2, y: height - 6, "text-anchor": "middle", text: names[0] }),
      svg("text", { class: "genssl-soft", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})`, text: names[1] }));
    curves.forEach((curve, i) => {
      if (!curve.depends_on_tau) return;
      const taus = Array.from({ length: 121 }, (_, k) => low * (high / low) ** (k / 120));
      write(marks[i].trail, { d: through(taus.map((v) => spot(at(curve, v)))) });
    });
    draw();
  }

  /** The line of equal error through the best point: everything below and left of it is better. */
  function drawLevel(error, n) {
    const { low: left } = domain.bias;
    const most = Math.sqrt(error);
    const points = Array.from({ length: 100 }, (_, k) => {
      const bias = left * (most / left) ** (k / 100);
      return spot({ bias, variance: n * (error - bias ** 2) });
    });
    const empty = most <= left || points[0].y >= area.y + area.h;
    points.push({ x: spot({ bias: most, variance: 1 }).x, y: area.y + area.h });
    write(level, { d: empty ? "" : through(points) });
    write(better, { d: empty ? "" : `${through(points)}H${area.x}V${points[0].y}Z` });
    const roomy = !empty && points.at(-1).x - area.x > 110 && area.y + area.h - points[0].y > 34;
    write(levelName, {
      x: area.x + 8, y: area.y + area.h - 9, text: "a smaller error", visibility: roomy ? "visible" : "hidden",
    });
    return roomy;
  }

  function draw() {
    const [tau, n] = [model.get("tau"), model.get("n")];
    const now = curves.map((curve) => at(curve, tau));
    const errors = now.map(({ bias, variance }) => mse(bias, variance, n));
    const best = errors.indexOf(Math.min(...errors));
    warm.show(tau);
    samples.show(n);
    const where = [`τ = ${number(tau)}`, `n = ${n}`].map((part) => part.replaceAll(" ", "\u00a0"));
    const sentence = `${curves[best].name} is best at ${where[0]} with ${where[1]}: ` +
      `error ${significant(errors[best])}.`;
    const turn = overtaken(now, n, 1000);
    const later = turn ? `From n = ${turn.n} on, ${curves[turn.best].name} does better.`
      : "It stays the best up to n = 1000.";
    write(said, { text: sentence });
    write(next, { text: later });
    write(head[3], { text: `error, n\u00a0=\u00a0${n}` });
    rows.forEach(({ cells, mark, node }, i) => {
      const { bias, variance } = now[i];
      [bias, variance, errors[i]].forEach((v, k) => write(cells[k], { text: significant(v) }));
      write(mark, { hidden: i === best ? null : "" });
      write(node, { "data-best": i === best ? "" : null });
    });
    if (area.w > 0) drawPoints(now, errors[best], best, n);
    announce(`${sentence} ${later}`);
    Object.assign(root.dataset, {
      tau: JSON.stringify(tau), n: JSON.stringify(n), best: curves[best].name,
      points: JSON.stringify(Object.fromEntries(curves.map(({ name }, i) =>
        [name, { ...now[i], error: errors[i] }]))),
    });
  }

  function drawPoints(now, error, best, n) {
    const roomy = drawLevel(error, n);
    const points = now.map(spot);
    marks.forEach(({ dot, text }, i) => {
      write(dot, { transform: `translate(${points[i].x} ${points[i].y})${i === best ? " scale(1.35)" : ""}` });
      write(text, { class: i === best ? "genssl-halo genssl-strong" : "genssl-halo" });
    });
    const sizes = marks.map(({ text }) => ({ w: text.getComputedTextLength() + 2, h: 18 }));
    const room = { x: area.x + 4, y: area.y, w: area.w - 4, h: area.h - (roomy ? 26 : 4) };
    placeLabels(points, sizes, room).forEach((box, i) => {
      const { lead, text } = marks[i];
      write(text, { x: box.x + 1, y: box.y + 13 });
      const near = { x: clamp(points[i].x, box.x, box.x + box.w), y: clamp(points[i].y, box.y, box.y + box.h) };
      const far = Math.hypot(near.x - points[i].x, near.y - points[i].y) > 15;
      write(lead, { x1: points[i].x, y1: points[i].y, x2: near.x, y2: near.y, visibility: far ? "visible" : "hidden" });
    });
  }

  life.resize(plot, layOut);
  life.follow(model, ["tau", "n"], draw);
  draw();
  return () => life.end();
}

export default { render };
