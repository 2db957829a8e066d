/**
 * The still layer: painted whole only when the camera, the theme or the layout changes, else just what changed, what is wrong first. Work
 * is counted, and what is more than a frame's share waits for the next: a whole picture that is too much for one is made aside and shown
 * when it is done. A pan moves the picture and paints the edge that came into view; a zoom stretches it, and makes one anew aside meanwhile.
 */
import { Camera } from "./camera.js";
import { BIN, GLYPHS, Painter, weight } from "./painter.js";
import { rail, RAIL } from "./rail.js";

/** @typedef {import("../types").Box} Box */

export const TICK = 100;
/** What a frame may cost, in glyphs, and in milliseconds: less when something else had its part of it. */
const LEAST_WORK = 900;
const MOST_WORK = 4000;
const SLICE_MS = 6;
const SHARED_MS = 3;
/** What is said to cost more than this part of a frame's share is made aside, where it can be left off when it takes longer. */
const SURE = 0.3;
/** A picture that is stretched by more, or has moved by more of the view, is made anew while the eye still moves. */
const COARSE = 1.5;
const FAR = 0.3;

export class Still extends Painter {
  /** @param {import("./stage.js").Stage} stage @param {CanvasRenderingContext2D} c @param {CanvasRenderingContext2D} [above] where the rail is drawn */
  constructor(stage, c, above = c) {
    super(stage, c);
    this.front = c;
    this.above = above;
    /** @type {OffscreenCanvas|null} */
    this.aside = null;
    /** What is made aside is brought into being slice by slice through this. @type {OffscreenCanvasRenderingContext2D|null} */
    this.press = null;
    /** Whence the picture on the screen was painted, and the one aside. */
    this.shown = new Camera();
    this.aim = new Camera();
    /** Bins and cards still to paint. @type {string[]} */
    this.queue = [];
    this.share = MOST_WORK;
    /** What the last whole picture cost. */
    this.cost = 0;
  }

  /** Whether a picture is being made. */
  get busy() {
    return this.queue.length > 0 || this.c !== this.front;
  }

  /** Whether the picture that there is, or that is being made, is of what the eye sees. */
  get current() {
    const { camera } = this.stage;
    const { x, y, zoom } = this.c === this.front ? this.shown : this.aim;
    return x === camera.x && y === camera.y && zoom === camera.zoom;
  }

  /** @param {number} now @param {boolean} [shared] whether this frame has other work, too */
  paint(now, shared = false) {
    const { stage } = this;
    const started = performance.now();
    this.suit();
    let left = this.share;
    if (stage.cached) this.#stretch();
    else if (stage.whole) this.#begin();
    else if (stage.shift.x || stage.shift.y) this.#shift();
    left -= this.#work(left, started + (shared || stage.cached ? SHARED_MS : SLICE_MS));
    if (stage.tickingShown && now - stage.ticked > TICK) {
      stage.ticked = now;
      for (const id of stage.ticking) stage.dirty.add(id);
    }
    if (this.c === this.front && (stage.dirty.size || stage.urgent.size || stage.wipes.length)) left -= this.paintDirty(left);
    const spent = this.share - left;
    const took = performance.now() - started;
    if (spent > 200) this.share = Math.round(Math.min(MOST_WORK, Math.max(LEAST_WORK, 0.7 * this.share + 0.3 * ((spent / took) * SLICE_MS))));
    if (stage.whole || this.busy || stage.dirty.size || stage.urgent.size) stage.invalidate();
    this.#paintRail(now);
  }

