"""Talking with a process in a container: what exec, attach, run and debug do once they know whom to ask.

In: the request, and the streams of this end. Out: what the process printed, on the right stream, until it ends; its failure is raised as
kubectl words it. With a terminal all keys go through as they come; stdin and output run beside each other on the clock.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (exec, attach)
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from server.cluster.errors import ApiError
from server.cluster.process import Pass, Process
from server.cluster.runtime.session import Session
from server.cluster.runtime.streams import Fault
from server.cluster.runtime.tty import Tty
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, PlainError, message_of

NO_TTY = "Unable to use a TTY - input is not a terminal or the right kind of file"
Write = Callable[[str], Any]
Read = Callable[[], Generator[Any, Any, str]]
CONTROL = {f"ctrl-{key}": chr(ord(key.upper()) ^ 64) for key in "@abcdefghijklmnopqrstuvwxyz[\\]^_"} | {"DEL": "\x7f"}


@dataclass
class Ends:
    """This end of a conversation: ``read`` gives the next piece of stdin, "" at its end (None: stdin is not given); ``tty`` is the terminal
    if there is one, which is then read as it comes."""

    out: Write
    err: Write
    read: Read | None = None
    tty: Tty | None = None
    detach: str = ""

    @classmethod
    def of(cls, ctx: Context, stdin: bool, tty: bool, quiet: bool = False) -> Ends:
        """The command's own streams; says so if there is no terminal."""
        terminal = ctx.tty if stdin and tty else None
        if stdin and tty and terminal is None and not quiet:
            ctx.err(NO_TTY)
        return cls(ctx.stdout.write, ctx.stderr.write, ctx.read if stdin else None, terminal)


def detach_keys(text: str) -> str:
    """
    >>> detach_keys("ctrl-p,x")
    '\\x10x'
    """
    keys = ""
    for key in text.split(",") if text else ():
        if len(key) != 1 and key not in CONTROL:
            raise CommandError(f"could not bind detach keys: Unknown character: '{key}'")
        keys += CONTROL.get(key, key)
    return keys


def ask(ctx: Context, what: str, pod: dict[str, Any], container: str, ends: Ends, command: list[str] = ()) -> Session:
    """Opens the conversation; ``what`` is exec or attach."""
    meta = pod["metadata"]
    try:
        return ctx.api.request("create", "pods", meta["namespace"], meta["name"], subresource=what, container=container, command=list(command),
                               stdin=ends.read is not None, stdout=True, stderr=ends.tty is None, tty=ends.tty is not None).session
    except ApiError as error:
        raise CommandError(f"unable to upgrade connection: {message_of(error)}") from None


def converse(ctx: Context, session: Session, ends: Ends) -> Generator[Any, Any, None]:
    """Until the process has ended or the person has left."""
    tty, pump, left = ends.tty, None, []
    before = (tty.raw, tty.on_resize) if tty is not None else None
    if tty is not None:
        tty.raw, tty.on_resize = True, lambda: session.resize(tty.columns, tty.rows)
        session.resize(tty.columns, tty.rows)
    if ends.read is not None:
        pump = Process(ctx.clock, _pump(session, ends, left))
    try:
        while (item := (yield from session.read())) is not None:
            stream, text = item
            (ends.out if stream == "stdout" else ends.err)(text)
    finally:
        if pump is not None:
            pump.kill()
        if tty is not None:
            tty.raw, tty.on_resize = before
        session.close()
    if left:
        return
    _ended(session)


def _pump(session: Session, ends: Ends, left: list[bool]) -> Generator[Any, Any, None]:
    """What is typed or piped in, to the process; ends the session when the detach keys are typed."""
    held = ""
    while True:
        try:
            text = yield from ends.read()
        except Fault:
            text = ""
        if not text:
            yield from _send(session, held)
            session.close_stdin()
            return
        text = held + text
        if ends.detach:
            text, held, leaving = _until_detach(text, ends.detach)
            yield from _send(session, text)
            if leaving:
                left.append(True)
                session.close()
                return
        else:
            yield from _send(session, text)


def _send(session: Session, text: str) -> Generator[Any, Any, None]:
    while text and not session.send(text):
        yield Pass(session.drained)


def _until_detach(text: str, keys: str) -> tuple[str, str, bool]:
    """(what goes on, what may be the beginning of the keys, whether they were typed)

    >>> _until_detach("ab", "xy"), _until_detach("ax", "xy"), _until_detach("axyb", "xy")
    (('ab', '', False), ('a', 'x', False), ('a', '', True))
    """
    at = text.find(keys)
    if at >= 0:
        return text[:at], "", True
    for length in range(len(keys) - 1, 0, -1):
        if text.endswith(keys[:length]):
            return text[:-length], text[-length:], False
    return text, "", False


def _ended(session: Session) -> None:
    status = session.status
    if status is None:
        raise CommandError("error reading from error stream: next reader: EOF")
    if status.get("status") == "Success":
        return
    if status.get("reason") == "NonZeroExitCode":
        code = next(int(cause["message"]) for cause in status["details"]["causes"] if cause.get("reason") == "ExitCode")
        raise PlainError(f"command terminated with exit code {code}", code)
    raise CommandError(status.get("message") or "error stream protocol error: unknown error")
