"""Redis: commands over its protocol (RESP) in, replies out. What is stored is kept with the container, and goes when that ends.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/, https://redis.io/docs/latest/commands/
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

LARGEST, MOST_KEYS, LONGEST = 128 * 1024, 10_000, 64 * 1024
WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
NO_INTEGER = "-ERR value is not an integer or out of range\r\n"
STORE = "redis"
CONFIG = {"maxmemory": "0", "maxmemory-policy": "noeviction", "appendonly": "no", "save": "3600 1 300 100 60 10000", "port": "6379",
          "databases": "16", "dir": "/data", "bind": "* -::*", "timeout": "0", "requirepass": "", "dbfilename": "dump.rdb"}
UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
VERSIONS = {"7": "7.4.6", "6": "6.2.20", "5": "5.0.14", "8": "8.2.2"}


def version(tag: str) -> str:
    number = tag.partition("-")[0]
    return number if number.count(".") == 2 else VERSIONS.get(number.partition(".")[0], "8.2.2")


def begin_config(machine: Any) -> dict[str, str]:
    """The settings that it is started with: a file and ``--name value`` words."""
    config = dict(CONFIG)
    words = list(machine.argv[1:]) if machine.argv and machine.argv[0].rpartition("/")[2].startswith("redis-server") else []
    if words and not words[0].startswith("-"):
        for line in (machine.files.read(words.pop(0)) or "").splitlines():
            name, _, value = line.strip().partition(" ")
            if name and not name.startswith("#"):
                config[name.lower()] = value.strip().strip('"')
    while words:
        name = words.pop(0).lstrip("-").lower()
        values = []
        while words and not words[0].startswith("--"):
            values.append(words.pop(0))
        config[name] = " ".join(values)
    return {name: _amount(value) if name == "maxmemory" else value for name, value in config.items()}


def _amount(text: str) -> str:
    digits = text.rstrip("bBkKmMgG")
    unit = UNITS.get(text[len(digits):].lower())
    return str(int(digits) * unit) if digits.isdigit() and unit else "0"


class Talk:
    """A connection to a Redis server."""

    def __init__(self, machine: Any) -> None:
        self.closed = False
        self._machine = machine
        self._data: dict[str, Any] = machine.held.setdefault(STORE, {})
        self._config = begin_config(machine)
        self._buffer = b""
        self._trusted = not self._config.get("requirepass")

    def send(self, data: bytes) -> bytes:
        if self.closed:
            return b""
        self._buffer += data
        out = b""
        while not self.closed and (words := self._command()) is not None:
            if words and words[0].lower() in ("post", "host:"):  # somebody speaks HTTP: it hangs up without a word
                self.closed = True
                return b""
            if words:
                out += self._run(words).encode("utf-8", "surrogateescape")
        if len(self._buffer) > LARGEST:
            self.closed = True
            out += b"-ERR Protocol error: too big mbulk count string\r\n"
        return out

    def finish(self) -> bytes:
        self.closed = True
        return b""

    def _command(self) -> list[str] | None:
        """The next whole command, of either form; None if there is none yet."""
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return None
        if not line.startswith(b"*"):
            self._buffer = rest
            return line.decode("utf-8", "surrogateescape").split()
        words, left = [], rest
        count = line[1:].strip()
        for _ in range(min(int(count) if count.isdigit() else 0, 1000)):
            head, newline, left = left.partition(b"\n")
            size = head.strip()[1:]
            if not newline or not size.isdigit() or len(left) < int(size) + 2:
                return None
            words.append(left[:int(size)].decode("utf-8", "surrogateescape"))
            left = left[int(size) + 2:]
        self._buffer = left
        return words

    def _run(self, words: list[str]) -> str:
        name = words[0].upper()
        known = COMMANDS.get(name)
        if known is None:
            shown = "".join(f"'{word}' " for word in words[1:])
            return f"-ERR unknown command '{words[0]}', with args beginning with: {shown}\r\n"
        least, most, run = known
        if not least <= len(words) - 1 <= most:
            return f"-ERR wrong number of arguments for '{words[0].lower()}' command\r\n"
        if not self._trusted and name not in ("AUTH", "QUIT"):
            return "-NOAUTH Authentication required.\r\n"
        return run(self, words[1:])

    # storage

    def get(self, key: str) -> Any:
        entry = self._data.get(key)
        if entry is None:
            return None
        if len(entry) > 1 and entry[1] <= self._machine.clock.now:
            del self._data[key]
            return None
        return entry[0]

    def put(self, key: str, value: Any, until: float | None = None) -> bool:
        if key not in self._data and len(self._data) >= MOST_KEYS or len(key) + len(str(value)) > LONGEST:
            return False
        self._data[key] = [value] if until is None else [value, until]
        self._machine.keep()
        return True

    def drop(self, keys: list[str]) -> int:
        gone = sum(self._data.pop(key, None) is not None for key in keys if self.get(key) is not None)
        if gone:
            self._machine.keep()
        return gone

    def alive(self) -> list[str]:
        return [key for key in list(self._data) if self.get(key) is not None]


def bulk(value: Any) -> str:
    return "$-1\r\n" if value is None else f"${len(str(value).encode('utf-8', 'surrogateescape'))}\r\n{value}\r\n"


def array(values: list[Any]) -> str:
    return f"*{len(values)}\r\n" + "".join(bulk(value) for value in values)


OK, FULL = "+OK\r\n", "-OOM command not allowed when used memory > 'maxmemory'.\r\n"


def _ping(talk: Talk, words: list[str]) -> str:
    return bulk(words[0]) if words else "+PONG\r\n"


def _set(talk: Talk, words: list[str]) -> str:
    key, value, *rest = words
    options = [word.upper() for word in rest]
    until = None
    for unit, scale in (("EX", 1.0), ("PX", 0.001)):
        if unit in options and options.index(unit) + 1 < len(rest):
            text = rest[options.index(unit) + 1]
            if not text.isdigit() or not int(text[:15]):
                return NO_INTEGER if not text.isdigit() else "-ERR invalid expire time in 'set' command\r\n"
            until = talk._machine.clock.now + int(text[:15]) * scale
    if "NX" in options and talk.get(key) is not None or "XX" in options and talk.get(key) is None:
        return bulk(None)
    return OK if talk.put(key, value, until) else FULL


def _get(talk: Talk, words: list[str]) -> str:
    value = talk.get(words[0])
    return WRONG_TYPE if isinstance(value, list | dict) else bulk(value)


def _step(talk: Talk, key: str, by: int) -> str:
    value = talk.get(key) or "0"
    if not isinstance(value, str) or not value.lstrip("-").isdigit() or len(value) > 18:
        return NO_INTEGER
    total = int(value) + by
    return f":{total}\r\n" if talk.put(key, str(total)) else FULL


def _incrby(talk: Talk, words: list[str]) -> str:
    return _step(talk, words[0], int(words[1])) if words[1].lstrip("-").isdigit() and len(words[1]) < 18 else NO_INTEGER


def _append(talk: Talk, words: list[str]) -> str:
    value = (talk.get(words[0]) or "") + words[1]
    return f":{len(value)}\r\n" if talk.put(words[0], value) else FULL


def _push(talk: Talk, words: list[str], left: bool) -> str:
    values = talk.get(words[0]) or []
    if not isinstance(values, list):
        return WRONG_TYPE
    values = [*reversed(words[1:]), *values] if left else [*values, *words[1:]]
    return f":{len(values)}\r\n" if talk.put(words[0], values) else FULL


def _range(talk: Talk, words: list[str]) -> str:
    values = talk.get(words[0]) or []
    if not isinstance(values, list):
        return WRONG_TYPE
    if not all(word.lstrip("-").isdigit() for word in words[1:]):
        return NO_INTEGER
    first, last = (max(0, int(word) + len(values)) if int(word) < 0 else int(word) for word in words[1:])
    return array(values[first:last + 1])


def _hset(talk: Talk, words: list[str]) -> str:
    fields = talk.get(words[0]) or {}
    if not isinstance(fields, dict):
        return WRONG_TYPE
    new = dict(zip(words[1::2], words[2::2], strict=False))
    return f":{len(set(new) - set(fields))}\r\n" if talk.put(words[0], {**fields, **new}) else FULL


def _hget(talk: Talk, words: list[str]) -> str:
    fields = talk.get(words[0]) or {}
    return bulk(fields.get(words[1])) if isinstance(fields, dict) else WRONG_TYPE


def _hgetall(talk: Talk, words: list[str]) -> str:
    fields = talk.get(words[0]) or {}
    return array([each for pair in fields.items() for each in pair]) if isinstance(fields, dict) else WRONG_TYPE


def _expire(talk: Talk, words: list[str]) -> str:
    value = talk.get(words[0])
    if not words[1].isdigit():
        return NO_INTEGER
    if value is None:
        return ":0\r\n"
    talk.put(words[0], value, talk._machine.clock.now + int(words[1][:12]))
    return ":1\r\n"


def _ttl(talk: Talk, words: list[str]) -> str:
    if talk.get(words[0]) is None:
        return ":-2\r\n"
    entry = talk._data[words[0]]
    return f":{round(entry[1] - talk._machine.clock.now) if len(entry) > 1 else -1}\r\n"


def _type(talk: Talk, words: list[str]) -> str:
    value = talk.get(words[0])
    return f"+{'none' if value is None else 'list' if isinstance(value, list) else 'hash' if isinstance(value, dict) else 'string'}\r\n"


def _config(talk: Talk, words: list[str]) -> str:
    if words[0].upper() == "GET" and len(words) > 1:
        found = {name: value for name, value in talk._config.items() if any(fnmatch.fnmatchcase(name, word.lower()) for word in words[1:])}
        return array([each for pair in found.items() for each in pair])
    return f"-ERR CONFIG {words[0].upper()} is not simulated\r\n"


def _info(talk: Talk, words: list[str]) -> str:
    machine = talk._machine
    sections = {
        "server": {"redis_version": version(machine.tag), "redis_mode": "standalone", "os": "Linux 6.1.0-28-amd64 x86_64", "process_id": 1,
                   "tcp_port": talk._config["port"], "uptime_in_seconds": int(machine.uptime()), "uptime_in_days": int(machine.uptime() // 86400)},
        "clients": {"connected_clients": 1, "blocked_clients": 0},
        "memory": {"used_memory": machine.memory(), "maxmemory": talk._config["maxmemory"], "maxmemory_policy": talk._config["maxmemory-policy"]},
        "replication": {"role": "master", "connected_slaves": 0},
        "keyspace": {"db0": f"keys={len(talk.alive())},expires={sum(len(entry) > 1 for entry in talk._data.values())},avg_ttl=0"}
        if talk.alive() else {}}
    wanted = [word.lower() for word in words if word.lower() in sections] or ([] if words and words[0].lower() not in ("all", "default") else
                                                                              list(sections))
    text = "\r\n".join(f"# {name.capitalize()}\r\n" + "".join(f"{field}:{value}\r\n" for field, value in sections[name].items())
                       for name in wanted)
    return bulk(text)


def _auth(talk: Talk, words: list[str]) -> str:
    wanted = talk._config.get("requirepass")
    if not wanted:
        return ("-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is "
                "correct?\r\n")
    talk._trusted = words[-1] == wanted
    return OK if talk._trusted else "-WRONGPASS invalid username-password pair or user is disabled.\r\n"


def _quit(talk: Talk, words: list[str]) -> str:
    talk.closed = True
    return OK


def _flush(talk: Talk, words: list[str]) -> str:
    talk.drop(talk.alive())
    return OK


def _mget(talk: Talk, words: list[str]) -> str:
    return array([value if isinstance(value := talk.get(key), str) else None for key in words])


def _mset(talk: Talk, words: list[str]) -> str:
    if len(words) % 2:
        return "-ERR wrong number of arguments for 'mset' command\r\n"
    return OK if all(talk.put(key, value) for key, value in zip(words[::2], words[1::2], strict=True)) else FULL


MANY = 1000
COMMANDS: dict[str, tuple[int, int, Callable[[Talk, list[str]], str]]] = {
    "PING": (0, 1, _ping), "ECHO": (1, 1, lambda talk, words: bulk(words[0])), "SET": (2, 6, _set), "GET": (1, 1, _get),
    "DEL": (1, MANY, lambda talk, words: f":{talk.drop(words)}\r\n"), "UNLINK": (1, MANY, lambda talk, words: f":{talk.drop(words)}\r\n"),
    "EXISTS": (1, MANY, lambda talk, words: f":{sum(talk.get(word) is not None for word in words)}\r\n"),
    "INCR": (1, 1, lambda talk, words: _step(talk, words[0], 1)), "DECR": (1, 1, lambda talk, words: _step(talk, words[0], -1)),
    "INCRBY": (2, 2, _incrby), "APPEND": (2, 2, _append), "MGET": (1, MANY, _mget), "MSET": (2, MANY, _mset),
    "STRLEN": (1, 1, lambda talk, words: f":{len(talk.get(words[0]) or '')}\r\n"),
    "KEYS": (1, 1, lambda talk, words: array([key for key in talk.alive() if fnmatch.fnmatchcase(key, words[0])])),
    "DBSIZE": (0, 0, lambda talk, words: f":{len(talk.alive())}\r\n"), "TYPE": (1, 1, _type), "TTL": (1, 1, _ttl), "EXPIRE": (2, 2, _expire),
    "LPUSH": (2, MANY, lambda talk, words: _push(talk, words, True)), "RPUSH": (2, MANY, lambda talk, words: _push(talk, words, False)),
    "LRANGE": (3, 3, _range), "LLEN": (1, 1, lambda talk, words: f":{len(talk.get(words[0]) or [])}\r\n"),
    "HSET": (3, MANY, _hset), "HGET": (2, 2, _hget), "HGETALL": (1, 1, _hgetall),
    "INFO": (0, 5, _info), "CONFIG": (1, 5, _config), "FLUSHALL": (0, 1, _flush), "FLUSHDB": (0, 1, _flush), "AUTH": (1, 2, _auth),
    "SELECT": (1, 1, lambda talk, words: OK if words[0] == "0" else "-ERR other databases than 0 are not simulated\r\n"),
    "QUIT": (0, 0, _quit), "ROLE": (0, 0, lambda talk, words: "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"),
    "TIME": (0, 0, lambda talk, words: array([int(talk._machine.time().timestamp()), talk._machine.time().microsecond])),
    "COMMAND": (0, 5, lambda talk, words: "*0\r\n"), "CLIENT": (1, 5, lambda talk, words: OK),
}
