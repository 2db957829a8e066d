/**
 * One thing from every side, in tabs. The scene's record shows at once, what only the server knows is fetched for the tab that is looked at
 * and renewed as the thing changes. Tabs are kept, and what did not change in them is left alone, so that nobody loses their place.
 */
import { COLOURS } from "../canvas/colours.js";
import { mark } from "../canvas/marks.js";
import { byId, h, icon } from "../dom.js";
import { sourced, stateText, tone } from "../facts.js";
import { onLanguage, t } from "../i18n.js";
import { parseId } from "../scene.js";
import { current } from "../theme.js";
import { duration } from "../virtualtime.js";
import { Browse } from "./browse.js";
import { DescribeView } from "./describe.js";
import { EventsView } from "./events.js";
import { forget, keyed, throttled } from "./keyed.js";
import { LogsView } from "./logs.js";
import { MetricsView } from "./metrics.js";
import { OverviewView } from "./overview.js";
import { summary } from "./several.js";
import { ShellView } from "./shell.js";
import { WhyTab } from "./whytab.js";
import { YamlView } from "./yaml.js";

/** @typedef {import("../types").Thing} Thing */
/**
 * @typedef {{element: HTMLElement, parts: string[], every?: number, begin: () => void, update: () => void, leave: () => void, ages?: () => void}} View
 *   `parts` of the inspection that it shows, `every` so many milliseconds anew; `begin` when another thing is shown
 * @typedef {{show: (id: string) => void, clear: () => void, now: () => number, edit: (yaml: string) => void, chaos: (id: string) => void, run: (line: string) => void, paused: () => boolean, live: import("../live.js").Live}} Acts
 */

/** What is no object of the API. */
const BARE = new Set(["Traffic", "Component", "Fault"]);
const MEASURED = new Set(["Pod", "Node", "Service", "Traffic", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "HorizontalPodAutoscaler"]);
/** What is read from the cluster as it is now. */
const READ = new Set(["yaml", "describe", "events"]);
const VIEWS = ["overview", "causes", "yaml", "describe", "events", "logs", "shell", "metrics"];

/** @param {string} kind */
function viewsOf(kind) {
  if (BARE.has(kind)) return kind === "Traffic" ? ["overview", "causes", "metrics"] : ["overview", "causes"];
  return VIEWS.filter((view) => (view === "logs" || view === "shell" ? kind === "Pod" : view === "metrics" ? MEASURED.has(kind) : true));
}

