"""What programs in a container can take: so much and no more, whatever they try."""

from __future__ import annotations

import json

import pytest

from server.cluster.clock import Clock
from server.cluster.runtime.container import Launch
from server.cluster.runtime.images import image
from server.cluster.runtime.logs import CHUNK, CHUNKS
from server.cluster.runtime.logs import LARGEST as LARGEST_LOG
from server.cluster.runtime.plans import plan
from server.cluster.runtime.program import MEMORY
from server.cluster.runtime.runtime import Runtime
from server.cluster.runtime.session import UNREAD, Session
from server.cluster.runtime.sh.regex import search
from server.cluster.runtime.sh.state import Trouble
from server.cluster.runtime.streams import PIPE_SIZE
from server.cluster.runtime.system import MOST_PROCESSES
from server.cluster.store import State
from tests.cluster import inside

LARGEST_DUMP = 4 * MEMORY


@pytest.fixture
def runtime():
    return Runtime(Clock(), State())


def started(runtime, script, name="box"):
    found = image("busybox")
    sandbox = runtime.sandbox(("default", name), name, "n", name, "10.244.1.9")
    return sandbox, runtime.start(sandbox, Launch("c", found, plan(found, ("sh", "-c", script), ())), name.ljust(64, "0"),
                                  lambda: {"PATH": "/bin"}, lambda container, code: None, lambda container, files: None)


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
    BIG + "echo $x > /tmp/a; y=$(cat " + "/tmp/a " * 1000 + ")",
    BIG + "for w in " + "$x " * 1000 + "; do :; done",
    BIG + "while true; do i=$((i+1)); export v$i=$x; done",
    "f() { f $1a; }; f a",
    "printf '%1000000000d' 5", "printf '%-1000000000s' 5",
])
def test_a_script_that_takes_all_memory_comes_to_an_end(runtime, script):
    lines, container = ran(runtime, script, 120)
    assert container.code not in (None, 0) and lines
    assert len(json.dumps(container.dump())) < LARGEST_DUMP


@pytest.mark.parametrize("script", [
    "b() { b | b & }; b; while true; do b; done", ":(){ :|:& };:", "while true; do sleep 100 & done",
    "while true; do sh -c 'while true; do sleep 100 & done' & done", "while true; do (yes | cat | cat > /dev/null) & done",
])
def test_processes_without_end_are_bounded_in_number_and_in_what_they_keep(runtime, script):
    _, container = ran(runtime, script, 60)
    if container.running:
        assert sum(proc.alive for proc in container.system.procs.values()) <= MOST_PROCESSES
        assert len(json.dumps(container.dump())) < LARGEST_DUMP


def test_a_container_that_is_full_of_processes_says_so_and_goes_on_when_some_have_ended(runtime):
    lines, container = ran(runtime, f"for i in $(seq 1 {MOST_PROCESSES + 5}); do sleep 20 & done; wait; echo over", 60)
    assert "sh: can't fork: Resource temporarily unavailable" in lines or lines[-1] == "over"
    assert not container.running or len(container.system.procs) <= MOST_PROCESSES


@pytest.mark.parametrize("script", [
    "while true; do :; done", "while true; do echo x; done", "yes", "yes | cat", "while true; do ls / > /dev/null; done",
    "i=0; while true; do i=$((i+1)); done", "awk 'BEGIN { while (1) x++ }'", "seq 1 100000000", "cat /dev/zero | tr a b > /dev/null",
    "find / ; while true; do find / > /dev/null; done", "while true; do echo $RANDOM | sort | uniq -c; done",
])
def test_what_never_ends_does_a_bounded_amount_of_work_in_a_second(runtime, script):
    container = started(runtime, script)[1]
    runtime.clock.run_for(2)
    steps = 0
    end = runtime.clock.now + 60
    while (due := runtime.clock.next_due()) is not None and due <= end:
        runtime.clock.step()
        steps += 1
    assert steps < 60_000
    assert container.running and container.cpu() >= 950


