"""Load on a server from another process: keep-alive connections that each send one request after another."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit


def drive(url: str, method: str, path: str, body: str | None, connections: int, seconds: float) -> dict[str, float]:
    """Requests per second and median milliseconds over all connections."""
    parts = urlsplit(url)
    counts, times, failures = [0] * connections, [[] for _ in range(connections)], []
    end = time.monotonic() + seconds

    def one(index: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        while time.monotonic() < end:
            text = body.replace("NAME", f"b{index}-{counts[index]}-{int(end * 1000) % 100000}") if body else None
            began = time.perf_counter()
            connection.request(method, parts.path + path, text, {"Content-Type": "application/json", "Accept": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 300:
                failures.append(answer.status)
                return
            times[index].append(time.perf_counter() - began)
            counts[index] += 1

    threads = [threading.Thread(target=one, args=(index,)) for index in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = sorted(value for series in times for value in series)
    return {"per_second": round(sum(counts) / (time.monotonic() - began), 1), "failures": len(failures),
            "p50_ms": round(taken[len(taken) // 2] * 1000, 2) if taken else 0.0}


if __name__ == "__main__":
    url, method, path, body, connections, seconds = sys.argv[1:]
    print(json.dumps(drive(url, method, path, body or None, int(connections), float(seconds))))
