"""``wget``, busybox's and GNU's: a URL in; the page out, to a file or to standard output.

Source: https://www.gnu.org/software/wget/manual/wget.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from server.cluster.network.walk import NOT_TLS, SILENCE
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.network import gnu_wget
from server.cluster.runtime.programs.network.common import (
    Quit,
    Reply,
    asking,
    is_busybox,
    number,
    older,
    options,
    read_file,
    save,
    usage,
)
from server.cluster.runtime.programs.network.web import MOST_REDIRECTS, REDIRECTS, Url, errno, fetch, unheard, url
from server.cluster.runtime.streams import Fault

LINES = ("wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | --post-file FILE] [-Y on/off]\n"
         "\t[--no-check-certificate] [-P DIR] [-U AGENT] [-T SEC] URL...")
SHORT = "cqSO:o:P:U:T:Y:t:n:"
LONG = ["spider", "header=", "post-data=", "post-file=", "no-check-certificate", "continue", "quiet", "server-response", "output-document=",
        "output-file=", "directory-prefix=", "user-agent=", "timeout=", "tries=", "proxy=", "no-clobber", "no-verbose"]
NAMES = {"--quiet": "-q", "--server-response": "-S", "--output-document": "-O", "--output-file": "-o", "--directory-prefix": "-P",
         "--user-agent": "-U", "--timeout": "-T", "--continue": "-c", "--proxy": "-Y", "--tries": "-t"}
SAYS_WHERE = (1, 31)


class _Words:
    def __init__(self, proc: Proc) -> None:
        self.headers: dict[str, str] = {"User-Agent": "Wget"}
        self.given: dict[str, str] = {}
        help_ = usage(proc, LINES)
        found, self.urls = options(proc, SHORT, LONG, help_=help_)
        for name, value in found:
            if name == "--header":
                label, _, text = value.partition(":")
                self.headers[label.strip()] = text.strip()
            else:
                self.given[NAMES.get(name, name)] = value
        if not self.urls:
            raise Quit(help_)
        if "-U" in self.given:
            self.headers["User-Agent"] = self.given["-U"]
        self.timeout = float(number(proc, self.given["-T"])) if "-T" in self.given else None
        if self.timeout == 0:
            self.timeout = None

    @property
    def quiet(self) -> bool:
        return "-q" in self.given

    @property
    def method(self) -> str:
        if "--post-data" in self.given or "--post-file" in self.given:
            return "POST"
        return "HEAD" if "--spider" in self.given else "GET"


def _ask(proc: Proc) -> tuple[list[list[Any]], float]:
    """For each URL the replies on the way to the last: [[url, reply], ...]."""
    words = _Words(proc)
    body = words.given.get("--post-data", "")
    if "--post-file" in words.given:
        try:
            body = read_file(proc, words.given["--post-file"])
        except Fault as fault:
            raise Quit(f"wget: can't open '{words.given['--post-file']}': {fault}\n") from None
    if words.method == "POST":
        words.headers["Content-Type"] = words.headers.get("Content-Type", "application/x-www-form-urlencoded")
    said, seconds = [], 0.0
    for text in words.urls:
        for _ in range(MOST_REDIRECTS):
            where = _url(text, proc)
            found = fetch(proc, where, words.method, words.headers, body, words.timeout)
            seconds += found.ms / 1000
            said.append([text, list(found)])
            location = found.headers.get("Location")
            if found.status not in REDIRECTS or location is None:
                break
            text = where.joined(location)
        if said and (Reply(*said[-1][1]).failed or (said[-1][1][3] or 0) >= 400):
            break
    return said, seconds


def _url(text: str, proc: Proc) -> Url:
    try:
        found = url(text)
    except ValueError as wrong:
        if str(wrong) == "port":
            raise Quit(f"wget: bad port '{text.partition('://')[2].partition('/')[0].rpartition(':')[2]}'\n") from None
        raise Quit(f"wget: bad address '{text.partition('://')[2].partition('/')[0]}'\n") from None
    if found.scheme not in ("http", "https"):
        raise Quit(f"wget: not an http or ftp url: {text}\n" if found.scheme != "ftp" else "wget: ftp is not simulated\n")
    return found


def _show(proc: Proc, said: list[list[Any]]) -> int:
    words = _Words(proc)
    for text, values in said:
        where, found = url(text), Reply(*values)
        if found.address and not words.quiet:
            proc.err(f"Connecting to {where.netloc} ({found.address}:{where.port})\n")
        if where.tls and found.connected and not words.quiet and "--no-check-certificate" not in words.given:
            proc.err("wget: note: TLS certificate validation not implemented\n")
        if found.failed:
            proc.err(_fault(proc, where, found))
            return 1
        if "-S" in words.given:
            proc.err("".join(f"  {line}\n" for line in found.head("\n").split("\n")[:-1]))
        if found.status in REDIRECTS and "Location" in found.headers:
            continue
        if found.status >= 400:
            proc.err(f"wget: server returned error: {found.head().partition(chr(13))[0]}\n")
            return 1
        code = _save(proc, words, where, found)
        if code:
            return code
    return 0


def _fault(proc: Proc, where: Url, found: Reply) -> str:
    if not found.address:
        return f"wget: bad address '{where.netloc}'\n"
    if found.fault == NOT_TLS:
        return "wget: error getting response: Connection reset by peer\n"
    if unheard(found):
        return "wget: error getting response\n"
    if found.fault == SILENCE and _Words(proc).timeout is not None:
        return "wget: download timed out\n"
    return f"wget: can't connect to remote host ({found.address}): {errno(proc, found)}\n"


def _save(proc: Proc, words: _Words, where: Url, found: Reply) -> int:
    if "--spider" in words.given:
        if not words.quiet:
            proc.err("remote file exists\n")
        return 0
    path = where.path.partition("?")[0]
    target = words.given.get("-O") or posixpath.join(words.given.get("-P", ""), posixpath.basename(path) or "index.html")
    to_stdout = target in ("-", "/dev/stdout")
    if not to_stdout:
        if "-O" not in words.given and "-c" not in words.given and proc.files.kind(proc.path(target)):
            proc.err(f"wget: can't open '{target}': File exists\n")
            return 1
        if fault := save(proc, target, found.body):
            proc.err(f"wget: can't open '{target}': {fault}\n")
            return 1
    says = not words.quiet and not older(proc, SAYS_WHERE)
    if says:
        proc.err("writing to stdout\n" if to_stdout else f"saving to '{target}'\n")
    if to_stdout:
        proc.out(found.body)
    if not words.quiet:
        proc.err(_bar(posixpath.basename(target), found.size))
    if says:
        proc.err("written to stdout\n" if to_stdout else f"'{target}' saved\n")
    return 0


def _bar(name: str, size: int) -> str:
    """
    >>> _bar("-", 6)
    '-                    100% |********************************|     6  0:00:00 ETA\\n'
    """
    shown, unit = (size, " ") if size < 100_000 else (size // 1024, "k")
    return f"{name[:20]:<20} 100% |{'*' * 32}|{shown:6d}{unit} 0:00:00 ETA\n"


_BUSYBOX = asking(_ask, _show)


def _wget(proc: Proc) -> Generator[Any, Any, int]:
    return (_BUSYBOX if is_busybox(proc, "wget") else gnu_wget.PROGRAM).run(proc)


PROGRAMS = {"wget": Program(_wget, "state")}
