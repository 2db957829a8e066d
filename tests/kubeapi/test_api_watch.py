"""Watches and followed logs over a real socket, against a server process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

CONFIG = "/api/v1/namespaces/default/configmaps"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
WATCH_LIST = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
PATIENCE = 20
MANY = 60


class Server:
    """A server process and a client for it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "tests.kubeapi.serving", "0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.base = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.base}/r/room/k8s/key"
        self.session = requests.Session()
        self.post("/api/v1/namespaces", {"metadata": {"name": "default"}})

    def post(self, path: str, obj: Any) -> Any:
        answer = self.session.post(self.api + path, json=obj, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def make(self, name: str, **labels: str) -> Any:
        return self.post(CONFIG, {"metadata": {"name": name, "labels": labels}})

    def patch(self, name: str, patch: Any) -> Any:
        return self.session.patch(f"{self.api}{CONFIG}/{name}", data=json.dumps(patch), timeout=PATIENCE,
                                  headers={"Content-Type": "application/merge-patch+json"}).json()

    def delete(self, name: str) -> None:
        assert self.session.delete(f"{self.api}{CONFIG}/{name}", timeout=PATIENCE).ok

    def open(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return requests.get(self.api + path, headers=headers, stream=True, timeout=PATIENCE)

    def watch(self, query: str, headers: dict[str, str] | None = None, path: str = CONFIG) -> Watching:
        return Watching(self.open(f"{path}?{query}", headers))

    def streams(self) -> int:
        return int(requests.get(f"{self.base}/streams", timeout=PATIENCE).text)


class Watching:
    """An open watch: events one by one."""

    def __init__(self, answer: requests.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.answer = answer
        self.lines = _lines(answer)

    def next(self) -> Any:
        return json.loads(next(self.lines))

    def names(self, count: int) -> list[tuple[str, str]]:
        events = [self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"]["name"]) for event in events]

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: Any) -> None:
        self.answer.close()


def _lines(answer: requests.Response) -> Iterator[bytes]:
    """Lines as they come, chunk by chunk."""
    text = b""
    for chunk in answer.raw.read_chunked():
        *lines, text = (text + chunk).split(b"\n")
        yield from lines
    assert text == b""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    yield server
    server.process.terminate()
    assert server.process.wait(PATIENCE) == 0


@pytest.fixture
def server(running: Server) -> Server:
    for item in running.session.get(running.api + CONFIG, timeout=PATIENCE).json()["items"]:
        running.delete(item["metadata"]["name"])
    return running


def test_a_watch_answers_at_once_and_then_tells_what_happens(server):
    with server.watch("watch=true") as watching:
        server.make("a")
        server.patch("a", {"data": {"x": "1"}})
        server.delete("a")
        assert watching.names(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_a_watch_from_a_revision_misses_nothing_and_doubles_nothing(server):
    server.make("a")
    revision = server.session.get(server.api + CONFIG, timeout=PATIENCE).json()["metadata"]["resourceVersion"]
    server.make("b")
    with server.watch(f"watch=1&resourceVersion={revision}") as watching:
        server.make("c")
        assert watching.names(2) == [("ADDED", "b"), ("ADDED", "c")]


def test_a_watch_without_a_revision_begins_with_what_exists(server):
    server.make("a")
    with server.watch("watch=1") as watching:
        server.make("b")
        assert watching.names(2) == [("ADDED", "a"), ("ADDED", "b")]


def test_a_watch_list_marks_the_end_of_what_exists(server):
    made = server.make("a")
    with server.watch(WATCH_LIST) as watching:
        assert watching.names(1) == [("ADDED", "a")]
        mark = watching.next()
    assert mark["type"] == "BOOKMARK" and mark["object"]["kind"] == "ConfigMap"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(mark["object"]["metadata"]["resourceVersion"]) >= int(made["metadata"]["resourceVersion"])


def test_an_object_that_comes_to_match_is_added_and_one_that_stops_is_deleted(server):
    server.make("a", color="red")
    with server.watch("watch=1&labelSelector=color%3Dblue") as watching:
        server.patch("a", {"metadata": {"labels": {"color": "blue"}}})
        server.patch("a", {"data": {"x": "1"}})
        server.patch("a", {"metadata": {"labels": {"color": "red"}}})
        assert watching.names(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_a_watch_in_the_old_form_and_of_one_name(server):
    server.make("a")
    server.make("b")
    with server.watch("", path="/api/v1/watch/namespaces/default/configmaps") as watching:
        assert watching.names(2) == [("ADDED", "a"), ("ADDED", "b")]
    with server.watch("watch=1&fieldSelector=metadata.name%3Db") as watching:
        assert watching.names(1) == [("ADDED", "b")]


def test_a_watch_ends_in_order_when_its_time_is_up_with_a_bookmark_before(server):
    with server.watch("watch=1&timeoutSeconds=1&allowWatchBookmarks=true") as watching:
        assert watching.next()["type"] == "BOOKMARK"
        assert list(watching.lines) == []


def test_a_watch_from_a_revision_that_is_compacted_away_says_gone(server):
    for index in range(100):
        server.make(f"c{index}")
    with server.watch("watch=1&resourceVersion=1") as watching:
        event = watching.next()
        assert event["type"] == "ERROR"
        assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
        assert event["object"]["message"].startswith("too old resource version: 1 (")
        assert list(watching.lines) == []


def test_a_watch_of_tables_sends_the_columns_once(server):
    with server.watch("watch=1", TABLE) as watching:
        server.make("a")
        server.make("b")
        first, second = watching.next(), watching.next()
    table = first["object"]
    assert table["kind"] == "Table" and [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"] == ["a", 0, "0s"] and table["metadata"]["resourceVersion"]
    assert second["object"]["columnDefinitions"] is None and second["object"]["rows"][0]["cells"][0] == "b"


def test_a_watch_of_metadata_sends_no_more(server):
    with server.watch("watch=1", {"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}) as watching:
        server.make("a")
        event = watching.next()
    assert event["object"]["kind"] == "PartialObjectMetadata" and event["object"]["metadata"]["name"] == "a"


def test_a_watch_that_cannot_begin_is_an_error_like_any_other(server):
    answer = server.open(f"{CONFIG}?watch=1&resourceVersion=999999999")
    assert answer.status_code == 504 and answer.headers["Retry-After"] == "1"
    assert server.open(f"{CONFIG}?watch=1&labelSelector=%21%21").status_code == 400


def test_a_client_that_leaves_an_idle_watch_is_noticed(server):
    before = server.streams()
    watching = server.watch("watch=1")
    assert server.streams() == before + 1
    watching.answer.raw._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)
    watching.answer.close()
    for _ in range(1000):
        if server.streams() == before:
            return
    pytest.fail("the watch of a client that left goes on")


def test_a_watcher_that_does_not_read_holds_up_nobody_and_loses_nothing_once_it_does(server):
    with closing(socket.create_connection(("127.0.0.1", server.port), PATIENCE)) as slow:
        slow.sendall(f"GET /r/room/k8s/key{CONFIG}?watch=1&timeoutSeconds=5 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with server.watch("watch=1") as quick:
            for index in range(MANY):
                server.post(CONFIG, {"metadata": {"name": f"big{index:02}"}, "data": {"x": "x" * 200_000}})
            assert quick.names(MANY) == [("ADDED", f"big{index:02}") for index in range(MANY)]
        text = b""
        while piece := slow.recv(1 << 16):
            text += piece
    assert [text.count(b'"name":"big%02d"' % index) for index in range(MANY)] == [1] * MANY
    assert text.endswith(b"0\r\n\r\n")


def make_pod(server: Server) -> None:
    answer = server.session.get(f"{server.api}/api/v1/namespaces/default/pods/web", timeout=PATIENCE)
    if answer.status_code == 404:
        server.post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
        spec = {"containers": [{"name": "c", "image": "nginx"}]}
        server.post("/api/v1/namespaces/default/pods", {"metadata": {"name": "web"}, "spec": spec})


def test_a_log_is_plain_text(server):
    make_pod(server)
    answer = server.open("/api/v1/namespaces/default/pods/web/log", {"Accept": "application/json, */*"})
    assert answer.headers["Content-Type"] == "text/plain" and answer.text == "hello from web\nsecond line\n"


def test_a_followed_log_goes_on_until_the_container_ends(server):
    make_pod(server)
    answer = server.open("/api/v1/namespaces/default/pods/web/log?follow=true")
    lines = _lines(answer)
    assert [next(lines), next(lines)] == [b"hello from web", b"second line"]
    server.session.post(f"{server.base}/log?line=third", timeout=PATIENCE)
    assert next(lines) == b"third"
    server.session.post(f"{server.base}/log?end=1", timeout=PATIENCE)
    assert list(lines) == []


def test_ages_in_a_table_follow_the_virtual_clock(server):
    server.make("a")
    requests.post(f"{server.base}/tick?seconds=63", timeout=PATIENCE)
    table = server.session.get(server.api + CONFIG, headers=TABLE, timeout=PATIENCE).json()
    assert table["rows"][0]["cells"] == ["a", 0, "63s"]


def test_a_second_server_on_the_same_port_does_not_start(server):
    command = [sys.executable, "-m", "tests.kubeapi.serving", str(server.port)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert second.returncode != 0 and "PortTaken" in second.stderr and "Address already in use" in second.stderr


def test_a_server_with_open_watches_stops_when_told_to():
    server = Server()
    with server.watch("watch=1"):
        os.kill(server.process.pid, signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
