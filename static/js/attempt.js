/**
 * How the scheduler came to its last decision about a pod: what each plugin said of each node, or how the nodes that were left were
 * scored. Nodes with the same verdict stand in one row, so that a hundred of them can be read too.
 */
import { h } from "./dom.js";
import { knows, t } from "./i18n.js";
import { thingId } from "./scene.js";

/** @typedef {import("./types").Attempt} Attempt */
/** @typedef {{plugin: string, reasons: string[], nodes: string[], count?: number, detail?: string, extra?: () => HTMLElement}} Verdict `count` may be more than the nodes that are named */

/** The plugins that may refuse a node, as the scheduler asks them: the first that refuses ends it for that node. */
const FILTERS = ["NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit", "VolumeBinding", "VolumeRestrictions", "NodeVolumeLimits", "VolumeZone", "PodTopologySpread", "InterPodAffinity"];
const NATURAL = new Intl.Collator("en", { numeric: true });
const MOST_NAMED = 4;
const MOST_GROUPS = 10;
const MOST_SCORED = 8;

/**
 * Equal verdicts together, the commonest last: what is particular comes first. `detail` may tell more of them apart, while they are few.
 * @param {Attempt["refused"]} refused @param {(node: string, plugin: string) => string} [detail] @returns {Verdict[]}
 */
export function verdicts(refused, detail = () => "") {
  /** @type {Map<string, Verdict>} */
  const found = new Map();
  for (const { node, plugin, reasons } of refused) {
    const key = `${plugin}|${reasons.join("|")}|${detail(node, plugin)}`;
    const known = found.get(key);
    if (known) known.nodes.push(node);
    else found.set(key, { plugin, reasons, nodes: [node] });
  }
  if (found.size > MOST_GROUPS && detail.length) return verdicts(refused);
  for (const one of found.values()) one.nodes.sort(NATURAL.compare);
  return [...found.values()].sort((a, b) => a.nodes.length - b.nodes.length || NATURAL.compare(a.nodes[0], b.nodes[0]));
}

/** The plugins that refused somebody, in the order they are asked. @param {Verdict[]} all */
export function columns(all) {
  const named = new Set(all.map((one) => one.plugin));
  return [...FILTERS.filter((name) => named.delete(name)), ...named];
}

/** What a plugin made of a verdict's nodes: the one that refused comes after those that passed. @param {Verdict} verdict @param {string} plugin @param {string[]} asked @returns {"refused"|"passed"|"unasked"} */
export const cell = (verdict, plugin, asked) => (plugin === verdict.plugin ? "refused" : asked.indexOf(plugin) < asked.indexOf(verdict.plugin) ? "passed" : "unasked");

/** Scores: the plugins that tell nodes apart, and those that say the same of all. @param {Attempt} attempt */
export function scores(attempt) {
  const names = Object.keys(attempt.feasible[0]?.plugins ?? {});
  const differs = names.filter((name) => new Set(attempt.feasible.map((one) => one.plugins[name]?.weighted ?? 0)).size > 1);
  return { differs, same: names.filter((name) => !differs.includes(name)).map((name) => /** @type {[string, number]} */ ([name, attempt.feasible[0].plugins[name].weighted])) };
}

/** A plugin's name, which may break between its words. @param {string} name */
const broken = (name) => name.split(/(?=[A-Z])/).flatMap((part, index) => (index ? [h("wbr"), part] : [part]));

/** @param {string[]} names @param {(id: string) => void} show @param {number} [count] how many there are, if not all are named */
function nodes(names, show, count = names.length) {
  const link = (/** @type {string} */ name) => h("button.link", { type: "button", text: name, onclick: () => show(thingId("Node", "", name)) });
  const spaced = (/** @type {string[]} */ some) => some.flatMap((name, index) => (index ? [", ", link(name)] : [link(name)]));
  if (names.length <= MOST_NAMED) return spaced(names);
  return [h("details", {}, h("summary", { text: t("attempt.nodes", { count, first: names[0], last: names[names.length - 1] }) }), ...spaced(names), count > names.length ? ` +${count - names.length}` : "")];
}

const SIGNS = { refused: "✕", passed: "✓", unasked: "–" };

/**
 * Who refused: nodes by plugins, each row's reason under it.
 * @param {Attempt["refused"]} refused @param {(verdict: Verdict) => string} sentence @param {(id: string) => void} show
 * @param {(node: string, plugin: string) => string} [detail] @returns {HTMLElement}
 */
