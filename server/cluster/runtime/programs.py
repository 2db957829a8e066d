"""Which program a container's command starts, and what becomes of it.

``plan`` takes the image and the container's spec and says what will run: a server (no timers at all), a script on the virtual
clock, nothing that exists (``missing``: the container cannot be started), or something that is not simulated, which says so in the
log and exits with 127 instead of pretending.

Source: https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from server.cluster.runtime import perl
from server.cluster.runtime.burners import burn
from server.cluster.runtime.clients import CLIENTS, has
from server.cluster.runtime.commands import COMMANDS, SHELLS, TIMED, UNSIMULATED
from server.cluster.runtime.images import WRONG, Image
from server.cluster.runtime.interpreter import loud
from server.cluster.runtime.servers import NGINX_BANNER, SERVERS, nginx_version
from server.cluster.runtime.shell import Operation, Part, Run, ShellSyntax, Unsupported, compile_script

SHIMS = frozenset({"docker-entrypoint.sh", "docker-php-entrypoint", "entrypoint.sh"})
EXECUTABLES: dict[str, str] = {
    "nginx": "nginx", "httpd-foreground": "httpd", "apache2-foreground": "httpd", "redis-server": "redis", "mysqld": "mysql",
    "mariadbd": "mysql", "postgres": "postgres", "mongod": "mongo"}
BASH_KITS = frozenset({"debian", "python", "node", "application"})
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
    """``kind``: server | script | once (says ``text`` and exits with ``code``) | wait (until killed) | missing (``text`` is the error).

    A ``wait`` or ``script`` as process 1 does not hear SIGTERM."""

    kind: str
    argv: tuple[str, ...] = ()
    server: str = ""
    ports: tuple[int, ...] = ()
    script: tuple[Operation, ...] = ()
    text: str = ""
    code: int = 0
    after: float = 0.0
    needs: str = ""


def program_kind(image: Image, argv: list[str]) -> str:
    """command | client | shell | server | missing | unsimulated: what the first word is in this image."""
    name = _name(argv[0])
    kit = image.kit
    if kit != "scratch":
        if name in COMMANDS or name in TIMED:
            return "command"
        if name in SHELLS:
            return "shell" if name != "bash" or kit in BASH_KITS or image.reference.familiar == "bash" else "missing"
    if _server(image, argv):
        return "server"
    if has(image, name) or name in CLIENTS and (name in UNSIMULATED[kit] or any(name == _name(word) for word in image.command[:1])):
        return "client"
    if kit == "application" and name not in UNSIMULATED[kit]:
        return "missing" if WRONG.search(name) else "server"
    if name in UNSIMULATED[kit] or any(name == _name(word) for word in (*image.entrypoint[:1], *image.command[:1])):
        return "unsimulated"
    return "missing"


def plan(image: Image, command: tuple[str, ...], args: tuple[str, ...], *, interactive: bool = False, declared: tuple[int, ...] = (),
         memory: int | None = None) -> Plan:
    """What a container with this image, ``command`` and ``args`` runs. ``declared`` are its containerPorts, ``memory`` its limit in
    bytes, ``interactive`` whether it keeps stdin open."""
    argv = [*command, *args] if command else [*image.entrypoint, *(args or image.command)]
    if not argv:
        return Plan("missing", text="no command specified")
    if len(argv) > 1 and _name(argv[0]) in SHIMS:
        argv = argv[1:]
        if argv[0].startswith("-"):
            argv = [*image.command[:1], *argv]
    kind = program_kind(image, argv)
    name = _name(argv[0])
    if kind == "missing":
        return Plan("missing", tuple(argv), text=_missing(argv[0]))
    if kind == "server":
        return _server_plan(image, argv, declared, memory)
    if name in ("python", "python3", "node", "irb", "perl", "jshell", "php", "zsh") or (kind == "shell" and len(argv) == 1):
        return _interpreter(name, argv, interactive)
    if kind == "unsimulated" and burn(argv) is None:
        return Plan("once", tuple(argv), text=loud(f'"{name}"'), code=127)
    if kind == "shell":
        return _script(argv)
    if argv == ["cat"] and interactive:
        return Plan("wait", tuple(argv))
    return _program(argv)


def _program(argv: list[str]) -> Plan:
    return Plan("script", tuple(argv), script=(Run(tuple((Part("text", word, True),) for word in argv), (), ()),))


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _missing(word: str) -> str:
    if "/" in word:
        return f'exec: "{word}": stat {word}: no such file or directory'
    return f'exec: "{word}": executable file not found in $PATH'


def _server(image: Image, argv: list[str]) -> str:
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


def _server_plan(image: Image, argv: list[str], declared: tuple[int, ...], memory: int | None) -> Plan:
    server = _server(image, argv) or "app"
    if server == "stress":
        return _stress(argv, memory)
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


def _stress(argv: list[str], memory: int | None) -> Plan:
    """Hogs of CPU and memory."""
    found = burn(argv)
    if found is None:
        return Plan("once", tuple(argv), text=loud(f'"{" ".join(argv)}"'), code=127)
    return _program(argv)


def _interpreter(name: str, argv: list[str], interactive: bool) -> Plan:
    if name == "perl" and (found := perl.answer(argv)) is not None:
        return Plan("once", tuple(argv), text=found.text, after=found.seconds)
    if len(argv) == 1 or argv[1] in ("-i", "-a", "-l"):
        return Plan("wait", tuple(argv)) if interactive else Plan("once", tuple(argv))
    if name in ("python", "python3", "node") and not argv[1].startswith("-"):
        text = (f"{name}: can't open file '/{argv[1].lstrip('/')}': [Errno 2] No such file or directory\n" if name != "node"
                else f"Error: Cannot find module '/{argv[1].lstrip('/')}'\n")
        return Plan("once", tuple(argv), text=text, code=2 if name != "node" else 1)
    if argv[1] in ("--version", "-V"):
        return Plan("once", tuple(argv), text=loud(f"{name} {argv[1]}"), code=127)
    return Plan("once", tuple(argv), text=loud(f'"{name}"'), code=127)


def _script(argv: list[str]) -> Plan:
    options = [word for word in argv[1:] if word.startswith("-") and word != "-"]
    if not options or "c" not in options[-1] or len(argv) < len(options) + 2:
        missing = next((word for word in argv[1:] if not word.startswith("-")), "")
        return Plan("once", tuple(argv), text=f"{argv[0]}: can't open '{missing}': No such file or directory\n", code=2)
    text = argv[len(options) + 1]
    try:
        script = compile_script(text)
    except ShellSyntax as fault:
        return Plan("once", tuple(argv), text=f"{fault}\n", code=2)
    except Unsupported as fault:
        return Plan("once", tuple(argv), text=loud(str(fault)), code=127)
    return Plan("script", tuple(argv), script=script)


def lacks_password(needs: str, environment: dict[str, str]) -> str:
    """What a database says that was given no password; "" if it has what it needs."""
    if needs not in PASSWORDS:
        return ""
    names, text = PASSWORDS[needs]
    return "" if any(name in environment for name in names) else text


def banner(plan_: Plan, image: Image, when: Any, ip: str) -> tuple[str, ...]:
    """The lines a server begins its log with."""
    lines = SERVERS[plan_.server].banner
    if lines is NGINX_BANNER:
        version = nginx_version(image.reference.tag)
        return tuple(line.format(error_time=f"{when:%Y/%m/%d %H:%M:%S}", version=version) if "{" in line else line for line in lines)
    return tuple(line.replace("{ip}", ip) for line in lines)
