"""Disks keep files file by file, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.cluster.disks import LARGEST_DISK, LARGEST_FILE, MOST_FILES, Disks, tree
from server.cluster.errno import NO_SPACE, TOO_LARGE
from server.cluster.store import State

paths = st.sampled_from(["/a", "/b", "/d/", "/d/x", "/d/y", "/d/e/z"])
acts = st.lists(st.tuples(st.sampled_from(["put", "put", "remove", "wipe"]), st.sampled_from(["one", "two"]), paths, st.text(max_size=20)))


@given(acts)
def test_what_was_written_is_there_after_a_restart_and_nothing_else(acts):
    state, expected = State(), {}
    disks = Disks(state)
    for what, disk, path, text in acts:
        if what == "put":
            assert disks.put(disk, path, text) == ""
            expected[disk, path] = text
        elif what == "remove":
            disks.remove(disk, [path])
            expected.pop((disk, path), None)
        else:
            disks.wipe(disk, "/d")
            expected = {key: value for key, value in expected.items() if key[0] != disk or not key[1].startswith("/d/")}
    for seen in (disks, Disks(state)):
        assert {(disk, path): text for disk in ("one", "two") for path, text in seen.files(disk).items()} == expected
        sizes = {(on, path): len(path) + len(text.encode("utf-8", "replace")) for (on, path), text in expected.items()}
        assert all(seen.used(disk) == sum(size for (on, _), size in sizes.items() if on == disk) for disk in ("one", "two"))


def test_files_disks_and_rooms_are_bounded():
    disks = Disks(State())
    assert disks.put("a", "/x", "x" * (LARGEST_FILE + 1)) == TOO_LARGE
    written = sum(disks.put("a", f"/{number}", "x" * LARGEST_FILE) == "" for number in range(20))
    assert written == LARGEST_DISK // (LARGEST_FILE + 2) and disks.put("a", "/99", "x" * LARGEST_FILE) == NO_SPACE
    faults = [disks.put(f"d{disk}", f"/{number}", "x" * LARGEST_FILE) for disk in range(30) for number in range(7)]
    assert faults[-1] == NO_SPACE and faults.count("") * LARGEST_FILE <= 24 * 1024 * 1024
    few = Disks(State())
    assert [few.put("a", f"/{number}", "") for number in range(MOST_FILES + 1)][-1] == NO_SPACE
    assert disks.put("a", "/0", "less") == ""


def test_a_disk_may_be_smaller_and_tells_who_listens():
    disks, heard = Disks(State()), []
    disks.listen("a", "me", lambda: heard.append(1))
    small = tree(disks, "a", "/", capacity=10)
    assert small.put("/x", "12345678") == "" and small.put("/y", "1") == NO_SPACE
    disks.unlisten("a", "me")
    small.remove(["/x"])
    assert heard == [1] and disks.names("") == []
