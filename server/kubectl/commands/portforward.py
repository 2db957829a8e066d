"""kubectl port-forward: ports of the machine that the command runs on lead into a pod.

In: a pod or what has pods, and LOCAL:REMOTE ports. Out: listeners that live as long as the command; each connection is told, goes to the pod's
own loopback through the kubelet, and the first that fails ends the command. Names of ports, and a Service's ports, are translated first.

Source: https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from server.cluster.errors import ApiError
from server.cluster.process import Channel, Interrupted, Take
from server.cluster.runtime.streams import Fault
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, UsageError, message_of
from server.kubectl.flags import Flag, Flags, quoted
from server.kubectl.podchoice import RUNNING_TIMEOUT, attachable

Object = dict[str, Any]
LOST = "lost connection to pod"
HIGHEST, RANDOM_PORTS = 65535, (30000, 60999)
LISTEN_HERE = "ports can be opened in the page's terminal only, where there is a machine to open them on"


class Port(NamedTuple):
    local: int
    remote: int


class _Ended:
    """A connection that came to nothing."""

    closed = True

    def send(self, data: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""


def forward(ctx: Context, args: list[str], flags: Flags) -> Generator[Any, Any, int]:
    if len(args) < 2:
        raise UsageError("TYPE/NAME and list of ports are required for port-forward")
    if flags["pod-running-timeout"] <= 0:
        raise UsageError("--pod-running-timeout must be higher than zero")
    pod, info = yield from attachable(ctx, args[:1], flags["pod-running-timeout"])
    words = of_service(info.object, pod, args[1:]) if info.resource.key == "services" else of_pod(pod, args[1:])
    phase, meta = (pod.get("status") or {}).get("phase"), pod["metadata"]
    if phase != "Running":
        raise CommandError(f"unable to forward port because pod is not running. Current status={phase}")
    addresses, ports = _addresses(flags.address), [_port(word) for word in words]
    try:
        session = ctx.api.request("create", "pods", meta["namespace"], meta["name"], subresource="portforward").session
    except ApiError as error:
        raise CommandError(f"error upgrading connection: unable to upgrade connection: {message_of(error)}") from None
    try:
        return (yield from _serve(ctx, session, addresses, ports))
    finally:
        session.close()


def _serve(ctx: Context, session: Any, addresses: list[str], ports: list[Port]) -> Generator[Any, Any, int]:
    """Tells of connections until the person has enough or one fails."""
    news = Channel(10_000)
    opened = 0
    for port in ports:
        try:
            local = listen(ctx, port.local, addresses, lambda local, remote=port.remote: _door(session, local, remote, news))
        except CommandError as error:
            ctx.err(f"Unable to listen on port {port.local}: {error.message}")
            continue
        opened += 1
        for address in addresses:
            ctx.out(f"Forwarding from {_joined(address, local)} -> {port.remote}")
    if not opened:
        raise CommandError(f"unable to listen on any of the requested ports: [{' '.join(f'{{{each.local} {each.remote}}}' for each in ports)}]")
    try:
        while True:
            local, remote, fault = yield Take(news)
            if fault is None:
                ctx.out(f"Handling connection for {local}")
                continue
            if fault != LOST:
                said = f"an error occurred forwarding {local} -> {remote}: {fault}"
                ctx.err(f'E{logged(ctx)} portforward.go:522] "Unhandled Error" err={quoted(said)}')
            raise CommandError(LOST)
    except Interrupted as caught:
        if getattr(caught, "signal", 2) != 2:
            raise
        return 0


def logged(ctx: Context) -> str:
    """The time and process of a line in kubectl's own log."""
    moment = ctx.clock.microtime()
    return f"{moment[5:7]}{moment[8:10]} {moment[11:26]} {ctx.proc.pid if ctx.proc is not None else 1:>7}"


def _door(session: Any, local: int, remote: int, news: Channel) -> Callable[[str], Any]:
    """What takes the connections to one port."""
    def connect(client: str) -> Any:
        news.put((local, remote, None))
        try:
            return session.connect(remote)
        except (ApiError, Fault) as error:
            news.put((local, remote, message_of(error)))
            return _Ended()

    return connect


