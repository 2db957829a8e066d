"""MySQL, PostgreSQL, MongoDB and memcached as far as a client's first words: greetings, and that no more is simulated.

Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html,
https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

from typing import Any

MYSQL = {"5.5": "5.5.62", "5.6": "5.6.51", "5.7": "5.7.44", "8": "8.4.7", "8.0": "8.0.44", "8.4": "8.4.7", "9": "9.5.0"}
MARIADB = "12.0.2-MariaDB-ubu2404"


def mysql_version(image: Any) -> str:
    """
    >>> from server.cluster.runtime.images import image
    >>> mysql_version(image("mysql:8.0")), mysql_version(image("mariadb"))
    ('8.0.44', '12.0.2-MariaDB-ubu2404')
    """
    if image.reference.familiar.rpartition("/")[2] == "mariadb":
        return MARIADB
    number = image.reference.tag.partition("-")[0]
    return number if number.count(".") == 2 else MYSQL.get(number, MYSQL.get(number.partition(".")[0], MYSQL["9"]))


class Greeting:
    """The server speaks first, and hangs up at an answer that it cannot deal with."""

    def __init__(self, first: bytes, refusal: bytes) -> None:
        self.closed = False
        self._first = first
        self._refusal = refusal

    def send(self, data: bytes) -> bytes:
        said, self._first = self._first, b""
        if data and not self.closed:
            self.closed = True
            said += self._refusal
        return said

    def finish(self) -> bytes:
        said, self._first = self._first, b""
        self.closed = True
        return said


def mysql(machine: Any) -> Greeting:
    """Protocol 10's handshake packet; what follows is refused as out of order."""
    name = mysql_version(machine.image).encode()
    payload = b"\x0a" + name + b"\x00" + b"\x08\x00\x00\x00" + b"podium01" + b"\x00\xff\xff\xff\x02\x00\xff\xdf\x15" + b"\x00" * 10 \
        + b"podium012345\x00" + b"caching_sha2_password\x00"
    refusal = b"\xff\x13\x04#08S01Got packets out of order"
    return Greeting(_packet(payload, 0), _packet(refusal, 2))


def _packet(payload: bytes, number: int) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def postgres(machine: Any) -> Greeting:
    """It waits for the client; what is no start-up message ends the connection."""
    text = b"SFATAL\x00VFATAL\x00C08P01\x00Minvalid length of startup packet\x00\x00"
    return Greeting(b"", b"E" + (len(text) + 4).to_bytes(4, "big") + text)


MONGO_HTTP = (b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 85\r\n\r\n"
              b"It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n")


def mongo(machine: Any) -> Greeting:
    return Greeting(b"", MONGO_HTTP)
