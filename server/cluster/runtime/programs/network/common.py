"""What the programs of the network share: options read as getopt reads them, one question to the network, its answer shown in time.

``asking(ask, show)`` makes a program of two functions: ``ask`` puts its questions to the machine's ``Reach`` and gives plain data and how
long the answer took; ``show`` prints it, that much later, and gives the exit code. What was said is kept in the process's state, so a
restart of the simulation in between neither asks twice nor forgets. ``Quit`` ends a program with a last word.

Source: https://www.gnu.org/software/libc/manual/html_node/Getopt.html
"""

from __future__ import annotations

import getopt
import re
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from server.cluster.runtime.images import OFFICIAL, Image
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.reach import Reach
from server.cluster.runtime.streams import Fault

STARTS = 0.002  # seconds that a program takes at least
BUSYBOX = "1.36.1"
TOOLBOXES = frozenset({"sysnet4admin/net-tools", "sysnet4admin/net-tools-ifn", "nicolaka/netshoot", "praqma/network-multitool",
                       "wbitt/network-multitool", "amouat/network-utils", "registry.k8s.io/e2e-test-images/agnhost",
                       "registry.k8s.io/e2e-test-images/jessie-dnsutils", "infoblox/dnstools", "tutum/dnsutils"})
FULL = frozenset({"nslookup", "ping", "nc", "ncat", "traceroute", "ip", "netstat", "ifconfig", "route", "arp", "telnet"})


