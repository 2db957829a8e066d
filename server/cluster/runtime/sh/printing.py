"""Commands and words as a shell prints them: ``jobs``, ``set -x``, ``export -p``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.sh import tree

SAFE = re.compile(r"[\w@%+=:,./-]+", re.A)
BUSYBOX = re.compile(r"[^+,\-./0-9:@A-Z\]^_a-z]")
LONGEST = 200


def quoted(text: str, flavor: str, bare: bool = False) -> str:
    """A value as ``export -p`` (or, ``bare``, ``set``) prints it.

    >>> quoted("a b", "ash"), quoted('a"b', "bash")
    ("'a b'", '"a\\\\"b"')
    """
    if flavor == "bash":
        if bare:
            return text if SAFE.fullmatch(text) or not text else "'" + text.replace("'", "'\\''") + "'"
        return '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'
    return "'" + text.replace("'", "'\"'\"'") + "'"


def traced(text: str, flavor: str) -> str:
    """A word as ``set -x`` prints it."""
    if flavor == "dash":
        return text
    if flavor == "ash":
        return "'" + text.replace("'", "'\\''") + "'" if BUSYBOX.search(text) else text
    if SAFE.fullmatch(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def printed(node: Any, unit: tree.Unit) -> str:
    """A command in one line."""
    return _command(node)[:LONGEST]


def _word(word: tree.Word) -> str:
    out = []
    for part in word.parts:
        if isinstance(part, tree.Text):
            out.append(f'"{part.text}"' if part.quoted else part.text)
        elif isinstance(part, tree.Tilde):
            out.append(f"~{part.user}")
        elif isinstance(part, tree.Parameter):
            out.append(f"${part.name}" if not part.op else f"${{{part.name}{part.op}...}}")
        elif isinstance(part, tree.Substitution):
            out.append(f"$({part.text})")
        else:
            out.append("$((...))")
    return "".join(out)


def _command(node: Any) -> str:
    kind = type(node)
    if kind is tree.Simple:
        words = [f"{each.name}={_word(each.value)}" for each in node.assignments] + [_word(word) for word in node.words]
        text = " ".join(words)
    elif kind is tree.Pipeline:
        return ("! " if node.negated else "") + " | ".join(_command(each) for each in node.commands)
    elif kind is tree.AndOr:
        return _command(node.first) + "".join(f" {op} {_command(each)}" for op, each in node.rest)
    elif kind is tree.Sequence:
        return "; ".join(_command(item) + (" &" if background else "") for item, background in node.items)
    elif kind is tree.If:
        text = "if " + "; elif ".join(f"{_command(one)}; then {_command(two)}" for one, two in node.clauses) + "; fi"
    elif kind is tree.Loop:
        text = f"{'until' if node.until else 'while'} {_command(node.condition)}; do {_command(node.body)}; done"
    elif kind is tree.For:
        text = f"for {node.name} in {' '.join(map(_word, node.words or ()))}; do {_command(node.body)}; done"
    elif kind is tree.Case:
        text = f"case {_word(node.word)} in ... esac"
    elif kind is tree.Subshell:
        text = f"({_command(node.body)})"
    elif kind is tree.Group:
        text = f"{{ {_command(node.body)}; }}"
    elif kind is tree.Function:
        return f"{node.name}() {{...}}"
    else:
        text = "((...))" if kind is tree.Compute else "[[ ... ]]"
    for redirect in getattr(node, "redirects", ()):
        text += f" {redirect.fd if redirect.fd is not None else ''}{redirect.op}{_word(redirect.target)}"
    return text
