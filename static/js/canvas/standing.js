/** The cards that stand beside the bins: Services, sources, Ingresses and workloads, each with what the scene tells around it. */
import { targeted } from "../facts.js";
import * as cards from "./cards.js";
import * as duties from "./duties.js";
import { fits, governor } from "./governor.js";
import { budgetOf, podOf, replicaSets, scalerOf } from "./relations.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../types").Box} Box */

/** How much is left of what the filter does not let stand out. */
const FAINTLY = 0.2;

/** @param {import("./stage.js").Stage} stage @param {CanvasRenderingContext2D} c @param {Box} b in pixels @param {string} id @param {Thing} thing */
export function card(stage, c, b, id, thing) {
  const { colours: k, t } = stage;
  const zoom = stage.camera.zoom;
  c.fillStyle = k.ground;
  c.fillRect(b.x - 1, b.y - 1, b.w + 2, b.h + 2);
  c.globalAlpha = stage.passes !== null && !stage.passes(id, thing) ? FAINTLY : 1;
  if (thing.kind === "Service")
    cards.service(c, thing, b, zoom, k, {
      noEndpoints: t("service.noEndpoints"), noSelector: t("service.noSelector"), ready: (ready, all) => t("service.ready", { ready, all }),
      near: (near) => t("service.near", { key: near.key, have: near.have ?? "–" }),
    });
  else if (thing.kind === "Ingress") cards.ingress(c, thing, b, zoom, k, t);
  else if (thing.kind === "Traffic") cards.source(c, thing, b, zoom, k, stage.layout.serviceBox(thing.service ?? thing.target ?? "") ? "" : targeted(thing));
  else workload(stage.scene, id, thing, { c, b, z: zoom * stage.layout.workloadScale, k, t });
  c.globalAlpha = 1;
}

/** @param {import("../scene.js").Scene} scene @param {string} id @param {Thing} thing @param {import("./duties.js").Paper} paper */
function workload(scene, id, thing, paper) {
  const { t } = paper;
  const scaler = scalerOf(scene, id)?.[1];
  const budget = thing.selector && scene.kinds.has("PodDisruptionBudget") ? budgetOf(scene, podOf(scene, id))?.[1] : undefined;
  const drawn = (scaler || budget) && fits(paper);
  const governed = drawn ? " " : [scaler && t("duty.scaler", { min: scaler.min, max: scaler.max, metrics: scaler.metrics }), budget && t("duty.budget", { count: budget.allowed ?? 0 })].filter(Boolean).join(" · ");
  picture(scene, id, thing, paper, governed);
  if (drawn) governor(paper, scaler, budget);
}

/** @param {import("../scene.js").Scene} scene @param {string} id @param {Thing} thing @param {import("./duties.js").Paper} paper @param {string} governed */
function picture(scene, id, thing, paper, governed) {
  const { t } = paper;
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
