"""kubectl cluster-info: where the control plane and the cluster's own services answer.

In: the kubeconfig and the services labelled as the cluster's own. Out: a line each.
"""

from __future__ import annotations

from typing import Any

from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags


def cluster_info(ctx: Context, args: list[str], flags: Flags) -> None:
    server = ctx.kubeconfig.server
    ctx.out(f"Kubernetes control plane is running at {server}")
    for service in ctx.api.items("services", "kube-system", label_selector="kubernetes.io/cluster-service=true"):
        ctx.out(f"{_title(service)} is running at {_address(server, service)}")
    ctx.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")


def _title(service: dict[str, Any]) -> str:
    meta = service["metadata"]
    return (meta.get("labels") or {}).get("kubernetes.io/name") or meta["name"]


def _address(server: str, service: dict[str, Any]) -> str:
    name, ports = service["metadata"]["name"], service["spec"].get("ports") or []
    port = ports[0] if ports else {}
    scheme = "https:" if port.get("name") == "https" or port.get("port") == 443 else ""
    suffix = f":{port['name']}" if port.get("name") else ":" if scheme else ""
    return f"{server}/api/v1/namespaces/{service['metadata']['namespace']}/services/{scheme}{name}{suffix}/proxy"


def dump(ctx: Context, args: list[str], flags: Flags) -> None:
    raise CommandError("cluster-info dump is not available in Podium's terminal")


COMMANDS = (
    Command("cluster-info", cluster_info, commands=(Command("dump", dump, short="Dump relevant information for debugging and diagnosis",
                                                            use="[flags]", unparsed=True),),
            short="Display cluster information", use="[flags]", complete="none"),
)
