import assert from "node:assert/strict";
import { test } from "node:test";
import { acts, changed, MOST, quote, restored } from "../../static/js/acts.js";
import { Scene } from "../../static/js/scene.js";

/** @param {Record<string, any>} things */
function scene(things) {
  const made = new Scene();
  made.load(/** @type {any} */ ({ revision: 1, time: 0, things }));
  return made;
}

const room = scene({
  "Node//w1": { kind: "Node", name: "w1", ready: "True", unschedulable: false, taints: ["gpu=yes:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"] },
  "Node//w2": { kind: "Node", name: "w2", ready: "True", unschedulable: true, taints: [] },
  "Deployment/default/web": { kind: "Deployment", ns: "default", name: "web", replicas: 3, paused: false },
  "Deployment/dev/api": { kind: "Deployment", ns: "dev", name: "api", replicas: 2, paused: true },
  "ReplicaSet/default/web-1": { kind: "ReplicaSet", ns: "default", name: "web-1", owner: "Deployment/default/web", replicas: 0 },
  "ReplicaSet/default/web-2": { kind: "ReplicaSet", ns: "default", name: "web-2", owner: "Deployment/default/web", replicas: 3 },
  "Pod/default/web-2-a": { kind: "Pod", ns: "default", name: "web-2-a", node: "w1", owner: "ReplicaSet/default/web-2", restarts: 1, labels: { app: "web" }, containers: [{ name: "main", image: "nginx:1.25", state: "running" }, { name: "side", image: "busybox", state: "running" }] },
  "Pod/dev/lone": { kind: "Pod", ns: "dev", name: "lone", labels: { app: "lone", tier: "x" }, containers: [{ name: "main", image: "nginx", state: "waiting" }] },
  "HorizontalPodAutoscaler/dev/api": { kind: "HorizontalPodAutoscaler", ns: "dev", name: "api", target: "Deployment/dev/api" },
  "CronJob/default/hi": { kind: "CronJob", ns: "default", name: "hi", schedule: "* * * * *" },
  "Job/default/hi-manual-1": { kind: "Job", ns: "default", name: "hi-manual-1", ended: "complete" },
  "Service/default/web": { kind: "Service", ns: "default", name: "web", ports: [{ port: 80 }] },
  "Component//etcd": { kind: "Component", name: "etcd" },
});

/** @param {string|string[]} ids @param {string} name @param {string} [here] */
const act = (ids, name, here) => /** @type {any} */ (acts(room, [ids].flat(), here).find((one) => one.id === name));

test("a word goes through the shell unchanged, and cannot end the line", () => {
  assert.equal(quote("web-1"), "web-1");
  assert.equal(quote("a b"), "'a b'");
  assert.equal(quote("it's; rm -rf ~"), "'it'\\''s; rm -rf ~'");
  assert.equal(quote("x\r\nkubectl delete ns dev"), "'xkubectl delete ns dev'");
  assert.equal(quote("$(reboot)"), "'$(reboot)'");
  assert.equal(quote(""), "''");
});

test("the namespace is named where kubectl is in another", () => {
  assert.equal(act("Pod/dev/lone", "delete").line, "kubectl delete pod lone -n dev");
  assert.equal(act("Pod/default/web-2-a", "delete").line, "kubectl delete pod web-2-a");
  assert.equal(act("Pod/default/web-2-a", "delete", "dev").line, "kubectl delete pod web-2-a -n default");
  assert.equal(act("Node//w1", "describe").line, "kubectl describe node w1");
});

test("what makes sense is offered, for the kind and the state", () => {
  assert.ok(act("Node//w1", "cordon") && !act("Node//w1", "uncordon"));
  assert.ok(!act("Node//w2", "cordon") && act("Node//w2", "uncordon"));
  assert.equal(acts(room, ["Node//w1"]).filter((one) => one.id === "untaint").length, 1);
  assert.ok(act("Deployment/default/web", "pause") && act("Deployment/dev/api", "resume") && !act("Deployment/dev/api", "pause"));
  assert.equal(act("Deployment/dev/api", "restart").no, "act.isPaused");
  assert.equal(act("Deployment/dev/api", "undo").no, "act.noHistory");
  assert.equal(act("Deployment/default/web", "undo").no, undefined);
  assert.equal(act("ReplicaSet/default/web-2", "scale"), undefined);
  assert.equal(act("Pod/dev/lone", "logs").no, "act.noNode");
  assert.equal(act("Pod/dev/lone", "shell").no, "act.notRunning");
  assert.ok(act("Pod/default/web-2-a", "previous") && !act("Pod/dev/lone", "previous"));
  assert.deepEqual(acts(room, ["Component//etcd"]).map((one) => one.id), ["chaos"]);
  assert.deepEqual(acts(room, ["Pod/default/gone"]), []);
});

test("a pod of several containers is asked with all of them, and entered in the first that runs", () => {
  assert.equal(act("Pod/default/web-2-a", "logs").line, "kubectl logs web-2-a --all-containers");
  assert.equal(act("Pod/default/web-2-a", "shell").line, "kubectl exec -it web-2-a -c main -- sh");
});

