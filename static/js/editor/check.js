/**
 * What the API server says while one types: a dry run of the whole text, one at a time, the latest only; its errors and warnings at their
 * line and column, with a repair where there is an obvious one.
 */
import { t } from "../i18n.js";
import { placeAt } from "./position.js";
import { brief, rangeOf } from "./results.js";
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
    const answer = await editor.api.apply(editor.live ? text.replace(/^  resourceVersion:.*/m, "") : text, true, now.signal, editor.files.now?.name).catch(() => null);
    if (asking === now) asking = null;
    if (!answer || view.state.doc !== doc) return [];
    if (editor.live) for (const one of answer.results) delete one.warnings;
    const found = await Promise.all(answer.results.slice(0, MOST_SHOWN).map((/** @type {any} */ one) => diagnosed(schema, doc, text, one)));
    return found.flat();
  };
}

/** @param {import("./schema.js").Schema} schema @param {any} doc @param {string} text @param {any} one a result of the API server's */
async function diagnosed(schema, doc, text, one) {
  const at = rangeOf(doc, one.line, one.column);
  const errors = await Promise.all(one.ok ? [] : (one.marks ?? [one]).map(async (/** @type {any} */ each) => {
    const here = rangeOf(doc, each.line, each.column);
    return { ...here, severity: "error", message: brief(each.error), actions: await repairs(schema, text, here, each) };
  }));
  const warnings = (one.warnings ?? []).map((/** @type {string} */ message) => ({ ...at, severity: "warning", message }));
  const repeated = (one.repeated ?? []).map((/** @type {any} */ each) => ({ ...rangeOf(doc, each.line, each.column), severity: "warning", message: each.message }));
  return [...errors, ...warnings, ...repeated];
}

/** @param {import("./schema.js").Schema} schema @param {string} text @param {{from: number, to: number}} at @param {any} one */
async function repairs(schema, text, at, one) {
  const unknown = one.error.match(/unknown field "([^"]+)"/)?.[1];
  const supported = one.error.match(/Unsupported value: .*?: supported values: (.*)/)?.[1];
  if (/found character that cannot start any token/.test(one.error) && /^ *\t/m.test(text)) return [{ name: t("editor.tabs"), apply: untab }];
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
  const foreign = one.error.match(/no matches for kind "([^"]*)" in version "([^"]*)"/);
  if (foreign) {
    const all = await schema.kinds().catch(() => []);
    const [, kind, version] = foreign;
    const names = all.some((each) => each.kind === kind) ? all.filter((each) => each.kind === kind).map((each) => each.apiVersion)
      : near(kind, all.filter((each) => each.apiVersion === version).map((each) => each.kind));
    return others(text, at, names);
  }
  return supported && place.at === "key" && place.key ? others(text, at, [...supported.matchAll(/"([^"]+)"/g)].map(([, name]) => name)) : [];
}

/** Other values for the key of a line. @param {string} text @param {{from: number, to: number}} at @param {string[]} names */
function others(text, at, names) {
  const value = text.slice(at.from, at.to).match(/^([^:]+:\s*)(\S.*?)\s*(?:#.*)?$/);
  const from = at.from + (value?.[1].length ?? 0);
  return value ? names.slice(0, 4).map((name) => repair(name, from, from + value[2].length, name)) : [];
}

/** Two spaces for each tab that a line begins with. @param {any} view */
function untab(view) {
  const changes = [...view.state.doc.toString().matchAll(/^[ \t]*\t[ \t]*/gm)].map((found) => ({ from: found.index, to: found.index + found[0].length, insert: found[0].replaceAll("\t", "  ") }));
  view.dispatch({ changes });
}

/** @param {string} name @param {number} from @param {number} to @param {string} insert */
const repair = (name, from, to, insert) => ({ name, apply: (/** @type {any} */ view) => view.dispatch({ changes: { from, to, insert } }) });
