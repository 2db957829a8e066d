"""``curl`` from the workstation into the cluster: the request walks the same way as traffic does, and prints what curl prints."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

from server.cluster.cluster import Cluster
from server.cluster.process import Sleep
from server.kubectl.context import Context

VERSION = "curl 8.5.0 (x86_64-podium)\n"
FLAGS = {"-s": "silent", "--silent": "silent", "-S": "", "--show-error": "show", "-i": "include", "--include": "include", "-I": "head",
         "--head": "head", "-v": "", "-L": "", "--location": "", "-k": "", "-f": "fail", "--fail": "fail"}
LIMITS = ("-m", "--max-time", "--connect-timeout")
VALUES = ("-m", "--max-time", "--connect-timeout", "-o", "--output", "-H", "--header", "-X", "--request", "-w", "--write-out")


def curl(cluster: Cluster, arguments: list[str], context: Context) -> Generator[Any, Any, int]:
    """Returns curl's exit code: 0, or the number of what went wrong."""
    options, values, url = _parse(arguments)
    if url is None:
        context.stderr.write("curl: try 'curl --help' or 'curl --manual' for more information\n")
        return 2
    if isinstance(url, tuple):
        context.stderr.write(f"curl: option {url[0]}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n")
        return 2
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        context.stderr.write("curl: (3) URL rejected: Bad IPv6 address\n")
        return 3
    if parts.scheme != "http":
        context.stderr.write(f"curl: (1) Protocol \"{parts.scheme}\" not supported in this terminal\n")
        return 1
    try:
        port = parts.port or 80
    except ValueError:
        context.stderr.write("curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535\n")
        return 3
    method = values.get("-X") or values.get("--request") or ("HEAD" if "head" in options else "GET")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    option, given = next(((option, values[option]) for option in LIMITS if option in values), ("", "0"))
    if not re.fullmatch(r"\d{1,9}(\.\d*)?", given):
        context.stderr.write(f"curl: option {option}: expected a proper numerical parameter\n"
                             "curl: try 'curl --help' or 'curl --manual' for more information\n")
        return 2
    limit = float(given) or None
    walk = cluster.network.request(None, parts.hostname or "", port, method=method, path=path, timeout=limit)
    yield Sleep(walk.seconds)
    if walk.error is not None:
        if "silent" not in options or "show" in options:
            context.stderr.write(f"{walk.error_text}\n")
        return walk.exit_code
    if "head" in options or "include" in options:
        context.stdout.write(walk.head())
    if "fail" in options and walk.status >= 400:
        context.stderr.write(f"curl: (22) The requested URL returned error: {walk.status}\n")
        return 22
    if method != "HEAD" and "/dev/null" not in (values.get("-o"), values.get("--output")):
        context.stdout.write(walk.body)
    if template := values.get("-w") or values.get("--write-out"):
        context.stdout.write(re.sub(r"%\{http_code\}", str(walk.status), template).replace("\\n", "\n"))
    return 0


def _parse(arguments: list[str]) -> tuple[set[str], dict[str, str], Any]:
    """(options, values, url); the url is a tuple with the word that is not understood."""
    options: set[str] = set()
    values: dict[str, str] = {}
    url: Any = None
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in VALUES and words:
            values[word] = words.pop(0)
        elif word in FLAGS:
            options.add(FLAGS[word])
        elif re.fullmatch(r"-[a-zA-Z]{2,}", word) and all(f"-{letter}" in FLAGS for letter in word[1:-1]) \
                and (f"-{word[-1]}" in FLAGS or f"-{word[-1]}" in VALUES):
            words[:0] = [f"-{letter}" for letter in word[1:]]
        elif word.startswith("-"):
            return options, values, (word,)
        else:
            url = word
    return options, values, url
