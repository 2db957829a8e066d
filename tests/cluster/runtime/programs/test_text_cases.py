"""Text programs print what the real busybox and GNU programs printed for the same words and files (``record_text`` made the record)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.runtime.programs.text_invocations import FILES, parts
from tests.cluster.runtime.programs.text_world import World

ROWS = [json.loads(line) for line in Path(__file__).with_name("text_cases.txt").read_text().splitlines()]
CASES = {(row["kit"], row["line"]): row for row in ROWS}
# Where Podium prints something else than the program that was recorded, and why.
OTHERWISE = {
    ("busybox", "grep 'a\\(' f"): "the recorded one has EXTRA_COMPAT, the one of containers tells the reason",
    ("busybox", "grep '[a' f"): "as above", ("busybox", "grep '[[:foo:]]' f"): "as above", ("busybox", "grep -E '(' f"): "as above",
    ("busybox", "sed -n 'l' tabs"): "busybox ignores l; Podium refuses it",
    ("debian", "sed"): "GNU's whole help follows; Podium prints the synopsis",
    ("debian", "awk"): "mawk's whole help follows", ("busybox", "awk 'BEGIN{x=5; print x++ + ++x, x--, x, -x, !x, x^2}'"):
    "the recorded one has no math, the one of containers has", ("busybox", "awk 'BEGIN{print -0, 1e300*1e300, log(1)}'"): "as above",
    ("busybox", "awk 'BEGIN{print 010+0, \"0x1A\"+0, \"3x\"+0, +\"1e2\"}'"): "octal and hexadecimal text is read as decimal",
    ("debian", "awk 'BEGIN{print 010+0, \"0x1A\"+0, \"3x\"+0, +\"1e2\"}'"): "as above",
    ("busybox", "awk 'BEGIN{printf \"%d\\n\", \"0012\"}'"): "as above",
    ("debian", "awk 'BEGIN { printf \"%s %s %s\\n\", \"a\", \"b\" }'"): "a missing argument is empty, as POSIX has it; mawk stops",
    ("busybox", "sort -h human"): "1.36 has -h, the recorded 1.35 has not", ("busybox", "cut -f0 f"): "the recorded 1.35 takes 0",
    ("busybox", "cut -f3-1 csv"): "the recorded 1.35 prints '1<2'",
    ("busybox", "awk 'BEGIN { \"x\" ~ \"x\" && r = 1; print r }'"): "Podium takes it, as mawk and gawk do",
    ("busybox", "paste -d: - - - < s1"): "busybox leaves out the last newline",
}


def test_there_are_enough_of_them() -> None:
    assert len({line for _, line in CASES}) >= 250
    assert set(OTHERWISE) <= set(CASES)


@pytest.mark.parametrize(("kit", "line"), [case for case in CASES if case not in OTHERWISE])
def test_it_prints_what_the_real_program_prints(kit: str, line: str) -> None:
    row, (argv, stdin) = CASES[kit, line], parts(line)
    world = World(kit, FILES)
    world.start(argv, stdin)
    world.clock.run_for(1000)
    out = "".join(sorted(world.out_text.splitlines(True))) if line.startswith("grep -r") else world.out_text
    wanted = "".join(sorted(row["out"].splitlines(True))) if line.startswith("grep -r") else row["out"]
    assert (world.exit, out, world.err_text) == (row["code"], wanted, row["err"])
