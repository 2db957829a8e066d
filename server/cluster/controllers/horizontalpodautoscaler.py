"""HorizontalPodAutoscaler: the size of a workload follows what its pods use.

In: HorizontalPodAutoscalers, the scale of what they name, its pods, and what the metrics API says of them. Out: another scale, the
status with its conditions, events. One look goes: the target's scale (``_scale``), what each metric asks for
(``autoscaler_metrics``, by the arithmetic of ``replica_calculator``), the most of these within what is allowed now
(``scaling_behavior``), the new scale. An autoscaler looks every 15 seconds from its creation on, and acts as if it did so always; but
while nothing can come out differently (``Found.settled``) no look is planned, and whatever may change that plans the next one.

Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from __future__ import annotations

import math
from typing import Any

from server.cluster import selectors
from server.cluster.apiserver.resources import RESOURCES, stored_kind
from server.cluster.conditions import with_condition
from server.cluster.controllers.autoscaler_metrics import Found, MetricError, Metrics, Reading
from server.cluster.controllers.base import Controller
from server.cluster.controllers.scaling_behavior import PERIOD, History, Verdict, periods, size, windows
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, condition, deleting, key, labels, name, namespace, uid
from server.cluster.parts import Parts
from server.cluster.selectors import Selector
from server.cluster.store import DELETED, Event

AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
STATE = "autoscaler/"
METRICS_SERVICE = ("kube-system", "metrics-server")
SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
EXACT = 1e-3
NO_METRICS_TRIES, SLOW = 12, 300.0  # so many events of one object are told at once, later ones every five minutes
TARGETS = tuple(row.key for row in RESOURCES.values() if row.subresource("scale") is not None)


class _Look:
    """One evaluation: the status as it becomes."""

    def __init__(self, autoscaler: Object, now: str) -> None:
        self.object = autoscaler
        self.status: Object = dict(autoscaler.get("status") or {})
        self._now = now

    def condition(self, type_: str, verdict: Verdict) -> None:
        self.status["conditions"] = with_condition(self.status.get("conditions"), {
            "type": type_, "status": "True" if verdict.status else "False", "lastTransitionTime": self._now, "reason": verdict.reason,
            "message": verdict.message})

    def counts(self, current: int, desired: int, metrics: list[Object] | None) -> None:
        self.status.update(currentReplicas=current, desiredReplicas=desired, currentMetrics=metrics)


class HorizontalPodAutoscalerController(Controller):
    """Of each autoscaler it knows the selector of its target's pods (``_selectors``, by namespace and name), by what name its target
    goes (``_named``), when it looked last and how often in a row it has failed."""

    name = "horizontal-pod-autoscaler"
    reaction = 0.0
    reconciles = AUTOSCALERS

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._autoscalers = self.lister(AUTOSCALERS)
        self._metrics = Metrics(parts, self.client)
        self._selectors: dict[str, dict[str, Selector]] = {}
        self._failures_told: dict[Key, int] = {}
        self._looked: dict[Key, float] = {}
        self._named: dict[tuple[str, str, str], list[Key]] = {}
        self.watch(AUTOSCALERS, self._on_autoscaler)
        self.watch("pods", self._on_pod)
        for resource in TARGETS:
            self.watch(resource, self._on_target)
        self.watch("services", self._on_metrics_service)
        self.watch(SLICES, self._on_metrics_service)
        parts.heartbeats.on_change(lambda node: self._all())
        self._hooked = False

    def rebuild(self) -> None:
        self._named = {}
        for autoscaler in self._autoscalers.list():
            self._name(autoscaler)
        if not self._hooked:
            self._hooked = self._metrics.on_change(self._on_use)

    # what may change an outcome

    def _name(self, autoscaler: Object) -> None:
        reference = autoscaler["spec"]["scaleTargetRef"]
        known = self._named.setdefault((namespace(autoscaler), reference["kind"], reference["name"]), [])
        if key(autoscaler) not in known:
            known.append(key(autoscaler))

    def _on_autoscaler(self, event: Event) -> None:
        self._name(event.object)
        if event.type is DELETED or event.previous is None or event.object["spec"] != event.previous["spec"]:
            self.enqueue(key(event.object), event)

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        known = self._selectors.get(namespace(pod))
        if not known or (before is not None and event.type is not DELETED and before["spec"] is pod["spec"]
                         and _facts(before) == _facts(pod) and labels(before) == labels(pod)):
            return
        for autoscaler, selector in known.items():
            if any(obj is not None and selector.matches(labels(obj)) for obj in (pod, before)):
                self.enqueue((namespace(pod), autoscaler), event)

    def _on_target(self, event: Event) -> None:
        target = event.object
        for autoscaler in self._named.get((namespace(target), target["kind"], name(target)), ()):
            self.enqueue(autoscaler, event)

    def _on_metrics_service(self, event: Event) -> None:
        service = name(event.object) if event.resource == "services" else labels(event.object).get(SERVICE_NAME)
        if (namespace(event.object), service) == METRICS_SERVICE:
            self._all()

    def _on_use(self, pod: Key) -> None:
        """A pod uses more or less than before."""
        known = self._selectors.get(pod[0]) if self.running else None
        if known and (obj := self.lister("pods").get(*pod)) is not None:
            for autoscaler, selector in known.items():
                if selector.matches(labels(obj)):
                    self.enqueue((pod[0], autoscaler))

    def _all(self) -> None:
        for autoscaler in self._autoscalers.list() if self.running else ():
            self.enqueue(key(autoscaler))

    # looking

    def _next(self, autoscaler: Object, moment: float) -> float:
        """The first look that is planned for ``moment`` or later."""
        born = self.clock.seconds(autoscaler["metadata"]["creationTimestamp"])
        return born + PERIOD * max(1, math.ceil((moment - born - EXACT) / PERIOD))

    def reconcile(self, key: Key) -> None:
        autoscaler = self._autoscalers.get(*key)
        if autoscaler is None:
            return self._forget(key)
        now = self.clock.now
        due = self._next(autoscaler, max(now, self._looked.get(key, now - PERIOD) + PERIOD))
        if due > now + EXACT:
            return self.enqueue(key, after=due - now)
        self._looked[key] = due
        failed, again = self._look(key, autoscaler)
        tries = self._failures_told[key] = self._failures_told.get(key, 0) + 1 if failed else 0
        if failed:
            again = now + (PERIOD if tries <= NO_METRICS_TRIES else SLOW)
        if again is not None:
            self.enqueue(key, after=max(self._next(autoscaler, max(again, now + PERIOD)) - now, 0.0))
        return None

    def _forget(self, key: Key) -> None:
        self._failures_told.pop(key, None)
        self._looked.pop(key, None)
        self._selectors.get(key[0], {}).pop(key[1], None)
        for where, known in list(self._named.items()):
            if key in known:
                self._named[where] = [other for other in known if other != key]
                if not self._named[where]:
                    del self._named[where]
        live = {uid(autoscaler) for autoscaler in self._autoscalers.list()}
        for entry, _ in self.parts.state.items(STATE):
            if entry.removeprefix(STATE) not in live:
                self.parts.state.set(entry, None)

    def _look(self, key: Key, autoscaler: Object) -> tuple[bool, float | None]:
        """One evaluation: (whether it failed, when the next may come out differently)."""
        look = _Look(autoscaler, self.clock.timestamp())
        try:
            resource, scale = self._scale(autoscaler)
        except ApiError as error:
            self.record(autoscaler, "Warning", "FailedGetScale", error.message)
            look.condition("AbleToScale", Verdict(
                False, "FailedGetScale", f"the HPA controller was unable to get the target's current scale: {error.message}"))
            self._write(look)
            return True, None
        look.condition("AbleToScale", Verdict(True, "SucceededGetScale", "the HPA controller was able to get the target's current scale"))
        return self._evaluate(key, look, resource, scale)

    def _scale(self, autoscaler: Object) -> tuple[str, Object]:
        """(resource, its Scale) of what the autoscaler names. ApiError says why there is none."""
        reference = autoscaler["spec"]["scaleTargetRef"]
        row = stored_kind(reference.get("apiVersion") or "", reference["kind"])
        if row is None:
            group = (reference.get("apiVersion") or "").rpartition("/")[0]
            raise ApiError(404, "NotFound", f'no matches for kind "{reference["kind"]}" in group "{group}"')
        return row.key, self.client.get(row.key, namespace(autoscaler), reference["name"], "scale")

    def _evaluate(self, key: Key, look: _Look, resource: str, scale: Object) -> tuple[bool, float | None]:
        """Works out the size, brings it about and tells of it."""
        autoscaler, spec, now = look.object, look.object["spec"], self.clock.now
        current = scale["spec"].get("replicas", 0)
        history = History(self.parts.state.get(STATE + uid(autoscaler)))
        history.begin(current, now)
        try:
            desired, why, found = self._desired(key, look, scale, history)
        except MetricError as error:
            history.close(now)
            self._keep(autoscaler, history)
            look.counts(current, look.status.get("desiredReplicas", 0), error.statuses)
            self.record(autoscaler, "Warning", "FailedComputeMetricsReplicas", str(error))
            self._write(look)
            return True, None
        if found.metric == "":
            history.close(now)
        if desired != current and not self._rescale(look, resource, scale, desired, why, found.statuses):
            self._keep(autoscaler, history)
            return True, None
        if desired != current and spec.get("behavior") is not None:
            history.changed(desired - current, now)
        self._keep(autoscaler, history)
        look.counts(current, desired, found.statuses)
        self._write(look)
        return bool(found.partial), self._again(spec, history, found, desired != current)

    def _desired(self, key: Key, look: _Look, scale: Object, history: History) -> tuple[int, str, Found]:
        """The size to have, why, and what the metrics said. They are not asked while the target is stopped (0 replicas) or is out of
        bounds; MetricError if they cannot answer."""
        spec, current = look.object["spec"], scale["spec"].get("replicas", 0)
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        if current == 0 and least != 0:
            look.condition("ScalingActive", Verdict(
                False, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero"))
            return current, "", Found()
        if current > most:
            return most, "Current number of replicas above Spec.MaxReplicas", Found()
        if current < least:
            return least, "Current number of replicas below Spec.MinReplicas", Found()
        found = self._recommended(key, look, scale, current)
        wanted = max(found.replicas, 0)
        why = "" if wanted == current else f"{found.metric} above target" if wanted > current else "All metrics below target"
        sized = size(history, spec.get("behavior"), current, wanted, least, most, self.clock.now)
        look.condition("AbleToScale", sized.able)
        look.condition("ScalingLimited", sized.limited)
        return sized.replicas, why, found

    def _recommended(self, key: Key, look: _Look, scale: Object, current: int) -> Found:
        """What the metrics ask for; the most of them, if they differ. MetricError if that cannot be said."""
        autoscaler = look.object
        selector = scale["status"].get("selector", "")
        if not selector:
            self.record(autoscaler, "Warning", "SelectorRequired", "selector is required")
            look.condition("ScalingActive", Verdict(False, "InvalidSelector", "the HPA target's scale is missing a selector"))
            raise MetricError("selector is required")
        parsed = selectors.parse(selector)
        self._selectors.setdefault(key[0], {})[key[1]] = parsed
        pods = self.lister("pods").select(key[0], parsed)
        others = self._others(key, pods)
        if others:
            text = f"pods by selector {selector} are controlled by multiple HPAs: [{' '.join(others)}]"
            self.record(autoscaler, "Warning", "AmbiguousSelector", text)
            look.condition("ScalingActive", Verdict(False, "AmbiguousSelector", text))
            raise MetricError(text)
        reading = Reading(autoscaler, pods, selector, current)
        found = self._metrics.read(reading)
        for failure in found.failures:
            self.record(autoscaler, "Warning", failure.reason, failure.message)
        specs = autoscaler["spec"].get("metrics") or []
        failures = found.failures
        if failures:
            text = f"invalid metrics ({len(failures)} invalid out of {len(specs)}), first error is: {failures[0].outer}"
            if len(failures) >= len(specs) or found.replicas < current:
                look.condition("ScalingActive", Verdict(
                    False, failures[0].reason, f"the HPA was unable to compute the replica count: {failures[0].message}"))
                raise MetricError(text, found.statuses)
        look.condition("ScalingActive", Verdict(
            True, "ValidMetricFound", f"the HPA was able to successfully calculate a replica count from {found.metric}"))
        return found

    def _others(self, key: Key, pods: list[Object]) -> list[str]:
        """All autoscalers that select some of these pods, if there is more than this one."""
        known = self._selectors.get(key[0], {})
        if len(known) < 2:
            return []
        selecting = [other for other, selector in sorted(known.items())
                     if other == key[1] or any(selector.matches(labels(pod)) for pod in pods)]
        return [f"{key[0]}/{other}" for other in selecting] if len(selecting) > 1 else []

    # acting

    def _rescale(self, look: _Look, resource: str, scale: Object, desired: int, why: str, statuses: list[Object] | None) -> bool:
        current = scale["spec"].get("replicas", 0)
        try:
            self.client.update(resource, {**scale, "spec": {**scale["spec"], "replicas": desired}}, "scale")
        except ApiError as error:
            self.record(look.object, "Warning", "FailedRescale", f"New size: {desired}; reason: {why}; error: {error.message}")
            look.condition("AbleToScale", Verdict(
                False, "FailedUpdateScale", f"the HPA controller was unable to update the target scale: {error.message}"))
            look.counts(current, look.status.get("desiredReplicas", 0), statuses)
            self._write(look)
            return False
        look.condition("AbleToScale", Verdict(
            True, "SucceededRescale", f"the HPA controller was able to update the target scale to {desired}"))
        look.status["lastScaleTime"] = self.clock.timestamp()
        self.record(look.object, "Normal", "SuccessfulRescale", f"New size: {desired}; reason: {why}")
        return True

    def _write(self, look: _Look) -> None:
        if look.status != look.object.get("status"):
            self.client.update(AUTOSCALERS, {**look.object, "status": look.status}, "status")

    def _keep(self, autoscaler: Object, history: History) -> None:
        """Notes the history, as far back as it can still matter, where it outlives the controller."""
        behavior, entry = autoscaler["spec"].get("behavior"), STATE + uid(autoscaler)
        history.forget(self.clock.now, max(windows(behavior)), max(periods(behavior), default=0.0))
        kept: Any = history.dump()
        if kept != self.parts.state.get(entry):
            self.parts.state.set(entry, kept)

    def _again(self, spec: Object, history: History, found: Found, rescaled: bool) -> float | None:
        """When the next look may find something else, if nobody says so before: None for never."""
        if rescaled or not found.settled:
            return self.clock.now + PERIOD
        behavior = spec.get("behavior")
        return history.next(self.clock.now, [window for window in windows(behavior) if window], periods(behavior))


def _facts(pod: Object) -> tuple:
    """What of a pod an autoscaler looks at."""
    status = pod.get("status") or {}
    ready = condition(pod, "Ready") or {}
    return status.get("phase"), ready.get("status"), deleting(pod)