class Quit(Exception):
    """A program ends here: ``str()`` is what it says on standard error."""

    def __init__(self, text: str, code: int = 1, out: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.out = out


class Reply(NamedTuple):
    """What the network said to one request, as plain data (see ``network.walk``)."""

    host: str
    port: int
    address: str
    status: int | None
    headers: dict[str, str]
    body: str
    exit_code: int
    text: str
    fault: str
    hop: str
    ms: float
    connected: bool
    service: list[str] | None
    reason: str

    @property
    def failed(self) -> bool:
        return self.exit_code != 0

    @property
    def size(self) -> int:
        return size(self.body)

    def head(self, newline: str = "\r\n") -> str:
        lines = [f"HTTP/1.1 {self.status} {self.reason}".rstrip(), *(f"{name}: {value}" for name, value in self.headers.items())]
        return "".join(f"{line}{newline}" for line in lines) + newline


def reply(walk: Any) -> Reply:
    """A walk as what a program is told of it."""
    unresolved = walk.error is not None and walk.error["hop"] == "dns"
    known = next((hop.decision for hop in walk.hops if hop.kind == "dns" and "addresses" in (hop.detail or {})),
                 "127.0.0.1" if walk.host == "localhost" else walk.host)
    address = "" if unresolved else walk.address or known
    first = walk.head().partition("\r\n")[0].split(" ", 2)
    return Reply(walk.host, walk.port, address, walk.status, dict(walk.headers), walk.body, walk.exit_code,
                 walk.error_text.partition(") ")[2], walk.fault, walk.error["hop"] if walk.error else "", walk.ms,
                 walk.connected or walk.status is not None, list(walk.service) if walk.service else None, first[2] if len(first) > 2 else "")


Ask = Callable[[Proc], Any]
Show = Callable[[Proc, Any], int]


def asking(ask: Ask, show: Show) -> Program:
    """A program that asks the network once: ``ask(proc)`` gives (plain data, seconds), or is a generator that does."""

    def run(proc: Proc) -> Generator[Any, Any, int]:
        state = proc.state
        if "code" in state:
            return state["code"]
        try:
            if "said" not in state:
                found = ask(proc)
                said, seconds = (yield from found) if isinstance(found, Generator) else found
                state["said"], state["seconds"] = said, max(STARTS, seconds)
                if proc.spins():
                    yield from proc.breathe()
            yield from proc.sleep(state["seconds"])
            code = show(proc, state["said"])
        except Quit as quit_:
            code = ended(proc, quit_)
        state.clear()
        state["code"] = code
        return code

    return Program(run, "state")


def ended(proc: Proc, quit_: Quit) -> int:
    proc.out(quit_.out)
    proc.err(str(quit_))
    return quit_.code


def telling(tell: Callable[[Proc], int]) -> Program:
    """A program that says at once what it knows."""

    def run(proc: Proc) -> int:
        try:
            return tell(proc)
        except Quit as quit_:
            return ended(proc, quit_)

    return Program(run)


def size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def network(proc: Proc) -> Reach:
    return proc.machine.network()


# flavours


def image_of(proc: Proc) -> Image | None:
    """What the container that it runs in is made of; nodes and the workstation are made of none."""
    return getattr(proc.machine, "image", None)


def is_busybox(proc: Proc, name: str) -> bool:
    """Whether a name is an applet of busybox here."""
    if proc.machine.kit != "busybox":
        return False
    image = image_of(proc)
    return not (image is not None and name in FULL and image.reference.familiar in TOOLBOXES)


def release(proc: Proc) -> str:
    """The busybox that a container has.

    >>> _patched("1.28"), _patched("1.35.0-glibc"), _patched("latest")
    ('1.28.4', '1.35.0', '1.36.1')
    """
    image = image_of(proc)
    return _patched(image.reference.tag) if image is not None and image.reference.familiar.rpartition("/")[2] == "busybox" else BUSYBOX


def _patched(tag: str) -> str:
    found = re.match(r"(\d+)\.(\d+)(\.\d+)?", tag)
    if found is None:
        return BUSYBOX
    if found[3]:
        return found[0]
    return next((f"{found[0]}.{patch}" for patch in range(9, -1, -1) if OFFICIAL["busybox"].tags(f"{found[0]}.{patch}")), f"{found[0]}.0")


def older(proc: Proc, than: tuple[int, int]) -> bool:
    return tuple(int(part) for part in release(proc).split(".")[:2]) < than


def usage(proc: Proc, lines: str) -> str:
    """How busybox shows a program's usage."""
    return f"BusyBox v{release(proc)} multi-call binary.\n\nUsage: {lines}\n"


# words


def options(proc: Proc, short: str, long: list[str] = (), *, help_: str = "", code: int = 1, posix: bool = False,
            words: list[str] | None = None) -> tuple[list[tuple[str, str]], list[str]]:
    """(options, operands) of what it was called with; Quit, with ``help_`` behind getopt's complaint."""
    take = getopt.getopt if posix else getopt.gnu_getopt
    try:
        return take(list(proc.args if words is None else words), short, list(long))
    except getopt.GetoptError as error:
        raise Quit(f"{proc.name}: {_complaint(error)}\n{help_}", code) from None


def _complaint(error: getopt.GetoptError) -> str:
    wide = len(error.opt) > 1
    name = f"'--{error.opt}'" if wide else f"'{error.opt}'"
    if "requires argument" in error.msg:
        return f"option {name} requires an argument" if wide else f"option requires an argument -- {name}"
    if "must not have" in error.msg:
        return f"option {name} doesn't allow an argument"
    if "unique prefix" in error.msg:
        return f"option {name} is ambiguous"
    return f"unrecognized option {name}" if wide else f"invalid option -- {name}"


def number(proc: Proc, text: str, most: int = 10**9) -> int:
    """A count, in busybox's words if it is none."""
    if not re.fullmatch(r"\d{1,10}", text) or int(text) > most:
        raise Quit(f"{proc.name}: invalid number '{text}'\n")
    return int(text)


def duration(text: str) -> float | None:
    """Seconds, with decimals; None is no such number."""
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{0,9})?|\.\d{1,9}", text) else None


def is_address(text: str) -> bool:
    """
    >>> is_address("10.0.0.1"), is_address("300.1.1.1"), is_address("web")
    (True, False, False)
    """
    return re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", text) is not None and all(int(part) < 256 for part in text.split("."))


def save(proc: Proc, path: str, text: str, append: bool = False) -> str:
    """Writes a file: "" or why it could not."""
    try:
        stream = proc.open(path, "a" if append else "w").open()
        stream.write(text)
        stream.close()
    except Fault as fault:
        return str(fault)
    return ""


def read_all(proc: Proc, limit: int = 256 * 1024) -> Generator[Any, Any, str]:
    """All of standard input."""
    pieces, held = [], 0
    while text := (yield from proc.read()):
        held += len(text)
        if held > limit:
            raise Quit(f"{proc.name}: out of memory\n")
        pieces.append(text)
    return "".join(pieces)


def read_file(proc: Proc, path: str) -> str:
    """A file's text. Fault."""
    stream = proc.open(path, "r").open()
    try:
        pieces, held = [], 0
        while text := stream.read():
            held += len(text)
            if held > 256 * 1024:
                raise Fault("File too large")
            pieces.append(text)
        return "".join(pieces)
    finally:
        stream.close()
