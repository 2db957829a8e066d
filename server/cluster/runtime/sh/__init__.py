"""A POSIX shell: ``sh``, ``ash``, ``dash`` and ``bash``.

``parser`` reads scripts (``words`` their words) into the ``tree``; ``interpreter`` walks it with ``expansion`` and ``redirection``; ``state``
is all that it knows, as plain data; ``builtins``, ``inout``, ``jobs`` are its own commands, ``shell`` the program.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from server.cluster.runtime.sh.shell import SHELL, begin, carry, incomplete

PROGRAMS = dict.fromkeys(("sh", "ash", "bash", "dash"), SHELL)
__all__ = ["PROGRAMS", "SHELL", "begin", "carry", "incomplete"]
