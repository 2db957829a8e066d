/**
 * Chaos: what can be made to go wrong, on what, and what is wrong now. The kinds of fault come from the server once, what is active from
 * the scene; what one selects on the canvas is the target. Machines are added, resized and removed here too.
 */
import { actingPanel } from "./acting.js";
import { h, toast } from "./dom.js";
import { knows, onLanguage, t } from "./i18n.js";
import { parseId } from "./scene.js";
import { duration } from "./virtualtime.js";

/** @typedef {import("./types").Thing} Thing @typedef {import("./types").FaultKind} FaultKind @typedef {import("./types").FaultParam} FaultParam */

const GROUPS = /** @type {const} */ (["Node", "Pod", "Component", "Image"]);
const GIBI = 2 ** 30;
const NATURAL = new Intl.Collator("en", { numeric: true });
const MOST_TARGETS = 2_000;

/** What a fault of this kind can strike: ids, or images by name. @param {import("./scene.js").Scene} scene @param {string} on @returns {string[]} */
export function targets(scene, on) {
  if (on === "Image") {
    const images = new Set(scene.ofKind("Pod").flatMap(([, pod]) => (pod.containers ?? []).map((one) => one.image)));
    return ["*", ...[...images].sort()];
  }
  const found = scene.ofKind(on).filter(([, one]) => on !== "Pod" || one.node);
  return found.sort(([a, one], [b, other]) => Number(one.system ?? false) - Number(other.system ?? false) || NATURAL.compare(a, b)).slice(0, MOST_TARGETS).map(([id]) => id);
}

/** How a target is told: its name, with the namespace where that is not default. @param {string} id */
export function named(id) {
  const { ns, name } = parseId(id);
  return ns && ns !== "default" ? `${ns}/${name}` : name;
}

/** The faults of a thing. @param {import("./scene.js").Scene} scene @param {string} id @returns {Thing[]} */
export const faultsOf = (scene, id) => scene.ofKind("Fault").filter(([, fault]) => fault.target === id).map(([, fault]) => fault);

/** A fault, what ends it (`heal-FAULT`), or an act on a machine. @param {string} fault @returns {string} */
export const title = (fault) => (fault.startsWith("heal-") ? t("chaos.healed", { what: title(fault.slice(5)) }) : knows(`chaos.${fault}`) ? t(`chaos.${fault}`) : fault);

/** A fault's parameters where they say more than its name. @param {Thing} fault */
export function details(fault) {
  return Object.entries(fault.params ?? {}).filter(([, value]) => value !== null && value !== "" && value !== undefined)
    .map(([name, value]) => (name === "percent" ? `${value} %` : name === "factor" ? `${value}×` : word("choice", `${value}`))).join(" · ");
}

/** @param {string} kind @param {string} name */
const word = (kind, name) => (knows(`chaos.${kind}.${name}`) ? t(`chaos.${kind}.${name}`) : name);

