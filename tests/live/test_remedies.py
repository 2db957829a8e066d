"""What Why? suggests is done as it stands, in the room's terminal, and then it is well: a table of things that went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from server.cluster.cluster import Cluster
from server.live import why
from tests.live.test_why import HPA, INGRESS, checked, every, pod, service, shell, volume, workload
from tests.rooms.desk import Desk

DONE = ("here", "ended", "scaling", "gone")
LOW = "image: nginx, resources: {requests: {cpu: 1500m}}"
CLAIM = "---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {MORE accessModes: [ReadWriteOnce], " \
        "resources: {requests: {storage: 5Gi}}}}\n"
MOUNTED = "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}],"
STATEFUL = workload("StatefulSet", "db", 3, "image: nginx", "serviceName: db,")
BUDGET = "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: keep}, spec: {minAvailable: 2, " \
         "selector: {matchLabels: {app: web}}}}\n"
DENY = "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {matchLabels: {app: web}}, " \
       "policyTypes: [Ingress]}}\n"
PROBE = "{httpGet: {path: PATH, port: PORT}, periodSeconds: 3}"


def probed(kind: str, path: str = "/", port: str = "80") -> str:
    return f"image: nginx, {kind}Probe: {PROBE.replace('PATH', path).replace('PORT', port)}"


def deployed(more: str = "image: nginx", replicas: int = 1, spec: str = "") -> str:
    text = workload("Deployment", "web", replicas, more)
    return text.replace("spec: {containers", f"spec: {{{spec} containers") if spec else text


def run(*lines: str) -> Callable[[Desk], None]:
    def act(desk: Desk) -> None:
        for line in lines:
            assert desk.run(line).code == 0, line
    return act


def aim(desk: Desk) -> None:
    desk.cluster.network.traffic.aim("default/web", 80, 5, "default/shell")


DEPLOYMENT, POD, SERVICE = "Deployment/default/web", "Pod/default/web", "Service/default/web"
# what is made, then seconds or acts, of which thing Why? is asked, which of its aids are done one after the other, the seconds till it is well
HEALS: dict[str, tuple[str, list[Any], str, tuple[str, ...], float]] = {
    "a tag that is not there": (deployed("image: 'nginx:9.99'"), [30], DEPLOYMENT, ("set-image",), 60),
    "an image with a slip in its name": (deployed("image: ngnix"), [30], DEPLOYMENT, ("set-image",), 60),
    "an image's name that cannot be": (deployed("image: 'NGINX:1.27'"), [30], DEPLOYMENT, ("set-image",), 60),
    "a bare pod's image": (pod("web", "image: 'nginx:9.99'"), [30], POD, ("set-image",), 400),
    "a new image that is not there": (
        deployed(replicas=4), [30, run("kubectl set image deployment web c=nginx:nope"), 60], DEPLOYMENT, ("undo",), 60),
    "a policy never to pull": (deployed("image: nginx, imagePullPolicy: Never"), [30], DEPLOYMENT, ("let-pull",), 60),
    "a command that is not there": (deployed("image: nginx, command: [nginxx]"), [40], DEPLOYMENT, ("drop-command",), 60),
    "a user that must not be root": (deployed("image: nginx, securityContext: {runAsNonRoot: true}"), [30], DEPLOYMENT, ("run-as",), 60),
    "too little memory": (deployed("image: polinux/stress, command: [stress, --vm, '1', --vm-bytes, 150M], resources: {limits: {memory: 100Mi}}"),
                          [60], DEPLOYMENT, ("raise-limit",), 60),
    "a liveness probe on another port": (deployed(probed("liveness", port="8080")), [100], DEPLOYMENT, ("fix-probe",), 60),
    "a liveness probe of a path that is not there": (deployed(probed("liveness", path="/x")), [100], DEPLOYMENT, ("fix-path",), 60),
    "a readiness probe on another port": (deployed(probed("readiness", port="8080")), [30], DEPLOYMENT, ("fix-probe",), 60),
    "a startup probe on another port": (deployed(probed("startup", port="8080")), [60], DEPLOYMENT, ("fix-probe",), 60),
    "a ConfigMap that is missing": (deployed("image: nginx, envFrom: [{configMapRef: {name: cfg}}]"), [20], DEPLOYMENT, ("make-config",), 60),
    "a Secret's key that is missing": (
        deployed("image: nginx, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: z}}}]"),
        [run("kubectl create secret generic s --from-literal=a=b"), 20], DEPLOYMENT, ("edit-config",), 60),
    "a ConfigMap's key that a volume wants": (
        deployed(spec="volumes: [{name: v, configMap: {name: cfg, items: [{key: k, path: k}]}}],"),
        [run("kubectl create configmap cfg --from-literal=a=b"), 20], DEPLOYMENT, ("edit-config",), 200),
    "a ConfigMap that a projected volume wants": (
        deployed(spec="volumes: [{name: v, projected: {sources: [{configMap: {name: cfg}}]}}],"), [20], DEPLOYMENT, ("make-config",), 200),
    "a ServiceAccount that is missing": (deployed(spec="serviceAccountName: nobody,"), [20], DEPLOYMENT, ("make-named",), 60),
    "a PriorityClass that is missing": (deployed(spec="priorityClassName: high,"), [20], DEPLOYMENT, ("make-named",), 60),
    "a request that nothing has room for": (deployed("image: nginx, resources: {requests: {cpu: 7}}"), [20], DEPLOYMENT, ("lower-requests",), 60),
    "requests that fill the nodes": (deployed(LOW, 4), [30], DEPLOYMENT, ("lower-requests",), 90),
    "a taint": (pod("web", spec="nodeSelector: {kubernetes.io/hostname: m-k8s},"), [10], POD, ("tolerate",), 30),
    "a taint that a template does not tolerate": (deployed(spec="nodeSelector: {kubernetes.io/hostname: m-k8s},"), [10], DEPLOYMENT,
                                                  ("tolerate",), 60),
    "a label that no node has": (pod("web", spec="nodeSelector: {disk: ssd},"), [10], POD, ("label-node",), 30),
    "an affinity for what no node has": (
        pod("web", spec="affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: "
                        "[{key: disk, operator: In, values: [ssd]}]}]}}},"), [10], POD, ("label-node",), 30),
    "a cordon": (deployed(), [run("kubectl scale deployment web --replicas=0", "kubectl cordon w1-k8s w2-k8s w3-k8s",
                                  "kubectl scale deployment web --replicas=1"), 20], DEPLOYMENT, ("uncordon",), 30),
    "scheduling gates": (pod("web", spec="schedulingGates: [{name: wait/here}],"), [10], POD, ("ungate",), 30),
    "a scheduler that does not run": (deployed(spec="schedulerName: mine,"), [10], DEPLOYMENT, ("usual-scheduler",), 30),
    "a claim without a volume": (CLAIM.replace("MORE", "") + pod("web", spec=MOUNTED), [10], POD, ("make-volume",), 60),
    "a claim of a class that is not there": (CLAIM.replace("MORE", "storageClassName: fast,") + pod("web", spec=MOUNTED), [10], POD,
                                             ("make-volume",), 60),
    "a claim larger than the volume": (volume("pv", "1Gi") + CLAIM.replace("MORE", ""), [10], "PersistentVolumeClaim/default/data",
                                       ("make-volume",), 30),
    "a volume whose claim was deleted": (
        volume("pv", "10Gi") + CLAIM.replace("MORE", "").replace("{name: data}", "{name: old}"),
        [10, run("kubectl delete pvc old"), 5, lambda desk: desk.run(f"echo '{CLAIM.replace('MORE', '')[4:]}' | kubectl apply -f -"), 10],
        "PersistentVolumeClaim/default/data", ("free-volume",), 30),
    "a claim that its pod keeps": (
        volume("pv", "10Gi") + CLAIM.replace("MORE", "") + pod("web", spec=MOUNTED), [20, run("kubectl delete pvc data --wait=false"), 5],
        "PersistentVolumeClaim/default/data", ("stop-using",), 60),
    "a selector one letter off": (pod("web") + service("s", "wep"), [10], "Service/default/s", ("fix-selector",), 10),
    "a targetPort that nobody listens on": (pod("web") + service("web", "web", "port: 80, targetPort: 8080"), [10], SERVICE, ("fix-port",), 10),
    "a targetPort by a name that is not there": (
        pod("web", "image: nginx, ports: [{containerPort: 80, name: http}]") + service("web", "web", "port: 80, targetPort: htpp"), [10], SERVICE,
        ("fix-port",), 10),
    "a Service whose pods are scaled to none": (deployed(replicas=0) + service("web", "web"), [10], SERVICE, ("scale-up",), 30),
    "DNS whose pods are scaled to none": (pod("web"), [run("kubectl scale deployment coredns -n kube-system --replicas=0"), 10],
                                          "Service/kube-system/kube-dns", ("scale-up",), 30),
    "an address that the load balancer has not": (
        pod("web") + service("web", "web", more="type: LoadBalancer, loadBalancerIP: 8.8.8.8,"), [10], SERVICE, ("any-address",), 30),
    "a rollout that is paused": (deployed(), [20, run("kubectl rollout pause deployment web", "kubectl set image deployment web c=nginx:1.27"), 20],
                                 DEPLOYMENT, ("resume",), 60),
    "a StatefulSet's new image that is not there": (STATEFUL, [60, run("kubectl set image statefulset db c=nginx:nope"), 60],
                                                    "StatefulSet/default/db", ("undo", "delete-pod"), 90),
    "a DaemonSet that no node is labelled for": (
        workload("DaemonSet", "ds").replace("spec: {containers", "spec: {nodeSelector: {disk: ssd}, containers"), [10], "DaemonSet/default/ds",
        ("label-node",), 30),
    "a budget that lets nobody go": (deployed(replicas=2) + BUDGET, [20], "PodDisruptionBudget/default/keep", ("scale-up",), 30),
    "a budget that asks for too much": (deployed(replicas=2) + BUDGET, [20], "PodDisruptionBudget/default/keep", ("budget-less",), 30),
    "a policy that lets nobody in": (pod("web") + pod("shell", shell("sleep 9999")) + service("web", "web") + DENY, [20, aim, 5], SERVICE,
                                     ("allow-rule",), 10),
    "a finalizer that nobody takes off": (
        pod("web").replace("labels:", "finalizers: [example.com/hold], labels:"), [10, run("kubectl delete pod web --wait=false"), 60], POD,
        ("unhold",), 10),
    "a namespace that a finalizer holds": (
        "", [run("kubectl create namespace x", "kubectl create configmap c -n x --from-literal=a=b",
                 "kubectl patch configmap c -n x -p '{\"metadata\":{\"finalizers\":[\"example.com/hold\"]}}'",
                 "kubectl delete namespace x --wait=false"), 30], "Namespace//x", ("unhold",), 30),
    "a pod of a node that is lost": (
        deployed(replicas=4), [20, lambda desk: desk.cluster.chaos.inject("power", "w1-k8s"), 420], "terminating", ("force-delete",), 5),
    "an Ingress with a slip in its Service's name": (
        pod("web") + service("nopes", "web") + INGRESS, [10], "Ingress/default/in", ("meant-service",), 5),
}
STILL = {"an Ingress with a slip in its Service's name": "ingress-no-service"}


@pytest.mark.parametrize("title", HEALS)
def test_what_is_suggested_heals(title: str) -> None:
    made, acts, thing, aids, seconds = HEALS[title]
    desk = Desk(Cluster(seed=1))
    if made:
        desk.workstation.files.write("/tmp/it.yaml", made)
        assert desk.run("kubectl apply -f /tmp/it.yaml").code == 0
    for act in acts:
        if callable(act):
            act(desk)
        else:
            desk.pass_(act)
    if thing == "terminating":
        thing = next(f"Pod/default/{one['metadata']['name']}" for one in desk.cluster.api.lister("pods").list("default")
                     if "deletionTimestamp" in one["metadata"])
    for number, code in enumerate(aids):
        told = checked(why.explain(desk.cluster, thing))
        assert told["question"] not in DONE or number or code in ("label-node",), told["question"]
        found = next((one for reason in every(told["reasons"]) for one in reason["aids"] if one["code"] == code), None)
        assert found is not None and found["command"], [(one["code"], [each["code"] for each in one["aids"]]) for one in every(told["reasons"])]
        result = desk.run(found["command"])
        assert result.code == 0, (found["command"], result.stderr)
        desk.pass_(seconds)
    after = checked(why.explain(desk.cluster, thing))
    if title in STILL:
        assert STILL[title] not in [one["code"] for one in after["reasons"]]
    else:
        assert after["question"] in DONE, (after["question"], [one["code"] for one in every(after["reasons"])])
        assert not {"skips-label", "budget-zero"} & {one["code"] for one in after["reasons"]} or title.startswith("a DaemonSet")


def test_what_cannot_be_changed_in_place_is_written_to_a_file_changed_there_and_replaced() -> None:
    desk = Desk(Cluster(seed=1))
    desk.workstation.files.write("/tmp/it.yaml", pod("web", "image: nginx, command: [nginxx]"))
    desk.run("kubectl apply -f /tmp/it.yaml")
    desk.pass_(30)
    found = next(one for reason in checked(why.explain(desk.cluster, POD))["reasons"] for one in reason["aids"] if one["code"] == "remake")
    assert desk.run(found["command"]).code == 0
    name = found["params"]["file"]
    written = yaml.safe_load(desk.said(f"cat {name}"))
    del written["spec"]["containers"][0]["command"]
    desk.workstation.files.write("/tmp/again.yaml", yaml.safe_dump(written))
    assert desk.run("kubectl replace --force -f /tmp/again.yaml").code == 0
    desk.pass_(60)
    assert checked(why.explain(desk.cluster, POD))["question"] == "here"


def test_of_what_is_not_measured_it_is_said_what_to_request() -> None:
    desk = Desk(Cluster(seed=1, metrics_server=True))
    desk.workstation.files.write("/tmp/it.yaml", deployed() + HPA)
    desk.run("kubectl apply -f /tmp/it.yaml")
    desk.pass_(60)
    told = checked(why.explain(desk.cluster, "HorizontalPodAutoscaler/default/web"))["reasons"][0]
    assert desk.run(told["aids"][0]["command"]).code == 0
    desk.pass_(120)
    assert "no-requests" not in [one["code"] for one in checked(why.explain(desk.cluster, "HorizontalPodAutoscaler/default/web"))["reasons"]]
