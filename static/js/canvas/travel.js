/**
 * Going about the canvas by keyboard: a ring stands on one thing; arrows move it to the nearest thing that way, letters to its owner, what
 * it owns, its node. Directions come in; the thing the ring is on, a hover and a spoken sentence go out. Boxes are measured once a scene.
 *
 * @typedef {import("../types").Box} Box
 * @typedef {"left"|"right"|"up"|"down"} Way
 */
import { stateText } from "../facts.js";

/** Pods smaller than this, in pixels, are not gone to one by one from afar. */
const SMALL = 9;
/** How large something tiny is made to be seen. */
const SEEN = 34;
/** Pixels around it that are kept in view. */
const EDGE = 24;
/** How much worse a pixel aside is than a pixel further on. */
const ASIDE = 2.4;
/** The part of a node that stands for it: its pods are things of their own. */
const HEAD = 0.16;

/** Where a box begins and how long it is, along and aside. */
const ACROSS = /** @type {const} */ (["x", "w", "y", "h"]);
const DOWN = /** @type {const} */ (["y", "h", "x", "w"]);

/** How far a thing is that way, the smaller the nearer; null: it is not that way. @param {Box} from @param {Box} to @param {Way} way */
export function distance(from, to, way) {
  const across = way === "left" || way === "right";
  const [start, size, side, width] = across ? ACROSS : DOWN;
  const [a, b] = [from[start] + from[size] / 2, to[start] + to[size] / 2];
  const along = way === "right" || way === "down" ? b - a : a - b;
  if (along <= Math.min(from[size], to[size]) / 4) return null;
  const gap = Math.max(0, along - (from[size] + to[size]) / 2);
  const aside = Math.max(0, Math.max(from[side], to[side]) - Math.min(from[side] + from[width], to[side] + to[width]));
  const off = Math.abs(from[side] + from[width] / 2 - to[side] - to[width] / 2);
  return gap + ASIDE * aside + off / 50 + along / 1000;
}

/** @param {Box} from @param {Iterable<[string, Box]>} things @param {Way} way @returns {string|null} */
export function nearest(from, things, way) {
  let best = null;
  let least = Infinity;
  for (const [id, box] of things) {
    const far = distance(from, box, way);
    if (far === null || far >= least) continue;
    best = id;
    least = far;
  }
  return best;
}

export class Travel {
  /** @param {import("./stage.js").Stage} stage @param {(text: string) => void} say */
  constructor(stage, say) {
    this.stage = stage;
    this.say = say;
    /** @type {string|null} the thing the ring is on */
    this.at = null;
    /** @type {Map<string, Box>|null} */
    this.boxes = null;
    this.child = 0;
    this.ring = document.createElement("div");
    this.ring.className = "ring";
    this.ring.hidden = true;
    stage.host.append(this.ring);
    stage.scene.listen((update) => {
      if (update.whole || update.changes.some(({ before, after }) => !before !== !after || before?.node !== after?.node)) this.boxes = null;
      if (this.at && !stage.scene.get(this.at)) this.to(null);
    });
  }

