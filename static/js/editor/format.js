/** A manifest as it is usually written: two spaces, lists at their key, apiVersion, kind and metadata first; comments stay where they are. */
import { isMap, isPair, isScalar, parseAllDocuments, visit } from "../../vendor/yaml.js";
import { toast } from "../dom.js";
import { t } from "../i18n.js";

const FIRST = ["apiVersion", "kind", "metadata"];
const FIRST_OF_METADATA = ["name", "generateName", "namespace", "labels", "annotations"];
const LAST = ["status"];

/** @param {import("../editor.js").Editor} editor */
export function format(editor) {
  const before = editor.text;
  const { text, fault } = formatted(before);
  if (fault) {
    toast(t("format.broken", { line: fault.line, error: fault.message }), true);
    return editor.jump({ line: fault.line, column: fault.column });
  }
  if (text === before) return toast(t("format.same"));
  editor.set(text, false);
}

/** @param {string} before @returns {{text: string, fault?: {line: number, column: number, message: string}}} */
function formatted(before) {
  const documents = parseAllDocuments(before.replace(/\r\n?/g, "\n").replace(/\t+(?=#|$)/gm, " "), { uniqueKeys: false, version: "1.1", schema: "failsafe" });
  const list = Array.isArray(documents) ? documents : [];
  for (const document of list) {
    const [error] = document.errors;
    if (error) return { text: before, fault: { line: error.linePos?.[0].line ?? 1, column: error.linePos?.[0].col ?? 1, message: error.message.split("\n")[0].replace(/ at line \d+, column \d+:?$/, "") } };
  }
  const parts = list.map((/** @type {any} */ document) => {
    document.directives.docStart = null;
    ordered(document.contents, FIRST, LAST);
    if (isMap(document.contents)) for (const pair of document.contents.items) if (isPair(pair) && isScalar(pair.key) && pair.key.value === "metadata") ordered(pair.value, FIRST_OF_METADATA, []);
    visit(document, { Collection: (/** @type {any} */ _, /** @type {any} */ node) => void (node.items.length === 0 && (node.flow = true)) });
    return document.contents === null && !document.commentBefore && !document.comment ? "" : document.toString({ indent: 2, indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
  });
  return { text: parts.filter((part) => part.trim()).map((part) => (part.endsWith("\n") ? part : `${part}\n`)).join("---\n") };
}

/** Puts some keys first and some last; the others stay in their order. @param {any} map @param {string[]} first @param {string[]} last */
function ordered(map, first, last) {
  if (!isMap(map)) return;
  const lead = map.commentBefore ?? map.items[0]?.key?.commentBefore;
  /** @param {any} pair */
  const place = (pair) => {
    const key = isScalar(pair.key) ? `${pair.key.value}` : "";
    return first.includes(key) ? first.indexOf(key) - first.length : last.includes(key) ? 1 : 0;
  };
  const head = map.items[0]?.key;
  const moved = map.items.toSorted((/** @type {any} */ one, /** @type {any} */ other) => place(one) - place(other));
  if (moved[0]?.key !== head && lead && head?.commentBefore === lead) {
    head.commentBefore = undefined;
    if (moved[0]?.key) moved[0].key.commentBefore = [lead, moved[0].key.commentBefore].filter(Boolean).join("\n");
  }
  map.items = moved;
}
