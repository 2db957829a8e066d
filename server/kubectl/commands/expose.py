"""kubectl expose: a Service for what a Pod, Service, Deployment or ReplicaSet selects.

In: the objects. Out: Services created. Selector, ports and labels come from the object where flags do not give them.
"""

from __future__ import annotations

from typing import Any

from server.kubectl import resources
from server.kubectl.command import DRY_RUN, FILENAME, OUTPUT, Command, field_manager
from server.kubectl.commands.create import SAVE_CONFIG, finish
from server.kubectl.commands.run import _labels as parse_labels
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flag, Flags
from server.kubectl.overrides import apply_overrides
from server.kubectl.resources import Info

Object = dict[str, Any]
EXPOSED = ("services", "pods", "deployments.apps", "replicasets.apps", "replicationcontrollers")


def expose(ctx: Context, args: list[str], flags: Flags) -> None:
    found = resources.find(ctx, args, filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, types_alone=False)
    errors = list(found.errors)
    for info in found.infos:
        try:
            service = apply_overrides(_service(info, flags), flags.overrides, flags.override_type)
            finish(ctx, flags, service, "", "exposed")
        except CommandError as error:
            errors.append(error)
    raise_all(errors)


def _service(info: Info, flags: Flags) -> Object:
    if info.resource.key not in EXPOSED:
        raise CommandError(f"cannot expose a {'.'.join(filter(None, (info.resource.kind, info.resource.group)))}")
    obj = info.object
    name = flags.name or info.name[:63]
    selector = parse_labels(flags.selector) if flags.selector else _selector(info)
    labels = parse_labels(flags.labels) if flags.labels else obj["metadata"].get("labels") or {}
    ports = _ports(flags, info)
    spec: Object = {"ports": ports} if ports else {}
    if selector:
        spec["selector"] = selector
    if flags.cluster_ip:
        spec["clusterIP"] = flags.cluster_ip
    if flags.type:
        spec["type"] = flags.type
    if flags.external_ip:
        spec["externalIPs"] = [flags.external_ip]
    if flags.session_affinity:
        if flags.session_affinity not in ("None", "ClientIP"):
            raise CommandError(f"unknown session affinity: {flags.session_affinity}")
        spec["sessionAffinity"] = flags.session_affinity
    if flags.type == "LoadBalancer" and flags.load_balancer_ip:
        spec["loadBalancerIP"] = flags.load_balancer_ip
    meta: Object = {"name": name}
    if labels:
        meta["labels"] = labels
    return {"kind": "Service", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {"loadBalancer": {}}}


def _selector(info: Info) -> dict[str, str]:
    obj = info.object
    if info.resource.key == "pods":
        labels = obj["metadata"].get("labels")
        if not labels:
            raise CommandError("couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed")
        return labels
    if info.resource.key == "services":
        selector = obj["spec"].get("selector")
        if not selector:
            raise CommandError("couldn't retrieve selectors via --selector flag or introspection: the service has no pod selector set")
        return selector
    selector = obj["spec"].get("selector") or {}
    if info.resource.key == "replicationcontrollers":
        return selector
    if selector.get("matchExpressions"):
        raise CommandError("couldn't retrieve selectors via --selector flag or introspection: couldn't convert expressions - "
                           f"{selector['matchExpressions']} to map-based selector format")
    return selector.get("matchLabels") or {}


def _ports(flags: Flags, info: Info) -> list[Object]:
    known = _known_ports(info)
    numbers = flags.port.split(",") if flags.port else [str(number) for number, _ in known]
    if not numbers:
        if flags.cluster_ip == "None":
            return []
        raise CommandError("couldn't find port via --port flag or introspection")
    protocols = {str(number): protocol for number, protocol in known}
    ports = []
    for index, text in enumerate(numbers):
        port = _number(text)
        entry: Object = {} if len(numbers) == 1 else {"name": f"port-{index + 1}"}
        entry["protocol"] = flags.protocol.upper() or protocols.get(text, "TCP")
        entry["port"] = port
        entry["targetPort"] = _target(flags.target_port) if flags.target_port else port
        ports.append(entry)
    return ports


def _known_ports(info: Info) -> list[tuple[int, str]]:
    spec = info.object["spec"]
    if info.resource.key == "services":
        return [(port["port"], port.get("protocol", "TCP")) for port in spec.get("ports") or ()]
    pod = spec if info.resource.key == "pods" else spec["template"]["spec"]
    return [(port["containerPort"], port.get("protocol", "TCP")) for container in pod["containers"] for port in container.get("ports") or ()]


def _number(text: str) -> int:
    if not text.strip().lstrip("-").isdecimal():
        raise CommandError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _target(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


COMMANDS = (
    Command(
        "expose",
        expose,
        flags=(
            DRY_RUN, field_manager("kubectl-expose"), *FILENAME, *OUTPUT, SAVE_CONFIG,
            Flag("cluster-ip", "", "", 'The address; empty for any, "None" for a headless service.'),
            Flag("external-ip", "", "", "Another address the service answers at."),
            Flag("labels", "l", "", "Labels of the service."),
            Flag("load-balancer-ip", "", "", "The address a load balancer should have."),
            Flag("name", "", "", "The service's name."),
            Flag("override-type", "", "merge", "How overrides are laid over the object: json, merge or strategic."),
            Flag("overrides", "", "", "JSON laid over the generated object."),
            Flag("port", "", "", "The port it serves; taken from the object when not given."),
            Flag("protocol", "", "", "The protocol; TCP when not given."),
            Flag("selector", "", "", "Which pods it selects; taken from the object when not given."),
            Flag("session-affinity", "", "", "None or ClientIP."),
            Flag("target-port", "", "", "Name or number of the container's port."),
            Flag("type", "", "", "ClusterIP, NodePort, LoadBalancer or ExternalName; ClusterIP when not given."),
        ),
        short="Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
        use="(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] "
            "[--external-ip=external-ip-of-service] [--type=type]",
    ),
)
