"""kubectl cp: files and directories to and from containers, by tar over exec.

In: two places, one of them [NAMESPACE/]POD:PATH. Out: the files there. `tar` runs in the container, so an image without it cannot be copied
to or from; the other end of the archive is read and written here. What the container's tar says on stderr comes out on stdout when copying
from it, as with the real one.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Generator
from typing import Any, NamedTuple

from server.kubectl.command import Command
from server.kubectl.commands.exec import execute
from server.kubectl.context import Context
from server.kubectl.conversation import Ends
from server.kubectl.errors import CommandError, PlainError
from server.kubectl.flags import Flag, Flags
from server.kubectl.podchoice import CONTAINER

Object = dict[str, Any]
Steps = Generator[Any, Any, Any]
MOST = 16 * 1024 * 1024
PIECE = 32 * 1024
END = b"\0" * 1024


class Place(NamedTuple):
    """Where a file is: `pod` is "" for this machine."""

    namespace: str
    pod: str
    path: str


def place(text: str) -> Place:
    """
    >>> place("dev/web:/tmp/x"), place("x.txt")
    (Place(namespace='dev', pod='web', path='/tmp/x'), Place(namespace='', pod='', path='x.txt'))
    """
    where, colon, path = text.partition(":")
    if not colon:
        return Place("", "", text)
    parts = where.split("/")
    if not where or len(parts) > 2:
        raise CommandError("filespec must match the canonical format: [[namespace/]pod:]file/path")
    return Place(parts[0] if len(parts) == 2 else "", parts[-1], path)


def cp(ctx: Context, args: list[str], flags: Flags) -> Steps:
    if len(args) != 2:
        raise CommandError("source and destination are required")
    source, target = place(args[0]), place(args[1])
    if source.pod and target.pod:
        raise CommandError("one of src or dest must be a local file specification")
    if not source.path or not target.path:
        raise CommandError("filepath can not be empty")
    if source.pod:
        yield from _from_pod(ctx, source, target.path, flags)
    elif target.pod:
        yield from _to_pod(ctx, source.path, target, flags)
    else:
        raise CommandError("one of src or dest must be a remote file specification")


def _pod(ctx: Context, remote: Place) -> Object:
    return ctx.api.read("pods", remote.namespace or ctx.namespace, remote.pod)


def _to_pod(ctx: Context, source: str, target: Place, flags: Flags) -> Steps:
    if not ctx.files.exists(source):
        raise CommandError(f"{source} doesn't exist in local filesystem")
    into = _clean(target.path)
    pod = _pod(ctx, target)
    if (yield from _is_directory(ctx, pod, into, flags)):
        into = posixpath.join(into, posixpath.basename(_clean(source)))
    archive = _packed(ctx, _clean(source), posixpath.basename(into))
    command = ["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-"] if flags["no-preserve"] else ["tar", "-xmf", "-"]
    if folder := posixpath.dirname(into):
        command += ["-C", folder]
    ends = Ends(ctx.stdout.write, ctx.stderr.write, _pieces(archive))
    yield from execute(ctx, pod, flags.container, command, ends=ends)


def _is_directory(ctx: Context, pod: Object, path: str, flags: Flags) -> Steps:
    try:
        yield from execute(ctx, pod, flags.container, ["test", "-d", path], ends=Ends(_nowhere, _nowhere))
    except CommandError:
        return False
    return True


def _nowhere(text: str) -> None:
    """What is printed is not shown."""


def _clean(path: str) -> str:
    return posixpath.normpath(path)


def _pieces(data: bytes) -> Any:
    """Reads the bytes piece by piece, as text that carries them."""
    text, at = data.decode("utf-8", "surrogateescape"), 0

    def read() -> Steps:
        nonlocal at
        piece = text[at:at + PIECE]
        at += len(piece)
        return piece
        yield

    return read


def _packed(ctx: Context, source: str, name: str) -> bytes:
    """The archive of a file or directory, under another name."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        _add(ctx, archive, source, name, made)
    return made.getvalue()


def _add(ctx: Context, archive: tarfile.TarFile, path: str, name: str, made: io.BytesIO) -> None:
    info = tarfile.TarInfo(name)
    info.mtime = int(ctx.clock.epoch.timestamp() + ctx.clock.now)
    mode, link = ctx.files.lstat(path)
    if link:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, link, 0o777
        archive.addfile(info)
        return
    try:
        data = ctx.files.read(path).encode("utf-8", "surrogateescape")
    except IsADirectoryError:
        names = ctx.files.listdir(path)
        if not names:
            info.type, info.mode = tarfile.DIRTYPE, mode
            archive.addfile(info)
        for each in names:
            _add(ctx, archive, posixpath.join(path, each), posixpath.join(name, each), made)
        return
    info.size, info.mode = len(data), mode
    if made.tell() + len(data) > MOST:
        raise CommandError(f"more than {MOST // 1024 // 1024} MiB cannot be copied at once in Podium's terminal")
    archive.addfile(info, io.BytesIO(data))


