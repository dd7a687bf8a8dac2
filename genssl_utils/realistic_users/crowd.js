// A home under the reader's hand, and the crowd of buyers that a generator makes for it.
import {
  button, choice, frame, html, lifetime, slider, stops, svg, unpacked, write,
} from "../kit/figure.js";

// ---------------------------------------------------------------- the maths

/** The numbers of bytes that hold 16-bit floats, little end first. */
export function halves(bytes) {
  const out = new Float32Array(bytes.length / 2);
  for (let i = 0; i < out.length; i += 1) {
    const bits = bytes[2 * i] | (bytes[2 * i + 1] << 8);
    const [power, rest] = [(bits >> 10) & 31, bits & 1023];
    const size = power ? 2 ** (power - 15) * (1 + rest / 1024) : 2 ** -14 * (rest / 1024);
    out[i] = bits >> 15 ? -size : size;
  }
  return out;
}

/** A home as 11 numbers: size and price as standardised logarithms, its place, its extras. */
export function described({ size, price, place, extras }, scales, places, all) {
  const standard = (x, [middle, spread]) => (Math.log(x) - middle) / spread;
  return [
    standard(size, scales.size), standard(price, scales.price),
    ...Array.from({ length: places }, (_, k) => (k === place ? 1 : 0)),
    ...Array.from({ length: all }, (_, k) => (extras.includes(k) ? 1 : 0)),
  ];
}

/** 1, the numbers, their squares and products. */
export function squares(x) {
  const out = [1, ...x];
  x.forEach((a, i) => x.slice(i).forEach((b) => out.push(a * b)));
  return out;
}

/** A matrix, flat, row by row, times a vector. */
export function times(matrix, vector) {
  const width = vector.length;
  return Array.from({ length: matrix.length / width }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j += 1) sum += matrix[i * width + j] * vector[j];
    return sum;
  });
}

/** A perceptron with leaky units; `weights` holds each layer's matrix, then its bias, flat. */
export function perceptron(input, widths, weights) {
  let [x, from] = [input, 0];
  for (let layer = 1; layer < widths.length; layer += 1) {
    const [inputs, outputs] = [widths[layer - 1], widths[layer]];
    const biases = from + inputs * outputs;
    x = times(weights.subarray(from, biases), x).map((v, i) => v + weights[biases + i]);
    if (layer < widths.length - 1) x = x.map((v) => (v < 0 ? 0.1 * v : v));
    from = biases + outputs;
  }
  return x;
}

/** The place of the largest number of a block. */
export function largest(values, from, size) {
  let best = from;
  for (let k = from; k < from + size; k += 1) if (values[k] > values[best]) best = k;
  return best - from;
}

/** Who comes: choices, one a block of `sizes`, and the two numbers that follow. */
export function person(values, sizes, scales, gumbel = null) {
  const noisy = gumbel ? values.map((v, k) => (k < gumbel.length ? v + gumbel[k] : v)) : values;
  let from = 0;
  const choices = sizes.map((size) => {
    const chosen = largest(noisy, from, size);
    from += size;
    return chosen;
  });
  const [age, income] = [values[from], values[from + 1]];
  return {
    choices, age: scales.age[0] + scales.age[1] * age,
    income: Math.exp(scales.income[0] + scales.income[1] * income),
  };
}

/** The chance that each of a public clicks, from tastes (n × 14, flat) and a home's 11 numbers. */
export function chances(tastes, told) {
  const [size, price, ...rest] = told;
  const basis = [1, size, size * size, price, price * price, ...rest];
  return times(tastes, basis).map((utility) => 1 / (1 + Math.exp(-utility)));
}

/** Shares of all values of all categories, and mean age and income, of weighted people. */
export function shares(people, weights, sizes) {
  const out = Array(sizes.reduce((a, b) => a + b, 0)).fill(0);
  let [total, age, income] = [0, 0, 0];
  people.forEach((one, i) => {
    total += weights[i];
    age += weights[i] * one.age;
    income += weights[i] * one.income;
    let from = 0;
    one.choices.forEach((chosen, block) => {
      out[from + chosen] += weights[i];
      from += sizes[block];
    });
  });
  return { shares: out.map((v) => v / total), age: age / total, income: income / total };
}

/** Places of n people, drawn by their weights at even steps. */
export function drawn(weights, n) {
  const total = weights.reduce((a, b) => a + b, 0);
  let [at, below] = [0, weights[0]];
  return Array.from({ length: n }, (_, k) => {
    const wanted = ((k + 0.5) / n) * total;
    while (below < wanted && at < weights.length - 1) below += weights[(at += 1)];
    return at;
  });
}

// ---------------------------------------------------------------- the picture

const [WIDE, HIGH, LEFT, BOTTOM] = [380, 330, 40, 36];
const [AGES, INCOMES] = [[15, 95], [8, 400]];
const across = (age) => LEFT + ((age - AGES[0]) / (AGES[1] - AGES[0])) * (WIDE - LEFT - 8);
const up = (income) =>
  HIGH - BOTTOM - (Math.log(income / INCOMES[0]) / Math.log(INCOMES[1] / INCOMES[0])) * (HIGH - BOTTOM - 8);
