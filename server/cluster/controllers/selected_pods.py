"""Which pods each Service selects, for the two controllers that publish them.

In: Services and pods. Out: for every Service key, the pods to look at again: only those that changed, or all of them when the
Service itself changed. Services are indexed by one label of their selector, so a pod asks only the few that could select it, and
changes wait a little longer the more pods there are, so that a thousand pods becoming ready are a handful of writes.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#services-in-kubernetes
"""

from __future__ import annotations

from server.cluster import selectors
from server.cluster.apiserver.defaults.filling import Memory
from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.objects import Key, Object, condition, key, labels, namespace
from server.cluster.parts import Parts
from server.cluster.selectors import Selector
from server.cluster.store import DELETED, Event

BATCH_PER_POD = 0.001
LONGEST_BATCH = 1.0
ANSWERS_KEPT = 1024
_NO_STATUS: Object = {}
HEADLESS = "service.kubernetes.io/headless"
LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"


class ServiceIndex:
    """Services by the first pair of their selector. Pods of one template share their labels, so answers are kept by identity."""

    def __init__(self) -> None:
        self._selectors: dict[Key, Selector] = {}
        self._by_label: dict[tuple[str, str, str], dict[Key, None]] = {}
        self._answers: dict[tuple[str, int], tuple[dict[str, str], list[Key]]] = {}

    def put(self, key: Key, selector: dict[str, str] | None) -> None:
        """The Service now selects that; None or {} is nothing."""
        self._answers.clear()
        old = self._selectors.pop(key, None)
        if old is not None:
            self._by_label[key[0], *old.exact[0]].pop(key)
        if selector:
            built = self._selectors[key] = selectors.from_labels(selector)
            self._by_label.setdefault((key[0], *built.exact[0]), {})[key] = None

    def selecting(self, namespace: str, labelled: dict[str, str]) -> list[Key]:
        """The Services that select these labels, in order of name."""
        known = self._answers.get((namespace, id(labelled)))
        if known is not None:
            return known[1]
        found = sorted(key for label in labelled.items() for key in self._by_label.get((namespace, *label), ())
                       if self._selectors[key].matches(labelled))
        if len(self._answers) >= ANSWERS_KEPT:
            self._answers.clear()
        self._answers[namespace, id(labelled)] = labelled, found
        return found


class SelectedPodsController(Controller):
    """``publish(service, pods)`` is called with what changed; it keeps what it knows of a Service until ``forget``."""

    reconciles = "services"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._services = self.lister("services")
        self._pods = self.lister("pods")
        self._index = ServiceIndex()
        self._changed: dict[Key, dict[str, None]] = {}
        self._readied: dict[Key, dict[str, str]] = {}
        self.watch("services", self._on_service)
        self.watch("pods", self._on_pod)

    def publish(self, service: Object, pods: dict[str, Object | None], everything: bool) -> None:
        """Brings the Service's endpoints up to date with ``pods`` (None: gone, or not selected any more); ``everything`` says that
        no other pod is selected."""
        raise NotImplementedError

    def withdraw(self, key: Key) -> None:
        """The Service is gone."""

    def rebuild(self) -> None:
        self._index, self._changed, self._readied = ServiceIndex(), {}, {}
        for service in self._services.list():
            self._index.put(key(service), _selector(service))

    # what wakes it

    def _on_service(self, event: Event) -> None:
        where = key(event.object)
        self._index.put(where, None if event.type == DELETED else _selector(event.object))
        self.look_at_everything(where, event)

    def look_at_everything(self, where: Key, event: Event) -> None:
        self._changed.pop(where, None)
        self.enqueue(where, event)

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        if event.type == DELETED:
            if _address(before):
                self._tell(before, labels(before), event)
            return
        if before is None:
            if _address(pod):
                self._tell(pod, labels(pod), event)
            return
        relabelled = before["metadata"].get("labels") is not pod["metadata"].get("labels") and labels(before) != labels(pod)
        if not relabelled and not _endpoint_changed(before, pod):
            return
        self._tell(pod, labels(pod), event)
        if relabelled:
            self._tell(pod, labels(before), event)

    def _tell(self, pod: Object, labelled: dict[str, str], event: Event) -> None:
        where = namespace(pod)
        for service in self._index.selecting(where, labelled):
            changed = self._changed.get(service)
            if changed is not None:
                changed[pod["metadata"]["name"]] = None
            self.enqueue(service, event, after=min(LONGEST_BATCH, self._pods.count(where) * BATCH_PER_POD))

    # what it does

    def reconcile(self, key: Key) -> None:
        service = self._services.get(*key)
        changed = self._changed.pop(key, None)
        if service is None:
            self._readied.pop(key, None)
            self.withdraw(key)
            return
        selector = _selector(service)
        if not selector:
            return
        wanted = selectors.from_labels(selector)
        if changed is None:
            pods: dict[str, Object | None] = {pod["metadata"]["name"]: pod for pod in self._pods.select(key[0], wanted)}
        else:
            pods = {name: self._selected(key[0], name, wanted) for name in changed}
        self.publish(service, pods, changed is None)
        self._changed[key] = {}

    def _selected(self, where: str, name: str, selector: Selector) -> Object | None:
        pod = self._pods.get(where, name)
        return pod if pod is not None and selector.matches(labels(pod)) else None

    def trigger_time(self, service: Object, pods: dict[str, Object | None]) -> str | None:
        """When what is being published came about: the earliest new readiness of a pod or, the first time, the Service's creation."""
        where = key(service)
        known = self._readied.get(where)
        moments: list[str] = []
        if known is None:
            known = self._readied[where] = {}
            moments.append(service["metadata"]["creationTimestamp"])
        for name, pod in pods.items():
            ready = condition(pod, "Ready") if pod is not None else None
            moment = ready.get("lastTransitionTime") if ready is not None else None
            if moment is None:
                known.pop(name, None)
            elif moment > known.get(name, ""):
                known[name] = moment
                moments.append(moment)
        return min(moments, default=None)


