"""What text programs do to files, to other programs and to terminals, which a record of their output does not show."""

from __future__ import annotations

import pytest

from server.cluster.runtime.streams import Given
from server.cluster.runtime.tty import Tty
from tests.cluster.runtime.programs.text_world import HOME, World, run


@pytest.mark.parametrize("kit", ["busybox", "debian"])
def test_sed_i_changes_the_file_and_keeps_a_copy_if_asked(kit: str) -> None:
    world = World(kit, {"a": "one\ntwo\n", "b": "one"})
    world.start(["sed", "-i.bak", "s/one/1/;$s/$/!/", "a", "b"])
    world.clock.run_for(10)
    read = {name: world.files.read(f"{HOME}/{name}") for name in ("a", "b", "a.bak", "b.bak")}
    assert read == {"a": "1\ntwo!\n", "b": "1!", "a.bak": "one\ntwo\n", "b.bak": "one"}


def test_sed_writes_files() -> None:
    world = World(files={"f": "a\nb\nab\n"})
    world.start(["sed", "-n", "/a/w found\ns/b/B/w changed", "f"])
    world.clock.run_for(10)
    assert (world.files.read(f"{HOME}/found"), world.files.read(f"{HOME}/changed")) == ("a\nab\n", "B\naB\n")


def test_tee_writes_its_files_and_appends_with_a() -> None:
    world = World(files={"one": "old\n", "two": "old\n"})
    world.start(["tee", "one"], "x\n")
    world.start(["tee", "-a", "two"], "y\n")
    world.clock.run_for(10)
    assert (world.files.read(f"{HOME}/one"), world.files.read(f"{HOME}/two"), world.out_text) == ("x\n", "old\ny\n", "x\ny\n")


def test_sort_o_may_write_the_file_that_it_read() -> None:
    world = World(files={"f": "b\na\n"})
    world.start(["sort", "-o", "f", "f"])
    world.clock.run_for(10)
    assert world.files.read(f"{HOME}/f") == "a\nb\n"


def test_split_makes_pieces_by_lines_and_by_bytes() -> None:
    world = World("debian", {"f": "1\n2\n3\n4\n5\n"})
    world.start(["split", "-l", "2", "f"])
    world.start(["split", "-b", "3", "-d", "f", "part."])
    world.clock.run_for(10)
    read = lambda name: world.files.read(f"{HOME}/{name}")  # noqa: E731
    assert [read("xaa"), read("xab"), read("xac")] == ["1\n2\n", "3\n4\n", "5\n"]
    assert [read("part.00"), read("part.03"), read("part.04")] == ["1\n2", "\n", None]


def test_head_leaves_to_the_next_reader_what_it_did_not_need() -> None:
    world, shared = World(), Given("1\n2\n3\n")
    world.start(["head", "-n", "1"], shared)
    world.clock.run_for(1)
    world.start(["cat"], shared)
    world.clock.run_for(1)
    assert world.out_text == "1\n2\n3\n"


@pytest.mark.parametrize(("program", "out"), [
    ('BEGIN{print "b\\na" | "sort"; print "first"}', "first\na\nb\n"),
    ('BEGIN{print "x" | "cat"; close("cat"); print "y"}', "x\ny\n"),
    ('BEGIN{while (("echo a b; echo c" | getline line) > 0) print "<" line ">"}', "<a b>\n<c>\n"),
    ('BEGIN{"echo 1 2" | getline; print $2, NF}', "2 2\n"),
    ('BEGIN{"date +%s" | getline now; print (now > 0)}', "1\n"),
    ('BEGIN{code = system("exit 3"); print code}', "3\n"),
    ('BEGIN{print "to file" > "out"; close("out"); getline x < "out"; print x}', "to file\n"),
    ('BEGIN{print "1" > "o"; print "2" > "o"; close("o"); print "3" >> "o"; close("o"); while((getline x < "o") > 0) printf "%s ", x}', "1 2 3 "),
    ('BEGIN{print (getline x < "missing")}', "-1\n"),
    ('BEGIN{srand(1); a = rand(); srand(1); print (a == rand()), (a >= 0 && a < 1), srand()}', "1 1 1\n"),
    ('BEGIN{printf "%s", ENVIRON["HOME"]}', "/root"),
])
def test_awk_talks_to_files_and_commands(program: str, out: str) -> None:
    assert run(["awk", program]) == (0, out, "")


