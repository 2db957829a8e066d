"""A person who leaves in the middle: what was started for them finds that nobody reads any more, as on a real node."""

from __future__ import annotations

import pytest

from server.cluster.runtime.session import Session
from server.cluster.runtime.signals import HUP, PIPE
from tests.cluster.runtime.containers_world import Containers


@pytest.fixture(scope="module")
def world() -> Containers:
    world = Containers()
    world.pod("box", "busybox", ["sleep", "86400"])
    world.settle()
    return world


def entered(world: Containers, argv: list[str], **how: bool):
    container, session = world.cluster.kubelets.runtime.container("default", "box", "c"), Session(**how)
    proc = container.execute(argv, session)
    world.settle(5)
    return container, session, proc


@pytest.mark.parametrize("script", ["exec yes", "while true; do echo a; done", "while true; do echo a; sleep 1; done", "yes | cat",
                                    "exec seq 1 100000000", "exec cat /dev/zero", "exec yes >&2"])
def test_what_prints_to_a_session_that_is_gone_ends_of_the_closed_pipe(world, script):
    container, session, proc = entered(world, ["sh", "-c", script])
    assert proc.alive
    session.close()
    world.settle(30)
    assert not proc.alive and proc.status == 128 + PIPE
    assert session not in container.sessions and container.cpu() < 10


def test_what_prints_nothing_lives_on(world):
    container, session, proc = entered(world, ["sleep", "600"])
    session.close()
    world.settle(30)
    assert proc.alive
    proc.stop(0)


def test_what_reads_from_a_session_that_is_gone_comes_to_the_end_of_its_input(world):
    _, session, proc = entered(world, ["sh", "-c", "cat > /tmp/typed; echo over >> /tmp/typed"], stdin=True)
    session.send("hello\n")
    session.close()
    world.settle(5)
    assert not proc.alive and world.run("box", "cat /tmp/typed") == ("hello\nover\n", 0)


def test_the_terminal_of_a_session_that_is_gone_hangs_up(world):
    _, session, proc = entered(world, ["sleep", "600"], tty=True)
    session.close()
    world.settle(5)
    assert proc.status == 128 + HUP


def test_what_is_in_the_background_of_a_terminal_that_hung_up_cannot_print_there(world):
    container, session, shell = entered(world, ["sh"], tty=True)
    session.send("trap '' HUP; yes &\n")
    world.settle(5)
    before = [proc.name for proc in container.system.procs.values()]
    session.close()
    world.settle(30)
    assert "yes" in before and not shell.alive
    assert [proc.name for proc in container.system.procs.values() if proc.alive] == ["sleep"]


def test_sessions_that_are_gone_leave_room_for_others(world):
    for _ in range(40):
        _, session, _ = entered(world, ["sleep", "30"])
        session.close()
    assert world.run("box", "echo here") == ("here\n", 0)
    world.settle(60)


def test_an_attached_session_that_is_gone_is_nothing_to_the_process():
    world = Containers()
    world.pod("echoes", "busybox", ["sh", "-c", "while true; do date; sleep 1; done"], container={"stdin": True, "stdinOnce": True})
    world.settle()
    container, session = world.cluster.kubelets.runtime.container("default", "echoes", "c"), Session(stdin=True)
    container.attach(session)
    world.settle(3)
    session.close()
    before = len(world.logs("echoes"))
    world.settle(10)
    assert container.running and len(world.logs("echoes")) > before


def test_a_terminal_whose_person_is_gone_stays_open_for_the_first_process():
    world = Containers()
    world.pod("shell", "busybox", ["sh", "-c", "read x; while true; do date; sleep 1; done"],
              container={"stdin": True, "stdinOnce": True, "tty": True})
    world.settle()
    container, session = world.cluster.kubelets.runtime.container("default", "shell", "c"), Session(stdin=True, tty=True)
    container.attach(session)
    session.send("go\n")
    world.settle(3)
    session.close()
    before = len(world.logs("shell"))
    world.settle(10)
    assert container.running and len(world.logs("shell")) > before


def test_the_load_average_is_the_number_of_busy_processes():
    world = Containers()
    world.pod("idle", "busybox", ["sleep", "86400"])
    world.pod("busy", "busybox", ["sh", "-c", "while true; do :; done"])
    world.settle(30)
    one, five, fifteen = (float(each) for each in world.run("busy", "cat /proc/loadavg")[0].split()[:3])
    assert 0.25 < one < 0.6 and one > five > fifteen > 0
    world.settle(1200)
    one, five, fifteen = (float(each) for each in world.run("busy", "cat /proc/loadavg")[0].split()[:3])
    assert all(0.7 < each < 1.3 for each in (one, five, fifteen))
