/**
 * The YAML editor: a manifest in; what the API server says of it out, as a dry run while one types and for real on Apply. Results
 * are listed as kubectl prints them; errors are marked at their line and column.
 */
import {
  EditorState, EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, drawSelection,
  placeholder, defaultKeymap, history, historyKeymap, syntaxHighlighting, HighlightStyle, indentOnInput, bracketMatching,
  indentUnit, indentWithTab, linter, lintGutter, lintKeymap, forceLinting, autocompletion, completionKeymap, searchKeymap, yaml, tags, Prec,
} from "../vendor/codemirror.js";
import { h } from "./dom.js";
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
    this.choice = h("select", { "data-i18n-label": "editor.examples", onchange: () => this.#open() });
    this.button = h("button.button.primary", { type: "button", onclick: () => this.apply() });
    this.results = h("div.results", { role: "log", "aria-live": "polite", tabindex: "0", "data-i18n-label": "editor.results" });
    const frame = h("div.editor");
    host.append(h("div.bar", {}, this.choice, this.button), frame, this.results);
    /** @type {{name: string, title: string, yaml: string}[]} */
    this.examples = [];
    this.view = new EditorView({
      parent: frame,
      state: EditorState.create({
        doc: sessionStorage.getItem(`podium.yaml.${api.room}`) ?? "",
        extensions: [
          Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (this.apply(), true) }])),
          lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), highlightSpecialChars(), drawSelection(), history(), indentOnInput(), bracketMatching(),
          autocompletion(), yaml(), syntaxHighlighting(HIGHLIGHT), LOOKS, lintGutter(), indentUnit.of("  "), EditorState.tabSize.of(2),
          linter((/** @type {any} */ view) => this.#lint(view), { delay: 450 }), placeholder("apiVersion: apps/v1\nkind: Deployment\n…"),
          keymap.of([indentWithTab, ...defaultKeymap, ...historyKeymap, ...lintKeymap, ...completionKeymap, ...searchKeymap]),
          EditorView.contentAttributes.of({ "aria-label": t("editor.label"), spellcheck: "false", autocapitalize: "off" }),
          EditorView.updateListener.of((/** @type {any} */ update) => update.docChanged && sessionStorage.setItem(`podium.yaml.${api.room}`, update.state.doc.toString())),
        ],
      }),
    });
    onLanguage(() => this.#words());
    this.#words();
  }

  #words() {
    this.button.replaceChildren(t("editor.apply"), h("kbd", { text: /Mac/.test(navigator.platform) ? "⌘↵" : "Ctrl ↵" }));
    if (!this.results.querySelector("p:not(.quiet)")) this.results.replaceChildren(h("p.quiet", { text: t("editor.hint") }));
    if (this.examples.length) this.#list();
  }

  async load() {
    try {
      const found = await this.api.examples();
      this.examples = Array.isArray(found) ? found : found.examples ?? [];
    } catch {
      this.examples = [];
    }
    this.#list();
    if (!this.text.trim() && this.examples.length) {
      const first = this.examples.find((one) => one.name.startsWith("nginx-deploy")) ?? this.examples[0];
      this.choice.value = first.name;
      this.set(first.yaml);
    }
  }

  #list() {
    const chosen = this.choice.value;
    this.choice.replaceChildren(h("option", { value: "", text: t("editor.examples") }), ...this.examples.map((one) => h("option", { value: one.name, text: one.title ?? one.name })));
    this.choice.value = chosen;
  }

  #open() {
    const example = this.examples.find((one) => one.name === this.choice.value);
    if (example) this.set(example.yaml);
    this.view.focus();
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
