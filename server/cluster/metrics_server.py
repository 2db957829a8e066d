"""The metrics server: ``metrics.k8s.io/v1beta1``, the CPU and memory that nodes and pods use, as ``kubectl top`` and autoscalers ask it.

It is an add-on that runs in pods. In: the runtime's use of CPU and memory (``runtime.usage``), which kubelets live, the Service
``kube-system/metrics-server`` (it makes the API known) and its ready pods (they answer; without one the API is unavailable).
Out: NodeMetrics and PodMetrics as of the last scrape, which happens every 15 seconds: nothing is scraped, the figures of that moment
are worked out when somebody asks.

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from server.cluster import field_selectors, quantity, selectors
from server.cluster.apiserver.request import Request, Response
from server.cluster.apiserver.resources import Resource
from server.cluster.errors import ApiError, bad_request, not_found
from server.cluster.kubelet.system_pods import CONTROL_PLANE_ROLE, REGISTRY
from server.cluster.objects import Key, Object
from server.cluster.parts import Parts
from server.cluster.runtime.container import Container
from server.cluster.runtime.runtime import Runtime
from server.cluster.selectors import Selector

GROUP, API_VERSION = "metrics.k8s.io", "metrics.k8s.io/v1beta1"
RESOLUTION, FRESHEST = 15.0, 10.0
NAMESPACE, NAME = "kube-system", "metrics-server"
SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
IMAGE, PORT = f"{REGISTRY}/metrics-server/metrics-server:v0.8.0", 10250
PAGE = 4096
COLUMNS = (("Name", "string", "name", "Name of the resource"), ("cpu", "string", "quantity", "CPU used."),
           ("memory", "string", "quantity", "Memory used."), ("Window", "string", "duration", "The time that the CPU is averaged over."))


def unavailable(resource: Resource) -> ApiError:
    """What stands in for an answer while no pod of the add-on is ready."""
    return ApiError(503, "ServiceUnavailable", f"the server is currently unable to handle the request (get {resource.key})")


class MetricsServer:
    """The extension of the API server for the group."""

    def __init__(self, parts: Parts, runtime: Runtime) -> None:
        self._clock = parts.clock
        self._api = parts.api
        self._heartbeats = parts.heartbeats
        self._runtime = runtime
        self._usage = runtime.usage
        self._callbacks: list[Callable[[Key], None]] = []
        parts.api.extensions[GROUP] = self

    def on_change(self, callback: Callable[[Key], None]) -> None:
        """``callback(pod)`` in the instant in which what a pod uses changes."""
        if not self._callbacks:
            self._usage.on_change(self._changed)
        self._callbacks.append(callback)

    def _changed(self, container: Container) -> None:
        for callback in self._callbacks:
            callback(container.sandbox.key)

    # whether it is there

    def installed(self) -> bool:
        return self._api.lister("services").get(NAMESPACE, NAME) is not None

    def available(self) -> bool:
        """Whether one of its pods is ready."""
        found = self._api.lister(SLICES).select(NAMESPACE, selectors.parse(f"{SERVICE_NAME}={NAME}"))
        return any((endpoint.get("conditions") or {}).get("ready") for entry in found for endpoint in entry.get("endpoints") or ())

    def scraped(self) -> float:
        """The virtual moment of the last scrape."""
        return math.floor(self._clock.now / RESOLUTION) * RESOLUTION

    # answering

    def request(self, resource: Resource, request: Request) -> Response:
        if not self.available():
            raise unavailable(resource)
        nodes = resource.kind == "NodeMetrics"
        if request.verb == "get":
            found = [self._node(request.name) if nodes else self._pod(request.namespace, request.name)]
        else:
            found = self._nodes(request) if nodes else self._pods(request)
        if request.table is not None:
            return Response(200, _table(found, request.table))
        if request.verb == "get":
            return Response(200, found[0])
        return Response(200, {"kind": f"{resource.kind}List", "apiVersion": API_VERSION, "metadata": {}, "items": found})

    def _nodes(self, request: Request) -> list[Object]:
        labels, fields = _selectors(request, "nodes")
        nodes = (node for node in self._api.lister("nodes").list()
                 if (labels is None or labels.matches(node["metadata"].get("labels") or {})) and (fields is None or fields.matches(node)))
        return [metrics for node in nodes if (metrics := self.of_node(node)) is not None]

    def _pods(self, request: Request) -> list[Object]:
        labels, fields = _selectors(request, "pods")
        lister, namespace = self._api.lister("pods"), request.namespace or None
        pods = lister.list(namespace) if labels is None else lister.select(namespace, labels)
        return [metrics for pod in pods if (fields is None or fields.matches(pod)) and (metrics := self.of_pod(pod)) is not None]

    def _node(self, name: str) -> Object:
        node = self._api.lister("nodes").get("", name)
        if node is None:
            raise not_found("nodes", name)
        metrics = self.of_node(node)
        if metrics is None:
            raise not_found(f"nodemetrics.{GROUP}", name)
        return metrics

    def _pod(self, namespace: str, name: str) -> Object:
        pod = self._api.lister("pods").get(namespace, name)
        if pod is None:
            raise not_found("pods", f"{namespace}/{name}")
        metrics = self.of_pod(pod)
        if metrics is None:
            raise not_found(f"podmetrics.{GROUP}", f"{namespace}/{name}")
        return metrics

    # the figures

    def _answers(self, node: str, at: float) -> bool:
        """Whether the node's kubelet could be scraped then."""
        stopped = self._heartbeats.stopped_at(node)
        return stopped is None or stopped > at

    def of_node(self, node: Object) -> Object | None:
        """NodeMetrics; None when there is nothing to tell."""
        name, until = node["metadata"]["name"], self.scraped()
        since = until - RESOLUTION
        if not self._answers(name, until) or self._clock.seconds(node["metadata"]["creationTimestamp"]) > since:
            return None
        cpu, memory = self._usage.node(name, since, until)
        return self._metrics("NodeMetrics", node, until, RESOLUTION, {"usage": _usage(cpu, memory)})

    def of_pod(self, pod: Object) -> Object | None:
        """PodMetrics; None for a pod that does not run, or has a container too young for them."""
        sandbox, until = self._runtime.pod(pod), self.scraped()
        running = [container for container in sandbox.containers.values() if container.running] if sandbox is not None else []
        if not running or not self._answers(sandbox.node, until) or any(container.started > until - FRESHEST for container in running):
            return None
        since = [max(until - RESOLUTION, container.started) for container in running]
        containers = [
            {"name": container.launch.name,
             "usage": _usage(self._usage.average(container, start, until), self._usage.memory(container, until))}
            for container, start in sorted(zip(running, since, strict=True), key=lambda pair: pair[0].launch.name)]
        return self._metrics("PodMetrics", pod, until, until - max(since), {"containers": containers})

    def settled(self, pod: Object) -> bool:
        """Whether the pod's next metrics will be as its last ones, if nothing happens."""
        sandbox, until = self._runtime.pod(pod), self.scraped()
        return sandbox is None or all(self._settled(container, until) for container in sandbox.containers.values() if container.running)

    def _settled(self, container: Container, until: float) -> bool:
        return container.started <= until - RESOLUTION and self._usage.steady(container, until - RESOLUTION)

    def _metrics(self, kind: str, obj: Object, until: float, window: float, rest: Object) -> Object:
        meta = obj["metadata"]
        about = {"name": meta["name"], **({"namespace": meta["namespace"]} if "namespace" in meta else {}),
                 "creationTimestamp": self._clock.timestamp(), **({"labels": meta["labels"]} if meta.get("labels") else {})}
        return {"kind": kind, "apiVersion": API_VERSION, "metadata": about, "timestamp": self._clock.timestamp(until),
                "window": _duration(window), **rest}


