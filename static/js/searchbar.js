/**
 * The field that filters the canvas: what is typed becomes a test, what does not pass is painted faint, how many do is told; Enter goes from
 * one match to the next. It follows the scene as it changes, at the cost of the change.
 */
import { debounce, h } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { compile, Matches, suggest } from "./search.js";

/** Milliseconds after a key until the canvas follows. */
const WAIT = 110;

export class SearchBar {
  /** @param {{input: HTMLInputElement, stage: import("./canvas/stage.js").Stage, show: (id: string) => void, changed: () => void}} page */
  constructor(page) {
    this.page = page;
    this.input = page.input;
    this.stage = page.stage;
    this.matches = new Matches(page.stage.scene);
    this.text = "";
    this.turn = 0;
    /** @type {string[]} */
    this.offers = [];
    this.offer = -1;
    this.span = { from: 0, to: 0 };
    this.count = h("output", { id: "search-count", for: "search" });
    this.list = h("ul", { role: "listbox", id: "search-list", hidden: true });
    this.clear = h("button.icon", { type: "button", id: "search-clear", hidden: true, onclick: () => (this.set(""), this.input.focus()) }, "×");
    this.input.after(this.count, this.clear, this.list);
    const soon = debounce(() => void this.#seek(), WAIT);
    this.input.addEventListener("input", () => (this.#suggest(), soon()));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("focus", () => this.#suggest());
    this.input.addEventListener("blur", () => this.#close());
    page.stage.scene.listen((update) => this.#follow(update));
    onLanguage(() => this.#words());
    this.#words();
    if (this.input.value) soon();
    if (document.activeElement === this.input) this.#suggest();
  }

  #words() {
    this.list.setAttribute("aria-label", t("search.suggestions"));
    this.clear.setAttribute("aria-label", t("search.clear"));
    this.#told();
  }

  /** @param {string} text */
  set(text) {
    this.input.value = text;
    this.#close();
    return this.#seek();
  }

  /** Every match, once all have been looked at. */
  async #seek() {
    this.text = this.input.value.trim();
    const test = compile(this.text);
    const turn = ++this.turn;
    for (const _ of this.matches.seek(test)) {
      await new Promise((next) => setTimeout(next));
      if (turn !== this.turn) return;
    }
    const { matches } = this;
    this.stage.filter(test ? (id) => matches.found.has(id) : null);
    this.#told();
    this.page.changed();
  }

  /** @param {import("./scene.js").Update} update */
  #follow(update) {
    if (!this.matches.test) return;
    if (update.whole) return void this.#seek();
    const { size } = this.matches.found;
    const { total } = this.matches;
    this.matches.update(update.changes);
    if (size !== this.matches.found.size || total !== this.matches.total) this.#told();
  }

  #told() {
    const on = !!this.matches.test;
    this.count.textContent = on ? t("search.count", { found: this.matches.found.size, total: this.matches.total }) : "";
    this.clear.hidden = !this.input.value;
    this.input.parentElement?.classList.toggle("none", on && !this.matches.found.size);
  }

  /** To the next match, or the one before. @param {1|-1} way */
  go(way) {
    const next = this.matches.next(this.stage.selected, way);
    if (next) this.page.show(next);
  }

  // what might be meant

  #suggest() {
    const { from, to, list } = suggest(this.input.value, this.input.selectionStart ?? 0, this.stage.scene);
    this.span = { from, to };
    this.offers = list;
    this.offer = -1;
    this.#offers();
  }

  #close() {
    this.offers = [];
    this.#offers();
  }

  #offers() {
    this.list.hidden = !this.offers.length;
    this.list.replaceChildren(...this.offers.map((text, index) => h("li", {
      role: "option", id: `offer-${index}`, "aria-selected": `${index === this.offer}`, onpointerdown: (/** @type {Event} */ event) => (event.preventDefault(), this.#take(index)),
    }, h("code", { text }), h("small", { text: this.#about(text) }))));
    this.input.setAttribute("aria-expanded", `${this.offers.length > 0}`);
    if (this.offer >= 0) this.input.setAttribute("aria-activedescendant", `offer-${this.offer}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {string} text */
  #about(text) {
    const field = text.match(/^-?(\w+):$/)?.[1];
    return field ? t(`search.field.${field}`) : text === "is:wrong" ? t("search.wrong") : text.endsWith("=") ? t("search.label") : "";
  }

  /** @param {number} index */
  #take(index) {
    const text = this.offers[index];
    const { from, to } = this.span;
    const whole = !/[:=]$/.test(text);
    const before = this.input.value;
    this.input.value = `${before.slice(0, from)}${text}${whole && !before.slice(to) ? " " : ""}${before.slice(to)}`;
    const cursor = from + text.length + Number(whole && !before.slice(to));
    this.input.setSelectionRange(cursor, cursor);
    void this.#seek();
    if (whole) this.#close();
    else this.#suggest();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    const { key } = event;
    if ((key === "ArrowDown" || key === "ArrowUp") && this.offers.length) {
      const many = this.offers.length + 1;
      this.offer = ((this.offer + 1 + (key === "ArrowDown" ? 1 : -1) + many) % many) - 1;
      this.#offers();
    } else if ((key === "Enter" || key === "Tab") && this.offer >= 0) this.#take(this.offer);
    else if (key === "Enter") {
      this.#close();
      if (this.input.value.trim() !== this.text) void this.#seek().then(() => this.go(event.shiftKey ? -1 : 1));
      else this.go(event.shiftKey ? -1 : 1);
    } else if (key === "Escape") {
      if (this.offers.length && this.input.value) this.#close();
      else {
        void this.set("");
        document.getElementById("eye")?.focus({ preventScroll: true });
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
