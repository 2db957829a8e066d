/** The bar on top: the room's clock and its pace, who is here, the link to share, theme and language. */
import { byId, h, icon, toast } from "./dom.js";
import { LANGUAGES, language, onLanguage, speak, t } from "./i18n.js";
import { choose, chosen } from "./theme.js";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 100];
const STEP = 1;

export class TopBar {
  /** @param {import("./api.js").Api} api @param {import("./virtualtime.js").VirtualTime} time @param {import("./scene.js").Scene} scene @param {{palette: () => void, help: () => void}} acts */
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
    byId("clock").append(this.pause, this.stepper, this.shown, this.speed);
    this.draw();
    onLanguage(() => this.draw());
    setInterval(() => this.tick(), 250);
  }

  toggle() {
    return this.#ask({ paused: !this.time.paused });
  }

  step() {
    return this.#ask({ paused: true, advance: STEP });
  }

  /** @param {{paused?: boolean, speed?: number, advance?: number}} change */
  async #ask(change) {
    try {
      const clock = await this.api.clock(change);
      this.time.hear(clock.time ?? this.time.heard, clock);
      this.clock();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
      this.clock();
    }
  }

  tick() {
    const s = Math.floor(this.time.now);
    const two = (/** @type {number} */ n) => `${n}`.padStart(2, "0");
    const days = Math.floor(s / 86400);
    const text = `${days ? `${days}d ` : ""}${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    if (this.shown.textContent !== text) this.shown.textContent = text;
  }

  clock() {
    const { paused, speed } = this.time;
    byId("clock").dataset.paused = `${paused}`;
    this.pause.replaceChildren(icon(paused ? "play" : "pause"));
    this.pause.setAttribute("aria-label", t(paused ? "clock.play" : "clock.pause"));
    this.pause.title = t(paused ? "clock.play" : "clock.pause");
    if (document.activeElement !== this.speed || ![...this.speed.options].some((one) => Number(one.value) === speed)) {
      const speeds = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b);
      this.speed.replaceChildren(...speeds.map((one) => h("option", { value: `${one}`, text: `${one}×` })));
    }
    this.speed.value = `${speed}`;
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
    this.stepper.setAttribute("aria-label", t("clock.step"));
    this.stepper.title = t("clock.step");
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
      pick, button("help", t("help.label"), this.acts.help),
      h("button.button.primary", { type: "button", id: "share", onclick: () => this.share() }, t("share.button")));
    this.connection(this.state);
    this.clock();
  }

  async share() {
    const url = new URL(location.href);
    url.searchParams.set("key", this.api.key);
    url.hash = "";
    try {
      await navigator.clipboard.writeText(url.href);
      toast(t("share.copied"));
    } catch {
      toast(url.href);
    }
  }
}
