// Small functions that every live figure of the course is made of.
// figure.py puts this text in front of a topic's own module: one file, nothing fetched.

const SVG = "http://www.w3.org/2000/svg";

// ---------------------------------------------------------------- numbers

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

/** A number for people: `digits` decimals, more where the number is small, a true minus sign. */
export function number(x, digits = 2) {
  if (!Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  const small = size > 0 && size < 10 ** -digits;
  const text = small || size >= 1e4 ? Number(x.toPrecision(2)).toString() : x.toFixed(digits);
  return text.replaceAll("-", "−");
}

/** A number for a table: `count` significant digits, written out where that is readable. */
export function significant(x, count = 3) {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  const text = size >= 10 ** count && size < 1e6 ? x.toFixed(0) : x.toPrecision(count);
  return text.replaceAll("-", "−");
}

/** Seeded uniforms strictly between 0 and 1 (the generator mulberry32). */
export function mulberry32(seed) {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b); // neighbouring seeds start far apart
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** The values a slider stops at: `steps` + 1 of them, evenly spaced on a log or linear scale. */
export function stops(low, high, { scale = "linear", steps = 120, integer = false } = {}) {
  const at = (share) =>
    scale === "log" ? low * (high / low) ** share : low + (high - low) * share;
  const tidy = (x) => (integer ? Math.round(x) : Number(x.toPrecision(3)));
  const values = Array.from({ length: steps + 1 }, (_, i) => clamp(tidy(at(i / steps)), low, high));
  return [...new Set(values)];
}

// ---------------------------------------------------------------- elements

/** Write attributes; `text` is the text content, null takes an attribute away. */
export function write(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") {
      if (node.textContent !== String(value)) node.textContent = value;
    } else if (value === null) node.removeAttribute(name);
    else node.setAttribute(name, value);
  }
  return node;
}

export function html(tag, attributes = {}, ...children) {
  const node = write(document.createElement(tag), attributes);
  node.append(...children);
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = write(document.createElementNS(SVG, tag), attributes);
  node.append(...children);
  return node;
}

/** An id that no other figure on the page has. */
export const unique = (stem) => `genssl-${stem}-${Math.random().toString(36).slice(2, 10)}`;

// ---------------------------------------------------------------- one render, from start to end

/** Everything that one render started, so that `end()` leaves nothing behind. */
export function lifetime() {
  const ends = [];
  return {
    listen(target, type, act) {
      target.addEventListener(type, act);
      ends.push(() => target.removeEventListener(type, act));
    },
    follow(model, names, act) {
      for (const name of names) {
        model.on(`change:${name}`, act);
        ends.push(() => model.off(`change:${name}`, act));
      }
    },
    /** Call `act` once the node has a width, and again whenever its width changes. */
    resize(node, act) {
      let last = 0;
      const watch = new ResizeObserver(() => {
        const width = Math.round(node.getBoundingClientRect().width);
        if (width > 0 && width !== last) act((last = width));
      });
      watch.observe(node);
      ends.push(() => watch.disconnect());
    },
    /** Run the last of many calls, `wait` milliseconds after it was made. */
    calm(wait, act) {
      let timer;
      ends.push(() => clearTimeout(timer));
      return (...values) => {
        clearTimeout(timer);
        timer = setTimeout(() => act(...values), wait);
      };
    },
    end() {
      while (ends.length) ends.pop()();
    },
  };
}

/** The frame around a figure: title, text alternative, a place for controls and one for the picture. */
export function frame(life, model, el) {
  const [titled, described] = [unique("title"), unique("alt")];
  const title = html("p", { id: titled, class: "genssl-title", text: model.get("title") });
  const alt = html("p", { id: described, class: "genssl-unseen", text: model.get("alt") });
  const controls = html("div", { class: "genssl-controls" });
  const picture = html("div", { class: "genssl-picture" });
  const spoken = html("p", { class: "genssl-unseen", "aria-live": "polite" });
  const root = html(
    "div",
    { class: "genssl-figure", role: "group", "aria-labelledby": titled, "aria-describedby": described },
    title,
    alt,
    controls,
    picture,
    spoken,
  );
  el.append(root);
  life.follow(model, ["title", "alt"], () => {
    write(title, { text: model.get("title") });
    write(alt, { text: model.get("alt") });
  });
  const announce = life.calm(500, (text) => write(spoken, { text }));
  return { root, controls, picture, announce };
}

// ---------------------------------------------------------------- controls

/**
 * A slider over a list of values, with its name, its value and a word at each end.
 * `show(value)` moves it without calling `onInput`; a value between two stops is shown as it is.
 */
