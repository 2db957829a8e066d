"""bash's /dev/tcp."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.cluster.runtime.sh.machine import Machine


class Echo:
    """A peer that says everything twice."""

    closed = False

    def send(self, data: bytes) -> bytes:
        return data + data

    def finish(self) -> bytes:
        self.closed = True
        return b""


def talk(host: str, port: int) -> tuple[SimpleNamespace, Echo | None]:
    error = {"hop": "dns"} if host == "nope" else {"hop": "pod"} if port == 1 else None
    return SimpleNamespace(error=error, fault="Connection refused" if port == 1 else "", ms=500.0), None if error else Echo()


@pytest.mark.parametrize(("script", "text"), [
    ("exec 3<>/dev/tcp/peer/80; echo hi >&3; read a <&3; read b <&3; echo $a-$b", "hi-hi\n"),
    ("echo > /dev/tcp/peer/1; echo $?", "bash: connect: Connection refused\nbash: line 1: /dev/tcp/peer/1: Connection refused\n1\n"),
    ("echo > /dev/tcp/nope/80; echo $?", "bash: line 1: nope: Name or service not known\nbash: line 1: /dev/tcp/nope/80: Invalid argument\n1\n"),
    ("(: < /dev/tcp/peer/80) && echo open", "open\n")])
def test_a_redirection_to_dev_tcp_is_a_connection(script: str, text: str) -> None:
    machine = Machine("debian")
    machine.network = lambda: SimpleNamespace(talk=talk)
    machine.start(["bash", "-c", script])
    machine.clock.run_for(0.4)
    assert machine.text == ""
    machine.clock.run_for(10)
    assert machine.text == text
