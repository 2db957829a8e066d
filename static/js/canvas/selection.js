/**
 * What is selected: one thing that the inspector shows, and more beside it. Clicks, boxes and keys come in; the stage's `selected` and
 * `selection` (everything, once it is more than one) and word of the change go out.
 */

export const SCALED = new Set(["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"]);

/** Whether dragging its column or a key sizes it. @param {import("../types").Thing|undefined} thing */
export const scalable = (thing) => !!thing && SCALED.has(thing.kind) && !thing.owner;

export class Selection {
  /** @param {import("./stage.js").Stage} stage @param {(id: string|null) => void} show what selecting one thing does to the page */
  constructor(stage, show) {
    this.stage = stage;
    this.show = show;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    stage.scene.listen((update) => this.#forget(update));
  }

  /** Everything that is selected, the one that is shown first. @returns {string[]} */
  get ids() {
    const { selected, selection } = this.stage;
    return [...new Set([...(selected ? [selected] : []), ...selection])];
  }

  /** @param {string} id */
  has(id) {
    return this.stage.selected === id || this.stage.selection.has(id);
  }

  /** One thing, or none; the page has been told. @param {string|null} id */
  only(id) {
    this.stage.selection.clear();
    this.stage.select(id);
    this.#tell();
  }

  /** Adds a thing, or takes it away again. @param {string} id */
  toggle(id) {
    const all = new Set(this.ids);
    if (!all.delete(id)) all.add(id);
    this.set([...all], all.has(id) ? id : null);
  }

  /** @param {string[]} ids @param {string|null} [first] the one that the inspector shows */
  set(ids, first = this.stage.selected) {
    const all = ids.filter((id) => this.stage.scene.get(id));
    if (all.length < 2) return this.show(all[0] ?? null);
    const one = first && all.includes(first) ? first : all[0];
    this.show(one);
    for (const id of all) this.stage.selection.add(id);
    this.stage.select(one);
    this.#tell();
  }

  /** Everything that lies in a box of the world: pods by their middle, other things with all of them. @param {import("../types").Box} box @param {boolean} [more] beside what is selected */
  inside(box, more = false) {
    const { layout, scene } = this.stage;
    /** @type {string[]} */
    const found = [];
    for (const id of scene.things.keys()) {
      const at = layout.box(id);
      if (!at) continue;
      const [x, y] = [at.x + at.w / 2, at.y + at.h / 2];
      const middle = x >= box.x && x < box.x + box.w && y >= box.y && y < box.y + box.h;
      if (middle && (id.startsWith("Pod/") || (at.x >= box.x && at.y >= box.y && at.x + at.w <= box.x + box.w && at.y + at.h <= box.y + box.h))) found.push(id);
    }
    const pods = found.filter((id) => id.startsWith("Pod/"));
    this.set([...(more ? this.ids : []), ...(pods.length ? pods : found)]);
  }

  /** What is gone is selected no more. @param {import("../scene.js").Update} update */
  #forget(update) {
    const { selection } = this.stage;
    if (!selection.size) return;
    let changed = false;
    for (const { id, after } of update.changes) if (!after && selection.delete(id)) changed = true;
    if (!changed) return;
    if (selection.size < 2) selection.clear();
    this.stage.select(this.stage.selected);
    this.#tell();
  }

  /** @param {() => void} listener */
  listen(listener) {
    this.listeners.add(listener);
  }

  #tell() {
    for (const listener of this.listeners) listener();
  }
}
