import assert from "node:assert/strict";
import { test } from "node:test";
import { stops } from "../../static/js/canvas/followed.js";
import { consequences } from "../../static/js/canvas/relations.js";
import { Scene } from "../../static/js/scene.js";

/** @param {Record<string, any>} things */
function scene(things) {
  const made = new Scene();
  made.load(/** @type {any} */ ({ revision: 1, time: 0, things }));
  return made;
}

const room = scene({
  "Service/kube-system/kube-dns": { kind: "Service", ns: "kube-system", name: "kube-dns", clusterIP: "10.96.0.10" },
  "Service/default/web": { kind: "Service", ns: "default", name: "web", clusterIP: "10.96.1.1", selector: { app: "web" } },
  "Service/default/api": { kind: "Service", ns: "default", name: "api", selector: { app: "api" } },
  "Deployment/default/web": { kind: "Deployment", ns: "default", name: "web", selector: { app: "web" } },
  "ReplicaSet/default/web-5d": { kind: "ReplicaSet", ns: "default", name: "web-5d", owner: "Deployment/default/web", hash: "5d" },
  "ReplicaSet/default/plain": { kind: "ReplicaSet", ns: "default", name: "plain", selector: { app: "plain" } },
  "NetworkPolicy/default/shut": { kind: "NetworkPolicy", ns: "default", name: "shut", pods: { matchLabels: { tier: "db" } } },
  "PodDisruptionBudget/default/few": { kind: "PodDisruptionBudget", ns: "default", name: "few", selector: { app: "web" } },
  "Pod/default/web-5d-a": { kind: "Pod", ns: "default", name: "web-5d-a", owner: "ReplicaSet/default/web-5d", labels: { app: "web", "pod-template-hash": "5d" } },
  "Pod/default/client": { kind: "Pod", ns: "default", name: "client" },
});
const POD = /** @type {any} */ (room.get("Pod/default/web-5d-a"));

/** @param {string} kind @param {string} what @param {string} decision @param {Record<string, any>} [detail] */
const hop = (kind, what, decision, detail = {}) => ({ kind, what, decision, detail });

test("a pod asks DNS first, and its request begins anew at the pod", () => {
  const way = stops(/** @type {any} */ ({ source: "Pod/default/client", pod: "Pod/default/web-5d-a", numbers: [80], hops: [
    hop("dns", "kube-system/coredns-a", "is asked by way of 10.96.0.10", { pod: "kube-system/coredns-a" }), hop("dns", "web.default.svc.cluster.local", "10.96.1.1", { server: "10.96.0.10", addresses: ["10.96.1.1"] }), hop("service", "default/web", "10.244.1.4:8080"), hop("pod", "default/web-5d-a", "answers 200", { port: 8080 })] }), room);
  assert.deepEqual(way.map(({ from, at, text }) => [from, at, text]), [
    ["Pod/default/client", "Pod/kube-system/coredns-a", "53"], ["Pod/default/client", "Service/kube-system/kube-dns", "10.96.1.1"], ["Pod/default/client", "Service/default/web", "80 → 8080"], ["Service/default/web", "Pod/default/web-5d-a", "8080"]]);
});

test("the number changes at each door: the node's port, the Service's, the pod's", () => {
  const way = stops(/** @type {any} */ ({ source: "Traffic//gone", numbers: [31631, 80], hops: [hop("node", "w1", "port 31631 is a node port"), hop("service", "default/web", "10.244.1.4:80"), hop("pod", "default/web-5d-a", "answers 200", { port: 80 })] }), room);
  assert.deepEqual(way.map((one) => one.text), ["31631", "31631 → 80", "80"]);
  assert.equal(way[0].from, "");
});

test("a policy at the pod stops the request there, one for what goes out where it began", () => {
  const died = (/** @type {string} */ direction) => stops(/** @type {any} */ ({ source: "Pod/default/client", pod: "Pod/default/web-5d-a", numbers: [80], hops: [hop("service", "default/web", "10.244.1.4:80"), hop("policy", "default/shut", "drops", { direction })] }), room).at(-1);
  assert.equal(died("ingress")?.at, "Pod/default/web-5d-a");
  assert.equal(died("egress")?.at, "Pod/default/client");
});

test("other labels: whom a pod leaves, who makes another in its place, whom it comes to", () => {
  const told = (/** @type {any} */ changes) => consequences(room, POD, changes).map(({ code, id }) => `${code} ${id.split("/")[0]} ${id.split("/")[2]}`);
  assert.deepEqual(told({ app: "api" }), ["leaves Service web", "leaves PodDisruptionBudget few", "orphaned ReplicaSet web-5d", "joins Service api"]);
  assert.deepEqual(told({ app: "plain" }).slice(-1), ["adopted ReplicaSet plain"]);
  assert.deepEqual(told({ "pod-template-hash": null }), ["orphaned ReplicaSet web-5d"]);
  assert.deepEqual(told({ tier: "db" }), ["joins NetworkPolicy shut"]);
  assert.deepEqual(told({ tier: "front" }), []);
  assert.deepEqual(consequences(room, { ...POD, owner: undefined, labels: { app: "none" } }, { app: "web", "pod-template-hash": "5d" }).map((one) => one.code), ["joins", "joins", "adopted"]);
});
