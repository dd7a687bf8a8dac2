// Sharpening, thresholds, and a batch of predictions to judge them on.
import { clamp, mulberry32 } from "../kit/figure.js";

export const SMALLEST = 0.001; // a softmax is never exactly 0
const ALPHA = [0.03, 2]; // a small concentration gives sure predictions, a large one unsure ones

/** p^(1/T), normalised, in logs: T → 0 gives the hard label, T = 1 gives p. */
export function sharpen(p, temperature) {
  const logits = p.map((x) => Math.log(x) / temperature);
  const top = Math.max(...logits);
  const exps = logits.map((l) => Math.exp(l - top));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / total);
}

/** −Σ p ln p in nats, with 0 ln 0 = 0. */
export function entropy(p) {
  return p.reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0);
}

export const confidence = (p) => Math.max(...p);

/** The place of the largest entry, the first of several. */
export const winner = (p) => p.indexOf(Math.max(...p));

/** FixMatch's rule (Sohn et al. 2020): the largest entry of p itself reaches the threshold. */
export const passes = (p, threshold) => confidence(p) >= threshold;

/** The logarithm of a Gamma(alpha, 1) draw (Marsaglia and Tsang 2000); alpha may be tiny. */
export function logGamma(alpha, uniform) {
  const [d, c] = [alpha + 2 / 3, 1 / Math.sqrt(9 * (alpha + 2 / 3))];
  for (;;) {
    const z = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(uniform()) < z ** 2 / 2 + d - d * v + d * Math.log(v)) {
      // A draw for alpha + 1, taken down to alpha.
      return Math.log(d * v) + Math.log(uniform()) / alpha;
    }
  }
}

/** One draw from the symmetric Dirichlet distribution over `size` classes. */
export function dirichlet(alpha, size, uniform) {
  const logs = Array.from({ length: size }, () => logGamma(alpha, uniform));
  const top = Math.max(...logs);
  const parts = logs.map((l) => Math.exp(l - top));
  const total = parts.reduce((a, b) => a + b, 0);
  return parts.map((x) => x / total);
}

/** n draws at one concentration, for tests. */
export function dirichletMany(alpha, size, n, seed) {
  const uniform = mulberry32(seed);
  return Array.from({ length: n }, () => dirichlet(alpha, size, uniform));
}

/** n distributions, from sure to unsure, each with a true class drawn from it. */
export function drawBatch(n, size, seed) {
  const uniform = mulberry32(seed);
  return Array.from({ length: n }, () => {
    const p = dirichlet(ALPHA[0] * (ALPHA[1] / ALPHA[0]) ** uniform(), size, uniform);
    let left = uniform();
    const truth = p.findIndex((x) => (left -= x) < 0);
    return { p, truth: truth < 0 ? winner(p) : truth };
  });
}

/** Of a batch: how many pass, their mean entropy, and how many of their labels are right. */
export function judge(batch, threshold) {
  const kept = batch.filter(({ p }) => passes(p, threshold));
  const right = kept.filter(({ p, truth }) => winner(p) === truth).length;
  const none = kept.length === 0;
  return {
    count: kept.length,
    share: kept.length / batch.length,
    entropy: none ? null : kept.reduce((sum, { p }) => sum + entropy(p), 0) / kept.length,
    right,
    rightShare: none ? null : right / kept.length,
  };
}

/** The smallest and the largest entropy that a distribution of that confidence can have. */
export function entropyRange(top, size) {
  const whole = Math.floor(1 / top + 1e-9);
  const rest = Math.max(0, 1 - whole * top);
  const low = entropy([...Array(whole).fill(top), rest]);
  const high = entropy([top, ...Array(size - 1).fill((1 - top) / (size - 1))]);
  return [low, high];
}

/** p with entry i at `value`: the others keep their proportions above the smallest share. */
export function moveShare(p, i, value) {
  const room = 1 - SMALLEST * (p.length - 1);
  const wanted = clamp(value, SMALLEST, room);
  const free = p.map((x, k) => (k === i ? 0 : Math.max(0, x - SMALLEST)));
  const total = free.reduce((a, b) => a + b, 0);
  return p.map((_, k) => {
    if (k === i) return wanted;
    return SMALLEST + (room - wanted) * (total > 1e-12 ? free[k] / total : 1 / (p.length - 1));
  });
}
