/**
 * Where everything is, in world units: sources and Services on the left, nodes as bins in the middle under the tray of
 * unscheduled pods, workloads on the right. Arithmetic only: a thing's place follows from its slot, so that nothing moves but
 * what changed. Scene changes go in; boxes come out, with the list of boxes that need painting.
 *
 * @typedef {import("../types").Thing} Thing
 * @typedef {import("../types").Box} Box
 */
import { PodGrid, Slots } from "./slots.js";

export const CELL = 66;
export const GRID_COLUMNS = 4;
export const NODE = { w: GRID_COLUMNS * CELL + 28, header: 62, footer: 32, gap: 26 };
const NODE_ROWS = 2;
export const SOURCE = { w: 128, h: 96 };
/** What stands under a source that asks no Service: why it fails. */
const CAPTION = 28;
export const SERVICE = { w: 244, h: 130, gap: 16, many: 4 };
/** A card's height and gap once there are many of its kind. */
export const ROW = { h: 46, gap: 8 };
export const SYSTEM_ROW = 26;
export const WORKLOAD = { w: 220, h: 146, gap: 12, many: 6 };
export const TRAY = { cell: 52, label: 22 };
const GAP = 66;
const SYSTEM_CELL = 17;
const TOP = 10;
/** With more Services than this the rest is a drag away: everything else stays readable. */
const MOST_SHOWN = 24;
const MOST_COLUMNS = 6;

/** What stands in the column on the right, unless something else there owns it. */
export const WORKLOADS = new Set(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "CronJob"]);
const STORAGE = new Set(["PersistentVolumeClaim", "PersistentVolume"]);

export const X_SOURCE = 0;
export const X_SERVICE = X_SOURCE + SOURCE.w + 46;
export const X_NODES = X_SERVICE + SERVICE.w + GAP;

export class Layout {
  constructor() {
    this.nodes = new Slots();
    this.services = new Slots();
    this.systemServices = new Slots();
    this.sources = new Slots();
    /** @type {Map<string, string>} source -> the Service it asks, beside which it stands, or what else it asks */
    this.targets = new Map();
    /** @type {Set<string>} every source, those in pods too */
    this.flows = new Set();
    this.workloads = new Slots();
    /** @type {Map<string, {grid: PodGrid, system: Slots}>} */
    this.bins = new Map();
    this.tray = new Slots();
    /** @type {Map<string, {place: string, system: boolean}>} where each pod is */
    this.pods = new Map();
    /** @type {Map<string, number>} node id -> share of the largest node's allocatable CPU */
    this.size = new Map();
    this.most = 1;
    this.columns = 2;
  }

  /** @param {string} id @param {Thing|undefined} thing @returns {boolean} whether everything must be painted again */
  update(id, thing) {
    const kind = id.slice(0, id.indexOf("/"));
    if (kind === "Pod") return this.#pod(id, thing);
    if (kind === "Node") return this.#node(id, thing);
    if (kind === "Service") return this.#seat(thing?.system || this.systemServices.of.has(id) ? this.systemServices : this.services, id, thing);
    if (kind === "Traffic") {
      const target = thing?.service ?? thing?.target;
      const outside = thing && !thing.source ? thing : undefined;
      const moved = this.targets.has(id) ? this.targets.get(id) !== target || !outside : !!outside;
      if (thing) this.flows.add(id);
      else this.flows.delete(id);
      if (outside && target) this.targets.set(id, target);
      else this.targets.delete(id);
      return this.#seat(this.sources, id, outside) || moved;
    }
    if (WORKLOADS.has(kind) || STORAGE.has(kind)) {
      const seated = thing && !thing.system && !thing.owner && !(kind === "PersistentVolume" && thing.phase === "Bound");
      if (!seated && !this.workloads.of.has(id)) return false;
      return this.#seat(this.workloads, id, seated ? thing : undefined);
    }
    return false;
  }

  /** @param {Slots} slots @param {string} id @param {Thing|undefined} thing */
  #seat(slots, id, thing) {
    const had = slots.of.has(id);
    const [services, workloads, rows] = [this.cardOf(SERVICE), this.cardOf(WORKLOAD), this.#workloadRows];
    if (thing) slots.take(id);
    else slots.release(id);
    const resized = services !== this.cardOf(SERVICE) || workloads !== this.cardOf(WORKLOAD) || rows !== this.#workloadRows;
    return resized || (slots === this.systemServices && had !== !!thing);
  }

