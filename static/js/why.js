/**
 * Why a thing is as it is, in sentences: the server's codes and parameters and the scene come in, elements go out. What Kubernetes
 * itself says of it stands below in its own words.
 */
import { bytes, cores } from "./canvas/brush.js";
import { h } from "./dom.js";
import { knows, t } from "./i18n.js";
import { preemption, refusal, refusals } from "./attempt.js";
import { thingId } from "./scene.js";

/** @typedef {import("./types").Thing} Thing @typedef {{code: string, params: any}} Reason */

/** @param {Reason[]} given @param {Thing} thing @param {import("./scene.js").Scene} scene @param {(id: string) => void} show @param {import("./types").Attempt|null} [attempt] @returns {HTMLElement|null} */
export function explained(given, thing, scene, show, attempt = null) {
  const near = given.filter((one) => one.code === "near-miss").map((one) => one.params);
  const reasons = [...given.filter((one) => one.code !== "near-miss"), ...(near.length ? [{ code: "near-miss", params: { all: near } }] : [])];
  const parts = reasons.flatMap((reason) => PARTS[reason.code]?.(reason.params, thing, scene, show, attempt) ?? state(reason, thing, reasons));
  return parts.length ? h("section.why", { "aria-label": t("why.title") }, h("h3", { text: t("why.title") }), ...parts) : null;
}

/** @type {Record<string, (params: any, thing: Thing, scene: import("./scene.js").Scene, show: (id: string) => void, attempt: import("./types").Attempt|null) => any[]>} */
const PARTS = {
  unschedulable({ rejections = {}, message }, pod, scene, show, attempt) {
    const refused = Object.entries(rejections).map(([node, [plugin, reasons]]) => ({ node, plugin, reasons }));
    return [
      h("p", { text: t("why.unschedulable", { count: attempt?.tried || refused.length }) }),
      refused.length && refusals(refused, (row) => rejection(row, pod, scene), show, (node, plugin) => (plugin === "TaintToleration" ? repelling(scene.get(thingId("Node", "", node))).join() : "")),
      ...(attempt ? preemption(attempt) : []),
      message && h("p.said", { text: message }),
    ].filter(Boolean);
  },
  "near-miss"({ all }, _, __, show) {
    const { key, want, have } = all[0];
    return [h("p", { text: t("why.near", { key, want, have: have ?? t("fact.none") }) }),
      h("ul.rejections", {}, ...all.map((/** @type {any} */ one) => h("li", {}, h("button.link", { type: "button", text: one.pod.split("/")[2], onclick: () => show(one.pod) }), h("span", { text: `${one.key}=${one.have ?? ""}` }))))];
  },
  "no-match"({ selector }) {
    return [h("p", { text: t("service.noEndpointsLong") }), h("p.said", { text: Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(", ") })];
  },
};

/** @param {Reason} reason @param {Thing} thing @param {Reason[]} all */
function state({ code, params }, thing, all) {
  const images = [...new Set((thing.containers ?? []).filter((one) => !one.ready).map((one) => one.image))].join(", ");
  const told = all.some((other) => other.params?.message === params?.message && other.code === "unschedulable");
  return [knows(`why.${code}`) && !told && h("p", { text: t(`why.${code}`, { image: images, restarts: thing.restarts ?? 0 }) }), !told && params?.message && h("p.said", { text: params.message })].filter(Boolean);
}

/** Taints that keep pods away. @param {Thing|undefined} node */
const repelling = (node) => (node?.taints ?? []).filter((taint) => !taint.endsWith(":PreferNoSchedule"));

/** What nodes have against the pod; of several the one with the most left. @param {import("./attempt.js").Verdict} verdict @param {Thing} pod @param {import("./scene.js").Scene} scene */
function rejection({ plugin, reasons, nodes }, pod, scene) {
  const all = nodes.map((name) => scene.get(thingId("Node", "", name))).filter((node) => node !== undefined);
  if (plugin === "NodeResourcesFit" && all.length) {
    /** @param {"cpu"|"memory"} what */
    const free = (what) => Math.max(...all.map((node) => Math.max(0, (node[what] ?? 0) - (node.requested?.[what] ?? 0))));
    /** @type {[string, string, string][]} */
    const short = [["cpu", cores(pod.cpu ?? 0), cores(free("cpu"))], ["memory", bytes(pod.memory ?? 0), bytes(free("memory"))]];
    const lines = short.filter(([what]) => reasons.includes(`Insufficient ${what}`)).map(([what, want, left]) => t(all.length > 1 ? "why.shortAll" : "why.short", { what, want, free: left }));
    if (lines.length) return lines.join(" ");
  }
  const taints = [...new Set(all.flatMap(repelling))];
  if (plugin === "TaintToleration" && taints.length) return t("why.taint", { taints: taints.join(", ") });
  return refusal(plugin, reasons);
}
