"""Ctrl-Z, fg, bg, jobs and SIGSTOP: a command that stands still until it is told to go on."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from tests.cluster.runtime.containers_world import Containers
from tests.rooms.desk import Desk


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk(Cluster(seed=3))


def test_ctrl_z_parks_a_command_and_fg_takes_it_up(desk):
    screen = desk.sit("ssh w1-k8s")
    screen.type("sleep 50\r")
    assert screen.type("\x1a").endswith("^Z\n[1]+  Stopped                 sleep 50\nroot@w1-k8s:~# ")
    assert "148\n" in screen.type("echo $?\r") and "T" in screen.type("ps -o stat,args | grep [s]leep\r").split("\n")[1]
    assert "[1]+  Stopped                 sleep 50\n" in screen.type("jobs\r")
    assert screen.type("fg\r") == "fg\nsleep 50\n"
    assert screen.type("\x1a").endswith("[1]+  Stopped                 sleep 50\nroot@w1-k8s:~# ")
    assert "[1]+ sleep 50 &\n" in screen.type("bg\r") and "Running                 sleep 50 &" in screen.type("jobs\r")
    assert "Terminated" in screen.type("kill %1; sleep 1; jobs\r")


def test_what_is_stopped_ends_with_its_shell(desk):
    screen = desk.sit("ssh w2-k8s")
    screen.type("sleep 5000\r")
    screen.type("\x1a")
    screen.type("exit\r")
    assert desk.run("ssh w2-k8s pgrep -x sleep").code == 1


def test_a_process_that_is_stopped_does_nothing_until_it_goes_on():
    world = Containers()
    world.pod("p", "busybox", ["sh", "-c", "(while true; do echo tick; sleep 1; done) & echo $! > /tmp/pid; wait; echo over; sleep 9999"])
    world.settle(10)
    assert world.run("p", "kill -STOP $(cat /tmp/pid)")[1] == 0
    world.settle(2)
    before = world.logs("p")
    world.settle(20)
    assert world.logs("p") == before and world.run("p", "ps -o stat,args | grep -c ^T")[0] == "1\n"
    assert world.run("p", "kill -TERM $(cat /tmp/pid); kill -CONT 1; kill -CONT $(cat /tmp/pid)")[1] == 0
    world.settle(3)
    assert world.logs("p") == before + "over\n"
