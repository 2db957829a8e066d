"""Words that Kubernetes shows for an object, shared by server-printed tables, the terminal's kubectl and the scene.

In: plain API objects and virtual times. Out: an age (`5m3s`), a pod's READY, STATUS and RESTARTS columns, a service's ports,
endpoints as a short list, a selector as text. One place, so that a pod is called the same in a table, in a
description and on the canvas.

>>> duration(63), duration(303), duration(183600)
('63s', '5m3s', '2d3h')
"""

from __future__ import annotations

from typing import Any, NamedTuple

from server.cluster.clock import Clock
from server.cluster.objects import Object

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"
MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 31_536_000
SHOWN_ENDPOINTS = 3

# below the bound: the unit, and the smaller unit that is shown with it when it is not nil
_STEPS = (
    (2 * MINUTE, 1, "s", 0, ""),
    (10 * MINUTE, MINUTE, "m", 1, "s"),
    (3 * HOUR, MINUTE, "m", 0, ""),
    (8 * HOUR, HOUR, "h", MINUTE, "m"),
    (2 * DAY, HOUR, "h", 0, ""),
    (8 * DAY, DAY, "d", HOUR, "h"),
    (2 * YEAR, DAY, "d", 0, ""),
    (8 * YEAR, YEAR, "y", DAY, "d"),
)


def duration(seconds: float) -> str:
    """A span of time in at most two units; a moment in the future is "<invalid>", but for clock skew."""
    whole = int(seconds)
    if whole < 0:
        return "<invalid>" if whole < -1 else "0s"
    for bound, unit, name, smaller, smaller_name in _STEPS:
        if whole < bound:
            rest = whole % unit // smaller if smaller else 0
            return f"{whole // unit}{name}{rest}{smaller_name}" if rest else f"{whole // unit}{name}"
    return f"{whole // YEAR}y"


def age(stamp: str | None, now: float, clock: Clock) -> str:
    """How long ago an RFC 3339 time is at virtual ``now``."""
    if not stamp:
        return UNKNOWN
    return duration(now - clock.seconds(stamp))


class PodStatus(NamedTuple):
    """What a pod's row says of it. ``restarted`` is when a container last ended before a restart ("" if none did)."""

    ready_containers: int
    containers: int
    status: str
    restarts: int
    restarted: str

    @property
    def ready(self) -> str:
        return f"{self.ready_containers}/{self.containers}"

    def restarts_column(self, now: float, clock: Clock) -> str:
        """``2 (5s ago)``."""
        if not self.restarts or not self.restarted:
            return str(self.restarts)
        return f"{self.restarts} ({age(self.restarted, now, clock)} ago)"


def pod_status(pod: Object) -> PodStatus:
    """The READY, STATUS and RESTARTS of a pod, from its phase, reason, conditions and containers' states."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    conditions = status.get("conditions") or ()
    phase = status.get("phase", "")
    shown = status.get("reason") or phase
    if any(entry["type"] == "PodScheduled" and entry.get("reason") == "SchedulingGated" for entry in conditions):
        shown = "SchedulingGated"

    sidecars = {entry["name"] for entry in spec.get("initContainers") or () if entry.get("restartPolicy") == "Always"}
    starting, ready, restarts, restarted = _init_status(spec, status.get("initContainerStatuses") or (), sidecars)
    shown = starting or shown
    if not starting or any(entry["type"] == "Initialized" and entry["status"] == "True" for entry in conditions):
        shown, running, restarts, restarted = _main_status(status, shown, sidecars)
        ready += running
        if shown == "Completed" and running:
            is_ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
            shown = "Running" if is_ready else "NotReady"

    if meta.get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            shown = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            shown = "Terminating"
    return PodStatus(ready, len(spec.get("containers") or ()) + len(sidecars), shown, restarts, restarted)


def _init_status(spec: Object, statuses: list[Object], sidecars: set[str]) -> tuple[str, int, int, str]:
    """What is shown while init containers run ("" once they are through), ready sidecars, restarts, the last restart."""
    ready, restarts, restarted = 0, 0, ""
    for index, entry in enumerate(statuses):
        restarts += entry.get("restartCount", 0)
        restarted = max(restarted, _ended_before(entry))
        state = entry.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and not ended.get("exitCode"):
            continue
        if entry["name"] in sidecars and entry.get("started"):
            ready += bool(entry.get("ready"))
            continue
        if ended:
            return "Init:" + _ending(ended), ready, restarts, restarted
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return "Init:" + waiting["reason"], ready, restarts, restarted
        return f"Init:{index}/{len(spec.get('initContainers') or ())}", ready, restarts, restarted
    return "", ready, restarts, restarted


def _main_status(status: Object, shown: str, sidecars: set[str]) -> tuple[str, int, int, str]:
    """What is shown once the pod is initialized, ready containers, restarts, the last restart. The first container has the say."""
    kept = [entry for entry in status.get("initContainerStatuses") or () if entry["name"] in sidecars]
    mains = status.get("containerStatuses") or ()
    restarts = sum(entry.get("restartCount", 0) for entry in (*kept, *mains))
    restarted = max((_ended_before(entry) for entry in (*kept, *mains)), default="")
    running = 0
    for entry in reversed(mains):
        state = entry.get("state") or {}
        if reason := (state.get("waiting") or {}).get("reason"):
            shown = reason
        elif state.get("terminated"):
            shown = _ending(state["terminated"])
        elif entry.get("ready") and "running" in state:
            running += 1
    return shown, running, restarts, restarted


def _ended_before(entry: Object) -> str:
    return ((entry.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""


def _ending(terminated: Object) -> str:
    if terminated.get("reason"):
        return terminated["reason"]
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def node_status(node: Object) -> str:
    """``Ready``, ``NotReady``, ``Unknown`` (no such condition), with ``,SchedulingDisabled`` when cordoned."""
    ready = [entry["status"] for entry in (node.get("status") or {}).get("conditions") or () if entry["type"] == "Ready"]
    shown = "Unknown" if not ready else "Ready" if ready[-1] == "True" else "NotReady"
    return shown + ",SchedulingDisabled" if (node.get("spec") or {}).get("unschedulable") else shown


def node_roles(node: Object) -> list[str]:
    """From the labels ``node-role.kubernetes.io/<role>`` and ``kubernetes.io/role``."""
    roles = set()
    for key, value in (node["metadata"].get("labels") or {}).items():
        if key.startswith("node-role.kubernetes.io/"):
            if role := key.removeprefix("node-role.kubernetes.io/"):
                roles.add(role)
        elif key == "kubernetes.io/role" and value:
            roles.add(value)
    return sorted(roles)


def node_address(node: Object, type_: str) -> str:
    """The node's first address of a type (InternalIP, ExternalIP, Hostname), or <none>."""
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((entry["address"] for entry in addresses if entry["type"] == type_), NONE)


