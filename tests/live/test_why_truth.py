"""What Why? says is so: the cause and not a symptom, the whole of it, of the right field, and nothing that is not true (any more)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.cluster.cluster import Cluster
from server.live import why
from tests.live.test_remedies import CLAIM, DEPLOYMENT, MOUNTED, POD, STATEFUL, deployed, run
from tests.live.test_why import batch, checked, every, pod, service, shell, workload
from tests.rooms.desk import Desk


def chaos(fault: str, target: str) -> Callable[[Desk], None]:
    return lambda desk: desk.cluster.chaos.inject(fault, target)


TRAP = shell("trap : TERM; sleep 999")
COMPONENT = chaos("component", "kube-controller-manager")
# what is made, then seconds or acts, of which thing (or the only one of a kind), the question, the codes that are said, those that are not
TRUTHS: dict[str, tuple[str, list[Any], str, str, list[str], list[str]]] = {
    "an exec probe is not told where something listens": (
        pod("web", "image: busybox, command: [sleep, '999'], readinessProbe: {exec: {command: [cat, /x]}, periodSeconds: 3}"), [30], POD, "notReady",
        ["probe-says"], ["probe-fails"]),
    "on a machine whose kubelet is stopped nothing is being made": (
        "", [chaos("kubelet", "w1-k8s"), run("kubectl run web --image=nginx --overrides='{\"spec\":{\"nodeName\":\"w1-k8s\"}}'"), 10], POD, "waits",
        ["kubelet-deaf"], ["starting"]),
    "a machine is off before Kubernetes has noticed": (
        pod("web", spec="nodeName: w1-k8s,"), [10, chaos("power", "w1-k8s"), 5], POD, "lost", ["node-not-noticed"], ["bare"]),
    "a bare pod of a lost node is not replaced, and the machine is told": (
        pod("web", spec="nodeName: w1-k8s,"), [10, chaos("power", "w1-k8s"), 90], POD, "lost", ["node-lost-bare", "node-off"], ["node-lost"]),
    "nobody on a lost node got SIGTERM": (
        deployed(replicas=4), [20, chaos("power", "w1-k8s"), 420], "terminating", "terminating", ["lost-terminating", "node-off"], ["terminating"]),
    "a pod that was scaled away has no successor": (
        deployed(TRAP, 2), [10, run("kubectl scale deployment web --replicas=1"), 5], "terminating", "terminating", ["scaled-away"], ["will-return"]),
    "a pod that somebody deletes has one": (
        deployed(TRAP, 1), [10, run("kubectl delete pod --all --wait=false"), 5], "terminating", "terminating", ["will-return"], ["scaled-away"]),
    "a pod goes with its owner": (
        deployed(TRAP, 1), [10, run("kubectl delete deployment web --cascade=foreground --wait=false"), 5], "terminating", "terminating",
        ["goes-with-owner"], ["will-return"]),
    "a ReplicaSet that is being deleted makes no pods": (
        deployed(TRAP, 1), [10, run("kubectl delete deployment web --cascade=foreground --wait=false"), 5], "ReplicaSet", "terminating",
        ["foreground"], ["making-pods", "finalizers"]),
    "pods that have ended do match": (
        pod("web", shell("exit 0"), "restartPolicy: Never,") + service("web", "web"), [20], "Service/default/web", "noEndpoints", ["all-ended"],
        ["no-match"]),
    "DNS is scaled to none, and no other pods are meant": (
        "", [run("kubectl scale deployment coredns -n kube-system --replicas=0"), 20], "Service/kube-system/kube-dns", "noEndpoints",
        ["scaled-to-zero"], ["near-miss"]),
    "a Service whose workload cannot make pods": (
        deployed(spec="serviceAccountName: nobody,") + service("web", "web"), [10], "Service/default/web", "noEndpoints",
        ["no-pods-yet", "refused-create"], ["no-match"]),
    "a Deployment of none has none, and its ReplicaSet is not an old one": (
        deployed(replicas=0), [10], "ReplicaSet", "here", ["wants-none"], ["old-revision"]),
    "endpoints that the API server keeps are well": ("", [5], "Service/default/kubernetes", "here", ["manual-endpoints"], ["no-selector"]),
    "their slice too": ("", [5], "EndpointSlice/default/kubernetes", "here", ["manual-endpoints"], ["endpoints-of"]),
    "a rollout waits for what its pod waits for": (
        deployed("image: nginx, resources: {requests: {cpu: 64}}"), [10], DEPLOYMENT, "rollout", ["waits-for-pods", "too-big"], ["unschedulable"]),
    "a cordon is told before volumes that are elsewhere": (
        "---\n{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 5Gi}, local: "
        "{path: /x}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: "
        "[w1-k8s]}]}]}}}}\n" + CLAIM.replace("MORE", ""),
        [5, run("kubectl cordon w1-k8s"), lambda desk: write(desk, pod("web", spec=MOUNTED)), 10], POD, "pending",
        ["unschedulable", "cordoned", "volume-elsewhere"], []),
    "restarts that were too many are not counted as pods": (
        batch("Job", "job", "backoffLimit: 1,").replace("Never", "OnFailure"), [200], "Job/default/job", "failed", ["backoff-restarts"],
        ["backoff-limit"]),
    "a Job that failed tells how its pod ended": (
        batch("Job", "job", "backoffLimit: 0,", "exit 3"), [60], "Job/default/job", "failed", ["backoff-limit", "container-ended"], []),
    "a CronJob tells that its newest Job failed": (
        batch("CronJob", "cron", "schedule: '* * * * *',").replace("spec: {template", "spec: {backoffLimit: 0, template"), [90],
        "CronJob/default/cron", "waits", ["cron-failed", "container-ended", "cron-next"], []),
    "and that it does not get on": (
        batch("CronJob", "cron", "schedule: '* * * * *',").replace("busybox", "'busybox:nope'"), [90], "CronJob/default/cron", "waits",
        ["cron-stuck", "image-pull"], []),
    "a StatefulSet waits for a pod of a template that was taken back": (
        STATEFUL, [60, run("kubectl set image statefulset db c=nginx:nope"), 60, run("kubectl rollout undo statefulset db"), 60],
        "StatefulSet/default/db", "rollout", ["stuck-revision", "image-pull"], ["member-waits"]),
    "without controllers a ReplicaSet's count is not what its status says": (
        deployed(), [10, COMPONENT, run("kubectl delete pod --all --wait=false"), 40], "ReplicaSet", "rollout", ["no-controllers"],
        ["of-deployment"]),
    "without controllers a Job makes nothing": (
        "", [COMPONENT, lambda desk: write(desk, batch("Job", "job", "")), 10], "Job/default/job", "waits", ["no-controllers"], []),
    "without controllers a Service has no endpoints for its ready pods": (
        "", [COMPONENT, lambda desk: write(desk, pod("web") + service("web", "web")), 20], "Service/default/web", "noEndpoints", ["no-controllers"],
        ["none-ready", "no-match"]),
    "a registry that was broken on purpose is not mended by another name": (
        pod("web"), [chaos("image", "docker.io"), run("kubectl delete pod web --wait=true"), lambda desk: write(desk, pod("web")), 30], POD, "waits",
        ["image-pull"], []),
    "a pod that a drain moved says so when it has gone": (
        deployed(TRAP, 1), [10, lambda desk: desk.run("kubectl drain w1-k8s w2-k8s w3-k8s --ignore-daemonsets --timeout=5s"), 3], "terminating",
        "terminating", ["terminating", "disrupted"], []),
    "a node that somebody tainted says how to take that back": (
        "", [run("kubectl taint node w1-k8s a=b:NoExecute"), 5], "Node//w1-k8s", "here", ["node-tainted"], ["node-ready"]),
}
FIRST = {"unschedulable", "lost-terminating", "no-controllers", "foreground", "cron-failed", "cron-stuck", "all-ended", "scaled-to-zero"}


def write(desk: Desk, text: str) -> None:
    desk.workstation.files.write("/tmp/it.yaml", text)
    assert desk.run("kubectl apply -f /tmp/it.yaml").code == 0


@pytest.mark.parametrize("title", TRUTHS)
def test_what_is_said_is_so(title: str) -> None:
    made, acts, thing, question, said, unsaid = TRUTHS[title]
    desk = Desk(Cluster(seed=1))
    if made:
        write(desk, made)
    for act in acts:
        if callable(act):
            act(desk)
        else:
            desk.pass_(act)
    if "/" not in thing:
        resource = "pods" if thing == "terminating" else "replicasets.apps"
        thing = next(f"{one['kind']}/default/{one['metadata']['name']}" for one in desk.cluster.api.lister(resource).list("default")
                     if thing == "ReplicaSet" or "deletionTimestamp" in one["metadata"])
    told = checked(why.explain(desk.cluster, thing))
    codes = [one["code"] for one in every(told["reasons"])]
    assert told["question"] == question, codes
    assert [code for code in said if code in codes] == said, codes
    assert sorted(said, key=codes.index) == said, codes
    assert not set(unsaid) & set(codes), codes
    assert said[0] not in FIRST or codes[0] == said[0], codes


def ask(desk: Desk, thing: str) -> dict[str, Any]:
    return checked(why.explain(desk.cluster, thing))


def test_the_claim_that_is_missing_is_linked_where_the_pod_names_it() -> None:
    desk = Desk(Cluster(seed=1))
    desk.run("kubectl create configmap cfg --from-literal=a=b")
    write(desk, pod("web", spec="volumes: [{name: a, configMap: {name: cfg}}, {name: b, persistentVolumeClaim: {claimName: none}}],"))
    desk.pass_(5)
    found = next(one for one in ask(desk, POD)["reasons"] if one["code"] == "claim-missing")
    assert found["facts"][0]["path"] == "spec.volumes[1].persistentVolumeClaim.claimName"


def test_the_nearest_miss_stays_first_when_its_slice_is_asked() -> None:
    desk = Desk(Cluster(seed=1))
    write(desk, workload("Deployment", "web", 2) + service("s", "wep"))
    desk.pass_(20)
    own = ask(desk, "Service/default/s")["reasons"]
    name = next(one["metadata"]["name"] for one in desk.cluster.api.lister("endpointslices.discovery.k8s.io").list("default")
                if one["metadata"]["name"].startswith("s-"))
    assert [one["params"] for one in ask(desk, f"EndpointSlice/default/{name}")["reasons"][:2]] == [one["params"] for one in own]


def test_a_machine_is_silent_for_as_long_as_it_has_been_silent() -> None:
    desk = Desk(Cluster(seed=1))
    desk.pass_(20)
    desk.cluster.chaos.inject("kubelet", "w1-k8s")
    desk.pass_(80)
    assert ask(desk, "Node//w1-k8s")["reasons"][0]["params"]["seconds"] in range(75, 91)


def test_a_deleted_pod_says_what_moved_it_and_whether_another_came() -> None:
    desk = Desk(Cluster(seed=1))
    write(desk, workload("Deployment", "web", 2))
    desk.pass_(20)
    kept = {one["metadata"]["name"]: one["spec"]["nodeName"] for one in desk.cluster.api.lister("pods").list("default")}
    name, node = next(iter(kept.items()))
    desk.run(f"kubectl drain {node} --ignore-daemonsets")
    desk.pass_(60)
    moved = ask(desk, f"Pod/default/{name}")
    assert [one["code"] for one in moved["reasons"]] == ["gone", "disrupted", "will-return"] and moved["reasons"][0]["params"]["client"] == "kubectl"
    desk.run("kubectl scale deployment web --replicas=0")
    desk.pass_(60)
    last = ask(desk, f"Pod/default/{next(other for other in kept if other != name)}")
    assert [one["code"] for one in last["reasons"]] == ["gone", "scaled-away"] and last["chain"]["root"] == "person"
    desk.run("kubectl delete deployment web")
    desk.pass_(30)
    assert ask(desk, "Deployment/default/web")["reasons"][0]["params"]["client"] == "kubectl"


def test_what_a_command_is_cut_to_would_not_run_so_a_long_one_is_left_out() -> None:
    from server.live.why.telling import MOST_COMMAND, aid

    assert aid("logs", "x" * MOST_COMMAND)["command"] and not aid("logs", "x" * (MOST_COMMAND + 1))["command"]
