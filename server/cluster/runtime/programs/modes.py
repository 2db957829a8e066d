"""chmod, chown, chgrp: who may do what with files.

In: a mode in octal or symbolic form, an owner by name or number. Out: facts set through ``Files``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/chmod.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from server.cluster.inodes import Stat
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import (
    Line,
    Names,
    Options,
    Run,
    accounts,
    busybox,
    complain,
    permissions,
    sent,
    stat_of,
    tool,
    why_not,
)

CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)")
ACTION = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
BITS = {"r": 0o444, "w": 0o222, "x": 0o111}
WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
UMASK = 0o022


def parse_mode(text: str, mode: int, directory: bool, small: bool = False) -> int | None:
    """The mode that ``text`` makes of one; None is no mode.

    >>> [oct(parse_mode(text, 0o644, False)) for text in ("755", "u+x", "go-r", "a=rx,u+w", "+x", "u=rwx,g=u", "a+X")]
    ['0o755', '0o744', '0o600', '0o755', '0o755', '0o774', '0o644']
    """
    if re.fullmatch("[0-7]{1,5}", text):
        return int(text, 8) & 0o7777
    for clause in text.split(","):
        found = CLAUSE.fullmatch(clause)
        if found is None:
            return None
        who = sum(WHO[letter] for letter in set(found[1]) - {"a"}) if found[1] and "a" not in found[1] else 0o7777
        for sign, what in ACTION.findall(found[2]):
            cleared = who & 0o777 | (0 if directory else who & 0o6000)
            bits = _bits(what, mode & ~cleared if small and sign == "=" and what not in ("u", "g", "o") else mode, directory) & who
            if not found[1] and sign != "=":
                bits &= ~UMASK
            if sign == "+":
                mode |= bits
            elif sign == "-":
                mode &= ~bits
            else:
                mode = mode & ~cleared | (bits & ~UMASK if not found[1] else bits)
    return mode


def _bits(what: str, mode: int, directory: bool) -> int:
    if what in ("u", "g", "o"):
        return (mode >> {"u": 6, "g": 3, "o": 0}[what] & 7) * 0o111
    bits = 0
    for letter in what:
        if letter == "X":
            bits |= 0o111 if directory or mode & 0o111 else 0
        else:
            bits |= BITS.get(letter, {"s": 0o6000, "t": 0o1000}.get(letter, 0))
    return bits


def walk(proc: Proc, path: str, recursive: bool, depth: int = 0) -> list[tuple[str, Stat]]:
    """The path, and with ``recursive`` all below it, links left alone."""
    found = stat_of(proc, path, follow=depth == 0)
    if found is None:
        return []
    whole = [(path, found)]
    if recursive and found.kind == "directory" and depth < 64:
        for name in proc.files.names(proc.path(path)) or ():
            whole += walk(proc, posixpath.join(path, name), True, depth + 1)
    return whole


def _each(proc: Proc, options: Options, paths: list[str], change: Callable[[str, Stat], tuple[str, bool]], said: Callable[..., str],
          verb: str) -> Run:
    """Does ``change(path, stat) -> (fault, whether it differs)`` to every file."""
    failed, small = False, busybox(proc)
    for word in paths:
        files = walk(proc, word, options.has("R"))
        if not files:
            failed = True
            if not options.has("f"):
                fault = why_not(proc, word)
                complain(proc, f"{word}: {fault}" if small else f"cannot access '{word}': {fault}")
        for path, found in files:
            if found.kind == "link" and path != word:
                continue
            fault, differs = change(path, found)
            if fault:
                failed = True
                if not options.has("f"):
                    complain(proc, f"{path}: {fault}" if small else f"changing {verb} of '{path}': {fault}")
            elif options.has("v") or options.has("c") and differs:
                proc.out(said(path, found, differs))
            yield from sent(proc)
    return 1 if failed else 0


def chmod(proc: Proc, options: Options) -> Run:
    words, small = list(options.operands), busybox(proc)
    if options.has("reference"):
        found = stat_of(proc, options.value("reference"))
        if found is None:
            complain(proc, f"failed to get attributes of '{options.value('reference')}': {why_not(proc, options.value('reference'))}")
            return 1
        text = f"{found.mode:o}"
    elif not words or len(words) < 2:
        raise CHMOD.misuse(proc, "" if small else f"missing operand after '{words[0]}'" if words else "missing operand")
    else:
        text = words.pop(0)
    if parse_mode(text, 0, False) is None:
        if small:
            complain(proc, f"invalid mode '{text}'")
            return 1
        raise CHMOD.misuse(proc, f"invalid mode: '{text}'")

    def change(path: str, found: Stat) -> tuple[str, bool]:
        mode = parse_mode(text, found.mode, found.kind == "directory", small)
        return proc.files.chmod(proc.path(path), mode), mode != found.mode

    def said(path: str, found: Stat, differs: bool) -> str:
        mode = parse_mode(text, found.mode, found.kind == "directory", small)
        if small:
            return f"mode of '{path}' changed to {mode:04o} ({permissions(mode)})\n"
        if not differs:
            return f"mode of '{path}' retained as {mode:04o} ({permissions(mode)})\n"
        return f"mode of '{path}' changed from {found.mode:04o} ({permissions(found.mode)}) to {mode:04o} ({permissions(mode)})\n"

    return (yield from _each(proc, options, words, change, said, "permissions"))


def minus_modes(words: list[str]) -> list[str]:
    """``chmod -x file``: a mode that looks like options."""
    for at, word in enumerate(words):
        if word == "--" or not word.startswith("-"):
            break
        if re.fullmatch(r"-[rwxXst]+([,+=-].*)?", word):
            return [*words[:at], "--", *words[at:]]
    return words


def owner_of(proc: Proc, text: str) -> tuple[int | None, int | None] | str:
    """(user, group) that ``USER:GROUP`` names; what is wrong with it otherwise."""
    user, colon, group = text.partition(":" if ":" in text else ".") if ":" in text or "." in text else (text, "", "")
    users, groups = accounts(proc, "/etc/passwd") or {"root": 0}, accounts(proc, "/etc/group") or {"root": 0}
    uid = users.get(user, int(user) if user.isdigit() else None)
    gid = groups.get(group, int(group) if group.isdigit() else None)
    if user and uid is None:
        return f"unknown user {user}" if busybox(proc) else f"invalid user: '{text}'"
    if group and gid is None:
        return f"unknown group {group}" if busybox(proc) else f"invalid group: '{text}'"
    if colon and not group and uid is not None:
        gid = uid
    return uid, gid


def chown(proc: Proc, options: Options) -> Run:
    words, small, group_only = list(options.operands), busybox(proc), proc.name == "chgrp"
    line = CHGRP if group_only else CHOWN
    if options.has("reference"):
        found = stat_of(proc, options.value("reference"))
        owner = (found.uid, found.gid) if found is not None else f"failed to get attributes of '{options.value('reference')}'"
    elif len(words) < 2:
        raise line.misuse(proc, "" if small else f"missing operand after '{words[0]}'" if words else "missing operand")
    else:
        text = words.pop(0)
        owner = owner_of(proc, f":{text}" if group_only else text)
        if group_only and isinstance(owner, str) and not small:
            owner = f"invalid group: '{text}'"
    if isinstance(owner, str):
        complain(proc, owner)
        return 1
    uid, gid = (None, owner[1]) if group_only else owner
    names = Names(proc)

    def change(path: str, found: Stat) -> tuple[str, bool]:
        differs = uid not in (None, found.uid) or gid not in (None, found.gid)
        return proc.files.chown(proc.path(path), uid, gid, follow=not options.has("h")), differs

    def said(path: str, found: Stat, differs: bool) -> str:
        new = names.group(gid) if group_only else names.user(found.uid if uid is None else uid) + (f":{names.group(gid)}" if gid is not None else "")
        old = names.group(found.gid) if group_only else names.user(found.uid) + (f":{names.group(found.gid)}" if gid is not None else "")
        what = "group" if group_only else "ownership"
        return f"changed {what} of '{path}' from {old} to {new}\n" if differs else f"{what} of '{path}' retained as {new}\n"

    return (yield from _each(proc, options, words, change, said, "group" if group_only else "ownership"))


LONG = {"recursive": "R", "verbose": "v", "changes": "c", "silent": "f", "quiet": "f", "reference": "reference:", "no-dereference": "h"}
CHMOD = Line("[-Rcvf] MODE[,MODE]... FILE...", "Rcvf", "", LONG, 1, "[OPTION]... MODE[,MODE]... FILE...")
CHOWN = Line("[-Rhcvf]... USER[:[GRP]] FILE...", "Rhcvf", "", LONG, 1, "[OPTION]... [OWNER][:[GROUP]] FILE...")
CHGRP = Line("[-Rhcvf]... GROUP FILE...", "Rhcvf", "", LONG, 1, "[OPTION]... GROUP FILE...")
PROGRAMS: dict[str, Program] = {"chmod": Program(tool(CHMOD, chmod, minus_modes)), "chown": Program(tool(CHOWN, chown)),
                                "chgrp": Program(tool(CHGRP, chown))}