  /** @param {string} id @returns {Box|null} */
  #box(id) {
    const box = this.stage.layout.box(id);
    return box && id.startsWith("Node/") ? { ...box, h: box.h * HEAD } : box;
  }

  /** Everything that has a place, but pods that are too small to be told apart. */
  #places() {
    const { stage } = this;
    if (!this.boxes) {
      this.boxes = new Map();
      for (const id of stage.scene.things.keys()) {
        const box = this.#box(id);
        if (box) this.boxes.set(id, box);
      }
    }
    const least = SMALL / stage.camera.zoom;
    const inPod = this.at?.startsWith("Pod/");
    return inPod ? this.boxes : [...this.boxes].filter(([id, box]) => box.w >= least || !id.startsWith("Pod/"));
  }

  /** Where to begin: at what is selected, or what is next to the middle of the view. */
  begin() {
    const { stage } = this;
    if (this.at) return this.to(this.at);
    if (stage.selected && stage.layout.box(stage.selected)) return this.to(stage.selected);
    const { x, y, w, h } = stage.camera.view;
    const middle = stage.camera.world(x + w / 2, y + h / 2);
    let least = Infinity;
    let best = null;
    for (const [id, box] of this.#places()) {
      const far = Math.hypot(box.x + box.w / 2 - middle.x, box.y + box.h / 2 - middle.y);
      if (far < least) [least, best] = [far, id];
    }
    this.to(best);
  }

  /** @param {Way} way */
  go(way) {
    const from = this.at ?? this.stage.selected;
    const box = from ? this.#box(from) : null;
    if (!from || !box) return this.begin();
    const places = this.#places();
    const next = nearest(box, [...places].filter(([id]) => id !== from), way);
    if (next) this.to(next);
  }

  /** To the owner, the next thing that it owns or holds, or the node. @param {"owner"|"child"|"node"} relation */
  follow(relation) {
    const { scene } = this.stage;
    const from = this.at ?? this.stage.selected ?? "";
    const thing = scene.get(from);
    if (!thing) return;
    if (relation === "node") return thing.node ? this.to(`Node//${thing.node}`) : undefined;
    if (relation === "owner") return void (thing.owner && this.to(this.#shown(thing.owner, (id) => scene.get(id)?.owner)));
    const pods = (/** @type {string} */ id) => scene.ownedBy(id, "Pod").map(([pod]) => pod);
    const held = thing.kind === "Node" ? scene.ofKind("Pod").filter(([, pod]) => pod.node === thing.name && !pod.system).map(([id]) => id)
      : thing.kind === "Service" ? (thing.endpoints ?? []).map((one) => one.pod) : [from, ...(scene.owned.get(from) ?? [])].flatMap(pods);
    if (held.length) this.to(held.sort()[0]);
  }

  /** The first up a chain that the canvas shows. @param {string} id @param {(id: string) => string|undefined} up */
  #shown(id, up) {
    for (let one = /** @type {string|undefined} */ (id); one; one = up(one)) if (this.stage.layout.box(one)) return one;
    return id;
  }

  /** Puts the ring on a thing, brings it into view and says what it is. @param {string|null} id */
  to(id) {
    const { stage } = this;
    const thing = id ? stage.scene.get(id) : undefined;
    this.at = thing ? id : null;
    if (!id || !thing) {
      stage.hover(null, 0, 0);
      return this.draw();
    }
    this.#bring(id);
    const box = stage.layout.box(id);
    const b = box ? stage.camera.box(box) : { x: 0, y: 0, w: 0, h: 0 };
    stage.hover(id, b.x + b.w, b.y + b.h / 2);
    this.draw();
    const more = stage.selection.has(id) || stage.selected === id ? stage.t("travel.selected") : "";
    this.say([`${thing.kind} ${thing.name}`, stateText(thing, stage.t), thing.kind === "Pod" && thing.node ? thing.node : "", more].filter(Boolean).join(", "));
  }

  /** Moves the eye as little as shows a thing; nearer if it is tiny, further off if it is larger than the view. @param {string} id */
  #bring(id) {
    const { stage } = this;
    const box = stage.layout.box(id);
    if (!box) return;
    const { camera } = stage;
    const { view } = camera;
    const now = camera.box(box);
    const far = Math.min((view.w - 2 * EDGE) / now.w, (view.h - 2 * EDGE) / now.h);
    if (far < 1) stage.zoomBy(far);
    else if (now.w < SMALL) stage.zoomBy(SEEN / now.w, now.x + now.w / 2, now.y + now.h / 2);
    const b = camera.box(box);
    const off = (/** @type {number} */ from, /** @type {number} */ size, /** @type {number} */ least, /** @type {number} */ most) => Math.max(0, least + EDGE - from) - Math.max(0, from + size - most + EDGE);
    const [dx, dy] = [off(b.x, b.w, view.x, view.x + view.w), off(b.y, b.h, view.y, view.y + view.h)];
    if (dx || dy) stage.panBy(dx, dy);
  }

  /** Where the ring is now: the eye may have moved. */
  draw() {
    const box = this.at ? this.stage.layout.box(this.at) : null;
    this.ring.hidden = !box;
    if (!box) return;
    const b = this.stage.camera.box(box);
    this.ring.style.transform = `translate(${Math.round(b.x) - 3}px, ${Math.round(b.y) - 3}px)`;
    this.ring.style.width = `${Math.round(b.w) + 6}px`;
    this.ring.style.height = `${Math.round(b.h) + 6}px`;
  }
}
