/**
 * The canvas: scene updates and the pointer come in; pixels, hover and selection go out. Layers: the still one (still.js) holds
 * what has a place, the rail over it the control plane, the moving one (overlay.js) tethers, requests, envelopes and highlights, drawn only while something moves.
 */
import { COLOURS } from "./colours.js";
import { Camera } from "./camera.js";
import { Layout } from "./layout.js";
import { groupName } from "./groups.js";
import { Intake } from "./intake.js";
import { Lines } from "./lines.js";
import { displaced, Motion } from "./motion.js";
import { overlay } from "./overlay.js";
import { followPointer } from "./pointer.js";
import { fitRail, RAIL } from "./rail.js";
import { related } from "./relations.js";
import { Still, TICK } from "./still.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

const FIT_MARGIN = 10;
/** While the eye moves a picture may cost this part of a frame's share: what is painted must be shown, too. */
const MOVING = 0.4;
/** How near to a cross the pointer must come, in pixels. */
const CROSS_REACH = 10;
/** What the bar above and the tools below take of the view at least, in pixels. */
const BAR = 36;
const TOOLS = 42;
/** What one is shown of a pod that one goes to, in pixels; and with others around it. */
const POD_SHOWN = 44;
const POD_AMONG = 130;

export class Stage {
  /**
   * @param {{host: HTMLElement, still: HTMLCanvasElement, moving: HTMLCanvasElement, scene: import("../scene.js").Scene,
   *   time: import("../virtualtime.js").VirtualTime, t: (key: string, params?: any) => string,
   *   onHover: (id: string|null, x: number, y: number) => void, onSelect: (id: string|null, more?: boolean) => void,
   *   onMenu?: (id: string|null, x: number, y: number) => void, onBox?: (box: Box, more: boolean) => void, onFrame?: () => void}} parts
   */
  constructor(parts) {
    Object.assign(this, parts);
    this.host = parts.host;
    this.scene = parts.scene;
    this.time = parts.time;
    this.t = parts.t;
    this.parts = parts;
    const rail = document.createElement("canvas");
    rail.setAttribute("aria-hidden", "true");
    parts.still.after(rail);
    /** @param {HTMLCanvasElement} canvas */
    const opaque = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.rail = rail;
    this.picture = new Still(this, opaque(parts.still), opaque(rail));
    this.m = /** @type {CanvasRenderingContext2D} */ (parts.moving.getContext("2d"));
    this.camera = new Camera();
    this.layout = new Layout();
    /** What pods are grouped by: `node`, `namespace`, `owner` or `label:KEY`. */
    this.mode = "node";
    /** @type {import("./near.js").Near|null} who knows more of the pods that one is near to */
    this.near = null;
    /** Called when one comes near to a pod and nobody knows more of it yet. @type {() => void} */
    this.nearing = () => {};
    this.motion = new Motion(this);
    this.lines = new Lines(this, parts.moving);
    this.colours = COLOURS.dark;
    this.width = 0;
    this.height = 0;
    this.ratio = 1;
    this.whole = true;
    /** @type {Set<string>} */
    this.dirty = new Set();
    /** @type {Set<string>} the same, to be painted before */
    this.urgent = new Set();
    /** @type {{box: Box, place: string}[]} where a pod was */
    this.wipes = [];
    /** How far the picture has moved since it was painted, in pixels. */
    this.shift = { x: 0, y: 0 };
    /** Counts the filters: a bin's cells are coded for one. */
    this.filters = 0;
    /** @type {Record<string, ((...args: any[]) => void)[]>} */
    this.listeners = {};
    /** @type {Set<string>} */
    this.ticking = new Set();
    this.movingDirty = true;
    this.railDirty = true;
    this.framed = false;
    this.auto = true;
    this.frozen = false;
    this.frozenAt = 0;
    this.ticked = 0;
    this.tick = 0;
    this.revision = 0;
    /** @type {string|null} */
    this.hovered = null;
    /** @type {string|null} */
    this.selected = null;
    /** @type {Set<string>} what else is selected beside it */
    this.selection = new Set();
    /** @type {((id: string, thing: Thing) => boolean)|null} which things stand out; what does not is painted faint */
    this.passes = null;
    /** Whether the eye moves too fast for a new picture: what there is is stretched. */
    this.cached = false;
    this.settle = 0;
    /** @type {{key: string, found: Set<string>}|null} */
    this.kin = null;
    this.pointer = { x: 0, y: 0 };
    /** @type {{x: number, y: number, id: string}[]} where requests die, in world units */
    this.crosses = [];
    /** @type {import("./plaques.js").Plaques|null} the callouts */
    this.plaques = null;
    /** @type {import("./policies.js").Policies|null} which pods are isolated */
    this.policies = null;
    /** @type {{owner: {end: () => void}, draw: (c: CanvasRenderingContext2D, k: import("./colours.js").Colours) => void}|null} what one is led along just now */
    this.guide = null;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.intake = new Intake(this);
    this.scene.listen((update) => this.#onUpdate(update));
    new ResizeObserver(() => this.#resize()).observe(this.host);
    this.#resize();
    followPointer(this);
  }

  // what comes in

  /** @param {import("../scene.js").Update} update */
  #onUpdate(update) {
    const now = performance.now();
    this.intake.hear(update);
    this.revision = Math.max(this.revision, this.scene.storeRevision);
    for (const signal of update.signals) if (signal.type === "request" && signal.revision) this.revision = Math.max(this.revision, signal.revision);
    if (update.signals.length) this.railDirty = true;
    this.motion.hear(update.signals, now, this.still.matches || this.frozen);
    this.movingDirty = true;
    if (this.hovered && !this.scene.get(this.hovered)) this.hover(null, 0, 0);
    else if (this.hovered && update.changes.some((change) => change.id === this.hovered)) this.parts.onHover(this.hovered, this.pointer.x, this.pointer.y);
    this.invalidate();
  }

  /** Pods stand with those of their group from now on. @param {string} mode `node`, `namespace`, `owner` or `label:KEY` */
  group(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.intake.regroup();
    this.#tell("group");
    this.repaint();
  }

  /** A group's name in words. @param {string} place */
  groupName(place) {
    return groupName(place, this.mode);
  }

  /** @param {"group"|"frame"} event @param {(...args: any[]) => void} listener */
  on(event, listener) {
    (this.listeners[event] ??= []).push(listener);
  }

  /** @param {string} event */
  #tell(event) {
    for (const listener of this.listeners[event] ?? []) listener();
  }