test("each act knows its opposite, and what Kubernetes cannot take back says so", () => {
  assert.equal(act("Node//w1", "cordon").back, "kubectl uncordon w1");
  assert.equal(act("Node//w1", "drain").back, "kubectl uncordon w1");
  assert.equal(act("Node//w2", "drain").back, null);
  assert.equal(act("Node//w1", "untaint").line, "kubectl taint nodes w1 gpu:NoSchedule-");
  assert.equal(act("Node//w1", "untaint").back, "kubectl taint nodes w1 gpu=yes:NoSchedule");
  const taint = act("Node//w1", "taint");
  assert.equal(taint.make({ key: "a", value: "b c", effect: "NoExecute" }), "kubectl taint nodes w1 'a=b c:NoExecute'");
  assert.equal(taint.back({ key: "a", effect: "NoExecute" }), "kubectl taint nodes w1 a:NoExecute-");
  const scale = act("Deployment/default/web", "scale");
  assert.equal(scale.make({ replicas: 5 }), "kubectl scale deployment/web --replicas=5");
  assert.equal(scale.back({ replicas: 5 }), "kubectl scale deployment/web --replicas=3");
  assert.equal(act("Deployment/default/web", "image").back, "kubectl rollout undo deployment/web");
  assert.equal(act("Deployment/default/web", "image").make({ container: "side", image: "busybox:1.36" }), "kubectl set image deployment/web side=busybox:1.36");
  assert.equal(act("Deployment/dev/api", "image").make({ image: "x" }), "kubectl set image deployment/api '*=x' -n dev");
  assert.equal(act("CronJob/default/hi", "run").line, "kubectl create job hi-manual-2 --from=cronjob/hi");
  assert.equal(act("CronJob/default/hi", "suspend").line, `kubectl patch cronjob hi -p '{"spec":{"suspend":true}}'`);
  assert.equal(act("CronJob/default/hi", "suspend").back, `kubectl patch cronjob hi -p '{"spec":{"suspend":false}}'`);
  const expose = act("Deployment/default/web", "expose");
  const given = { port: 80, targetPort: "", type: "ClusterIP", name: "web-2" };
  assert.equal(expose.make(given), "kubectl expose deployment web --port=80 --name=web-2");
  assert.equal(expose.back(given), "kubectl delete service web-2");
  assert.equal(act("Pod/dev/lone", "delete").back, null);
});

test("several things are one command a namespace", () => {
  assert.equal(act(["Pod/default/web-2-a", "Pod/dev/lone"], "delete").line, "kubectl delete pod web-2-a && kubectl delete pod lone -n dev");
  assert.equal(act(["Pod/default/web-2-a", "Service/default/web"], "delete").line, "kubectl delete pod/web-2-a service/web");
  assert.equal(act(["Node//w1", "Node//w2"], "cordon").line, "kubectl cordon w1");
  const scale = act(["Deployment/default/web", "Deployment/dev/api"], "scale");
  assert.equal(scale.make({ replicas: 4 }), "kubectl scale deployment/web --replicas=4 && kubectl scale deployment/api --replicas=4 -n dev");
  assert.equal(scale.back({}), "kubectl scale deployment/web --replicas=3 && kubectl scale deployment/api --replicas=2 -n dev");
  const many = scene(Object.fromEntries(Array.from({ length: MOST + 1 }, (_, i) => [`Pod/d/p${i}`, { kind: "Pod", ns: "d", name: `p${i}` }])));
  assert.deepEqual(acts(many, [...many.things.keys()]).map((one) => one.no), ["act.tooMany"]);
});

test("labels are set, changed and removed in one command, and brought back to what each had", () => {
  assert.deepEqual(changed("a=b old- x="), { a: "b", old: null, x: "" });
  assert.equal(changed("what is this"), null);
  assert.deepEqual(restored({ a: "1", b: "2" }, { a: "3", b: null, c: "4", d: null }), { a: "1", b: "2", c: null });
  const label = act("Pod/dev/lone", "label");
  assert.equal(label.make({ changes: { app: "x y", tier: null } }), "kubectl label pod lone 'app=x y' tier- --overwrite -n dev");
  assert.equal(label.make({ changes: "nothing" }), "");
  assert.equal(label.back({ changes: { app: "x", tier: null, fresh: "1" } }), "kubectl label pod lone app=lone tier=x fresh- --overwrite -n dev");
  const both = act(["Pod/default/web-2-a", "Pod/dev/lone"], "label");
  assert.equal(both.back({ changes: "tier=y" }), "kubectl label pod web-2-a tier- --overwrite && kubectl label pod lone tier=x --overwrite -n dev");
});

test("an autoscaler that will set its own number is told of", () => {
  assert.equal(act("Deployment/dev/api", "scale").warn, "act.warn.scaler");
  assert.equal(act("Deployment/default/web", "scale").warn, undefined);
});
