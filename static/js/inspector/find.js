/** Finding a text in lines: a field with the number of hits, Enter goes to the next and Shift+Enter to the one before. */
import { clip, h, icon } from "../dom.js";
import { t } from "../i18n.js";

const MOST = 5000;
const MARKS = /** @type {any} */ (globalThis.CSS)?.highlights;

export class Finder {
  /** @param {string} id @param {() => Iterable<HTMLElement>} lines what is searched @param {(line: HTMLElement) => void} reveal brings a line into view */
  constructor(id, lines, reveal) {
    this.lines = lines;
    this.reveal = reveal;
    this.at = -1;
    /** @type {HTMLElement[]} */
    this.hits = [];
    this.input = h("input", { type: "search", id, autocomplete: "off", spellcheck: "false", "aria-label": t("inspect.find"), placeholder: t("inspect.find"), oninput: () => ((this.at = -1), this.again(true)), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) });
    this.count = h("span.hits", { role: "status" });
    /** @param {string} name @param {string} label @param {number} way */
    const button = (name, label, way) => h("button.icon", { type: "button", "aria-label": label, title: label, onclick: () => this.go(way) }, icon(name));
    this.buttons = h("span.ways", { hidden: true }, button("up", t("inspect.findBefore"), -1), button("down", t("inspect.findNext"), 1));
    this.element = h("span.find", {}, this.input, this.count, this.buttons);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape" && this.input.value) (this.input.value = ""), this.again();
    else if (event.key === "Enter" && !event.isComposing) this.go(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Searches what there is now. @param {boolean} [first] goes to the first hit */
  again(first = false) {
    const here = this.hits[this.at];
    const text = this.input.value.toLowerCase();
    for (const line of this.hits) line.classList.remove("hit", "here");
    this.hits = [];
    const ranges = [];
    if (text)
      for (const line of this.lines()) {
        if (!(line.textContent ?? "").toLowerCase().includes(text)) continue;
        this.hits.push(line);
        line.classList.add("hit");
        if (MARKS) ranges.push(...spans(line, text));
        if (this.hits.length >= MOST) break;
      }
    if (MARKS) MARKS.set("found", new (/** @type {any} */ (globalThis).Highlight)(...ranges));
    this.at = this.hits.indexOf(here);
    this.buttons.hidden = !text;
    if (first && this.hits.length) this.go(1);
    this.#say();
  }

  /** @param {number} way */
  go(way) {
    if (!this.hits.length) return;
    this.hits[this.at]?.classList.remove("here");
    this.at = (this.at + way + this.hits.length + (this.at < 0 && way < 0 ? 1 : 0)) % this.hits.length;
    const line = this.hits[this.at];
    line.classList.add("here");
    this.reveal(line);
    this.#say();
  }

  #say() {
    this.count.textContent = this.input.value ? (this.hits.length ? `${this.at + 1}/${this.hits.length}` : t("inspect.findNone")) : "";
  }

  leave() {
    MARKS?.delete("found");
  }
}

/** Where a text stands in a line, over its elements. @param {HTMLElement} line @param {string} text */
function spans(line, text) {
  const found = [];
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const value = (node.nodeValue ?? "").toLowerCase();
    for (let at = value.indexOf(text); at >= 0; at = value.indexOf(text, at + text.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + text.length);
      found.push(range);
    }
  }
  return found;
}

/** A button that copies. @param {string} id @param {() => string} text @param {() => void} done */
export const copier = (id, text, done) => h("button.button", { type: "button", id, text: t("inspect.copy"), onclick: () => clip(text()).then(done, () => {}) });
