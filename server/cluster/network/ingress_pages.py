"""nginx's own pages, as ingress-nginx has them built in.

Source: https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page
"""

from __future__ import annotations

from server.cluster.runtime.pages.site import Answer, Relayed, page

WEBHOOK = 8443
TITLES = {301: "Moved Permanently", 302: "Found", 308: "Permanent Redirect", 400: "Bad Request", 401: "Authorization Required",
          403: "Forbidden", 404: "Not Found", 413: "Request Entity Too Large", 500: "Internal Server Error", 502: "Bad Gateway",
          503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


def error_page(status: int) -> Answer:
    title = f"{status} {TITLES[status]}"
    return page(status, f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx"
                        "</center>\r\n</body>\r\n</html>\r\n")


def plain_to_tls(port: int) -> Relayed:
    if port == WEBHOOK:
        return Relayed(*page(400, "Client sent an HTTP request to an HTTPS server.\n", "text/plain; charset=utf-8"))
    said = "The plain HTTP request was sent to HTTPS port"
    return Relayed(*page(400, f"<html>\r\n<head><title>400 {said}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
                              f"<center>{said}</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"))


def health(path: str) -> Relayed:
    if path.partition("?")[0] == "/healthz":
        return Relayed(*page(200, "ok", "text/plain; charset=utf-8"))
    return Relayed(*page(404, "404 page not found\n", "text/plain; charset=utf-8"))
