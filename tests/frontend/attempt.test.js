import assert from "node:assert/strict";
import { test } from "node:test";
import { cell, columns, scores, verdicts } from "../../static/js/attempt.js";
import { named, targets } from "../../static/js/chaos.js";
import { Scene } from "../../static/js/scene.js";

const refusal = (node, plugin, ...reasons) => ({ node, plugin, reasons });

test("a hundred nodes with the same verdict are one row, and what is particular comes first", () => {
  const refused = [...Array(100).keys()].map((i) => refusal(`w${100 - i}`, "NodeResourcesFit", "Insufficient cpu"));
  refused.push(refusal("m", "TaintToleration", "node(s) had untolerated taint(s)"));
  const rows = verdicts(refused);
  assert.deepEqual(rows.map((row) => row.nodes.length), [1, 100]);
  assert.deepEqual(rows[1].nodes.slice(0, 3), ["w1", "w2", "w3"]);
});

test("details tell verdicts apart only while rows are few", () => {
  const refused = [...Array(30).keys()].map((i) => refusal(`w${i}`, "TaintToleration", "taint"));
  assert.equal(verdicts(refused, (node) => `${Number(node.slice(1)) % 3}`).length, 3);
  assert.equal(verdicts(refused, (node) => node).length, 1);
});

test("plugins stand in the order they are asked: those before a refusal passed, those after were not asked", () => {
  const rows = verdicts([refusal("a", "NodeResourcesFit", "Insufficient cpu"), refusal("b", "NodeUnschedulable", "unschedulable"), refusal("c", "OfTomorrow", "no")]);
  const asked = columns(rows);
  assert.deepEqual(asked, ["NodeUnschedulable", "NodeResourcesFit", "OfTomorrow"]);
  const row = rows.find((one) => one.nodes[0] === "a");
  assert.deepEqual(asked.map((plugin) => cell(row, plugin, asked)), ["passed", "refused", "unasked"]);
});

test("only scores that differ are columns", () => {
  const score = (fit, taint) => ({ NodeResourcesFit: { raw: 0, score: fit, weighted: fit }, TaintToleration: { raw: 0, score: taint, weighted: taint * 3 } });
  const found = scores({ feasible: [{ node: "a", total: 390, plugins: score(90, 100) }, { node: "b", total: 350, plugins: score(50, 100) }] });
  assert.deepEqual(found, { differs: ["NodeResourcesFit"], same: [["TaintToleration", 300]] });
});

test("chaos offers what exists: the person's own pods first, none that no node has, images without repeats", () => {
  const scene = new Scene();
  const pod = (ns, name, node, image, system) => ({ kind: "Pod", ns, name, node, system, containers: [{ image }] });
  scene.load({ revision: 0, time: 0, things: {
    "Pod/kube-system/etcd": pod("kube-system", "etcd", "m", "etcd", true), "Pod/default/web-10": pod("default", "web-10", "w1", "nginx"), "Pod/default/web-9": pod("default", "web-9", "w1", "nginx"),
    "Pod/default/waits": pod("default", "waits", undefined, "redis"), "Node//w1": { kind: "Node", name: "w1" },
  } });
  assert.deepEqual(targets(scene, "Pod"), ["Pod/default/web-9", "Pod/default/web-10", "Pod/kube-system/etcd"]);
  assert.deepEqual(targets(scene, "Image"), ["*", "etcd", "nginx", "redis"]);
  assert.deepEqual([named("Pod/default/web"), named("Pod/kube-system/etcd"), named("Node//w1")], ["web", "kube-system/etcd", "w1"]);
});
