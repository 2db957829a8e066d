"""bash's /dev/tcp/HOST/PORT: a descriptor that is a connection.

The network is asked once, when the redirection is expanded, and the shell waits as long as the answer took; the connection is a stream whose
answers are read as they came. It does not survive a restart: then it is at its end, as one whose peer has gone.

Source: https://www.gnu.org/software/bash/manual/html_node/Redirections.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.program import MEMORY
from server.cluster.runtime.reach import Talk
from server.cluster.runtime.streams import BLOCK, BrokenPipe, Stream

ADDRESS = re.compile(r"/dev/tcp/([^/]{1,253})/(\d{1,5})")


class Connection(Stream):
    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self.talk = talk
        self.got = ""

    def write(self, text: str) -> bool:
        if self.talk.closed:
            raise BrokenPipe
        self._came(self.talk.send(text.encode("utf-8", "surrogateescape")))
        return True

    def _came(self, data: bytes) -> None:
        self.got = (self.got + data.decode("utf-8", "surrogateescape"))[-MEMORY:]
        self.readable.open()

    def read(self, size: int = BLOCK) -> str | None:
        if not self.got and not self.talk.closed:
            return None
        found, self.got = self.got[:size], self.got[size:]
        return found

    def readline(self) -> str | None:
        end = self.got.find("\n") + 1
        if not end and not self.talk.closed:
            return None
        return self.read(end or len(self.got) or 1)

    def closed(self) -> None:
        if not self.talk.closed:
            self.talk.finish()


def dialled(machine: Any, address: str) -> tuple[Connection | None, str, float]:
    """A connection, or what the kernel says of it ("" of a name: it is unknown), and how many seconds that took."""
    found = ADDRESS.fullmatch(address)
    walk, talk = machine.network().talk(found[1], int(found[2]))
    if talk is not None:
        return Connection(talk), "", walk.ms / 1000
    unknown = walk.error is not None and walk.error["hop"] == "dns"
    return None, "" if unknown else walk.fault or "Connection refused", walk.ms / 1000
