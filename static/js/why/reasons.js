/**
 * Reasons as sentences with their proof: a code with parameters, fields and commands come in, elements go out. A field opens the YAML
 * at its line, a thing opens itself, a command goes to the terminal's prompt.
 *
 * @typedef {{thing: string, path: string, value: string|number|boolean, label?: string}} Proof
 * @typedef {{code: string, params: Record<string, any>, command: string}} Aid
 * @typedef {{plugin: string, reasons: string[], detail: string, nodes: string[], count: number, bars?: Bar[]}} Row
 * @typedef {{node: string, resource: string, wanted: number, requested: number, used: number, allocatable: number}} Bar
 * @typedef {{code: string, params: Record<string, any>, facts?: Proof[], aids?: Aid[], inner?: Reason[], plugin?: string}} Reason
 * @typedef {{show: (id: string) => void, field?: (id: string, path: string) => void, command?: (line: string) => void, replay?: (revision: number) => void, now?: () => number}} Acts
 */
import { matrix, refusal } from "../attempt.js";
import { bytes, cores } from "../canvas/brush.js";
import { clip, h, icon, toast } from "../dom.js";
import { knows, t } from "../i18n.js";
import { parseId } from "../scene.js";

const MOST_NEAR = 6;
const say = t;

/** @param {Reason} reason */
export const sentence = (reason) => (knows(`because.${reason.code}`) ? say(`because.${reason.code}`, told(reason.params)) : reason.code);

/** Ids as names, and what is long cut. @param {Record<string, any>} params */
function told(params) {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, typeof value === "string" && /^[A-Z]\w+\/[^/ ]*\/[^/ ]+$/.test(value) ? parseId(value).name : value]));
}

/** Reasons of which several say the same of several things as one. @param {Reason[]} given @returns {Reason[]} */
export function gathered(given) {
  const near = given.filter((one) => one.code === "near-miss");
  const rest = given.filter((one) => one.code !== "near-miss");
  return near.length ? [{ ...near[0], params: { ...near[0].params, all: near.map((one) => one.params) }, facts: near.flatMap((one, index) => (index ? one.facts?.slice(1) ?? [] : one.facts ?? [])).slice(0, MOST_NEAR) }, ...rest] : rest;
}

/** One reason: what it says, what it is about, and what lies behind it. @param {Reason} reason @param {Acts} acts @param {{proof?: boolean, head?: string, own?: string}} [how] @returns {HTMLElement[]} */
export function telling(reason, acts, how = {}) {
  const parts = [h(how.head ?? "p", { text: sentence(reason) })];
  if (reason.params.lines) parts.push(h("figure.last", {}, h("figcaption", { text: say("view.lines") }), h("pre", { text: reason.params.lines })));
  if (reason.params.all?.length > 1 && how.proof === false) parts.push(h("ul.rejections", {}, ...reason.params.all.slice(0, MOST_NEAR).map((/** @type {any} */ one) => h("li", {}, link(one.pod, acts), h("span", { text: `${one.key}=${one.have}` })))));
  if (how.proof !== false && reason.facts?.length) parts.push(proof(reason.facts, acts, how.own));
  for (const inner of reason.inner ?? []) parts.push(h("div.inner", {}, h("small", { text: say("view.inner") }), ...telling(inner, acts, { proof: how.proof, own: how.own })));
  return parts;
}

/** @param {string} id @param {Acts} acts @param {string} [text] */
export const link = (id, acts, text = parseId(id).name) => h("button.link", { type: "button", text, onclick: () => acts.show(id) });

/** Fields that say so, each a way to its line. @param {Proof[]} facts @param {Acts} acts @param {string} [own] the thing that is asked about */
export function proof(facts, acts, own = "") {
  return h("ul.proof", {}, ...facts.map(({ thing, path, value, label }) => {
    const { kind, name } = parseId(thing);
    const whose = thing === own || !name ? null : link(thing, acts, `${kind} ${name}`);
    const field = label ? h("span", { text: say(`proof.${label}`) })
      : path ? h("button.path", { type: "button", title: say("view.field"), onclick: () => (acts.field ? acts.field(thing, path) : acts.show(thing)) }, ...broken(path)) : null;
    return h("li", {}, whose, whose && field ? " " : null, field, value === "" || value === undefined ? null : " = ", value === "" || value === undefined ? null : h("code", { text: `${value}` }));
  }));
}

