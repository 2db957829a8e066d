"""Serves tests/kubectl/world.py over HTTP for a real kubectl: ``python tests/clients/world_server.py PORT CHAPTER``. Its clock is the wall's, so
that ages counted by the client and by the server agree."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

from server import green

green.patch()

from server.kubeapi import KubeApi  # noqa: E402
from tests.kubectl.world import build  # noqa: E402


class Room:
    """The one room this server has."""

    def __init__(self, chapter: str) -> None:
        self.cluster = build(chapter)
        self.feeds = set()

    def come_in(self) -> None:
        """There is no other room."""

    def pause(self) -> None:
        """Nobody else waits."""

    def wait_turn(self) -> None:
        """There is no other room."""

    def long_turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def touch(self) -> None: ...

    def after_write(self) -> None: ...

    def pace(self) -> None:
        clock = self.cluster.clock
        while True:
            clock.run_until((datetime.now(UTC) - clock.epoch).total_seconds())
            green.sleep(0.05)


def nothing(environ, start_response):
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]


if __name__ == "__main__":
    room = Room(sys.argv[2])
    green.spawn(room.pace)
    green.serve(KubeApi(lambda name, key: room, nothing), "127.0.0.1", int(sys.argv[1]))
