/**
 * The control-plane view: the picture over the stage, the list of steps in the side dock, and the player that goes through them. In:
 * the room's replays over HTTP and the live signals of the scene. Out: pictures, sentences, and what is clicked.
 */
import { COLOURS } from "../canvas/colours.js";
import { byId, h, icon, toast } from "../dom.js";
import { knows, onLanguage, t } from "../i18n.js";
import { current, onTheme } from "../theme.js";
import { contents } from "./contents.js";
import { Now } from "./now.js";
import { Panel } from "./panel.js";
import { Picture } from "./picture.js";
import { places } from "./places.js";
import { actors, label, rest, said, script, span } from "./script.js";
import { shown } from "./shown.js";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
/** How often a story that still goes on is asked for again, and for how long, in milliseconds and times. */
const AGAIN = 900;
/** How often it is looked whether a message has rested enough. */
const RESTING = 90;
const TRIES = 30;

export class View {
  /** @param {{api: any, stage: any, scene: any, time: any, live: any, show: (id: string) => void, terminal: any}} parts */
  constructor(parts) {
    this.parts = parts;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    /** @type {any} the replay that is shown; null: what happens now */
    this.data = null;
    /** @type {import("./script.js").Message[]} */
    this.messages = [];
    this.index = 0;
    this.part = 1;
    this.rested = 0;
    this.playing = false;
    this.speed = 1;
    this.doors = false;
    this.minor = false;
    this.tries = 0;
    this.asked = 0;
    this.framed = false;
    this.last = 0;
    /** @type {Map<string, any>} the contents of steps, by revision */
    this.details = new Map();
    this.canvas = h("canvas.replay-picture", { "aria-hidden": "true" });
    this.picture = new Picture(this.canvas, t);
    this.pace = h("input#replay-speed");
    this.now = new Now(parts.scene, parts.stage, () => this.paint());
    this.now.places = (names) => places(this.picture.w, this.picture.h, names);
    this.panel = new Panel(this);
    this.#build();
    onLanguage(() => this.furnish());
    parts.live.on("past", () => this.panel.draw());
    onTheme(() => this.paint());
    new ResizeObserver(() => this.#resize()).observe(this.host);
  }

  #build() {
    this.say = h("p.replay-say", { "aria-live": "polite" });
    this.controls = h("div.replay-controls", { role: "toolbar" });
    this.host = h("section.replay", {}, h("div.replay-canvas", {}, this.canvas), h("div.replay-foot", {}, this.say, this.controls));
    byId("stage").append(this.host);
    this.canvas.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => this.#click(event));
    this.canvas.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => (this.canvas.style.cursor = this.picture.at(this.#at(event)) ? "pointer" : ""));
    this.furnish();
  }

  /** Everything that has words. */
  furnish() {
    /** @param {string} id @param {string} name @param {string} words @param {() => void} run */
    const button = (id, name, words, run) => h(`button.icon#${id}`, { type: "button", title: words, "aria-label": words, onclick: run }, icon(name));
    this.play = button("replay-play", "play", t("replay.play"), () => this.toggle());
    this.back = button("replay-back", "step", t("replay.back"), () => this.move(-1));
    this.back.classList.add("mirrored");
    this.forward = button("replay-forward", "step", t("replay.forward"), () => this.move(1));
    this.where = h("output.replay-where", { "aria-live": "off" });
    this.pace = h("input#replay-speed", { type: "range", min: "0", max: `${SPEEDS.length - 1}`, step: "1", value: `${SPEEDS.indexOf(this.speed)}`, "aria-label": t("replay.speed"), "aria-valuetext": `${this.speed}×`,
      oninput: () => this.setSpeed(SPEEDS[Number(this.pace.value)]) });
    this.paceText = h("span.replay-pace", { text: `${this.speed}×` });
    this.slider = h("input#replay-at", { type: "range", min: "0", max: "0", step: "1", value: "0", "aria-label": t("replay.position"), oninput: () => this.go(Number(this.slider.value)) });
    /** @param {string} id @param {"doors"|"minor"} what @param {string} words */
    const check = (id, what, words) => h("label.replay-check", {}, h(`input#${id}`, { type: "checkbox", checked: this[what], onchange: (/** @type {any} */ event) => this.set(what, event.target.checked) }), words);
    this.controls.setAttribute("aria-label", t("replay.controls"));
    this.controls.replaceChildren(this.back, this.play, this.forward, this.slider, this.where, h("label.replay-check", {}, t("replay.speed"), this.pace, this.paceText),
      check("replay-doors", "doors", t("replay.doors")), check("replay-minor", "minor", t("replay.minor")));
    this.host.setAttribute("aria-label", t("replay.view"));
    this.panel.furnish();
    this.#tell();
    this.paint();
  }

  get open() {
    return !this.host.hidden;
  }

  /** @param {boolean} on */
  appear(on) {
    this.host.hidden = !on;
    this.now.listen(on);
    this.panel.appear(on);
    if (!on) this.playing = false;
    this.#resize();
  }

  // what is shown

  /** What people did of late, to choose from. */
  async acts() {
    return (await this.parts.api.acts()).acts;
  }

  /** Shows all that an act led to. @param {number|string|null} act a revision, or `h` and the number of a request that left none; null: what happens now @param {{play?: boolean, guided?: string|null}} [how] */
  async load(act, { play = true, guided = null } = {}) {
    this.guided = guided;
    this.tries = 0;
    if (act === null) {
      this.data = null;
      this.messages = [];
      this.playing = false;
      this.now.restart();
    } else {
      try {
        this.data = await this.parts.api.replay(typeof act === "string" ? { heard: act.slice(1) } : { revision: `${act}` });
      } catch (error) {
        return void toast(/** @type {Error} */ (error).message, true);
      }
      this.details.clear();
      this.messages = script(this.data.steps, this.doors, this.minor);
      const first = this.data.asked === this.data.root ? 0 : Math.max(0, this.messages.findIndex((one) => this.data.steps[one.step].revision === this.data.asked));
      this.index = first;
      this.#begin(play);
    }
    this.panel.draw();
    this.#tell();
    this.paint();
  }

  /** More of the same story, when it goes on. */
  async #more() {
    this.asked = performance.now();
    this.tries++;
    const { root } = this.data;
    if (typeof root === "string") return;
    const fresh = await this.parts.api.replay({ revision: `${root}` }).catch(() => null);
    if (!fresh || this.data?.root !== root || fresh.steps.length <= this.data.steps.length) return;
    this.tries = 0;
    this.#take({ ...fresh, asked: this.data.asked });
  }

  /** Other steps or others of their messages: the one that is shown stays. @param {any} data */
  #take(data) {
    const at = this.messages[this.index];
    const revision = at && this.data.steps[at.step].revision;
    this.data = data;
    this.messages = script(data.steps, this.doors, this.minor);
    const same = this.messages.findIndex((one) => data.steps[one.step].revision === revision && one.kind === at?.kind);
    const near = this.messages.findIndex((one) => data.steps[one.step].revision >= (revision ?? 0));
    this.index = same >= 0 ? same : Math.max(0, near);
    this.panel.draw();
    this.#tell();
    this.paint();
  }

