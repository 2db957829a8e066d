"""What ``curl`` prints: bodies and headers, its talk (``-v``), the progress meter, ``-w`` formats, errors.

In: for each URL its exchanges, as ``curl`` recorded them. Out: the last URL's exit code.

Source: https://everything.curl.dev/usingcurl/verbose, https://everything.curl.dev/cmdline/progressmeter
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any

from server.cluster.network.walk import NO_RESOLVE
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import Quit, Reply, is_address, save
from server.cluster.runtime.programs.network.curl_options import Wanted
from server.cluster.runtime.programs.network.web import host_header, url

METER = ("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
         "                                 Dload  Upload   Total   Spent    Left  Speed\n")
WRITE_ERROR, HTTP_ERROR, TOO_MANY = 23, 22, 47


def show(proc: Proc, wanted: Wanted, said: list[Any]) -> int:
    code, outputs, names = 0, list(wanted.outputs), wanted.names or (1000 if wanted.has("remote-name") else 0)
    for exchanges in said:
        target = outputs.pop(0) if outputs else ""
        if not target and names:
            names -= 1
            target = posixpath.basename(url(exchanges[0]["url"]).path.partition("?")[0]) if "wrong" not in exchanges[0] else ""
            if not target:
                proc.err("curl: Remote file name has no length\ncurl: (23) Failed writing received data to disk/application\n")
                code = WRITE_ERROR
                continue
        code = _Shown(proc, wanted, target).url(exchanges)
    return code


class _Shown:
    """One URL's exchanges, on their way to the output."""

    def __init__(self, proc: Proc, wanted: Wanted, target: str) -> None:
        self.proc = proc
        self.wanted = wanted
        self.target = "" if target in ("-", "/dev/stdout") else target
        self.loud = not wanted.has("silent") or wanted.has("show-error")
        self.meter = not wanted.has("silent", "no-progress-meter") and (bool(self.target) or not proc.isatty(1))
        self.saved = ""

    def url(self, exchanges: list[dict[str, Any]]) -> int:
        last = exchanges[-1]
        if "wrong" in last:
            self.proc.err(last["wrong"] if self.loud else "")
            return last["code"]
        if self.meter:
            self.proc.err(METER + _row(0, 0, 0, 0, 0))
        for exchange in exchanges[:-1]:
            self._exchange(exchange, Reply(*exchange["reply"]))
            if "retry" in exchange:
                why, delay, left = exchange["retry"]
                self.proc.err(f"Warning: Problem{why}. Will retry in {delay:.0f} second{'s' if delay != 1 else ''}. {left} "
                              f"retr{'y' if left == 1 else 'ies'} left.\n" if not self.wanted.has("silent") else "")
        found = Reply(*last["reply"])
        code = self._last(last, found)
        self.proc.out(self.last)
        self._written(exchanges, found, code)
        return code

    def _last(self, exchange: dict[str, Any], found: Reply) -> int:
        self._exchange(exchange, found)
        if found.failed:
            if self.meter:
                self.proc.err("" if found.exit_code == NO_RESOLVE else _row(0, 0, 0, 0, 0) + "\n")
            self.proc.err(f"curl: ({found.exit_code}) {found.text}\n" if self.loud else "")
            return found.exit_code
        wanted = self.wanted
        failed = found.status >= 400 and wanted.has("fail", "fail-with-body")
        body = "" if exchange["method"] == "HEAD" or failed and not wanted.has("fail-with-body") else found.body
        fault = self._body(body)
        if self.meter:
            total = int(next((value for name, value in found.headers.items() if name.lower() == "content-length"), found.size))
            got = 0 if not body else found.size
            self.proc.err(_row(total + exchange["bytes"], got, exchange["bytes"], found.ms, total) + "\n")
        self.proc.err(self.after)
        if fault:
            self.proc.err((f"Warning: Failed to open the file {self.target}: {fault}\n"
                           "curl: (23) Failure writing output to destination\n") if self.loud else "")
            return WRITE_ERROR
        if failed:
            self.proc.err(f"curl: (22) The requested URL returned error: {found.status}\n" if self.loud else "")
            return HTTP_ERROR
        if "many" in exchange:
            self.proc.err(f"curl: (47) Maximum ({exchange['many']}) redirects followed\n" if self.loud else "")
            return TOO_MANY
        return 0

    def _exchange(self, exchange: dict[str, Any], found: Reply) -> None:
        """What is seen of a request and of the head of its answer."""
        verbose = self.wanted.has("verbose")
        self._talk(exchange, found, verbose)
        if found.status is None:
            return
        head = _head(found, exchange["url"])
        if verbose:
            self.proc.err("".join(f"< {line}\r\n" for line in head.split("\r\n")[:-1]))
            kept = found.headers.get("Connection", "").lower() != "close"
            self.after = f"* Connection #0 to host {found.host} left intact\n" if kept else "* Closing connection\n"
        if self.wanted.has("head", "include"):
            self._put(head)
        if "dump-header" in self.wanted.values:
            path = self.wanted.values["dump-header"]
            if path == "-":
                self.proc.out(head)
            elif save(self.proc, path, head):
                raise Quit(f"Warning: Failed to open {path}\ncurl: (23) Failed writing received data to disk/application\n", WRITE_ERROR)

    after = ""
    last = ""  # of a body that goes into a pipe: curl sends it when it ends

    def _talk(self, exchange: dict[str, Any], found: Reply, verbose: bool) -> None:
        if not verbose:
            return
        where = url(exchange["url"])
        lines = []
        if not found.address:
            lines += [f"* {found.text}", "* Closing connection"]
        else:
            if not is_address(where.host):
                lines += [f"* Host {where.host}:{where.port} was resolved.", "* IPv6: (none)", f"* IPv4: {found.address}"]
            lines.append(f"*   Trying {found.address}:{where.port}...")
            if not found.connected:
                lines += ([f"* connect to {found.address} port {where.port} failed: {found.fault}"] if found.exit_code == 7 else []) \
                    + [f"* {found.text}", "* Closing connection"]
            else:
                lines.append(f"* Connected to {where.host} ({found.address}) port {where.port}")
        self.proc.err("".join(f"{line}\n" for line in lines))
        if not found.connected:
            return
        if where.tls:
            self.proc.err("* ALPN: curl offers h2,http/1.1\n* TLSv1.3 (OUT), TLS handshake, Client hello (1):\n")
            if found.status is None:
                self.proc.err(f"* {found.text.partition(chr(10))[0]}\n* Closing connection\n")
                return
            self.proc.err("* TLSv1.3 (IN), TLS handshake, Server hello (2):\n* SSL connection using TLSv1.3 / TLS_AES_128_GCM_SHA256\n")
        sent = {"Host": host_header(where), **exchange["sent"]}
        if "Authorization" in sent:
            sent = {"Host": sent["Host"], "Authorization": sent["Authorization"], **sent}
        version = "HTTP/2" if _second(found, exchange["url"]) else "HTTP/1.1"
        self.proc.err(f"> {exchange['method']} {where.path} {version}\r\n" + "".join(f"> {name}: {value}\r\n" for name, value in sent.items())
                      + "> \r\n")
        if exchange["bytes"]:
            self.proc.err("} [" + f"{exchange['bytes']} bytes data]\n" if not self.proc.isatty(1) else "")
        if found.status is None:
            self.proc.err(f"* {found.text}\n* Closing connection\n")

    def _body(self, body: str) -> str:
        """"" or why it could not be written."""
        if self.wanted.has("verbose") and body and not self.proc.isatty(1):
            self.proc.err("{ [" + f"{len(body.encode('utf-8', 'surrogateescape'))} bytes data]\n")
        if self.target:
            self.saved += body
            return save(self.proc, self._path(), self.saved)
        self.last += body
        if self.proc.isatty(1):
            self.proc.out(self.last)
            self.last = ""
        return ""

    def _put(self, text: str) -> None:
        if self.target:
            self.saved += text
        else:
            self.last += text

    def _path(self) -> str:
        return posixpath.join(self.wanted.values.get("output-dir", ""), self.target)

    def _written(self, exchanges: list[dict[str, Any]], found: Reply, code: int) -> None:
        template = self.wanted.values.get("write-out", "")
        if not template:
            return
        last = exchanges[-1]
        where = url(last["url"])

        def variable(match: re.Match[str]) -> str:
            if match[0] == "%%":
                return "%"
            if match[1]:
                return next((value for name, value in found.headers.items() if name.lower() == match[1].lower()), "")
            if match[2] not in VARIABLES:
                self.proc.err(f"curl: unknown --write-out variable: '{match[2]}'\n")
                return ""
            return VARIABLES[match[2]]({"found": found, "where": where, "exchanges": exchanges, "code": code, "to": self.target})

        text = re.sub(r"%%|%header\{([^}]*)\}|%\{([^}]*)\}", variable, template)
        self.proc.out(re.sub(r"\\([nrt])", lambda match: {"n": "\n", "r": "\r", "t": "\t"}[match[1]], text))


