"""find: walks directory trees and does something with what matches.

In: paths and an expression, parsed into a tree of tests and actions (``!`` binds closest, then and, then ``-o``). Out: paths, commands run
(``-exec``), files removed (``-delete``). Depth and the number of commands are bounded by the machine's own bounds.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/find.html
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.inodes import Stat
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program
from server.cluster.runtime.programs.common import Misuse, Names, Run, accounts, busybox, complain, mode_text, moment, now, stat_of, why_not
from server.cluster.runtime.programs.copying import agreed
from server.cluster.runtime.programs.dates import parse_date, shown
from server.cluster.runtime.programs.inputs import BANNER
from server.cluster.runtime.programs.modes import parse_mode

MOST_DEPTH, MOST_ARGUMENTS = 64, 500
KINDS = {"f": "file", "d": "directory", "l": "link", "c": "char", "b": "block", "p": "fifo", "s": "socket"}
SIZES = {"": 512, "b": 512, "c": 1, "w": 2, "k": 1024, "M": 1024**2, "G": 1024**3}
VALUES = frozenset(("name", "iname", "path", "ipath", "wholename", "regex", "iregex", "type", "size", "mtime", "mmin", "atime", "ctime", "amin",
                    "cmin", "newer", "perm", "user", "group", "uid", "gid", "maxdepth", "mindepth", "printf", "inum", "links", "lname",
                    "newermt"))
PLAIN = frozenset(("print", "print0", "delete", "prune", "empty", "true", "false", "depth", "xdev", "mount", "quit", "ls", "executable",
                   "readable", "writable", "nouser", "nogroup", "follow", "noleaf", "daystart"))
ACTIONS = frozenset(("print", "print0", "printf", "delete", "exec", "execdir", "ok", "ls", "quit"))


class Term(NamedTuple):
    """A test or action with its words; or "and", "or", "not" with terms."""

    name: str
    words: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()


class Here(NamedTuple):
    """What find looks at: the path as it is shown, and its facts."""

    path: str
    stat: Stat
    depth: int


class Parser:
    def __init__(self, proc: Proc, words: list[str]) -> None:
        self.proc, self.words, self.small = proc, words, busybox(proc)
        self.least, self.most, self.deep, self.acts = 0, MOST_DEPTH, False, False
        self.one_system = False

    def fault(self, text: str) -> Misuse:
        return Misuse(f"find: {text}\n", 1)

    def parse(self) -> Term:
        if not self.words:
            return Term("print")
        found = self._or()
        if self.words:
            word = self.words[0]
            if self.small:
                raise self.fault(f"unrecognized: {word}")
            raise self.fault("invalid expression; you have too many ')'" if word == ")" else f"unknown predicate `{word}'" if word.startswith("-")
                             else f"paths must precede expression: `{word}'")
        return found if self.acts else Term("and", terms=(found, Term("print")))

    def _or(self) -> Term:
        terms = [self._and()]
        while self.words and self.words[0] in ("-o", "-or", ","):
            self.words.pop(0)
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else Term("or", terms=tuple(terms))

    def _and(self) -> Term:
        terms = [self._not()]
        while self.words and self.words[0] not in ("-o", "-or", ",", ")"):
            if self.words[0] in ("-a", "-and"):
                self.words.pop(0)
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else Term("and", terms=tuple(terms))

    def _not(self) -> Term:
        if not self.words:
            raise self.fault("bare words before expression" if self.small else "expected an expression after `-a'")
        word = self.words.pop(0)
        if word in ("!", "-not"):
            return Term("not", terms=(self._not(),))
        if word == "(":
            inner = self._or()
            if not self.words:
                raise self.fault("unmatched '('" if self.small else
                                 "invalid expression; I was expecting to find a ')' somewhere but did not see one.")
            self.words.pop(0)
            return inner
        name = word[1:]
        if not word.startswith("-") or name not in VALUES | PLAIN | {"exec", "execdir", "ok"}:
            if self.small:
                raise Misuse(f"find: unrecognized: {word}\n{BANNER}find [-HL] [PATH]... [OPTIONS] [ACTIONS]\n", 1)
            raise self.fault(f"unknown predicate `{word}'" if word.startswith("-")
                             else f"paths must precede expression: `{word}'")
        if name in ("exec", "execdir", "ok"):
            return self._exec(name)
        self.acts = self.acts or name in ACTIONS
        if name in PLAIN:
            self.deep = self.deep or name in ("delete", "depth")
            self.one_system = self.one_system or name in ("xdev", "mount")
            return Term("true") if name in ("depth", "xdev", "mount", "noleaf", "follow", "daystart") else Term(name)
        if not self.words:
            raise self.fault(f"-{name} requires an argument" if self.small else f"missing argument to `{word}'")
        return self._valued(name, self.words.pop(0))

    def _valued(self, name: str, value: str) -> Term:
        if name in ("maxdepth", "mindepth"):
            if not value.isdigit():
                raise self.fault(f"invalid number '{value}'" if self.small else f"Expected a positive decimal integer argument to -{name}, but got "
                                 f"'{value}'")
            if name == "maxdepth":
                self.most = min(MOST_DEPTH, int(value))
            else:
                self.least = int(value)
            return Term("true")
        if name == "type" and any(letter not in KINDS for letter in value.split(",")):
            raise self.fault(f"invalid argument '{value}' to '-type'" if self.small else f"Unknown argument to -type: {value}")
        if name == "size" and not re.fullmatch(r"[-+]?\d{1,18}[cwbkMG]?", value) or name in ("mtime", "mmin", "links", "inum") and not re.fullmatch(
                r"[-+]?\d{1,9}", value):
            raise self.fault(f"invalid number '{value}'" if self.small else f"invalid -size type `{value[-1:]}'" if name == "size"
                             else f"invalid argument `{value}' to `-{name}'")
        if name in ("newer",) and stat_of(self.proc, value) is None:
            raise self.fault(f"{value}: {why_not(self.proc, value)}" if self.small else f"'{value}': {why_not(self.proc, value)}")
        if name in ("regex", "iregex"):
            try:
                re.compile(value)
            except re.error:
                raise self.fault(f"bad regex '{value}'") from None
        if name == "perm" and parse_mode(value.lstrip("-/"), 0, False) is None:
            raise self.fault(f"invalid mode '{value}'" if self.small else f"invalid mode '{value}'")
        if name in ("user", "group") and not value.isdigit() and value not in accounts(self.proc, "/etc/passwd" if name == "user" else "/etc/group"):
            raise self.fault(f"unknown {name} {value}" if self.small else f"'{value}' is not the name of a known {name}")
        return Term(name, (value,))

    def _exec(self, name: str) -> Term:
        words: list[str] = []
        self.acts = True
        while self.words:
            word = self.words.pop(0)
            if word == ";" or word == "+" and words and words[-1] == "{}":
                if not words:
                    break
                return Term("execs" if word == "+" else name, tuple(words))
            words.append(word)
        raise self.fault(f"-{name} requires an argument" if self.small else f"missing argument to `-{name}'")


class Walk:
    def __init__(self, proc: Proc, parser: Parser, term: Term, follow: bool) -> None:
        self.proc, self.parser, self.term, self.follow = proc, parser, term, follow
        self.names, self.now = Names(proc), now(proc)
        self.failed = self.pruned = self.over = False
        self.seen = 0
        self.gathered: dict[tuple[str, ...], list[str]] = {}

    def walk(self, path: str, depth: int = 0) -> Generator[Any, Any, None]:
        proc, parser = self.proc, self.parser
        found = stat_of(proc, path, follow=self.follow) or stat_of(proc, path, follow=False)
        if found is None:
            self.failed = True
            complain(proc, f"{path}: {why_not(proc, path)}" if parser.small else f"'{path}': {why_not(proc, path)}")
            return
        here, self.pruned = Here(path, found, depth), False
        if not parser.deep and depth >= parser.least:
            yield from self.test(self.term, here)
        if found.kind == "directory" and not self.pruned and depth < parser.most and not self.over:
            full = proc.path(path)
            if not proc.files.may(full, 4):
                self.failed = True
                complain(proc, f"{path}: Permission denied" if parser.small else f"'{path}': Permission denied")
            else:
                for name in proc.files.names(full) or ():
                    below = posixpath.join(path, name)
                    if parser.one_system and proc.files.mount_of(proc.path(below))[0] != proc.files.mount_of(full)[0]:
                        continue
                    yield from self.walk(below, depth + 1)
                    if self.over:
                        return
        if parser.deep and depth >= parser.least and not self.over:
            yield from self.test(self.term, here)
        self.seen += 1
        if self.seen % 64 == 0:
            yield from proc.flush()
        if proc.spins():
            yield from proc.breathe()

    def test(self, term: Term, here: Here) -> Generator[Any, Any, bool]:
        if term.name == "and":
            for each in term.terms:
                if not (yield from self.test(each, here)):
                    return False
            return True
        if term.name == "or":
            for each in term.terms:
                if (yield from self.test(each, here)):
                    return True
            return False
        if term.name == "not":
            return not (yield from self.test(term.terms[0], here))
        if term.name in ("exec", "execdir", "ok"):
            if term.name == "ok" and not (yield from agreed(self.proc, f"{term.words[0]} ... {here.path} ?")):
                return False
            given = f"./{posixpath.basename(here.path)}" if term.name == "execdir" else here.path
            words = [word.replace("{}", given) for word in term.words]
            return (yield from self.run(words, posixpath.dirname(self.proc.path(here.path)) if term.name == "execdir" else None)) == 0
        if term.name == "execs":
            gathered = self.gathered.setdefault(term.words, [])
            gathered.append(here.path)
            if len(gathered) >= MOST_ARGUMENTS:
                yield from self.finish()
            return True
        return self.holds(term.name, term.words[0] if term.words else "", here)

    def run(self, words: list[str], cwd: str | None = None) -> Generator[Any, Any, int]:
        yield from self.proc.flush()
        try:
            child = self.proc.spawn(words, cwd=cwd)
        except ExecFault as fault:
            complain(self.proc, f"{words[0]}: {fault}" if self.parser.small else f"'{words[0]}': {fault}")
            self.failed = True
            return fault.code
        return (yield from self.proc.wait(child))

    def finish(self) -> Generator[Any, Any, None]:
        """Runs what ``-exec ... {} +`` has gathered."""
        gathered, self.gathered = self.gathered, {}
        for words, paths in gathered.items():
            if (yield from self.run([*words[:-1], *paths])):
                self.failed = True

    def holds(self, name: str, value: str, here: Here) -> bool:
        stat, path = here.stat, here.path
        base = posixpath.basename(path.rstrip("/")) or path
        age = self.now - stat.mtime
        tests = {
            "name": lambda: _matches(base, value), "iname": lambda: _matches(base.lower(), value.lower()),
            "path": lambda: _matches(path, value), "wholename": lambda: _matches(path, value), "ipath": lambda: _matches(path.lower(), value.lower()),
            "regex": lambda: bool(re.fullmatch(value, path)), "iregex": lambda: bool(re.fullmatch(value, path, re.I)),
            "lname": lambda: stat.kind == "link" and _matches(stat.link, value),
            "type": lambda: stat.kind in (KINDS[letter] for letter in value.split(",")), "size": lambda: self._size(value, stat),
            **dict.fromkeys(("mtime", "atime", "ctime"), lambda: _compared(value, int(age // 86400))),
            **dict.fromkeys(("mmin", "amin", "cmin"), lambda: _compared(value, int(-(-age // 60)))),
            "links": lambda: _compared(value, stat.links), "inum": lambda: _compared(value, stat.inode),
            "newer": lambda: stat.mtime > stat_of(self.proc, value).mtime, "newermt": lambda: stat.mtime > (parse_date(value, self.now) or 0.0),
            "perm": lambda: self._mode(value, stat), "uid": lambda: _compared(value, stat.uid), "gid": lambda: _compared(value, stat.gid),
            "user": lambda: value in (self.names.user(stat.uid), str(stat.uid)),
            "group": lambda: value in (self.names.group(stat.gid), str(stat.gid)),
            "nouser": lambda: stat.uid not in self.names.users, "nogroup": lambda: stat.gid not in self.names.groups,
            "empty": lambda: not self.proc.files.names(self.proc.path(path)) if stat.kind == "directory" else stat.kind == "file" and not stat.size,
            "true": lambda: True, "false": lambda: False, "prune": self._prune, "quit": self._quit,
            "readable": lambda: self.proc.files.may(self.proc.path(path), 4), "writable": lambda: self.proc.files.may(self.proc.path(path), 2),
            "executable": lambda: self.proc.files.may(self.proc.path(path), 1),
            "print": lambda: self._out(path + "\n"), "print0": lambda: self._out(path + "\0"), "delete": lambda: self._delete(here),
            "printf": lambda: self._out(self._formatted(value, here)), "ls": lambda: self._out(self._listed(here)),
        }
        return tests[name]()

    def _out(self, text: str) -> bool:
        self.proc.out(text)
        return True

    def _prune(self) -> bool:
        self.pruned = True
        return True

    def _quit(self) -> bool:
        self.over = True
        return True

    def _size(self, value: str, stat: Stat) -> bool:
        unit = SIZES[value[-1] if value[-1].isalpha() else ""]
        return _compared(value.rstrip("cwbkMG"), -(-stat.size // unit))

    def _mode(self, value: str, stat: Stat) -> bool:
        wanted = parse_mode(value.lstrip("-/"), 0, False)
        if value.startswith("-"):
            return stat.mode & wanted == wanted
        return not wanted or bool(stat.mode & wanted) if value.startswith("/") else stat.mode == wanted

    def _delete(self, here: Here) -> bool:
        if here.path in (".", "/"):
            return True
        full = self.proc.path(here.path)
        fault = self.proc.files.remove_directory(full) if here.stat.kind == "directory" else self.proc.files.remove(full)
        if fault:
            self.failed = True
            complain(self.proc, f"{here.path}: {fault}" if self.parser.small else f"cannot delete '{here.path}': {fault}")
        return not fault

    def _formatted(self, form: str, here: Here) -> str:
        stat, path = here.stat, here.path
        values = {"p": path, "f": posixpath.basename(path) or path, "h": posixpath.dirname(path) or ".", "s": str(stat.size), "m": f"{stat.mode:o}",
                  "M": mode_text(stat), "u": self.names.user(stat.uid), "g": self.names.group(stat.gid), "U": str(stat.uid), "G": str(stat.gid),
                  "d": str(here.depth), "l": stat.link, "i": str(stat.inode), "n": str(stat.links), "%": "%",
                  "y": {"file": "f", "directory": "d", "link": "l", "char": "c", "block": "b"}.get(stat.kind, "f"),
                  "t": shown(moment(stat.mtime), "%a %b %e %H:%M:%S.%N0 %Y"), "k": str(stat.blocks // 2), "b": str(stat.blocks)}
        text = re.sub(r"\\([nt0\\])", lambda found: {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}[found[1]], form)
        text = re.sub(r"%T(.)", lambda found: str(stat.mtime) if found[1] == "@" else shown(moment(stat.mtime), "%" + found[1]), text)
        return re.sub(r"%(-?\d{0,3})([a-zA-Z%])", lambda found: _padded(values.get(found[2], found[0]), found[1]), text)

    def _listed(self, here: Here) -> str:
        stat = here.stat
        target = f" -> {stat.link}" if stat.kind == "link" else ""
        return (f"{stat.inode:>9} {stat.blocks // 2:>6} {mode_text(stat)} {stat.links:>3} {self.names.user(stat.uid):<8} "
                f"{self.names.group(stat.gid):<8} {stat.size:>8} {shown(moment(stat.mtime), '%b %e %H:%M')} {here.path}{target}\n")


def _padded(text: str, width: str) -> str:
    return text.ljust(int(width[1:] or 0)) if width.startswith("-") else text.rjust(int(width or 0))


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern.replace("[^", "[!"))


def _compared(text: str, number: int) -> bool:
    wanted = int(text.lstrip("+-"))
    return number > wanted if text.startswith("+") else number < wanted if text.startswith("-") else number == wanted


def find(proc: Proc) -> Run:
    words, follow = list(proc.args), False
    while words and words[0] in ("-H", "-L", "-P"):
        follow = words.pop(0) == "-L"
    paths = []
    while words and not words[0].startswith("-") and words[0] not in ("!", "(", ")"):
        paths.append(words.pop(0))
    parser = Parser(proc, words)
    try:
        term = parser.parse()
    except Misuse as misuse:
        proc.err(misuse.text)
        return misuse.code
    walk = Walk(proc, parser, term, follow)
    for path in paths or ["."]:
        yield from walk.walk(path)
        if walk.over:
            break
    yield from walk.finish()
    yield from proc.flush()
    return 1 if walk.failed else 0


def tree(proc: Proc) -> Run:
    """tree: directories as they are drawn."""
    words = [word for word in proc.args if not word.startswith("-")]
    flags = [word for word in proc.args if word.startswith("-")]
    depth = MOST_DEPTH
    if "-L" in flags and words and words[0].isdigit():
        depth = int(words.pop(0))
    unknown = [flag for flag in flags if flag not in ("-a", "-d", "-L", "-n")]
    if unknown:
        proc.err(f"tree: Invalid argument -`{unknown[0].lstrip('-')}'.\n")
        return 1
    counts = {"directory": 0, "file": 0}

    def draw(path: str, lead: str, level: int) -> Generator[Any, Any, None]:
        names = [name for name in proc.files.names(proc.path(path)) or () if "-a" in flags or not name.startswith(".")]
        if "-d" in flags:
            names = [name for name in names if proc.files.kind(proc.path(posixpath.join(path, name))) == "directory"]
        for at, name in enumerate(names):
            below = posixpath.join(path, name)
            stat = stat_of(proc, below, follow=False)
            last = at == len(names) - 1
            proc.out(f"{lead}{'└── ' if last else '├── '}{name}{f' -> {stat.link}' if stat is not None and stat.kind == 'link' else ''}\n")
            folder = stat is not None and stat.kind == "directory"
            counts["directory" if folder else "file"] += 1
            if folder and level < depth:
                yield from draw(below, lead + ("    " if last else "│   "), level + 1)
            if proc.spins():
                yield from proc.flush()
                yield from proc.breathe()

    for path in words or ["."]:
        if proc.files.kind(proc.path(path)) != "directory":
            proc.out(f"{path}  [error opening dir]\n")
            continue
        proc.out(f"{path}\n")
        yield from draw(path, "", 1)
    folders, files = counts["directory"], counts["file"]
    proc.out(f"\n{folders} director{'y' if folders == 1 else 'ies'}" + ("" if "-d" in flags else f", {files} file{'' if files == 1 else 's'}") + "\n")
    yield from proc.flush()
    return 0


PROGRAMS: dict[str, Program] = {"find": Program(find), "tree": Program(tree)}
