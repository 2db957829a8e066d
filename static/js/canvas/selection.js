/**
 * What is selected: one thing that the inspector shows, and more beside it. Clicks, boxes and keys come in; the stage's `selected` and
 * `selection` (everything, once it is more than one) and word of the change go out.
 */

export const SCALED = new Set(["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"]);

/** Whether dragging its column or a key sizes it. @param {import("../types").Thing|undefined} thing */
export const scalable = (thing) => !!thing && SCALED.has(thing.kind) && !thing.owner;

export class Selection {
  /** @param {import("./stage.js").Stage} stage @param {(id: string|null, among?: boolean) => void} show what selecting does to the page: one thing alone, or the first `among` several */
  constructor(stage, show) {
    this.stage = stage;
    this.show = show;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** @type {{first: string|null, size: number, ids: string[]}} everything that was selected when it was last asked for */
    this.known = { first: null, size: 0, ids: [] };
    stage.scene.listen((update) => this.#forget(update));
  }

  /** Everything that is selected, the one that is shown first. @returns {string[]} */
  get ids() {
    const { selected, selection } = this.stage;
    if (!this.known.ids.length || this.known.first !== selected || this.known.size !== selection.size)
      this.known = { first: selected, size: selection.size, ids: [...new Set([...(selected ? [selected] : []), ...selection])] };
    return this.known.ids;
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
    this.stage.selection.clear();
    for (const id of all) this.stage.selection.add(id);
    this.stage.select(one);
    this.show(one, true);
    this.#tell();
  }

  /** Everything that lies in a box of the world: pods by their middle, other things with all of them. @param {import("../types").Box} box @param {boolean} [more] beside what is selected */
  inside(box, more = false) {
    const { layout, scene } = this.stage;
    const pods = layout.podsIn(box);
    const found = pods.length ? pods : [...scene.things.keys()].filter((id) => {
      const at = id.startsWith("Pod/") ? null : layout.box(id);
      return at && at.x >= box.x && at.y >= box.y && at.x + at.w <= box.x + box.w && at.y + at.h <= box.y + box.h;
    });
    this.set([...(more ? this.ids : []), ...found]);
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
    this.known.ids = [];
    for (const listener of this.listeners) listener();
  }
}
