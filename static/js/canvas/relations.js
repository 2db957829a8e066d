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

/** A pod of a workload's own, or of what it owns. @param {Scene} scene @param {string} id @returns {Thing|undefined} */
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
