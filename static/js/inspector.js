/** One thing from every side: facts from the scene at once; describe, YAML, Events and causes from the server, renewed as it changes. */
import { bytes, cores } from "./canvas/brush.js";
import { debounce, h, icon, toast } from "./dom.js";
import { facts, pairs, sourced, stateText, targeted, tone, trouble } from "./facts.js";
import { Follow } from "./follow.js";
import { onLanguage, t } from "./i18n.js";
import { parseId } from "./scene.js";
import { placed } from "./attempt.js";
import { budgetOf, ingressesTo, podOf, policiesOf, scalerOf } from "./canvas/relations.js";
import { details, faultsOf, title } from "./chaos.js";
import { duration } from "./virtualtime.js";
import { explained } from "./why.js";

const VIEWS = ["overview", "describe", "yaml", "events", "causes"];
const POD_VIEWS = ["overview", "logs", "describe", "yaml", "events", "causes"];
const LOG_LINES = 200;
const MOST_OWNED = 12;
const NATURAL = new Intl.Collator("en", { numeric: true });
/** What is no object of the API. */
const BARE = new Set(["Traffic", "Component", "Fault"]);
const BREAKABLE = new Set(["Node", "Pod", "Component"]);

export class Inspector {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api @param {import("./scene.js").Scene} scene @param {{show: (id: string) => void, now: () => number, edit: (yaml: string) => void, chaos: (id: string) => void}} acts */
  constructor(host, api, scene, acts) {
    this.host = host;
    this.api = api;
    this.scene = scene;
    this.acts = acts;
    /** @type {string|null} */
    this.id = null;
    this.view = "overview";
    /** @type {any} */
    this.detail = null;
    /** @type {{stdout: string, stderr: string}|null} */
    this.logs = null;
    this.previous = false;
    this.placed = false;
    this.follow = new Follow(api, scene, acts.show);
    this.refresh = debounce(() => this.#fetch(), 350);
    scene.listen((update) => {
      if (!this.id || !update.changes.some((change) => change.id === this.id || (change.after ?? change.before)?.target === this.id)) return;
      this.draw();
      this.refresh();
    });
    onLanguage(() => this.draw());
    this.draw();
  }

  /** @param {string|null} id */
  show(id) {
    if (id !== this.id) {
      this.detail = this.logs = null;
      this.follow = new Follow(this.api, this.scene, this.acts.show);
      this.previous = false;
    }
    this.id = id;
    this.draw();
    if (id) this.#fetch();
  }

  async #fetch() {
    const id = this.id;
    if (!id || !this.scene.get(id) || BARE.has(parseId(id).kind)) return;
    try {
      const detail = await this.api.inspect(id);
      if (id !== this.id) return;
      this.detail = detail;
    } catch (error) {
      if (id === this.id) this.detail = { failed: /** @type {Error} */ (error).message };
    }
    this.draw();
    if (this.view === "logs") this.#read();
  }

