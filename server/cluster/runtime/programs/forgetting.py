"""Filters that are done with what they have read when they read again: after a restart of the server they need not be told it again.

In: a program's name and its words. Out: "pieces" (it has dealt with all that it has read), "lines" (with all but a line's beginning), or
"" (it counts, sorts or compares: it is told everything again, as far as that is kept). Where files are named too, it is the last.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap01.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

# of the words, each with a \0 behind it
GREP = r"((-[iEFvwxoahHsy]+|--line-buffered|--colou?r(=\w+)?)\0)*(-e\0)?[^-\0][^\0]*\0"
CUT = r"((-[dfbc]\0?[^\0]+|-s|--output-delimiter=[^\0]*)\0)+"
SED = r"(-[uEr]+\0)*(s([^\w\s\\])((?!\3)[^\\\n;\0]|\\.)*\3((?!\3)[^\\\n;\0]|\\.)*\3[gIi0-9]*|/([^/\\\n\0]|\\.)*/I?d|-n\0/([^/\\\n\0]|\\.)*/I?p)\0"
AWK = r"(-F\0?[^\0]+\0)?(/([^/\\\n\0]|\\.)*/ *)?(\{ *print( *(\$\d+|\$NF|\"[^\"\0]*\"|,))* *;? *(fflush\(\) *;? *)?\})?\0"
LINES = {"grep": GREP, "egrep": GREP, "fgrep": GREP, "cut": CUT, "sed": SED, "awk": AWK, "mawk": AWK, "rev": r""}
PIECES = {"cat": r"(-u\0)?(-\0)?", "tr": r"(-[cCd]+\0)?[^-\0][^\0]*\0([^\0]+\0)?", "tee": r".*"}


def forgets(name: str, words: list[str]) -> str:
    """
    >>> forgets("grep", ["-v", "x"]), forgets("grep", ["-c", "x"]), forgets("grep", ["x", "file"]), forgets("cat", []), forgets("wc", [])
    ('lines', '', '', 'pieces', '')
    >>> forgets("sed", ["s/a/b/g"]), forgets("sed", ["$!N;P;D"]), forgets("awk", ["{print $1}"]), forgets("awk", ["{n++} END {print n}"])
    ('lines', '', 'lines', '')
    """
    said = "".join(f"{word}\0" for word in words)
    return next((how for table, how in ((LINES, "lines"), (PIECES, "pieces"))
                 if name in table and re.fullmatch(table[name], said, re.S) is not None), "")


def by_name(name: str) -> Callable[[list[str]], str] | None:
    """``Program.forgets`` of that name."""
    return (lambda words: forgets(name, words)) if name in LINES or name in PIECES else None
