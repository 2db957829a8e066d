/**
 * The canvas: scene updates and the pointer come in; pixels, hover and selection go out. Two layers: the still one (still.js) holds
 * what has a place, the moving one (overlay.js) tethers, requests, envelopes and highlights, drawn only while something moves.
 */
import { COLOURS } from "./colours.js";
import { Camera } from "./camera.js";
import { Layout, X_SERVICE } from "./layout.js";
import { Motion } from "./motion.js";
import { overlay } from "./overlay.js";
import { followPointer } from "./pointer.js";
import { RAIL } from "./rail.js";
import { related } from "./relations.js";
import { Still, TICK } from "./still.js";
import { ticking } from "./marks.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

const FIT_MARGIN = 18;
/** How near to a cross the pointer must come, in pixels. */
const CROSS_REACH = 10;
/** What the tools below take of the view. */
const TOOLS = 36;
const NATURAL = new Intl.Collator("en", { numeric: true });
/** Nodes first, w2 before w10; the rest as the server knows it, so that everyone has it in the same place. @param {{id: string}} a @param {{id: string}} b */
const nodesFirst = (a, b) => Number(b.id.startsWith("Node/")) - Number(a.id.startsWith("Node/")) || (a.id.startsWith("Node/") ? NATURAL.compare(a.id, b.id) : 0);

export class Stage {
  /**
   * @param {{host: HTMLElement, still: HTMLCanvasElement, moving: HTMLCanvasElement, scene: import("../scene.js").Scene,
   *   time: import("../virtualtime.js").VirtualTime, t: (key: string, params?: any) => string,
   *   onHover: (id: string|null, x: number, y: number) => void, onSelect: (id: string|null) => void}} parts
   */
  constructor(parts) {
    Object.assign(this, parts);
    this.host = parts.host;
    this.scene = parts.scene;
    this.time = parts.time;
    this.t = parts.t;
    this.parts = parts;
    this.picture = new Still(this, /** @type {CanvasRenderingContext2D} */ (parts.still.getContext("2d", { alpha: false })));
    this.m = /** @type {CanvasRenderingContext2D} */ (parts.moving.getContext("2d"));
    this.camera = new Camera();
    this.layout = new Layout();
    this.motion = new Motion(this);
    this.colours = COLOURS.dark;
    this.width = 0;
    this.height = 0;
    this.ratio = 1;
    this.whole = true;
    /** @type {Set<string>} */
    this.dirty = new Set();
    /** @type {Set<string>} */
    this.ticking = new Set();
    this.movingDirty = true;
    this.railDirty = true;
    this.framed = false;
    this.auto = true;
    this.frozen = false;
    this.frozenAt = 0;
    this.ticked = 0;
    this.paintMs = 0;
    this.revision = 0;
    /** @type {string|null} */
    this.hovered = null;
    /** @type {string|null} */
    this.selected = null;
    /** @type {Set<string>} what else is selected beside it */
    this.selection = new Set();
    /** @type {((id: string, thing: Thing) => boolean)|null} which things stand out; what does not is painted faint */
    this.passes = null;
    /** @type {{canvas: OffscreenCanvas, camera: {x: number, y: number, zoom: number}}|null} */
    this.cached = null;
    this.settle = 0;
    this.pointer = { x: 0, y: 0 };
    /** @type {{x: number, y: number, id: string}[]} where requests die, in world units */
    this.crosses = [];
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.scene.listen((update) => this.#onUpdate(update));
    new ResizeObserver(() => this.#resize()).observe(this.host);
    this.#resize();
    followPointer(this);
  }

  // what comes in

  /** @param {import("../scene.js").Update} update */
  #onUpdate(update) {
    const now = performance.now();
    if (update.whole) {
      this.layout.clear();
      this.motion.clear();
      this.ticking.clear();
      this.whole = true;
    }
    const order = update.whole ? [...update.changes].sort(nodesFirst) : update.changes;
    const before = JSON.stringify([this.layout.bounds, this.layout.sources.size > 0]);
    const many = update.changes.length > 150 || update.whole || this.still.matches || this.frozen;
    for (const { id, before: was, after } of order) {
      const from = !many && id.startsWith("Pod/") ? this.layout.podBox(id) : null;
      if (from) this.dirty.add(`@${from.x},${from.y},${from.w},${from.h},${this.layout.pods.get(id)?.place}`);
      const gone = !after && !id.startsWith("Pod/") ? this.layout.box(id) : null;
      if (gone) this.whole = true;
      if (this.layout.update(id, after)) {
        this.whole = true;
        if (!id.startsWith("Pod/")) this.motion.walks = [];
      }
      else this.dirty.add(id);
      if (after && id.startsWith("Pod/") && ticking(after)) this.ticking.add(id);
      else this.ticking.delete(id);
      for (const told of [was?.owner, after?.owner, was?.target, after?.target, was?.claim, after?.claim]) if (told && this.layout.workloads.of.has(told)) this.dirty.add(told);
      if (id.startsWith("Component/")) this.railDirty = true;
      if (id.startsWith("PodDisruptionBudget/")) for (const workload of this.layout.workloads.of.keys()) this.dirty.add(workload);
      if (!many && id.startsWith("Pod/")) this.#transition(id, was, after, from, now);
    }
    this.revision = Math.max(this.revision, this.scene.storeRevision);
    for (const signal of update.signals) if (signal.type === "request" && signal.revision) this.revision = Math.max(this.revision, signal.revision);
    if (update.signals.length) this.railDirty = true;
    this.motion.hear(update.signals, now, this.still.matches || this.frozen);
    if (this.auto && before !== JSON.stringify([this.layout.bounds, this.layout.sources.size > 0])) this.fit();
    this.movingDirty = true;
    if (this.hovered && !this.scene.get(this.hovered)) this.hover(null, 0, 0);
    else if (this.hovered && update.changes.some((change) => change.id === this.hovered)) this.parts.onHover(this.hovered, this.pointer.x, this.pointer.y);
    this.invalidate();
  }

  /** @param {string} id @param {Thing|undefined} was @param {Thing|undefined} after @param {Box|null} from @param {number} now */
  #transition(id, was, after, from, now) {
    const to = after ? this.layout.podBox(id) : null;
    const thing = after ?? was;
    if (!thing || (from && to && from.x === to.x && from.y === to.y && was?.state === after?.state)) return;
    const moved = !from || !to || from.x !== to.x || from.y !== to.y;
    this.motion.moves.set(id, { from, to, thing, born: now, span: moved ? 280 : 180 });
  }

