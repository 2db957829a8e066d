"""The registries of the simulated world: which images there are, how big, and what runs in them.

``resolve(reference)`` takes what a pod asks for and gives an ``Image`` or raises ``PullError`` with the words containerd uses. The
catalogue is data: a row a repository, and a rule for which of its tags exist. A well-formed name that is in no row is somebody's own
application: it exists, and runs as a server on the ports that its container declares. Names that say they are wrong, and official
names with a slip of the finger (``ngnix``), do not exist.

Source: https://hub.docker.com/search?badges=official
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from server.cluster.runtime.references import DEFAULT_NAMESPACE, DEFAULT_REGISTRY, Reference, parse

MB = 1_000_000
WRONG = re.compile(r"no-?such|does-?not-?exist|not-?exist|non-?exist|not-?found|invalid|bogus|wrong|missing|fake|typo|bad-?image|bad-?tag")


class PullError(Exception):
    """The registry does not give the image; ``str()`` is the whole error as the kubelet reports it."""


class Image(NamedTuple):
    """What is known of an image: ``entrypoint`` and ``command`` as in its config, ``kit`` names the programs that it holds; ``text`` is
    its full name and ``id`` its ``imageID``, as in a container's status."""

    reference: Reference
    size: int
    kit: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    ports: tuple[int, ...]
    server: str
    known: bool
    digest: str
    text: str
    id: str


class Row(NamedTuple):
    """One repository: tags, compressed size in MB, kit, entry point, command, ports, the server that its default command is."""

    tags: Callable[[str], bool]
    size: float
    kit: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    server: str = ""


def versions(lines: str, named: str = "", variants: str = "") -> Callable[[str], bool]:
    """The tags of a repository whose release lines ended at ``lines``: ``1.16.1`` stands for 1, 1.16, 1.16.0 and 1.16.1. ``named``
    tags exist too, and each with a suffix that matches ``variants``.

    >>> exists = versions("1.16.1 1.27.5", "latest", "alpine")
    >>> [exists(tag) for tag in ("1.16.1", "1.27", "1.27-alpine", "latest", "1.200", "1.16.9")]
    [True, True, True, True, False, False]
    """
    last: dict[tuple[int, ...], int] = {}
    for line in lines.split():
        *head, end = (int(part) for part in line.split("."))
        last[tuple(head)] = end
    prefixes = {(*head, end)[:n] for head, end in last.items() for n in range(1, len(head) + 1)}
    names = {"latest", *named.split()}
    pattern = re.compile(r"v?(\d+(?:\.\d+)*)(?:-(?:" + (variants or "(?!)") + "))?")

    def exists(tag: str) -> bool:
        if tag in names or (variants and (re.fullmatch(variants, tag) or tag.partition("-")[0] in names)):
            return True
        found = pattern.fullmatch(tag)
        if found is None:
            return False
        parts = tuple(int(part) for part in found[1].split("."))
        return parts in prefixes or parts[-1] <= last.get(parts[:-1], -1)

    return exists


def matching(pattern: str) -> Callable[[str], bool]:
    """Tags that match a regular expression, and ``latest``."""
    regex = re.compile(pattern)
    return lambda tag: tag == "latest" or regex.fullmatch(tag) is not None


def anything(tag: str) -> bool:
    return not WRONG.search(tag.lower())


DEBIAN = r"alpine[\d.]*(-(slim|perl|otel))?|slim|perl|otel|(slim-)?(bookworm|bullseye|buster|trixie)(-perl)?"
RELEASE = matching(r"v\d{1,2}\.\d{1,3}\.\d{1,3}")
SIMPLE = matching(r"v?\d{1,2}(\.\d{1,2}){0,2}")
KUBERNETES = matching(r"v1\.(1\d|2\d|3[0-6])\.\d{1,2}")
_INGRESS_NGINX = versions("0.51.0 1.0.5 1.1.3 1.2.1 1.3.1 1.4.0 1.5.1 1.6.4 1.7.1 1.8.5 1.9.6 1.10.6 1.11.8 1.12.8 1.13.4 1.14.0")

