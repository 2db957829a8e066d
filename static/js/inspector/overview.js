/** What matters of a thing at a glance: facts of the scene at once, and of any object, drawn or not, what the server tells about it. */
import { bytes, cores } from "../canvas/brush.js";
import { budgetOf, ingressesTo, podOf, policiesOf, scalerOf } from "../canvas/relations.js";
import { placed } from "../attempt.js";
import { details, faultsOf, title } from "../chaos.js";
import { h, toast } from "../dom.js";
import { facts, stateText, targeted, tone, trouble } from "../facts.js";
import { Follow } from "../follow.js";
import { t } from "../i18n.js";
import { matches } from "../scene.js";
import { duration } from "../virtualtime.js";
import { explained } from "../why.js";
import { keyed } from "./keyed.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../facts.js").Fact} Fact @typedef {import("./keyed.js").Part} Part */

const MOST_OWNED = 12;
const NATURAL = new Intl.Collator("en", { numeric: true });
const BREAKABLE = new Set(["Node", "Pod", "Component"]);
/** What was applied, a Secret's values with it. */
export const APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const GOOD = new Set(["Ready", "Available", "Progressing", "Initialized", "ContainersReady", "PodScheduled", "PodReadyToStartContainers", "Complete", "ScalingActive", "AbleToScale"]);

