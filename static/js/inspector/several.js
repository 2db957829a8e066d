/** Several things at once: how many of each kind, in which states, the ones that are not well first; each can be looked at alone. */
import { h } from "../dom.js";
import { stateText, tone } from "../facts.js";
import { t } from "../i18n.js";
import { bytes, cores } from "../canvas/brush.js";
import { keyed } from "./keyed.js";

const MOST = 200;
/** Of more than these in one state the first are listed, whatever their names. */
const SORTED = 1000;
const ORDER = ["failing", "pending", "unknown", "ready", "done"];

/** Kinds with their states, counted, what is worst first. @param {string[]} ids @param {import("../scene.js").Scene} scene */
export function counted(ids, scene) {
  /** @type {Map<string, {kind: string, total: number, states: Map<string, {text: string, tone: string, count: number}>, cpu: number, memory: number}>} */
  const kinds = new Map();
  for (const id of ids) {
    const thing = scene.get(id);
    if (!thing) continue;
    const kind = kinds.get(thing.kind) ?? { kind: thing.kind, total: 0, states: new Map(), cpu: 0, memory: 0 };
    kinds.set(thing.kind, kind);
    kind.total++;
    if (thing.kind === "Pod") (kind.cpu += thing.cpu ?? 0), (kind.memory += thing.memory ?? 0);
    const text = stateText(thing, t);
    const state = kind.states.get(text) ?? { text, tone: tone(thing), count: 0 };
    state.count++;
    kind.states.set(text, state);
  }
  return [...kinds.values()].map((kind) => ({ ...kind, states: [...kind.states.values()].sort((a, b) => ORDER.indexOf(a.tone) - ORDER.indexOf(b.tone) || b.count - a.count) }));
}

/** @param {HTMLElement} host @param {string[]} ids @param {import("../scene.js").Scene} scene */
export function summary(host, ids, scene) {
  const there = ids.filter((id) => scene.get(id));
  /** @type {string[][]} */
  const ranked = ORDER.map(() => []);
  for (const id of there) ranked[ORDER.indexOf(tone(/** @type {any} */ (scene.get(id))))]?.push(id);
  /** @type {string[]} */
  const listed = [];
  for (const ids of ranked) if (listed.length < MOST) listed.push(...ids.slice(0, SORTED).sort().slice(0, MOST - listed.length));
  keyed(host, [
    ["title", `${there.length}`, () => h("h2", { text: t("several.title", { count: there.length }) })],
    ...counted(there, scene).map((kind) => /** @type {import("./keyed.js").Part} */ ([`kind ${kind.kind}`, JSON.stringify(kind), () => h("section.counted", {}, h("h3", { text: `${kind.kind} ${kind.total}` }),
      h("div.chips", {}, ...kind.states.map((state) => h("span.chip.state", { "data-tone": state.tone, text: `${state.text} ${state.count}` }))),
      kind.cpu || kind.memory ? h("p.quiet", { text: t("several.requests", { cpu: cores(kind.cpu), memory: bytes(kind.memory) }) }) : null)])),
    ["list", JSON.stringify(listed.map((id) => [id, stateText(/** @type {any} */ (scene.get(id)), t)])), () => h("ul.owned.long", {}, ...listed.map((id) => {
      const thing = /** @type {import("../types").Thing} */ (scene.get(id));
      return h("li", {}, h("button.link", { type: "button", "data-show": id, text: `${thing.kind} ${thing.name}` }), h("span.chip.state", { "data-tone": tone(thing), text: stateText(thing, t) }));
    }))],
    there.length > MOST && ["more", `${there.length}`, () => h("p.quiet", { text: t("several.more", { count: there.length - MOST }) })],
  ]);
}
