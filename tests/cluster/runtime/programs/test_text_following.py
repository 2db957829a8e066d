"""tail -f, and what reads or writes without end: it costs nothing while nothing happens, and goes on after a restart."""

from __future__ import annotations

import pytest

from server.cluster.runtime.burners import CORE
from server.cluster.runtime.streams import Endless, Null, Pipe
from tests.cluster.runtime.programs.text_world import World


def test_tail_f_prints_what_is_written_afterwards() -> None:
    world = World(files={"log": "1\n2\n3\n"})
    world.start(["tail", "-n", "2", "-f", "log"])
    world.clock.run_for(10)
    assert world.out_text == "2\n3\n"
    world.write("log", "4\n")
    world.clock.run_for(10)
    assert world.out_text == "2\n3\n4\n" and world.exit is None


@pytest.mark.parametrize("argv", [["tail", "-f", "log"], ["tail", "-f", "/dev/null"], ["tail", "-F", "later"]])
def test_tail_f_schedules_nothing_while_nothing_is_written(argv: list[str]) -> None:
    world = World(files={"log": "1\n"})
    world.start(argv)
    world.clock.run_for(10)
    assert world.clock.next_due() is None and world.exit is None and world.system.burn is None


def test_tail_f_of_several_files_names_the_one_that_was_written() -> None:
    world = World(files={"a": "1\n", "b": "2\n"})
    world.start(["tail", "-f", "a", "b"])
    world.clock.run_for(1)
    world.write("b", "3\n")
    world.clock.run_for(1)
    world.write("a", "4\n")
    world.clock.run_for(1)
    world.write("a", "5\n")
    world.clock.run_for(1)
    assert world.out_text == "==> a <==\n1\n\n==> b <==\n2\n3\n\n==> a <==\n4\n5\n"


def test_tail_f_begins_again_when_the_file_is_truncated() -> None:
    world = World("debian", {"log": "one\ntwo\n"})
    world.start(["tail", "-f", "log"])
    world.clock.run_for(1)
    world.write("log", "x\n", append=False)
    world.clock.run_for(1)
    assert world.out_text == "one\ntwo\nx\n" and world.err_text == "tail: log: file truncated\n"


def test_tail_capital_f_waits_for_a_file_that_comes_later() -> None:
    world = World("debian", {"f": ""})
    world.start(["tail", "-F", "later"])
    world.clock.run_for(1)
    world.write("later", "here\n")
    world.clock.run_for(1)
    assert world.out_text == "here\n"
    assert world.err_text == ("tail: cannot open 'later' for reading: No such file or directory\n"
                              "tail: 'later' has appeared;  following new file\n")


def test_tail_f_of_a_missing_file_ends() -> None:
    world = World("busybox", {"f": ""})
    world.start(["tail", "-f", "later"])
    world.clock.run_for(1)
    assert (world.exit, world.err_text) == (1, "tail: can't open 'later': No such file or directory\ntail: no files\n")


def test_tail_f_goes_on_where_it_was_after_a_restart() -> None:
    world = World(files={"log": "1\n2\n"})
    world.start(["tail", "-n1", "-f", "log"])
    world.clock.run_for(1)
    world = world.restarted()
    world.write("log", "3\n")
    world.clock.run_for(1)
    assert world.out_text == "2\n3\n"


def test_tail_f_ends_when_nobody_reads_it_any_more() -> None:
    world = World(files={"log": "1\n"})
    pipe = Pipe()
    tail = world.start(["tail", "-f", "log"], out=pipe.writer)
    head = world.start(["head", "-n", "1"], pipe.reader)
    world.clock.run_for(1)
    assert not head.alive and not tail.alive and tail.status == 128 + 13
    assert world.out_text == "1\n"


def test_a_filter_prints_each_line_that_a_follower_sends_it() -> None:
    world = World(files={"log": "a 1\n"})
    pipe = Pipe()
    world.start(["tail", "-f", "log"], out=pipe.writer)
    world.start(["grep", "a"], pipe.reader)
    world.clock.run_for(1)
    world.write("log", "b 2\na 3\n")
    world.clock.run_for(1)
    assert world.out_text == "a 1\na 3\n"


@pytest.mark.parametrize("argv", [["sort", "-n"], ["sed", "s/1/x/"], ["awk", "{s+=$1} END{print s}"], ["tail", "-n", "2"], ["uniq", "-c"], ["wc"],
                                  ["md5sum"], ["tac"], ["grep", "-c", "1"], ["od", "-c"], ["base64"]])
def test_a_filter_that_was_restarted_in_the_middle_prints_the_same(argv: list[str]) -> None:
    first, rest = "3\n1\n1\n", "2\n10\n"
    world = World()
    world.start(argv, first + rest)
    world.clock.run_for(100)
    pipe = Pipe()
    broken = World()
    broken.start(argv, pipe.reader)
    feeder = broken.start(["sleep", "1000"], out=pipe.writer)
    pipe.writer.write(first)
    broken.clock.run_for(1)
    broken = broken.restarted()
    feeder = broken.system.procs[feeder.pid]
    assert feeder.fds[1].write(rest)
    broken.clock.run_for(5000)
    assert broken.out_text == world.out_text != ""


def test_a_restarted_program_reads_its_files_anew_and_its_input_on() -> None:
    world = World("debian", {"f": "1\n2\n3\n"})
    pipe = Pipe()
    world.start(["paste", "-", "f"], pipe.reader)
    feeder = world.start(["sleep", "1000"], out=pipe.writer)
    pipe.writer.write("a\n")
    world.clock.run_for(1)
    world = world.restarted()
    assert world.system.procs[feeder.pid].fds[1].write("b\n")
    world.clock.run_for(2000)
    assert world.out_text == "a\t1\nb\t2\n\t3\n"


@pytest.mark.parametrize(("argv", "hidden"), [(["yes"], True), (["cat", "/dev/zero"], True), (["md5sum", "/dev/zero"], False),
                                              (["sha256sum", "/dev/urandom"], False), (["seq", "1", "100000000000"], True)])
def test_what_computes_without_end_and_unseen_is_one_wait_with_a_core_busy(argv: list[str], hidden: bool) -> None:
    world = World()
    proc = world.start(argv, out=Null() if hidden else None)
    world.clock.run_for(1)
    assert proc.alive and world.system.burn["cpu"] == CORE
    world.clock.run_for(1_000_000)
    assert proc.alive
    again = world.restarted()
    again.clock.run_for(10)
    assert again.system.burn["cpu"] == CORE


def test_tail_of_an_endless_file_takes_all_the_memory() -> None:
    world = World()
    world.start(["tail"], Endless("/dev/zero"))
    world.clock.run_for(10)
    assert world.system.burn["memory"] > 1 << 40


def test_an_endless_output_that_is_read_slowly_is_bounded() -> None:
    world = World()
    pipe = Pipe()
    world.start(["yes"], out=pipe.writer)
    world.clock.run_for(100)
    assert len(pipe.text) <= 128 * 1024
    pipe.reader.open().close()
    world.clock.run_for(100)
    assert world.exit == 128 + 13
