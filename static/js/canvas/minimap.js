/**
 * The whole world small, for one who sees a part: every bin a tile in its states' shares with what fails on top, and the view as a frame
 * that can be dragged. Drawn anew at most a few times a second; it is for the pointer alone, keys pan and zoom without it.
 */
import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { kept } from "../kept.js";
import { TONES } from "./layout.js";

const SIZE = { w: 188, h: 124 };
const EVERY = 250;
/** More in view than this is everything. */
const WHOLE = 0.985;
const FOLDED = "podium.minimap";

export class Minimap {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.frame = h("div.minimap-view", { "aria-hidden": "true" });
    this.map = h("div.minimap-map", {}, this.canvas, this.frame);
    this.button = h("button.icon.minimap-fold", { type: "button", onclick: () => this.fold(!this.folded) });
    this.element = h("div.minimap", { hidden: true }, this.map, this.button);
    stage.host.append(this.element);
    this.folded = kept.get(FOLDED) === "folded";
    this.drawn = 0;
    this.timer = 0;
    this.seen = "";
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.canvas.width = SIZE.w * ratio;
    this.canvas.height = SIZE.h * ratio;
    this.c = this.canvas.getContext("2d");
    this.ratio = ratio;
    let held = false;
    this.map.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      held = true;
      this.map.setPointerCapture(event.pointerId);
      this.#go(event);
    });
    this.map.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => held && this.#go(event));
    for (const name of ["pointerup", "pointercancel"]) this.map.addEventListener(name, () => (held = false));
    this.map.addEventListener("wheel", (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      this.#go(event);
      stage.zoomBy(Math.exp(-event.deltaY * 0.0016));
    }, { passive: false });
    onLanguage(() => this.fold(this.folded));
    this.fold(this.folded);
    stage.on("frame", () => this.#follow());
  }

  /** @param {boolean} folded */
  fold(folded) {
    this.folded = folded;
    kept.set(FOLDED, folded ? "folded" : "open");
    this.map.hidden = folded;
    this.element.classList.toggle("folded", folded);
    this.button.setAttribute("aria-expanded", `${!folded}`);
    this.button.setAttribute("aria-label", t("minimap.label"));
    this.button.title = t("minimap.label");
    this.button.textContent = folded ? "▣" : "–";
    this.seen = "";
    this.#follow();
  }

  /** World units to pixels of the map. */
  #scale() {
    const { x, y, w, h: high } = this.stage.world;
    const k = Math.min(SIZE.w / w, SIZE.h / high);
    return { k, x: (SIZE.w - w * k) / 2 - x * k, y: (SIZE.h - high * k) / 2 - y * k };
  }

  /** @param {MouseEvent} event */
  #go(event) {
    const { camera } = this.stage;
    const at = this.map.getBoundingClientRect();
    const { k, x, y } = this.#scale();
    const to = { x: (event.clientX - at.left - x) / k, y: (event.clientY - at.top - y) / k };
    this.stage.panBy((camera.x + camera.view.w / camera.zoom / 2 - to.x) * camera.zoom, (camera.y + camera.view.h / camera.zoom / 2 - to.y) * camera.zoom);
  }

  /** How much of the world's width and height is in view. */
  #share() {
    const { camera, world } = this.stage;
    const at = camera.world(camera.view.x, camera.view.y);
    /** @param {number} from @param {number} size @param {number} start @param {number} all */
    const part = (from, size, start, all) => Math.max(0, Math.min(from + size, start + all) - Math.max(from, start)) / all;
    return Math.min(part(at.x, camera.view.w / camera.zoom, world.x, world.w), part(at.y, camera.view.h / camera.zoom, world.y, world.h));
  }

  #follow() {
    const { camera } = this.stage;
    const { view } = camera;
    this.element.hidden = view.w < 300 || view.h < 220 || this.#share() > WHOLE;
    if (this.element.hidden || this.folded) return;
    const { k, x, y } = this.#scale();
    const eye = `${camera.x},${camera.y},${camera.zoom},${k},${x},${y}`;
    if (eye !== this.seen) {
      this.seen = eye;
      const at = camera.world(view.x, view.y);
      const left = Math.max(0, Math.min(SIZE.w - 4, at.x * k + x));
      const top = Math.max(0, Math.min(SIZE.h - 4, at.y * k + y));
      const right = Math.min(SIZE.w, (at.x + view.w / camera.zoom) * k + x);
      const bottom = Math.min(SIZE.h, (at.y + view.h / camera.zoom) * k + y);
      Object.assign(this.frame.style, { transform: `translate(${left}px, ${top}px)`, width: `${Math.max(4, right - left)}px`, height: `${Math.max(4, bottom - top)}px` });
    }
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.#draw();
    }, Math.max(0, this.drawn + EVERY - performance.now()));
  }

  #draw() {
    const { layout, colours: k, scene } = this.stage;
    const { c } = this;
    this.drawn = performance.now();
    if (this.element.hidden || this.folded) return;
    const scale = this.#scale();
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.fillStyle = k.ground;
    c.fillRect(0, 0, SIZE.w, SIZE.h);
    /** @param {import("../types").Box} b */
    const to = (b) => ({ x: b.x * scale.k + scale.x, y: b.y * scale.k + scale.y, w: b.w * scale.k, h: b.h * scale.k });
    /** @type {import("../types").Box[]} */
    const failing = [];
    for (const [id, bin] of layout.bins) {
      const box = layout.nodeBox(id);
      if (!box) continue;
      const b = to(box);
      const sum = TONES.reduce((all, tone) => all + bin.tally[tone], 0);
      const host = scene.get(id);
      c.fillStyle = host && host.ready !== "True" ? k.unknown : k.track;
      c.fillRect(b.x, b.y, b.w, b.h);
      let at = b.y + b.h;
      for (const tone of TONES) {
        if (!bin.tally[tone]) continue;
        const part = (bin.tally[tone] / sum) * b.h * 0.9;
        at -= part;
        c.fillStyle = k[tone];
        c.globalAlpha = 0.75;
        c.fillRect(b.x, at, b.w, part);
        c.globalAlpha = 1;
      }
      if (bin.tally.failing) failing.push(b);
    }
    c.fillStyle = k.failText;
    for (const b of failing) c.fillRect(b.x + b.w / 2 - 1.5, b.y, 3, 3);
    const cards = [[layout.services, k.accent], [layout.workloads, k.strong]];
    for (const [slots, colour] of /** @type {[import("./slots.js").Slots, string][]} */ (cards)) {
      c.fillStyle = colour;
      for (const id of slots.of.keys()) {
        const box = layout.box(id);
        if (!box) continue;
        const b = to(box);
        c.fillRect(b.x, b.y, Math.max(1, b.w), Math.max(1, b.h * 0.8));
      }
    }
    const tray = to(layout.trayBox);
    c.fillStyle = k.pending;
    if (layout.tray.size) c.fillRect(tray.x, tray.y, tray.w, Math.max(2, tray.h));
  }
}
