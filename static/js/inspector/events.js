/** The Events about a thing and what it made, the newest first; each leads to what it is about. */
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { parseId } from "../scene.js";
import { duration } from "../virtualtime.js";
import { keyed } from "./keyed.js";

export class EventsView {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.parts = ["events"];
    this.every = 2000;
    this.warnings = false;
    this.list = h("ul.events", {});
    this.none = h("p.quiet", {});
    this.only = h("input", { type: "checkbox", id: "events-warnings", onchange: () => ((this.warnings = this.only.checked), this.update()) });
    this.element = h("div.view", {}, h("div.strip", {}, h("label.check", {}, this.only, h("span", { text: t("inspect.onlyWarnings") }))), this.none, this.list);
  }

  begin() {
    this.none.textContent = t("inspect.loading");
    keyed(this.list, []);
  }

  update() {
    /** @type {any[]|undefined} */
    const events = this.panel.detail?.events;
    if (!events) return;
    const shown = [...events].reverse().filter((one) => !this.warnings || one.type === "Warning").sort((a, b) => b.last - a.last);
    this.none.textContent = shown.length ? "" : t(this.warnings ? "inspect.noWarnings" : "inspect.noEvents");
    keyed(this.list, shown.map((event) => [event.name, `${event.count}|${event.message}|${event.last}`, () => this.#row(event)]));
    this.ages();
  }

  /** @param {any} event */
  #row(event) {
    const { kind, name } = parseId(event.thing);
    const other = event.thing !== this.panel.id;
    const count = event.count > 1 ? t("inspect.times", { count: event.count, time: duration(event.last - event.first) }) : "";
    return h(`li.${event.type === "Warning" ? "Warning" : "Normal"}`, {},
      h("strong", {}, h("span.type", { text: event.type === "Warning" ? "⚠ Warning" : "Normal" }), ` ${event.reason}`), h("small", { "data-at": `${event.last}` }),
      h("span.message", { text: event.message }),
      h("small.about", {}, other ? h("button.link", { type: "button", "data-show": event.thing, text: `${kind} ${name}` }) : null, other ? " · " : "", [event.from, count].filter(Boolean).join(" · ")));
  }

  /** How long ago each was, now. */
  ages() {
    for (const small of this.list.querySelectorAll("[data-at]")) small.textContent = t("inspect.ago", { time: duration(this.panel.acts.now() - Number(small.dataset.at)) });
  }

  leave() {}
}
