"""What an autoscaler's metrics say: each read from the API that has it, turned into a number of replicas and a line of its status.

In: a ``Reading`` (the autoscaler, its target's pods and size). Out: ``Found``: the largest proposal, the status of every metric, and
for each that could not be read its failure in the words that become events and conditions. Resource metrics come from
metrics.k8s.io; for Pods, Object and External metrics somebody would have to serve an API that nobody serves here.

Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#support-for-metrics-apis
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster import quantity
from server.cluster.apiserver.client import Client
from server.cluster.controllers.replica_calculator import (
    INITIALIZATION,
    TOLERANCE,
    Groups,
    NoMetrics,
    Proposal,
    Sample,
    Tolerances,
    by_utilization,
    by_value,
    grouped,
)
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object
from server.cluster.parts import Parts

GROUP, PODS = "metrics.k8s.io", "pods.metrics.k8s.io"
NO_CUSTOM = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"


class Failure(NamedTuple):
    """``message`` is what the condition and its event say, ``outer`` what the whole evaluation says."""

    reason: str
    message: str
    outer: str


class MetricError(Exception):
    """Nothing can be recommended; ``statuses`` are the metrics' all the same."""

    def __init__(self, message: str, statuses: list[Object] | None = None) -> None:
        super().__init__(message)
        self.statuses = statuses


class Reading(NamedTuple):
    autoscaler: Object
    pods: list[Object]
    selector: str
    current: int


class Found(NamedTuple):
    """``settled``: the same metrics will say the same again, until something happens."""

    replicas: int = -1
    metric: str = ""
    statuses: list[Object] | None = None
    failures: tuple[Failure, ...] = ()
    settled: bool = True

    @property
    def partial(self) -> bool:
        return bool(self.failures)


class Metrics:
    def __init__(self, parts: Parts, client: Client) -> None:
        self._clock = parts.clock
        self._api = parts.api
        self._client = client
        self._sources: dict[str, Callable[[Reading, Object], tuple[int, str, Object, bool]]] = {
            "Resource": self._resource, "ContainerResource": self._container_resource}

    def on_change(self, callback: Callable[[Key], None]) -> bool:
        """``callback(pod)`` when a pod's use changes; whether anybody will call it."""
        extension: Any = self._api.extensions.get(GROUP)
        if extension is not None:
            extension.on_change(callback)
        return extension is not None

    def read(self, reading: Reading) -> Found:
        """All metrics of the autoscaler."""
        best, metric, statuses, failures, settled = 0, "", [], [], True
        for spec in reading.autoscaler["spec"].get("metrics") or ():
            source = self._sources.get(spec["type"])
            try:
                replicas, name, status, rests = source(reading, spec) if source is not None else _unserved(reading, spec)
            except _Unreadable as error:
                failures.append(error.failure)
                statuses.append({"type": ""})
                continue
            statuses.append(status)
            settled = settled and rests
            if best == 0 or replicas > best:
                best, metric = replicas, name
        return Found(best, metric, statuses, tuple(failures), settled)

    # CPU and memory

    def _resource(self, reading: Reading, spec: Object) -> tuple[int, str, Object, bool]:
        source = spec["resource"]
        name = source["name"]
        proposal, called, rests = self._of_pods(reading, source, "", "FailedGetResourceMetric", f"failed to get {name} resource metric value: ")
        return proposal.replicas, called, {"type": "Resource", "resource": {"name": name, "current": _current(proposal)}}, rests

    def _container_resource(self, reading: Reading, spec: Object) -> tuple[int, str, Object, bool]:
        source = spec["containerResource"]
        name, container = source["name"], source["container"]
        proposal, called, rests = self._of_pods(reading, source, container, "FailedGetContainerResourceMetric",
                                                f"failed to get {name} container metric value: ")
        return proposal.replicas, called, {"type": "ContainerResource", "containerResource": {
            "name": name, "container": container, "current": _current(proposal)}}, rests

    def _of_pods(self, reading: Reading, source: Object, container: str, reason: str, outer: str) -> tuple[Proposal, str, bool]:
        resource, target = source["name"], source["target"]
        utilization = target.get("averageValue") is None
        try:
            samples = self._samples(reading, resource, container)
            groups = grouped(reading.pods, samples, resource, self._clock.now, self._clock.seconds)
            tolerances = _tolerances(reading.autoscaler)
            if utilization:
                proposal = by_utilization(reading.current, reading.pods, samples, groups, target["averageUtilization"], tolerances, resource,
                                          container)
            else:
                proposal = by_value(reading.current, reading.pods, samples, groups, quantity.milli(target["averageValue"]), tolerances)
        except NoMetrics as error:
            message = f"failed to get {resource} {'utilization' if utilization else 'usage'}: {error}"
            raise _Unreadable(Failure(reason, message, outer + message)) from None
        called = f"{resource} resource"
        if utilization:
            called = f"{resource} {'container ' if container else ''}resource utilization (percentage of request)"
        return proposal, called, self._rests(reading.pods, groups)

    def _samples(self, reading: Reading, resource: str, container: str) -> dict[str, Sample]:
        """What each pod uses, by name."""
        failed = f"unable to get metrics for resource {resource}: "
        namespace = reading.autoscaler["metadata"]["namespace"]
        try:
            listed = self._client.list(PODS, namespace, label_selector=reading.selector)
        except ApiError as error:
            text = error.message if PODS in error.message else f"{error.message} (get {PODS})"
            raise NoMetrics(f"{failed}unable to fetch metrics from resource metrics API: {text}") from None
        if not listed:
            raise NoMetrics(f"{failed}no metrics returned from resource metrics API")
        samples = {}
        for metrics in listed:
            name = metrics["metadata"]["name"]
            used = [entry["usage"] for entry in metrics["containers"] if not container or entry["name"] == container]
            if container and not used:
                raise NoMetrics(f"{failed}failed to get container metrics: container {container} not present in metrics for pod "
                                f"{namespace}/{name}")
            value = sum(quantity.milli(usage[resource]) for usage in used if resource in usage)
            if any(resource in usage for usage in used):
                samples[name] = Sample(value, self._clock.seconds(metrics["timestamp"]), float(metrics["window"].removesuffix("s")))
        if not samples:
            raise NoMetrics(NO_RESOURCE.format(failed))
        return samples

    def _rests(self, pods: list[Object], groups: Groups) -> bool:
        """Whether time alone will change neither the samples nor what they are good for."""
        extension: Any = self._api.extensions[GROUP]
        now, seconds, waiting = self._clock.now, self._clock.seconds, {*groups.unready, *groups.missing}
        for pod in pods:
            started = (pod.get("status") or {}).get("startTime")
            if not extension.settled(pod) or (pod["metadata"]["name"] in waiting and started and seconds(started) + INITIALIZATION > now):
                return False
        return True


