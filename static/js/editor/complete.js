/**
 * Completion and documentation: a place in the text in; fields with their types, values, names that are there in the cluster, and what
 * Kubernetes says of a field out. Everything comes from the server's schema and the live cluster; nothing is a list of our own.
 */
import { hoverTooltip, snippet } from "../../vendor/codemirror-more.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { documents, placeAt } from "./position.js";
import { labelsIn, namesIn, referenceOf } from "./references.js";

const DEEP = 3;
/** What is written besides the required, because nothing is of use without it. @type {Record<string, string[]>} */
const WANTED = { Container: ["name", "image"], ServiceSpec: ["selector", "ports"], ObjectMeta: ["name"] };

/** @typedef {import("./schema.js").Schema} Schema @typedef {import("./schema.js").Field} Field @typedef {import("./position.js").Place} Place */

/** @param {import("../editor.js").Editor} editor @param {Schema} schema */
export const source = (editor, schema) => async (/** @type {any} */ context) => {
  const text = context.state.doc.toString();
  const place = placeAt(text, context.pos);
  if (!place) return null;
  const typed = text.slice(place.from, context.pos);
  if (!context.explicit && !typed && (place.at === "key" || !/:\s$/.test(text.slice(0, context.pos)))) return null;
  const options = await optionsAt(editor, schema, text, place);
  return options.length ? { from: Math.min(place.from, context.pos), options, validFor: /^[\w./<>-]*$/ } : null;
};

/** @param {import("../editor.js").Editor} editor @param {Schema} schema @param {string} text @param {Place} place @returns {Promise<any[]>} */
async function optionsAt(editor, schema, text, place) {
  if (place.path.length === 0 && place.at === "value" && (place.key === "kind" || place.key === "apiVersion")) return kinds(schema, text, place);
  const kind = await schema.kindOf(place.doc);
  if (!kind) return place.path.length || place.at === "value" ? [] : ["apiVersion", "kind", "metadata", "spec"].filter((name) => !(name in place.siblings)).map((label) => ({ label, type: "property", apply: label === "metadata" || label === "spec" ? `${label}:\n  ` : `${label}: ` }));
  const step = await schema.walk(kind.definition, place.at === "value" ? [...place.path, place.key] : place.path);
  const reference = referenceOf(place.doc.kind, place.path, place.at === "value" ? place.key : "", place.siblings);
  if (place.at === "key" && step && !step.in && step.of) return fields(schema, step.of, place);
  if (reference?.labels) return labels(editor, text, place, reference);
  if (reference && (place.at === "value" || place.item)) return names(editor, text, place, reference);
  if (!step?.field || (place.at === "key" && !place.item)) return [];
  if (place.path.at(-2) !== undefined && place.key === "name" && /volumeMounts|volumeDevices/.test(`${place.path.at(-2)}`)) return volumes(text, place);
  return (step.field.enum ?? []).filter(Boolean).map((label) => ({ label, type: "enum", detail: label === step.field?.default ? t("editor.default") : undefined, info: () => about(step.field?.description ?? "") }));
}

