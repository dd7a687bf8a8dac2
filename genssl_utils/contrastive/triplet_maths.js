// The triplet loss, its zones and its gradient.
import { clamp } from "../kit/figure.js";

export const squared = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;

/** Hard: no further than the positive. Semi-hard: further, but inside the margin. Easy: beyond. */
export function zone(dap, dan, margin) {
  if (dan <= dap) return "hard";
  return dap - dan + margin > 0 ? "semi-hard" : "easy";
}

/** The triplet of each negative: [d_ap − d_an + margin]₊ of squared distances, and their mean. */
export function triplets([anchor, positive, ...negatives], margin) {
  const dap = squared(anchor, positive);
  const each = negatives.map((negative) => {
    const dan = squared(anchor, negative);
    const loss = Math.max(0, dap - dan + margin);
    return { dan, gap: dap - dan, loss, active: loss > 0, zone: zone(dap, dan, margin) };
  });
  return { dap, each, loss: each.reduce((sum, { loss }) => sum + loss, 0) / each.length };
}

/** What is left of a vector along the circle: the gradient through x / ‖x‖ at norm 1. */
export function tangent(v, at) {
  const along = v[0] * at[0] + v[1] * at[1];
  return [v[0] - along * at[0], v[1] - along * at[1]];
}

/** Minus the gradient of the mean loss, for every point. */
export function downhill(points, margin, onCircle) {
  const [a, p, ...negatives] = points;
  const { each } = triplets(points, margin);
  const rate = 2 / each.length;
  const moves = points.map(() => [0, 0]);
  negatives.forEach((n, k) => {
    if (!each[k].active) return;
    for (const axis of [0, 1]) {
      moves[0][axis] += rate * (p[axis] - n[axis]);
      moves[1][axis] += rate * (a[axis] - p[axis]);
      moves[2 + k][axis] += rate * (n[axis] - a[axis]);
    }
  });
  return onCircle ? moves.map((v, i) => tangent(v, points[i])) : moves;
}

export const onCircle = (angle) => [Math.cos(angle), Math.sin(angle)];

/** The angle between two unit vectors whose squared distance is d; π for all that lies beyond. */
export const angleOf = (d) => Math.acos(clamp(1 - d / 2, -1, 1));

/** Where the zones end: the angles on the circle, the radii in the plane. */
export function borders(dap, margin, circle) {
  const edge = circle ? angleOf : Math.sqrt;
  return { hard: edge(dap), semiHard: edge(dap + margin) };
}
