"""What ingress-nginx's replicas write: Events about the Ingresses that they have seen, and, the leader, where each can be reached.

Every replica notices an Ingress of its own (Event Sync) and loads its configuration anew; the one that holds the Lease writes the address
of the Service that it was told to publish, else those of the machines that the replicas run on, into each Ingress at its next turn: once
a minute. The last replica to go takes its address back.

Source: https://kubernetes.github.io/ingress-nginx/user-guide/cli-arguments/
"""

from __future__ import annotations

import ipaddress
import json
import math
from typing import NamedTuple

from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.events import EventRecorder
from server.cluster.network.connection import Backend
from server.cluster.network.ingress import CLASSES, HTTP, IMAGE, INGRESSES, IngressNginx
from server.cluster.network.ingress_routes import Config, config, given_flags, serves
from server.cluster.objects import Key, Object, annotations, condition, key, replaced
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

LEASES = "leases.coordination.k8s.io"
EVERY, STARTS, RELOAD_AFTER = 60.0, 2.0, 1.0
FOLLOWED = {"controller-class", "ingress-class", "watch-ingress-without-class", "watch-namespace", "publish-service", "publish-status-address",
            "report-node-internal-ip-address", "update-status", "election-id", "default-backend-service"}
BESIDE = {"configmap", "validating-webhook", "validating-webhook-certificate", "validating-webhook-key"}
RELOAD = "NGINX reload triggered due to a change in configuration"
PODS = "pods"


class Replica(NamedTuple):
    """A pod that runs the controller: ``since`` is when it was ready."""

    pod: Key
    uid: str
    settings: Config
    since: float


