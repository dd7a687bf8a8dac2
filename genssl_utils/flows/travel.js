// Samples of a trained flow on their way from the latent to the data, layer by layer, step by step.
import { button, clamp, frame, html, lifetime, number, slider, svg, write } from "../kit/figure.js";

const VIEW = { left: -2.6, right: 3.1, low: -2.35, high: 2.35 };

// ---------------------------------------------------------------- the maths

/** Places that Python packed as 16-bit whole numbers over [−limit, limit]. */
export function unpack(view, limit) {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return Float32Array.from(new Int16Array(bytes), (v) => (v * limit) / 32767);
}

/** The points [x, y] at a moment and a layer; between two layers they are on a straight way. */
export function placesAt(frames, { moment, layer, layers, points }) {
  const below = Math.min(Math.floor(layer), layers - 1);
  const share = layer - below;
  const start = ((moment * (layers + 1) + below) * points) * 2;
  const next = start + points * 2;
  return Array.from({ length: points }, (_, i) => [0, 1].map((d) =>
    (1 - share) * frames[start + 2 * i + d] + share * frames[next + 2 * i + d]));
}

// ---------------------------------------------------------------- the picture

const circle = (x, y, r) => `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0`;
const triangle = (x, y, r) => `M${x},${y - r}l${(r * 0.95).toFixed(1)},${1.6 * r}h${(-1.9 * r).toFixed(1)}Z`;

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const frames = unpack(model.get("frames"), model.get("limit"));
  const data = unpack(model.get("data"), model.get("limit"));
  const [steps, nll, moves, [ringCount, each]] = ["steps", "nll", "moves", "rings"].map((name) => model.get(name));
  const layers = moves.length;
  const points = frames.length / (steps.length * (layers + 1) * 2);
  const cloud = points - ringCount * each;
  const change = (name, v) => {
    model.set(name, v);
    model.save_changes();
  };

  const told = (v) => (v === 0 ? "0, the latent" : v === layers ? `${layers}, the samples` : number(v, v % 1 ? 2 : 0));
  const through = slider(life, {
    label: "layer", values: Array.from({ length: 4 * layers + 1 }, (_, i) => i / 4), format: told,
    ends: ["latent z", "data x"], onInput: (v) => change("layer", v),
  });
  const during = slider(life, {
    label: "training steps done:", values: steps.map((_, i) => i), format: (i) => String(steps[i]),
    ends: ["untrained", "trained"], onInput: (v) => change("moment", v),
  });
  const next = button(life, "one layer on", () => {
    const at = model.get("layer");
    change("layer", at >= layers ? 0 : Math.floor(at) + 1);
  });
  controls.append(through.node, during.node, html("div", { class: "genssl-buttons" }, next));

  const plot = svg("svg", { style: "overflow:hidden;max-width:660px" });
  const back = svg("g");
  const target = svg("path", { fill: "none", stroke: "var(--genssl-baseline)", "stroke-opacity": 0.55, "stroke-width": 1 });
  const rings = svg("path", { fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 1.8, "stroke-linejoin": "round" });
  const first = svg("path", { fill: "var(--genssl-data)", "fill-opacity": 0.75 });
  const second = svg("path", { fill: "var(--genssl-model)", "fill-opacity": 0.85 });
  const arrow = svg("path", { fill: "none", stroke: "var(--genssl-soft)", "stroke-width": 2 });
  const way = svg("text", { class: "genssl-halo" });
  plot.append(back, target, first, second, rings, arrow, way);

  const said = html("p", { class: "genssl-heading genssl-said" });
  const note = html("p", { class: "genssl-note" });
  const key = html("p", {
    class: "genssl-note",
    text: "Blue circles began on the left of the latent, orange triangles on the right; the line was a circle of radius 1. Grey rings: data.",
  });
  picture.append(said, plot, html("div", { style: "margin-top:0.4rem" }, note, key));

  let [width, height, unit] = [0, 0, 1];
  const spot = ([a, b]) => [(a - VIEW.left) * unit, (VIEW.high - b) * unit];

  function draw() {
    const [layer, moment] = [model.get("layer"), model.get("moment")];
    const places = placesAt(frames, { moment, layer, layers, points });
    through.show(layer);
    during.show(moment);
    const step = clamp(Math.ceil(layer), 1, layers);
    const name = ["horizontal", "vertical"][moves[step - 1]];
    const where = layer === 0 ? "The latent: a Gaussian" : layer === layers ? "The samples" : `Layer ${step} of ${layers} moves only the ${name} coordinate`;
    write(said, { text: `${where}, after ${steps[moment]} training steps.` });
    write(note, {
      text: `−log p of test points: ${number(nll[moment])} nats on average. The true density costs ${number(model.get("floor"))}; no flow gets below it in the long run.`,
    });
    if (width > 0) {
      const shape = (from, to, left, mark) => {
        const out = [];
        for (let i = from; i < to; i += 1) {
          if ((frames[2 * i] < 0) !== left) continue; // frame 0 of moment 0 is the latent
          const [x, y] = spot(places[i]);
          out.push(mark(Number(x.toFixed(1)), Number(y.toFixed(1)), 3));
        }
        return out.join("");
      };
      write(first, { d: shape(0, cloud, true, circle) });
      write(second, { d: shape(0, cloud, false, triangle) });
      const line = (k) => {
        const ring = places.slice(cloud + k * each, cloud + (k + 1) * each).map(spot);
        return `M${ring.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}Z`;
      };
      write(rings, { d: Array.from({ length: ringCount }, (_, k) => line(k)).join("") });
      const moving = layer > 0 && layer < layers;
      const [x, y] = [width - 26, 26];
      write(arrow, {
        visibility: moving ? "visible" : "hidden",
        d: moves[step - 1] ? `M${x},${y - 16}v32m-5,-7l5,7l5,-7M${x - 5},${y - 9}l5,-7l5,7` : `M${x - 16},${y}h32m-7,-5l7,5l-7,5M${x - 9},${y - 5}l-7,5l7,5`,
      });
    }
    announce(`Layer ${number(layer, 2)} of ${layers} after ${steps[moment]} steps.`);
    const mean = [0, 1].map((d) => places.reduce((sum, p) => sum + p[d], 0) / points);
    Object.assign(root.dataset, {
      layer: JSON.stringify(layer), moment: JSON.stringify(moment), steps: JSON.stringify(steps[moment]),
      nll: JSON.stringify(nll[moment]), mean: JSON.stringify(mean), some: JSON.stringify(places.slice(0, 5)),
    });
  }

  life.resize(plot, (w) => {
    width = w;
    unit = w / (VIEW.right - VIEW.left);
    height = Math.round((VIEW.high - VIEW.low) * unit);
    write(plot, { viewBox: `0 0 ${w} ${height}`, height });
    const lines = [-2, -1, 0, 1, 2, 3].flatMap((v) => {
      const [x, y] = spot([v, v]);
      const kind = v ? "genssl-grid" : "genssl-axis";
      return [
        svg("line", { class: kind, x1: x, x2: x, y1: 0, y2: height }), svg("line", { class: kind, x1: 0, x2: w, y1: y, y2: y }),
        svg("text", { class: "genssl-soft", x, y: height - 4, "text-anchor": "middle", text: number(v, 0) }),
      ];
    });
    back.replaceChildren(...lines);
    let dots = "";
    for (let i = 0; i < data.length; i += 2) {
      const [x, y] = spot([data[i], data[i + 1]]);
      dots += circle(Number(x.toFixed(1)), Number(y.toFixed(1)), 2);
    }
    write(target, { d: dots });
    draw();
  });
  life.follow(model, ["layer", "moment"], draw);
  draw();
  return () => life.end();
}

export default { render };
