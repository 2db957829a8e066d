"""``netstat`` and ``ss``: who listens on this machine, as net-tools, busybox and iproute2 show it.

Connections are over as soon as they are answered, so none is ever found open.

Source: https://man7.org/linux/man-pages/man8/ss.8.html
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.network.machine_ports import DAEMONS
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import Quit, is_busybox, network, options, telling, usage
from server.cluster.runtime.programs.network.links import kernel_routes

LINES = "netstat [-ral] [-tuwx] [-enWp]"
USAGE = "usage: netstat [-vWeenNcCF] [<Af>] -r         netstat {-V|--version|-h|--help}\n"
SERVICES = {80: "http", 443: "https", 22: "ssh", 53: "domain", 3306: "mysql", 5432: "postgresql", 6379: "redis", 8080: "http-alt"}
BACKLOG = 511


class Socket(NamedTuple):
    port: int
    address: str
    pid: int
    name: str


def listening(proc: Proc) -> list[Socket]:
    """Who takes connections: what a pod's containers listen on (their own processes by number), or what a machine runs."""
    sandbox = getattr(proc.machine, "sandbox", None)
    if sandbox is None:
        return [Socket(port, "127.0.0.1" if daemon.loopback else "0.0.0.0", _pid(proc, daemon.name), daemon.name)
                for port, daemon in sorted(DAEMONS.items()) if not network(proc).connect("127.0.0.1", port).error]
    found = []
    for container in sandbox.containers.values():
        for owner, listener in container.listeners.items() if container.running else ():
            mine = container is proc.machine
            pid = (owner.pid if owner is not None else 1) if mine else 0
            found += [Socket(port, "0.0.0.0", pid, (listener.argv or ("-",))[0].rpartition("/")[2]) for port in listener.ports]
    return sorted(found)


def _pid(proc: Proc, name: str) -> int:
    return next((each.pid for each in proc.system.procs.values() if each.name == name), 0)


def _netstat(proc: Proc) -> int:
    busybox = is_busybox(proc, "netstat")
    found, rest = options(proc, "ralntuwxepW46" if not busybox else "ralntuwxepW", [] if busybox else
                          ["route", "all", "listening", "numeric", "tcp", "udp", "programs", "program"],
                          help_=usage(proc, LINES) if busybox else USAGE, code=1 if busybox else 3)
    names = {"--route": "-r", "--all": "-a", "--listening": "-l", "--numeric": "-n", "--tcp": "-t", "--udp": "-u", "--programs": "-p",
             "--program": "-p"}
    given = {names.get(name, name) for name, _ in found}
    if rest and busybox:
        raise Quit(usage(proc, LINES))
    if "-r" in given:
        proc.out(kernel_routes(proc, "-n" in given, busybox, wide=True))
        return 0
    kinds = given & {"-t", "-u", "-w", "-x"}
    listens, all_ = "-l" in given, "-a" in given
    if not kinds or kinds & {"-t", "-u", "-w"}:
        which = "servers and established" if all_ else "only servers" if listens else "w/o servers"
        program = "PID/Program name    " if "-p" in given else ""
        proc.out(f"Active Internet connections ({which})\n{'Proto Recv-Q Send-Q Local Address           Foreign Address         State      '}"
                 f"{' ' if busybox or program else ''}{program}\n")
        if (listens or all_) and (not kinds or "-t" in kinds):
            for socket in listening(proc):
                shown = str(socket.port) if "-n" in given else SERVICES.get(socket.port, str(socket.port))
                owner = f"{f'{socket.pid}/{socket.name}' if socket.pid else '-':<20}" if program else ""
                proc.out(f"tcp        0      0 {f'{socket.address}:{shown}':<23} {'0.0.0.0:*':<23} {'LISTEN':<11}{' ' if busybox or program else ''}"
                         f"{owner}\n")
    if not kinds or "-x" in kinds:
        which = "servers and established" if all_ else "only servers" if listens else "w/o servers"
        proc.out(f"Active UNIX domain sockets ({which})\nProto RefCnt Flags       Type       State         I-Node   Path\n" if not busybox else
                 f"Active UNIX domain sockets ({which})\nProto RefCnt Flags       Type       State         I-Node Path\n")
    return 0


def _ss(proc: Proc) -> int:
    found, rest = options(proc, "hVnratulpoemisx46H", ["listening", "numeric", "tcp", "udp", "all", "processes", "summary", "no-header"],
                          help_="Usage: ss [ OPTIONS ]\n       ss [ OPTIONS ] [ FILTER ]\n", code=255)
    names = {"--listening": "-l", "--numeric": "-n", "--tcp": "-t", "--udp": "-u", "--all": "-a", "--processes": "-p", "--summary": "-s",
             "--no-header": "-H"}
    given = {names.get(name, name) for name, _ in found}
    if rest:
        raise Quit("ss: filters are not simulated\n", 255)
    sockets = listening(proc) if "-l" in given or "-a" in given else []
    sockets = sockets if "-t" in given or not given & {"-u", "-x"} else []
    if "-s" in given:
        count = len(listening(proc))
        proc.out(f"Total: {count}\nTCP:   {count} (estab 0, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\n"
                 f"RAW\t  0         0         0        \nUDP\t  0         0         0        \n"
                 f"TCP\t  {count:<9} {count:<9} 0        \nINET\t  {count:<9} {count:<9} 0        \nFRAG\t  0         0         0        \n\n")
        return 0
    kind = not given & {"-t", "-u", "-x"} or len(given & {"-t", "-u", "-x"}) > 1
    header = [*(["Netid"] if kind else []), "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process"]
    rows = []
    for socket in sockets:
        shown = str(socket.port) if "-n" in given else SERVICES.get(socket.port, str(socket.port))
        owner = f'users:(("{socket.name}",pid={socket.pid},fd=6))' if "-p" in given and socket.pid else ""
        rows.append([*(["tcp"] if kind else []), "LISTEN", "0", str(BACKLOG), f"{socket.address}:{shown}", "0.0.0.0:*", owner])
    proc.out(_table(header, rows, "-H" in given))
    return 0


def _table(header: list[str], rows: list[list[str]], bare: bool) -> str:
    """Addresses stand at their colons."""
    at = len(header) - 3
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    left = [max(len(row[column].rpartition(":")[0]) for row in [header, *rows]) for column in (at, at + 1)]
    right = [max(len(row[column].rpartition(":")[2]) for row in [header, *rows]) for column in (at, at + 1)]
    lines = []
    for row in ([] if bare else [header]) + rows:
        cells = [f"{cell:<{widths[column]}} " for column, cell in enumerate(row[:at])]
        for number in (0, 1):
            host, _, port = row[at + number].rpartition(":")
            cells.append(f"{host:>{left[number]}}:{port:<{right[number]}}" + (" " if number == 0 else ""))
        lines.append("".join(cells) + f"{row[-1]:<{widths[-1]}}")
    return "".join(f"{line}\n" for line in lines)


PROGRAMS = {"netstat": telling(_netstat), "ss": telling(_ss)}
