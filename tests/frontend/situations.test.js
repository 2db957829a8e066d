import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Scene } from "../../static/js/scene.js";
import { pullFault, refusals, Situations, span, words } from "../../static/js/situations.js";

const catalogue = (name) => JSON.parse(readFileSync(new URL(`../../static/locales/${name}.json`, import.meta.url)));
const say = (name) => {
  const known = catalogue(name);
  const rules = new Intl.PluralRules(name);
  return (key, params = {}) => {
    const found = known[key];
    assert.ok(found !== undefined, `no words for ${key}`);
    return (typeof found === "object" ? found[rules.select(params.count)] ?? found.other : found).replace(/\{(\w+)\}/g, (_, param) => `${params[param] ?? ""}`);
  };
};
const t = say("en");

function watched(things) {
  const scene = new Scene();
  const situations = new Situations(scene);
  scene.listen((update) => situations.hear(update));
  scene.load({ revision: 0, time: 0, things });
  let revision = 0;
  const set = (id, record) => scene.apply({ from: revision, to: ++revision, time: 0, ops: [record ? ["set", id, record] : ["del", id]] });
  return { scene, situations, set };
}

const pod = (name, state, more = {}) => ({ kind: "Pod", ns: "default", name, state, owner: "ReplicaSet/default/web-1", ...more });
const WEB = { "Deployment/default/web": { kind: "Deployment", ns: "default", name: "web", replicas: 2 }, "ReplicaSet/default/web-1": { kind: "ReplicaSet", ns: "default", name: "web-1", owner: "Deployment/default/web" } };
const told = ({ scene, situations }, now = 0) => situations.worst(10).map((group) => words(group, scene, t, now)).map(({ term, who, why }) => [term, who, why].filter(Boolean).join(" | "));

test("pods in one plight are one group of their Deployment, and leave it as they change", () => {
  const message = 'Back-off pulling image "nginx:nosuch9": ErrImagePull: rpc error: code = NotFound desc = nginx:nosuch9: not found';
  const bad = (name) => pod(name, "imagepull", { status: "ImagePullBackOff", message, containers: [{ name: "c", image: "nginx:nosuch9", reason: "ImagePullBackOff" }] });
  const room = watched({ ...WEB, "Pod/default/a": bad("a"), "Pod/default/b": bad("b") });
  assert.deepEqual(told(room), ["ImagePullBackOff | 2 pods of web | nginx:nosuch9 not found"]);
  assert.deepEqual(room.situations.chips().map(({ code, count }) => [code, count]), [["imagepull", 2]]);
  room.set("Pod/default/a", pod("a", "ready"));
  assert.deepEqual(told(room), ["ImagePullBackOff | web | nginx:nosuch9 not found"]);
  assert.equal(room.situations.pods.ready, 1);
  room.set("Pod/default/b", undefined);
  assert.deepEqual(told(room), []);
  assert.deepEqual(room.situations.counts.imagepull, 0);
});

test("counts stay true through any sequence of changes", () => {
  const room = watched(WEB);
  const states = ["ready", "imagepull", "crashloop", "creating", "running", "terminating", "unscheduled"];
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n;
  for (let i = 0; i < 2000; i++) {
    const name = `p${random(40)}`;
    room.set(`Pod/default/${name}`, random(5) ? pod(name, states[random(states.length)], { message: random(2) ? "0/1 nodes are available: 1 Insufficient cpu." : undefined }) : undefined);
  }
  const fresh = watched(Object.fromEntries(room.scene.things));
  const sorted = (situations) => situations.chips().map(({ code, count, groups }) => [code, count, groups.flatMap((group) => [...group.members]).sort()]);
  assert.deepEqual(sorted(room.situations), sorted(fresh.situations));
  for (const key of ["ready", "starting", "unready", "leaving"]) assert.equal(room.situations.pods[key] ?? 0, fresh.situations.pods[key] ?? 0);
});

test("a pod for which no node has room says what it asks and how many nodes refuse why", () => {
  const message = "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.";
  assert.deepEqual(refusals(message), { all: 4, reasons: [[3, "Insufficient cpu"], [1, "untolerated taint(s)"]] });
  const room = watched({ ...WEB, "Pod/default/big": pod("big", "unscheduled", { cpu: 4000, message }) });
  assert.deepEqual(told(room), ["Pending | web | no node has 4 CPU free (3 Insufficient cpu, 1 untolerated taint(s))"]);
});

test("a pod that the scheduler has not judged yet is only starting", () => {
  const room = watched({ ...WEB, "Pod/default/a": pod("a", "unscheduled") });
  assert.deepEqual(told(room), []);
  assert.equal(room.situations.pods.starting, 1);
});

