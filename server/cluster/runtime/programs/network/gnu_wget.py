"""GNU's ``wget``, as machines with the full tools have it.

Source: https://www.gnu.org/software/wget/manual/wget.html
"""

from __future__ import annotations

import posixpath
import re
from datetime import timedelta
from typing import Any

from server.cluster.network.walk import NOT_TLS, SILENCE
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import Quit, Reply, asking, duration, options, read_file, save
from server.cluster.runtime.programs.network.web import MOST_REDIRECTS, REDIRECTS, Url, basic, errno, fetch, unheard, url
from server.cluster.runtime.streams import Fault

USAGE = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n"
VERSION = "GNU Wget 1.21.4 built on linux-gnu.\n"
SHORT = "qO:o:P:U:T:t:n:SVcdhv"
LONG = ["quiet", "output-document=", "output-file=", "directory-prefix=", "user-agent=", "timeout=", "tries=", "server-response", "spider",
        "header=", "post-data=", "post-file=", "method=", "body-data=", "no-check-certificate", "no-verbose", "verbose", "version", "help",
        "continue", "user=", "password=", "http-user=", "http-password=", "connect-timeout=", "read-timeout=", "dns-timeout=",
        "content-on-error", "show-progress", "no-clobber", "no-proxy", "max-redirect=", "waitretry=", "retry-connrefused"]
NAMES = {"--quiet": "-q", "--output-document": "-O", "--output-file": "-o", "--directory-prefix": "-P", "--user-agent": "-U",
         "--timeout": "-T", "--tries": "-t", "--server-response": "-S", "--no-verbose": "-nv", "--version": "-V", "--help": "-h",
         "--connect-timeout": "-T", "--http-user": "--user", "--http-password": "--password", "--read-timeout": "-T"}
GENERIC, FILES, NETWORK, TLS, SERVER = 1, 3, 4, 5, 8
TRIES = 20


class _Words:
    def __init__(self, proc: Proc) -> None:
        self.headers = {"User-Agent": "Wget/1.21.4", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "Keep-Alive"}
        self.given: dict[str, str] = {}
        found, self.urls = options(proc, SHORT, LONG, help_=USAGE, code=2)
        for name, value in found:
            if name == "-n":
                self.given.update({f"-n{letter}": "" for letter in value})
            elif name == "--header":
                label, _, text = value.partition(":")
                self.headers[label.strip()] = text.strip()
            else:
                self.given[NAMES.get(name, name)] = value
        if "-V" in self.given:
            raise Quit("", 0, VERSION)
        if not self.urls:
            raise Quit(f"wget: missing URL\n{USAGE}", GENERIC)
        self.timeout = duration(self.given["-T"]) if "-T" in self.given else None
        if "-T" in self.given and self.timeout is None:
            raise Quit(f"wget: timeout: Invalid time period ‘{self.given['-T']}’\n", 2)
        if "-U" in self.given:
            self.headers["User-Agent"] = self.given["-U"]
        tries = self.given.get("-t", str(TRIES))
        if not re.fullmatch(r"\d{1,6}|inf", tries):
            raise Quit(f"wget: tries: Invalid number ‘{tries}’.\n", 2)
        self.tries = min(TRIES, int(tries) or TRIES) if tries != "inf" else TRIES

    def says(self, text: str) -> str:
        """What is only said if neither -q nor -nv is given."""
        return "" if "-q" in self.given or "-nv" in self.given else text

    @property
    def method(self) -> str:
        if "--method" in self.given:
            return self.given["--method"].upper()
        if "--post-data" in self.given or "--post-file" in self.given:
            return "POST"
        return "HEAD" if "--spider" in self.given else "GET"


def _url(text: str) -> Url:
    try:
        found = url(text)
    except ValueError as wrong:
        raise Quit(f"{text if '://' in text else 'http://' + text}: {'Bad port number' if str(wrong) == 'port' else 'Invalid host name'}.\n",
                   GENERIC) from None
    if found.scheme not in ("http", "https"):
        raise Quit(f"{text}: Unsupported scheme ‘{found.scheme}’.\n" if found.scheme != "ftp" else "wget: ftp is not simulated\n", GENERIC)
    return found


def _ask(proc: Proc) -> tuple[list[list[Any]], float]:
    """[url, number of the try, seconds since it began, reply] for each request."""
    words = _Words(proc)
    body = words.given.get("--post-data", words.given.get("--body-data", ""))
    if "--post-file" in words.given:
        try:
            body = read_file(proc, words.given["--post-file"])
        except Fault as fault:
            raise Quit(f"{words.given['--post-file']}: {fault}\n", FILES) from None
    said, seconds = [], 0.0
    for text in words.urls:
        tries = redirects = 0
        while True:
            tries += 1
            where = _url(text)
            user = where.user or (f"{words.given['--user']}:{words.given.get('--password', '')}" if "--user" in words.given else "")
            found = fetch(proc, where, words.method, {**words.headers, **basic(user)}, body, words.timeout)
            said.append([text, tries, seconds, list(found)])
            seconds += found.ms / 1000
            location = found.headers.get("Location")
            if found.status in REDIRECTS and location is not None and redirects < MOST_REDIRECTS:
                text, tries, redirects = where.joined(location), 0, redirects + 1
                continue
            if found.failed and found.address and (found.fault == SILENCE or unheard(found)) and tries < words.tries:
                seconds += min(tries, 10)
                continue
            break
    return said, seconds


