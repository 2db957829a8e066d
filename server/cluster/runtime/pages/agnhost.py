"""The servers of agnhost, the image of Kubernetes' own network tests: netexec, porter, serve-hostname, liveness, test-webserver.

``netexec /dial`` asks others over the container's network; ``/exit`` and ``/shutdown`` end it. ``/shell`` is refused: an answer is given in
the moment in which it is asked, and a command takes longer.

Source: https://github.com/kubernetes/kubernetes/tree/master/test/images/agnhost
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote

from server.cluster.runtime.pages.folders import python
from server.cluster.runtime.pages.nginx import Start
from server.cluster.runtime.pages.samples import liveness
from server.cluster.runtime.pages.site import HTML, Answer, Site, flag, go, go_error, route

TRIES = 100
PORTS = re.compile(r"SERVE_(?:TLS_)?PORT_(\d{1,5})")


def begin(machine: Any, ports: tuple[int, ...]) -> Start:
    """porter listens where its environment says."""
    argv = machine.launch.plan.argv
    if len(argv) < 2 or argv[1] != "porter":
        return Start(ports)
    found = [int(match[1]) for name in machine.environment() if (match := PORTS.fullmatch(name))]
    return Start(tuple(sorted(port for port in found if 0 < port < 65536)))


def answer(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    command = site.argv[1] if len(site.argv) > 1 else "pause"
    found = COMMANDS.get(command)
    return found(site, method, path, headers) if found is not None else go_error(site, 404, "404 page not found")


def _netexec(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    asked, query = route(path), {name: values[-1] for name, values in parse_qs(path.partition("?")[2], keep_blank_values=True).items()}
    if asked == "/":
        return go(site, 200, f"NOW: {site.time():%Y-%m-%d %H:%M:%S.%f}000 +0000 UTC m=+{site.uptime():.9f}")
    if asked in ("/hostname", "/hostName"):
        return go(site, 200, site.hostname)
    if asked == "/clientip":
        return go(site, 200, f"{site.client}:{32768 + sum(site.client.encode()) * 7 % 28232}")
    if asked in ("/healthz", "/readyz"):
        return go(site, 200, "")
    if asked == "/echo":
        code = query.get("code", "")
        return go(site, int(code) if re.fullmatch(r"[1-5]\d\d", code) else 200, query.get("msg", ""))
    if asked == "/header":
        return go(site, 200, headers.get(query.get("key", ""), ""))
    if asked == "/redirect":
        status, sent, body = go(site, int(query["code"]) if query.get("code", "").isdigit() else 302, "", HTML)
        return status, {**sent, "Location": query.get("location", "")}, body
    if asked in ("/exit", "/shutdown"):
        code = query.get("code", "0")
        site.machine.exit(int(code) % 256 if code.isdigit() and asked == "/exit" else 0)
        return go(site, 200, "")
    if asked == "/dial":
        return _dial(site, query)
    if asked in ("/shell", "/upload"):
        return go_error(site, 501, f"podium: {asked} is not simulated")
    return go_error(site, 404, "404 page not found")


def _dial(site: Site, query: dict[str, str]) -> Answer:
    """Asks somebody else, as often as it is told, and says what it heard."""
    request = query.get("request", "hostname")
    host, port, tries = query.get("host", ""), query.get("port", ""), query.get("tries", "1")
    if query.get("protocol", "http") != "http" or not port.isdigit() or not host or not tries.isdigit():
        return go_error(site, 400, 'unsupported protocol "udp" or missing host and port: only http is simulated')
    said: dict[str, list[str]] = {}
    for _ in range(min(int(tries), TRIES)):
        walk = site.machine.network().request(host, int(port), path=f"/{unquote(request).lstrip('/')}", timeout=15.0)
        if walk.error is None:
            said.setdefault("responses", []).append(walk.body.strip())
        else:
            said.setdefault("errors", []).append(f'Get "http://{host}:{port}/{request}": dial tcp {walk.address or host}:{port}: connect: '
                                                 f"{walk.fault.lower()}")
    return go(site, 200, json.dumps(said, separators=(",", ":")))


def _porter(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    values = site.environment()
    text = values.get(f"SERVE_PORT_{site.port}", values.get(f"SERVE_TLS_PORT_{site.port}"))
    return go(site, 200, text) if text is not None else go_error(site, 404, "404 page not found")


def _serve_hostname(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    return go(site, 200, site.hostname if flag(site.argv, "http", "true") != "false" else "")


def _files(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """All files of the container."""
    return python(Site(site.machine, ("python",), site.port, site.client, site.body, cwd="/", host=site.host), method, path, headers)


COMMANDS = {"netexec": _netexec, "porter": _porter, "serve-hostname": _serve_hostname, "liveness": liveness, "test-webserver": _files}
