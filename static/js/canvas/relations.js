/** What belongs with what: whom a Service selects, whom a Deployment owns, and up again from a pod. */
import { matches } from "../scene.js";
import { WORKLOADS } from "./layout.js";

/** @typedef {import("../scene.js").Scene} Scene @typedef {import("./layout.js").Layout} Layout @typedef {import("../types").Thing} Thing */

/** A Deployment's ReplicaSets, the oldest revision first. @param {Scene} scene @param {string} owner */
export function replicaSets(scene, owner) {
  const sets = scene.ownedBy(owner, "ReplicaSet").map(([, set]) => set);
  return sets.sort((a, b) => Number(a.revision ?? 0) - Number(b.revision ?? 0));
}

/** The autoscaler that sizes a workload. @param {Scene} scene @param {string} target @returns {[string, Thing]|undefined} */
export const scalerOf = (scene, target) => scene.ofKind("HorizontalPodAutoscaler").find(([, scaler]) => scaler.target === target);

/** The disruption budget that counts a workload's pods. @param {Scene} scene @param {Thing|undefined} pod one of them @returns {[string, Thing]|undefined} */
export const budgetOf = (scene, pod) => (pod ? scene.ofKind("PodDisruptionBudget").find(([, budget]) => budget.ns === pod.ns && matches(budget.selector, pod.labels)) : undefined);

/** The Services that an Ingress leads to. @param {Thing} ingress */
export const servicesOf = (ingress) => [...new Set([...(ingress.routes ?? []), ingress.default ?? {}].map((one) => one.service ?? "").filter(Boolean))];

/** The Ingresses that lead to a Service. @param {Scene} scene @param {string} service */
export const ingressesTo = (scene, service) => scene.ofKind("Ingress").filter(([, ingress]) => servicesOf(ingress).includes(service));

/** The NetworkPolicies that mean a pod. @param {Scene} scene @param {Thing} pod */
export const policiesOf = (scene, pod) => scene.ofKind("NetworkPolicy").filter(([, policy]) => isolates(policy, pod));

/** @param {Thing} policy @param {Thing|undefined} pod */
export const isolates = (policy, pod) => !!pod && policy.ns === pod.ns && chooses(policy.pods, pod.labels);

/** Whether a label selector, which chooses all if it is empty, chooses these labels. @param {import("../types").LabelSelector|undefined} selector @param {Record<string, string>} [labels] */
export function chooses(selector, labels = {}) {
  const alike = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return alike && (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key in labels;
    if (operator === "DoesNotExist") return !(key in labels);
    return values.includes(labels[key]) === (operator === "In");
  });
}

/** Whose selectors choose a pod by a label: with another value of it the pod leaves them. @param {Scene} scene @param {Thing} pod @param {string} label @returns {string[]} as kind and name */
export function holders(scene, pod, label) {
  const found = [];
  for (const kind of ["Service", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "PodDisruptionBudget"])
    for (const [id, thing] of scene.ofKind(kind)) {
      const owns = thing.selector && id !== pod.owner ? thing : undefined;
      if (thing.ns === pod.ns && owns && label in (owns.selector ?? {}) && matches(owns.selector, pod.labels)) found.push(`${kind} ${thing.name}`);
      else if (id === pod.owner && label === "pod-template-hash") found.push(`${kind} ${thing.name}`);
    }
  return found;
}

/** What holds a pod by its labels: Services, budgets, policies that choose it, and who owns it. @param {Scene} scene @param {Thing} pod @param {Record<string, string>} labels @returns {Map<string, "owner"|"chooses">} */
function grips(scene, pod, labels) {
  /** @type {Map<string, "owner"|"chooses">} */
  const found = new Map();
  for (const kind of ["Service", "PodDisruptionBudget", "NetworkPolicy"])
    for (const [id, one] of scene.ofKind(kind)) if (one.ns === pod.ns && (kind === "NetworkPolicy" ? chooses(one.pods, labels) : matches(one.selector, labels))) found.set(id, "chooses");
  for (const kind of ["ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"])
    for (const [id, one] of scene.ofKind(kind)) if (one.ns === pod.ns && matches(ownSelector(scene, one), labels)) found.set(id, "owner");
  return found;
}

/** A ReplicaSet of a Deployment selects by its Deployment's labels and its hash. @param {Scene} scene @param {Thing} owner */
function ownSelector(scene, owner) {
  const deployment = owner.kind === "ReplicaSet" && owner.owner ? scene.get(owner.owner)?.selector : undefined;
  return deployment && owner.hash ? { ...deployment, "pod-template-hash": owner.hash } : owner.selector;
}

