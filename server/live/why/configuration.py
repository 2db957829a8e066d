"""What a pod takes from ConfigMaps and Secrets: what is missing there, and what has changed since its containers began.

Environment variables are read when a container starts and never again; files in a volume follow after a while.

Source: https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster.cluster import Cluster
from server.cluster.objects import Object
from server.live.records import thing_id
from server.live.why import remedies
from server.live.why.telling import MOST_LOOKED_AT, Fact, Reason, aid, fact, names, reason, scope

CREATE = {"ConfigMap": "configmap", "Secret": "secret generic"}
RESTARTED = ("deployment/", "statefulset/", "daemonset/")
RESOURCES = {"ConfigMap": "configmaps", "Secret": "secrets"}
ENV = (("configMapRef", "ConfigMap"), ("secretRef", "Secret"))
KEYS = (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"))


def references(spec: Object, at: str) -> Iterator[tuple[str, str, str, bool, str]]:
    """(kind, name, key or "", optional, path) of everything a container's environment comes from."""
    for index, source in enumerate(spec.get("envFrom") or ()):
        for field, kind in ENV:
            if (found := source.get(field)) is not None:
                yield kind, found.get("name", ""), "", bool(found.get("optional")), f"{at}.envFrom[{index}].{field}.name"
    for index, variable in enumerate(spec.get("env") or ()):
        for field, kind in KEYS:
            if (found := (variable.get("valueFrom") or {}).get(field)) is not None:
                yield kind, found.get("name", ""), found.get("key", ""), bool(found.get("optional")), f"{at}.env[{index}].valueFrom.{field}.key"


def missing(cluster: Cluster, pod: Object, spec: Object, at: str) -> Reason | None:
    """The ConfigMap, Secret or key without which a container cannot be made."""
    for kind, name, key, optional, path in references(spec, at):
        told = None if optional else _lacks(cluster, pod, kind, name, key, path, spec["name"])
        if told is not None:
            return told
    return None


def _lacks(cluster: Cluster, pod: Object, kind: str, name: str, key: str, path: str, container: str) -> Reason | None:
    namespace = pod["metadata"]["namespace"]
    found = cluster.api.lister(RESOURCES[kind]).get(namespace, name)
    params = {"kind": kind, "name": name, "key": key, "container": container}
    if found is None:
        there = names(
            one["metadata"]["name"] for one in cluster.api.lister(RESOURCES[kind]).list(namespace) if one["metadata"]["name"] != "kube-root-ca.crt"
        )
        return reason(
            "config-missing",
            {**params, "known": there or "-"},
            [fact(pod, path.removesuffix(".key") + (".name" if path.endswith(".key") else ""), name)],
            [
                aid(
                    "make-config",
                    f"kubectl create {CREATE[kind]} {name} --from-literal={key or 'KEY'}=VALUE{scope(pod)}",
                )
            ],
        )
    there = {**(found.get("data") or {}), **(found.get("binaryData") or {})}
    if key and key not in there:
        return reason(
            "key-missing",
            {**params, "known": names(there) or "-"},
            [fact(pod, path, key), fact(found, "data", names(there))],
            [remedies.key(found, key)],
        )
    return None


def volumes(cluster: Cluster, pod: Object) -> list[Reason]:
    """Volumes that cannot be mounted, while the pod still waits for them."""
    if (pod.get("status") or {}).get("phase") != "Pending":
        return []
    for index, volume in enumerate(pod["spec"].get("volumes") or ()):
        for field, kind, named in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            source = volume.get(field)
            if source is None or source.get("optional"):
                continue
            path = f"spec.volumes[{index}].{field}"
            for key, at in [
                ("", f"{path}.{named}"),
                *((item.get("key", ""), f"{path}.items[{number}].key") for number, item in enumerate(source.get("items") or ())),
            ]:
                if told := _lacks(cluster, pod, kind, source.get(named, ""), key, at, volume["name"]):
                    return [told]
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
                one = source.get(field)
                path = f"spec.volumes[{index}].projected.sources[{number}].{field}.name"
                if one and not one.get("optional") and (told := _lacks(cluster, pod, kind, one.get("name", ""), "", path, volume["name"])):
                    return [told]
    events = cluster.api.lister("events").by_involved(pod["metadata"]["uid"])
    failed = next((event for event in reversed(events) if event.get("reason") in ("FailedMount", "FailedAttachVolume")), None)
    if failed is not None:
        return [
            reason(
                "mount-failed",
                {"message": failed["message"]},
                [_named(pod, failed["message"])],
                [aid("describe", f"kubectl describe pod {pod['metadata']['name']}{scope(pod)}")],
            )
        ]
    return []


