"""The shell prints what busybox's ash, dash and bash printed for the same script, and ends as they did."""

from __future__ import annotations

import pytest

from tests.cluster.runtime.sh.machine import run
from tests.cluster.runtime.sh.record import load

SNIPPETS = load()
CASES = [(shell, snippet.script, *snippet.said[shell]) for snippet in SNIPPETS for shell in snippet.shells]


def test_there_are_enough_of_them() -> None:
    assert len(SNIPPETS) >= 150


@pytest.mark.parametrize(("shell", "script", "code", "text"), CASES)
def test_a_script_prints_what_the_real_shell_prints(shell: str, script: str, code: int, text: str) -> None:
    name, kit = ("sh", "busybox") if shell == "ash" else (shell, "debian")
    assert run(script, name, kit) == (code, text)
