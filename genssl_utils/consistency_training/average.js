// A teacher that averages its student: later with every step it looks back, and calmer.
import {
  button, clamp, frame, handle, html, lifetime, number, significant, slider, stops, svg, unique, write,
} from "../kit/figure.js";
import {
  BEFORE, DECADES, STEPS, asDecay, bestDecay, decayStops, drawNormal, error, lag, noiseLeft, paths, power, readable,
} from "./average_maths.js";

const NOISE = [0.05, 1];
const SPEED = [0.0001, 0.1];

// ---------------------------------------------------------------- the two pictures

const PAPER = { stroke: "var(--genssl-paper)", "stroke-width": 1.5 };
const through = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}`;
const axisName = (x, y, text) => svg("text", { class: "genssl-soft", x, y, "text-anchor": "middle", text });
const sideName = (y, text) => svg("text", {
  class: "genssl-soft", x: 10, y, "text-anchor": "middle", transform: `rotate(-90 10 ${y})`, text,
});

/** Round numbers between two, at most `count` of them or so. */
function niceTicks(low, high, count) {
  const rough = (high - low) / count;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * size).find((s) => s >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

const [TOP, TALL, LEFT] = [12, 250, 58];

/** A heading, a note, a key of line samples, and an empty picture. */
function panel(heading, note, key) {
  const picture = svg("svg", { height: TOP + TALL + 40 });
  const named = html("p", { class: "genssl-note genssl-said" });
  for (const { look, words } of Object.values(key)) {
    named.append(html("span", { style: "white-space: nowrap; margin-right: 1em" },
      svg("svg", { viewBox: "0 -6 28 12", "aria-hidden": "true", style: "display: inline-block; width: 28px; height: 12px; vertical-align: -1px; margin-right: 5px" },
        svg("path", { d: "M1,0H27", fill: "none", ...look })), words), " ");
  }
  const node = html("div", { class: "genssl-panel" },
    html("p", { class: "genssl-heading", text: heading }),
    html("p", { class: "genssl-note", text: note }), named, picture);
  const lines = Object.fromEntries(Object.entries(key).map(([name, { look }]) =>
    [name, svg("path", { fill: "none", "stroke-linejoin": "round", ...look })]));
  return { node, picture, lines };
}

/** The student's path and its teacher's. */
function pathPanel(life, onWidth) {
  const { node, picture, lines } = panel("One weight of student and teacher",
    "Both have run for a long time before step 0.", {
      student: { look: { stroke: "var(--genssl-student)", "stroke-width": 1.2 }, words: "student" },
      heading: { look: { stroke: "var(--genssl-ink)", "stroke-width": 1.5, "stroke-dasharray": "6 4" }, words: "without its noise" },
      teacher: { look: { stroke: "var(--genssl-teacher)", "stroke-width": 3 }, words: "teacher" },
    });
  const clip = unique("clip");
  const box = svg("rect", { x: LEFT, y: TOP, height: TALL });
  const back = svg("g", {});
  const inside = svg("g", { "clip-path": `url(#${clip})` }, ...Object.values(lines));
  const arrow = svg("path", { fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 2 });
  const arrowName = svg("text", { class: "genssl-halo genssl-strong" });
  picture.append(svg("defs", {}, svg("clipPath", { id: clip }, box)), back, inside, arrow, arrowName);
  let wide = 0;
  life.resize(picture, (width) => {
    wide = width - LEFT - 10;
    write(picture, { viewBox: `0 0 ${width} ${TOP + TALL + 40}` });
    write(box, { width: wide });
    onWidth();
  });

  return {
    node,
    show({ made, decay, speed, noise }) {
      if (!wide) return;
      const rise = speed * STEPS;
      const [low, high] = [-0.3 * rise - 3.3 * noise, rise + 3.3 * noise];
      const x = (step) => LEFT + (step / STEPS) * wide;
      const y = (weight) => TOP + ((high - weight) / (high - low)) * TALL;
      const bottom = TOP + TALL;
      const grid = [];
      for (const tick of niceTicks(low, high, 5)) {
        grid.push(svg("line", { class: "genssl-grid", x1: LEFT, x2: LEFT + wide, y1: y(tick), y2: y(tick) }),
          svg("text", { class: "genssl-soft", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end", text: Number(tick.toPrecision(3)).toString().replace("-", "−") }));
      }
      for (const step of [0, 100, 200, 300]) {
        grid.push(svg("text", { class: "genssl-soft", x: x(step), y: bottom + 16, "text-anchor": "middle", text: step }));
      }
      back.replaceChildren(...grid,
        svg("path", { class: "genssl-axis", fill: "none", d: `M${LEFT},${TOP}V${bottom}H${LEFT + wide}` }),
        axisName(LEFT + wide / 2, bottom + 33, "step"), sideName(TOP + TALL / 2, "weight θ"));
      const trace = (values) => through(values.map((weight, step) => [x(step), y(weight)]));
      write(lines.student, { d: trace(made.student) });
      write(lines.heading, { d: trace(made.heading) });
      write(lines.teacher, { d: trace(made.teacher) });

      // The lag, from where the student was heading then to where the teacher comes now.
      const late = lag(decay);
      const now = STEPS * 0.6;
      const level = y(speed * (now - late));
      const [from, to] = [x(now - late), x(now)];
      const seen = speed > 0 && late <= now && to - from > 14;
      write(arrow, {
        d: `M${from},${level}H${to}M${from + 6},${level - 4}L${from},${level}L${from + 6},${level + 4}` +
          `M${to - 6},${level - 4}L${to},${level}L${to - 6},${level + 4}`,
        visibility: seen ? "visible" : "hidden",
      });
      // A teacher that is too late for the picture is named at its edge.
      const gone = speed > 0 && late > now;
      write(arrowName, {
        x: gone ? LEFT + 8 : to + 8, y: gone ? bottom - 8 : level + 20,
        text: `${gone ? "teacher: " : ""}${late.toFixed(0)} steps late${gone ? " ↓" : ""}`,
        visibility: seen || gone ? "visible" : "hidden",
      });
    },
  };
}

/** The error over all decays: its two parts, its smallest value, and where the reader stands. */
function errorPanel(life, { most, onDecay, onWidth }) {
  const { node, picture, lines } = panel("Teacher’s error: drag the diamond",
    "Mean squared distance to the student without its noise.", {
      bias2: { look: { stroke: "var(--genssl-model)", "stroke-width": 2, "stroke-dasharray": "7 4" }, words: "from lag" },
      variance: { look: { stroke: "var(--genssl-data)", "stroke-width": 2.2, "stroke-dasharray": "2 3" }, words: "from noise" },
      total: { look: { stroke: "var(--genssl-ink)", "stroke-width": 2.5 }, words: "both" },
    });
  const clip = unique("clip");
  const box = svg("rect", { x: LEFT, y: TOP, height: TALL });
  const back = svg("g", {});
  const best = svg("circle", { r: 8, fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 2 });
  const bestName = svg("text", { class: "genssl-halo", "text-anchor": "middle" });
  const stem = svg("line", { stroke: "var(--genssl-teacher)", "stroke-width": 1.5, "stroke-dasharray": "3 3" });
  const grip = svg("path", { class: "genssl-grip", d: "M0,-9L9,0L0,9L-9,0Z", fill: "var(--genssl-teacher)", ...PAPER });
  const reach = svg("rect", { y: TOP, width: 32, height: TALL, fill: "transparent" });
  const group = svg("g", {}, reach, stem, grip);
  const own = svg("text", { class: "genssl-halo genssl-strong" });
  picture.append(svg("defs", {}, svg("clipPath", { id: clip }, box)), back,
    svg("g", { "clip-path": `url(#${clip})` }, ...Object.values(lines)),
    best, group, bestName, own);
  let wide = 0;
  let left = 0;
  const x = (decay) => LEFT + (-Math.log10(1 - decay) / DECADES) * wide;
  const drag = handle(life, group, {
    label: "decay, as −log10(1 − α)", min: 0, max: DECADES, step: DECADES / 120,
    format: (place) => `α = ${asDecay(1 - 10 ** -place)}`,
    at: (event) => ((event.clientX - picture.getBoundingClientRect().left - left) / wide) * DECADES,
    onInput: (place) => onDecay(Math.min(most, Number((1 - 10 ** -place).toFixed(5)))),
  });
  life.resize(picture, (width) => {
    [left, wide] = [LEFT, width - LEFT - 16];
    write(picture, { viewBox: `0 0 ${width} ${TOP + TALL + 40}` });
    write(box, { width: wide });
    onWidth();
  });

  return {
    node,
    show({ decay, speed, noise, top, now, smallest }) {
      drag.show(-Math.log10(1 - decay));
      if (!wide) return;
      const bottom = TOP + TALL;
      const decays = Array.from({ length: 181 }, (_, i) => 1 - 10 ** ((-DECADES * i) / 180));
      const errors = decays.map((d) => error(d, speed, noise));
      const low = smallest.total / 40;
      const high = Math.max(...errors.map((e) => e.total)) * 3;
      const y = (v) => TOP + (Math.log(high / Math.max(v, 1e-12)) / Math.log(high / low)) * TALL;
      const grid = [];
      const powers = [];
      for (let e = Math.ceil(Math.log10(low)); 10 ** e <= high; e += 1) powers.push(e);
      powers.filter((e) => e % Math.ceil(powers.length / 6) === 0).forEach((e) => {
        const v = 10 ** e;
        grid.push(svg("line", { class: "genssl-grid", x1: LEFT, x2: LEFT + wide, y1: y(v), y2: y(v) }),
          svg("text", { class: "genssl-soft", x: LEFT - 6, y: y(v) + 4, "text-anchor": "end", text: power(e) }));
      });
      for (const d of [0, 0.9, 0.99, 0.999]) {
        grid.push(svg("line", { class: "genssl-grid", x1: x(d), x2: x(d), y1: TOP, y2: bottom }),
          svg("text", { class: "genssl-soft", x: x(d), y: bottom + 16, "text-anchor": d > 0.99 ? "end" : "middle", ...(d > 0.99 ? { x: x(d) + 14 } : {}), text: d }));
      }
      back.replaceChildren(...grid,
        svg("path", { class: "genssl-axis", fill: "none", d: `M${LEFT},${TOP}V${bottom}H${LEFT + wide}` }),
        axisName(LEFT + wide / 2, bottom + 33, "decay α, on the scale of 1 − α"),
        sideName(TOP + TALL / 2, "squared error"));
      for (const [key, curve] of Object.entries(lines)) {
        const points = decays.map((d, i) => [x(d), y(errors[i][key])]).filter(([, h]) => h < bottom + 400);
        write(curve, { d: points.length ? through(points) : "" });
      }
      const [bx, by] = [x(top), y(smallest.total)];
      write(best, { cx: bx, cy: by });
      const [ox, oy] = [x(decay), y(now.total)];
      write(stem, { x1: ox, x2: ox, y1: oy, y2: bottom });
      write(grip, { transform: `translate(${ox} ${oy})` });
      write(reach, { x: ox - 16 });
      // The words stand inside the valley, where no curve runs.
      const near = Math.abs(ox - bx) < 14;
      const leans = decay > top ? "end" : "start";
      const tight = leans === "end" ? ox < LEFT + 90 : ox > LEFT + wide - 90;
      const beside = near || tight
        ? { x: clamp(ox, LEFT + 40, LEFT + wide - 28), y: near ? by + 45 : Math.max(TOP + 10, oy - 18), "text-anchor": "middle" }
        : { x: ox + (leans === "end" ? -14 : 14), y: oy + 4, "text-anchor": leans };
      write(own, { ...beside, text: `α = ${asDecay(decay)}` });
      write(bestName, { x: clamp(bx, LEFT + 44, LEFT + wide - 30), y: by + 26, text: `best ${asDecay(top)}` });
    },
  };
}

// ---------------------------------------------------------------- together

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (name, v) => {
    model.set(name, v);
    model.save_changes();
  };
  const decays = decayStops();
  const most = decays.at(-1);
  const average = slider(life, {
    label: "decay α =", values: decays, format: asDecay, ends: ["0 no average", "0.999 long"],
    onInput: (v) => change("decay", v),
  });
  const quick = slider(life, {
    label: "speed of the student v =", values: [0, ...stops(...SPEED, { scale: "log", steps: 60 })],
    format: (v) => (v ? significant(v, 2) : "0"), ends: ["0 rests", "0.1 a step"], onInput: (v) => change("speed", v),
  });
  const rough = slider(life, {
    label: "noise of the student σ =", values: stops(...NOISE, { steps: 95 }), format: (v) => number(v),
    ends: ["0.05 calm", "1 wild"], onInput: (v) => change("noise", v),
  });
  controls.append(average.node, quick.node, rough.node, html("div", { class: "genssl-buttons" },
    button(life, "new noise", () => change("seed", model.get("seed") + 1))));

  const said = html("p", { class: "genssl-heading genssl-said" });
  const walk = pathPanel(life, () => draw());
  const trade = errorPanel(life, { most, onDecay: (v) => change("decay", v), onWidth: () => draw() });
  const head = ["", "", ""].map(() => html("th", { scope: "col" }));
  const rows = [
    ["lag in steps,", "α/(1 − α)"], ["share of the noise variance left,", "(1 − α)/(1 + α)"],
    ["error from lag,", "(v · lag)²"], ["error from noise,", "σ² · share left"], ["error,", "both"],
  ]
    .map(([name, formula]) => {
      const text = `${name} ${formula.replaceAll(" ", "\u00a0")}`;
      const cells = [html("td"), html("td")];
      return { cells, node: html("tr", {}, html("th", { scope: "row", text }), ...cells) };
    });
  picture.append(said, html("div", { class: "genssl-panels" }, walk.node, trade.node), html("table", {},
    html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows.map((row) => row.node))));

  let [drawn, normal] = [null, []];
  function draw() {
    const [decay, noise, speed] = ["decay", "noise", "speed"].map((name) => model.get(name));
    if (drawn !== model.get("seed")) {
      drawn = model.get("seed");
      normal = drawNormal(BEFORE + STEPS + 1, drawn);
    }
    const made = paths(normal, decay, speed, noise);
    const top = bestDecay(speed, noise, most);
    const [now, smallest] = [error(decay, speed, noise), error(top, speed, noise)];
    average.show(decay);
    quick.show(speed);
    rough.show(noise);
    walk.show({ made, decay, speed, noise });
    trade.show({ decay, speed, noise, top, now, smallest });
    const share = (part) => {
      const percent = (100 * part) / now.total;
      return percent > 99 ? "over 99\u00a0%" : `${percent.toFixed(0)}\u00a0%`;
    };
    const kept = `${lag(decay).toFixed(1)} steps late, ${number(100 * noiseLeft(decay), 1)}\u00a0% of the noise left.`;
    const verdict = now.total < 1.02 * smallest.total
      ? speed === 0 ? "The student rests, so being late costs nothing: the longest average is best."
        : `Here the error is smallest: ${kept}`
      : decay > top
        ? `Too long an average: ${share(now.bias2)} of the error comes from lag.`
        : `Too short an average: ${share(now.variance)} of the error comes from noise.`;
    write(said, { text: verdict });
    write(head[1], { text: `yours, α\u00a0=\u00a0${asDecay(decay)}` });
    write(head[2], { text: `best, α\u00a0=\u00a0${asDecay(top)}` });
    [[decay, now], [top, smallest]].forEach(([d, e], k) => {
      [lag(d), noiseLeft(d), e.bias2, e.variance, e.total].forEach((v, i) => write(rows[i].cells[k], { text: readable(v) }));
    });
    announce(`Decay ${asDecay(decay)}. ${verdict} The best decay is ${asDecay(top)}.`);
    // Full precision, for tests and for the curious.
    const numbers = {
      decay, noise, speed, lag: lag(decay), noiseLeft: noiseLeft(decay), error: now,
      bestDecay: top, smallest, student: made.student, teacher: made.teacher,
    };
    for (const [name, v] of Object.entries(numbers)) root.dataset[name] = JSON.stringify(v);
  }
  life.follow(model, ["decay", "noise", "speed", "seed"], draw);
  draw();
  return () => life.end();
}

export default { render };
