// A hole under the reader's hand, and a network between two that fills it.
import {
  choice, frame, html, lifetime, number, point, slider, svg, unpacked, write,
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

/** Each weight on its way from the one network's to the other's. */
export const mixed = (one, other, share) => one.map((w, i) => w + share * (other[i] - w));

/**
 * A convolution of 3 × 3, `step` pixels apart, with zeros around: `x` is (inputs, side, side),
 * `kernel` (outputs, inputs, 3, 3), the answer (outputs, side, side), all flat.
 */
export function conv(x, inputs, side, kernel, bias, step) {
  const area = side * side;
  const out = new Float32Array(bias.length * area);
  for (let o = 0; o < bias.length; o += 1) {
    out.fill(bias[o], o * area, (o + 1) * area);
    for (let c = 0; c < inputs; c += 1) {
      for (let k = 0; k < 9; k += 1) {
        const w = kernel[(o * inputs + c) * 9 + k];
        const down = (Math.floor(k / 3) - 1) * step;
        const right = ((k % 3) - 1) * step;
        const left = Math.max(0, -right);
        const end = Math.min(side, side - right);
        for (let i = Math.max(0, -down); i < Math.min(side, side - down); i += 1) {
          const to = o * area + i * side;
          const from = c * area + (i + down) * side + right;
          for (let j = left; j < end; j += 1) out[to + j] += w * x[from + j];
        }
      }
    }
  }
  return out;
}

/** Whether the pixel at row i, column j lies in the hole {row, column, side}. */
const inside = (hole, i, j) =>
  i >= hole.row && i < hole.row + hole.side && j >= hole.column && j < hole.column + hole.side;

/**
 * What a network paints, for a picture (side × side, from −1 to 1) and a hole in it. `shapes` says
 * inputs, outputs and step of each layer; `weights` holds each layer's kernel, then its bias.
 */
export function painted(picture, hole, side, shapes, weights) {
  let [sum, count] = [0, 0];
  for (let p = 0; p < side * side; p += 1) {
    if (inside(hole, Math.floor(p / side), p % side)) continue;
    sum += picture[p];
    count += 1;
  }
  // Every other pixel becomes a channel, so that the layers work at half of the resolution.
  const half = side / 2;
  let x = new Float32Array(8 * half * half);
  for (let i = 0; i < side; i += 1) {
    for (let j = 0; j < side; j += 1) {
      const gone = inside(hole, i, j);
      const at = (i % 2) * 2 + (j % 2);
      const spot = Math.floor(i / 2) * half + Math.floor(j / 2);
      x[at * half * half + spot] = gone ? sum / count : picture[i * side + j];
      x[(4 + at) * half * half + spot] = gone ? 1 : 0;
    }
  }
  let from = 0;
  shapes.forEach(([inputs, outputs, step], layer) => {
    const biases = from + inputs * outputs * 9;
    x = conv(x, inputs, half, weights.subarray(from, biases),
      weights.subarray(biases, biases + outputs), step);
    if (layer < shapes.length - 1) x = x.map((v) => (v < 0 ? 0.1 * v : v));
    from = biases + outputs;
  });
  return Float32Array.from({ length: side * side }, (_, p) => {
    const [i, j] = [Math.floor(p / side), p % side];
    const at = (i % 2) * 2 + (j % 2);
    return Math.tanh(x[at * half * half + Math.floor(i / 2) * half + Math.floor(j / 2)]);
  });
}

/** The picture with the hole filled. */
export const filledIn = (picture, fill, hole, side) =>
  picture.map((v, p) => (inside(hole, Math.floor(p / side), p % side) ? fill[p] : v));

/** Mean squared error in the hole, and the mean jump across its edge. */
export function measured(filled, picture, hole, side) {
  let [error, jump, pairs] = [0, 0, 0];
  for (let i = 0; i < side; i += 1) {
    for (let j = 0; j < side; j += 1) {
      const here = inside(hole, i, j);
      const p = i * side + j;
      if (here) error += (filled[p] - picture[p]) ** 2 / hole.side ** 2;
      for (const [a, b] of [[i, j + 1], [i + 1, j]]) {
        if (a === side || b === side || inside(hole, a, b) === here) continue;
        jump += Math.abs(filled[p] - filled[a * side + b]);
        pairs += 1;
      }
    }
  }
  return { error, seam: jump / pairs };
}

// ---------------------------------------------------------------- the picture

const RIM = 2; // known pixels that are left around a hole
const SHARES = Array.from({ length: 21 }, (_, i) => i / 20);
const grey = (v) => {
  const level = Math.round(127.5 * (v + 1));
  return `rgb(${level},${level},${level})`;
};

async function render({ model, el }) {
  const [packedWeights, packedPictures] = await Promise.all(
    [unpacked(model.get("weights")), unpacked(model.get("pictures"))],
  );
  const life = lifetime();
  const { root, controls, picture: place, announce } = frame(life, model, el);
  const [side, shapes, names] = ["pixels", "shapes", "names"].map((key) => model.get(key));
  const all = halves(packedWeights);
  const ends = [all.subarray(0, all.length / 2), all.subarray(all.length / 2)];
  const pictures = names.map((_, n) =>
    Float32Array.from(packedPictures.subarray(n * side * side, (n + 1) * side * side), (v) => v / 127.5 - 1));
  const change = (name, value) => { model.set(name, value); model.save_changes(); };

  const share = slider(life, {
    label: "From MSE to adversarial:", values: SHARES, format: (v) => `${Math.round(100 * v)} %`,
    ends: ["MSE alone", "adversarial"], onInput: (v) => change("share", v),
  });
  const which = choice(life, "picture", names.map((name, i) => [i, name]), (i) => change("picture", i));
  const size = choice(life, "side of the hole",
    model.get("sizes").map((s) => [s, `${s} × ${s}`]), (s) => change("side", s));
  share.node.style.flexBasis = "100%";
  controls.append(share.node, which.node, size.node);

  function board(label, most) {
    const node = svg("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": label, style: `max-width:${most}px` });
    const cells = svg("g", { "shape-rendering": "crispEdges" });
    const rects = Array.from({ length: side * side }, (_, p) =>
      cells.appendChild(svg("rect", { x: p % side, y: Math.floor(p / side), width: 1, height: 1 })));
    const edge = svg("rect", { fill: "none", stroke: "var(--genssl-model)", "stroke-width": 0.35 });
    node.append(cells, edge);
    const said = Array(side * side).fill("");
    const show = (values, hole) => {
      values.forEach((v, p) => {
        const colour = grey(v);
        if (said[p] !== colour) rects[p].setAttribute("fill", (said[p] = colour));
      });
      write(edge, { x: hole.column, y: hole.row, width: hole.side, height: hole.side });
    };
    return { node, edge, show };
  }
  const main = board("the picture with the hole filled", 330);
  write(main.node, { role: "group" });
  const small = ["MSE alone", "adversarial", "true picture"].map((name) => ({ name, ...board(name, 150) }));
  // The hole itself is the handle: any place in it can be gripped.
  const grip = svg("rect", { class: "genssl-grip", fill: "transparent", stroke: "var(--genssl-model)", "stroke-width": 0.35 });
  const knob = svg("g", {}, grip);
  main.edge.remove();
  main.node.append(knob);
  const range = [RIM, RIM];
  const held = point(life, knob, {
    label: "the hole", x: range, y: range, step: 1,
    format: ([x, y]) => `column ${Math.round(x) + 1}, row ${side - Math.round(y) - model.get("side") + 1}`,
    at: (event) => {
      const box = main.node.getBoundingClientRect();
      const half = model.get("side") / 2;
      return [((event.clientX - box.left) / box.width) * side - half,
        side - ((event.clientY - box.top) / box.height) * side - half];
    },
    onInput: ([x, y]) => change("at", [side - Math.round(y) - model.get("side"), Math.round(x)]),
  });

  const told = html("p", { class: "genssl-said", style: "margin-top:0.7rem" });
  const beside = html("p", { class: "genssl-note genssl-said" });
  place.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel", style: "flex:1 1 260px;max-width:330px" },
      html("p", { class: "genssl-heading", text: "The hole, filled" }), main.node),
    html("div", { class: "genssl-panel", style: "flex:1 1 290px" },
      html("div", { style: "display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:0.7rem;max-width:470px" },
        ...small.map(({ name, node }) => html("div", {}, html("p", { class: "genssl-note", text: name }), node))),
      told, beside,
      html("p", { class: "genssl-note", text: "Drag the frame, or move it by the arrow keys. Nothing inside the frame is shown to the networks." }))));

  const filling = (picture, hole, weights) =>
    filledIn(picture, painted(picture, hole, side, shapes, weights), hole, side);
  // The two ends change with the picture and the hole, and not with the slider.
  let [known, kept] = ["", []];
  const filledByEnds = (n, hole) => {
    const key = [n, hole.row, hole.column, hole.side].join();
    if (key !== known) [known, kept] = [key, ends.map((each) => filling(pictures[n], hole, each))];
    return kept;
  };

  function draw() {
    const began = performance.now();
    const [w, n, [row, column]] = [model.get("share"), model.get("picture"), model.get("at")];
    const hole = { side: model.get("side") };
    const last = side - RIM - hole.side;
    range[1] = last;
    Object.assign(hole, { row: Math.min(row, last), column: Math.min(column, last) });
    const picture = pictures[n];
    const fills = [...filledByEnds(n, hole), filling(picture, hole, mixed(ends[0], ends[1], w))];
    const [plain, against, now] = fills.map((filled) => measured(filled, picture, hole, side));
    const truth = measured(picture, picture, hole, side);
    share.show(w);
    which.show(n);
    size.show(hole.side);
    main.show(fills[2], hole);
    [fills[0], fills[1], picture].forEach((values, i) => small[i].show(values, hole));
    write(grip, { x: hole.column, y: hole.row, width: hole.side, height: hole.side });
    held.show([hole.column, side - hole.row - hole.side]);
    write(knob, { "aria-valuemax": last });
    const text = `Masked error ${number(now.error, 3)}, seam ${number(now.seam, 3)}.`;
    write(told, { text });
    write(beside, {
      text: `MSE alone: error ${number(plain.error, 3)}, seam ${number(plain.seam, 3)}. `
        + `Adversarial: error ${number(against.error, 3)}, seam ${number(against.seam, 3)}. `
        + `True picture: seam ${number(truth.seam, 3)}.`,
    });
    announce(`${names[n]}, ${Math.round(100 * w)} % of the way. ${text}`);
    const hidden = [];
    fills[2].forEach((v, p) => { if (inside(hole, Math.floor(p / side), p % side)) hidden.push(Number(v.toFixed(6))); });
    const numbers = {
      picture: n, share: w, side: hole.side, at: [hole.row, hole.column], fill: hidden,
      error: now.error, seam: now.seam, plain, against, truth: truth.seam,
      milliseconds: performance.now() - began,
    };
    Object.assign(root.dataset, Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [name, JSON.stringify(value)]),
    ));
  }
  life.follow(model, ["share", "picture", "at", "side"], draw);
  draw();
  return () => life.end();
}

export default { render };
