"""The first shell: what it runs, it runs right; what it cannot run it refuses."""

import pytest

from server.cluster.clock import Clock
from server.cluster.runtime.container import Launch
from server.cluster.runtime.images import image
from server.cluster.runtime.programs import plan
from server.cluster.runtime.runtime import Runtime
from server.cluster.runtime.shell import ShellSyntax, Unsupported, compile_script
from server.cluster.store import State


def ran(script, seconds=60, **environment):
    """(output lines, exit code or None while it runs)."""
    clock = Clock()
    runtime = Runtime(clock, State())
    sandbox = runtime.sandbox(("default", "box"), "u", "n", "box", "10.244.1.9")
    found = image("busybox")
    launch = Launch("c", found, plan(found, ("sh", "-c", script), ()))
    container = runtime.start(sandbox, launch, "0" * 64, lambda: {"HOME": "/root", **environment}, lambda container, code: None,
                              lambda container, files: None)
    clock.run_for(seconds)
    return [line.text for line in container.log.all()], container.code


@pytest.mark.parametrize(("script", "lines", "code"), [
    ("echo boom; exit 3", ["boom"], 3),
    ("tail -f /dev/null", [], None),
    ("cat /dev/null && echo end", ["end"], 0),
    ("echo a && echo b || echo c", ["a", "b"], 0),
    ("false && echo b || echo c", ["c"], 0),
    ("if [ -f /tmp/x ]; then echo yes; else echo no; fi", ["no"], 0),
    ("touch /tmp/x; if [ -f /tmp/x ]; then echo yes; fi", ["yes"], 0),
    ("for i in 1 2 3; do echo n$i; done", ["n1", "n2", "n3"], 0),
    ("for i in $(seq 1 5); do if [ $i = 3 ]; then continue; fi; if [ $i = 5 ]; then break; fi; echo $i; done", ["1", "2", "4"], 0),
    ("i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done", ["0", "1", "2"], 0),
    ("until [ -f /go ]; do touch /go; echo wait; done; echo went", ["wait", "went"], 0),
    ("echo \"$GREETING from $(hostname)\"", ["hi from box"], 0),
    ("echo '$GREETING'", ["$GREETING"], 0),
    ("echo ${MISSING:-none} [$MISSING] $?", ["none [] 0"], 0),
    ("false; echo $?", ["1"], 0),
    ("nosuch; echo $?", ["sh: nosuch: not found", "127"], 0),
    ("echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f", ["one", "two"], 0),
    ("echo hidden > /dev/null; echo seen 2>&1", ["seen"], 0),
    ("set -e; false; echo never", [], 1),
    ("! false && echo ok", ["ok"], 0),
    ("X=1; export X; printenv X; Y=2; printenv Y; echo $?", ["1", "1"], 0),
    ("printf '%s-%d\\n' a 5", ["a-5"], 0),
    ("echo $((2 * (3 + 4)))", ["14"], 0),
    ("# only a comment\necho x # and one more", ["x"], 0),
    ("exec echo last; echo never", ["last"], 0),
    ("echo foo > /tmp/f; echo bar >> /tmp/f; rev /tmp/f; rev /tmp/none", ["oof", "rab", "rev: can't open '/tmp/none': No such file or directory"], 1),
    ("date -u +%Y; sleep 1; date +%S", ["2026", "01"], 0),
])
def test_a_script_runs_as_in_a_real_shell(script, lines, code):
    out, exit_code = ran(script, GREETING="hi")
    assert exit_code == code
    assert out == lines


def test_a_loop_sleeps_on_virtual_time():
    out, code = ran("while true; do date; sleep 5; done", seconds=21)
    assert code is None and [line.split()[3] for line in out] == ["00:00:00", "00:00:05", "00:00:10", "00:00:15", "00:00:20"]


def test_a_busy_loop_does_not_stop_the_world():
    out, code = ran("while true; do :; done", seconds=100)
    assert (out, code) == ([], None)


@pytest.mark.parametrize("script", ["ls | wc", "sleep 1 &", "(cd /; ls)", "f() { echo; }", "case x in x) ;; esac", "cat <<EOF\nEOF",
                                    "ls *.txt", "echo $@", "wget http://x"])
def test_what_it_cannot_run_it_refuses(script):
    try:
        compile_script(script)
    except (Unsupported, ShellSyntax):
        return
    out, code = ran(script)
    assert code == 127 and out[-1].startswith("podium: ") and "not simulated" in out[-1]


@pytest.mark.parametrize("script", ["if true; then echo x", "echo 'open", "done", "while true; do echo x"])
def test_what_is_no_script_is_a_syntax_error(script):
    with pytest.raises(ShellSyntax):
        compile_script(script)