/**
 * What other labels do to a pod: whom it leaves, whom it comes to, who lets it go and makes another, who takes it over.
 * @param {Scene} scene @param {Thing} pod @param {Record<string, string|null>} changes @returns {{code: "leaves"|"joins"|"orphaned"|"adopted", id: string}[]}
 */
export function consequences(scene, pod, changes) {
  const after = Object.fromEntries(Object.entries({ ...pod.labels, ...changes }).filter(([, value]) => value !== null));
  const [had, has] = [grips(scene, pod, pod.labels ?? {}), grips(scene, pod, /** @type {Record<string, string>} */ (after))];
  /** @type {{code: "leaves"|"joins"|"orphaned"|"adopted", id: string}[]} */
  const found = [];
  for (const [id, how] of had) if (!has.has(id) && (how === "chooses" || id === pod.owner)) found.push({ code: how === "owner" ? "orphaned" : "leaves", id });
  const free = !pod.owner || found.some((one) => one.code === "orphaned");
  for (const [id, how] of has) if (!had.has(id) || (how === "owner" && !pod.owner)) (how === "chooses" || free) && found.push({ code: how === "owner" ? "adopted" : "joins", id });
  return found;
}

/** The pods of a workload's own, and of what it owns. @param {Scene} scene @param {string} id @returns {Thing[]} */
export const podsOf = (scene, id) => [id, ...(scene.owned.get(id) ?? [])].flatMap((owner) => scene.ownedBy(owner, "Pod").map(([, pod]) => pod));

/** One of them. @param {Scene} scene @param {string} id @returns {Thing|undefined} */
export function podOf(scene, id) {
  for (const owner of [id, ...(scene.owned.get(id) ?? [])])
    for (const one of scene.owned.get(owner) ?? []) if (one.startsWith("Pod/")) return scene.get(one);
  return undefined;
}

/** Everything that belongs with a thing: whom it selects, owns, is owned by. @param {Scene} scene @param {Layout} layout @param {string} id @returns {Set<string>} */
export function related(scene, layout, id) {
  const thing = scene.get(id);
  /** @type {Set<string>} */
  const found = new Set();
  if (!thing) return found;
  const pods = () => [...layout.pods.keys()];
  if (thing.kind === "Service") {
    for (const pod of pods()) {
      const record = scene.get(pod);
      if (record && record.ns === thing.ns && matches(thing.selector, record.labels)) found.add(pod);
    }
  } else if (WORKLOADS.has(thing.kind)) {
    for (const owner of [id, ...(scene.owned.get(id) ?? [])]) for (const [pod] of scene.ownedBy(owner, "Pod")) found.add(pod);
    if (thing.owner) found.add(thing.owner);
  } else if (thing.kind === "HorizontalPodAutoscaler" && thing.target) {
    found.add(thing.target);
  } else if (thing.kind === "PodDisruptionBudget") {
    for (const pod of pods()) if (scene.get(pod)?.ns === thing.ns && matches(thing.selector, scene.get(pod)?.labels)) found.add(pod);
  } else if (thing.kind === "PersistentVolume" && thing.claim) {
    found.add(thing.claim);
  } else if (thing.kind === "PersistentVolumeClaim") {
    for (const pod of pods()) if (scene.get(pod)?.claims?.includes(id)) found.add(pod);
  } else if (thing.kind === "Pod") {
    let owner = thing.owner;
    while (owner) {
      found.add(owner);
      owner = scene.get(owner)?.owner;
    }
    for (const claim of thing.claims ?? []) found.add(claim);
    for (const service of layout.services.of.keys()) {
      const record = scene.get(service);
      if (record && record.ns === thing.ns && matches(record.selector, thing.labels)) found.add(service);
    }
  } else if (thing.kind === "Traffic") {
    for (const one of [thing.target, thing.service, thing.source, ...(thing.through ?? []), ...(thing.paths ?? []).map((path) => path.pod)]) if (one && scene.get(one)) found.add(one);
  } else if (thing.kind === "Ingress") {
    for (const service of servicesOf(thing)) found.add(service);
  } else if (thing.kind === "NetworkPolicy") {
    for (const pod of pods()) if (isolates(thing, scene.get(pod))) found.add(pod);
  }
  return found;
}
