"""Why? on anything: situations that learners get into, each made with a real cluster in virtual time, and what the server says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers
from server.live import why
from server.live.inspect import inspect

LOCALES = Path(__file__).parents[2] / "static" / "locales"
WORDS = {name: json.loads((LOCALES / f"why.{name}.json").read_text()) for name in ("en", "ko")}
SOURCES = [path.read_text() for path in (Path(why.__file__).parent).glob("*.py")]
KINDS = {row.kind: row for row in RESOURCES.values() if not row.stored}


def create(cluster: Cluster, text: str) -> None:
    for document in yaml.safe_load_all(text):
        row = KINDS[document["kind"]]
        if row.namespaced:
            document["metadata"].setdefault("namespace", "default")
        cluster.client().create(row.key, document)


def pod(name: str, more: str = "image: nginx", spec: str = "") -> str:
    meta = f"metadata: {{name: {name}, labels: {{app: {name}}}}}"
    return f"---\n{{apiVersion: v1, kind: Pod, {meta}, spec: {{{spec} containers: [{{name: c, {more}}}]}}}}\n"


def workload(kind: str, name: str, replicas: int = 3, more: str = "image: nginx", spec: str = "") -> str:
    count = "" if kind == "DaemonSet" else f"replicas: {replicas}, "
    return f"""---
{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}}}, spec: {{{count}{spec} selector: {{matchLabels: {{app: {name}}}}},
  template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: c, {more}}}]}}}}}}}}
"""


def service(name: str, app: str, port: str = "port: 80", more: str = "") -> str:
    return f"---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{{more} selector: {{app: {app}}}, ports: [{{{port}}}]}}}}\n"


def claim(name: str, more: str = "") -> str:
    return f"""---
{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}},
  spec: {{{more} accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 5Gi}}}}}}}}
"""


def volume(name: str, size: str = "10Gi", storage_class: str = "", modes: str = "ReadWriteOnce") -> str:
    return f"""---
{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {name}}},
  spec: {{storageClassName: "{storage_class}", accessModes: [{modes}], capacity: {{storage: {size}}}, hostPath: {{path: /x}}}}}}
