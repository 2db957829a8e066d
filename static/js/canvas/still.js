/**
 * The still layer: painted whole only when the camera, the theme or the layout changes, else just what changed, what is wrong first. Work
 * is counted, and what is more than a frame's share waits for the next: a whole picture that is too much for one is made aside and shown
 * when it is done. A pan moves the picture and paints the edge that came into view; a zoom stretches it until the eye rests.
 */
import { card } from "./standing.js";
import { codeOf, palette, raster } from "./density.js";
import { legible } from "./brush.js";
import { fence } from "./fences.js";
import * as paint from "./paint.js";
import { rail, RAIL } from "./rail.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

export const TICK = 100;
/** Below this edge in pixels pods are written into an image. */
export const GLYPHS = 12;
/** What a frame may cost, in glyphs. */
const LEAST_WORK = 900;
const MOST_WORK = 4000;
const SLICE_MS = 9;
/** What is said to cost more than this part of a frame's share is made aside, where it can be left off when it takes longer. */
const SURE = 0.5;
const FAINTLY = 0.2;

export class Still {
  /** @param {import("./stage.js").Stage} stage @param {CanvasRenderingContext2D} c */
  constructor(stage, c) {
    this.stage = stage;
    this.front = c;
    /** Where it is painted: on the screen, or aside. @type {CanvasRenderingContext2D} */
    this.c = c;
    /** @type {OffscreenCanvas|null} */
    this.aside = null;
    /** Bins and cards still to paint. @type {string[]} */
    this.queue = [];
    this.eye = "";
    this.share = MOST_WORK;
    /** What the last whole picture cost, and what was painted since the page began: cells one by one, bins as images, whole pictures. */
    this.cost = 0;
    this.counts = { cells: 0, images: 0, bins: 0, whole: 0 };
    this.image = new ImageData(1, 1);
    this.pixels = new Uint32Array(this.image.data.buffer);
    /** @type {import("./colours.js").Colours|null} */
    this.theme = null;
    this.colours = new Uint32Array(32);
    /** @type {Map<string, OffscreenCanvas>} */
    this.sprites = new Map();
  }

  /** Whether a picture is being made. */
  get busy() {
    return this.queue.length > 0 || this.c !== this.front;
  }

  /** @param {number} now */
  paint(now) {
    const { stage } = this;
    const started = performance.now();
    if (this.theme !== stage.colours) {
      this.theme = stage.colours;
      this.colours = palette(stage.colours);
      this.sprites.clear();
    }
    let left = this.share;
    if (stage.whole && stage.cached) this.#paintCached();
    else {
      if (stage.whole) this.#begin();
      else if (stage.shift.x || stage.shift.y) this.#shift();
      left -= this.#work(left);
      if (stage.tickingShown && now - stage.ticked > TICK) {
        stage.ticked = now;
        for (const id of stage.ticking) stage.dirty.add(id);
      }
      if (this.c === this.front && (stage.dirty.size || stage.urgent.size || stage.wipes.length)) left -= this.paintDirty(left);
      const spent = this.share - left;
      const took = performance.now() - started;
      if (spent > 200) this.share = Math.round(Math.min(MOST_WORK, Math.max(LEAST_WORK, 0.7 * this.share + 0.3 * ((spent / took) * SLICE_MS))));
      if (stage.whole || this.queue.length || stage.dirty.size || stage.urgent.size) stage.invalidate();
    }
    this.front.setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
    this.#paintRail(now);
  }

