"""The terminal's kubectl prints what the real kubectl v1.36.3 printed against the same objects (recordings/, made by
tests/clients/test_differential.py --record)."""

from __future__ import annotations

import pytest

from tests.kubectl.terminal import Terminal
from tests.kubectl.world import FILES, build, chapters, comparable, recorded


@pytest.mark.parametrize("chapter", chapters())
def test_the_terminal_prints_what_the_real_kubectl_printed(chapter: str) -> None:
    terminal = Terminal(build(chapter), FILES)
    for line, code, stdout, stderr in recorded(chapter):
        result = terminal.run(line)
        assert (line, *comparable(*result)) == (line, *comparable(stdout, stderr, code))


def test_there_are_recordings_of_every_day_two_command() -> None:
    told = {line.split()[1] for chapter in chapters() for line, *_ in recorded(chapter)}
    assert told >= {"annotate", "cordon", "describe", "drain", "events", "label", "logs", "rollout", "scale", "set", "taint", "uncordon",
                    "wait"}
