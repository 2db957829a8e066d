"""axe-core in the page: what it finds that would keep somebody out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.node import FRONTEND, installed

AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


def findings(page: Any, *parts: str, levels: tuple[str, ...] = SERIOUS) -> list[str]:
    """Each finding in ``parts`` of the page (selectors; those that are not there are left out) or in all of it, but for the terminal's own
    elements: rule, element, what is wrong. Without axe-core the test is skipped."""
    if not page.evaluate("'axe' in window"):
        if not installed(FRONTEND, "axe-core"):
            pytest.skip("axe-core cannot be installed here")
        page.evaluate(AXE.read_text())
    return page.evaluate("""async ([parts, levels]) => {
        const there = parts.filter(one => document.querySelector(one)).map(one => [one]);
        if (parts.length && !there.length) throw new Error(`none of ${parts} is there`);
        const { violations } = await axe.run({ ...(there.length ? { include: there } : {}), exclude: [[".xterm"]] }, { resultTypes: ["violations"] });
        return violations.filter(one => !levels.length || levels.includes(one.impact)).flatMap(one => one.nodes.slice(0, 6).map(node =>
            `${one.id}: ${node.target.join(" ")}: ${[...node.any, ...node.all, ...node.none].map(check => check.message).join("; ")}`));
    }""", [list(parts), list(levels)])


def every_finding(page: Any, *parts: str) -> list[str]:
    """As ``findings``, minor ones too."""
    return findings(page, *parts, levels=())
