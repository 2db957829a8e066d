/**
 * The canvas: scene updates and the pointer come in; pixels, hover and selection go out. Two layers: the still one is painted
 * whole only when the camera, the theme or the layout changes, else just the boxes of what changed; the moving one holds tethers,
 * requests, envelopes and highlights, and is drawn only while something moves.
 */
import { matches } from "../scene.js";
import { COLOURS } from "./colours.js";
import { Camera } from "./camera.js";
import { density } from "./density.js";
import { Layout, X_SERVICE } from "./layout.js";
import { Motion } from "./motion.js";
import { overlay } from "./overlay.js";
import { rail, RAIL } from "./rail.js";
import { ticking } from "./marks.js";
import * as paint from "./paint.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

const TICK = 100;
const FIT_MARGIN = 18;

export class Stage {
  /**
   * @param {{host: HTMLElement, still: HTMLCanvasElement, moving: HTMLCanvasElement, scene: import("../scene.js").Scene,
   *   time: import("../virtualtime.js").VirtualTime, t: (key: string, params?: any) => string,
   *   onHover: (id: string|null, x: number, y: number) => void, onSelect: (id: string|null) => void}} parts
   */
  constructor(parts) {
    Object.assign(this, parts);
    this.host = parts.host;
    this.scene = parts.scene;
    this.time = parts.time;
    this.t = parts.t;
    this.parts = parts;
    this.c = /** @type {CanvasRenderingContext2D} */ (parts.still.getContext("2d", { alpha: false }));
    this.m = /** @type {CanvasRenderingContext2D} */ (parts.moving.getContext("2d"));
    this.camera = new Camera();
    this.layout = new Layout();
    this.motion = new Motion(this);
    this.colours = COLOURS.dark;
    this.width = 0;
    this.height = 0;
    this.ratio = 1;
    this.whole = true;
    /** @type {Set<string>} */
    this.dirty = new Set();
    /** @type {Set<string>} */
    this.ticking = new Set();
    this.movingDirty = true;
    this.railDirty = true;
    this.framed = false;
    this.auto = true;
    this.frozen = false;
    this.frozenAt = 0;
    this.ticked = 0;
    this.paintMs = 0;
    this.revision = 0;
    /** @type {string|null} */
    this.hovered = null;
    /** @type {string|null} */
    this.selected = null;
    /** @type {{canvas: OffscreenCanvas, camera: {x: number, y: number, zoom: number}}|null} */
    this.cached = null;
    this.settle = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.scene.listen((update) => this.#onUpdate(update));
    new ResizeObserver(() => this.#resize()).observe(this.host);
    this.#resize();
    this.#pointer();
  }

  // what comes in

  /** @param {import("../scene.js").Update} update */
  #onUpdate(update) {
    const now = performance.now();
    if (update.whole) {
      this.layout.clear();
      this.motion.clear();
      this.ticking.clear();
      this.whole = true;
    }
    const order = update.whole ? [...update.changes].sort((a, b) => (a.id < b.id ? -1 : 1)) : update.changes;
    const before = JSON.stringify([this.layout.bounds, this.layout.sources.size > 0]);
    const many = update.changes.length > 150 || update.whole || this.still.matches || this.frozen;
    for (const { id, before: was, after } of order) {
      const from = !many && id.startsWith("Pod/") ? this.layout.podBox(id) : null;
      if (from) this.dirty.add(`@${from.x},${from.y},${from.w},${from.h},${this.layout.pods.get(id)?.place}`);
      const gone = !after && !id.startsWith("Pod/") ? this.layout.box(id) : null;
      if (gone) this.whole = true;
      if (this.layout.update(id, after)) this.whole = true;
      else this.dirty.add(id);
      if (after && id.startsWith("Pod/") && ticking(after)) this.ticking.add(id);
      else this.ticking.delete(id);
      if (id.startsWith("ReplicaSet/") && (after?.owner ?? was?.owner)) this.dirty.add(/** @type {string} */ (after?.owner ?? was?.owner));
      if (id.startsWith("Component/")) this.railDirty = true;
      if (!many && id.startsWith("Pod/")) this.#transition(id, was, after, from, now);
    }
    this.revision = Math.max(this.revision, this.scene.storeRevision);
    for (const signal of update.signals) if (signal.type === "request" && signal.revision) this.revision = Math.max(this.revision, signal.revision);
    if (update.signals.length) this.railDirty = true;
    this.motion.hear(update.signals, now, this.still.matches || this.frozen);
    if (this.auto && before !== JSON.stringify([this.layout.bounds, this.layout.sources.size > 0])) this.fit();
    this.movingDirty = true;
    if (this.hovered && !this.scene.get(this.hovered)) this.hover(null, 0, 0);
    this.invalidate();
  }

  /** @param {string} id @param {Thing|undefined} was @param {Thing|undefined} after @param {Box|null} from @param {number} now */
  #transition(id, was, after, from, now) {
    const to = after ? this.layout.podBox(id) : null;
    const thing = after ?? was;
    if (!thing || (from && to && from.x === to.x && from.y === to.y && was?.state === after?.state)) return;
    const moved = !from || !to || from.x !== to.x || from.y !== to.y;
    this.motion.moves.set(id, { from, to, thing, born: now, span: moved ? 280 : 180 });
  }

