"""Prometheus metrics of the node exporter: figures of the machine that it runs on, as far as they are simulated.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from server.cluster.runtime.pages.site import Answer, Site, go, go_error, route

LANDING = ("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Node Exporter</title>\n</head>\n<body>\n<h1>Node Exporter</h1>\n"
           "<h2>Prometheus Node Exporter</h2>\n<div><ul><li><a href=\"/metrics\">Metrics</a></li></ul></div>\n</body>\n</html>\n")
KIND = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
VERSION = "1.10.2"


def node_exporter(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    if route(path) == "/":
        return go(site, 200, LANDING, "text/html; charset=UTF-8")
    if route(path) != "/metrics":
        return go_error(site, 404, "404 page not found")
    rows = [("go_goroutines", "gauge", "Number of goroutines that currently exist.", {"": 8}),
            ("node_boot_time_seconds", "gauge", "Node boot time, in unixtime.", {"": f"{site.time().timestamp() - site.clock.now:e}"}),
            ("node_exporter_build_info", "gauge", "A metric with a constant '1' value labeled by version.", {
                f'{{goarch="amd64",goos="linux",version="{VERSION}"}}': 1}),
            ("node_time_seconds", "gauge", "System time in seconds since epoch (1970).", {"": f"{site.time().timestamp():.9e}"}),
            ("node_uname_info", "gauge", "Labeled system information as provided by the uname system call.", {
                f'{{domainname="(none)",machine="x86_64",nodename="{site.machine.sandbox.node}",release="6.1.0-28-amd64",sysname="Linux"}}': 1}),
            ("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", {"": f"{0.0011 * site.uptime():.2f}"}),
            ("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", {"": f"{site.memory():e}"}),
            ("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", {
                "": f"{site.began().timestamp():.11e}"}),
            ("promhttp_metric_handler_requests_in_flight", "gauge", "Current number of scrapes being served.", {"": 1})]
    text = "".join(f"# HELP {name} {help_}\n# TYPE {name} {kind}\n" + "".join(f"{name}{label} {value}\n" for label, value in values.items())
                   for name, kind, help_, values in rows)
    return go(site, 200, text, KIND)
