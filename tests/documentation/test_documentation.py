"""Tasks and tutorials of the Kubernetes documentation, played as typed: what each step prints (sections/*.txt; tests/notes/player.py tells
how they are written).

``python -m tests.documentation.test_documentation NAME`` writes a section anew.

Source: https://kubernetes.io/docs/tasks/
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.notes.player import Player, alike, preset, record, steps

FOLDER = Path(__file__).parent / "sections"
SECTIONS = sorted(path.stem for path in FOLDER.glob("*.txt"))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_plays_as_it_is_written(section: str) -> None:
    text = (FOLDER / f"{section}.txt").read_text()
    player = Player(preset(text))
    for step in steps(text):
        told = player.play(step)
        if told is not None:
            assert [f"{step.line}: {step.text}", *alike(told)] == [f"{step.line}: {step.text}", *alike(step.printed)]


if __name__ == "__main__":
    for name in sys.argv[1:] or SECTIONS:
        record(FOLDER / f"{name}.txt")