/** Kinds with their apiVersion; in an empty document the whole of what is required. @param {Schema} schema @param {string} text @param {Place} place */
async function kinds(schema, text, place) {
  const all = await schema.kinds();
  if (place.key === "apiVersion") {
    const fitting = all.filter((one) => !place.doc.kind || one.kind === place.doc.kind);
    return [...new Set(fitting.map((one) => one.apiVersion))].map((label) => ({ label, type: "namespace", detail: fitting.filter((one) => one.apiVersion === label).map((one) => one.kind).slice(0, 4).join(" ") }));
  }
  const bare = !/^(?!apiVersion:|kind:|#|\s*$)/m.test(text.slice(place.doc.from, place.doc.to));
  return all.map((one) => ({
    label: one.kind, type: "class", detail: one.apiVersion,
    apply: async (/** @type {any} */ view, /** @type {any} */ _, /** @type {number} */ from, /** @type {number} */ to) => {
      if (!bare) {
        const before = view.state.doc.toString();
        const version = versionAt(before, documents(before).findLast((doc) => doc.from <= from) ?? place.doc, one.apiVersion);
        return view.dispatch({ changes: [{ from, to, insert: one.kind }, ...version].sort((a, b) => a.from - b.from) });
      }
      const template = `apiVersion: ${one.apiVersion}\nkind: ${one.kind}\nmetadata:\n  name: \${name}\n${await skeleton(schema, one.definition, 0, DEEP + 2, ["apiVersion", "kind", "metadata"])}\${}`;
      const now = view.state.doc.toString();
      const doc = documents(now).findLast((each) => each.from <= from) ?? place.doc;
      snippet(template)(view, null, doc.from, doc.to);
    },
  }));
}

/** The change that makes the document's apiVersion right. @param {string} text @param {{from: number, to: number}} doc @param {string} version */
function versionAt(text, doc, version) {
  const found = text.slice(doc.from, doc.to).match(/^apiVersion:[ \t]*(.*)$/m);
  if (!found) return [{ from: doc.from, to: doc.from, insert: `apiVersion: ${version}\n` }];
  const from = doc.from + (found.index ?? 0);
  return found[1].trim() === version ? [] : [{ from, to: from + found[0].length, insert: `apiVersion: ${version}` }];
}

/** What a type requires, as a template to fill in. @param {Schema} schema @param {string} name @param {number} indent @param {number} deep @param {string[]} [without] @returns {Promise<string>} */
async function skeleton(schema, name, indent, deep, without = []) {
  const type = await schema.type(name);
  if (!type || deep <= 0) return "";
  const short = name.split(".").at(-1) ?? "";
  const wanted = WANTED[short] ?? (indent === 0 && "spec" in type.fields ? ["spec"] : indent === 0 && "data" in type.fields ? ["data"] : []);
  const chosen = Object.entries(type.fields).filter(([key, field]) => (field.required || wanted.includes(key)) && !without.includes(key) && key !== "status");
  if (short === "PodTemplateSpec") chosen.push(...Object.entries(type.fields).filter(([key]) => key === "metadata" || key === "spec"));
  if (short === "LabelSelector") return `${" ".repeat(indent)}matchLabels:\n${" ".repeat(indent + 2)}app: \${name}\n`;
  if (short === "ObjectMeta") return `${" ".repeat(indent)}labels:\n${" ".repeat(indent + 2)}app: \${name}\n`;
  const parts = await Promise.all(chosen.map(async ([key, field]) => `${" ".repeat(indent)}${await written(schema, key, field, indent, deep)}\n`));
  return parts.join("");
}

/** A field with what it requires. @param {Schema} schema @param {string} key @param {Field} field @param {number} indent @param {number} deep */
async function written(schema, key, field, indent, deep) {
  const list = field.in?.startsWith("l");
  if (field.of && (!field.in || field.in === "l")) {
    const inner = await skeleton(schema, field.of, indent + 2, deep - 1);
    if (list) return `${key}:\n${" ".repeat(indent)}- ${inner.trim() ? inner.trimStart().trimEnd() : "${}"}`;
    return inner.trim() ? `${key}:\n${inner.trimEnd()}` : `${key}:\n${" ".repeat(indent + 2)}\${}`;
  }
  if (list) return `${key}:\n${" ".repeat(indent)}- \${}`;
  if (field.in) return `${key}:\n${" ".repeat(indent + 2)}\${${key === "selector" ? "app: name" : ""}}`;
  return `${key}: \${${key === "image" ? "nginx" : key === "name" ? "name" : field.default ?? ""}}`;
}

/** @param {Schema} schema @param {string} name @param {Place} place */
async function fields(schema, name, place) {
  const type = await schema.type(name);
  const rest = place.flow ? ": " : "";
  return Promise.all(Object.entries(type?.fields ?? {}).filter(([key]) => (!(key in place.siblings) || key === place.word) && !(key === "status" && place.path.length === 0)).map(async ([key, field]) => {
    const inList = place.column;
    const template = place.flow ? `${key}${rest}\${}` : await written(schema, key, field, inList, DEEP);
    return {
      label: key, type: "property", detail: `${field.type}${field.required ? ` · ${t("editor.required")}` : ""}`, boost: field.required ? 20 : 0,
      info: () => about(field.description, field),
      apply: (/** @type {any} */ view, /** @type {any} */ option, /** @type {number} */ from, /** @type {number} */ to) => {
        const line = view.state.doc.lineAt(from);
        const colon = line.text.slice(to - line.from).match(/^["']?[\w./-]*["']?:/);
        if (colon) return view.dispatch({ changes: { from, to: to + colon[0].length - 1, insert: key } });
        snippet(flat(template, line.text.match(/^ */)[0].length))(view, option, from, to);
      },
    };
  }));
}

/** CodeMirror adds the line's own indentation to each line of a template: taken off here. @param {string} template @param {number} indent */
const flat = (template, indent) => template.split("\n").map((line, index) => (index ? line.slice(Math.min(indent, line.search(/\S|$/))) : line)).join("\n");

/** @param {import("../editor.js").Editor} editor @param {Record<string, string>} query @returns {Promise<{names?: string[], labels?: Record<string, string[]>}>} */
const ask = (editor, query) => fetch(editor.api.url("names", query)).then((answer) => (answer.ok ? answer.json() : {}), () => ({}));

/** @param {import("../editor.js").Editor} editor @param {string} text @param {Place} place @param {import("./references.js").Reference} reference */
async function names(editor, text, place, reference) {
  const namespace = reference.all ? "" : place.doc.namespace || "default";
  const found = await ask(editor, { kind: reference.kind, namespace, ...(reference.keysOf === undefined ? {} : { of: reference.keysOf || "-" }) });
  const own = reference.keysOf === undefined ? namesIn(text, reference.kind) : [];
  return [...new Set([...own, ...(found.names ?? [])])].map((label) => ({ label, type: "variable", detail: (found.names ?? []).includes(label) ? reference.kind : t("editor.here") }));
}

/** @param {import("../editor.js").Editor} editor @param {string} text @param {Place} place @param {import("./references.js").Reference} reference */
async function labels(editor, text, place, reference) {
  const found = await ask(editor, { kind: reference.kind, namespace: reference.kind === "Pod" ? place.doc.namespace || "default" : "", labels: "1" });
  /** @type {Record<string, Set<string>>} */
  const all = reference.kind === "Pod" ? labelsIn(text) : {};
  for (const [key, values] of Object.entries(found.labels ?? {})) for (const value of values) (all[key] ??= new Set()).add(value);
  if (place.at === "value") return [...(all[place.key] ?? [])].map((label) => ({ label: quoted(label), type: "constant" }));
  return Object.entries(all).filter(([key]) => !(key in place.siblings)).map(([key, values]) => ({ label: key, type: "constant", detail: [...values].slice(0, 3).join(" "), apply: `${key}: ${values.size === 1 ? quoted([...values][0]) : ""}` }));
}

/** A label's value that YAML would read as something else. @param {string} value */
const quoted = (value) => (/^(?:[-+.\d].*|true|false|yes|no|on|off|y|n|null|~|)$/i.test(value) ? `"${value}"` : value);

/** The pod's own volumes. @param {string} text @param {Place} place */
function volumes(text, place) {
  const part = text.slice(place.doc.from, place.doc.to);
  const found = new Set();
  for (const block of part.matchAll(/^( *)(?:volumes|volumeClaimTemplates):[ \t]*\n((?:\1[ -].*\n?|\s*\n)*)/gm)) for (const name of block[2].matchAll(/(?:^|\s)name:[ \t]*([\w.-]+)/gm)) found.add(name[1]);
  return [...found].map((label) => ({ label, type: "variable", detail: t("editor.here") }));
}

/** What Kubernetes says of a field. @param {string} description @param {Field} [field] */
function about(description, field) {
  const facts = field ? [field.default && `${t("editor.default")}: ${field.default}`, field.enum?.length && field.enum.filter(Boolean).join(" | ")].filter(Boolean) : [];
  return h("div.doc", {}, ...facts.map((fact) => h("p.fact", { text: fact })), h("p", { text: description }));
}

/** @param {import("../editor.js").Editor} editor @param {Schema} schema */
export const hovering = (editor, schema) => hoverTooltip(async (/** @type {any} */ view, /** @type {number} */ pos) => {
  const line = view.state.doc.lineAt(pos);
  const found = await fieldAt(schema, view.state.doc.toString(), pos);
  if (!found || !line.text.trim()) return null;
  const { field, key, path, kind, from, to } = found;
  const command = `kubectl explain ${[kind.plural, ...path.filter((step) => typeof step === "string"), key].join(".")}`;
  return {
    pos: from, end: to, above: true,
    create: () => ({
      dom: h("div.doc.hover", {},
        h("p.head", {}, h("b", { text: key }), h("code", { text: field.type }), field.required && h("span.need", { text: t("editor.required") })),
        about(field.description, field), h("button.link", { type: "button", text: command, onclick: () => editor.run(command) })),
    }),
  };
}, { hoverTime: 350 });

/** The field whose key or value is at a place. @param {Schema} schema @param {string} text @param {number} pos */
async function fieldAt(schema, text, pos) {
  const place = placeAt(text, pos);
  if (!place || !place.key || pos < place.from || pos > place.to) return null;
  const kind = await schema.kindOf(place.doc);
  const above = kind && (await schema.walk(kind.definition, place.path));
  if (!kind || !above || above.in || !above.of) return null;
  const field = (await schema.type(above.of))?.fields[place.key];
  return field ? { field, key: place.key, path: place.path, kind, from: place.from, to: place.to } : null;
}
