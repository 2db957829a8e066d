"""The Kubernetes API over HTTP: GET, LIST of 1,000 pods and POST per second with 16 connections, and a watch with 100 watchers.

The load comes from another process on the same machine, so the two share its cores.
"""

from __future__ import annotations

import argparse
import http.client
import json
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
    """Milliseconds from sending a write to its event at each watcher."""
    parts = urlsplit(url)
    path = f"{parts.path}/api/v1/namespaces/default/configmaps"
    sent: dict[str, float] = {}
    delays: list[float] = []
    with urllib.request.urlopen(f"{url}/api/v1/namespaces/default/configmaps?limit=1") as answer:
        since = json.load(answer)["metadata"]["resourceVersion"]
    ready = threading.Barrier(watchers + 1)

    def watch() -> None:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        connection.request("GET", f"{path}?watch=1&timeoutSeconds=60&resourceVersion={since}")
        answer = connection.getresponse()
        ready.wait()
        seen = 0
        while seen < writes:
            event = json.loads(answer.readline())
            began = sent.get(event["object"]["metadata"]["name"])
            if began is not None:
                delays.append(time.perf_counter() - began)
                seen += 1
        connection.close()

    threads = [threading.Thread(target=watch, daemon=True) for _ in range(watchers)]
    for thread in threads:
        thread.start()
    ready.wait()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    for number in range(writes):
        name = f"fan-{number}"
        sent[name] = time.perf_counter()
        connection.request("POST", path, CONFIG_MAP.replace("NAME", name), {"Content-Type": "application/json"})
        connection.getresponse().read()
        time.sleep(0.05)
    for thread in threads:
        thread.join(30)
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
