// The loss of one triplet against the difference of its squared distances: a hinge with a kink.
import { clamp, number, svg, write } from "../kit/figure.js";

export const line = (points) => `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}`;

/**
 * The plot of the hinge; `show(each, margin)` moves the zones, the kink and a mark for each negative.
 * `marks` make the negatives' marks; `onResize` is called when the plot knows its width.
 */
export function hingePlot(life, marks, onResize) {
  const plot = svg("svg", { height: 236 });
  const area = { x: 26, y: 24, w: 0, h: 166 };
  const X = [-4.4, 3.4];
  const Y = [0, 4];
  const px = (x) => area.x + (clamp(x, ...X) - X[0]) / (X[1] - X[0]) * area.w;
  const py = (y) => area.y + area.h - clamp(y, ...Y) / (Y[1] - Y[0]) * area.h;
  const back = svg("g", {});
  const bands = ["hard", "semi-hard"].map((name) => svg("rect", {
    y: area.y, height: area.h, fill: "var(--genssl-negative)", "fill-opacity": name === "hard" ? 0.3 : 0.13,
  }));
  const names = ["easy", "semi-hard", "hard"].map((text) => svg("text", {
    class: "genssl-soft", y: area.y - 8, "text-anchor": "middle", text,
  }));
  const hinge = svg("path", { fill: "none", stroke: "var(--genssl-ink)", "stroke-width": 2.5, "stroke-linejoin": "round" });
  const kink = svg("circle", { r: 5, cy: py(0), fill: "var(--genssl-paper)", stroke: "var(--genssl-ink)", "stroke-width": 2.25 });
  const kinkLine = svg("line", { class: "genssl-axis", y1: py(0), y2: area.y, "stroke-dasharray": "3 4" });
  const kinkName = svg("text", { class: "genssl-halo", "text-anchor": "end", y: area.y + 62, text: "kink" });
  const flat = svg("text", { class: "genssl-soft genssl-halo", y: py(1) - 7, text: "slope 0" });
  const steep = svg("text", { class: "genssl-soft genssl-halo", "text-anchor": "end", text: "slope 1" });
  plot.append(...bands, back, ...names, kinkLine, hinge, kinkName, flat, steep, kink);
  const spots = marks.map((m) => {
    const stem = plot.appendChild(svg("line", { class: "genssl-axis" }));
    const node = plot.appendChild(svg("g", {}, m.node()));
    const far = plot.appendChild(svg("text", { class: "genssl-soft genssl-halo" }));
    return { stem, node, far };
  });

  function show(each, margin) {
    if (area.w <= 0) return;
    const bounds = [area.x, px(-margin), px(0), area.x + area.w];
    write(bands[0], { x: bounds[2], width: bounds[3] - bounds[2] });
    write(bands[1], { x: bounds[1], width: bounds[2] - bounds[1] });
    write(names[0], { x: bounds[0] + 26 });
    write(names[1], { x: (bounds[1] + bounds[2]) / 2, visibility: margin > 0 ? "visible" : "hidden" });
    write(names[2], { x: bounds[3] - 30 });
    const end = Math.min(X[1], Y[1] - margin);
    write(hinge, { d: line([[px(X[0]), py(0)], [px(-margin), py(0)], [px(end), py(end + margin)]]) });
    write(kink, { cx: px(-margin) });
    write(kinkLine, { x1: px(-margin), x2: px(-margin) });
    write(kinkName, { x: px(-margin) - 6 });
    write(flat, { x: area.x + 8 });
    write(steep, { x: px(end - 0.9) - 8, y: py(end - 0.9 + margin) });
    const taken = [];
    each.forEach(({ gap, loss }, k) => {
      const [x, y] = [px(gap), py(loss)];
      // Marks at one place stand above each other, or below where the plot ends.
      const free = (lift) => y - lift > area.y + 4
        && !taken.some(([u, v]) => Math.abs(u - x) < 20 && Math.abs(v - (y - lift)) < 20);
      const lift = [0, 21, 42, -21, -42].find(free) ?? 0;
      taken.push([x, y - lift]);
      write(spots[k].node, { transform: `translate(${x} ${y - lift}) scale(0.72)` });
      const out = gap < X[0] || gap > X[1]; // off the axis: the number is written beside the mark
      write(spots[k].far, {
        x: x + (gap < 0 ? 13 : -13), y: y - lift - 6, "text-anchor": gap < 0 ? "start" : "end", text: out ? number(gap, 1) : "",
      });
      write(spots[k].stem, { x1: x, x2: x, y1: y, y2: y - lift });
    });
  }

  life.resize(plot, (size) => {
    area.w = size - area.x - 12;
    write(plot, { viewBox: `0 0 ${size} 236` });
    const bottom = area.y + area.h;
    const ticks = [];
    for (let v = Math.ceil(X[0]); v <= X[1]; v += 1) {
      ticks.push(svg("line", { class: v ? "genssl-grid" : "genssl-axis", x1: px(v), x2: px(v), y1: area.y, y2: bottom }),
        svg("text", { class: "genssl-soft", x: px(v), y: bottom + 18, "text-anchor": "middle", text: number(v, 0) }));
    }
    for (let v = Y[0]; v <= Y[1]; v += 1) {
      ticks.push(svg("line", { class: v ? "genssl-grid" : "genssl-axis", x1: px(X[0]), x2: px(X[1]), y1: py(v), y2: py(v) }),
        svg("text", { class: "genssl-soft", x: area.x - 8, y: py(v) + 4, "text-anchor": "end", text: v }));
    }
    back.replaceChildren(...ticks, svg("text", {
      class: "genssl-soft", x: area.x + area.w / 2, y: bottom + 38, "text-anchor": "middle",
      text: "distance² to the positive − to the negative",
    }));
    onResize();
  });
  return { node: plot, show };
}
