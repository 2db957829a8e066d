"""Why a claim is not bound, and why a volume is as it is: its class, and what every volume that is there has against it.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
"""

from __future__ import annotations

from server.cluster import selectors, volumes
from server.cluster.cluster import Cluster
from server.cluster.objects import Object, labels
from server.live.records import thing_id
from server.live.why import remedies
from server.live.why.telling import MOST_LOOKED_AT, Aid, Reason, aid, fact, names, reason, scope

MOST_VOLUMES = 8


def claim(cluster: Cluster, obj: Object) -> list[Reason]:
    spec, meta = obj["spec"], obj["metadata"]
    phase = (obj.get("status") or {}).get("phase", "Pending")
    users = _users(cluster, obj)
    if phase == "Lost":
        return [reason("claim-lost", {"volume": spec.get("volumeName", "")}, [fact(obj, "spec.volumeName", spec.get("volumeName"))])]
    if volumes.fully_bound(obj):
        return [
            reason(
                "claim-bound",
                {"volume": spec["volumeName"], "users": names(pod["metadata"]["name"] for pod in users) or "-"},
                [
                    fact(obj, "spec.volumeName", spec["volumeName"]),
                    fact(thing_id("PersistentVolume", "", spec["volumeName"]), "status.phase", "Bound"),
                ],
            )
        ]
    name = volumes.class_of(obj)
    known = cluster.api.lister(volumes.CLASSES)
    given = known.get("", name) if name else None
    refused = refusals(cluster, obj)
    if spec.get("volumeName"):
        volume = cluster.api.lister(volumes.VOLUMES).get("", spec["volumeName"])
        if volume is None:
            return [reason("volume-missing", {"volume": spec["volumeName"]}, [fact(obj, "spec.volumeName", spec["volumeName"])])]
    if given is not None and volumes.waits_for_consumer(given) and not users:
        return [
            reason(
                "first-consumer",
                {"class": name},
                [fact(obj, "spec.storageClassName", name), fact(given, "volumeBindingMode", "WaitForFirstConsumer")],
                [aid("make-pod")],
            )
        ]
    if given is not None and given.get("provisioner") != "kubernetes.io/no-provisioner":
        waiting = users[0]["metadata"]["name"] if users else ""
        return [
            reason(
                "provisioning",
                {"class": name, "provisioner": given["provisioner"], "pod": waiting or "-"},
                [fact(obj, "spec.storageClassName", name), fact(given, "provisioner", given["provisioner"])],
                [aid("describe", f"kubectl describe pvc {meta['name']}{scope(obj)}")],
            )
        ]
    if name and given is None:
        classes = names(entry["metadata"]["name"] for entry in known.list())
        params = {"class": name, "known": classes or "-", "count": len(refused)}
        proof, aids = [fact(obj, "spec.storageClassName", name)], [remedies.volume(obj), aid("classes", "kubectl get storageclass")]
        head = reason("unknown-class-volumes", params, proof, aids) if refused else reason("unknown-class", params, proof, aids)
        return [head, *_matching(obj, refused)]
    return _matching(obj, refused) or [
        reason(
            "no-class" if volumes.class_given(obj) is None else "no-volume",
            {
                "size": ((spec.get("resources") or {}).get("requests") or {}).get("storage", ""),
                "modes": volumes.access_modes(spec.get("accessModes")),
            },
            [fact(obj, "spec.storageClassName", name or "-")],
            [remedies.volume(obj), aid("classes", "kubectl get storageclass")],
        )
    ]


def _matching(obj: Object, refused: list[tuple[Object, str, str, str]]) -> list[Reason]:
    """What each volume has against it, the likest first."""
    if not refused:
        return []
    first = refused[0]
    facts = [fact(volume, path, f"{why}: {value}") for volume, why, path, value in refused[:MOST_VOLUMES]]
    asked = {
        "too-small": ((obj["spec"].get("resources") or {}).get("requests") or {}).get("storage", ""),
        "class": volumes.class_of(obj) or "-",
        "modes": volumes.access_modes(obj["spec"].get("accessModes")),
        "mode": volumes.mode_of(obj),
    }.get(first[1], "-")
    params = {"volume": first[0]["metadata"]["name"], "has": first[3], "asked": asked, "count": len(refused)}
    aids = [remedies.volume(obj)]
    match first[1]:
        case "too-small":
            head = reason("volume-small", params, facts, aids)
        case "class":
            head = reason("volume-class", params, facts, aids)
        case "modes":
            head = reason("volume-modes", params, facts, aids)
        case "taken":
            released = (first[0].get("status") or {}).get("phase") == "Released"
            head = reason("volume-taken", params, facts, [_free(first[0]), *aids] if released else aids)
        case _:
            head = reason("volume-other", {**params, "why": first[1]}, facts, aids)
    return [head]


