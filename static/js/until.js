/** The menu of what the room can be run until: everything ready, quiet, the next change, the selected thing ready or of a condition, or so much later. */
import { byId } from "./dom.js";
import { dropdown } from "./dropdown.js";
import { t } from "./i18n.js";

/** Conditions by kind, those that one waits for. @type {Record<string, string[]>} */
const CONDITIONS = {
  Pod: ["PodScheduled", "Initialized", "ContainersReady", "Ready"], Deployment: ["Available", "Progressing", "ReplicaFailure"], Node: ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"],
  Job: ["Complete", "Failed"], HorizontalPodAutoscaler: ["AbleToScale", "ScalingActive", "ScalingLimited"], PodDisruptionBudget: ["DisruptionAllowed"], ReplicaSet: ["ReplicaFailure"],
};
/** Kinds of which it is known when they are ready. */
const READY = new Set(["Pod", "Node", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "PersistentVolumeClaim", "PersistentVolume"]);
const LATER = [1, 10, 60, 600];

/** @param {import("./topbar.js").TopBar} bar @param {import("./scene.js").Scene} scene @param {string|null} thing */
export function open(bar, scene, thing) {
  const { name = "", kind = "" } = scene.get(thing ?? "") ?? {};
  dropdown(byId("until"), t("until.title"), [
    { label: t("until.title"), items: ["ready", "idle", "change"].map((what) => ({ text: t(`until.${what}`), run: () => void bar.until({ what }) })) },
    { label: `${kind} ${name}`, items: thing ? [
      ...(READY.has(kind) ? [{ text: t("until.thing", { name }), run: () => void bar.until({ what: "ready", thing }) }] : []),
      ...(CONDITIONS[kind] ?? []).map((condition) => ({ text: t("until.is", { name, condition }), run: () => void bar.until({ what: "condition", thing, condition }) })),
    ] : [] },
    { label: t("until.later"), row: true, items: LATER.map((seconds) => ({ text: t(seconds < 60 ? "until.seconds" : "until.minutes", { count: seconds < 60 ? seconds : seconds / 60 }), run: () => void bar.advance(seconds) })) },
  ]);
}
