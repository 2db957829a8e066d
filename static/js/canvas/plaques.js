/**
 * The callouts on the page: the gravest groups of situations.js come in, buttons over the canvas go out, placed by callouts.js and moved
 * with the eye. They are laid anew when what they say, the layout or the view changes, at most a few times a second.
 */
import { h } from "../dom.js";
import { leader, place } from "./callouts.js";
import { end, route } from "./tethers.js";
import { rounded } from "./brush.js";
import { RAIL } from "./rail.js";

/** @typedef {import("./stage.js").Stage} Stage @typedef {import("../types").Box} Box @typedef {import("../situations.js").Group} Group */
/** @typedef {{group: Group, tone: string, term: string, who: string, why: string}} Said */
/** @typedef {Said & {key: string, element: HTMLButtonElement, sizes: {w: number, h: number}[], anchors: Box[], home: string, at: {dx: number, dy: number, size: number, cost: number}|null, which: number}} Plaque */

const MARGIN = 6;
/** A line from one to its thing is drawn from this distance on, in pixels. */
const APART = 3;
/** With more pods in a bin than this, its pods are one block. */
const BLOCK = 60;
const MOST_ANCHORS = 4;
/** How a callout says less and less. */
const SIZES = ["", "tight", "mini", "brief"];
/** They are laid anew when that has passed since, in milliseconds, and so many times what it takes, but not more than the last. */
const REST = 160;
const SHARE = 20;
const MOST_REST = 700;
const GLYPH = { bad: "✕", wait: "◷", move: "↻" };

export class Plaques {
  /** @param {Stage} stage @param {HTMLElement} host @param {(group: Group) => void} open */
  constructor(stage, host, open) {
    this.stage = stage;
    this.open = open;
    this.layer = h("div.callouts", { role: "group" });
    host.querySelector(".situations")?.before(this.layer);
    /** @type {Map<string, Plaque>} */
    this.all = new Map();
    this.eye = { x: 0, y: 0, zoom: 1, w: 0, h: 0 };
    this.laid = 0;
    this.took = 0;
    this.laidFor = "";
    stage.plaques = this;
    host.addEventListener("toggle", () => this.later(), true);
  }

  /** @param {Said[]} said the gravest first */
  say(said) {
    const before = this.all;
    let other = before.size !== said.length;
    this.all = new Map();
    /** @type {Plaque[]} */
    const unknown = [];
    for (const one of said) {
      const key = one.group.key;
      const known = before.get(key);
      const plaque = known ?? { ...one, key, element: h("button.callout", { type: "button", hidden: true, onclick: () => this.open(plaque.group) }), sizes: [], anchors: [], home: one.group.lead, at: null, which: 0 };
      const same = known && known.term === one.term && known.who === one.who && known.why === one.why;
      Object.assign(plaque, one);
      this.all.set(key, plaque);
      if (same) continue;
      plaque.element.dataset.tone = one.tone;
      other ||= !known;
      this.#write(plaque);
      if (!plaque.sizes.length || !known || known.term.length + known.who.length !== one.term.length + one.who.length || Math.abs(known.why.length - one.why.length) > 1) unknown.push(plaque);
    }
    this.#measure(unknown);
    other ||= unknown.length > 0;
    for (const [key, one] of before) if (!this.all.has(key)) one.element.remove();
    this.later(other ? 0 : undefined);
  }

