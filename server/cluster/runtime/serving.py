"""What listens in a container: servers of its image, and programs that open a port themselves.

A server is nothing but facts (which ports, since when, how it answers): as the container's first process it has no process table at all;
started from a shell it is a process that waits to be told to stop.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from server.cluster.process import Gate, Pass, Sleep
from server.cluster.runtime.pages.nginx import Start
from server.cluster.runtime.plans import Plan, daemonizes, plan
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program, Signalled
from server.cluster.runtime.servers import SERVERS, Server
from server.cluster.runtime.signals import HUP, INT, QUIT, TERM
from server.cluster.runtime.streams import Fault

if TYPE_CHECKING:
    from server.cluster.runtime.reach import Talk

IN_USE = "Address already in use"
STOPPING = (TERM, INT, QUIT)


class Listener(NamedTuple):
    """``server`` answers on the ports from ``since`` on; or ``handler(client's address)`` takes each connection itself."""

    ports: tuple[int, ...]
    since: float
    server: Server | None = None
    handler: Callable[[str], Talk] | None = None
    argv: tuple[str, ...] = ()


def serve(proc: Proc) -> Generator[Any, Any, int]:
    """The program that a server's name runs: it answers until it is told to stop."""
    container = proc.machine
    what: Plan = plan(container.image, tuple(proc.argv), ())
    if what.kind != "server":
        proc.err(what.text)
        return what.code
    if daemonizes(what.argv) and not proc.state.get("daemon"):
        if not proc.resumed:
            daemon = proc.spawn(proc.argv, program=SERVE, state={"daemon": True})
            daemon.ppid = 1
        return 0
    if not proc.resumed:
        proc.state["since"] = proc.system.clock.now
        for line in container.banner_of(what, proc.state["since"]):
            proc.err(f"{line}\n")
        yield from proc.flush()
    server = SERVERS[what.server]
    start = server.begin(container, what.ports) if server.begin is not None else Start(what.ports)
    if start.code is not None:
        proc.err("".join(f"{line}\n" for line in start.lines))
        return start.code
    try:
        container.listen(proc, start.ports, Listener(start.ports, proc.state["since"] + server.start, start.fitted(server), None, what.argv))
    except Fault as fault:
        proc.err("".join(f"{line}\n" for line in in_use(what, str(fault))))
        return 1
    for signal in STOPPING:
        proc.traps[signal] = "catch"
    proc.traps[HUP] = "ignore"
    try:
        yield Pass(Gate())
    except Signalled as signal:
        seconds, code = server.stop or (0.0, 128 + signal.signal)
        yield Sleep(seconds)
        return code
    return 0


def in_use(what: Plan, fault: str) -> list[str]:
    """What a server says that finds its port taken."""
    port = what.ports[0] if what.ports else 0
    if what.server == "nginx":
        return [f"nginx: [emerg] bind() to 0.0.0.0:{port} failed (98: {fault})"] * 5 + ["nginx: [emerg] still could not bind()"]
    if what.server == "httpd":
        return [f"(98){fault}: AH00072: make_sock: could not bind to address 0.0.0.0:{port}", "no listening sockets available, shutting down",
                "AH00015: Unable to open logs"]
    return [f"listen tcp 0.0.0.0:{port}: bind: {fault.lower()}"]


SERVE = Program(serve, "state")
