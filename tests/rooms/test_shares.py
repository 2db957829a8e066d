"""What one room does never becomes another's wait: its requests share its time, the long ones come one by one, and too many are refused."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from server import green
from server.live import hub
from server.live.hub import RoomLive
from server.rooms import difference, export, room
from server.rooms.manager import Rooms
from server.rooms.room import RoomError
from server.settings import Settings

OBJECTS = "\n---\n".join(f'{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "c{number}"}}}}' for number in range(30))


@pytest.fixture
def paused(tmp_path):
    """A room in which nothing happens by itself."""
    rooms = Rooms(Settings(data=str(tmp_path)))
    made = rooms.create(seed=1)
    made.set_clock(paused=True)
    yield made
    rooms.close()


@pytest.fixture
def pauses(paused, monkeypatch):
    """How often something has let others have their turn; it does whenever it can."""
    counted = []
    monkeypatch.setattr(room, "SLICE", 0.0)
    share = paused._share.pause
    monkeypatch.setattr(paused._share, "pause", lambda: (counted.append(1), share()))
    return counted


def busy(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_however_many_one_owner_has_others_wait_for_one_of_them():
    share, done, ended = green.Share(0.0005), [], []

    def greedy():
        for _ in range(3):
            share.wait()
            busy(0.001)
            done.append("greedy")
            share.pause()

    def other():
        while len(ended) < 12:
            done.append("other")
            green.sleep(0)

    threads = [green.spawn(lambda: (greedy(), ended.append(1))) for _ in range(12)]
    green.spawn(other).wait()
    for thread in threads:
        thread.wait()
    assert done.count("greedy") == 36
    assert all("other" in pair for pair in zip(done, done[1:], strict=False))


def test_what_takes_little_is_not_made_to_wait_for_a_round_each():
    share, served, rounds = green.Share(60.0), [], []

    def small():
        share.pause()
        served.append(len(rounds))

    threads = [green.spawn(small) for _ in range(20)]
    while len(served) < 20:
        rounds.append(1)
        green.sleep(0)
    for thread in threads:
        thread.wait()
    assert len(set(served)) == 1


def test_who_is_ended_while_it_waits_is_forgotten_and_the_next_is_served():
    share, served = green.Share(0.0), []
    threads = [green.spawn(lambda number=number: (share.pause(), served.append(number))) for number in range(3)]
    green.sleep(0)
    assert len(share) == 3
    threads[0].kill()
    for thread in threads[1:]:
        thread.wait()
    assert served == [1, 2] and len(share) == 0


def test_one_that_breaks_does_not_keep_the_others_from_their_turn():
    share, served = green.Share(60.0), []

    def broken():
        share.pause()
        raise ValueError("broken")

    first = green.spawn(broken)
    second = green.spawn(lambda: (share.pause(), served.append(1)))
    second.wait()
    with pytest.raises(ValueError, match="broken"):
        first.wait()
    assert served == [1]


def test_one_more_that_takes_long_than_may_wait_is_told_so(paused, monkeypatch):
    monkeypatch.setattr(room, "MOST_SEATED", 3)
    go, seated = green.Event(), []

    def long():
        with paused.seat():
            seated.append(1)
            go.wait()

    threads = [green.spawn(long) for _ in range(3)]
    while not seated:
        green.sleep(0)
    with pytest.raises(RoomError, match="take long are waiting already") as refused, paused.seat():
        pass
    assert refused.value.code == 429 and seated == [1]
    go.send()
    for thread in threads:
        thread.wait()
    with paused.seat():
        assert len(seated) == 3


def test_one_more_request_than_may_wait_is_told_so(paused, monkeypatch):
    monkeypatch.setattr(room, "MOST_COMING", 2)
    threads = [green.spawn(paused.come_in) for _ in range(2)]
    while len(paused._share) < 2:
        green.sleep(0)
    with pytest.raises(RoomError, match="waiting already") as refused:
        paused.come_in()
    assert refused.value.code == 429
    for thread in threads:
        thread.wait()
    paused.come_in()


@pytest.mark.parametrize("wait", ["come_in", "pause", "wait_turn"])
def test_a_room_does_not_go_to_sleep_under_a_request_that_waits_for_its_turn(paused, wait):
    thread = green.spawn(getattr(paused, wait))
    while not len(paused._share):
        green.sleep(0)
    assert paused.busy
    thread.wait()
    assert not paused.busy


def test_one_that_is_ended_while_it_waits_keeps_nobody_from_their_turn():
    share, served = green.Share(60.0), []
    threads = [green.spawn(lambda number=number: (share.pause(), served.append(number))) for number in range(3)]
    while len(share) < 3:
        green.sleep(0)
    threads[1].kill()
    for thread in (threads[0], threads[2]):
        thread.wait()
    share.pause()
    assert served == [0, 2] and not len(share)


def test_an_export_and_a_comparison_let_others_have_their_turn(paused, pauses):
    for number in range(30):
        paused.cluster.client("kubectl").create("configmaps", {"metadata": {"name": f"c{number}", "namespace": "default"}})
    pauses.clear()
    with paused.long_turn():
        text = export.export(paused.cluster, breathe=paused.cluster.api.breathe)
    assert text.count("kind: ConfigMap") == 30 and len(pauses) >= 30
    pauses.clear()
    assert len(difference.difference(paused, OBJECTS)) == 30
    assert len(pauses) >= 60


def test_two_who_look_at_one_revision_have_it_drawn_once(paused, monkeypatch):
    live = RoomLive(SimpleNamespace(emit=lambda *args, **kwargs: None), paused)
    drawn = []

    class Counted(hub.Scene):
        def __init__(self, cluster):
            drawn.append(cluster)
            super().__init__(cluster)

    monkeypatch.setattr(hub, "Scene", Counted)
    revision = paused.cluster.store.revision - 5
    threads = [green.spawn(live.past, revision) for _ in range(4)]
    told = [thread.wait() for thread in threads]
    assert len(drawn) == 1
    assert all(one["things"] is told[0]["things"] and one["past"]["revision"] == revision for one in told)
