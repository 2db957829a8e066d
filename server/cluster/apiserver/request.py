"""What is asked of the API server and what it answers: plain values, the same for controllers, the terminal and HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.cluster.objects import Object
from server.cluster.process import Channel
from server.cluster.store import Record

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"


PIECE = 100  # objects of a list that are written at a time


@dataclass(slots=True, eq=False)
class Options:
    """The query of a request, as in the Kubernetes API reference's common parameters."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    timeout_seconds: float | None = None
    allow_watch_bookmarks: bool = False
    send_initial_events: bool | None = None
    dry_run: bool = False
    field_validation: str = "Warn"
    field_manager: str = ""
    grace_period_seconds: int | None = None
    propagation_policy: str = ""
    orphan_dependents: bool | None = None
    preconditions: dict[str, str] = field(default_factory=dict)
    container: str = ""
    follow: bool = False
    previous: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since_seconds: int | None = None
    since_time: str = ""
    timestamps: bool = False
    command: list[str] = field(default_factory=list)
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False
    ports: list[int] = field(default_factory=list)


DEFAULT_OPTIONS = Options()


@dataclass(slots=True)
class Request:
    """``body`` is an object of a typed in-process client, ``raw`` bytes off the wire, to be decoded as ``content_type`` says.

    ``because`` is the revision of the event the client reacts to; None for a person's own act. ``table`` says what the rows of a table
    carry; of one of more than ``in_parts`` rows each is made when it is read.
    """

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: Any = None
    raw: bytes | None = None
    content_type: str = ""
    options: Options = DEFAULT_OPTIONS
    client: str = ""
    user: str = ""
    because: int | str | None = None
    table: str | None = None
    in_parts: int | None = None


@dataclass(slots=True)
class Response:
    """``record`` is there when the answer is one stored object, ``records`` when it is a list of them; ``stream`` when it is a watch
    or a followed log; ``text`` for logs; ``session`` for exec and attach (a ``runtime.session.Session``) and port-forward."""

    code: int
    object: Object
    warnings: list[str] = field(default_factory=list)
    record: Record | None = None
    stream: Channel | None = None
    text: str | None = None
    records: list[Record] | None = None
    session: Any = None

    def json(self) -> bytes:
        """The answer's bytes; what is stored was encoded when it was first asked for."""
        if self.record is not None:
            return self.record.json()
        if self.records is not None:
            return b"".join(self.pieces())
        return orjson.dumps(self.object)

    def count(self) -> int:
        """How many objects a list or a table tells of."""
        return len(self.records if self.records is not None else self.object.get("rows") or ())

    def pieces(self) -> Iterator[bytes]:
        """A list's bytes, some objects at a time."""
        head = orjson.dumps({**self.object, "items": []})
        yield head[:-2]
        for start in range(0, len(self.records), PIECE):
            yield (b"," if start else b"") + b",".join([record.json() for record in self.records[start:start + PIECE]])
        yield b"]}"