def _head(found: Reply, address: str) -> str:
    if not _second(found, address):
        return found.head()
    return f"HTTP/2 {found.status} \r\n" + "".join(f"{name.lower()}: {value}\r\n" for name, value in found.headers.items()
                                                   if name.lower() != "connection") + "\r\n"


def _second(found: Reply, address: str) -> bool:
    """Whether it is HTTP/2 that is spoken: with the API server."""
    return address.startswith("https:") and found.status is not None and (
        found.service == ["default", "kubernetes"] or found.port == 6443)


def _row(total: int, got: int, sent: int, ms: float, expected: int) -> str:
    """
    >>> _row(6, 6, 0, 9.6, 6)
    '\\r100     6  100     6    0     0    625      0 --:--:-- --:--:-- --:--:--   666'
    """
    part = lambda have, all_: 100 * have // all_ if all_ else 0  # noqa: E731
    rate = lambda bytes_: int(bytes_ * 1000 / ms) if ms else 0  # noqa: E731
    now = int(got * 1000 / max(1, int(ms))) if ms else 0
    return (f"\r{part(got + sent, total):3d} {_five(total)}  {part(got, expected):3d} {_five(got)}  {100 if sent else 0:3d} {_five(sent)}  "
            f"{_five(rate(got))}  {_five(rate(sent))} --:--:-- --:--:-- --:--:-- {_five(now)}")


