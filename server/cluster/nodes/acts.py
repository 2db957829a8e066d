"""What docker and crictl do to a node's containers alike: enter them, end them, list their images.

In: an ``Entry``. Out: what the kubelet sees as well: a container that ends is started again, as its pod's restart policy says.

Source: https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.nodes.containers import Entry, digest_of
from server.cluster.runtime import lending, references
from server.cluster.runtime.images import resolve
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.signals import SIGNALS


def enter(proc: Proc, entry: Entry, argv: list[str], interactive: bool, typed: bool, variables: dict[str, str], cwd: str) -> Generator[Any, Any, int]:
    """Runs a command in a container, in front of whatever stands before ours. ExecFault."""
    container = entry.container
    fds = lending.descriptors(proc, typed)
    if not interactive:
        fds.pop(0, None)
    env = {**container.environment(), **({"TERM": "xterm"} if typed else {}), **variables}
    return (yield from lending.run(proc, container.system, argv, fds, env=env, cwd=cwd or container.cwd))


def stopped(proc: Proc, entry: Entry, grace: float) -> Generator[Any, Any, None]:
    """SIGTERM, and after the grace period SIGKILL."""
    container = entry.container
    planned = container.terminate() if entry.running else None
    if planned is not None and planned[0] <= grace:
        yield from proc.sleep(planned[0])
        end(proc, entry, planned[1])
    elif entry.running:
        for _ in range(int(grace * 2)):
            if not container.running:
                return
            yield from proc.sleep(0.5)
        end(proc, entry, 137)


def signal(proc: Proc, entry: Entry, number: int) -> str:
    """Sends a signal to a container's first process: "" or why not."""
    if not entry.running:
        return f"cannot kill container: {entry.id}: container {entry.id} is not running"
    if number == SIGNALS["KILL"]:
        end(proc, entry, 137)
    else:
        system = entry.container.system
        system.signal(system.procs[system.first], number)
    return ""


def end(proc: Proc, entry: Entry, code: int) -> None:
    """Its first process is no more."""
    proc.machine.cluster.kubelets.kill_container(entry.namespace, entry.pod, entry.name, code)


def images_of(proc: Proc) -> list[tuple[str, str, str, int]]:
    """(repository, tag, id, size) of the node's images."""
    found = []
    for text, amount in sorted(proc.machine.kubelet.images.present.items()) if proc.machine.kubelet is not None else ():
        repository, _, tag = text.partition("@")[0].rpartition(":")
        found.append((repository or tag, tag if repository else "<none>", digest_of(resolve(references.parse(text)).id), amount))
    return found
