/**
 * What is the matter, and where: scene changes go in, groups of things in one plight come out, the gravest first, each with the words for it.
 * Kept by change: a pod that changes leaves its group and joins another, nothing looks at all pods. The strip of chips over the canvas and
 * the callouts on it (canvas/callouts.js) both read this.
 */
import { cores, bytes } from "./canvas/brush.js";
import { selects, sourced, targeted } from "./facts.js";
import { refusal } from "./follow.js";

/** @typedef {import("./types").Thing} Thing @typedef {(key: string, params?: any) => string} T */
/** @typedef {{key: string, code: string, lead: string, members: Set<string>}} Group `lead` is whom the words name: an owner, a node, a Service */

/** Every plight, the gravest first, with the tone it is said in. @type {[string, "bad"|"wait"|"move"][]} */
export const PLIGHTS = [
  ["component", "bad"], ["node", "bad"], ["imagepull", "bad"], ["crashloop", "bad"], ["oom", "bad"], ["failed", "bad"], ["noEndpoints", "bad"], ["policy", "bad"],
  ["dies", "bad"], ["claimLost", "bad"], ["job", "bad"], ["stuck", "bad"], ["pending", "wait"], ["claim", "wait"], ["scaler", "wait"], ["ingress", "wait"], ["pressure", "wait"], ["rollout", "move"],
];
export const TONES = new Map(PLIGHTS);
/** Pod states that are a plight by themselves. */
const STATES = new Set(["imagepull", "crashloop", "oom", "failed"]);
/** Those of a pod on its way, which the strip only counts. @type {Record<string, string>} */
const UNDERWAY = { unscheduled: "starting", creating: "starting", pulling: "starting", running: "unready", terminating: "leaving", ready: "ready", succeeded: "done" };

export class Situations {
  /** @param {import("./scene.js").Scene} scene */
  constructor(scene) {
    this.scene = scene;
    /** @type {Map<string, Map<string, Group>>} by code, then by key */
    this.plights = new Map(PLIGHTS.map(([code]) => [code, new Map()]));
    /** @type {Map<string, {code: string, key: string}>} */
    this.of = new Map();
    /** @type {Record<string, number>} things in each plight */
    this.counts = {};
    /** @type {Map<string, string>} pod -> what it is counted as */
    this.under = new Map();
    /** @type {Record<string, number>} */
    this.pods = {};
  }

  /** @param {import("./scene.js").Update} update @returns {boolean} whether any plight or count is another */
  hear(update) {
    if (update.whole) {
      for (const groups of this.plights.values()) groups.clear();
      this.of.clear();
      this.under.clear();
      this.counts = {};
      this.pods = {};
    }
    for (const { id, after } of update.changes) this.#note(id, after);
    return update.changes.length > 0;
  }

  /** @param {string} id @param {Thing|undefined} thing */
  #note(id, thing) {
    const found = thing ? plight(id, thing, this.scene) : null;
    const was = this.of.get(id);
    if (was && (was.code !== found?.code || was.key !== found?.key)) this.#leave(id, was);
    if (found && (!was || was.code !== found.code || was.key !== found.key)) this.#join(id, found);
    if (!id.startsWith("Pod/")) return;
    const counted = !thing || thing.system || found ? undefined : UNDERWAY[thing.state ?? ""];
    const before = this.under.get(id);
    if (counted === before) return;
    if (before) this.pods[before]--;
    if (counted) {
      this.pods[counted] = (this.pods[counted] ?? 0) + 1;
      this.under.set(id, counted);
    } else this.under.delete(id);
  }

  /** @param {string} id @param {{code: string, key: string}} was */
  #leave(id, was) {
    const groups = /** @type {Map<string, Group>} */ (this.plights.get(was.code));
    const group = groups.get(was.key);
    group?.members.delete(id);
    if (!group?.members.size) groups.delete(was.key);
    this.counts[was.code]--;
    this.of.delete(id);
  }

  /** @param {string} id @param {{code: string, key: string, lead: string}} found */
  #join(id, { code, key, lead }) {
    const groups = /** @type {Map<string, Group>} */ (this.plights.get(code));
    const group = groups.get(key) ?? { key: `${code}|${key}`, code, lead, members: new Set() };
    groups.set(key, group);
    group.members.add(id);
    this.counts[code] = (this.counts[code] ?? 0) + 1;
    this.of.set(id, { code, key });
  }

  /** The gravest groups. @param {number} most @returns {Group[]} */
  worst(most) {
    const found = [];
    for (const groups of this.plights.values()) {
      for (const group of groups.values()) {
        if (found.length >= most) return found;
        if (!this.#told(group)) found.push(group);
      }
    }
    return found;
  }

  /** Whether another group says it already: requests that die for want of endpoints. @param {Group} group */
  #told(group) {
    return group.code === "dies" && !!this.plights.get("noEndpoints")?.has(group.lead);
  }

  /** Codes in which something is, with how many and whom. @returns {{code: string, count: number, groups: Group[]}[]} */
  chips() {
    const found = [];
    for (const [code, all] of this.plights) {
      const groups = [...all.values()].filter((group) => !this.#told(group));
      if (groups.length) found.push({ code, count: groups.reduce((sum, group) => sum + (code === "policy" || code === "dies" ? 1 : group.members.size), 0), groups });
    }
    return found;
  }
}