export class Panel {
  /** @param {HTMLElement} host @param {import("../api.js").Api} api @param {import("../scene.js").Scene} scene @param {Acts} acts */
  constructor(host, api, scene, acts) {
    this.host = host;
    this.api = api;
    this.scene = scene;
    this.acts = acts;
    /** @type {string|null} */
    this.id = null;
    /** @type {string[]} more that is selected */
    this.several = [];
    this.view = "overview";
    /** @type {any} what the server told */
    this.detail = null;
    this.gone = false;
    /** When it was first missed. @type {number|undefined} */
    this.ended = undefined;
    /** Whether the scene has had it: when it has it no longer, it is no more. */
    this.drawn = false;
    this.failed = "";
    this.stale = true;
    this.asked = 0;
    this.turn = 0;
    /** @type {{container?: string}} */
    this.state = {};
    this.browsing = false;
    this.go = this.go.bind(this);
    this.refresh = throttled(() => void this.fetch(), 350);
    this.soon = throttled(() => this.draw(), 60);
    const made = this.#made();
    this.head = made.head;
    this.tabs = made.tabs;
    this.body = made.body;
    this.browse = made.browse;
    this.many = made.many;
    this.views = made.views;
    scene.listen((update) => this.#heard(update));
    acts.live.on("past", () => this.#past());
    onLanguage(() => this.#anew());
    new MutationObserver(() => this.#shown()).observe(host, { attributes: true, attributeFilter: ["hidden"] });
    host.addEventListener("click", (event) => this.#click(event));
    setInterval(() => this.#tick(), 1000);
  }

  /** Its parts, in the language of now. */
  #made() {
    /** @type {Record<string, any>} */
    const views = { overview: new OverviewView(this), causes: new WhyTab(this), yaml: new YamlView(this), describe: new DescribeView(this), events: new EventsView(this), logs: new LogsView(this), shell: new ShellView(this), metrics: new MetricsView(this) };
    return { head: h("div.inspect-head"), tabs: h("div.segments", { role: "tablist", "aria-label": t("inspect.tabs") }), body: h("div.inspect-body", { role: "tabpanel", id: "inspect-body" }), browse: new Browse(this), many: h("div.several"), views };
  }

  get past() {
    return this.acts.live.past;
  }

  get thing() {
    return this.id ? this.scene.get(this.id) : undefined;
  }

  get visible() {
    return !this.host.hidden && !byId("side").inert;
  }

  /** Whether there is something to see behind an id. @param {string|undefined} id */
  reachable(id) {
    return !!id && (!!this.scene.get(id) || !BARE.has(parseId(id).kind));
  }

  /** Shows a thing, on the canvas too if it is drawn there. @param {string} id */
  go(id) {
    if (id.startsWith("Browse/")) {
      const [, ns, resource, name] = id.split("/");
      this.acts.clear();
      return void this.#browse().then(() => this.browse.open(resource, ns, name));
    }
    if (this.scene.get(id)) this.acts.show(id);
    else this.show(id);
  }

  /** @param {string|null} id @param {string[]} [several] */
  show(id, several = []) {
    this.several = several.length > 1 ? several : [];
    if (id !== this.id) {
      if (this.id) this.views[this.view].leave();
      this.id = id;
      this.detail = null;
      this.gone = this.drawn = false;
      this.ended = undefined;
      this.failed = "";
      if (id && !viewsOf(parseId(id).kind).includes(this.view)) this.view = "overview";
      if (id) for (const view of Object.values(this.views)) view.begin();
      this.body.scrollTop = 0;
      this.browsing = false;
    }
    this.draw();
    if (id && !this.several.length) void this.fetch();
  }

  /** Shows a tab. @param {string} view */
  to(view) {
    if (view !== this.view) {
      this.views[this.view].leave();
      this.view = view;
      this.body.scrollTop = 0;
    }
    this.draw();
    void this.fetch();
  }

  /** Shows a field of an object in its YAML. @param {string} id @param {string} path */
  field(id, path) {
    if (id !== this.id) this.go(id);
    this.to("yaml");
    this.views.yaml.field(path);
  }

  async fetch() {
    const { id, view } = this;
    if (!id || BARE.has(parseId(id).kind)) return;
    if (!this.visible) return void (this.stale = true);
    if (this.drawn && !this.thing) return (this.gone = true), this.draw();
    this.drawn ||= !!this.thing;
    const parts = this.views[view].parts;
    this.asked = performance.now();
    if (!parts.length && this.detail) return;
    const turn = ++this.turn;
    try {
      const told = await this.api.inspect(id, [...new Set(["about", ...parts])]);
      if (id !== this.id || turn < this.turn) return;
      this.detail = { ...this.detail, ...told };
      this.gone = false;
      this.ended = undefined;
      this.failed = "";
    } catch (error) {
      if (id !== this.id) return;
      this.gone = !this.thing;
      this.failed = /** @type {Error} */ (error).message;
    }
    this.stale = false;
    this.draw();
  }

  draw() {
    if (!this.visible) return void (this.stale = true);
    if (this.several.length) return keyed(this.host, [["several", "", () => this.many]]), summary(this.many, this.several, this.scene);
    if (!this.id) return void this.#nothing();
    const { kind } = parseId(this.id);
    this.#head();
    const views = viewsOf(kind);
    keyed(this.tabs, views.map((view) => [view, `${view === this.view}`, () => h("button", {
      role: "tab", type: "button", id: `view-${view}`, text: t(`inspect.${view}`), "aria-selected": `${view === this.view}`, "aria-controls": "inspect-body", tabIndex: view === this.view ? 0 : -1,
      onclick: () => this.to(view), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#arrow(event, views),
    })]));
    this.body.setAttribute("aria-labelledby", `view-${this.view}`);
    keyed(this.host, [["head", "", () => this.head], ["tabs", "", () => this.tabs], ["body", "", () => this.body]]);
    const view = this.views[this.view];
    if (this.gone && this.past !== null && !this.thing) return keyed(this.body, [["lost", "", () => h("p.note", { text: t("inspect.notThenLong") })]]);
    if (this.gone && READ.has(this.view) && this.detail?.[this.view] === undefined) return this.body.classList.remove("fixed"), keyed(this.body, [["lost", "", () => h("p.note", { text: t("inspect.goneLong") })]]);
    keyed(this.body, [this.failed && !this.gone ? ["failed", this.failed, () => h("p.note.wrong", { text: this.failed })] : null, ["view", this.view, () => view.element]]);
    this.body.classList.toggle("fixed", view.element.classList.contains("fixed"));
    view.update();
    this.#ages();
  }

  #head() {
    const { thing, detail } = this;
    const { kind, ns, name } = parseId(/** @type {string} */ (this.id));
    const about = detail?.about;
    const state = this.gone || (!thing && !about && this.failed) ? ["unknown", t(this.past === null ? "inspect.gone" : "inspect.notThen")] : thing ? [tone(thing), stateText(thing, t)] : null;
    const owners = this.#owners(thing, about);
    const words = thing?.kind === "Traffic" ? sourced(thing, t) : name;
    keyed(this.head, [
      ["crumbs", owners.join("|"), () => h("nav.crumbs", { "aria-label": t("inspect.owners") }, h("button.link", { type: "button", id: "inspect-browse", onclick: () => void this.browseAll() }, t("inspect.all")),
        ...owners.flatMap((owner) => [h("span", { "aria-hidden": "true", text: "›" }), h("button.link", { type: "button", "data-show": owner, text: `${parseId(owner).kind} ${parseId(owner).name}` })]))],
      ["kind", [about?.short, ns, state, thing?.state, current()].join("|"), () => h("div.kind", {}, this.#glyph(thing, about?.short ?? ""), h("span", { text: kind === "Traffic" ? t("traffic.source") : kind }), ns ? h("span.chip", { text: ns, title: t("browse.namespace") }) : null,
        state ? h("span.chip.state", { "data-tone": state[0], text: state[1] }) : null, h("span.age", { title: t("inspect.age") }))],
      ["name", words, () => h("h2", { text: words })],
    ]);
  }

  /** The mark of the canvas, or the name that kubectl shortens the kind to. @param {Thing|undefined} thing @param {string} short */
  #glyph(thing, short) {
    if (thing?.kind !== "Pod") return short ? h("span.badge", { text: short }) : null;
    const canvas = h("canvas.glyph", { width: 44, height: 44, "aria-hidden": "true" });
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    mark(pen, { ...thing, restarts: 0 }, 11, 11, 8, COLOURS[current()], this.acts.now());
    return canvas;
  }

  /** From the topmost owner down. @param {Thing|undefined} thing @param {any} about @returns {string[]} */
  #owners(thing, about) {
    if (about) return [...(about.owners ?? [])].reverse();
    const found = [];
    for (let owner = thing?.owner; owner && found.length < 8; owner = this.scene.get(owner)?.owner) found.unshift(owner);
    return found;
  }

  #nothing() {
    keyed(this.host, [
      ["empty", `${this.browsing}`, () => h("div.inspect-none", {}, icon("cursor"), h("div", {}, h("strong", { text: t("inspect.none") }), h("p", { text: t("inspect.hint") })))],
      ["browse", "", () => this.browse.element]]);
    if (this.browsing) return;
    this.browsing = true;
    void this.browse.show();
  }

  /** Everything there is. */
  browseAll() {
    this.acts.clear();
    return this.#browse();
  }

  async #browse() {
    this.show(null);
    this.browsing = true;
    await this.browse.show();
  }