test("a crash loop tells the exit code and counts down to the next try", () => {
  const containers = [{ name: "c", image: "busybox", state: "waiting", exit: 1, ended: "Error" }];
  const room = watched({ ...WEB, "Pod/default/a": pod("a", "crashloop", { restarts: 3, containers, backoff: { from: 40, until: 80 } }) });
  assert.deepEqual(told(room, 60), ["CrashLoopBackOff | web | exit 1 · next try in 20s · 3 restarts"]);
  assert.ok(words(room.situations.worst(1)[0], room.scene, t, 60).due);
});

test("a Service without endpoints names the label it wants and the one its pods have", () => {
  const api = { kind: "Service", ns: "default", name: "api", selector: { app: "api-svc" }, endpoints: [], near: [{ pod: "Pod/default/a", key: "app", want: "api-svc", have: "api-service" }] };
  const room = watched({ "Service/default/api": api });
  assert.deepEqual(told(room), ["no endpoints | Service api | selector app=api-svc, pods have app=api-service"]);
  room.set("Traffic//x", { kind: "Traffic", name: "x", target: "Service/default/api", port: 80, failed: 5, error: { hop: "endpoints", text: "" } });
  assert.equal(told(room).length, 1, "requests that die for it are no news");
  room.set("Service/default/api", { ...api, near: [], matched: 2 });
  assert.equal(room.situations.chips().some(({ code }) => code === "noEndpoints"), false, "its pods are on their way");
});

test("a lost node tells since when, why, and when its pods are evicted", () => {
  const room = watched({ "Node//w2": { kind: "Node", name: "w2", ready: "Unknown", off: true, since: 110, leave: 410 } });
  assert.deepEqual(told(room, 150), ["NotReady | w2 | for 40s, no power; its pods are evicted in 4m20s"]);
  room.set("Node//w2", { kind: "Node", name: "w2", ready: "True", off: true });
  assert.deepEqual(told(room, 150), ["no power | w2 | the cluster has not noticed yet"]);
});

test("a rollout that waits names its bounds", () => {
  const web = { kind: "Deployment", ns: "default", name: "web", replicas: 6, updated: 3, available: 5, current: 8, floor: 5, ceiling: 8, revision: "2", progress: "ReplicaSetUpdated" };
  const room = watched({ "Deployment/default/web": web });
  assert.deepEqual(told(room), ["Rollout 3/6 | web | waits: 3 not ready; at least 5 must be available, at most 8 in all"]);
  room.set("Deployment/default/web", { ...web, updated: 6, current: 6, available: 6, progress: "NewReplicaSetAvailable" });
  assert.deepEqual(told(room), []);
});

test("what a policy blocks is told by the policy's name, whoever else is cut off by it", () => {
  const blocked = (name) => ({ kind: "Traffic", name, source: `Pod/default/${name}`, target: "Service/default/db", port: 5432, failed: 5, error: { hop: "policy", what: "default/deny-all", text: "" } });
  const room = watched({ "Traffic//a": blocked("a"), "Traffic//b": blocked("b") });
  assert.deepEqual(told(room), ["NetworkPolicy | deny-all blocks | a → db:5432 · ✕ 5/s"]);
});

test("the gravest comes first", () => {
  const room = watched({ ...WEB, "Pod/default/a": pod("a", "unscheduled", { message: "0/1 nodes are available: 1 Insufficient cpu." }), "Node//w": { kind: "Node", name: "w", ready: "Unknown" }, "Pod/default/b": pod("b", "crashloop") });
  assert.deepEqual(room.situations.chips().map(({ code }) => code), ["node", "crashloop", "pending"]);
});

test("spans of time are written as kubectl writes them", () => {
  assert.deepEqual([0, 45, 119, 120, 260, 300, 7260].map(span), ["0s", "45s", "119s", "2m", "4m20s", "5m", "2h1m"]);
});

test("why an image does not come is told apart", () => {
  assert.deepEqual(["x: not found", "pull access denied, repository does not exist", "dial tcp: i/o timeout"].map(pullFault), ["notFound", "denied", "unreachable"]);
});

test("every plight has words in both languages", () => {
  for (const name of ["en", "ko"]) for (const code of new Situations(new Scene()).plights.keys()) assert.ok(say(name)(`plight.${code}`, { count: 2 }));
});

test("pods that have done their work are counted, apart from those that are ready", () => {
  const room = watched({ "Pod/default/job": pod("job", "succeeded") });
  assert.deepEqual({ ...room.situations.pods }, { done: 1 });
  room.set("Pod/default/job", undefined);
  assert.deepEqual({ ...room.situations.pods }, { done: 0 });
});
