"""From a store write to the browser: 200 Socket.IO clients in one room while a Deployment of 200 pods rolls out.

Server and clients are two processes on this machine. The server notes the wall time of every revision; a client notes when a diff
with that revision's signal reached it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from typing import Any

SETTLE = 25.0


def serve(data: str) -> None:
    """The server process: prints its port and room, then (at the end) when each revision was written."""
    from server import green

    green.patch()
    from server.app import create_app
    from server.settings import Settings

    app = create_app(Settings(data=data, max_people=1000))
    room = app.podium.rooms.create(seed=1, nodes=20)
    written: dict[int, float] = {}
    room.cluster.store.watch(None, lambda event: written.setdefault(event.revision, time.time()))

    def report() -> None:
        sys.stdout.write(json.dumps(written) + "\n")
        sys.stdout.flush()
        app.podium.close()

    green.serve(app, "127.0.0.1", 0, on_stop=report,
                on_listen=lambda port: print(json.dumps({"port": port, "room": room.name, "key": room.key}), flush=True))


async def listen(base: str, room: str, key: str, count: int, seconds: float, replicas: int) -> list[dict[int, float]]:
    """``count`` clients join, the rollout starts; for each client when it heard of which revision."""
    import socketio
    from aiohttp import ClientSession

    from bench.pods import deployment
    from server.live import wire

    heard: list[dict[int, float]] = []
    clients = []
    for _ in range(count):
        client, mine = socketio.AsyncClient(reconnection=False, json=wire), {}
        heard.append(mine)

        def on_diff(diff: dict[str, Any], mine: dict[int, float] = mine) -> None:
            now = time.time()
            for signal in diff["signals"]:
                if signal["type"] == "request":
                    mine.setdefault(signal["revision"], now)

        client.on("diff", on_diff)
        await client.connect(base, auth={"room": room, "key": key}, transports=["websocket"])
        await client.emit("join", {"since": None})
        clients.append(client)
    manifest = json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", **deployment(replicas)})
    async with ClientSession() as session, session.post(f"{base}/r/{room}/apply?key={key}", data=manifest) as answer:
        await answer.read()
    await asyncio.sleep(seconds)
    for client in clients:
        await client.disconnect()
    return heard


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench fanout")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--replicas", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=SETTLE)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as data:
        process = subprocess.Popen([sys.executable, "-c", f"from bench.fanout import serve; serve({data!r})"], stdout=subprocess.PIPE, text=True)
        room = json.loads(process.stdout.readline())
        heard = asyncio.run(listen(f"http://127.0.0.1:{room['port']}", room["room"], room["key"], options.clients, options.seconds,
                                   options.replicas))
        process.terminate()
        written = {int(revision): moment for revision, moment in json.loads(process.stdout.readline()).items()}
        process.wait(20)
    delays = sorted(when - written[revision] for mine in heard for revision, when in mine.items() if revision in written)
    if not delays:
        raise SystemExit("no client heard of anything")
    return {"clients": options.clients, "replicas": options.replicas, "deliveries": len(delays),
            "p50_ms": round(delays[len(delays) // 2] * 1000, 1), "p99_ms": round(delays[int(len(delays) * 0.99)] * 1000, 1)}
