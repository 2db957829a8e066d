"""The signals of a process, by name and number (Linux on x86 and ARM).

``HARMLESS`` are those that end no process that has not asked for them: ignored, or about stopping and going on.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/signal.h.html and signal(7)
"""

from __future__ import annotations

HUP, INT, QUIT, KILL, PIPE, TERM, CHLD, CONT, STOP, TSTP, WINCH = 1, 2, 3, 9, 13, 15, 17, 18, 19, 20, 28
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12,
           "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22,
           "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "POLL": 29, "PWR": 30, "SYS": 31}
HARMLESS = frozenset({CHLD, CONT, STOP, TSTP, WINCH, 21, 22, 23})
