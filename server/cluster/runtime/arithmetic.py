"""The shell's ``$((...))``: the text of an expression and a way to ask for variables in, a whole number out.

Numbers are of 64 bits and wrap around. What it cannot work out is ``Unsupported``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from server.cluster.runtime.shellwords import Unsupported

LONGEST, HALF, WHOLE = 500, 1 << 63, 1 << 64
_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Mod: operator.mod, ast.FloorDiv: operator.floordiv,
    ast.Lt: operator.lt, ast.Gt: operator.gt, ast.LtE: operator.le, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne}


def arithmetic(text: str, variable: Callable[[str], str]) -> int:
    """
    >>> arithmetic("i + 2 * 3", {"i": "4"}.get)
    10
    """
    if len(text) > LONGEST:
        raise Unsupported(f"$((...)) of more than {LONGEST} characters")
    try:
        tree = ast.parse(text.replace("$", "").strip().replace("/", "//") or "0", mode="eval").body
        return _value(tree, variable)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError) as fault:
        raise Unsupported(f"$(({text}))") from fault


def _value(node: ast.AST, variable: Callable[[str], str]) -> int:
    return (_exact(node, variable) + HALF) % WHOLE - HALF


def _exact(node: ast.AST, variable: Callable[[str], str]) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return int(variable(node.id) or 0)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, variable)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return int(_OPERATORS[type(node.op)](_value(node.left, variable), _value(node.right, variable)))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPERATORS:
        return int(_OPERATORS[type(node.ops[0])](_value(node.left, variable), _value(node.comparators[0], variable)))
    raise ValueError(ast.dump(node))