def _usage(cpu: int, memory: int) -> dict[str, str]:
    return {"cpu": quantity.canonical(f"{cpu}n"), "memory": quantity.from_value(memory // PAGE * PAGE)}


def _duration(seconds: float) -> str:
    """
    >>> _duration(15.0), _duration(12.345678)
    ('15s', '12.346s')
    """
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def _selectors(request: Request, resource: str) -> tuple[Selector | None, Any]:
    options = request.options
    try:
        return (selectors.parse(options.label_selector) if options.label_selector else None,
                field_selectors.parse(options.field_selector, resource) if options.field_selector else None)
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from None


def _table(found: list[Object], include: str) -> Object:
    definitions = [{"name": name, "type": type_, "format": format_, "description": text, "priority": 0}
                   for name, type_, format_, text in COLUMNS]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": definitions,
            "rows": [_row(metrics, include) for metrics in found]}


def _row(metrics: Object, include: str) -> Object:
    parts = [metrics["usage"]] if "usage" in metrics else [container["usage"] for container in metrics["containers"]]
    cpu, memory = (quantity.add(*(part[name] for part in parts)) for name in ("cpu", "memory"))
    shown = {"Object": metrics, "None": None}.get(include, {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                                                          "metadata": metrics["metadata"]})
    return {"cells": [metrics["metadata"]["name"], cpu, memory, metrics["window"]], "object": shown}


def manifests() -> list[Object]:
    """The add-on: its ServiceAccount, its Service and its Deployment."""
    labels, meta = {"k8s-app": NAME}, {"name": NAME, "namespace": NAMESPACE, "labels": {"k8s-app": NAME}}
    probe = {"scheme": "HTTPS", "port": "https"}
    container = {
        "name": NAME, "image": IMAGE, "imagePullPolicy": "IfNotPresent",
        "args": ["--cert-dir=/tmp", f"--secure-port={PORT}", "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
                 "--kubelet-use-node-status-port", f"--metric-resolution={RESOLUTION:.0f}s", "--kubelet-insecure-tls"],
        "ports": [{"name": "https", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "200Mi"}},
        "livenessProbe": {"httpGet": {"path": "/livez", **probe}, "failureThreshold": 3, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/readyz", **probe}, "failureThreshold": 3, "initialDelaySeconds": 20, "periodSeconds": 10},
        "volumeMounts": [{"name": "tmp-dir", "mountPath": "/tmp"}]}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"}], "selector": labels}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {
            "selector": {"matchLabels": labels}, "strategy": {"rollingUpdate": {"maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": {
                "containers": [container], "nodeSelector": {"kubernetes.io/os": "linux"}, "priorityClassName": "system-cluster-critical",
                "serviceAccountName": NAME, "tolerations": [{"key": CONTROL_PLANE_ROLE, "effect": "NoSchedule"}],
                "volumes": [{"name": "tmp-dir", "emptyDir": {}}]}}}},
    ]
