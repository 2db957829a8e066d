"""Which program a container's command starts, and what becomes of it.

``plan`` takes the image and the container's spec and says what will run: a server (no timers at all), a program on the virtual
clock, nothing that exists (``missing``: the container cannot be started), or one that says its piece at once.

Source: https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from server.cluster.runtime import kits
from server.cluster.runtime.images import WRONG, Image
from server.cluster.runtime.pages.nginx import version as nginx_version
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.servers import SERVERS, banner_line

TOOLBOXES = frozenset({"sysnet4admin/net-tools", "sysnet4admin/net-tools-ifn", "nicolaka/netshoot", "praqma/network-multitool",
                       "amouat/network-utils", "registry.k8s.io/e2e-test-images/agnhost", "registry.k8s.io/e2e-test-images/jessie-dnsutils"})
TOOLS = frozenset(["wget", "curl", "nc", "nslookup", "dig", "host", "ping", "traceroute", "ip", "ifconfig", "route", "netstat", "ss", "arp",
                   "telnet", "tcpdump", "redis-cli", "mysql", "psql"])
SHIMS = frozenset({"docker-entrypoint.sh", "docker-php-entrypoint", "entrypoint.sh"})
EXECUTABLES: dict[str, str] = {
    "nginx": "nginx", "httpd-foreground": "httpd", "apache2-foreground": "httpd", "redis-server": "redis", "mysqld": "mysql",
    "mariadbd": "mysql", "postgres": "postgres", "mongod": "mongo"}
AGNHOST_PORTS = {"netexec": (8080,), "serve-hostname": (9376,), "liveness": (8080,), "test-webserver": (80,),
                 "grpc-health-checking": (5000, 8080), "pause": ()}
PORT_FLAG = re.compile(r"--?(?:listen|port|http-port|p)(?:=|$):?(\d+)?")
HELLO = ("Hello from Docker!", "This message shows that your installation appears to be working correctly.")
PASSWORDS = {
    "mysql": (("MYSQL_ROOT_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD",
               "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "MARIADB_RANDOM_ROOT_PASSWORD"),
              "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n"
              "    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n"
              "    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n"),
    "postgres": (("POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD"),
                 "Error: Database is uninitialized and superuser password is not specified.\n"
                 "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n       superuser.\n"),
}


class Plan(NamedTuple):
    """``kind``: server | program (``argv`` is run) | once (says ``text`` and exits with ``code`` after so many seconds) | missing (``text``
    is the error)."""

    kind: str
    argv: tuple[str, ...] = ()
    server: str = ""
    ports: tuple[int, ...] = ()
    text: str = ""
    code: int = 0
    after: float = 0.0
    needs: str = ""


def plan(image: Image, command: tuple[str, ...], args: tuple[str, ...], *, declared: tuple[int, ...] = ()) -> Plan:
    """What a container with this image, ``command`` and ``args`` runs. ``declared`` are its containerPorts."""
    argv = [*command, *args] if command else [*image.entrypoint, *(args or image.command)]
    if not argv:
        return Plan("missing", text="no command specified")
    if len(argv) > 1 and _name(argv[0]) in SHIMS:
        argv = argv[1:]
        if argv[0].startswith("-"):
            argv = [*image.command[:1], *argv]
    if server_of(image, argv) or image.kit == "application" and stands_for_server(image, argv[0]):
        return _server_plan(image, argv, declared)
    if holds(image, _name(argv[0])) or "/" in argv[0] and not _in_path(argv[0]):
        return Plan("program", tuple(argv))
    return Plan("missing", tuple(argv), text=_missing(argv[0]))


@lru_cache(maxsize=8192)
def program_kind(image: Image, name: str) -> str:
    """server | program | "": what a name is in this image."""
    found = server_of(image, [name])
    if found:
        return "program" if found == "stress" else "server"
    if holds(image, name):
        return "program"
    return "server" if stands_for_server(image, name) else ""


def holds(image: Image, name: str) -> bool:
    """Whether an image has a program of that name."""
    started = (_name(word) for word in (*image.entrypoint[:1], *image.command[:1]))
    own = image.reference.familiar
    return kits.holds(image.kit, name, own, image.reference.tag) or name in TOOLS and own in TOOLBOXES or name in started


def stands_for_server(image: Image, word: str) -> bool:
    """Somebody's own application: what it holds and we do not know is its server, unless its name says that it is wrong."""
    return image.kit == "application" and not kits.holds(image.kit, _name(word)) and not WRONG.search(_name(word))


