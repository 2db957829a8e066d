"""Servers by the names of their programs: what they do beside serving (``nginx -t``, ``nginx -s reload``, ``agnhost connect``), and web
servers of files that a shell starts (``httpd -p 80 -h /www``, ``python -m http.server``).

Source: https://nginx.org/en/docs/switches.html, https://github.com/kubernetes/kubernetes/tree/master/test/images/agnhost
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any

from server.cluster.network.walk import NO_RESOLVE, REFUSED, SILENCE
from server.cluster.process import Gate, Pass
from server.cluster.runtime.pages import nginx, nginx_conf
from server.cluster.runtime.pages.databases import mysql_version
from server.cluster.runtime.pages.redis import version as redis_version
from server.cluster.runtime.pages.site import flag
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import languages
from server.cluster.runtime.programs.network.common import Quit, asking, ended, is_busybox, network, options, reply, usage
from server.cluster.runtime.programs.network.names import search_list
from server.cluster.runtime.serving import SERVE
from server.cluster.runtime.signals import HUP, QUIT, TERM

HTTPD_LINES = "httpd [-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-r REALM] [-h HOME]\nor httpd -d/-e/-m STRING"
SIGNALS = {"stop": TERM, "quit": QUIT, "reload": HUP, "reopen": 0}


def _serve(proc: Proc) -> Generator[Any, Any, int]:
    return (yield from SERVE.run(proc))


# nginx


def _nginx(proc: Proc) -> Generator[Any, Any, int]:
    words = proc.args
    try:
        found, _ = options(proc, "?hvVtTqs:p:e:c:g:", help_="", words=words)
    except Quit as wrong:
        proc.err(f"nginx: {str(wrong).partition(': ')[2].strip().replace('-- ', '')}\n")
        return 1
    given = dict(found)
    if "-v" in given or "-V" in given:
        proc.err(f"nginx version: nginx/{nginx.version(proc.machine.tag)}\n"
                 + ("built with OpenSSL 3.0.17 1 Jul 2025\nTLS SNI support enabled\n" if "-V" in given else ""))
        return 0
    if "-t" in given or "-T" in given:
        return _tested(proc, "-T" in given, "-q" in given)
    if "-s" in given:
        return _signalled(proc, given["-s"])
    return (yield from SERVE.run(proc))


def _tested(proc: Proc, shows: bool, quiet: bool) -> int:
    machine = proc.machine
    try:
        config = nginx.checked(machine, nginx.read(machine))
    except nginx_conf.ConfigError as fault:
        proc.err(f"{machine.time():%Y/%m/%d %H:%M:%S} [emerg] {proc.pid}#{proc.pid}: {fault}\nnginx: [emerg] {fault}\n"
                 f"nginx: configuration file {nginx_conf.MAIN} test failed\n")
        return 1
    if not quiet:
        proc.err(f"nginx: the configuration file {nginx_conf.MAIN} syntax is ok\nnginx: configuration file {nginx_conf.MAIN} test is successful\n")
    if shows:
        proc.out("".join(f"# configuration file {path}:\n{text}\n" for path, text in config.files.items()))
    return 0


def _signalled(proc: Proc, signal: str) -> int:
    machine = proc.machine
    if signal not in SIGNALS:
        proc.err(f'nginx: invalid option: "-s {signal}"\n')
        return 1
    owner = next((owner for owner, each in machine.listeners.items() if each.server is not None and (each.argv or ("",))[0].endswith("nginx")
                  or each.argv and "nginx" in each.argv[0]), -1)
    if owner == -1:
        proc.err(f'{machine.time():%Y/%m/%d %H:%M:%S} [error] {proc.pid}#{proc.pid}: open() "/run/nginx.pid" failed (2: No such file or directory)\n'
                 'nginx: [error] open() "/run/nginx.pid" failed (2: No such file or directory)\n')
        return 1
    when = f"{machine.time():%Y/%m/%d %H:%M:%S}"
    proc.err(f"{when} [notice] {proc.pid}#{proc.pid}: signal process started\n")
    if signal == "reload":
        return _reloaded(proc, owner)
    if signal != "reopen":
        machine.exit(0) if owner is None else proc.system.signal(owner, SIGNALS[signal])
    return 0


def _reloaded(proc: Proc, owner: Proc | None) -> int:
    """The new configuration holds if it is right; else the old one goes on and the log says why."""
    machine = proc.machine
    when = f"{machine.time():%Y/%m/%d %H:%M:%S}"
    try:
        config = nginx.checked(machine, nginx.read(machine))
    except nginx_conf.ConfigError as fault:
        proc.err(f"{when} [emerg] {proc.pid}#{proc.pid}: {fault}\nnginx: [emerg] {fault}\n")
        return 1
    machine.held[nginx.KEPT] = config.files
    before = machine.listeners.pop(owner)
    machine.listeners[owner] = before._replace(ports=config.ports or before.ports)
    machine.opened()
    machine.write(f"{when} [notice] 1#1: signal 1 (SIGHUP) received from {proc.pid}, reconfiguring\n{when} [notice] 1#1: reconfiguring\n", "stderr")
    machine.log.flush()
    machine.keep()
    return 0


def _version(text: Callable[[Proc], str], flags: tuple[str, ...]) -> Program:
    def run(proc: Proc) -> Generator[Any, Any, int]:
        if proc.args[:1] and proc.args[0] in flags:
            proc.out(text(proc))
            return 0
        return (yield from SERVE.run(proc))
    return Program(run, "state")


# agnhost


def _agnhost(proc: Proc) -> Generator[Any, Any, int]:
    command = proc.args[0] if proc.args else ""
    known = ONCE.get(command)
    if known is not None:
        return (yield from known(proc))
    if command == "pause":
        yield Pass(Gate())
        return 0
    if command in ("netexec", "porter", "serve-hostname", "liveness", "test-webserver", "grpc-health-checking"):
        return (yield from SERVE.run(proc))
    if command in ("", "help", "--help", "-h"):
        proc.out("Usage:\n  app [command]\n\nAvailable Commands:\n" + "".join(f"  {name}\n" for name in sorted(
            {*ONCE, "pause", "netexec", "porter", "serve-hostname", "liveness", "test-webserver"})))
        return 0
    proc.err(f'Error: unknown command "{command}" for "app"\nRun \'app --help\' for usage.\n')
    return 1


def _connect_ask(proc: Proc) -> tuple[list[Any], float]:
    words = [word for word in proc.args[1:] if not word.startswith("-")]
    limit = _go_seconds(flag(tuple(proc.args), "timeout", "0"))
    host, _, port = (words[0] if words else "").rpartition(":")
    if not host or not port.isdigit():
        raise Quit(f"OTHER: address {words[0] if words else ''}: missing port in address\n")
    protocol = flag(tuple(proc.args), "protocol", "tcp").upper()
    walk = network(proc).connect(host.strip("[]"), int(port), timeout=limit or None, protocol=protocol)
    return list(reply(walk)), walk.seconds


def _go_seconds(text: str) -> float:
    """
    >>> _go_seconds("1500ms"), _go_seconds("1m30s")
    (1.5, 90.0)
    """
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)", text))


def _connect_show(proc: Proc, said: list[Any]) -> int:
    """One word for the outcome."""
    fault, code = said[8], said[6]
    if not code:
        return 0
    proc.err("DNS: lookup failed\n" if code == NO_RESOLVE else "TIMEOUT\n" if fault == SILENCE else "REFUSED\n" if fault == REFUSED else
             f"OTHER: {fault.lower()}\n")
    return 1


def _mounttest(proc: Proc) -> Generator[Any, Any, int]:
    """What the volume tests look at: content, mode and kind of files."""
    files = proc.files
    code = 0
    for name in ("fs_type", "new_file_0644", "new_file_0666", "new_file_0777", "rw_new_file", "file_mode", "file_perm", "file_owner",
                 "file_content"):
        path = flag(tuple(proc.args), name)
        if not path:
            continue
        if name.startswith("new_file") or name == "rw_new_file":
            fault = files.write(path, "mount-tester new file\n")
            if fault:
                proc.out(f"error writing file {path!r}: open {path}: {fault.lower()}\n")
                code = 1
                continue
            name = "file_content" if name == "rw_new_file" else name
        stat = files.stat(path)
        if stat is None:
            proc.out(f'error reading file content for "{path}": open {path}: no such file or directory\n')
            code = 1
        elif name == "file_content":
            proc.out(f'content of file "{path}": {files.read(path) or ""}\n')
        elif name == "fs_type":
            proc.out(f'mount type of "{path}": ext4\n')
        elif name == "file_owner":
            proc.out(f'owner UID of "{path}": {stat.uid}\nowner GID of "{path}": {stat.gid}\n')
        elif name in ("file_mode", "file_perm"):
            proc.out(f'{"mode" if name == "file_mode" else "perms"} of file "{path}": {_mode(stat.mode)}\n')
        elif name.startswith("new_file"):
            proc.out(f'perms of file "{path}": {_mode(int(name[-4:], 8))}\n')
    return code
    yield


def _mode(mode: int) -> str:
    return "-" + "".join(letter if mode >> 8 - at & 1 else "-" for at, letter in enumerate("rwxrwxrwx"))


def _dns_suffix(proc: Proc) -> Generator[Any, Any, int]:
    proc.out(",".join(search_list(proc)) + "\n")
    return 0
    yield


def _dns_servers(proc: Proc) -> Generator[Any, Any, int]:
    proc.out(",".join(re.findall(r"(?m)^nameserver\s+(\S+)", network(proc).resolv_conf())) + "\n")
    return 0
    yield


def _etc_hosts(proc: Proc) -> Generator[Any, Any, int]:
    proc.out(network(proc).hosts())
    return 0
    yield


def _entrypoint(proc: Proc) -> Generator[Any, Any, int]:
    proc.out(f"[{' '.join(proc.argv)}]\n")
    return 0
    yield


ONCE: dict[str, Callable[[Proc], Generator[Any, Any, int]]] = {
    "connect": asking(_connect_ask, _connect_show).run, "mounttest": _mounttest, "dns-suffix": _dns_suffix, "dns-server-list": _dns_servers,
    "etc-hosts": _etc_hosts, "entrypoint-tester": _entrypoint}


# servers of files


def _httpd(proc: Proc) -> Generator[Any, Any, int]:
    """busybox's: into the background unless it is told to stay (-f)."""
    if not is_busybox(proc, "httpd"):
        return (yield from SERVE.run(proc))
    try:
        found, _ = options(proc, "ifvc:p:u:r:h:d:e:m:", help_=usage(proc, HTTPD_LINES))
    except Quit as quit_:
        return ended(proc, quit_)
    given = dict(found)
    home = given.get("-h", ".")
    if proc.files.kind(proc.path(home)) != "directory":
        proc.err(f"httpd: can't change directory to '{home}': No such file or directory\n")
        return 1
    if "-f" in given:
        return (yield from SERVE.run(proc))
    if not proc.resumed:
        child = proc.spawn([*proc.argv, "-f"], program=SERVE)
        child.ppid = 1
    return 0


def _python(proc: Proc) -> Generator[Any, Any, int]:
    if proc.args[:2] == ["-m", "http.server"]:
        return (yield from SERVE.run(proc))
    return (yield from languages.PROGRAMS["python3"].run(proc))


PROGRAMS: dict[str, Program] = {
    "nginx": Program(_nginx, "state"), "agnhost": Program(_agnhost, "state"), "httpd": Program(_httpd, "state"),
    "python": Program(_python, "state"), "python3": Program(_python, "state"),
    "redis-server": _version(lambda proc: f"Redis server v={redis_version(proc.machine.tag)} sha=00000000:1 malloc=jemalloc-5.3.0 bits=64\n",
                             ("--version", "-v")),
    "mysqld": _version(lambda proc: f"/usr/sbin/mysqld  Ver {mysql_version(proc.machine.image)} for Linux on x86_64 (MySQL Community Server - GPL)\n",
                       ("--version", "-V")),
}
DAEMONS = frozenset({"nginx", "agnhost", "redis-server", "mysqld"})
