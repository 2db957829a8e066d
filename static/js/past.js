/**
 * Looking at the cluster as it was: a kept revision or a moment is asked for, one at a time and the latest wins, and shown by all of the
 * page; the banner says what one looks at and leads back, on, or into a room of one's own. The timeline tells it where to look, and is
 * what knows the marks around it.
 */
import { mayAct, setPast } from "./acting.js";
import { byId, h, icon, toast } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { insist } from "./lazy.js";
import { clockTime } from "./virtualtime.js";
import { Chronicle } from "./chronicle.js";
import { said } from "./said.js";

/** @typedef {{revision?: number, time?: number}} When */

export class Past {
  /** @param {{api: import("./api.js").Api, live: import("./live.js").Live, actions: import("./actions.js").Actions, banner?: HTMLElement}} parts */
  constructor({ api, live, actions, banner = byId("past-banner") }) {
    this.api = api;
    this.live = live;
    this.banner = banner;
    this.chronicle = new Chronicle();
    /** @type {When|null} what to show next */
    this.wanted = null;
    this.loading = false;
    /** @type {import("./types").Kept|null} what is shown */
    this.shown = null;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** Who shows the thing that a mark is about. @type {(id: string) => void} */
    this.marked = () => {};
    /** Whether something is selected, which Escape leaves first. */
    this.held = () => false;
    live.on("past", (revision) => {
      setPast(revision);
      this.draw();
    });
    const past = () => live.past !== null;
    const run = () => this.now();
    actions.add({ id: "now", label: () => t("past.now"), hint: "Esc", when: past, run },
      { id: "now.key", label: () => "", about: () => t("past.now"), key: "Escape", group: "keys.time", when: () => past() && !this.held(), run });
    onLanguage(() => this.draw());
  }

  /** @param {() => void} listener called when something else is looked at, or is about to be */
  listen(listener) {
    this.listeners.add(listener);
  }

  /** The kept revision that is looked at; null: now. */
  get revision() {
    return this.live.past;
  }

  /** Shows the cluster at a revision (or the moment given), or at the newest revision of a moment. @param {number|When} when */
  look(when) {
    this.wanted = typeof when === "number" ? { revision: when } : when;
    this.#told();
    return this.loading ? Promise.resolve() : this.#load();
  }

  async #load() {
    this.loading = true;
    this.banner.setAttribute("aria-busy", "true");
    while (this.wanted) {
      const wanted = this.wanted;
      try {
        const snapshot = await this.api.scene(wanted);
        if (!this.wanted) break;
        this.shown = snapshot.past ?? { revision: snapshot.storeRevision ?? 0, time: snapshot.time };
        this.api.at = this.shown.revision;
        this.live.look(this.shown.revision, snapshot);
      } catch (error) {
        if (this.wanted === wanted) toast(/** @type {Error} */ (error).message, true);
      }
      if (this.wanted === wanted) this.wanted = null;
    }
    this.loading = false;
    this.banner.removeAttribute("aria-busy");
    this.#told();
  }

  /** Back to now. */
  now() {
    this.wanted = null;
    this.api.at = null;
    this.shown = null;
    this.live.return();
    this.#told();
  }

  /** To a neighbouring change. @param {1|-1} way */
  step(way) {
    const { chronicle } = this;
    const at = this.wanted?.revision ?? this.revision;
    const next = at === null ? chronicle.last - 1 : at + way;
    if (way > 0 && (at === null || next >= chronicle.last)) return this.now();
    void this.look(Math.max(chronicle.first, next));
  }

  /** To a neighbouring mark. @param {1|-1} way */
  stepMark(way) {
    const { chronicle } = this;
    const at = this.wanted?.revision ?? this.revision;
    if (at === null && way > 0) return;
    const mark = way > 0 ? chronicle.next(at ?? chronicle.last) : chronicle.previous(at ?? chronicle.last + 1);
    if (mark) void this.look(mark.revision);
    else if (way > 0) this.now();
    else void this.look(chronicle.first);
  }

  /** A room of its own that goes on from what is shown. */
  async fork() {
    try {
      const [room, { show }] = await Promise.all([this.api.fork(this.revision, this.revision !== null), import("./fork.js")]);
      show(room, this.shown);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
  }

  #told() {
    for (const listener of this.listeners) listener();
  }

  draw() {
    const { banner, shown, revision } = this;
    banner.hidden = revision === null;
    if (revision === null || !shown) return;
    const held = banner.contains(document.activeElement) ? document.activeElement?.id : "";
    /** @param {string} id @param {string} name @param {string} key @param {() => void} run */
    const small = (id, name, key, run) => h("button.icon", { type: "button", id, "aria-label": t(key), title: t(key), onclick: run }, icon(name));
    const next = shown.next ?? this.chronicle.next(revision);
    const before = next ? t("past.before", { what: said(next) }) : "";
    banner.setAttribute("aria-label", t("past.label"));
    banner.replaceChildren(
      small("past-back", "up", "past.back", () => this.step(-1)), small("past-forward", "up", "past.forward", () => this.step(1)),
      h("p", {}, h("strong", { text: t("past.at", { time: clockTime(shown.time, true), revision }) }), " ", h("em", { text: t("past.readOnly") }), " ", h("span", { text: before, title: before })),
      h("button.button", { type: "button", id: "past-fork", text: t("past.fork"), onclick: () => void this.fork() }),
      h("button.button.primary", { type: "button", id: "past-now", onclick: () => this.now() }, t("past.now"), h("kbd", { text: "Esc" })));
    if (held) document.getElementById(held)?.focus();
  }
}

