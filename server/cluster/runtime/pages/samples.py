"""The small web servers of tutorials: each says who it is, or what it was asked.

Source: the images' own repositories (traefik/whoami, hashicorp/http-echo, GoogleCloudPlatform/kubernetes-engine-samples, sysnet4admin, kiamol)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from server.cluster.runtime.pages.nginx import Start, version
from server.cluster.runtime.pages.nginx_conf import ROOT
from server.cluster.runtime.pages.site import HTML, JSON, PLAIN, Answer, Site, flag, go, http_time, length, page, route

Says = Callable[[Site, str, str, dict[str, str]], Answer]


def says(text: Callable[[Site], str], kind: str = "text/plain") -> Says:
    return lambda site, method, path, headers: page(200, text(site), kind)


def of_nginx(text: Callable[[Site, str], str], kind: str = "text/plain") -> Says:
    """An nginx whose configuration returns one text."""
    def answer(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
        body = text(site, method)
        return 200, {"Server": f"nginx/{version('latest')}", "Date": http_time(site.time()), "Content-Type": kind, "Content-Length":
                     str(length(body)), "Connection": "keep-alive"}, body
    return answer


KIAMOL = """<html>
  <body>
    <h1>Hello from Chapter 2!</h1>
    <h2>Learn Kubernetes in a Month of Lunches</h2>
    <p>I'm <i>{}</i>.</p>
  </body>
