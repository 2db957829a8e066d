"""less and more: on a terminal a screen at a time, else like cat.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/more.html
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program, Signalled
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.cats import CANNOT_OPEN, READ_ERROR
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, tool
from server.cluster.runtime.signals import INT
from server.cluster.runtime.tty import Tty

LESS = Line("[-EFIMmNSRh~] [FILE]...", "EFIMmNSRh~", "EFIKMmNSRXejnqsi", {
    "quit-if-one-screen": "F", "LINE-NUMBERS": "N", "chop-long-lines": "S", "RAW-CONTROL-CHARS": "R", "no-init": "X", "QUIT-AT-EOF": "E"},
    gnu_usage="[options] [file]...")
MORE = Line("[FILE]...", "", "dflcpsun:", {}, gnu_usage="[options] <file>...")
BAR, CLEAR = "\x1b[7m{}\x1b[27m", "\r\x1b[K"


def pager(proc: Proc, options: Options) -> Run:
    terminal = next((proc.fds[fd] for fd in (1, 2) if isinstance(proc.fds.get(fd), Tty)), None)
    if not options.operands and isinstance(proc.fds.get(0), Tty):
        raise Misuse('Missing filename ("less --help" for help)\n' if proc.name == "less" and not busybox(proc) else
                     f"{proc.name}: bad usage\nTry '{proc.name} --help' for more information.\n" if not busybox(proc) else
                     LESS.misuse(proc).text if proc.name == "less" else MORE.misuse(proc).text)
    text = Text(proc, options.operands, CANNOT_OPEN, READ_ERROR)
    if text.gnu and proc.name == "less":
        text.opening, text.reading = "{path}: {fault}", "{path} is a directory"
        text.complain = lambda words: (text.push(), proc.err(words + "\n"))
    elif text.gnu:
        text.opening, text.reading = "cannot open {path}: {fault}", "{path}: {fault}"
    if terminal is None or not proc.isatty(1):
        while text.next_file():
            if text.gnu and proc.name == "more" and text.path != "-":
                text.put(f"{':' * 14}\n{text.path}\n{':' * 14}\n")
            while piece := (yield from text.read()):
                text.put(piece)
                yield from text.sent()
        return 1 if text.failed and (not text.gnu or proc.name == "less") else 0
    lines: list[str] = []
    while (block := (yield from text.all_lines())) is not None:
        text.hold(sum(map(len, block)) + 50 * len(block))
        lines += [line.removesuffix("\n") for line in block]
    if text.failed and not lines:
        return 1
    keys = max(2, *proc.fds) + 1
    proc.fds[keys] = terminal.open()
    raw, terminal.raw = terminal.raw, True
    try:
        yield from _Screen(proc, terminal, keys, lines, text.path, options.has("F") or proc.name == "more").run()
    except Signalled as caught:
        if caught.signal != INT:
            raise
    finally:
        terminal.raw = raw
    proc.out(CLEAR)
    yield from proc.flush()
    return 0


class _Screen:
    """Scrolls forward by printing, back by drawing anew; / searches, q quits."""

    def __init__(self, proc: Proc, terminal: Tty, keys: int, lines: list[str], name: str, one_screen: bool) -> None:
        self.proc, self.terminal, self.keys, self.name, self.one_screen = proc, terminal, keys, name, one_screen
        self.rows = [line[at:at + terminal.columns] for line in lines for at in range(0, max(1, len(line)), terminal.columns)]
        self.top = self.below = 0
        self.wanted: regex.Regex | None = None

    @property
    def height(self) -> int:
        return max(1, self.terminal.rows - 1)

    def run(self) -> Generator[Any, Any, None]:
        yield from self.forward(self.height)
        if self.one_screen and self.below >= len(self.rows):
            return
        while True:
            self.prompt()
            key = yield from self.key()
            if key in ("", "q", "Q", "\x03", "\x04"):
                return
            if key in (" ", "f", "\x06", "\x1b[6~"):
                if self.below >= len(self.rows) and self.one_screen:
                    return
                yield from self.forward(self.height)
            elif key in ("\r", "\n", "j", "e", "\x1b[B"):
                yield from self.forward(1)
            elif key == "d":
                yield from self.forward(self.height // 2)
            elif key in ("b", "\x02", "\x1b[5~"):
                yield from self.draw(self.top - self.height)
            elif key in ("k", "y", "\x1b[A"):
                yield from self.draw(self.top - 1)
            elif key == "u":
                yield from self.draw(self.top - self.height // 2)
            elif key in ("g", "<", "\x1b[H"):
                yield from self.draw(0)
            elif key in ("G", ">", "\x1b[F"):
                yield from self.draw(len(self.rows) - self.height)
            elif key == "/":
                yield from self.search()
            elif key == "n":
                yield from self.found()

    def prompt(self) -> None:
        over = self.below >= len(self.rows)
        if self.proc.name == "more":
            shown = f"--More--({100 * self.below // max(1, len(self.rows))}%)"
        else:
            shown = "(END)" if over else self.name if self.top == 0 and self.name != "-" else ":"
        self.proc.out(BAR.format(shown) if shown != ":" else shown)

    def key(self) -> Generator[Any, Any, str]:
        found = yield from self.proc.read(self.keys, 1)
        if found == "\x1b":
            found += yield from self.proc.read(self.keys, 2)
            if found[-1:].isdigit():
                found += yield from self.proc.read(self.keys, 1)
        self.proc.out(CLEAR)
        return found

    def forward(self, count: int) -> Generator[Any, Any, None]:
        rows = self.rows[self.below:self.below + count]
        self.proc.out("".join(f"{row}\r\n" for row in rows))
        self.below += len(rows)
        self.top = max(0, self.below - self.height)
        yield from self.proc.flush()

    def draw(self, top: int) -> Generator[Any, Any, None]:
        self.top = max(0, min(top, len(self.rows) - 1))
        self.below = self.top
        self.proc.out("\x1b[H\x1b[J")
        yield from self.forward(self.height)
        self.top = max(0, self.below - self.height) if self.below < len(self.rows) else self.top

    def search(self) -> Generator[Any, Any, None]:
        typed = ""
        self.proc.out("/")
        while (key := (yield from self.proc.read(self.keys, 1))) not in ("\r", "\n", ""):
            if key in ("\x7f", "\b"):
                typed = typed[:-1]
            elif key >= " " and len(typed) < 200:
                typed += key
            self.proc.out(CLEAR + "/" + typed)
        self.proc.out(CLEAR)
        if typed:
            try:
                self.wanted = regex.compile(typed, True)
            except regex.BadPattern as bad:
                self.proc.out(BAR.format(f"{bad}  (press RETURN)"))
                yield from self.key()
                return
        yield from self.found()

    def found(self) -> Generator[Any, Any, None]:
        if self.wanted is None:
            self.proc.out(BAR.format("No previous regular expression  (press RETURN)"))
            yield from self.key()
            return
        try:
            at = next((at for at in range(self.top + 1, len(self.rows)) if self.wanted.search(self.rows[at], spans=False)), None)
        except regex.TooComplex:
            at = None
        if self.proc.spins(1 + self.wanted.taken()):
            yield from self.proc.breathe()
        if at is None:
            self.proc.out(BAR.format("Pattern not found  (press RETURN)"))
            yield from self.key()
        else:
            yield from self.draw(at)


PROGRAMS: dict[str, Program] = {"less": Program(tool(LESS, pager), ""), "more": Program(tool(MORE, pager), "")}
