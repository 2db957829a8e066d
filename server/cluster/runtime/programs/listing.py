"""ls: what lies in directories.

In: paths and options. Out: names, one a line, in columns on a terminal, or with all their facts. Two flavours: busybox and GNU coreutils
differ in their columns, the order of names' cases is that of bytes in both (LANG is C in images).

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ls.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.errno import DENIED
from server.cluster.inodes import Stat
from server.cluster.runtime.mount_namespace import READ
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import (
    Line,
    Names,
    Options,
    Run,
    busybox,
    complain,
    human,
    human_busybox,
    mode_text,
    moment,
    quoted,
    sent,
    short_date,
    stat_of,
    tool,
    why_not,
)

MOST_DEPTH = 64
WIDTH = 80
FULL_TIME, LONG_ISO = "full-iso", "long-iso"
BUSYBOX_COLOURS = {"directory": "1;34", "link": "1;36", "char": "1;35", "block": "1;37", "fifo": "1;35", "socket": "1;35", "file": "0;0"}
GNU_COLOURS = {"directory": "01;34", "link": "01;36", "char": "40;33;01", "block": "40;33;01", "fifo": "40;33", "socket": "01;35"}
MARKS = {"directory": "/", "link": "@", "fifo": "|", "socket": "="}


class Entry(NamedTuple):
    """``name`` as it is shown, ``path`` where it is."""

    name: str
    path: str
    stat: Stat


class Listing:
    """One call of ls."""

    def __init__(self, proc: Proc, options: Options) -> None:
        self.proc, self.options = proc, options
        self.small = busybox(proc)
        self.names = Names(proc)
        has = options.has
        layout = options.last("l", "1", "C", "x", "m", "n", "g", "o", "full-time")
        self.long = has("l", "n", "g", "o", "full-time") and layout not in ("C", "x", "m") if not self.small else has("l", "n", "full-time")
        terminal = proc.isatty(1)
        self.layout = layout if layout in ("C", "x", "m") else "1" if layout == "1" or not terminal or self.long else "C"
        tty = proc.fds.get(1)
        self.width = int(options.value("w")) if options.value("w").isdigit() else getattr(tty, "columns", WIDTH)
        self.dots = "all" if has("a", "f") else "most" if has("A") else ""
        self.sorting = options.last("S", "t", "X", "U", "f", "v", "sort")
        if self.sorting == "sort":
            self.sorting = {"size": "S", "time": "t", "extension": "X", "none": "U", "version": "v"}.get(options.value("sort"), "")
        colour = options.value("color", "always") or "always"
        wanted = has("color") if not self.small else has("color") or terminal
        self.colour = wanted and (colour in ("always", "yes", "force") and has("color") or terminal and colour not in ("never", "no", "none"))
        self.quotes = terminal and not self.small and not has("N")
        self.failed = 0

    # which

    def inside(self, path: str) -> list[Entry] | None:
        """What a directory holds; None if it may not be read."""
        full = self.proc.path(path)
        if not self.proc.files.may(full, READ):
            complain(self.proc, f"can't open '{path}': {DENIED}" if self.small else f"cannot open directory '{path}': {DENIED}")
            self.failed = max(self.failed, 1 if self.small else 2)
            return None
        found = list(self.proc.files.names(full) or ())
        if not self.dots:
            found = [name for name in found if not name.startswith(".")]
        elif self.dots == "all":
            found = [".", "..", *found]
        entries = []
        for name in found:
            there = posixpath.normpath(posixpath.join(full, name))
            stat = self.proc.files.stat(there, self.options.has("L"), self.long) or self.proc.files.stat(there, False, self.long)
            if stat is not None:
                entries.append(Entry(name, there, stat))
        return self.ordered(entries)

    def ordered(self, entries: list[Entry]) -> list[Entry]:
        how = self.sorting
        if how not in ("U", "f"):
            entries.sort(key=lambda entry: entry.name.encode("utf-8", "surrogateescape"))
        if how == "S":
            entries.sort(key=lambda entry: -entry.stat.size)
        elif how == "t":
            entries.sort(key=lambda entry: -entry.stat.mtime)
        elif how == "X":
            entries.sort(key=lambda entry: posixpath.splitext(entry.name)[1])
        elif how == "v":
            entries.sort(key=lambda entry: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", entry.name)][1::2])
        if self.options.has("r"):
            entries.reverse()
        if self.options.has("group-directories-first"):
            entries.sort(key=lambda entry: entry.stat.kind != "directory")
        return entries

    # how

    def shown(self, entry: Entry) -> str:
        name = quoted(entry.name) if self.quotes else "".join(
            char if char >= " " and char != "\x7f" else "?" for char in entry.name) if self.options.has("q") or self.proc.isatty(1) else entry.name
        mark = ""
        if self.options.has("F", "p"):
            mark = MARKS.get(entry.stat.kind, "*" if entry.stat.kind == "file" and entry.stat.mode & 0o111 else "")
            if self.options.has("p") and not self.options.has("F") and mark != "/":
                mark = ""
            if mark == "@" and self.long:
                mark = ""
        return self.painted(name, entry.stat) + mark

    def painted(self, name: str, stat: Stat) -> str:
        if not self.colour:
            return name
        runs = stat.kind == "file" and stat.mode & 0o111
        if self.small:
            return f"\x1b[{'1;32' if runs else BUSYBOX_COLOURS[stat.kind]}m{name}\x1b[m"
        colour = "01;32" if runs else GNU_COLOURS.get(stat.kind, "")
        if stat.kind == "directory" and stat.mode & 0o1002 == 0o1002:
            colour = "30;42"
        return f"\x1b[0m\x1b[{colour}m{name}\x1b[0m" if colour else name

    def prefix(self, entry: Entry, entries: list[Entry]) -> str:
        """What -i and -s put in front of a name."""
        text = ""
        if self.options.has("i"):
            width = 7 if self.small else max(len(str(each.stat.inode)) for each in entries) if self.layout != "m" else 0
            text += f"{entry.stat.inode:>{width}} "
        if self.options.has("s"):
            blocks = [self.blocks(each.stat) for each in entries]
            width = 6 if self.small else max(map(len, blocks))
            text += f"{self.blocks(entry.stat):>{width}} "
        return text

    def blocks(self, stat: Stat) -> str:
        if self.options.has("h"):
            return self.human(stat.blocks * 512)
        return str(stat.blocks // 2)

    def human(self, size: int) -> str:
        return human_busybox(size) if self.small else human(size)

    def print(self, entries: list[Entry]) -> Generator[Any, Any, None]:
        if self.long:
            yield from self.print_long(entries)
        elif self.layout == "1":
            for entry in entries:
                self.proc.out(f"{self.prefix(entry, entries)}{self.shown(entry)}\n")
                if self.proc.spins():
                    yield from sent(self.proc)
        elif self.layout == "m":
            self.proc.out(", ".join(self.prefix(entry, entries) + self.shown(entry) for entry in entries) + "\n" if entries else "")
        elif entries:
            self.print_columns(entries)
        yield from self.proc.flush()

    def print_columns(self, entries: list[Entry]) -> None:
        texts = [self.prefix(entry, entries) + self.shown(entry) for entry in entries]
        widths = [len(re.sub("\x1b\\[[0-9;]*m", "", text)) for text in texts]
        across = self.layout == "x"
        if self.small:
            column = max(widths) + 2
            columns = max(1, self.width // column)
            rows = -(-len(texts) // columns)
            sizes = [column] * columns
        else:
            rows, columns, sizes = self.fitted(widths, across)
        for row in range(rows):
            line, at, due = "", 0, 0
            for column in range(columns):
                number = row * columns + column if across else column * rows + row
                if number < len(texts):
                    line += " " * (due - at) + texts[number]
                    at = due + widths[number]
                    due += sizes[column]
            self.proc.out(line + "\n")

    def fitted(self, widths: list[int], across: bool) -> tuple[int, int, list[int]]:
        """(rows, columns, widths of columns) with as many columns as fit."""
        for columns in range(min(len(widths), max(1, self.width // 3)), 0, -1):
            rows = -(-len(widths) // columns)
            sizes = [0] * columns
            for number, width in enumerate(widths):
                column = number % columns if across else number // rows
                if column < columns:
                    sizes[column] = max(sizes[column], width + 2)
            used = [size for size in sizes if size]
            if sum(used) - 2 < self.width or columns == 1:
                return rows, len(used), used
        return len(widths), 1, [0]

    def print_long(self, entries: list[Entry]) -> Generator[Any, Any, None]:
        numeric, options = self.options.has("n"), self.options
        rows = []
        for entry in entries:
            stat = entry.stat
            size = f"{stat.device[0]:>4}, {stat.device[1]:>3}" if stat.kind in ("char", "block") and self.small else (
                f"{stat.device[0]}, {stat.device[1]}" if stat.kind in ("char", "block") else
                self.human(stat.size) if options.has("h") else str(stat.size))
            rows.append((mode_text(stat), str(stat.links), str(stat.uid) if numeric else self.names.user(stat.uid),
                         str(stat.gid) if numeric else self.names.group(stat.gid), size, self.date(stat), self.target(entry)))
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
        for entry, (mode, links, user, group, size, date, name) in zip(entries, rows, strict=True):
            head = self.prefix(entry, entries)
            if self.small:
                owners = f"{user:<8.8} {group:<8.8}"
                width = 7 if options.has("h") and entry.stat.kind not in ("char", "block") else 9
                self.proc.out(f"{head}{mode} {links:>4} {owners} {size:>{width}} {date} {name}\n")
            else:
                owners = (f" {user:<{widths[2]}}" if not options.has("g") else "") + (
                    f" {group:<{widths[3]}}" if not options.has("o", "G") else "")
                self.proc.out(f"{head}{mode} {links:>{widths[1]}}{owners} {size:>{widths[4]}} {date} {name}\n")
            if self.proc.spins():
                yield from sent(self.proc)

    def date(self, stat: Stat) -> str:
        style = FULL_TIME if self.options.has("full-time") else self.options.value("time-style")
        when = moment(stat.mtime)
        if self.small and self.options.has("full-time"):
            return f"{when:%Y-%m-%d %H:%M:%S} +0000"
        if style == FULL_TIME:
            return f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond * 1000:09d} +0000"
        if style == LONG_ISO:
            return f"{when:%Y-%m-%d %H:%M}"
        if style.startswith("+"):
            return when.strftime(style[1:])
        return short_date(self.proc, stat.mtime)

    def target(self, entry: Entry) -> str:
        if entry.stat.kind != "link":
            return self.shown(entry)
        to = self.proc.files.stat(entry.path)
        target = self.painted(entry.stat.link, to) if to is not None else entry.stat.link
        return f"{self.shown(entry)} -> {target}"

    # where

    def total(self, entries: list[Entry]) -> None:
        if self.long or self.options.has("s"):
            blocks = sum(entry.stat.blocks for entry in entries)
            total = self.human(blocks * 512) if self.options.has("h") else str(blocks // 2)
            self.proc.out(f"total {total.ljust(7) if self.small and self.options.has('h') else total}\n")

    def run(self) -> Run:
        options, proc = self.options, self.proc
        files: list[Entry] = []
        folders: list[str] = []
        operands = options.operands or ["."]
        for word in operands:
            stat = stat_of(proc, word, follow=not (self.long or options.has("d", "F")) or options.has("L", "H"))
            if stat is None:
                stat = stat_of(proc, word, follow=False)
            if stat is None or (options.has("L") and stat.kind == "link"):
                fault = why_not(proc, word)
                complain(proc, f"{word}: {fault}" if self.small else f"cannot access '{word}': {fault}")
                self.failed = 1 if self.small else 2
            elif stat.kind == "directory" and not options.has("d"):
                folders.append(word)
            else:
                counted = proc.files.stat(proc.path(word), False, True) if stat.kind == "directory" and self.long else stat
                files.append(Entry(word, proc.path(word), counted))
        if files:
            yield from self.print(self.ordered(files))
        folders = [entry.name for entry in self.ordered([Entry(word, "", stat_of(proc, word)) for word in folders])]
        heads = len(operands) > 1 or options.has("R")
        first = not files
        waiting = [(word, 0) for word in folders]
        while waiting:
            word, depth = waiting.pop(0)
            entries = self.inside(word)
            if entries is None:
                continue
            if heads:
                proc.out(f"{'' if first else chr(10)}{word}:\n")
            first = False
            self.total(entries)
            yield from self.print(entries)
            if options.has("R") and depth < MOST_DEPTH:
                waiting[:0] = [(posixpath.join(word, entry.name), depth + 1) for entry in entries
                               if entry.stat.kind == "directory" and entry.name not in (".", "..")]
        return self.failed


LONG = {"all": "a", "almost-all": "A", "directory": "d", "human-readable": "h", "recursive": "R", "reverse": "r", "size": "s", "inode": "i",
        "numeric-uid-gid": "n", "classify": "F", "file-type": "p", "literal": "N", "no-group": "G", "hide-control-chars": "q",
        "dereference": "L", "color": "color::", "sort": "sort:", "time-style": "time-style:", "full-time": "full-time", "width": "w",
        "group-directories-first": "group-directories-first"}
LS = Line("[-1AaCxdLHRFplinshrSXvt] [-w WIDTH] [FILE]...", "1AaCxdLHRFplinshrSXvtkw:", "1AaCxdLHRFplinshrSXvtkw:qgoGmNUf", LONG, 2,
          "[OPTION]... [FILE]...")


def ls(proc: Proc, options: Options) -> Run:
    return (yield from Listing(proc, options).run())


PROGRAMS: dict[str, Program] = {"ls": Program(tool(LS, ls)),
                                "dir": Program(tool(LS, ls, lambda words: ["-C", *words])),
                                "vdir": Program(tool(LS, ls, lambda words: ["-l", *words]))}
