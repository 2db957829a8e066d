"""What a script can take: so much and no more, whatever it tries."""

from __future__ import annotations

import json

import pytest

from server.cluster.clock import Clock
from server.cluster.runtime.commands import MEMORY
from server.cluster.runtime.container import Launch
from server.cluster.runtime.files import LARGEST, MOST_FILES
from server.cluster.runtime.images import image
from server.cluster.runtime.logs import CHUNK, CHUNKS
from server.cluster.runtime.logs import LARGEST as LARGEST_LOG
from server.cluster.runtime.programs import plan
from server.cluster.runtime.runtime import Runtime
from server.cluster.store import State


@pytest.fixture
def runtime():
    return Runtime(Clock(), State())


def started(runtime, script, name="box"):
    found = image("busybox")
    sandbox = runtime.sandbox(("default", name), name, "n", name, "10.244.1.9")
    return sandbox, runtime.start(sandbox, Launch("c", found, plan(found, ("sh", "-c", script), ())), name.ljust(64, "0"), lambda: {},
                                  lambda container, code: None, lambda container, files: None)


def ran(runtime, script, seconds=30):
    container = started(runtime, script)[1]
    runtime.clock.run_for(seconds)
    return [line.text for line in container.log.all()], container


BIG = "x=aaaaaaaaaaaaaaaa; for i in 1 2 3 4 5 6 7 8 9 10 11; do x=$x$x; done; "


@pytest.mark.parametrize("script", [
    "x=aaaaaaaaaa; while true; do x=$x$x; done",
    "x=aaaaaaaaaa; while true; do x=$x$x; sleep 1; done",
    BIG + "echo " + "$x " * 1000,
    BIG + "y=" + "$x" * 1000,
    "printf '%1000000000d' 5", "printf '%01000000000d' 5", "printf '%-1000000000s' 5",
    BIG + "echo $x > /tmp/a; cat " + "/tmp/a " * 1000,
    BIG + "echo $x > /tmp/a; y=$(cat " + "/tmp/a " * 1000 + ")",
    BIG + "for w in " + "$x " * 1000 + "; do :; done",
    BIG + "while true; do i=$((i+1)); export v$i=$x; done",
    "while true; do i=$((i+1)); trap ':' S$i; done",
])
def test_a_script_that_takes_all_memory_is_out_of_it(runtime, script):
    lines, container = ran(runtime, script)
    assert lines[-1] == "sh: out of memory" and container.code == 2
    assert len(json.dumps(container.dump())) < 2 * MEMORY


def test_a_probe_that_takes_all_memory_fails(runtime):
    container = started(runtime, "sleep 1000")[1]
    done, _ = container.execute(["printf", "%1000000000d", "5"])
    assert done.status == 1 and "out of memory" in done.err


@pytest.mark.parametrize(("script", "lines"), [
    ("x=3037000500; echo $((x*x))", ["-9223372036709301616"]), ("echo $((9223372036854775807+1))", ["-9223372036854775808"]),
    ("x=9; for i in $(seq 1 40); do x=$((x*x)); done; echo done", ["done"]),
])
def test_numbers_wrap_around_at_64_bits(runtime, script, lines):
    assert ran(runtime, script)[0] == lines


@pytest.mark.parametrize("script", [
    "echo $((" + "1+" * 5000 + "1))", "echo " + "$(" * 500 + "echo 1" + ")" * 500, "if true; then " * 3000 + ":;" + " fi;" * 3000,
    "! " * 20000 + "true", "{ " * 5000 + ":;" + " }" * 5000, "echo a; " * 20_000,
])
def test_what_is_too_deep_or_too_long_says_so_and_stops(runtime, script):
    lines, _ = ran(runtime, script)
    assert len(lines) == 1 and lines[0].startswith("podium: ") and "is not simulated; the container stops here" in lines[0]


def test_exporting_the_same_name_for_ever_takes_no_more(runtime):
    container = ran(runtime, "while true; do export a; b=1; done", 300)[1]
    assert container.state["exported"] == ["a"]


def test_a_container_fills_its_own_file_system_up_to_a_bound(runtime):
    few = ran(runtime, "while true; do i=$((i+1)); echo $i > /tmp/f$i; done", 60)[1]
    assert len(few.own_files) == MOST_FILES
    lines, large = ran(runtime, BIG + "while true; do i=$((i+1)); echo $x > /tmp/f$i; done", 60)
    assert LARGEST - 40_000 < sum(len(text) for text in large.own_files.values()) <= LARGEST
    assert lines[-1] == "sh: write error: No space left on device"


def test_what_all_containers_write_has_a_bound_too_and_goes_with_their_pods(runtime):
    runtime.written.limit = 100_000
    first, one = started(runtime, BIG + "for i in 1 2 3 4 5; do echo $x > /tmp/f$i; done", "one")
    runtime.clock.run_for(5)
    assert 100_000 <= runtime.written.used < 150_000
    second, two = started(runtime, "echo a > /tmp/a", "two")
    runtime.clock.run_for(5)
    assert not two.own_files
    for sandbox in (first, second):
        runtime.remove(sandbox)
    assert runtime.written.used == 0


def test_a_log_of_long_lines_is_as_bounded_as_one_of_short_ones(runtime):
    container = ran(runtime, BIG + "while true; do echo $x; done", 30)[1]
    kept = container.log.all()
    assert 0 < sum(len(line.text) for line in kept) <= LARGEST_LOG
    rows = [row for _, rows in runtime.state.items("log/") for row in rows]
    assert len(kept) <= len(rows) <= len(kept) + CHUNK


def test_all_logs_have_a_bound_and_give_it_back(runtime):
    runtime.logged.limit = 200_000
    boxes = [started(runtime, BIG + "while true; do echo $x; sleep 1; done", f"b{number}") for number in range(10)]
    runtime.clock.run_for(60)
    assert runtime.logged.used <= 200_000 + 10 * 2 * 4096
    assert all(container.log.all() for _, container in boxes)
    for sandbox, _ in boxes:
        runtime.remove(sandbox)
    assert runtime.logged.used == 0 and not runtime.state.items("log/")


def test_a_short_log_keeps_as_many_lines_as_ever_and_is_read_back_whole(runtime):
    container = ran(runtime, "while true; do i=$((i+1)); echo $i; done", 60)[1]
    kept = [line.text for line in container.log.all()]
    assert len(kept) == CHUNK * CHUNKS and kept[-1] == str(container.log.total)
    chunks = {int(key.rsplit("/", 1)[1]): rows for key, rows in runtime.state.items("log/")}
    again = type(container.log)("log/x", State())
    again.load(chunks)
    assert [line.text for line in again.all()] == kept and again.total == container.log.total
