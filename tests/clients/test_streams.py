"""Into containers with real clients: exec, cp, attach, run, port-forward and followed logs, over WebSocket and SPDY."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import kr8s
import pytest
import yaml
from kubernetes import client, config
from kubernetes import stream as websocket

from tests.clients.conftest import Kubectl, Room

pytestmark = pytest.mark.clients
PATIENCE = 60
BOTH = pytest.mark.parametrize("transport", ["websocket", "spdy"])
TRANSPORT = {"websocket": {}, "spdy": {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}}


@pytest.fixture
def pods(kubectl: Kubectl) -> Kubectl:
    """``web`` (nginx) and ``box`` (busybox), ready."""
    kubectl("run", "web", "--image=nginx")
    kubectl("run", "box", "--image=busybox", "--", "sleep", "36000")
    kubectl("wait", "--for=condition=Ready", "pod/web", "pod/box", f"--timeout={PATIENCE}s")
    return kubectl


class Terminal:
    """A program at a pseudo-terminal."""

    def __init__(self, kubectl: Kubectl, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen([str(kubectl.program), *arguments], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
                                        env={**kubectl.environment, "TERM": "xterm"}, cwd=kubectl.home, start_new_session=True)
        os.close(theirs)
        self.said = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, pattern: str) -> str:
        """What has been said up to something, from the last time on."""
        end = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.said)) is None:
            assert time.monotonic() < end and self._read(), f"{pattern!r} did not come: {self.said!r}"
        said, self.said = self.said[:found.end()], self.said[found.end():]
        return said

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], PATIENCE)[0]:
            return False
        try:
            data = os.read(self._ours, 65_536)
        except OSError:
            return False
        self.said += data.decode()
        return bool(data)

    def end(self) -> int:
        while self._read():
            pass
        code = self.process.wait(PATIENCE)
        os.close(self._ours)
        return code


@BOTH
def test_exec_prints_both_streams_and_passes_the_exit_code(pods: Kubectl, transport: str) -> None:
    done = pods.run("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 3", environment=TRANSPORT[transport])
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\ncommand terminated with exit code 3\n", 3)


@BOTH
def test_exec_hands_its_input_on_to_the_last_byte(pods: Kubectl, transport: str) -> None:
    text = "".join(f"line {number} ää\n" for number in range(20_000))
    done = pods.run("exec", "-i", "box", "--", "sh", "-c", "cat | wc -c; echo done", stdin=text, environment=TRANSPORT[transport])
    assert done.stdout == f"{len(text.encode())}\ndone\n"


def test_exec_carries_much_output_whole(pods: Kubectl) -> None:
    assert pods("exec", "box", "--", "seq", "1", "50000").split() == [str(number) for number in range(1, 50_001)]


def test_exec_of_what_is_not_there_fails_as_the_runtime_says(pods: Kubectl) -> None:
    said = pods.fails("exec", "web", "--", "nosuchcmd")
    assert re.fullmatch(r'error: Internal error occurred: Internal error occurred: error executing command in container: '
                        r'failed to exec in container: failed to start exec "[0-9a-f]{64}": OCI runtime exec failed: exec failed: '
                        r'unable to start container process: exec: "nosuchcmd": executable file not found in \$PATH: unknown\n', said)
    assert "container nope is not valid for pod web" in pods.fails("exec", "web", "-c", "nope", "--", "ls")
    assert 'pods "nopod" not found' in pods.fails("exec", "nopod", "--", "ls")


@BOTH
def test_a_shell_at_a_terminal_talks_until_it_is_left(pods: Kubectl, transport: str) -> None:
    pods.environment |= TRANSPORT[transport]
    at = Terminal(pods, "exec", "-it", "box", "--", "sh")
    at.until(r"/ # ")
    at.type("echo $((6 * 7)); hostname\r")
    assert "42\r\nbox\r\n" in at.until(r"box\r\n/ # ")
    at.type("sleep 1000\r")
    at.until("sleep 1000\r\n")
    at.type("\x03")
    at.until(r"/ # ")
    at.type("exit 4\r")
    assert at.end() == 4


def test_run_it_rm_leaves_nothing_behind(kubectl: Kubectl) -> None:
    at = Terminal(kubectl, "run", "-it", "--image", "busybox", "testdns", "--restart", "Never", "--rm", "/bin/sh")
    at.until(r"/ # ")
    at.type("nslookup kubernetes.default.svc.cluster.local\r")
    at.until(r"Address:\s+10\.96\.0\.1")
    at.type("exit\r")
    assert 'pod "testdns" deleted' in at.until("deleted[^\n]*\n") and at.end() == 0
    assert "testdns" not in kubectl("get", "pods", "-o", "name")


def test_attach_hears_what_the_container_says(kubectl: Kubectl) -> None:
    kubectl("run", "clock", "--image=busybox", "--", "sh", "-c", "while true; do echo tick; sleep 5; done")
    kubectl("wait", "--for=condition=Ready", "pod/clock", f"--timeout={PATIENCE}s")
    attached = kubectl.start("attach", "clock")
    assert "tick" in "".join(attached.stdout.readline() for _ in range(3))
    attached.terminate()
    attached.wait(PATIENCE)


def test_followed_logs_end_with_the_container(kubectl: Kubectl) -> None:
    kubectl("run", "count", "--image=busybox", "--restart=Never", "--", "sh", "-c", "for i in 1 2 3 4; do echo $i; sleep 10; done")
    kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/count", f"--timeout={PATIENCE}s")
    assert kubectl("logs", "-f", "count") == "1\n2\n3\n4\n"


def test_cp_carries_files_and_folders_both_ways(pods: Kubectl) -> None:
    folder = pods.home / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("one\n")
    (folder / "deep" / "b.bin").write_bytes(bytes(range(256)))
    pods("cp", str(folder), "box:/tmp/folder")
    assert pods("exec", "box", "--", "cat", "/tmp/folder/a.txt") == "one\n"
    assert pods("exec", "box", "--", "sh", "-c", "wc -c < /tmp/folder/deep/b.bin").strip() == "256"
    pods("cp", "box:/tmp/folder", str(pods.home / "back"))
    assert (pods.home / "back" / "a.txt").read_text() == "one\n" and (pods.home / "back" / "deep" / "b.bin").read_bytes() == bytes(range(256))
    pods("cp", "web:/usr/share/nginx/html/index.html", str(pods.home / "index.html"))
    assert "Welcome to nginx!" in (pods.home / "index.html").read_text()


@pytest.fixture
def forwarded(pods: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of web's port 80, forwarded."""
    pods.environment |= TRANSPORT[request.param]
    process = pods.start("port-forward", "pod/web", ":80")
    port = re.search(r"127\.0\.0\.1:(\d+) -> 80", process.stdout.readline())[1]
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(PATIENCE)