def _named(pod: Object, message: str) -> Fact:
    """The volume that a message speaks of."""
    own = [(index, one) for index, one in enumerate(pod["spec"].get("volumes") or ()) if not one["name"].startswith("kube-api-access-")]
    index, one = next(((index, one) for index, one in own if f'"{one["name"]}"' in message), own[0] if own else (0, {"name": ""}))
    kind = next((field for field in one if field != "name"), "name")
    detail = one[kind] if isinstance(one[kind], dict) else {}
    return fact(pod, f"spec.volumes[{index}].{kind}", " ".join(str(value) for value in detail.values()) or one["name"])


def stale(cluster: Cluster, pod: Object) -> list[Reason]:
    """Containers that began before what their environment comes from changed."""
    statuses = {entry["name"]: entry for entry in (pod.get("status") or {}).get("containerStatuses") or ()}
    found, told = [], set()
    for index, spec in enumerate(pod["spec"]["containers"]):
        started = (((statuses.get(spec["name"]) or {}).get("state") or {}).get("running") or {}).get("startedAt")
        if not started:
            continue
        for kind, name, key, _, path in references(spec, f"spec.containers[{index}]"):
            changed = _changed(cluster, kind, pod["metadata"]["namespace"], name, key)
            if changed is None or changed <= cluster.clock.seconds(started) or (kind, name) in told:
                continue
            told.add((kind, name))
            workload, _ = remedies.changeable(cluster, pod)
            found.append(
                reason(
                    "stale-env",
                    {"kind": kind, "name": name, "container": spec["name"], "ago": round(cluster.clock.now - changed)},
                    [
                        fact(pod, path, key or name),
                        fact(pod, f"status.containerStatuses[{index}].state.running.startedAt", started),
                        fact(thing_id(kind, pod["metadata"]["namespace"], name), "data", key or ""),
                    ],
                    [aid("restart-rollout", f"kubectl rollout restart {workload}{scope(pod)}") if workload.startswith(RESTARTED) else None],
                )
            )
    return found


def _changed(cluster: Cluster, kind: str, namespace: str, name: str, key: str) -> float | None:
    """When what was read last changed, as far as the store's history goes."""
    obj = cluster.api.lister(RESOURCES[kind]).get(namespace, name)
    revision = int(obj["metadata"]["resourceVersion"]) if obj is not None else 0
    for _ in range(10):
        event = cluster.store.event_at(revision) if revision else None
        if event is None or event.previous is None:
            return None
        now, was = event.object.get("data") or {}, event.previous.get("data") or {}
        if now.get(key) != was.get(key) if key else now != was:
            return event.cause.at
        revision = int(event.previous["metadata"]["resourceVersion"])
    return None


def explain(cluster: Cluster, obj: Object) -> list[Reason]:
    """A ConfigMap or Secret: who uses it, and who has not seen its last change."""
    kind, meta = obj["kind"], obj["metadata"]
    env, mounted, behind = [], [], []
    for pod in cluster.api.lister("pods").list(meta["namespace"])[:MOST_LOOKED_AT]:
        uses = any(
            (one, name) == (kind, meta["name"])
            for index, spec in enumerate([*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())])
            for one, name, *_ in references(spec, f"spec.containers[{index}]")
        )
        field, named = ("configMap", "name") if kind == "ConfigMap" else ("secret", "secretName")
        if any((volume.get(field) or {}).get(named) == meta["name"] for volume in pod["spec"].get("volumes") or ()):
            mounted.append(pod)
        if uses:
            env.append(pod)
            if any(each["params"]["name"] == meta["name"] and each["params"]["kind"] == kind for each in stale(cluster, pod)):
                behind.append(pod)
    found = []
    if behind:
        found.append(
            reason(
                "env-behind",
                {"pods": names(pod["metadata"]["name"] for pod in behind), "count": len(behind)},
                [
                    fact(
                        pod,
                        "status.containerStatuses[0].state.running.startedAt",
                        (((pod.get("status") or {}).get("containerStatuses") or [{}])[0].get("state") or {}).get("running", {}).get("startedAt", ""),
                    )
                    for pod in behind[:5]
                ],
                [aid("restart-pods")],
            )
        )
    if env or mounted:
        found.append(
            reason(
                "config-used",
                {"env": names(pod["metadata"]["name"] for pod in env) or "-", "mounted": names(pod["metadata"]["name"] for pod in mounted) or "-"},
                [fact(pod, "spec", pod["metadata"]["name"]) for pod in [*env, *mounted][:5]],
            )
        )
    return found or [reason("config-unused", {"kind": kind})]