OFFICIAL: dict[str, Row] = {
    "nginx": Row(versions("1.7.12 1.8.1 1.9.15 1.10.3 1.11.13 1.12.2 1.13.12 1.14.2 1.15.12 1.16.1 1.17.10 1.18.0 1.19.10 1.20.2 1.21.6 "
                          "1.22.1 1.23.4 1.24.0 1.25.5 1.26.3 1.27.5 1.28.0 1.29.3", "stable mainline", DEBIAN),
                 72.3, "debian", ("/docker-entrypoint.sh",), ("nginx", "-g", "daemon off;"), (80,), "nginx"),
    "httpd": Row(versions("2.2.34 2.4.66", "", DEBIAN), 58.2, "debian", (), ("httpd-foreground",), (80,), "httpd"),
    "busybox": Row(versions("1.21.1 1.22.1 1.23.2 1.24.2 1.25.1 1.26.2 1.27.2 1.28.4 1.29.3 1.30.1 1.31.1 1.32.1 1.33.1 1.34.1 1.35.0 "
                            "1.36.1 1.37.0", "stable unstable glibc musl uclibc", "glibc|musl|uclibc"), 2.2, "busybox", (), ("sh",)),
    "alpine": Row(versions("2.6 2.7 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9 3.10.9 3.11.13 3.12.12 3.13.12 3.14.10 3.15.11 3.16.9 3.17.10 "
                           "3.18.12 3.19.9 3.20.8 3.21.5 3.22.2", "edge"), 3.8, "busybox", (), ("/bin/sh",)),
    "ubuntu": Row(versions("12.04 14.04 16.04 18.04 20.04 22.04 24.04 25.10", "xenial bionic focal jammy noble rolling devel"),
                  29.7, "debian", (), ("/bin/bash",)),
    "debian": Row(versions("7.11 8.11 9.13 10.13 11.11 12.12 13.1", "stable testing unstable sid buster bullseye bookworm trixie", "slim"),
                  48.5, "debian", (), ("bash",)),
    "centos": Row(versions("5.11 6.10 7.9 8.4", "centos7 centos8"), 83.5, "debian", (), ("/bin/bash",)),
    "fedora": Row(versions("26 30 44", "rawhide"), 64.0, "debian", (), ("/bin/bash",)),
    "redis": Row(versions("2.8.23 3.0.7 3.2.12 4.0.14 5.0.14 6.0.20 6.2.20 7.0.15 7.2.11 7.4.6 8.0.4 8.2.2", "", DEBIAN), 52.9, "debian",
                 ("docker-entrypoint.sh",), ("redis-server",), (6379,), "redis"),
    "mysql": Row(versions("5.5.62 5.6.51 5.7.44 8.0.44 8.1.0 8.2.0 8.3.0 8.4.7 9.0.1 9.1.0 9.2.0 9.3.0 9.4.0 9.5.0", "lts innovation",
                          "debian|oracle|oraclelinux9"), 236.0, "debian", ("docker-entrypoint.sh",), ("mysqld",), (3306,), "mysql"),
    "mariadb": Row(versions("5.5.64 10.0.38 10.1.48 10.2.44 10.3.39 10.4.34 10.5.29 10.6.24 10.11.15 11.4.9 11.8.4 12.0.2", "lts",
                            "jammy|noble|ubi"),
                   103.0, "debian", ("docker-entrypoint.sh",), ("mariadbd",), (3306,), "mysql"),
    "postgres": Row(versions("9.6.24 10.23 11.22 12.22 13.22 14.19 15.14 16.10 17.6 18.0", "", DEBIAN), 160.2, "debian",
                    ("docker-entrypoint.sh",), ("postgres",), (5432,), "postgres"),
    "mongo": Row(versions("3.6.23 4.0.28 4.2.24 4.4.29 5.0.31 6.0.26 7.0.25 8.0.15", "", "jammy|noble|focal|nanoserver"), 271.0, "debian",
                 ("docker-entrypoint.sh",), ("mongod",), (27017,), "mongo"),
    "memcached": Row(versions("1.4.39 1.5.22 1.6.39", "", DEBIAN), 32.4, "debian", ("docker-entrypoint.sh",), ("memcached",), (11211,),
                     "quiet"),
    "rabbitmq": Row(versions("3.6.16 3.7.28 3.8.34 3.9.29 3.10.25 3.11.28 3.12.14 3.13.7 4.0.9 4.1.4", "management",
                             DEBIAN + "|management|management-alpine"), 110.0, "debian", ("docker-entrypoint.sh",), ("rabbitmq-server",),
                    (5672,), "quiet"),
    "python": Row(versions("2.7.18 3.4.10 3.5.10 3.6.15 3.7.17 3.8.20 3.9.24 3.10.19 3.11.14 3.12.12 3.13.9 3.14.0", "", DEBIAN), 369.0,
                  "python", (), ("python3",)),
    "node": Row(versions("8.17.0 10.24.1 12.22.12 14.21.3 16.20.2 18.20.8 20.19.5 22.20.0 23.11.1 24.10.0 25.0.0", "lts current", DEBIAN),
                391.0, "node", ("docker-entrypoint.sh",), ("node",)),
    "golang": Row(versions("1.13.15 1.16.15 1.19.13 1.20.14 1.21.13 1.22.12 1.23.12 1.24.9 1.25.3", "", DEBIAN), 300.0, "debian", (),
                  ("bash",)),
    "openjdk": Row(versions("8 11.0.16 17.0.2 21", "", DEBIAN + "|jdk|jre|jre-slim|jdk-slim|alpine"), 240.0, "debian", (), ("jshell",)),
    "tomcat": Row(versions("7.0.109 8.5.100 9.0.111 10.1.48 11.0.13", "", r"jdk\d+|jre\d+|" + DEBIAN), 226.0, "debian", (), ("catalina.sh",
                                                                                                                             "run"),
                  (8080,), "tomcat"),
    "wordpress": Row(versions("4.9.26 5.9.10 6.0.9 6.5.5 6.6.2 6.7.2 6.8.3", "", r"apache|fpm|cli|php[\d.]+|php[\d.]+-apache"), 260.0,
                     "debian",
                     ("docker-entrypoint.sh",), ("apache2-foreground",), (80,), "httpd"),
    "haproxy": Row(versions("1.7.14 1.8.31 2.0.35 2.2.34 2.4.30 2.6.23 2.8.16 3.0.12 3.1.9 3.2.7", "lts", DEBIAN), 41.0, "debian",
                   ("docker-entrypoint.sh",), ("haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"), (80,), "quiet"),
    "traefik": Row(versions("1.7.34 2.9.10 2.10.7 2.11.29 3.0.4 3.1.7 3.2.5 3.3.7 3.4.5 3.5.3", "", "alpine|windowsservercore"), 45.0,
                   "busybox",
                   ("/entrypoint.sh",), ("traefik",), (80,), "quiet"),
    "caddy": Row(versions("2.6.4 2.7.6 2.8.4 2.9.1 2.10.2", "", "alpine|builder"), 21.0, "busybox", (), ("caddy", "run"), (80,), "quiet"),
    "registry": Row(versions("2.6.2 2.7.1 2.8.3 3.0.0"), 10.0, "busybox", ("/entrypoint.sh",), ("/etc/docker/registry/config.yml",), (5000,
                                                                                                                                      ),
                    "quiet"),
    "hello-world": Row(matching("linux|nanoserver"), 0.01, "scratch", (), ("/hello",), (), "hello"),
    "vault": Row(versions("1.12.11 1.13.3"), 80.0, "busybox", ("docker-entrypoint.sh",), ("server", "-dev"), (8200,), "quiet"),
    "consul": Row(versions("1.14.11 1.15.4"), 60.0, "busybox", ("docker-entrypoint.sh",), ("agent", "-dev"), (8500,), "quiet"),
    "elasticsearch": Row(versions("7.17.28 8.19.5 9.1.5"), 560.0, "debian", ("/usr/local/bin/docker-entrypoint.sh",), ("eswrapper",), (9200,
                                                                                                                                       ),
                         "quiet"),
    "perl": Row(versions("5.30.3 5.34.3 5.36.3 5.38.5 5.40.3 5.42.0", "", DEBIAN), 360.0, "debian", (), ("perl",)),
    "bash": Row(versions("3.2.57 4.4.23 5.0.18 5.1.16 5.2.37 5.3.3"), 6.0, "busybox", ("docker-entrypoint.sh",), ("bash",)),
    "php": Row(versions("5.6.40 7.4.33 8.0.30 8.1.33 8.2.29 8.3.26 8.4.13", "", "apache|fpm|cli|alpine|fpm-alpine|cli-alpine"), 180.0,
               "debian",
               ("docker-php-entrypoint",), ("php", "-a")),
    "ruby": Row(versions("2.7.8 3.0.7 3.1.7 3.2.9 3.3.9 3.4.7", "", DEBIAN), 330.0, "debian", (), ("irb",)),
}

