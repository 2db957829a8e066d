/**
 * The chain of causes as steps, the first act above: who did what to which thing, and at which revision. Steps of one thing that follow each
 * other stand together.
 *
 * @typedef {{code: string, params: Record<string, any>, client: string, user: string, verb: string, thing: string, revision: number, time: number, count: number}} Step
 * @typedef {{steps: Step[], root: "person"|"chaos"|"clock"|"compacted"}} Chain
 */
import { title } from "../chaos.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { parseId } from "../scene.js";
import { duration } from "../virtualtime.js";
import { link } from "./reasons.js";

const say = t;

/** @param {Step[]} steps @returns {Step[][]} */
export function together(steps) {
  /** @type {Step[][]} */
  const groups = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last && last[0].thing === step.thing && step.code !== "skipped" && last[0].code !== "skipped" && step.code !== "chaos" && last[0].code !== "chaos") last.push(step);
    else groups.push([step]);
  }
  return groups;
}

/** @param {Chain} chain @param {string} id @param {import("../scene.js").Scene} scene @param {import("./reasons.js").Acts} acts */
export function links({ steps, root }, id, scene, acts) {
  const groups = together(steps);
  return h("div", {}, root === "person" ? null : h("p.root", { text: say(`root.${root}`) }),
    h("ol.chain", {}, ...groups.map((group, index) => h("li", { "data-root": index === 0 ? root : undefined, "aria-current": group[0].thing === id ? "true" : undefined }, ...named(group, acts, index === 0 && root === "person"),
      h("ul", {}, ...group.map((step) => moment(step, acts)))))));
}

/** @param {Step[]} group @param {import("./reasons.js").Acts} acts @param {boolean} person */
function named([first], acts, person) {
  if (first.code === "skipped") return [];
  const { kind, name } = parseId(first.thing);
  const who = person ? say("view.someone", { client: first.client }) : first.client === "chaos" ? say("view.chaos") : say("view.by", { client: first.client });
  return [h("div.thing", {}, h("span.kind", { text: kind }), " ", link(first.thing, acts, name), h("small", { text: first.user && first.client === "chaos" ? `${who} · ${first.user}` : who }))];
}

/** @param {Step} step @param {import("./reasons.js").Acts} acts */
function moment(step, acts) {
  const { code, params, revision, time, count } = step;
  const ago = acts.now ? t("inspect.ago", { time: duration(Math.max(0, acts.now() - time)) }) : "";
  const words = say(`step.${code}`, { ...params, ...(params.fault ? { fault: title(params.fault) } : {}) });
  const kept = Number.isInteger(revision) && revision > 0 && code !== "skipped";
  return h("li", {}, h("span", { text: words }), count > 1 ? h("span.count", { text: ` ${say("view.times", { count })}` }) : null,
    h("small", {}, ago, kept ? h("button.rev", { type: "button", text: say("view.revision", { revision }), title: say("view.replay", { revision }), "aria-label": `${say("view.revision", { revision })}: ${say("view.replay", { revision })}`, onclick: () => replay(revision, acts) }) : null));
}

/** @param {number} revision @param {import("./reasons.js").Acts} acts */
function replay(revision, acts) {
  if (acts.replay) return acts.replay(revision);
  void /** @type {any} */ (globalThis).podium?.replay?.open(revision);
}
