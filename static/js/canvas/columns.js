/**
 * The columns of cards beside the bins: sources and Services on the left, workloads on the right. A card's place follows from its slot; how
 * large it is, from how many there are. How high the bins are comes from who extends this.
 *
 * @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box
 */
import { Slots } from "./slots.js";

export const SOURCE = { w: 116, h: 96 };
/** What stands under a source that asks no Service: why it fails. */
const CAPTION = 28;
export const SERVICE = { w: 244, h: 130, gap: 16, many: 4 };
/** A card's height and gap once there are many of its kind. */
export const ROW = { h: 46, gap: 8 };
export const SYSTEM_ROW = 24;
export const WORKLOAD = { w: 212, h: 146, gap: 12, many: 6 };
const GAP = 58;
export const CARD_TOP = 10;
/** With more Services than this the rest is a drag away: everything else stays readable. */
const MOST_SHOWN = 24;
const MOST_COLUMNS = 6;


export const X_SOURCE = 0;
export const X_SERVICE = X_SOURCE + SOURCE.w + 44;
export const X_NODES = X_SERVICE + SERVICE.w + GAP;

export class Columns {
  constructor() {
    this.services = new Slots();
    this.systemServices = new Slots();
    this.sources = new Slots();
    /** @type {Map<string, string>} source -> the Service it asks, beside which it stands, or what else it asks */
    this.targets = new Map();
    this.workloads = new Slots();
  }

  /** Where the bins begin and end, where the workloads begin, and what one row of nodes is high. @returns {number} */
  get yNodes() {
    return 0;
  }

  get nodesBottom() {
    return 0;
  }

  get xWorkloads() {
    return 0;
  }

  get binsHeight() {
    return 0;
  }

  get rowHeight() {
    return 1;
  }

  /** @param {Slots} slots @param {string} id @param {Thing|undefined} thing */
  seat(slots, id, thing) {
    const had = slots.of.has(id);
    const [services, workloads, rows] = [this.cardOf(SERVICE), this.cardOf(WORKLOAD), this.#workloadRows];
    if (thing) slots.take(id);
    else slots.release(id);
    const resized = services !== this.cardOf(SERVICE) || workloads !== this.cardOf(WORKLOAD) || rows !== this.#workloadRows;
    return resized || (slots === this.systemServices && had !== !!thing);
  }

  /** How large a Service's or workload's card is: many of them are rows. @param {typeof SERVICE} kind @returns {{h: number, gap: number}} */
  cardOf(kind) {
    return (kind === SERVICE ? this.services : this.workloads).extent > kind.many ? ROW : kind;
  }

  /** @param {string} id @returns {Box|null} */
  serviceBox(id) {
    const system = this.systemServices.of.get(id);
    if (system !== undefined) return { x: X_SERVICE, y: CARD_TOP + system * (SYSTEM_ROW + 6), w: SERVICE.w, h: SYSTEM_ROW };
    const slot = this.services.of.get(id);
    if (slot === undefined) return null;
    const { h, gap } = this.cardOf(SERVICE);
    return { x: X_SERVICE, y: this.yServices + slot * (h + gap), w: SERVICE.w, h };
  }

  get yServices() {
    return Math.max(this.yNodes, CARD_TOP + this.systemServices.extent * (SYSTEM_ROW + 6) + 12);
  }

  /** @param {string} id @returns {Box|null} */
  sourceBox(id) {
    const slot = this.sources.of.get(id);
    if (slot === undefined) return null;
    const target = this.targets.get(id) ?? "";
    const service = this.serviceBox(target);
    if (!service) return { x: X_SOURCE, y: this.#servicesBottom + this.#elsewhere.indexOf(id) * (SOURCE.h + CAPTION), w: SOURCE.w, h: SOURCE.h };
    const beside = [...this.targets].filter(([, other]) => other === target).map(([other]) => other);
    const room = service.h / beside.length;
    const h = Math.min(SOURCE.h, beside.length > 1 ? room - 3 : service.h);
    return { x: X_SOURCE, y: service.y + room * beside.indexOf(id) + (room - h) / 2, w: SOURCE.w, h };
  }

  /** Sources that ask no Service on the canvas stand below all Services. */
  get #elsewhere() {
    return [...this.targets].filter(([, target]) => !this.services.of.has(target) && !this.systemServices.of.has(target)).map(([id]) => id);
  }

  get #servicesBottom() {
    const { h, gap } = this.cardOf(SERVICE);
    return this.yServices + Math.min(MOST_SHOWN, this.services.extent) * (h + gap);
  }

  /** @param {string} id @returns {Box|null} */
  workloadBox(id) {
    const slot = this.workloads.of.get(id);
    if (slot === undefined) return null;
    const { h, gap } = this.cardOf(WORKLOAD);
    const rows = this.#workloadRows;
    const scale = this.workloadScale;
    return { x: this.xWorkloads + Math.floor(slot / rows) * (WORKLOAD.w + WORKLOAD.gap) * scale, y: this.yNodes + (slot % rows) * (h + gap) * scale, w: WORKLOAD.w * scale, h: h * scale };
  }

  /** Beside many rows of nodes, seen from further away, cards are larger. */
  get workloadScale() {
    return Math.min(3, Math.max(1, this.binsHeight / this.rowHeight / 3));
  }

  /** As many as stand beside the nodes, then the next column begins; with too many columns they grow longer, by half each time. */
  get #workloadRows() {
    const { h, gap } = this.cardOf(WORKLOAD);
    let rows = this.#rowsBesideNodes(h, gap);
    while (this.workloads.extent > rows * MOST_COLUMNS) rows = Math.ceil(rows * 1.5);
    return rows;
  }

  /** @param {number} h @param {number} gap */
  #rowsBesideNodes(h, gap) {
    return Math.max(3, Math.floor(((this.nodesBottom - this.yNodes) / this.workloadScale + gap) / (h + gap)));
  }

  /** @returns {Box} */
  get bounds() {
    const service = this.cardOf(SERVICE);
    const rows = this.#workloadRows;
    const columns = Math.max(1, Math.ceil(this.workloads.extent / rows));
    const card = this.cardOf(WORKLOAD);
    const longest = Math.min(rows, this.workloads.extent) * (card.h + card.gap) - card.gap;
    const bottom = Math.max(this.nodesBottom, this.yNodes + longest * this.workloadScale, this.#servicesBottom - service.gap, this.#servicesBottom + this.#elsewhere.length * (SOURCE.h + CAPTION));
    return { x: X_SOURCE, y: 0, w: this.xWorkloads + (columns * (WORKLOAD.w + WORKLOAD.gap) - WORKLOAD.gap) * this.workloadScale - X_SOURCE, h: bottom };
  }
}
