"""Programs that do nothing but use CPU or memory: ``stress``, ``yes > /dev/null``, ``dd``, checksums of endless files.

``burn(argv, hidden)`` says what a command takes and for how long; it is then one wait on the clock, however much it burns. None is
no such program, or one whose output would be seen (``hidden`` False) and is endless.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.runtime.figures import MEBI, MILLI

CORE = 1000 * MILLI
ENDLESS = frozenset(("/dev/zero", "/dev/urandom", "/dev/random"))
NULL = "/dev/null"
COPY, ALLOCATION = 3_000 * MEBI, 600 * MEBI  # bytes a second
UNBOUNDED = 1 << 60
UNITS = {"": 1, "b": 1, "k": 1024, "m": MEBI, "g": 1024 * MEBI, "ki": 1024, "mi": MEBI, "gi": 1024 * MEBI}
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
MOST_WORKERS = 1000


class Burn(NamedTuple):
    """Nanocores, bytes taken at ``growth`` bytes a second, seconds until it ends; its exit code, first and last words."""

    cpu: int
    memory: int = 0
    growth: int = ALLOCATION
    seconds: float = float("inf")
    code: int = 0
    first: str = ""
    last: str = ""

    def state(self, now: float) -> dict[str, Any]:
        return {"cpu": self.cpu, "since": now, **({"memory": self.memory, "growth": self.growth} if self.memory else {})}


SPIN = Burn(CORE)


def burn(argv: list[str], hidden: bool = False) -> Burn | None:
    """
    >>> burn(["yes"], True).cpu // 10**6, burn(["yes"]), burn(["stress", "--cpu", "2", "-t", "1m"]).seconds
    (1000, None, 60.0)
    """
    name = argv[0].rpartition("/")[2]
    if name == "timeout" and len(argv) > 2 and (length := _seconds(argv[1])) is not None:
        inner = burn(argv[2:], hidden)
        return inner._replace(seconds=length, code=143, last="") if inner is not None and inner.seconds > length else inner
    known = PROGRAMS.get(name)
    return known(argv, hidden) if known is not None else None


def _seconds(text: str) -> float | None:
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", text)
    return float(found[1]) * SECONDS[found[2]] if found else None


def _size(text: str) -> int | None:
    found = re.fullmatch(r"(\d{1,15})([a-z]{0,2})", text.lower())
    return int(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else None


def _yes(argv: list[str], hidden: bool) -> Burn | None:
    return SPIN if hidden else None


def _cat(argv: list[str], hidden: bool) -> Burn | None:
    return SPIN if hidden and any(word in ENDLESS for word in argv[1:]) else None


def _checksum(argv: list[str], hidden: bool) -> Burn | None:
    return SPIN if any(word in ENDLESS for word in argv[1:]) else None


def _tail(argv: list[str], hidden: bool) -> Burn | None:
    """It keeps what it reads until the end of the file, which never comes."""
    return Burn(CORE, UNBOUNDED) if len(argv) == 2 and argv[1] == "/dev/zero" else None


def _dd(argv: list[str], hidden: bool) -> Burn | None:
    given = dict(word.split("=", 1) for word in argv[1:] if "=" in word)
    block = _size(given.get("bs", "512"))
    if given.get("if") not in ENDLESS or (given.get("of") != NULL and not hidden) or block is None or not block:
        return None
    if "count" not in given:
        return Burn(CORE, block)
    if not given["count"].isdigit() or len(given["count"]) > 15:
        return None
    count = int(given["count"])
    length = block * count / min(COPY, max(1, block) * 2_000_000)
    last = f"{count}+0 records in\n{count}+0 records out\n"
    return Burn(CORE, block, seconds=length, last="" if hidden and given.get("of") != NULL else last)


def _stress(argv: list[str], hidden: bool) -> Burn | None:
    """``stress`` and ``stress-ng``: workers that compute (-c), that take and touch memory (-m), that sync (-i) and write (-d)."""
    options = {"c": "cpu", "i": "io", "m": "vm", "d": "hdd", "t": "timeout"}
    given: dict[str, str] = {}
    words = [part for word in argv[1:] for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for at, word in enumerate(words):
        if word.startswith("-"):
            name = word.lstrip("-")
            value = words[at + 1] if at + 1 < len(words) and not words[at + 1].startswith("-") else ""
            given[options.get(name, name)] = value
    counts = {}
    for kind in ("cpu", "io", "vm", "hdd"):
        text = given.get(kind, "0")
        if not text.isdigit() or int(text) > MOST_WORKERS:
            return None
        counts[kind] = int(text)
    size, length = _size(given.get("vm-bytes", "256M")), _seconds(given.get("timeout", given.get("t", "")))
    if not any(counts.values()) or size is None:
        return None
    cpu = counts["cpu"] + (counts["vm"] if "vm-hang" not in given and "vm-keep" not in given else counts["vm"] * 0.01)
    first = "dispatching hogs: " + ", ".join(f"{counts[kind]} {kind}" for kind in ("cpu", "io", "vm", "hdd"))
    end = float("inf") if length is None else length
    return Burn(int((cpu + 0.1 * counts["io"] + 0.4 * counts["hdd"]) * CORE), counts["vm"] * size, ALLOCATION * max(1, counts["vm"]), end, 0,
                f"stress: info: [1] {first}\n", "" if length is None else f"stress: info: [1] successful run completed in {length:.0f}s\n")


def _vish(argv: list[str]) -> Burn | None:
    """The stress of the Kubernetes documentation: ``-cpus 2 -mem-total 150Mi -mem-alloc-size 10Mi -mem-alloc-sleep 1s``."""
    words = [word.lstrip("-") for word in argv[1:] if word != "-logtostderr"]
    given = dict(zip(words[::2], words[1::2], strict=False))
    cpus, total = given.get("cpus", "0"), _size(given.get("mem-total", "0"))
    step, sleep = _size(given.get("mem-alloc-size", "4Ki")), _seconds(given.get("mem-alloc-sleep", "1ms").replace("ms", "")) or 0.001
    if not cpus.isdigit() or int(cpus) > MOST_WORKERS or total is None or not step:
        return None
    if given.get("mem-alloc-sleep", "1ms").endswith("ms"):
        sleep /= 1000
    return Burn(int(cpus) * CORE, total, max(1, int(min(ALLOCATION, step / sleep))))


def _any_stress(argv: list[str], hidden: bool) -> Burn | None:
    return _vish(argv) if any(word.startswith(("-cpus", "-mem-total")) for word in argv[1:]) else _stress(argv, hidden)


PROGRAMS: dict[str, Callable[[list[str], bool], Burn | None]] = {
    "yes": _yes, "cat": _cat, "dd": _dd, "tail": _tail, "stress": _any_stress, "stress-ng": _stress,
    **dict.fromkeys(("md5sum", "sha1sum", "sha256sum", "sha512sum", "cksum", "sum"), _checksum),
}
