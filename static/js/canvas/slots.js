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
    while (this.at.length && this.at[this.at.length - 1] === undefined) this.at.pop();
  }

  get size() {
    return this.of.size;
  }

  /** One past the highest slot in use. */
  get extent() {
    return this.at.length;
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

const MAX_LEVEL = 6;

/** Cells side by side in rows, each with the code of what is drawn in it (0: nothing), so that far out they are written without a look at any record. */
class Cells {
  constructor() {
    this.slots = new Slots();
    this.codes = new Uint8Array(8);
    /** What a cell's edge is of the coarsest one's. */
    this.scale = 1;
    /** For which filter its cells are coded. */
    this.filters = 0;
  }

  /** Whose cell that is. @param {number} column @param {number} row @returns {string|undefined} */
  at(column, row) {
    return column < 0 || row < 0 || column >= this.across ? undefined : this.slots.at[row * this.across + column];
  }

  /** @returns {number} cells in a row */
  get across() {
    return 4;
  }

  /** @param {string} id @param {number} code */
  paint(id, code) {
    const slot = this.slots.of.get(id);
    if (slot === undefined) return;
    if (slot >= this.codes.length) {
      const wider = new Uint8Array(Math.max(slot + 1, 2 * this.codes.length));
      wider.set(this.codes);
      this.codes = wider;
    }
    this.codes[slot] = code;
  }

  /** Moves every cell, its code with it. @param {(slot: number) => number} move */
  remap(move) {
    /** @type {[string, number][]} */
    const codes = [...this.slots.of].map(([id, slot]) => [id, this.codes[slot] ?? 0]);
    this.slots.remap(move);
    this.codes.fill(0);
    for (const [id, code] of codes) this.paint(id, code);
  }

  /** @param {string} id */
  free(id) {
    this.paint(id, 0);
    this.slots.release(id);
  }

  /** Column, row, and how large the cell is. @param {string} id */
  cell(id) {
    const slot = this.slots.of.get(id);
    if (slot === undefined) return null;
    return { column: slot % this.across, row: Math.floor(slot / this.across), scale: this.scale };
  }
}

/** A bin of one size: when it is full its cells halve. */
export class PodGrid extends Cells {
  /** @param {number} columns @param {number} rows at the coarsest level */
  constructor(columns, rows) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.level = 0;
  }

  get across() {
    return this.columns << this.level;
  }

  get capacity() {
    return (this.columns * this.rows) << (2 * this.level);
  }

  /** Fine enough for so many from the start, if nobody is in it yet. @param {number} count */
  reserve(count) {
    if (this.slots.size) return;
    this.level = 0;
    while (count > this.capacity && this.level < MAX_LEVEL) this.level++;
    this.scale = 1 / (1 << this.level);
  }

  /** @param {string} id @returns {boolean} whether everything else changed size for it */
  add(id) {
    if (this.slots.of.has(id)) return false;
    let halved = false;
    while (this.slots.size >= this.capacity && this.level < MAX_LEVEL) {
      const across = this.across;
      this.remap((slot) => 2 * Math.floor(slot / across) * 2 * across + 2 * (slot % across));
      this.level++;
      halved = true;
    }
    this.scale = 1 / (1 << this.level);
    this.slots.take(id);
    return halved;
  }

  /** @param {string} id @returns {boolean} whether everything else changed size for it */
  remove(id) {
    this.free(id);
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
      this.remap(move);
      this.level--;
      grown = true;
    }
    this.scale = 1 / (1 << this.level);
    return grown;
  }
}

/** A bin that grows with what it holds, its cells all of one size: wider and longer in turn, so that every pod keeps its column and row. */
export class GrowingGrid extends Cells {
  constructor() {
    super();
    this.level = 0;
  }

  get across() {
    return 4 << (this.level >> 1);
  }

  get down() {
    return 2 << ((this.level + 1) >> 1);
  }

  get capacity() {
    return this.across * this.down;
  }

  /** @param {number} count */
  reserve(count) {
    if (this.slots.size) return;
    this.level = 0;
    while (count > this.capacity) this.level++;
  }

  /** @param {string} id @returns {boolean} whether it has grown */
  add(id) {
    if (this.slots.of.has(id)) return false;
    const full = this.slots.size >= this.capacity;
    if (full) this.#to(this.level + 1);
    this.slots.take(id);
    return full;
  }

  /** With an eighth left those who are close up, in the order they have. @param {string} id @returns {boolean} whether it has shrunk */
  remove(id) {
    this.free(id);
    if (!this.level || this.slots.size > this.capacity / 8) return false;
    const place = new Map([...this.slots.of.values()].sort((a, b) => a - b).map((slot, index) => [slot, index]));
    this.remap((slot) => place.get(slot) ?? slot);
    while (this.level > 0 && this.slots.size * 2 <= this.capacity / 2) this.level--;
    return true;
  }

  /** @param {number} level */
  #to(level) {
    const before = this.across;
    this.level = level;
    if (this.across !== before) this.remap((slot) => Math.floor(slot / before) * this.across + (slot % before));
  }
}
