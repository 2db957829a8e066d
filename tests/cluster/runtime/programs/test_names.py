"""nslookup, host and dig print what busybox's and BIND's printed of the same zone (names_recorded.txt)."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cluster.runtime.programs.network_machine import NetworkMachine

RECORDED = re.findall(r"(?ms)^\$ (busybox|full) (.*?)\n(.*?)^\[(\d+)\]$", (Path(__file__).parent / "names_recorded.txt").read_text())
# What is another each time, or another in another release.
PASSING = (r"id: \d+", r"DiG [\w.~+-]+", r"Query time: \d+ msec", r";; WHEN: [^\n]*", r"MSG SIZE  rcvd: \d+", r"BusyBox v[^\n]*multi-call binary",
           r"flags: [a-z ]+;")
EDNS = r";; WARNING: recursion requested but not available\n|;; OPT PSEUDOSECTION:\n; EDNS: [^\n]*\n(; COOKIE: [^\n]*\n)?"


def plain(text: str) -> str:
    for pattern in PASSING:
        text = re.sub(pattern, pattern.split(":")[0].split(" [")[0], text)
    return re.sub(r"ADDITIONAL: \d", "ADDITIONAL: N", re.sub(EDNS, "", text))


@pytest.mark.parametrize(("kit", "command", "expected", "code"), RECORDED, ids=[f"{kit}: {command}" for kit, command, _, _ in RECORDED])
def test_a_question_is_answered_in_the_words_of_the_real_program(kit, command, expected, code):
    machine = NetworkMachine("busybox" if kit == "busybox" else "host")
    said, ended = machine.run(shlex.split(command))
    assert (plain(said), ended) == (plain(expected), int(code))
