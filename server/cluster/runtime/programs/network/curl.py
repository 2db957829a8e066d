"""``curl``: words in, requests made over the machine's network, bodies and errors out, with curl's exit codes. The one curl of containers,
nodes and the workstation.

Of a server's certificate it believes what the cluster's own CA signed, if it is given that (``--cacert``); else it wants ``-k``.

Source: https://curl.se/docs/manpage.html, https://everything.curl.dev/cmdline/exitcode.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any

from server.cluster.network.walk import NO_CONNECT, NO_RESOLVE, TIMED_OUT
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import (
    Quit,
    Reply,
    asking,
    image_of,
    network,
    read_all,
    read_file,
    reply,
    size,
)
from server.cluster.runtime.programs.network.curl_options import HELP, MOST_URLS, Wanted, body_of, parse
from server.cluster.runtime.programs.network.curl_output import show
from server.cluster.runtime.programs.network.web import REDIRECTS, Url, basic, fetch, url
from server.cluster.runtime.streams import Fault

VERSION = "8.5.0"
MOST_REDIRS, MOST_RETRIES = 50, 20
UNTRUSTED = ("SSL certificate problem: unable to get local issuer certificate\nMore details here: https://curl.se/docs/sslcerts.html\n\n"
             "curl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more "
             "about this situation and\nhow to fix it, please visit the web page mentioned above.")
API_PORTS = (443, 6443)
TRANSIENT = (408, 429, 500, 502, 503, 504)


def version(proc: Proc) -> str:
    image = image_of(proc)
    own = image is not None and image.reference.familiar == "curlimages/curl" and re.fullmatch(r"\d+\.\d+\.\d+", image.reference.tag)
    return image.reference.tag if own else VERSION


def wanted_of(proc: Proc) -> Wanted:
    wanted = parse(proc.args)
    if wanted.has("version"):
        number = version(proc)
        raise Quit("", 0, f"curl {number} (x86_64-pc-linux-gnu) libcurl/{number} OpenSSL/3.0.17\nProtocols: http https telnet\n")
    if not wanted.urls:
        raise Quit(HELP if not proc.args else f"curl: (2) no URL specified\n{HELP}", 2)
    if len(wanted.urls) > MOST_URLS:
        raise Quit(f"curl: at most {MOST_URLS} URLs are simulated\n", 2)
    return wanted


def _ask(proc: Proc) -> Generator[Any, Any, tuple[list[Any], float]]:
    """For each URL the exchanges that it took: [[{url, method, sent, reply, before}], ...]."""
    wanted = wanted_of(proc)
    body, headers = yield from _payload(proc, wanted)
    said, seconds = [], 0.0
    for text in wanted.urls:
        exchanges, took = _one(proc, wanted, text, body, headers)
        said.append(exchanges)
        seconds += took
    return said, seconds


def _payload(proc: Proc, wanted: Wanted) -> Generator[Any, Any, tuple[str, dict[str, str]]]:
    """The body that all requests have, and the headers that are given."""
    pieces = []
    for name, value in wanted.data:
        text = None
        if value.startswith("@") and name != "data-raw":
            text = yield from _contents(proc, value[1:])
        pieces.append(body_of(name, value, text))
    joint = "" if any(name == "json" for name, _ in wanted.data) else "&"
    body = joint.join(pieces)
    headers = {"User-Agent": wanted.values.get("user-agent", f"curl/{version(proc)}"), "Accept": "*/*"}
    if any(name == "json" for name, _ in wanted.data):
        headers |= {"Content-Type": "application/json", "Accept": "application/json"}
    elif wanted.data and not wanted.has("get"):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if wanted.forms:
        body, headers["Content-Type"] = yield from _multipart(proc, wanted)
    if "upload-file" in wanted.values:
        body = yield from _contents(proc, wanted.values["upload-file"])
    for option, header in (("referer", "Referer"), ("cookie", "Cookie")):
        if option in wanted.values:
            headers[header] = wanted.values[option]
    if "range" in wanted.values:
        headers["Range"] = f"bytes={wanted.values['range']}"
    if "oauth2-bearer" in wanted.values:
        headers["Authorization"] = f"Bearer {wanted.values['oauth2-bearer']}"
    if wanted.has("compressed"):
        headers["Accept-Encoding"] = "deflate, gzip, br, zstd"
    for line in wanted.headers:
        _add_header(headers, line)
    return body, headers


def _add_header(headers: dict[str, str], line: str) -> None:
    """``Name: value``; ``Name:`` takes one away, ``Name;`` has no value."""
    name, colon, value = line.partition(":")
    name = name.strip()
    same = next((each for each in headers if each.lower() == name.rstrip(";").lower()), name.rstrip(";"))
    if colon and value.strip():
        headers[same] = value.strip()
    elif colon:
        headers.pop(same, None)
        if same.lower() == "content-type":
            headers.pop("Content-Type", None)
    elif name.endswith(";"):
        headers[same] = ""


def _contents(proc: Proc, path: str) -> Generator[Any, Any, str]:
    if path == "-":
        return (yield from read_all(proc))
    try:
        return read_file(proc, path)
    except Fault as fault:
        raise Quit(f"curl: Failed to open {path}\ncurl: option -d: error encountered when reading a file\n{HELP}", 26) from fault


def _multipart(proc: Proc, wanted: Wanted) -> Generator[Any, Any, tuple[str, str]]:
    boundary = "------------------------d74496d66958873e"
    parts = []
    for name, field in wanted.forms:
        label, _, value = field.partition("=")
        head = f'Content-Disposition: form-data; name="{label}"'
        if name == "form" and value[:1] in ("@", "<"):
            path = value[1:].partition(";")[0]
            text = yield from _contents(proc, path)
            if value[0] == "@":
                head += f'; filename="{posixpath.basename(path)}"\r\nContent-Type: application/octet-stream'
            value = text
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n{value}\r\n")
    return "".join(parts) + f"--{boundary}--\r\n", f"multipart/form-data; boundary={boundary}"


def method_of(wanted: Wanted) -> str:
    if "request" in wanted.values:
        return wanted.values["request"]
    if wanted.has("head"):
        return "HEAD"
    if "upload-file" in wanted.values:
        return "PUT"
    return "POST" if (wanted.data or wanted.forms) and not wanted.has("get") else "GET"


def _one(proc: Proc, wanted: Wanted, text: str, body: str, headers: dict[str, str]) -> tuple[list[dict[str, Any]], float]:
    """One URL, with its redirects and retries."""
    exchanges: list[dict[str, Any]] = []
    method, seconds, since, retries, redirects = method_of(wanted), 0.0, 0.0, 0, 0
    while True:
        try:
            where = _url(text, body if wanted.has("get") else "")
        except Quit as wrong:
            exchanges.append({"url": text, "wrong": str(wrong), "code": wrong.code})
            return exchanges, seconds
        sent = dict(headers)
        payload = "" if wanted.has("get") or method in ("GET", "HEAD") and "request" not in wanted.values else body
        if payload:
            sent["Content-Length"] = str(size(payload))
        sent |= basic(wanted.values.get("user", "") or where.user)
        found = _exchange(proc, wanted, where, method, sent, payload, seconds - since)
        seconds += found.ms / 1000
        exchanges.append({"url": where.text, "method": method, "sent": sent, "bytes": size(payload), "reply": list(found), "before": seconds})
        location = next((value for name, value in found.headers.items() if name.lower() == "location"), None)
        if wanted.has("location", "location-trusted") and found.status in REDIRECTS and location is not None:
            redirects += 1
            if redirects > wanted.count("max-redirs", MOST_REDIRS) >= 0 or redirects > MOST_REDIRS:
                exchanges[-1]["many"] = redirects - 1
                return exchanges, seconds
            text = where.joined(location)
            if found.status in (301, 302, 303) and method == "POST" and "request" not in wanted.values:
                method = "GET"
        elif (problem := _transient(wanted, found)) and retries < min(wanted.count("retry", 0), MOST_RETRIES):
            delay = wanted.seconds("retry-delay") or min(2.0**retries, 600)
            retries += 1
            exchanges[-1]["retry"] = [problem, delay, wanted.count("retry", 0) - retries]
            seconds += delay
            since = seconds
        else:
            return exchanges, seconds


def _transient(wanted: Wanted, found: Reply) -> str:
    """Why another try may help; "" if it will not."""
    if found.exit_code == TIMED_OUT or found.exit_code == NO_RESOLVE:
        return " : timeout" if found.exit_code == TIMED_OUT else ""
    if found.exit_code == NO_CONNECT and wanted.has("retry-connrefused"):
        return " : connection refused"
    if found.status in TRANSIENT:
        return " : HTTP error"
    return " (retrying all errors)" if found.failed and wanted.has("retry-all-errors") else ""


def _url(text: str, query: str) -> Url:
    try:
        found = url(text)
    except ValueError as wrong:
        said = "Port number was not a decimal number between 0 and 65535" if str(wrong) == "port" else \
            "No host part in the URL" if re.fullmatch(r"(\w+://)?(/.*)?", text) else "Malformed input to a URL function"
        raise Quit(f"curl: (3) URL rejected: {said}\n", 3) from None
    if found.scheme not in ("http", "https"):
        known = found.scheme in ("telnet", "ftp", "file", "ftps", "scp", "sftp", "smtp", "imap", "ldap", "mqtt", "gopher", "dict")
        raise Quit(f"curl: (1) Protocol \"{found.scheme}\" {'is not simulated' if known else 'not supported'}\n", 1)
    if query:
        return found._replace(path=f"{found.path}{'&' if '?' in found.path else '?'}{query}")
    return found


def _exchange(proc: Proc, wanted: Wanted, where: Url, method: str, headers: dict[str, str], body: str, spent: float) -> Reply:
    limit, patience = wanted.seconds("max-time"), wanted.seconds("connect-timeout")
    left = max(0.001, limit - spent) if limit is not None else None
    address = wanted.resolve.get((where.host.lower(), where.port), "")
    port = 0
    if "connect-to" in wanted.values:
        host, at, other, other_port = wanted.values["connect-to"].split(":")
        if host in ("", where.host) and at in ("", str(where.port)):
            address, port = other, int(other_port or 0)
    if where.tls and not wanted.has("insecure"):
        walk = network(proc).connect(address or where.host, port or where.port, timeout=left)
        found = reply(walk)
        if not found.failed and not _trusted(proc, wanted, found):
            return found._replace(exit_code=60, text=UNTRUSTED, hop="tls")
    found = fetch(proc, where, method, headers, body, left, address, port)
    if patience is not None and not found.connected and found.ms > patience * 1000:
        text = f"Failed to connect to {where.host} port {where.port} after {int(patience * 1000) + 1} ms: Timeout was reached"
        if found.hop == "dns":
            text = f"Resolving timed out after {int(patience * 1000)} milliseconds"
        found = found._replace(exit_code=TIMED_OUT, text=text, ms=patience * 1000)
    return found


def _trusted(proc: Proc, wanted: Wanted, found: Reply) -> bool:
    """Whether the certificate that the other end shows is signed by somebody it knows."""
    path = wanted.values.get("cacert")
    if path is None:
        return False
    try:
        given = read_file(proc, path)
    except Fault:
        raise Quit(f"curl: (77) error setting certificate verify locations:  CAfile: {path} CApath: none\n", 77) from None
    of_api = found.port in API_PORTS and (found.service in (None, ["default", "kubernetes"])) and found.port != 443 or \
        found.service == ["default", "kubernetes"]
    return of_api and "BEGIN CERTIFICATE" in given


def _show(proc: Proc, said: list[Any]) -> int:
    return show(proc, wanted_of(proc), said)


PROGRAMS = {"curl": asking(_ask, _show)}