/** The plight of a thing, if it is in one. @param {string} id @param {Thing} thing @param {import("./scene.js").Scene} scene @returns {{code: string, key: string, lead: string}|null} */
export function plight(id, thing, scene) {
  /** @param {string} code @param {string} [lead] @param {string} [key] */
  const is = (code, lead = id, key = lead) => ({ code, lead, key });
  switch (thing.kind) {
    case "Pod": {
      const root = rootOf(id, thing, scene);
      if (STATES.has(thing.state ?? "")) return is(thing.state ?? "", root);
      return thing.state === "unscheduled" && thing.message ? is("pending", root) : null;
    }
    case "Node":
      if (thing.ready !== "True" || thing.off || thing.cut || thing.silent || thing.gone) return is("node");
      return thing.pressure?.length ? is("pressure") : null;
    case "Component": return thing.healthy === false ? is("component") : null;
    case "Service": return !thing.system && selects(thing) && thing.type !== "ExternalName" && !thing.endpoints?.length && !thing.matched ? is("noEndpoints") : null;
    case "Traffic": {
      if (!thing.error || !((thing.failed ?? 0) > 0)) return null;
      if (thing.error.hop === "policy") return is("policy", id, `${thing.error.what}|${thing.target}`);
      const asked = thing.service ?? thing.target ?? "";
      return is("dies", thing.error.hop === "endpoints" ? asked : id, `${thing.error.hop}|${asked}`);
    }
    case "Deployment":
      if (thing.progress === "ProgressDeadlineExceeded") return is("stuck");
      return !thing.paused && Number(thing.revision ?? 0) > 1 && ((thing.current ?? 0) > (thing.updated ?? 0) || (thing.progress === "ReplicaSetUpdated" && (thing.available ?? 0) < (thing.replicas ?? 0))) ? is("rollout") : null;
    case "PersistentVolumeClaim":
      if (thing.phase === "Lost") return is("claimLost");
      return thing.phase === "Pending" && !thing.waits ? is("claim") : null;
    case "HorizontalPodAutoscaler": return thing.blind ? is("scaler") : null;
    case "Ingress": return !thing.addresses ? is("ingress") : null;
    case "Job": return thing.ended === "failed" ? is("job") : null;
  }
  return null;
}

/** Who made a pod, as a person knows it: the Deployment, not its ReplicaSet. @param {string} id @param {Thing} pod @param {import("./scene.js").Scene} scene */
const rootOf = (id, pod, scene) => (pod.owner ? scene.get(pod.owner)?.owner ?? pod.owner : id);

/** A span of time as kubectl writes it. @param {number} seconds */
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  return s < 120 ? `${s}s` : s < 7200 ? `${Math.floor(s / 60)}m${s % 60 ? `${s % 60}s` : ""}` : `${Math.floor(s / 3600)}h${Math.floor((s % 3600) / 60)}m`;
}

