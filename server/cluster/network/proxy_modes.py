"""In which mode kube-proxy runs on each node: as its ConfigMap said when its container there was started.

In: the pods of the DaemonSet ``kube-proxy``, and the ConfigMap of that name. Out: ``of(node)``. A change of the ConfigMap takes effect as the
pods are restarted; what each has read is kept in the state. A mode that there is none of leaves the rules as they were: the real program
ends with an error before it touches them.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.objects import Object, labels
from server.cluster.store import DELETED, Event, State
from server.cluster.yamltext import YamlError, load_document

IPTABLES, IPVS, NFTABLES = "iptables", "ipvs", "nftables"
MODES = {"": IPTABLES, "iptables": IPTABLES, "ipvs": IPVS, "nftables": NFTABLES}
ROUND_ROBIN, SOURCE_HASH = "rr", "sh"
SCHEDULERS = {"": ROUND_ROBIN, "rr": ROUND_ROBIN, "wrr": "wrr", "sh": SOURCE_HASH}
NAMESPACE, NAME, CONFIG = "kube-system", "kube-proxy", "config.conf"
STATE = "proxy-mode/"


class Mode(NamedTuple):
    """``scheduler`` is how ipvs picks."""

    name: str = IPTABLES
    scheduler: str = ROUND_ROBIN


class ProxyModes:
    def __init__(self, api: ApiServer, state: State, changed: Callable[[], None]) -> None:
        self._api = api
        self._state = state
        self._changed = changed
        self._modes: dict[str, Mode] = {}
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        for name, kept in self._state.items(STATE):
            self._modes[name.removeprefix(STATE)] = Mode(kept["mode"], kept["scheduler"])
        self._api.watch("pods", self._on_pod)

    def of(self, node: str) -> Mode:
        return self._modes.get(node) or Mode()

    def any(self, mode: str) -> bool:
        """Whether some node runs in it."""
        return any(known.name == mode for known in self._modes.values())

    def _on_pod(self, event: Event) -> None:
        pod = event.object
        if event.key[0] != NAMESPACE or event.type is DELETED or labels(pod).get("k8s-app") != NAME:
            return
        node, running = pod["spec"].get("nodeName"), _running(pod)
        kept = self._state.get(STATE + node) if node else None
        if not node or not running or kept is not None and kept["container"] == running:
            return
        mode = self.configured() or self.of(node)
        self._state.set(STATE + node, {"container": running, "mode": mode.name, "scheduler": mode.scheduler})
        if mode != self.of(node):
            self._modes[node] = mode
            self._changed()

    def configured(self) -> Mode | None:
        """What the ConfigMap says now; None if kube-proxy does not understand it."""
        found = self._api.lister("configmaps").get(NAMESPACE, NAME)
        try:
            config = load_document(((found or {}).get("data") or {}).get(CONFIG) or "{}")[0]
        except YamlError:
            return None
        if not isinstance(config, dict):
            return None
        mode = config.get("mode") or ""
        ipvs = config.get("ipvs") if isinstance(config.get("ipvs"), dict) else {}
        scheduler = ipvs.get("scheduler") or ""
        if mode not in MODES or MODES[mode] == IPVS and scheduler not in SCHEDULERS:
            return None
        return Mode(MODES[mode], SCHEDULERS.get(scheduler, ROUND_ROBIN))


def _running(pod: Object) -> str:
    """The id of the container that runs."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if status["name"] == NAME and "running" in (status.get("state") or {}):
            return status.get("containerID", "")
    return ""