OTHERS: dict[str, Row] = {
    "kiamol/ch02-hello-kiamol": Row(SIMPLE, 9.6, "busybox", (), ("/start.sh",), (80,), "kiamol"),
    "kiamol/ch02-hello-kiamol-2": Row(SIMPLE, 9.6, "busybox", (), ("/start.sh",), (80,), "kiamol"),
    "kiamol/ch03-sleep": Row(SIMPLE, 3.8, "busybox", (), ("sleep", "infinity")),
    "kiamol/ch03-numbers-api": Row(matching(r"v\d"), 100.0, "debian", ("dotnet", "Numbers.Api.dll"), (), (80,), "app"),
    "kiamol/ch03-numbers-web": Row(matching(r"v\d"), 100.0, "debian", ("dotnet", "Numbers.Web.dll"), (), (80,), "app"),
    "sysnet4admin/net-tools": Row(SIMPLE, 42.0, "busybox", (), ("/bin/sh",)),
    "sysnet4admin/net-tools-ifn": Row(SIMPLE, 42.0, "busybox", (), ("/bin/sh",)),
    "sysnet4admin/echo-hname": Row(SIMPLE, 55.0, "debian", (), ("nginx", "-g", "daemon off;"), (80,), "echo-hname"),
    "sysnet4admin/echo-ip": Row(SIMPLE, 55.0, "debian", (), ("nginx", "-g", "daemon off;"), (80,), "echo-ip"),
    "sysnet4admin/chk-info": Row(SIMPLE, 55.0, "debian", (), ("nginx", "-g", "daemon off;"), (80,), "echo-hname"),
    "sysnet4admin/chk-log": Row(SIMPLE, 55.0, "debian", (), ("nginx", "-g", "daemon off;"), (80,), "nginx"),
    "sysnet4admin/nginx": Row(SIMPLE, 55.0, "debian", (), ("nginx", "-g", "daemon off;"), (80,), "nginx"),
    "sysnet4admin/sleepy": Row(SIMPLE, 2.2, "busybox", (), ("sleep", "infinity")),
    "sysnet4admin/mysql-auth": Row(SIMPLE, 160.0, "debian", ("docker-entrypoint.sh",), ("mysqld",), (3306,), "mysql"),
    "prom/node-exporter": Row(versions("0.18.1 1.0.1 1.1.2 1.2.2 1.3.1 1.4.1 1.5.0 1.6.1 1.7.0 1.8.2 1.9.1 1.10.2", "master"), 12.0,
                              "busybox",
                              ("/bin/node_exporter",), (), (9100,), "node-exporter"),
    "prom/prometheus": Row(versions("2.19.3 2.26.1 2.30.4 2.37.9 2.40.7 2.45.6 2.53.5 2.55.1 3.0.1 3.5.0 3.7.1"), 110.0, "busybox",
                           ("/bin/prometheus",), ("--config.file=/etc/prometheus/prometheus.yml",), (9090,), "quiet"),
    "grafana/grafana": Row(versions("7.5.17 8.5.27 9.5.21 10.4.19 11.6.7 12.2.0"), 140.0, "busybox", ("/run.sh",), (), (3000,), "quiet"),
    "nginxdemos/hello": Row(matching("plain-text|[0-9.]+|[0-9.]+-plain-text"), 16.0, "busybox", (), ("nginx", "-g", "daemon off;"), (80,),
                            "nginx-hello"),
    "nginx/nginx-ingress": Row(versions("3.7.2 4.0.1 5.2.1"), 120.0, "debian", ("/nginx-ingress",), (), (80, 443), "quiet"),
    "nginxinc/nginx-unprivileged": Row(versions("1.25.5 1.26.3 1.27.5 1.28.0 1.29.2", "stable mainline", DEBIAN), 70.0, "debian",
                                       ("/docker-entrypoint.sh",), ("nginx", "-g", "daemon off;"), (8080,), "nginx"),
    "hashicorp/http-echo": Row(versions("0.2.3 1.0.0"), 3.8, "scratch", ("/http-echo",), (), (5678,), "http-echo"),
    "traefik/whoami": Row(versions("1.8.7 1.9.0 1.10.4 1.11.0"), 2.8, "scratch", ("/whoami",), (), (80,), "whoami"),
    "containous/whoami": Row(versions("1.5.0"), 2.8, "scratch", ("/whoami",), (), (80,), "whoami"),
    "paulbouwer/hello-kubernetes": Row(versions("1.5 1.8 1.10.1"), 40.0, "node", (), ("npm", "start"), (8080,), "echo-hname"),
    "luksa/kubia": Row(matching("v?[1-5]"), 250.0, "node", ("node", "app.js"), (), (8080,), "kubia"),
    "jmalloc/echo-server": Row(versions("0.1.0 0.3.7"), 4.5, "busybox", (), ("/bin/echo-server",), (8080,), "whoami"),
    "ealen/echo-server": Row(versions("0.5.2 0.9.2"), 35.0, "node", (), ("node", "webserver"), (80,), "json-echo"),
    "mendhak/http-https-echo": Row(matching(r"\d{1,2}"), 60.0, "node", (), ("node", "./index.js"), (8080, 8443), "https-echo"),
    "kennethreitz/httpbin": Row(anything, 180.0, "python", (), ("gunicorn", "-b", "0.0.0.0:80", "httpbin:app", "-k", "gevent"), (80,), "httpbin"),
    "bprashanth/nginxhttps": Row(versions("1.0"), 190.0, "debian", (), ("/home/auto-reload-nginx.sh",), (80,), "nginx"),
    "wbitt/network-multitool": Row(SIMPLE, 30.0, "busybox", ("/bin/sh", "/docker-entrypoint.sh"), ("nginx", "-g", "daemon off;"), (80,), "nginx"),
    "registry.k8s.io/e2e-test-images/jessie-dnsutils": Row(versions("1.3 1.5 1.7"), 110.0, "debian", ("/idleloop.sh",), (), (), "pause"),
    "registry.k8s.io/e2e-test-images/httpd": Row(matching(r"2\.4\.\d\d-\d"), 47.0, "debian", (), ("httpd-foreground",), (80,), "httpd"),
    "registry.k8s.io/e2e-test-images/redis": Row(matching(r"5\.0\.5-\d"), 10.0, "busybox", ("docker-entrypoint.sh",), ("redis-server",), (6379,),
                                                 "redis"),
    "polinux/stress": Row(SIMPLE, 4.2, "busybox", (), ("/usr/bin/stress", "--verbose", "--vm", "1", "--vm-bytes", "256M"), (), "stress"),
    "progrium/stress": Row(SIMPLE, 11.0, "debian", ("/usr/bin/stress", "--verbose"), (), (), "stress"),
    "vish/stress": Row(SIMPLE, 1.6, "scratch", ("/stress", "-logtostderr"), (), (), "stress"),
    "alexeiled/stress-ng": Row(anything, 3.5, "scratch", ("/stress-ng",), ("--help",), (), "stress"),
    "bitnami/nginx": Row(versions("1.25.5 1.27.5 1.28.0 1.29.2"), 90.0, "debian", ("/opt/bitnami/scripts/nginx/entrypoint.sh",),
                         ("/opt/bitnami/scripts/nginx/run.sh",), (8080,), "nginx"),
    "curlimages/curl": Row(versions("7.88.1 8.10.1 8.11.1 8.12.1 8.16.0"), 9.0, "busybox", ("/entrypoint.sh",), ("curl",)),
    "nicolaka/netshoot": Row(versions("0.11 0.12 0.13 0.14"), 190.0, "busybox", (), ("zsh",)),
    "amouat/network-utils": Row(SIMPLE, 60.0, "debian", (), ("bash",)),
    "praqma/network-multitool": Row(SIMPLE, 16.0, "busybox", (), ("nginx", "-g", "daemon off;"), (80,), "nginx"),
    "gcr.io/google-samples/hello-app": Row(versions("1.0 2.0"), 11.0, "busybox", (), ("./hello-app",), (8080,), "hello-app"),
    "us-docker.pkg.dev/google-samples/containers/gke/hello-app": Row(versions("1.0 2.0"), 11.0, "scratch", (), ("./hello-app",), (8080,),
                                                                     "hello-app"),
    "gcr.io/google-samples/node-hello": Row(versions("1.0"), 250.0, "node", (), ("node", "server.js"), (8080,), "node-hello"),
    "gcr.io/google-samples/kubernetes-bootcamp": Row(matching("v[12]"), 83.0, "node", (), ("node", "server.js"), (8080,), "bootcamp"),
    "registry.k8s.io/e2e-test-images/agnhost": Row(versions("2.0 2.39 2.40 2.47 2.53 2.56"), 52.0, "busybox", ("/agnhost",), ("pause",), (),
                                                   "agnhost"),
    "registry.k8s.io/e2e-test-images/busybox": Row(matching(r"1\.\d\d(\.\d)?-\d"), 2.2, "busybox", (), ("sh",)),
    "registry.k8s.io/e2e-test-images/nginx": Row(matching(r"1\.1[45]-\d"), 7.0, "busybox", ("/docker-entrypoint.sh",), ("nginx", "-g",
                                                                                                                        "daemon off;"),
                                                 (80,), "nginx"),
    "registry.k8s.io/echoserver": Row(versions("1.4 1.10"), 50.0, "debian", (), ("nginx", "-g", "daemon off;"), (8080,), "echoserver"),
    "registry.k8s.io/ingress-nginx/controller": Row(
        lambda tag: _INGRESS_NGINX(tag.removesuffix("-chroot")) and tag[0] == "v" and tag.count(".") == 2, 108.0, "busybox",
        ("/usr/bin/dumb-init", "--"), ("/nginx-ingress-controller",), (80, 443, 8443, 10254), "ingress-nginx"),
    "registry.k8s.io/ingress-nginx/kube-webhook-certgen": Row(anything, 23.0, "scratch", ("/kube-webhook-certgen",), (), (), "install"),
    "registry.k8s.io/hpa-example": Row(anything, 178.0, "debian", (), ("apache2-foreground",), (80,), "hpa-example"),
    "registry.k8s.io/liveness": Row(anything, 3.2, "scratch", ("/server",), (), (8080,), "liveness"),
    "registry.k8s.io/goproxy": Row(versions("0.1"), 5.5, "scratch", ("/goproxy",), (), (8080,), "goproxy"),
    "registry.k8s.io/busybox": Row(versions("1.24 1.27 1.27.2", "glibc"), 2.2, "busybox", (), ("sh",)),
    "registry.k8s.io/nginx-slim": Row(versions("0.8 0.27", ""), 50.0, "debian", (), ("nginx", "-g", "daemon off;"), (80,), "nginx"),
    "registry.k8s.io/pause": Row(versions("2.0 3.9 3.10.1", "test"), 0.32, "scratch", ("/pause",), (), (), "pause"),
    "registry.k8s.io/kube-apiserver": Row(KUBERNETES, 30.1, "scratch", (), ("kube-apiserver",), (6443,), "quiet"),
    "registry.k8s.io/kube-controller-manager": Row(KUBERNETES, 22.8, "scratch", (), ("kube-controller-manager",), (10257,), "quiet"),
    "registry.k8s.io/kube-scheduler": Row(KUBERNETES, 17.4, "scratch", (), ("kube-scheduler",), (10259,), "quiet"),
    "registry.k8s.io/kube-proxy": Row(KUBERNETES, 25.9, "busybox", (), ("kube-proxy",), (), "quiet"),
    "registry.k8s.io/etcd": Row(matching(r"\d\.\d\.\d{1,2}-\d"), 23.6, "scratch", (), ("etcd",), (2379, 2380, 2381), "quiet"),
    "registry.k8s.io/coredns/coredns": Row(RELEASE, 22.4, "scratch", ("/coredns",), (), (53, 8080, 8181, 9153), "coredns"),
    "coredns/coredns": Row(matching(r"1\.\d{1,2}\.\d"), 22.4, "scratch", ("/coredns",), (), (53, 8080, 8181, 9153), "coredns"),
    "registry.k8s.io/metrics-server/metrics-server": Row(RELEASE, 19.5, "scratch", ("/metrics-server",), (), (10250,), "quiet"),
    "calico/node": Row(RELEASE, 156.0, "debian", (), ("start_runit",), (), "quiet"),
    "calico/cni": Row(RELEASE, 71.0, "debian", (), ("/opt/cni/bin/install",), (), "install"),
    "calico/kube-controllers": Row(RELEASE, 52.0, "scratch", (), ("/usr/bin/kube-controllers",), (), "quiet"),
    "quay.io/jetstack/cert-manager-controller": Row(RELEASE, 20.0, "scratch", ("/app/cmd/controller/controller",), (), (9402,), "quiet"),
    "ghcr.io/stefanprodan/podinfo": Row(versions("4.0.6 5.2.1 6.9.2"), 30.0, "busybox", (), ("./podinfo",), (9898,), "app"),
    "stefanprodan/podinfo": Row(versions("4.0.6 5.2.1 6.9.2"), 30.0, "busybox", (), ("./podinfo",), (9898,), "app"),
}

