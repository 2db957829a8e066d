"""No pattern, script or input can hang Podium: the work is counted, what is held is bounded, and either end is told clearly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.compare import changes
from tests.cluster.runtime.programs.text_world import World, run


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a*)*b", "a*a*a*a*a*a*a*b", ".*.*.*.*.*=.*", "(x+x+)+y"])
def test_a_pattern_that_backtracks_without_end_elsewhere_takes_bounded_steps(pattern: str) -> None:
    wanted = regex.compile(pattern, True)
    assert wanted.search("a" * 2000 if "x" not in pattern else "x" * 2000) in (None, [(0, 2000), (1999, 2000)], [(0, 2000), (0, 2000)])
    assert wanted.steps < 5_000_000


def test_a_pattern_that_is_too_much_for_a_line_is_told_so() -> None:
    with pytest.raises(regex.TooComplex):
        regex.compile("((a{0,20}){0,20}){0,5}b", True).search("a" * 2000)


def test_a_pattern_with_back_references_gives_up_when_it_takes_too_long() -> None:
    code, out, err = run(["grep", "-E", r"(.*)(.*)(.*)(.*)(.*)z\1\2\3"], "y" * 3000 + "\n")
    assert (code, out, err) == (2, "", "grep: the pattern is too complex for a line of this length\n")


@pytest.mark.parametrize(("pattern", "text", "found"), [
    ("foo|foobar", "xfoobar", "foobar"), ("(a|ab)(c|bcd)(d*)", "abcd", "abcd"), ("x*", "aaa", ""), ("a|b|abc", "abc", "abc"),
    ("(ab|a)(bc|c)?", "abc", "abc"), ("(a|ab)(bc|c)?$", "abc", "abc")])
def test_of_all_leftmost_matches_the_longest_counts(pattern: str, text: str, found: str) -> None:
    (start, end), *_ = regex.compile(pattern, True).search(text)
    assert text[start:end] == found


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.text("ab(|)*.[]^$\\?+{1,}", max_size=12), st.text("ab\n", max_size=12))
def test_any_text_is_a_pattern_or_a_bad_one(pattern: str, text: str) -> None:
    for extended in (False, True):
        try:
            regex.compile(pattern, extended, False, 1).search(text)
        except (regex.BadPattern, regex.TooComplex):
            pass


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.recursive(st.sampled_from(["a", "b", "[ab]", "."]), lambda inner: st.one_of(
    st.tuples(inner, inner).map("".join), st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
    inner.map(lambda each: f"({each})*"), inner.map(lambda each: f"({each})?")), max_leaves=6), st.text("ab", max_size=7))
def test_the_longest_match_is_the_longest_of_all_that_match(pattern: str, text: str) -> None:
    import re

    ends = [end for end in range(len(text) + 1) if re.compile(pattern).fullmatch(text[:end])]
    found = regex.compile("^" + pattern if "|" not in pattern[:1] else pattern, True).search(text)
    assert (found[0][1] if found else None) == (max(ends) if ends else None)


@pytest.mark.parametrize("argv", [["sed", ":a;ba"], ["sed", ":a;s/^/x/;s/x//;ta"], ["awk", "BEGIN{while(1)i++}"], ["awk", "BEGIN{for(;;);}"],
                                  ["awk", "function f(){while(1)x++} BEGIN{f()}"], ["awk", "BEGIN{do{}while(1)}"]])
def test_an_endless_loop_keeps_a_core_busy_and_the_clock_on_time(argv: list[str]) -> None:
    world = World()
    proc = world.start(argv, "a\n")
    world.clock.run_for(300)
    assert proc.alive and world.system.burn is not None and world.clock.now == 300


@pytest.mark.parametrize(("argv", "stdin"), [(["sed", ":a;s/a/aa/g;ta"], "a\n"), (["awk", 'BEGIN{x="a"; while(1) x=x x}'], ""),
                                             (["awk", "BEGIN{while(1) a[i++]=i}"], ""), (["sort"], "x" * 3_000_000),
                                             (["sed", "H;x;G;h;G;x;:a;G;ba"], "aaaa\n")])
def test_what_needs_too_much_memory_says_so_and_ends(argv: list[str], stdin: str) -> None:
    code, _, err = run(argv, stdin, seconds=1_000_000)
    assert (code, err) == (1, f"{argv[0]}: out of memory\n")


def test_an_awk_function_may_call_itself_deeply_but_not_for_ever() -> None:
    assert run(["awk", "function f(n){return n ? 1 + f(n-1) : 0} BEGIN{print f(900)}"])[1] == "900\n"
    code, _, err = run(["awk", "function f(n){return f(n+1)} BEGIN{print f(1)}"])
    assert (code, err) == (2, "awk: function call nesting too deep\n")


@pytest.mark.parametrize("program", ["{" * 500, "(" * 500 + "1" + ")" * 500, "BEGIN{x=" + "-" * 3000 + "1}", "BEGIN{" + "if(1)" * 1000 + "x}",
                                     "BEGIN{printf \"%99999d\", 1}", "BEGIN{$100000000=1}", "BEGIN{NF=1e9}"])
def test_an_awk_program_that_is_too_much_is_refused(program: str) -> None:
    code, _, err = run(["awk", program])
    assert code in (1, 2) and err.startswith("awk: ") and "Podium" not in err


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.text("sabyGhHxpDdNnqt:;{}!/\\12$,~gI &\n-", max_size=16))
def test_any_text_is_a_sed_script_or_told_to_be_none(script: str) -> None:
    for kit in ("busybox", "debian"):
        code, _, err = run(["sed", script], "ab\nb\na\n", kit=kit, seconds=50)
        assert "Podium" not in err and (code in (None, 0) or 0 < code < 256)


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.text("{}()$1a+=~!/\"x;,\n <>|BEGIN%^[]-&?:in", max_size=20))
def test_any_text_is_an_awk_program_or_told_to_be_none(program: str) -> None:
    code, _, err = run(["awk", program], "ab 1\nb 2\n", seconds=50)
    assert "Podium" not in err and code in (None, *range(256))


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_the_changes_of_a_diff_make_one_text_of_the_other(one: list[str], other: list[str]) -> None:
    made, at = [], 0
    for start, end, low, high in changes(one, other):
        made += one[at:start] + other[low:high]
        at = end
    assert made + one[at:] == other


@pytest.mark.parametrize("argv", [["seq", "1", "200000"], ["awk", "BEGIN{for(i=0;i<20000;i++) print i, i*i}"], ["nl", "-w", "400", "big"],
                                  ["hexdump", "-C", "big"], ["sed", "s/./&&&&&&&&/g", "big"], ["od", "-tx1", "-v", "big"]])
def test_much_output_goes_out_in_pieces(argv: list[str]) -> None:
    code, out, err = run(argv, files={"big": "line of text\n" * 4000}, seconds=1_000_000)
    assert (code, err) == (0, "") and len(out) > 150_000
