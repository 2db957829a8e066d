"""A pod as the scheduler sees it: what it asks for, in ints and tuples, worked out once.

In comes a Pod object, out a ``PodInfo`` whose ``requirements`` are a canonical, hashable form of everything the filters compare with
a node. Equal requirements mean equal verdicts, so the pods of one ReplicaSet share one set of cached verdicts even though
admission gave each of them a volume and a mount of its own.

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from __future__ import annotations

from typing import Any, NamedTuple

from server.cluster import quantity
from server.cluster.objects import Key, Object, controller_of

DEFAULT_CPU, DEFAULT_MEMORY = 100, 200 * 1024 * 1024
NATIVE = ("cpu", "memory", "ephemeral-storage")


class Demand(NamedTuple):
    """Requests: ``cpu`` in thousandths, the rest in units; ``scored_*`` count a container without a request as a little one."""

    cpu: int = 0
    memory: int = 0
    storage: int = 0
    extended: tuple[tuple[str, int], ...] = ()
    scored_cpu: int = 0
    scored_memory: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.cpu or self.memory or self.storage or self.extended)


class Requirements(NamedTuple):
    """What decides, for this pod, about a node by itself. Each field is canonical: equal content compares equal."""

    demand: Demand
    host_ports: tuple[tuple[str, str, int], ...]
    tolerations: tuple
    node_selector: tuple
    node_affinity: tuple
    images: tuple[str, ...]
    claims: tuple[str, ...]


class PodInfo:
    """``labels_key`` stands for the pod's namespace and labels, ``spreading`` and ``neighbours`` for its topology spread constraints
    and pod (anti-)affinity (None: has none)."""

    __slots__ = ("pod", "key", "uid", "priority", "requirements", "labels_key", "owner", "spreading", "neighbours", "deleting")

    def __init__(self, pod: Object) -> None:
        meta, spec = pod["metadata"], pod["spec"]
        self.pod = pod
        self.key: Key = (meta["namespace"], meta["name"])
        self.uid: str = meta["uid"]
        self.priority: int = spec.get("priority") or 0
        self.requirements = requirements(held(pod) if resizing(pod) else spec)
        self.labels_key = labels_key(meta)
        owner = controller_of(pod)
        self.owner = (owner["kind"], owner["name"]) if owner is not None else None
        constraints = spec.get("topologySpreadConstraints")
        self.spreading = frozen(constraints) if constraints else None
        affinity = spec.get("affinity")
        neighbours = (affinity.get("podAffinity"), affinity.get("podAntiAffinity")) if affinity else (None, None)
        self.neighbours = frozen(neighbours) if any(neighbours) else None
        self.deleting = "deletionTimestamp" in meta

    def relabelled(self, pod: Object) -> PodInfo:
        """The same pod with other labels."""
        new = PodInfo.__new__(PodInfo)
        new.pod, new.labels_key = pod, labels_key(pod["metadata"])
        new.key, new.uid, new.priority, new.requirements, new.owner = self.key, self.uid, self.priority, self.requirements, self.owner
        new.spreading, new.neighbours, new.deleting = self.spreading, self.neighbours, self.deleting
        return new


def resizing(pod: Object) -> tuple:
    """How far an in-place resize is, as the pod's conditions tell; empty when there is none."""
    meta = pod["metadata"]
    if meta.get("generation", 1) == 1 or "deletionTimestamp" in meta:
        return ()
    status = pod.get("status") or {}
    found = tuple((entry["type"], entry.get("reason")) for entry in status.get("conditions") or () if entry["type"].startswith("PodResize"))
    return found or ((("asked", ""),) if status.get("observedGeneration", 1) < meta["generation"] else ())


def held(pod: Object) -> Object:
    """The spec of a pod that is being resized, with the most of what it asks for, what is set aside for it and what it has; what can
    never be granted does not count."""
    spec, status = pod["spec"], pod.get("status") or {}
    known = {entry["name"]: entry for field in ("containerStatuses", "initContainerStatuses") for entry in status.get(field) or ()}
    infeasible = ("PodResizePending", "Infeasible") in resizing(pod)
    new = dict(spec)
    for field in ("containers", "initContainers"):
        if field in spec:
            new[field] = [_held(container, known.get(container["name"]), infeasible) for container in spec[field]]
    return new


def _held(container: Object, status: Object | None, infeasible: bool) -> Object:
    if status is None:
        return container
    resources = container.get("resources") or {}
    parts = [{} if infeasible else resources.get("requests") or {}, status.get("allocatedResources") or {},
             (status.get("resources") or {}).get("requests") or {}]
    names = {name: None for part in parts for name in part}
    most = {name: max((part[name] for part in parts if name in part), key=lambda text: quantity.parse(text).nano) for name in names}
    return {**container, "resources": {**resources, "requests": most}}


LabelsKey = tuple[str, tuple[tuple[str, str], ...]]


def labels_key(meta: Object) -> LabelsKey:
    labels = meta.get("labels")
    return meta["namespace"], tuple(sorted(labels.items())) if labels else ()


def frozen(value: Any) -> Any:
    """A JSON value as nested tuples, equal for equal content.

    >>> frozen({"b": [1, {"c": None}], "a": "x"})
    (('a', 'x'), ('b', (1, (('c', None),))))
    """
    if isinstance(value, dict):
        return tuple((name, frozen(value[name])) for name in sorted(value))
    if isinstance(value, (list, tuple)):
        return tuple(frozen(entry) for entry in value)
    return value


