"""Conversations over an open connection: what a landing gives to somebody who keeps the line open.

In: a walk and where it landed. Out: a ``Talk`` with the server in the container, or with the machine's own process. It ends when the
pod does: whoever goes on talking to a pod that is gone, or that packets no longer reach, gets a reset.

Source: https://httpwg.org/specs/rfc9112.html
"""

from __future__ import annotations

from server.cluster.network.connection import MACHINE, POD, Connections, Landing
from server.cluster.network.machine_ports import DAEMONS, HTTPS, RAW
from server.cluster.network.walk import Walk
from server.cluster.objects import uid
from server.cluster.runtime.reach import ConnectionReset, Talk
from server.cluster.runtime.runtime import ConnectionRefused

BANNERS = {"sshd": b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n"}
NOT_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


class Talks:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def open(self, walk: Walk, landing: Landing) -> Talk | None:
        """The conversation; None with an error in the walk if nobody takes it after all."""
        if landing.handler is not None:
            return landing.handler(landing.client)
        if landing.kind == MACHINE:
            daemon = DAEMONS.get(landing.port)
            speaks = daemon.speaks if daemon is not None else RAW
            return _Machine(NOT_TLS if speaks == HTTPS else b"", BANNERS.get(daemon.name if daemon is not None else "", b""))
        if landing.kind != POD:
            return _Machine(b"", b"")
        try:
            return _Pod(self._connections, landing, self._connections.backend.talk(landing.pod, landing.port, landing.client))
        except ConnectionRefused:
            walk.refused("pod")
            return None


class _Machine:
    """A process of the machine: it says its banner to the first word, or that it wanted TLS, and hangs up."""

    def __init__(self, reply: bytes, banner: bytes) -> None:
        self.closed = False
        self._said = banner + reply

    def send(self, data: bytes) -> bytes:
        return self.finish()

    def finish(self) -> bytes:
        said, self._said, self.closed = self._said, b"", True
        return said


class _Pod:
    """A conversation with a container, as long as its pod is there and packets get to it."""

    def __init__(self, connections: Connections, landing: Landing, talk: Talk) -> None:
        self._connections = connections
        self._landing = landing
        self._talk = talk
        self._over = False

    @property
    def closed(self) -> bool:
        return self._over or self._talk.closed

    def send(self, data: bytes) -> bytes:
        self._check()
        return self._talk.send(data)

    def finish(self) -> bytes:
        self._check()
        return self._talk.finish()

    def _check(self) -> None:
        pod, landing = self._landing.pod, self._landing
        meta = pod["metadata"]
        now = self._connections.places.pod((meta["namespace"], meta["name"]))
        if now is None or uid(now) != uid(pod) or not self._connections.places.reachable(landing.node or "") \
                or not self._connections.backend.listening(now, landing.port):
            self._over = True
            raise ConnectionReset("Connection reset by peer")
