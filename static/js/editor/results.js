/** What the API server said of each document, as kubectl prints it; a click shows the object, or the line that is wrong. */
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { thingId } from "../scene.js";

const CLUSTERED = new Set(["Namespace", "Node"]);

/**
 * Line and column as an offset range in a document: from there to the end of the line.
 * @param {any} doc with CodeMirror's `line` and `lines` @param {number|undefined} line @param {number|undefined} column
 */
export function rangeOf(doc, line, column) {
  const at = doc.line(Math.min(Math.max(1, line ?? 1), doc.lines));
  const lead = at.text.search(/\S/);
  const from = Math.min(at.to, at.from + (column ? column - 1 : Math.max(0, lead)));
  return { from, to: Math.max(from, at.to) };
}

/** The same of a text. @param {string} text @param {number|undefined} line @param {number|undefined} column */
export function placeOf(text, line, column) {
  const lines = text.split("\n");
  let from = 0;
  /** @param {number} number */
  const nth = (number) => {
    for (let index = (from = 0); index < number - 1; index++) from += lines[index].length + 1;
    return { text: lines[number - 1], from, to: from + lines[number - 1].length };
  };
  return rangeOf({ line: nth, lines: lines.length }, line, column);
}

/** What the API server says of a patch without the patch itself, which hides what is wrong with it. @param {string} error */
export const brief = (error) => error.replace(/"map\[.*\]": /s, '"map[…]": ').replace(/^\{.*\}$/m, "{…}");

/** @param {any[]} results @param {{show: (id: string) => void, jump: (at: {line?: number, column?: number}) => void}} parts @returns {HTMLElement[]} */
export function printed(results, { show, jump }) {
  const lines = results.flatMap((one) => [
    ...(one.warnings ?? []).map((/** @type {string} */ text) => h("p.warn", {}, `Warning: ${text}`)),
    one.ok
      ? h("p", {}, h("button", { type: "button", text: one.message, onclick: () => one.kind && show(thingId(one.kind, CLUSTERED.has(one.kind) ? "" : one.namespace ?? "", one.name)) }))
      : h("p.bad", {}, h("button", { type: "button", title: brief(one.error) === one.error ? undefined : one.error, onclick: () => jump(one) }, one.line ? `${brief(one.error)}  (${one.line}:${one.column ?? 1})` : one.error)),
  ]);
  return lines.length ? lines : [h("p.quiet", { text: t("editor.nothing") })];
}
