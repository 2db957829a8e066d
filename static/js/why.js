/**
 * Why a thing is as it is, in sentences: the server's codes and parameters and the scene come in, elements go out. What Kubernetes
 * itself says of it stands below in its own words.
 */
import { bytes, cores } from "./canvas/brush.js";
import { h } from "./dom.js";
import { knows, t } from "./i18n.js";
import { thingId } from "./scene.js";

/** @typedef {import("./types").Thing} Thing @typedef {{code: string, params: any}} Reason */

const MOST_NODES = 30;

/** @param {Reason[]} given @param {Thing} thing @param {import("./scene.js").Scene} scene @param {(id: string) => void} show @returns {HTMLElement|null} */
export function explained(given, thing, scene, show) {
  const near = given.filter((one) => one.code === "near-miss").map((one) => one.params);
  const reasons = [...given.filter((one) => one.code !== "near-miss"), ...(near.length ? [{ code: "near-miss", params: { all: near } }] : [])];
  const parts = reasons.flatMap((reason) => PARTS[reason.code]?.(reason.params, thing, scene, show) ?? state(reason, thing, reasons));
  return parts.length ? h("section.why", { "aria-label": t("why.title") }, h("h3", { text: t("why.title") }), ...parts) : null;
}

/** @type {Record<string, (params: any, thing: Thing, scene: import("./scene.js").Scene, show: (id: string) => void) => any[]>} */
const PARTS = {
  unschedulable({ rejections = {}, message }, pod, scene, show) {
    const nodes = Object.entries(rejections).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
    const more = nodes.length - MOST_NODES;
    return [
      h("p", { text: t("why.unschedulable", { count: nodes.length }) }),
      h("ul.rejections", {}, ...nodes.slice(0, MOST_NODES).map(([name, [plugin, reasons]]) => h("li", {},
        h("button.link", { type: "button", text: name, onclick: () => show(thingId("Node", "", name)) }),
        h("span", { text: rejection(plugin, reasons, pod, scene.get(thingId("Node", "", name))) }), h("small", { text: `${plugin}: ${reasons.join(", ")}` })))),
      more > 0 && h("p", { text: t("why.more", { count: more }) }),
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

/** What one node has against the pod. @param {string} plugin @param {string[]} reasons @param {Thing} pod @param {Thing|undefined} node */
function rejection(plugin, reasons, pod, node) {
  if (plugin === "NodeResourcesFit" && node) {
    const asked = node.requested ?? { cpu: 0, memory: 0, pods: 0 };
    /** @type {[string, string, string][]} */
    const short = [
      ["cpu", cores(pod.cpu ?? 0), cores(Math.max(0, (node.cpu ?? 0) - asked.cpu))],
      ["memory", bytes(pod.memory ?? 0), bytes(Math.max(0, (node.memory ?? 0) - asked.memory))],
    ];
    const lines = short.filter(([what]) => reasons.includes(`Insufficient ${what}`)).map(([what, want, free]) => t("why.short", { what, want, free }));
    if (lines.length) return lines.join(" ");
  }
  if (plugin === "TaintToleration" && node?.taints?.length) return t("why.taint", { taints: node.taints.join(", ") });
  return knows(`why.${plugin}`) ? t(`why.${plugin}`) : reasons.join(", ");
}
