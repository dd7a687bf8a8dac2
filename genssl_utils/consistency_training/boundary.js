// Two moons with six labels: the boundary as training goes, for any answers to the four questions.
import { clamp, frame, html, lifetime, slider, svg, unique, unpacked, write } from "../kit/figure.js";

// ---------------------------------------------------------------- the maths

/**
 * Which setting a choice is: 0 for labels alone, else 1 + its place in the product of all options.
 * The last choice is λ, whose first position is λ = 0: there nothing else matters.
 */
export function settingOf(choice, sizes) {
  const [weight, rest] = [choice.at(-1), choice.slice(0, -1)];
  if (weight === 0) return 0;
  return 1 + [...rest, weight - 1].reduce((at, c, i) => at * sizes[i] + c, 0);
}

/** Probabilities of one frame, row by row from the top. */
export function frameOf(bytes, setting, moment, moments, cells) {
  const start = (setting * moments + moment) * cells;
  return Array.from(bytes.slice(start, start + cells), (b) => b / 255);
}

/** The line p = ½ through a grid, as pieces [x1, y1, x2, y2] in units of cells (marching squares). */
export function contour(values, columns, rows, level = 0.5) {
  const pieces = [];
  for (let r = 0; r + 1 < rows; r += 1) {
    for (let c = 0; c + 1 < columns; c += 1) {
      const [a, b] = [values[r * columns + c], values[r * columns + c + 1]];
      const [d, e] = [values[(r + 1) * columns + c], values[(r + 1) * columns + c + 1]];
      const cut = (p, q) => (level - p) / (q - p);
      const hits = [];
      if (a < level !== b < level) hits.push([c + cut(a, b), r]);
      if (b < level !== e < level) hits.push([c + 1, r + cut(b, e)]);
      if (d < level !== e < level) hits.push([c + cut(d, e), r + 1]);
      if (a < level !== d < level) hits.push([c, r + cut(a, d)]);
      for (let k = 0; k + 1 < hits.length; k += 2) pieces.push([...hits[k], ...hits[k + 1]]);
    }
  }
  return pieces;
}

// ---------------------------------------------------------------- the words

const QUESTIONS = [
  ["1. teacher", ["the latest network", "average of weights"]],
  ["2. target and 4. loss", ["soft, L2", "soft, KL or CE", "soft, JS", "sharpened, KL or CE", "hard, CE"]],
  ["3. what the student sees", [
    "noise 0.05 (weak)", "noise 0.15", "noise 0.25 (strong)", "noise 0.4 (too strong?)", "adversarial step of 0.3",
  ]],
];
const LEVELS = [
  ["a target counts:", ["always", "if p ≥ 0.7", "if p ≥ 0.9", "if p ≥ 0.97"]],
  ["weight λ =", ["0", "0.5", "2", "8"]],
];
// Published methods as choices; on a plane, weak and strong views are small and large noise. A list
// holds the position to take and the others that go by the same name; null is any position.
const ANY = null;
const WEIGHT = [2, 1, 3];
const ROWS = [
  ["labels alone", [ANY, ANY, ANY, ANY, [0]]],
  ["Π-model", [[0], [0], [0], [0], WEIGHT]],
  ["Mean Teacher", [[1], [0], [0], [0], WEIGHT]],
  ["VAT", [[0], [1], [4], [0], WEIGHT]],
  ["UDA", [[0], [3], [2], [1, 0, 2, 3], WEIGHT]],
  ["FixMatch", [[0], [4], [2], [2, 1, 3], WEIGHT]],
];

/** The published method that a choice is, whatever its λ; "" where it is the reader's own. */
export function nameOf(choice) {
  const row = ROWS.find(([, at]) => at.every((a, i) => a === ANY || a.includes(choice[i])));
  return row ? row[0] : "";
}

/** The choice that a row of the table makes, from where the reader stands. */
export function choiceOf(row, now) {
  return ROWS[row][1].map((a, i) => (a === ANY || a.includes(now[i]) ? now[i] : a[0]));
}

function select(life, label, options, onInput) {
  const id = unique("select");
  const box = html("select", { id }, ...options.map((text, i) => html("option", { value: i, text })));
  box.style.cssText = "display:block;width:100%;min-height:36px;font:inherit;color:inherit;"
    + "background:var(--genssl-paper);border:1px solid var(--genssl-edge);border-radius:5px;padding:0 .4em";
  life.listen(box, "change", () => onInput(Number(box.value)));
  const node = html("div", { class: "genssl-slider" }, html("label", { for: id, text: label }), box);
  node.style.flex = "1 1 180px";
  return { node, show: (value) => { box.value = value; } };
}

// ---------------------------------------------------------------- the picture

