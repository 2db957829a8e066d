/**
 * NetworkPolicies on the canvas: which pods are isolated, kept by change so that every one of them can wear its fence; and of one policy
 * or pod whom its rules let in and out. A pod that no policy selects is open; rules of several add up.
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import { chooses, isolates } from "./relations.js";

/** @typedef {import("../types").Thing} Thing @typedef {import("../scene.js").Scene} Scene */
/** Of a pod: closed to what comes in, to what goes out. @typedef {{ingress: boolean, egress: boolean}} Fence */

const MOST_REACHED = 400;

export class Policies {
  /** @param {Scene} scene */
  constructor(scene) {
    this.scene = scene;
    /** @type {Map<string, Fence>} isolated pods */
    this.fences = new Map();
    /** @type {Map<string, Map<string, Thing>>} by namespace */
    this.of = new Map();
  }

  /** @param {import("../scene.js").Update} update @returns {string[]} pods whose fence is another now */
  hear(update) {
    if (update.whole) {
      this.fences.clear();
      this.of.clear();
    }
    /** @type {Set<string>} namespaces whose policies changed */
    const anew = new Set();
    for (const { id, before, after } of update.changes) {
      if (!id.startsWith("NetworkPolicy/")) continue;
      const ns = (after ?? before)?.ns ?? "";
      const known = this.of.get(ns) ?? new Map();
      if (after) known.set(id, after);
      else known.delete(id);
      if (known.size) this.of.set(ns, known);
      else this.of.delete(ns);
      anew.add(ns);
    }
    /** @type {string[]} */
    const changed = [];
    if (anew.size) for (const [id, pod] of this.scene.ofKind("Pod")) if (anew.has(pod.ns ?? "") && this.#judge(id, pod)) changed.push(id);
    if (this.of.size || this.fences.size)
      for (const { id, before, after } of update.changes)
        if (id.startsWith("Pod/") && (!before || !after || before.labels !== after.labels) && this.#judge(id, after)) changed.push(id);
    return changed;
  }

  /** @param {string} id @param {Thing|undefined} pod */
  #judge(id, pod) {
    const was = this.fences.get(id);
    let ingress = false;
    let egress = false;
    for (const policy of (pod && this.of.get(pod.ns ?? "")?.values()) ?? []) {
      if (!isolates(policy, pod)) continue;
      ingress ||= !!policy.ingress;
      egress ||= !!policy.egress;
    }
    if (ingress || egress) this.fences.set(id, { ingress, egress });
    else this.fences.delete(id);
    return was?.ingress !== (ingress || egress ? ingress : undefined) || was?.egress !== (ingress || egress ? egress : undefined);
  }

  /** @param {string} id */
  has(id) {
    return this.fences.has(id);
  }
}

/**
 * Whom a policy's rules name among the pods: who may come in to those it selects, and whom they may go out to; `anyone` if a rule names
 * nobody in particular, `blocks` the address ranges it names.
 * @param {Scene} scene @param {Thing} policy
 */
export function reach(scene, policy) {
  const pods = scene.ofKind("Pod");
  const selected = pods.filter(([, pod]) => isolates(policy, pod)).map(([id]) => id);
  /** @param {import("../types").PolicyRule[]|undefined} rules */
  const side = (rules) => {
    /** @type {Set<string>} */
    const found = new Set();
    /** @type {string[]} */
    const blocks = [];
    let anyone = false;
    for (const rule of rules ?? []) {
      if (!rule.peers) anyone = true;
      for (const peer of rule.peers ?? []) {
        if (peer.cidr) blocks.push(peer.cidr);
        else for (const [id, pod] of pods) if (found.size < MOST_REACHED && named(scene, policy, peer, pod)) found.add(id);
      }
    }
    return { closed: rules !== undefined, pods: [...found], anyone, blocks };
  };
  return { selected, ingress: side(policy.ingress), egress: side(policy.egress) };
}

/** Whether a peer of a rule names a pod. @param {Scene} scene @param {Thing} policy @param {import("../types").PolicyPeer} peer @param {Thing} pod */
function named(scene, policy, peer, pod) {
  if (peer.namespaces) {
    const labels = { "kubernetes.io/metadata.name": pod.ns ?? "", ...(scene.get(`Namespace//${pod.ns}`)?.labels ?? {}) };
    if (!chooses(peer.namespaces, labels)) return false;
  } else if (pod.ns !== policy.ns) return false;
  return !peer.pods || chooses(peer.pods, pod.labels);
}
