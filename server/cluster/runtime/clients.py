"""The small programs of a container that go out on the network: wget, curl, nslookup, nc.

Each takes its words and the ``Box`` it runs in, makes its requests at once through ``box.network()`` and says what it prints, its exit
code and how long it took; the shell waits that long before anything is seen. Requests walk the way that every connection walks, and
count as traffic of the pod. Output follows busybox, whose nslookup changed with 1.29, and BIND's nslookup in images for network tests.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from server.cluster.runtime.commands import Machine
from server.cluster.runtime.curl import Said, curl
from server.cluster.runtime.files import NotSimulated
from server.cluster.runtime.images import Image

TOOLBOXES = frozenset({"sysnet4admin/net-tools", "sysnet4admin/net-tools-ifn", "nicolaka/netshoot", "praqma/network-multitool",
                       "amouat/network-utils", "registry.k8s.io/e2e-test-images/agnhost"})
NO_ROUTE, EMPTY_REPLY, TIMED_OUT = 3000, 52, 28
OLD_NSLOOKUP = (1, 28)


class Names(NamedTuple):
    """What the cluster's DNS says: the server that was asked, whether it answered, the full name and what it stands for."""

    server: str
    answers: bool
    name: str = ""
    addresses: tuple[str, ...] = ()
    exists: bool = False
    alias: str | None = None


class Reach(Protocol):
    """The network as a pod sees it; ``request`` gives a walk (see ``network.walk``)."""

    def request(self, host: str, port: int, method: str = "GET", path: str = "/", timeout: float | None = None,
                headers: dict[str, str] | None = None, log: bool = True) -> Any: ...

    def names(self, name: str, search: bool = True) -> Names: ...

    def domains(self) -> list[str]: ...


class Box(Machine, Protocol):
    image: Image

    def network(self) -> Reach: ...


def has(image: Image, name: str) -> bool:
    """Whether an image that is no other way known to hold the program does so."""
    return name in CLIENTS and (image.reference.familiar in TOOLBOXES or image.reference.repository in TOOLBOXES)


def _wget(box: Box, argv: list[str]) -> Said:
    options = _options(argv[1:])
    if options is None:
        return Said(1, "", f"wget: unrecognized option: {next(word for word in argv[1:] if word.startswith('-'))}\n")
    given, url = options
    if not url:
        return Said(1, "", "BusyBox v1.36.1 multi-call binary.\n\nUsage: wget [-cqS] [--spider] [-O FILE] [-T SEC] URL...\n")
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http":
        raise NotSimulated(f"wget of {parts.scheme}")
    try:
        port = parts.port or 80
    except ValueError:
        return Said(1, "", f"wget: bad port spec '{parts.netloc}'\n")
    host, limit = parts.hostname or "", given.get("-T", "")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    walk = box.network().request(host, port, method="HEAD" if "--spider" in given else "POST" if "--post-data" in given else "GET",
                                 path=path, timeout=float(limit) if limit.isdigit() and int(limit) else None, headers={"User-Agent": "Wget"})
    address = _address(walk, host)
    quiet = "-q" in given
    err = "" if quiet or not address else f"Connecting to {parts.netloc} ({address}:{port})\n"
    if walk.error is not None:
        return Said(1, "", err + _wget_fault(walk, parts.netloc, address), walk.seconds)
    if walk.status >= 400:
        line = walk.head().partition("\r\n")[0]
        return Said(1, "", f"{err}wget: server returned error: {line}\n", walk.seconds)
    return _saved(box, given, path, walk, err)


def _saved(box: Box, given: dict[str, str], path: str, walk: Any, err: str) -> Said:
    quiet, target = "-q" in given, given.get("-O") or posixpath.basename(path.partition("?")[0]) or "index.html"
    if "--spider" in given:
        return Said(0, "", err + ("" if quiet else "remote file exists\n"), walk.seconds)
    size = len(walk.body.encode())
    bar = f"{'-' if target == '-' else target[:20]:<20} 100% |********************************| {size:5d}  0:00:00 ETA\n"
    if target == "-":
        return Said(0, walk.body, err + ("" if quiet else f"writing to stdout\n{bar}written to stdout\n"), walk.seconds)
    if "-O" not in given and box.files.kind(target):
        return Said(1, "", f"{err}wget: can't open '{target}': File exists\n", walk.seconds)
    fault = box.files.write(target, walk.body)
    if fault:
        return Said(1, "", f"{err}wget: can't open '{target}': {fault}\n", walk.seconds)
    return Said(0, "", err + ("" if quiet else f"saving to '{target}'\n{bar}'{target}' saved\n"), walk.seconds)