_shared: dict[int, tuple[Any, Any]] = {}


def _frozen_shared(value: Any) -> Any:
    """``frozen`` of a part that many pods share by reference."""
    if not value:
        return ()
    known = _shared.get(id(value))
    if known is not None and known[0] is value:
        return known[1]
    if len(_shared) > 2048:
        _shared.clear()
    result = frozen(value)
    _shared[id(value)] = (value, result)
    return result


_interned: dict[tuple, Requirements] = {}


def requirements(spec: Object) -> Requirements:
    """The requirements of a pod's spec, the same object for equal ones."""
    affinity = spec.get("affinity")
    containers = spec["containers"]
    init = spec.get("initContainers")
    shape = (
        tuple([(c.get("image"), _frozen_shared(c.get("resources")), _ports(c.get("ports"))) for c in containers]),
        tuple([(c.get("image"), c.get("restartPolicy"), _frozen_shared(c.get("resources")), _ports(c.get("ports"))) for c in init])
        if init else (),
        _frozen_shared(spec.get("resources")), _frozen_shared(spec.get("overhead")), _frozen_shared(spec.get("tolerations")),
        _frozen_shared(spec.get("nodeSelector")), _frozen_shared(affinity.get("nodeAffinity")) if affinity else (),
        _claims(spec),
    )
    known = _interned.get(shape)
    if known is None:
        if len(_interned) > 8192:
            _interned.clear()
        known = _interned[shape] = Requirements(
            demand(spec), tuple(sorted({port for part in (*shape[0], *shape[1]) for port in part[-1]})),
            shape[4], shape[5], shape[6], tuple(part[0] or "" for part in (*shape[1], *shape[0])), shape[7])
    return known


def _ports(ports: list[Object] | None) -> tuple:
    if not ports:
        return ()
    return tuple([(port.get("protocol") or "TCP", port.get("hostIP") or "0.0.0.0", port["hostPort"])
                  for port in ports if port.get("hostPort")])


def _claims(spec: Object) -> tuple[str, ...]:
    """Names of PersistentVolumeClaims (``pvc/``) and resource claims (``resource/``) that the pod needs."""
    found = []
    for volume in spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            found.append(f"pvc/{volume['persistentVolumeClaim'].get('claimName', '')}")
        elif "ephemeral" in volume:
            found.append(f"ephemeral/{volume['name']}")
    for claim in spec.get("resourceClaims") or ():
        found.append(f"resource/{claim.get('resourceClaimName') or claim.get('resourceClaimTemplateName') or claim['name']}")
    return tuple(found)


def demand(spec: Object) -> Demand:
    """What a pod asks of its node: containers and sidecars together, but at least what its hungriest init container asks.

    >>> demand({"containers": [{"resources": {"requests": {"cpu": "250m"}}}, {}]})
    Demand(cpu=250, memory=0, storage=0, extended=(), scored_cpu=350, scored_memory=419430400)
    """
    total: dict[str, int] = {}
    scored: dict[str, int] = {}
    for container in spec["containers"]:
        _add(total, _requests(container))
        _add(scored, _with_defaults(_requests(container)))
    peak, scored_peak = _init_peak(spec.get("initContainers") or (), total, scored)
    pod_level = (spec.get("resources") or {}).get("requests") or {}
    for resource, text in pod_level.items():
        peak[resource] = scored_peak[resource] = _amount(resource, text)
    overhead = {resource: _amount(resource, text) for resource, text in (spec.get("overhead") or {}).items()}
    _add(peak, overhead)
    _add(scored_peak, overhead)
    return Demand(peak.get("cpu", 0), peak.get("memory", 0), peak.get("ephemeral-storage", 0),
                  tuple((name, peak[name]) for name in sorted(peak) if name not in NATIVE and peak[name]),
                  scored_peak.get("cpu", 0), scored_peak.get("memory", 0))


def _init_peak(init: Any, total: dict[str, int], scored: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Totals over the pod's life: init containers run one at a time, beside the sidecars started before them."""
    results = []
    for amounts, of in ((total, _requests), (scored, lambda container: _with_defaults(_requests(container)))):
        sidecars: dict[str, int] = {}
        peak: dict[str, int] = {}
        for container in init:
            now = dict(of(container))
            _add(now, sidecars)
            if container.get("restartPolicy") == "Always":
                sidecars = now
            for name, amount in now.items():
                peak[name] = max(peak.get(name, 0), amount)
        together = dict(amounts)
        _add(together, sidecars)
        for name, amount in peak.items():
            together[name] = max(together.get(name, 0), amount)
        results.append(together)
    return results[0], results[1]


def _requests(container: Object) -> dict[str, int]:
    requests = (container.get("resources") or {}).get("requests") or {}
    return {name: _amount(name, text) for name, text in requests.items()}


def _with_defaults(requests: dict[str, int]) -> dict[str, int]:
    return {**requests, "cpu": requests.get("cpu", DEFAULT_CPU), "memory": requests.get("memory", DEFAULT_MEMORY)}


def _amount(name: str, text: Any) -> int:
    return quantity.milli(text) if name == "cpu" else quantity.value(text)


def _add(into: dict[str, int], more: dict[str, int]) -> None:
    for name, amount in more.items():
        into[name] = into.get(name, 0) + amount
