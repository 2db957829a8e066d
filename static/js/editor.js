/**
 * The YAML editor: a manifest in; what the API server says of it out, as a dry run while one types and for real on Apply. Results
 * are listed as kubectl prints them; errors are marked at their line and column. What is edited is a file of the room's workstation.
 */
import {
  EditorState, EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, drawSelection,
  placeholder, defaultKeymap, history, historyKeymap, syntaxHighlighting, HighlightStyle, indentOnInput, bracketMatching,
  indentUnit, indentWithTab, linter, lintGutter, lintKeymap, forceLinting, searchKeymap, yaml, tags, Prec,
} from "../vendor/codemirror.js";
import { h, toast } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { thingId } from "./scene.js";

const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--key)" },
  { tag: [tags.string, tags.content, tags.attributeValue], color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--faint)", fontStyle: "italic" },
  { tag: [tags.separator, tags.punctuation, tags.meta, tags.documentMeta], color: "var(--muted)" },
]);
const LOOKS = EditorView.theme({
  "&": { backgroundColor: "transparent", color: "var(--text)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--faint)", border: "none", paddingLeft: "2px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--field) 60%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "6px", overflow: "hidden", maxWidth: "380px" },
  ".cm-diagnostic": { padding: "6px 10px", fontFamily: "var(--mono)", fontSize: "11.5px", overflowWrap: "anywhere" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--failing)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--pending)" },
  ".cm-placeholder": { color: "var(--faint)" },
  ".cm-lint-marker": { width: "0.85em", height: "0.85em" },
});

/**
 * Line and column as an offset range in the document.
 * @param {any} doc @param {number|undefined} line @param {number|undefined} column
 */
function rangeOf(doc, line, column) {
  const at = doc.line(Math.min(Math.max(1, line ?? 1), doc.lines));
  const lead = at.text.search(/\S/);
  const from = Math.min(at.to, at.from + (column ? column - 1 : Math.max(0, lead)));
  return { from, to: Math.max(from, at.to) };
}

export class Editor {
  /** @param {HTMLElement} host @param {import("./api.js").Api} api @param {(id: string) => void} show */
  constructor(host, api, show) {
    this.api = api;
    this.show = show;
    this.applying = false;
    /** the workstation's file that is open, and its text as it is there */
    this.file = sessionStorage.getItem(`podium.file.${api.room}`) ?? "";
    this.kept = "";
    /** @type {string[]} */
    this.names = [];
    this.save = h("button.button", { type: "button", onclick: () => this.store() });
    this.choice = h("select", { "data-i18n-label": "editor.examples", onchange: () => this.#open() });
    this.button = h("button.button.primary", { type: "button", onclick: () => this.apply() });
    this.results = h("div.results", { role: "log", "aria-live": "polite", tabindex: "0", "data-i18n-label": "editor.results" });
    const frame = h("div.editor");
    host.append(h("div.bar", {}, this.choice, this.save, this.button), frame, this.results);
    /** @type {{name: string, title: string, yaml: string}[]} */
    this.examples = [];
    this.view = new EditorView({
      parent: frame,
      state: EditorState.create({
        doc: sessionStorage.getItem(`podium.yaml.${api.room}`) ?? "",
        extensions: [
          Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (this.apply(), true) }, { key: "Mod-s", run: () => (void this.store(), true) }])),
          lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), highlightSpecialChars(), drawSelection(), history(), indentOnInput(), bracketMatching(),
          yaml(), syntaxHighlighting(HIGHLIGHT), LOOKS, lintGutter(), indentUnit.of("  "), EditorState.tabSize.of(2),
          linter((/** @type {any} */ view) => this.#lint(view), { delay: 450 }), placeholder("apiVersion: apps/v1\nkind: Deployment\n…"),
          keymap.of([indentWithTab, ...defaultKeymap, ...historyKeymap, ...lintKeymap, ...searchKeymap]),
          EditorView.contentAttributes.of({ "aria-label": t("editor.label"), spellcheck: "false", autocapitalize: "off" }),
          EditorView.updateListener.of((/** @type {any} */ update) => update.docChanged && this.#edited(update.state.doc.toString())),
        ],
      }),
    });
    onLanguage(() => this.#words());
    this.#words();
  }