def test_the_same_chance_comes_each_time() -> None:
    lines = "".join(f"{n}\n" for n in range(30))
    once, again = run(["shuf"], lines)[1], run(["shuf"], lines)[1]
    assert once == again != lines and sorted(once.split()) == sorted(lines.split())


def test_bytes_that_are_no_text_pass_through_unchanged() -> None:
    raw = bytes(range(256)).decode("utf-8", "surrogateescape")
    for argv in (["cat"], ["sed", "p;d"], ["awk", "{print}"], ["tr", "x", "x"], ["tail", "-n", "9"], ["base64", "-d"]):
        given = run(["base64"], raw)[1] if argv[0] == "base64" else raw + "\n"
        assert run(argv, given)[1].rstrip("\n") == raw.rstrip("\n")


def test_wc_counts_bytes_and_characters() -> None:
    assert run(["wc", "-c"], "é\n")[1] == "3\n"
    assert run(["wc", "-m"], "é\n")[1] == "2\n"


def test_reading_what_a_recursive_grep_finds_needs_no_operand() -> None:
    code, out, _ = run(["grep", "-r", "needle"], files={"a/b": "x\nneedle\n", "c": "needle\n"})
    assert (code, sorted(out.splitlines())) == (0, ["a/b:needle", "c:needle"])


def _screen(world: World, argv: list[str], rows: int = 5) -> tuple[Tty, list[str]]:
    shown: list[str] = []
    tty = Tty(lambda text: shown.append(text), 40, rows)
    world.start(argv, tty, tty)
    world.clock.run_for(1)
    return tty, shown


def test_less_shows_a_screen_at_a_time() -> None:
    world = World("debian", {"f": "".join(f"line {n}\n" for n in range(1, 11))})
    tty, shown = _screen(world, ["less", "f"])
    assert "line 4" in "".join(shown) and "line 5" not in "".join(shown)
    tty.feed(" ")
    world.clock.run_for(1)
    assert "line 8" in "".join(shown) and "line 9" not in "".join(shown)
    tty.feed("G")
    world.clock.run_for(1)
    assert "(END)" in "".join(shown)
    tty.feed("q")
    world.clock.run_for(1)
    assert world.exit == 0 and not tty.raw


def test_less_finds_a_line() -> None:
    world = World("debian", {"f": "".join(f"line {n}\n" for n in range(1, 100))})
    tty, shown = _screen(world, ["less", "f"])
    shown.clear()
    tty.feed("/line 50\r")
    world.clock.run_for(1)
    assert "line 50" in "".join(shown) and "line 60" not in "".join(shown)


def test_more_ends_with_its_input() -> None:
    world = World("busybox", {"f": "1\n2\n3\n4\n5\n6\n"})
    tty, shown = _screen(world, ["more", "f"])
    assert "--More--(66%)" in "".join(shown)
    tty.feed("  ")
    world.clock.run_for(1)
    assert world.exit == 0 and "6" in "".join(shown)


def test_a_small_file_needs_no_pager() -> None:
    world = World("busybox", {"f": "1\n"})
    _screen(world, ["more", "f"])
    assert world.exit == 0


@pytest.mark.parametrize(("kit", "err"), [("busybox", "grep: unrecognized option: J\nBusyBox v1.36.1 multi-call binary.\n\nUsage: grep "),
                                          ("debian", "grep: invalid option -- 'J'\nUsage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help'")])
def test_an_unknown_option_is_told_in_the_words_of_the_flavour(kit: str, err: str) -> None:
    code, out, said = run(["grep", "-J", "x"], kit=kit)
    assert (code, out) == (2, "") and said.startswith(err)