  /** @param {"dark"|"light"} theme */
  setTheme(theme) {
    this.colours = COLOURS[theme];
    this.repaint();
  }

  repaint() {
    this.whole = this.railDirty = this.movingDirty = true;
    this.cached = null;
    this.invalidate();
  }

  /** Stops and starts everything that moves. @param {boolean} frozen */
  freeze(frozen) {
    if (frozen === this.frozen) return;
    const now = performance.now();
    if (frozen) this.frozenAt = now;
    else this.motion.shift(now - this.frozenAt);
    this.frozen = frozen;
    this.invalidate();
  }

  // the eye

  #resize() {
    const { clientWidth: w, clientHeight: h } = this.host;
    if (!w || !h) return;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.width = w;
    this.height = h;
    for (const canvas of [this.parts.still, this.parts.moving]) {
      canvas.width = Math.round(w * this.ratio);
      canvas.height = Math.round(h * this.ratio);
    }
    this.camera.view = { x: 0, y: RAIL, w, h: h - RAIL };
    if (this.auto) this.fit();
    this.repaint();
    this.#frame();
  }

  fit() {
    this.auto = true;
    const bounds = this.layout.bounds;
    const idle = this.layout.sources.size === 0;
    this.camera.fit(idle ? { ...bounds, x: bounds.x + X_SERVICE, w: bounds.w - X_SERVICE } : bounds, FIT_MARGIN);
    this.camera.view.h > 0 && this.repaint();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoomBy(factor, x = this.width / 2, y = (this.height + RAIL) / 2) {
    this.#gesture(() => this.camera.zoomAt(factor, x, y));
  }

  /** @param {number} dx @param {number} dy */
  panBy(dx, dy) {
    this.#gesture(() => this.camera.pan(dx, dy));
  }

  /** While the eye moves, a slow picture is moved as a bitmap and painted again when the eye rests. @param {() => void} move */
  #gesture(move) {
    this.auto = false;
    if (this.paintMs > 9 && !this.cached) {
      const canvas = new OffscreenCanvas(this.parts.still.width, this.parts.still.height);
      /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(this.parts.still, 0, 0);
      this.cached = { canvas, camera: { x: this.camera.x, y: this.camera.y, zoom: this.camera.zoom } };
    }
    move();
    this.whole = this.movingDirty = true;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      this.cached = null;
      this.whole = true;
      this.invalidate();
    }, 120);
    this.invalidate();
  }

  /** @param {string} id brings it into view */
  reveal(id) {
    const box = this.layout.box(id);
    if (!box) return;
    const b = this.camera.box(box);
    const view = this.camera.view;
    if (b.x >= 0 && b.y >= view.y && b.x + b.w <= view.w && b.y + b.h <= view.y + view.h && b.w > 10) return;
    this.auto = false;
    if (b.w < 30) this.camera.zoom = Math.min(1, 40 / box.w);
    this.camera.x = box.x + box.w / 2 - view.w / 2 / this.camera.zoom;
    this.camera.y = box.y + box.h / 2 - view.h / 2 / this.camera.zoom;
    this.repaint();
  }

  // the pointer

  #pointer() {
    const { host } = this;
    /** @type {{x: number, y: number, moved: boolean}|null} */
    let grip = null;
    host.addEventListener("wheel", (event) => {
      if (!(event.target instanceof HTMLCanvasElement)) return;
      event.preventDefault();
      const { x, y } = this.#local(event);
      if (event.ctrlKey || event.metaKey || !event.shiftKey && Math.abs(event.deltaY) >= Math.abs(event.deltaX)) this.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), x, y);
      else this.panBy(-event.deltaX - (event.shiftKey ? event.deltaY : 0), 0);
    }, { passive: false });
    host.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !(event.target instanceof HTMLCanvasElement)) return;
      grip = { x: event.clientX, y: event.clientY, moved: false };
      event.target.setPointerCapture(event.pointerId);
    });
    host.addEventListener("pointermove", (event) => {
      if (grip) {
        const dx = event.clientX - grip.x;
        const dy = event.clientY - grip.y;
        if (!grip.moved && Math.hypot(dx, dy) < 4) return;
        grip.moved = true;
        host.classList.add("grabbing");
        this.panBy(dx, dy);
        grip.x = event.clientX;
        grip.y = event.clientY;
        this.hover(null, 0, 0);
        return;
      }
      if (!(event.target instanceof HTMLCanvasElement)) return this.hover(null, 0, 0);
      const { x, y } = this.#local(event);
      this.hover(y < RAIL ? null : this.layout.at(this.camera.world(x, y)), x, y);
    });
    host.addEventListener("pointerup", (event) => {
      const held = grip;
      grip = null;
      host.classList.remove("grabbing");
      if (!held || held.moved) return;
      const { x, y } = this.#local(event);
      this.parts.onSelect(y < RAIL ? null : this.layout.at(this.camera.world(x, y)));
    });
    host.addEventListener("pointercancel", () => (grip = null));
    host.addEventListener("pointerleave", () => this.hover(null, 0, 0));
    host.addEventListener("dblclick", (event) => {
      const { x, y } = this.#local(event);
      if (event.target instanceof HTMLCanvasElement && y > RAIL) this.zoomBy(1.8, x, y);
    });
  }

  /** @param {MouseEvent} event */
  #local(event) {
    const at = this.host.getBoundingClientRect();
    return { x: event.clientX - at.left, y: event.clientY - at.top };
  }

  /** @param {string|null} id @param {number} x @param {number} y */
  hover(id, x, y) {
    const changed = id !== this.hovered;
    this.hovered = id;
    this.host.classList.toggle("pointing", !!id);
    if (changed || id) this.parts.onHover(id, x, y);
    if (!changed) return;
    this.movingDirty = true;
    this.invalidate();
  }

  /** @param {string|null} id */
  select(id) {
    this.selected = id;
    this.movingDirty = true;
    this.invalidate();
  }

  // painting

  invalidate() {
    if (this.framed) return;
    this.framed = true;
    requestAnimationFrame(() => {
      this.framed = false;
      this.#frame();
    });
  }

  #frame() {
    if (!this.width) return;
    const now = this.frozen ? this.frozenAt : performance.now();
    this.#paintStill(now);
    const flowing = this.#flowing();
    if (this.movingDirty || this.motion.active || this.motion.moves.size || flowing) {
      this.#finishMoves(now);
      this.m.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      this.m.clearRect(0, 0, this.width, this.height);
      overlay(this, this.m, now);
      this.movingDirty = false;
    }
    if (this.frozen) return;
    if (this.motion.active || flowing) this.invalidate();
    else if (this.#tickingShown()) setTimeout(() => this.invalidate(), TICK);
  }

  #flowing() {
    if (this.frozen || this.still.matches) return false;
    for (const id of this.layout.sources.of.keys()) if ((this.scene.get(id)?.ok ?? 0) > 200) return true;
    return false;
  }

  #tickingShown() {
    return this.ticking.size > 0 && this.ticking.size < 400 && !this.time.paused && this.camera.zoom > 0.12;
  }

  /** @param {number} now */
  #finishMoves(now) {
    for (const [id, move] of this.motion.moves) {
      if (now - move.born < move.span) continue;
      this.motion.moves.delete(id);
      this.dirty.add(id);
    }
    if (this.dirty.size && !this.whole) this.#paintDirty();
  }

  /** @param {number} now */
  #paintStill(now) {
    const c = this.c;
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    if (this.whole && this.cached) this.#paintCached();
    else if (this.whole) this.#paintAll();
    else {
      if (this.#tickingShown() && now - this.ticked > TICK) {
        this.ticked = now;
        for (const id of this.ticking) this.dirty.add(id);
      }
      if (this.dirty.size) this.#paintDirty();
    }
    this.#paintRail(now);
  }

  /** @param {number} now */
  #paintRail(now) {
    const pulse = Math.max(0, 1 - (now - this.motion.pulse) / 300);
    if (!this.railDirty && pulse <= 0) return;
    const { t } = this;
    rail(this.c, this.width, this.colours, {
      people: t("rail.people"), people2: t("rail.peopleDetail"), api: t("rail.api"), steps: t("rail.steps"), etcd: "etcd", etcd2: this.revision ? t("rail.revision", { revision: this.revision }) : t("rail.etcdDetail"),
      scheduler: t("rail.scheduler"), scheduler2: t("rail.schedulerDetail"), controllers: t("rail.controllers"), controllers2: t("rail.controllersDetail"),
    }, (name) => this.scene.get(`Component//${name}`)?.healthy !== false, pulse);
    this.railDirty = pulse > 0;
    if (pulse > 0) this.invalidate();
  }

  #paintCached() {
    const { canvas, camera } = /** @type {NonNullable<Stage["cached"]>} */ (this.cached);
    const c = this.c;
    c.fillStyle = this.colours.ground;
    c.fillRect(0, 0, this.width, this.height);
    const scale = this.camera.zoom / camera.zoom;
    const view = this.camera.view;
    c.save();
    c.beginPath();
    c.rect(view.x, view.y, view.w, view.h);
    c.clip();
    const x = (camera.x - this.camera.x) * this.camera.zoom;
    const y = (camera.y - this.camera.y) * this.camera.zoom;
    c.drawImage(canvas, 0, view.y * this.ratio, canvas.width, canvas.height - view.y * this.ratio, x, view.y + y, view.w * scale, view.h * scale);
    c.restore();
    this.railDirty = true;
    this.whole = false;
  }

  #paintAll() {
    const started = performance.now();
    const c = this.c;
    const { camera, layout, colours: k } = this;
    this.whole = false;
    this.railDirty = true;
    this.dirty.clear();
    c.fillStyle = k.ground;
    c.fillRect(0, 0, this.width, this.height);
    this.#paintTray();
    /** @type {[Thing, Box][]} */
    const tiny = [];
    for (const id of layout.nodes.of.keys()) this.#paintNode(id, tiny);
    for (const slots of [layout.services, layout.systemServices, layout.sources, layout.workloads]) for (const id of slots.of.keys()) this.#paintCard(id);
    for (const id of layout.tray.of.keys()) this.#paintPod(id, tiny);
    if (tiny.length) density(c, this.ratio, tiny, camera.view, k);
    this.paintMs = performance.now() - started;
  }

  #paintDirty() {
    const c = this.c;
    let fromTray = false;
    let far = false;
    /** @type {Set<string>} */
    const nodes = new Set();
    /** @type {Set<string>} */
    const pods = new Set();
    for (const id of this.dirty) {
      if (id.startsWith("@")) {
        const [x, y, w, h, place] = id.slice(1).split(",");
        if (place === "tray") fromTray = true;
        else {
          const box = this.camera.box({ x: +x, y: +y, w: +w, h: +h });
          if (box.w < 3) far = true;
          this.#wipe(box);
        }
      } else if (id.startsWith("Pod/")) {
        const at = this.layout.pods.get(id);
        if (!at) continue;
        if (at.place === "tray") fromTray = true;
        else pods.add(id);
      } else if (id.startsWith("Node/")) nodes.add(id);
      else this.#paintCard(id);
    }
    this.dirty.clear();
    if (fromTray) {
      this.#paintTray();
      for (const id of this.layout.tray.of.keys()) this.#paintPod(id, null);
    }
    for (const id of nodes) this.#paintNode(id, null);
    for (const id of pods) if (!nodes.has(this.layout.pods.get(id)?.place ?? "")) this.#paintPod(id, null, true);
    if (far) this.whole = true;
    this.railDirty = true;
  }

  /** @param {Box} b in pixels */
  #visible(b) {
    return b.x < this.width && b.y < this.height && b.x + b.w > 0 && b.y + b.h > RAIL;
  }

  /** On whole device pixels: painting a part of a pixel over and over would darken it. @param {Box} b @returns {[number, number, number, number]} */
  #snapped(b) {
    const at = (/** @type {number} */ v) => Math.round(v * this.ratio) / this.ratio;
    return [at(b.x), at(b.y), at(b.x + b.w) - at(b.x), at(b.y + b.h) - at(b.y)];
  }

  /** @param {Box} b */
  #wipe(b) {
    this.c.fillStyle = this.colours.panel;
    this.c.fillRect(...this.#snapped(b));
  }

  #paintTray() {
    const b = this.camera.box(this.layout.trayBox);
    if (!this.#visible(b)) return;
    this.c.fillStyle = this.colours.ground;
    this.c.fillRect(b.x - 2, b.y - 2, b.w + 4, b.h + 4);
    paint.tray(this.c, b, this.layout.tray.size, this.camera.zoom, this.colours, this.t("stage.unscheduled"));
  }

  /** @param {string} id @param {[Thing, Box][]|null} tiny */
  #paintNode(id, tiny) {
    const thing = this.scene.get(id);
    const world = this.layout.nodeBox(id);
    if (!world || !thing) return;
    const b = this.camera.box(world);
    if (!this.#visible(b)) return;
    this.c.fillStyle = this.colours.ground;
    this.c.fillRect(b.x - 2, b.y - 2, b.w + 4, b.h + 4);
    const zoom = b.h / this.layout.nodeHeight;
    const bin = this.layout.bin(id);
    paint.node(this.c, thing, b, zoom, this.colours, bin.system.size);
    for (const pod of bin.grid.slots.of.keys()) this.#paintPod(pod, tiny);
    if (zoom > 0.2) for (const pod of bin.system.of.keys()) this.#paintPod(pod, tiny);
  }

  /** @param {string} id @param {[Thing, Box][]|null} tiny @param {boolean} [wipe] */
  #paintPod(id, tiny, wipe = false) {
    const thing = this.scene.get(id);
    const world = this.layout.podBox(id);
    if (!thing || !world) return;
    const b = this.camera.box(world);
    if (!this.#visible(b)) return;
    if (tiny && b.w < 3) {
      tiny.push([thing, b]);
      return;
    }
    const c = this.c;
    if (wipe) this.#wipe(b);
    if (this.motion.moves.has(id)) return;
    const lost = thing.state === "lost" || (!!thing.node && this.scene.get(`Node//${thing.node}`)?.ready === "Unknown");
    c.save();
    c.beginPath();
    c.rect(...this.#snapped(b));
    c.clip();
    paint.pod(c, thing, b, this.colours, this.time.now, lost);
    c.restore();
  }

  /** @param {string} id */
  #paintCard(id) {
    const thing = this.scene.get(id);
    const world = this.layout.box(id);
    if (!thing || !world) return;
    const b = this.camera.box(world);
    if (!this.#visible(b)) return;
    const { c, colours: k, t } = this;
    const zoom = this.camera.zoom;
    c.fillStyle = k.ground;
    c.fillRect(b.x - 1, b.y - 1, b.w + 2, b.h + 2);
    if (thing.kind === "Service")
      paint.service(c, thing, b, zoom, k, {
        noEndpoints: t("service.noEndpoints"), ready: (ready, all) => t("service.ready", { ready, all }),
        near: (near) => t("service.near", { key: near.key, have: near.have ?? "–" }),
      });
    else if (thing.kind === "Traffic") paint.source(c, thing, b, zoom, k);
    else {
      const sets = thing.kind === "ReplicaSet" ? [thing] : this.replicaSets(id);
      paint.workload(c, thing, sets, b, zoom, k, { ceiling: t("workload.ceiling"), floor: t("workload.floor"), rev: t("workload.revision") });
    }
  }

  // relations

  /** @param {string} owner */
  replicaSets(owner) {
    const sets = [];
    for (const [id, thing] of this.scene.things) if (id.startsWith("ReplicaSet/") && thing.owner === owner) sets.push(thing);
    return sets.sort((a, b) => Number(a.revision ?? 0) - Number(b.revision ?? 0));
  }

  /** Everything that belongs with a thing: whom it selects, owns, is owned by. @param {string} id @returns {Set<string>} */
  related(id) {
    const thing = this.scene.get(id);
    /** @type {Set<string>} */
    const found = new Set();
    if (!thing) return found;
    const pods = () => [...this.layout.pods.keys()];
    if (thing.kind === "Service") {
      for (const pod of pods()) {
        const record = this.scene.get(pod);
        if (record && record.ns === thing.ns && matches(thing.selector, record.labels)) found.add(pod);
      }
    } else if (thing.kind === "Deployment" || thing.kind === "ReplicaSet") {
      const sets = new Set([id]);
      for (const [other, record] of this.scene.things) if (record.kind === "ReplicaSet" && record.owner === id) sets.add(other);
      for (const pod of pods()) if (sets.has(this.scene.get(pod)?.owner ?? "")) found.add(pod);
      if (thing.owner) found.add(thing.owner);
    } else if (thing.kind === "Pod") {
      let owner = thing.owner;
      while (owner) {
        found.add(owner);
        owner = this.scene.get(owner)?.owner;
      }
      for (const service of this.layout.services.of.keys()) {
        const record = this.scene.get(service);
        if (record && record.ns === thing.ns && matches(record.selector, thing.labels)) found.add(service);
      }
    } else if (thing.kind === "Traffic" && thing.target) found.add(thing.target);
    return found;
  }
}