export class OverviewView {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.parts = ["about", "why"];
    this.element = h("div.view.overview");
    this.facts = h("dl.facts");
    this.bars = h("div.bars");
    this.owned = h("ul.owned");
    this.conditions = h("ul.conditions");
    this.containers = h("ul.containers");
    /** @type {Set<string>} keys of a Secret that are shown */
    this.open = new Set();
    this.placed = false;
    this.follow = this.#follower();
  }

  #follower() {
    return new Follow(this.panel.api, this.panel.scene, this.panel.go);
  }

  begin() {
    this.open.clear();
    this.placed = false;
    this.follow.end();
    this.follow = this.#follower();
    keyed(this.element, []);
  }

  update() {
    const { thing, detail, id, past } = this.panel;
    const about = detail?.about;
    if (!id || (!thing && !about)) return keyed(this.element, [["none", "", () => h("p", { text: t(!this.panel.gone ? "inspect.loading" : past === null ? "inspect.gone" : "inspect.notThen") })]]);
    keyed(this.element, [
      ...this.#troubles(thing), ...(thing?.kind === "Node" ? [this.#bars(thing)] : []), this.#facts(thing, about), ...this.#containers(about), ...this.#data(about),
      ...this.#pairs("labels", about?.labels ?? thing?.labels), ...this.#pairs("annotations", about?.annotations), ...this.#conditions(about), ...this.#owned(),
      ...(thing && past === null ? this.#acts(thing) : []), ...this.#attempt(),
    ]);
  }

  /** What is wrong, first. @param {Thing|undefined} thing @returns {Part[]} */
  #troubles(thing) {
    if (!thing) return [];
    const { panel } = this;
    /** @type {Part[]} */
    const parts = faultsOf(panel.scene, panel.id ?? "").map((fault) => [`fault ${fault.name}`, JSON.stringify(fault), () => this.#broken(fault)]);
    const why = panel.detail?.why ?? [];
    const attempt = panel.detail?.attempt ?? null;
    const short = trouble(thing, t);
    const told = why.length ? explained(why, thing, panel.scene, panel.go, attempt) : null;
    if (told) parts.push(["why", JSON.stringify([why, attempt, thing.containers, thing.restarts]), () => told]);
    else if (short) parts.push(["note", short, () => h("p.note", { text: short })]);
    return parts;
  }

  /** @param {Thing} fault */
  #broken(fault) {
    const heal = () => this.panel.api.heal(fault.id).catch((/** @type {Error} */ error) => toast(error.message, true));
    return h("p.note.wrong", {}, t("chaos.here", { what: [title(fault.fault ?? ""), details(fault)].filter(Boolean).join(", ") }), " ", h("button.link", { type: "button", id: `heal-${fault.name}`, text: t("chaos.heal"), onclick: heal }));
  }

  /** @param {Thing} node @returns {Part} */
  #bars(node) {
    /** @param {string} label @param {number} used @param {number} all @param {string} text @returns {Part} */
    const line = (label, used, all, text) => [label, text, () => {
      const fill = h("b");
      fill.style.width = `${all ? Math.min(100, (100 * used) / all) : 0}%`;
      return h("div.barline", {}, h("span", { text: label }), h("i", {}, fill), h("span", { text }));
    }];
    const asked = node.requested ?? { cpu: 0, memory: 0, pods: 0 };
    keyed(this.bars, [line("CPU", asked.cpu, node.cpu ?? 0, `${cores(asked.cpu)} / ${cores(node.cpu ?? 0)}`),
      line(t("fact.memory"), asked.memory, node.memory ?? 0, `${bytes(asked.memory)} / ${bytes(node.memory ?? 0)}`), line(t("fact.pods"), asked.pods, node.pods ?? 0, `${asked.pods} / ${node.pods ?? 0}`)]);
    return ["bars", "", () => this.bars];
  }

  /** @param {Thing|undefined} thing @param {any} about @returns {Part} */
  #facts(thing, about) {
    /** @type {Fact[]} */
    const rows = thing ? [...facts(thing, t), ...this.#governors(thing)] : (about?.columns ?? []).map((/** @type {any} */ one) => ({ label: one.name, value: one.value, mono: true }));
    if (about?.finalizers) rows.push({ label: "Finalizers", value: about.finalizers.join(", "), mono: true });
    if (about?.deleting !== undefined) rows.push({ label: t("inspect.deleting"), value: t("inspect.ago", { time: duration(this.panel.acts.now() - about.deleting) }) });
    /** @type {Map<string, number>} */
    const seen = new Map();
    keyed(this.facts, rows.map((fact) => {
      const count = seen.get(fact.label) ?? 0;
      seen.set(fact.label, count + 1);
      return [`${fact.label} ${count}`, `${fact.value}|${fact.id}|${this.panel.reachable(fact.id)}`, () => h("div.fact", {}, h("dt", {}, ...fact.label.split(/(?<=[a-z])(?=[A-Z])/).flatMap((part) => [h("wbr"), part])),
        h(fact.mono ? "dd.mono" : "dd", {}, fact.id && this.panel.reachable(fact.id) ? h("button.link", { type: "button", "data-show": fact.id, text: fact.value }) : fact.value))];
    }));
    return ["facts", "", () => this.facts];
  }

  /** Who sizes, guards, asks and chooses it. @param {Thing} thing @returns {Fact[]} */
  #governors(thing) {
    const { scene } = this.panel;
    const id = /** @type {string} */ (this.panel.id);
    const scaler = scalerOf(scene, id);
    const budget = thing.kind === "Pod" ? budgetOf(scene, thing) : thing.selector && thing.kind !== "Service" && thing.kind !== "PodDisruptionBudget" ? budgetOf(scene, podOf(scene, id)) : undefined;
    const services = thing.kind === "Pod" ? scene.ofKind("Service").filter(([, one]) => one.ns === thing.ns && matches(one.selector, thing.labels)) : [];
    return [scaler && { label: "HorizontalPodAutoscaler", value: scaler[1].name, id: scaler[0] }, budget && { label: "PodDisruptionBudget", value: budget[1].name, id: budget[0] },
      ...[...services, ...(thing.kind === "Pod" ? policiesOf(scene, thing) : thing.kind === "Service" ? ingressesTo(scene, id) : [])].map(([other, one]) => ({ label: one.kind, value: one.name, id: other })),
      ...(thing.kind === "Service" && thing.selector ? [{ label: "EndpointSlice", value: thing.name, id: `Browse/${thing.ns}/endpointslices.discovery.k8s.io/${thing.name}` }] : []),
      ...(thing.kind === "Pod" ? scene.ofKind("Traffic").filter(([, one]) => one.source === id).map(([other, one]) => ({ label: t("fact.sends"), value: `${targeted(one)} · ${one.rate}/s`, id: other })) : [])].filter((one) => !!one);
  }

  /** @param {any} about @returns {Part[]} */
  #containers(about) {
    const found = about?.containers ?? [];
    if (!found.length) return [];
    keyed(this.containers, found.map((/** @type {any} */ one) => [one.name, JSON.stringify(one), () => {
      const state = one.state === "running" && one.ready ? "ready" : one.state === "terminated" ? (one.code ? "failing" : "done") : one.reason && one.reason !== "ContainerCreating" && one.reason !== "PodInitializing" ? "failing" : "pending";
      const resources = ["cpu", "memory"].map((name) => (one.requests?.[name] || one.limits?.[name] ? `${name} ${one.requests?.[name] ?? "–"} / ${one.limits?.[name] ?? "–"}` : "")).filter(Boolean);
      return h("li", {}, h("div.top", {}, h("strong", { text: one.name }), one.role ? h("span.chip", { text: one.role }) : null, h("span.chip.state", { "data-tone": state, text: [one.state, one.reason, one.code !== undefined && `exit ${one.code}`].filter(Boolean).join(", ") })),
        h("code", { text: one.image ?? "" }),
        h("small", { text: [resources.length ? `${resources.join(" · ")} (${t("inspect.requestLimit")})` : t("inspect.noResources"), one.restarts ? t("inspect.restarts", { count: one.restarts }) : "", (one.probes ?? []).map((/** @type {string} */ name) => `${name}Probe`).join(", ")].filter(Boolean).join(" · ") }));
    }]));
    return [["containers title", "", () => h("h3", { text: t("inspect.containers") })], ["containers", "", () => this.containers]];
  }

  /** The keys of a ConfigMap or Secret. @param {any} about @returns {Part[]} */
  #data(about) {
    /** @type {any[]} */
    const found = about?.data ?? [];
    if (!found.length) return [];
    const secret = this.panel.id?.startsWith("Secret/");
    return [["data title", "", () => h("h3", { text: t("inspect.data") })], ...(secret ? [/** @type {Part} */ (["data note", "", () => h("p.quiet", { text: t("inspect.base64") })])] : []),
      ["data", JSON.stringify([found, [...this.open]]), () => h("ul.data", {}, ...found.map((one) => this.#datum(one)))]];
  }

  /** @param {any} one */
  #datum(one) {
    const shown = this.open.has(one.key);
    const toggle = () => {
      if (shown) this.open.delete(one.key);
      else this.open.add(one.key);
      this.update();
    };
    const text = one.text ?? (shown && one.secret !== undefined ? decoded(one.secret) : undefined);
    return h("li", {}, h("div.top", {}, h("code", { text: one.key }), h("small", { text: `${bytes(one.size) || 0}${one.size < 1024 ? " B" : ""}` }),
      one.secret !== undefined ? h("button.link", { type: "button", id: `reveal-${one.key}`, "aria-expanded": `${shown}`, text: t(shown ? "inspect.cover" : "inspect.reveal"), onclick: toggle }) : null),
      text !== undefined ? h("pre", { text, tabIndex: 0, "aria-label": one.key }) : one.secret !== undefined ? h("pre", { "aria-hidden": "true", text: "••••••••" }) : h("small.quiet", { text: t(one.binary ? "inspect.binary" : "inspect.tooLong") }));
  }

  /** @param {"labels"|"annotations"} what @param {Record<string, string>|undefined} map @returns {Part[]} */
  #pairs(what, map) {
    const all = Object.entries(map ?? {}).map(([key, value]) => [key, this.panel.id?.startsWith("Secret/") && key === APPLIED ? "••••••••" : value]);
    if (!all.length) return [];
    return [[`${what} title`, "", () => h("h3", { text: t(`inspect.${what}`) })], [what, JSON.stringify(all), () => h("div.chips", {}, ...all.map(([key, value]) => h("span.chip", { text: `${key}=${value}` })))]];
  }

  /** @param {any} about @returns {Part[]} */
  #conditions(about) {
    /** @type {any[]} */
    const found = about?.conditions ?? [];
    if (!found.length) return [];
    keyed(this.conditions, found.map((one) => [one.type, JSON.stringify(one), () => h("li", { "data-good": `${(one.status === "True") === GOOD.has(one.type)}` },
      h("span.mark", { "aria-hidden": "true", text: one.status === "Unknown" ? "?" : one.status === "True" ? "✓" : "✕" }), h("button.link.plain", { type: "button", "data-field": `status.conditions[type=${one.type}]`, text: one.type }), h("span.status", { text: one.status }),
      h("small", { text: [one.reason, one.message].filter(Boolean).join(": ") }), h("small.age", { "data-since": one.since }))]));
    return [["conditions title", "", () => h("h3", { text: t("inspect.conditions") })], ["conditions", "", () => this.conditions]];
  }

  /** @returns {Part[]} */
  #owned() {
    const { scene, id } = this.panel;
    const all = [...(scene.owned.get(/** @type {string} */ (id)) ?? [])].sort(NATURAL.compare);
    if (!all.length) return [];
    const shown = all.slice(-MOST_OWNED);
    keyed(this.owned, shown.map((one) => {
      const thing = /** @type {Thing} */ (scene.get(one));
      return [one, `${tone(thing)}|${stateText(thing, t)}`, () => h("li", {}, h("button.link", { type: "button", "data-show": one, text: `${thing.kind} ${thing.name}` }), h("span.chip.state", { "data-tone": tone(thing), text: stateText(thing, t) }))];
    }));
    return [["owned title", `${all.length}`, () => h("h3.owned", { text: all.length > shown.length ? t("inspect.ownsOf", { shown: shown.length, count: all.length }) : t("inspect.owns") })], ["owned", "", () => this.owned]];
  }

  /** @param {Thing} thing @returns {Part[]} */
  #acts(thing) {
    /** @type {Part[]} */
    const parts = [];
    if (thing.kind === "Traffic") {
      const aim = { target: thing.target ?? "", port: thing.port, ...(thing.source ? { source: thing.source } : {}) };
      parts.push(["follow", JSON.stringify(aim), () => h("p.row.after", {}, h("button.button", { type: "button", id: "follow", text: t("follow.one"), onclick: () => this.follow.run(aim) }))], ["followed", "", () => this.follow.element]);
    }
    if (BREAKABLE.has(thing.kind) && !thing.gone && !(thing.kind === "Pod" && !thing.node))
      parts.push(["break", "", () => h("p.row.after", {}, h("button.button", { type: "button", id: "break", text: t("chaos.break"), onclick: () => this.panel.acts.chaos(/** @type {string} */ (this.panel.id)) }))]);
    return parts;
  }

  /** @returns {Part[]} */
  #attempt() {
    const attempt = this.panel.detail?.attempt;
    if (!attempt?.node) return [];
    return [["placed", JSON.stringify(attempt), () => h("details.placed", { open: this.placed, ontoggle: (/** @type {any} */ event) => (this.placed = event.target.open) }, h("summary", { id: "placed", text: t("attempt.why", { node: attempt.node }) }), ...placed(attempt, this.panel.go))]];
  }

  /** How long each condition holds. */
  ages() {
    for (const small of this.conditions.querySelectorAll("[data-since]")) small.textContent = duration(this.panel.acts.now() - Number(small.dataset.since));
  }

  leave() {}
}

/** What base64 stands for, as text where it is one. @param {string} base64 */
function decoded(base64) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  } catch {
    return base64;
  }
}
