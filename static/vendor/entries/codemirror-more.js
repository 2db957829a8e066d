export { RangeSetBuilder } from "@codemirror/state";
export { Decoration, ViewPlugin, hoverTooltip, tooltips } from "@codemirror/view";
export { defaultKeymap, temporarilySetTabFocusMode } from "@codemirror/commands";
export { foldGutter, foldKeymap } from "@codemirror/language";
export { autocompletion, completionKeymap, snippet, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
export { linter, lintGutter, lintKeymap, forceLinting } from "@codemirror/lint";
export { search, searchKeymap, openSearchPanel } from "@codemirror/search";
