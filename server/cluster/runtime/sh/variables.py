"""The builtins about variables and options: export, readonly, local, unset, declare, set, let, umask.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_15
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.sh.printing import quoted
from server.cluster.runtime.sh.state import LETTERS, OPTIONS, Trouble

NAME = re.compile(r"[A-Za-z_]\w*", re.A)


def valid(sh: Any, name: str, command: str, word: str) -> bool:
    if NAME.fullmatch(name):
        return True
    if sh.flavor == "bash":
        sh.complain(f"`{word}': not a valid identifier", command)
        return False
    raise sh.trouble(f"{name}: bad variable name", command)


def export(sh: Any, argv: list[str], frame: Any) -> int:
    words, off, listing = argv[1:], False, False
    while words and words[0].startswith("-") and len(words[0]) > 1:
        option = words.pop(0)
        off, listing = off or "n" in option, listing or "p" in option
        if option == "--":
            break
        if set(option[1:]) - set("npf"):
            raise sh.trouble(f"{option}: invalid option" if sh.flavor == "bash" else f"illegal option {option}" if sh.flavor == "ash"
                             else f"Illegal option {option}", argv[0])
    if not words or listing and not words:
        names = [name for name in sh.names() if sh.is_exported(name)] if argv[0] == "export" else sorted(sh.readonly)
        for name in names:
            value = sh.get(name)
            mark = "declare -x" if sh.flavor == "bash" and argv[0] == "export" else "declare -r" if sh.flavor == "bash" else argv[0]
            sh.proc.out(f"{mark} {name}" + (f"={quoted(value, sh.flavor)}" if value is not None else "") + "\n")
        return 0
    code = 0
    for word in words:
        name, equals, value = word.partition("=")
        append = sh.flavor == "bash" and name.endswith("+")
        name = name.rstrip("+") if append else name
        if not valid(sh, name, argv[0], word):
            code = 1
            continue
        if equals:
            sh.put(name, (sh.get(name) or "") + value if append else value)
        if argv[0] == "readonly":
            if name not in sh.readonly:
                sh.readonly.append(name)
        elif off:
            sh.exported[name] = False
            sh.environment = None
        else:
            sh.export(name)
    return code


def local(sh: Any, argv: list[str], frame: Any) -> int:
    call = sh.frame_of_call()
    if call is None:
        if sh.flavor == "bash":
            sh.complain("can only be used in a function", argv[0])
            return 1
        raise sh.trouble("not in a function", argv[0])
    held = call["kept"]["locals"]
    for word in argv[1:]:
        if word.startswith("-") and sh.flavor == "bash":
            continue
        name, equals, value = word.partition("=")
        if not valid(sh, name, argv[0], word):
            return 1
        if name not in held:
            held[name] = [sh.vars.get(name), sh.exported.get(name)]
        if equals:
            sh.put(name, value)
        elif sh.flavor != "dash":
            sh.put(name, None)
    return 0


def unset(sh: Any, argv: list[str], frame: Any) -> int:
    words, functions, code = argv[1:], False, 0
    while words and re.fullmatch(r"-[vf]+", words[0]):
        functions = "f" in words.pop(0)
    for word in words:
        if functions:
            sh.functions.pop(word, None)
            continue
        found = re.fullmatch(r"([A-Za-z_]\w*)\[(.*)\]", word)
        if found and sh.flavor == "bash":
            held = sh.vars.get(found[1])
            if isinstance(held, dict):
                key = sh.key(found[1], found[2])
                sh.put(found[1], {each: value for each, value in held.items() if each != key})
            continue
        if not NAME.fullmatch(word):
            if sh.flavor == "bash":
                continue
            raise sh.trouble(f"{word}: bad variable name", "unset")
        if word in sh.readonly:
            if sh.flavor == "bash":
                sh.complain(f"{word}: cannot unset: readonly variable", "unset")
                code = 1
                continue
            raise Trouble(f"{word}: is read only")
        if sh.get(word) is None and sh.flavor == "bash" and word in sh.functions:
            del sh.functions[word]
        else:
            sh.unset(word)
    return code


def declare(sh: Any, argv: list[str], frame: Any) -> int:
    """bash's declare and typeset: -a -A arrays, -i numbers, -r, -x, -p."""
    words, options = argv[1:], ""
    while words and re.fullmatch(r"[-+][aAirxpgFf]+", words[0]):
        options += words.pop(0)[1:]
    if words and words[0][:1] in "-+":
        sh.complain(f"{words[0]}: invalid option", argv[0])
        sh.proc.err(f"{argv[0]}: usage: {argv[0]} [-aAfFgiIlnrtux] [name[=value] ...] or {argv[0]} -p [-aAfFilnrtux] [name ...]\n")
        return 2
    if "F" in options or "f" in options:
        for name in words or sorted(sh.functions):
            if name in sh.functions:
                sh.proc.out(f"{name}\n" if words else f"declare -f {name}\n")
        return int(any(name not in sh.functions for name in words))
    call, code = sh.frame_of_call(), 0
    for word in words:
        name, equals, value = word.partition("=")
        if not valid(sh, name, argv[0], word):
            code = 1
            continue
        if "p" in options:
            if sh.get(name) is None:
                sh.complain(f"{name}: not found", argv[0])
                code = 1
                continue
            letters = ("r" if name in sh.readonly else "") + ("x" if sh.is_exported(name) else "")
            sh.proc.out(f"declare -{letters or '-'} {name}={quoted(sh.get(name), 'bash')}\n")
            continue
        if call is not None and "g" not in options and name not in call["kept"]["locals"]:
            call["kept"]["locals"][name] = [sh.vars.get(name), sh.exported.get(name)]
        if "A" in options and name not in sh.state.setdefault("maps", []):
            sh.state["maps"].append(name)
        if equals:
            sh.put(name, str(sh.computed(value)) if "i" in options else value)
        elif "A" in options or "a" in options:
            sh.put(name, {})
        if "r" in options and name not in sh.readonly:
            sh.readonly.append(name)
        if "x" in options:
            sh.export(name)
    if not words:
        for name in sh.names():
            if sh.is_exported(name) or "x" not in options:
                sh.proc.out(f"declare -{'x' if sh.is_exported(name) else '-'} {name}={quoted(sh.get(name), 'bash')}\n")
    return code


