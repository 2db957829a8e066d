"""A room's past on disk: whatever ends the server, and however often, what was flushed can be told as it was."""

from __future__ import annotations

import json
import sqlite3

import pytest

from server.cluster.cluster import Cluster
from server.rooms import journal
from server.rooms.journal import Journal, Recorder, all_rows, clock_of, restored
from server.rooms.storage import Storage
from tests.rooms.desk import Desk

ROOM = "r"


class House:
    """A room without a server: ``cut`` is a power cut, ``stop`` an orderly end."""

    def __init__(self, folder: str) -> None:
        self.storage = Storage(folder)
        self.cluster = Cluster(seed=3)
        self.storage.create(ROOM, {}, clock_of(self.cluster, exact=True), all_rows(self.cluster))
        self.journal = Journal(self.storage, ROOM, self.cluster)

    def run(self, *lines: str) -> None:
        for line in lines:
            Desk(self.cluster).run(line)
            self.journal.flush()
            self.cluster.clock.run_for(3)
        self.journal.flush()

    def cut(self) -> None:
        self._wake()

    def stop(self) -> None:
        self.journal.flush_exactly()
        self._wake()

    def _wake(self) -> None:
        _, clock, rows = self.storage.load(ROOM)
        self.cluster = restored(clock, rows, journal.history(self.storage, ROOM, clock["revision"]))
        self.journal = Journal(self.storage, ROOM, self.cluster)
        self.journal.catch_up(clock, rows)

    def tell(self, revision: int) -> str:
        return json.dumps(self.cluster.store.at(revision).dump(), sort_keys=True)


@pytest.fixture
def house(tmp_path) -> House:
    return House(str(tmp_path))


def test_whatever_ends_it_every_flushed_revision_is_told_as_it_was(house: House) -> None:
    begun, seen, causes = house.cluster.store.revision, {}, {}

    def look() -> None:
        store = house.cluster.store
        for revision in range(begun, store.revision + 1, 5):
            seen.setdefault(revision, house.tell(revision))
        for revision in range(begun + 1, store.revision + 1):
            causes.setdefault(revision, store.event_at(revision).cause[:5])

    for number, end in enumerate((house.cut, house.cut, house.stop, house.cut, house.cut)):
        house.run(f"kubectl create deployment web{number} --image=nginx", f"kubectl scale deployment web{number} --replicas=2",
                  f"kubectl create configmap c{number} --from-literal=a=b", f"kubectl delete configmap c{number}")
        look()
        end()
        assert house.cluster.store.earliest == begun
        assert {revision: house.tell(revision) for revision in seen} == seen
        assert {revision: house.cluster.store.event_at(revision).cause[:5] for revision in causes} == causes


def test_what_was_not_flushed_is_not_told(house: House) -> None:
    house.run("kubectl create configmap kept --from-literal=a=b")
    flushed = house.cluster.store.revision
    Desk(house.cluster).run("kubectl create configmap lost --from-literal=a=b")
    house.cut()
    assert house.cluster.store.revision == flushed and house.cluster.store.event_at(flushed) is not None


def test_parts_of_the_past_go_as_a_whole_and_what_is_left_can_be_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "HISTORY", 40)
    for number in range(60):
        house.run(f"kubectl create configmap c{number} --from-literal=a=b", f"kubectl delete configmap c{number}")
    last, told = house.cluster.store.revision, {}
    for revision in range(last - 30, last + 1):
        told[revision] = house.tell(revision)
    house.cut()
    assert 30 <= last - house.cluster.store.earliest <= 80
    assert {revision: house.tell(revision) for revision in told} == told


def test_a_change_larger_than_what_is_kept_begins_the_past_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.run("kubectl create configmap first --from-literal=a=b")
    monkeypatch.setattr(journal, "HISTORY", 40)
    for number in range(60):
        Desk(house.cluster).run(f"kubectl create configmap c{number} --from-literal=a=b")
    house.journal.flush()
    last = house.cluster.store.revision
    told = house.tell(last - 20)
    house.cut()
    assert house.cluster.store.earliest == last - 40 and house.tell(last - 20) == told


def test_after_a_disk_that_was_full_for_a_while_nothing_of_the_past_is_missing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = house.cluster.store.revision
    house.run("kubectl create configmap a --from-literal=a=b")
    flush, full = house.storage.flush, [True]

    def fail(*args: object) -> None:
        if full[0]:
            raise sqlite3.OperationalError("database or disk is full")
        flush(*args)

    monkeypatch.setattr(house.storage, "flush", fail)
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            house.run("kubectl label configmap a b=c --overwrite")
    full[0] = False
    house.run("kubectl label configmap a b=d --overwrite")
    told = {revision: house.tell(revision) for revision in range(begun, house.cluster.store.revision + 1)}
    house.cut()
    assert {revision: house.tell(revision) for revision in told} == told


def test_nothing_is_written_when_nothing_happened(house: House) -> None:
    recorder = Recorder(house.cluster, 1)
    assert recorder.news() is None
    Desk(house.cluster).run("kubectl create configmap a --from-literal=a=b")
    assert recorder.news() is not None
    recorder.kept()
    assert recorder.news() is None