ALIASES = {"k8s.gcr.io": "registry.k8s.io", "gcr.io/google_containers": "registry.k8s.io", "gcr.io/google-containers": "registry.k8s.io",
           "docker.io/calico": "calico", "quay.io/calico": "calico"}
OWN_APPLICATION = Row(anything, 85.0, "application", ("/app",), (), (), "app")


def row_of(reference: Reference) -> Row | None:
    """The catalogue's row for a repository, None if it has none."""
    name = reference.familiar
    if reference.registry == DEFAULT_REGISTRY and reference.path.startswith(f"{DEFAULT_NAMESPACE}/"):
        return OFFICIAL.get(name)
    for prefix, real in ALIASES.items():
        if reference.repository.startswith(f"{prefix}/"):
            name = real + reference.repository[len(prefix):]
    return OTHERS.get(name)


@lru_cache(maxsize=4096)
def resolve(reference: Reference) -> Image:
    """What a registry answers: the image. PullError, in containerd's words, if there is no such repository or tag."""
    row = row_of(reference)
    if row is None and _nobody_made(reference):
        raise PullError(_denied(reference))
    found = row or OWN_APPLICATION
    if not reference.digest and not found.tags(reference.tag):
        raise PullError(_not_found(reference))
    text = reference.text
    hashed = hashlib.sha256(text.encode()).hexdigest()
    digest = reference.digest or f"sha256:{hashed}"
    return Image(reference, int(found.size * MB) + int(hashed[:6], 16) % 9973, _kit(found, reference.tag), found.entrypoint, found.command,
                 found.ports, found.server, row is not None, digest, text, f"{reference.repository}@{digest}")


