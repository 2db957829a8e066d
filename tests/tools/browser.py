"""Makes sure there is a Chromium for the browser tests: one that is installed, else Debian's through apt when root, else
Playwright's own download. Prints where it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def installed() -> str | None:
    """The path of a Chromium on this machine, None if there is none."""
    asked = os.environ.get("PODIUM_CHROMIUM")
    if asked:
        return asked
    return next((path for path in map(shutil.which, NAMES) if path), None)


def ensure() -> str | None:
    """As ``installed``, installing Debian's if there is none and we may; None leaves it to Playwright's own browser."""
    path = installed()
    if path is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-nanum"], check=True,
                       stdout=subprocess.DEVNULL)
        path = installed()
    if path is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    return path


if __name__ == "__main__":
    print(f"browser for the tests: {ensure() or 'Playwright’s own'}")
