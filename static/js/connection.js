/**
 * How the wire is, over the canvas: that the cluster is on its way, that the connection is lost and since when, that there is no place just
 * now, or that the room is gone and why. A moment's break is not worth a word: it shows only what lasts.
 */
import { h } from "./dom.js";
import { knows, onLanguage, t } from "./i18n.js";
import { duration } from "./virtualtime.js";

/** How long something must last to be shown, in milliseconds. */
const BLINK = 1200;
const SECOND = 1000;
/** How long one waits for a place, in milliseconds; and the status that says there is none. */
const TURN = 10000;
export const FULL = 503;

export class Connection {
  /** @param {HTMLElement} host @param {import("./live.js").Live} live @param {import("./scene.js").Scene} scene */
  constructor(host, live, scene) {
    this.host = host;
    this.live = live;
    this.scene = scene;
    this.state = "waiting";
    this.reason = "";
    this.code = 0;
    this.since = performance.now();
    this.drawn = "";
    this.text = h("p");
    this.timer = setInterval(() => this.#tick(), SECOND / 2);
    live.on("state", (state, reason, code) => this.#hear(state, reason, code));
    live.on("loaded", () => this.#tick());
    onLanguage(() => {
      this.drawn = "";
      this.#tick();
    });
  }

  /** @param {string} state @param {string} [reason] @param {number} [code] */
  #hear(state, reason = "", code = 0) {
    if (state !== this.state) this.since = performance.now();
    Object.assign(this, { state, reason, code });
    document.body.dataset.connection = state;
    clearInterval(this.timer);
    if (state !== "gone") this.timer = setInterval(() => this.#tick(), SECOND / 2);
    else if (code === FULL) this.timer = setInterval(() => this.live.again(), TURN);
    this.#tick();
  }

  #tick() {
    const lasts = performance.now() - this.since > BLINK;
    const empty = this.live.sync.present.revision < 0;
    const shown = this.state === "gone" ? (this.code === FULL ? "full" : "gone") : this.state === "lost" && lasts ? "lost" : empty && this.live.past === null && lasts ? "loading" : "";
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
    const home = h("a.button", { href: "/", text: t("room.home") });
    const again = h("button.button.primary", { type: "button", id: "again", text: t("room.again"), onclick: () => this.live.again() });
    if (shown === "gone") this.host.replaceChildren(h("strong", { text: t("room.gone") }), h("p", { text: knows(`refused.${this.code}`) ? t(`refused.${this.code}`) : t("room.goneHint", { reason: this.reason }) }), home);
    else if (shown === "full") this.host.replaceChildren(h("strong", { text: t("room.full") }), h("p", { text: t("room.fullHint") }), h("div.row", {}, again, home));
    else if (shown === "lost") this.host.replaceChildren(h("strong", { text: t("room.lost") }), this.text, again);
    else this.host.replaceChildren(h("strong", { text: t("room.loading") }), h("p", { text: t("room.loadingHint") }));
  }
}
