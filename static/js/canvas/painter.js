/**
 * Paints onto the still layer a bin with all that is in it and in view, a pod, a card, the tray: each at the eye that the stage has, and told
 * what it cost. What is painted when, and on the screen or aside, is still.js's.
 */
import { crisp, legible, snap } from "./brush.js";
import { codeOf, palette, raster } from "./density.js";
import { fence } from "./fences.js";
import { NODE } from "./layout.js";
import * as paint from "./paint.js";
import { card } from "./standing.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

/** Below this edge in pixels pods are written into an image. */
export const GLYPHS = 12;
const FAINTLY = 0.2;
/** What a bin costs beside its pods, in glyphs. */
export const BIN = 10;
/** An edge in the middle of a pixel falls to the same side from wherever it was worked out. */
const TIE = 1e-3;

export class Painter {
  /** @param {import("./stage.js").Stage} stage @param {CanvasRenderingContext2D} c */
  constructor(stage, c) {
    this.stage = stage;
    /** Where it is painted. @type {CanvasRenderingContext2D} */
    this.c = c;
    /** What of the view is painted, in pixels; undefined: all of it. @type {Box|undefined} */
    this.part = undefined;
    /** What was painted since the page began: cells one by one, bins as images, bins, whole pictures. */
    this.counts = { cells: 0, images: 0, bins: 0, whole: 0 };
    this.image = new ImageData(1, 1);
    this.pixels = new Uint32Array(this.image.data.buffer);
    /** @type {import("./colours.js").Colours|null} */
    this.theme = null;
    this.colours = new Uint32Array(32);
    /** @type {Map<string, OffscreenCanvas>} */
    this.sprites = new Map();
  }

  /** In the stage's colours from now on. */
  suit() {
    const { colours } = this.stage;
    if (this.theme === colours) return;
    this.theme = colours;
    this.colours = palette(colours);
    this.sprites.clear();
  }

  /** What is drawn from now on stays under the rail; `restore` ends it. @param {CanvasRenderingContext2D} c @param {Box} [part] */
  onto(c, part = this.stage.camera.view) {
    const { camera, ratio } = this.stage;
    legible(camera.zoom);
    crisp(ratio);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.save();
    c.beginPath();
    c.rect(part.x, part.y, part.w, part.h);
    c.clip();
  }

  /** The world's box that is seen through a part of the view. @param {Box} [part] */
  seen(part = this.stage.camera.view) {
    const { camera } = this.stage;
    const at = camera.world(part.x, part.y);
    return { x: at.x, y: at.y, w: part.w / camera.zoom, h: part.h / camera.zoom };
  }

  /** @param {Box} b in pixels */
  visible(b) {
    const { stage } = this;
    const { x, y, w, h } = this.part ?? stage.camera.view;
    return b.x < x + w && b.y < y + h && b.x + b.w > x && b.y + b.h > y;
  }

  /** @param {Box} b @returns {[number, number, number, number]} */
  snapped(b) {
    const [x, y] = [snap(b.x), snap(b.y)];
    return [x, y, snap(b.x + b.w) - x, snap(b.y + b.h) - y];
  }

  /** @param {Box} b */
  wipe(b) {
    this.c.fillStyle = this.stage.colours.panel;
    this.c.fillRect(...this.snapped(b));
  }

  paintFences() {
    const { stage } = this;
    for (const [zone, box] of stage.layout.fences) fence(this.c, zone, stage.camera.box(box), stage.camera.zoom, stage.colours);
  }

  paintTray() {
    const { stage } = this;
    if (stage.layout.shelves) return;
    const b = stage.camera.box(stage.layout.trayBox);
    if (!this.visible(b)) return;
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(b.x - 2, b.y - 2, b.w + 4, b.h + 4);
    paint.tray(this.c, b, stage.layout.tray.size, stage.camera.zoom, stage.colours, stage.t("stage.unscheduled"));
    for (const id of stage.layout.tray.of.keys()) this.paintPod(id);
  }

  /** @param {string} id @returns {number} what it cost */
  paintAny(id) {
    if (id.startsWith("Node/") || id.startsWith("Group/")) return this.paintBin(id);
    return this.paintCard(id), 6;
  }

