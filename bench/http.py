"""The Kubernetes API over HTTP: GET, LIST of 1,000 pods and POST per second with 16 connections, and a watch with 100 watchers.

The load comes from another process on the same machine, so the two share its cores.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import selectors
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from bench.pods import deployment
from bench.server import new_room, post, running

CONFIG_MAP = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"data":{"a":"b"}}'


def _load(url: str, method: str, path: str, body: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.client", url, method, path, body, str(options.connections), str(options.seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def fan_out(url: str, watchers: int, writes: int) -> dict[str, float]:
    """Milliseconds from sending a write to its event at each watcher. One thread reads all watchers, another writes."""
    parts = urlsplit(url)
    path = f"{parts.path}/api/v1/namespaces/default/configmaps"
    address = (parts.hostname, parts.port)
    with urllib.request.urlopen(f"{url}/api/v1/namespaces/default/configmaps?limit=1") as answer:
        revision = json.load(answer)["metadata"]["resourceVersion"]
    chosen = selectors.DefaultSelector()
    for _ in range(watchers):
        connection = socket.create_connection(address)
        connection.sendall(f"GET {path}?watch=1&timeoutSeconds=60&resourceVersion={revision} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.setblocking(False)
        chosen.register(connection, selectors.EVENT_READ)
    time.sleep(1)
    sent: dict[bytes, float] = {}

    def write() -> None:
        writer = http.client.HTTPConnection(*address, timeout=30)
        for number in range(writes):
            name = f"fan-{number:04d}"
            sent[name.encode()] = time.perf_counter()
            writer.request("POST", path, CONFIG_MAP.replace("NAME", name), {"Content-Type": "application/json"})
            writer.getresponse().read()
            time.sleep(0.05)

    threading.Thread(target=write, daemon=True).start()
    delays: list[float] = []
    end = time.monotonic() + 30
    while len(delays) < watchers * writes and time.monotonic() < end:
        for key, _ in chosen.select(1):
            data = key.fileobj.recv(65_536)
            now = time.perf_counter()
            delays.extend(now - sent[name] for name in re.findall(rb'"name":"(fan-\d{4})"', data))
    delays.sort()
    middle, slow = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    return {"deliveries": len(delays), "p50_ms": round(middle * 1000, 2), "p99_ms": round(slow * 1000, 2)}


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench http")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--watchers", type=int, default=100)
    options = parser.parse_args(arguments)
    with running() as base:
        room = new_room(base, nodes=20, seed=1)
        url, query = room["kubernetes"], f"key={room['key']}"
        post(f"{base}/r/{room['room']}/apply?{query}", json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", **deployment(1000)}))
        post(f"{base}/r/{room['room']}/clock?{query}", {"advance": 120})
        pods = f"{url}/api/v1/namespaces/default/pods"
        with urllib.request.urlopen(pods) as answer:
            name = json.load(answer)["items"][0]["metadata"]["name"]
        return {
            "connections": options.connections,
            "get": _load(url, "GET", f"/api/v1/namespaces/default/pods/{name}", "", options),
            "list_1000": _load(url, "GET", "/api/v1/namespaces/default/pods", "", options),
            "post": _load(url, "POST", "/api/v1/namespaces/default/configmaps", CONFIG_MAP, options),
            "watch_fan_out": {"watchers": options.watchers, **fan_out(url, options.watchers, 60)},
        }
