"""What people asked that left no revision: reads, and what was refused.

In: the requests of everyone who is no component of the cluster. Out: the last ``KEPT`` of them, with the moment, the revision the answer was
of, what was found (the first few keys and how many) or at which stage it was refused. Objects are not held.

Source: https://kubernetes.io/docs/concepts/security/controlling-access/
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from server.cluster.apiserver.request import Request, Response
from server.cluster.errors import ApiError
from server.cluster.objects import Key, key

KEPT, KEYS, LONGEST = 120, 12, 64 * 1024
COMPONENTS = ("system:kube-", "system:node:", "system:apiserver", "system:podium")
READS = frozenset(("get", "list", "watch"))
STAGES = {400: "decoding", 401: "authentication", 403: "admission", 415: "decoding", 422: "validation"}


class Heard(NamedTuple):
    """``stage`` is where it was refused with ``error``; a read that was answered has neither, but what was ``found`` and the ``count``."""

    number: int
    at: float
    revision: int
    request: Request
    code: int
    stage: str = ""
    error: ApiError | None = None
    found: tuple[Key, ...] = ()
    count: int = 0


class HeardRequests:
    """``quietly()`` is for what the page itself looks up when nobody asked the API server."""

    def __init__(self) -> None:
        self.kept: deque[Heard] = deque(maxlen=KEPT)
        self.number = 0
        self._quiet = 0

    def of_people(self, request: Request) -> bool:
        return not self._quiet and not request.user.startswith(COMPONENTS)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def ask(self, answer: Callable[[Request], Response], request: Request, at: float, revision: Callable[[], int]) -> Response:
        """What ``answer(request)`` gives, noted."""
        try:
            response = answer(request)
        except ApiError as error:
            if not request.options.dry_run and len(request.raw or b"") <= LONGEST:
                self._note(Heard(0, at, revision(), request, error.code, _stage(request, error), error))
            raise
        if request.verb in READS:
            keys, count = _found(response)
            self._note(Heard(0, at, revision(), request, response.code, found=keys, count=count))
        return response

    def find(self, number: int) -> Heard | None:
        return next((heard for heard in self.kept if heard.number == number), None)

    def _note(self, heard: Heard) -> None:
        self.number += 1
        self.kept.append(heard._replace(number=self.number))


def _stage(request: Request, error: ApiError) -> str:
    if error.code == 403 and f'User "{request.user or "system:anonymous"}" cannot ' in str(error):
        return "authorization"
    return STAGES.get(error.code, "etcd")


def _found(response: Response) -> tuple[tuple[Key, ...], int]:
    if response.record is not None:
        return (key(response.record.object),), 1
    if response.records is not None:
        return tuple(key(record.object) for record in response.records[:KEYS]), len(response.records)
    rows = response.object.get("rows") or response.object.get("items") or ()
    objects = [obj for row in rows[:KEYS] if (obj := row.get("object", row)) is not None]
    return tuple((obj["metadata"].get("namespace", ""), obj["metadata"].get("name", "")) for obj in objects if obj.get("metadata")), len(rows)
