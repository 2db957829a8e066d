"""Servers: what each says when it starts, on which ports it listens, how it answers HTTP, what it logs, how it takes a SIGTERM.

A server has no timers: it runs until it is told to stop. ``answer`` takes a request and the container (a ``Machine``) and gives
(status, headers, body); ``access`` gives the lines that the request leaves in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from server.cluster.runtime.commands import Machine

Answer = tuple[int, dict[str, str], str]
Page = Callable[..., Answer]
HTML, PLAIN, JSON = "text/html", "text/plain", "application/json"
REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed", 500: "Internal Server Error", 503: "Service Unavailable"}
NGINX_BANNER = (
    "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
    "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/",
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh",
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh",
    "/docker-entrypoint.sh: Configuration complete; ready for start up",
    "{error_time} [notice] 1#1: using the \"epoll\" event method",
    "{error_time} [notice] 1#1: nginx/{version}",
    "{error_time} [notice] 1#1: start worker processes",
    "{error_time} [notice] 1#1: start worker process 29",
    "{error_time} [notice] 1#1: start worker process 30",
)
NGINX_PAGE = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
LATEST_NGINX = "1.29.3"
PACKED = datetime(2025, 10, 28, 12, 5, 10, tzinfo=UTC)
NGINX_ROOT, HTTPD_ROOT = "/usr/share/nginx/html", "/usr/local/apache2/htdocs"


class Server(NamedTuple):
    """``stop`` is (seconds from SIGTERM to the end, exit code); None if it does not hear SIGTERM as process 1. ``http`` None speaks
    no HTTP."""

    stop: tuple[float, int] | None
    http: Callable[[Machine, str, str, dict[str, str]], Answer] | None = None
    banner: tuple[str, ...] = ()
    access: str = ""
    start: float = 0.0


def page(status: int, body: str, kind: str = HTML, **headers: str) -> Answer:
    return status, {"Content-Type": kind, "Content-Length": str(len(body.encode())), **headers}, body


def nginx_version(tag: str) -> str:
    number = tag.partition("-")[0]
    return number if number[:1].isdigit() else LATEST_NGINX


def _http_time(when: datetime) -> str:
    return f"{when:%a, %d %b %Y %H:%M:%S} GMT"


def _nginx_page(machine: Machine, status: int, body: str, changed: datetime | None = None) -> Answer:
    """In nginx's order; ``changed`` is the age of the file it comes from."""
    size = len(body.encode())
    of_file = {"Last-Modified": _http_time(changed)} if changed is not None else {}
    mark = {"ETag": f'"{int(changed.timestamp()):x}-{size:x}"', "Accept-Ranges": "bytes"} if changed is not None else {}
    return status, {"Server": f"nginx/{nginx_version(machine.tag)}", "Date": _http_time(machine.time()), "Content-Type": HTML,
                    "Content-Length": str(size), **of_file, "Connection": "keep-alive", **mark}, body


def _apache_page(machine: Machine, status: int, body: str, changed: datetime | None = None) -> Answer:
    size = len(body.encode())
    of_file = {"Last-Modified": _http_time(changed), "ETag": f'"{size:x}-{int(changed.timestamp() * 1_000_000):x}"',
               "Accept-Ranges": "bytes"} if changed is not None else {}
    return status, {"Date": _http_time(machine.time()), "Server": "Apache/2.4.66 (Unix)", **of_file, "Content-Length": str(size),
                    "Content-Type": HTML}, body


def _error(of: Page, machine: Machine, status: int) -> Answer:
    title = f"{status} {REASONS[status]}"
    return of(machine, status, f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx"
                "</center>\r\n</body>\r\n</html>\r\n")


