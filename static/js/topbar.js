/**
 * The bar on top: the clock of what is looked at, the room's pace and what it runs until, who is here, the link to share, theme and
 * language. While the past is looked at the pace is not to be changed.
 */
import { acting, isPast, mayAct } from "./acting.js";
import { byId, clip, h, icon, toast } from "./dom.js";
import { LANGUAGES, language, onLanguage, speak, t } from "./i18n.js";
import { choose, chosen, enlarge, isLarge } from "./theme.js";
import { clockTime, duration } from "./virtualtime.js";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 100];

/** @typedef {{what: string, thing?: string|null, condition?: string}} Goal */

export class TopBar {
  /** @param {import("./api.js").Api} api @param {import("./virtualtime.js").VirtualTime} time @param {import("./scene.js").Scene} scene @param {{palette: () => void, help: () => void, share: () => void}} acts */
  constructor(api, time, scene, acts) {
    this.api = api;
    this.time = time;
    this.scene = scene;
    this.acts = acts;
    this.people = 1;
    this.state = "waiting";
    this.shown = h("output", { "data-i18n-label": "clock.time" });
    this.pause = h("button.icon", { type: "button", id: "pause", onclick: () => this.toggle() });
    this.stepper = h("button.icon", { type: "button", id: "step", onclick: () => this.step() }, icon("step"));
    this.speed = h("select", { id: "speed", onchange: () => this.#ask({ speed: Number(this.speed.value) }) });
    this.slower = h("button.icon", { type: "button", id: "slower", onclick: () => this.pace(-1) }, icon("minus"));
    this.faster = h("button.icon", { type: "button", id: "faster", onclick: () => this.pace(1) }, icon("plus"));
    this.goal = h("button.icon", { type: "button", id: "until", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => (this.running ? this.#ask({ paused: true }) : this.menu()) });
    /** What the room runs until, while it does. @type {Goal|null} */
    this.running = null;
    /** Takes in what the server says of the clock. @type {(clock: import("./types").ClockState) => void} */
    this.heard = (clock) => time.hear(clock.time ?? time.heard, clock);
    /** The thing that is selected. @type {() => string|null|undefined|false} */
    this.selected = () => null;
    byId("clock").append(acting(this.pause, this.stepper), this.shown, acting(this.slower, this.speed, this.faster, this.goal));
    this.draw();
    onLanguage(() => this.draw());
    setInterval(() => this.tick(), 250);
  }

  toggle() {
    return this.#ask({ paused: !this.time.paused });
  }

  step() {
    return this.#ask({ step: true });
  }

  /** The next slower or faster pace. @param {1|-1} way */
  pace(way) {
    const { speed } = this.time;
    const next = way > 0 ? SPEEDS.find((one) => one > speed) : SPEEDS.findLast((one) => one < speed);
    if (next && mayAct()) return this.#ask({ speed: next });
  }

  /** What one can run the room until. */
  async menu() {
    if (!mayAct() || this.running) return;
    const { open } = await import("./until.js");
    open(this, this.scene, this.selected() || null);
  }

  /** Runs as fast as it goes until something is so; says what came of it. @param {Goal} goal */
  async until(goal) {
    if (this.running || !mayAct()) return;
    this.running = goal;
    this.clock();
    const { name } = this.scene.get(goal.thing ?? "") ?? { name: "" };
    const words = { what: t(goal.thing ? (goal.condition ? "until.is" : "until.thing") : `until.${goal.what}`, { name, condition: goal.condition }) };
    const before = this.time.now;
    try {
      const clock = await this.api.clock({ until: /** @type {any} */ (goal) });
      this.heard(clock);
      const took = duration(Math.max(0, clock.time - before));
      toast(t(clock.reached ? "until.reached" : "until.notReached", { ...words, time: took }), !clock.reached);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    } finally {
      this.running = null;
      this.clock();
    }
  }

  /** Lets so many seconds pass at once. @param {number} seconds */
  advance(seconds) {
    return this.#ask({ paused: true, advance: seconds });
  }

  /** @param {{paused?: boolean, speed?: number, advance?: number, step?: boolean}} change */
  async #ask(change) {
    if (!mayAct()) return;
    try {
      const clock = await this.api.clock(change);
      this.heard(clock);
      this.clock();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
      this.clock();
    }
  }

  tick() {
    const text = clockTime(this.time.now);
    if (this.shown.textContent !== text) this.shown.textContent = text;
  }

  clock() {
    const { paused, speed } = this.time;
    byId("clock").dataset.paused = `${paused && !isPast()}`;
    this.pause.replaceChildren(icon(paused ? "play" : "pause"));
    named(this.pause, t(paused ? "clock.play" : "clock.pause"), "P");
    if (document.activeElement !== this.speed || ![...this.speed.options].some((one) => Number(one.value) === speed)) {
      const speeds = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b);
      this.speed.replaceChildren(...speeds.map((one) => h("option", { value: `${one}`, text: `${one}×` })));
    }
    this.speed.value = `${speed}`;
    this.slower.disabled = speed <= SPEEDS[0];
    this.faster.disabled = speed >= /** @type {number} */ (SPEEDS.at(-1));
    this.goal.replaceChildren(icon(this.running ? "stop" : "flag"));
    this.goal.classList.toggle("running", !!this.running);
    named(this.goal, this.running ? t("until.stop") : t("until.title"), "U");
    this.tick();
  }

  /** @param {string} state */
  connection(state) {
    this.state = state;
    const pill = byId("connection");
    pill.dataset.state = state;
    pill.textContent = t(`connection.${state}`);
  }

  /** @param {number} count */
  here(count) {
    this.people = count;
    const badge = document.getElementById("people");
    if (badge) this.#badge(badge);
  }

  /** @param {HTMLElement} badge */
  #badge(badge) {
    badge.replaceChildren(icon("people"), `${this.people}`);
    badge.setAttribute("aria-label", t("people", { count: this.people }));
    badge.title = t("people", { count: this.people });
  }

  draw() {
    named(this.stepper, t("clock.step"), "S");
    named(this.slower, t("clock.slower"), "[");
    named(this.faster, t("clock.faster"), "]");
    this.speed.setAttribute("aria-label", t("clock.speed"));
    const theme = chosen();
    const next = { auto: "dark", dark: "light", light: "auto" };
    const badge = h("span.people", { id: "people", role: "img" });
    this.#badge(badge);
    /** @param {string} name @param {string} label @param {() => void} run */
    const button = (name, label, run) => h("button.icon", { type: "button", "aria-label": label, title: label, onclick: run }, icon(name));
    const pick = h("select", { id: "language", "aria-label": t("language"), onchange: () => speak(pick.value) }, ...Object.entries(LANGUAGES).map(([value, text]) => h("option", { value, text })));
    pick.value = language;
    byId("tools").replaceChildren(badge,
      button("search", `${t("palette.label")} (Ctrl K)`, this.acts.palette),
      button({ auto: "auto", dark: "moon", light: "sun" }[theme], t(`theme.${theme}`), () => (choose(/** @type {any} */ (next[theme])), this.draw())),
      button("text", `${t(isLarge() ? "text.normal" : "text.large")} (L)`, () => this.enlarge()),
      pick, button("help", t("help.label"), this.acts.help),
      h("button.button.primary", { type: "button", id: "share", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": t("share.button"), onclick: () => void this.acts.share() }, icon("link"), h("span", { text: t("share.button") })));
    this.connection(this.state);
    this.clock();
  }

  enlarge() {
    enlarge(!isLarge());
    this.draw();
  }

  async share() {
    const url = new URL(location.href);
    url.searchParams.set("key", this.api.key);
    url.hash = "";
    try {
      await clip(url.href);
      toast(t("share.copied"));
    } catch {
      toast(url.href, true);
    }
  }
}

/** @param {HTMLElement} control @param {string} label @param {string} key */
function named(control, label, key) {
  control.setAttribute("aria-label", label);
  control.title = `${label} (${key})`;
}
