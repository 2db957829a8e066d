/** What Apply would change: for each document the live object beside the API server's answer to a dry run, line by line. */
import { h, icon, toast } from "../dom.js";
import { t } from "../i18n.js";
import { kept } from "../kept.js";
import { counted, lines, pairs } from "./lines.js";

const AROUND = 3;
const WIDE = 900;

/** @param {import("../editor.js").Editor} editor */
export async function diff(editor) {
  const text = editor.text;
  if (!text.trim()) return;
  const answer = await editor.api.diff(text).catch((/** @type {Error} */ error) => void toast(error.message, true));
  if (!answer) return;
  let split = (kept.get("podium.diff") ?? (innerWidth > WIDE ? "split" : "unified")) === "split";
  const body = h("div.diff-body", { tabindex: "0" });
  const way = h("button.button", { type: "button", onclick: () => (kept.set("podium.diff", (split = !split) ? "split" : "unified"), draw()) });
  const apply = h("button.button.primary", { type: "button", onclick: () => (dialog.close(), void editor.apply()) }, t("editor.apply"));
  const dialog = h("dialog.gallery.diff", { "aria-labelledby": "diff-title" },
    h("header", { role: "none" }, h("h2", { id: "diff-title", text: t("diff.title") }), h("span.grow"), way, apply, h("button.icon", { type: "button", "aria-label": t("gallery.close"), title: t("gallery.close"), onclick: () => dialog.close() }, icon("close"))), body);
  const draw = () => {
    way.textContent = t(split ? "diff.unified" : "diff.split");
    body.replaceChildren(...answer.documents.map((/** @type {any} */ one) => section(one, split)));
  };
  apply.disabled = editor.past || answer.documents.every((/** @type {any} */ one) => one.error);
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  draw();
  body.focus();

  /** @param {any} one @param {boolean} split */
  function section(one, split) {
    const name = [one.kind, one.name].filter(Boolean).join(" ");
    const head = (/** @type {string} */ said, /** @type {string} */ tone) => h("h3", {}, h("b", { text: name || t("diff.document") }), one.namespace && h("small", { text: one.namespace }), h(`span.said.${tone}`, { text: said }));
    if (one.error) return h("section", {}, head(t("diff.refused"), "bad"), h("p.bad", {}, h("button.link", { type: "button", text: `${one.error}${one.line ? `  (${one.line}:${one.column ?? 1})` : ""}`, onclick: () => (dialog.close(), editor.jump(one)) })));
    const changes = lines(one.live, one.merged);
    const { added, removed } = counted(changes);
    if (!added && !removed) return h("section", {}, head(t("diff.same"), "same"));
    const said = one.live ? t("diff.changed", { added, removed }) : t("diff.new");
    return h("section", {}, head(said, "change"), split && one.live ? beside(changes) : unified(changes));
  }
}

/** Runs of lines that are the same, but for a few around each change, are one row. @param {import("./lines.js").Change[]} changes */
function near(changes) {
  const kept = changes.map((one, index) => one.sign !== " " || changes.slice(Math.max(0, index - AROUND), index + AROUND + 1).some((other) => other.sign !== " "));
  return { kept, gap: (/** @type {number} */ index) => !kept[index] && (index === 0 || kept[index - 1]) };
}

/** @param {import("./lines.js").Change[]} changes */
function unified(changes) {
  const { kept, gap } = near(changes);
  const rows = changes.flatMap((one, index) => (kept[index] ? [row([cell(one)])] : gap(index) ? [h("tr.gap", {}, h("td", { text: "⋯" }))] : []));
  return h("table.lines", {}, h("tbody", {}, ...rows));
}

/** @param {import("./lines.js").Change[]} changes */
function beside(changes) {
  const rows = pairs(changes);
  const { kept, gap } = near(rows.map(([left, right]) => (left && right && left.sign === " " ? left : { sign: /** @type {"+"} */ ("+"), text: "" })));
  const head = h("thead", {}, h("tr", {}, h("th", { text: t("diff.live") }), h("th", { text: t("diff.after") })));
  return h("table.lines.split", {}, head, h("tbody", {}, ...rows.flatMap(([left, right], index) => (kept[index] ? [row([cell(left), cell(right)])] : gap(index) ? [h("tr.gap", {}, h("td", { text: "⋯" }), h("td", { text: "⋯" }))] : []))));
}

/** @param {HTMLElement[]} cells */
const row = (cells) => h("tr", {}, ...cells);

/** @param {import("./lines.js").Change|null} one */
function cell(one) {
  if (!one) return h("td.none");
  const sign = { "+": "plus", "-": "minus", " ": "same" }[one.sign];
  return h(`td.${sign}`, {}, h("i", { text: one.sign, "aria-label": one.sign === " " ? undefined : t(one.sign === "+" ? "diff.plus" : "diff.minus") }), h("code", {}, ...(one.marks ? [one.text.slice(0, one.marks[0]), h("mark", { text: one.text.slice(...one.marks) }), one.text.slice(one.marks[1])] : [one.text])));
}
