/** The tip beside the pointer: what this is, its facts, and what is the matter with it. */
import { h } from "./dom.js";
import { roundings } from "./canvas/cards.js";
import { holders } from "./canvas/relations.js";
import { facts, sourced, trouble } from "./facts.js";
import { t } from "./i18n.js";

export class Tooltip {
  /** @param {HTMLElement} element @param {HTMLElement} host @param {import("./scene.js").Scene} scene */
  constructor(element, host, scene) {
    this.scene = scene;
    this.element = element;
    this.host = host;
  }

  /** @param {import("./types").Thing|undefined} thing @param {number} x @param {number} y */
  show(thing, x, y) {
    this.element.hidden = !thing;
    if (!thing) return;
    const about = trouble(thing, t);
    const labels = Object.entries(thing.labels ?? {}).filter(([key]) => thing.kind === "Pod" && key !== "pod-template-hash");
    const held = thing.kind === "Pod" ? [...new Set(labels.slice(0, 6).flatMap(([key]) => holders(this.scene, thing, key)))].slice(0, 5) : [];
    const rounded = thing.kind === "Deployment" ? roundings(thing).filter(Boolean) : [];
    this.element.replaceChildren(
      h("strong.title", {}, h("span.kind", { text: thing.kind === "Traffic" ? t("traffic.source") : thing.kind }), thing.kind === "Traffic" ? sourced(thing, t) : thing.ns && thing.ns !== "default" ? `${thing.ns}/${thing.name}` : thing.name),
      h("dl", {}, ...facts(thing, t).flatMap((fact) => [h("dt", { text: fact.label }), h("dd", { text: fact.value })])),
      ...(labels.length ? [h("div.chips", {}, ...labels.slice(0, 6).map(([key, value]) => h("span.chip", { text: `${key}=${value}` })))] : []),
      ...(rounded.length ? [h("p", { text: `maxSurge, maxUnavailable: ${rounded.join(", ")}` })] : []),
      ...(held.length ? [h("p", { text: t("tip.held", { list: held.join(", ") }) })] : []),
      ...(about ? [h("p", { text: about })] : []),
    );
    const { offsetWidth: w, offsetHeight: height } = this.element;
    const left = x + 18 + w > this.host.clientWidth ? Math.max(8, x - w - 14) : x + 18;
    const top = Math.max(8, Math.min(this.host.clientHeight - height - 8, y + 14));
    this.element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}
