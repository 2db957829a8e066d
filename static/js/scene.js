/**
 * The page's copy of the room's scene. Snapshots and ordered diffs come in; the map of things, and word of which of them
 * changed, go out. A diff either follows exactly on what is here, is old and ignored, or shows a gap, and then the caller asks
 * for a snapshot. Nothing here knows of sockets or pixels; sync.js decides what comes in.
 *
 * @typedef {import("./types").Thing} Thing
 * @typedef {import("./types").Snapshot} Snapshot
 * @typedef {import("./types").Diff} Diff
 * @typedef {{id: string, before: Thing|undefined, after: Thing|undefined}} Change
 * @typedef {{changes: Change[], signals: import("./types").Signal[], whole: boolean}} Update
 */

/** More changes than this are a new picture, not a movement. */
const SUDDEN = 2000;

export class Scene {
  constructor() {
    /** @type {Map<string, Thing>} */
    this.things = new Map();
    /** @type {Map<string, Set<string>>} owner -> what it owns */
    this.owned = new Map();
    /** @type {Map<string, Set<string>>} */
    this.kinds = new Map();
    this.revision = -1;
    this.time = 0;
    this.epoch = "";
    /** Which telling of the scene the revision counts in. */
    this.instance = "";
    /** etcd's revision when the snapshot was taken. */
    this.storeRevision = 0;
    /** @type {Set<(update: Update) => void>} */
    this.listeners = new Set();
    /** @type {Set<(update: Update) => void>} those who know all there is */
    this.told = new Set();
  }

  /** @param {(update: Update) => void} listener */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells everything, as a snapshot does, to those who came after it. */
  welcome() {
    const late = [...this.listeners].filter((listener) => !this.told.has(listener));
    this.told = new Set(this.listeners);
    if (this.revision < 0 || !late.length) return;
    const changes = [...this.things].map(([id, after]) => ({ id, before: undefined, after }));
    for (const listener of late) listener({ changes, signals: [], whole: true });
  }

  /** Replaces everything. @param {Snapshot} snapshot */
  load(snapshot) {
    const before = this.things;
    this.things = known(snapshot);
    this.#dated(snapshot);
    /** @type {Change[]} */
    const changes = [];
    for (const [id, thing] of before) if (!this.things.has(id)) changes.push({ id, before: thing, after: undefined });
    this.owned.clear();
    this.kinds.clear();
    for (const [id, thing] of this.things) {
      changes.push({ id, before: before.get(id), after: thing });
      this.#index(id, undefined, thing);
    }
    this.#tell({ changes, signals: [], whole: true });
  }

  /** Becomes another scene of the same cluster, telling only what is not as it was. @param {Snapshot} snapshot */
  turn(snapshot) {
    if (this.revision < 0) return this.load(snapshot);
    const things = known(snapshot);
    /** @type {Change[]} */
    const changes = [];
    for (const [id, before] of this.things) if (!things.has(id)) changes.push({ id, before, after: undefined });
    for (const [id, after] of things) {
      const before = this.things.get(id);
      if (before && same(before, after)) things.set(id, before);
      else changes.push({ id, before, after });
    }
    if (changes.length > SUDDEN) return this.load(snapshot);
    this.things = things;
    for (const { id, before, after } of changes) this.#index(id, before, after);
    this.#dated(snapshot);
    this.#tell({ changes, signals: [], whole: false });
  }

  /** What is here, to be loaded elsewhere. @returns {Snapshot} */
  snapshot() {
    const { revision, time, epoch, instance: scene, storeRevision, things } = this;
    return { revision, time, epoch, scene, storeRevision, things };
  }

  /** @param {Snapshot} snapshot */
  #dated(snapshot) {
    this.revision = snapshot.revision;
    this.time = snapshot.time;
    this.epoch = snapshot.epoch ?? this.epoch;
    this.instance = snapshot.scene ?? "";
    this.storeRevision = snapshot.storeRevision ?? 0;
  }

  /** @param {Diff} diff @returns {"applied"|"old"|"gap"} */
  apply(diff) {
    if (this.revision < 0 || diff.from > this.revision || (diff.scene ?? this.instance) !== this.instance) return "gap";
    if (diff.to <= this.revision) return "old";
    if (diff.from < this.revision) return "gap";
    /** @type {Map<string, Change>} */
    const changes = new Map();
    for (const [op, id, record] of diff.ops) {
      const known = changes.get(id);
      const before = known ? known.before : this.things.get(id);
      this.#index(id, this.things.get(id), op === "set" ? record : undefined);
      if (op === "set") this.things.set(id, record);
      else this.things.delete(id);
      changes.set(id, { id, before, after: op === "set" ? record : undefined });
    }
    this.revision = diff.to;
    this.time = diff.time;
    this.#tell({ changes: [...changes.values()], signals: diff.signals ?? [], whole: false });
    return "applied";
  }

  /** @param {string} id @param {Thing|undefined} was @param {Thing|undefined} now */
  #index(id, was, now) {
    if (!was !== !now) regroup(this.kinds, id, was?.kind, now?.kind);
    if (was?.owner !== now?.owner) regroup(this.owned, id, was?.owner, now?.owner);
  }

  /** What a thing owns, of one kind. @param {string} owner @param {string} kind @returns {[string, Thing][]} */
  ownedBy(owner, kind) {
    /** @type {[string, Thing][]} */
    const found = [];
    for (const id of this.owned.get(owner) ?? []) {
      const thing = this.things.get(id);
      if (thing?.kind === kind) found.push([id, thing]);
    }
    return found;
  }

  /** @param {string} id */
  get(id) {
    return this.things.get(id);
  }

  /** @param {string} kind @returns {[string, Thing][]} */
  ofKind(kind) {
    return [...(this.kinds.get(kind) ?? [])].map((id) => [id, /** @type {Thing} */ (this.things.get(id))]);
  }

  /** @param {Update} update */
  #tell(update) {
    for (const listener of this.listeners) listener(update);
  }
}

/** Everything in it, by id. @param {Snapshot} snapshot @returns {Map<string, Thing>} */
function known({ things }) {
  if (things instanceof Map) return new Map(things);
  const found = new Map();
  for (const id in things) found.set(id, things[id]);
  return found;
}

/** Whether two records say the same. @param {any} a @param {any} b @returns {boolean} */
function same(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

/** @param {Map<string, Set<string>>} groups @param {string} id @param {string|undefined} from @param {string|undefined} to */
function regroup(groups, id, from, to) {
  if (from !== undefined) {
    const group = groups.get(from);
    group?.delete(id);
    if (!group?.size) groups.delete(from);
  }
  if (to === undefined) return;
  const group = groups.get(to);
  if (group) group.add(id);
  else groups.set(to, new Set([id]));
}

/** @param {string} kind @param {string} ns @param {string} name */
export const thingId = (kind, ns, name) => `${kind}/${ns}/${name}`;

/** @param {string} id */
export function parseId(id) {
  const [kind, ns, ...rest] = id.split("/");
  return { kind, ns, name: rest.join("/") };
}

/** @param {Record<string, string>|undefined} selector @param {Record<string, string>|undefined} labels */
export function matches(selector, labels) {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value);
}