def listen(ctx: Context, local: int, addresses: list[str], door: Callable[[int], Callable[[str], Any]]) -> int:
    """Opens a port of the machine, any free one for 0: which it is. CommandError when it is taken."""
    machine = getattr(ctx.proc, "machine", None)
    if not hasattr(machine, "listen"):
        raise CommandError(LISTEN_HERE)
    wanted = [local] if local else ctx.api.server.random.sample(range(*RANDOM_PORTS), 20)
    for number in wanted:
        try:
            machine.listen(ctx.proc, number, door(number))
            return number
        except Fault as fault:
            why = str(fault)
    faults = " ".join(f"unable to create listener: Error listen tcp{'6' if ':' in address else '4'} {_joined(address, local)}: bind: "
                      f"{why[:1].lower()}{why[1:]}" for address in addresses)
    raise CommandError(f"Listeners failed to create with the following errors: [{faults}]")


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _addresses(words: list[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        if word == "localhost":
            found += ["127.0.0.1", "::1"]
            continue
        try:
            ipaddress.ip_address(word)
        except ValueError:
            raise CommandError(f"{word} is not a valid IP") from None
        found.append(word)
    if not found:
        raise CommandError("you must specify at least 1 address")
    return list(dict.fromkeys(found))


def _port(word: str) -> Port:
    local, remote = split(word)
    numbers = [_number("local", local or "0"), _number("remote", remote)]
    if not numbers[1]:
        raise CommandError("remote port must be > 0")
    return Port(*numbers)


def _number(which: str, text: str) -> int:
    fault = "" if text.isascii() and text.isdigit() else "invalid syntax"
    if fault or int(text) > HIGHEST:
        raise CommandError(f"error parsing {which} port '{text}': strconv.ParseUint: parsing {quoted(text)}: {fault or 'value out of range'}")
    return int(text)


def split(word: str) -> tuple[str, str]:
    """
    >>> split("8080:http"), split("80"), split(":80")
    (('8080', 'http'), ('80', '80'), ('', '80'))
    """
    parts = word.split(":")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], parts[0])


def of_pod(pod: Object, words: list[str]) -> list[str]:
    """The words with the pod's own names of ports made numbers."""
    made = []
    for word in words:
        local, remote = split(word)
        number = remote if _numeric(remote) else str(_container_port(pod, remote))
        made.append(f"{local}:{number}" if local != remote else number)
    return made


def of_service(service: Object, pod: Object, words: list[str]) -> list[str]:
    """The words with the Service's ports made the ports on which its pod listens."""
    made = []
    for word in words:
        local, remote = split(word)
        port = _service_port(service, remote)
        if not _numeric(remote) and local == remote:
            local = str(port["port"])
        target = port["port"] if service["spec"].get("clusterIP") == "None" else port.get("targetPort") or port["port"]
        number = str(target if isinstance(target, int) else _container_port(pod, target))
        made.append(f"{local}:{number}" if local != number else number)
    return made


def _numeric(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _service_port(service: Object, wanted: str) -> Object:
    name = service["metadata"]["name"]
    for port in service["spec"].get("ports") or ():
        if (port["port"] == int(wanted)) if _numeric(wanted) else port.get("name") == wanted:
            if port.get("protocol", "TCP") == "UDP":
                raise CommandError(f"UDP protocol is not supported for {port['port']}")
            return port
    raise CommandError(f"Service {name} does not have a service port {wanted}" if _numeric(wanted)
                       else f"Service '{name}' does not have a named port '{wanted}'")


def _container_port(pod: Object, wanted: str) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == wanted:
                if port.get("protocol", "TCP") == "UDP":
                    raise CommandError(f"UDP protocol is not supported for {wanted}")
                return port["containerPort"]
    raise CommandError(f"Pod '{pod['metadata']['name']}' does not have a named port '{wanted}'")


COMMANDS = (
    Command(
        "port-forward",
        forward,
        flags=(
            Flag("address", "", ["localhost"], "Addresses to listen on, comma separated: IP addresses, or localhost for 127.0.0.1 and ::1."),
            RUNNING_TIMEOUT,
        ),
        short="Forward one or more local ports to a pod",
        long="Let ports of this machine lead to ports of a pod. Of several pods behind a type and name one is chosen; when it ends, the "
             "command must be started again.",
        use="TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
        examples="# Port 8080 here to port 80 of a pod\nkubectl port-forward pod/web 8080:80\n\n# Several ports, of a deployment's pod\n"
                 "kubectl port-forward deploy/web 5000 6000\n\n# To the port behind a service's port named https\n"
                 "kubectl port-forward svc/web 8443:https\n\n# Any free port here\nkubectl port-forward pod/web :80\n\n# On all addresses\n"
                 "kubectl port-forward --address 0.0.0.0 pod/web 8080:80",
    ),
)