/**
 * Ties the past to all that shows it, and makes the timeline once there is a scene.
 * @param {Past} past
 * @param {{api: import("./api.js").Api, live: import("./live.js").Live, actions: import("./actions.js").Actions, topbar: import("./topbar.js").TopBar,
 *   scene: import("./scene.js").Scene, stage: any, terminal: any, inspector: any}} parts
 */
export function setUpTime(past, { api, live, actions, topbar, scene, stage, terminal, inspector }) {
  live.on("past", (revision) => {
    terminal.look(revision);
    stage.revision = revision ?? Math.max(scene.storeRevision, past.chronicle.last);
    stage.repaint();
    inspector.look?.(revision);
  });
  const looking = () => live.past !== null;
  const here = () => !looking();
  actions.add(
    { id: "past.back", group: "keys.time", label: () => t("past.back"), key: ",", run: () => past.step(-1) },
    { id: "past.forward", group: "keys.time", label: () => t("past.forward"), key: ".", when: looking, run: () => past.step(1) },
    { id: "past.previous", group: "keys.time", label: () => t("past.previous"), key: "<", run: () => past.stepMark(-1) },
    { id: "past.next", group: "keys.time", label: () => t("past.next"), key: ">", when: looking, run: () => past.stepMark(1) },
    { id: "fork", group: "keys.time", label: () => t(looking() ? "past.fork" : "past.forkNow"), run: () => void past.fork() },
    { id: "timeline", group: "keys.time", label: () => t("timeline.go"), run: () => byId("timeline-track")?.focus() },
    { id: "slower", group: "keys.time", label: () => t("clock.slower"), key: "[", when: here, run: () => topbar.pace(-1) },
    { id: "faster", group: "keys.time", label: () => t("clock.faster"), key: "]", when: here, run: () => topbar.pace(1) },
    ...["ready", "idle", "change"].map((what) => ({ id: `until.${what}`, group: "keys.time", label: () => `${t("until.title")}: ${t(`until.${what}`)}`, when: here, run: () => mayAct() && void topbar.until({ what }) })),
    { id: "until.selected", group: "keys.time", label: () => `${t("until.title")}: ${t("until.thing", { name: scene.get(stage.selected ?? "")?.name ?? "" })}`, when: () => here() && !!scene.get(stage.selected ?? ""), run: () => void topbar.until({ what: "ready", thing: stage.selected }) },
    { id: "until.more", group: "keys.time", label: () => t("until.more"), key: "u", when: here, run: () => void topbar.menu() },
  );
  topbar.heard = (clock) => live.sync.tick(clock);
  topbar.selected = () => scene.get(stage.selected ?? "") && stage.selected;
  let asked = false;
  const begin = () => {
    if (asked) return;
    asked = true;
    void insist(() => import("./timeline.js")).then(({ Timeline }) => Object.assign(past, { timeline: new Timeline(byId("timeline"), { api, live, scene, past }) }));
  };
  live.on("loaded", begin);
}