  #ages() {
    const age = this.head.querySelector(".age");
    const created = this.detail?.about?.created ?? this.thing?.created;
    const now = this.acts.now();
    if (this.gone) this.ended ??= now;
    if (age) age.textContent = created === undefined ? "" : this.ended === undefined ? t("inspect.old", { time: duration(now - created) }) : t("inspect.lived", { time: duration(this.ended - created), ago: duration(now - this.ended) });
    this.views[this.view].ages?.();
  }

  #tick() {
    if (!this.visible || !this.id || this.several.length || document.hidden) return;
    this.#ages();
    const { every } = this.views[this.view];
    if (every && this.past === null && !this.acts.paused() && performance.now() - this.asked >= every) void this.fetch();
  }

  /** @param {import("../scene.js").Update} update */
  #heard({ changes, signals, whole }) {
    if (this.several.length) return this.soon();
    const { id } = this;
    if (!id) return;
    if (!whole && !changes.some((one) => one.id === id || (one.after ?? one.before)?.target === id || (one.after ?? one.before)?.owner === id) && !signals.some((one) => one.thing === id)) return;
    this.soon();
    this.refresh();
  }

  #past() {
    this.detail = null;
    if (this.id) for (const view of Object.values(this.views)) view.begin();
    this.browsing = false;
    this.draw();
    if (this.id) void this.fetch();
  }

  #shown() {
    if (!this.visible) return this.id ? this.views[this.view].leave() : undefined;
    this.draw();
    if (this.stale) void this.fetch();
  }

  #anew() {
    for (const view of Object.values(this.views)) view.leave();
    for (const host of [this.host, this.head, this.tabs, this.body]) forget(host);
    Object.assign(this, this.#made(), { browsing: false });
    if (this.id) for (const view of Object.values(this.views)) view.begin();
    this.draw();
    if (this.id) void this.fetch();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const to = /** @type {HTMLElement|null} */ (target.closest("[data-show]"))?.dataset.show;
    const field = /** @type {HTMLElement|null} */ (target.closest("[data-field]"))?.dataset.field;
    if (to) this.go(to);
    else if (field && this.id) this.field(this.id, field);
  }

  /** @param {KeyboardEvent} event @param {string[]} views */
  #arrow(event, views) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    this.to(views[(views.indexOf(this.view) + way + views.length) % views.length]);
    byId(`view-${this.view}`)?.focus();
  }
}
