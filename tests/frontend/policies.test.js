import assert from "node:assert/strict";
import test from "node:test";
import { Policies, reach } from "../../static/js/canvas/policies.js";
import { Scene } from "../../static/js/scene.js";

const pod = (ns, name, labels) => ({ kind: "Pod", ns, name, labels });
const policy = (name, more) => ({ kind: "NetworkPolicy", ns: "default", name, ...more });
const WORLD = {
  "Pod/default/db": pod("default", "db", { app: "db" }), "Pod/default/shop": pod("default", "shop", { app: "shop" }), "Pod/other/shop": pod("other", "shop", { app: "shop" }),
  "Namespace//other": { kind: "Namespace", name: "other", labels: { team: "blue" } },
};

function watched(things) {
  const scene = new Scene();
  const policies = new Policies(scene);
  let changed = [];
  scene.listen((update) => (changed = policies.hear(update)));
  scene.load({ revision: 0, time: 0, things });
  let revision = 0;
  const set = (id, record) => (scene.apply({ from: revision, to: ++revision, time: 0, ops: [record ? ["set", id, record] : ["del", id]] }), changed.sort());
  return { scene, policies, set };
}

test("a pod is isolated while a policy of its namespace selects it, in the directions of all of them", () => {
  const { policies, set } = watched(WORLD);
  assert.equal(policies.fences.size, 0);
  assert.deepEqual(set("NetworkPolicy/default/deny", policy("deny", { pods: { matchLabels: { app: "db" } }, ingress: [] })), ["Pod/default/db"]);
  assert.deepEqual(policies.fences.get("Pod/default/db"), { ingress: true, egress: false });
  assert.deepEqual(set("NetworkPolicy/default/all", policy("all", { pods: {}, egress: [] })), ["Pod/default/db", "Pod/default/shop"]);
  assert.deepEqual(policies.fences.get("Pod/default/db"), { ingress: true, egress: true });
  assert.equal(policies.has("Pod/other/shop"), false);
  set("NetworkPolicy/default/all");
  assert.deepEqual(policies.fences.get("Pod/default/db"), { ingress: true, egress: false });
});

test("a pod that is relabelled or goes loses its fence, and one that comes has it at once", () => {
  const { policies, set } = watched({ ...WORLD, "NetworkPolicy/default/deny": policy("deny", { pods: { matchLabels: { app: "db" } }, ingress: [] }) });
  assert.ok(policies.has("Pod/default/db"));
  set("Pod/default/db", pod("default", "db", { app: "free" }));
  assert.equal(policies.has("Pod/default/db"), false);
  set("Pod/default/new", pod("default", "new", { app: "db" }));
  assert.ok(policies.has("Pod/default/new"));
  set("Pod/default/new");
  assert.equal(policies.fences.size, 0);
});

test("a policy's reach is the pods it selects and those its rules name, in its own namespace unless a rule says otherwise", () => {
  const { scene } = watched(WORLD);
  const selects = { pods: { matchLabels: { app: "db" } } };
  const shop = { matchLabels: { app: "shop" } };
  const of = (more) => reach(scene, policy("p", { ...selects, ...more }));
  assert.deepEqual(of({ ingress: [] }).ingress, { closed: true, pods: [], anyone: false, blocks: [] });
  assert.deepEqual(of({ ingress: [{ peers: [{ pods: shop }] }] }).ingress.pods, ["Pod/default/shop"]);
  assert.deepEqual(of({ ingress: [{ peers: [{ pods: shop, namespaces: { matchLabels: { team: "blue" } } }] }] }).ingress.pods, ["Pod/other/shop"]);
  assert.deepEqual(of({ ingress: [{ peers: [{ namespaces: { matchLabels: { "kubernetes.io/metadata.name": "default" } } }] }] }).ingress.pods, ["Pod/default/db", "Pod/default/shop"]);
  assert.equal(of({ ingress: [{}] }).ingress.anyone, true);
  assert.deepEqual(of({ egress: [{ peers: [{ cidr: "10.0.0.0/8" }] }] }).egress.blocks, ["10.0.0.0/8"]);
  assert.equal(of({ egress: [] }).ingress.closed, false);
  assert.deepEqual(of({}).selected, ["Pod/default/db"]);
});