def _static(root: str, default: str, of: Page) -> Callable[[Machine, str, str, dict[str, str]], Answer]:
    """A web server over a directory: what the container wrote there, or its welcome page."""

    def answer(machine: Machine, method: str, path: str, headers: dict[str, str]) -> Answer:
        if method not in ("GET", "HEAD", "POST"):
            return _error(of, machine, 405)
        wanted = path.partition("?")[0].rstrip("/") or "/index.html"
        text, changed = machine.files.read(root + wanted), machine.began()
        if text is None:
            below = machine.files.names(root)
            if wanted == "/index.html" and below:
                return _error(of, machine, 403)
            if wanted != "/index.html" or below is None and machine.mounted(root):
                return _error(of, machine, 404)
            if machine.mounted(root):
                return _error(of, machine, 403)
            text, changed = default, PACKED
        if method == "POST":
            return _error(of, machine, 405)
        return of(machine, 200, text, changed)

    return answer


def _says(text: Callable[[Machine, str], str], kind: str = PLAIN) -> Callable[[Machine, str, str, dict[str, str]], Answer]:
    return lambda machine, method, path, headers: page(200, text(machine, path), kind)


def _kiamol(machine: Machine, path: str) -> str:
    return ("<html>\n  <body>\n    <h1>Hello from Chapter 2!</h1>\n    <h2>Learn Kubernetes in a Month of Lunches</h2>\n"
            f"    <p>I'm <i>{machine.hostname}</i>.</p>\n  </body>\n</html>\n")


def _whoami(machine: Machine, method: str, path: str, headers: dict[str, str]) -> Answer:
    rows = [f"Hostname: {machine.hostname}", "IP: 127.0.0.1", f"IP: {machine.ip}", f"{method} {path} HTTP/1.1"]
    return page(200, "".join(f"{row}\n" for row in (*rows, *(f"{name}: {value}" for name, value in headers.items()))), PLAIN)


def _http_echo(machine: Machine, method: str, path: str, headers: dict[str, str]) -> Answer:
    text = next((word.partition("=")[2] for word in machine.argv if word.lstrip("-").startswith("text=")), None)
    if text is None:
        following = [machine.argv[at + 1] for at, word in enumerate(machine.argv[:-1]) if word.lstrip("-") == "text"]
        text = following[0] if following else "hello-world"
    return page(200, f"{text}\n", PLAIN)


def _agnhost(machine: Machine, method: str, path: str, headers: dict[str, str]) -> Answer:
    route = path.partition("?")[0]
    if "liveness" in machine.argv and route == "/healthz":
        return page(200, "ok", PLAIN) if machine.uptime() < 10 else page(500, f"error: {machine.uptime():f}", PLAIN)
    answers = {"/": f"NOW: {machine.time():%Y-%m-%d %H:%M:%S} +0000 UTC", "/hostname": machine.hostname, "/hostName": machine.hostname,
               "/healthz": "", "/readyz": "", "/clientip": headers.get("X-Forwarded-For", "")}
    if "serve-hostname" in machine.argv:
        return page(200, machine.hostname, PLAIN)
    return page(200, answers[route], PLAIN) if route in answers else page(404, "404 page not found\n", PLAIN)


def _ok(machine: Machine, method: str, path: str, headers: dict[str, str]) -> Answer:
    return page(200, f"Hello from {machine.hostname}\n", PLAIN)


def _files(machine: Machine, method: str, path: str, headers: dict[str, str]) -> Answer:
    wanted = path.partition("?")[0]
    text = machine.files.read(wanted if wanted != "/" else "/index.html")
    return page(200,
                text if text is not None else "<html><body>Directory listing for /</body></html>\n") if text is not None or wanted == "/" \
        else page(404, "File not found\n", PLAIN)