def _five(count: int) -> str:
    """A count in five characters."""
    if count < 100_000:
        return f"{count:5d}"
    return f"{count // 1024:4d}k" if count < 10_000 * 1024 else f"{count / 1024**2:4.1f}M"


def _time(share: float) -> Callable[[dict[str, Any]], str]:
    """Part of the time that the last request took, as far as it came."""
    def value(said: dict[str, Any]) -> str:
        found: Reply = said["found"]
        came = found.connected or share < 0.3
        return f"{found.ms / 1000 * share if came else 0:.6f}"
    return value


VARIABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "http_code": lambda said: f"{said['found'].status or 0:03d}",
    "response_code": lambda said: f"{said['found'].status or 0:03d}",
    "http_connect": lambda said: "000",
    "http_version": lambda said: "2" if _second(said["found"], said["where"].text) else "1.1" if said["found"].status else "0",
    "time_total": lambda said: f"{sum(each['reply'][10] for each in said['exchanges']) / 1000:.6f}",
    "time_namelookup": lambda said: "0.000025" if is_address(said["where"].host) else _time(0.25)(said),
    "time_connect": _time(0.5),
    "time_appconnect": lambda said: _time(0.7)(said) if said["where"].tls else "0.000000",
    "time_pretransfer": _time(0.55),
    "time_starttransfer": _time(0.98),
    "time_redirect": lambda said: f"{sum(each['reply'][10] for each in said['exchanges'][:-1]) / 1000:.6f}",
    "size_download": lambda said: str(said["found"].size if said["exchanges"][-1]["method"] != "HEAD" else 0),
    "size_upload": lambda said: str(said["exchanges"][-1]["bytes"]),
    "size_header": lambda said: str(len(_head(said["found"], said["where"].text))) if said["found"].status else "0",
    "speed_download": lambda said: str(int(said["found"].size * 1000 / said["found"].ms)) if said["found"].ms else "0",
    "remote_ip": lambda said: said["found"].address if said["found"].connected else "",
    "remote_port": lambda said: str(said["where"].port if said["found"].connected else 0),
    "url_effective": lambda said: said["where"].text,
    "url": lambda said: said["exchanges"][0]["url"],
    "urlnum": lambda said: "0",
    "content_type": lambda said: next((value for name, value in said["found"].headers.items() if name.lower() == "content-type"), ""),
    "num_connects": lambda said: str(sum(bool(each["reply"][11]) for each in said["exchanges"])),
    "num_redirects": lambda said: str(len(said["exchanges"]) - 1),
    "num_headers": lambda said: str(len(said["found"].headers)),
    "redirect_url": lambda said: said["where"].joined(said["found"].headers["Location"]) if "Location" in said["found"].headers else "",
    "method": lambda said: said["exchanges"][-1]["method"],
    "scheme": lambda said: said["where"].scheme.upper(),
    "exitcode": lambda said: str(said["code"]),
    "errormsg": lambda said: said["found"].text.partition("\n")[0],
    "filename_effective": lambda said: said["to"],
    "ssl_verify_result": lambda said: "0",
}
