// One weight of a student that moves and jitters, and the teacher that averages it.
import { button, clamp, frame, html, lifetime, mulberry32, number, slider, stops, svg, write } from "../kit/figure.js";

const STEPS = 200;
const DECAYS = [0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999];

// ---------------------------------------------------------------- the maths

/** The student's weight: 0, then a rise from update 60 to 90 up to 1, with normal jitter. */
export function student(noise, seed) {
  const uniform = mulberry32(seed);
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return Array.from({ length: STEPS }, (_, t) => clamp((t - 60) / 30, 0, 1) + noise * normal());
}

/** The moving average: m ← α m + (1 − α) w, started at 0. */
export function average(weights, decay) {
  let m = 0;
  return weights.map((w) => (m = decay * m + (1 - decay) * w));
}

/** How many updates the average is behind a steady climb. */
export const lag = (decay) => decay / (1 - decay);

/** Standard deviation of the average of independent noise, over that of the noise. */
export const noiseLeft = (decay) => Math.sqrt((1 - decay) / (1 + decay));

// ---------------------------------------------------------------- the picture

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const slow = slider(life, {
    label: "decay α =", values: DECAYS, format: (v) => String(v), ends: ["0 copies", "0.999 hardly moves"],
    onInput: (v) => change("decay", v),
  });
  const loud = slider(life, {
    label: "noise of the student =", values: stops(0, 0.6, { steps: 60 }), format: (v) => number(v),
    ends: ["none", "0.6"], onInput: (v) => change("noise", v),
  });
  controls.append(slow.node, loud.node, html("div", { class: "genssl-buttons" },
    button(life, "other noise", () => change("seed", model.get("seed") + 1))));
  const said = html("p", { class: "genssl-heading genssl-said" });
  const plot = svg("svg", {});
  picture.append(said, plot);
  const area = { x: 34, y: 12, w: 0, h: 220 };
  const height = area.y + area.h + 44;
  const back = svg("g");
  const thin = svg("path", { fill: "none", stroke: "var(--genssl-student)", "stroke-width": 1.2 });
  const truth = svg("path", { fill: "none", stroke: "var(--genssl-baseline)", "stroke-width": 1.5, "stroke-dasharray": "5 4" });
  const thick = svg("path", { fill: "none", stroke: "var(--genssl-teacher)", "stroke-width": 3.5 });
  const names = [["student: jagged", -0.35], ["teacher: thick", -0.55], ["without noise: dashed", -0.75]].map(
    ([text]) => svg("text", { class: "genssl-soft genssl-halo", text }));
  plot.append(back, thin, truth, thick, ...names);
  const [low, high] = [-0.8, 1.8];
  const x = (t) => area.x + (t / (STEPS - 1)) * area.w;
  const y = (v) => area.y + (1 - (clamp(v, low, high) - low) / (high - low)) * area.h;
  const path = (values) => `M${values.map((v, t) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`).join("L")}`;

  function draw() {
    const [decay, noise, seed] = ["decay", "noise", "seed"].map((name) => model.get(name));
    const weights = student(noise, seed);
    const teacher = average(weights, decay);
    slow.show(decay);
    loud.show(noise);
    const sentence = `α = ${decay}: ${number(lag(decay), 1)} updates late, `
      + `${(100 * noiseLeft(decay)).toFixed(0)} % of the noise left.`;
    write(said, { text: sentence });
    if (area.w > 0) {
      write(thin, { d: path(weights) });
      write(truth, { d: path(student(0, seed)) });
      write(thick, { d: path(teacher) });
    }
    announce(sentence);
    Object.assign(root.dataset, {
      decay: JSON.stringify(decay), noise: JSON.stringify(noise), weights: JSON.stringify(weights),
      teacher: JSON.stringify(teacher), lag: JSON.stringify(lag(decay)), left: JSON.stringify(noiseLeft(decay)),
    });
  }
  life.resize(plot, (width) => {
    area.w = width - area.x - 10;
    write(plot, { viewBox: `0 0 ${width} ${height}`, height });
    const bottom = area.y + area.h;
    back.replaceChildren(
      ...[0, 1].flatMap((v) => [
        svg("line", { class: "genssl-grid", x1: area.x, x2: area.x + area.w, y1: y(v), y2: y(v) }),
        svg("text", { class: "genssl-soft", x: area.x - 8, y: y(v) + 4, "text-anchor": "end", text: v })]),
      svg("line", { class: "genssl-axis", x1: area.x, x2: area.x + area.w, y1: bottom, y2: bottom }),
      ...[0, 50, 100, 150].map((t) => svg("text", { class: "genssl-soft", x: x(t), y: bottom + 17, "text-anchor": "middle", text: t })),
      svg("text", { class: "genssl-soft", x: area.x + area.w / 2, y: bottom + 36, "text-anchor": "middle", text: "updates (the weight is on the upright axis)" }),
    );
    names.forEach((name, i) => write(name, { x: area.x + 8, y: area.y + 14 + 17 * i }));
    draw();
  });
  life.follow(model, ["decay", "noise", "seed"], draw);
  draw();
  return () => life.end();
}

export default { render };
