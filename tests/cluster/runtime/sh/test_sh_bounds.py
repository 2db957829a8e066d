"""What a script may cost: a loop that does nothing is one event, memory and processes have bounds, signals find pid 1."""

from __future__ import annotations

import orjson
import pytest

from server.cluster.runtime.signals import KILL, TERM
from tests.cluster.runtime.sh.machine import Machine, run


def events(script: str, seconds: float) -> tuple[Machine, int]:
    machine, count = Machine(), 0
    machine.files.make_directory("/tmp/w", parents=True)  # noqa: S108
    machine.start(["sh", "-c", script])
    while (due := machine.clock.next_due()) is not None and due <= seconds:
        machine.clock.step()
        count += 1
    return machine, count


@pytest.mark.parametrize("script", ["while :; do :; done", "until false; do x=1; done", "while true; do [ 1 = 1 ] && continue; done",
                                    "f() { while :; do test -z ''; done; }; f"])
def test_a_loop_that_does_nothing_costs_nothing_and_keeps_a_core_busy(script: str) -> None:
    machine, count = events(script, 100_000)
    assert count < 20
    assert machine.system.burn["cpu"] == 10**9
    again = machine.restarted()
    again.clock.run_for(1000)
    assert again.system.burn["cpu"] == 10**9
    again.system.signal(again.system.procs[1], KILL)


def test_a_loop_that_counts_makes_few_events() -> None:
    _, count = events("i=0; while :; do i=$((i+1)); done", 1000)
    assert count < 3000


def test_a_counting_loop_ends() -> None:
    assert run("i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done; echo $i", seconds=10_000) == (0, "1000\n")


@pytest.mark.parametrize("script", ["x=a; while :; do x=$x$x; done", "set -- a; while :; do set -- $@ $@; done", "x=$(cat /dev/zero)",
                                    "for i in $(seq 100000); do :; done", "read x < /dev/zero", "while :; do a=$a$a$(echo b); done"])
def test_memory_has_a_bound(script: str) -> None:
    assert run(script, seconds=10_000) == (1, "sh: out of memory\n")


@pytest.mark.parametrize("script", ["f() { f; }; f", "f() { eval f; }; f", "f() { ! f; }; f"])
def test_recursion_has_a_bound(script: str) -> None:
    code, text = run(script, seconds=10_000)
    assert code == 2 and "maximum function recursion depth (1000) reached" in text


def test_a_fork_bomb_meets_the_bound_of_processes() -> None:
    machine, count = events("f() { f & f; }; f", 100)
    assert "sh: can't fork: Resource temporarily unavailable\n" in machine.text
    assert len(machine.system.procs) <= 64 * 2
    assert count < 5000


def test_a_trap_that_signals_itself_does_not_grow() -> None:
    machine, _ = events("trap 'kill $$' TERM; kill $$; echo x", 100)
    assert len(orjson.dumps(machine.system.dump())) < 5000


@pytest.mark.parametrize("text", ["(" * 5000, "$(" * 5000, "if " * 5000, "{ " * 5000, '"$(' * 5000, "${" * 5000, "$((" * 5000, "! " * 5000 + "x",
                                  "case x in a) " * 5000,
                                  "echo " + "a" * 100_000, "x=" + "{a," * 50, "[[ " + "( " * 5000, "`" * 5000, "<<E " * 3000, "a|" * 5000])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_no_text_is_too_much_for_the_parser(text: str, shell: str) -> None:
    code, said = run(text, shell, "busybox" if shell == "sh" else "debian", seconds=100)
    assert code is not None and "Podium" not in said


def test_patterns_take_no_exponential_time() -> None:
    script = "x=$(printf '%05000d' 0); case $x in *0*0*0*0*0*0*0*0*0*0*1) echo no;; *) echo yes;; esac; echo ${#x} ${x%%*1*0*1*0*1}" + " | wc -c"
    assert run(script)[0] == 0


def test_sigterm_runs_the_trap_of_pid_1_while_it_waits() -> None:
    machine = Machine()
    machine.start(["sh", "-c", "trap 'echo stopping; exit 7' TERM; sleep 1000 & wait $!"])
    machine.clock.run_for(10)
    machine.system.signal(machine.system.procs[1], TERM)
    machine.clock.run_for(1)
    assert (machine.exit, machine.text) == (7, "stopping\n")


def test_a_trap_waits_for_the_foreground_command() -> None:
    machine = Machine()
    machine.start(["sh", "-c", "trap 'echo stopping; exit 7' TERM; sleep 30; echo never"])
    machine.clock.run_for(10)
    machine.system.signal(machine.system.procs[1], TERM)
    machine.clock.run_for(10)
    assert machine.exit is None
    machine.clock.run_for(20)
    assert (machine.exit, machine.text) == (7, "stopping\n")


def test_pid_1_without_a_trap_does_not_hear_sigterm() -> None:
    machine = Machine()
    machine.start(["sh", "-c", "while true; do sleep 1; done"])
    machine.clock.run_for(10)
    machine.system.signal(machine.system.procs[1], TERM)
    machine.clock.run_for(10)
    assert machine.exit is None


def test_exec_makes_the_process_another_program() -> None:
    machine = Machine()
    machine.start(["sh", "-c", "echo a; trap 'echo no' TERM EXIT; exec sleep 50"])
    machine.clock.run_for(10)
    assert [(proc.pid, proc.argv) for proc in machine.system.procs.values()] == [(1, ["sleep", "50"])]
    machine = machine.restarted()
    machine.clock.run_for(39)
    assert machine.exit is None
    machine.clock.run_for(2)
    assert (machine.exit, machine.text) == (0, "a\n")


def test_the_last_command_of_c_takes_the_shells_place() -> None:
    machine = Machine()
    machine.start(["sh", "-c", "sleep 5"])
    machine.clock.run_for(1)
    assert [proc.name for proc in machine.system.procs.values()] == ["sleep"]
