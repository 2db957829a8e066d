/**
 * Where nodes stand: in rows from the left, and, once the nodes tell of two zones or more, each zone a block of columns of its own, so that
 * a node more in one moves none of another. The number of columns changes only as the nodes' number about doubles or halves.
 *
 * @typedef {import("../types").Box} Box
 */
import { Slots } from "./slots.js";

const ZONE = "topology.kubernetes.io/zone";
/** Between the blocks of two zones, beside the gap between nodes; and above them, for their names. */
const ZONE_GAP = 22;
export const ZONE_HEAD = 42;
const GROWN = 1.4;
/** So many nodes are few; and what another arrangement of them must gain. */
const FEW = 12;
const BETTER = 1.12;

/** @param {number} count */
const ideal = (count) => (count <= 1 ? 1 : count <= 4 ? 2 : count <= 6 ? 3 : Math.max(4, Math.ceil(Math.sqrt(count * 1.2))));

export class Field {
  /** @param {{w: number, h: number, gap: number}} cell a node's */
  constructor(cell) {
    this.cell = cell;
    /** Every node; it tells the place while there are no zones. */
    this.slots = new Slots();
    this.zones = new Slots();
    /** @type {Map<string, string>} */
    this.zoneOf = new Map();
    /** @type {Map<string, Slots>} */
    this.inZone = new Map();
    this.columns = 2;
    /** @type {((across: number, down: number) => number)|null} */
    this.zoom = null;
    /** Whether the columns there are were chosen for a view. */
    this.suited = false;
  }

  /** Whether there are fences between zones. */
  get zoned() {
    return this.inZone.size > (this.inZone.has("") ? 2 : 1);
  }

  /** @param {string} id @param {import("../types").Thing} thing @returns {boolean} whether nodes have moved for it */
  put(id, thing) {
    const zone = thing.labels?.[ZONE] ?? "";
    const before = this.zoneOf.get(id);
    if (before === zone) return false;
    const was = this.zoned;
    if (before !== undefined) this.#leave(id, before);
    this.slots.take(id);
    this.zoneOf.set(id, zone);
    this.zones.take(zone);
    const block = this.inZone.get(zone) ?? new Slots();
    this.inZone.set(zone, block);
    block.take(id);
    this.#fit(false);
    return was !== this.zoned || before !== undefined;
  }

  /** @param {string} id */
  remove(id) {
    const zone = this.zoneOf.get(id);
    if (zone === undefined) return;
    this.#leave(id, zone);
    this.zoneOf.delete(id);
    this.slots.release(id);
    this.#fit(false);
  }

  /** @param {string} id @param {string} zone */
  #leave(id, zone) {
    const block = this.inZone.get(zone);
    block?.release(id);
    if (block?.size) return;
    this.inZone.delete(zone);
    this.zones.release(zone);
  }

  /** From now on few nodes stand in as many columns as show them largest. @param {(across: number, down: number) => number} zoom of a field so wide and high */
  suit(zoom) {
    this.zoom = zoom;
    this.settle();
  }

  #ideal() {
    const count = this.slots.size;
    const { zoom } = this;
    const usual = ideal(count);
    if (!zoom || count < 2 || count > FEW || this.zoned) return usual;
    const { w, h, gap } = this.cell;
    const seen = (/** @type {number} */ columns) => zoom(columns * (w + gap) - gap, Math.ceil(count / columns) * (h + gap) - gap);
    const now = this.suited && this.columns <= count ? this.columns : usual;
    let best = now;
    for (let columns = 1; columns <= count; columns++) if (seen(columns) > seen(best)) best = columns;
    this.suited = true;
    return seen(best) > seen(now) * BETTER ? best : now;
  }

  /** As many columns as suit the nodes, from now on. */
  settle() {
    this.#fit(true);
  }

  /** @param {boolean} exactly */
  #fit(exactly) {
    const columns = this.#ideal();
    if (exactly || columns >= this.columns * GROWN || columns * GROWN * 1.15 <= this.columns) this.columns = columns;
  }

  /** Columns of one zone's block. */
  get across() {
    return this.zoned ? Math.max(1, Math.round(this.columns / this.zones.extent)) : this.columns;
  }

  get rows() {
    if (!this.zoned) return Math.ceil(this.slots.extent / this.columns);
    let most = 0;
    for (const block of this.inZone.values()) most = Math.max(most, block.extent);
    return Math.ceil(most / this.across);
  }

  get #stride() {
    return this.across * (this.cell.w + this.cell.gap) + ZONE_GAP;
  }

  get width() {
    const { w, gap } = this.cell;
    return this.zoned ? this.zones.extent * this.#stride - ZONE_GAP - gap : this.columns * (w + gap) - gap;
  }

  /** A node's cell. @param {string} id @returns {{x: number, y: number}|null} */
  at(id) {
    const { w, h, gap } = this.cell;
    if (!this.zoned) {
      const slot = this.slots.of.get(id);
      return slot === undefined ? null : { x: (slot % this.columns) * (w + gap), y: Math.floor(slot / this.columns) * (h + gap) };
    }
    const zone = this.zoneOf.get(id) ?? "";
    const slot = this.inZone.get(zone)?.of.get(id);
    if (slot === undefined) return null;
    const across = this.across;
    return { x: (this.zones.of.get(zone) ?? 0) * this.#stride + (slot % across) * (w + gap), y: Math.floor(slot / across) * (h + gap) };
  }

  /** The nodes whose cells touch a box. @param {Box} view @returns {string[]} */
  within(view) {
    const { w, h, gap } = this.cell;
    const found = [];
    const top = Math.max(0, Math.floor((view.y - h) / (h + gap)));
    const end = Math.min(this.rows - 1, Math.floor((view.y + view.h) / (h + gap)));
    const across = this.across;
    /** @type {[number, Slots][]} */
    const blocks = this.zoned ? [...this.inZone].map(([zone, slots]) => [(this.zones.of.get(zone) ?? 0) * this.#stride, slots]) : [[0, this.slots]];
    for (const [x, slots] of blocks) {
      const from = Math.max(0, Math.floor((view.x - x - w) / (w + gap)));
      const to = Math.min(across - 1, Math.floor((view.x - x + view.w) / (w + gap)));
      for (let row = top; row <= end; row++)
        for (let column = from; column <= to; column++) {
          const id = slots.at[row * across + column];
          if (id !== undefined) found.push(id);
        }
    }
    return found;
  }

  /** The zones' fences: the block that each has, by name; none without zones. @returns {[string, Box][]} */
  get fences() {
    if (!this.zoned) return [];
    const { w, h, gap } = this.cell;
    const height = this.rows * (h + gap) - gap;
    return [...this.zones.of].filter(([zone]) => zone).map(([zone, index]) => [zone, { x: index * this.#stride, y: 0, w: this.across * (w + gap) - gap, h: height }]);
  }
}
