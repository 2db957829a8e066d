/**
 * How the wire is, over the canvas: that the cluster is on its way, that the connection is lost and since when, or that the room is gone and
 * why. A moment's break is not worth a word: it shows only what lasts.
 */
import { h } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { duration } from "./virtualtime.js";

/** How long something must last to be shown, in milliseconds. */
const BLINK = 1200;
const SECOND = 1000;

export class Connection {
  /** @param {HTMLElement} host @param {import("./live.js").Live} live @param {import("./scene.js").Scene} scene */
  constructor(host, live, scene) {
    this.host = host;
    this.live = live;
    this.scene = scene;
    this.state = "waiting";
    this.reason = "";
    this.since = performance.now();
    this.drawn = "";
    this.text = h("p");
    this.timer = setInterval(() => this.#tick(), SECOND / 2);
    live.on("state", (state, reason) => this.#hear(state, reason));
    live.on("loaded", () => this.#tick());
    onLanguage(() => {
      this.drawn = "";
      this.#tick();
    });
  }

  /** @param {string} state @param {string} [reason] */
  #hear(state, reason = "") {
    if (state !== this.state) this.since = performance.now();
    Object.assign(this, { state, reason });
    document.body.dataset.connection = state;
    clearInterval(this.timer);
    if (state !== "gone") this.timer = setInterval(() => this.#tick(), SECOND / 2);
    this.#tick();
  }

  #tick() {
    const lasts = performance.now() - this.since > BLINK;
    const empty = this.live.sync.present.revision < 0;
    const shown = this.state === "gone" ? "gone" : this.state === "lost" && lasts ? "lost" : empty && this.live.past === null && lasts ? "loading" : "";
    if (this.state === "live" && !empty) clearInterval(this.timer);
    this.host.hidden = !shown;
    if (shown && shown !== this.drawn) this.#draw(shown);
    this.drawn = shown;
    if (shown === "lost") this.text.textContent = t(navigator.onLine ? "room.lostHint" : "room.offline", { time: duration((performance.now() - this.since) / SECOND) });
  }

  /** @param {string} shown */
  #draw(shown) {
    this.host.dataset.state = shown;
    this.host.setAttribute("role", shown === "gone" ? "alert" : "status");
    if (shown === "gone") this.host.replaceChildren(h("strong", { text: t("room.gone") }), h("p", { text: t("room.goneHint", { reason: this.reason }) }), h("a.button.primary", { href: "/", text: t("room.home") }));
    else if (shown === "lost") this.host.replaceChildren(h("strong", { text: t("room.lost") }), this.text, h("button.button", { type: "button", id: "again", text: t("room.again"), onclick: () => this.live.again() }));
    else this.host.replaceChildren(h("strong", { text: t("room.loading") }), h("p", { text: t("room.loadingHint") }));
  }
}
