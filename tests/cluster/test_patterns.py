"""Regular expressions that users give: what is safe is tried, what might take for ever, or takes long to compile, is not."""

from __future__ import annotations

import pytest

from server.cluster import patterns
from server.cluster.patterns import Trials, compiled


@pytest.mark.parametrize("pattern", [
    "/(a+)+$", "(?x)/(a+) +$", "(?ix)/(a+) +$", "(?x)/(a+)#\n+$", "/(a+)(?#)+$", "(?x:/(a+) +)$", "/(a|ab)*", "(a?){50}",
    r"/(a*)\1\1\1x", "/(?P<n>a*)(?P=n)(?P=n)x",
    "/.*.*.*.*x"])
def test_what_may_take_for_ever_is_no_pattern(pattern):
    assert compiled(pattern) is None and Trials().match(pattern, "/aa") is None


@pytest.mark.parametrize("pattern", [
    "[" * 200_000, "/" + "[\u0100-\uffff]" * 100,
    "/" + r"[\u0100-\uffff]" * 30, r"/[\U00000100-\U0010ffff]", "/" + "a" * 512, "/(", "/a**"])
def test_what_takes_long_to_read_or_is_none_is_no_pattern(pattern):
    assert compiled(pattern) is None


@pytest.mark.parametrize(("pattern", "text", "group"), [
    ("/api(/|$)(.*)", "/API/x/y", "x/y"), (r"/(v\d+)/(.*)", "/v12/a", "a"), ("/(?i:A)(?:b|c)(x)?(.)", "/abxd", "d"),
    (r"/(a*)-\1(.)", "/aa-aab", "b")])
def test_what_is_safe_matches_as_ever(pattern, text, group):
    found = Trials().match(pattern, text)
    assert found is not None and found.groups()[-1] == group


def test_all_that_one_request_meets_ends_when_together_it_has_taken_too_long(monkeypatch):
    monkeypatch.setattr(patterns, "MOST_STEPS_TOGETHER", 25_000)
    trials, text = Trials(), "/" + "a" * 99
    assert [trials.match(f"/a*a*{number}?", text) is not None for number in range(3)] == [True, False, False]
    assert Trials().match("/a*a*", text) is not None