def _options(words: list[str]) -> tuple[dict[str, str], str] | None:
    """(options, url), None if one is not understood."""
    given: dict[str, str] = {}
    url, rest = "", list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in ("--timeout", "--output-document", "--post-data", "--header", "--tries"):
            given[{"--timeout": "-T", "--output-document": "-O"}.get(name, name)] = value if equals else rest.pop(0) if rest else ""
        elif word in ("--spider", "--quiet", "--no-check-certificate", "--server-response", "--no-verbose"):
            given["-q" if word == "--quiet" else word] = ""
        elif re.fullmatch(r"-[a-zA-Z].*", word):
            if not _letters(word[1:], given, rest):
                return None
        elif word.startswith("--"):
            return None
        else:
            url = word
    return given, url


def _letters(letters: str, given: dict[str, str], rest: list[str]) -> bool:
    for at, letter in enumerate(letters):
        if letter in "OTtUPY":
            given[f"-{letter}"] = letters[at + 1:] or (rest.pop(0) if rest else "")
            return True
        if letter not in "qScnv":
            return False
        given[f"-{letter}"] = ""
    return True


def _address(walk: Any, host: str) -> str:
    """What a walk's name was resolved to; "" if it was not."""
    if walk.error is not None and walk.error["hop"] == "dns":
        return ""
    return next((hop.decision for hop in walk.hops if hop.kind == "dns"), "127.0.0.1" if host == "localhost" else host)


def _wget_fault(walk: Any, host: str, address: str) -> str:
    if not address:
        return f"wget: bad address '{host}'\n"
    if walk.exit_code == EMPTY_REPLY:
        return "wget: error getting response\n"
    if walk.exit_code == TIMED_OUT and "timed out" in walk.error_text:
        return "wget: download timed out\n"
    return f"wget: can't connect to remote host ({address}): {_errno(walk)}\n"


def _errno(walk: Any) -> str:
    if walk.exit_code == TIMED_OUT:
        return "Connection timed out" if "timed out" not in walk.error_text else "Operation timed out"
    return "No route to host" if walk.ms >= NO_ROUTE else "Connection refused"


def _nc(box: Box, argv: list[str]) -> Said:
    """``nc -z HOST PORT``: whether something takes connections there."""
    flags = "".join(word[1:] for word in argv[1:] if re.fullmatch("-[a-z]+", word))
    words, limit, rest = [], None, list(argv[1:])
    while rest:
        word = rest.pop(0)
        if re.fullmatch(r"-[a-z]*w", word):
            limit = rest.pop(0) if rest else ""
        elif re.fullmatch(r"-w\d+", word):
            limit = word[2:]
        elif not word.startswith("-"):
            words.append(word)
    if "z" not in flags or len(words) != 2 or not words[1].isdigit() or "u" in flags or "l" in flags:
        raise NotSimulated(f'"{" ".join(argv)}"')
    if not 0 < int(words[1]) < 65536:
        return Said(1, "", f"nc: bad port '{words[1]}'\n")
    walk = box.network().request(words[0], int(words[1]), timeout=float(limit) if limit and limit.isdigit() else None, log=False)
    address = _address(walk, words[0])
    if not address:
        return Said(1, "", f"nc: bad address '{words[0]}'\n", walk.seconds)
    if walk.error is None or walk.exit_code == EMPTY_REPLY:
        return Said(0, "", f"{words[0]} ({address}:{words[1]}) open\n" if "v" in flags else "", walk.seconds)
    said = f"nc: {words[0]} ({address}:{words[1]}): {_errno(walk)}\n" if "v" in flags else ""
    return Said(1, "", said, walk.seconds)


