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

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
PAGE_WEIGHT = 400 * 1024

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def installed(folder: Path, package: str) -> bool:
    """Whether ``package`` is there, after asking npm for it once."""
    if not (folder / "node_modules" / package).exists() and shutil.which("npm"):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, capture_output=True, timeout=300)
    return (folder / "node_modules" / package).exists()


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
    assert {"codemirror.js", "xterm.js", "socket.io.js", "LICENSES.txt"} <= set(manifest)
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


def test_both_catalogues_have_the_same_messages_with_the_same_parameters() -> None:
    english, korean = (json.loads((STATIC / "locales" / f"{name}.json").read_text()) for name in ("en", "ko"))
    assert set(english) == set(korean)

    def parameters(message: str | dict[str, str]) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", message if isinstance(message, str) else message["other"]))

    assert {key: parameters(value) for key, value in english.items()} == {key: parameters(value) for key, value in korean.items()}


def test_every_message_the_page_asks_for_exists() -> None:
    catalogue = set(json.loads((STATIC / "locales" / "en.json").read_text()))
    asked = set()
    for path in (STATIC / "js").rglob("*.js"):
        asked |= set(re.findall(r"""(?<![\w.])t\("([\w.]+)"[,)]""", path.read_text()))
    for path in (ROOT / "templates").glob("*.html"):
        asked |= set(re.findall(r'data-i18n(?:-label|-title)?="([\w.]+)"', path.read_text()))
    assert len(asked) > 80
    assert asked <= catalogue, asked - catalogue


def test_the_page_is_light() -> None:
    """Everything the room's page loads, as it would be sent compressed."""
    loaded = [*(STATIC / "js").rglob("*.js"), *(STATIC / "css").glob("*.css"), *VENDOR.glob("*.js"),
              VENDOR / "xterm.css", STATIC / "locales" / "ko.json", ROOT / "templates" / "room.html"]
    files = [path for path in loaded if path.stem != "landing"]
    fonts = sum(path.stat().st_size for path in VENDOR.glob("*.woff2"))
    assert fonts + sum(len(gzip.compress(path.read_bytes(), mtime=0)) for path in files) < PAGE_WEIGHT


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in [*(STATIC / "js").rglob("*.js"), *(STATIC / "css").glob("*.css"), *(ROOT / "templates").glob("*.html")]:
        found = re.findall(r"""(?:src|href|from|url\(|import\()\s*=?\s*["']?(https?://[^"')]+)""", path.read_text())
        assert not found, (path, found)