def _show(proc: Proc, said: list[list[Any]]) -> int:
    words = _Words(proc)
    worst, total = 0, said[-1][2] + said[-1][3][10] / 1000
    for at, (text, tries, since, values) in enumerate(said):
        where, found = url(text), Reply(*values)
        if "--spider" in words.given and at == 0:
            proc.err(words.says("Spider mode enabled. Check if remote file exists.\n"))
        when = f"{proc.machine.time() - timedelta(seconds=total - since):%Y-%m-%d %H:%M:%S}"
        attempt = f"(try:{tries:2d})" if tries > 1 else ""
        proc.err(words.says(f"--{when}--{attempt}  {where.text}\n"))
        code = _one(proc, words, where, found, again=at + 1 < len(said) and said[at + 1][0] == text)
        worst = code or worst
    return worst


def _one(proc: Proc, words: _Words, where: Url, found: Reply, again: bool) -> int:
    if not found.address:
        proc.err(words.says(f"Resolving {where.host} ({where.host})... failed: Name or service not known.\n"))
        proc.err("" if "-q" in words.given else f"wget: unable to resolve host address ‘{where.host}’\n")
        return NETWORK
    shown = where.host if where.host == found.address else f"{where.host} ({where.host})|{found.address}|"
    if where.host != found.address:
        proc.err(words.says(f"Resolving {where.host} ({where.host})... {found.address}\n"))
    proc.err(words.says(f"Connecting to {shown}:{where.port}... "))
    if found.failed and not found.connected:
        proc.err(words.says(f"failed: {errno(proc, found)}.\n" + ("Retrying.\n\n" if again else "Giving up.\n\n"
                                                                  if found.fault == SILENCE else "")))
        return NETWORK
    proc.err(words.says("connected.\n"))
    if where.tls:
        if found.fault == NOT_TLS:
            proc.err("" if "-q" in words.given else "GnuTLS: An unexpected TLS packet was received.\nUnable to establish SSL connection.\n")
            return NETWORK
        if "--no-check-certificate" not in words.given:
            proc.err("" if "-q" in words.given else f"ERROR: The certificate of ‘{where.host}’ is not trusted.\n"
                     f"ERROR: The certificate of ‘{where.host}’ doesn't have a known issuer.\n")
            return TLS
    proc.err(words.says("HTTP request sent, awaiting response... "))
    if found.failed:
        said = "No data received" if unheard(found) else "Read error (Connection timed out) in headers"
        proc.err(words.says(f"{said}.\n" + ("Retrying.\n\n" if again else "Giving up.\n\n")))
        return NETWORK
    return _answered(proc, words, where, found)


def _answered(proc: Proc, words: _Words, where: Url, found: Reply) -> int:
    when = f"{proc.machine.time():%Y-%m-%d %H:%M:%S}"
    if "-S" in words.given:
        proc.err("\n" + "".join(f"  {line}\n" for line in found.head("\n").strip("\n").split("\n")))
    else:
        proc.err(words.says(f"{found.status} {found.reason}\n"))
    location = found.headers.get("Location")
    if found.status in REDIRECTS and location is not None:
        proc.err(words.says(f"Location: {location} [following]\n"))
        return 0
    spider = "--spider" in words.given
    if found.status >= 400:
        if spider:
            proc.err(words.says("Remote file does not exist -- broken link!!!\n\n"))
        elif "-q" not in words.given:
            label = f"{where.text}:\n" if "-nv" in words.given else ""
            proc.err(f"{label}{when} ERROR {found.status}: {found.reason}.\n" + words.says("\n"))
        return SERVER
    kind = found.headers.get("Content-Type", found.headers.get("Content-type", "")).partition(";")[0]
    length = next((value for name, value in found.headers.items() if name.lower() == "content-length"), None)
    proc.err(words.says(f"Length: {length or 'unspecified'}" + (f" [{kind}]" if kind else "") + "\n"))
    if spider:
        html = kind == "text/html"
        proc.err(words.says("Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n" if html
                            else "Remote file exists.\n\n"))
        return 0
    return _save(proc, words, where, found, when)


def _save(proc: Proc, words: _Words, where: Url, found: Reply, when: str) -> int:
    name = posixpath.basename(where.path.partition("?")[0]) or "index.html"
    target = words.given.get("-O") or _free(proc, posixpath.join(words.given.get("-P", ""), name))
    to_stdout = target in ("-", "/dev/stdout")
    if not to_stdout and (fault := save(proc, target, found.body)):
        proc.err(f"{target}: {fault}\n")
        return GENERIC
    proc.err(words.says(f"Saving to: ‘{'STDOUT' if to_stdout else target}’\n"))
    if to_stdout:
        proc.out(found.body)
    rate = _rate(found.size / max(0.0001, found.ms / 1000))
    proc.err(words.says(f"\n     0K {'':50}{'100%':>5} {rate[0]}=0s\n\n{when} ({rate[1]}) - "
                        f"{'written to stdout' if to_stdout else f'‘{target}’ saved'} [{found.size}/{found.size}]\n\n"))
    if "-nv" in words.given and "-q" not in words.given:
        proc.err(f'{when} URL:{where.text} [{found.size}/{found.size}] -> "{target}" [1]\n')
    return 0


def _free(proc: Proc, name: str) -> str:
    """A name that no file has yet."""
    return next(each for each in (name, *(f"{name}.{number}" for number in range(1, 1000))) if not proc.files.kind(proc.path(each)))


def _rate(speed: float) -> tuple[str, str]:
    for unit, words in (("", "B/s"), ("K", "KB/s")):
        if speed < 1024:
            figure = f"{speed:.2f}" if speed < 10 else f"{speed:.1f}" if speed < 100 else f"{speed:.0f}"
            return f"{figure}{unit}", f"{figure} {words}"
        speed /= 1024
    return f"{speed:.2f}M", f"{speed:.2f} MB/s"


PROGRAM = asking(_ask, _show)
