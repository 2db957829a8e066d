"""The editors there are in Podium's terminal: `cat`, `true` and `sed -i s/OLD/NEW/`, as scripts use them.

In: KUBE_EDITOR (or EDITOR) and a text. Out: the text the editor leaves. There is no screen editor: the page has one.
"""

from __future__ import annotations

import re
import shlex

from server.kubectl.context import Context
from server.kubectl.errors import CommandError


def run_editor(ctx: Context, text: str) -> str:
    """What KUBE_EDITOR makes of the text."""
    command = ctx.env.get("KUBE_EDITOR") or ctx.env.get("EDITOR") or "vi"
    words = shlex.split(command)
    if words == ["cat"]:
        ctx.stdout.write(text)
        return text
    if words == ["true"]:
        return text
    if words and words[0] == "sed":
        return _sed(command, words[1:], text)
    raise CommandError(
        f'there is no editor "{command}" in Podium\'s terminal: set KUBE_EDITOR to cat or to "sed -i s/OLD/NEW/", or use the YAML editor of '
        "the page"
    )


def _sed(command: str, words: list[str], text: str) -> str:
    scripts = [word for word in words if word not in ("-i", "-E", "-e", "-r", "-ri", "-Ei", "-i.bak")]
    if not scripts or not any(word.startswith("-") and "i" in word for word in words):
        raise CommandError(f'there was a problem with the editor "{command}"')
    extended = any(word.startswith("-") and ("E" in word or "r" in word) for word in words)
    for script in scripts:
        for one in re.split(r";(?=s\W)", script):
            text = _substitute(command, one.strip(), text, extended)
    return text


def _substitute(command: str, script: str, text: str, extended: bool) -> str:
    mark = re.escape(script[1:2]) if script[:1] == "s" and len(script) > 1 else ""
    match = re.fullmatch(rf"s{mark}((?:\\.|[^\\])*?){mark}((?:\\.|[^\\])*?){mark}([gI0-9]*)", script) if mark else None
    if not match:
        raise CommandError(f'there was a problem with the editor "{command}": only s/OLD/NEW/ is known here')
    pattern, replacement, options = match.groups()
    if not extended:
        pattern = re.sub(r"\\([(){}|+?])|([(){}|+?])", lambda m: m.group(1) or f"\\{m.group(2)}", pattern)
    replacement = re.sub(r"\\(.)|&", lambda m: "\\g<0>" if m.group() == "&" else f"\\{m.group(1)}" if m.group(1).isdigit() else
                         re.escape(m.group(1)) if m.group(1) == "\\" else m.group(1), replacement)
    try:
        compiled = re.compile(pattern, re.IGNORECASE if "I" in options else 0)
    except re.error as problem:
        raise CommandError(f'there was a problem with the editor "{command}": {problem}') from None
    return "\n".join(compiled.sub(replacement, line, count=0 if "g" in options else 1) for line in text.split("\n"))
