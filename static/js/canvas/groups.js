/**
 * What pods are grouped by: their node, namespace, topmost owner, or the value of a label. A mode goes in; a pod's group and a group's
 * name come out, and the list that a person chooses from.
 */
import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../scene.js").Scene} Scene */

const LABEL = "label:";
const MOST_KEYS = 12;
const SEARCHED = 2000;
/** Labels that every pod of one kind has another value of. */
const UNTOLD = new Set(["pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "controller-uid", "batch.kubernetes.io/controller-uid"]);

/** The owner of a pod's owner, and so on, as far as the scene knows. @param {Scene} scene @param {Thing} pod */
export function topmost(scene, pod) {
  let owner = pod.owner ?? "";
  for (let i = 0; i < 4; i++) {
    const next = scene.get(owner)?.owner;
    if (!next) break;
    owner = next;
  }
  return owner;
}

/** A pod's group in a mode; null by node. @param {Scene} scene @param {string} mode `node`, `namespace`, `owner` or `label:KEY` @returns {((id: string, thing: Thing) => string)|null} */
export function grouping(scene, mode) {
  if (mode === "namespace") return (_, pod) => `Namespace//${pod.ns}`;
  if (mode === "owner") return (_, pod) => topmost(scene, pod) || "=";
  if (mode.startsWith(LABEL)) {
    const key = mode.slice(LABEL.length);
    return (_, pod) => `=${pod.labels?.[key] ?? ""}`;
  }
  return null;
}

/** @param {string} place @param {string} mode @returns {{title: string, kind: string}} */
export function groupName(place, mode) {
  const key = place.slice("Group/".length);
  if (key.startsWith("=")) {
    if (mode === "owner") return { title: t("grouped.unowned"), kind: "" };
    return { title: key === "=" ? t("grouped.unlabelled") : key.slice(1), kind: mode.slice(LABEL.length) };
  }
  const [kind, ns, ...name] = key.split("/");
  return { title: name.join("/"), kind: kind === "Namespace" ? kind : `${kind} · ${ns}` };
}

/** The label keys that most pods have. @param {Scene} scene */
function labelKeys(scene) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  let seen = 0;
  for (const id of scene.kinds.get("Pod") ?? []) {
    if (seen++ > SEARCHED) break;
    for (const key of Object.keys(scene.get(id)?.labels ?? {})) if (!UNTOLD.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_KEYS).map(([key]) => key);
}

/** The list over the canvas, and the same as actions. @param {HTMLElement} host @param {import("./stage.js").Stage} stage @param {import("../actions.js").Actions} actions */
export function setUpGrouping(host, stage, actions) {
  const select = h("select", { id: "group-by", onchange: () => stage.group(select.value), onfocus: () => draw(), onpointerdown: () => draw() });
  /** @param {string} mode */
  const named = (mode) => (mode.startsWith(LABEL) ? t("grouped.byLabel", { key: mode.slice(LABEL.length) }) : t(`grouped.by.${mode}`));
  const modes = () => {
    const keys = labelKeys(stage.scene).map((key) => LABEL + key);
    return ["node", "namespace", "owner", ...keys, ...(stage.mode.startsWith(LABEL) && !keys.includes(stage.mode) ? [stage.mode] : [])];
  };
  let drawn = "";
  const draw = () => {
    const list = modes();
    const now = `${list.join()}|${stage.mode}|${t("grouped.by")}`;
    if (now === drawn) return;
    drawn = now;
    select.setAttribute("aria-label", t("grouped.by"));
    select.title = t("grouped.by");
    select.replaceChildren(...list.map((mode) => h("option", { value: mode, text: named(mode) })));
    select.value = stage.mode;
  };
  host.replaceChildren(select);
  draw();
  onLanguage(draw);
  stage.on("group", draw);
  actions.list(() => modes().filter((mode) => mode !== stage.mode).map((mode) => ({ label: `${t("grouped.by")}: ${named(mode)}`, run: () => stage.group(mode) })));
}
