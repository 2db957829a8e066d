"""Looking for cycles: often where it is short, seldom where it is long, and never in vain for rooms put away."""

from __future__ import annotations

import gc
import weakref

import pytest

from server import memory


class Knot:
    def __init__(self):
        self.me = self


@pytest.fixture
def books(monkeypatch):
    thresholds = gc.get_threshold()
    gc.unfreeze()
    monkeypatch.setattr(memory, "_books", memory._Books())
    memory.begin()
    yield memory._books
    gc.callbacks.remove(memory._set_aside)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_outlives_a_short_look_is_not_looked_at_again(books):
    kept = [[number] for number in range(3 * memory.YOUNG)]
    assert gc.get_freeze_count() >= 2 * memory.YOUNG and len(kept) == 3 * memory.YOUNG
    assert len(gc.get_objects(1)) + len(gc.get_objects(2)) < memory.YOUNG


def test_a_cycle_that_was_set_aside_goes_at_the_next_look_at_all(books):
    knot = weakref.ref(Knot())
    gc.collect(0)
    lost = Knot()
    left = weakref.ref(lost)
    gc.collect(0)
    del lost
    gc.collect()
    assert knot() is None and left() is not None
    memory.let_go(memory.LEAST // memory.PER_OBJECT)
    assert memory.tidy(quiet=True)
    assert left() is None


def test_all_is_looked_at_only_when_it_is_worth_it_and_sooner_when_nobody_waits(books):
    assert not memory.tidy(quiet=True)
    memory.let_go(memory.LEAST // memory.PER_OBJECT)
    assert not memory.tidy(quiet=False)
    memory.let_go((memory.PATIENCE - 1) * memory.LEAST // memory.PER_OBJECT)
    assert memory.tidy(quiet=False)
    assert not memory.tidy(quiet=True)
