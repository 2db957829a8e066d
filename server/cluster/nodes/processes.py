"""All that runs on a node, as its own ps and a pod with ``hostPID`` see it: the system's daemons, people's sessions, every pod's processes.

In: the node's kubelet and its machine. Out: ``Pids``, the node's name space, worked out when somebody looks: a container's processes have
another number here than among themselves (``Seen``), always the same one.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (host namespaces) and pid_namespaces(7)
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.nodes.containers import sandbox_id
from server.cluster.nodes.services import KUBELET_PID
from server.cluster.runtime.pids import PAUSE, PAUSE_USER, Pids
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.signals import SIGNALS
from server.cluster.runtime.system import System

if TYPE_CHECKING:
    from server.cluster.nodes.hosts import NodeHost

DAEMONS = ((2, 0, "[kthreadd]"), (312, 1, "/lib/systemd/systemd-journald"), (418, 1, "/usr/bin/dbus-daemon --system"),
           (552, 1, "/usr/sbin/sshd -D"), (640, 1, "/usr/bin/containerd"))
KUBELET = ("/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf "
           "--config=/var/lib/kubelet/config.yaml")
SHIM = "/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id {} -address /run/containerd/containerd.sock"
SESSIONS, PODS, NUMBERS = 1000, 4000, 4_190_000  # the first number of people's processes, of pods', and how many there are


class Seen:
    """A process of a container as the node sees it: everything of it but its numbers."""

    __slots__ = ("real", "pid", "ppid", "group")

    def __init__(self, real: Proc, pid: int, ppid: int, group: int) -> None:
        self.real, self.pid, self.ppid, self.group = real, pid, ppid, group

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class NodePids(Pids):
    """The name space of a node. ``NodeHost`` stands for whoever is logged in."""

    __slots__ = ("_host",)

    def __init__(self, host: NodeHost) -> None:
        super().__init__()
        self.last = SESSIONS
        self._host = host

    def everybody(self, system: System) -> list[Any]:
        host = self._host
        found: list[Any] = [*host.system.procs.values(), *(_daemon(host.system, *row) for row in DAEMONS)]
        if host.kubelet is not None:
            if host.kubelet.alive:
                found.append(_daemon(host.system, KUBELET_PID, 1, KUBELET))
            taken: set[int] = set()
            for worker in host.kubelet.workers.values():
                found.extend(_of_pod(host.system, worker, self, taken))
        return found


def _number(taken: set[int], *what: Any) -> int:
    number = PODS + zlib.crc32("/".join(map(str, what)).encode()) % NUMBERS
    while number in taken:
        number += 1
    taken.add(number)
    return number


def _of_pod(system: System, worker: PodWorker, space: Pids, taken: set[int]) -> list[Any]:
    sandbox = worker.sandbox
    containers = [each for each in sandbox.containers.values() if each.running] if sandbox is not None else []
    if not containers:
        return []
    id_ = sandbox_id(worker)
    shim, pause = _number(taken, id_), _number(taken, id_, PAUSE)
    found: list[Any] = [_daemon(system, shim, 1, SHIM.format(id_)), _daemon(system, pause, shim, PAUSE, PAUSE_USER)]
    for container in containers:
        procs = container.system.procs
        if container.pids is space:
            found.extend(procs.values())
            continue
        numbers = {pid: _number(taken, container.id, pid) for pid in procs}
        found.extend(Seen(proc, numbers[pid], numbers.get(proc.ppid, shim), numbers.get(proc.group, numbers[pid])) for pid, proc in procs.items())
    return found


def _daemon(system: System, pid: int, parent: int, words: str, user: str = "root") -> Proc:
    proc = Proc(system, pid, parent, Program(lambda proc: 0), words.split(), {}, "/", {}, None, pid, False)
    proc.name, proc.user, proc.started = proc.name.strip("[]"), user, 0.0
    proc.traps = dict.fromkeys(SIGNALS.values(), "ignore")
    return proc
