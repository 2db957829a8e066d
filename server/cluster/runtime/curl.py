"""``curl``: its words in, one request made, what it prints and its exit code out. The terminal's and every container's are this one.

``request(host, port, method=, path=, timeout=, headers=)`` makes the request and gives the walk that it took. A curl that does not write
to a terminal shows its progress, unless it is told to be silent.

Source: https://curl.se/docs/manpage.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

VERSION = "curl 8.5.0 (x86_64-podium)\n"
HELP = "curl: try 'curl --help' or 'curl --manual' for more information\n"
FLAGS = {"-s": "silent", "--silent": "silent", "-S": "show", "--show-error": "show", "-i": "include", "--include": "include", "-I": "head",
         "--head": "head", "-v": "", "-L": "", "--location": "", "-k": "", "-f": "fail", "--fail": "fail"}
LIMITS = ("-m", "--max-time", "--connect-timeout")
HEADERS = ("-H", "--header")
VALUES = (*LIMITS, "-o", "--output", *HEADERS, "-X", "--request", "-w", "--write-out")
METER = ("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
         "                                 Dload  Upload   Total   Spent    Left  Speed\n")


class Said(NamedTuple):
    """``seconds`` is what it took."""

    code: int
    out: str = ""
    err: str = ""
    seconds: float = 0.0


class _Words(NamedTuple):
    options: set[str]
    values: dict[str, str]
    headers: dict[str, str]
    url: str | None
    unknown: str = ""


def curl(request: Callable[..., Any], arguments: list[str], terminal: bool = False) -> Said:
    if arguments[:1] in (["--version"], ["-V"]):
        return Said(0, VERSION)
    words = _parse(arguments)
    if words.unknown:
        return Said(2, "", f"curl: option {words.unknown}: is unknown\n{HELP}")
    if words.url is None:
        return Said(2, "", HELP)
    options, values = words.options, words.values
    try:
        parts = urlsplit(words.url if "://" in words.url else f"http://{words.url}")
    except ValueError:
        return Said(3, "", "curl: (3) URL rejected: Bad IPv6 address\n")
    if parts.scheme != "http":
        return Said(1, "", f"curl: (1) Protocol \"{parts.scheme}\" not supported in this {'terminal' if terminal else 'simulation'}\n")
    try:
        port = parts.port or 80
    except ValueError:
        return Said(3, "", "curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535\n")
    method = values.get("-X") or values.get("--request") or ("HEAD" if "head" in options else "GET")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    option, given = next(((option, values[option]) for option in LIMITS if option in values), ("", "0"))
    if not re.fullmatch(r"\d{1,9}(\.\d*)?", given):
        return Said(2, "", f"curl: option {option}: expected a proper numerical parameter\n{HELP}")
    walk = request(parts.hostname or "", port, method=method, path=path, timeout=float(given) or None, headers=words.headers)
    return _said(walk, options, values, method, terminal)


def _said(walk: Any, options: set[str], values: dict[str, str], method: str, terminal: bool) -> Said:
    quiet, loud = "silent" in options, "silent" not in options or "show" in options
    err = "" if terminal or quiet else METER + _progress(0 if walk.error is not None else len(walk.body.encode()))
    if walk.error is not None:
        return Said(walk.exit_code, _written(walk, values), err + (f"{walk.error_text}\n" if loud else ""), walk.seconds)
    out = walk.head() if "head" in options or "include" in options else ""
    if "fail" in options and walk.status >= 400:
        said = f"curl: (22) The requested URL returned error: {walk.status}\n" if loud else ""
        return Said(22, out + _written(walk, values), err + said, walk.seconds)
    if method != "HEAD" and "/dev/null" not in (values.get("-o"), values.get("--output")):
        out += walk.body
    return Said(0, out + _written(walk, values), err, walk.seconds)


def _progress(size: int) -> str:
    part = 100 if size else 0
    return f"{part:3d} {size:5d}  {part:3d} {size:5d}    0     0      0      0 --:--:-- --:--:-- --:--:--     0\n"


def _written(walk: Any, values: dict[str, str]) -> str:
    template = values.get("-w") or values.get("--write-out") or ""
    return re.sub(r"%\{(http_code|response_code)\}", f"{walk.status or 0:03d}", template).replace("\\n", "\n")


def _parse(arguments: list[str]) -> _Words:
    options: set[str] = set()
    values: dict[str, str] = {}
    headers: dict[str, str] = {}
    url = None
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in HEADERS and words:
            name, _, value = words.pop(0).partition(":")
            headers[name.strip()] = value.strip()
        elif word in VALUES and words:
            values[word] = words.pop(0)
        elif word in FLAGS:
            options.add(FLAGS[word])
        elif re.fullmatch(r"-[a-zA-Z]{2,}", word) and all(f"-{letter}" in FLAGS for letter in word[1:-1]) \
                and (f"-{word[-1]}" in FLAGS or f"-{word[-1]}" in VALUES):
            words[:0] = [f"-{letter}" for letter in word[1:]]
        elif word.startswith("-"):
            return _Words(options, values, headers, url, word)
        else:
            url = word
    return _Words(options, values, headers, url)
