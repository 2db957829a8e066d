"""A small server for tests of streams: ``python -m tests.kubeapi.serving PORT`` serves one API server, without controllers.

``POST /tick?seconds=`` lets virtual time pass, ``GET /streams`` says how many streams are open.
"""

from __future__ import annotations

import random
import sys
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from server import green

green.patch()

from server.cluster.apiserver.request import Response  # noqa: E402
from server.cluster.apiserver.server import ApiServer  # noqa: E402
from server.cluster.clock import Clock  # noqa: E402
from server.cluster.process import Channel  # noqa: E402
from server.cluster.store import Store  # noqa: E402
from server.kubeapi import KubeApi  # noqa: E402


class Room:
    def __init__(self, history: int) -> None:
        clock, store, chance = Clock(), Store(history), random.Random(7)
        self.cluster: Any = SimpleNamespace(clock=clock, store=store, api=ApiServer(clock, store, chance))
        self.cluster.api.logs = self.logs
        self.feeds = set()
        self.logged: list[Channel] = []

    def come_in(self) -> None:
        green.sleep(0)

    def pause(self) -> None:
        green.sleep(0)

    def wait_turn(self) -> None:
        """There is no other room."""

    def long_turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def touch(self) -> None:
        """Nothing sleeps here."""

    def after_write(self) -> None:
        """Nothing is kept here."""

    def logs(self, pod: dict, options: Any) -> Response:
        """Two lines, and with ``follow`` those that ``POST /log`` brings."""
        channel = Channel() if options.follow else None
        if channel is not None:
            self.logged.append(channel)
        return Response(200, {}, text=f"hello from {pod['metadata']['name']}\nsecond line\n", stream=channel)


def main(port: int) -> None:
    room = Room(history=40)

    def below(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        body = b"ok"
        if environ["PATH_INFO"] == "/tick":
            room.cluster.clock.run_for(float(query["seconds"]))
        elif environ["PATH_INFO"] == "/log":
            for channel in room.logged:
                channel.close() if "end" in query else channel.put(query["line"] + "\n")
        elif environ["PATH_INFO"] == "/streams":
            body = str(len(room.feeds)).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    green.serve(KubeApi(lambda name, key: room, below), "127.0.0.1", port, on_listen=lambda port: print(port, flush=True))


if __name__ == "__main__":
    main(int(sys.argv[1]))
