"""ssh: a login to another machine of the cluster's network, over its sshd at port 22.

In: the machines that ``proc.machine.nodes()`` knows, and the network's answer to a connection. Out: the command, or a login shell in
front of the same terminal, on that machine; its exit code, or 255 with OpenSSH's words when there is no way.

Source: https://man.openbsd.org/ssh.1
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from server.cluster.runtime import lending
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.streams import Fault

if TYPE_CHECKING:
    from server.cluster.nodes.hosts import NodeHost

FAILED = 255
SWITCHES, VALUED = frozenset("46AaCfgKkNnqTtVvXxYy"), frozenset("BbcDEeFIiJLlmOopQRSWw")
UNSIMULATED = frozenset("fgJLNRSVWwDO")
USAGE = """usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]
           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]
           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]
           [-i identity_file] [-J [user@]host[:port]] [-L address]
           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]
           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]
           [-w local_tun[:remote_tun]] destination [command [argument ...]]
"""


class Usage(Exception):
    """The call is wrong."""


def parse(words: list[str]) -> tuple[dict[str, str], str, list[str]]:
    """(options by letter, destination, command). Usage, Fault for what is not simulated.

    >>> parse(["-l", "root", "-tp22", "w1-k8s", "ls", "-l"])
    ({'l': 'root', 't': '', 'p': '22'}, 'w1-k8s', ['ls', '-l'])
    """
    given: dict[str, str] = {}
    words = list(words)
    while words and words[0].startswith("-") and words[0] != "-":
        letters = words.pop(0)[1:]
        if letters == "-":
            break
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter not in SWITCHES and letter not in VALUED:
                raise Usage(f"unknown option -- {letter}")
            if letter in UNSIMULATED:
                raise Fault(f"-{letter} is not simulated here")
            if letter in VALUED:
                if not letters and not words:
                    raise Usage(f"option requires an argument -- {letter}")
                given[letter], letters = letters or words.pop(0), ""
            else:
                given[letter] = ""
    if not words:
        raise Usage
    return given, words[0].removeprefix("ssh://"), words[1:]


def ssh(proc: Proc) -> Generator[Any, Any, int]:
    try:
        given, destination, command = parse(proc.args)
    except Usage as wrong:
        proc.err((f"{wrong}\n" if str(wrong) else "") + USAGE)
        return FAILED
    user, _, called = destination.rpartition("@")
    port = given.get("p", "22")
    if not port.isdigit() or not 0 < int(port) < 65536:
        proc.err(f"Bad port '{port}'\n")
        return FAILED
    return (yield from _connect(proc, given.get("l") or user or "root", called, int(port), command, given))


def _connect(proc: Proc, user: str, called: str, port: int, command: list[str], given: dict[str, str]) -> Generator[Any, Any, int]:
    hosts = proc.machine.nodes()
    name = hosts.find(proc.machine.hostname if called in ("localhost", "127.0.0.1") else called)
    if not hosts.apart(name):
        walk = proc.machine.network().connect(hosts.address(name) if name else called, port)
        yield from proc.sleep(walk.seconds)
        if not walk.address:
            proc.err(f"ssh: Could not resolve hostname {called}: Name or service not known\n")
            return FAILED
        if walk.error is not None:
            proc.err(f"ssh: connect to host {called} port {port}: {walk.fault}\n")
            return FAILED
    if not name or port != 22:
        proc.err(f"kex_exchange_identification: Connection closed by remote host\nConnection closed by {called} port {port}\n")
        return FAILED
    if user != "root":
        proc.err(f"{user}@{called}: Permission denied (publickey,password).\n")
        return FAILED
    typed = "t" in given or not command and "T" not in given
    return (yield from _session(proc, hosts.host(name), called, command, typed and proc.tty is not None))


def _session(proc: Proc, host: NodeHost, called: str, command: list[str], typed: bool) -> Generator[Any, Any, int]:
    argv = ["bash", "-c", " ".join(command)] if command else ["-bash"]
    try:
        code = yield from lending.run(proc, host.system, argv, lending.descriptors(proc, typed), program=host.find("bash"), cwd="/root")
    except Fault as fault:
        proc.err(f"ssh: {fault}\n")
        return FAILED
    if host.gone:
        proc.err(f"Connection to {called} closed by remote host.\n")
        code = FAILED
    if typed:
        proc.err(f"Connection to {called} closed.\n")
    return code


PROGRAMS: dict[str, Program] = {"ssh": Program(ssh, "")}
