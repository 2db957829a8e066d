/**
 * What stands in the editor's place until somebody reaches for it: the text in its colours over a plain text area, so that the first
 * picture needs no editor library. It can be typed in; the real editor takes its text, selection and place over.
 */
import { h } from "../dom.js";
import { t } from "../i18n.js";

const MOST_COLOURED = 20000;
const LINE = /^(\s*(?:- +)*)((?:"[^"\n]*"|'[^'\n]*'|[^\s#:"'][^#:\n]*?)(?=:(?:\s|$)))?(:)?(.*)$/;
const VALUE = /^(\s*)(-?\d[\w.]*|true|false|null|~)?(.*?)(\s#.*)?$/;

export class StandIn {
  /** @param {HTMLElement} host @param {{changed: (text: string) => void, wanted: () => void, keys: Record<string, () => void>}} parts */
  constructor(host, { changed, wanted, keys }) {
    this.changed = changed;
    this.paper = h("pre", { "aria-hidden": "true" });
    this.numbers = h("pre.numbers", { "aria-hidden": "true" });
    this.area = h("textarea", {
      spellcheck: "false", autocapitalize: "off", wrap: "off", "data-i18n-label": "editor.label", "aria-label": t("editor.label"), "aria-describedby": "editor-keys", onfocus: wanted, onscroll: () => this.#follow(), oninput: () => (this.#paint(), changed(this.text)),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const run = event.ctrlKey || event.metaKey ? keys[event.key] : undefined;
        if (run) event.preventDefault(), event.stopPropagation(), run();
      },
    });
    this.dom = h("div.standin", { onpointerenter: wanted }, this.numbers, h("div", {}, this.paper, this.area));
    host.append(this.dom);
  }

  #follow() {
    this.paper.style.translate = `${-this.area.scrollLeft}px ${-this.area.scrollTop}px`;
    this.numbers.style.translate = `0 ${-this.area.scrollTop}px`;
  }

  #paint() {
    /** @type {string[]} */
    const lines = this.text.slice(0, MOST_COLOURED).split("\n");
    this.paper.replaceChildren(...lines.flatMap((line) => [...coloured(line), "\n"]));
    this.paper.append(this.text.slice(MOST_COLOURED));
    this.numbers.textContent = Array.from({ length: this.text.split("\n").length }, (_, index) => index + 1).join("\n");
    this.#follow();
  }

  get text() {
    return this.area.value;
  }

  /** @param {string} text @param {boolean} [top] whether the cursor goes to the top */
  set(text, top = true) {
    this.area.value = text;
    if (top) this.area.setSelectionRange(0, 0), (this.area.scrollTop = 0);
    this.#paint();
    this.changed(text);
  }

  get selection() {
    return { from: this.area.selectionStart, to: this.area.selectionEnd };
  }

  /** @param {number} from @param {number} to */
  select(from, to) {
    this.area.setSelectionRange(from, to);
    this.focus();
  }

  get top() {
    return this.area.scrollTop;
  }

  get focused() {
    return document.activeElement === this.area;
  }

  focus() {
    this.area.focus();
  }

  remove() {
    this.dom.remove();
  }
}

/** A line of YAML in spans as the editor colours it. @param {string} line @returns {(string|Node)[]} */
export function coloured(line) {
  if (/^\s*#/.test(line)) return [h("span.comment", { text: line })];
  if (/^(---|\.\.\.)/.test(line)) return [h("span.mark", { text: line })];
  const [, lead, key, colon, rest] = /** @type {RegExpMatchArray} */ (line.match(LINE));
  const [, space, plain, words, comment] = /** @type {RegExpMatchArray} */ (rest.match(VALUE));
  const value = plain && words ? [h("span.string", { text: plain + words })] : [plain && h("span.number", { text: plain }), words && h("span.string", { text: words })];
  return [lead.replace(/ +$/, ""), lead.slice(lead.trimEnd().length), key && h("span.key", { text: key }), colon && h("span.mark", { text: colon }), space, ...value, comment && h("span.comment", { text: comment })].filter(Boolean);
}