  /** @param {"dark"|"light"} theme */
  setTheme(theme) {
    this.colours = COLOURS[theme];
    this.repaint();
  }

  repaint() {
    this.whole = this.railDirty = this.movingDirty = true;
    this.cached = null;
    this.invalidate();
  }

  /** Stops and starts everything that moves. @param {boolean} frozen */
  freeze(frozen) {
    if (frozen === this.frozen) return;
    const now = performance.now();
    if (frozen) this.frozenAt = now;
    else this.motion.shift(now - this.frozenAt);
    this.frozen = frozen;
    this.invalidate();
  }

  // the eye

  #resize() {
    const { clientWidth: w, clientHeight: h } = this.host;
    if (!w || !h) return;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.width = w;
    this.height = h;
    for (const canvas of [this.parts.still, this.parts.moving]) {
      canvas.width = Math.round(w * this.ratio);
      canvas.height = Math.round(h * this.ratio);
    }
    this.camera.view = { x: 0, y: RAIL, w, h: h - RAIL };
    if (this.auto) this.fit();
    this.repaint();
    this.#frame();
  }

  fit() {
    this.auto = true;
    const bounds = this.layout.bounds;
    const idle = this.layout.sources.size === 0;
    this.camera.fit(idle ? { ...bounds, x: bounds.x + X_SERVICE, w: bounds.w - X_SERVICE } : bounds, FIT_MARGIN, TOOLS);
    this.camera.view.h > 0 && this.repaint();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoomBy(factor, x = this.width / 2, y = (this.height + RAIL) / 2) {
    this.#gesture(() => this.camera.zoomAt(factor, x, y));
  }

  /** @param {number} dx @param {number} dy */
  panBy(dx, dy) {
    this.#gesture(() => this.camera.pan(dx, dy));
  }

  /** While the eye moves, a slow picture is moved as a bitmap and painted again when the eye rests. @param {() => void} move */
  #gesture(move) {
    this.auto = false;
    if (this.paintMs > 9 && !this.cached) {
      const canvas = new OffscreenCanvas(this.parts.still.width, this.parts.still.height);
      /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(this.parts.still, 0, 0);
      this.cached = { canvas, camera: { x: this.camera.x, y: this.camera.y, zoom: this.camera.zoom } };
    }
    move();
    this.whole = this.movingDirty = true;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      this.cached = null;
      this.whole = true;
      this.invalidate();
    }, 120);
    this.invalidate();
  }

  /** @param {string} id brings it into view */
  reveal(id) {
    const box = this.layout.box(id);
    if (!box) return;
    const b = this.camera.box(box);
    const view = this.camera.view;
    if (b.x >= 0 && b.y >= view.y && b.x + b.w <= view.w && b.y + b.h <= view.y + view.h && b.w > 10) return;
    this.auto = false;
    if (b.w < 30) this.camera.zoom = Math.min(1, 40 / box.w);
    this.camera.x = box.x + box.w / 2 - view.w / 2 / this.camera.zoom;
    this.camera.y = box.y + box.h / 2 - view.h / 2 / this.camera.zoom;
    this.repaint();
  }

  /** @param {string|null} id @param {number} x @param {number} y */
  hover(id, x, y) {
    const changed = id !== this.hovered;
    this.hovered = id;
    this.pointer = { x, y };
    this.host.classList.toggle("pointing", !!id);
    if (changed || id) this.parts.onHover(id, x, y);
    if (!changed) return;
    this.movingDirty = true;
    this.invalidate();
  }

  /** @param {string|null} id */
  select(id) {
    this.selected = id;
    this.movingDirty = true;
    this.invalidate();
  }

  /** What stands out from now on; null: everything. @param {((id: string, thing: Thing) => boolean)|null} passes */
  filter(passes) {
    this.passes = passes;
    this.repaint();
  }

  // painting

  invalidate() {
    if (this.framed) return;
    this.framed = true;
    requestAnimationFrame(() => {
      this.framed = false;
      this.#frame();
    });
  }

  #frame() {
    if (!this.width) return;
    const now = this.frozen ? this.frozenAt : performance.now();
    this.picture.paint(now);
    const flowing = this.#flowing();
    if (this.movingDirty || this.motion.active || this.motion.moves.size || flowing) {
      this.#finishMoves(now);
      this.m.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      this.m.clearRect(0, 0, this.width, this.height);
      overlay(this, this.m, now);
      this.movingDirty = false;
    }
    if (this.frozen) return;
    if (this.motion.active || flowing) this.invalidate();
    else if (this.tickingShown) setTimeout(() => this.invalidate(), TICK);
  }

  #flowing() {
    if (this.frozen || this.still.matches) return false;
    for (const id of this.layout.flows) if ((this.scene.get(id)?.ok ?? 0) > 200) return true;
    return false;
  }

  get tickingShown() {
    return this.ticking.size > 0 && this.ticking.size < 400 && !this.time.paused && this.camera.zoom > 0.12;
  }

  /** @param {number} now */
  #finishMoves(now) {
    for (const [id, move] of this.motion.moves) {
      if (now - move.born < move.span) continue;
      this.motion.moves.delete(id);
      this.dirty.add(id);
    }
    if (this.dirty.size && !this.whole) this.picture.paintDirty();
  }

  /** What is at a pixel of the canvas: a cross is the source whose requests die there. @param {number} x @param {number} y @returns {string|null} */
  at(x, y) {
    const died = this.crosses.find((one) => Math.hypot(this.camera.sx(one.x) - x, this.camera.sy(one.y) - y) < CROSS_REACH);
    return died?.id ?? this.layout.at(this.camera.world(x, y));
  }

  /** Everything that belongs with a thing. @param {string} id */
  related(id) {
    return related(this.scene, this.layout, id);
  }
}
