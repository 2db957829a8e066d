/**
 * What the API server says while one types: a dry run of the whole text, one at a time, the latest only; its errors and warnings at their
 * line and column, with a repair where there is an obvious one.
 */
import { t } from "../i18n.js";
import { placeAt } from "./position.js";
import { rangeOf } from "./results.js";
import { near } from "./schema.js";

/** A longer text is checked when it is applied. */
const LARGEST = 256 * 1024;
const MOST_SHOWN = 100;

/** @param {import("../editor.js").Editor} editor @param {import("./schema.js").Schema} schema */
export function checker(editor, schema) {
  /** @type {AbortController|null} */
  let asking = null;
  return async (/** @type {any} */ view) => {
    asking?.abort();
    const { doc } = view.state;
    const text = doc.toString();
    if (!text.trim() || text.length > LARGEST || editor.past) return [];
    const now = (asking = new AbortController());
    const answer = await editor.api.apply(text, true, now.signal).catch(() => null);
    if (asking === now) asking = null;
    if (!answer || view.state.doc !== doc) return [];
    const found = await Promise.all(answer.results.slice(0, MOST_SHOWN).map((/** @type {any} */ one) => diagnosed(schema, doc, text, one)));
    return found.flat();
  };
}

/** @param {import("./schema.js").Schema} schema @param {any} doc @param {string} text @param {any} one a result of the API server's */
async function diagnosed(schema, doc, text, one) {
  const at = rangeOf(doc, one.line, one.column);
  const errors = one.ok ? [] : [{ ...at, severity: "error", message: one.error, actions: await repairs(schema, text, at, one) }];
  const warnings = (one.warnings ?? []).map((/** @type {string} */ message) => ({ ...at, severity: "warning", message }));
  const repeated = (one.repeated ?? []).map((/** @type {any} */ each) => ({ ...rangeOf(doc, each.line, each.column), severity: "warning", message: each.message }));
  return [...errors, ...warnings, ...repeated];
}

/** @param {import("./schema.js").Schema} schema @param {string} text @param {{from: number, to: number}} at @param {any} one */
async function repairs(schema, text, at, one) {
  const unknown = one.error.match(/unknown field "([^"]+)"/)?.[1];
  const supported = one.error.match(/Unsupported value: .*?: supported values: (.*)/)?.[1];
  const place = placeAt(text, at.from);
  if (!place) return [];
  if (unknown) {
    const word = unknown.split(".").at(-1) ?? "";
    const kind = await schema.kindOf(place.doc).catch(() => undefined);
    const above = kind && (await schema.walk(kind.definition, place.path));
    const type = above && !above.in && above.of ? await schema.type(above.of) : undefined;
    const begin = text.indexOf(word, at.from);
    if (!type || begin < 0 || begin > at.to) return [];
    return near(word, Object.keys(type.fields).filter((name) => !(name in place.siblings))).map((name) => repair(t("editor.didYouMean", { name }), begin, begin + word.length, name));
  }
  if (supported && place.at === "key" && place.key) {
    const value = text.slice(at.from, at.to).match(/^([^:]+:\s*)(\S.*?)\s*(?:#.*)?$/);
    const from = at.from + (value?.[1].length ?? 0);
    return value ? [...supported.matchAll(/"([^"]+)"/g)].slice(0, 4).map(([, name]) => repair(name, from, from + value[2].length, name)) : [];
  }
  return [];
}

/** @param {string} name @param {number} from @param {number} to @param {string} insert */
const repair = (name, from, to, insert) => ({ name, apply: (/** @type {any} */ view) => view.dispatch({ changes: { from, to, insert } }) });
