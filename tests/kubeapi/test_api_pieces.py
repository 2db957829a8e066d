"""A large list is made while it is sent, and is what it would be in one piece."""

import gzip

import orjson
import pytest
import yaml

from server.cluster.apiserver import heard, tables
from server.kubeapi import app, media

CONFIG = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
META = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
FORMS = [("", {}), ("", {"Accept": TABLE}), ("", {"Accept": META}), ("", {"Accept": "application/yaml"}), ("?pretty=true", {}),
         ("?pretty=true", {"Accept": TABLE}), ("", {"Accept-Encoding": "gzip"}), ("", {"Accept": TABLE, "Accept-Encoding": "gzip"}),
         ("", {"Accept": TABLE.replace("json", "yaml", 1)})]


@pytest.mark.parametrize("query, headers", FORMS)
def test_it_is_the_same_in_parts_and_others_have_their_turn_in_between(room, ask, monkeypatch, query, headers):
    for number in range(7):
        assert ask("POST", CONFIG, {"metadata": {"name": f"c{number}"}, "data": {"a": "][b", "items": "[]"}}).status_code == 201
    whole = ask("GET", CONFIG + query, headers=headers)
    paused = []
    monkeypatch.setattr(app, "MANY", 3)
    monkeypatch.setattr(app, "TURN", 0.0)
    monkeypatch.setattr(media, "PIECE", 2)
    monkeypatch.setattr("server.cluster.apiserver.request.PIECE", 2)
    room.pause = lambda: paused.append(1)
    parts = ask("GET", CONFIG + query, headers=headers)
    assert parts.status_code == 200 and parts.headers["Content-Type"] == whole.headers["Content-Type"]
    body = gzip.decompress(parts.data) if parts.headers.get("Content-Encoding") == "gzip" else parts.data
    assert body == whole.data and (paused or "gzip" in str(headers))


def test_who_reads_a_large_table_slowly_keeps_no_rows_waiting(room, ask, monkeypatch):
    for number in range(9):
        ask("POST", CONFIG, {"metadata": {"name": f"c{number}"}})
    made, row = [], tables._row
    monkeypatch.setattr(tables, "_row", lambda table, obj, *rest: (made.append(obj["metadata"]["name"]), row(table, obj, *rest))[1])
    monkeypatch.setattr(heard, "KEYS", 0)
    monkeypatch.setattr(app, "MANY", 3)
    monkeypatch.setattr(app, "TURN", 0.0)
    monkeypatch.setattr(media, "PIECE", 2)
    answer = ask("GET", CONFIG, headers={"Accept": TABLE}, buffered=False)
    parts = iter(answer.response)
    read = b""
    while b"c0" not in read:
        read += next(parts)
    assert made == ["c0", "c1"]
    ask("DELETE", f"{CONFIG}/c8")
    told = orjson.loads(read + b"".join(parts))
    assert [one["object"]["metadata"]["name"] for one in told["rows"]] == [f"c{number}" for number in range(9)] == made


def test_of_a_large_list_only_the_headers_are_told_to_who_asks_for_them(room, ask, monkeypatch):
    monkeypatch.setattr(app, "MANY", 1)
    monkeypatch.setattr(media, "encoded", lambda *args: pytest.fail("it was encoded all the same"))
    answer = ask("HEAD", "/api/v1/namespaces", headers={"Accept": TABLE})
    assert answer.status_code == 200 and answer.data == b"" and answer.headers["Content-Type"] == "application/json"


def test_yaml_in_parts_is_one_document(room, ask, monkeypatch):
    for name in ("one", "two"):
        ask("POST", CONFIG, {"metadata": {"name": name}, "data": {"text": "a\n- b\nitems:\n"}})
    monkeypatch.setattr(app, "MANY", 1)
    told = yaml.safe_load(ask("GET", CONFIG, headers={"Accept": "application/yaml"}).data)
    assert told["kind"] == "ConfigMapList" and [item["data"]["text"] for item in told["items"]] == ["a\n- b\nitems:\n"] * 2


def test_too_many_that_wait_hear_it_in_kubernetes_words(room, ask):
    class Full(Exception):
        code = 429

    def full():
        raise Full("1000 requests of this room are waiting already; try again in a moment")

    room.come_in = full
    answer = ask("GET", CONFIG)
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "1"
    assert answer.json["reason"] == "TooManyRequests" and "waiting already" in answer.json["message"]