async function render({ model, el }) {
  const bytes = await unpacked(model.get("frames"));
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const [columns, rows] = model.get("grid");
  const [left, right, bottom, top] = model.get("window");
  const [moments, sizes] = [model.get("moments"), model.get("sizes")];
  const change = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };

  const method = select(life, "a row of the table", [...ROWS.map(([name]) => name), "your own mix"], (at) => {
    if (at >= ROWS.length) return draw();
    change("choice", choiceOf(at, model.get("choice")));
  });
  const put = (i) => (value) => change("choice", model.get("choice").map((c, k) => (k === i ? value : c)));
  const questions = QUESTIONS.map(([label, options], i) => select(life, label, options, put(i)));
  const levels = LEVELS.map(([label, options], i) => slider(life, {
    label, values: options.map((_, k) => k), format: (k) => options[k],
    ends: [options[0], options.at(-1)], onInput: put(QUESTIONS.length + i),
  }));
  const time = slider(life, {
    label: "updates done:", values: moments.map((_, i) => i), format: (i) => String(moments[i]),
    ends: [String(moments[0]), String(moments.at(-1))], onInput: (i) => change("moment", i),
  });
  controls.append(method.node, ...questions.map((q) => q.node), ...levels.map((l) => l.node), time.node);

  const said = html("p", { class: "genssl-heading genssl-said" });
  const plot = svg("svg", {});
  picture.append(said, plot, html("p", {
    class: "genssl-note",
    text: "Large circles and squares: the six labels. Small dots: 300 points without one. The darker "
      + "the side, the surer the network. KL and CE have the same gradient, so they share their frames. "
      + "One training, with one seed, for each setting.",
  }));
  const cells = svg("g", { "shape-rendering": "crispEdges" });
  const dots = svg("g", { fill: "var(--genssl-ink)", "fill-opacity": 0.45 });
  const line = svg("path", { fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 2.5, "stroke-linecap": "round" });
  const marks = svg("g");
  plot.append(cells, dots, line, marks);
  let [width, height] = [0, 0];
  const x = (value) => ((value - left) / (right - left)) * width;
  const y = (value) => ((top - value) / (top - bottom)) * height;
  const rects = Array.from({ length: columns * rows }, () => cells.appendChild(svg("rect")));

  function layOut(w) {
    width = w;
    height = Math.round((w * (top - bottom)) / (right - left));
    write(plot, { viewBox: `0 0 ${width} ${height}`, height });
    const [dx, dy] = [width / (columns - 1), height / (rows - 1)];
    rects.forEach((rect, i) => {
      const [c, r] = [i % columns, Math.floor(i / columns)];
      const [x1, y1] = [clamp((c - 0.5) * dx, 0, width), clamp((r - 0.5) * dy, 0, height)];
      write(rect, { x: x1, y: y1, width: clamp((c + 0.5) * dx, 0, width) - x1, height: clamp((r + 0.5) * dy, 0, height) - y1 });
    });
    dots.replaceChildren(...model.get("points").map(([a, b]) => svg("circle", { cx: x(a), cy: y(b), r: 1.8 })));
    marks.replaceChildren(...model.get("labelled").map(([a, b, k]) => {
      const look = { stroke: "var(--genssl-paper)", "stroke-width": 2, fill: `var(--genssl-${k ? "model" : "data"})` };
      return k ? svg("rect", { x: x(a) - 7, y: y(b) - 7, width: 14, height: 14, ...look })
        : svg("circle", { cx: x(a), cy: y(b), r: 8, ...look });
    }));
    draw();
  }

  function draw() {
    const [choice, moment] = [model.get("choice"), model.get("moment")];
    const setting = settingOf(choice, sizes);
    const values = frameOf(bytes, setting, moment, moments.length, columns * rows);
    const name = nameOf(choice);
    method.show(name ? ROWS.findIndex(([row]) => row === name) : ROWS.length);
    [...questions, ...levels].forEach((control, i) => control.show(choice[i]));
    time.show(moment);
    const accuracy = model.get("accuracy")[setting];
    const sentence = `${name || "Your own mix"}: ${(100 * accuracy).toFixed(1)} % of fresh points right after ${moments.at(-1)} updates.`;
    write(said, { text: sentence });
    const [dx, dy] = [width / (columns - 1), height / (rows - 1)];
    rects.forEach((rect, i) => write(rect, {
      fill: `var(--genssl-${values[i] > 0.5 ? "model" : "data"})`,
      "fill-opacity": (0.55 * Math.abs(2 * values[i] - 1)).toFixed(3),
    }));
    const pieces = contour(values, columns, rows);
    write(line, {
      d: pieces.map(([a, b, c, d]) => `M${(a * dx).toFixed(1)},${(b * dy).toFixed(1)}L${(c * dx).toFixed(1)},${(d * dy).toFixed(1)}`).join(""),
    });
    announce(`${sentence} Shown after ${moments[moment]}.`);
    Object.assign(root.dataset, {
      setting: JSON.stringify(setting), moment: JSON.stringify(moment), values: JSON.stringify(values),
      accuracy: JSON.stringify(accuracy), choice: JSON.stringify(choice), name: JSON.stringify(name),
      pieces: JSON.stringify(pieces.length),
    });
  }
  life.resize(plot, layOut);
  life.follow(model, ["choice", "moment"], draw);
  draw();
  return () => life.end();
}

export default { render };
