"""bash's brace expansion: ``a{b,c}d`` and ``{1..5}``, before all others.

Source: https://www.gnu.org/software/bash/manual/html_node/Brace-Expansion.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.program import OutOfMemory
from server.cluster.runtime.sh.tree import Text, Word

MOST = 4096
RANGE = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})(?:\.\.(-?\d{1,9}))?|([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d{1,9}))?")


def expanded(word: Word) -> list[Word]:
    """
    >>> ["".join(part.text for part in each.parts) for each in expanded(Word((Text("a{1..3}{x,y}"),)))]
    ['a1x', 'a1y', 'a2x', 'a2y', 'a3x', 'a3y']
    """
    return [Word(_joined(each)) for each in _expand(_atoms(word), 0)]


def _atoms(word: Word) -> list[Any]:
    """Unquoted characters one by one, all other parts whole."""
    return [atom for part in word.parts for atom in (part.text if isinstance(part, Text) and not part.quoted else [part])]


def _joined(atoms: list[Any]) -> tuple[Any, ...]:
    parts: list[Any] = []
    for atom in atoms:
        if isinstance(atom, str) and parts and isinstance(parts[-1], Text) and not parts[-1].quoted:
            parts[-1] = Text(parts[-1].text + atom)
        else:
            parts.append(Text(atom) if isinstance(atom, str) else atom)
    return tuple(parts)


def _expand(atoms: list[Any], depth: int) -> list[list[Any]]:
    at = 0
    while depth < 16 and "{" in atoms[at:]:
        start = atoms.index("{", at)
        found = _group(atoms, start)
        if found is None:
            at = start + 1
            continue
        choices, end = found
        tails = _expand(atoms[end + 1:], depth)
        heads = [each for choice in choices for each in _expand(choice, depth + 1)]
        if len(heads) * len(tails) > MOST:
            raise OutOfMemory
        return [atoms[:start] + head + tail for head in heads for tail in tails]
    return [atoms]


def _group(atoms: list[Any], start: int) -> tuple[list[list[Any]], int] | None:
    depth, choices, last = 0, [], start + 1
    for at in range(start, len(atoms)):
        atom = atoms[at]
        if atom == "{":
            depth += 1
        elif atom == "," and depth == 1:
            choices.append(atoms[last:at])
            last = at + 1
        elif atom == "}":
            depth -= 1
            if depth == 0:
                if choices:
                    return [*choices, atoms[last:at]], at
                inside = atoms[start + 1:at]
                sequence = _range("".join(inside)) if all(isinstance(each, str) for each in inside) else None
                return (sequence, at) if sequence is not None else None
    return None


def _range(text: str) -> list[list[Any]] | None:
    found = RANGE.fullmatch(text)
    if found is None:
        return None
    if found[4]:
        first, last, step = ord(found[4]), ord(found[5]), abs(int(found[6] or 1)) or 1
    else:
        first, last, step = int(found[1]), int(found[2]), abs(int(found[3] or 1)) or 1
    if abs(last - first) // step >= MOST:
        raise OutOfMemory
    width = max(map(len, found.group(1, 2))) if found[1] and re.search(r"(^|-)0\d", found[1] + " " + found[2]) else 0
    values = range(first, last + (1 if last >= first else -1), step if last >= first else -step)
    return [list(chr(value) if found[4] else f"{value:0{width}d}") for value in values]