class IngressStatus(Controller):
    """Keys are Ingresses, or ("", pod's namespace/name) for a replica."""

    name = "nginx-ingress-controller"
    component = "ingress-nginx"
    reaction = 0.02

    def __init__(self, parts: Parts, ingress: IngressNginx) -> None:
        super().__init__(parts)
        self._ingress = ingress
        self.backend: Backend | None = None
        self._replicas: dict[Key, Replica] = {}
        self._recorders: dict[Key, EventRecorder] = {}
        self._seen: dict[Key, dict[Key, Object]] = {}
        self._fresh: dict[Key, None] = {}
        self._leaders: dict[tuple[str, str], Key] = {}
        self.watch(PODS, self._on_pod)
        self.watch(INGRESSES, self._on_ingress)
        self.watch(CLASSES, self._on_class)
        self.watch("services", self._on_service)

    def rebuild(self) -> None:
        """What was ready and stored when the simulation stopped had been seen."""
        self._replicas, self._seen, self._leaders = {}, {}, {}
        for pod in self.lister(PODS).list():
            if _container(pod) is not None:
                self._note(pod)
        for replica in self._replicas.values():
            self._seen[replica.pod] = {key(each): each for each in self._ingress.served(replica.settings)}
        self._fresh = {}
        self._all_ingresses()

    # what happens

    def _on_pod(self, event: Event) -> None:
        pod = event.object
        if _container(pod) is None:
            return
        where = key(pod)
        if event.type == DELETED or "deletionTimestamp" in pod["metadata"]:
            self._gone(where, pod)
        elif self._note(pod):
            self.enqueue(("", "/".join(where)), event)
            self._all_ingresses(event)

    def _note(self, pod: Object) -> bool:
        """Whether a pod is a replica that was none before."""
        where, known, ready = key(pod), self._replicas.get(key(pod)), condition(pod, "Ready")
        if ready is None or ready["status"] != "True" or (known is not None and known.uid == pod["metadata"]["uid"]):
            return False
        self._replicas[where] = Replica(where, pod["metadata"]["uid"], config(_words(pod)), self.clock.seconds(ready["lastTransitionTime"]))
        self._seen[where], self._fresh[where] = {}, None
        return True

    def _gone(self, where: Key, pod: Object) -> None:
        replica = self._replicas.pop(where, None)
        self._seen.pop(where, None)
        self._recorders.pop(where, None)
        self._fresh.pop(where, None)
        if replica is None:
            return
        group = where[0], replica.settings.election
        if self._leaders.get(group) == where:
            del self._leaders[group]
            alone = not any(_group(other) == group for other in self._replicas.values())
            if alone and replica.settings.update_status and self._runs(replica.pod):
                for ingress in self._ingress.served(replica.settings):
                    self.clock.call_later(self.reaction, self._take_back, key(ingress))
        self._all_ingresses()

    def _on_ingress(self, event: Event) -> None:
        where = key(event.object)
        if event.type == DELETED:
            for pod, seen in self._seen.items():
                if seen.pop(where, None) is not None:
                    self.enqueue(("", "/".join(pod)), event, RELOAD_AFTER)
        elif self._replicas:
            self.enqueue(where, event)

    def _on_class(self, event: Event) -> None:
        self._all_ingresses(event)

    def _on_service(self, event: Event) -> None:
        if any(replica.settings.publish_service == key(event.object) for replica in self._replicas.values()):
            self._all_ingresses(event)

    def _all_ingresses(self, event: Event | None = None) -> None:
        if self._replicas:
            for ingress in self.lister(INGRESSES).list():
                self.enqueue(key(ingress), event)

    # what is done about it

    def reconcile(self, key: Key) -> None:
        if not key[0]:
            self._reload(key[1])
            return
        ingress = self.lister(INGRESSES).get(*key)
        if ingress is None or "deletionTimestamp" in ingress["metadata"]:
            return
        classes = {each["metadata"]["name"]: each for each in self.lister(CLASSES).list()}
        for replica in sorted(self._replicas.values()):
            if serves(replica.settings, ingress, classes) and self._runs(replica.pod):
                self._notice(replica, ingress)
                if self._leads(replica) and replica.settings.update_status:
                    self._publish(replica, ingress)
            elif (seen := self._seen.get(replica.pod)) is not None and seen.pop(key, None) is not None:
                self.enqueue(("", "/".join(replica.pod)), None, RELOAD_AFTER)

    def _runs(self, pod: Key) -> bool:
        found = self.lister(PODS).get(*pod)
        return found is not None and self.backend is not None and self.backend.listening(found, HTTP)

    def _notice(self, replica: Replica, ingress: Object) -> None:
        meta, seen = ingress["metadata"], self._seen[replica.pod]
        known = seen.get(key(ingress))
        if known is not None and known["metadata"]["resourceVersion"] == meta["resourceVersion"]:
            return
        seen[key(ingress)] = ingress
        self._recorder(replica.pod).record(ingress, "Normal", "Sync", "Scheduled for sync")
        if known is None or known["spec"] != ingress["spec"] or annotations(known) != annotations(ingress):
            self.enqueue(("", "/".join(replica.pod)), None, RELOAD_AFTER)

    def _recorder(self, pod: Key) -> EventRecorder:
        found = self._recorders.get(pod)
        if found is None:
            found = self._recorders[pod] = self.parts.recorder(self.client, self.name)
        return found

    def _reload(self, name: str) -> None:
        """nginx takes up a new configuration."""
        namespace, _, pod_name = name.partition("/")
        replica, pod = self._replicas.get((namespace, pod_name)), self.lister(PODS).get(namespace, pod_name)
        if replica is None or pod is None or not self._runs(replica.pod):
            return
        if replica.pod in self._fresh:
            del self._fresh[replica.pod]
            self._unfollowed(replica, pod)
        self._say(replica.pod, "I", "controller.go:196", '"Configuration changes detected, backend reload required"')
        self._say(replica.pod, "I", "controller.go:216", '"Backend successfully reloaded"')
        self._recorder(replica.pod).record(pod, "Normal", "RELOAD", RELOAD)

    def _unfollowed(self, replica: Replica, pod: Object) -> None:
        """What it was asked for and nothing follows from here."""
        flags = given_flags(_words(pod))
        for flag in flags:
            if flag not in FOLLOWED and flag not in BESIDE:
                self._say(replica.pod, "W", "podium", f'"--{flag} is accepted, but nothing follows from it here"')
        namespace, _, name = flags.get("configmap", "").partition("/")
        found = self.lister("configmaps").get(namespace, name)
        for option in sorted((found or {}).get("data") or ()):
            self._say(replica.pod, "W", "podium", f'"{option} of the ConfigMap is accepted, but nothing follows from it here"')

    def _say(self, pod: Key, level: str, where: str, text: str) -> None:
        runtime = self.backend
        found, name = self.lister(PODS).get(*pod), ""
        if found is not None:
            name = _container(found)["name"]
        container = runtime.container(*pod, name)
        if container is not None and container.running:
            container.log.add(self.clock.now, f"{level}{container.time():%m%d %H:%M:%S.%f}       7 {where}] {text}", "stderr")
            container.log.flush()

    # the leader

    def _leads(self, replica: Replica) -> bool:
        """Whether a replica holds the Lease; who holds it keeps it while it runs."""
        group = _group(replica)
        leader = self._leaders.get(group)
        if leader is None or leader not in self._replicas or not self._runs(leader):
            lease = self.lister(LEASES).get(*group)
            held = ((lease or {}).get("spec") or {}).get("holderIdentity", "")
            known = [each for each in self._replicas.values() if _group(each) == group and self._runs(each.pod)]
            chosen = min(known, key=lambda each: (each.pod[1] != held, each.since, each.pod))
            leader = self._leaders[group] = chosen.pod
            self._hold(group, leader[1], lease)
        return leader == replica.pod

    def _hold(self, group: tuple[str, str], holder: str, lease: Object | None) -> None:
        now = self.clock.microtime()
        try:
            if lease is None:
                self.client.create(LEASES, {
                    "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"namespace": group[0], "name": group[1]},
                    "spec": {"holderIdentity": holder, "leaseDurationSeconds": 30, "acquireTime": now, "renewTime": now, "leaseTransitions": 0}})
            elif lease["spec"].get("holderIdentity") != holder:
                self.client.update(LEASES, replaced(lease, {"spec": {
                    **lease["spec"], "holderIdentity": holder, "acquireTime": now, "renewTime": now,
                    "leaseTransitions": lease["spec"].get("leaseTransitions", 0) + 1}}))
        except ApiError:
            return

    def _publish(self, leader: Replica, ingress: Object) -> None:
        """Now if it is the leader's turn, else then."""
        wanted = self._addresses(leader)
        if _points(ingress) == wanted:
            return
        turn = leader.since + max(0.0, math.floor((self.clock.now - leader.since) / EVERY)) * EVERY
        first = self.clock.now - leader.since < STARTS
        if not first and self.clock.now - turn > 2 * self.reaction:
            self.enqueue(key(ingress), None, turn + EVERY - self.clock.now)
            return
        self._say(leader.pod, "I", "status.go:304", f'"updating Ingress status" namespace="{ingress["metadata"]["namespace"]}" '
                  f'ingress="{ingress["metadata"]["name"]}" currentValue={_shown(_points(ingress))} newValue={_shown(wanted)}')
        self.client.update(INGRESSES, replaced(ingress, {("status", "loadBalancer"): {"ingress": wanted} if wanted else {}}), "status")

    def _take_back(self, where: Key) -> None:
        ingress = self.lister(INGRESSES).get(*where)
        if ingress is not None and _points(ingress):
            try:
                self.client.update(INGRESSES, replaced(ingress, {("status", "loadBalancer"): {}}), "status")
            except ApiError:
                return

    def _addresses(self, leader: Replica) -> list[Object]:
        settings = leader.settings
        if settings.publish_address:
            return _sorted(list(settings.publish_address))
        if settings.publish_service is not None:
            service = self.lister("services").get(*settings.publish_service)
            return _sorted(_of_service(service)) if service is not None else []
        pods = [self.lister(PODS).get(*each.pod) for each in self._replicas.values() if _group(each) == _group(leader)]
        found = [self.lister("nodes").get("", name) for name in dict.fromkeys(pod["spec"].get("nodeName", "") for pod in pods if pod is not None)]
        return _sorted([_node_address(node, settings.internal_address) for node in found if node is not None])


