// One anchor among its neighbours: each one's softmax weight, and what the temperature does to it.
import {
  button, choice, clamp, frame, html, lifetime, number, point, slider, stops, svg, unique, write,
} from "../kit/figure.js";

const TEMPERATURES = [0.02, 20];
const EDGE = 1.25; // points can be dragged over [−EDGE, EDGE]²
const VIEW = 1.42; // and are drawn a little further
const WIDEST = 18; // pixels of a line with all the weight

// ---------------------------------------------------------------- the maths

/** The unit vector of a point's direction. */
export function unit([x, y]) {
  const length = Math.hypot(x, y);
  return length > 1e-9 ? [x / length, y / length] : [1, 0];
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const logSumExp = (values) => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
};

/** Where the loss sees the points: InfoNCE on the unit circle, soft nearest neighbour as they are. */
export const places = (points, loss) => (loss === "info_nce" ? points.map(unit) : points);

/** Who pulls anchor i: its partner (InfoNCE), or all of its class (soft nearest neighbour). */
export function pullers(i, loss, classes, partners) {
  return classes.map((c, j) => j !== i && (loss === "info_nce" ? j === partners[i] : c === classes[i]));
}

/**
 * The loss of anchor i: `shares` are the softmax weights of the others, `chance` the weight of
 * those that pull, `loss` is −log chance, `effective` the exponential of the weights' entropy, and
 * `downhill` minus the loss's gradient in the anchor (on the circle, its part along the circle).
 */
export function neighbours(points, i, loss, temperature, classes, partners) {
  const circle = loss === "info_nce";
  const at = places(points, loss);
  const pulls = pullers(i, loss, classes, partners);
  const score = at.map((x) => (circle
    ? dot(at[i], x) : -((at[i][0] - x[0]) ** 2 + (at[i][1] - x[1]) ** 2)) / temperature);
  const others = at.map((_, j) => j).filter((j) => j !== i);
  const all = logSumExp(others.map((j) => score[j]));
  const near = logSumExp(others.filter((j) => pulls[j]).map((j) => score[j]));
  const shares = at.map((_, j) => (j === i ? 0 : Math.exp(score[j] - all)));
  const entropy = others.reduce((sum, j) => sum - shares[j] * (score[j] - all), 0);
  const downhill = [0, 1].map((axis) => others.reduce((sum, j) => {
    const wanted = pulls[j] ? Math.exp(score[j] - near) : 0;
    const slope = circle ? at[j][axis] : 2 * (at[j][axis] - at[i][axis]);
    return sum + (wanted - shares[j]) * slope / temperature;
  }, 0));
  const along = circle ? dot(downhill, at[i]) : 0;
  return {
    shares, pulls, chance: Math.exp(near - all), loss: all - near, effective: Math.exp(entropy),
    downhill: downhill.map((v, axis) => v - along * at[i][axis]),
  };
}

/** The mean of the losses of all anchors. */
export function meanLoss(points, loss, temperature, classes, partners) {
  const each = points.map((_, i) => neighbours(points, i, loss, temperature, classes, partners).loss);
  return each.reduce((a, b) => a + b, 0) / each.length;
}

// ---------------------------------------------------------------- the picture

