/**
 * Where everything is, in world units: sources and Services on the left, nodes as bins in the middle under the tray of
 * unscheduled pods, workloads on the right; or, instead of nodes, a bin a group. Arithmetic only: a thing's place follows from its
 * slot, so that nothing moves but what changed. Scene changes go in; boxes come out, and what is at a point or within a view.
 *
 * @typedef {import("../types").Thing} Thing
 * @typedef {import("../types").Box} Box
 */
import { CARD_TOP as TOP, Columns, WORKLOAD, X_NODES, X_SERVICE } from "./columns.js";
import { Field, ZONE_HEAD } from "./field.js";
import { Shelves } from "./shelves.js";
import { GrowingGrid, PodGrid, Slots } from "./slots.js";

export { ROW, SERVICE, SOURCE, SYSTEM_ROW, WORKLOAD, X_NODES, X_SERVICE, X_SOURCE } from "./columns.js";

const CELL = 66;
const GRID_COLUMNS = 4;
export const NODE = { w: GRID_COLUMNS * CELL + 28, header: 60, footer: 28, gap: 26 };
const NODE_ROWS = 2;
export const TRAY = { cell: 54, label: 150 };
const SYSTEM_CELL = 17;
const GROUP = { margin: 14, header: 60, share: 0.22, gap: 26 };
/** The order of the state bar's counts. */
export const TONES = /** @type {const} */ (["ready", "pending", "failing", "done", "unknown"]);
/** What stands in the column on the right, unless something else there owns it. */
export const WORKLOADS = new Set(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "CronJob"]);
const STORAGE = new Set(["PersistentVolumeClaim", "PersistentVolume"]);

/** A bin of pods: its cells, its system pods, how many are in each state. @typedef {{grid: PodGrid|GrowingGrid, system: Slots, tally: Record<string, number>}} Bin */

/** A group's box: the larger the farther its name must be read. @param {number} level */
const groupSize = (level) => {
  const grid = { w: (4 << (level >> 1)) * CELL, h: (2 << ((level + 1) >> 1)) * CELL };
  const header = Math.max(GROUP.header, GROUP.share * grid.h);
  return { w: grid.w + 2 * GROUP.margin, h: grid.h + header + GROUP.margin, header };
};

export class Layout extends Columns {
  constructor() {
    super();
    this.field = new Field({ w: NODE.w, h: this.nodeHeight, gap: NODE.gap });
    this.nodes = this.field.slots;
    /** @type {Set<string>} every source, those in pods too */
    this.flows = new Set();
    /** @type {Map<string, Bin>} */
    this.bins = new Map();
    /** @type {Shelves|null} where groups stand, if pods are grouped by something else than their node */
    this.shelves = null;
    /** The group of a pod. @type {(id: string, thing: Thing) => string} */
    this.keyOf = () => "";
    /** What is drawn in a pod's cell far out, see Cells; and which of the tones its state has. @type {(id: string, thing: Thing) => number} */
    this.codeOf = () => 1;
    /** @type {(thing: Thing) => string} */
    this.toneOf = () => "ready";
    /** @type {Set<string>} bins of which more has changed than single pods, since somebody looked */
    this.touched = new Set();
    /** @type {Set<string>} bins of which the count of a state has changed */
    this.counted = new Set();
    this.tray = new Slots();
    /** @type {Map<string, {place: string, system: boolean, tone: string}>} where each pod is */
    this.pods = new Map();
    /** @type {Map<string, number>} node id -> share of the largest node's allocatable CPU */
    this.size = new Map();
    this.most = 1;
  }

  get columns() {
    return this.field.columns;
  }

  /** @param {string} id @param {Thing|undefined} thing @returns {boolean} whether everything must be painted again */
  update(id, thing) {
    const kind = id.slice(0, id.indexOf("/"));
    if (kind === "Pod") return this.#pod(id, thing);
    if (kind === "Node") return this.#node(id, thing);
    if (kind === "Ingress") return this.seat(this.services, id, thing);
    if (kind === "Service") return this.seat(thing?.system || this.systemServices.of.has(id) ? this.systemServices : this.services, id, thing);
    if (kind === "Traffic") {
      const target = thing?.service ?? thing?.target;
      const outside = thing && !thing.source ? thing : undefined;
      const moved = this.targets.has(id) ? this.targets.get(id) !== target || !outside : !!outside;
      if (thing) this.flows.add(id);
      else this.flows.delete(id);
      if (outside && target) this.targets.set(id, target);
      else this.targets.delete(id);
      return this.seat(this.sources, id, outside) || moved;
    }
    if (WORKLOADS.has(kind) || STORAGE.has(kind)) {
      const seated = thing && !thing.system && !thing.owner && !(kind === "PersistentVolume" && thing.phase === "Bound");
      if (!seated && !this.workloads.of.has(id)) return false;
      return this.seat(this.workloads, id, seated ? thing : undefined);
    }
    return false;
  }