def _from_pod(ctx: Context, source: Place, target: str, flags: Flags) -> Steps:
    pod = _pod(ctx, source)
    path = _clean(source.path)
    taken = bytearray()
    tries = 0

    def take(text: str) -> None:
        taken.extend(text.encode("utf-8", "surrogateescape"))
        if len(taken) > MOST:
            raise CommandError(f"more than {MOST // 1024 // 1024} MiB cannot be copied at once in Podium's terminal")

    while True:
        command = ["tar", "cf", "-", source.path]
        if flags.retries:
            command = ["sh", "-c", f"tar cf - '{source.path}' | tail -c+{len(taken) + 1 if tries else 0}"]
        try:
            yield from execute(ctx, pod, flags.container, command, ends=Ends(take, ctx.stdout.write))
        except PlainError as failed:
            if not _complete(taken):
                raise failed
        if _complete(taken) or not 0 <= tries < flags.retries and flags.retries >= 0:
            break
        tries += 1
        ctx.out(f"Resuming copy at {len(taken)} bytes, retry {tries}/{flags.retries}")
    if not _complete(taken):
        ctx.out(f"Dropping out copy after {tries} retries")
    _unpack(ctx, bytes(taken), _prefix(path), _clean(target), source)


def _complete(archive: bytearray) -> bool:
    """Whether the archive has come to its end, after which the real one does not wait for how tar has ended."""
    return archive.endswith(END)


def _prefix(path: str) -> str:
    """What the names in the archive begin with."""
    path = path.lstrip("/")
    while path.startswith("../"):
        path = path.removeprefix("../")
    return "" if path in (".", "..") else path


def _unpack(ctx: Context, data: bytes, prefix: str, target: str, source: Place) -> None:
    if not data.strip(b"\0"):
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            _extract(ctx, archive, prefix, target, source)
    except tarfile.TarError:
        raise CommandError("unexpected EOF") from None


def _extract(ctx: Context, archive: tarfile.TarFile, prefix: str, target: str, source: Place) -> None:
    told = False
    for member in archive.getmembers():
        name = member.name.lstrip("/")
        while name.startswith("../"):
            name = name.removeprefix("../")
        if not name.startswith(prefix):
            raise CommandError("tar contents corrupted")
        into = _clean(posixpath.join(target, name[len(prefix):].lstrip("/"))) if name != prefix else target
        if into != target and not into.startswith("" if target in (".", "/") else target.rstrip("/") + "/") or into.startswith("../"):
            ctx.err(f'warning: file "{into}" is outside target destination, skipping')
        elif member.issym():
            more = f' (consider using "kubectl exec -n "{source.namespace}" "{source.pod}" -- tar cf - "{source.path.rstrip("/")}" | tar xf -")'
            ctx.err(f'warning: skipping symlink: "{into}" -> "{member.linkname}"{"" if told else more}')
            told = True
        elif member.isdir():
            _made(ctx, into)
        elif member.isfile():
            _write(ctx, into, archive.extractfile(member).read().decode("utf-8", "surrogateescape"))


def _made(ctx: Context, folder: str) -> None:
    try:
        ctx.files.makedirs(folder)
    except OSError as error:
        raise CommandError(str(error)) from None


def _write(ctx: Context, path: str, text: str) -> None:
    if folder := posixpath.dirname(path):
        _made(ctx, folder)
    try:
        ctx.files.write(path, text)
    except IsADirectoryError:
        raise CommandError(f"open {path}: is a directory") from None
    except OSError as error:
        raise CommandError(str(error)) from None


COMMANDS = (
    Command(
        "cp",
        cp,
        flags=(
            CONTAINER,
            Flag("no-preserve", "", False, "Do not keep owner and permissions in the container."),
            Flag("retries", "", 0, "How often a copy from a container that broke off is resumed; negative means for ever."),
        ),
        short="Copy files and directories to and from containers",
        long="Copy files and directories between here and a container. The container's image must have tar.",
        use="<file-spec-src> <file-spec-dest>",
        examples="# To a pod\nkubectl cp notes.txt web:/tmp/notes.txt\n\n# From a pod of another namespace\nkubectl cp dev/web:/var/log /tmp/log\n\n"
                 "# A directory, to a named container\nkubectl cp site web:/usr/share/nginx/html -c nginx",
        complete="files",
    ),
)