/** How many nodes the scheduler refused for what, from its message. @param {string} message @returns {{all: number, reasons: [number, string][]}} */
export function refusals(message) {
  const found = /^\d+\/(\d+) nodes are available: (.*?)(?:\. |\.$|$)/.exec(message);
  const reasons = [...(found?.[2] ?? "").matchAll(/(\d+) ((?:[^,{]|\{[^}]*\})+)/g)].map(([, count, reason]) => /** @type {[number, string]} */ ([Number(count), reason.replace(/^node\(s\) (had )?/, "").trim()]));
  return { all: Number(found?.[1] ?? 0), reasons: reasons.sort((a, b) => b[0] - a[0]) };
}

/** Why an image does not come, as a code. @param {string} message */
export const pullFault = (message) => (/pull access denied|authorization failed|unauthorized/.test(message) ? "denied" : /not found/.test(message) ? "notFound" : /Invalid ?Image ?Name|invalid reference/i.test(message) ? "invalid" : /NeverPull|never/i.test(message) ? "never" : /dial tcp|timeout|no such host|unavailable|i\/o/i.test(message) ? "unreachable" : "");

/** @param {string} id */
const nameOf = (id) => id.split("/").slice(2).join("/");

/**
 * What is said of a group: a Kubernetes term, whom it is about, and why; `due` tells that the words change as time goes by.
 * @param {Group} group @param {import("./scene.js").Scene} scene @param {T} t @param {number} now virtual time @returns {{term: string, who: string, why: string, due: boolean}}
 */
export function words(group, scene, t, now) {
  const first = scene.get(group.members.values().next().value ?? "");
  const count = group.members.size;
  const pods = group.lead.startsWith("Pod/") || count === 1 ? nameOf(group.lead) : t("call.pods", { count, name: nameOf(group.lead) });
  /** @param {string} term @param {string} who @param {string} why @param {boolean} [due] */
  const say = (term, who, why, due = false) => ({ term, who, why, due });
  if (!first) return say("", "", "");
  const key = `call.${group.code}`;
  switch (group.code) {
    case "imagepull": {
      const box = first.containers?.find((one) => one.reason) ?? first.containers?.[0];
      const fault = pullFault(first.message ?? "");
      return say(first.status ?? "ImagePullBackOff", pods, fault ? t(`call.pull.${fault}`, { image: box?.image }) : `${box?.image}: ${first.message ?? ""}`);
    }
    case "crashloop": case "oom": {
      const box = first.containers?.find((one) => one.exit !== undefined);
      const left = soonest(group, scene, (pod) => pod.backoff?.until);
      const ended = box?.ended && !["Error", "Completed"].includes(box.ended) ? t("call.ended", { reason: box.ended, code: box.exit }) : box ? t("call.exit", { code: box.exit }) : "";
      return say(group.code === "oom" ? "OOMKilled" : "CrashLoopBackOff", pods, [ended, left ? t("call.again", { time: span(left - now) }) : "", first.restarts ? t("call.restarts", { count: first.restarts }) : ""].filter(Boolean).join(" · "), !!left);
    }
    case "failed": return say(first.status ?? "Failed", pods, first.message ?? exitOf(first, t));
    case "pending": return say("Pending", pods, refused(first, t));
    case "node": {
      const term = first.ready === "True" ? t(`node.${troubleOf(first)}`) : "NotReady";
      const cause = troubleOf(first);
      const parts = [first.ready === "True" ? t("call.unnoticed") : [first.since !== undefined ? t("call.for", { time: span(now - first.since) }) : "", cause ? t(`node.${cause}`) : ""].filter(Boolean).join(", "),
        first.leave !== undefined ? (first.leave > now ? t("call.leave", { time: span(first.leave - now) }) : t("call.left")) : ""];
      return say(term, first.name, parts.filter(Boolean).join("; "), true);
    }
    case "component": return say(t("component.stopped"), first.name, t(`trouble.${first.name}`));
    case "noEndpoints": {
      const near = first.near?.[0];
      const wanted = Object.entries(first.selector ?? {}).map(([label, value]) => `${label}=${value}`).join(",");
      return say(t("service.noEndpoints"), `Service ${first.name}`, near ? t("call.near", { want: `${near.key}=${near.want}`, have: near.have ? `${near.key}=${near.have}` : t("call.without", { key: near.key }) }) : t("call.nobody", { want: wanted }));
    }
    case "policy": return say("NetworkPolicy", t("call.blocks", { name: nameOf(`x/${first.error?.what ?? ""}`) }), `${way(first, scene, t)} · ✕ ${round(first.failed ?? 0)}/s`);
    case "dies": return say(first.error ? refusal(first.error, t) : "", "", `${way(first, scene, t)} · ✕ ${round(first.failed ?? 0)}/s`);
    case "rollout": {
      const unready = Math.max(0, (first.current ?? 0) - (first.available ?? 0));
      return say(t("call.rollout", { updated: first.updated ?? 0, all: first.replicas ?? 0 }), first.name, t(unready ? "call.rollout.wait" : "call.rollout.on", { count: unready, floor: first.floor, ceiling: first.ceiling }));
    }
    case "stuck": return say("ProgressDeadlineExceeded", first.name, t(key));
    case "claim": return say("Pending", `PVC ${first.name}`, first.unknownClass ? t("duty.unknownClass", { name: first.class }) : t("duty.noVolume"));
    case "claimLost": return say("Lost", `PVC ${first.name}`, t("duty.volumeGone", { name: nameOf(first.volume ?? "") }));
    case "scaler": return say("HPA <unknown>", first.name, first.why ?? "");
    case "ingress": return say(t("call.noAddress"), `Ingress ${first.name}`, t(first.class ? "trouble.noController" : "trouble.noClass", { name: first.class }));
    case "pressure": return say((first.pressure ?? []).map((one) => `${one[0].toUpperCase()}${one.slice(1)}Pressure`).join(", "), first.name, t(key));
    case "job": return say("Failed", `Job ${first.name}`, first.why ?? "");
  }
  return say(group.code, pods, "");
}