  /** @param {string} id @param {Thing|undefined} thing */
  #node(id, thing) {
    const before = this.size.get(id);
    if (!thing) {
      this.field.remove(id);
      this.size.delete(id);
      if (before === this.most) this.#largest();
      return true;
    }
    const columns = this.field.across;
    const moved = this.field.put(id, thing);
    this.bin(id);
    const size = thing.cpu ?? 0;
    this.size.set(id, size);
    if (size > this.most) this.most = size;
    else if (before === this.most && size < before) this.#largest();
    return before !== size || moved || columns !== this.field.across;
  }

  #largest() {
    this.most = 1;
    for (const size of this.size.values()) if (size > this.most) this.most = size;
  }

  /** @param {string} id @param {Thing|undefined} thing */
  #pod(id, thing) {
    const was = this.pods.get(id);
    const place = thing ? this.placeOf(id, thing) : null;
    if (was && thing && place === was.place) {
      this.#repaint(id, thing, was);
      return false;
    }
    let all = false;
    if (was) all = this.#leave(id, was);
    if (!thing || place === null) {
      this.pods.delete(id);
      return all;
    }
    const at = { place, system: !!thing.system && place.startsWith("Node/"), tone: this.toneOf(thing) };
    this.pods.set(id, at);
    if (place === "tray") {
      this.tray.take(id);
      return all;
    }
    const bin = this.bin(place);
    bin.tally[at.tone]++;
    this.counted.add(place);
    if (at.system) {
      bin.system.take(id);
      return all;
    }
    const grown = bin.grid.add(id);
    bin.grid.paint(id, this.codeOf(id, thing));
    const moved = this.#shelve(place, bin);
    if (grown) this.touched.add(place);
    return grown || moved || all;
  }

  /** The bin a pod belongs in. @param {string} id @param {Thing} thing */
  placeOf(id, thing) {
    return this.shelves ? `Group/${this.keyOf(id, thing)}` : thing.node ? `Node//${thing.node}` : "tray";
  }

  /** It is where it was and looks otherwise. @param {string} id @param {Thing} thing @param {{place: string, tone: string}} at */
  #repaint(id, thing, at) {
    if (at.place === "tray") return;
    const bin = this.bin(at.place);
    bin.grid.paint(id, this.codeOf(id, thing));
    const tone = this.toneOf(thing);
    if (tone === at.tone) return;
    bin.tally[at.tone]--;
    bin.tally[tone]++;
    at.tone = tone;
    this.counted.add(at.place);
  }

  /** A group's bin stands where its size belongs, and goes with its last pod. @param {string} place @param {Bin} bin */
  #shelve(place, bin) {
    if (!this.shelves || !place.startsWith("Group/")) return false;
    if (bin.grid.slots.size) return this.shelves.put(place, bin.grid.level);
    this.shelves.remove(place);
    this.bins.delete(place);
    return true;
  }

  /** @param {string} id @param {{place: string, system: boolean, tone: string}} was */
  #leave(id, was) {
    if (was.place === "tray") {
      this.tray.release(id);
      return this.#closeUp();
    }
    const bin = this.bin(was.place);
    bin.tally[was.tone]--;
    this.counted.add(was.place);
    if (was.system) bin.system.release(id);
    else if (bin.grid.remove(id)) this.touched.add(was.place);
    const moved = this.#shelve(was.place, bin);
    return moved || this.touched.has(was.place);
  }

  /** Once most of a crowded tray has gone, those who are left close up and grow. */
  #closeUp() {
    const across = Math.floor((this.nodesWidth - this.#trayLeft) / TRAY.cell);
    if (this.tray.extent <= across || this.tray.size * 3 > this.tray.extent) return false;
    const places = [...this.tray.of.values()].sort((a, b) => a - b);
    const place = new Map(places.map((slot, index) => [slot, index]));
    this.tray.remap((slot) => place.get(slot) ?? slot);
    return true;
  }

  /** @param {string} place @returns {Bin} */
  bin(place) {
    let bin = this.bins.get(place);
    if (!bin) {
      const grid = place.startsWith("Group/") ? new GrowingGrid() : new PodGrid(GRID_COLUMNS, NODE_ROWS);
      this.bins.set(place, (bin = { grid, system: new Slots(), tally: { ready: 0, pending: 0, failing: 0, done: 0, unknown: 0 } }));
    }
    return bin;
  }

  /**
   * From now on pods stand with those of their group; null: with those of their node. Every pod is to be updated anew.
   * @param {((id: string, thing: Thing) => string)|null} keyOf @param {Map<string, number>} [counts] how many pods each group will have
   */
  regroup(keyOf, counts = new Map()) {
    this.pods.clear();
    this.tray = new Slots();
    this.bins.clear();
    for (const id of this.nodes.of.keys()) this.bin(id);
    this.shelves = keyOf ? new Shelves(groupSize, GROUP.gap) : null;
    this.keyOf = keyOf ?? (() => "");
    if (!this.shelves) return;
    const groups = [...counts].map(([key, count]) => {
      const { grid } = this.bin(`Group/${key}`);
      grid.reserve(count);
      return { place: `Group/${key}`, level: grid.level };
    });
    this.shelves.plan(groups.map(({ level }) => level));
    groups.sort((a, b) => b.level - a.level || (a.place < b.place ? -1 : 1));
    for (const { place, level } of groups) this.shelves.put(place, level);
  }

  get rowHeight() {
    return this.nodeHeight + NODE.gap;
  }

  get nodeHeight() {
    return NODE.header + NODE_ROWS * CELL + 6 + NODE.footer;
  }

  get yNodes() {
    return TOP + TRAY.cell + 8 + 28 + (this.field.zoned && !this.shelves ? ZONE_HEAD : 0);
  }

  get nodesWidth() {
    return this.shelves ? this.shelves.used : this.field.width;
  }

  get xWorkloads() {
    return X_NODES + this.nodesWidth + 34;
  }

  /** @returns {Box} */
  get trayBox() {
    return { x: X_NODES, y: TOP, w: this.nodesWidth, h: TRAY.cell + 8 };
  }

  /** Where the tray's cells begin: beside its name. */
  get #trayLeft() {
    return Math.min(TRAY.label, this.nodesWidth * 0.28);
  }

  /** Where the picture begins on the left: without sources and Services their columns are no part of it. */
  get left() {
    return this.sources.size ? 0 : X_SERVICE;
  }

  /** A view of that size, in pixels, is to show all: nodes stand in as many columns as let it come nearest. @param {number} w @param {number} h */
  suit(w, h) {
    const beside = X_NODES + 34 + WORKLOAD.w;
    this.field.suit((across, down) => Math.min(w / (beside + across), h / (this.yNodes + down)));
  }

  /** A bin's box, of a node or a group: every node gets the same cell, and draws itself inside in proportion to what it has. @param {string} id @returns {Box|null} */
  nodeBox(id) {
    if (this.shelves) {
      const box = this.shelves.box(id);
      return box && { x: box.x + X_NODES, y: box.y + this.yNodes, w: box.w, h: box.h };
    }
    const at = this.field.at(id);
    if (!at) return null;
    const share = Math.sqrt(Math.max(0.3, (this.size.get(id) || this.most) / this.most));
    return { x: X_NODES + at.x, y: this.yNodes + at.y, w: NODE.w * share, h: this.nodeHeight * share };
  }

  /** Where a bin's cells begin, and the edge of one. @param {string} place @param {Box} [box] its own @returns {{x: number, y: number, size: number, header: number}|null} */
  cellsOf(place, box = this.nodeBox(place) ?? undefined) {
    const bin = this.bins.get(place);
    if (!box || !bin) return null;
    if (this.shelves) {
      const { header } = groupSize(bin.grid.level);
      return { x: box.x + GROUP.margin, y: box.y + header, size: CELL, header };
    }
    const share = box.w / NODE.w;
    return { x: box.x + 14 * share, y: box.y + (NODE.header + 4) * share, size: CELL * bin.grid.scale * share, header: NODE.header * share };
  }

  /** @param {string} id @returns {Box|null} */
  podBox(id) {
    const at = this.pods.get(id);
    if (!at) return null;
    if (at.place === "tray") return this.#trayCell(this.tray.of.get(id) ?? 0);
    const box = this.nodeBox(at.place);
    if (!box) return null;
    const bin = this.bin(at.place);
    if (at.system) {
      const share = box.w / NODE.w;
      const slot = bin.system.of.get(id) ?? 0;
      const size = SYSTEM_CELL * share;
      return { x: box.x + 84 * share + slot * (size + 3 * share), y: box.y + box.h - (NODE.footer / 2) * share - size / 2, w: size, h: size };
    }
    const cell = bin.grid.cell(id);
    const cells = this.cellsOf(at.place, box);
    if (!cell || !cells) return null;
    return { x: cells.x + cell.column * cells.size, y: cells.y + cell.row * cells.size, w: cells.size, h: cells.size };
  }

  /** The bins that touch a view. @param {Box} view @returns {string[]} */
  within(view) {
    const box = { x: view.x - X_NODES, y: view.y - this.yNodes, w: view.w, h: view.h };
    return this.shelves ? this.shelves.within(box) : this.field.within(box);
  }

  /** The pods whose middle is in a box. @param {Box} box @returns {string[]} */
  podsIn(box) {
    /** @type {string[]} */
    const found = [];
    /** @param {string} id */
    const look = (id) => {
      const at = this.podBox(id);
      if (at && at.x + at.w / 2 >= box.x && at.x + at.w / 2 < box.x + box.w && at.y + at.h / 2 >= box.y && at.y + at.h / 2 < box.y + box.h) found.push(id);
    };
    if (!this.shelves) for (const id of this.tray.of.keys()) look(id);
    for (const place of this.within(box)) {
      const cells = this.cellsOf(place);
      const { grid, system } = this.bin(place);
      for (const id of system.of.keys()) look(id);
      if (!cells) continue;
      const span = (/** @type {number} */ from, /** @type {number} */ size, /** @type {number} */ most) => [Math.max(0, Math.ceil(from / cells.size - 0.5)), Math.min(most, Math.ceil((from + size) / cells.size - 0.5))];
      const [left, right] = span(box.x - cells.x, box.w, grid.across);
      const [top, end] = span(box.y - cells.y, box.h, Math.ceil(grid.slots.extent / grid.across));
      for (let row = top; row < end; row++)
        for (let column = left; column < right; column++) {
          const id = grid.at(column, row);
          if (id !== undefined) found.push(id);
        }
    }
    return found;
  }

  /** The zones' fences. @returns {[string, Box][]} */
  get fences() {
    return this.shelves ? [] : this.field.fences.map(([zone, box]) => [zone, { ...box, x: box.x + X_NODES, y: box.y + this.yNodes }]);
  }

  /** The tray's cells: so many side by side, so large. */
  get trayGrid() {
    const w = this.nodesWidth - this.#trayLeft - 4;
    let size = TRAY.cell;
    let across = Math.max(1, Math.floor(w / size));
    for (let rows = 1; this.tray.extent > across * rows && rows < 64; rows *= 2) {
      size /= 2;
      across *= 2;
    }
    return { size, across };
  }

  /** @param {number} slot @returns {Box} */
  #trayCell(slot) {
    const { x, y } = this.trayBox;
    const { size, across } = this.trayGrid;
    return { x: x + this.#trayLeft + (slot % across) * size, y: y + 4 + Math.floor(slot / across) * size, w: size, h: size };
  }

  get nodesBottom() {
    return this.yNodes + this.binsHeight - NODE.gap;
  }

  get binsHeight() {
    return this.shelves ? Math.max(this.nodeHeight + NODE.gap, this.shelves.bottom) : Math.max(1, this.field.rows) * (this.nodeHeight + NODE.gap);
  }

  /** @param {string} id @returns {Box|null} */
  box(id) {
    switch (id.slice(0, id.indexOf("/"))) {
      case "Pod": return this.podBox(id);
      case "Node": case "Group": return this.nodeBox(id);
      case "Service": case "Ingress": return this.serviceBox(id);
      case "Traffic": return this.sourceBox(id);
      default: return this.workloadBox(id);
    }
  }

  /** The thing under a point of the world, the topmost first. @param {import("../types").Point} point @returns {string|null} */
  at(point) {
    /** @param {Box|null} box */
    const within = (box) => box && point.x >= box.x && point.x < box.x + box.w && point.y >= box.y && point.y < box.y + box.h;
    for (const id of this.within({ ...point, w: 0, h: 0 })) {
      const box = this.nodeBox(id);
      if (!within(box)) continue;
      const cells = this.cellsOf(id, box ?? undefined);
      const bin = this.bin(id);
      const pod = cells && bin.grid.at(Math.floor((point.x - cells.x) / cells.size), Math.floor((point.y - cells.y) / cells.size));
      if (pod) return pod;
      for (const system of bin.system.of.keys()) if (within(this.podBox(system))) return system;
      return id;
    }
    if (within(this.trayBox)) {
      const { x, y } = this.trayBox;
      const { size, across } = this.trayGrid;
      const column = Math.floor((point.x - x - this.#trayLeft) / size);
      const found = column >= 0 && column < across && point.y >= y + 4 ? this.tray.at[Math.floor((point.y - y - 4) / size) * across + column] : undefined;
      if (found) return found;
    }
    for (const slots of [this.services, this.systemServices, this.sources, this.workloads])
      for (const id of slots.of.keys()) if (within(this.box(id))) return id;
    return null;
  }
}