  #words() {
    this.button.replaceChildren(t("editor.apply"), h("kbd", { text: /Mac/.test(navigator.platform) ? "⌘↵" : "Ctrl ↵" }));
    if (!this.results.querySelector("p:not(.quiet)")) this.results.replaceChildren(h("p.quiet", { text: t("editor.hint") }));
    this.save.replaceChildren(t("editor.save"), h("kbd", { text: /Mac/.test(navigator.platform) ? "⌘S" : "Ctrl S" }));
    if (this.examples.length) this.#list();
  }

  /** @param {string} text */
  #edited(text) {
    sessionStorage.setItem(`podium.yaml.${this.api.room}`, text);
    this.save.disabled = text === this.kept;
  }

  async load() {
    try {
      const found = await this.api.examples();
      this.examples = Array.isArray(found) ? found : found.examples ?? [];
    } catch {
      this.examples = [];
    }
    await this.#names();
    if (!this.text.trim() && this.examples.length) await this.openFile((this.examples.find((one) => one.name.startsWith("nginx-deploy")) ?? this.examples[0]).name);
    else if (this.file) this.kept = await this.api.read(this.file).catch(() => "");
    this.#edited(this.text);
  }

  async #names() {
    this.names = await this.api.files().then((found) => found.files.map((/** @type {any} */ one) => one.name), () => this.examples.map((one) => one.name));
    this.#list();
  }

  #list() {
    const titles = new Map(this.examples.map((one) => [one.name, one.title]));
    const own = this.names.filter((name) => !titles.has(name));
    /** @param {string} label @param {string[]} names */
    const group = (label, names) => names.length > 0 && h("optgroup", { label }, ...names.map((value) => h("option", { value, text: titles.get(value) ?? value })));
    this.choice.replaceChildren(...[h("option", { value: "", text: t("editor.examples") }), h("option", { value: "+", text: t("editor.new") }), group(t("editor.files"), own), group(t("editor.given"), this.names.filter((name) => titles.has(name)))].filter(Boolean));
    this.choice.value = this.names.includes(this.file) ? this.file : "";
  }

  async #open() {
    if (this.choice.value === "+") this.#named(this.#fresh(), "", "");
    else if (this.choice.value) await this.openFile(this.choice.value);
    this.view.focus();
  }

  #fresh() {
    let number = 1;
    while (this.names.includes(`manifest-${number}.yaml`)) number++;
    return `manifest-${number}.yaml`;
  }

  /** @param {string} name @param {string} text @param {string} kept */
  #named(name, text, kept) {
    this.file = name;
    sessionStorage.setItem(`podium.file.${this.api.room}`, name);
    this.kept = kept;
    this.set(text);
    this.#edited(text);
    this.save.title = name;
    this.#list();
  }

  /** Opens a file of the workstation. @param {string} name */
  async openFile(name) {
    try {
      const text = await this.api.read(name);
      this.#named(name, text, text);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
  }

  /** Writes what is edited to its file. */
  async store() {
    const name = this.file || this.#fresh();
    try {
      const text = this.text;
      await this.api.write(name, text);
      this.file = name;
      sessionStorage.setItem(`podium.file.${this.api.room}`, name);
      this.kept = text;
      this.#edited(this.text);
      toast(t("editor.saved", { name }));
      await this.#names();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, true);
    }
  }

  /** Files of the workstation are not what they were. @param {string[]} names */
  async changed(names) {
    await this.#names();
    if (!this.file || !names.includes(this.file) || this.text !== this.kept) return;
    const text = await this.api.read(this.file).catch(() => null);
    if (text !== null && text !== this.text) this.#named(this.file, text, text);
  }

  get text() {
    return this.view.state.doc.toString();
  }

  /** @param {string} text */
  set(text) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
  }

  async apply() {
    if (this.applying || !this.text.trim()) return;
    this.applying = true;
    this.button.disabled = true;
    try {
      const { results } = await this.api.apply(this.text);
      this.#print(results);
    } catch (error) {
      this.#print([{ ok: false, error: /** @type {Error} */ (error).message }]);
    } finally {
      this.applying = this.button.disabled = false;
    }
  }

  /** @param {any[]} results */
  #print(results) {
    const lines = results.flatMap((one) => [
      ...(one.warnings ?? []).map((/** @type {string} */ text) => h("p.warn", {}, `Warning: ${text}`)),
      one.ok
        ? h("p", {}, h("button", { type: "button", text: one.message, onclick: () => one.kind && this.show(thingId(one.kind, one.kind === "Namespace" || one.kind === "Node" ? "" : one.namespace ?? "", one.name)) }))
        : h("p.bad", {}, h("button", { type: "button", onclick: () => this.#jump(one) }, one.line ? `${one.error}  (${one.line}:${one.column ?? 1})` : one.error)),
    ]);
    this.results.replaceChildren(...(lines.length ? lines : [h("p.quiet", { text: t("editor.nothing") })]));
    this.results.scrollTop = 0;
  }

  /** @param {{line?: number, column?: number}} at */
  #jump(at) {
    if (!at.line) return;
    const { from, to } = rangeOf(this.view.state.doc, at.line, at.column);
    this.view.dispatch({ selection: { anchor: from, head: to }, scrollIntoView: true });
    this.view.focus();
  }

  /** @param {any} view */
  async #lint(view) {
    const doc = view.state.doc;
    const text = doc.toString();
    if (!text.trim()) return [];
    try {
      const { results } = await this.api.apply(text, true);
      return results.flatMap((/** @type {any} */ one) => [
        ...(one.ok ? [] : [{ ...rangeOf(doc, one.line, one.column), severity: "error", message: one.error }]),
        ...(one.warnings ?? []).map((/** @type {string} */ message) => ({ ...rangeOf(doc, one.line, one.column), severity: "warning", message })),
      ]);
    } catch {
      return [];
    }
  }

  check() {
    forceLinting(this.view);
  }
}
