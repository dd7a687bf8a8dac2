// One anchor, one positive, three negatives: where the triplet loss acts, and where it is off.
import {
  button, clamp, frame, html, lifetime, number, point, slider, stops, svg, unique, write,
} from "../kit/figure.js";

const REACH = 1.5; // the plane is shown from −1.5 to 1.5
const GAP = [-3, 4]; // the range of d_an − d_ap in the small plot
const COST = 5;

// ---------------------------------------------------------------- the maths

export const squared = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;

/** The nearest point of the unit circle; the centre goes to (1, 0). */
export function onCircle([x, y]) {
  const size = Math.hypot(x, y);
  return size > 1e-9 ? [x / size, y / size] : [1, 0];
}

/** Where a negative stands, and what its triplet costs: [d_ap − d_an + m]₊. */
export function triplet(anchor, positive, negative, margin) {
  const [dap, dan] = [squared(anchor, positive), squared(anchor, negative)];
  const loss = Math.max(0, dap - dan + margin);
  let zone = "semi-hard";
  if (dan <= dap) zone = "hard";
  else if (dan >= dap + margin) zone = "easy";
  return { dap, dan, gap: dan - dap, loss, zone };
}

/** The mean loss over the negatives, and its gradients; on the circle, along the circle. */
export function lossAndGradients(anchor, positive, negatives, margin, circle) {
  const each = negatives.map((n) => triplet(anchor, positive, n, margin));
  const share = 2 / negatives.length;
  const along = (x, g) => {
    if (!circle) return g;
    const out = g[0] * x[0] + g[1] * x[1];
    return [g[0] - out * x[0], g[1] - out * x[1]];
  };
  const ga = [0, 0];
  const gp = [0, 0];
  const gn = negatives.map((n, k) => {
    if (!(each[k].loss > 0)) return [0, 0];
    for (const i of [0, 1]) {
      ga[i] += share * (n[i] - positive[i]);
      gp[i] += share * (positive[i] - anchor[i]);
    }
    return along(n, [share * (anchor[0] - n[0]), share * (anchor[1] - n[1])]);
  });
  const loss = each.reduce((sum, t) => sum + t.loss, 0) / negatives.length;
  return { each, loss, anchor: along(anchor, ga), positive: along(positive, gp), negatives: gn };
}

/**
 * A direction from the anchor along which three labels at the given radii stay inside the plane
 * and away from the points.
 */
export function labelDirection(anchor, radii, points) {
  let best = [0, 1];
  let most = -Infinity;
  for (let k = 0; k < 24; k += 1) {
    const way = [Math.cos((k * Math.PI) / 12), Math.sin((k * Math.PI) / 12)];
    let score = 0;
    for (const r of radii) {
      const at = [anchor[0] + r * way[0], anchor[1] + r * way[1]];
      const inside = Math.min(REACH - 0.32 - Math.abs(at[0]), REACH - 0.1 - Math.abs(at[1]));
      score += Math.min(0, inside) * 10;
      score += Math.min(...points.map((p) => Math.min(0.35, Math.hypot(at[0] - p[0], at[1] - p[1]))));
    }
    if (score > most + 1e-9) [best, most] = [way, score];
  }
  return best;
}

// ---------------------------------------------------------------- the picture

const SHAPES = {
  anchor: "M0,-11L3,-3.6L10.5,-3.4L4.6,1.4L6.6,8.9L0,4.6L-6.6,8.9L-4.6,1.4L-10.5,-3.4L-3,-3.6Z",
  positive: "M-8,0A8,8 0 1 1 8,0A8,8 0 1 1 -8,0Z",
  negative: "M-7,-7H7V7H-7Z",
};
const marker = (role) => svg("path", {
  class: "genssl-grip", d: SHAPES[role], fill: `var(--genssl-${role})`,
  stroke: "var(--genssl-paper)", "stroke-width": 1.5,
});

