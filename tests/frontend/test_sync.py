"""The page's half of the wire, fed with what the server's own scene tells; without Node it is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_pages_scene_is_that_of_the_server_whatever_the_wire_does_to_what_a_room_really_tells(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    subprocess.run([sys.executable, "-m", "tests.frontend.recorded_scene", str(told)], cwd=HERE.parents[1], check=True, timeout=120)
    done = subprocess.run(["node", "--test", "sync.test.js"], cwd=HERE, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PODIUM_RECORDED": str(told)})
    assert done.returncode == 0, done.stdout[-4000:]
    assert "# skipped 0" in done.stdout
