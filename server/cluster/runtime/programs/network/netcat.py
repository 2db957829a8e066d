"""``nc`` and ``telnet``: whether a port takes connections, bytes to what listens there and its bytes back, and a listener of one's own.

What is read from standard input goes out, what is answered comes back (``Reach.talk``). ``nc -l`` hangs a
``Listener`` on the machine, at which other programs' connections arrive.

Source: https://man.openbsd.org/nc.1, https://busybox.net/downloads/BusyBox.html#nc
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.network.walk import REFUSED
from server.cluster.process import Gate, Pass
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.network.common import (
    Quit,
    Reply,
    duration,
    ended,
    is_busybox,
    network,
    options,
    reply,
    usage,
)
from server.cluster.runtime.programs.network.web import errno
from server.cluster.runtime.reach import ConnectionReset, Talk
from server.cluster.runtime.serving import Listener
from server.cluster.runtime.streams import Fault

BUSYBOX_LINES = "nc [OPTIONS] HOST PORT  - connect\nnc [OPTIONS] -l -p PORT [HOST] [PORT]  - listen"
USAGE = ("usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n"
         "\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] "
         "[-x proxy_address[:port]]\n\t  [destination] [port]\n")
SERVICES = {"http": 80, "https": 443, "ssh": 22, "domain": 53, "telnet": 23, "smtp": 25, "ftp": 21, "mysql": 3306, "postgresql": 5432,
            "redis": 6379}
MOST_PORTS = 1000
TELNET = 23


class _Words(NamedTuple):
    host: str
    ports: list[int]
    scan: bool
    listen: bool
    keep: bool
    udp: bool
    loud: int
    limit: float | None


def _words(proc: Proc) -> _Words:
    busybox = is_busybox(proc, "nc")
    help_ = usage(proc, BUSYBOX_LINES) if busybox else USAGE
    found, rest = options(proc, "zvw:lp:kuni:s:q:e:" if busybox else "zvw:lp:kuni:s:q:46NCdrD", help_=help_)
    given = dict(found)
    if "-e" in given:
        raise Quit("nc: -e is not simulated\n")
    flags = [name for name, _ in found]
    limit = None
    if "-w" in given:
        limit = duration(given["-w"])
        if limit is None:
            raise Quit(f"nc: invalid number '{given['-w']}'\n" if busybox else f"nc: timeout invalid: {given['-w']}\n")
    listen = "-l" in given
    if listen and not rest and "-p" in given:
        rest = ["", given["-p"]]
    elif listen and len(rest) == 1:
        rest = ["", given["-p"]] if "-p" in given else ["", rest[0]]
    elif len(rest) != 2:
        raise Quit(help_)
    return _Words(rest[0], _ports(rest[1], busybox), "-z" in given, listen, "-k" in given, "-u" in given, flags.count("-v"), limit or None)


def _ports(text: str, busybox: bool) -> list[int]:
    first, dash, last = text.partition("-")
    if text in SERVICES:
        return [SERVICES[text]]
    numbers = [int(each) if re.fullmatch(r"\d{1,5}", each) else 0 for each in ([first, last] if dash and not busybox else [text])]
    if not all(0 < each < 65536 for each in numbers):
        wrong = next(each for each in (first, last if dash else text) if not (each.isdigit() and 0 < int(each[:6]) < 65536))
        raise Quit(f"nc: bad port '{text}'\n" if busybox else f"nc: port number {'invalid' if not wrong.isdigit() else 'too large'}: {wrong}\n")
    return list(range(numbers[0], numbers[-1] + 1))[:MOST_PORTS]


def _nc(proc: Proc) -> Generator[Any, Any, int]:
    if "code" in proc.state:
        return proc.state["code"]
    try:
        words = _words(proc)
        if words.listen:
            code = yield from _listen(proc, words)
        elif words.scan:
            code = yield from _scan(proc, words)
        else:
            code = yield from _converse(proc, words.host, words.ports[0], words)
    except Quit as quit_:
        code = ended(proc, quit_)
    proc.state.clear()
    proc.state["code"] = code
    return code


# connecting


def _scan(proc: Proc, words: _Words) -> Generator[Any, Any, int]:
    """Each port in turn; 0 if one of them is open."""
    state = proc.state
    at, good = state.get("at", 0), state.get("good", False)
    while at < len(words.ports):
        if "said" not in state:
            walk = network(proc).connect(words.host, words.ports[at], timeout=words.limit, protocol="UDP" if words.udp else "TCP")
            state["said"] = list(reply(walk))
        found = Reply(*state["said"])
        yield from proc.sleep(max(0.001, found.ms / 1000))
        good = _told(proc, words, words.ports[at], found) or good
        at += 1
        state.update(at=at, good=good)
        del state["said"]
    return 0 if good else 1


def _told(proc: Proc, words: _Words, port: int, found: Reply) -> bool:
    """Says how a connection went, as loudly as it was told to: whether it is there."""
    busybox = is_busybox(proc, "nc")
    if not found.address:
        raise Quit(f"nc: bad address '{words.host}'\n" if busybox else
                   f'nc: getaddrinfo for host "{words.host}" port {port}: Name or service not known\n')
    open_ = not found.failed or found.connected
    if busybox:
        if open_ and words.loud:
            proc.err(f"{words.host} ({found.address}:{port}) open\n")
        elif not open_ and (words.loud > 1 or words.loud and found.fault != REFUSED):
            proc.err(f"nc: {words.host} ({found.address}:{port}): {errno(proc, found)}\n")
        return open_
    if not words.loud:
        return open_
    where = words.host if words.host == found.address else f"{words.host} ({found.address})"
    kind = "udp" if words.udp else "tcp"
    if open_:
        name = next((name for name, number in SERVICES.items() if number == port), "*")
        proc.err(f"Connection to {where} {port} port [{kind}/{name}] succeeded!\n")
    else:
        text = "Operation now in progress" if words.limit is not None and "timed out" in found.fault else errno(proc, found)
        proc.err(f"nc: connect to {where} port {port} ({kind}) "
                 + (f"timed out: {text}\n" if words.limit is not None and "timed out" in found.fault else f"failed: {text}\n"))
    return open_


def _converse(proc: Proc, host: str, port: int, words: _Words) -> Generator[Any, Any, int]:
    """Standard input to the other end, its answers to standard output."""
    walk, talk = network(proc).talk(host, port, timeout=words.limit)
    found = reply(walk)
    if not proc.state.get("open"):
        yield from proc.sleep(max(0.001, found.ms / 1000))
    if not _told(proc, words, port, found) or talk is None:
        return 1
    proc.state["open"] = True
    return 0 if (yield from _exchanged(proc, talk)) else 1


def _exchanged(proc: Proc, talk: Talk) -> Generator[Any, Any, bool]:
    """Whether it ended as both wanted it to."""
    try:
        proc.out(_text(talk.send(b"")))
        while not talk.closed:
            yield from proc.flush()
            text = yield from proc.read()
            if not text:
                proc.out(_text(talk.finish()))
                break
            proc.out(_text(talk.send(text.encode("utf-8", "surrogateescape"))))
            yield from proc.sleep(0.001)
    except ConnectionReset:
        proc.err(f"{proc.name}: read: Connection reset by peer\n")
        return False
    return True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# listening


class _Door:
    """What waits at a port: a connection is told what there is to say, and what it sends is kept until it is read."""

    def __init__(self, proc: Proc, once: bool) -> None:
        self.proc = proc
        self.once = once
        self.arrived: list[str] = []
        self.clients: list[str] = []
        self.gate = Gate()
        self.taken = False
        self.over = False

    def __call__(self, client: str) -> Talk:
        """Somebody connects; while another is being listened to nobody answers."""
        if self.taken or self.over:
            return _Incoming(self, closed=True)
        self.taken = True
        self.clients.append(client)
        self.gate.open()
        return _Incoming(self)

    def said(self) -> bytes:
        """What standard input has for the other end."""
        stream = self.proc.fds.get(0)
        pieces = []
        while stream is not None and (text := stream.read()):
            pieces.append(text)
        return "".join(pieces).encode("utf-8", "surrogateescape")

    def left(self) -> None:
        self.taken = False
        self.over = self.once
        self.gate.open()


class _Incoming:
    def __init__(self, door: _Door, closed: bool = False) -> None:
        self.closed = closed
        self._door = door

    def send(self, data: bytes) -> bytes:
        if self.closed:
            return b""
        if data:
            self._door.arrived.append(_text(data))
            self._door.gate.open()
        return self._door.said()

    def finish(self) -> bytes:
        last = b"" if self.closed else self._door.said()
        if not self.closed:
            self.closed = True
            self._door.left()
        return last


def _listen(proc: Proc, words: _Words) -> Generator[Any, Any, int]:
    if not hasattr(proc.machine, "listen"):
        raise Quit("nc: listening is not simulated here\n")
    door, port, busybox = _Door(proc, once=not words.keep), words.ports[0], is_busybox(proc, "nc")
    try:
        proc.machine.listen(proc, (port,), Listener((port,), proc.system.clock.now, None, door, tuple(proc.argv)))
    except Fault as fault:
        raise Quit(f"nc: bind: {fault}\n" if busybox else f"nc: {fault}\n") from None
    if words.loud and not proc.state.get("began"):
        proc.err(f"listening on [::]:{port} ...\n" if busybox else f"Listening on 0.0.0.0 {port}\n")
    proc.state["began"] = True
    while True:
        for client in door.clients if words.loud else ():
            proc.err(f"connect to [::ffff:{proc.machine.ip}]:{port} from [::ffff:{client}]:{_ephemeral(client)} "
                     f"([::ffff:{client}]:{_ephemeral(client)})\n" if busybox else f"Connection received on {client} {_ephemeral(client)}\n")
        door.clients.clear()
        proc.out("".join(door.arrived))
        door.arrived.clear()
        yield from proc.flush()
        if door.arrived or door.clients:
            continue
        if door.over:
            return 0
        yield Pass(door.gate)


def _ephemeral(client: str) -> int:
    """The port that a client sends from."""
    return 32768 + zlib.crc32(client.encode()) % 28232


# telnet


def _telnet(proc: Proc) -> Generator[Any, Any, int]:
    if "code" in proc.state:
        return proc.state["code"]
    try:
        busybox = is_busybox(proc, "telnet")
        help_ = usage(proc, "telnet [-a] [-l USER] HOST [PORT]") if busybox else "Usage: telnet [-8] [-E] [-L] [-l user] [host-name [port]]\n"
        _, rest = options(proc, "al:" if busybox else "8ELl:", help_=help_)
        if not 1 <= len(rest) <= 2:
            raise Quit(help_)
        port = _telnet_port(rest, busybox)
        walk, talk = network(proc).talk(rest[0], port)
        found = reply(walk)
        if not busybox and found.address and not proc.state.get("open"):
            proc.out(f"Trying {found.address}...\n")
        if not proc.state.get("open"):
            yield from proc.sleep(max(0.001, found.ms / 1000))
        if not found.address:
            raise Quit(f"telnet: bad address '{rest[0]}'\n" if busybox else
                       f"telnet: could not resolve {rest[0]}/{port}: Name or service not known\n")
        if talk is None:
            raise Quit(f"telnet: can't connect to remote host ({found.address}): {errno(proc, found)}\n" if busybox else
                       f"telnet: Unable to connect to remote host: {errno(proc, found)}\n")
        proc.out((f"Connected to {rest[0]}\n" + ("\nEntering character mode\nEscape character is '^]'.\n\n" if proc.isatty() else ""))
                 if busybox else f"Connected to {rest[0]}.\nEscape character is '^]'.\n")
        proc.state["open"] = True
        if (yield from _exchanged(proc, talk)) and talk.closed:
            proc.err("Connection closed by foreign host\n" if busybox else "Connection closed by foreign host.\n")
        code = 1 if talk.closed else 0
    except Quit as quit_:
        code = ended(proc, quit_)
    proc.state.clear()
    proc.state["code"] = code
    return code


def _telnet_port(rest: list[str], busybox: bool) -> int:
    text = rest[1] if len(rest) > 1 else str(TELNET)
    if text in SERVICES:
        return SERVICES[text]
    if not re.fullmatch(r"\d{1,5}", text) or not 0 < int(text) < 65536:
        raise Quit(f"telnet: bad port '{text}'\n" if busybox else f"telnet: could not resolve {rest[0]}/{text}: Servname not supported\n")
    return int(text)


PROGRAMS = {"nc": Program(_nc, "state"), "netcat": Program(_nc, "state"), "ncat": Program(_nc, "state"),
            "telnet": Program(_telnet, "state")}
