// The moving average of a noisy ramp: how late it comes, how calm it is, and where the error is least.
import { mulberry32, significant } from "../kit/figure.js";

export const STEPS = 300; // of the path that is shown
export const BEFORE = 10000; // steps that both had run before it, so that the average has settled
export const DECADES = 3; // 1 − α runs from 1 down to 10⁻³

/** The average θ̃_t = α θ̃_{t−1} + (1 − α) θ_t over a path, from `start` on. */
export function ema(path, decay, start) {
  let now = start;
  return path.map((weight) => (now = decay * now + (1 - decay) * weight));
}

/** Steps by which the average of a steady ramp comes late: α / (1 − α). */
export const lag = (decay) => decay / (1 - decay);

/** The share of the variance of independent noise that is left: (1 − α) / (1 + α). */
export const noiseLeft = (decay) => (1 - decay) / (1 + decay);

/** Mean squared distance to where the student is heading: squared lag plus the noise left. */
export function error(decay, speed, noise) {
  const bias2 = (speed * lag(decay)) ** 2;
  const variance = noise ** 2 * noiseLeft(decay);
  return { bias2, variance, total: bias2 + variance };
}

/** The decay in [0, most] of the smallest error: with u = 1 − α, v² (1−u)(2−u)² = σ² u³. */
export function bestDecay(speed, noise, most) {
  let [low, high] = [1 - most, 1];
  const late = (u) => speed ** 2 * (1 - u) * (2 - u) ** 2 > noise ** 2 * u ** 3;
  if (!late(low)) return most;
  for (let i = 0; i < 80; i += 1) {
    const middle = (low + high) / 2;
    if (late(middle)) low = middle;
    else high = middle;
  }
  return 1 - (low + high) / 2;
}

/** n seeded draws from N(0, 1). */
export function drawNormal(n, seed) {
  const uniform = mulberry32(seed);
  return Array.from({ length: n }, () =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/**
 * Where the student is heading, the student and its teacher over steps 0 to STEPS. The ramp and
 * the noise go through the average apart, which is linear: the ramp has settled exactly.
 */
export function paths(normal, decay, speed, noise) {
  const heading = Array.from({ length: STEPS + 1 }, (_, step) => speed * step);
  const calm = ema(normal, decay, 0).slice(-STEPS - 1);
  const rough = normal.slice(-STEPS - 1);
  return {
    heading,
    student: heading.map((h, i) => h + noise * rough[i]),
    teacher: heading.map((h, i) => h - speed * lag(decay) + noise * calm[i]),
  };
}

/** The decays that a slider stops at: 1 − α evenly spaced in logs, from 1 down to 0.001. */
export const decayStops = () =>
  Array.from({ length: 121 }, (_, i) => Number((1 - 10 ** ((-DECADES * i) / 120)).toFixed(5)));

/** A decay for people: more digits the nearer it is to 1. */
export const asDecay = (decay) => decay.toFixed(decay < 0.9 ? 2 : decay < 0.99 ? 3 : 4);

const raised = (e) => [...String(e)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");

/** 10 to a whole power, written out while that is short. */
export const power = (e) => (Math.abs(e) < 4 ? String(Number((10 ** e).toPrecision(1))) : `10${raised(e)}`);

/** A number for the table: three digits, and a power of ten where it is small. */
export const readable = (v) => {
  if (v === 0 || v >= 1e-3) return significant(v);
  const e = Math.floor(Math.log10(v));
  return `${(v / 10 ** e).toFixed(2)}\u00a0·\u00a010${raised(e)}`;
};
