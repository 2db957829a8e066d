/** What belongs with what: whom a Service selects, whom a Deployment owns, and up again from a pod. */
import { matches } from "../scene.js";

/** @typedef {import("../scene.js").Scene} Scene @typedef {import("./layout.js").Layout} Layout */

/** A Deployment's ReplicaSets, the oldest revision first. @param {Scene} scene @param {string} owner */
export function replicaSets(scene, owner) {
  const sets = [];
  for (const [id, thing] of scene.things) if (id.startsWith("ReplicaSet/") && thing.owner === owner) sets.push(thing);
  return sets.sort((a, b) => Number(a.revision ?? 0) - Number(b.revision ?? 0));
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
  } else if (thing.kind === "Deployment" || thing.kind === "ReplicaSet") {
    const sets = new Set([id]);
    for (const [other, record] of scene.things) if (record.kind === "ReplicaSet" && record.owner === id) sets.add(other);
    for (const pod of pods()) if (sets.has(scene.get(pod)?.owner ?? "")) found.add(pod);
    if (thing.owner) found.add(thing.owner);
  } else if (thing.kind === "Pod") {
    let owner = thing.owner;
    while (owner) {
      found.add(owner);
      owner = scene.get(owner)?.owner;
    }
    for (const service of layout.services.of.keys()) {
      const record = scene.get(service);
      if (record && record.ns === thing.ns && matches(record.selector, thing.labels)) found.add(service);
    }
  } else if (thing.kind === "Traffic" && thing.target) found.add(thing.target);
  return found;
}
