"""The terminal's files, and the one page that the notes apply from."""

from __future__ import annotations

import pytest

from server.rooms.files import PAGES, Files


def test_the_page_that_the_notes_apply_from_can_be_read_but_is_no_file():
    files = Files()
    page = next(url for url, name in PAGES.items() if name == "pod.yaml")
    assert "kiamol/ch02-hello-kiamol" in files.read(page)
    assert files.listdir(".") == sorted(files.listdir(".")) and not any("http" in name for name in files.listdir("."))
    files.write("pod.yaml", "changed")
    assert "kiamol/ch02-hello-kiamol" in files.read(page)


def test_no_other_page_is_there():
    with pytest.raises(FileNotFoundError):
        Files().read("https://example.com/pod.yaml")