  /** @param {number} now */
  #paintRail(now) {
    const { stage, above } = this;
    const pulse = Math.max(0, 1 - (now - stage.motion.pulse) / 300);
    if (!stage.railDirty && pulse <= 0) return;
    const { t } = stage;
    above.setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
    rail(above, stage.width, stage.colours, {
      people: t("rail.people"), people2: t("rail.peopleDetail"), api: t("rail.api"), steps: t("rail.steps"), etcd: "etcd", etcd2: stage.revision ? t("rail.revision", { revision: stage.revision }) : t("rail.etcdDetail"),
      scheduler: t("rail.scheduler"), scheduler2: t("rail.schedulerDetail"), controllers: t("rail.controllers"), controllers2: t("rail.controllersDetail"), stopped: t("component.stopped"),
    }, (name) => stage.scene.get(`Component//${name}`)?.healthy !== false, pulse);
    stage.railDirty = pulse > 0;
    if (pulse > 0) stage.invalidate();
  }

  /** While the eye moves, what was painted is shown as it would be from here; what is too coarse for that is made anew aside. */
  #stretch() {
    const { stage, shown } = this;
    const { camera } = stage;
    stage.whole = false;
    stage.shift = { x: 0, y: 0 };
    const { x, y, w, h } = camera.view;
    const scale = camera.zoom / shown.zoom;
    const left = x - x * scale + (shown.x - camera.x) * camera.zoom;
    const top = y - y * scale + (shown.y - camera.y) * camera.zoom;
    stage.parts.still.style.transform = this.current && !this.busy ? "" : `matrix(${scale}, 0, 0, ${scale}, ${left}, ${top})`;
    const off = (/** @type {number} */ from, /** @type {number} */ size) => Math.abs(from + (size * scale) / 2 - size / 2) / size;
    if (!this.busy && (scale > COARSE || scale < 1 / COARSE || off(left, w) > FAR || off(top, h) > FAR)) this.#begin(true);
  }

  /** What is on the screen was painted whence the eye is now, or was then. @param {Camera} from */
  #shows({ x, y, zoom }) {
    Object.assign(this.shown, { x, y, zoom, view: this.stage.camera.view });
    const { canvas } = this.front;
    if (canvas?.style) canvas.style.transform = "";
  }

  /** Works as if the eye were there. @template T @param {Camera} eye @param {() => T} work @returns {T} */
  #from(eye, work) {
    const { stage } = this;
    const { camera } = stage;
    stage.camera = eye;
    try {
      return work();
    } finally {
      stage.camera = camera;
    }
  }

  /** A new picture: what it costs tells whether it is made on the screen or aside. @param {boolean} [moving] */
  #begin(moving = false) {
    const { stage, aim } = this;
    const { layout, camera } = stage;
    if (this.busy && !moving && this.current && this.aside?.width === stage.parts.still.width) return;
    stage.whole = false;
    stage.shift = { x: 0, y: 0 };
    Object.assign(aim, { x: camera.x, y: camera.y, zoom: camera.zoom, view: camera.view });
    const bins = layout.within(this.seen());
    let cost = 0;
    for (const id of bins) {
      const size = (layout.cellsOf(id)?.size ?? 0) * camera.zoom;
      const cells = Math.min(layout.bin(id).grid.slots.size, (stage.width * stage.height) / (size * size || 1));
      cost += BIN + (size < GLYPHS ? cells / 50 : cells * weight(size));
    }
    this.cost = cost;
    this.counts.whole++;
    const { width, height } = stage.parts.still;
    if (moving || cost > SURE * this.share) {
      if (this.aside?.width !== width || this.aside.height !== height) this.aside = new OffscreenCanvas(width, height);
      this.c = /** @type {any} */ (this.aside.getContext("2d", { alpha: false }));
    } else {
      this.c = this.front;
      this.#shows(camera);
    }
    this.queue = this.#all(bins);
    stage.dirty.clear();
    stage.urgent.clear();
    layout.counted.clear();
    stage.wipes = [];
    this.onto(this.c);
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(0, RAIL, stage.width, stage.height);
    this.paintFences();
    this.paintTray();
    this.c.restore();
  }

  /** All that is painted with these bins, what comes first last. @param {string[]} bins */
  #all(bins) {
    const { workloads, sources, systemServices, services } = this.stage.layout;
    return [...workloads.of.keys(), ...sources.of.keys(), ...systemServices.of.keys(), ...services.of.keys(), ...bins.reverse()];
  }

  /** As much of the queue as may be done now. @param {number} share @param {number} end when it must be done, if it is made aside @returns {number} what it cost */
  #work(share, end) {
    if (!this.busy) return 0;
    let spent = 0;
    const front = this.c === this.front;
    this.#from(front ? this.stage.camera : this.aim, () => {
      this.onto(this.c);
      while (this.queue.length && spent < share && (front || performance.now() < end)) spent += this.paintAny(/** @type {string} */ (this.queue.pop()));
      this.c.restore();
    });
    if (front) return spent;
    const aside = /** @type {OffscreenCanvas} */ (this.aside);
    if (this.queue.length) {
      this.press ??= new OffscreenCanvas(1, 1).getContext("2d");
      this.press?.drawImage(aside, 0, 0, 1, 1, 0, 0, 1, 1);
      return spent;
    }
    this.c = this.front;
    this.front.setTransform(1, 0, 0, 1, 0, 0);
    this.front.drawImage(aside, 0, 0);
    this.#shows(this.aim);
    this.stage.movingDirty = true;
    if (this.stage.cached) this.#stretch();
    return spent;
  }

  /** The picture moves with the eye; only what comes into view is painted. */
  #shift() {
    const { stage } = this;
    const { view } = stage.camera;
    const { x, y } = stage.shift;
    stage.shift = { x: 0, y: 0 };
    if (this.busy || Math.abs(x) > view.w / 2 || Math.abs(y) > view.h / 2) {
      this.queue = [];
      this.c = this.front;
      return this.#begin();
    }
    const c = this.front;
    const { still } = stage.parts;
    const top = Math.round(view.y * stage.ratio);
    this.onto(c);
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(still, 0, top, still.width, still.height - top, Math.round(x * stage.ratio), top + Math.round(y * stage.ratio), still.width, still.height - top);
    c.restore();
    this.#shows(stage.camera);
    if (x) this.#paintPart({ x: x > 0 ? view.x : view.x + view.w + x, y: view.y, w: Math.abs(x), h: view.h });
    if (y) this.#paintPart({ x: view.x, y: y > 0 ? view.y : view.y + view.h + y, w: view.w, h: Math.abs(y) });
  }

  /** @param {Box} part in pixels */
  #paintPart(part) {
    const { stage } = this;
    const edge = { x: part.x - 1, y: part.y - 1, w: part.w + 2, h: part.h + 2 };
    this.onto(this.c, { x: edge.x, y: Math.max(stage.camera.view.y, edge.y), w: edge.w, h: edge.h });
    this.part = edge;
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(edge.x, edge.y, edge.w, edge.h);
    this.paintFences();
    this.paintTray();
    for (const id of this.#all(stage.layout.within(this.seen(edge))).reverse()) this.paintAny(id);
    this.part = undefined;
    this.c.restore();
  }

  /** @param {number} [share] @returns {number} what it cost */
  paintDirty(share = this.share) {
    return this.#from(this.stage.cached ? this.shown : this.stage.camera, () => this.#changes(share));
  }

  /** @param {number} share */
  #changes(share) {
    const { stage, c } = this;
    const { layout } = stage;
    let spent = 0;
    /** @type {Set<string>} bins that are written as images */
    const images = new Set();
    let tray = false;
    this.onto(c);
    for (const { box, place } of stage.wipes) {
      if (place === "tray") tray = true;
      else if (this.sizeOf(place) < GLYPHS) images.add(place);
      else this.wipe(stage.camera.box(box));
    }
    stage.wipes = [];
    for (const waiting of [stage.urgent, stage.dirty]) {
      for (const id of waiting) {
        if (spent > share) break;
        waiting.delete(id);
        spent += 0.1;
        if (!id.startsWith("Pod/")) {
          spent += this.paintAny(id);
          images.delete(id);
          continue;
        }
        const place = layout.pods.get(id)?.place;
        if (place === "tray") tray = true;
        else if (place && !images.has(place)) {
          if (this.sizeOf(place) < GLYPHS && !layout.pods.get(id)?.system) images.add(place), (spent += 4 + layout.bin(place).grid.slots.size / 60);
          else spent += this.paintPod(id, true);
        }
      }
    }
    if (tray) this.paintTray();
    for (const place of images) {
      this.paintCells(place);
      this.paintTally(place);
      layout.counted.delete(place);
    }
    for (const place of layout.counted) {
      if (spent > share) break;
      layout.counted.delete(place);
      this.paintTally(place);
      spent += 1;
    }
    c.restore();
    return spent;
  }
}
