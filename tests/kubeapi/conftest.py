"""An API server without controllers or kubelets behind the REST API, asked without sockets."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import Client as HttpClient
from werkzeug.wrappers import Response

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.store import Store
from server.kubeapi import KubeApi


class Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"refused with {code}")
        self.code = code


class Room:
    """A room as the REST API sees it; it counts what the API tells it."""

    def __init__(self) -> None:
        clock, store, chance = Clock(), Store(), random.Random(7)
        self.cluster: Any = SimpleNamespace(clock=clock, store=store, random=chance, api=ApiServer(clock, store, chance))
        self.feeds: set[Any] = set()
        self.touched = self.written = 0

    def come_in(self) -> None:
        """There is no other room."""

    def pause(self) -> None:
        """Nobody else waits."""

    def wait_turn(self) -> None:
        """There is no other room."""

    def long_turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def touch(self) -> None:
        self.touched += 1

    def after_write(self) -> None:
        self.written += 1


class Caller:
    """Asks the room's API server over WSGI."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.http = HttpClient(KubeApi(self._resolve, self._below))

    def _resolve(self, name: str, key: str) -> Room:
        if (name, key) != ("room", "key"):
            raise Refused(404 if name != "room" else 403)
        return self.room

    @staticmethod
    def _below(environ: Any, start_response: Any) -> Any:
        return Response("below")(environ, start_response)

    def __call__(self, method: str, path: str, json: Any = None, root: str = "/r/room/k8s/key", **more: Any) -> Any:
        headers = {"User-Agent": "tester/1.0", **more.pop("headers", {})}
        return self.http.open(root + path, method=method, json=json, headers=headers, **more)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def ask(room: Room) -> Caller:
    caller = Caller(room)
    for name in ("default", "kube-system"):
        assert caller("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).status_code == 201
    return caller
