/**
 * Where bins of different sizes stand: each on a shelf with others of its size, shelves below one another in the order in which they
 * were needed. A bin that outgrows its size moves to a shelf of the next one and leaves its place to another; no other bin moves.
 *
 * @typedef {import("../types").Box} Box
 */
import { Slots } from "./slots.js";

/** Of a size: its outer box and its header in world units. @typedef {{w: number, h: number, header: number}} Size */

export class Shelves {
  /** @param {(level: number) => Size} sizeOf @param {number} gap */
  constructor(sizeOf, gap) {
    this.sizeOf = sizeOf;
    this.gap = gap;
    this.width = 1;
    /** @type {Map<string, number>} bin -> its size */
    this.levels = new Map();
    /** @type {{slots: Slots, shelves: number[]}[]} of each size: its bins and where its shelves begin */
    this.sizes = [];
    this.bottom = 0;
    this.used = 0;
  }

  /** Room for bins of these sizes, as wide as makes a picture of such a shape. @param {number[]} levels @param {number} [shape] width by height */
  plan(levels, shape = 1.6) {
    let area = 0;
    let widest = 0;
    for (const level of levels) {
      const { w, h } = this.sizeOf(level);
      area += (w + this.gap) * (h + this.gap);
      widest = Math.max(widest, w);
    }
    this.width = Math.max(widest, Math.sqrt(area * shape));
  }

  /** @param {string} id @param {number} level @returns {boolean} whether it has another place now */
  put(id, level) {
    if (this.levels.get(id) === level) return false;
    this.remove(id);
    this.levels.set(id, level);
    const size = this.#size(level);
    const slot = size.slots.take(id);
    const { w, h } = this.sizeOf(level);
    this.width = Math.max(this.width, w);
    while (Math.floor(slot / this.#across(level)) >= size.shelves.length) {
      size.shelves.push(this.bottom);
      this.bottom += h + this.gap;
    }
    const box = /** @type {Box} */ (this.box(id));
    this.used = Math.max(this.used, box.x + box.w);
    return true;
  }

  /** @param {string} id */
  remove(id) {
    const level = this.levels.get(id);
    if (level === undefined) return;
    this.levels.delete(id);
    this.sizes[level].slots.release(id);
  }

  /** @param {number} level */
  #size(level) {
    while (this.sizes.length <= level) this.sizes.push({ slots: new Slots(), shelves: [] });
    return this.sizes[level];
  }

  /** Bins of a size on one shelf. Widths double from one size to the next but one, so the plan's width serves all. @param {number} level */
  #across(level) {
    return Math.max(1, Math.floor((this.width + this.gap) / (this.sizeOf(level).w + this.gap)));
  }

  /** @param {string} id @returns {Box|null} */
  box(id) {
    const level = this.levels.get(id);
    if (level === undefined) return null;
    const { slots, shelves } = this.sizes[level];
    const slot = slots.of.get(id) ?? 0;
    const { w, h } = this.sizeOf(level);
    const across = this.#across(level);
    return { x: (slot % across) * (w + this.gap), y: shelves[Math.floor(slot / across)] ?? 0, w, h };
  }

  /** The bins that touch a box. @param {Box} view @returns {string[]} */
  within(view) {
    const found = [];
    for (const [level, { slots, shelves }] of this.sizes.entries()) {
      const { w, h } = this.sizeOf(level);
      const across = this.#across(level);
      const from = Math.max(0, Math.floor((view.x - w) / (w + this.gap)));
      const to = Math.min(across - 1, Math.floor((view.x + view.w) / (w + this.gap)));
      for (const [row, y] of shelves.entries()) {
        if (y > view.y + view.h || y + h < view.y) continue;
        for (let column = from; column <= to; column++) {
          const id = slots.at[row * across + column];
          if (id !== undefined) found.push(id);
        }
      }
    }
    return found;
  }
}
