import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { facts, stateText, trouble } from "../../static/js/facts.js";

const things = [
  { kind: "Pod", ns: "d", name: "p", state: "ready", status: "Running", ready: "1/1", node: "n", ip: "10.0.0.1", restarts: 2, cpu: 100, memory: 1 << 20, owner: "ReplicaSet/d/r", containers: [{ name: "c", image: "nginx", state: "running", ready: true, restarts: 0 }] },
  { kind: "Node", name: "n", ready: "True", unschedulable: true, cpu: 2000, memory: 1 << 30, pods: 110, requested: { cpu: 100, memory: 1 << 20, pods: 3 }, roles: ["control-plane"], taints: ["a:NoSchedule"], ip: "10.0.0.2", version: "v1.36.2" },
  { kind: "Service", ns: "d", name: "s", type: "NodePort", clusterIP: "10.96.0.2", ports: [{ port: 80, nodePort: 30000, targetPort: 8080 }], selector: { app: "x" }, endpoints: [] },
  { kind: "Deployment", ns: "d", name: "d", replicas: 4, ready: 3, updated: 2, available: 3, ceiling: 5, floor: 3, maxSurge: 1, maxUnavailable: 1, strategy: "RollingUpdate", revision: "2", progress: "ReplicaSetUpdated", selector: { app: "x" } },
  { kind: "ReplicaSet", ns: "d", name: "r", replicas: 4, ready: 3, owner: "Deployment/d/d", image: "nginx", revision: "1" },
  { kind: "Traffic", name: "t", target: "Service/d/s", rate: 5, ok: 0, failed: 5, error: { hop: "endpoints", text: "curl: (7)" } },
];

for (const language of ["en", "ko"]) {
  const words = JSON.parse(readFileSync(new URL(`../../static/locales/${language}.json`, import.meta.url), "utf8"));
  const t = (key, params = {}) => {
    assert.ok(key in words, `${language}: ${key}`);
    return (typeof words[key] === "string" ? words[key] : words[key].other).replace(/\{(\w+)\}/g, (_, name) => `${params[name] ?? ""}`);
  };

  test(`every fact of every kind says more than its label, and knows its words in ${language}`, () => {
    for (const thing of things) {
      const rows = facts(thing, t);
      assert.ok(rows.length > 2, thing.kind);
      for (const { label, value } of rows) assert.ok(value && value !== label && !/undefined|NaN|[{}]/.test(value), `${thing.kind} ${label}: ${value}`);
      assert.ok(stateText(thing, t));
    }
  });

  test(`a Service without a selector is not called broken in ${language}`, () => {
    const bare = { kind: "Service", ns: "d", name: "bare", type: "ClusterIP", selector: {}, endpoints: [] };
    assert.deepEqual([trouble(bare, t), stateText(bare, t)], ["", "ClusterIP"]);
    assert.notEqual(trouble({ ...bare, selector: { app: "x" } }, t), "");
  });
}
