"""What the tests of the whole cluster ask for, and what they look at: manifests of every kind of workload, and promises as functions.

Each ``*_agree`` takes a cluster in which nothing is left to be done and asserts one thing that must be so then.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.controllers import podfacts
from server.cluster.objects import Object, controller_of, deleting, labels
from server.cluster.selectors import from_object

WORKLOADS = {"deployments.apps": "Deployment", "replicasets.apps": "ReplicaSet", "statefulsets.apps": "StatefulSet",
             "daemonsets.apps": "DaemonSet", "replicationcontrollers": "ReplicationController", "jobs.batch": "Job"}
OWNERS = {**{kind: resource for resource, kind in WORKLOADS.items()}, "CronJob": "cronjobs.batch", "Node": "nodes"}
SIZED = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "replicationcontrollers")
UPDATED = ("deployments.apps", "statefulsets.apps", "daemonsets.apps")
WORKERS = ("w1-k8s", "w2-k8s", "w3-k8s")
HPA, PDB, CRONJOBS, SLICES = ("horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy", "cronjobs.batch",
                              "endpointslices.discovery.k8s.io")
ENDED = ("Succeeded", "Failed")
EVERY = 600
HTTP = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 3}
FLAVOURS: dict[str, Object] = {
    "plain": {}, "hooked": {"lifecycle": {"preStop": {"sleep": {"seconds": 3}}}}, "probed": {"readinessProbe": HTTP, "livenessProbe": HTTP},
    "slow": {"startupProbe": {**HTTP, "initialDelaySeconds": 4}, "lifecycle": {"postStart": {"sleep": {"seconds": 2}}}},
    "burning": {"command": ["sh", "-c", "yes > /dev/null"]}}
LOCAL_PATH = {"metadata": {"name": "local-path"}, "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer"}
CLAIM = {"accessModes": ["ReadWriteOnce"], "storageClassName": "local-path", "resources": {"requests": {"storage": "1Gi"}}}
STAYS = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [
    {"key": "kubernetes.io/hostname", "operator": "In", "values": list(WORKERS)}]}]}}}


def named(name: str, namespace: str, spec: Object) -> Object:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def workload(resource: str, namespace: str, name: str, replicas: int, image: str, flavour: str = "plain", claims: bool = False) -> Object:
    """A workload of any kind, told apart by its labels."""
    own = {"app": name, "kind": WORKLOADS[resource]}
    container: Object = {"name": "main", "image": image, "resources": {"requests": {"cpu": "20m"}}, **FLAVOURS[flavour]}
    spec: Object = {"selector": {"matchLabels": own}, "template": {"metadata": {"labels": own}, "spec": {
        "containers": [container], "terminationGracePeriodSeconds": 5}}}
    if resource in SIZED:
        spec["replicas"] = replicas
    if resource == "replicationcontrollers":
        spec["selector"] = own
    if resource == "statefulsets.apps":
        spec["serviceName"] = name
        if claims:
            container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
            spec["template"]["spec"]["affinity"] = STAYS
            spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": CLAIM}]
            spec["persistentVolumeClaimRetentionPolicy"] = {"whenScaled": "Delete" if replicas % 2 else "Retain",
                                                            "whenDeleted": "Delete" if replicas % 3 else "Retain"}
    if resource == "jobs.batch":
        spec = {"completions": replicas, "parallelism": 2, "backoffLimit": 1000, "template": _brief(spec["template"])}
    return named(name, namespace, spec)


def _brief(template: Object) -> Object:
    brief = {"name": "main", "image": "busybox", "command": ["sh", "-c", "sleep 7"], "resources": {"requests": {"cpu": "20m"}}}
    return {**template, "spec": {"restartPolicy": "Never", "containers": [brief]}}


def cron_job(namespace: str, name: str, policy: str) -> Object:
    """Every ten minutes."""
    template = _brief({"metadata": {"labels": {"app": name, "kind": "CronJob"}}})
    return named(name, namespace, {"schedule": "*/10 * * * *", "concurrencyPolicy": policy,
                                   "jobTemplate": {"spec": {"backoffLimit": 1000, "template": template}}})


def lone_pod(namespace: str, name: str, claim: str) -> Object:
    """A pod that nobody owns, with a claim."""
    container = {"name": "main", "image": "nginx", "resources": {"requests": {"cpu": "20m"}},
                 "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    return named(name, namespace, {"containers": [container], "affinity": STAYS, "terminationGracePeriodSeconds": 3,
                                   "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]})


def service(namespace: str, name: str) -> Object:
    """Whatever runs as this app, of any kind."""
    return named(name, namespace, {"selector": {"app": name}, "ports": [{"port": 80}]})


def autoscaler(namespace: str, name: str, least: int, most: int) -> Object:
    return named(name, namespace, {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "minReplicas": least, "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]})


def static(pod: Object) -> bool:
    """The mirror of a static pod: its kubelet may run it again under the same uid."""
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})


def who(obj: Object) -> str:
    return f"{obj.get('kind', '')} {obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


def everything(cluster: Cluster) -> list[tuple[str, Object]]:
    """Every stored object with its resource."""
    return [(resource, obj) for resource, objects in cluster.store.dump()["objects"].items() for obj in objects]


# what must be so in the end

def owners_agree(cluster: Cluster) -> None:
    """Nothing outlives its owners or its namespace, and nothing waits to be removed but claims that are in use."""
    objects = everything(cluster)
    living = {obj["metadata"]["uid"] for _, obj in objects}
    namespaces = {obj["metadata"]["name"] for resource, obj in objects if resource == "namespaces"}
    for resource, obj in objects:
        references = obj["metadata"].get("ownerReferences") or ()
        assert not references or any(reference["uid"] in living for reference in references), f"{who(obj)} outlived {references}"
        assert obj["metadata"].get("namespace", "default") in namespaces, f"{who(obj)} outlived its namespace"
        if deleting(obj):
            assert resource == "persistentvolumeclaims" and cluster.api.lister("pods").by_claim(
                obj["metadata"]["namespace"], obj["metadata"]["name"]), f"{who(obj)} waits for {obj['metadata'].get('finalizers')}"


def sizes_agree(cluster: Cluster) -> None:
    """Every workload has as many pods as it asks for, all of them ready, and says so."""
    lister, owned = cluster.api.lister, _owned(cluster)
    for resource in SIZED:
        for obj in lister(resource).list():
            if obj["metadata"]["namespace"] != "kube-system":
                _sized(cluster, resource, obj, owned)
    takers = [node["metadata"]["name"] for node in lister("nodes").list() if not node["spec"].get("taints")]
    for obj in lister("daemonsets.apps").list():
        if obj["metadata"]["namespace"] != "kube-system":
            assert owned[obj["metadata"]["uid"]] == len(takers) == obj["status"]["numberReady"], (who(obj), obj["status"], takers)


def _owned(cluster: Cluster) -> Counter[str]:
    """How many pods that may still run each owner has."""
    owned: Counter[str] = Counter()
    for pod in cluster.api.lister("pods").list():
        if (reference := controller_of(pod)) is None:
            continue
        owner = cluster.api.lister(OWNERS[reference["kind"]]).get(
            "" if reference["kind"] == "Node" else pod["metadata"]["namespace"], reference["name"])
        assert owner is not None and (owner["metadata"]["uid"] == reference["uid"] or static(pod)), f"{who(pod)} is an orphan"
        if pod["status"]["phase"] not in ENDED:
            owned[reference["uid"]] += 1
    return owned


def _sized(cluster: Cluster, resource: str, obj: Object, owned: Counter[str]) -> None:
    uid, wanted, status = obj["metadata"]["uid"], obj["spec"]["replicas"], obj["status"]
    pods = cluster.api.lister("pods")
    if resource == "deployments.apps":
        current = [one for one in cluster.api.lister("replicasets.apps").by_owner(uid) if one["spec"]["replicas"]]
        assert sum(one["status"].get("readyReplicas", 0) for one in current) == wanted and len(current) <= 1, (who(obj), status)
        assert status.get("updatedReplicas", 0) == wanted
    else:
        assert owned[uid] == wanted, (who(obj), owned[uid], wanted)
    if resource == "statefulsets.apps":
        assert status["currentRevision"] == status["updateRevision"], (who(obj), status)
        assert {pod["metadata"]["name"] for pod in pods.by_owner(uid)} == {f"{obj['metadata']['name']}-{n}" for n in range(wanted)}
    assert status.get("readyReplicas", 0) == wanted, (who(obj), status)
    selector = obj["spec"]["selector"]
    matches = from_object({"matchLabels": selector} if resource == "replicationcontrollers" else selector).matches
    assert all(matches(labels(pod)) for pod in pods.by_owner(uid))


def jobs_agree(cluster: Cluster) -> None:
    """Every Job has come to its end, every pod of a Job is accounted for, every CronJob has had its last turn."""
    for obj in cluster.api.lister("jobs.batch").list():
        assert obj["status"].get("succeeded", 0) == obj["spec"]["completions"], (who(obj), obj["status"])
        assert [entry["type"] for entry in obj["status"]["conditions"] if entry["status"] == "True"][-1] == "Complete"
        assert not obj["status"].get("active") and not any(obj["status"].get("uncountedTerminatedPods", {}).values())
    for pod in cluster.api.lister("pods").list():
        assert "batch.kubernetes.io/job-tracking" not in (pod["metadata"].get("finalizers") or ()), who(pod)
    for obj in cluster.api.lister(CRONJOBS).list():
        assert not obj["status"].get("active"), (who(obj), obj["status"])
        assert len(cluster.api.lister("jobs.batch").by_owner(obj["metadata"]["uid"])) <= 3
        last = cluster.clock.now // EVERY * EVERY
        assert cluster.clock.seconds(obj["status"]["lastScheduleTime"]) == last, (who(obj), obj["status"], cluster.clock.now)


def claims_agree(cluster: Cluster) -> None:
    """A claim has one volume, the volume that claim, and no volume is left of claims that are gone."""
    claims = {claim["metadata"]["uid"]: claim for claim in cluster.api.lister("persistentvolumeclaims").list()}
    volumes = {volume["metadata"]["name"]: volume for volume in cluster.api.lister("persistentvolumes").list()}
    for claim in claims.values():
        if name := claim["spec"].get("volumeName"):
            assert claim["status"]["phase"] == "Bound" and volumes[name]["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"], who(claim)
        else:
            assert claim["status"]["phase"] == "Pending" and not cluster.api.lister("pods").by_claim(
                claim["metadata"]["namespace"], claim["metadata"]["name"]), who(claim)
    for volume in volumes.values():
        assert volume["status"]["phase"] == "Bound" and volume["spec"]["claimRef"]["uid"] in claims, (who(volume), volume["status"])
        assert claims[volume["spec"]["claimRef"]["uid"]]["spec"]["volumeName"] == volume["metadata"]["name"]


def endpoints_agree(cluster: Cluster) -> None:
    """A Service leads to exactly the pods that it selects and that can serve."""
    lister = cluster.api.lister
    for obj in lister("services").list():
        selector = obj["spec"].get("selector")
        if not selector:
            continue
        namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
        pods = [pod for pod in lister("pods").list(namespace) if selector.items() <= labels(pod).items()
                and pod["status"].get("podIP") and pod["status"]["phase"] not in ENDED]
        wanted = {pod["status"]["podIP"]: podfacts.ready(pod) for pod in pods}
        sliced = [endpoint for one in lister(SLICES).list(namespace) if one["metadata"]["labels"].get("kubernetes.io/service-name") == name
                  for endpoint in one.get("endpoints") or ()]
        assert {endpoint["addresses"][0]: endpoint["conditions"]["ready"] for endpoint in sliced} == wanted, who(obj)
        assert len(sliced) == len(wanted)
        subsets = lister("endpoints").get(namespace, name).get("subsets") or ()
        assert {entry["ip"] for subset in subsets for entry in subset.get("addresses") or ()} == {
            address for address, ready in wanted.items() if ready}, who(obj)


def autoscalers_agree(cluster: Cluster) -> None:
    """What burns all it can get is as large as it may be, what idles as small."""
    for obj in cluster.api.lister(HPA).list():
        target = cluster.api.lister("deployments.apps").get(obj["metadata"]["namespace"], obj["spec"]["scaleTargetRef"]["name"])
        if target is None or not target["spec"]["replicas"]:
            continue
        burns = "command" in target["spec"]["template"]["spec"]["containers"][0]
        assert target["spec"]["replicas"] == obj["spec"]["maxReplicas" if burns else "minReplicas"], (who(obj), obj["status"])


def budgets_agree(cluster: Cluster) -> None:
    for obj in cluster.api.lister(PDB).list():
        healthy = [pod for pod in cluster.api.lister("pods").list(obj["metadata"]["namespace"])
                   if from_object(obj["spec"]["selector"]).matches(labels(pod)) and podfacts.ready(pod)]
        status = obj["status"]
        assert status["currentHealthy"] == len(healthy) and status["disruptionsAllowed"] == max(
            0, len(healthy) - status["desiredHealthy"] if status["expectedPods"] else 0), (who(obj), status)


def machines_agree(cluster: Cluster) -> None:
    """What runs on the machines is what the pods say, and nothing is held for pods that are gone."""
    pods, kubelets = cluster.api.lister("pods").list(), cluster.kubelets
    running = {container["containerID"].removeprefix("containerd://") for pod in pods
               for container in pod["status"].get("containerStatuses") or () if "running" in container["state"]}
    sandboxes = kubelets.runtime._sandboxes.values()
    assert running == {container.id for sandbox in sandboxes for container in sandbox.containers.values() if container.running}
    for node in cluster.api.lister("nodes").list():
        conditions = {entry["type"]: entry["status"] for entry in node["status"]["conditions"]}
        assert conditions == {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}, who(node)
    assert sorted(kubelets.nodes) == sorted(node["metadata"]["name"] for node in cluster.api.lister("nodes").list())
    uids = {pod["metadata"]["uid"] for pod in pods} | {worker.uid for kubelet in kubelets.nodes.values()
                                                       for worker in kubelet.workers.values() if worker.static}
    assert {sandbox.uid for sandbox in sandboxes} <= uids
    leased = {key.removeprefix("address/") for key, _ in cluster.store.state.items("address/")}
    assert leased == {pod["status"]["podIP"] for pod in pods if not pod["spec"].get("hostNetwork") and pod["status"].get("podIP")
                      and pod["status"]["phase"] == "Running"}


AGREEMENTS = (owners_agree, sizes_agree, jobs_agree, claims_agree, endpoints_agree, autoscalers_agree, budgets_agree, machines_agree)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two snapshots differ."""
    if isinstance(one, list) and isinstance(other, list) and not path.startswith("/random"):
        one, other = _by_name(one), _by_name(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return [found for field in sorted({**one, **other}) for found in differences(one.get(field), other.get(field), f"{path}/{field}")]
    return [] if one == other else [f"{path}: {one!r} and {other!r}"[:400]]


def _by_name(entries: list[Any]) -> dict[str, Any]:
    if entries and all(isinstance(entry, dict) and "metadata" in entry for entry in entries):
        return {who(entry): entry for entry in entries}
    return {str(number): entry for number, entry in enumerate(entries)}