function render({ model, el }) {
  const life = lifetime();
  const { root, controls, picture, announce } = frame(life, model, el);
  const change = (values) => {
    for (const [name, v] of Object.entries(values)) model.set(name, v);
    model.save_changes();
  };
  const places = () => [model.get("anchor"), model.get("positive"), ...model.get("negatives")];

  const wide = slider(life, {
    label: "margin m =", values: stops(0, 2, { steps: 40 }), format: (m) => number(m),
    ends: ["0", "2"], onInput: (margin) => change({ margin }),
  });
  const flip = button(life, "", () => {
    if (model.get("circle")) return change({ circle: false });
    const [anchor, positive, ...negatives] = places().map(onCircle);
    return change({ circle: true, anchor, positive, negatives });
  });
  controls.append(wide.node, html("div", { class: "genssl-buttons" }, flip));

  // ---- the plane
  const plane = svg("svg", {});
  const clip = unique("clip");
  const tip = unique("tip");
  const room = svg("rect", { fill: "none", class: "genssl-axis" });
  const clipBox = svg("rect", {});
  plane.append(svg("defs", {},
    svg("clipPath", { id: clip }, clipBox),
    svg("marker", { id: tip, viewBox: "0 0 8 8", refX: 5, refY: 4, markerWidth: 5, markerHeight: 5, orient: "auto" },
      svg("path", { d: "M0,0L8,4L0,8Z", fill: "var(--genssl-ink)" }))));
  const ring = { fill: "none", "stroke-width": 1.5 };
  const zones = {
    semi: svg("circle", { fill: "var(--genssl-model)", "fill-opacity": 0.2 }),
    hard: svg("circle", { fill: "var(--genssl-paper)" }),
    tint: svg("circle", { fill: "var(--genssl-negative)", "fill-opacity": 0.16 }),
    outer: svg("circle", { ...ring, stroke: "var(--genssl-model)", "stroke-dasharray": "6 4" }),
    inner: svg("circle", { ...ring, stroke: "var(--genssl-negative)" }),
    unit: svg("circle", { ...ring, stroke: "var(--genssl-edge)" }),
  };
  plane.append(svg("g", { "clip-path": `url(#${clip})` }, ...Object.values(zones)), room);
  const zoneNames = ["hard", "semi-hard", "easy"].map((text) => plane.appendChild(svg("text", {
    class: "genssl-soft genssl-halo", "text-anchor": "middle", "dominant-baseline": "central", text,
  })));
  const scale = { of: () => [0, 0], unit: 1, inverse: () => [0, 0] };

  const roles = ["anchor", "positive", "negative", "negative", "negative"];
  const names = ["anchor", "positive", "1", "2", "3"];
  const arrows = roles.map(() => plane.appendChild(svg("line", {
    stroke: "var(--genssl-ink)", "stroke-width": 2, "marker-end": `url(#${tip})`,
  })));
  const dots = roles.map((role, i) => {
    const text = svg("text", { class: "genssl-halo", text: names[i], x: i < 2 ? 13 : 11, y: -9 });
    const node = svg("g", {}, svg("circle", { r: 18, fill: "transparent" }), marker(role), text);
    plane.append(node);
    const label = i < 2 ? `the ${role}` : `negative ${names[i]}`;
    const held = point(life, node, {
      label, x: [-REACH, REACH], y: [-REACH, REACH], step: 0.02,
      format: ([x, y]) => `${number(x)} to the right, ${number(y)} up`,
      at: (event) => scale.inverse(event),
      onInput(place) {
        const at = model.get("circle") ? onCircle(place) : place;
        if (i === 0) change({ anchor: at });
        else if (i === 1) change({ positive: at });
        else change({ negatives: model.get("negatives").map((n, k) => (k === i - 2 ? at : n)) });
      },
    });
    return { node, text, held };
  });

  // ---- the hinge
  const hinge = svg("svg", {});
  const axes = svg("g", {});
  const bend = svg("path", { fill: "none", stroke: "var(--genssl-model)", "stroke-width": 2.5 });
  const kink = svg("text", { class: "genssl-soft genssl-halo", text: "kink at m" });
  const kinkDot = svg("circle", { r: 4, fill: "var(--genssl-paper)", stroke: "var(--genssl-model)", "stroke-width": 2 });
  const beads = [1, 2, 3].map((k) => svg("g", {}, marker("negative"),
    svg("text", { class: "genssl-halo", x: 0, y: -11, "text-anchor": "middle", text: k })));
  hinge.append(axes, bend, kink, kinkDot, ...beads);
  const area = { x: 34, y: 14, w: 0, h: 190 };

  const rows = [1, 2, 3].map((k) => {
    const cells = [html("td"), html("td"), html("td")];
    return { cells, node: html("tr", {}, html("th", { scope: "row", text: `negative ${k}` }), ...cells) };
  });
  const head = ["", "distance²", "zone", "loss"].map((text) => html("th", { scope: "col", text }));
  const said = html("p", { class: "genssl-heading" });
  picture.append(html("div", { class: "genssl-panels" },
    html("div", { class: "genssl-panel" },
      html("p", { class: "genssl-heading", text: "Drag the points" }),
      html("p", { class: "genssl-note", text: "Arrows: the step that lowers the loss." }), plane),
    html("div", { class: "genssl-panel" }, said,
      html("p", { class: "genssl-note", text: "Each negative on the hinge: flat right of the kink." }), hinge,
      html("table", {}, html("thead", {}, html("tr", {}, ...head)),
        html("tbody", {}, ...rows.map((r) => r.node))))));

  life.resize(plane, (width) => {
    const side = Math.min(width, 380);
    const left = (width - side) / 2;
    scale.unit = side / (2 * REACH);
    scale.of = ([x, y]) => [left + (x + REACH) * scale.unit, (REACH - y) * scale.unit];
    scale.inverse = (event) => {
      const box = plane.getBoundingClientRect();
      return [(event.clientX - box.left - left) / scale.unit - REACH,
        REACH - (event.clientY - box.top) / scale.unit];
    };
    write(plane, { viewBox: `0 0 ${width} ${side}`, height: side });
    for (const box of [room, clipBox]) write(box, { x: left, y: 0, width: side, height: side });
    draw();
  });
  life.resize(hinge, (width) => {
    area.w = Math.max(120, width - area.x - 12);
    write(hinge, { viewBox: `0 0 ${width} 246`, height: 246 });
    axes.replaceChildren();
    for (const x of [-2, 0, 2, 4]) {
      axes.append(svg("line", { class: "genssl-grid", x1: across(x), x2: across(x), y1: area.y, y2: area.y + area.h }),
        svg("text", { class: "genssl-soft", x: across(x), y: area.y + area.h + 16, "text-anchor": "middle", text: number(x, 0) }));
    }
    for (const y of [0, 2, 4]) {
      axes.append(svg("line", { class: y ? "genssl-grid" : "genssl-axis", x1: area.x, x2: area.x + area.w, y1: up(y), y2: up(y) }),
        svg("text", { class: "genssl-soft", x: area.x - 8, y: up(y) + 4, "text-anchor": "end", text: y }));
    }
    axes.append(svg("text", { class: "genssl-soft", x: area.x + area.w, y: area.y + area.h + 36, "text-anchor": "end", text: "distance² of the negative − that of the positive" }),
      svg("text", { class: "genssl-soft", x: area.x + 4, y: area.y + 6, text: "loss" }));
    draw();
  });
  const across = (gap) => area.x + ((clamp(gap, ...GAP) - GAP[0]) / (GAP[1] - GAP[0])) * area.w;
  const up = (loss) => area.y + area.h - (clamp(loss, 0, COST) / COST) * area.h;

  function draw() {
    const [margin, circle] = [model.get("margin"), model.get("circle")];
    const [anchor, positive, ...negatives] = places();
    const found = lossAndGradients(anchor, positive, negatives, margin, circle);
    wide.show(margin);
    write(flip, { text: circle ? "free them: use the whole plane" : "put them on the unit circle" });

    const [cx, cy] = scale.of(anchor);
    const near = Math.sqrt(found.each[0].dap);
    const far = Math.sqrt(found.each[0].dap + margin);
    for (const [name, r] of [["semi", far], ["outer", far], ["hard", near], ["tint", near], ["inner", near]]) {
      write(zones[name], { cx, cy, r: r * scale.unit });
    }
    const [ox, oy] = scale.of([0, 0]);
    write(zones.unit, { cx: ox, cy: oy, r: scale.unit, visibility: circle ? "visible" : "hidden" });
    const radii = [near * 0.6, (near + far) / 2, far + 0.14];
    const way = labelDirection(anchor, radii, places());
    zoneNames.forEach((text, k) => {
      const [x, y] = scale.of([anchor[0] + radii[k] * way[0], anchor[1] + radii[k] * way[1]]);
      const fits = [near * scale.unit > 26, (far - near) * scale.unit > 13, true][k];
      write(text, { x, y, visibility: fits ? "visible" : "hidden" });
    });

    const slopes = [found.anchor, found.positive, ...found.negatives];
    places().forEach((place, i) => {
      const [x, y] = scale.of(place);
      write(dots[i].node, { transform: `translate(${x} ${y})` });
      const side = x > ox + scale.unit * 0.75 ? -1 : 1;
      write(dots[i].text, { x: side * (i < 2 ? 13 : 11), "text-anchor": side < 0 ? "end" : "start" });
      dots[i].held.show(place);
      const size = Math.hypot(...slopes[i]);
      const reach = 0.35 * scale.unit;
      const [dx, dy] = [-slopes[i][0] * reach, slopes[i][1] * reach];
      write(arrows[i], { x1: x, y1: y, x2: x + dx, y2: y + dy, visibility: size > 0.02 ? "visible" : "hidden" });
    });

    if (area.w > 0) {
      write(bend, { d: `M${across(Math.max(GAP[0], margin - COST))},${up(margin - Math.max(GAP[0], margin - COST))}L${across(margin)},${up(0)}H${across(GAP[1])}` });
      write(kinkDot, { cx: across(margin), cy: up(0) });
      write(kink, { x: across(margin) + 8, y: up(0) - 12 });
      beads.forEach((bead, k) => write(bead, { transform: `translate(${across(found.each[k].gap)} ${up(found.each[k].loss)})` }));
    }
    found.each.forEach((t, k) => {
      [number(t.dan), t.zone, t.loss > 0 ? number(t.loss) : "0, off"].forEach((text, c) =>
        write(rows[k].cells[c], { text }));
    });
    const active = found.each.filter((t) => t.loss > 0).length;
    const told = `Loss ${number(found.loss)}: ${active} of 3 triplets active`;
    write(said, { text: told });
    announce(`${told}. ${found.each.map((t, k) => `Negative ${k + 1} is ${t.zone}`).join(", ")}.`);
    Object.assign(root.dataset, {
      anchor: JSON.stringify(anchor), positive: JSON.stringify(positive),
      negatives: JSON.stringify(negatives), margin: JSON.stringify(margin),
      circle: JSON.stringify(circle), loss: JSON.stringify(found.loss),
      losses: JSON.stringify(found.each.map((t) => t.loss)),
      zones: JSON.stringify(found.each.map((t) => t.zone)), slopes: JSON.stringify(slopes),
    });
  }
  life.follow(model, ["anchor", "positive", "negatives", "margin", "circle"], draw);
  draw();
  return () => life.end();
}

export default { render };
