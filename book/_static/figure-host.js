// Brings the live figures of a static page to life, with no request to any other file.
//
// A notebook page holds the saved state of its widgets in
//   <script type="application/vnd.jupyter.widget-state+json">, and in the place of each figure a
//   <script type="application/vnd.jupyter.widget-view+json"> that names its model.
// This script gives each anywidget model the small model that its module expects, and calls the
// module's `render`. Other widgets need a kernel: the static picture on the page stays as it is.
(() => {
  "use strict";
  const STATE = "application/vnd.jupyter.widget-state+json";
  const VIEW = "application/vnd.jupyter.widget-view+json";

  const same = (a, b) => {
    if (Object.is(a, b)) return true;
    const plain = (x) => x !== null && typeof x === "object" && !ArrayBuffer.isView(x);
    return plain(a) && plain(b) && JSON.stringify(a) === JSON.stringify(b);
  };

  /** What a module knows of its model: get, set, on, off, save_changes. There is no kernel. */
  class Model {
    constructor(state) {
      this.state = state;
      this.listeners = new Map(); // event → list of functions
    }

    get(name) {
      return this.state[name];
    }

    set(name, value) {
      const changes = typeof name === "string" ? { [name]: value } : name;
      const changed = Object.keys(changes).filter((key) => !same(this.state[key], changes[key]));
      for (const key of changed) this.state[key] = changes[key];
      for (const key of changed) this.trigger(`change:${key}`, this, this.state[key]);
      if (changed.length) this.trigger("change", this);
    }

    on(events, act) {
      for (const event of events.split(/\s+/)) {
        this.listeners.set(event, [...(this.listeners.get(event) ?? []), act]);
      }
    }

    /** Without a function, every listener of the event goes; without an event, of all events. */
    off(events, act) {
      for (const event of events ? events.split(/\s+/) : [...this.listeners.keys()]) {
        const left = act ? (this.listeners.get(event) ?? []).filter((f) => f !== act) : [];
        this.listeners.set(event, left);
      }
    }

    trigger(event, ...values) {
      for (const act of this.listeners.get(event) ?? []) act(...values);
    }

    save_changes() {}

    send() {}
  }

  /** Put each buffer, saved as base64, back at its path in the state, as a DataView. */
  function restore(state, buffers = []) {
    for (const { data, encoding, path } of buffers) {
      if (encoding !== "base64") throw new Error(`its data is saved as ${encoding}, not base64`);
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      let holder = state;
      for (const step of path.slice(0, -1)) holder = holder[step] ??= {};
      holder[path.at(-1)] = new DataView(bytes.buffer);
    }
    return state;
  }

  const modules = new Map(); // one import for figures of the same source
  function load(source) {
    if (!modules.has(source)) {
      const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      modules.set(source, import(address).finally(() => URL.revokeObjectURL(address)));
    }
    return modules.get(source);
  }

  const styles = new Set();
  function dress(css) {
    if (!css || styles.has(css)) return;
    styles.add(css);
    const node = document.createElement("style");
    node.textContent = css;
    document.head.append(node);
  }

  const started = new Map(); // model id → { model, widget }, shared by all views of the model
  function start(id, saved) {
    if (!started.has(id)) {
      started.set(id, (async () => {
        const model = new Model(restore({ ...saved.state }, saved.buffers));
        dress(model.get("_css"));
        const module = await load(model.get("_esm"));
        const made = module.default ?? module;
        const widget = typeof made === "function" ? await made() : made;
        await widget.initialize?.({ model });
        return { model, widget };
      })());
    }
    return started.get(id);
  }

  async function show(script, models) {
    const place = document.createElement("div");
    place.className = "genssl-figure-place";
    try {
      const id = JSON.parse(script.textContent).model_id;
      const saved = models[id];
      if (saved && saved.model_module !== "anywidget") return;
      script.after(place);
      if (!saved) throw new Error("its state is not on this page");
      const { model, widget } = await start(id, saved);
      if (!widget.render) throw new Error("its module has nothing to render");
      await widget.render({ model, el: place });
    } catch (error) {
      const line = document.createElement("p");
      line.className = "genssl-figure-problem";
      line.setAttribute("role", "status");
      const why = String(error?.message ?? error).replace(/\.$/, "");
      line.textContent = `This figure could not start: ${why}.`;
      script.after(place);
      place.replaceChildren(line);
    }
  }

  function bring() {
    const models = {};
    for (const script of document.querySelectorAll(`script[type="${STATE}"]`)) {
      try {
        Object.assign(models, JSON.parse(script.textContent).state);
      } catch {
        // Each figure whose state is unreadable says so in its own place.
      }
    }
    for (const script of document.querySelectorAll(`script[type="${VIEW}"]`)) {
      if (script.dataset.gensslSeen) continue;
      script.dataset.gensslSeen = "yes";
      show(script, models);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", bring);
  else bring();
})();