"""


def batch(kind: str, name: str, spec: str, command: str = "exit 1") -> str:
    inner = f'template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: busybox, command: [sh, -c, "{command}"]}}]}}}}'
    whole = f"{spec} {inner}" if kind == "Job" else f"{spec} jobTemplate: {{spec: {{{inner}}}}}"
    return f"---\n{{apiVersion: batch/v1, kind: {kind}, metadata: {{name: {name}}}, spec: {{{whole}}}}}\n"


def shell(command: str) -> str:
    return f'image: busybox, command: [sh, -c, "{command}"]'


def patch(resource: str, name: str, change: dict[str, Any], kind: str = "merge", namespace: str = "default") -> Callable[[Cluster], None]:
    return lambda cluster: cluster.client().patch(resource, namespace, name, change, kind)


def image(name: str, text: str) -> Callable[[Cluster], None]:
    return patch("deployments.apps", name, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": text}]}}}}, "strategic")


def every(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for reason in reasons for one in (reason, *every(reason.get("inner", [])))]


def checked(answer: dict[str, Any] | None) -> dict[str, Any]:
    """The answer as it comes over the wire: every code of it has its sentence in both languages, with all that the sentence asks for."""
    assert answer is not None
    told = orjson.loads(orjson.dumps(answer))
    keys = [(f"ask.{told['question']}", {}), (f"root.{told['chain']['root']}", {})]
    keys += [(f"because.{one['code']}", one["params"]) for one in every(told["reasons"])]
    keys += [(f"aid.{one['code']}", one["params"]) for reason in every(told["reasons"]) for one in reason["aids"]]
    keys += [(f"proof.{one['label']}", {}) for reason in every(told["reasons"]) for one in reason["facts"] if "label" in one]
    keys += [(f"step.{one['code']}", one["params"]) for one in told["chain"]["steps"]]
    for words in WORDS.values():
        for key, params in keys:
            sentence = words[key] if isinstance(words[key], str) else words[key]["other"]
            lacking = set(re.findall(r"\{(\w+)\}", sentence)) - set(params)
            assert not lacking, (key, lacking)
    return told


Situation = tuple[str, str, list[Any], str, str, str, dict[str, Any], str]
CLASS = "---\n{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: late}, provisioner: kubernetes.io/no-provisioner, " \
        "volumeBindingMode: WaitForFirstConsumer}\n"
BUDGET = "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: keep}, " \
         "spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}}\n"
HPA = "---\n{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {scaleTargetRef: {apiVersion: apps/v1, " \
      "kind: Deployment, name: web}, maxReplicas: 6, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, " \
      "averageUtilization: 50}}}]}}\n"
POLICY = "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: closed}, spec: {podSelector: {matchLabels: {app: web}}, " \
         "policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {role: front}}}], ports: [{port: 80}]}]}}\n"
INGRESS = "---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: in}, spec: {ingressClassName: nginx, rules: [{http: {paths: " \
          "[{path: /, pathType: Prefix, backend: {service: {name: nope, port: {number: 80}}}}]}}]}}\n"
CONFIG = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: cfg}, data: {a: '1'}}\n"
ENV = "image: nginx, envFrom: [{configMapRef: {name: cfg}}]"
PROBE = "{httpGet: {path: /x, port: 8080}, periodSeconds: 3}"
WORK = "Deployment/default/web"

# what is made, then seconds to wait or acts, of which thing, the question, the code, some of its parameters, a field that proves it
SITUATIONS: dict[str, tuple[str, list[Any], str, str, str, dict[str, Any], str]] = {
    "requests are full though nothing is used": (
        pod("big", "image: nginx, resources: {requests: {cpu: 1900m}}"), [5], "Pod/default/big", "pending", "short",
        {"wanted": "1900m", "allocatable": "2", "count": 3}, "spec.containers[0].resources.requests.cpu"),
    "larger than any node": (pod("big", "image: nginx, resources: {requests: {memory: 64Gi}}"), [5], "Pod/default/big", "pending", "too-big",
                             {"resource": "memory"}, "status.allocatable.memory"),
    "a taint that is not tolerated": (pod("big", "image: nginx", "nodeSelector: {kubernetes.io/hostname: m-k8s},"), [5], "Pod/default/big",
                                      "pending", "taints", {"nodes": "m-k8s"}, "spec.taints"),
    "a toleration of something else": (
        pod("p", "image: nginx", "nodeSelector: {kubernetes.io/hostname: m-k8s}, tolerations: [{key: gpu, operator: Equal, value: big, effect: "
            "NoSchedule}],"), [5], "Pod/default/p", "pending", "taints-near", {"has": "gpu=big:NoSchedule"}, "spec.tolerations"),
    "a nodeSelector one value off": (pod("p", "image: nginx", "nodeSelector: {kubernetes.io/os: windows},"), [5], "Pod/default/p", "pending",
                                     "selector-near", {"want": "windows", "have": "linux"}, 'spec.nodeSelector["kubernetes.io/os"]'),
    "a nodeSelector that no node knows": (pod("p", "image: nginx", "nodeSelector: {disk: ssd},"), [5], "Pod/default/p", "pending",
                                          "selector-none", {"key": "disk"}, "spec.nodeSelector.disk"),
    "a node affinity that no node fulfils": (
        pod("p", "image: nginx", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: "
            "[{key: kubernetes.io/arch, operator: In, values: [riscv]}]}]}}},"), [5], "Pod/default/p", "pending", "affinity", {"have": "amd64"},
        'metadata.labels["kubernetes.io/arch"]'),
    "a cordoned node": (pod("p", "image: nginx", "nodeSelector: {kubernetes.io/hostname: w1-k8s},"),
                        [], "Pod/default/p", "pending", "cordoned", {"nodes": "w1-k8s"}, "spec.unschedulable"),
    "an anti-affinity": (
        workload("Deployment", "web", 5).replace(
            "spec: {containers", "spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
            "[{labelSelector: {matchLabels: {app: web}}, topologyKey: kubernetes.io/hostname}]}}, containers"),
        [5], "pending", "pending", "anti-affinity", {"selector": "app=web", "key": "kubernetes.io/hostname"}, ""),
    "scheduling gates": (pod("p", "image: nginx", "schedulingGates: [{name: wait/here}],"), [5], "Pod/default/p", "pending", "gated",
                         {"gates": "wait/here"}, "spec.schedulingGates"),
    "no scheduler": ("", [lambda cluster: cluster.chaos.inject("component", "kube-scheduler"), lambda cluster: create(cluster, pod("p")), 20],
                     "Pod/default/p", "pending", "no-scheduler", {}, ""),
    "a claim without its volume": (claim("data", "storageClassName: fast,") + pod("p", "image: nginx", "volumes: [{name: v, persistentVolumeClaim: "
                                   "{claimName: data}}],"), [5], "Pod/default/p", "pending", "claim-unbound", {"claim": "data"},
                                   "spec.volumes[0].persistentVolumeClaim.claimName"),
    "a claim of an unknown class": (claim("data", "storageClassName: fast,"), [5], "PersistentVolumeClaim/default/data", "waits", "unknown-class",
                                    {"class": "fast"}, "spec.storageClassName"),
    "a claim without class or volume": (claim("data"), [5], "PersistentVolumeClaim/default/data", "waits", "no-class", {"size": "5Gi"}, ""),
    "a claim that waits for its first consumer": (CLASS + claim("data", "storageClassName: late,"), [5], "PersistentVolumeClaim/default/data",
                                                  "waits", "first-consumer", {"class": "late"}, "volumeBindingMode"),
    "a volume that is too small": (volume("pv", "1Gi") + claim("data"), [5], "PersistentVolumeClaim/default/data", "waits", "volume-small",
                                   {"has": "1Gi", "asked": "5Gi"}, "spec.capacity.storage"),
    "a volume of another access mode": (volume("pv", modes="ReadOnlyMany") + claim("data"), [5], "PersistentVolumeClaim/default/data", "waits",
                                        "volume-modes", {"has": "ROX", "asked": "RWO"}, "spec.accessModes"),
    "a volume of another class": (volume("pv", storage_class="slow") + claim("data"), [5], "PersistentVolumeClaim/default/data", "waits",
                                  "volume-class", {"has": "slow"}, "spec.storageClassName"),
    "an image that is not there": (pod("p", "image: 'nginx:9.99'"), [60], "Pod/default/p", "waits", "image-pull", {"image": "nginx:9.99"},
                                   "spec.containers[0].image"),
    "an image's name that cannot be": (pod("p", "image: 'NGINX:1'"), [10], "Pod/default/p", "waits", "image-name", {"image": "NGINX:1"}, ""),
    "a crash loop": (pod("p", shell("echo no database; exit 3")), [70], "Pod/default/p", "restarts", "crash-loop",
                     {"exit": 3, "lines": "no database", "restarts": 3}, "status.containerStatuses[0].restartCount"),
    "a program that simply ends": (pod("p", shell("echo done")), [70], "Pod/default/p", "waits?", "crash-completed", {"exit": 0},
                                   "spec.restartPolicy"),
    "a command that is not there": (pod("p", "image: nginx, command: [/nope]"), [20], "Pod/default/p", "restarts", "start-failed", {},
                                    "spec.containers[0].command"),
    "out of memory": (pod("p", "image: polinux/stress, command: [stress, --vm, '1', --vm-bytes, 200M], resources: {limits: {memory: 100Mi}}"), [60],
                      "Pod/default/p", "restarts", "oom-more", {"limit": "100Mi"}, "spec.containers[0].resources.limits.memory"),
    "a liveness probe that kills": (pod("p", f"image: nginx, livenessProbe: {PROBE}"), [100], "Pod/default/p", "restarts", "liveness-killed",
                                    {"probe": "liveness"}, "spec.containers[0].livenessProbe.httpGet"),
    "a readiness probe on the wrong port": (pod("p", f"image: nginx, readinessProbe: {PROBE}"), [30], "Pod/default/p", "notReady", "probe-fails",
                                            {"probe": "readiness", "listens": "80", "every": 3}, "spec.containers[0].readinessProbe.httpGet"),
    "a restart that is over": (pod("p", "image: nginx"), [10, lambda cluster: cluster.chaos.inject("kill", "default/p"), 30], "Pod/default/p", "here",
                               "restarted", {"exit": 137, "restarts": 1}, "status.containerStatuses[0].lastState.terminated.exitCode"),
    "an init container that runs": (pod("p", "image: nginx", "initContainers: [{name: i, image: busybox, command: [sleep, '900']}],"), [20],
                                    "Pod/default/p", "waits", "init-runs", {"container": "i", "others": "c"}, "spec.initContainers[0].name"),
    "a ConfigMap that is missing": (pod("p", "image: nginx, env: [{name: A, valueFrom: {configMapKeyRef: {name: nope, key: a}}}]"), [20],
                                    "Pod/default/p", "waits", "config-missing", {"kind": "ConfigMap", "name": "nope"},
                                    "spec.containers[0].env[0].valueFrom.configMapKeyRef.name"),
    "a key that is missing": (CONFIG + pod("p", "image: nginx, env: [{name: A, valueFrom: {configMapKeyRef: {name: cfg, key: b}}}]"), [20],
                              "Pod/default/p", "waits", "key-missing", {"key": "b", "known": "a"},
                              "spec.containers[0].env[0].valueFrom.configMapKeyRef.key"),
    "a Secret's volume that is missing": (pod("p", "image: nginx", "volumes: [{name: v, secret: {secretName: nope}}],"), [20], "Pod/default/p",
                                          "waits", "config-missing", {"kind": "Secret"}, "spec.volumes[0].secret.secretName"),
    "a readiness gate": (pod("p", "image: nginx", "readinessGates: [{conditionType: example.com/open}],"), [20], "Pod/default/p", "notReady",
                         "readiness-gate", {"gates": "example.com/open"}, "spec.readinessGates"),
    "a pod that is being deleted": (pod("p", shell("trap : TERM; sleep 999")),
                                    [10, lambda cluster: cluster.client().delete("pods", "default", "p"), 3],
                                    "Pod/default/p", "terminating", "terminating", {"grace": 30}, "metadata.deletionGracePeriodSeconds"),
    "a preStop hook": (pod("p", "image: nginx, lifecycle: {preStop: {exec: {command: [sleep, '20']}}}"),
                       [10, lambda cluster: cluster.client().delete("pods", "default", "p"), 3], "Pod/default/p", "terminating", "pre-stop",
                       {"container": "c"}, "spec.containers[0].lifecycle.preStop"),
    "an environment older than its ConfigMap": (CONFIG + pod("p", ENV), [20, patch("configmaps", "cfg", {"data": {"a": "2"}}), 7], "Pod/default/p",
                                                "here", "stale-env", {"name": "cfg", "ago": 7}, "spec.containers[0].envFrom[0].configMapRef.name"),
    "a ConfigMap that its pods have not seen": (CONFIG + pod("p", ENV), [20, patch("configmaps", "cfg", {"data": {"a": "2"}})],
                                                "ConfigMap/default/cfg", "here", "env-behind", {"pods": "p"}, ""),
    "a selector one letter off": (pod("web") + service("s", "wep"), [10], "Service/default/s", "noEndpoints", "near-miss",
                                  {"key": "app", "want": "wep", "have": "web"}, "spec.selector.app"),
    "a selector that nothing has": (pod("web") + service("s", "quite-other"), [10], "Service/default/s", "noEndpoints", "no-match",
                                    {"shown": "app=quite-other"}, "spec.selector"),
    "pods that match and are not ready": (pod("web", "image: 'nginx:9.99'") + service("s", "web"), [10], "Service/default/s", "noEndpoints",
                                          "none-ready", {"pods": "web"}, "status.conditions[Ready].status"),
    "a targetPort that nobody listens on": (pod("web") + service("s", "web", "port: 80, targetPort: 8080"), [10], "Service/default/s", "noAnswer",
                                            "wrong-port", {"target": 8080, "listens": "80"}, "spec.ports[0].targetPort"),
    "a targetPort by a name that is not there": (pod("web") + service("s", "web", "port: 80, targetPort: http"), [10], "Service/default/s",
                                                 "noAnswer", "named-port", {"port": "http"}, "spec.ports[0].targetPort"),
    "no selector": ("---\n{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}", [5], "Service/default/s",
                    "noEndpoints", "no-selector", {}, "spec.selector"),
    "EXTERNAL-IP pending": (pod("web") + service("s", "web", more="type: LoadBalancer,"), [], "Service/default/s", "outside", "no-balancer", {},
                            "status.loadBalancer"),
    "traffic that only some nodes take": (pod("web") + service("s", "web", more="type: NodePort, externalTrafficPolicy: Local,"), [10],
                                          "Service/default/s", "outside", "local-policy", {}, "spec.externalTrafficPolicy"),
    "an Ingress without its class": (INGRESS, [5], "Ingress/default/in", "noAnswer", "ingress-unknown-class", {"class": "nginx"},
                                     "spec.ingressClassName"),
    "an Ingress without its Service": (INGRESS, [5], "Ingress/default/in", "noAnswer", "ingress-no-service", {"service": "nope"},
                                       "spec.rules[0].http.paths[0].backend.service.name"),
    "what a policy isolates": (pod("web") + POLICY, [10], "NetworkPolicy/default/closed", "here", "policy-isolates", {"pods": "web"},
                               "spec.podSelector"),
    "what a policy lets in": (pod("web") + POLICY, [10], "NetworkPolicy/default/closed", "here", "policy-lets-in", {"peers": "pod role=front"},
                              "spec.ingress[0]"),
    "a policy that selects nobody": (POLICY, [10], "NetworkPolicy/default/closed", "here", "policy-nobody", {}, "spec.podSelector"),
    "a rollout between its bounds": (workload("Deployment", "web", 4), [20, image("web", "nginx:typo"), 60], WORK, "rollout", "both-bounds",
                                     {"surge": 1, "ceiling": 5, "unavailable": 1, "floor": 3, "surgeGiven": "25%"},
                                     "spec.strategy.rollingUpdate.maxSurge"),
    "a rollout that waits for its pods": (workload("Deployment", "web", 4), [20, image("web", "nginx:typo"), 60], WORK, "rollout", "waits-for-pods",
                                          {"count": 2}, "status.conditions[Ready].status"),
    "a rollout that takes too long": (workload("Deployment", "web", 1, spec="progressDeadlineSeconds: 20,"), [20, image("web", "nginx:typo"), 60],
                                      WORK, "rollout", "deadline", {"seconds": 20}, "spec.progressDeadlineSeconds"),
    "a rollout that is paused": (workload("Deployment", "web"), [20, patch("deployments.apps", "web", {"spec": {"paused": True}}),
                                                                image("web", "nginx:1.27"), 20], WORK, "rollout", "paused", {}, "spec.paused"),
    "minReadySeconds": (workload("Deployment", "web", 1, spec="minReadySeconds: 60,"), [20], WORK, "rollout", "min-ready", {"seconds": 60},
                        "spec.minReadySeconds"),
    "an old ReplicaSet": (workload("Deployment", "web", 2), [20, image("web", "nginx:1.27"), 60], "old", "here", "old-revision",
                          {"deployment": "web"}, "spec.replicas"),
    "a StatefulSet's first pod": (workload("StatefulSet", "db", 3, "image: 'nginx:typo'", "serviceName: db,"), [30], "StatefulSet/default/db",
                                  "rollout", "ordinal", {"pod": "db-0", "next": "db-1"}, "spec.podManagementPolicy"),
    "a partition": (workload("StatefulSet", "db", 2, "image: nginx", "serviceName: db, updateStrategy: {rollingUpdate: {partition: 2}},"),
                    [30, patch("statefulsets.apps", "db", {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}}},
                               "strategic"), 30], "StatefulSet/default/db", "rollout", "partition", {"partition": 2},
                    "spec.updateStrategy.rollingUpdate.partition"),
    "nodes that a DaemonSet skips by a taint": (workload("DaemonSet", "ds"), [20], "DaemonSet/default/ds", "here", "skips-taint",
                                                {"nodes": "m-k8s"}, "spec.taints"),
    "a Job that gave up": (batch("Job", "job", "backoffLimit: 1,"), [120], "Job/default/job", "failed", "backoff-limit", {"limit": 1, "failed": 2},
                           "spec.backoffLimit"),
    "a Job that waits after a failure": (batch("Job", "job", "backoffLimit: 6,"), [6], "Job/default/job", "waits", "job-backoff", {"failed": 1},
                                         "status.failed"),
    "a Job past its deadline": (batch("Job", "job", "activeDeadlineSeconds: 20,", "sleep 900"), [60], "Job/default/job", "failed", "job-deadline",
                                {"seconds": 20}, "spec.activeDeadlineSeconds"),
    "a Job that is suspended": (batch("Job", "job", "suspend: true,"), [5], "Job/default/job", "waits", "suspended", {}, "spec.suspend"),
    "a CronJob's next run": (batch("CronJob", "cron", "schedule: '*/5 * * * *',"), [60], "CronJob/default/cron", "waits", "cron-next",
                             {"schedule": "*/5 * * * *", "at": "2026-01-01 00:05:00 UTC"}, "spec.schedule"),
    "a CronJob that is suspended": (batch("CronJob", "cron", "schedule: '*/5 * * * *', suspend: true,"), [60], "CronJob/default/cron", "waits",
                                    "cron-suspended", {}, "spec.suspend"),
    "a CronJob that forbids two": (batch("CronJob", "cron", "schedule: '* * * * *', concurrencyPolicy: Forbid,", "sleep 900"), [130],
                                   "CronJob/default/cron", "waits", "cron-forbid", {}, "spec.concurrencyPolicy"),
    "an autoscaler without metrics": (workload("Deployment", "web") + HPA, [40], "HorizontalPodAutoscaler/default/web", "scaling",
                                      "no-metrics-server", {}, "status.conditions[ScalingActive].message"),
    "an autoscaler without a target": (HPA, [40], "HorizontalPodAutoscaler/default/web", "scaling", "hpa-no-target", {"name": "web"},
                                       "spec.scaleTargetRef.name"),
    "a budget that lets nobody go": (workload("Deployment", "web", 2) + BUDGET, [20], "PodDisruptionBudget/default/keep", "blocks", "budget-zero",
                                     {"healthy": 2, "desired": 2, "rule": "minAvailable"}, "spec.minAvailable"),
    "a budget whose pods are not well": (workload("Deployment", "web", 4, "image: 'nginx:typo'") + BUDGET, [20], "PodDisruptionBudget/default/keep",
                                         "blocks", "budget-unhealthy", {"healthy": 0}, "status.currentHealthy"),
    "a node without power": ("", [lambda cluster: cluster.chaos.inject("power", "w1-k8s"), 90], "Node//w1-k8s", "node", "node-off", {},
                             "status.conditions[Ready].status"),
    "a node whose network is cut": ("", [lambda cluster: cluster.chaos.inject("network", "w1-k8s"), 90], "Node//w1-k8s", "node", "node-cut", {}, ""),
    "a kubelet that is stopped": ("", [lambda cluster: cluster.chaos.inject("kubelet", "w1-k8s"), 90], "Node//w1-k8s", "node", "kubelet-silent", {},
                                  ""),
    "a node under memory pressure": ("", [lambda cluster: cluster.chaos.inject("memory", "w1-k8s"), 60], "Node//w1-k8s", "node", "pressure",
                                     {"kind": "MemoryPressure"}, "status.conditions[MemoryPressure].status"),
    "a cordoned node itself": ("", [patch("nodes", "w1-k8s", {"spec": {"unschedulable": True}}, namespace=""), 5], "Node//w1-k8s", "node",
                               "node-cordoned", {}, "spec.unschedulable"),
    "a pod on a lost node": (pod("p", "image: nginx", "nodeName: w1-k8s,"), [10, lambda cluster: cluster.chaos.inject("power", "w1-k8s"), 70],
                             "Pod/default/p", "lost", "node-lost-bare", {"node": "w1-k8s", "seconds": 300}, "spec.tolerations[0].tolerationSeconds"),
    "a component that is stopped": ("", [lambda cluster: cluster.chaos.inject("component", "kube-controller-manager"), 1],
                                    "Component//kube-controller-manager", "component", "controllers-down", {}, ""),
    "a fault": ("", [lambda cluster: cluster.chaos.inject("power", "w1-k8s", "Kim"), 1], "Fault//1", "fault", "fault",
                {"target": "w1-k8s", "by": "Kim"}, ""),
    "any other object": ("", [1], "ServiceAccount/default/default", "here", "exists", {"kind": "ServiceAccount"}, "metadata.creationTimestamp"),
    "a pod that is well": (workload("Deployment", "web", 1), [20], "own", "here", "owned", {"kind": "ReplicaSet"}, "spec.nodeName"),
}


def named(cluster: Cluster, thing: str) -> str:
    """``own``: a pod; ``pending``: one without a node; ``old``: a ReplicaSet of size 0."""
    if thing == "old":
        return next(f"ReplicaSet/default/{one['metadata']['name']}" for one in cluster.api.lister("replicasets.apps").list("default")
                    if not one["spec"]["replicas"])
    if thing in ("own", "pending"):
        return next(f"Pod/default/{one['metadata']['name']}" for one in cluster.api.lister("pods").list("default")
                    if thing == "own" or not one["spec"].get("nodeName"))
    return thing


@pytest.mark.parametrize("title", SITUATIONS)
def test_a_situation_is_told_by_its_code_its_figures_and_the_field_that_decides(title: str) -> None:
    made, acts, thing, question, code, params, path = SITUATIONS[title]
    cluster = Cluster(seed=1)
    if title == "a cordoned node":
        cluster.client().patch("nodes", "", "w1-k8s", {"spec": {"unschedulable": True}})
    if title == "EXTERNAL-IP pending":
        cluster.network.load_balancer.switch(False)
    if made:
        create(cluster, made)
    for act in acts or [10]:
        if callable(act):
            act(cluster)
        else:
            cluster.clock.run_for(act)
    told = checked(why.explain(cluster, named(cluster, thing)))
    found = next((one for one in every(told["reasons"]) if one["code"] == code), None)
    assert found is not None, [one["code"] for one in told["reasons"]]
    assert told["question"] == question or question.endswith("?")
    assert {name: found["params"][name] for name in params} == params
    assert not path or path in [one["path"] for one in found["facts"]], found["facts"]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=1)


def steps(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["client"], one["code"], one["thing"].split("/")[0]) for one in answer["chain"]["steps"]]


def pods_of(cluster: Cluster, app: str) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.api.lister("pods").list("default") if one["metadata"]["labels"].get("app") == app]


def test_the_chain_of_a_pod_goes_back_to_the_person_who_applied_its_deployment(cluster: Cluster) -> None:
    create(cluster, workload("Deployment", "web", 1))
    cluster.clock.run_for(20)
    told = checked(why.explain(cluster, f"Pod/default/{pods_of(cluster, 'web')[0]}"))
    assert told["chain"]["root"] == "person"
    assert steps(told)[:4] == [("kubectl", "created", "Deployment"), ("deployment-controller", "made", "ReplicaSet"),
                               ("replicaset-controller", "made", "Pod"), ("kube-scheduler", "scheduled", "Pod")]
    assert ("kubelet", "started", "Pod") in steps(told)


def test_a_deleted_pod_tells_who_deleted_it_and_its_successor_whose_place_it_took(cluster: Cluster) -> None:
    create(cluster, workload("Deployment", "web", 1))
    cluster.clock.run_for(20)
    before = pods_of(cluster, "web")[0]
    cluster.client().delete("pods", "default", before)
    cluster.clock.run_for(60)
    gone = checked(why.explain(cluster, f"Pod/default/{before}"))
    assert (gone["question"], [one["code"] for one in gone["reasons"]]) == ("gone", ["gone", "will-return"])
    assert gone["reasons"][0]["params"]["client"] == "kubectl"
    after = checked(why.explain(cluster, f"Pod/default/{pods_of(cluster, 'web')[0]}"))
    assert (after["reasons"][0]["code"], after["reasons"][0]["params"]["pod"]) == ("came-back", before)
    assert steps(after)[0] == ("kubectl", "deleting", "Pod")


def test_a_relabelled_pod_is_let_go_and_told_which_label_did_it(cluster: Cluster) -> None:
    create(cluster, workload("Deployment", "web", 1))
    cluster.clock.run_for(20)
    name = pods_of(cluster, "web")[0]
    cluster.client().patch("pods", "default", name, {"metadata": {"labels": {"app": "debug"}}})
    cluster.clock.run_for(20)
    told = checked(why.explain(cluster, f"Pod/default/{name}"))["reasons"][0]
    assert (told["code"], told["params"]["want"], told["params"]["have"]) == ("released", "web", "debug")
    assert told["aids"][0]["command"] == f"kubectl label pod {name} app=web --overwrite"
    cluster.client().delete("pods", "default", pods_of(cluster, "web")[0])
    cluster.client().patch("pods", "default", name, {"metadata": {"labels": {"app": "web"}}})
    cluster.clock.run_for(20)
    codes = [one["code"] for one in checked(why.explain(cluster, f"Pod/default/{name}"))["reasons"]]
    assert "adopted" in codes or name not in pods_of(cluster, "web")


def test_chaos_stands_in_the_chain_where_it_began(cluster: Cluster) -> None:
    cluster.chaos.inject("power", "w1-k8s", "Kim")
    cluster.clock.run_for(90)
    told = checked(why.explain(cluster, "Node//w1-k8s"))
    assert ("chaos", "chaos", "Node") in steps(told)
    assert next(one for one in told["chain"]["steps"] if one["code"] == "chaos")["user"] == "Kim"


def test_what_was_before_compaction_is_said_to_be_lost_and_not_guessed() -> None:
    cluster = Cluster(seed=1)
    create(cluster, workload("Deployment", "web", 1))
    cluster.clock.run_for(20)
    told = checked(why.explain(Cluster.restore(cluster.snapshot()), f"Pod/default/{pods_of(cluster, 'web')[0]}"))
    assert told["chain"]["root"] == "compacted"
    assert told["reasons"][0]["code"] == "owned"


def test_a_request_dies_at_the_hop_that_is_told(cluster: Cluster) -> None:
    create(cluster, pod("web") + pod("shell", shell("sleep 9999")) + service("s", "web") + service("empty", "nobody") + POLICY)
    cluster.clock.run_for(10)
    traffic = cluster.network.traffic
    blocked = traffic.aim("default/s", 80, 5, "default/shell")
    empty, unserved = traffic.aim("default/empty", 80, 5, "default/shell"), traffic.aim("default/s", 8080, 5)
    cluster.clock.run_for(5)
    told = {name: checked(why.explain(cluster, f"Traffic//{name}"))["reasons"][0] for name in (blocked, empty, unserved)}
    assert [one["code"] for one in told.values()] == ["policy-ingress", "no-endpoints", "unserved-port"]
    assert told[blocked]["params"]["labels"] == "app=shell" and told[blocked]["params"]["policies"] == "default/closed"
    assert "policy-ingress" in [one["code"] for one in checked(why.explain(cluster, "NetworkPolicy/default/closed"))["reasons"]]
    assert "policy-ingress" in [one["code"] for one in checked(why.explain(cluster, "Pod/default/shell"))["reasons"]]
    assert checked(why.explain(cluster, "Service/default/s"))["question"] == "noAnswer"


def test_preemption_names_its_victims(cluster: Cluster) -> None:
    create(cluster, "---\n{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 1000}\n"
           + workload("Deployment", "low", 3, "image: nginx, resources: {requests: {cpu: 1500m}}", ""))
    cluster.clock.run_for(20)
    create(cluster, pod("vip", "image: nginx, resources: {requests: {cpu: 1500m}}", "priorityClassName: high,"))
    cluster.clock.run_for(0.05)
    told = [one for one in checked(why.explain(cluster, "Pod/default/vip"))["reasons"] if one["code"] == "preempts"]
    assert told and told[0]["params"]["count"] == 1 and "low-" in told[0]["params"]["victims"]


def test_an_autoscaler_tells_its_arithmetic_and_why_it_does_not_shrink_yet() -> None:
    cluster = Cluster(seed=1, metrics_server=True)
    create(cluster, workload("Deployment", "web", 1, "image: nginx, resources: {requests: {cpu: 100m}}") + HPA + service("web", "web"))
    cluster.clock.run_for(120)
    cluster.network.traffic.aim("default/web", 80, 2000)
    cluster.clock.run_for(120)
    grown = checked(why.explain(cluster, "HorizontalPodAutoscaler/default/web"))
    assert {"hpa-formula", "hpa-within", "hpa-max"} & {one["code"] for one in grown["reasons"]}
    cluster.network.traffic.aim("default/web", 80, 0)
    cluster.clock.run_for(90)
    shrinking = checked(why.explain(cluster, "HorizontalPodAutoscaler/default/web"))["reasons"][0]
    assert shrinking["code"] == "stabilized-down" and shrinking["params"]["window"] == 300
    assert 0 < shrinking["params"]["left"] <= 300


def test_an_autoscaler_of_pods_without_requests_says_so() -> None:
    cluster = Cluster(seed=1, metrics_server=True)
    create(cluster, workload("Deployment", "web", 1) + HPA)
    cluster.clock.run_for(120)
    told = checked(why.explain(cluster, "HorizontalPodAutoscaler/default/web"))["reasons"][0]
    assert (told["code"], told["params"]["resource"]) == ("no-requests", "cpu")


def test_of_a_thousand_nodes_equal_verdicts_are_one_row_with_the_roomiest_measured() -> None:
    cluster = Cluster(seed=1, nodes=with_workers(1000), system_pods=False)
    create(cluster, pod("big", "image: nginx, resources: {requests: {cpu: 64}}"))
    cluster.clock.run_for(5)
    told = checked(why.explain(cluster, "Pod/default/big"))
    rows = told["reasons"][0]["params"]["rows"]
    assert [(row["plugin"], row["count"]) for row in rows] == [("TaintToleration", 1), ("NodeResourcesFit", 1000)]
    assert len(rows[1]["nodes"]) == 100 and len(rows[1]["bars"]) == 4 and rows[1]["bars"][0]["wanted"] == 64_000
    assert len(orjson.dumps(told)) < 20_000


def test_nothing_is_said_of_what_never_was(cluster: Cluster) -> None:
    for thing in ("Pod/default/nope", "Nonsense/a/b", "", "Traffic//nope", "Component//nope", "Fault//99", "Pod", "///"):
        assert why.explain(cluster, thing) is None


def test_every_object_of_a_cluster_has_an_answer(cluster: Cluster) -> None:
    create(cluster, workload("Deployment", "web", 2) + service("web", "web") + POLICY + BUDGET + CONFIG + claim("data") + INGRESS)
    cluster.clock.run_for(20)
    for resource in cluster.store.resources():
        for obj in cluster.api.lister(resource).list()[:3]:
            meta = obj["metadata"]
            checked(why.explain(cluster, f"{obj['kind']}/{meta.get('namespace', '')}/{meta['name']}"))


def test_asking_changes_nothing(cluster: Cluster) -> None:
    create(cluster, pod("p", shell("exit 1")) + pod("web") + service("s", "wep"))
    cluster.clock.run_for(60)
    before = orjson.dumps(cluster.snapshot())
    for thing in ("Pod/default/p", "Service/default/s", "Node//w1-k8s", "Pod/default/web"):
        why.explain(cluster, thing)
    assert orjson.dumps(cluster.snapshot()) == before


def test_the_inspector_has_the_same_answer(cluster: Cluster) -> None:
    create(cluster, pod("p", shell("exit 1")))
    cluster.clock.run_for(60)
    told, answer = inspect(cluster, "Pod/default/p"), why.explain(cluster, "Pod/default/p")
    assert (told["why"], told["question"], told["chain"]) == (answer["reasons"], answer["question"], answer["chain"])


def test_every_code_that_can_be_sent_has_a_sentence_in_both_languages_and_no_sentence_lacks_its_code() -> None:
    sent = set()
    for text in SOURCES:
        flat = re.sub(r"\s+", " ", text)
        sent |= {f"because.{code}" for code in re.findall(r'\breason\( ?"([\w-]+)"', flat)}
        sent |= {f"because.{code}" for pair in re.findall(r'\breason\( ?"([\w-]+)" if [^,]+? else "([\w-]+)"', flat) for code in pair}
        sent |= {f"aid.{code}" for code in re.findall(r'\baid\( ?"([\w-]+)"', flat)}
        sent |= {f"aid.{code}" for code in re.findall(r'\btemplate\( ?cluster, pod, "([\w-]+)"', flat)}
    assert len(sent) > 200
    for words in WORDS.values():
        known = {key for key in words if key.startswith(("because.", "aid."))}
        assert sent - known == set()
        assert known - sent == set()


def test_both_catalogues_have_the_same_sentences_with_the_same_parameters() -> None:
    def parameters(message: str | dict[str, str]) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", message if isinstance(message, str) else message["other"]))

    english, korean = WORDS["en"], WORDS["ko"]
    assert {key: parameters(value) for key, value in english.items()} == {key: parameters(value) for key, value in korean.items()}
