"""dd, stress, stress-ng, top: bytes moved, CPU and memory used, and watched.

In: operands; /dev/zero's bytes are never made but counted, so a gigabyte takes the time that a disk needs and no memory. Out: files, a
report, a load on the machine (``Proc.compute``). Each goes on where it was after a restart of the server.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/dd.html
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from server.cluster import inodes
from server.cluster.errno import NOT_FOUND
from server.cluster.process import Pass
from server.cluster.runtime.burners import burn
from server.cluster.runtime.files import Files
from server.cluster.runtime.mount_namespace import LIMIT
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.procfs import facts_of, processes
from server.cluster.runtime.program import Program, Signalled
from server.cluster.runtime.programs.common import Line, Names, Options, Run, busybox, complain, human, human_busybox, tool
from server.cluster.runtime.programs.copying import DISK_SPEED
from server.cluster.runtime.programs.inputs import BANNER
from server.cluster.runtime.programs.processes import cpu_percent, memory_of, state_of, user_name, words_of
from server.cluster.runtime.programs.space import space_of
from server.cluster.runtime.signals import INT, TERM
from server.cluster.runtime.streams import Endless, Fault, Null
from server.cluster.runtime.tty import Tty

MEMORY_SPEED = 3_000 * 1024**2
SUFFIXES = {"": 1, "c": 1, "w": 2, "b": 512, "k": 1024, "K": 1024, "m": 1024**2, "M": 1024**2, "g": 1024**3, "G": 1024**3, "T": 1024**4,
            "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
OPERANDS = frozenset(("if", "of", "bs", "ibs", "obs", "count", "skip", "seek", "conv", "status", "iflag", "oflag"))
CONVERSIONS = frozenset(("notrunc", "noerror", "sync", "fsync", "fdatasync", "ucase", "lcase", "swab", "excl", "nocreat", "sparse"))
FLAGS = frozenset(("append", "direct", "sync", "dsync", "fullblock", "nonblock", "noatime", "nofollow"))
STEP = 1.0


def number(text: str) -> int | None:
    """
    >>> number("1M"), number("2x512"), number("x")
    (1048576, 1024, None)
    """
    product = 1
    for part in text.split("x"):
        found = re.fullmatch(r"(\d{1,15})([a-zA-Z]{0,3})", part)
        if found is None or found[2] not in SUFFIXES:
            return None
        product *= int(found[1]) * SUFFIXES[found[2]]
    return product


class Copying:
    """One dd: how it was asked, and how far it is (``proc.state``: done, began)."""

    def __init__(self, proc: Proc) -> None:
        self.proc, self.small = proc, busybox(proc)
        self.given: dict[str, str] = {}
        self.fault = ""
        for word in proc.args:
            name, equals, value = word.partition("=")
            if not equals or name not in OPERANDS:
                self.fault = self.fault or (f"invalid argument '{word}'" if self.small else f"unrecognized operand '{word}'")
            self.given[name] = value
        self.sizes: dict[str, int] = {}
        for name in ("bs", "ibs", "obs", "count", "skip", "seek"):
            if name in self.given:
                found = number(self.given[name])
                if found is None or not found and name.endswith("bs"):
                    self.fault = self.fault or (f"invalid number '{self.given[name]}'" if self.small else f"invalid number: '{self.given[name]}'")
                self.sizes[name] = found or 0
        self.conv = set(self.given.get("conv", "").split(",")) - {""}
        self.flags = {flag for name in ("iflag", "oflag") for flag in self.given.get(name, "").split(",")} - {""}
        if self.conv - CONVERSIONS or self.flags - FLAGS:
            bad = sorted((self.conv - CONVERSIONS) | (self.flags - FLAGS))[0]
            self.fault = self.fault or (f"invalid argument '{bad}' to 'conv'" if self.small else f"invalid conversion: '{bad}'")
        block = self.sizes.get("bs", 0)
        self.ibs, self.obs = block or self.sizes.get("ibs", 512), block or self.sizes.get("obs", 512)
        self.count = self.sizes["count"] * self.ibs if "count" in self.sizes else None

    # its report

    def report(self, read: int, written: int, seconds: float) -> None:
        status = self.given.get("status", "")
        if status == "none":
            return
        whole, part = divmod(read, self.ibs)
        out, rest = divmod(written, self.obs)
        text = f"{whole}+{1 if part else 0} records in\n{out}+{1 if rest else 0} records out\n"
        seconds = max(seconds, 0.000_05 + written / MEMORY_SPEED)
        if status == "noxfer":
            pass
        elif self.small:
            text += f"{written} bytes ({human_busybox(written)}B) copied, {seconds:.6f} seconds, {human_busybox(int(written / seconds))}B/s\n"
        else:
            speed = written / seconds
            units = ((9, "GB/s"), (6, "MB/s"), (3, "kB/s"), (0, "B/s"))
            shown = next(f"{speed / 10 ** power:.1f} {unit}" for power, unit in units if speed >= 10 ** power or not power)
            sizes = f" ({human(written, 1000, 'k')[:-1]} {human(written, 1000, 'k')[-1]}B, {human(written)[:-1]} {human(written)[-1]}iB)" if (
                written >= 1024) else f" ({human(written, 1000, 'k')[:-1]} kB)" if written >= 1000 else ""
            text += f"{written} bytes{sizes} copied, {seconds:.6g} s, {shown}\n"
        self.proc.err(text)

    # zeros

    def zeros(self) -> Run:
        """From /dev/zero: a step a second, each as much as a disk takes, until it is enough or the disk is full."""
        proc, files, state = self.proc, self.proc.files, self.proc.state
        now = proc.system.clock.now
        path = proc.path(self.given["of"]) if "of" in self.given else ""
        proc.traps[INT] = proc.traps[TERM] = "catch"
        if not proc.resumed:
            state["began"], state["done"] = now, 0
        begin = self.sizes.get("seek", 0) * self.obs
        there = files.stat(path) if path else None
        to_disk = bool(path) and (there is None or there.kind == "file")
        if to_disk and not proc.resumed:
            if "append" in self.flags and (found := files.stat(path)) is not None:
                begin = found.size
            if fault := self.opened(files, path, begin):
                return self.failed("of", fault)
            state["from"] = begin
        begin = state.get("from", begin)
        speed, fault = DISK_SPEED if to_disk else MEMORY_SPEED, ""
        proc.compute({"cpu": 1_000_000_000 if not to_disk else 300_000_000, "since": now})
        try:
            while not fault and (self.count is None or state["done"] < self.count):
                more = int(speed * STEP)
                more = more if self.count is None else min(more, self.count - state["done"])
                if to_disk:
                    space = space_of(proc, self.given["of"])
                    free = space.size - space.used
                    if more > free:
                        more, fault = max(0, free), "No space left on device"
                    found = files.stat(path)
                    size = begin + state["done"] + more
                    fault = files.truncate(path, max(size, found.size if found is not None else 0), allocate=True) or fault
                state["done"] += more
                if not to_disk and self.count is None:
                    yield from proc.sleep(float("inf"))
                elif more > speed * 0.02:
                    yield from proc.sleep(more / speed)
        except Signalled as signal:
            self.report(state["done"], state["done"], proc.system.clock.now - state["began"])
            yield from proc.flush()
            return 128 + signal.signal
        finally:
            proc.compute(None)
        if fault:
            complain(proc, f"error writing '{self.given['of']}': {fault}")
        self.report(state["done"], state["done"], proc.system.clock.now - state["began"])
        yield from proc.flush()
        return 1 if fault else 0

    def opened(self, files: Files, path: str, begin: int) -> str:
        """Makes the output file, or shortens it to where writing begins."""
        if "nocreat" in self.conv and not files.kind(path):
            return NOT_FOUND
        if "excl" in self.conv and files.kind(path):
            return "File exists"
        if "notrunc" in self.conv or "append" in self.flags:
            return files.write(path, "", append=True)
        return files.truncate(path, begin)

    def failed(self, which: str, fault: str) -> int:
        name = self.given[which]
        complain(self.proc, f"can't open '{name}': {fault}" if self.small else f"failed to open '{name}': {fault}")
        return 1

    # everything else

    def run(self) -> Run:
        proc, given = self.proc, self.given
        if self.fault:
            if self.small and self.fault.startswith("invalid argument") and " to " not in self.fault:
                proc.err(f"{BANNER}dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc|noerror|sync|fsync]\n")
                return 1
            complain(proc, self.fault)
            if self.fault.startswith("unrecognized"):
                proc.err("Try 'dd --help' for more information.\n")
            return 1
        fd = 0
        if "if" in given:
            full = proc.path(given["if"])
            if proc.files.kind(full) == "directory":
                if self.small:
                    complain(proc, f"read error: {'Is a directory'}")
                else:
                    complain(proc, f"error reading '{given['if']}': Is a directory")
                    self.report(0, 0, 0.0)
                return 1
            try:
                stream = proc.open(given["if"])
            except Fault as fault:
                return self.failed("if", str(fault))
            if isinstance(stream, Endless):
                sink = proc.fds.get(1)
                if "of" in given or isinstance(sink, Null):
                    return (yield from self.zeros())
            found = proc.files.node(full)
            if "of" in given and isinstance(found, dict) and (found.get("hole") or found.get("pad")) and not inodes.text_of(found):
                size = max(0, inodes.size_of(found) - self.sizes.get("skip", 0) * self.ibs)
                self.count = size if self.count is None else min(self.count, size)
                return (yield from self.zeros())
            fd = next(each for each in range(3, 100) if each not in proc.fds)
            proc.fds[fd] = stream.open()
        began, pieces, size, skip = proc.system.clock.now, [], 0, self.sizes.get("skip", 0) * self.ibs
        wanted = None if self.count is None else skip + self.count
        while (wanted is None or size < wanted) and (text := (yield from proc.read(fd))):
            data = inodes.encoded(text)
            pieces.append(data)
            size += len(data)
            if size > 4 * LIMIT:
                complain(proc, "memory exhausted")
                return 1
        data = b"".join(pieces)[skip:wanted]
        read = len(data)
        data = self.converted(data)
        if "of" not in given:
            text = inodes.decoded(data)
            for at in range(0, len(text), 65536):
                proc.out(text[at:at + 65536])
                yield from proc.flush()
        else:
            fault = self.stored(data)
            if fault:
                return self.failed("of", fault)
        self.report(read, len(data), proc.system.clock.now - began)
        yield from proc.flush()
        return 0

    def converted(self, data: bytes) -> bytes:
        if "ucase" in self.conv:
            data = data.upper()
        if "lcase" in self.conv:
            data = data.lower()
        if "swab" in self.conv:
            data = b"".join(data[at:at + 2][::-1] for at in range(0, len(data), 2))
        if "sync" in self.conv and len(data) % self.ibs:
            data += bytes(min(self.ibs - len(data) % self.ibs, LIMIT))
        return data

    def stored(self, data: bytes) -> str:
        """Writes the data where ``seek`` says."""
        proc, files = self.proc, self.proc.files
        path, begin = proc.path(self.given["of"]), self.sizes.get("seek", 0) * self.obs
        stat = files.stat(path)
        if stat is not None and stat.kind == "directory":
            return "Is a directory"
        if stat is not None and stat.kind != "file":
            return ""
        if "append" in self.flags:
            return files.write(path, inodes.decoded(data), append=True)
        if fault := self.opened(files, path, begin):
            return fault
        if not data:
            return ""
        before = inodes.node() if (found := files.node(path)) is None else found
        size = inodes.size_of(before)
        if begin >= size:
            return files.truncate(path, begin) or files.write(path, inodes.decoded(data), append=True)
        if size > LIMIT:
            return "File too large"
        old = inodes.encoded(files.read(path) or "")
        return files.write(path, inodes.decoded(old[:begin] + data + old[begin + len(data):]))


def dd(proc: Proc) -> Run:
    return (yield from Copying(proc).run())


def stress(proc: Proc) -> Run:
    """stress and stress-ng: the load that their options ask for, as long as they ask for it."""
    found = burn([proc.name, *proc.args])
    if found is None:
        proc.err(f"{proc.name}: FAIL: [{proc.pid}] unrecognized option or nothing to do: {' '.join(proc.args)}\n" if proc.args else
                 f"Usage: {proc.name} [OPTION [ARG]] ...\n -c, --cpu N   -i, --io N   -m, --vm N   --vm-bytes B   -d, --hdd N   -t, --timeout N\n")
        return 1
    if not proc.resumed:
        proc.out(found.first.replace("[1]", f"[{proc.pid}]"))
    if not proc.resumed or proc.burn is None:
        proc.compute(found.state(proc.system.clock.now))
    yield from proc.flush()
    yield from proc.sleep(found.seconds)
    proc.compute(None)
    proc.out(found.last.replace("[1]", f"[{proc.pid}]"))
    yield from proc.flush()
    return found.code


# top

def screen(proc: Proc, rows: int, columns: int) -> str:
    facts, shown = facts_of(proc.machine), [each for each in processes(proc.machine) if each.alive]
    shown.sort(key=lambda each: (-cpu_percent(each), each.pid))
    names, total, used = Names(proc), facts.memory // 1024, facts.memory_used // 1024
    cached = min(total // 3, total - used - total // 20)
    busy = min(100.0, sum(cpu_percent(each) for each in shown) / max(1, facts.cpus))
    one, five, fifteen = facts.load
    if busybox(proc):
        lines = [f"Mem: {used}K used, {max(0, total - used)}K free, {total // 400}K shrd, {cached // 8}K buff, {cached - cached // 8}K cached",
                 f"CPU: {busy:3.0f}% usr   0% sys   0% nic {100 - busy:3.0f}% idle   0% io   0% irq   0% sirq",
                 f"Load average: {one:.2f} {five:.2f} {fifteen:.2f} 1/{180 + len(shown)} {max(each.pid for each in shown)}",
                 "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND"]
        for each in shown:
            size = memory_of(each) // 1024 + 3072
            text = str(size) if size < 100_000 else f"{size // 1024}m"
            lines.append(f"{each.pid:>5} {each.ppid:>5} {user_name(each, names):<8.8} {state_of(proc, each)[0]:<4} {text:>5} "
                         f"{100 * size // total:>3}% {each.pid % max(1, facts.cpus):>3} {cpu_percent(each) / max(1, facts.cpus):>3.0f}% "
                         f"{words_of(each)}")
    else:
        running = sum(state_of(proc, each)[0] == "R" for each in shown)
        days, seconds = divmod(int(facts.uptime), 86400)
        up = (f"{days} day{'s' if days != 1 else ''}, " if days else "") + (
            f"{seconds // 3600:2d}:{seconds // 60 % 60:02d}" if seconds >= 3600 else f"{seconds // 60} min")
        lines = [f"top - {proc.machine.time():%H:%M:%S} up {up},  0 user,  load average: {one:.2f}, {five:.2f}, {fifteen:.2f}",
                 f"Tasks: {len(shown):>3} total, {running:>3} running, {len(shown) - running:>3} sleeping,   0 stopped,   0 zombie",
                 f"%Cpu(s): {busy:4.1f} us,  0.0 sy,  0.0 ni, {100 - busy:4.1f} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st ",
                 f"MiB Mem : {total / 1024:>8.1f} total, {max(0, total - used - cached) / 1024:>8.1f} free, {used / 1024:>8.1f} used, "
                 f"{cached / 1024:>8.1f} buff/cache     ",
                 f"MiB Swap: {0:>8.1f} total, {0:>8.1f} free, {0:>8.1f} used. {max(0, total - used - total // 50) / 1024:>8.1f} avail Mem ", "",
                 "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND"]
        for each in shown:
            seconds = cpu_percent(each) * max(0.01, proc.system.clock.now - each.started) / 100
            lines.append(f"{each.pid:>7} {user_name(each, names):<8.8}  20   0 {memory_of(each) // 1024 + 3072:>7} {memory_of(each) // 1024:>6} "
                         f"{min(memory_of(each) // 1024, 900):>6} {state_of(proc, each)[0]} {cpu_percent(each):>5.1f} "
                         f"{100 * memory_of(each) / facts.memory:>5.1f} {int(seconds // 60):>3}:{seconds % 60:05.2f} {each.name}")
    return "\n".join(line[:columns] for line in lines[:rows]) + "\n"


def top(proc: Proc, options: Options) -> Run:
    batch, small = options.has("b"), busybox(proc)
    delay, rounds = options.value("d", "5" if small else "3"), options.value("n", "")
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", delay) or rounds and not rounds.isdigit():
        complain(proc, f"invalid number '{delay if rounds.isdigit() or not rounds else rounds}'" if small else "bad argument")
        return 1
    tty = proc.fds.get(1)
    if not batch and not isinstance(tty, Tty):
        if not small:
            complain(proc, "failed tty get")
            return 1
        batch = True
    rows, columns = (10_000, 512 if not small else 79) if batch else (tty.rows - 1, tty.columns)
    state = proc.state
    state.setdefault("round", 0)
    reader = proc.tty
    if reader is not None and not batch:
        reader.raw = True
    try:
        while not rounds or state["round"] < int(rounds):
            text = screen(proc, rows, columns)
            proc.out(text if batch else "\x1b[H\x1b[J" + text)
            if batch and not small:
                proc.out("\n" if not rounds or state["round"] + 1 < int(rounds) else "")
            state["round"] += 1
            if rounds and state["round"] >= int(rounds):
                break
            yield from proc.flush()
            if (yield from quits(proc, reader if not batch else None, max(0.1, float(delay)))):
                break
        yield from proc.flush()
    finally:
        if reader is not None and not batch:
            reader.raw = False
    return 0


def quits(proc: Proc, reader: Any, delay: float) -> Generator[Any, Any, bool]:
    """Waits for the next round; whether a person has pressed q or Ctrl-C before."""
    if reader is None:
        yield from proc.sleep(delay)
        return False
    yield Pass(reader.readable, delay)
    typed = reader.read()
    return typed == "" or typed is not None and any(key in typed for key in "qQ\x03")


TOP = Line("[-b] [-n COUNT] [-d SECONDS]", "bn:d:", "bn:d:", {}, 1, "[options]")
PROGRAMS: dict[str, Program] = {"dd": Program(dd, "state"), "stress": Program(stress, "state"), "stress-ng": Program(stress, "state"),
                                "top": Program(tool(TOP, top), "state")}