  /** @param {"dark"|"light"} theme */
  setTheme(theme) {
    this.colours = COLOURS[theme];
    this.repaint();
  }

  /** These look otherwise than they did. @param {Iterable<string>} ids */
  touch(ids) {
    for (const id of ids) this.dirty.add(id);
    this.invalidate();
  }

  repaint() {
    this.whole = this.railDirty = this.movingDirty = true;
    this.cached = false;
    this.lines.touch();
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
    fitRail(h);
    for (const canvas of [this.parts.still, this.parts.moving]) {
      canvas.width = Math.round(w * this.ratio);
      canvas.height = Math.round(h * this.ratio);
    }
    this.rail.width = this.parts.still.width;
    this.rail.height = Math.round(RAIL * this.ratio);
    this.rail.style.height = `${RAIL}px`;
    this.lines.resize(Math.round(w * this.ratio), Math.round(h * this.ratio));
    this.host.style.setProperty("--rail", `${RAIL}px`);
    this.camera.view = { x: 0, y: RAIL, w, h: h - RAIL };
    if (this.auto) {
      this.layout.suit(w - 2 * FIT_MARGIN, h - RAIL - this.#above - this.#below - 2 * FIT_MARGIN);
      this.fit();
    }
    this.repaint();
    this.#frame();
  }

  /** What is to be seen when all is. */
  get world() {
    const bounds = this.layout.bounds;
    const left = this.layout.left;
    return { ...bounds, x: bounds.x + left, w: bounds.w - left };
  }

  /** What lies over the canvas's lower edge, and below the rail. */
  get #below() {
    return Math.max(TOOLS, (this.host.querySelector(".stage-tools")?.clientHeight ?? 0) + 14);
  }

