/**
 * The files that are open, a tab each: their text as the workstation keeps it and as it is edited; what is unsaved is marked and outlives
 * a reload of the page. Closing, renaming and new ones from here; what lies in the files is the workstation's.
 *
 * @typedef {{name: string, text: string, kept: string|null, state?: any, waits?: string}} Open `kept` is null for a file that is not on the workstation
 * yet; `waits` is what the editor tells a command that waits for it by
 */
import { h, icon, toast } from "../dom.js";
import { t } from "../i18n.js";
import { brief } from "../kept.js";

const MOST_OPEN = 20;

/** Whether a file lies outside of the editor's reach: it is here only as long as somebody waits for it. @param {Open} one */
export const passing = (one) => one.name.startsWith("/");
/** @param {Open} one */
const title = (one) => (passing(one) ? one.name.slice(one.name.lastIndexOf("/") + 1) : one.name);

export class Files {
  /** @param {import("../editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    this.key = `podium.tabs.${editor.api.room}`;
    /** @type {Open[]} */
    this.open = [];
    this.at = -1;
  }

  /** @returns {Open|undefined} */
  get now() {
    return this.open[this.at];
  }

  /** Whether the open file, or any file, has something unsaved. @param {Open} [one] */
  dirty(one = this.now) {
    return Boolean(one) && one?.text !== one?.kept;
  }

  #remember() {
    const open = this.open.filter((one) => !passing(one)).map(({ name, text, kept }) => ({ name, ...(text === kept ? {} : { text }) }));
    brief.write(this.key, { at: this.at, open });
  }

  /** What was open before the page was loaded; without any, the first file. @param {string} first */
  async restore(first) {
    const before = brief.read(this.key, { at: 0, open: [{ name: first, text: /** @type {string|undefined} */ (undefined) }] });
    for (const { name, text } of before.open) {
      const kept = await this.editor.api.read(name).catch(() => null);
      if (kept !== null || text !== undefined) this.open.push({ name, text: text ?? kept ?? "", kept });
    }
    if (!this.open.length) this.open.push({ name: this.fresh(), text: "", kept: null });
    this.show(Math.min(Math.max(0, before.at), this.open.length - 1));
  }

  fresh() {
    let number = 1;
    while (this.open.some((one) => one.name === `manifest-${number}.yaml`)) number++;
    return `manifest-${number}.yaml`;
  }

  /** @param {number} index */
  show(index) {
    const surface = this.editor.surface;
    if (this.now && "state" in surface) this.now.state = surface.state;
    this.at = index;
    const { text, state } = this.open[index];
    if ("show" in surface) surface.show(text, state);
    else surface.set(text);
    this.draw();
    this.editor.edited(text);
  }

  /** A text under a name, in a tab of its own or in the one that has that name. @param {string} name @param {string} text @param {string|null} kept */
  put(name, text, kept) {
    const index = this.open.findIndex((one) => one.name === name);
    if (index >= 0) {
      const one = this.open[index];
      if (one.text !== text && !this.dirty(one)) {
        Object.assign(one, { text, state: undefined });
        if (index === this.at) this.editor.surface.set(text);
      }
      one.kept = kept;
      return index === this.at ? (this.draw(), this.editor.edited(this.editor.text)) : this.show(index);
    }
    if (this.open.length >= MOST_OPEN) return toast(t("editor.manyOpen", { count: MOST_OPEN }), true);
    const blank = this.now && !this.now.text.trim() && this.now.kept === null ? this.at : -1;
    if (blank >= 0) this.open[blank] = { name, text, kept };
    else this.open.push({ name, text, kept });
    this.at = blank >= 0 ? -1 : this.at;
    this.show(blank >= 0 ? blank : this.open.length - 1);
  }

  /** A text that is on no disk yet. @param {string} text @param {string} [name] */
  new(text = "", name = this.fresh()) {
    while (this.open.some((one) => one.name === name && one.text !== text)) name = name.replace(/(-\d+)?(\.ya?ml)?$/, (_, number, end) => `-${Math.abs(number ?? 1) + 1}${end ?? ".yaml"}`);
    this.put(name, text, null);
    this.editor.focus();
  }

  /** Who waits for it need not any more. @param {Open} one @param {string|null} text @returns {Promise<boolean>} whether somebody did */
  async over(one, text) {
    const { waits } = one;
    delete one.waits;
    return waits !== undefined && this.editor.answer(waits, text);
  }

  /** What was typed into a file that is gone becomes one that is on no disk yet. @param {Open} one */
  keep(one) {
    Object.assign(one, { name: title(one), kept: null });
    this.draw();
    this.#remember();
  }

  /** @param {number} index @param {boolean} [ask] */
  close(index, ask = true) {
    const one = this.open[index];
    if (ask && this.dirty(one) && one.text.trim() && !confirm(t("editor.closeUnsaved", { name: title(one) }))) return;
    this.over(one, null).catch(() => {});
    this.open.splice(index, 1);
    if (!this.open.length) this.open.push({ name: this.fresh(), text: "", kept: null });
    const next = Math.min(this.at > index ? this.at - 1 : this.at, this.open.length - 1);
    this.at = -1;
    this.show(next);
  }

  /** Another name for a file, on the workstation too. @param {number} index @param {string} name */
  async rename(index, name) {
    const one = this.open[index];
    name = name.trim();
    if (!name || name === one.name) return this.draw();
    if (this.open.some((other) => other.name === name)) return toast(t("editor.nameTaken", { name }), true), this.draw();
    try {
      if (one.kept !== null) {
        await this.editor.api.write(name, one.kept);
        await this.editor.api.remove(one.name);
      }
      one.name = name;
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
    this.draw();
    this.#remember();
  }

  /** @param {string} text */
  edited(text) {
    const one = this.now;
    if (!one) return;
    const was = this.dirty(one);
    one.text = text;
    if (was !== this.dirty(one)) this.draw();
    this.#remember();
  }

  /** Files of the workstation are not what they were: what is not edited here follows. @param {string[]} names */
  async changed(names) {
    for (const one of this.open.filter(({ name }) => names.includes(name))) {
      const clean = !this.dirty(one);
      const text = await this.editor.api.read(one.name).catch(() => null);
      if (text === one.kept) continue;
      one.kept = text;
      if (clean && text !== null) {
        Object.assign(one, { text, state: undefined });
        if (one === this.now) this.editor.surface.set(text);
      }
    }
    this.draw();
    this.editor.edited(this.editor.text);
  }

  draw() {
    const { tabs } = this.editor;
    const held = tabs.contains(document.activeElement);
    const list = this.open.map((one, index) => {
      const chosen = index === this.at;
      const label = this.dirty(one) ? t("editor.unsaved", { name: title(one) }) : title(one);
      return h("div.file", { role: "none" },
        h("button", {
          type: "button", role: "tab", id: `file-${index}`, "aria-selected": `${chosen}`, "aria-label": label, title: label, tabindex: chosen ? "0" : "-1", text: title(one),
          onclick: () => index === this.at || this.show(index), ondblclick: () => this.ask(index), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event, index),
          onauxclick: (/** @type {MouseEvent} */ event) => event.button === 1 && this.close(index),
        }),
        this.dirty(one) && h("i", { "aria-hidden": "true", text: "●" }),
        chosen && h("button.icon", { type: "button", "aria-hidden": "true", tabindex: "-1", "aria-label": t("editor.close", { name: title(one) }), title: t("editor.close", { name: title(one) }), onclick: () => this.close(index) }, icon("close")));
    });
    tabs.replaceChildren(...list);
    const chosen = tabs.querySelector("[aria-selected='true']");
    chosen?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (held) chosen?.focus();
  }

  /** @param {KeyboardEvent} event @param {number} index */
  #key(event, index) {
    const count = this.open.length;
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (way) this.show((index + way + count) % count);
    else if (event.key === "F2") this.ask(index);
    else if (event.key === "Delete") this.close(index);
    else if (event.key === "Enter" || event.key === "ArrowDown") this.editor.focus();
    else return;
    event.preventDefault();
  }

  /** Asks for another name, in the tab itself. @param {number} index */
  ask(index) {
    if (passing(this.open[index])) return;
    const tab = this.editor.tabs.children[index];
    const field = h("input", { type: "text", value: this.open[index].name, "aria-label": t("editor.rename"), spellcheck: "false" });
    let done = false;
    /** @param {boolean} keep */
    const end = (keep) => {
      if (done) return;
      done = true;
      void this.rename(index, keep ? field.value : this.open[index].name);
    };
    field.addEventListener("blur", () => end(true));
    field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      event.stopPropagation();
      if (event.key === "Enter" || event.key === "Escape") event.preventDefault(), end(event.key === "Enter"), this.editor.tabs.querySelector("[aria-selected='true']")?.focus();
    });
    tab.replaceChildren(field);
    field.focus();
    field.setSelectionRange(0, field.value.replace(/\.ya?ml$/, "").length);
  }
}
