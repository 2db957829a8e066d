"""Clients that send without end: between their pieces others have their turn."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from server import green
from server.cluster.runtime.session import Session
from server.kubeapi import spdy, upgrades


@pytest.fixture
def turns(monkeypatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(green, "sleep", found.append)
    return found


def test_a_flood_of_spdy_pings_lets_others_have_their_turn(turns):
    frames, answers = 5000, []
    pieces = iter([struct.pack("!HHII", spdy.VERSION, spdy.PING, 4, 1) * frames, b""])
    spdy.Connection(lambda: next(pieces), answers.append, lambda stream: None).run()
    assert len(answers) == frames and len(turns) >= frames // 16


def test_a_megabyte_typed_into_a_terminal_is_taken_bit_by_bit(turns):
    session, room = Session(stdin=True, tty=True), SimpleNamespace(instant=lambda: None, touch=lambda: None)
    fed: list[str] = []
    session.tty.feed = fed.append
    data: Any = b"a" * 1_000_000
    upgrades._typed(room, session, data)
    assert "".join(fed) == data.decode() and max(map(len, fed)) <= 1024 and len(turns) > 900
