// What the figure of time computes: exact noise of a mixture of round clouds, and three walks.

/** Guessed noise [a, b] in a place, for equally likely clouds, where a share `kept` is left. */
export function noiseAt([x, y], kept, { middles, spread }) {
  const root = Math.sqrt(kept);
  const size = kept * spread * spread + 1 - kept;
  const far = new Float64Array(middles.length);
  let top = -Infinity;
  for (let k = 0; k < far.length; k += 1) {
    const [dx, dy] = [x - root * middles[k][0], y - root * middles[k][1]];
    far[k] = -(dx * dx + dy * dy) / (2 * size);
    if (far[k] > top) top = far[k];
  }
  let [sum, u, v] = [0, 0, 0];
  for (let k = 0; k < far.length; k += 1) {
    const share = Math.exp(far[k] - top);
    sum += share;
    u += share * middles[k][0];
    v += share * middles[k][1];
  }
  const pull = Math.sqrt(1 - kept) / size;
  return [pull * (x - root * u / sum), pull * (y - root * v / sum)];
}

/** Whole times from 0 to `last`, `steps` + 1 of them; a half goes to the even number, as in torch. */
export function visited(last, steps) {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const at = (i * last) / steps;
    const low = Math.floor(at);
    if (at - low !== 0.5) return Math.round(at);
    return low % 2 ? low + 1 : low;
  });
}

/** Where the walk starts: true points and their noise, both from the pool of normal numbers. */
export function beginnings({ middles, spread }, pool, points) {
  return Array.from({ length: points }, (_, i) => {
    const middle = middles[i % middles.length];
    return {
      data: [0, 1].map((d) => middle[d] + spread * pool[2 * i + d]),
      noise: [0, 1].map((d) => pool[2 * points + 2 * i + d]),
    };
  });
}

/** Places at a time on the way forward. */
export const forwardAt = (begun, kept) => begun.map(({ data, noise }) =>
  [0, 1].map((d) => Math.sqrt(kept) * data[d] + Math.sqrt(1 - kept) * noise[d]));

/** All frames of a way back, the noise first: lists of places. */
export function backward(begun, kept, times, cloud, way, pool) {
  let places = begun.map(({ noise }) => noise);
  const frames = [places];
  for (let k = times.length - 1; k > 0; k -= 1) {
    const [now, before] = [kept[times[k]], kept[times[k - 1]]];
    const beta = 1 - now / before;
    const wide = way === "DDPM" ? Math.sqrt(((1 - before) / (1 - now)) * beta) : 0;
    places = places.map((place, i) => {
      const guess = noiseAt(place, now, cloud);
      return [0, 1].map((d) => {
        const start = (place[d] - Math.sqrt(1 - now) * guess[d]) / Math.sqrt(now);
        const fresh = pool[(4 * begun.length + 2 * i + d + 1361 * k) % pool.length];
        const out = Math.sqrt(Math.max(0, 1 - before - wide * wide));
        return Math.sqrt(before) * start + out * guess[d] + wide * fresh;
      });
    });
    frames.push(places);
  }
  return frames;
}
