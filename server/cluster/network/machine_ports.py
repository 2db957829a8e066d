"""What listens at which port: in a pod, at a machine's address on a pod's behalf (hostPort), and what every machine runs itself.

Source: https://kubernetes.io/docs/reference/networking/ports-and-protocols/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from server.cluster.objects import Object
from server.cluster.runtime.pages.coredns import is_server

if TYPE_CHECKING:
    from server.cluster.network.connection import Backend

HTTPS, HTTP, RAW = "https", "http", "raw"
API_PORT, KUBELET_PORT, PROXY_HEALTH_PORT = 6443, 10250, 10256


class Daemon(NamedTuple):
    """A process of the machine that is no pod's, or one whose container has no server of its own here. ``everywhere`` False: on the
    control plane only; ``loopback``: only for the machine itself."""

    name: str
    speaks: str
    everywhere: bool = True
    loopback: bool = False


DAEMONS: dict[int, Daemon] = {
    22: Daemon("sshd", RAW),
    179: Daemon("bird", RAW),
    2379: Daemon("etcd", HTTPS, everywhere=False),
    2380: Daemon("etcd", HTTPS, everywhere=False),
    API_PORT: Daemon("kube-apiserver", HTTPS, everywhere=False),
    10248: Daemon("kubelet", HTTP, loopback=True),
    10249: Daemon("kube-proxy", HTTP, loopback=True),
    KUBELET_PORT: Daemon("kubelet", HTTPS),
    PROXY_HEALTH_PORT: Daemon("kube-proxy", HTTP),
    10257: Daemon("kube-controller-manager", HTTPS, everywhere=False, loopback=True),
    10259: Daemon("kube-scheduler", HTTPS, everywhere=False, loopback=True),
}


def daemon_at(port: int, control_plane: bool, loopback: bool) -> Daemon | None:
    """The machine's own process at a port, on a machine of the control plane or another, seen from itself or from elsewhere."""
    daemon = DAEMONS.get(port)
    return daemon if daemon is not None and (daemon.everywhere or control_plane) and (loopback or not daemon.loopback) else None


def listens_at(backend: Backend, pod: Object, port: int, protocol: str = "TCP") -> bool:
    """Whether a container of the pod takes what comes to the port: where the pod declares the port, by the protocols it says; a DNS server
    takes both, whatever it says."""
    declared = [entry.get("protocol") or "TCP" for container in pod["spec"]["containers"] for entry in container.get("ports") or ()
                if entry["containerPort"] == port]
    if (protocol not in declared if declared else protocol != "TCP") and not is_server(pod):
        return False
    return backend.listening(pod, port)


def target_of_host_port(pod: Object, port: int, protocol: str, address: str) -> int | None:
    """The container port behind a pod's host port at an address of the machine."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return None
    for container in pod["spec"]["containers"]:
        for entry in container.get("ports") or ():
            if entry.get("hostPort") == port and (entry.get("protocol") or "TCP") == protocol \
                    and entry.get("hostIP", "") in ("", "0.0.0.0", address):
                return entry["containerPort"]
    return None