def _selector(service: Object) -> dict[str, str] | None:
    return None if service["spec"].get("type") == "ExternalName" else service["spec"].get("selector")


def _address(pod: Object) -> str:
    status = pod.get("status")
    return status.get("podIP", "") if status else ""


def _endpoint_changed(before: Object, after: Object) -> bool:
    """Whether the change is one that a pod's endpoint could show. A pod without an address has none."""
    status, known = after.get("status") or _NO_STATUS, before.get("status") or _NO_STATUS
    address, was = status.get("podIP", ""), known.get("podIP", "")
    if not address and not was:
        return False
    if ("deletionTimestamp" in before["metadata"]) != ("deletionTimestamp" in after["metadata"]):
        return True
    if status is known:
        return False
    return (address != was or podfacts.ready(before) != podfacts.ready(after)
            or podfacts.terminal(before) != podfacts.terminal(after))


def headless(service: Object) -> bool:
    return service["spec"].get("clusterIP") == "None"


def target_reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def hostname(service: Object, pod: Object) -> str:
    """The name under which DNS knows the pod within the Service."""
    spec, metadata = pod["spec"], service["metadata"]
    same = spec.get("subdomain") == metadata["name"] and metadata["namespace"] == namespace(pod)
    return spec.get("hostname", "") if same else ""


def ports(service: Object, pod: Object) -> list[Object]:
    """The Service's ports as this pod listens on them; a named target port the pod does not have is left out. All pods of a Service
    without named target ports share one list."""
    listed = service["spec"].get("ports")
    if not listed:
        return []
    return _same_for_all.get(listed) or [_listening(port, number) for port in listed if (number := target_port(pod, port)) is not None]


def _listening(port: Object, number: int) -> Object:
    entry = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
    if port.get("appProtocol"):
        entry["appProtocol"] = port["appProtocol"]
    return entry


def _numbered(listed: list[Object]) -> list[Object] | None:
    """The ports that pods listen on if each target port is a number."""
    numbers = [port.get("targetPort") or port["port"] for port in listed]
    if any(isinstance(number, str) for number in numbers):
        return None
    return [_listening(port, number) for port, number in zip(listed, numbers, strict=True)]


_same_for_all = Memory(_numbered)


def target_port(pod: Object, port: Object) -> int | None:
    """
    >>> pod = {"spec": {"containers": [{"ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}]}}
    >>> target_port(pod, {"port": 8080, "targetPort": "http"}), target_port(pod, {"port": 8080, "targetPort": "admin"})
    (80, None)
    """
    target = port.get("targetPort") or port["port"]
    if not isinstance(target, str):
        return target
    restartable = [entry for entry in pod["spec"].get("initContainers") or () if entry.get("restartPolicy") == "Always"]
    for container in (*restartable, *pod["spec"]["containers"]):
        for named in container.get("ports") or ():
            if named.get("name") == target and named.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return named["containerPort"]
    return None
