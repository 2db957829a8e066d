export { Compartment, EditorState, Prec } from "@codemirror/state";
export {
  EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, drawSelection, placeholder,
} from "@codemirror/view";
export { history, historyKeymap, indentWithTab, standardKeymap } from "@codemirror/commands";
export { syntaxHighlighting, HighlightStyle, indentOnInput, bracketMatching, indentUnit } from "@codemirror/language";
export { yaml } from "@codemirror/lang-yaml";
export { tags } from "@lezer/highlight";