  /** @param {string} id @param {Thing|undefined} thing */
  #node(id, thing) {
    if (!thing) {
      this.nodes.release(id);
      this.size.delete(id);
      return true;
    }
    const fresh = !this.nodes.of.has(id);
    this.nodes.take(id);
    this.bin(id);
    const resized = this.size.get(id) !== (thing.cpu ?? 0);
    this.size.set(id, thing.cpu ?? 0);
    this.most = Math.max(1, ...this.size.values());
    const count = this.nodes.size;
    const columns = count <= 1 ? 1 : count <= 4 ? 2 : count <= 6 ? 3 : Math.max(4, Math.ceil(Math.sqrt(count * 1.2)));
    const moved = columns !== this.columns;
    this.columns = Math.max(columns, 1);
    return fresh || resized || moved;
  }

  /** @param {string} id @param {Thing|undefined} thing */
  #pod(id, thing) {
    const was = this.pods.get(id);
    const place = thing ? (thing.node ? `Node//${thing.node}` : "tray") : null;
    if (was && place === was.place) return false;
    let all = false;
    if (was) all = this.#leave(id, was);
    if (place === null) {
      this.pods.delete(id);
      return all;
    }
    const system = !!thing?.system && place !== "tray";
    this.pods.set(id, { place, system });
    if (place === "tray") this.tray.take(id);
    else if (system) this.bin(place).system.take(id);
    else all = this.bin(place).grid.add(id) || all;
    return all;
  }

  /** @param {string} id @param {{place: string, system: boolean}} was */
  #leave(id, was) {
    if (was.place === "tray") {
      this.tray.release(id);
      return this.#closeUp();
    }
    if (was.system) this.bin(was.place).system.release(id);
    else return this.bin(was.place).grid.remove(id);
    return false;
  }

  /** Once most of a crowded tray has gone, those who are left close up and grow. */
  #closeUp() {
    const across = Math.floor(this.trayBox.w / TRAY.cell);
    if (this.tray.extent <= across || this.tray.size * 3 > this.tray.extent) return false;
    const places = [...this.tray.of.values()].sort((a, b) => a - b);
    const place = new Map(places.map((slot, index) => [slot, index]));
    this.tray.remap((slot) => place.get(slot) ?? slot);
    return true;
  }

  /** @param {string} node */
  bin(node) {
    let bin = this.bins.get(node);
    if (!bin) this.bins.set(node, (bin = { grid: new PodGrid(GRID_COLUMNS, NODE_ROWS), system: new Slots() }));
    return bin;
  }

  /** How large a Service's or workload's card is: many of them are rows. @param {typeof SERVICE} kind @returns {{h: number, gap: number}} */
  cardOf(kind) {
    return (kind === SERVICE ? this.services : this.workloads).extent > kind.many ? ROW : kind;
  }

  clear() {
    const columns = this.columns;
    Object.assign(this, new Layout(), { columns });
  }

  get nodeHeight() {
    return NODE.header + NODE_ROWS * CELL + 8 + NODE.footer;
  }

  get yNodes() {
    return TOP + TRAY.label + TRAY.cell + 32;
  }

  get nodesWidth() {
    return this.columns * (NODE.w + NODE.gap) - NODE.gap;
  }

  get xWorkloads() {
    return X_NODES + this.nodesWidth + 40;
  }

  /** @returns {Box} */
  get trayBox() {
    return { x: X_NODES, y: TOP, w: this.nodesWidth, h: TRAY.label + TRAY.cell + 6 };
  }

  /** The slot's cell: every bin gets the same, and draws itself inside in proportion to what it has. @param {string} id @returns {Box|null} */
  nodeBox(id) {
    const slot = this.nodes.of.get(id);
    if (slot === undefined) return null;
    const share = Math.sqrt(Math.max(0.3, (this.size.get(id) || this.most) / this.most));
    return {
      x: X_NODES + (slot % this.columns) * (NODE.w + NODE.gap),
      y: this.yNodes + Math.floor(slot / this.columns) * (this.nodeHeight + NODE.gap),
      w: NODE.w * share, h: this.nodeHeight * share,
    };
  }

  /** @param {string} id @returns {Box|null} */
  podBox(id) {
    const at = this.pods.get(id);
    if (!at) return null;
    if (at.place === "tray") return this.#trayCell(this.tray.of.get(id) ?? 0);
    const box = this.nodeBox(at.place);
    if (!box) return null;
    const share = box.w / NODE.w;
    const bin = this.bin(at.place);
    if (at.system) {
      const slot = bin.system.of.get(id) ?? 0;
      const size = SYSTEM_CELL * share;
      return { x: box.x + 66 * share + slot * (size + 3 * share), y: box.y + box.h - (NODE.footer / 2) * share - size / 2, w: size, h: size };
    }
    const cell = bin.grid.cell(id);
    if (!cell) return null;
    const size = CELL * cell.scale * share;
    return { x: box.x + 14 * share + cell.column * size, y: box.y + NODE.header * share + 4 * share + cell.row * size, w: size, h: size };
  }

  /** @param {number} slot @returns {Box} */
  #trayCell(slot) {
    const box = this.trayBox;
    let scale = 1;
    let across = Math.floor(box.w / TRAY.cell);
    const extent = this.tray.extent;
    let rows = 1;
    while (extent > across * rows && scale > 1 / 64) {
      scale /= 2;
      across *= 2;
      rows *= 2;
    }
    const size = TRAY.cell * scale;
    return { x: box.x + 4 + (slot % across) * size, y: box.y + TRAY.label + Math.floor(slot / across) * size, w: size, h: size };
  }

  /** @param {string} id @returns {Box|null} */
  serviceBox(id) {
    const system = this.systemServices.of.get(id);
    if (system !== undefined) return { x: X_SERVICE, y: TOP + system * (SYSTEM_ROW + 6), w: SERVICE.w, h: SYSTEM_ROW };
    const slot = this.services.of.get(id);
    if (slot === undefined) return null;
    const { h, gap } = this.cardOf(SERVICE);
    return { x: X_SERVICE, y: this.yServices + slot * (h + gap), w: SERVICE.w, h };
  }

  get yServices() {
    return Math.max(this.yNodes, TOP + this.systemServices.extent * (SYSTEM_ROW + 6) + 12);
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
    return Math.min(3, Math.max(1, Math.ceil(this.nodes.extent / this.columns) / 3));
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
    return Math.max(3, Math.floor(((this.#nodesBottom - this.yNodes) / this.workloadScale + gap) / (h + gap)));
  }

  get #nodesBottom() {
    return this.yNodes + Math.max(1, Math.ceil(this.nodes.extent / this.columns)) * (this.nodeHeight + NODE.gap) - NODE.gap;
  }

  /** @param {string} id @returns {Box|null} */
  box(id) {
    switch (id.slice(0, id.indexOf("/"))) {
      case "Pod": return this.podBox(id);
      case "Node": return this.nodeBox(id);
      case "Service": return this.serviceBox(id);
      case "Traffic": return this.sourceBox(id);
      default: return this.workloadBox(id);
    }
  }

  /** @returns {Box} */
  get bounds() {
    const service = this.cardOf(SERVICE);
    const rows = this.#workloadRows;
    const columns = Math.max(1, Math.ceil(this.workloads.extent / rows));
    const card = this.cardOf(WORKLOAD);
    const longest = Math.min(rows, this.workloads.extent) * (card.h + card.gap) - card.gap;
    const bottom = Math.max(this.#nodesBottom, this.yNodes + longest * this.workloadScale, this.#servicesBottom - service.gap, this.#servicesBottom + this.#elsewhere.length * (SOURCE.h + CAPTION));
    return { x: X_SOURCE, y: 0, w: this.xWorkloads + (columns * (WORKLOAD.w + WORKLOAD.gap) - WORKLOAD.gap) * this.workloadScale - X_SOURCE, h: bottom };
  }

  /** The thing under a point of the world, the topmost first. @param {import("../types").Point} point @returns {string|null} */
  at(point) {
    /** @param {Box|null} box */
    const within = (box) => box && point.x >= box.x && point.x < box.x + box.w && point.y >= box.y && point.y < box.y + box.h;
    for (const id of this.nodes.of.keys()) {
      if (!within(this.nodeBox(id))) continue;
      const bin = this.bin(id);
      for (const group of [bin.grid.slots.of, bin.system.of]) for (const pod of group.keys()) if (within(this.podBox(pod))) return pod;
      return id;
    }
    for (const slots of [this.tray, this.services, this.systemServices, this.sources, this.workloads])
      for (const id of slots.of.keys()) if (within(this.box(id))) return id;
    return null;
  }
}