def set_(sh: Any, argv: list[str], frame: Any) -> int:
    words = argv[1:]
    if not words:
        for name in sh.names():
            sh.proc.out(f"{name}={quoted(sh.get(name), sh.flavor, True)}\n")
        return 0
    while words:
        word = words[0]
        if word in ("--", "-"):
            words.pop(0)
            sh.set_params(words)
            return 0
        if word[0] not in "-+" or len(word) < 2:
            sh.set_params(words)
            return 0
        words.pop(0)
        for letter in word[1:]:
            if letter == "o":
                if not words:
                    listed(sh, word[0] == "+")
                    continue
                name = words.pop(0)
                known = LETTERS.get(name)
                if known is None and name in ("vi", "emacs", "nolog", "ignoreeof", "errtrace", "posix", "braceexpand", "hashall", "functrace"):
                    continue
                if known is None or name == "pipefail" and sh.flavor == "dash":
                    code = {"ash": 1, "dash": 2, "bash": 2}[sh.flavor]
                    text = f"{name}: invalid option name" if sh.flavor == "bash" else f"{'il' if sh.flavor == 'ash' else 'Il'}legal option -o {name}"
                    if sh.flavor == "dash":
                        raise sh.trouble(text, "set", code)
                    sh.complain(text, "set")
                    return code
                sh.set_option(known, word[0] == "-")
            elif letter in OPTIONS or letter in "hBETHPpkt" and sh.flavor == "bash":
                sh.set_option(letter, word[0] == "-") if letter in OPTIONS else None
            else:
                if sh.flavor == "bash":
                    sh.complain(f"-{letter}: invalid option", "set")
                    sh.proc.err("set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]\n")
                    return 2
                raise sh.trouble(f"{'il' if sh.flavor == 'ash' else 'Il'}legal option {word[0]}{letter}", "set")
    return 0


def listed(sh: Any, as_commands: bool) -> None:
    names = [*OPTIONS.values(), "pipefail"] if sh.flavor != "bash" else sorted([*OPTIONS.values(), "pipefail"])
    if sh.flavor == "dash" and not as_commands:
        names.remove("pipefail")
        sh.proc.out("Current option settings\n")
    for name in names:
        on = sh.option(LETTERS[name])
        if as_commands:
            sh.proc.out(f"set {'-' if on else '+'}o {name}\n")
        else:
            sh.proc.out(f"{name:<15}{chr(9) if sh.flavor == 'bash' else ' '}{'on' if on else 'off'}\n")


def let(sh: Any, argv: list[str], frame: Any) -> int:
    value = 0
    for word in argv[1:]:
        value = sh.computed(word)
    return int(value == 0)


def umask(sh: Any, argv: list[str], frame: Any) -> int:
    words = argv[1:]
    if not words or words == ["-S"]:
        mask = sh.state["mask"]
        if words:
            shown = ",".join(f"{who}=" + "".join(letter for bit, letter in ((4, "r"), (2, "w"), (1, "x")) if not mask >> at & bit)
                             for who, at in (("u", 6), ("g", 3), ("o", 0)))
            sh.proc.out(shown + "\n")
        else:
            sh.proc.out(f"{mask:04o}\n")
        return 0
    if not re.fullmatch(r"[0-7]{1,4}", words[0]):
        if re.fullmatch(r"([ugoa]*[-+=][rwx]*,?)+", words[0]):
            sh.state["mask"] = symbolic(words[0], sh.state["mask"])
            return 0
        raise sh.trouble(f"{words[0]}: octal number out of range" if sh.flavor == "bash" else f"illegal mode: {words[0]}" if sh.flavor == "ash"
                         else f"Illegal number: {words[0]}", "umask")
    sh.state["mask"] = int(words[0], 8) & 0o777
    return 0


def symbolic(text: str, mask: int) -> int:
    for clause in text.split(","):
        who, op, what = re.fullmatch(r"([ugoa]*)([-+=])([rwx]*)", clause).groups()
        bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in set(what))
        for each in ("ugo" if "a" in who or not who else who):
            at = {"u": 6, "g": 3, "o": 0}[each]
            held = ~mask >> at & 7
            held = bits if op == "=" else held | bits if op == "+" else held & ~bits
            mask = mask & ~(7 << at) | (~held & 7) << at
    return mask


BUILTINS = {"export": export, "readonly": export, "local": local, "unset": unset, "set": set_, "umask": umask}
MORE: dict[str, dict[str, Any]] = {"ash": {"let": let}, "bash": {"let": let, "declare": declare, "typeset": declare}, "dash": {}}