LOOKUP, GIVES_UP = 0.002, 15.0


def _nslookup(box: Box, argv: list[str]) -> Said:
    words = [word for word in argv[1:] if not word.startswith("-")]
    if not words or any(word.startswith("-") and not re.fullmatch(r"-(query|type|q)=(a|A)", word) for word in argv[1:]):
        raise NotSimulated(f'"{" ".join(argv)}"')
    name = words[0]
    if re.fullmatch(r"[\d.]+", name) or len(words) > 1:
        raise NotSimulated(f'"{" ".join(argv)}"')
    if box.image.kit == "busybox" and not has(box.image, "nslookup"):
        return _old_lookup(box, name) if _release(box.image) <= OLD_NSLOOKUP else _new_lookup(box, name)
    return _bind_lookup(box, name)


def _release(image: Image) -> tuple[int, ...]:
    """The busybox in an image: alpine's and others' are new."""
    found = re.match(r"(\d+)\.(\d+)", image.reference.tag)
    is_busybox = image.reference.familiar.rpartition("/")[2] == "busybox"
    return (int(found[1]), int(found[2])) if found and is_busybox else (1, 99)


def _old_lookup(box: Box, name: str) -> Said:
    found = box.network().names(name)
    head = f"Server:    {found.server}\nAddress 1: {found.server} kube-dns.kube-system.svc.cluster.local\n\n"
    if not found.answers:
        return Said(1, f"Server:    {found.server}\nAddress 1: {found.server}\n\n", f"nslookup: can't resolve '{name}'\n", GIVES_UP)
    if not found.addresses:
        return Said(1, head, f"nslookup: can't resolve '{name}'\n", LOOKUP)
    rows = "".join(f"Address {number}: {address} {found.name}\n" for number, address in enumerate(found.addresses, 1))
    return Said(0, f"{head}Name:      {name}\n{rows}", "", LOOKUP)


def _new_lookup(box: Box, name: str) -> Said:
    """It uses the search domains only for names without a dot, and asks each of them for both kinds of address."""
    network = box.network()
    asked = [network.names(full, search=False) for full in ([name] if "." in name else [f"{name}.{domain}" for domain in network.domains()])]
    first = asked[0]
    if not first.answers:
        return Said(1, ";; connection timed out; no servers could be reached\n\n", "", GIVES_UP)
    head = f"Server:\t\t{first.server}\nAddress:\t{first.server}:53\n\n"
    out, code = "", 0
    for found in asked:
        if found.exists:
            out += (f"{found.name}\tcanonical name = {found.alias}\n\n" if found.alias else "") + "".join(
                f"Name:\t{found.name}\nAddress: {address}\n" for address in found.addresses) + ("\n\n" if found.addresses else "")
        else:
            out += f"** server can't find {found.name}: NXDOMAIN\n\n" * 2
            code = 1
    return Said(code, head + out, "", LOOKUP)


def _bind_lookup(box: Box, name: str) -> Said:
    found = box.network().names(name)
    if not found.answers:
        return Said(1, ";; connection timed out; no servers could be reached\n\n", "", GIVES_UP)
    head = f"Server:\t\t{found.server}\nAddress:\t{found.server}#53\n\n"
    if not found.exists:
        return Said(1, f"{head}** server can't find {name}: NXDOMAIN\n\n", "", LOOKUP)
    if found.alias:
        return Said(0, f"{head}{found.name}\tcanonical name = {found.alias}.\n\n", "", LOOKUP)
    if not found.addresses:
        return Said(0, f"{head}*** Can't find {name}: No answer\n\n", "", LOOKUP)
    rows = "".join(f"Name:\t{found.name}\nAddress: {address}\n" for address in found.addresses)
    return Said(0, f"{head}{rows}\n", "", LOOKUP)


def _curl(box: Box, argv: list[str]) -> Said:
    return curl(box.network().request, argv[1:])


CLIENTS: dict[str, Callable[[Box, list[str]], Said]] = {"wget": _wget, "curl": _curl, "nslookup": _nslookup, "nc": _nc}
