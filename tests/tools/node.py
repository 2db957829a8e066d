"""What the tests need of npm: a folder's packages, installed once however many processes ask."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

FRONTEND = Path(__file__).parents[1] / "frontend"


def installed(folder: Path, package: str) -> bool:
    """Whether ``package`` is there, after asking npm for it once."""
    here = folder / "node_modules" / package
    if here.exists() or not shutil.which("npm"):
        return here.exists()
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not here.exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, capture_output=True, timeout=300)
    return here.exists()
