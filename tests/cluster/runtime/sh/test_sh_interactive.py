"""A shell in front of a person: prompts, keys, jobs, its end."""

from __future__ import annotations

import pytest

from server.cluster.runtime.sh import SHELL, begin, carry, incomplete
from server.cluster.runtime.tty import Tty
from tests.cluster.runtime.sh.machine import Machine


class Person:
    """Types at a shell, and sees what it shows."""

    def __init__(self, shell: str = "sh", kit: str = "busybox") -> None:
        self.machine = machine = Machine(kit)
        self.seen: list[str] = []
        for folder in ("/root", "/tmp/w"):  # noqa: S108
            machine.files.make_directory(folder, parents=True)
        machine.start(["sleep", "100000"])
        self.tty = Tty(lambda text: self.seen.append(text))
        self.shell = machine.system.spawn([shell], fds=dict.fromkeys((0, 1, 2), self.tty), cwd="/", session=True)
        self.tty.foreground = self.shell.group
        self.tty.on_signal = lambda signal: machine.system.signal_group(self.tty.foreground, signal)
        machine.clock.run_for(1)

    def types(self, *texts: str) -> str:
        """What is shown meanwhile."""
        self.seen.clear()
        for text in texts:
            self.tty.feed(text)
            self.machine.clock.run_for(3)
        return "".join(self.seen).replace("\r\n", "\n")


def test_ash_shows_the_directory_in_its_prompt() -> None:
    person = Person()
    assert "".join(person.seen) == "/ # "
    assert person.types("cd /tmp\r") == "cd /tmp\n/tmp # "
    assert person.types("cd\r") == "cd\n~ # "


def test_bash_shows_the_host_and_the_directory() -> None:
    assert "".join(Person("bash", "debian").seen) == "root@machine:/# "


def test_ps1_and_ps2_are_honoured() -> None:
    person = Person()
    assert person.types("PS1='\\h> ' PS2='more '\r", "if true\r", "then echo x; fi\r") == (
        "PS1='\\h> ' PS2='more '\nmachine> if true\nmore then echo x; fi\nx\nmachine> ")


def test_an_unfinished_command_is_gone_on_with() -> None:
    assert Person().types("cat <<E\r", "a $((1+1))\r", "E\r") == "cat <<E\n> a $((1+1))\n> E\na 2\n/ # "


@pytest.mark.parametrize("command", ["sleep 1000", "while :; do sleep 1; done", "while :; do :; done", "cat", "sleep 100 | cat", "wait", "read x",
                                     "(sleep 100); echo no", "f() { sleep 100; }; f; echo no", "x=$(sleep 100); echo no"])
def test_ctrl_c_ends_what_runs_and_brings_a_new_prompt(command: str) -> None:
    person = Person()
    start = "sleep 50 &\r" if command == "wait" else "\r"
    person.types(start)
    assert person.types(f"{command}\r", "\x03") == f"{command}\n^C\n/ # "
    assert person.types("echo $?\r") == "echo $?\n130\n/ # "


def test_ctrl_c_drops_a_line_that_is_typed() -> None:
    assert Person().types("echo half", "\x03", "echo x\r") == "echo half^C\n/ # echo x\nx\n/ # "


def test_ctrl_d_ends_the_shell_with_the_last_status() -> None:
    person = Person()
    person.types("(exit 4)\r", "\x04")
    assert person.shell.status == 4
    assert Person("bash", "debian").types("\x04") == "exit\n"


def test_exit_ends_it_with_a_code() -> None:
    person = Person()
    person.types("exit 3\r")
    assert person.shell.status == 3


def test_a_syntax_error_does_not_end_it() -> None:
    assert Person().types("fi\r", "echo $((1/0)); echo no\r", "set -u; echo $nope; echo no\r") == (
        'fi\nsh: syntax error: unexpected "fi"\n/ # echo $((1/0)); echo no\nsh: divide by zero\n'
        "/ # set -u; echo $nope; echo no\nsh: nope: parameter not set\n/ # ")


def test_jobs_that_end_are_told_of_before_the_prompt() -> None:
    person = Person()
    assert person.types("sleep 5 &\r", "jobs\r") == "sleep 5 &\n/ # jobs\n[1]+  Running                    sleep 5\n/ # "
    assert person.types("\r") == "\n[1]+  Done                       sleep 5\n/ # "


def test_fg_brings_a_job_back_and_ctrl_c_ends_it() -> None:
    assert Person().types("sleep 500 &\r", "fg\r", "\x03", "jobs\r") == "sleep 500 &\n/ # fg\nsleep 500\n^C\n/ # jobs\n/ # "


def test_the_history_is_lent_to_the_terminal() -> None:
    person = Person()
    person.types("echo one\r", "echo two\r")
    assert person.types("\x1b[A\x1b[A\r").endswith("one\n/ # ")


def test_tab_completes_programs_and_files() -> None:
    person = Person()
    person.machine.files.write("/tmp/w/long-name.txt", "text\n")  # noqa: S108
    assert person.types("unali\tx\r").startswith("unalias x")
    assert person.types("cat /tmp/w/lo\t\r").endswith("/tmp/w/long-name.txt \ntext\n/ # ")
    assert "/tmp/w/" in person.types("cd /tm\t\r", "cd w\t\r", "pwd\r").replace("\n", "/")


def test_sigterm_does_not_end_a_persons_shell() -> None:
    person = Person()
    person.types("kill -TERM $$\r")
    assert person.shell.alive


def test_a_line_after_the_other_keeps_variables_functions_and_the_directory() -> None:
    machine = Machine("debian")
    machine.files.make_directory("/tmp/w", parents=True)  # noqa: S108
    machine.start(["sleep", "1000"])
    carried: dict = {}
    for line in ("x=5; f() { echo f$x; }; alias e='echo al'", "export y=1; x=$((x+1)); set -- p q",
                 "f; e $1; sh -c 'echo [$x] $y'; trap 'echo no' EXIT; trap - EXIT",
                 "echo $? $#; cd /tmp/w; sleep 20 &", "pwd; jobs", "wait; jobs; echo over"):
        proc = machine.system.spawn(["bash"], fds={0: machine.out, 1: machine.out, 2: machine.err}, program=SHELL, state=begin(line, carried),
                                    cwd="/")
        state = proc.state
        machine.clock.run_for(5)
        carried = carry(state)
    machine.clock.run_for(30)
    assert machine.text == "f6\nal p\n[] 1\n0 2\n/tmp/w\n[1]+  Running                 sleep 20 &\nover\n"


def test_a_text_is_known_to_need_more_lines() -> None:
    assert [incomplete(text) for text in ("if x; then\n", "cat <<E\na\n", "echo 'a\n", "a |\n", "a \\\n", "f() {\n", "echo $(a\n")] == [True] * 7
    assert [incomplete(text) for text in ("echo a\n", "fi\n", "cat <<E\nE\n", "echo )\n", "")] == [False] * 5
