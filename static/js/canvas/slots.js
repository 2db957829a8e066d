/**
 * Stable places. A thing keeps its slot from the day it comes to the day it goes; a newcomer takes the first that is free. When
 * a pod grid is full its cells halve: slot (c, r) becomes (2c, 2r), so every pod keeps its corner and only shrinks.
 */
export class Slots {
  constructor() {
    /** @type {Map<string, number>} */
    this.of = new Map();
    /** @type {(string|undefined)[]} */
    this.at = [];
    this.free = 0;
  }

  /** @param {string} id @returns {number} */
  take(id) {
    const known = this.of.get(id);
    if (known !== undefined) return known;
    while (this.at[this.free] !== undefined) this.free++;
    const slot = this.free;
    this.#put(id, slot);
    return slot;
  }

  /** @param {string} id */
  release(id) {
    const slot = this.of.get(id);
    if (slot === undefined) return;
    this.of.delete(id);
    this.at[slot] = undefined;
    this.free = Math.min(this.free, slot);
  }

  get size() {
    return this.of.size;
  }

  /** One past the highest slot in use. */
  get extent() {
    let extent = this.at.length;
    while (extent > 0 && this.at[extent - 1] === undefined) extent--;
    return extent;
  }

  /** @param {string} id @param {number} slot */
  #put(id, slot) {
    this.of.set(id, slot);
    this.at[slot] = id;
  }

  /** @param {(slot: number) => number} move */
  remap(move) {
    const entries = [...this.of];
    this.of.clear();
    this.at = [];
    this.free = 0;
    for (const [id, slot] of entries) this.#put(id, move(slot));
  }
}

export const MAX_LEVEL = 6;

export class PodGrid {
  /** @param {number} columns @param {number} rows at the coarsest level */
  constructor(columns, rows) {
    this.columns = columns;
    this.rows = rows;
    this.level = 0;
    this.slots = new Slots();
  }

  get across() {
    return this.columns << this.level;
  }

  get capacity() {
    return (this.columns * this.rows) << (2 * this.level);
  }

  /** @param {string} id @returns {boolean} whether everything else changed size for it */
  add(id) {
    if (this.slots.of.has(id)) return false;
    let halved = false;
    while (this.slots.size >= this.capacity && this.level < MAX_LEVEL) {
      const across = this.across;
      this.slots.remap((slot) => 2 * Math.floor(slot / across) * 2 * across + 2 * (slot % across));
      this.level++;
      halved = true;
    }
    this.slots.take(id);
    return halved;
  }

  /** @param {string} id @returns {boolean} whether everything else changed size for it */
  remove(id) {
    this.slots.release(id);
    return this.#relax();
  }

  /** Cells double again once few are left and no two would meet. */
  #relax() {
    let grown = false;
    while (this.level > 0 && this.slots.size <= this.capacity / 16) {
      const across = this.across;
      /** @param {number} slot */
      const move = (slot) => Math.floor(slot / across / 2) * (across / 2) + Math.floor((slot % across) / 2);
      const targets = new Set([...this.slots.of.values()].map(move));
      if (targets.size < this.slots.size) break;
      this.slots.remap(move);
      this.level--;
      grown = true;
    }
    return grown;
  }

  /** Column, row and the number of cells across at this level. @param {string} id */
  cell(id) {
    const slot = this.slots.of.get(id);
    if (slot === undefined) return null;
    return { column: slot % this.across, row: Math.floor(slot / this.across), scale: 1 / (1 << this.level) };
  }
}
