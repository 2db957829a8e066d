/**
 * The whole answer about a thing: the question, one sentence, what proves it, what would help, and the chain of causes back to whoever
 * began it. Reasons and chain come in as the server tells them.
 */
import { placed, preemption } from "../attempt.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { links } from "./chain.js";
import { aids, gathered, proof, sentence, telling, verdicts } from "./reasons.js";

/** @typedef {import("./reasons.js").Reason} Reason @typedef {import("./reasons.js").Acts} Acts @typedef {import("../scene.js").Scene} Scene @typedef {import("../types").Attempt} Attempt */

const say = t;

/** In short, over a thing's facts: sentences, and the matrix of a pod that waits. @param {Reason[]} given @param {import("../types").Thing} thing @param {Scene} scene @param {Acts} acts @param {Attempt|null} attempt @returns {HTMLElement[]} */
export function brief(given, thing, scene, acts, attempt) {
  const head = given.find((one) => one.code === "unschedulable");
  if (head) return [h("p", { text: sentence(head) }), verdicts(head, given, acts), ...(attempt ? preemption(attempt) : []), head.params.message && h("p.said", { text: head.params.message })].filter(Boolean);
  return gathered(given).slice(0, 2).flatMap((one) => telling(one, acts, { proof: false }));
}

/** @param {HTMLElement} element @param {string} id @param {{why: Reason[], question: string, chain: import("./chain.js").Chain, attempt?: Attempt|null}} answer @param {Scene} scene @param {Acts} acts */
export function draw(element, id, { why: given, question, chain, attempt }, scene, acts) {
  const reasons = gathered(given);
  const head = reasons.find((one) => one.code === "unschedulable");
  const [first, ...others] = head ? [decisive(reasons, head), ...reasons.filter((one) => one !== head && !one.plugin)] : reasons;
  const help = aids(reasons, acts);
  element.replaceChildren(...[
    h("p.question", { text: say(`ask.${question}`) }),
    h("div.answer", {}, ...(head ? [h("p", { text: sentence(head) })] : []), ...telling(first, acts, { proof: !head, own: id })),
    head ? verdicts(head, reasons, acts, first.plugin) : null,
    ...(head && attempt ? preemption(attempt) : []),
    head ? h("p.said", { text: head.params.message }) : null,
    head && first !== head ? h("section", {}, h("h3", { text: say("view.proof") }), proof(first.facts ?? [], acts, id)) : null,
    others.length ? h("section.others", {}, h("h3", { text: say("view.also") }), ...others.map((one) => h("div.other", {}, ...telling(one, acts, { own: id })))) : null,
    help,
    chain.steps.length || chain.root === "compacted" ? h("section.causes-of", {}, h("h3", { text: say("view.chain") }), links(chain, id, scene, acts)) : null,
    attempt?.node ? h("details.placed", {}, h("summary", { text: t("attempt.why", { node: attempt.node }) }), ...placed(attempt, acts.show)) : null,
  ].filter((part) => part !== null));
}

/** Of what the plugins say, what most of the nodes say. @param {Reason[]} reasons @param {Reason} head */
function decisive(reasons, head) {
  const told = reasons.filter((one) => one.plugin);
  return told[0] ?? head;
}