  async #read() {
    const { id, previous } = this;
    if (!id?.startsWith("Pod/")) return;
    const { ns, name } = parseId(id);
    const answer = await this.api.terminal(`kubectl logs ${name} -n ${ns} --all-containers --tail=${LOG_LINES}${previous ? " --previous" : ""}`).catch((/** @type {Error} */ error) => ({ stdout: "", stderr: error.message }));
    if (id !== this.id || previous !== this.previous) return;
    this.logs = answer;
    if (this.view === "logs") this.draw();
  }

  draw() {
    const thing = this.id ? this.scene.get(this.id) : undefined;
    if (!this.id || (!thing && !this.detail)) {
      this.host.replaceChildren(h("div.empty", {}, icon("cursor"), h("strong", { text: this.id ? t("inspect.gone") : t("inspect.none") }), this.id ? "" : t("inspect.hint")));
      return;
    }
    const { kind, ns, name } = parseId(this.id);
    const scroll = this.host.querySelector(".inspect-body")?.scrollTop ?? 0;
    const focused = this.host.contains(document.activeElement) ? document.activeElement?.id : "";
    const head = h("div.inspect-head", {},
      h("div.kind", {}, kind === "Traffic" ? t("traffic.source") : kind, ns ? h("span.chip", { text: ns }) : null, thing ? h("span.chip.state", { "data-tone": tone(thing), text: stateText(thing, t) }) : h("span.chip.state", { text: t("inspect.gone") })),
      h("h2", { text: thing?.kind === "Traffic" ? sourced(thing, t) : name }));
    const views = BARE.has(kind) ? ["overview"] : kind === "Pod" ? POD_VIEWS : VIEWS;
    if (!views.includes(this.view)) this.view = "overview";
    const tabs = h("div.segments", { role: "tablist" }, ...views.map((view) => h("button", {
      role: "tab", type: "button", id: `view-${view}`, text: t(`inspect.${view}`), "aria-selected": `${view === this.view}`, "aria-controls": "inspect-body",
      tabIndex: view === this.view ? 0 : -1, onclick: () => this.#to(view), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#arrow(event, views),
    })));
    const body = h("div.inspect-body", { role: "tabpanel", id: "inspect-body", tabIndex: 0, "aria-labelledby": `view-${this.view}` }, ...this.#body(thing));
    this.host.replaceChildren(head, tabs, body);
    body.scrollTop = scroll;
    if (focused) document.getElementById(focused)?.focus();
  }

  /** @param {string} view */
  #to(view) {
    this.view = view;
    this.draw();
    if (view === "logs") this.#read();
  }

  /** @param {KeyboardEvent} event @param {string[]} views */
  #arrow(event, views) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    this.#to(views[(views.indexOf(this.view) + way + views.length) % views.length]);
    document.getElementById(`view-${this.view}`)?.focus();
  }

  /** @param {import("./types").Thing|undefined} thing @returns {any[]} */
  #body(thing) {
    if (this.view === "overview") return this.#overview(thing);
    if (this.view === "logs") return this.#logs(thing);
    if (!this.detail) return [h("p", { text: t("inspect.loading") })];
    if (this.detail.failed) return [h("p.note", { text: this.detail.failed })];
    if (this.view === "describe") return [h("pre", { text: this.detail.describe ?? "" })];
    if (this.view === "yaml") return [h("p", {}, h("button.button", { type: "button", text: t("inspect.edit"), onclick: () => this.acts.edit(this.detail.yaml) })), h("pre", { text: this.detail.yaml ?? "" })];
    if (this.view === "events") return this.#events(this.detail.events ?? []);
    return this.#causes(this.detail.causes ?? []);
  }

  /** @param {import("./types").Thing|undefined} thing @returns {any[]} */
  #overview(thing) {
    if (!thing) return [h("p", { text: t("inspect.gone") })];
    const parts = [];
    if (thing.kind === "Node") {
      /** @param {string} label @param {number} used @param {number} all @param {string} text */
      const line = (label, used, all, text) => {
        const fill = h("b");
        fill.style.width = `${all ? Math.min(100, (100 * used) / all) : 0}%`;
        return h("div.barline", {}, h("span", { text: label }), h("i", {}, fill), h("span", { text }));
      };
      const asked = thing.requested ?? { cpu: 0, memory: 0, pods: 0 };
      parts.push(h("div.bars", {}, line("CPU", asked.cpu, thing.cpu ?? 0, `${cores(asked.cpu)} / ${cores(thing.cpu ?? 0)}`),
        line(t("fact.memory"), asked.memory, thing.memory ?? 0, `${bytes(asked.memory)} / ${bytes(thing.memory ?? 0)}`), line(t("fact.pods"), asked.pods, thing.pods ?? 0, `${asked.pods} / ${thing.pods ?? 0}`)));
    }
    parts.push(h("dl.facts", {}, ...[...facts(thing, t), ...this.#governors(thing)].flatMap((fact) => [h("dt", { text: fact.label }),
      h(fact.mono ? "dd.mono" : "dd", {}, fact.id ? h("button.link", { type: "button", text: fact.value, onclick: () => this.acts.show(/** @type {string} */ (fact.id)) }) : fact.value)])));
    if (Object.keys(thing.labels ?? {}).length) parts.push(h("div.chips", {}, ...pairs(thing.labels).split(", ").map((text) => h("span.chip", { text }))));
    const owned = [...(this.scene.owned.get(/** @type {string} */ (this.id)) ?? [])].filter((id) => !id.startsWith("Pod/")).sort(NATURAL.compare).slice(-MOST_OWNED);
    if (owned.length) parts.push(h("h3.owned", { text: t("inspect.owns") }), h("ul.owned", {}, ...owned.map((id) => this.#owned(id))));
    const attempt = this.detail?.attempt ?? null;
    const why = explained(this.detail?.why ?? [], thing, this.scene, this.acts.show, attempt);
    const about = trouble(thing, t);
    if (why) parts.unshift(why);
    else if (about) parts.unshift(h("p.note", { text: about }));
    for (const fault of faultsOf(this.scene, this.id ?? "")) parts.unshift(this.#broken(fault));
    if (attempt?.node) parts.push(h("details.placed", { open: this.placed, ontoggle: (/** @type {any} */ event) => (this.placed = event.target.open) }, h("summary", { id: "placed", text: t("attempt.why", { node: attempt.node }) }), ...placed(attempt, this.acts.show)));
    if (thing.kind === "Traffic") {
      const aim = { target: thing.target ?? "", port: thing.port, ...(thing.source ? { source: thing.source } : {}) };
      parts.push(h("p.row.after", {}, h("button.button", { type: "button", id: "follow", text: t("follow.one"), onclick: () => this.follow.run(aim) })), this.follow.element);
    }
    if (BREAKABLE.has(thing.kind) && !thing.gone && !(thing.kind === "Pod" && !thing.node)) parts.push(h("p.row.after", {}, h("button.button", { type: "button", id: "break", text: t("chaos.break"), onclick: () => this.acts.chaos(/** @type {string} */ (this.id)) })));
    return parts;
  }

  /** @param {string} id */
  #owned(id) {
    const thing = /** @type {import("./types").Thing} */ (this.scene.get(id));
    return h("li", {}, h("button.link", { type: "button", text: `${thing.kind} ${thing.name}`, onclick: () => this.acts.show(id) }), h("span.chip.state", { "data-tone": tone(thing), text: stateText(thing, t) }));
  }

  /** @param {import("./types").Thing} fault */
  #broken(fault) {
    const heal = () => this.api.heal(fault.id).catch((/** @type {Error} */ error) => toast(error.message, true));
    return h("p.note.wrong", {}, t("chaos.here", { what: [title(fault.fault ?? ""), details(fault)].filter(Boolean).join(", ") }), " ", h("button.link", { type: "button", id: `heal-${fault.name}`, text: t("chaos.heal"), onclick: heal }));
  }

  /** Who sizes and who guards it. @param {import("./types").Thing} thing @returns {import("./facts.js").Fact[]} */
  #governors(thing) {
    const id = /** @type {string} */ (this.id);
    const scaler = scalerOf(this.scene, id);
    const budget = thing.kind === "Pod" ? budgetOf(this.scene, thing) : thing.selector && thing.kind !== "Service" && thing.kind !== "PodDisruptionBudget" ? budgetOf(this.scene, podOf(this.scene, id)) : undefined;
    return [scaler && { label: "HorizontalPodAutoscaler", value: scaler[1].name, id: scaler[0] }, budget && { label: "PodDisruptionBudget", value: budget[1].name, id: budget[0] },
      ...(thing.kind === "Pod" ? policiesOf(this.scene, thing) : thing.kind === "Service" ? ingressesTo(this.scene, id) : []).map(([other, one]) => ({ label: one.kind, value: one.name, id: other })),
      ...(thing.kind === "Pod" ? this.scene.ofKind("Traffic").filter(([, one]) => one.source === id) : []).map(([other, one]) => ({ label: t("fact.sends"), value: `${targeted(one)} · ${one.rate}/s`, id: other }))].filter((one) => !!one);
  }

  /** @param {import("./types").Thing|undefined} thing */
  #logs(thing) {
    const again = (/** @type {boolean} */ previous) => ((this.previous = previous), (this.logs = null), this.draw(), this.#read());
    const bar = h("p.row", {}, h("button.button", { type: "button", id: "logs-again", text: t("inspect.again"), onclick: () => this.#read() }),
      thing?.restarts ? h("label", {}, h("input", { type: "checkbox", id: "logs-previous", checked: this.previous, onchange: (/** @type {any} */ event) => again(event.target.checked) }), ` ${t("inspect.previous")}`) : null);
    if (!this.logs) return [bar, h("p", { text: t("inspect.loading") })];
    const { stdout, stderr } = this.logs;
    return [bar, stdout ? h("pre", { text: stdout }) : null, stderr ? h("p.note", { text: stderr }) : null, stdout || stderr ? null : h("p", { text: t("inspect.noLogs") })].filter(Boolean);
  }

  /** @param {any[]} events */
  #events(events) {
    if (!events.length) return [h("p", { text: t("inspect.noEvents") })];
    return [h("ul.events", {}, ...[...events].sort((a, b) => (b.last ?? 0) - (a.last ?? 0)).map((event) => h(`li.${event.type === "Warning" ? "Warning" : "Normal"}`, {},
      h("strong", { text: `${event.reason}${event.count > 1 ? ` ×${event.count}` : ""}` }), h("small", { text: `${this.#ago(event.last)} · ${event.from ?? ""}` }), h("span.message", { text: event.message }))))];
  }

  /** @param {any} at virtual seconds */
  #ago(at) {
    return typeof at === "number" ? t("inspect.ago", { time: duration(this.acts.now() - at) }) : `${at ?? ""}`;
  }

  /** @param {any[]} causes */
  #causes(causes) {
    if (!causes.length) return [h("p", { text: t("inspect.noCauses") })];
    return [h("ol.causes", {}, ...causes.map((cause) => {
      const thing = parseId(cause.thing ?? "");
      const verb = cause.act ? (cause.verb.startsWith("heal-") ? t("chaos.healed", { what: title(cause.verb.slice(5)) }) : title(cause.verb)) : t(`verb.${cause.verb}`);
      return h("li", {}, h("strong", { text: cause.act && cause.user ? cause.user : cause.client }), ` ${verb} `,
        h("button.link", { type: "button", text: `${thing.kind} ${thing.name}`, onclick: () => this.acts.show(cause.thing) }), h("br"),
        h("small", { text: t("inspect.cause", { revision: cause.revision, time: typeof cause.time === "number" ? `${cause.time.toFixed(2)} s` : cause.time }) }));
    }))];
  }
}