COMBINED = '{client} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "{method} {path} HTTP/1.1" {status} {size} "-" "{agent}" "-"'
COMMON = '{client} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "{method} {path} HTTP/1.1" {status} {size}'
QUICK = (0.15, 0)
_HTTPD_PAGE = "<html><body><h1>It works!</h1></body></html>\n"
SERVERS: dict[str, Server] = {
    "nginx": Server(QUICK, _static(NGINX_ROOT, NGINX_PAGE, _nginx_page), NGINX_BANNER, COMBINED),
    "httpd": Server(QUICK, _static(HTTPD_ROOT, _HTTPD_PAGE, _apache_page), (
        "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using {ip}. Set the 'ServerName' directive "
        "globally to suppress this message",
        "[mpm_event:notice] [pid 1:tid 1] AH00489: Apache configured -- resuming normal operations",
        "[core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'"), COMMON),
    "kiamol": Server(QUICK, _says(_kiamol, HTML), (), COMBINED),
    "echo-hname": Server(QUICK, _says(lambda machine, path: f"{machine.hostname}\n"), NGINX_BANNER, COMBINED),
    "echo-ip": Server(QUICK, _says(lambda machine, path: f"request_method : GET | ip_dest: {machine.ip}\n"), NGINX_BANNER, COMBINED),
    "kubia": Server(None, _says(lambda machine, path: f"You've hit {machine.hostname}\n"), ("Kubia server starting...",)),
    "node-hello": Server(None, _says(lambda machine, path: "Hello Kubernetes!")),
    "hello-app": Server((0.05, 2), _says(lambda machine,
                                         path: f"Hello, world!\nVersion: {machine.image_tag}.0\nHostname: {machine.hostname}\n"),
                        ("Server listening on port 8080",)),
    "whoami": Server((0.05, 2), _whoami, ("Starting up on port 80",)),
    "http-echo": Server((0.05, 0), _http_echo, ("[INFO] server is listening on :5678",), COMMON),
    "agnhost": Server((0.05, 2), _agnhost),
    "hpa-example": Server(QUICK, _says(lambda machine, path: "OK!"), (), COMMON),
    "app": Server((0.2, 0), _ok, (), ""),
    "redis": Server((0.1, 0), None, ("1:C oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", "1:M * Running mode=standalone, port=6379.",
                                     "1:M * Server initialized", "1:M * Ready to accept connections tcp")),
    "mysql": Server((1.5, 0), None, ("[Note] [Entrypoint]: Entrypoint script for MySQL Server started.",
                                     "[System] [MY-010116] [Server] /usr/sbin/mysqld starting as process 1",
                                     "[System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. port: 3306"), start=4.0),
    "postgres": Server((0.3, 0), None, ("PostgreSQL Database directory appears to contain a database; Skipping initialization",
                                        'LOG:  listening on IPv4 address "0.0.0.0", port 5432',
                                        "LOG:  database system is ready to accept connections"), start=1.0),
    "mongo": Server((0.5, 0), None, ('{"msg":"MongoDB starting"}', '{"msg":"Waiting for connections","attr":{"port":27017}}'), start=1.0),
    "tomcat": Server((1.0, 143), _says(lambda machine, path: "<h1>HTTP Status 404 - Not Found</h1>\n", HTML), ("INFO [main] Server startup",
                                                                                                               ), start=2.0),
    "node-exporter": Server((0.05, 143), _says(lambda machine, path: "<html><head><title>Node Exporter</title></head></html>\n"
                                               if path != "/metrics" else "node_load1 0.1\n"),
                            ("level=INFO source=node_exporter.go msg=\"Starting node_exporter\"",
                             "level=INFO source=tls_config.go msg=\"Listening on\" address=[::]:9100")),
    "coredns": Server((0.1, 0), _says(lambda machine, path: "OK"), (".:53", "CoreDNS-1.14.2", "linux/amd64")),
    "http.server": Server(None, _files, (), COMMON),
    "pause": Server((0.0, 0)),
    "quiet": Server((0.2, 0), _says(lambda machine, path: "ok")),
}


def access_lines(server: Server, client: str, when: datetime, method: str, path: str, headers: dict[str, str], answer: Answer,
                 host: str) -> list[tuple[str, str]]:
    """(stream, line) for each line that a request leaves."""
    lines = []
    if server.banner is NGINX_BANNER and answer[0] == 404:
        lines.append(("stderr",
                      f'{when:%Y/%m/%d %H:%M:%S} [error] 29#29: *1 open() "{NGINX_ROOT}{path}" failed (2: No such file or directory), '
                      f'client: {client}, server: localhost, request: "{method} {path} HTTP/1.1", host: "{host}"'))
    if server.access:
        lines.append(("stdout", server.access.format(client=client, time=when, method=method, path=path, status=answer[0],
                                                     size=len(answer[2].encode()), agent=headers.get("User-Agent", "-"))))
    return lines