export const refusals = (refused, sentence, show, detail) => matrix(verdicts(refused, detail), sentence, show);

/** A row a verdict, with its reason and what else is to be shown under it. @param {Verdict[]} rows @param {(verdict: Verdict) => string} sentence @param {(id: string) => void} show @returns {HTMLElement} */
export function matrix(rows, sentence, show) {
  const asked = columns(rows);
  return h("table.matrix", {}, h("caption.sr-only", { text: t("attempt.caption") }),
    h("thead", {}, h("tr", {}, h("th", { scope: "col", text: t("fact.node") }), ...asked.map((name) => h("th", { scope: "col" }, ...broken(name))))),
    ...rows.map((row) => h("tbody", {},
      h("tr", {}, h("th", { scope: "row" }, ...nodes(row.nodes, show, row.count)), ...asked.map((plugin) => {
        const said = cell(row, plugin, asked);
        return h(`td.${said}`, {}, h("span", { "aria-hidden": "true", text: SIGNS[said] }), h("span.sr-only", { text: t(`attempt.${said}`) }));
      })),
      h("tr.reason", {}, h("td", { colSpan: asked.length + 1 }, sentence(row), h("small", { text: `${row.plugin}: ${row.reasons.join(", ")}` }), row.extra?.() ?? null)))));
}

/** Where a placed pod went, against whom, and by which points. @param {Attempt} attempt @param {(id: string) => void} show @returns {any[]} */
export function placed(attempt, show) {
  const parts = [h("p", { text: t("attempt.tried", { tried: attempt.tried, nodes: attempt.nodes, count: attempt.scored, node: attempt.node ?? "" }) })];
  if (attempt.untried) parts.push(h("p", { text: t("attempt.untried", { count: attempt.untried }) }));
  const { feasible } = attempt;
  if (attempt.scored <= 1 || !feasible.length) parts.push(h("p", { text: t(attempt.scored > 1 ? "attempt.forgotten" : "attempt.only", { node: attempt.node ?? "" }) }));
  else {
    const { differs, same } = scores(attempt);
    const head = (/** @type {string} */ name) => h("th", { scope: "col" }, ...broken(name), (attempt.weights[name] ?? 1) > 1 ? h("small", { text: ` ×${attempt.weights[name]}` }) : null);
    parts.push(h("table.matrix.scores", {}, h("caption.sr-only", { text: t("attempt.scoreCaption") }),
      h("thead", {}, h("tr", {}, h("th", { scope: "col", text: t("fact.node") }), ...differs.map(head), h("th", { scope: "col", text: t("attempt.total") }))),
      h("tbody", {}, ...feasible.slice(0, MOST_SCORED).map((one) => h(one.node === attempt.node ? "tr.winner" : "tr", {},
        h("th", { scope: "row" }, ...nodes([one.node], show), one.node === attempt.node ? h("span.sr-only", { text: ` (${t("attempt.chosen")})` }) : null),
        ...differs.map((name) => h("td", { text: `${one.plugins[name]?.weighted ?? 0}` })), h("td", {}, h("strong", { text: `${one.total}` })))))));
    const rest = feasible.slice(MOST_SCORED);
    const more = attempt.scored - Math.min(MOST_SCORED, feasible.length);
    if (more > 0) parts.push(h("p", { text: t("attempt.more", { count: more, most: rest[0]?.total ?? 0, least: rest.at(-1)?.total ?? 0 }) }));
    if (same.length) parts.push(h("p.said", { text: t("attempt.same", { scores: same.map(([name, value]) => `${name} ${value}`).join(", ") }) }));
    if (attempt.tied > 1) parts.push(h("p", { text: t("attempt.tied", { count: attempt.tied }) }));
  }
  if (attempt.refused.length) parts.push(refusals(attempt.refused, (row) => refusal(row.plugin, row.reasons), show));
  return parts;
}

/** What a plugin has against a node, in a sentence. @param {string} plugin @param {string[]} reasons */
export const refusal = (plugin, reasons) => (knows(`why.${plugin}`) ? t(`why.${plugin}`) : reasons.join(", "));

/** Who has to go so that the pod fits. @param {Attempt} attempt @returns {any[]} */
export function preemption(attempt) {
  if (!attempt.nominated) return [];
  return [h("p", { text: t("attempt.nominated", { node: attempt.nominated, count: attempt.victims.length, victims: attempt.victims.map((one) => `${one.name} (${one.priority})`).join(", ") }) })];
}
