"""Servers: what each says when it starts, on which ports it listens, how it answers, what it logs, how it takes a SIGTERM.

A server has no timers: it runs until it is told to stop. ``http(site, method, path, headers)`` (see ``pages.site``) gives (status, headers,
body), ``talk(container)`` the conversation of one that speaks something else; ``access_lines`` are those that a request leaves in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from server.cluster.runtime.pages import agnhost, coredns, databases, folders, metrics, nginx, redis, samples
from server.cluster.runtime.pages.nginx import Start
from server.cluster.runtime.pages.site import Answer

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
INGRESS_BANNER = (
    "-" * 79, "NGINX Ingress controller", "  Release:       {tag}", "  Repository:    https://github.com/kubernetes/ingress-nginx",
    "  nginx version: nginx/1.27.1", "", "-" * 79, "",
    'I{klog}       7 main.go:205] "Creating API client" host="https://10.96.0.1:443"',
    'I{klog}       7 main.go:248] "Running in Kubernetes cluster" major="1" minor="36" git="v1.36.2" state="clean" platform="linux/amd64"',
    'I{klog}       7 nginx.go:273] "Starting NGINX Ingress controller"',
    'I{klog}       7 nginx.go:319] "Starting NGINX process"',
)


class Server(NamedTuple):
    """``stop`` is (seconds from SIGTERM to the end, exit code); None if it does not hear SIGTERM as process 1. ``http`` None speaks
    no HTTP. ``relay``: it answers with what it fetches from elsewhere (``Runtime.relay``); ``tls`` are the ports where it speaks TLS;
    ``talk(container)`` opens a conversation (``reach.Talk``) in another protocol than HTTP. ``begin(container, ports)`` says on which ports
    it comes up, or why it does not."""

    stop: tuple[float, int] | None
    http: Callable[[Any, str, str, dict[str, str]], Answer] | None = None
    banner: tuple[str, ...] = ()
    access: str = ""
    start: float = 0.0
    relay: bool = False
    tls: tuple[int, ...] = ()
    talk: Callable[..., Any] | None = None
    begin: Callable[[Any, tuple[int, ...]], Start] | None = None


COMBINED = '{client} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "{method} {path} HTTP/1.1" {status} {size} "{referer}" "{agent}" "-"'
COMMON = '{client} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "{method} {path} HTTP/1.1" {status} {size}'
PYTHON = '{client} - - [{time:%d/%b/%Y %H:%M:%S}] "{method} {path} HTTP/1.1" {status} -'
ECHO = '{time:%Y/%m/%d %H:%M:%S} {host} {client}:43210 "{method} {path} HTTP/1.1" {status} {size} "{agent}" 21.4µs'
QUICK = (0.15, 0)
GO = (0.05, 2)
SERVERS: dict[str, Server] = {
    "nginx": Server(QUICK, nginx.answer, NGINX_BANNER, COMBINED, begin=nginx.begin),
    "httpd": Server(QUICK, folders.apache, (
        "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using {ip}. Set the 'ServerName' directive "
        "globally to suppress this message",
        "[{apache_time}] [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4.66 (Unix) configured -- resuming normal operations",
        "[{apache_time}] [core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'"), COMMON),
    "kiamol": Server(QUICK, nginx.answer, (), COMBINED, begin=samples.kiamol_begin),
    "echo-hname": Server(QUICK, samples.of_nginx(lambda site, method: f"{site.hostname}\n"), NGINX_BANNER, COMBINED),
    "echo-ip": Server(QUICK, samples.of_nginx(lambda site, method: f"request_method : {method} | ip_dest: {site.ip}\n"), NGINX_BANNER,
                      COMBINED),
    "nginx-hello": Server(QUICK, samples.nginx_hello, NGINX_BANNER, COMBINED),
    "kubia": Server(None, samples.says(lambda site: f"You've hit {site.hostname}\n"), ("Kubia server starting...",)),
    "bootcamp": Server(None, samples.says(samples.bootcamp), ("Kubernetes Bootcamp App Started At: {iso_time} | Running On:  {hostname} ",)),
    "node-hello": Server(None, samples.says(lambda site: "Hello Kubernetes!")),
    "hello-app": Server(GO, samples.hello_app, ("{go_time} Server listening on port 8080",), "{time:%Y/%m/%d %H:%M:%S} Serving request: {path}"),
    "whoami": Server(GO, samples.whoami, ("{go_time} Starting up on port {port}",)),
    "http-echo": Server((0.05, 0), samples.http_echo, ("{go_time} [INFO] server is listening on :{port}",), ECHO),
    "echoserver": Server(QUICK, samples.echo_server, ("Generating self-signed cert", "Starting nginx"), COMBINED),
    "json-echo": Server(None, samples.json_echo, ("Listening on port {port}.",)),
    "https-echo": Server((0.05, 0), samples.https_echo, ("Listening on ports 8080 for http, and 8443 for https.",), tls=(8443,)),
    "httpbin": Server((0.2, 0), samples.httpbin, ("[{gunicorn_time} +0000] [1] [INFO] Starting gunicorn 19.9.0",
                                                  "[{gunicorn_time} +0000] [1] [INFO] Listening at: http://0.0.0.0:80 (1)",
                                                  "[{gunicorn_time} +0000] [1] [INFO] Using worker: gevent")),
    "agnhost": Server(GO, agnhost.answer, begin=agnhost.begin),
    "liveness": Server(GO, samples.liveness),
    "goproxy": Server(GO, samples.goproxy),
    "hpa-example": Server(QUICK, samples.says(lambda site: "OK!", "text/html; charset=UTF-8"), (
        "AH00558: apache2: Could not reliably determine the server's fully qualified domain name, using {ip}. Set the 'ServerName' directive "
        "globally to suppress this message",
        "[{apache_time}] [mpm_prefork:notice] [pid 1] AH00163: Apache/2.4.10 (Debian) PHP/5.6.14 configured -- resuming normal operations",
        "[{apache_time}] [core:notice] [pid 1] AH00094: Command line: 'apache2 -D FOREGROUND'"), COMMON + ' "{referer}" "{agent}"'),
    "app": Server((0.2, 0), samples.own, (), ""),
    "redis": Server((0.1, 0), None, ("1:C {redis_time} * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
                                     "1:M {redis_time} * Running mode=standalone, port=6379.", "1:M {redis_time} * Server initialized",
                                     "1:M {redis_time} * Ready to accept connections tcp"), talk=redis.Talk),
    "mysql": Server((1.5, 0), None, (
        "{dash_time}+00:00 [Note] [Entrypoint]: Entrypoint script for MySQL Server started.",
        "{iso_time} 0 [System] [MY-010116] [Server] /usr/sbin/mysqld starting as process 1",
        "{iso_time} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. socket: '/var/run/mysqld/mysqld.sock'  port: 3306  "
        "MySQL Community Server - GPL."), start=4.0, talk=databases.mysql),
    "postgres": Server((0.3, 0), None, (
        "PostgreSQL init process complete; ready for start up.",
        '{dash_time}.000 UTC [1] LOG:  listening on IPv4 address "0.0.0.0", port 5432',
        "{dash_time}.000 UTC [1] LOG:  database system is ready to accept connections"), start=1.0, talk=databases.postgres),
    "mongo": Server((0.5, 0), None, ('{{"t":{{"$date":"{iso_time}"}},"s":"I","c":"CONTROL","id":4615611,"ctx":"initandlisten",'
                                     '"msg":"MongoDB starting"}}',
                                     '{{"t":{{"$date":"{iso_time}"}},"s":"I","c":"NETWORK","id":23016,"ctx":"listener",'
                                     '"msg":"Waiting for connections","attr":{{"port":27017,"ssl":"off"}}}}'), start=1.0, talk=databases.mongo),
    "tomcat": Server((1.0, 143), samples.says(lambda site: "<!doctype html><html lang=\"en\"><head><title>HTTP Status 404 – Not Found</title></head>"
                                              "<body><h1>HTTP Status 404 – Not Found</h1></body></html>", "text/html;charset=utf-8"),
                     ("{tomcat_time} INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [412] milliseconds",), start=2.0),
    "node-exporter": Server((0.05, 143), metrics.node_exporter, (
        'time={iso_time} level=INFO source=node_exporter.go:216 msg="Starting node_exporter" version="(version=1.10.2)"',
        'time={iso_time} level=INFO source=tls_config.go:346 msg="Listening on" address=[::]:9100',
        'time={iso_time} level=INFO source=tls_config.go:349 msg="TLS is disabled." http2=false address=[::]:9100')),
    "coredns": Server((0.1, 0), samples.says(lambda site: "OK"), (".:53", "CoreDNS-1.14.2", "linux/amd64"), begin=coredns.begin),
    "http.server": Server(None, folders.http_server, (), PYTHON),
    "ingress-nginx": Server((1.0, 0), None, INGRESS_BANNER, start=0.5, relay=True, tls=(443, 8443)),
    "pause": Server((0.0, 0)),
    "quiet": Server((0.2, 0), samples.says(lambda site: "ok")),
}


def access_lines(server: Server, client: str, when: datetime, method: str, path: str, headers: dict[str, str], answer: Answer,
                 host: str) -> list[tuple[str, str]]:
    """(stream, line) for each line that a request leaves."""
    if not server.access:
        return []
    size = 0 if method == "HEAD" else len(answer[2].encode("utf-8", "surrogateescape"))
    line = server.access.format(client=client, time=when, method=method, path=path, status=answer[0], size=size, host=host,
                                agent=headers.get("User-Agent", "-"), referer=headers.get("Referer", "-"))
    return [("stderr" if server.access is PYTHON else "stdout", line)]


def banner_line(line: str, facts: dict[str, Any]) -> str:
    """A line of a banner, with the times as each server writes them."""
    when: datetime = facts["when"]
    if "{" not in line:
        return line
    iso = f"{when:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    return line.format(**facts, iso_time=iso, error_time=f"{when:%Y/%m/%d %H:%M:%S}", go_time=f"{when:%Y/%m/%d %H:%M:%S}",
                       dash_time=f"{when:%Y-%m-%d %H:%M:%S}", redis_time=f"{when:%d %b %Y %H:%M:%S.%f}"[:-3],
                       apache_time=f"{when:%a %b %d %H:%M:%S.%f %Y}", gunicorn_time=f"{when:%Y-%m-%d %H:%M:%S}",
                       tomcat_time=f"{when:%d-%b-%Y %H:%M:%S.%f}"[:-3])