NO_RESOURCE = "{}no metrics returned from resource metrics API"


class _Unreadable(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _current(proposal: Proposal) -> Object:
    average = {"averageValue": quantity.from_milli(proposal.average)}
    return average if proposal.utilization is None else {"averageUtilization": proposal.utilization, **average}


def _tolerances(autoscaler: Object) -> Tolerances:
    behavior = autoscaler["spec"].get("behavior") or {}
    down, up = ((behavior.get(direction) or {}).get("tolerance") for direction in ("scaleDown", "scaleUp"))
    return Tolerances(*(TOLERANCE if given is None else quantity.parse(given).nano / 1e9 for given in (down, up)))


# metrics that nobody serves


def _unserved(reading: Reading, spec: Object) -> tuple[int, str, Object, bool]:
    namespace, kind = reading.autoscaler["metadata"]["namespace"], spec["type"]
    source = spec[kind[:1].lower() + kind[1:]]
    name, target = source["metric"]["name"], source.get("target") or {}
    if kind == "Pods":
        message = f"unable to get metric {name}: {NO_CUSTOM}"
        raise _Unreadable(Failure("FailedGetPodsMetric", message, f"failed to get pods metric value: {message}"))
    if kind == "Object":
        about = source["describedObject"]
        message = f"unable to get metric {name}: {about['kind']} on {namespace} {about['name']}/{NO_CUSTOM}"
        average = target.get("type") == "AverageValue"
        inner = f"failed to get {name} object metric: {message}" if average else message
        raise _Unreadable(Failure("FailedGetObjectMetric", message, f"failed to get object metric value: {inner}"))
    selector = _go_selector(source["metric"].get("selector"))
    message = (f"unable to get external metric {namespace}/{name}/{selector}: unable to fetch metrics from external metrics API: "
               f"the server could not find the requested resource (get {name}.external.metrics.k8s.io)")
    inner = f"failed to get {name} external metric: " if target.get("averageValue") is not None else f"failed to get external metric {name}: "
    raise _Unreadable(Failure("FailedGetExternalMetric", message, f"failed to get {name} external metric value: {inner}{message}"))


def _go_selector(selector: Object | None) -> str:
    """A LabelSelector as Go prints one."""
    if selector is None:
        return "nil"
    labels = " ".join(f"{label}: {value}" for label, value in sorted((selector.get("matchLabels") or {}).items())).replace(": ", ":")
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{entry['key']},Operator:{entry['operator']},Values:[{' '.join(entry.get('values') or ())}],}},"
        for entry in selector.get("matchExpressions") or ())
    pairs = "".join(f"{pair}," for pair in labels.split(" ") if pair)
    return f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
