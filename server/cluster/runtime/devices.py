"""The files in /dev and /proc/self/fd that are no files: what a process has open, the terminal, endless zeros.

Source: https://man7.org/linux/man-pages/man4/null.4.html and proc_pid_fd(5)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.errno import NOT_FOUND
from server.cluster.runtime.streams import Endless, Fault, Null, Stream

if TYPE_CHECKING:
    from server.cluster.runtime.proc import Proc


def device(proc: Proc, path: str) -> Stream | None:
    """What a process finds at the path of a device or of one of its own descriptors; None for any other path. Fault."""
    number = {"/dev/stdin": "0", "/dev/stdout": "1", "/dev/stderr": "2"}.get(path) or (
        path.removeprefix("/dev/fd/") if path.startswith("/dev/fd/") else path.removeprefix("/proc/self/fd/"))
    if number.isdigit():
        if int(number) not in proc.fds:
            raise Fault(NOT_FOUND)
        return proc.fds[int(number)]
    if path in (f"/proc/{proc.system.first}/fd/1", f"/proc/{proc.system.first}/fd/2"):
        return proc.system.output(int(path[-1]))
    if path == "/dev/null":
        return Null()
    if path in ("/dev/zero", "/dev/urandom", "/dev/random", "/dev/full"):
        return Endless(path)
    if path == "/dev/tty":
        if proc.tty is None:
            raise Fault("No such device or address")
        return proc.tty
    return None
