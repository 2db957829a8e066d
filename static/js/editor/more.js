/** What the editor has besides writing, loaded right after it: completion, documentation, checks by the API server, folding, search. */
import {
  autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, defaultKeymap, foldGutter, foldKeymap, forceLinting, linter, lintGutter, lintKeymap,
  openSearchPanel, search, searchKeymap, temporarilySetTabFocusMode, tooltips,
} from "../../vendor/codemirror-more.js";
import { EditorState, EditorView, indentWithTab, keymap } from "../../vendor/codemirror.js";
import { h, icon } from "../dom.js";
import { knows, t } from "../i18n.js";
import { checker } from "./check.js";
import { hovering, source } from "./complete.js";
import { guides } from "./guides.js";
import { Schema } from "./schema.js";

export { forceLinting, openSearchPanel };

/** What the search panel says, in the page's language. */
const SAID = ["Find", "Replace", "next", "previous", "all", "match case", "regexp", "by word", "replace", "replace all", "close"];

/** @param {import("../editor.js").Editor} editor */
export function extensions(editor) {
  const schema = new Schema(editor.api);
  const check = checker(editor, schema);
  return [
    tooltips({ parent: document.body }), lintGutter(), linter(check, { delay: 450 }), autocompletion({ override: [source(editor, schema)], icons: false, maxRenderedOptions: 80 }), hovering(editor, schema), search({ top: true }), EditorState.phrases.of(Object.fromEntries(SAID.filter((said) => knows(`find.${said}`)).map((said) => [said, t(`find.${said}`)]))), closeBrackets(), guides,
    foldGutter({ markerDOM: (/** @type {boolean} */ open) => h("span.fold", {}, icon(open ? "down" : "right")) }), EditorView.editorAttributes.of({ class: "full" }),
    keymap.of([{ key: "Escape", run: temporarilySetTabFocusMode }, ...closeBracketsKeymap, ...completionKeymap, ...foldKeymap, ...lintKeymap, ...searchKeymap, ...defaultKeymap, indentWithTab]),
  ];
}