def service_ports(service: Object) -> str:
    """``80:30210/TCP,443/TCP``."""
    ports = (service.get("spec") or {}).get("ports") or ()
    return ",".join(
        f"{port['port']}:{port['nodePort']}/{port.get('protocol', 'TCP')}" if port.get("nodePort")
        else f"{port['port']}/{port.get('protocol', 'TCP')}"
        for port in ports
    ) or NONE


def service_external_ip(service: Object) -> str:
    """The EXTERNAL-IP column: what outsiders reach the service by, ``<pending>`` for a load balancer that has none yet."""
    spec = service.get("spec") or {}
    external = list(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return spec.get("externalName", "")
    if spec.get("type") != "LoadBalancer":
        return ",".join(external) or NONE
    return ",".join([*balanced_addresses(service), *external]) or "<pending>"


def balanced_addresses(obj: Object) -> list[str]:
    """Where a Service's load balancer or an Ingress's controller can be reached."""
    points = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return sorted({point.get("ip") or point.get("hostname") or "" for point in points} - {""})


def short_list(items: list[str], shown: int = SHOWN_ENDPOINTS) -> str:
    """At most three, then ``+ 2 more...``.

    >>> short_list(["a", "b", "c", "d"])
    'a,b,c + 1 more...'
    """
    if len(items) <= shown:
        return ",".join(items)
    return f"{','.join(items[:shown])} + {len(items) - shown} more..."


def endpoints(obj: Object, port_name: str | None = None) -> str:
    """The ready addresses of an Endpoints object as ``ip:port``; with ``port_name`` only those of that port."""
    subsets = obj.get("subsets") or ()
    if not subsets:
        return NONE
    found = []
    for subset in subsets:
        addresses = [entry["ip"] for entry in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if not ports:
            found += addresses
        for port in ports:
            if port_name is None or port.get("name", "") == port_name:
                found += [host_port(address, port["port"]) for address in addresses]
    return short_list(found)


def host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def labels(values: dict[str, str] | None) -> str:
    """``app=web,tier=front`` in order of key."""
    return ",".join(f"{key}={value}" for key, value in sorted((values or {}).items())) or NONE


def selector(label_selector: Object | None) -> str:
    """A LabelSelector as text: ``app=web,tier in (back,front),!old``."""
    return ",".join(text for _, text in sorted(_requirements(label_selector or {}), key=lambda entry: entry[0])) or NONE


def _requirements(label_selector: Object) -> list[tuple[str, str]]:
    parts = [(key, f"{key}={value}") for key, value in (label_selector.get("matchLabels") or {}).items()]
    for entry in label_selector.get("matchExpressions") or ():
        key, operator, values = entry["key"], entry["operator"], ",".join(sorted(entry.get("values") or ()))
        shown: dict[str, str] = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        parts.append((key, shown.get(operator, "<invalid>")))
    return parts


def event_object(event: Object) -> str:
    """``pod/web-1``."""
    involved: dict[str, Any] = event.get("involvedObject") or {}
    kind = involved.get("kind", "").lower()
    return f"{kind}/{involved['name']}" if involved.get("name") else kind


def event_source(event: Object) -> str:
    """``kubelet, w1-k8s``."""
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    instance = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else component


class EventTimes(NamedTuple):
    first: str | None
    last: str | None
    count: int


def event_times(event: Object) -> EventTimes:
    """When an event happened first and last, and how often, whichever of the two ways it is recorded in."""
    first = event.get("firstTimestamp") or event.get("eventTime")
    last = event.get("lastTimestamp") or first
    series = event.get("series")
    if series:
        return EventTimes(first, series.get("lastObservedTime"), series.get("count", 0))
    return EventTimes(first, last, event.get("count") or 1)
