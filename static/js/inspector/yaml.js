/**
 * The object as YAML, live: lines keep their place, selection and folds while others change, and what changed is marked for a moment.
 * A field can be shown by its path; a Secret's values are covered until they are asked for.
 */
import { h, toast } from "../dom.js";
import { t } from "../i18n.js";
import { copier, Finder } from "./find.js";
import { APPLIED } from "./overview.js";
import { asWritten, keys, lineOf, lines } from "./yamllines.js";

/** @typedef {import("./yamllines.js").Line} Line */

const FOLDED = new Set(["metadata.managedFields", "status"]);
const MOST = 4000;
const MARKED = 2500;

export class YamlView {
  /** @param {import("./panel.js").Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.parts = ["yaml"];
    this.text = "";
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    /** @type {Set<string>} paths of what is folded */
    this.folds = new Set(FOLDED);
    this.shown = false;
    /** @type {string|null} a field that is to be shown as soon as it is there */
    this.wanted = null;
    this.finder = new Finder("yaml-find", () => this.rows.values(), (row) => this.#reveal(row));
    this.all = h("button.button", { type: "button", id: "yaml-fold", onclick: () => this.#all() });
    this.cover = h("button.button", { type: "button", id: "yaml-reveal", hidden: true, onclick: () => ((this.shown = !this.shown), this.#draw()) });
    this.edit = h("button.button", { type: "button", id: "yaml-edit", text: t("inspect.edit"), onclick: () => panel.acts.edit(asWritten(this.text)) });
    this.code = h("div.code.yaml", { role: "document", tabIndex: 0, "aria-label": "YAML", onclick: (/** @type {MouseEvent} */ event) => this.#click(event) });
    this.element = h("div.view.fixed", {}, h("div.strip", {}, this.finder.element, this.cover, this.all, copier("yaml-copy", () => this.text, () => toast(t("help.copied"))), this.edit), this.code);
  }

  begin() {
    this.text = "";
    this.lines = [];
    this.rows.clear();
    this.code.replaceChildren(h("p", { text: t("inspect.loading") }));
    this.folds = new Set(FOLDED);
    this.shown = false;
    this.wanted = null;
  }

  /** @param {string} path */
  field(path) {
    this.wanted = path;
    this.#goto();
  }

  update() {
    const text = this.panel.detail?.yaml;
    this.edit.disabled = this.panel.past !== null;
    if (text === undefined || text === this.text) return this.#goto();
    this.text = text;
    this.lines = lines(text).slice(0, MOST);
    this.#draw();
    this.#goto();
  }

  #draw() {
    const secret = this.panel.id?.startsWith("Secret/") ?? false;
    const fresh = !this.rows.size;
    const now = performance.now();
    /** @type {Map<string, HTMLElement>} */
    const rows = new Map();
    const names = keys(this.lines);
    this.lines.forEach((line, index) => {
      const covered = secret && !this.shown && ((line.path[0] === "data" && line.path.length === 2) || line.path[2] === APPLIED);
      const text = covered && line.kind === "field" ? `${line.text.slice(0, line.text.indexOf(":") + 1)} ••••••••` : covered ? "  ••••••••" : line.text;
      const was = this.rows.get(names[index]);
      const row = was ?? h("div.line");
      if (row.dataset.text !== text || row.dataset.block !== `${line.end > index}`) {
        row.dataset.text = text;
        row.dataset.block = `${line.end > index}`;
        row.replaceChildren(...this.#paint(line, text, line.end > index));
        if (!fresh && !covered) {
          row.classList.add("changed");
          row.dataset.until = `${now + MARKED}`;
          setTimeout(() => performance.now() >= Number(row.dataset.until) - 50 && row.classList.remove("changed"), MARKED);
        }
      }
      row.dataset.at = `${index}`;
      rows.set(names[index], row);
    });
    this.rows = rows;
    let at = this.code.firstChild;
    for (const row of rows.values()) {
      if (row === at) at = at.nextSibling;
      else this.code.insertBefore(row, at);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
    if (lines.length >= MOST) this.code.append(h("p.quiet", { text: t("inspect.cut", { count: MOST }) }));
    this.cover.hidden = !secret;
    this.cover.textContent = t(this.shown ? "inspect.cover" : "inspect.reveal");
    this.#fold();
    if (this.finder.input.value) this.finder.again();
  }

  /** @param {Line} line @param {string} text @param {boolean} block @returns {any[]} */
  #paint(line, text, block) {
    const fold = block ? h("button.fold", { type: "button", tabIndex: -1, "aria-label": t("inspect.fold", { name: line.path.at(-1) ?? "" }) }) : h("i.fold");
    const found = line.kind === "text" ? null : /^(\s*(?:- )*)((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s:"'][^:]*?):)(\s.*)?$/.exec(text);
    if (!found) return [fold, line.kind === "mark" ? h("span.quiet", { text }) : value(text)];
    return [fold, found[1], h("span.key", { text: found[2] }), found[3] ? value(found[3]) : ""];
  }

  #fold() {
    let until = -1;
    [...this.rows.values()].forEach((row, index) => {
      const line = this.lines[index];
      const path = line.path.join(".");
      const hidden = index <= until;
      row.hidden = hidden;
      const folded = line.end > index && this.folds.has(path) && line.kind !== "text";
      row.classList.toggle("folded", folded);
      const button = row.firstElementChild;
      if (button instanceof HTMLButtonElement) button.setAttribute("aria-expanded", `${!folded}`);
      if (folded && !hidden) {
        row.dataset.more = t("inspect.lines", { count: line.end - index });
        until = line.end;
      }
    });
    const some = this.lines.some((line, index) => line.end > index && this.folds.has(line.path.join(".")));
    this.all.textContent = t(some ? "inspect.unfold" : "inspect.foldAll");
  }

  #all() {
    const open = this.folds.size > 0 && this.lines.some((line, index) => line.end > index && this.folds.has(line.path.join(".")));
    this.folds = open ? new Set() : new Set(this.lines.filter((line, index) => line.end > index && line.path.length === 2 || FOLDED.has(line.path.join("."))).map((line) => line.path.join(".")));
    this.#fold();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = /** @type {HTMLElement|null} */ (target.closest(".line"));
    if (!row || !(target.closest(".fold") || row.classList.contains("folded"))) return;
    const path = this.lines[Number(row.dataset.at)].path.join(".");
    if (this.folds.has(path)) this.folds.delete(path);
    else if (row.dataset.block === "true") this.folds.add(path);
    this.#fold();
  }

  /** Unfolds what a line is in, and scrolls to it. @param {HTMLElement} row */
  #reveal(row) {
    const at = Number(row.dataset.at);
    this.lines.forEach((line, index) => index < at && line.end >= at && this.folds.delete(line.path.join(".")));
    this.#fold();
    row.scrollIntoView({ block: "center" });
  }

  #goto() {
    if (!this.wanted || !this.lines.length) return;
    const index = lineOf(this.lines, this.wanted);
    this.wanted = null;
    const row = [...this.rows.values()][index];
    for (const one of this.code.querySelectorAll(".pointed")) one.classList.remove("pointed");
    if (!row) return;
    this.folds.delete(this.lines[index].path.join("."));
    this.#reveal(row);
    row.classList.add("pointed");
  }

  leave() {
    this.finder.leave();
  }
}

/** @param {string} text */
function value(text) {
  const bare = text.trim();
  const kind = /^(?:-?\d+(?:\.\d+)?|true|false|null|\{\}|\[\])$/.test(bare) ? "number" : "string";
  return h(`span.${kind}`, { text });
}