export function slider(life, { label, values, format, ends = ["", ""], onInput }) {
  const id = unique("slider");
  // The slider itself speaks its value (aria-valuetext): said once, not three times.
  const shown = html("output", { for: id, "aria-live": "off" });
  const range = html("input", { id, type: "range", min: 0, max: values.length - 1, step: 1 });
  const node = html(
    "div",
    { class: "genssl-slider" },
    html("div", {}, html("label", { for: id, text: label }), " ", shown),
    range,
    html("span", { class: "genssl-ends", "aria-hidden": "true" },
      html("span", { text: ends[0] }), html("span", { text: ends[1] })),
  );
  life.listen(range, "input", () => onInput(values[range.valueAsNumber]));
  const show = (value) => {
    let nearest = 0;
    values.forEach((stop, i) => {
      if (Math.abs(stop - value) < Math.abs(values[nearest] - value)) nearest = i;
    });
    range.value = nearest;
    write(range, { "aria-valuetext": format(value) });
    write(shown, { text: format(value) });
  };
  return { node, show };
}

export function button(life, text, onPress) {
  const node = html("button", { type: "button", text });
  life.listen(node, "click", onPress);
  return node;
}

/** Buttons of which one is pressed; `show(value)` says which. `options` are pairs of value and text. */
export function choice(life, label, options, onPick) {
  const buttons = options.map(([value, text]) => [value, button(life, text, () => onPick(value))]);
  const node = html("div", { class: "genssl-buttons", role: "group", "aria-label": label },
    ...buttons.map(([, node]) => node));
  const pressed = "font-weight: 650; border-color: currentColor; box-shadow: inset 0 0 0 1px currentColor";
  const show = (now) => buttons.forEach(([value, node]) => write(node, {
    "aria-pressed": value === now, style: value === now ? pressed : null,
  }));
  return { node, show };
}

/**
 * Let a pointer move a value, a list of numbers. A finger moves it by how far the finger moves, so
 * that scrolling past the figure changes nothing.
 */
function drag(life, node, { at, now, move }) {
  let offset = [];
  life.listen(node, "pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    node.focus({ preventScroll: true });
    event.preventDefault();
    const [from, held] = [at(event), now()];
    const touch = event.pointerType === "touch";
    offset = from.map((x, i) => (touch ? held[i] - x : 0));
    if (!touch) move(from);
  });
  life.listen(node, "pointermove", (event) => {
    if (node.hasPointerCapture(event.pointerId)) move(at(event).map((x, i) => x + offset[i]));
  });
}

/** Call the function that a key has in `keys`; a notebook's own use of that key is kept off. */
function press(life, node, keys) {
  life.listen(node, "keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key](event.shiftKey ? 10 : 1);
  });
}

/**
 * Make an SVG node a slider that mouse, touch and keyboard move.
 * `at(event)` is the value under the pointer.
 */
export function handle(life, node, { label, min, max, step, format, at, onInput }) {
  let now = min;
  const move = (value) => onInput(clamp(value, min, max));
  write(node, {
    class: "genssl-handle", role: "slider", tabindex: 0, "aria-label": label,
    "aria-orientation": "horizontal", "aria-valuemin": min, "aria-valuemax": max,
  });
  press(life, node, {
    ArrowRight: () => move(now + step), ArrowUp: () => move(now + step),
    ArrowLeft: () => move(now - step), ArrowDown: () => move(now - step),
    PageUp: () => move(now + 10 * step), PageDown: () => move(now - 10 * step),
    Home: () => move(min), End: () => move(max),
  });
  drag(life, node, { at: (event) => [at(event)], now: () => [now], move: ([value]) => move(value) });
  return {
    show(value) {
      now = value;
      write(node, { "aria-valuenow": value, "aria-valuetext": format(value) });
    },
  };
}

/**
 * Make an SVG node a point of the plane that mouse, touch and keyboard move. Arrow keys move it by
 * `step`, with Shift ten times as far; Home and End move it to the sides, Page Up and Page Down ten
 * steps up and down. `at(event)` is the place [x, y] under the pointer, `x` and
 * `y` are the ranges; to keep the point on a curve, let `onInput` project what it is given.
 */
export function point(life, node, { label, x, y, step, format, at, onInput }) {
  let now = [x[0], y[0]];
  const move = ([a, b]) => onInput([clamp(a, ...x), clamp(b, ...y)]);
  const by = (dx, dy) => (times) => move([now[0] + times * step * dx, now[1] + times * step * dy]);
  write(node, {
    class: "genssl-handle genssl-point", role: "slider", tabindex: 0, "aria-label": label,
    "aria-roledescription": "point moved by the arrow keys",
    "aria-valuemin": x[0], "aria-valuemax": x[1],
  });
  press(life, node, {
    ArrowRight: by(1, 0), ArrowLeft: by(-1, 0), ArrowUp: by(0, 1), ArrowDown: by(0, -1),
    Home: () => move([x[0], now[1]]), End: () => move([x[1], now[1]]),
    PageUp: () => by(0, 10)(1), PageDown: () => by(0, -10)(1),
  });
  drag(life, node, { at, now: () => now, move });
  return {
    show(place) {
      now = [...place];
      write(node, { "aria-valuenow": place[0], "aria-valuetext": format(place) });
    },
  };
}

// ---------------------------------------------------------------- numbers that Python computed

/** The bytes of what Python's `packed` made small. */
export async function unpacked(view) {
  const stream = new Blob([view]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The float32 numbers of a `traitlets.Bytes` that holds `array.astype("<f4").tobytes()`. */
export function floats(view) {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return new Float32Array(bytes);
}
