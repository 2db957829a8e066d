"""showmount: what the NFS server exports. The room's own runs on its workstation, or on the node that has its address.

Source: https://man7.org/linux/man-pages/man8/showmount.8.html
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.runtime import nfs
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program

USAGE = "Usage: showmount [-adehv]\n       [--all] [--directories] [--exports]\n       [--no-headers] [--help] [--version] [host]\n"
SWITCHES = {"-e", "--exports", "--no-headers"}
NO_RPC, GIVES_UP = "clnt_create: RPC: Program not registered", 5.0


def showmount(proc: Proc) -> Generator[Any, Any, int]:
    switches = [word for word in proc.args if word.startswith("-")]
    hosts = [word for word in proc.args if not word.startswith("-")]
    if set(switches) - SWITCHES or len(hosts) > 1 or not {"-e", "--exports"} & set(switches):
        proc.err(USAGE)
        return 1
    called = hosts[0] if hosts else "localhost"
    here = called in ("localhost", "127.0.0.1", proc.machine.hostname)
    address = (nfs.ADDRESS if proc.machine.kit == "workstation" else proc.machine.ip) if here else called
    listed = nfs.EXPORTS.get(address)
    if listed is None:
        fault = yield from _unheard(proc, address)
        proc.err(f"{fault}\n")
        return 1
    if "--no-headers" not in switches:
        proc.out(f"Export list for {called}:\n")
    for path in listed:
        proc.out(f"{path} *\n")
    return 0


def _unheard(proc: Proc, address: str) -> Generator[Any, Any, str]:
    if address == proc.machine.ip:
        return NO_RPC
    walk = proc.machine.network().connect(address, 111)
    yield from proc.sleep(min(walk.seconds, GIVES_UP))
    if not walk.address:
        return "clnt_create: RPC: Unknown host"
    return NO_RPC if walk.fault == "Connection refused" else "clnt_create: RPC: Port mapper failure - Unable to receive: errno 113 (No route to host)"


PROGRAMS: dict[str, Program] = {"showmount": Program(showmount)}
