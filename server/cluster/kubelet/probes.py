"""Probes: what they ask, what the answer is, and when they ask next.

A ``Probe`` is read once per template; ``ask`` puts it to a running container and gives a ``Result``. A result that cannot change by
itself is marked ``steady``, so that a pod that answers well is never asked again until something in it changes.

Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.kubelet import commands
from server.cluster.objects import Object
from server.cluster.runtime.container import Container
from server.cluster.runtime.runtime import ConnectionRefused, NoHttp, Runtime
from server.cluster.runtime.servers import SERVERS

KINDS = ("startup", "liveness", "readiness")
TITLES = {"startup": "Startup", "liveness": "Liveness", "readiness": "Readiness"}
AGENT = {"User-Agent": "kube-probe/1.36", "Accept": "*/*"}
LOOPBACK = ("127.0.0.1", "localhost")
TLS_PORTS = frozenset({443, 2379, 2380, 4443, 6443, 8443, 10250, 10257, 10259})
SPEAK_GRPC = ("app", "agnhost", "quiet")
PATIENCE, RARE = 30, 300.0


class Probe(NamedTuple):
    kind: str
    how: str
    action: Object
    delay: float
    period: float
    timeout: float
    successes: int
    failures: int


class Result(NamedTuple):
    ok: bool
    text: str = ""
    errored: bool = False
    steady: bool = True


def probes_of(container: Object) -> tuple[Probe, ...]:
    found = []
    for kind in KINDS:
        spec = container.get(f"{kind}Probe")
        if not spec:
            continue
        how = next((name for name in ("exec", "httpGet", "tcpSocket", "grpc") if name in spec), "")
        if how:
            found.append(Probe(kind, how, spec[how], spec.get("initialDelaySeconds", 0), spec.get("periodSeconds", 10),
                               spec.get("timeoutSeconds", 1), spec.get("successThreshold", 1), spec.get("failureThreshold", 3)))
    return tuple(found)


def ask(probe: Probe, runtime: Runtime, pod: Object, spec: Object, container: Container) -> Result:
    """One probe of a running container of ``pod``, over the network; ``spec`` is the container's."""
    port = port_of(spec, probe.action.get("port"))
    if port is None:
        return Result(False, f'strconv.Atoi: parsing "{probe.action.get("port")}": invalid syntax', errored=True)
    host = probe.action.get("host") or container.ip
    if host != container.ip and not (host in LOOPBACK and pod["spec"].get("hostNetwork")):
        return Result(False, f"podium: a probe of another machine ({host}) is not simulated", errored=True)
    if probe.how == "tcpSocket":
        return _tcp(container, host, port)
    if probe.how == "grpc":
        server = next((other.server for other in container.sandbox.containers.values() if other.listens(port)), None)
        ok = server is not None and any(server is SERVERS[name] for name in SPEAK_GRPC)
        late = f'timeout: failed to connect service "{host}:{port}" within {probe.timeout:g}s: context deadline exceeded'
        return Result(ok, "" if ok else late)
    return _http(probe, runtime, pod, container, host, port)


def failure(probe: Probe, spec: Object, container: Container) -> str:
    """What a probe says of a container that does not answer as it should."""
    if probe.how == "httpGet":
        return "HTTP probe failed with statuscode: 500"
    if probe.how == "tcpSocket":
        host = probe.action.get("host") or container.ip
        return f"dial tcp {host}:{port_of(spec, probe.action.get('port'))}: connect: connection refused"
    return 'service unhealthy (responded with "NOT_SERVING")' if probe.how == "grpc" else ""


def port_of(spec: Object, port: Any) -> int | None:
    """A port by number or by the name that the container gives it."""
    if isinstance(port, int):
        return port
    named = next((entry["containerPort"] for entry in spec.get("ports") or () if entry.get("name") == port), None)
    return named if named is not None or not str(port).isdigit() else int(port)


def ask_command(probe: Probe, container: Container, then: Callable[[Result], None]) -> None:
    """The same for a probe that is a command: ``then(result)`` when it has ended."""
    argv = list(probe.action.get("command") or ())

    def ended(done: commands.Done) -> None:
        if done.refused:
            then(Result(False, f"rpc error: code = Unknown desc = failed to exec in container: {done.refused}", errored=True))
        elif done.code is None:
            then(Result(False, f'command timed out: "{" ".join(argv)}" timed out after {probe.timeout:g}s'))
        else:
            then(Result(done.code == 0, done.text.rstrip("\n"), steady=not done.outside))

    commands.run(container, argv, probe.timeout, ended)


def _tcp(container: Container, host: str, port: int) -> Result:
    if any(other.listens(port) for other in container.sandbox.containers.values()):
        return Result(True)
    return Result(False, f"dial tcp {host}:{port}: connect: connection refused")


def _http(probe: Probe, runtime: Runtime, pod: Object, container: Container, host: str, port: int) -> Result:
    scheme = probe.action.get("scheme", "HTTP").lower()
    path = probe.action.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    headers = {**AGENT, "Host": f"{host}:{port}", **{entry["name"]: entry["value"] for entry in probe.action.get("httpHeaders") or ()}}
    url = f"{scheme}://{host}:{port}{path}"
    if scheme == "https" and port not in TLS_PORTS and any(other.listens(port) for other in container.sandbox.containers.values()):
        return Result(False, f'Get "{url}": http: server gave HTTP response to HTTPS client')
    gateway = container.ip.rpartition(".")[0] + ".1"
    try:
        status, _, _ = runtime.http(pod, port, "GET", path, headers, client=gateway)
    except ConnectionRefused:
        return Result(False, f'Get "{url}": dial tcp {host}:{port}: connect: connection refused')
    except NoHttp:
        return Result(False, f'Get "{url}": EOF')
    steady = "liveness" not in container.argv
    if 200 <= status < 400:
        return Result(True, steady=steady)
    return Result(False, f"HTTP probe failed with statuscode: {status}", steady=steady)