  get #above() {
    return Math.max(BAR, (this.host.querySelector(".stage-bar")?.clientHeight ?? 0) + 8);
  }

  fit() {
    this.auto = true;
    this.camera.fit(this.world, FIT_MARGIN, this.#below, 1.4, this.#above);
    this.camera.view.h > 0 && this.repaint();
  }

  /** Brings things into view, as near as they allow. @param {Iterable<string>} ids @param {number} [pod] the most pixels that a pod may take */
  fitTo(ids, pod = POD_AMONG) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    let most = 1.4;
    for (const id of ids) {
      const box = this.layout.box(id);
      if (!box) continue;
      if (id.startsWith("Pod/")) most = Math.max(most, pod / box.w);
      [left, top, right, bottom] = [Math.min(left, box.x), Math.min(top, box.y), Math.max(right, box.x + box.w), Math.max(bottom, box.y + box.h)];
    }
    if (left > right) return;
    this.auto = false;
    this.camera.fit({ x: left, y: top, w: right - left, h: bottom - top }, 24, this.#below, most, this.#above);
    this.repaint();
  }

  /** One thing fills the view. @param {string} id */
  zoomTo(id) {
    this.fitTo([id], Infinity);
  }

  /** How near one may come: until the smallest pod there is fills the view; how far: until all is small. */
  #bound() {
    let least = Infinity;
    for (const id of this.layout.bins.keys()) least = Math.min(least, this.layout.cellsOf(id)?.size ?? Infinity);
    const { w, h } = this.camera.view;
    const { w: all, h: high } = this.layout.bounds;
    this.camera.bound(0.6 * Math.min(w / all, h / high), (0.92 * Math.min(w, h)) / Math.min(66, least));
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoomBy(factor, x = this.width / 2, y = (this.height + RAIL) / 2) {
    this.#bound();
    this.#gesture(() => this.camera.zoomAt(factor, x, y));
  }

  /** @param {number} dx @param {number} dy */
  panBy(dx, dy) {
    if (this.whole || this.cached || this.picture.busy) return this.#gesture(() => this.camera.pan(dx, dy));
    this.auto = false;
    const [x, y] = [Math.round(dx * this.ratio) / this.ratio, Math.round(dy * this.ratio) / this.ratio];
    this.camera.pan(x, y);
    this.shift = { x: this.shift.x + x, y: this.shift.y + y };
    this.movingDirty = true;
    this.invalidate();
  }

  /** While the eye moves, a picture that takes long is moved as a bitmap and painted again when the eye rests. @param {() => void} move */
  #gesture(move) {
    this.auto = false;
    this.cached ||= this.picture.busy || this.picture.cost > MOVING * this.picture.share;
    move();
    this.whole = this.movingDirty = true;
    if (this.cached) {
      clearTimeout(this.settle);
      this.settle = setTimeout(() => {
        this.cached = false;
        this.whole ||= !this.picture.current;
        this.invalidate();
      }, 120);
    }
    this.invalidate();
  }

  /** Whether some of a box of the world is in view. @param {Box} box */
  sees(box) {
    const b = this.camera.box(box);
    const { x, y, w, h } = this.camera.view;
    return b.x < x + w && b.y < y + h && b.x + b.w > x && b.y + b.h > y;
  }

  /** @param {string} id brings it into view */
  reveal(id) {
    const box = this.layout.box(id);
    if (!box) return;
    const b = this.camera.box(box);
    const view = this.camera.view;
    if (b.x >= 0 && b.y >= view.y && b.x + b.w <= view.w && b.y + b.h <= view.y + view.h && b.w > 10) return;
    this.auto = false;
    if (b.w < 30) this.camera.zoom = POD_SHOWN / box.w;
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
    if (this.selection.size) this.lines.touch();
    this.movingDirty = true;
    this.invalidate();
  }

  /** What stands out from now on; null: everything. @param {((id: string, thing: Thing) => boolean)|null} passes */
  filter(passes) {
    this.passes = passes;
    this.filters++;
    this.whole = true;
    this.cached = false;
    this.invalidate();
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
    const placed = this.intake.step();
    if (placed) this.invalidate();
    this.picture.paint(now, placed);
    this.parts.onFrame?.();
    const flowing = this.#flowing();
    if (this.movingDirty || this.motion.active || this.motion.moves.size || flowing) {
      this.#finishMoves(now);
      this.m.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      this.m.clearRect(0, 0, this.width, this.height);
      overlay(this, this.m, now);
      this.movingDirty = false;
    }
    this.#tell("frame");
    if (this.frozen) return;
    if (this.motion.active || flowing) this.invalidate();
    else if (this.tickingShown) this.tick ||= setTimeout(() => {
      this.tick = 0;
      this.invalidate();
    }, TICK);
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
      if (displaced(move)) this.lines.touch();
      this.dirty.add(id);
    }
    if (this.dirty.size && !this.whole && !this.picture.busy) this.picture.paintDirty();
  }

  /** What is at a pixel of the canvas: a cross is the source whose requests die there, a group's bin what it is named after. @param {number} x @param {number} y @returns {string|null} */
  at(x, y) {
    const died = this.crosses.find((one) => Math.hypot(this.camera.sx(one.x) - x, this.camera.sy(one.y) - y) < CROSS_REACH);
    const id = died?.id ?? this.layout.at(this.camera.world(x, y));
    if (!id?.startsWith("Group/")) return id;
    const named = id.slice("Group/".length);
    return this.scene.get(named) ? named : null;
  }

  /** Whether pods are still being placed or a picture is still being made. */
  get busy() {
    return this.intake.backlog.length > 0 || this.picture.busy;
  }

  /** Everything that belongs with a thing, worked out anew when the scene is another. @param {string} id */
  related(id) {
    const key = `${id}|${this.scene.revision}|${this.scene.instance}`;
    if (this.kin?.key !== key) this.kin = { key, found: related(this.scene, this.layout, id) };
    return this.kin.found;
  }
}
