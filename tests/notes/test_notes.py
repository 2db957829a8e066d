"""Each section of the notes, played as typed: what kubectl prints at every step (sections/*.txt; player.py tells how they are written).

``python -m tests.notes.test_notes NAME`` writes a section anew.
"""

from __future__ import annotations

import sys

import pytest

from tests.notes.player import FOLDER, Player, alike, preset, record, steps

SECTIONS = sorted(path.stem for path in (FOLDER / "sections").glob("*.txt"))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_section_plays_as_in_the_notes(section: str) -> None:
    text = (FOLDER / "sections" / f"{section}.txt").read_text()
    player = Player(preset(text))
    for step in steps(text):
        told = player.play(step)
        if told is not None:
            assert [f"{step.line}: {step.text}", *alike(told)] == [f"{step.line}: {step.text}", *alike(step.printed)]


if __name__ == "__main__":
    for name in sys.argv[1:] or SECTIONS:
        record(FOLDER / "sections" / f"{name}.txt")