def _kit(row: Row, tag: str) -> str:
    """A variant on Alpine has busybox's programs."""
    return "busybox" if "alpine" in tag and row.kit in ("debian", "python", "node") else row.kit


def image(name: str) -> Image:
    """
    >>> image("nginx:1.27").id[:29]
    'docker.io/library/nginx@sha25'
    """
    return resolve(parse(name))


def _nobody_made(reference: Reference) -> bool:
    if WRONG.search(reference.path):
        return True
    name = reference.familiar
    return reference.registry == DEFAULT_REGISTRY and "/" not in name and any(_one_slip(name, official) for official in OFFICIAL)


def _one_slip(typed: str, meant: str) -> bool:
    """Whether one missing, extra, wrong or swapped letter lies between two words of five letters or more."""
    if len(meant) < 5 or abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    a, b = typed[start:], meant[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:])


def _resolving(reference: Reference) -> str:
    return f'failed to pull and unpack image "{reference.text}": failed to resolve reference "{reference.text}": '


def _not_found(reference: Reference) -> str:
    return f"rpc error: code = NotFound desc = {_resolving(reference)}{reference.text}: not found"


def _denied(reference: Reference) -> str:
    if reference.registry != DEFAULT_REGISTRY:
        return _not_found(reference)
    return (f"rpc error: code = Unknown desc = {_resolving(reference)}pull access denied, repository does not exist or may require "
            "authorization: server message: insufficient_scope: authorization failed")