  /** @param {"doors"|"minor"} what @param {boolean} on */
  set(what, on) {
    this[what] = on;
    if (this.data) this.#take(this.data);
    this.panel.draw();
    this.paint();
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    this.pace.value = `${SPEEDS.indexOf(speed)}`;
    this.pace.setAttribute("aria-valuetext", `${speed}×`);
    this.paceText.textContent = `${speed}×`;
  }

  // the player

  toggle() {
    if (!this.data) return;
    if (!this.playing && this.index >= this.messages.length - 1 && this.part >= 1) this.index = 0, (this.part = 0);
    this.playing = !this.playing;
    this.tries = 0;
    this.#tell();
    this.paint();
  }

  /** One message forward or back; it travels once and stays. @param {number} by */
  move(by) {
    if (!this.data) return;
    this.playing = false;
    if (by < 0 && this.part < 1 && this.part > 0.2) return void this.#begin(false);
    this.go(this.index + by);
  }

  /** @param {number} index @param {boolean} [play] */
  go(index, play = false) {
    if (!this.messages.length) return;
    this.index = Math.max(0, Math.min(this.messages.length - 1, index));
    this.#begin(play);
  }

  /** @param {boolean} play */
  #begin(play) {
    this.part = this.still.matches ? 1 : 0;
    this.rested = 0;
    this.playing = play;
    this.#tell();
    this.panel.mark();
    this.paint();
  }

  /** @param {number} now */
  #tick(now) {
    const passed = Math.min(100, now - this.last) * this.speed;
    this.last = now;
    const message = this.messages[this.index];
    if (!message) return;
    if (this.part < 1) this.part = Math.min(1, this.part + passed / span(message.kind));
    else if (this.playing) {
      this.rested += passed;
      if (this.rested < rest(message.kind)) return;
      if (this.index < this.messages.length - 1) {
        this.index++;
        this.#begin(true);
      } else if (this.tries < TRIES && typeof this.data.root === "number" && this.data.more === 0 && !this.parts.time.paused) {
        if (now - this.asked > AGAIN) void this.#more();
      } else {
        this.playing = false;
        this.#tell();
      }
    }
  }

  /** Whether something moves. */
  get moving() {
    return this.data ? this.part < 1 || this.playing : this.now.moving;
  }

  // what it looks like

  #resize() {
    const { clientWidth: w, clientHeight: height } = this.canvas.parentElement;
    if (!w || !height) return;
    this.picture.resize(w, height);
    this.last = performance.now();
    this.#frame();
  }

  paint() {
    if (this.framed || !this.open) return;
    this.framed = true;
    this.last = performance.now();
    requestAnimationFrame(() => ((this.framed = false), this.#frame()));
  }

  #frame() {
    if (!this.open || !this.picture.w) return;
    const now = performance.now();
    if (this.data) this.#tick(now);
    this.picture.paint(this.state(), COLOURS[current()]);
    if (!this.moving || this.framed) return;
    this.framed = true;
    const next = () => ((this.framed = false), this.#frame());
    if (this.data && this.part >= 1) setTimeout(next, RESTING);
    else requestAnimationFrame(next);
  }

  /** What the picture shows. @returns {import("./picture.js").Shown} */
  state() {
    const healthy = (/** @type {string} */ name) => this.parts.scene.get(`Component//${name}`)?.healthy !== false;
    if (!this.data) return this.now.state(this.picture.places, healthy, t("replay.others"));
    const names = actors(this.data.steps, this.minor);
    return shown(this.data.steps, this.messages, this.index, this.part, names, this.picture.w, this.picture.h, healthy);
  }

  /** The sentence of the message that is shown, and the player's buttons. */
  #tell() {
    const message = this.messages[this.index];
    const step = message && this.data?.steps[message.step];
    const found = step ? said(message, step, knows) : { key: "replay.live", params: {} };
    const text = t(found.key, found.params);
    const paused = !this.data && this.parts.time.paused;
    this.say.replaceChildren(step ? h("strong", { text: label(message, step) }) : "", ` ${paused ? t("replay.paused") : text}`);
    this.play.replaceChildren(icon(this.playing ? "pause" : "play"));
    const words = t(this.playing ? "replay.pause" : "replay.play");
    this.play.setAttribute("aria-label", words);
    this.play.title = words;
    for (const one of [this.play, this.back, this.forward, this.slider]) one.disabled = !this.data;
    this.slider.max = `${Math.max(0, this.messages.length - 1)}`;
    this.slider.value = `${this.index}`;
    this.slider.setAttribute("aria-valuetext", text);
    this.where.textContent = this.data ? `${this.index + 1} / ${this.messages.length}` : "";
  }

  /** The contents of the message that is shown. @returns {Promise<HTMLElement|null>} */
  async inside() {
    const message = this.messages[this.index];
    const step = message && this.data?.steps[message.step];
    if (!step) return null;
    const key = `${step.heard ?? step.revision}`;
    if (!this.details.has(key)) {
      if (this.details.size > 60) this.details.clear();
      this.details.set(key, this.parts.api.replay(step.heard ? { heard: key, step: "" } : { step: key }).catch((/** @type {Error} */ error) => ({ failed: error.message })));
    }
    const detail = await this.details.get(key);
    return this.messages[this.index] === message ? contents(message, step, detail, this.parts.show, (revision) => this.#reach(revision)) : null;
  }

  /** Goes to the step of a revision, or to its story if it is part of another. @param {number} revision */
  #reach(revision) {
    const at = this.messages.findIndex((one) => this.data.steps[one.step].revision === revision);
    if (at >= 0) this.go(at);
    else void this.load(revision, { play: false });
  }

  // what is clicked

  /** @param {PointerEvent} event */
  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  #click(event) {
    const what = this.picture.at(this.#at(event));
    if (!what) return;
    if (what.revision !== undefined) return void this.load(what.revision);
    if (!this.data) return;
    if (what.message !== undefined) return this.go(what.message);
    if (what.contents) return this.panel.open();
    const step = this.messages[this.index]?.step ?? 0;
    const fits = (/** @type {import("./script.js").Message} */ one) => (what.door ? one.stage?.stage === what.door : this.data.steps[one.step].lane === what.actor);
    const next = this.messages.findIndex((one, at) => at > this.index && fits(one));
    const own = what.door ? this.messages.findIndex((one) => one.step === step && fits(one)) : -1;
    const found = own >= 0 ? own : next >= 0 ? next : this.messages.findIndex(fits);
    if (found >= 0) this.go(found);
  }
}