def test_a_pipe_that_nobody_reads_holds_no_more_than_a_pipe(runtime):
    container = ran(runtime, "yes | sleep 1000", 60)[1]
    data = container.system.dump()
    assert all(len(text) <= PIPE_SIZE + MEMORY for _, text, _, _ in data["pipes"])


@pytest.mark.parametrize(("script", "lines"), [
    ("x=3037000500; echo $((x*x))", ["-9223372036709301616"]), ("echo $((9223372036854775807+1))", ["-9223372036854775808"]),
    ("x=9; for i in $(seq 1 40); do x=$((x*x)); done; echo done", ["done"]),
])
def test_numbers_wrap_around_at_64_bits(runtime, script, lines):
    assert ran(runtime, script)[0] == lines


@pytest.mark.parametrize("script", [
    "echo $((" + "1+" * 50000 + "1))", "echo " + "$(" * 500 + "echo 1" + ")" * 500, "if true; then " * 3000 + ":;" + " fi;" * 3000,
    "! " * 20000 + "true", "{ " * 5000 + ":;" + " }" * 5000, "echo a; " * 15_000,
])
def test_what_is_too_deep_or_too_long_comes_to_an_end(runtime, script):
    lines, container = ran(runtime, script, 1200)
    assert not container.running and (container.code == 0 or lines)


def test_a_container_fills_its_own_file_system_up_to_a_bound(runtime):
    lines, few = ran(runtime, "while true; do i=$((i+1)); echo $i > /tmp/f$i || exit 7; done", 600)
    assert few.code == 7 and lines[-1].endswith("No space left on device")
    lines, large = ran(runtime, BIG + "while true; do i=$((i+1)); echo $x > /tmp/f$i || exit 7; done", 600)
    assert large.code == 7 and len(json.dumps(large.dump())) < LARGEST_DUMP


def test_what_all_containers_write_has_a_bound_too_and_goes_with_their_pods(runtime):
    runtime.written.limit = 100_000
    first, one = started(runtime, BIG + "for i in 1 2 3 4 5; do echo $x > /tmp/f$i; done", "one")
    runtime.clock.run_for(5)
    assert 100_000 <= runtime.written.used < 200_000
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
    assert runtime.logged.used <= 200_000 + 10 * 2 * 32 * 1024
    assert all(container.log.all() for _, container in boxes)
    for sandbox, _ in boxes:
        runtime.remove(sandbox)
    assert runtime.logged.used == 0 and not runtime.state.items("log/")


def test_a_short_log_keeps_as_many_lines_as_ever_and_is_read_back_whole(runtime):
    container = ran(runtime, "while true; do i=$((i+1)); echo $i; done", 120)[1]
    kept = [line.text for line in container.log.all()]
    assert len(kept) == CHUNK * CHUNKS and kept[-1] == str(container.log.total)
    chunks = {int(key.rsplit("/", 1)[1]): rows for key, rows in runtime.state.items("log/")}
    again = type(container.log)("log/x", State())
    again.load(chunks)
    assert [line.text for line in again.all()] == kept and again.total == container.log.total


def test_a_session_whose_output_nobody_takes_waits(runtime):
    container = started(runtime, "sleep 1000")[1]
    session = Session()
    container.execute(["yes"], session)
    runtime.clock.run_for(600)
    held = sum(len(text) for _, text in session.output.items)
    assert UNREAD <= held < UNREAD + MEMORY
    session.close()
    assert inside.run(container, "echo", "still there").out == "still there\n"


@pytest.mark.parametrize("pattern", ["(a|aa)+c", "(a*)*c", "(a|a?)+$c", "(.*)(.*)(.*)(.*)c"])
def test_an_expression_of_bash_is_not_tried_without_end(pattern):
    try:
        assert search(pattern, "a" * 60) is None
    except Trouble as trouble:
        assert "too complex" in str(trouble)