const SHAPES = ["M-10.5,0A10.5,10.5 0 1 1 10.5,0A10.5,10.5 0 1 1 -10.5,0Z", "M-9.5,-9.5H9.5V9.5H-9.5Z"];
const percent = (share) => (share > 0 && share < 0.005 ? "<1%" : `${(100 * share).toFixed(0)}%`);
const line = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}`;
const LOSSES = {
  soft_nearest_neighbor: {
    name: "soft nearest neighbour", own: "Own class",
    note: "Its class pulls a (solid), the other pushes (dashed). Share: softmax of −distance² / T. Arrow: where a goes.",
  },
  info_nce: {
    name: "InfoNCE", own: "Partner",
    note: "One partner pulls a (solid), all others push (dashed). Share: softmax of cosine / τ. Arrow: where a goes.",
  },
};

/** A curve over the logarithm of the temperature, with a dot at the present one. */
function curve(parent, area, { name, ticks, top }) {
  const grid = svg("g", {});
  const path = svg("path", { fill: "none", stroke: "var(--genssl-model)", "stroke-width": 2.25 });
  const stem = svg("line", { class: "genssl-axis", "stroke-dasharray": "3 4" });
  const spot = svg("circle", { r: 5.5, fill: "var(--genssl-model)", stroke: "var(--genssl-paper)", "stroke-width": 1.5 });
  const value = svg("text", { class: "genssl-halo genssl-strong" });
  const title = svg("text", { x: 0, y: area.y - 10, text: name });
  parent.append(grid, title, stem, path, spot, value);
  const px = (tau) => area.x + area.w * Math.log(tau / TEMPERATURES[0]) / Math.log(TEMPERATURES[1] / TEMPERATURES[0]);
  const py = (v) => area.y + area.h * (1 - clamp(v / top, 0, 1.04));
  return {
    layOut(last) {
      const bottom = area.y + area.h;
      const lines = ticks.flatMap((v) => [
        svg("line", { class: "genssl-grid", x1: area.x, x2: area.x + area.w, y1: py(v), y2: py(v) }),
        svg("text", { class: "genssl-soft", x: area.x - 7, y: py(v) + 4, "text-anchor": "end", text: v }),
      ]);
      for (const v of [0.1, 1, 10]) {
        lines.push(svg("line", { class: "genssl-grid", x1: px(v), x2: px(v), y1: area.y, y2: bottom }));
        if (last) lines.push(svg("text", { class: "genssl-soft", x: px(v), y: bottom + 16, "text-anchor": "middle", text: v }));
      }
      lines.push(svg("line", { class: "genssl-axis", x1: area.x, x2: area.x + area.w, y1: bottom, y2: bottom }));
      if (last) lines.push(svg("text", { class: "genssl-soft", x: area.x + area.w / 2, y: bottom + 33, "text-anchor": "middle", text: "temperature" }));
      grid.replaceChildren(...lines);
    },
    draw(values, tau, now) {
      const [x, y] = [px(tau), py(now)];
      const left = x > area.x + area.w - 52;
      write(path, { d: line(values.filter(([, v]) => v <= 1.04 * top).map(([t, v]) => [px(t), py(v)])) });
      write(stem, { x1: x, x2: x, y1: area.y, y2: area.y + area.h });
      write(spot, { cx: x, cy: y });
      write(value, {
        x: x + (left ? -9 : 9), y: y < area.y + 22 ? y + 20 : y - 8, "text-anchor": left ? "end" : "start", text: number(now),
      });
    },
  };
}

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };
  const [classes, partners] = [model.get("classes"), model.get("partners")];
  const size = classes.length;
  const start = model.get("points").map((p) => [...p]);
  const circle = () => model.get("loss") === "info_nce";
  const solve = (tau) =>
    neighbours(model.get("points"), model.get("anchor"), model.get("loss"), tau, classes, partners);

  const warm = slider(life, {
    label: "temperature =", values: stops(...TEMPERATURES, { scale: "log" }), format: (v) => number(v),
    ends: ["0.02 cold", "20 hot"], onInput: (temperature) => change({ temperature }),
  });
  const kind = choice(life, "loss", Object.entries(LOSSES).map(([key, { name }]) => [key, name]),
    (loss) => change({ loss }));
  controls.append(warm.node, kind.node, html("div", { class: "genssl-buttons" },
    button(life, "next anchor", () => change({ anchor: (model.get("anchor") + 1) % size })),
    button(life, "start again", () => change({ points: start }))));

  // ---- the cloud
  const board = svg("svg", {});
  const room = svg("rect", { fill: "none", class: "genssl-grid", rx: 4, x: 0.5, y: 0.5 });
  const rim = svg("circle", { fill: "none", class: "genssl-axis" });
  board.append(room, rim);
  const ties = classes.map(() => board.appendChild(svg("line", {})));
  const view = { cx: 0, cy: 0, unit: 1 };
  const seen = ([x, y]) => [view.cx + x * view.unit, view.cy - y * view.unit];
  const at = (event) => {
    const box = board.getBoundingClientRect();
    const place = [(event.clientX - box.left - view.cx) / view.unit, (view.cy + box.top - event.clientY) / view.unit];
    // On the circle only the direction counts, however far out the pointer is.
    const length = Math.hypot(...place);
    return circle() && length > 0 ? place.map((v) => v / length) : place;
  };
  const marks = classes.map((c, i) => {
    const shape = svg("path", { class: "genssl-grip", d: SHAPES[c], stroke: "var(--genssl-paper)", "stroke-width": 2 });
    const letter = svg("text", {
      class: "genssl-strong", y: 4.5, "text-anchor": "middle", "pointer-events": "none", text: "a",
      style: "fill: var(--genssl-paper)",
    });
    const node = svg("g", {}, svg("circle", { r: 18, fill: "transparent" }), shape, letter);
    board.append(node);
    const moved = point(life, node, {
      label: `point ${i + 1}, a ${c ? "square" : "circle"}; Enter makes it the anchor`, x: [-EDGE, EDGE], y: [-EDGE, EDGE], step: 0.02, at,
      format: ([x, y]) => `${number(x)}, ${number(y)}`,
      onInput: (place) => {
        if (Math.hypot(...place) < 1e-6) return; // the centre has no direction
        // On the circle a point turns; how far out it lies is kept for the other loss.
        const length = Math.hypot(...model.get("points")[i]);
        const put = circle() ? unit(place).map((v) => v * length) : place;
        change({ points: model.get("points").map((p, k) => (k === i ? put : p)) });
      },
    });
    const choose = () => change({ anchor: i });
    life.listen(node, "dblclick", choose);
    life.listen(node, "keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
      choose();
    });
    return { node, shape, letter, ...moved };
  });
  const shaft = svg("line", { x1: 13, stroke: "var(--genssl-ink)", "stroke-width": 2.25 });
  const head = svg("path", { d: "M1,0L-9,5V-5Z", fill: "var(--genssl-ink)" });
  const arrow = board.appendChild(svg("g", { "pointer-events": "none" }, shaft, head));
  const words = classes.map(() => board.appendChild(svg("text", {
    class: "genssl-halo", "text-anchor": "middle", "pointer-events": "none",
  })));

  // ---- the weights in one bar, and two curves over the temperature
  const HEIGHT = 372;
  const side = svg("svg", { height: HEIGHT });
  const hatch = unique("hatch");
  side.append(svg("defs", {}, svg("pattern", {
    id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
  }, svg("rect", { width: 6, height: 6, fill: "var(--genssl-negative)", "fill-opacity": 0.3 }),
  svg("rect", { width: 2.5, height: 6, fill: "var(--genssl-negative)" }))));
  const own = svg("text", { x: 0, y: 13 });
  const rest = svg("text", { y: 13, "text-anchor": "end" });
  const parts = classes.map(() => svg("rect", { y: 20, height: 24, stroke: "var(--genssl-paper)", "stroke-width": 1.5 }));
  side.append(own, rest, ...parts);
  const areas = [{ x: 22, y: 88, w: 0, h: 96 }, { x: 22, y: 228, w: 0, h: 96 }];
  const many = curve(side, areas[0], { name: "effective number of neighbours", ticks: [1, 3, 5, 7], top: 7.6 });
  const cost = curve(side, areas[1], { name: "loss of this anchor, in nats", ticks: [0, 2, 4], top: 4.6 });

  const note = html("p", { class: "genssl-note genssl-said" });
  const said = html("p", { class: "genssl-heading" });
  const mean = html("p", { class: "genssl-note genssl-said" });
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel" },
      html("p", { class: "genssl-heading", text: "Drag the points; double-click: anchor" }),
      note, board),
    html("div", { class: "genssl-panel" }, said, mean, side)));

  // ---- moving it all
  function drawCloud({ shares, pulls, downhill }, tau) {
    const i = model.get("anchor");
    const where = places(model.get("points"), model.get("loss"));
    const xy = where.map(seen);
    write(rim, { visibility: circle() ? "visible" : "hidden" });
    marks.forEach(({ node, shape, letter, show }, j) => {
      const role = j === i ? "anchor" : pulls[j] ? "positive" : "negative";
      write(node, { transform: `translate(${xy[j]})${j === i ? " scale(1.15)" : ""}` });
      write(shape, { fill: `var(--genssl-${role})` });
      write(letter, { visibility: j === i ? "visible" : "hidden" });
      write(ties[j], {
        x1: xy[i][0], y1: xy[i][1], x2: xy[j][0], y2: xy[j][1], stroke: `var(--genssl-${role})`,
        "stroke-width": shares[j] * WIDEST, "stroke-opacity": 0.75, "stroke-dasharray": pulls[j] ? null : "7 4",
      });
      show(where[j]);
      const from = circle() ? [view.cx, view.cy] : xy[i];
      const [dx, dy] = [xy[j][0] - from[0], xy[j][1] - from[1]];
      const far = Math.hypot(dx, dy) || 1;
      write(words[j], {
        x: clamp(xy[j][0] + 27 * dx / far, 16, 2 * view.cx - 16), y: clamp(xy[j][1] + 22 * dy / far + 4.5, 14, 2 * view.cy - 6),
        text: j === i ? "" : percent(shares[j]), class: shares[j] >= 0.2 ? "genssl-halo genssl-strong" : "genssl-halo",
      });
    });
    // Times the temperature: the arrow says whither and how strongly, without the factor 1 / T.
    const step = downhill.map((v) => v * tau * (circle() ? 1 : 0.5) * view.unit);
    const length = Math.hypot(...step);
    const turn = Math.atan2(-step[1], step[0]) * 180 / Math.PI;
    write(arrow, { visibility: length > 2 ? "visible" : "hidden", transform: `translate(${xy[i]}) rotate(${turn})` });
    write(shaft, { x2: 13 + Math.max(0, length - 4) });
    write(head, { transform: `translate(${15 + length} 0)` });
  }

  function drawSide(now, tau) {
    const total = areas[0].w + areas[0].x;
    const order = classes.map((_, j) => j).sort((a, b) => now.pulls[b] - now.pulls[a] || now.shares[b] - now.shares[a]);
    let x = 0;
    order.forEach((j) => {
      const wide = now.shares[j] * total;
      write(parts[j], {
        x, width: wide, fill: now.pulls[j] ? "var(--genssl-positive)" : `url(#${hatch})`,
        visibility: wide > 0.3 ? "visible" : "hidden",
      });
      x += wide;
    });
    write(own, { text: `${LOSSES[model.get("loss")].own} ${percent(now.chance)}` });
    write(rest, { x: total, text: `others ${percent(1 - now.chance)}` });
    const all = stops(...TEMPERATURES, { scale: "log", steps: 80 }).map((t) => [t, solve(t)]);
    many.draw(all.map(([t, v]) => [t, v.effective]), tau, now.effective);
    cost.draw(all.map(([t, v]) => [t, v.loss]), tau, now.loss);
  }

  function draw() {
    const [tau, loss, anchor] = [model.get("temperature"), model.get("loss"), model.get("anchor")];
    const now = solve(tau);
    const average = meanLoss(model.get("points"), loss, tau, classes, partners);
    const { own: who, note: about } = LOSSES[loss];
    warm.show(tau);
    kind.show(loss);
    write(note, { text: about });
    const sentence = `${who} ${percent(now.chance)}: loss −log ${number(now.chance)} = ${number(now.loss)}`;
    write(said, { text: sentence });
    write(mean, { text: `Mean loss over all ${size} anchors: ${number(average)}.` });
    if (view.unit > 1) drawCloud(now, tau);
    if (areas[0].w > 0) drawSide(now, tau);
    announce(`Temperature ${number(tau)}. ${sentence}. Effective number of neighbours ${number(now.effective)}.`);
    // Full precision, for tests and for the curious.
    const shown = {
      ...now, points: model.get("points"), temperature: tau, kind: loss, anchor, meanLoss: average, classes, partners,
    };
    for (const [name, v] of Object.entries(shown)) root.dataset[name] = JSON.stringify(v);
  }

  life.resize(board, (wide) => {
    const height = Math.min(wide, 400);
    Object.assign(view, { cx: wide / 2, cy: height / 2, unit: height / 2 / VIEW });
    write(board, { viewBox: `0 0 ${wide} ${height}`, height });
    write(room, { width: wide - 1, height: height - 1 });
    write(rim, { cx: view.cx, cy: view.cy, r: view.unit });
    draw();
  });
  life.resize(side, (wide) => {
    areas.forEach((area) => { area.w = wide - area.x - 2; });
    write(side, { viewBox: `0 0 ${wide} ${HEIGHT}` });
    many.layOut(false);
    cost.layOut(true);
    draw();
  });
  life.follow(model, ["points", "temperature", "loss", "anchor"], draw);
  draw();
  return () => life.end();
}

export default { render };