  /** @param {number} now */
  #paintRail(now) {
    const { stage } = this;
    const pulse = Math.max(0, 1 - (now - stage.motion.pulse) / 300);
    if (!stage.railDirty && pulse <= 0) return;
    const { t } = stage;
    rail(this.front, stage.width, stage.colours, {
      people: t("rail.people"), people2: t("rail.peopleDetail"), api: t("rail.api"), steps: t("rail.steps"), etcd: "etcd", etcd2: stage.revision ? t("rail.revision", { revision: stage.revision }) : t("rail.etcdDetail"),
      scheduler: t("rail.scheduler"), scheduler2: t("rail.schedulerDetail"), controllers: t("rail.controllers"), controllers2: t("rail.controllersDetail"), stopped: t("component.stopped"),
    }, (name) => stage.scene.get(`Component//${name}`)?.healthy !== false, pulse);
    stage.railDirty = pulse > 0;
    if (pulse > 0) stage.invalidate();
  }

  #paintCached() {
    const { stage } = this;
    const { canvas, camera } = /** @type {NonNullable<import("./stage.js").Stage["cached"]>} */ (stage.cached);
    const c = this.front;
    this.#onto(c);
    c.fillStyle = stage.colours.ground;
    const { x, y, w, h } = stage.camera.view;
    c.fillRect(x, y, w, h);
    const scale = stage.camera.zoom / camera.zoom;
    c.imageSmoothingEnabled = scale > 1.02 || scale < 0.98;
    c.imageSmoothingQuality = "low";
    c.drawImage(canvas, 0, y * stage.ratio, canvas.width, canvas.height - y * stage.ratio, (camera.x - stage.camera.x) * stage.camera.zoom, y + (camera.y - stage.camera.y) * stage.camera.zoom, w * scale, h * scale);
    c.restore();
    this.queue = [];
    this.c = this.front;
    stage.whole = false;
  }

  /** What is drawn from now on stays under the rail; `restore` ends it. @param {CanvasRenderingContext2D} c @param {Box} [part] */
  #onto(c, part = this.stage.camera.view) {
    legible(this.stage.camera.zoom);
    c.setTransform(this.stage.ratio, 0, 0, this.stage.ratio, 0, 0);
    c.save();
    c.beginPath();
    c.rect(part.x, part.y, part.w, part.h);
    c.clip();
  }

  /** The world's box that is seen through a part of the view. @param {Box} [part] */
  #seen(part = this.stage.camera.view) {
    const { camera } = this.stage;
    const at = camera.world(part.x, part.y);
    return { x: at.x, y: at.y, w: part.w / camera.zoom, h: part.h / camera.zoom };
  }

  /** A new picture: what it costs tells whether it is made on the screen or aside. */
  #begin() {
    const { stage } = this;
    const { layout, camera } = stage;
    const eye = `${camera.x},${camera.y},${camera.zoom},${stage.width},${stage.height}`;
    if (this.busy && eye === this.eye) return;
    this.eye = eye;
    stage.whole = false;
    stage.shift = { x: 0, y: 0 };
    const bins = layout.within(this.#seen());
    let cost = 0;
    for (const id of bins) {
      const size = (layout.cellsOf(id)?.size ?? 0) * camera.zoom;
      const cells = Math.min(layout.bin(id).grid.slots.size, (stage.width * stage.height) / (size * size || 1));
      cost += size < GLYPHS ? 3 + cells / 50 : 8 + cells * weight(size);
    }
    this.cost = cost;
    this.counts.whole++;
    if (cost > SURE * this.share) {
      if (this.aside?.width !== stage.parts.still.width || this.aside.height !== stage.parts.still.height) this.aside = new OffscreenCanvas(stage.parts.still.width, stage.parts.still.height);
      this.c = /** @type {any} */ (this.aside.getContext("2d", { alpha: false }));
    } else this.c = this.front;
    this.queue = [...layout.workloads.of.keys(), ...layout.sources.of.keys(), ...layout.systemServices.of.keys(), ...layout.services.of.keys(), ...bins.reverse()];
    stage.dirty.clear();
    stage.urgent.clear();
    stage.wipes = [];
    this.#onto(this.c);
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(0, RAIL, stage.width, stage.height);
    this.#paintFences();
    this.#paintTray();
    this.c.restore();
  }

  /** As much of the queue as may be done now. @param {number} share @returns {number} what it cost */
  #work(share) {
    if (!this.queue.length) return 0;
    let spent = 0;
    const end = this.c === this.front ? Infinity : performance.now() + SLICE_MS;
    this.#onto(this.c);
    while (this.queue.length && spent < share && performance.now() < end) spent += this.#paintAny(/** @type {string} */ (this.queue.pop()));
    this.c.restore();
    if (!this.queue.length && this.c !== this.front) {
      this.c = this.front;
      const { stage } = this;
      const top = Math.round(stage.camera.view.y * stage.ratio);
      this.front.setTransform(1, 0, 0, 1, 0, 0);
      const aside = /** @type {OffscreenCanvas} */ (this.aside);
      this.front.drawImage(aside, 0, top, aside.width, aside.height - top, 0, top, aside.width, aside.height - top);
      stage.cached = null;
    }
    return spent;
  }

  /** @param {string} id @returns {number} what it cost */
  #paintAny(id) {
    if (id.startsWith("Node/") || id.startsWith("Group/")) return this.#paintBin(id);
    return this.#paintCard(id), 6;
  }

  /** The picture moves with the eye; only what comes into view is painted. */
  #shift() {
    const { stage } = this;
    const { view } = stage.camera;
    const { x, y } = stage.shift;
    stage.shift = { x: 0, y: 0 };
    if (this.c !== this.front || this.queue.length || Math.abs(x) > view.w / 2 || Math.abs(y) > view.h / 2) {
      stage.whole = true;
      this.queue = [];
      this.c = this.front;
      return this.#begin();
    }
    const c = this.front;
    const { still } = stage.parts;
    const top = Math.round(view.y * stage.ratio);
    this.#onto(c);
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(still, 0, top, still.width, still.height - top, Math.round(x * stage.ratio), top + Math.round(y * stage.ratio), still.width, still.height - top);
    c.restore();
    if (x) this.#paintPart({ x: x > 0 ? view.x : view.x + view.w + x, y: view.y, w: Math.abs(x), h: view.h });
    if (y) this.#paintPart({ x: view.x, y: y > 0 ? view.y : view.y + view.h + y, w: view.w, h: Math.abs(y) });
  }

  /** @param {Box} part in pixels */
  #paintPart(part) {
    const { stage } = this;
    const edge = { x: part.x - 1, y: part.y - 1, w: part.w + 2, h: part.h + 2 };
    this.#onto(this.c, { x: edge.x, y: Math.max(stage.camera.view.y, edge.y), w: edge.w, h: edge.h });
    this.part = edge;
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(edge.x, edge.y, edge.w, edge.h);
    this.#paintFences();
    this.#paintTray();
    for (const id of stage.layout.within(this.#seen(edge))) this.#paintBin(id);
    for (const slots of [stage.layout.services, stage.layout.systemServices, stage.layout.sources, stage.layout.workloads]) for (const id of slots.of.keys()) this.#paintCard(id);
    this.part = undefined;
    this.c.restore();
  }

  /** @param {number} [share] @returns {number} what it cost */
  paintDirty(share = this.share) {
    const { stage, c } = this;
    const { layout } = stage;
    let spent = 0;
    /** @type {Set<string>} bins that are written as images */
    const images = new Set();
    let tray = false;
    this.#onto(c);
    for (const { box, place } of stage.wipes) {
      if (place === "tray") tray = true;
      else if (this.#sizeOf(place) < GLYPHS) images.add(place);
      else this.#wipe(stage.camera.box(box));
    }
    stage.wipes = [];
    for (const waiting of [stage.urgent, stage.dirty]) {
      for (const id of waiting) {
        if (spent > share) break;
        waiting.delete(id);
        spent += 0.1;
        if (!id.startsWith("Pod/")) {
          spent += this.#paintAny(id);
          images.delete(id);
          continue;
        }
        const place = layout.pods.get(id)?.place;
        if (place === "tray") tray = true;
        else if (place && !images.has(place)) {
          if (this.#sizeOf(place) < GLYPHS && !layout.pods.get(id)?.system) images.add(place), (spent += 4 + layout.bin(place).grid.slots.size / 60);
          else spent += this.#paintPod(id, true);
        }
      }
    }
    if (tray) this.#paintTray();
    for (const place of images) this.#paintCells(place);
    for (const place of images) if (layout.counted.delete(place)) this.#paintTally(place);
    for (const place of layout.counted) {
      if (spent > share) break;
      layout.counted.delete(place);
      this.#paintTally(place);
      spent += 1;
    }
    c.restore();
    return spent;
  }

  /** A cell's edge in a bin, in pixels. @param {string} place */
  #sizeOf(place) {
    return (this.stage.layout.cellsOf(place)?.size ?? 0) * this.stage.camera.zoom;
  }

  /** @param {Box} b in pixels */
  #visible(b) {
    const { stage } = this;
    const { x, y, w, h } = this.part ?? stage.camera.view;
    return b.x < x + w && b.y < y + h && b.x + b.w > x && b.y + b.h > y;
  }

  /** On whole device pixels: painting a part of a pixel over and over would darken it. @param {Box} b @returns {[number, number, number, number]} */
  #snapped(b) {
    const { stage } = this;
    const at = (/** @type {number} */ v) => Math.round(v * stage.ratio) / stage.ratio;
    return [at(b.x), at(b.y), at(b.x + b.w) - at(b.x), at(b.y + b.h) - at(b.y)];
  }

  /** @param {Box} b */
  #wipe(b) {
    this.c.fillStyle = this.stage.colours.panel;
    this.c.fillRect(...this.#snapped(b));
  }

  #paintFences() {
    const { stage } = this;
    for (const [zone, box] of stage.layout.fences) fence(this.c, zone, stage.camera.box(box), stage.camera.zoom, stage.colours);
  }

  #paintTray() {
    const { stage } = this;
    if (stage.layout.shelves) return;
    const b = stage.camera.box(stage.layout.trayBox);
    if (!this.#visible(b)) return;
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(b.x - 2, b.y - 2, b.w + 4, b.h + 4);
    paint.tray(this.c, b, stage.layout.tray.size, stage.camera.zoom, stage.colours, stage.t("stage.unscheduled"));
    for (const id of stage.layout.tray.of.keys()) this.#paintPod(id);
  }

  /** A node's or a group's bin with all that is in it and in view. @param {string} id @returns {number} what it cost */
  #paintBin(id) {
    const { stage, c } = this;
    const { layout } = stage;
    const world = layout.nodeBox(id);
    if (!world) return 0;
    const b = stage.camera.box(world);
    if (!this.#visible(b)) return 0.2;
    this.counts.bins++;
    const bin = layout.bin(id);
    c.fillStyle = stage.colours.ground;
    c.fillRect(b.x - 2, b.y - 2, b.w + 4, b.h + 4);
    const header = (layout.cellsOf(id, world)?.header ?? 0) * stage.camera.zoom;
    const thing = stage.scene.get(id);
    if (layout.shelves) paint.group(c, stage.groupName(id), bin, b, header, stage.colours);
    else if (thing) paint.node(c, thing, b, b.h / layout.nodeHeight, stage.colours, stage.t, bin.system.size, bin.tally);
    const size = this.#sizeOf(id);
    if (size < GLYPHS) this.#paintCells(id);
    else {
      const cost = 8 + this.#eachSeen(id, (pod) => this.#paintPod(pod));
      for (const pod of bin.system.of.keys()) this.#paintPod(pod);
      return cost;
    }
    if (b.h / layout.nodeHeight > 0.2) for (const pod of bin.system.of.keys()) this.#paintPod(pod);
    return 3 + bin.grid.slots.size / 50;
  }

  /** The state bar anew. @param {string} id */
  #paintTally(id) {
    const { stage } = this;
    const world = stage.layout.nodeBox(id);
    if (!world) return;
    const b = stage.camera.box(world);
    if (!this.#visible(b)) return;
    const bin = stage.layout.bin(id);
    if (stage.layout.shelves) paint.groupTally(this.c, bin, b, (stage.layout.cellsOf(id, world)?.header ?? 0) * stage.camera.zoom, stage.colours);
    else paint.nodeTally(this.c, bin.tally, b, b.h / stage.layout.nodeHeight, stage.colours);
  }

  /** The pods of a bin that are in view. @param {string} id @param {(pod: string) => number} each @returns {number} the sum of what each gives */
  #eachSeen(id, each) {
    const { stage } = this;
    const cells = stage.layout.cellsOf(id);
    const { grid } = stage.layout.bin(id);
    if (!cells) return 0;
    const seen = this.#seen(this.part);
    const across = grid.across;
    const from = Math.max(0, Math.floor((seen.x - cells.x) / cells.size));
    const to = Math.min(across - 1, Math.floor((seen.x + seen.w - cells.x) / cells.size));
    const top = Math.max(0, Math.floor((seen.y - cells.y) / cells.size));
    const end = Math.min(Math.ceil(grid.slots.extent / across) - 1, Math.floor((seen.y + seen.h - cells.y) / cells.size));
    let sum = 0;
    for (let row = top; row <= end; row++)
      for (let column = from; column <= to; column++) {
        const pod = grid.slots.at[row * across + column];
        if (pod !== undefined) sum += each(pod);
      }
    return sum;
  }

  /** A bin's cells as an image: as much of it as is in view. @param {string} id */
  #paintCells(id) {
    const { stage } = this;
    const cells = stage.layout.cellsOf(id);
    const { grid } = stage.layout.bin(id);
    if (!cells || !grid.slots.extent) return;
    this.counts.images++;
    if ("vector" in this.c) return void this.#eachSeen(id, (pod) => this.#paintPod(pod));
    if (grid.filters !== stage.filters) {
      grid.filters = stage.filters;
      for (const pod of grid.slots.of.keys()) grid.paint(pod, stage.layout.codeOf(pod, /** @type {Thing} */ (stage.scene.get(pod))));
    }
    const { ratio, camera } = stage;
    const view = camera.view;
    const size = cells.size * camera.zoom * ratio;
    const [x, y] = [camera.sx(cells.x) * ratio, camera.sy(cells.y) * ratio];
    const rows = Math.ceil(grid.slots.extent / grid.across);
    const left = Math.max(Math.floor(view.x * ratio), Math.round(x));
    const top = Math.max(Math.round(view.y * ratio), Math.round(y));
    const w = Math.min(Math.floor((view.x + view.w) * ratio), Math.ceil(x + grid.across * size) + 1) - left;
    const h = Math.min(Math.floor((view.y + view.h) * ratio), Math.ceil(y + rows * size) + 1) - top;
    if (w < 1 || h < 1) return;
    if (w > this.image.width || h > this.image.height) {
      this.image = new ImageData(Math.max(w, this.image.width), Math.max(h, this.image.height));
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    const host = stage.scene.get(id);
    const lost = host?.ready === "Unknown" || paint.away(host) ? codeOf("lost") : 0;
    raster(this.pixels, this.image.width, w, h, { codes: grid.codes, across: grid.across, count: grid.slots.extent }, { x: x - left, y: y - top, size }, this.colours, lost);
    this.c.putImageData(this.image, left, top, 0, 0, w, h);
  }

  /** @param {string} id @param {boolean} [wipe] @returns {number} what it cost */
  #paintPod(id, wipe = false) {
    const { stage, c } = this;
    const thing = stage.scene.get(id);
    const world = stage.layout.podBox(id);
    if (!thing || !world) return 0;
    const b = stage.camera.box(world);
    if (!this.#visible(b)) return 0.1;
    if (wipe) this.#wipe(b);
    if (stage.motion.moves.has(id)) return 0.2;
    this.counts.cells++;
    const host = thing.node ? stage.scene.get(`Node//${thing.node}`) : undefined;
    const lost = thing.state === "lost" || host?.ready === "Unknown" || paint.away(host);
    const faint = stage.passes !== null && !stage.passes(id, thing);
    const [x, y, w, h] = this.#snapped(b);
    if (b.w < paint.NAMED && !("vector" in c) && !thing.backoff && !stage.ticking.has(id)) {
      c.drawImage(this.#sprite(thing, b, w, h, lost, faint), x, y, w, h);
      return 1;
    }
    c.save();
    c.beginPath();
    c.rect(x, y, w, h);
    c.clip();
    if (faint) c.globalAlpha = FAINTLY;
    paint.pod(c, thing, b, stage.colours, stage.time.now, lost, b.w >= paint.OPENED ? this.#opens(id) : undefined);
    c.restore();
    return weight(b.w);
  }

  /** Who paints a pod that one is near to, once that is loaded. @param {string} id */
  #opens(id) {
    const { near } = this.stage;
    if (!near) this.stage.nearing();
    return near ? near.painter(id) : undefined;
  }

  /** A glyph, drawn once for all that look alike. @param {Thing} thing @param {Box} b @param {number} w @param {number} h @param {boolean} lost @param {boolean} faint */
  #sprite(thing, b, w, h, lost, faint) {
    const { stage } = this;
    const key = `${thing.state}|${thing.restarts ?? 0}|${thing.system ?? 0}|${lost}|${faint}|${w}|${h}`;
    let sprite = this.sprites.get(key);
    if (sprite) return sprite;
    if (this.sprites.size > 600) this.sprites.clear();
    sprite = new OffscreenCanvas(Math.max(1, Math.round(w * stage.ratio)), Math.max(1, Math.round(h * stage.ratio)));
    const c = /** @type {any} */ (sprite.getContext("2d"));
    c.setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
    if (faint) c.globalAlpha = FAINTLY;
    paint.pod(c, thing, { x: 0, y: 0, w: b.w, h: b.h }, stage.colours, stage.time.now, lost);
    this.sprites.set(key, sprite);
    return sprite;
  }

  /** @param {string} id */
  #paintCard(id) {
    const { stage } = this;
    const thing = stage.scene.get(id);
    const world = stage.layout.box(id);
    if (!thing || !world) return;
    const b = stage.camera.box(world);
    if (this.#visible(b)) card(stage, this.c, b, id, thing);
  }
}

/** What a pod costs to paint so near, in glyphs. @param {number} size */
const weight = (size) => (size < paint.NAMED ? 1 : size < paint.OPENED ? 5 : 25);
