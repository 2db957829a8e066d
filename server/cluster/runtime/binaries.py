"""Programs as files: what is in a file that is no script, so that a copy of it, wherever it lies, is the same program.

Source: https://refspecs.linuxfoundation.org/elf/elf.pdf
"""

from __future__ import annotations

import hashlib
from typing import Any

ELF = "\x7fELF\x02\x01\x01" + "\0" * 9


def binary(name: str, size: int = 0, links: int = 1) -> dict[str, Any]:
    """The file of a program, as a node of a file system."""
    size = size or 14_000 + int(hashlib.sha256(name.encode()).hexdigest()[:5], 16) // 8 * 8
    text = ELF + name
    return {"text": text, "pad": size - len(text), "mode": 0o755, **({"links": links} if links > 1 else {})}


def program_in(text: str) -> str:
    """The name of the program whose file this is, "" if it is none.

    >>> program_in(binary("ls")["text"] + chr(0) * 9), program_in("#!/bin/sh")
    ('ls', '')
    """
    return text[len(ELF):].partition("\0")[0] if text.startswith(ELF) else ""