  /** A node's or a group's bin with all that is in it and in view. @param {string} id @returns {number} what it cost */
  paintBin(id) {
    const { stage, c } = this;
    const { layout } = stage;
    const world = layout.nodeBox(id);
    if (!world) return 0;
    const b = stage.camera.box(world);
    if (!this.visible(b)) return 0.2;
    this.counts.bins++;
    const bin = layout.bin(id);
    const around = Math.min(2, (NODE.gap * stage.camera.zoom) / 2);
    c.fillStyle = stage.colours.ground;
    c.fillRect(b.x - around, b.y - around, b.w + 2 * around, b.h + 2 * around);
    const header = (layout.cellsOf(id, world)?.header ?? 0) * stage.camera.zoom;
    const thing = stage.scene.get(id);
    if (layout.shelves) paint.group(c, stage.groupName(id), b, header, stage.colours);
    else if (thing) paint.node(c, thing, b, b.h / layout.nodeHeight, stage.colours, stage.t);
    const size = this.sizeOf(id);
    let cost = BIN + bin.grid.slots.size / 50;
    if (size < GLYPHS) this.paintCells(id);
    else cost = BIN + this.eachSeen(id, (pod) => this.paintPod(pod));
    if (size >= GLYPHS || b.h / layout.nodeHeight > 0.2) for (const pod of bin.system.of.keys()) this.paintPod(pod);
    this.paintTally(id);
    return cost;
  }

  /** The state bar anew. @param {string} id */
  paintTally(id) {
    const { stage } = this;
    const world = stage.layout.nodeBox(id);
    if (!world) return;
    const b = stage.camera.box(world);
    if (!this.visible(b)) return;
    const bin = stage.layout.bin(id);
    if (stage.layout.shelves) paint.groupTally(this.c, bin, b, (stage.layout.cellsOf(id, world)?.header ?? 0) * stage.camera.zoom, stage.colours);
    else paint.nodeTally(this.c, bin.tally, b, b.h / stage.layout.nodeHeight, stage.colours);
  }

  /** The pods of a bin that are in view. @param {string} id @param {(pod: string) => number} each @returns {number} the sum of what each gives */
  eachSeen(id, each) {
    const { stage } = this;
    const cells = stage.layout.cellsOf(id);
    const { grid } = stage.layout.bin(id);
    if (!cells) return 0;
    const seen = this.seen(this.part);
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
  paintCells(id) {
    const { stage } = this;
    const cells = stage.layout.cellsOf(id);
    const { grid } = stage.layout.bin(id);
    if (!cells || !grid.slots.extent) return;
    this.counts.images++;
    if ("vector" in this.c) return void this.eachSeen(id, (pod) => this.paintPod(pod));
    if (grid.filters !== stage.filters) {
      grid.filters = stage.filters;
      for (const pod of grid.slots.of.keys()) grid.paint(pod, stage.layout.codeOf(pod, /** @type {Thing} */ (stage.scene.get(pod))));
    }
    const { ratio, camera } = stage;
    const view = camera.view;
    const size = cells.size * camera.zoom * ratio;
    const [x, y] = [camera.sx(cells.x) * ratio - TIE, camera.sy(cells.y) * ratio - TIE];
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
  paintPod(id, wipe = false) {
    const { stage, c } = this;
    const thing = stage.scene.get(id);
    const world = stage.layout.podBox(id);
    if (!thing || !world) return 0;
    const b = stage.camera.box(world);
    if (!this.visible(b)) return 0.1;
    if (wipe) this.wipe(b);
    if (stage.motion.moves.has(id)) return 0.2;
    this.counts.cells++;
    const host = thing.node ? stage.scene.get(`Node//${thing.node}`) : undefined;
    const lost = thing.state === "lost" || host?.ready === "Unknown" || paint.away(host);
    const faint = stage.passes !== null && !stage.passes(id, thing);
    const [x, y, w, h] = this.snapped(b);
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
  paintCard(id) {
    const { stage } = this;
    const thing = stage.scene.get(id);
    const world = stage.layout.box(id);
    if (!thing || !world) return;
    const b = stage.camera.box(world);
    if (this.visible(b)) card(stage, this.c, b, id, thing);
  }

  /** A cell's edge in a bin, in pixels. @param {string} place */
  sizeOf(place) {
    return (this.stage.layout.cellsOf(place)?.size ?? 0) * this.stage.camera.zoom;
  }
}

/** What a pod costs to paint so near, in glyphs. @param {number} size */
export const weight = (size) => (size < paint.NAMED ? 1 : size < paint.OPENED ? 5 : 25);
