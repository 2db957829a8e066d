/**
 * Goes through a followed request hop by hop: buttons and the list of hops come in, the step on the canvas goes out. It plays once when the
 * request was followed, ends at the last hop, and leaves the canvas as soon as the list is not to be seen any more.
 */
import { FollowedWay } from "../canvas/followed.js";
import { h, icon } from "../dom.js";
import { t } from "../i18n.js";

/** On its way to a hop, and then there, in milliseconds. */
const TRAVEL = 300;
const STAY = 900;

export class Steps {
  /** @param {HTMLElement} host where the hops are listed @param {import("../canvas/stage.js").Stage} stage @param {import("../types").Followed} answer @param {boolean} play */
  constructor(host, stage, answer, play) {
    this.host = host;
    this.stage = stage;
    this.way = new FollowedWay(stage, answer);
    this.most = this.way.stops.length - 1;
    this.playing = 0;
    this.ended = false;
    const button = (/** @type {string} */ name, /** @type {string} */ label, /** @type {() => void} */ run) => h("button.icon", { type: "button", "aria-label": t(label), title: t(label), onclick: run }, icon(name));
    this.count = h("span", { "aria-live": "off" });
    this.back = button("right", "follow.back", () => this.go(this.way.step - 1));
    this.back.classList.add("turned");
    this.on = button("right", "follow.forward", () => this.go(this.way.step + 1));
    this.element = h("div.steps", { role: "group", "aria-label": t("follow.steps") }, button("play", "follow.play", () => this.play()), this.back, this.on, this.count);
    host.append(this.element);
    this.items = [...host.querySelectorAll(".way > li")];
    this.items.forEach((item, index) => item.addEventListener("click", (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target).closest("button") ?? this.go(index)));
    this.watch = new IntersectionObserver(() => host.offsetParent || this.end());
    this.watch.observe(host);
    stage.guide?.owner.end();
    stage.guide = { owner: this, draw: (c, k) => this.way.draw(c, k) };
    const still = stage.still.matches;
    if (play && !still) this.play();
    else this.go(this.most, false);
  }

  /** From the first hop to the last. */
  play() {
    this.go(0);
    this.playing = setInterval(() => (this.way.step < this.most ? this.go(this.way.step + 1, true, true) : clearInterval(this.playing)), TRAVEL + STAY);
  }

  /** @param {number} step @param {boolean} [travel] is seen on its way there @param {boolean} [on] playing goes on */
  go(step, travel = true, on = false) {
    if (!on) clearInterval(this.playing);
    if (this.ended) this.resume();
    const { way } = this;
    const forward = step >= way.step;
    way.step = Math.max(0, Math.min(this.most, step));
    this.items.forEach((item, index) => (index === way.step ? item.setAttribute("aria-current", "step") : item.removeAttribute("aria-current")));
    this.count.textContent = t("follow.step", { step: way.step + 1, all: this.most + 1 });
    this.back.disabled = way.step === 0;
    this.on.disabled = way.step === this.most;
    cancelAnimationFrame(this.frame ?? 0);
    const since = performance.now();
    const draw = () => {
      const part = travel && forward && !this.stage.still.matches ? Math.min(1, (performance.now() - since) / TRAVEL) : 1;
      way.part = part;
      this.#paint();
      if (part < 1) this.frame = requestAnimationFrame(draw);
    };
    draw();
  }

  resume() {
    this.ended = false;
    if (this.stage.guide?.owner !== this) this.stage.guide?.owner.end();
    this.stage.guide = { owner: this, draw: (c, k) => this.way.draw(c, k) };
  }

  /** The canvas is as it was. */
  end() {
    clearInterval(this.playing);
    cancelAnimationFrame(this.frame ?? 0);
    this.ended = true;
    if (this.stage.guide?.owner !== this) return;
    this.stage.guide = null;
    this.#paint();
  }

  /** For good. */
  leave() {
    this.end();
    this.watch.disconnect();
    this.element.remove();
  }

  #paint() {
    this.stage.movingDirty = true;
    this.stage.invalidate();
  }
}