def _group(replica: Replica) -> tuple[str, str]:
    return replica.pod[0], replica.settings.election


def _container(pod: Object) -> Object | None:
    """The controller's container in a pod."""
    for container in pod["spec"].get("containers") or ():
        image = container.get("image", "")
        if image.startswith(IMAGE) and image[len(IMAGE):len(IMAGE) + 1] in ("", ":", "@"):
            return container
    return None


def _words(pod: Object) -> list[str]:
    """Its command line, with the variables that name the pod put in."""
    container, meta = _container(pod) or {}, pod["metadata"]
    values = {"POD_NAME": meta["name"], "POD_NAMESPACE": meta["namespace"]}
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    for name, value in values.items():
        words = [word.replace(f"$({name})", value) for word in words]
    return words


def _of_service(service: Object) -> list[str]:
    spec = service["spec"]
    external = list(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return [spec.get("externalName", "")]
    if spec.get("type") == "NodePort":
        return external or [spec["clusterIP"]]
    if spec.get("type") == "LoadBalancer":
        points = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        return list(dict.fromkeys([*(point.get("ip") or point.get("hostname", "") for point in points), *external]))
    return [spec["clusterIP"]] if spec.get("clusterIP") not in (None, "", "None") else []


def _node_address(node: Object, internal: bool) -> str:
    addresses = {entry["type"]: entry["address"] for entry in (node.get("status") or {}).get("addresses") or ()}
    return (not internal and addresses.get("ExternalIP")) or addresses.get("InternalIP", "")


def _sorted(addresses: list[str]) -> list[Object]:
    points = []
    for address in sorted(filter(None, addresses)):
        try:
            ipaddress.ip_address(address)
            points.append({"ip": address})
        except ValueError:
            points.append({"hostname": address})
    return points


def _points(ingress: Object) -> list[Object]:
    return ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def _shown(points: list[Object]) -> str:
    return json.dumps(points, separators=(",", ":")) if points else "null"
