"""The room's terminal: a line goes in, a program on the room's virtual clock comes out, and what it prints on the way.

It knows ``kubectl`` (and ``k``), ``curl`` into the cluster, and the few words one needs around them. Commands may be joined with
``;``, ``&&`` and ``||`` and given variables; a shell with pipes and redirection is not here, and a line that uses them is told so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Generator
from typing import Any

from server import green
from server.cluster.process import Interrupted, Process, Sleep, TimedOut
from server.kubectl import main as kubectl
from server.kubectl.context import Context, Kubeconfig
from server.rooms.files import Files
from server.rooms.room import Room, RoomError

STARTUP = 0.05  # what a real command takes to begin: meanwhile controllers react to the one before
JOINERS = (";", "&&", "||", "\n")
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
NUMBER = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_WAIT = 10 * 366 * 86_400.0
HELP = """This is a workstation beside your cluster. It knows:
  kubectl, k        as in the Kubernetes documentation; kubectl --help lists the commands
  curl URL          a request into the cluster: a node's address and port, a Service, a pod
  ls, cat FILE      the example manifests and what you wrote
  timeout N CMD     ends a command after N seconds
  echo, clear, help
Ctrl-C stops a command that waits. Tab completes. The clock at the top of the page pauses and speeds up everything.
"""
Write = Callable[[str], Any]
Program = Generator[Any, Any, int]


class _Output:
    """A bounded stream: past the limit the command's output is cut, and says so once."""

    def __init__(self, write: Write, limit: int) -> None:
        self._write = write
        self._left = limit

    def write(self, text: str) -> None:
        if self._left <= 0:
            return
        self._left -= len(text)
        self._write(text if self._left > 0 else text[:self._left] + "\n... output cut: it is longer than this terminal keeps\n")


class Terminal:
    """One session: its kubeconfig and variables live as long as it does; files are the room's."""

    def __init__(self, room: Room, files: Files, server_url: str = "https://192.168.1.10:6443") -> None:
        self.room = room
        self.files = files
        self.environment: dict[str, str] = {}
        self.kubeconfig = Kubeconfig(server_url)

    def context(self) -> Context:
        """What completion looks things up with."""
        silent = _Output(lambda text: None, 0)
        return Context(self.room.cluster.api, self.room.cluster.clock, self.files, silent, silent, None, self.environment, self.kubeconfig)

    def start(self, line: str, stdout: Write, stderr: Write, on_exit: Callable[[int], None], stdin: Any = None) -> Process:
        """Runs a line, or several; RoomError when it is too long or too many run already."""
        settings = self.room.settings
        if len(line) > settings.max_line:
            raise RoomError(f"the line is longer than {settings.max_line} characters", 413)
        if self.room.commands >= settings.max_commands:
            raise RoomError(f"{settings.max_commands} commands are running in this room already; stop one with Ctrl-C", 429)
        self.room.touch()
        self.room.commands += 1
        out, err = _Output(stdout, settings.max_output), _Output(stderr, settings.max_output)

        def finished(value: Any) -> None:
            self.room.commands -= 1
            if isinstance(value, Exception):
                err.write(f"podium: this command failed inside Podium: {type(value).__name__}: {value}\n")
                value = 70
            try:
                self.room.after_write()
            except RoomError as error:
                err.write(f"podium: {error}\n")
                value = 70
            on_exit(value if value is not None else 130)

        context = Context(self.room.cluster.api, self.room.cluster.clock, self.files, out, err, stdin, self.environment, self.kubeconfig)
        process = Process(self.room.cluster.clock, self._line(line, context), finished)
        self.room.instant()
        return process

    def run(self, line: str) -> dict[str, Any]:
        """Runs a line to its end: {stdout, stderr, exit_code}. Waits in wall time; a command that outlasts that is stopped (124)."""
        stdout: list[str] = []
        stderr: list[str] = []
        done = green.Event()
        process = self.start(line, stdout.append, stderr.append, done.send)
        limit = self.room.settings.command_timeout
        if not green.wait_for(done, limit):
            process.interrupt()
            stderr.append(f"podium: stopped after {limit:g} seconds\n")
            return {"stdout": "".join(stdout), "stderr": "".join(stderr), "exit_code": 124}
        return {"stdout": "".join(stdout), "stderr": "".join(stderr), "exit_code": done.wait()}

    # the line

    def _line(self, line: str, context: Context) -> Program:
        try:
            commands = split(line)
        except ValueError as error:
            context.stderr.write(f"sh: {error}\n")
            return 2
        code = 0
        for joiner, words in commands:
            if (joiner == "&&" and code) or (joiner == "||" and not code):
                continue
            if joiner:
                yield Sleep(0.0 if self.room.paused else STARTUP)
            code = yield from self._command(words, context)
            if code == 130:
                break
        return code

    def _command(self, words: list[str], context: Context) -> Program:
        variables = dict(self.environment)
        while words and ASSIGNMENT.match(words[0]):
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
        if not words:
            self.environment.update(dict(list(variables.items())[:64]))
            return 0
        context.env = variables
        name, *arguments = words
        program = PROGRAMS.get(name)
        if program is None:
            context.stderr.write(f"sh: {name}: not found\n")
            return 127
        try:
            return (yield from program(self, arguments, context))
        except Interrupted:
            return 130