def refusals(cluster: Cluster, obj: Object) -> list[tuple[Object, str, str, str]]:
    """(volume, why, path, value) of every volume, those that fail in least first."""
    selector = selectors.from_object(obj["spec"]["selector"]) if obj["spec"].get("selector") is not None else None
    found = []
    for volume in cluster.api.lister(volumes.VOLUMES).list()[:MOST_LOOKED_AT]:
        spec = volume["spec"]
        checks = [
            (volumes.class_of(volume) != volumes.class_of(obj), "class", "spec.storageClassName", volumes.class_of(volume) or "-"),
            (
                bool(spec.get("claimRef")) and not volumes.refers_to(volume, obj),
                "taken",
                "spec.claimRef.name",
                (spec.get("claimRef") or {}).get("name", ""),
            ),
            (volumes.size_of(volume) < volumes.requested(obj), "too-small", "spec.capacity.storage", (spec.get("capacity") or {}).get("storage", "")),
            (
                not all(mode in (spec.get("accessModes") or ()) for mode in obj["spec"].get("accessModes") or ()),
                "modes",
                "spec.accessModes",
                volumes.access_modes(spec.get("accessModes")),
            ),
            (volumes.mode_of(volume) != volumes.mode_of(obj), "mode", "spec.volumeMode", volumes.mode_of(volume)),
            (selector is not None and not selector.matches(labels(volume)), "selector", "metadata.labels", names(labels(volume)) or "-"),
            (
                (volume.get("status") or {}).get("phase") not in ("Available", "Bound"),
                "phase",
                "status.phase",
                (volume.get("status") or {}).get("phase", ""),
            ),
        ]
        failing = [(why, path, value) for bad, why, path, value in checks if bad]
        if failing:
            found.append((len(failing), volume["metadata"]["name"], (volume, *failing[0])))
    return [entry[2] for entry in sorted(found, key=lambda entry: entry[:2])]


def _users(cluster: Cluster, obj: Object) -> list[Object]:
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    return [pod for pod in cluster.api.lister("pods").list(namespace)[:MOST_LOOKED_AT] if any(used == name for _, used in volumes.claims_of(pod))]


def _free(volume: Object) -> Aid:
    return aid("free-volume", f'kubectl patch pv {volume["metadata"]["name"]} -p \'{{"spec":{{"claimRef":null}}}}\'')


def held(cluster: Cluster, obj: Object) -> Reason | None:
    """What keeps one that is being deleted: a claim its pods, a volume its claim."""
    meta, finalizers = obj["metadata"], obj["metadata"].get("finalizers") or ()
    if obj["kind"] == "PersistentVolumeClaim" and "kubernetes.io/pvc-protection" in finalizers and (users := _users(cluster, obj)):
        shown = names(pod["metadata"]["name"] for pod in users)
        facts = [fact(obj, "metadata.finalizers", names(finalizers)), *(fact(pod, "spec.volumes", meta["name"]) for pod in users[:4])]
        return reason("claim-protected", {"pods": shown, "count": len(users)}, facts, [aid("stop-using", f"kubectl delete pod {shown}{scope(obj)}")])
    if obj["kind"] == "PersistentVolume" and "kubernetes.io/pv-protection" in finalizers and (obj.get("status") or {}).get("phase") == "Bound":
        ref = obj["spec"].get("claimRef") or {}
        name, namespace = ref.get("name", ""), ref.get("namespace", "")
        facts = [fact(obj, "metadata.finalizers", names(finalizers)), fact(obj, "spec.claimRef.name", name)]
        where = f" -n {namespace}" if namespace != "default" else ""
        return reason("volume-protected", {"claim": f"{namespace}/{name}"}, facts, [aid("let-go", f"kubectl delete pvc {name}{where}")])
    return None


def volume(cluster: Cluster, obj: Object) -> list[Reason]:
    spec, phase = obj["spec"], (obj.get("status") or {}).get("phase", "Pending")
    holder = spec.get("claimRef") or {}
    held = thing_id("PersistentVolumeClaim", holder.get("namespace", ""), holder.get("name", ""))
    policy = spec.get("persistentVolumeReclaimPolicy", "Retain")
    if phase == "Released":
        return [
            reason(
                "volume-released",
                {"claim": holder.get("name", ""), "policy": policy},
                [fact(obj, "spec.claimRef.name", holder.get("name", "")), fact(obj, "spec.persistentVolumeReclaimPolicy", policy)],
                [_free(obj)],
            )
        ]
    if phase == "Bound":
        return [
            reason(
                "volume-bound",
                {"claim": f"{holder.get('namespace')}/{holder.get('name')}"},
                [fact(obj, "spec.claimRef.name", holder.get("name", "")), fact(held, "status.phase", "Bound")],
            )
        ]
    if phase == "Failed":
        return [
            reason(
                "volume-failed",
                {"message": (obj.get("status") or {}).get("message", "")},
                [fact(obj, "status.message", (obj.get("status") or {}).get("message", ""))],
            )
        ]
    return [
        reason(
            "volume-free",
            {"size": (spec.get("capacity") or {}).get("storage", ""), "class": volumes.class_of(obj) or "-"},
            [fact(obj, "status.phase", phase), fact(obj, "spec.storageClassName", volumes.class_of(obj) or "-")],
        )
    ]
