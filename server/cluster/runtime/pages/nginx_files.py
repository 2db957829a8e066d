"""nginx's answers without a configuration of one's own: a file of a directory, the list of it, an error page in nginx's form.

Source: https://nginx.org/en/docs/http/ngx_http_core_module.html, https://nginx.org/en/docs/http/ngx_http_autoindex_module.html
"""

from __future__ import annotations

import posixpath
from datetime import datetime

from server.cluster.runtime.pages.site import Answer, Site, http_time, kind_of, length

LATEST = "1.29.3"
RELEASES = {"1.14": "1.14.2", "1.15": "1.15.12", "1.16": "1.16.1", "1.17": "1.17.10", "1.18": "1.18.0", "1.19": "1.19.10", "1.20": "1.20.2",
            "1.21": "1.21.6", "1.22": "1.22.1", "1.23": "1.23.4", "1.24": "1.24.0", "1.25": "1.25.5", "1.26": "1.26.3", "1.27": "1.27.5",
            "1.28": "1.28.0", "1.29": LATEST, "stable": "1.28.0", "mainline": LATEST, "1": LATEST}
REASONS = {301: "Moved Permanently", 302: "Found", 303: "See Other", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
           401: "Authorization Required", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed", 413: "Request Entity Too Large",
           418: "I'm a teapot", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
           503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
METHODS = ("GET", "HEAD", "POST")


def version(tag: str) -> str:
    """
    >>> version("1.27-alpine"), version("1.25.3"), version("latest")
    ('1.27.5', '1.25.3', '1.29.3')
    """
    number = tag.partition("-")[0]
    return RELEASES.get(number, number if number.count(".") == 2 and number[0].isdigit() else LATEST)


class Failed(Exception):
    """Something else than the content: a status, for which there may be a page."""

    def __init__(self, status: int, log: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.log = log


def error(site: Site, failed: Failed) -> Answer:
    status, title = failed.status, f"{failed.status} {REASONS.get(failed.status, '')}".rstrip()
    number = version(site.tag)
    body = (f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/{number}"
            "</center>\r\n</body>\r\n</html>\r\n")
    found = sent(site, status, body, "text/html")
    if failed.log and not site.quiet:
        site.machine.log.add(site.machine.clock.now, f"{site.time():%Y/%m/%d %H:%M:%S} [error] 29#29: *1 {failed.log}", "stderr")
    return found


def sent(site: Site, status: int, body: str, kind: str, changed: datetime | None = None) -> Answer:
    """In nginx's order; ``changed`` is the age of the file that it comes from."""
    size = length(body)
    of_file = {"Last-Modified": http_time(changed)} if changed is not None else {}
    mark = {"ETag": f'"{int(changed.timestamp()):x}-{size:x}"', "Accept-Ranges": "bytes"} if changed is not None else {}
    return status, {"Server": f"nginx/{version(site.tag)}", "Date": http_time(site.time()), "Content-Type": kind, "Content-Length": str(size),
                    **of_file, "Connection": "keep-alive", **mark}, body


def content(site: Site, method: str, root: str, path: str, index: list[str], lists: bool, default: str) -> Answer:
    """A file below ``root``, a directory's index, or the list of what is in it."""
    files = site.files
    full = posixpath.normpath(f"{root}/{path}") if path.strip("/") else root.rstrip("/") or "/"
    wanted = full
    if path.endswith("/"):
        wanted = next((f"{full}/{name}" for name in index if files.kind(f"{full}/{name}") == "file"), "")
        if not wanted:
            if lists and files.kind(full) == "directory":
                return _listing(site, full, path)
            if files.kind(full) == "directory":
                raise Failed(403, f'directory index of "{full}/" is forbidden, {context(site, method, path)}')
            raise Failed(404, f'"{full}/{index[0]}" is not found (2: No such file or directory), {context(site, method, path)}')
    elif files.kind(full) == "directory":
        raise Redirect(f"{path}/")
    text = files.read(wanted)
    if text is None:
        raise Failed(404, f'open() "{wanted}" failed (2: No such file or directory), {context(site, method, path)}')
    if method == "POST":
        raise Failed(405)
    return sent(site, 200, text, kind_of(wanted, default), site.modified(wanted))


class Redirect(Exception):
    """To the directory's name with its slash."""


def _listing(site: Site, full: str, path: str) -> Answer:
    rows = []
    for name in site.files.names(full) or ():
        directory = site.files.kind(f"{full}/{name}") == "directory"
        shown = f"{name}/" if directory else name
        size = "-" if directory else str(length(site.files.read(f"{full}/{name}") or ""))
        rows.append(f'<a href="{shown}">{shown}</a>{" " * max(1, 51 - len(shown))}{site.modified(f"{full}/{name}"):%d-%b-%Y %H:%M}{size:>20}\r\n')
    title = f"Index of {path}"
    body = (f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1><hr><pre><a href=\"../\">../</a>\r\n{''.join(rows)}"
            "</pre><hr></body>\r\n</html>\r\n")
    return sent(site, 200, body, "text/html")


def context(site: Site, method: str, path: str, server: str = "localhost") -> str:
    return f'client: {site.client}, server: {server}, request: "{method} {path} HTTP/1.1", host: "{site.host or site.ip}"'
