import assert from "node:assert/strict";
import { test } from "node:test";
import { Scene } from "../../static/js/scene.js";
import { compile, Matches, suggest } from "../../static/js/search.js";

const things = {
  "Pod/dev/web-1": { kind: "Pod", ns: "dev", name: "web-1", node: "w1-k8s", state: "ready", status: "Running", labels: { app: "web", tier: "front" }, owner: "ReplicaSet/dev/web-5d", containers: [{ name: "c", image: "nginx:1.25", state: "running", ready: true, restarts: 0 }] },
  "Pod/dev/web-10": { kind: "Pod", ns: "dev", name: "web-10", node: "w2-k8s", state: "crashloop", status: "CrashLoopBackOff", labels: { app: "web" }, containers: [{ name: "c", image: "busybox", state: "waiting", ready: false, restarts: 3 }] },
  "Pod/dev/web-2": { kind: "Pod", ns: "dev", name: "web-2", state: "unscheduled", status: "Pending", message: "0/4 nodes are available", labels: { app: "web" } },
  "Pod/default/db-0": { kind: "Pod", ns: "default", name: "db-0", node: "w1-k8s", state: "ready", status: "Running", labels: { app: "db" } },
  "Node//w1-k8s": { kind: "Node", name: "w1-k8s", ready: "True", labels: { disk: "ssd" } },
  "Node//w2-k8s": { kind: "Node", name: "w2-k8s", ready: "Unknown", labels: {} },
  "Deployment/dev/web": { kind: "Deployment", ns: "dev", name: "web", replicas: 3, ready: 1 },
  "Namespace//dev": { kind: "Namespace", name: "dev" },
};
const scene = new Scene();
scene.load(/** @type {any} */ ({ revision: 1, time: 0, things }));

/** @param {string} text */
function found(text) {
  const matches = new Matches(scene);
  for (const _ of matches.seek(compile(text)));
  return matches.list.map((id) => id.split("/")[2]);
}

test("words find a name, a kind, a namespace or a state, and all of them must fit", () => {
  assert.deepEqual(found("web"), ["web", "web-1", "web-2", "web-10"]);
  assert.deepEqual(found("web deployment"), ["web"]);
  assert.deepEqual(found("crash"), ["web-10"]);
  assert.deepEqual(found("default"), ["db-0"]);
  assert.deepEqual(found('"web-1"'), ["web-1", "web-10"]);
  assert.deepEqual(found("web -deployment -crash"), ["web-1", "web-2"]);
});

test("label selectors are those of kubectl", () => {
  assert.deepEqual(found("app=web"), ["web-1", "web-2", "web-10"]);
  assert.deepEqual(found("app==web,tier=front"), ["web-1"]);
  assert.deepEqual(found("app!=web kind:pod"), ["db-0"]);
  assert.deepEqual(found("app in (db, other)"), ["db-0"]);
  assert.deepEqual(found("app notin (db) kind:pod"), ["web-1", "web-2", "web-10"]);
  assert.deepEqual(found("!tier kind:po ns:dev"), ["web-2", "web-10"]);
  assert.deepEqual(found("disk=ssd"), ["w1-k8s"]);
});

test("fields narrow, by kubectl's short names too, and a minus turns them round", () => {
  assert.deepEqual(found("kind:no"), ["w1-k8s", "w2-k8s"]);
  assert.deepEqual(found("kind:pods node:w1"), ["db-0", "web-1"]);
  assert.deepEqual(found("ns:dev state:crashloop"), ["web-10"]);
  assert.deepEqual(found("image:nginx"), ["web-1"]);
  assert.deepEqual(found("nginx:1.25"), ["web-1"]);
  assert.deepEqual(found("is:wrong"), ["w2-k8s", "web-2", "web-10"]);
  assert.deepEqual(found("kind:pod -ns:dev"), ["db-0"]);
  assert.deepEqual(found("is:nonsense"), []);
});

test("what is still being typed rules nothing out", () => {
  for (const text of ["", " , ", "ns:", "app in (", '"', "-"]) assert.equal(compile(text), null, text);
  assert.deepEqual(found("tier="), ["web-1"]);
});

test("no text is too strange to be read", () => {
  for (const text of ["((", "a in (b", "=x", "!!", ":::", "a!=", "-:x", "k in", '"a b', "\\", "a,,b"]) assert.doesNotThrow(() => found(text), text);
});

test("matches follow the scene's changes, and go round", () => {
  const matches = new Matches(scene);
  for (const _ of matches.seek(compile("app=web")));
  assert.deepEqual([matches.found.size, matches.total], [3, 7]);
  assert.equal(matches.next(null, 1), "Pod/dev/web-1");
  assert.equal(matches.next("Pod/dev/web-10", 1), "Pod/dev/web-1");
  assert.equal(matches.next("Pod/dev/web-1", -1), "Pod/dev/web-10");
  const before = things["Pod/dev/web-2"];
  matches.update(/** @type {any} */ ([{ id: "Pod/dev/web-2", before, after: { ...before, labels: { app: "other" } } }, { id: "Pod/dev/web-3", before: undefined, after: { ...before, name: "web-3" } }, { id: "Pod/dev/web-1", before: things["Pod/dev/web-1"], after: undefined }]));
  assert.deepEqual(matches.list, ["Pod/dev/web-3", "Pod/dev/web-10"]);
  assert.equal(matches.total, 7);
});

test("a hundred thousand things are looked at in slices", () => {
  const many = new Scene();
  many.load(/** @type {any} */ ({ revision: 1, time: 0, things: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`Pod/d/p${i}`, { kind: "Pod", ns: "d", name: `p${i}`, state: "ready" }])) }));
  const matches = new Matches(many);
  let turns = 0;
  for (const _ of matches.seek(compile("p7"), 0)) turns++;
  assert.equal(turns, 400);
  assert.equal(matches.found.size, 11_111);
});

test("suggestions tell the fields, and what the cluster has for each", () => {
  assert.deepEqual(suggest("ki", 2, scene).list, ["kind:"]);
  assert.deepEqual(suggest("web kind:d", 10, scene), { from: 4, to: 10, list: ["kind:deployment"] });
  assert.deepEqual(suggest("ns:", 3, scene).list, ["ns:default", "ns:dev"]);
  assert.deepEqual(suggest("app=", 4, scene).list, ["app=web", "app=db"]);
  assert.deepEqual(suggest("ti", 2, scene).list, ["tier="]);
  assert.deepEqual(suggest("state:c", 7, scene).list, ["state:crashloop"]);
  assert.equal(suggest("", 0, scene).list[0], "is:wrong");
});