</html>
"""


def kiamol_begin(machine: Any, ports: tuple[int, ...]) -> Start:
    """Its start script writes the page, with the name of the machine, and starts nginx."""
    page = f"{ROOT}/index.html"
    if page not in machine.own_files:
        machine.files.make_directory(ROOT, parents=True)
        machine.files.write(page, KIAMOL.format(machine.hostname))
    return Start(ports)


def whoami(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    asked = route(path)
    if asked == "/health":
        return go(site, 200, "")
    if asked == "/api":
        return go(site, 200, json.dumps({"hostname": site.hostname, "ip": ["127.0.0.1", "::1", site.ip], "headers": {
            name: [value] for name, value in headers.items() if name != "Host"}, "url": path, "host": headers.get("Host", ""), "method": method,
            "remoteAddr": f"{site.client}:{_port(site)}"}, separators=(",", ":")) + "\n", JSON)
    name = flag(site.argv, "name", site.environment().get("WHOAMI_NAME", ""))
    rows = [*([f"Name: {name}"] if name else ()), f"Hostname: {site.hostname}", "IP: 127.0.0.1", "IP: ::1", f"IP: {site.ip}",
            f"RemoteAddr: {site.client}:{_port(site)}", f"{method} {path} HTTP/1.1", f"Host: {headers.get('Host', site.ip)}",
            *(f"{each}: {value}" for each, value in sorted(headers.items()) if each != "Host")]
    return go(site, 200, "".join(f"{row}\n" for row in rows) + "\n")


def _port(site: Site) -> int:
    """The port that a client sends from."""
    return 32768 + sum(site.client.encode()) * 7 % 28232


def http_echo(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    if route(path) == "/health":
        return go(site, 200, '{"status":"ok"}\n', JSON)
    text = flag(site.argv, "text", site.environment().get("ECHO_TEXT", "hello-world"))
    status = flag(site.argv, "status-code", "200")
    found = go(site, int(status) if status.isdigit() else 200, f"{text}\n")
    found[1].update({"X-App-Name": "http-echo", "X-App-Version": "1.0.0"})
    return found


def hello_app(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    return go(site, 200, f"Hello, world!\nVersion: {site.image_tag or '1'}.0.0\nHostname: {site.hostname}\n")


def nginx_hello(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """nginxdemos/hello: a page, or plain text in the tags that say so."""
    rows = {"Server address": f"{site.ip}:{site.port}", "Server name": site.hostname, "Date": f"{site.time():%d/%b/%Y:%H:%M:%S +0000}",
            "URI": path, "Request ID": f"{length(path + site.hostname) * 0x9E3779B97F4A7C15 % 2**64:032x}"}
    if "plain-text" in site.tag:
        return page(200, "".join(f"{name}: {value}\n" for name, value in rows.items()), "text/plain")
    body = "".join(f"<p><span>{name.replace('Server', 'Server&nbsp;')}:</span> <span>{value}</span></p>\n" for name, value in rows.items())
    return page(200, f"<!DOCTYPE html>\n<html>\n<head>\n<title>Hello World</title>\n</head>\n<body>\n{body}</body>\n</html>\n", HTML)


def bootcamp(site: Site) -> str:
    return f"Hello Kubernetes bootcamp! | Running on: {site.hostname} | v={site.image_tag.removeprefix('v') or '1'}\n"


def echo_server(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """registry.k8s.io/echoserver: the request, and who got it."""
    shown = "".join(f"\t{name.lower()}={value}\n" for name, value in sorted(headers.items()))
    host = headers.get("Host", site.ip)
    return page(200, f"\n\nHostname: {site.hostname}\n\nPod Information:\n\t-no pod information available-\n\nServer values:\n"
                f"\tserver_version=nginx: 1.13.3 - lua: 10008\n\nRequest Information:\n\tclient_address={site.client}\n\tmethod={method}\n"
                f"\treal path={path}\n\tquery={path.partition('?')[2]}\n\trequest_version=1.1\n\trequest_scheme=http\n"
                f"\trequest_uri=http://{host.partition(':')[0]}:{site.port}{path}\n\nRequest Headers:\n{shown}\nRequest Body:\n"
                f"{f'{chr(9)}{site.body}' if site.body else f'{chr(9)}-no body in request-'}\n\n", "text/plain")


def json_echo(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """ealen/echo-server and its like: the request as JSON."""
    body = {"host": {"hostname": headers.get("Host", "").partition(":")[0], "ip": f"::ffff:{site.client}", "ips": []},
            "http": {"method": method, "baseUrl": "", "originalUrl": path, "protocol": "http"},
            "request": {"params": {"0": route(path)}, "query": dict(parse_qsl(path.partition("?")[2])), "cookies": {}, "body": {},
                        "headers": {name.lower(): value for name, value in headers.items()}},
            "environment": dict(site.environment())}
    return page(200, json.dumps(body, separators=(",", ":")), "application/json; charset=utf-8")


def https_echo(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """mendhak/http-https-echo."""
    body = {"path": route(path), "headers": {name.lower(): value for name, value in headers.items()}, "method": method, "body": site.body,
            "fresh": False, "hostname": headers.get("Host", "").partition(":")[0], "ip": f"::ffff:{site.client}", "ips": [],
            "protocol": "https" if site.tls else "http", "query": dict(parse_qsl(path.partition("?")[2])), "subdomains": [],
            "xhr": False, "os": {"hostname": site.hostname}, "connection": {}}
    return page(200, json.dumps(body, indent=2), "application/json; charset=utf-8")


def httpbin(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """kennethreitz/httpbin: /get, /post, /headers, /ip, /status/N, /uuid and their like."""
    asked = route(path)
    host = headers.get("Host", site.ip)
    facts = {"args": dict(parse_qsl(path.partition("?")[2])), "headers": dict(sorted(headers.items())), "origin": site.client,
             "url": f"http://{host}{path}"}
    parts = asked.strip("/").split("/")
    if parts[0] == "status" and len(parts) == 2 and parts[1].isdigit() and 100 <= int(parts[1]) < 600:
        return page(int(parts[1]), "", "text/html; charset=utf-8")
    if parts[0] in ("get", "post", "put", "delete", "patch", "anything"):
        if parts[0] not in ("anything", method.lower()) and not (parts[0] == "get" and method == "HEAD"):
            return page(405, "<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n"
                        "<p>The method is not allowed for the requested URL.</p>\n")
        if parts[0] not in ("get",):
            facts |= {"data": site.body, "files": {}, "form": {}, "json": None}
        return page(200, json.dumps(dict(sorted(facts.items())), indent=2) + "\n", JSON)
    known = {"headers": {"headers": facts["headers"]}, "ip": {"origin": site.client}, "user-agent": {"user-agent": headers.get("User-Agent", "")}}
    if parts[0] in known:
        return page(200, json.dumps(known[parts[0]], indent=2) + "\n", JSON)
    if asked == "/":
        return page(200, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>httpbin.org</title></head>\n<body><h2>httpbin.org</h2></body>\n</html>\n",
                    "text/html; charset=utf-8")
    return page(404, "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
                "<p>The requested URL was not found on the server.</p>\n")


def goproxy(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    return go(site, 404, "404 page not found\n")


def liveness(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """The server of the documentation's probes: healthy for ten seconds."""
    if route(path) == "/healthz":
        return go(site, 200, "ok") if site.uptime() < 10 else go(site, 500, f"error: {site.uptime():.9f}")
    return go(site, 200, f"{site.uptime():f}s\n")


def own(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """Somebody's own application."""
    return page(200, f"Hello from {site.hostname}\n", PLAIN)
