"""What the API server itself does to a pod for where it goes: keys become selectors, and a bound pod learns its node's zone.

``with_selectors`` writes what ``matchLabelKeys`` and ``mismatchLabelKeys`` mean for this pod's labels into its selectors when it is
created; ``with_topology`` copies the zone and region of its node into its labels when it is bound. What is the same for all pods of one
template is worked out once.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/, KEP-3243, KEP-4742
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

TOPOLOGY_LABELS = ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
KEPT = 2048


class _Memory:
    """Results by the identity of two parts that many pods share; both are held, so that no id comes to mean something else."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple, tuple[Any, Any, Any]] = OrderedDict()

    def get(self, one: Any, other: Any, make: Callable[[], Any]) -> Any:
        key = id(one), id(other)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = one, other, make()
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return known[2]


_specs, _labels = _Memory(), _Memory()


def with_selectors(pod: Object) -> Object:
    """The pod, its selectors saying what its label keys mean."""
    spec, labels = pod.get("spec"), pod["metadata"].get("labels")
    if not spec or not labels or not (spec.get("topologySpreadConstraints") or spec.get("affinity")):
        return pod
    merged = _specs.get(spec, labels, lambda: _merged(spec, labels))
    return pod if merged is spec else {**pod, "spec": merged}


def _merged(spec: Object, labels: dict[str, str]) -> Object:
    new = dict(spec)
    if constraints := spec.get("topologySpreadConstraints"):
        new["topologySpreadConstraints"] = [_with_keys(constraint, labels) for constraint in constraints]
    if affinity := spec.get("affinity"):
        new["affinity"] = {kind: _affinity(terms, labels) if kind != "nodeAffinity" else terms for kind, terms in affinity.items()}
    return spec if new == spec else new


def _affinity(terms: Object | None, labels: dict[str, str]) -> Object | None:
    if not terms:
        return terms
    new = dict(terms)
    if required := terms.get("requiredDuringSchedulingIgnoredDuringExecution"):
        new["requiredDuringSchedulingIgnoredDuringExecution"] = [_with_keys(term, labels) for term in required]
    if preferred := terms.get("preferredDuringSchedulingIgnoredDuringExecution"):
        new["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {**entry, "podAffinityTerm": _with_keys(entry.get("podAffinityTerm") or {}, labels)} for entry in preferred]
    return new


def _with_keys(term: Object, labels: dict[str, str]) -> Object:
    if not isinstance(term, dict) or not isinstance(term.get("labelSelector"), dict):
        return term
    extra = [{"key": key, "operator": operator, "values": [labels[key]]}
             for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")) for key in term.get(field) or ()
             if key in labels]
    if not extra:
        return term
    selector = term["labelSelector"]
    return {**term, "labelSelector": {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *extra]}}


def with_topology(api: ApiServer, pod: Object, node_name: str) -> Object:
    """The pod with its node's zone and region among its labels."""
    node = api.lister("nodes").get("", node_name)
    there = node["metadata"].get("labels") if node is not None else None
    if not there or ZONE not in there and REGION not in there:
        return pod
    labels = pod["metadata"].get("labels")
    merged = _labels.get(labels, there, lambda: {**(labels or {}), **{key: there[key] for key in TOPOLOGY_LABELS if key in there}})
    return pod if merged == labels else {**pod, "metadata": {**pod["metadata"], "labels": merged}}
