/**
 * What stands in the terminal's place until a person moves, types or asks for it: its greeting and its prompt. What is typed meanwhile is
 * kept, lines and all, and handed over; so the first picture needs no terminal library.
 */
import { h } from "./dom.js";
import { t } from "./i18n.js";

/** What shows that somebody is there. */
const STIRS = ["pointermove", "pointerdown", "wheel", "keydown", "focusin", "touchstart"];

export class Prompt {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.field = h("textarea", { rows: 1, spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-label": t("terminal.label") });
    this.element = h("div.prompt", { onmousedown: (/** @type {Event} */ event) => (event.preventDefault(), this.field.focus()) }, h("p", { text: t("terminal.welcome") }), h("p", {}, h("b", { text: "podium" }), ":", h("i", { text: "~" }), "$ ", this.field));
    host.append(this.element);
    /** @type {() => void} */
    this.want = () => undefined;
    /** Kept when the terminal is wanted. @type {Promise<void>} */
    this.wanted = new Promise((done) => (this.want = done));
    const stirred = (/** @type {Event} */ { type }) => {
      const idly = type === "pointermove" && "requestIdleCallback" in window;
      for (const stir of idly ? [type] : STIRS) removeEventListener(stir, stirred, true);
      if (idly) requestIdleCallback(() => this.want(), { timeout: 2000 });
      else this.want();
    };
    for (const stir of STIRS) addEventListener(stir, stirred, { capture: true, passive: true });
  }

  /** Makes room. @returns {{text: string, held: boolean}} what was typed, and whether the focus was here */
  leave() {
    const told = { text: this.field.value.replace(/\n/g, "\r"), held: this.element.contains(document.activeElement) };
    this.element.remove();
    return told;
  }
}