/** A path that may break after its dots. @param {string} path */
const broken = (path) => path.split(/(?<=\.)/).flatMap((part, index) => (index ? [h("wbr"), part] : [part]));

/** What would help. @param {Reason[]} reasons @param {Acts} acts */
export function aids(reasons, acts) {
  /** @type {(one: Reason) => Aid[]} */
  const deep = (one) => [...(one.aids ?? []), ...(one.inner ?? []).flatMap(deep)];
  const all = [...new Map(reasons.flatMap(deep).map((one) => [`${one.code}|${one.command}`, one])).values()];
  if (!all.length) return null;
  return h("section.aids", { "aria-label": say("view.help") }, h("h3", { text: say("view.help") }), h("ul", {}, ...all.slice(0, 6).map((one) => h("li", {}, h("span", { text: say(`aid.${one.code}`, one.params) }),
    one.command ? h("div.line", {}, h("code", { text: one.command }), h("button.icon", { type: "button", title: say("view.type"), "aria-label": `${say("view.type")}: ${one.command}`, onclick: () => type(one.command, acts) }, icon("play"))) : null))));
}

/** @param {string} line @param {Acts} acts */
function type(line, acts) {
  if (acts.command) return acts.command(line);
  const { terminal } = /** @type {any} */ (globalThis).podium ?? {};
  if (terminal?.put) return terminal.put(line);
  void clip(line).then(() => toast(say("view.copied")), () => {});
}

/** Nodes by plugins, with what is requested, used and wanted where that decides. @param {Reason} head @param {Reason[]} others @param {Acts} acts @param {string} [told] the plugin of which all is said already */
export function verdicts(head, others, acts, told = "") {
  const { rows } = /** @type {{rows: Row[]}} */ (head.params);
  if (!rows?.length) return null;
  /** @param {import("../attempt.js").Verdict} row */
  const words = (row) => {
    if (row.plugin === told) return "";
    const one = others.find((other) => other.plugin === row.plugin);
    return one && rows.filter((other) => other.plugin === row.plugin).length === 1 ? sentence(one) : [refusal(row.plugin, row.reasons), row.detail].filter(Boolean).join(" ");
  };
  return matrix(rows.map((row) => ({ ...row, extra: row.bars?.length ? () => bars(row.bars ?? []) : undefined })), words, acts.show);
}

/** What is requested of a node's capacity, with what is really used as a notch and what the pod would add behind. @param {Bar[]} all */
function bars(all) {
  const whole = Math.max(1, ...all.map((bar) => Math.max(bar.allocatable, bar.requested + Math.min(bar.wanted, 2 * bar.allocatable))));
  return h("div.fits", {}, ...all.map((bar) => {
    const write = bar.resource === "memory" ? bytes : cores;
    const share = (/** @type {number} */ part) => `${Math.min(100, (100 * part) / whole)}%`;
    const track = h("i", { "aria-hidden": "true" }, h("b.requested"), h("b.wanted"), h("b.used"), h("b.end"));
    const [requested, wanted, used, end] = track.children;
    requested.style.width = share(bar.requested);
    Object.assign(wanted.style, { left: share(bar.requested), width: share(bar.wanted) });
    used.style.left = share(Math.min(bar.used, whole));
    end.style.left = share(bar.allocatable);
    const params = { node: bar.node, requested: write(bar.requested), allocatable: write(bar.allocatable), used: write(bar.used), wanted: write(bar.wanted) };
    return h("div.fit", { role: "img", "aria-label": say("view.bar", params), title: say("view.bar", params) }, h("span", { text: bar.node }), track, h("small", { text: `${params.requested} + ${params.wanted} / ${params.allocatable}` }));
  }), h("small.legend-of", { "aria-hidden": "true" }, ...["requested", "used", "wanted"].map((name) => h("span", {}, h(`b.${name}`), say(`proof.${name}`)))));
}