def _unsimulated(proc: Proc) -> int:
    proc.err(loud(f'"{proc.name}"'))
    return 127


UNSIMULATED = Program(_unsimulated)


def loud(what: str) -> str:
    """What a container says that asks for something which is not simulated."""
    return f"podium: {what} is not simulated\n"


def daemonizes(argv: tuple[str, ...]) -> bool:
    """Whether these words put the server into the background, where it goes on alone."""
    name = _name(argv[0])
    return name == "nginx" and not any("daemon off" in word for word in argv) and "-s" not in argv or name in ("apachectl", "apache2ctl") and (
        "start" in argv) and "FOREGROUND" not in argv


WORKERS = {"nginx": ("nginx: worker process",) * 2}
WORKER_USERS = {"nginx": "101"}


def workers(what: Plan) -> tuple[str, ...]:
    """The processes that a server keeps beside its first one."""
    return WORKERS.get(what.server, ()) if what.kind == "server" else ()


def titled(what: Plan) -> list[str]:
    """What ps shows of a server's first process."""
    return [f"nginx: master process {' '.join(what.argv)}"] if what.server == "nginx" else list(what.argv)


def _in_path(word: str) -> bool:
    return word.rpartition("/")[0] in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _missing(word: str) -> str:
    if "/" in word:
        return f'exec: "{word}": stat {word}: no such file or directory'
    return f'exec: "{word}": executable file not found in $PATH'


def server_of(image: Image, argv: list[str]) -> str:
    """The name in SERVERS of what the words start, "" if they start no server."""
    name = _name(argv[0])
    if name in ("stress", "stress-ng", "hello") and image.server == name.partition("-")[0]:
        return image.server
    default = {_name(word) for word in (*image.entrypoint[:1], *image.command[:1])} - SHIMS
    if image.server and name in default:
        return image.server
    if name in EXECUTABLES and image.server in (EXECUTABLES[name], "echo-hname", "echo-ip"):
        return image.server
    if name in ("python", "python3") and image.kit in ("python", "application") and argv[1:3] == ["-m", "http.server"]:
        return "http.server"
    if name == "httpd" and image.kit == "busybox" and "-f" in argv:
        return "http.server"
    return ""


def _server_plan(image: Image, argv: list[str], declared: tuple[int, ...]) -> Plan:
    server = server_of(image, argv) or "app"
    if server == "stress":
        return Plan("program", tuple(argv))
    if server == "hello":
        return Plan("once", tuple(argv), text="\n".join(HELLO) + "\n")
    if server == "install":
        return Plan("once", tuple(argv))
    if server == "agnhost":
        ports = AGNHOST_PORTS.get(argv[1] if len(argv) > 1 else "pause", ())
        ports = _asked_ports(argv) or ports
    elif server == "http.server":
        numbers = [int(word) for word in argv[1:] if word.isdigit()]
        ports = _asked_ports(argv) or tuple(numbers[:1]) or ((8000,) if "python" in argv[0] else (80,))
    elif image.known:
        ports = (_asked_ports(argv) if server == "http-echo" else ()) or image.ports
    else:
        ports = declared or _asked_ports(argv) or (80, 8080)
    needs = server if server in PASSWORDS and image.reference.path.startswith("library/") else ""
    return Plan("server", tuple(argv), server, ports, needs=needs)


def _asked_ports(argv: list[str]) -> tuple[int, ...]:
    """The port that a flag names: ``--port=8080``, ``-listen :5678``, ``-p 80``."""
    for at, word in enumerate(argv):
        found = PORT_FLAG.fullmatch(word)
        if found is not None:
            value = found[1] or (argv[at + 1].lstrip(":") if at + 1 < len(argv) else "")
            if value.isdigit():
                return (int(value),)
    return ()


def lacks_password(needs: str, environment: dict[str, str]) -> str:
    """What a database says that was given no password; "" if it has what it needs."""
    if needs not in PASSWORDS:
        return ""
    names, text = PASSWORDS[needs]
    return "" if any(name in environment for name in names) else text


def banner(plan_: Plan, image: Image, when: Any, ip: str, hostname: str = "") -> tuple[str, ...]:
    """The lines a server begins its log with."""
    facts = {"when": when, "ip": ip, "tag": image.reference.tag, "klog": f"{when:%m%d %H:%M:%S.%f}", "hostname": hostname,
             "version": nginx_version(image.reference.tag), "port": plan_.ports[0] if plan_.ports else 0}
    return tuple(banner_line(line, facts) for line in SERVERS[plan_.server].banner)