export class Chaos {
  /** @param {HTMLElement} host @param {HTMLElement} tab @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene @param {{show: (id: string) => void, now: () => number}} acts */
  constructor(host, tab, api, scene, acts) {
    this.host = host;
    this.api = api;
    this.scene = scene;
    this.acts = acts;
    this.tab = tab;
    /** @type {FaultKind[]} */
    this.kinds = [];
    this.fault = "network";
    this.target = this.machine = "";
    /** @type {Record<string, string>} what was typed, by parameter */
    this.given = {};
    this.size = { cpu: "2", memory: "4" };
    /** Tell anew how long each fault has lasted. @type {(() => void)[]} */
    this.ages = [];
    setInterval(() => this.host.hidden || this.ages.forEach((tell) => tell()), 1000);
    this.form = h("form.card", { "aria-label": t("chaos.start"), onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), this.#start()) });
    this.list = h("section", { "aria-live": "off" });
    this.machines = h("form.card", { onsubmit: (/** @type {Event} */ event) => event.preventDefault() });
    this.balancing = h("form.card", { onsubmit: (/** @type {Event} */ event) => event.preventDefault() });
    host.append(h("div.traffic", {}, h("p", { "data-i18n": "chaos.about" }), actingPanel(this.list, this.form, this.machines, this.balancing)));
    scene.listen((update) => {
      if (update.whole || update.changes.some((change) => change.id.startsWith("Fault/"))) this.#active();
      if (update.whole || update.changes.some((change) => !change.before !== !change.after && (change.id.startsWith("Node/") || change.id.startsWith("Pod/")))) this.draw();
    });
    new MutationObserver(() => (this.draw(), this.#active(), void this.#balancer())).observe(host, { attributeFilter: ["hidden"] });
    onLanguage(() => (this.draw(), this.#active(), void this.#balancer()));
  }

  async load() {
    const told = await this.api.chaos().catch(() => ({ kinds: [] }));
    this.kinds = told.kinds;
    this.draw();
    this.#active();
  }

  /** What one has selected is the target of what one does next. @param {string|null} id */
  choose(id) {
    const kind = id?.slice(0, id.indexOf("/"));
    const fit = this.kinds.find((one) => one.fault === this.fault && one.on === kind) ?? this.kinds.find((one) => one.on === kind);
    if (!fit || !id) return;
    if (fit.fault !== this.fault) this.given = {};
    this.fault = fit.fault;
    this.target = id;
    if (kind === "Node") {
      this.machine = id;
      this.#sized(this.scene.get(id));
    }
    this.draw(true);
  }

  /** @param {Thing|undefined} node */
  #sized(node) {
    if (node?.cpu) this.size = { cpu: `${node.cpu / 1000}`, memory: `${Math.max(1, Math.round((node.memory ?? 0) / GIBI))}` };
  }

  /** Only while it is to be seen: its choices may be thousands of pods. @param {boolean} [anyway] also while somebody types in it */
  draw(anyway = false) {
    if (this.host.hidden) return;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    const typing = focused instanceof HTMLInputElement || focused instanceof HTMLSelectElement;
    if (!anyway && typing && (this.form.contains(focused) || this.machines.contains(focused))) return;
    const held = this.form.contains(focused) || this.machines.contains(focused) ? focused?.id : "";
    const kind = this.kinds.find((one) => one.fault === this.fault) ?? this.kinds[0];
    this.form.setAttribute("aria-label", t("chaos.start"));
    if (kind) this.#form(kind);
    this.#machines();
    if (held) document.getElementById(held)?.focus();
  }

  /** @param {FaultKind} kind */
  #form(kind) {
    const pick = h("select", { id: "chaos-fault", onchange: () => ((this.fault = pick.value), (this.given = {}), this.draw(true)) }, ...GROUPS.map((group) => h("optgroup", { label: t(`chaos.on.${group}`) },
      ...this.kinds.filter((one) => one.on === group).map((one) => h("option", { value: one.fault, text: title(one.fault) })))));
    pick.value = kind.fault;
    const about = knows(`chaos.${kind.fault}.about`) ? t(`chaos.${kind.fault}.about`) : kind.about;
    const choices = targets(this.scene, kind.on);
    if (kind.on !== "Image" && !choices.includes(this.target)) this.target = choices.find((id) => id !== "Node//m-k8s" && id !== "Node//manager") ?? choices[0] ?? "";
    if (kind.on === "Image" && this.target.includes("//")) this.target = choices[1] ?? "*";
    const target = kind.on === "Image" ? h("input", { type: "text", id: "chaos-target", list: "chaos-images", autocomplete: "off", spellcheck: "false", value: this.target, oninput: () => (this.target = target.value) })
      : h("select", { id: "chaos-target", onchange: () => ((this.target = target.value), this.draw(true)) }, ...choices.map((id) => h("option", { value: id, text: named(id) })));
    target.value = this.target;
    this.form.replaceChildren(...[
      h("label.field", {}, t("chaos.what"), pick), h("p", { text: about }),
      h("label.field", {}, t(`chaos.target.${kind.on}`), target), kind.on === "Image" ? h("datalist", { id: "chaos-images" }, ...choices.map((value) => h("option", { value }))) : null,
      ...kind.params.map((param) => this.#param(param)),
      h("p.row", {}, h("button.button.primary", { type: "submit", id: "chaos-start", disabled: !this.target, text: t("chaos.start") }), kind.on === "Image" ? null : h("small", { text: t("chaos.hint") })),
    ].filter(Boolean));
  }

  /** @param {FaultParam} param */
  #param(param) {
    const id = `chaos-${param.name}`;
    const keep = (/** @type {any} */ event) => (this.given[param.name] = event.target.value);
    const containers = param.name === "container" ? (this.scene.get(this.target)?.containers ?? []).map((one) => one.name) : null;
    const choices = containers ?? param.choices;
    const field = choices ? h("select", { id, onchange: keep }, ...choices.map((value) => h("option", { value, text: word("choice", value) })))
      : h("input", { type: param.kind === "number" ? "number" : "text", id, oninput: keep, min: param.most === undefined ? null : `${param.least ?? 0}`, max: param.most === undefined ? null : `${param.most}`, step: "any", placeholder: param.default === null ? t("chaos.asIs") : null });
    field.value = this.given[param.name] ?? param.default ?? "";
    if (choices && !choices.includes(field.value)) field.value = choices[0] ?? "";
    return h("label.field", {}, word("param", param.name), field);
  }

  async #start() {
    const kind = this.kinds.find((one) => one.fault === this.fault);
    if (!kind) return;
    /** @type {Record<string, any>} */
    const params = {};
    for (const param of kind.params) {
      const value = this.form.querySelector(`#chaos-${CSS.escape(param.name)}`)?.value ?? "";
      if (value !== "") params[param.name] = param.kind === "number" ? Number(value) : value;
    }
    const done = await this.#ask(() => this.api.inject({ fault: kind.fault, target: kind.on === "Image" ? `Image//${this.target}` : this.target, ...params }));
    if (done && !kind.lasting) toast(t("chaos.done", { what: title(kind.fault), target: named(done.target) }));
  }

  /** @param {() => Promise<any>} act */
  async #ask(act) {
    try {
      return await act();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
      return null;
    }
  }

  /** What is wrong now, the newest first. */
  #active() {
    const active = this.scene.ofKind("Fault").map(([, fault]) => fault).sort((a, b) => Number(b.name) - Number(a.name));
    if (active.length) this.tab.dataset.count = `${active.length}`;
    else delete this.tab.dataset.count;
    const had = this.list.contains(document.activeElement);
    this.ages = [];
    this.list.replaceChildren(...(active.length ? [
      h("header.row.spread", {}, h("h2", { text: t("chaos.active", { count: active.length }) }), active.length > 1 && h("button.button", { type: "button", id: "chaos-heal-all", text: t("chaos.healAll"), onclick: () => this.#ask(() => this.api.heal()) })),
      h("ul.wrongs", {}, ...active.map((fault) => this.line(fault))),
    ] : [h("p.quiet", { text: t("chaos.none") })]));
    if (had) (this.list.querySelector("button") ?? this.form.querySelector("select"))?.focus();
  }

  /** One fault, with the way back. @param {Thing} fault */
  line(fault) {
    const target = fault.target ?? "";
    const there = !!this.scene.get(target);
    const about = h("small");
    const tell = () => (about.textContent = [details(fault), t("chaos.since", { time: duration(this.acts.now() - (fault.since ?? 0)) }), fault.by].filter(Boolean).join(" · "));
    tell();
    this.ages.push(tell);
    return h("li", {},
      h("div", {}, h("strong", { text: title(fault.fault ?? "") }), " ", there ? h("button.link", { type: "button", text: named(target), onclick: () => this.acts.show(target) }) : named(target), about),
      h("button.button", { type: "button", "aria-label": t("chaos.healOne", { what: title(fault.fault ?? ""), target: named(target) }), text: t("chaos.heal"), onclick: () => this.#ask(() => this.api.heal(fault.id)) }));
  }

  /** The load balancer: on or off, as the room has it. @param {boolean} [on] switches it */
  async #balancer(on) {
    if (this.host.hidden) return;
    const told = await this.#ask(() => this.api.balancer(on));
    if (!told) return;
    const held = document.activeElement?.id === "balancer";
    const box = h("input", { type: "checkbox", id: "balancer", role: "switch", checked: told.on, onchange: () => void this.#balancer(box.checked) });
    this.balancing.setAttribute("aria-label", t("balancer.title"));
    this.balancing.replaceChildren(h("h2", { text: t("balancer.title") }), h("p", { text: t("balancer.about", { first: told.pool[0], last: told.pool[1] }) }), h("label.row", {}, box, t("balancer.on")));
    if (held) box.focus();
  }

  #machines() {
    const workers = this.scene.ofKind("Node").sort(([a], [b]) => NATURAL.compare(a, b));
    const node = h("select", { id: "machine", onchange: () => (this.#sized(this.scene.get(node.value)), (this.machine = node.value), this.draw(true)) }, ...workers.map(([id, one]) => h("option", { value: id, text: one.name })));
    if (!this.scene.get(this.machine)) this.machine = this.target.startsWith("Node/") ? this.target : workers.at(-1)?.[0] ?? "";
    node.value = this.machine;
    const name = () => parseId(node.value).name;
    const sizes = () => ({ cpu: Number(this.size.cpu), memory: Math.round(Number(this.size.memory) * GIBI) });
    /** @param {"cpu"|"memory"} which @param {string} step */
    const amount = (which, step) => h("input", { type: "number", id: `machine-${which}`, min: step, step, value: this.size[which], oninput: (/** @type {any} */ event) => (this.size[which] = event.target.value) });
    /** @param {string} key @param {() => any} body */
    const button = (key, body) => h("button.button", { type: "button", id: `machine-${key}`, text: t(`machine.${key}`), onclick: () => this.#ask(() => this.api.machine(body())) });
    this.machines.setAttribute("aria-label", t("machine.title"));
    this.machines.replaceChildren(h("h2", { text: t("machine.title") }), h("p", { text: t("machine.about") }),
      h("div.pair", {}, h("label.field", {}, t("machine.cpu"), amount("cpu", "1")), h("label.field", {}, t("machine.memory"), amount("memory", "1"))),
      h("p.row", {}, button("add", () => ({ op: "add", ...sizes() }))),
      h("label.field", {}, t("machine.which"), node),
      h("p.row", {}, button("resize", () => ({ op: "resize", name: name(), ...sizes() })), button("shutdown", () => ({ op: "shutdown", name: name() })), button("remove", () => ({ op: "remove", name: name() }))));
  }
}
