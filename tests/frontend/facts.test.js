import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { facts, sourced, stateText, trouble } from "../../static/js/facts.js";

const things = [
  { kind: "Pod", ns: "d", name: "p", state: "ready", status: "Running", ready: "1/1", node: "n", ip: "10.0.0.1", restarts: 2, cpu: 100, memory: 1 << 20, owner: "ReplicaSet/d/r", containers: [{ name: "c", image: "nginx", state: "running", ready: true, restarts: 0 }] },
  { kind: "Node", name: "n", ready: "True", unschedulable: true, cpu: 2000, memory: 1 << 30, pods: 110, requested: { cpu: 100, memory: 1 << 20, pods: 3 }, roles: ["control-plane"], taints: ["a:NoSchedule"], ip: "10.0.0.2", version: "v1.36.2" },
  { kind: "Service", ns: "d", name: "s", type: "NodePort", clusterIP: "10.96.0.2", ports: [{ port: 80, nodePort: 30000, targetPort: 8080 }], selector: { app: "x" }, endpoints: [] },
  { kind: "Deployment", ns: "d", name: "d", replicas: 4, ready: 3, updated: 2, available: 3, ceiling: 5, floor: 3, maxSurge: 1, maxUnavailable: 1, strategy: "RollingUpdate", revision: "2", progress: "ReplicaSetUpdated", selector: { app: "x" } },
  { kind: "ReplicaSet", ns: "d", name: "r", replicas: 4, ready: 3, owner: "Deployment/d/d", image: "nginx", revision: "1" },
  { kind: "StatefulSet", ns: "d", name: "db", replicas: 3, ready: 2, current: 3, updated: 1, available: 2, start: 0, policy: "OrderedReady", strategy: "RollingUpdate", partition: 1, service: "db", selector: { app: "x" }, image: "redis" },
  { kind: "DaemonSet", ns: "d", name: "agent", replicas: 3, ready: 3, current: 3, updated: 3, available: 3, strategy: "RollingUpdate", selector: { app: "x" }, image: "agent" },
  { kind: "ReplicationController", ns: "d", name: "rc", replicas: 2, ready: 1, current: 2, selector: { app: "x" }, image: "nginx" },
  { kind: "Job", ns: "d", name: "once", replicas: 5, parallelism: 2, active: 2, ready: 2, succeeded: 1, failed: 1, image: "busybox", created: 3 },
  { kind: "CronJob", ns: "d", name: "cron", schedule: "*/1 * * * *", policy: "Allow", active: 0, suspended: true },
  { kind: "HorizontalPodAutoscaler", ns: "d", name: "h", target: "Deployment/d/d", min: 1, max: 5, current: 2, desired: 3, metrics: "cpu: 90%/50%" },
  { kind: "PodDisruptionBudget", ns: "d", name: "b", allowed: 1, current: 3, desired: 2, expected: 3, minAvailable: 2, selector: { app: "x" } },
  { kind: "PersistentVolumeClaim", ns: "d", name: "data", phase: "Bound", volume: "PersistentVolume//v", class: "fast", modes: ["ReadWriteOnce"], asked: "1Gi", capacity: "2Gi" },
  { kind: "PersistentVolume", name: "v", phase: "Bound", modes: ["ReadWriteOnce"], capacity: "2Gi", reclaim: "Retain", claim: "PersistentVolumeClaim/d/data", source: "nfs", where: "1.2.3.4:/shared" },
  { kind: "Traffic", name: "t", target: "Service/d/s", rate: 5, ok: 0, failed: 5, error: { hop: "endpoints", text: "curl: (7)" } },
  { kind: "Traffic", name: "p.d>>shop:80/", source: "Pod/d/p", target: "http://shop:80/", port: 80, service: "Service/d/s", through: ["Pod/d/proxy"], rate: 5, ok: 5, failed: 0 },
  { kind: "Ingress", ns: "d", name: "i", class: "nginx", addresses: ["1.2.3.4"], routes: [{ host: "shop", path: "/", type: "Prefix", service: "Service/d/s", port: 80 }], default: { service: "Service/d/s", port: "http" }, tls: ["shop"] },
  { kind: "NetworkPolicy", ns: "d", name: "np", pods: { matchExpressions: [{ key: "tier", operator: "In", values: ["db"] }] }, ingress: [{ peers: [{ pods: { matchLabels: { app: "x" } }, namespaces: {} }, { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] }], ports: ["80/TCP"] }, {}], egress: [] },
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

  test(`a source says who asks what, and why in vain, in ${language}`, () => {
    const blocked = { kind: "Traffic", name: "t", source: "Pod/d/p", target: "Service/d/s", port: 80, error: { hop: "policy", what: "d/deny", why: "drops the packets: d/s is isolated for ingress by d/deny, and no rule allows TCP port 80 from d/p (10.0.0.1)", text: "curl: (28)" } };
    assert.equal(sourced(blocked, t), "p → d/s:80");
    const said = trouble(blocked, t);
    assert.ok(said.includes("d/deny") && said.includes("curl: (28)") && said.includes(words["hop.policy"]), said);
  });

  test(`a Service without a selector is not called broken in ${language}`, () => {
    const bare = { kind: "Service", ns: "d", name: "bare", type: "ClusterIP", selector: {}, endpoints: [] };
    assert.deepEqual([trouble(bare, t), stateText(bare, t)], ["", "ClusterIP"]);
    assert.notEqual(trouble({ ...bare, selector: { app: "x" } }, t), "");
  });
}
