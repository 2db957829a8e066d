"""Programs that run programs, in busybox's and in GNU's words, and over a restart."""

from __future__ import annotations

import pytest

from tests.cluster.runtime.sh.machine import Machine, run

SMALL, GNU = "busybox", "debian"


@pytest.mark.parametrize(("kit", "script", "text"), [
    (SMALL, "timeout 2 sleep 10; echo $?", "143\n"), (GNU, "timeout 2 sleep 10; echo $?", "124\n"),
    (GNU, "timeout -s KILL 2 sleep 10; echo $?", "137\n"), (GNU, "timeout 5 sh -c 'exit 3'; echo $?", "3\n"),
    (GNU, "timeout -k 1 2 sh -c \"trap '' TERM; sleep 100\"; echo $?", "137\n"), (GNU, "timeout --preserve-status 1 sleep 9; echo $?", "143\n"),
    (SMALL, "timeout x true; echo $?", "timeout: invalid number 'x'\n1\n"),
    (GNU, "timeout x true; echo $?", "timeout: invalid time interval 'x'\nTry 'timeout --help' for more information.\n125\n"),
    (SMALL, "timeout 2 nope; echo $?", "timeout: can't execute 'nope': No such file or directory\n127\n"),
    (GNU, "timeout 2 nope; echo $?", "timeout: failed to run command 'nope': No such file or directory\n127\n"),
    (GNU, "env -i A=1 B='x y' env; env -u HOME sh -c 'echo [$HOME]'", "A=1\nB=x y\n[]\n"),
    (GNU, "env nope; echo $?", "env: 'nope': No such file or directory\n127\n"),
    (SMALL, "env nope; echo $?", "env: can't execute 'nope': No such file or directory\n127\n"),
    (SMALL, "printf \"a 'b c'\\n d\\\\\\\\ e\" | xargs -n1", "a\nb c\nd e\n"),
    (SMALL, "printf 'a b\\nc\\n' | xargs -I{} echo [{}] {}x", "[a b] a bx\n[c] cx\n"),
    (GNU, "printf 'a b\\0c' | xargs -0 -n1 echo", "a b\nc\n"), (GNU, "echo a,b,c | tr -d '\\n' | xargs -d , -n2", "a b\nc\n"),
    (SMALL, "printf '1 2 3' | xargs -t -n2 echo x", "echo x 1 2\nx 1 2\necho x 3\nx 3\n"),
    (SMALL, "xargs echo none < /dev/null; xargs -r echo none < /dev/null; echo $?", "none\n0\n"),
    (SMALL, "echo 1 2 | xargs -n1 sh -c 'exit 3'; echo $?", "123\n"),
    (SMALL, "echo a | xargs nope; echo $?", "xargs: nope: No such file or directory\n127\n"),
    (SMALL, "echo 1 2 | xargs -n1 sh -c 'exit 255'; echo $?", "xargs: sh: exited with status 255; aborting\n124\n"),
    (SMALL, "echo \"a'b\" | xargs; echo $?", "xargs: unmatched single quote\n1\n"),
    (SMALL, "time sleep 1.5", "real\t0m 1.50s\nuser\t0m 0.00s\nsys\t0m 0.00s\n"), (SMALL, "which sh nope; echo $?", "/bin/sh\n1\n"),
    (GNU, "nohup echo a; nice nice; setsid echo q", "a\n0\nq\n"), (GNU, "xargs --nope; echo $?",
     "xargs: unrecognized option '--nope'\nTry 'xargs --help' for more information.\n1\n"),
    (SMALL, "timeout 3 watch -n 2 echo x", "\x1b[H\x1b[JEvery 2.0s: echo x                                           2026-01-01 00:00:00\n\nx\n"
     "\x1b[H\x1b[JEvery 2.0s: echo x                                           2026-01-01 00:00:02\n\nx\n"),
])
def test_a_runner_prints_what_the_real_one_prints(kit: str, script: str, text: str) -> None:
    assert run(script, "sh", kit)[1] == text


def test_xargs_runs_several_at_once() -> None:
    assert run("echo 3 1 2 | xargs -n1 -P3 sh -c 'sleep $0; echo $0'")[1] == "1\n2\n3\n"


@pytest.mark.parametrize("script", ["timeout 10 sleep 100; echo $?", "(sleep 3; echo 1 2; sleep 3; echo 3) | xargs -n1 sh -c 'sleep 2; echo $0'",
                                    "timeout 9 watch -t -n 2 date", "time sleep 5", "env A=1 sh -c 'sleep 4; echo $A'", "nohup sleep 4; echo $?"])
def test_a_runner_goes_on_after_a_restart(script: str) -> None:
    def begun() -> Machine:
        machine = Machine()
        machine.files.make_directory("/tmp/w", parents=True)  # noqa: S108
        machine.start(["sh", "-c", script])
        return machine
    whole = begun()
    whole.clock.run_for(60)
    parts = begun()
    for moment in (0.0, 1.5, 2.0, 1.0, 3.2):
        parts.clock.run_for(moment)
        parts = parts.restarted()
    parts.clock.run_for(60)
    assert (parts.text, parts.exit) == (whole.text, whole.exit)
