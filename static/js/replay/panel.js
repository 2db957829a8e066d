/**
 * The list of a replay's steps in the side dock, in plain sentences: the accessible form of the picture. Above it the acts to choose from
 * and the two guided replays, below it the contents of the message that is shown.
 */
import { title } from "../chaos.js";
import * as docks from "../docks.js";
import { byId, h, toast } from "../dom.js";
import { knows, t } from "../i18n.js";
import { said, sentence } from "./script.js";

/** What a guided replay runs when nothing of the kind has happened yet. */
const EXAMPLE = "kubectl create deployment hello --image=nginx --replicas=2";

export class Panel {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
    /** @type {any[]} */
    this.acts = [];
    this.tab = h("button#tab-replay", { role: "tab", type: "button", "aria-controls": "panel-replay", "aria-selected": "false", tabIndex: -1 });
    this.host = h("div.panel#panel-replay", { role: "tabpanel", "aria-labelledby": "tab-replay", hidden: true });
    this.head = h("div.replay-head");
    this.list = h("ol.replay-steps", { role: "list", tabIndex: 0, onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) });
    this.inside = h("div.replay-inside", { tabIndex: 0, role: "region" });
    this.host.append(this.head, this.list, this.inside);
  }

  /** @param {boolean} on */
  appear(on) {
    if (on) {
      byId("side-tabs").append(this.tab);
      byId("side").append(this.host);
      docks.open("replay");
      void this.refresh();
    } else {
      if (docks.shown() === "replay") docks.open("inspector");
      this.tab.remove();
      this.host.remove();
    }
  }

  furnish() {
    this.tab.textContent = t("replay.tab");
    this.list.setAttribute("aria-label", t("replay.steps"));
    this.inside.setAttribute("aria-label", t("replay.contents"));
    this.draw();
  }

  async refresh() {
    this.acts = await this.view.acts().catch(() => this.acts);
    this.draw();
  }

  /** @param {any} act */
  static #id(act) {
    return act.heard ? `h${act.heard}` : `${act.revision}`;
  }

  draw() {
    const { data } = this.view;
    const chosen = data ? `${data.root}` : "";
    /** @param {any} act */
    const named = (act) => (act.sort === "fault" ? `${title(act.verb)} ${act.name}` : `${act.verb}${act.subresource ? ` ${act.subresource}` : ""} ${act.kind || act.resource} ${act.name}`.trim());
    const option = (/** @type {any} */ act) => h("option", { value: Panel.#id(act), text: `${this.#time(act.at)}  ${named(act)}${act.code >= 400 ? ` (${act.code})` : ""}`, selected: Panel.#id(act) === chosen });
    const groups = [["write", "fault"], ["refused"], ["read"]].map((sorts) => this.acts.filter((one) => sorts.includes(one.sort)));
    if (data && !this.acts.some((one) => Panel.#id(one) === chosen)) groups[0].unshift({ ...data.steps[0], sort: "write", heard: undefined });
    this.select = h("select#replay-act", { "aria-label": t("replay.choose"), onchange: () => this.#choose(this.select.value), onfocus: () => void this.#again() },
      h("option", { value: "", text: t("replay.liveOption"), selected: !data }), ...["acts", "refused", "reads"].map((name, i) => (groups[i].length ? h("optgroup", { label: t(`replay.${name}`) }, ...groups[i].map(option)) : null)));
    const card = (/** @type {string} */ id, /** @type {() => Promise<void>} */ run) => h(`button.replay-card#replay-${id}`, { type: "button", disabled: this.view.parts.live.past !== null, onclick: () => run().catch((/** @type {Error} */ error) => toast(error.message, true)) }, h("strong", { text: t(`replay.${id}`) }), h("small", { text: t(`replay.${id}Detail`) }));
    this.head.replaceChildren(h("label.replay-choice", {}, h("span", { text: t("replay.choose") }), this.select), h("div.replay-cards", {}, card("guideGet", () => this.get()), card("guideApply", () => this.apply())));
    this.#steps();
  }

  async #again() {
    const acts = await this.view.acts().catch(() => this.acts);
    if (JSON.stringify(acts) === JSON.stringify(this.acts) || document.activeElement !== this.select) return;
    this.acts = acts;
    this.draw();
    this.select?.focus();
  }

  /** @param {string} value */
  #choose(value) {
    void this.view.load(value === "" ? null : value.startsWith("h") ? value : Number(value));
  }

  /** @param {number} at */
  #time(at) {
    const two = (/** @type {number} */ n) => `${Math.floor(n)}`.padStart(2, "0");
    return `${two(at / 3600)}:${two((at / 60) % 60)}:${two(at % 60)}`;
  }

  #steps() {
    const { data, messages } = this.view;
    if (!data) return void (this.list.replaceChildren(), this.inside.replaceChildren(h("p", { text: t("replay.none") })));
    const rows = [];
    let step = -1;
    messages.forEach((message, at) => {
      const own = data.steps[message.step];
      if (message.step !== step) {
        step = message.step;
        const told = sentence(own, knows);
        const since = own.at - data.steps[0].at;
        rows.push(h("li.replay-step", { "data-at": `${at}`, "data-step": `${step}`, onclick: () => this.view.go(at) },
          h("span.replay-when", { text: `+${since < 10 ? since.toFixed(3) : since.toFixed(1)}s` }), h("span.replay-who", { text: own.lane === "people" ? own.client : own.lane }), h("span.replay-text", { text: t(told.key, told.params) })));
        if (message.kind === "request") return;
      }
      if (message.kind === "send" || message.kind === "request") return;
      const told = said(message, own, knows);
      rows.push(h("li.replay-message", { "data-at": `${at}`, "data-step": `${step}`, onclick: () => this.view.go(at) }, h("span.replay-text", { text: t(told.key, told.params) })));
    });
    if (data.lost) rows.unshift(h("li.replay-note", { text: t("replay.lost") }));
    if (data.act) rows.unshift(h("li.replay-note", { text: t("replay.act", { by: data.act.by ?? "", fault: title(data.act.fault ?? data.act.id), target: data.act.target ?? "" }) }));
    if (data.more) rows.push(h("li.replay-note", { text: t("replay.more", { count: data.more }) }));
    this.list.replaceChildren(...rows);
    this.mark();
  }

  /** Shows which message is shown, and what is in it. */
  mark() {
    const { index, data } = this.view;
    for (const row of this.list.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
    if (!data) return;
    const row = [...this.list.querySelectorAll("[data-at]")].findLast((one) => Number(one.dataset.at) <= index);
    if (row) {
      row.setAttribute("aria-current", "step");
      const top = row.offsetTop;
      if (top < this.list.scrollTop + 20 || top + row.offsetHeight > this.list.scrollTop + this.list.clientHeight - 40) this.list.scrollTop = top - this.list.clientHeight / 3;
    }
    void this.view.inside().then((element) => element && this.inside.replaceChildren(element));
  }

  open() {
    docks.open("replay");
    this.mark();
    this.inside.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const to = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1, Home: -1e6, End: 1e6 }[event.key];
    if (event.key === "Enter") this.open();
    else if (to) this.view.go(this.view.index + to);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // guided: real commands in this room, and then what really happened

  /** What happens when I run kubectl get pods. */
  async get() {
    await this.view.parts.api.terminal("kubectl get pods");
    await this.refresh();
    const read = this.acts.find((one) => one.sort === "read" && one.resource === "pods" && one.verb === "list");
    if (read) await this.view.load(`h${read.heard}`, { guided: "get" });
  }

  /** What happens when I apply a Deployment: the last one that was made, or a small example. */
  async apply() {
    await this.refresh();
    const made = () => this.acts.find((one) => one.sort === "write" && one.verb === "create" && one.kind === "Deployment");
    if (!made()) {
      const said = await this.view.parts.api.terminal(EXAMPLE);
      await this.refresh();
      if (!made()) throw new Error(said.stderr ?? said.output ?? "");
    }
    await this.view.load(made().revision, { guided: "apply" });
  }
}
