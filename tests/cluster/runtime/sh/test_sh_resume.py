"""A script that is dumped as JSON and loaded on a fresh machine, at any moments, goes on exactly where it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster.runtime.sh.machine import Machine

WORDS = st.sampled_from(["a", "$x", '"$x y"', "$(echo q)", "$(sleep 1; echo s$x)", "$((x + 1))", "$((n += 1))", "${z:=d}", '"$@"', "$?", "*",
                         "`echo b`",
                         '"$(cat f)"', "$#", "${x#a}", "$n"])


def joined(parts: list[str]) -> str:
    return "\n".join(parts)


SIMPLE = st.one_of(
    st.builds(lambda words: "echo " + " ".join(words), st.lists(WORDS, max_size=3)),
    st.builds(lambda word: f"x={word}", WORDS),
    st.builds(lambda seconds: f"sleep {seconds}", st.sampled_from(["0.5", "1", "2"])),
    st.sampled_from(["n=$((n+1))", "false", "true", "[ $n -lt 5 ]", "(exit 3)", "echo err >&2", "read l", "set -- $x b", "cd /tmp", "pwd", "g 1", "g",
                     "echo t >> f", "cat f", "wait", "{ sleep 1; echo bg; } &", "kill -USR1 $$", "eval 'echo ev; sleep 1; echo $x'", ". ./lib",
                     "echo a | { sleep 1; cat; }", "cat <<E\nhere $x $(sleep 1; echo in)\nE", "local v=$n", "v=$x sleep 1", "sleep 1 > f",
                     "echo m | while read l; do sleep 1; echo \"<$l>\"; done"]))


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(joined)
    return st.one_of(
        st.builds(lambda one, two, three: f"if {one}\nthen\n{two}\nelse\n{three}\nfi", inner, body, body),
        st.builds(lambda word, body: f"for i in 1 {word} 3; do\n{body}\necho i$i\ndone", WORDS, body),
        st.builds(lambda body: f"k=0; while k=$((k+1)); [ $k -lt 3 ]; do\n{body}\ndone", body),
        st.builds(lambda body, end: f"for j in 1 2 3; do\n{body}\n{end}\ndone", body,
                  st.sampled_from(["break", "continue", "[ $n -gt 2 ] && break"])),
        st.builds(lambda word, one, two: f"case {word} in\na*) {one}\n;;\n*) {two}\n;;\nesac", WORDS, body, body),
        st.builds(lambda body: f"(\n{body}\n)", body),
        st.builds(lambda body, where: f"{{\n{body}\n}} {where}", body,
                  st.sampled_from(["", "> f", "2>&1 | cat", ">> f 2>&1", "< f", "&", "3>&1 >&3"])),
        st.builds(lambda body: f"f() {{\nlocal x=l\n{body}\nreturn 4\n}}\nf p q; echo $? $x", body),
        st.builds(lambda one, op, two: f"{one} {op} {two}", inner, st.sampled_from(["&&", "||"]), inner),
        st.builds(lambda body: f'y=$(\n{body}\n); echo "[$y]"', body),
        st.builds(lambda one: f"! {one}", SIMPLE),
    )


SCRIPTS = st.lists(st.recursive(SIMPLE, compound, max_leaves=8), min_size=1, max_size=4).map(joined)
PROLOGUE = ("g() { echo g$1; sleep 1; [ $# -gt 0 ] && g; echo g end; }\ntrap 'echo usr; sleep 1; echo $?' USR1\ntrap 'echo bye' EXIT\n"
            "x=abc n=0\nset -- p 'q r'\n")


def started(script: str, shell: str) -> Machine:
    machine = Machine("busybox" if shell == "sh" else "debian")
    machine.files.make_directory("/tmp/w", parents=True)  # noqa: S108
    machine.files.write("/tmp/w/f", "one\ntwo\n")  # noqa: S108
    machine.files.write("/tmp/w/lib", "echo lib; sleep 1; echo lib2; return 5\n")  # noqa: S108
    machine.start([shell, "-c", PROLOGUE + script], "l1\nl2\nl3\nl4\n")
    return machine


def outcome(machine: Machine) -> tuple[str, int | None, dict]:
    return machine.text, machine.exit, machine.own


@settings(max_examples=60, deadline=None)
@given(script=SCRIPTS, moments=st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0, 1.3, 2.0, 5.0]), min_size=1, max_size=8),
       shell=st.sampled_from(["sh", "dash", "bash"]))
def test_an_interrupted_script_prints_the_same_as_an_uninterrupted_one(script: str, moments: list[float], shell: str) -> None:
    whole = started(script, shell)
    whole.clock.run_for(2000)
    parts = started(script, shell)
    for moment in moments:
        parts.clock.run_for(moment)
        parts = parts.restarted()
    parts.clock.run_for(2000)
    assert parts.text == whole.text
    assert parts.exit == whole.exit
    assert {path: parts.files.read(path) for path in parts.own} == {path: whole.files.read(path) for path in whole.own}


@pytest.mark.parametrize("steps", range(0, 40, 3))
def test_a_script_goes_on_after_a_restart_in_the_midst_of_an_instant(steps: int) -> None:
    script = "for i in $(echo 1; sleep 1; echo 2); do echo $(echo $i) | cat > f$i; g $i; done; x=$(cat f1; sleep 1) y=$((n+=1)); echo $x $y $n"
    whole = started(script, "sh")
    whole.clock.run_for(100)
    parts = started(script, "sh")
    for _ in range(steps):
        parts.clock.step()
    parts = parts.restarted()
    parts.clock.run_for(100)
    assert outcome(parts)[:2] == outcome(whole)[:2]