def split(line: str) -> list[tuple[str, list[str]]]:
    """(what joins it to the one before, words) for each command. ValueError for what this terminal does not do.

    >>> split("k get pods && echo 'a b'; ls")
    [('', ['k', 'get', 'pods']), ('&&', ['echo', 'a b']), (';', ['ls'])]
    """
    commands: list[tuple[str, list[str]]] = []
    joiner = ""
    for one in line.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(one, posix=True, punctuation_chars=";&|<>()`")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        words: list[str] = []
        for token in _tokens(lexer):
            if token in JOINERS:
                if not words:
                    raise ValueError(f"syntax error near unexpected token `{token}'")
                commands.append((joiner, words))
                joiner, words = token, []
            elif token and set(token) <= set(";&|<>()`"):
                raise ValueError(f"'{token}' is not available in this terminal yet: run the commands one by one")
            else:
                words.append(token)
        if words:
            commands.append((joiner, words))
        joiner = ";"
    return commands


def _tokens(lexer: shlex.shlex) -> list[str]:
    try:
        return list(lexer)
    except ValueError as error:
        raise ValueError("syntax error: unterminated quoted string" if "quotation" in str(error) else str(error)) from None


# programs


def _kubectl(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    return (yield from kubectl.run(arguments, context))


def _ls(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    code = 0
    for path in [argument for argument in arguments if not argument.startswith("-")] or ["."]:
        try:
            context.stdout.write("".join(f"{name}\n" for name in context.files.listdir(path)))
        except NotADirectoryError:
            context.stdout.write(f"{path}\n")
        except FileNotFoundError:
            context.stderr.write(f"ls: {path}: No such file or directory\n")
            code = 1
    return code
    yield


def _cat(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    code = 0
    for path in arguments:
        try:
            context.stdout.write(context.files.read(path))
        except IsADirectoryError:
            context.stderr.write("cat: read error: Is a directory\n")
            code = 1
        except FileNotFoundError:
            context.stderr.write(f"cat: can't open '{path}': No such file or directory\n")
            code = 1
    return code
    yield


def _echo(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    context.stdout.write(" ".join(arguments) + "\n")
    return 0
    yield


def _help(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    context.stdout.write(HELP)
    return 0
    yield


def _clear(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    context.stdout.write("\x1b[2J\x1b[H")
    return 0
    yield


def _sleep(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    match = NUMBER.fullmatch(arguments[0]) if arguments else None
    if match is None:
        context.stderr.write(f"sleep: invalid number '{arguments[0] if arguments else ''}'\n")
        return 1
    yield Sleep(_seconds(match))
    return 0


def _seconds(match: re.Match[str]) -> float:
    return min(float(match[1]) * SECONDS[match[2]], LONGEST_WAIT)


def _timeout(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    """Runs a command and ends it after so many virtual seconds with 124."""
    match = NUMBER.fullmatch(arguments[0]) if arguments else None
    if match is None or len(arguments) < 2:
        context.stderr.write("timeout: usage: timeout SECONDS COMMAND [ARGUMENTS]\n")
        return 125
    clock = terminal.room.cluster.clock
    end = clock.now + _seconds(match)
    inner = terminal._command(arguments[1:], context)
    go: Callable[[], Any] = lambda: next(inner)  # noqa: E731
    while True:
        try:
            wait = go()
        except StopIteration as stop:
            return stop.value
        left = end - clock.now
        if left <= 0:
            inner.close()
            return 124
        try:
            item = yield (Sleep(min(wait.seconds, left)) if isinstance(wait, Sleep) else wait._replace(
                timeout=left if wait.timeout is None else min(wait.timeout, left)))
        except TimedOut as error:
            if clock.now >= end:
                inner.close()
                return 124
            go = lambda error=error: inner.throw(error)  # noqa: E731
        except Exception as error:
            go = lambda error=error: inner.throw(error)  # noqa: E731
        else:
            if isinstance(wait, Sleep) and clock.now >= end:
                inner.close()
                return 124
            go = lambda item=item: inner.send(item)  # noqa: E731


def _curl(terminal: Terminal, arguments: list[str], context: Context) -> Program:
    from server.rooms.curl import curl

    return (yield from curl(terminal.room.cluster, arguments, context))


PROGRAMS: dict[str, Callable[[Terminal, list[str], Context], Program]] = {
    "kubectl": _kubectl, "k": _kubectl, "ls": _ls, "cat": _cat, "echo": _echo, "help": _help, "clear": _clear, "sleep": _sleep,
    "timeout": _timeout, "curl": _curl,
}
