"""The page's own code without a browser: pure modules under Node's test runner, JSDoc types under tsc, catalogues, vendor bundles.

Node is needed for these and for nothing else in Podium; without it the ones that need it are skipped.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tools.node import installed

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
FIRST_WEIGHT = 220 * 1024
FIRST_MODULES = 50
PAGE_WEIGHT = 350 * 1024
WHOLE_WEIGHT = 720 * 1024

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@needs_node
@pytest.mark.parametrize("file", sorted(path.name for path in HERE.glob("*.test.js")))
def test_pure_modules(file: str) -> None:
    done = subprocess.run(["node", "--test", file], cwd=HERE, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


@needs_node
def test_types_hold_under_strict_tsc() -> None:
    if not installed(HERE, "typescript"):
        pytest.skip("typescript cannot be installed here")
    done = subprocess.run(["npx", "--no-install", "tsc", "-p", "tsconfig.json"], cwd=HERE, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


def test_vendor_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    assert {"codemirror.js", "codemirror-more.js", "xterm.js", "socket.io.js", "yaml.js", "LICENSES.txt"} <= set(manifest)
    assert {path.name for path in VENDOR.glob("*.js")} <= set(manifest)
    for name, entry in manifest.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == entry["sha256"], name


@needs_node
def test_a_rebuild_of_the_vendor_bundles_gives_the_same_bytes(tmp_path: Path) -> None:
    if not installed(VENDOR, "esbuild"):
        pytest.skip("esbuild cannot be installed here")
    done = subprocess.run(["node", "build.mjs", "--out", str(tmp_path)], cwd=VENDOR, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "manifest.json").read_text()) == json.loads((VENDOR / "manifest.json").read_text())


def test_every_licence_is_told() -> None:
    text = (VENDOR / "LICENSES.txt").read_text()
    for name in json.loads((VENDOR / "package.json").read_text())["dependencies"]:
        assert re.search(rf"^{re.escape(name)} \d", text, re.MULTILINE), name


def catalogue(name: str) -> dict[str, str | dict[str, str]]:
    return json.loads((STATIC / "locales" / f"{name}.json").read_text())


def page_code() -> str:
    return "\n".join(path.read_text() for path in [*sorted((STATIC / "js").rglob("*.js")), *sorted((ROOT / "templates").glob("*.html"))])


@pytest.mark.parametrize("part", ["", "why."])
def test_both_catalogues_have_the_same_messages_with_the_same_parameters(part: str) -> None:
    english, korean = (catalogue(part + name) for name in ("en", "ko"))
    assert set(english) == set(korean)

    def parameters(message: str | dict[str, str]) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", message if isinstance(message, str) else message["other"]))

    assert {key: parameters(value) for key, value in english.items()} == {key: parameters(value) for key, value in korean.items()}


def test_every_message_the_page_asks_for_exists() -> None:
    asked = set(re.findall(r"""(?<![\w.])t\("([\w.]+)"[,)]|data-i18n(?:-label|-title)?="([\w.]+)\"""", page_code()))
    asked = {first or second for first, second in asked}
    assert len(asked) > 80
    assert asked <= set(catalogue("en")), asked - set(catalogue("en"))


@pytest.mark.parametrize("part", ["", "why."])
def test_every_message_is_asked_for_somewhere(part: str) -> None:
    code = page_code()
    asked = set(re.findall(r"""["'`]([\w./-]+)["'`]""", code))
    made = [re.compile(re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(text))) for text in set(re.findall(r"`(\w+\.[\w.]*\$\{[^`]*)`", code))]
    assert made and [key for key in catalogue(f"{part}en") if key not in asked and not any(one.fullmatch(key) for one in made)] == []


def sent(path: Path) -> int:
    """The bytes of a file on the wire."""
    return path.stat().st_size if path.suffix == ".woff2" else len(gzip.compress(path.read_bytes(), 9, mtime=0))


def reached(entries: list[Path]) -> set[Path]:
    """The modules that these need before they run: what they import statically, and so on."""
    found: set[Path] = set()
    left = list(entries)
    while left:
        path = left.pop()
        if path in found or path.suffix != ".js":
            continue
        found.add(path)
        text = path.read_text()
        if "vendor" not in path.parts:
            text = re.sub(r"/\*.*?\*/|^\s*//.*$", "", text, flags=re.DOTALL | re.MULTILINE)
        for name in re.findall(r"""(?:^|[;}\n])\s*(?:import|export)\b[^"'();]*["'](\.[^"']+)["']""", text):
            left.append((path.parent / name).resolve())
    return found


def test_what_the_first_picture_needs_is_light_and_the_whole_page_is_not_heavy() -> None:
    """All that the page's template names, what it imports statically, the fonts and one catalogue; then the page around the first picture,
    which nobody asks for; then everything there is."""
    template = ROOT / "templates" / "room.html"
    named = {STATIC / name for name in re.findall(r"filename='([^']+)'\)", template.read_text())}
    picture = {*named, *reached(list(named)), *VENDOR.glob("*.woff2"), STATIC / "locales" / "ko.json", template}
    first = {*picture, *reached([STATIC / "js" / "room.js"])}
    whole = {*first, *(STATIC / "js").rglob("*.js"), *(STATIC / "css").glob("*.css"), *VENDOR.glob("*.js")}
    landing = {path for path in whole if path.stem == "landing"}
    drawn, needed, all_of_it = sum(map(sent, picture)), sum(map(sent, first)), sum(map(sent, whole - landing))
    told = f"{drawn:,} bytes for the first picture ({len(picture)} files), {needed:,} for the page, {all_of_it:,} with all that is loaded later"
    print(told)
    heaviest = sorted(first, key=sent, reverse=True)[:12]
    assert drawn < FIRST_WEIGHT and sum(path.suffix == ".js" for path in picture) < FIRST_MODULES, told
    assert needed < PAGE_WEIGHT, f"{told}; the heaviest: {[(path.name, sent(path)) for path in heaviest]}"
    assert all_of_it < WHOLE_WEIGHT, told


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in [*(STATIC / "js").rglob("*.js"), *(STATIC / "css").glob("*.css"), *(ROOT / "templates").glob("*.html")]:
        found = re.findall(r"""(?:src|href|from|url\(|import\()\s*=?\s*["']?(https?://[^"')]+)""", path.read_text())
        assert not found, (path, found)