/** Who asks what: a pod by whoever made it. @param {Thing} source @param {import("./scene.js").Scene} scene @param {T} t */
function way(source, scene, t) {
  const pod = source.source ? scene.get(source.source) : undefined;
  return pod?.owner ? `${nameOf(rootOf(source.source ?? "", pod, scene))} → ${targeted(source)}` : sourced(source, t);
}

/** What is wrong with a node's machine, as far as the room knows. @param {Thing} node */
const troubleOf = (node) => ["gone", "off", "cut", "silent"].find((one) => /** @type {any} */ (node)[one]) ?? "";

/** @param {Thing} pod @param {T} t */
function exitOf(pod, t) {
  const box = pod.containers?.find((one) => one.exit);
  return box ? t("call.exit", { code: box.exit }) : "";
}

/** Why no node takes a pod: the shortage by name, else what the scheduler counted. @param {Thing} pod @param {T} t */
function refused(pod, t) {
  const { all, reasons } = refusals(pod.message ?? "");
  if (!reasons.length) return pod.message ?? "";
  const short = reasons.find(([, reason]) => reason === "Insufficient cpu" || reason === "Insufficient memory");
  const rest = reasons.map(([count, reason]) => `${count} ${reason}`).join(", ");
  if (!short || short[0] * 2 < all) return t("call.noNode", { reasons: rest });
  return t("call.short", { amount: short[1].endsWith("cpu") ? `${cores(pod.cpu ?? 0)} CPU` : bytes(pod.memory ?? 0), reasons: rest });
}

/** The nearest of the members' times. @param {Group} group @param {import("./scene.js").Scene} scene @param {(pod: Thing) => number|undefined} of */
function soonest(group, scene, of) {
  let found = Infinity;
  let seen = 0;
  for (const id of group.members) {
    if (++seen > 50) break;
    const pod = scene.get(id);
    found = Math.min(found, (pod && of(pod)) ?? Infinity);
  }
  return found === Infinity ? 0 : found;
}

/** @param {number} value */
const round = (value) => (value >= 10 ? Math.round(value) : Math.round(value * 10) / 10);
