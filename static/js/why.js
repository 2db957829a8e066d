/**
 * The door to "Why?": the short answer over a thing's facts (`explained`) and the whole one (`WhyView`). Sentences, views and their style are
 * loaded when somebody first asks; until then a place is kept for them.
 */
import { h } from "./dom.js";
import { also, t } from "./i18n.js";
import { once } from "./lazy.js";

/** @typedef {import("./types").Thing} Thing @typedef {import("./why/reasons.js").Reason} Reason @typedef {import("./why/reasons.js").Acts} Acts */

/** @type {typeof import("./why/view.js")|null} */
let parts = null;
/** Everything that an answer needs. */
export const ready = once(() => Promise.all([import("./why/view.js"), also("why"), styled()]).then(([found]) => (parts = found)));

function styled() {
  if (document.getElementById("why-css")) return null;
  return new Promise((done) => document.head.append(h("link#why-css", { rel: "stylesheet", href: new URL("../css/why.css", import.meta.url).href, onload: done, onerror: done })));
}

/** What is the matter with a thing, in short; null if nothing is. @param {Reason[]} given @param {Thing} thing @param {import("./scene.js").Scene} scene @param {(id: string) => void} show @param {import("./types").Attempt|null} [attempt] @param {Acts} [acts] @returns {HTMLElement|null} */
export function explained(given, thing, scene, show, attempt = null, acts = { show }) {
  if (!given.some((one) => !CALM.has(one.code))) return null;
  const element = h("section.why", { "aria-label": t("why.title") }, h("h3", { text: t("why.title") }));
  const fill = () => element.append(...(parts?.brief(given, thing, scene, acts, attempt) ?? []));
  if (parts) fill();
  else void ready().then(fill, () => undefined);
  return element;
}

/** Of a thing that is as it should be: no note over its facts. */
const CALM = new Set(["owned", "bare", "static", "serves", "external-name", "manual-endpoints", "complete", "of-deployment", "old-revision", "keeps", "keeps-named", "daemons", "node-ready", "node-tainted",
  "claim-bound", "volume-bound", "volume-free", "config-used", "config-unused", "exists", "of-owner", "namespace-active", "component-runs", "answered", "ingress-serves", "budget-allows", "quota-room", "cron-next",
  "job-complete", "job-runs", "succeeded", "hpa-steady", "hpa-within", "hpa-formula", "hpa-average", "policy-isolates", "policy-lets-in", "policy-lets-out", "policy-closed-in", "policy-closed-out", "adopted",
  "endpoints-of", "rolling", "skips-taint", "skips-label", "skips-affinity", "came-back", "starting", "pulling", "wants-none"]);

export class WhyView {
  /** @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene @param {Acts} acts */
  constructor(api, scene, acts) {
    this.api = api;
    this.scene = scene;
    this.acts = acts;
    this.asked = 0;
  }

  /** The whole answer about a thing. `detail` is what `inspect` told of it; without one the room is asked. @param {string} id @param {any} [detail] @returns {HTMLElement} */
  element(id, detail = null) {
    const element = h("section.whole-why", { "aria-label": t("why.title") });
    const turn = ++this.asked;
    if (parts && detail?.chain) parts.draw(element, id, detail, this.scene, this.acts);
    else {
      element.append(h("p.note", { text: t("inspect.loading") }));
      void this.#fill(element, id, detail, turn);
    }
    return element;
  }

  /** @param {HTMLElement} element @param {string} id @param {any} detail @param {number} turn */
  async #fill(element, id, detail, turn) {
    try {
      await ready();
      const answer = detail?.chain ? detail : await this.#ask(id);
      if (turn === this.asked) parts?.draw(element, id, { ...detail, ...answer, why: answer.why ?? answer.reasons }, this.scene, this.acts);
    } catch (error) {
      element.replaceChildren(h("p.note", { text: /** @type {Error} */ (error).message }));
    }
  }

  /** @param {string} id */
  async #ask(id) {
    const response = await fetch(this.api.url("why", { id, ...this.api.when }));
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error ?? response.statusText);
    return answer;
  }
}
