/**
 * The editor proper, loaded when somebody reaches for it: CodeMirror with YAML's colours. What is not needed for the first letter (folding,
 * completion, checks, search) is loaded right after and added.
 */
import {
  Compartment, EditorState, EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, drawSelection,
  placeholder, standardKeymap, history, historyKeymap, syntaxHighlighting, HighlightStyle, indentOnInput, bracketMatching, indentUnit, yaml, tags, Prec,
} from "../../vendor/codemirror.js";
import { t } from "../i18n.js";
import { insist } from "../lazy.js";

const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--key)" },
  { tag: [tags.string, tags.content, tags.attributeValue], color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--faint)", fontStyle: "italic" },
  { tag: [tags.separator, tags.punctuation, tags.meta, tags.documentMeta], color: "var(--muted)" },
]);
export const LOOKS = EditorView.theme({
  "&": { backgroundColor: "transparent", color: "var(--text)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--faint)", border: "none", paddingLeft: "2px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--field) 60%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)" },
  ".cm-placeholder": { color: "var(--faint)" },
});
export const COLOURS = [yaml(), syntaxHighlighting(HIGHLIGHT), LOOKS];

/** @typedef {import("../editor.js").Editor} Editor */

export class View {
  /** @param {HTMLElement} host @param {Editor} editor @param {import("./standin.js").StandIn} before whose place it takes */
  constructor(host, editor, before) {
    this.more = new Compartment();
    /** @type {any} */
    this.added = [];
    const { focused, selection, top } = before;
    /** @param {() => unknown} run */
    const does = (run) => () => (run(), true);
    this.basic = [
      Prec.highest(keymap.of([{ key: "Mod-Enter", run: does(() => editor.apply()) }, { key: "Mod-s", run: does(() => editor.store()) }, { key: "Shift-Alt-f", run: does(() => editor.format()) }])),
      lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), highlightSpecialChars(), drawSelection(), history(), indentOnInput(), bracketMatching(),
      COLOURS, indentUnit.of("  "), EditorState.tabSize.of(2), placeholder("apiVersion: apps/v1\nkind: Deployment\n…"), keymap.of([...standardKeymap, ...historyKeymap]),
      EditorView.contentAttributes.of({ "data-i18n-label": "editor.label", "aria-label": t("editor.label"), "aria-describedby": "editor-keys", spellcheck: "false", autocapitalize: "off" }),
      EditorView.updateListener.of((/** @type {any} */ update) => update.docChanged && editor.edited(update.state.doc.toString())),
    ];
    this.view = new EditorView({ state: this.#state(before.text, selection) });
    before.remove();
    host.append(this.view.dom);
    this.view.scrollDOM.scrollTop = top;
    if (focused) this.view.focus();
    this.ready = insist(() => import("./more.js")).then(({ extensions }) => {
      this.added = extensions(editor);
      this.view.dispatch({ effects: this.more.reconfigure(this.added) });
    });
  }

  /** @param {string} doc @param {{from: number, to: number}} at */
  #state(doc, at) {
    return EditorState.create({ doc, selection: { anchor: at.from, head: at.to }, extensions: [this.basic, this.more.of(this.added)] });
  }

  /** Shows another file, with what can be undone in it. @param {string} text @param {any} [state] as `state` was */
  show(text, state) {
    this.view.setState(state ?? this.#state(text, { from: 0, to: 0 }));
    if (state) this.view.dispatch({ effects: this.more.reconfigure(this.added) });
  }

  get state() {
    return this.view.state;
  }

  get text() {
    return this.view.state.doc.toString();
  }

  /** @param {string} text @param {boolean} [top] whether the cursor goes to the top */
  set(text, top = true) {
    const anchor = top ? 0 : Math.min(this.selection.head, text.length);
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor }, scrollIntoView: top });
  }

  get selection() {
    return this.view.state.selection.main;
  }

  /** @param {number} from @param {number} to */
  select(from, to) {
    this.view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.view.focus();
  }

  get focused() {
    return this.view.hasFocus;
  }

  focus() {
    this.view.focus();
  }
}