  /** @param {Plaque} plaque */
  #write(plaque) {
    const { element, term, who, why, tone } = plaque;
    element.replaceChildren(h("b", {}, h("i", { "aria-hidden": "true", text: GLYPH[/** @type {"bad"} */ (tone)] }), term), " ", who ? h("span.call-who", { text: who }) : "", " ", why ? h("span.call-why", {}, ...why.split(" · ").map((part, index) => h(index > 1 ? "span.call-more" : "span", { text: index ? ` · ${part}` : part }))) : "");
    element.title = [term, who, why].filter(Boolean).join(" · ");
    if (!element.isConnected) this.layer.append(element);
  }

  /** How large each is in each of its forms: all are written before any is read, so that the page is laid out once a form. @param {Plaque[]} plaques */
  #measure(plaques) {
    for (const one of plaques) {
      one.element.hidden = false;
      one.sizes = [];
    }
    SIZES.forEach((name, form) => {
      const these = plaques.filter(({ why }) => form < (why ? 4 : 2));
      for (const { element } of these) element.dataset.size = name;
      for (const { element, sizes } of these) {
        const line = name === "mini" ? element.querySelector(".call-why") : null;
        sizes.push(line && line.scrollWidth > line.clientWidth + 1 ? { w: Infinity, h: 0 } : { w: element.offsetWidth, h: element.offsetHeight });
      }
    });
    for (const { element, at } of plaques) {
      element.dataset.size = SIZES[at?.size ?? 0];
      element.hidden = !at;
    }
  }

  /** Puts each where it belongs now. */
  lay() {
    clearTimeout(this.laid);
    this.laid = 0;
    const began = performance.now();
    const { stage } = this;
    const { camera } = stage;
    const eye = { x: camera.x, y: camera.y, zoom: camera.zoom, w: stage.width, h: stage.height };
    const moved = JSON.stringify(eye) !== this.laidFor;
    this.eye = eye;
    this.laidFor = JSON.stringify(eye);
    const plaques = [...this.all.values()];
    for (const one of plaques) one.anchors = this.#anchors(one);
    const shown = plaques.filter((one) => one.anchors.length);
    const view = { x: MARGIN, y: RAIL + MARGIN, w: stage.width - 2 * MARGIN, h: stage.height - RAIL - 2 * MARGIN };
    const places = shown.length ? place(shown.map(({ key, anchors, sizes, at, home }) => ({ key, anchors, sizes, home: this.#home(home), was: at ? { ...at, cost: moved ? undefined : at.cost } : undefined })), this.#hard(), this.#soft(), view, this.#bins()) : new Map();
    for (const one of plaques) {
      const found = places.get(one.key);
      one.element.hidden = !found;
      one.at = found ? { dx: found.x - one.anchors[0].x, dy: found.y - one.anchors[0].y, size: found.size, cost: found.cost } : null;
      if (!found) continue;
      one.which = found.anchor;
      one.element.dataset.size = SIZES[found.size];
      one.element.style.transform = `translate(${Math.round(found.x)}px, ${Math.round(found.y)}px)`;
    }
    stage.movingDirty = true;
    stage.invalidate();
    this.took = performance.now() - began;
  }

  /** The bins in view, in pixels. */
  #bins() {
    const { layout, camera } = this.stage;
    return layout.within({ x: camera.x, y: camera.y, w: camera.view.w / camera.zoom, h: camera.view.h / camera.zoom }).flatMap((id) => {
      const box = layout.nodeBox(id);
      return box ? [camera.box(box)] : [];
    });
  }

  /** The bin that the first of a callout's anchors is in. @param {string} place */
  #home(place) {
    const { layout, camera } = this.stage;
    const box = place.startsWith("Node/") || place.startsWith("Group/") ? layout.nodeBox(place) : null;
    return box ? camera.box(box) : undefined;
  }

  /** The eye has moved: they go along at once and are laid anew when it rests. */
  follow() {
    const { camera, width, height } = this.stage;
    const { eye } = this;
    if (!this.all.size || (eye.x === camera.x && eye.y === camera.y && eye.zoom === camera.zoom && eye.w === width && eye.h === height)) return;
    for (const one of this.all.values()) {
      if (!one.at) continue;
      one.anchors = this.#anchors(one);
      if (!one.anchors.length) one.element.hidden = true;
      else one.element.style.transform = `translate(${Math.round(one.anchors[0].x + one.at.dx)}px, ${Math.round(one.anchors[0].y + one.at.dy)}px)`;
    }
    this.later();
  }

  /** Whether what is the matter with a source is told by a callout in view. @param {string} id */
  says(id) {
    const source = this.stage.scene.get(id);
    for (const { element, group } of this.all.values()) if (!element.hidden && (group.members.has(id) || (source?.error?.hop === "endpoints" && group.lead === (source.service ?? source.target)))) return true;
    return false;
  }

  /** Lays them anew soon. @param {number} [wait] in milliseconds */
  later(wait) {
    if (this.laid && wait === undefined) return;
    clearTimeout(this.laid);
    this.laid = setTimeout(() => this.lay(), wait ?? Math.min(MOST_REST, Math.max(REST, SHARE * this.took)));
  }

  /** What a group's words point at, in pixels: the node with most of its pods, or the thing itself. @param {Plaque} plaque @returns {Box[]} */
  #anchors(plaque) {
    const { stage } = this;
    const { group } = plaque;
    const { layout, camera, scene } = stage;
    const first = group.members.values().next().value ?? "";
    const inView = (/** @type {Box} */ b) => b.x + b.w > 0 && b.x < stage.width && b.y + b.h > RAIL && b.y < stage.height;
    if (group.code === "policy" || group.code === "dies") {
      const source = scene.get(first);
      const at = source ? end(layout, first, source) : null;
      if (!at) return [];
      const point = camera.box({ ...at, w: 0, h: 0 });
      const box = { x: point.x - 7, y: point.y - 7, w: 14, h: 14 };
      return inView(box) ? [box] : [];
    }
    if (!first.startsWith("Pod/")) {
      const world = layout.box(first);
      const b = world ? camera.box(world) : null;
      if (!b || !inView(b)) return [];
      return group.code === "node" || group.code === "pressure" ? [{ x: b.x, y: b.y, w: b.w, h: Math.min(b.h, 62 * camera.zoom) }] : [b];
    }
    /** @type {Map<string, string[]>} */
    const places = new Map();
    let seen = 0;
    for (const id of group.members) {
      if (++seen > 400) break;
      const place = layout.pods.get(id)?.place;
      if (place) places.set(place, [...(places.get(place) ?? []), id]);
    }
    const order = [...places].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
    for (const [place, ids] of order) {
      plaque.home = place;
      const boxes = ids.slice(0, MOST_ANCHORS).flatMap((id) => layout.podBox(id) ?? []).map((box) => camera.box(box)).filter(inView);
      if (boxes.length) return boxes;
    }
    return [];
  }

  /** What may not be covered, in pixels. */
  #hard() {
    const { stage } = this;
    const { layout, camera } = stage;
    /** @type {Box[]} */
    const found = [];
    const add = (/** @type {Box|null} */ world) => {
      if (world) found.push(camera.box(world));
    };
    const inView = (/** @type {Box} */ b) => b.x + b.w > 0 && b.x < stage.width && b.y + b.h > RAIL && b.y < stage.height;
    const { view, zoom } = camera;
    for (const id of layout.within({ x: camera.x, y: camera.y, w: view.w / zoom, h: view.h / zoom })) {
      const world = layout.nodeBox(id);
      const b = world && camera.box(world);
      if (!b || !inView(b)) continue;
      const bin = layout.bin(id);
      const header = layout.cellsOf(id, world)?.header;
      if (b.w < 60 || header === undefined || bin.grid.slots.size > BLOCK) {
        found.push(b);
        continue;
      }
      found.push({ x: b.x, y: b.y, w: b.w, h: header * zoom });
      if (id.startsWith("Node/")) {
        const z = b.h / layout.nodeHeight;
        found.push({ x: b.x, y: b.y + b.h - 24 * z, w: bin.system.size ? (84 + bin.system.extent * 20) * z : 60 * z, h: 24 * z });
      }
      for (const pod of bin.grid.slots.of.keys()) {
        const cell = layout.podBox(pod);
        if (!cell) continue;
        const box = camera.box(cell);
        found.push({ x: box.x + box.w * 0.06, y: box.y + box.h * 0.04, w: box.w * 0.88, h: box.h * 0.93 });
      }
    }
    for (const slots of [layout.services, layout.systemServices, layout.sources, layout.workloads]) for (const id of slots.of.keys()) add(layout.box(id));
    let tray = 0;
    for (const id of layout.tray.of.keys()) if (++tray <= 300) add(layout.podBox(id));
    const label = camera.box(layout.trayBox);
    found.push({ x: label.x, y: label.y, w: Math.min(label.w * 0.28, 150 * zoom), h: label.h });
    const host = stage.host.getBoundingClientRect();
    for (const element of stage.host.querySelectorAll(".stage-tools, .legend, .situations, .stage-bar > *, .first-steps, .past-banner, .minimap")) {
      const at = element.getBoundingClientRect();
      if (at.width && at.height) found.push({ x: at.left - host.left - 4, y: at.top - host.top - 4, w: at.width + 8, h: at.height + 8 });
    }
    return found;
  }

  /** What had better not be covered: the lines of Services, a few of each. */
  #soft() {
    const { layout, scene, camera } = this.stage;
    /** @type {Box[]} */
    const found = [];
    for (const id of layout.services.of.keys()) {
      const pods = [...(scene.get(id)?.endpoints ?? []), ...(scene.get(id)?.near ?? [])].slice(0, 12);
      for (const { pod } of pods) {
        const points = route(layout, id, pod);
        for (let i = 1; i < points.length && found.length < 2000; i++) {
          const [a, b] = [points[i - 1], points[i]];
          const box = camera.box({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) });
          found.push({ x: box.x - 2, y: box.y - 2, w: box.w + 4, h: box.h + 4 });
        }
      }
    }
    return found;
  }

  /** The lines to what they are about. @param {CanvasRenderingContext2D} c */
  draw(c) {
    const k = this.stage.colours;
    for (const one of this.all.values()) {
      if (!one.at || one.element.hidden || !one.anchors.length) continue;
      const size = one.sizes[one.at.size];
      const from = { x: one.anchors[0].x + one.at.dx, y: one.anchors[0].y + one.at.dy, ...size };
      const colour = one.tone === "bad" ? k.failText : one.tone === "wait" ? k.pending : k.accent;
      const to = one.anchors[one.which] ?? one.anchors[0];
      const inset = one.group.members.size && [...one.group.members][0].startsWith("Pod/") ? to.w * 0.16 : 0;
      const { start, end } = leader(from, { x: to.x + inset, y: to.y + inset / 2, w: to.w - 2 * inset, h: to.h - inset / 2 });
      if (Math.hypot(start.x - end.x, start.y - end.y) < APART) continue;
      c.strokeStyle = colour;
      c.fillStyle = colour;
      c.lineWidth = 1.5;
      c.beginPath();
      c.moveTo(start.x, start.y);
      c.lineTo(end.x, end.y);
      c.stroke();
      rounded(c, end.x - 2.5, end.y - 2.5, 5, 5, 2.5);
      c.fill();
    }
  }
}
