"""The house's rules for the page's own code: modules import one way, panels are loaded when first opened, and nothing lies about unused."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tests.frontend.test_frontend import ROOT, STATIC, reached

JS = STATIC / "js"
# What the canvas may build on beside itself: facts of the scene, words, elements; never a panel, the wire or the room.
UNDER_THE_CANVAS = {"dom.js", "facts.js", "follow.js", "i18n.js", "kept.js", "lazy.js", "scene.js", "virtualtime.js"}
# What is loaded when it is first used, by folder or name.
LATER = ("inspector/", "replay/", "why/", "timeline/", "follow/", "editor/view.js", "editor/gallery.js", "editor/diff.js", "timeline.js",
         "palette.js", "help.js", "menu.js", "search.js", "until.js", "acts.js", "canvas/near.js", "canvas/minimap.js")


@cache
def code(path: Path) -> str:
    """A module without its comments."""
    return re.sub(r"/\*\*.*?\*/|^\s*/?\*.*$|^\s*//.*$", "", path.read_text(), flags=re.MULTILINE)


def modules() -> list[Path]:
    return sorted(JS.rglob("*.js"))


def name(path: Path) -> str:
    return path.relative_to(JS).as_posix()


@cache
def imported(path: Path) -> frozenset[Path]:
    """The page's own modules that one imports before it runs."""
    found = re.findall(r"""(?:^|[;}\n])\s*(?:import|export)\b[^"'();]*["'](\.[^"']+)["']""", code(path))
    return frozenset(there for one in found if (there := (path.parent / one).resolve()).is_relative_to(JS))


def test_the_canvas_builds_on_facts_and_words_never_on_a_panel() -> None:
    wrong = [(name(path), name(there)) for path in modules() if path.parent.name == "canvas" for there in imported(path)
             if there.parent != path.parent and name(there) not in UNDER_THE_CANVAS]
    assert wrong == []


def test_modules_import_one_way() -> None:
    left = {path: set(imported(path)) for path in modules()}
    while free := [path for path, needs in left.items() if not needs & set(left)]:
        for path in free:
            del left[path]
    assert sorted(map(name, left)) == [], "they import each other in a ring"


def test_a_panel_is_loaded_when_it_is_first_opened() -> None:
    first = {name(path) for path in reached([JS / "room.js"]) if path.is_relative_to(JS)}
    assert "canvas/stage.js" in first
    assert [path for path in sorted(first) if path.startswith(LATER)] == []
    for one in LATER:
        assert any(name(path).startswith(one) for path in modules()), f"{one} is not there any more"


def test_every_module_is_loaded_from_somewhere() -> None:
    asked = {(path.parent / one).resolve() for path in modules() for one in re.findall(r"""["'](\.[^"']+\.js)["']""", code(path))}
    entries = {"room.js", "landing.js", "theme.js"}
    assert [name(path) for path in modules() if path not in asked and name(path) not in entries] == []


def test_what_a_module_gives_to_others_is_used_by_others() -> None:
    outside = [path for folder in (ROOT / "tests" / "frontend", ROOT / "tests" / "browser", ROOT / "bench") for path in folder.glob("*.*")]
    words = {path: set(re.findall(r"\w+", path.read_text())) for path in [*outside, *modules()]}
    unused = [f"{name(path)}: {one}" for path in modules() if path.name not in ("room.js", "landing.js")
              for one in re.findall(r"^export (?:async )?(?:function\*?|class|const|let) (\w+)", code(path), re.MULTILINE)
              if not any(one in known for there, known in words.items() if there != path)]
    assert unused == []


def test_every_class_that_is_styled_is_given_to_something() -> None:
    text = "\n".join(path.read_text() for path in [*modules(), *(ROOT / "templates").glob("*.html")])
    said = set(re.findall(r"[\w-]+", text))
    for path in (STATIC / "css").glob("*.css"):
        selectors = re.sub(r"\{[^{}]*\}", "{}", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL))
        styled = {one for one in re.findall(r"\.([a-zA-Z][\w-]*)", selectors) if not one.startswith(("cm-", "xterm"))}
        assert sorted(one for one in styled - said if f"{one.rstrip('0123456789')}${{" not in text) == [], path.name
