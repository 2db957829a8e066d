/** The tree without its looks: which thing is in which group and in which row it stands. A change moves only what it is about. */
import { WORKLOADS } from "./canvas/layout.js";

/** @typedef {import("./types").Thing} Thing @typedef {{id: string, children: string[], sorted: boolean}} Group @typedef {{id: string, group: Group, place: number, of: number, level: 1|2}} Row */

/** The groups around the nodes, which stand in the middle. */
const BEFORE = ["group.services", "group.network", "group.workloads", "group.storage", "group.policies", "group.traffic", "group.unscheduled"];
const AFTER = ["group.system", "group.control", "group.faults"];
/** @type {Record<string, string>} */
const GROUP = {
  Service: "group.services", Ingress: "group.network", NetworkPolicy: "group.network", PersistentVolumeClaim: "group.storage", PersistentVolume: "group.storage",
  HorizontalPodAutoscaler: "group.policies", PodDisruptionBudget: "group.policies", Traffic: "group.traffic", Component: "group.control", Fault: "group.faults",
};
const NATURAL = new Intl.Collator("en", { numeric: true });

/** Where a thing stands: a group, its own group (a node), or nowhere. @param {string} id @param {Thing|undefined} thing */
export function groupOf(id, thing) {
  if (!thing) return "";
  if (thing.kind === "Pod") return thing.system ? "group.system" : thing.node ? `Node//${thing.node}` : "group.unscheduled";
  if (WORKLOADS.has(thing.kind)) return thing.system || thing.owner ? "" : "group.workloads";
  return GROUP[thing.kind] ?? "";
}

/** Where an id stands in a sorted list, or would. @param {string[]} list @param {string} id */
function placeOf(list, id) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is in which group, kept up change by change. */
export class Forest {
  constructor() {
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    /** @type {Set<string>} */
    this.nodes = new Set();
    /** @type {Set<string>} groups that are folded */
    this.shut = new Set(["group.system", "group.control"]);
    /** @type {{group: Group, start: number, rows: number}[]|null} groups that are shown, with their first rows */
    this.laid = null;
    this.size = 0;
    /** @type {Map<string, Thing>|null} all there is, if it has not been looked at yet */
    this.all = null;
  }

  /** @param {import("./scene.js").Update} update @param {Map<string, Thing>} things */
  take({ changes, whole }, things) {
    if (whole || this.all) {
      this.laid = null;
      this.all = things;
      return;
    }
    for (const { id, before, after } of changes) {
      const [from, to] = [groupOf(id, before), groupOf(id, after)];
      if (before?.kind === "Node" || after?.kind === "Node") {
        if (!before !== !after) this.laid = null;
        if (after) this.nodes.add(id);
        else this.nodes.delete(id);
      }
      if (from === to) continue;
      if (from) this.#remove(id, from);
      if (after) this.#add(id, after, true);
    }
  }

  /** @param {string} key */
  #sorted(key) {
    const group = this.groups.get(key) ?? { id: key, children: [], sorted: true };
    this.groups.set(key, group);
    if (!group.sorted) group.children.sort();
    group.sorted = true;
    return group;
  }

  /** @param {string} id @param {Thing} thing @param {boolean} single */
  #add(id, thing, single) {
    if (thing.kind === "Node") this.nodes.add(id);
    const key = groupOf(id, thing);
    if (!key) return;
    this.laid = null;
    if (single) {
      const { children } = this.#sorted(key);
      const place = placeOf(children, id);
      if (children[place] !== id) children.splice(place, 0, id);
      return;
    }
    const group = this.groups.get(key) ?? { id: key, children: [], sorted: false };
    this.groups.set(key, group);
    group.children.push(id);
    group.sorted = false;
  }

  /** @param {string} id @param {string} key */
  #remove(id, key) {
    const { children } = this.#sorted(key);
    const place = placeOf(children, id);
    if (children[place] === id) children.splice(place, 1);
    this.laid = null;
  }

  /** Everything anew, once somebody looks. */
  #fill() {
    if (!this.all) return;
    this.groups.clear();
    this.nodes.clear();
    for (const [id, thing] of this.all) this.#add(id, thing, false);
    this.all = null;
  }

  /** The groups that are shown, with the row each begins at. */
  lay() {
    if (this.laid) return this.laid;
    this.#fill();
    const keys = [...BEFORE, ...[...this.nodes].sort(NATURAL.compare), ...AFTER];
    let start = 0;
    this.laid = [];
    for (const key of keys) {
      const node = this.nodes.has(key);
      const group = this.groups.get(key);
      if (!node && !group?.children.length) continue;
      const shown = this.#sorted(key);
      const rows = 1 + (this.shut.has(key) ? 0 : shown.children.length);
      this.laid.push({ group: shown, start, rows });
      start += rows;
    }
    this.size = start;
    return this.laid;
  }

  /** @param {number} index @returns {Row|null} */
  row(index) {
    const laid = this.lay();
    let [low, high] = [0, laid.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (laid[middle].start + laid[middle].rows <= index) low = middle + 1;
      else high = middle;
    }
    const found = laid[low];
    if (!found || index < 0) return null;
    const at = index - found.start;
    return at ? { id: found.group.children[at - 1], group: found.group, place: at, of: found.group.children.length, level: 2 } : { id: found.group.id, group: found.group, place: low + 1, of: laid.length, level: 1 };
  }

  /** Which row a thing or a group is; -1 if it is folded away or not there. @param {string} id @param {Thing|undefined} thing */
  index(id, thing) {
    const laid = this.lay();
    const own = laid.find((one) => one.group.id === id);
    if (own) return own.start;
    const key = groupOf(id, thing);
    const found = laid.find((one) => one.group.id === key);
    if (!found || found.rows < 2) return -1;
    const place = placeOf(found.group.children, id);
    return found.group.children[place] === id ? found.start + 1 + place : -1;
  }
}