const MARKS = [
  ["M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", "var(--genssl-data)"],
  ["M0,-5L4.6,3.6L-4.6,3.6Z", "var(--genssl-model)"],
  ["M-3.6,-3.6H3.6V3.6H-3.6Z", "var(--genssl-teacher)"],
];
const percent = (v) => `${Math.round(100 * v)} %`;

async function render({ model, el }) {
  const bytes = await unpacked(model.get("numbers"));
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const [shapes, widths, words, scales] = ["shapes", "widths", "words", "scales"].map((key) => model.get(key));
  const parts = {};
  let from = 0;
  const all = halves(bytes);
  for (const name of ["reader", "network", "noise", "gumbel", "tastes", "people"]) {
    const [rows, columns] = shapes[name];
    parts[name] = all.subarray(from, from + rows * columns);
    from += rows * columns;
  }
  const row = (name, i) => parts[name].subarray(i * shapes[name][1], (i + 1) * shapes[name][1]);
  const kinds = words.categories; // pairs: a saved page keeps no order of keys
  const sizes = kinds.map(([, values]) => values.length);
  const n = shapes.noise[0];
  const publicPeople = Array.from({ length: shapes.people[0] }, (_, i) =>
    person(Array.from(row("people", i)), sizes, scales));
  const change = (name, value) => { model.set(name, value); model.save_changes(); };

  // ---- controls
  const size = slider(life, {
    label: "Size:", values: stops(25, 260, { scale: "log", steps: 60, integer: true }),
    format: (v) => `${Math.round(v)} m²`, ends: ["small", "large"], onInput: (v) => change("size", v),
  });
  const price = slider(life, {
    label: "Price:", values: stops(60, 1500, { scale: "log", steps: 80, integer: true }),
    format: (v) => `${Math.round(v)} thousand`, ends: ["cheap", "dear"], onInput: (v) => change("price", v),
  });
  const place = choice(life, "place", words.places.map((name, i) => [i, name]), (i) => change("place", i));
  const extras = words.extras.map((name, i) => button(life, name, () => {
    const has = model.get("extras");
    change("extras", has.includes(i) ? has.filter((k) => k !== i) : [...has, i].sort());
  }));
  const shown = choice(life, "which crowd", [["made", "made buyers"], ["true", "true buyers"]],
    (which) => change("shown", which));
  const labelled = (text, node) => html("div", { style: "display:flex;flex-wrap:wrap;align-items:center;gap:0.5rem" },
    html("span", { text }), node);
  controls.append(size.node, price.node, labelled("Place:", place.node),
    labelled("It has:", html("div", { class: "genssl-buttons", role: "group", "aria-label": "extras" }, ...extras)),
    labelled("Show:", shown.node));

  // ---- the crowd
  const cloud = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": "buyers by age and income" });
  for (const age of [20, 40, 60, 80]) {
    cloud.append(svg("line", { class: "genssl-grid", x1: across(age), x2: across(age), y1: 8, y2: HIGH - BOTTOM }),
      svg("text", { class: "genssl-soft", x: across(age), y: HIGH - BOTTOM + 15, "text-anchor": "middle", text: age }));
  }
  for (const income of [10, 30, 100, 300]) {
    cloud.append(svg("line", { class: "genssl-grid", x1: LEFT, x2: WIDE - 8, y1: up(income), y2: up(income) }),
      svg("text", { class: "genssl-soft", x: LEFT - 5, y: up(income) + 4, "text-anchor": "end", text: income }));
  }
  cloud.append(svg("text", { class: "genssl-soft", x: WIDE - 8, y: HIGH - 5, "text-anchor": "end", text: "age in years" }));
  const dots = Array.from({ length: n }, () => cloud.appendChild(svg("path", { "fill-opacity": 0.6 })));
  const mean = svg("g", {}, svg("path", { d: "M-6,-6L6,6M-6,6L6,-6", stroke: "var(--genssl-ink)", "stroke-width": 2.5 }),
    svg("text", { class: "genssl-halo genssl-strong", x: 10, y: 4, text: "mean" }));
  cloud.append(mean);
  const key = html("p", { class: "genssl-note", style: "display:flex;flex-wrap:wrap;gap:0.2rem 1rem" },
    ...kinds[0][1].map((word, k) => html("span", { style: "display:inline-flex;align-items:center;gap:0.3rem" },
      svg("svg", { viewBox: "-6 -6 12 12", style: "width:12px;height:12px", "aria-hidden": "true" },
        svg("path", { d: MARKS[k][0], fill: MARKS[k][1] })), word)));

  // ---- the bars
  const [LINE, TEXT, BAR] = [17, 104, 190];
  const bars = [];
  let y = 0;
  const list = svg("svg", { role: "img", "aria-label": "shares of the buyers" });
  kinds.forEach(([name, values]) => {
    y += 16;
    list.append(svg("text", { class: "genssl-strong", x: 0, y: y + 1, text: name }));
    y += 4;
    values.forEach((word) => {
      const bar = svg("rect", { x: TEXT, y: y + 3, height: LINE - 6, fill: "var(--genssl-model)" });
      const mark = svg("line", { y1: y + 1, y2: y + LINE - 1, stroke: "var(--genssl-ink)", "stroke-width": 2.5 });
      const told = svg("text", { class: "genssl-soft", x: TEXT + BAR + 6, y: y + 13 });
      list.append(svg("text", { class: "genssl-soft", x: 6, y: y + 13, text: word }),
        svg("line", { class: "genssl-grid", x1: TEXT, x2: TEXT + BAR, y1: y + LINE - 1, y2: y + LINE - 1 }), bar, mark, told);
      bars.push({ bar, mark, told });
      y += LINE;
    });
  });
  write(list, { viewBox: `0 0 340 ${y + 2}` });

  const heading = html("p", { class: "genssl-heading" });
  const told = html("p", { class: "genssl-said", style: "margin-top:0.5rem" });
  const beside = html("p", { class: "genssl-note genssl-said" });
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel", style: "flex:1 1 280px;max-width:460px" }, heading,
      html("p", { class: "genssl-note", text: "income, thousands a year" }), cloud, key),
    html("div", { class: "genssl-panel", style: "flex:1 1 270px;max-width:400px" },
      html("p", { class: "genssl-heading", text: "Shares; upright line: the truth" }), list)), told, beside);

  function draw() {
    const began = performance.now();
    const home = { size: model.get("size"), price: model.get("price"), place: model.get("place"), extras: model.get("extras") };
    const which = model.get("shown");
    const numbers = described(home, scales, words.places.length, words.extras.length);
    const vector = times(parts.reader, squares(numbers));
    const made = Array.from({ length: n }, (_, i) =>
      person(perceptron([...row("noise", i), ...vector], widths, parts.network), sizes, scales, row("gumbel", i)));
    const chance = chances(parts.tastes, numbers);
    const truth = shares(publicPeople, chance, sizes);
    const ours = shares(made, made.map(() => 1), sizes);
    const crowd = which === "made" ? made : drawn(chance, n).map((i) => publicPeople[i]);
    const now = which === "made" ? ours : truth;
    const click = chance.reduce((a, b) => a + b, 0) / chance.length;

    size.show(home.size);
    price.show(home.price);
    place.show(home.place);
    shown.show(which);
    extras.forEach((node, i) => write(node, {
      "aria-pressed": home.extras.includes(i),
      style: home.extras.includes(i) ? "font-weight: 650; border-color: currentColor; box-shadow: inset 0 0 0 1px currentColor" : null,
    }));
    crowd.forEach((one, i) => {
      const [d, fill] = MARKS[one.choices[0]];
      const x = across(Math.min(AGES[1], Math.max(AGES[0], one.age)));
      const h = up(Math.min(INCOMES[1], Math.max(INCOMES[0], one.income)));
      write(dots[i], { d, fill, transform: `translate(${x.toFixed(1)},${h.toFixed(1)})` });
    });
    const [meanX, meanY] = [across(now.age), up(now.income)];
    write(mean, { transform: `translate(${meanX.toFixed(1)},${meanY.toFixed(1)})` });
    bars.forEach(({ bar, mark, told: text }, k) => {
      write(bar, { width: BAR * now.shares[k], fill: which === "made" ? "var(--genssl-model)" : "var(--genssl-data)" });
      write(mark, { x1: TEXT + BAR * truth.shares[k], x2: TEXT + BAR * truth.shares[k] });
      write(text, { text: percent(now.shares[k]) });
    });
    write(heading, { text: which === "made" ? `${n} buyers, made` : `${n} buyers, true` });
    const said = `Made: mean age ${Math.round(ours.age)}, mean income ${Math.round(ours.income)} thousand. `
      + `True: ${Math.round(truth.age)} and ${Math.round(truth.income)} thousand.`;
    write(told, { text: said });
    const few = click < 0.001 ? "Less than 0.1 %" : `${(100 * click).toFixed(1)} %`;
    write(beside, { text: `${few} of all who see it would truly click. The generator does not know that number.` });
    announce(`${Math.round(home.size)} square metres, ${Math.round(home.price)} thousand, ${words.places[home.place]}. ${said}`);
    const values = {
      ...home, shown: which, choices: made.map((one) => one.choices), ages: made.map((one) => one.age),
      incomes: made.map((one) => one.income), shares: ours.shares, truth: truth.shares, click,
      means: [ours.age, ours.income], milliseconds: performance.now() - began,
    };
    Object.assign(root.dataset, Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]),
    ));
  }
  life.follow(model, ["size", "price", "place", "extras", "shown"], draw);
  draw();
  return () => life.end();
}

export default { render };
