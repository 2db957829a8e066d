"""Servers of files: Apache's httpd, busybox's httpd, ``python -m http.server``; a path in, the file below their folder out.

Source: https://httpd.apache.org/docs/2.4/, https://docs.python.org/3/library/http.server.html
"""

from __future__ import annotations

import posixpath
from datetime import datetime
from urllib.parse import quote, unquote

from server.cluster.runtime.pages.site import Answer, Site, flag, http_time, kind_of, length, route

HTDOCS = "/usr/local/apache2/htdocs"
APACHE = "Apache/2.4.66 (Unix)"
APACHE_TEXTS = {403: ("Forbidden", "You don't have permission to access this resource."),
                404: ("Not Found", "The requested URL was not found on this server."),
                405: ("Method Not Allowed", "The requested method {method} is not allowed for this URL.")}


def apache(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    if method not in ("GET", "HEAD", "POST", "OPTIONS"):
        return _apache_error(site, 405, method)
    if method == "OPTIONS":
        return 200, {"Date": http_time(site.time()), "Server": APACHE, "Allow": "GET,POST,OPTIONS,HEAD,TRACE", "Content-Length": "0"}, ""
    wanted = unquote(route(path))
    full = posixpath.normpath(HTDOCS + wanted)
    kind = site.files.kind(full)
    if wanted.endswith("/"):
        text = site.files.read(f"{full}/index.html")
        if text is None and kind == "directory":
            return _apache(site, 200, _index(site, full, wanted), "text/html;charset=UTF-8")
    elif kind == "directory":
        status, sent, body = _apache_error(site, 404, method)
        return 301, {**sent, "Location": f"http://{site.host or site.ip}{wanted}/"}, body.replace("404 Not Found", "301 Moved Permanently")
    else:
        text = site.files.read(full)
    if text is None:
        return _apache_error(site, 404, method)
    return _apache(site, 200, text, kind_of(full if not wanted.endswith("/") else "index.html", "text/plain"),
                   site.modified(f"{full}/index.html" if wanted.endswith("/") else full))


def _apache(site: Site, status: int, body: str, kind: str, changed: datetime | None = None) -> Answer:
    size = length(body)
    of_file = {"Last-Modified": http_time(changed), "ETag": f'"{size:x}-{int(changed.timestamp() * 1_000_000):x}"',
               "Accept-Ranges": "bytes"} if changed is not None else {}
    return status, {"Date": http_time(site.time()), "Server": APACHE, **of_file, "Content-Length": str(size), "Content-Type": kind}, body


def _apache_error(site: Site, status: int, method: str) -> Answer:
    title, text = APACHE_TEXTS[status]
    return _apache(site, status, f'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>{status} {title}</title>\n'
                   f"</head><body>\n<h1>{title}</h1>\n<p>{text.format(method=method)}</p>\n</body></html>\n", "text/html; charset=iso-8859-1")


def _index(site: Site, full: str, shown: str) -> str:
    names = [f"{name}/" if site.files.kind(f"{full}/{name}") == "directory" else name for name in site.files.names(full) or ()]
    rows = ([] if shown == "/" else ['<li><a href="/"> Parent Directory</a></li>']) + [f'<li><a href="{name}"> {name}</a></li>' for name in names]
    return ('<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n  <title>Index of ' + f"{shown}</title>\n </head>\n <body>\n"
            f"<h1>Index of {shown}</h1>\n<ul>" + "\n".join(rows) + "\n</ul>\n</body></html>\n")


# python -m http.server


def python(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    version = site.tag.partition("-")[0]
    name = f"SimpleHTTP/0.6 Python/{version if version.count('.') == 2 else '3.13.9'}"
    folder = flag(site.argv, "directory", flag(site.argv, "d", site.cwd))
    if method not in ("GET", "HEAD"):
        return _python_error(site, name, 501, f"Unsupported method ('{method}').", "Server does not support this operation.")
    wanted = unquote(route(path))
    full = posixpath.normpath(f"{folder}/{wanted}")
    if site.files.kind(full) == "directory":
        if not wanted.endswith("/"):
            return 301, {"Server": name, "Date": http_time(site.time()), "Location": f"{wanted}/", "Content-Length": "0"}, ""
        text = next((found for each in ("index.html", "index.htm") if (found := site.files.read(f"{full}/{each}")) is not None), None)
        if text is None:
            return _python(site, name, 200, _python_list(site, full, wanted), "text/html; charset=utf-8")
        full = f"{full}/index.html"
    else:
        text = site.files.read(full)
    if text is None or wanted.endswith("/") and site.files.kind(posixpath.normpath(f"{folder}/{wanted}")) != "directory":
        return _python_error(site, name, 404, "File not found.", "404 - Nothing matches the given URI.")
    status, sent, body = _python(site, name, 200, text, kind_of(full))
    return status, {**sent, "Last-Modified": http_time(site.modified(full))}, body


def _python(site: Site, name: str, status: int, body: str, kind: str) -> Answer:
    return status, {"Server": name, "Date": http_time(site.time()), "Content-type": kind, "Content-Length": str(length(body))}, body


def _python_error(site: Site, name: str, status: int, message: str, explained: str) -> Answer:
    body = ("<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        <title>Error response</title>\n    </head>\n"
            f"    <body>\n        <h1>Error response</h1>\n        <p>Error code: {status}</p>\n        <p>Message: {message}</p>\n"
            f"        <p>Error code explanation: {explained if explained[0] == '4' else f'{status} - {explained}'}</p>\n    </body>\n</html>\n")
    return status, {"Server": name, "Date": http_time(site.time()), "Connection": "close", "Content-Type": "text/html;charset=utf-8",
                    "Content-Length": str(length(body))}, body


def _python_list(site: Site, full: str, shown: str) -> str:
    names = sorted((f"{name}/" if site.files.kind(f"{full}/{name}") == "directory" else name for name in site.files.names(full) or ()),
                   key=str.lower)
    title = f"Directory listing for {shown}"
    return (f'<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<hr>\n'
            "<ul>\n" + "".join(f'<li><a href="{quote(name)}">{name}</a></li>\n' for name in names) + "</ul>\n<hr>\n</body>\n</html>\n")


# busybox httpd


def busybox(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    folder = posixpath.join(site.cwd, flag(site.argv, "h", "."))
    if method not in ("GET", "HEAD"):
        return _busybox_error(site, 501, "Not Implemented", "The requested method is not recognized")
    wanted = unquote(route(path))
    full = posixpath.normpath(f"{folder}/{wanted}")
    if site.files.kind(full) == "directory":
        if not wanted.endswith("/"):
            return 302, {"Date": http_time(site.time()), "Connection": "close", "Location": f"{wanted}/", "Content-Length": "0"}, ""
        full = f"{full}/index.html"
    text = site.files.read(full)
    if text is None:
        return _busybox_error(site, 404, "Not Found", "The requested URL was not found")
    return 200, {"Date": http_time(site.time()), "Connection": "close", "Content-type": kind_of(full), "Accept-Ranges": "bytes",
                 "Last-Modified": http_time(site.modified(full)), "Content-Length": str(length(text))}, text


def _busybox_error(site: Site, status: int, title: str, text: str) -> Answer:
    body = (f"<HTML><HEAD><TITLE>{status} {title}</TITLE></HEAD>\n<BODY><H1>{status} {title}</H1>\n{text}\n</BODY></HTML>\n")
    return status, {"Date": http_time(site.time()), "Connection": "close", "Content-type": "text/html"}, body


def http_server(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    """Whichever of the two it is."""
    return (python if posixpath.basename(site.argv[0]).startswith("python") else busybox)(site, method, path, headers)
