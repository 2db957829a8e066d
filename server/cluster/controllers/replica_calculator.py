"""How many replicas an autoscaler's resource metric asks for: current replicas x what they use / target, rounded up.

Arithmetic only, no clock, no API; within the tolerance of the target (a tenth) the count stays.
In: pods, what each of them uses (``Sample``), what it requests, a target and tolerances. Out: a ``Proposal``, or ``NoMetrics`` with the
words in which the controller reports it. Pods that are not ready count as using nothing when that would mean more pods, pods
without metrics as using all they may when it would mean fewer: an autoscaler that does not know moves less.

Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from server.cluster import quantity
from server.cluster.objects import Object

TOLERANCE = 0.1
INITIALIZATION, INITIAL_READINESS = 300.0, 30.0
NO_PODS = "no pods returned by selector while calculating replica count"
NO_SAMPLES = "did not receive metrics for targeted pods (pods might be unready)"
NO_MATCH = "no metrics returned matched known pods"


class NoMetrics(Exception):
    """The count cannot be worked out; ``str()`` says why."""


class Sample(NamedTuple):
    """Thousandths of cores or bytes, when they were measured and over how many seconds."""

    value: int
    at: float
    window: float


class Tolerances(NamedTuple):
    """By how much the ratio of use to target may be off without consequence."""

    down: float = TOLERANCE
    up: float = TOLERANCE

    def hold(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Proposal(NamedTuple):
    """``utilization`` is in percent of what is requested, ``average`` in thousandths for each pod."""

    replicas: int
    average: int
    utilization: int | None = None


class Groups(NamedTuple):
    """The names of pods, by what their samples are good for."""

    ready: int
    unready: list[str]
    missing: list[str]
    ignored: list[str]


Seconds = Callable[[str], float]


def grouped(pods: list[Object], samples: dict[str, Sample], resource: str, now: float, seconds: Seconds) -> Groups:
    """``seconds`` reads a timestamp."""
    ready, unready, missing, ignored = 0, [], [], []
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        if "deletionTimestamp" in pod["metadata"] or status.get("phase") == "Failed":
            ignored.append(name)
        elif status.get("phase") == "Pending":
            unready.append(name)
        elif name not in samples:
            missing.append(name)
        elif resource == "cpu" and _unready(status, samples[name], now, seconds):
            unready.append(name)
        else:
            ready += 1
    return Groups(ready, unready, missing, ignored)


def _unready(status: Object, sample: Sample, now: float, seconds: Seconds) -> bool:
    """Whether its CPU says nothing yet: in its first minutes it must be ready for as long as the sample took, later it must have been
    ready once."""
    condition = next((entry for entry in status.get("conditions") or () if entry["type"] == "Ready"), None)
    if condition is None or not status.get("startTime"):
        return True
    started, changed = seconds(status["startTime"]), seconds(condition["lastTransitionTime"])
    if started + INITIALIZATION > now:
        return condition["status"] == "False" or sample.at < changed + sample.window
    return condition["status"] == "False" and started + INITIAL_READINESS > changed


def requests(pods: list[Object], resource: str, container: str = "") -> dict[str, int]:
    """What each pod, or that container of it, requests, in thousandths. NoMetrics names the first that does not say."""
    return {pod["metadata"]["name"]: _requested(pod, resource, container) for pod in pods}


def _requested(pod: Object, resource: str, container: str) -> int:
    spec, name = pod["spec"], pod["metadata"]["name"]
    whole = ((spec.get("resources") or {}).get("requests") or {}).get(resource)
    if whole is not None and not container:
        return quantity.milli(whole)
    sidecars = [entry for entry in spec.get("initContainers") or () if entry.get("restartPolicy") == "Always"]
    counted = [entry for entry in (*spec["containers"], *sidecars) if not container or entry["name"] == container]
    if container and not counted:
        raise NoMetrics(f"container {container} not found in Pod {name}")
    total = 0
    for entry in counted:
        asked = ((entry.get("resources") or {}).get("requests") or {}).get(resource)
        if asked is None:
            raise NoMetrics(f"missing request for {resource} in container {entry['name']} of Pod {name}")
        total += quantity.milli(asked)
    return total


def by_utilization(current: int, pods: list[Object], samples: dict[str, Sample], groups: Groups, target: int, tolerances: Tolerances,
                   resource: str, container: str = "") -> Proposal:
    """So many that each uses ``target`` percent of what it requests."""
    known = _known(pods, samples, groups)
    asked = requests(pods, resource, container)

    def ratio(values: dict[str, int]) -> tuple[float, int]:
        used = {name: value for name, value in values.items() if name in asked}
        requested = sum(asked[name] for name in used)
        if not requested:
            raise NoMetrics(NO_MATCH)
        utilization = sum(used.values()) * 100 // requested
        return utilization / target, utilization

    first, utilization = ratio(known)
    average = sum(known.values()) // len(known)
    fallback = max(100, target)
    replicas = _replicas(current, known, groups, first, lambda values: ratio(values)[0], lambda name: asked[name] * fallback // 100, tolerances)
    return Proposal(replicas, average, utilization)


def by_value(current: int, pods: list[Object], samples: dict[str, Sample], groups: Groups, target: int,
             tolerances: Tolerances) -> Proposal:
    """So many that each uses ``target`` thousandths on average."""
    known = _known(pods, samples, groups)

    def ratio(values: dict[str, int]) -> float:
        return sum(values.values()) // len(values) / target

    replicas = _replicas(current, known, groups, ratio(known), ratio, lambda name: target, tolerances)
    return Proposal(replicas, sum(known.values()) // len(known))


def _known(pods: list[Object], samples: dict[str, Sample], groups: Groups) -> dict[str, int]:
    if not pods:
        raise NoMetrics(NO_PODS)
    left_out = {*groups.ignored, *groups.unready}
    known = {name: sample.value for name, sample in samples.items() if name not in left_out}
    if not known:
        raise NoMetrics(NO_SAMPLES)
    return known


def _replicas(current: int, known: dict[str, int], groups: Groups, ratio: float, of: Callable[[dict[str, int]], float],
              full: Callable[[str], int], tolerances: Tolerances) -> int:
    """The count for a ratio of use to target; with pods that nothing is known of, on the assumption that speaks against moving."""
    unready_matter = bool(groups.unready) and ratio > 1.0
    if not unready_matter and not groups.missing:
        return current if tolerances.hold(ratio) else math.ceil(ratio * groups.ready)
    assumed = dict(known)
    if ratio < 1.0:
        assumed.update({name: full(name) for name in groups.missing})
    elif ratio > 1.0:
        assumed.update(dict.fromkeys(groups.missing, 0))
    if unready_matter:
        assumed.update(dict.fromkeys(groups.unready, 0))
    damped = of(assumed)
    if tolerances.hold(damped) or (ratio < 1.0 < damped) or (damped < 1.0 < ratio):
        return current
    wanted = math.ceil(damped * len(assumed))
    turned = (damped < 1.0 and wanted > current) or (damped > 1.0 and wanted < current)
    return current if turned else wanted
