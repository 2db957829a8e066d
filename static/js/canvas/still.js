/**
 * The still layer: painted whole only when the camera, the theme or the layout changes, else just the boxes of what changed. While
 * the eye moves over a slow picture, the last one is moved as a bitmap.
 */
import * as cards from "./cards.js";
import { targeted } from "../facts.js";
import { density } from "./density.js";
import * as duties from "./duties.js";
import * as paint from "./paint.js";
import { rail, RAIL } from "./rail.js";
import { budgetOf, podOf, replicaSets, scalerOf } from "./relations.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

export const TICK = 100;

export class Still {
  /** @param {import("./stage.js").Stage} stage @param {CanvasRenderingContext2D} c */
  constructor(stage, c) {
    this.stage = stage;
    this.c = c;
  }

  /** @param {number} now */
  paint(now) {
    const { stage, c } = this;
    c.setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
    if (stage.whole && stage.cached) this.#paintCached();
    else if (stage.whole) this.#paintAll();
    else {
      if (stage.tickingShown && now - stage.ticked > TICK) {
        stage.ticked = now;
        for (const id of stage.ticking) stage.dirty.add(id);
      }
      if (stage.dirty.size) this.paintDirty();
    }
    this.#paintRail(now);
  }

  /** @param {number} now */
  #paintRail(now) {
    const { stage } = this;
    const pulse = Math.max(0, 1 - (now - stage.motion.pulse) / 300);
    if (!stage.railDirty && pulse <= 0) return;
    const { t } = stage;
    rail(this.c, stage.width, stage.colours, {
      people: t("rail.people"), people2: t("rail.peopleDetail"), api: t("rail.api"), steps: t("rail.steps"), etcd: "etcd", etcd2: stage.revision ? t("rail.revision", { revision: stage.revision }) : t("rail.etcdDetail"),
      scheduler: t("rail.scheduler"), scheduler2: t("rail.schedulerDetail"), controllers: t("rail.controllers"), controllers2: t("rail.controllersDetail"), stopped: t("component.stopped"),
    }, (name) => stage.scene.get(`Component//${name}`)?.healthy !== false, pulse);
    stage.railDirty = pulse > 0;
    if (pulse > 0) stage.invalidate();
  }

  #paintCached() {
    const { stage } = this;
    const { canvas, camera } = /** @type {NonNullable<import("./stage.js").Stage["cached"]>} */ (stage.cached);
    const c = this.c;
    c.fillStyle = stage.colours.ground;
    c.fillRect(0, 0, stage.width, stage.height);
    const scale = stage.camera.zoom / camera.zoom;
    const view = stage.camera.view;
    c.save();
    c.beginPath();
    c.rect(view.x, view.y, view.w, view.h);
    c.clip();
    const x = (camera.x - stage.camera.x) * stage.camera.zoom;
    const y = (camera.y - stage.camera.y) * stage.camera.zoom;
    c.drawImage(canvas, 0, view.y * stage.ratio, canvas.width, canvas.height - view.y * stage.ratio, x, view.y + y, view.w * scale, view.h * scale);
    c.restore();
    stage.railDirty = true;
    stage.whole = false;
  }

  #paintAll() {
    const { stage } = this;
    const started = performance.now();
    const c = this.c;
    const { camera, layout, colours: k } = stage;
    stage.whole = false;
    stage.railDirty = true;
    stage.dirty.clear();
    c.fillStyle = k.ground;
    c.fillRect(0, 0, stage.width, stage.height);
    this.#paintTray();
    /** @type {[Thing, Box][]} */
    const tiny = [];
    for (const id of layout.nodes.of.keys()) this.#paintNode(id, tiny);
    for (const slots of [layout.services, layout.systemServices, layout.sources, layout.workloads]) for (const id of slots.of.keys()) this.#paintCard(id);
    for (const id of layout.tray.of.keys()) this.#paintPod(id, tiny);
    if (tiny.length) density(c, stage.ratio, tiny, camera.view, k);
    stage.paintMs = performance.now() - started;
  }

  paintDirty() {
    const { stage, c } = this;
    let fromTray = false;
    let far = false;
    /** @type {Set<string>} */
    const nodes = new Set();
    /** @type {Set<string>} */
    const pods = new Set();
    for (const id of stage.dirty) {
      if (id.startsWith("@")) {
        const [x, y, w, h, place] = id.slice(1).split(",");
        if (place === "tray") fromTray = true;
        else {
          const box = stage.camera.box({ x: +x, y: +y, w: +w, h: +h });
          if (box.w < 3) far = true;
          this.#wipe(box);
        }
      } else if (id.startsWith("Pod/")) {
        const at = stage.layout.pods.get(id);
        if (!at) continue;
        if (at.place === "tray") fromTray = true;
        else pods.add(id);
      } else if (id.startsWith("Node/")) nodes.add(id);
      else this.#paintCard(id);
    }
    stage.dirty.clear();
    if (fromTray) {
      this.#paintTray();
      for (const id of stage.layout.tray.of.keys()) this.#paintPod(id, null);
    }
    for (const id of nodes) this.#paintNode(id, null);
    for (const id of pods) if (!nodes.has(stage.layout.pods.get(id)?.place ?? "")) this.#paintPod(id, null, true);
    if (far) stage.whole = true;
    stage.railDirty = true;
  }

  /** @param {Box} b in pixels */
  #visible(b) {
    const { stage } = this;
    return b.x < stage.width && b.y < stage.height && b.x + b.w > 0 && b.y + b.h > RAIL;
  }

  /** On whole device pixels: painting a part of a pixel over and over would darken it. @param {Box} b @returns {[number, number, number, number]} */
  #snapped(b) {
    const { stage } = this;
    const at = (/** @type {number} */ v) => Math.round(v * stage.ratio) / stage.ratio;
    return [at(b.x), at(b.y), at(b.x + b.w) - at(b.x), at(b.y + b.h) - at(b.y)];
  }

  /** @param {Box} b */
  #wipe(b) {
    const { stage } = this;
    this.c.fillStyle = stage.colours.panel;
    this.c.fillRect(...this.#snapped(b));
  }

  #paintTray() {
    const { stage } = this;
    const b = stage.camera.box(stage.layout.trayBox);
    if (!this.#visible(b)) return;
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(b.x - 2, b.y - 2, b.w + 4, b.h + 4);
    paint.tray(this.c, b, stage.layout.tray.size, stage.camera.zoom, stage.colours, stage.t("stage.unscheduled"));
  }

  /** @param {string} id @param {[Thing, Box][]|null} tiny */
  #paintNode(id, tiny) {
    const { stage } = this;
    const thing = stage.scene.get(id);
    const world = stage.layout.nodeBox(id);
    if (!world || !thing) return;
    const b = stage.camera.box(world);
    if (!this.#visible(b)) return;
    this.c.fillStyle = stage.colours.ground;
    this.c.fillRect(b.x - 2, b.y - 2, b.w + 4, b.h + 4);
    const zoom = b.h / stage.layout.nodeHeight;
    const bin = stage.layout.bin(id);
    paint.node(this.c, thing, b, zoom, stage.colours, stage.t, bin.system.size);
    for (const pod of bin.grid.slots.of.keys()) this.#paintPod(pod, tiny);
    if (zoom > 0.2) for (const pod of bin.system.of.keys()) this.#paintPod(pod, tiny);
  }

  /** @param {string} id @param {[Thing, Box][]|null} tiny @param {boolean} [wipe] */
  #paintPod(id, tiny, wipe = false) {
    const { stage } = this;
    const thing = stage.scene.get(id);
    const world = stage.layout.podBox(id);
    if (!thing || !world) return;
    const b = stage.camera.box(world);
    if (!this.#visible(b)) return;
    if (tiny && b.w < 3) {
      tiny.push([thing, b]);
      return;
    }
    const c = this.c;
    if (wipe) this.#wipe(b);
    if (stage.motion.moves.has(id)) return;
    const host = thing.node ? stage.scene.get(`Node//${thing.node}`) : undefined;
    const lost = thing.state === "lost" || host?.ready === "Unknown" || paint.away(host);
    c.save();
    c.beginPath();
    c.rect(...this.#snapped(b));
    c.clip();
    paint.pod(c, thing, b, stage.colours, stage.time.now, lost);
    c.restore();
  }

  /** @param {string} id */
  #paintCard(id) {
    const { stage } = this;
    const thing = stage.scene.get(id);
    const world = stage.layout.box(id);
    if (!thing || !world) return;
    const b = stage.camera.box(world);
    if (!this.#visible(b)) return;
    const { c } = this;
    const { colours: k, t } = stage;
    const zoom = stage.camera.zoom;
    c.fillStyle = k.ground;
    c.fillRect(b.x - 1, b.y - 1, b.w + 2, b.h + 2);
    if (thing.kind === "Service")
      cards.service(c, thing, b, zoom, k, {
        noEndpoints: t("service.noEndpoints"), noSelector: t("service.noSelector"), ready: (ready, all) => t("service.ready", { ready, all }),
        near: (near) => t("service.near", { key: near.key, have: near.have ?? "–" }),
      });
    else if (thing.kind === "Traffic") cards.source(c, thing, b, zoom, k, stage.layout.serviceBox(thing.service ?? thing.target ?? "") ? "" : targeted(thing));
    else this.#paintWorkload(id, thing, { c, b, z: zoom * stage.layout.workloadScale, k, t });
  }

  /** @param {string} id @param {Thing} thing @param {import("./duties.js").Paper} paper */
  #paintWorkload(id, thing, paper) {
    const { scene } = this.stage;
    const { t } = paper;
    const scaler = scalerOf(scene, id)?.[1];
    const budget = thing.selector && scene.kinds.has("PodDisruptionBudget") ? budgetOf(scene, podOf(scene, id))?.[1] : undefined;
    const governed = [scaler && t("duty.scaler", { min: scaler.min, max: scaler.max, metrics: scaler.metrics }), budget && t("duty.budget", { count: budget.allowed ?? 0 })].filter(Boolean).join(" · ");
    const pods = () => scene.ownedBy(id, "Pod").map(([, pod]) => pod);
    switch (thing.kind) {
      case "StatefulSet": return duties.statefulSet(paper, thing, pods(), governed);
      case "DaemonSet": return duties.daemonSet(paper, thing, pods(), governed);
      case "Job": return duties.job(paper, thing);
      case "CronJob": return duties.cronJob(paper, thing, scene.ownedBy(id, "Job").map(([, one]) => one));
      case "PersistentVolumeClaim": return duties.claim(paper, thing, scene.get(thing.volume ?? ""));
      case "PersistentVolume": return duties.volume(paper, thing);
      default: {
        const sets = thing.kind === "Deployment" ? replicaSets(scene, id) : [thing];
        return cards.workload(paper.c, thing, sets, paper.b, paper.z, paper.k, { ceiling: t("workload.ceiling"), floor: t("workload.floor"), rev: t("workload.revision"), governed });
      }
    }
  }
}
