// A point of the plane of codes under the reader's hand, and two decoders that answer it.
import {
  choice, clamp, frame, html, lifetime, number, point, svg, unpacked, write,
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

/**
 * The picture of a code: layers of `weights` (matrix, then bias, row by row) with nothing below 0
 * between them, and the logistic function at the end. `layers` says inputs and outputs of each.
 */
export function decoded(z, layers, weights) {
  let x = Float64Array.from(z);
  let from = 0;
  layers.forEach(([inputs, outputs], layer) => {
    const biases = from + inputs * outputs;
    const y = new Float64Array(outputs);
    for (let o = 0; o < outputs; o += 1) {
      let sum = weights[biases + o];
      for (let i = 0; i < inputs; i += 1) sum += weights[from + o * inputs + i] * x[i];
      y[o] = layer < layers.length - 1 ? Math.max(0, sum) : 1 / (1 + Math.exp(-sum));
    }
    x = y;
    from = biases + outputs;
  });
  return x;
}

/** How many pixels are neither paper nor ink. */
export const greys = (picture) => picture.filter((v) => v > 0.2 && v < 0.8).length;

const STEP = 0.02;

/** How fast the picture changes at a code: the root of its squared change in both directions. */
export function pace(z, layers, weights) {
  let sum = 0;
  for (const way of [0, 1]) {
    const [low, high] = [-STEP, STEP].map((h) =>
      decoded(z.map((v, i) => (i === way ? v + h : v)), layers, weights));
    low.forEach((v, p) => { sum += ((high[p] - v) / (2 * STEP)) ** 2; });
  }
  return Math.sqrt(sum);
}

/** Share of all standard normal draws that lie further out than a code. */
export const further = ([a, b]) => Math.exp(-(a * a + b * b) / 2);

// ---------------------------------------------------------------- the picture

const SIDE = 8; // pixels of a picture's side
const TILES = 11; // pictures of a plane's side
const PITCH = SIDE + 3; // pixels from one of them to the next
const ROOM = 200; // units of a plane's side on the screen
const level = (v) => Math.round(255 * (1 - v));

async function render({ model, el }) {
  const all = halves(await unpacked(model.get("weights")));
  const life = lifetime();
  const { root, controls, picture: place, announce } = frame(life, model, el);
  const [layers, codes, labels, edge] = ["layers", "codes", "labels", "edge"].map((k) => model.get(k));
  const change = (name, value) => { model.set(name, value); model.save_changes(); };
  const shows = choice(life, "what covers the planes",
    [["made", "made digits"], ["true", "true digits"]], (v) => change("shows", v));
  controls.append(html("span", { text: "On the planes:" }), shows.node);

  const onScreen = ([a, b]) => [ROOM * (a + edge) / (2 * edge), ROOM * (edge - b) / (2 * edge)];

  /** All pictures that a decoder makes on a grid of codes, as one image. */
  function atlas(weights) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = PITCH * TILES;
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(PITCH * TILES, PITCH * TILES);
    image.data.fill(255);
    for (let row = 0; row < TILES; row += 1) {
      for (let column = 0; column < TILES; column += 1) {
        const z = [edge * ((2 * column + 1) / TILES - 1), edge * (1 - (2 * row + 1) / TILES)];
        decoded(z, layers, weights).forEach((v, p) => {
          const y = row * PITCH + 1 + Math.floor(p / SIDE);
          const at = 4 * (y * PITCH * TILES + column * PITCH + 1 + (p % SIDE));
          image.data.set([level(v), level(v), level(v), 255], at);
        });
      }
    }
    pen.putImageData(image, 0, 0);
    return canvas.toDataURL();
  }

  function side(name, weights, encodes) {
    const large = svg("svg", {
      viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": `what the ${name} makes of the point`,
      style: "max-width:150px;border:1px solid var(--genssl-line)", "shape-rendering": "crispEdges",
    });
    const cells = Array.from({ length: SIDE * SIDE }, (_, p) => large.appendChild(
      svg("rect", { x: p % SIDE, y: Math.floor(p / SIDE), width: 1.02, height: 1.02 })));
    const tiles = svg("image", {
      href: atlas(weights), width: ROOM, height: ROOM, style: "image-rendering:pixelated",
    });
    const known = svg("g", { "aria-hidden": "true" });
    if (encodes) {
      codes.forEach((code, i) => {
        const [x, y] = onScreen(code.map((c) => clamp(c, -0.97 * edge, 0.97 * edge)));
        known.append(svg("text", {
          x, y: y + 3, "text-anchor": "middle", class: "genssl-halo",
          style: "font-size:9px;stroke-width:1.6px", text: labels[i],
        }));
      });
    } else {
      ["A GAN has no encoder:", "it cannot say where", "a true digit lies."].forEach((text, i) =>
        known.append(svg("text", {
          x: ROOM / 2, y: 0.74 * ROOM + 17 * i, "text-anchor": "middle", class: "genssl-halo", text,
        })));
    }
    const grip = svg("circle", {
      class: "genssl-grip", r: 6, fill: "none", stroke: "var(--genssl-model)", "stroke-width": 2.5,
    });
    const halo = svg("circle", { r: 6, fill: "none", stroke: "#ffffff", "stroke-width": 5 });
    const knob = svg("g", {}, svg("circle", { r: 14, fill: "transparent" }), halo, grip);
    const plane = svg("svg", {
      viewBox: `0 0 ${ROOM} ${ROOM}`, role: "group", "aria-label": `plane of the ${name}'s codes`,
      style: "max-width:340px",
    },
    svg("rect", { width: ROOM, height: ROOM, fill: "var(--genssl-paper)", stroke: "var(--genssl-edge)" }),
    tiles, known, knob);
    const under = (event) => {
      const box = plane.getBoundingClientRect();
      return [edge * (2 * (event.clientX - box.left) / box.width - 1),
        edge * (1 - 2 * (event.clientY - box.top) / box.height)];
    };
    const go = (z) => change("z", z.map((v) => Number(clamp(v, -edge, edge).toFixed(4))));
    life.listen(plane, "click", (event) => go(under(event))); // a press anywhere brings the point there
    const held = point(life, knob, {
      label: `point on the ${name}'s plane`, x: [-edge, edge], y: [-edge, edge], step: 0.05,
      format: ([a, b]) => `${number(a)}, ${number(b)}`,
      at: under,
      onInput: go,
    });
    const said = html("p", { class: "genssl-note" });
    const node = html("div", { class: "genssl-panel", style: "max-width:340px" },
      html("p", { class: "genssl-heading", text: name }),
      html("div", { style: "display:flex;gap:0.9rem;align-items:center;margin:0.3rem 0 0.7rem" },
        html("div", { style: "flex:0 0 110px" }, large), said),
      plane);
    const was = Array(SIDE * SIDE).fill("");
    const show = (z, kind) => {
      const made = decoded(z, layers, weights);
      made.forEach((v, p) => {
        const colour = `rgb(${level(v)},${level(v)},${level(v)})`;
        if (was[p] !== colour) cells[p].setAttribute("fill", (was[p] = colour));
      });
      const [x, y] = onScreen(z);
      write(knob, { transform: `translate(${x} ${y})` });
      held.show(z);
      write(known, { visibility: kind === "true" ? "visible" : "hidden" });
      write(tiles, { opacity: kind === "true" ? 0.18 : 1 });
      const found = { grey: greys(made), pace: pace(z, layers, weights), made };
      write(said, {
        text: `${found.grey} of 64 pixels are grey. Here the picture changes at pace ${number(found.pace, 1)}.`,
      });
      return found;
    };
    return { node, show };
  }

  const each = all.length / 2;
  const vae = side("VAE", all.subarray(0, each), true);
  const gan = side("GAN", all.subarray(each), false);
  const told = html("p", { class: "genssl-note", style: "margin-top:0.7rem" });
  place.append(html("div", { class: "genssl-panels" }, vae.node, gan.node), told);

  function draw() {
    const began = performance.now();
    const [z, kind] = [model.get("z"), model.get("shows")];
    shows.show(kind);
    const [one, other] = [vae, gan].map((part) => part.show(z, kind));
    write(told, {
      text: `Code (${number(z[0])}, ${number(z[1])}): ${number(100 * further(z), 0)} % of all draws lie further out. `
        + "Drag the ring on either plane, or move it by the arrow keys.",
    });
    announce(`Code ${number(z[0])}, ${number(z[1])}. Grey pixels: VAE ${one.grey}, GAN ${other.grey}. `
      + `Pace: VAE ${number(one.pace, 1)}, GAN ${number(other.pace, 1)}.`);
    const numbers = {
      z, shows: kind, further: further(z), greys: [one.grey, other.grey], paces: [one.pace, other.pace],
      vae: [...one.made].map((v) => Number(v.toFixed(6))),
      gan: [...other.made].map((v) => Number(v.toFixed(6))),
      milliseconds: performance.now() - began,
    };
    Object.assign(root.dataset, Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [name, JSON.stringify(value)]),
    ));
  }
  life.follow(model, ["z", "shows"], draw);
  draw();
  return () => life.end();
}

export default { render };