@pytest.mark.parametrize("forwarded", ["websocket", "spdy"], indirect=True)
def test_port_forward_carries_many_requests(forwarded: str) -> None:
    for _ in range(5):
        with urllib.request.urlopen(forwarded, timeout=PATIENCE) as answer:
            assert "Welcome to nginx!" in answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{forwarded}/nothing", timeout=PATIENCE)


@pytest.fixture
def api(room: Room) -> Iterator[client.ApiClient]:
    loaded = config.new_client_from_config_dict(yaml.safe_load(room.kubeconfig()))
    yield loaded
    loaded.close()


def test_the_python_client_executes_and_forwards(pods: Kubectl, api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    how = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
    assert websocket.stream(core.connect_get_namespaced_pod_exec, "box", "default", command=["echo", "hello"], **how) == "hello\n"
    talk = websocket.stream(core.connect_get_namespaced_pod_exec, "box", "default", command=["sh"], **{**how, "stdin": True}, _preload_content=False)
    talk.write_stdin("echo one; exit 5\n")
    talk.run_forever(timeout=PATIENCE)
    assert talk.read_stdout() == "one\n" and talk.returncode == 5

    forward = websocket.portforward(core.connect_get_namespaced_pod_portforward, "web", "default", ports="80")
    socket = forward.socket(80)
    socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    said = b""
    while data := socket.recv(65_536):
        said += data
    assert said.startswith(b"HTTP/1.1 200 OK\r\n") and b"Welcome to nginx!" in said and forward.error(80) is None


def test_kr8s_executes_and_forwards(pods: Kubectl, room: Room) -> None:
    api = kr8s.api(kubeconfig=str(pods.home / "config"))
    pod = kr8s.objects.Pod.get("web", namespace="default", api=api)
    assert pod.exec(["hostname"]).stdout == b"web\n"
    with pod.portforward(remote_port=80) as port, urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=PATIENCE) as answer:
        assert "Welcome to nginx!" in answer.read().decode()
