/**
 * What the scene tells becomes places and work to paint: updates come in; the layout follows, and the stage learns what to paint again.
 * A cost of the change, not of the cluster; and a cluster that comes at once is placed bin by bin, over as many frames as it takes.
 */
import { ANOMALIES, TONE } from "./colours.js";
import { codeOf, FAINT } from "./density.js";
import { grouping } from "./groups.js";
import { ticking } from "./marks.js";
import { displaced } from "./motion.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

/** So many newcomers are placed in slices: so many milliseconds of a frame, looked at after so many pods. */
const MANY = 4000;
const SLICE_MS = 8;
const PIECE = 400;
/** With more changes at once, or more under way, nobody could follow a movement. */
const FOLLOWED = 150;
const UNDER_WAY = 80;
/** A regrouping of so few pods is seen as a movement. */
const GATHERED = 300;
const NATURAL = new Intl.Collator("en", { numeric: true });

export class Intake {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** Bins with their pods that have no place yet. @type {[string, string[]][]} */
    this.backlog = [];
    /** What was placed since the page began. */
    this.placed = 0;
    this.furnish();
  }

  /** The layout learns what a pod looks like far out. */
  furnish() {
    const { stage } = this;
    stage.layout.codeOf = (id, thing) => codeOf(thing.state) + (stage.passes && !stage.passes(id, thing) ? FAINT : 0);
    stage.layout.toneOf = (thing) => TONE[thing.state ?? ""] ?? "unknown";
  }

  /** @param {import("../scene.js").Update} update */
  hear(update) {
    const { stage } = this;
    const { layout } = stage;
    const now = performance.now();
    if (update.whole) {
      stage.motion.clear();
      stage.whole = true;
    }
    const before = this.#extent();
    const nodes = layout.nodes.size;
    const many = update.changes.length > FOLLOWED || update.whole || stage.still.matches || stage.frozen;
    for (const change of this.#order(update)) this.#take(change, many, now);
    if (update.whole && layout.nodes.size > 2 * nodes) layout.field.settle();
    for (const place of layout.touched) stage.dirty.add(place);
    layout.touched.clear();
    if (stage.auto && before !== this.#extent()) stage.fit();
  }

  /** What must all be in view, in a word. */
  #extent() {
    const { x, y, w, h } = this.stage.layout.bounds;
    return `${x},${y},${w},${h},${this.stage.layout.sources.size > 0}`;
  }

  /** Nodes first, w2 before w10; the rest as the server knows it; newcomers that are too many at once wait. @param {import("../scene.js").Update} update */
  #order({ whole, changes }) {
    if (!whole) return changes;
    const { layout, scene } = this.stage;
    /** @type {typeof changes} */
    const nodes = [];
    /** @type {typeof changes} */
    const rest = [];
    /** @type {typeof changes} */
    const fresh = [];
    for (const change of changes) {
      if (change.id.startsWith("Node/")) nodes.push(change);
      else if (change.after && change.id.startsWith("Pod/") && !layout.pods.has(change.id)) fresh.push(change);
      else rest.push(change);
    }
    nodes.sort((a, b) => NATURAL.compare(a.id, b.id));
    if (fresh.length < MANY) return [...nodes, ...rest, ...fresh];
    const bins = this.#byBin(fresh.map(({ id }) => id));
    if (layout.shelves && !layout.pods.size) layout.regroup(grouping(scene, this.stage.mode), new Map([...bins].map(([place, ids]) => [place.slice("Group/".length), ids.length])));
    this.backlog = [...bins].reverse();
    return [...nodes, ...rest];
  }

  /** Every pod goes to the bin that it has in the stage's mode: few are seen to move, many are there at once. */
  regroup() {
    const { stage } = this;
    const { layout, scene, camera } = stage;
    /** @type {[string, Box][]} where they were in pixels: the eye moves, too */
    const before = [];
    if (layout.pods.size <= GATHERED && !stage.still.matches && !stage.frozen)
      for (const id of layout.pods.keys()) {
        const box = layout.podBox(id);
        if (box) before.push([id, camera.box(box)]);
      }
    const bins = this.#byBin(scene.kinds.get("Pod") ?? []);
    layout.regroup(grouping(scene, stage.mode), new Map([...bins].map(([place, all]) => [place.slice("Group/".length), all.length])));
    stage.motion.clear();
    this.backlog = [...bins].reverse();
    this.step();
    stage.fit();
    const now = performance.now();
    for (const [id, was] of before) {
      const thing = scene.get(id);
      const to = layout.podBox(id);
      if (!to || !thing) continue;
      const from = { ...camera.world(was.x, was.y), w: was.w / camera.zoom, h: was.h / camera.zoom };
      stage.motion.moves.set(id, { from, to, thing, born: now, span: 280 });
    }
  }

  /** @param {Iterable<string>} pods @returns {Map<string, string[]>} */
  #byBin(pods) {
    const { scene, mode } = this.stage;
    const keyOf = grouping(scene, mode);
    /** @type {Map<string, string[]>} */
    const bins = new Map();
    for (const id of pods) {
      const pod = /** @type {Thing} */ (scene.get(id));
      const place = keyOf ? `Group/${keyOf(id, pod)}` : pod.node ? `Node//${pod.node}` : "tray";
      const bin = bins.get(place);
      if (bin) bin.push(id);
      else bins.set(place, [id]);
    }
    return bins;
  }

  /** Places the next of those who wait. @returns {boolean} whether there were any */
  step() {
    if (!this.backlog.length) return false;
    const { stage } = this;
    const { layout } = stage;
    const end = performance.now() + SLICE_MS;
    let left = PIECE;
    while (this.backlog.length) {
      if (left <= 0) {
        if (performance.now() > end) break;
        left = PIECE;
      }
      const [place, ids] = this.backlog[this.backlog.length - 1];
      const part = ids.splice(0, left);
      left -= part.length + 5;
      if (!ids.length) this.backlog.pop();
      if (place !== "tray") layout.bin(place).grid.reserve(part.length + ids.length);
      for (const id of part) {
        const thing = stage.scene.get(id);
        if (!thing) continue;
        layout.update(id, thing);
        if (ticking(thing)) stage.ticking.add(id);
      }
      this.placed += part.length;
      stage.dirty.add(place === "tray" ? part[0] : place);
    }
    layout.touched.clear();
    stage.lines.touch();
    if (!this.backlog.length) {
      stage.movingDirty = true;
      if (stage.auto) stage.fit();
    }
    return true;
  }

  /** @param {import("../scene.js").Change} change @param {boolean} many @param {number} now */
  #take({ id, before, after }, many, now) {
    const { stage } = this;
    const { layout } = stage;
    const isPod = id.startsWith("Pod/");
    if (isPod) {
      const was = layout.pods.get(id);
      const from = was && (!after || layout.placeOf(id, after) !== was.place) ? layout.podBox(id) : null;
      if (from && was) stage.wipes.push({ box: from, place: was.place });
      if (!was || from) stage.lines.touch();
      const still = !from && was && !many ? layout.podBox(id) : null;
      const moved = layout.update(id, after);
      if (layout.shelves && moved) stage.whole = true;
      (after && ANOMALIES.has(after.state ?? "") ? stage.urgent : stage.dirty).add(id);
      if (after && ticking(after)) stage.ticking.add(id);
      else stage.ticking.delete(id);
      if (!many && before?.state !== after?.state || (!many && from)) this.#transition(id, before, after, from ?? still, now);
    } else {
      const gone = !after && layout.box(id);
      if (layout.update(id, after)) {
        stage.whole = true;
        stage.motion.walks = [];
      } else if (gone) stage.whole = true;
      else stage.dirty.add(id);
      if (/^(Service|Traffic|Node|Ingress)\//.test(id)) stage.lines.touch();
      if (id.startsWith("Component/")) stage.railDirty = true;
      if (id.startsWith("PodDisruptionBudget/")) for (const workload of layout.workloads.of.keys()) stage.dirty.add(workload);
      if (layout.shelves && before?.owner !== after?.owner) for (const pod of [...(stage.scene.owned.get(id) ?? [])]) if (layout.update(pod, stage.scene.get(pod))) stage.whole = true;
    }
    this.#tell(before);
    if (after?.owner !== before?.owner || after?.target !== before?.target || after?.claim !== before?.claim) this.#tell(after);
  }

  /** Cards that tell of a thing. @param {Thing|undefined} thing */
  #tell(thing) {
    const { workloads } = this.stage.layout;
    if (thing?.owner && workloads.of.has(thing.owner)) this.stage.dirty.add(thing.owner);
    if (thing?.target && workloads.of.has(thing.target)) this.stage.dirty.add(thing.target);
    if (thing?.claim && workloads.of.has(thing.claim)) this.stage.dirty.add(thing.claim);
  }

  /** @param {string} id @param {Thing|undefined} was @param {Thing|undefined} after @param {Box|null} from @param {number} now */
  #transition(id, was, after, from, now) {
    const { stage } = this;
    const to = after ? stage.layout.podBox(id) : null;
    const thing = after ?? was;
    if (!thing || stage.motion.moves.size >= UNDER_WAY) return;
    const seen = [from, to].some((box) => box && box.w * stage.camera.zoom >= 8 && stage.sees(box));
    if (!seen) return;
    const moved = !from || !to || from.x !== to.x || from.y !== to.y;
    if (moved || displaced(stage.motion.moves.get(id))) stage.lines.touch();
    stage.motion.moves.set(id, { from, to, thing, born: now, span: moved ? 280 : 180 });
  }
}
