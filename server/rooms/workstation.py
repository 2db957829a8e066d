"""The room's workstation: the machine beside the cluster at which everybody in the room sits.

In: a room. Out: a ``Host`` whose programs are all that machines have and ``kubectl``; its files lie on one of the cluster's disks, so
they are kept with the room and go with its copies. Listening ports and processes are shared by all sessions; a session's shell
variables, directory and kubeconfig are its own (``terminal.Terminal``, which a process finds at ``proc.session``).

Source: https://kubernetes.io/docs/tasks/tools/
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from server.cluster.inodes import Layer
from server.cluster.nodes import exports
from server.cluster.process import Sleep, Take
from server.cluster.runtime import ssh
from server.cluster.runtime.hosts import Host
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program
from server.cluster.runtime.streams import Fault
from server.kubectl import main as kubectl
from server.kubectl.context import Context
from server.rooms.editing import MOST_TEXT, Editing
from server.rooms.files import DISK, HOME, examples

if TYPE_CHECKING:
    from server.cluster.cluster import Cluster
    from server.rooms.terminal import Line

STARTUP = 0.05  # what a real command takes to begin: meanwhile controllers react to the one before
BURST, MEMORY = 20_000, 4 * 1024 * 1024
BASE = Layer({
    **{f"{path}/": {} for path in ("/bin", "/dev", "/etc", HOME, "/home", "/opt", "/proc", "/srv", "/usr", "/usr/bin", "/usr/local",
                                   "/usr/local/bin", "/var", "/var/log", "/mnt")},
    "/tmp/": {"mode": 0o1777}, "/var/tmp/": {"mode": 0o1777},
    "/etc/hostname": "podium\n", "/etc/passwd": f"root:x:0:0:root:{HOME}:/bin/bash\n", "/etc/group": "root:x:0:\n",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
    **{f"{HOME}/{example['name']}": example["yaml"] for example in examples()}})
HELP = """This is a workstation beside your cluster: a shell (bash) with files of its own.
  kubectl, k        as in the Kubernetes documentation; kubectl --help lists the commands
  curl, dig, ping   into the cluster: a node's address and port, a Service, a pod
  ssh NODE          logs in to a node: docker, crictl, systemctl, journalctl, iptables
  ls, cat, grep ... files and text, pipes, > and <<EOF, $( ), for, while, &
  edit FILE         opens a file in the page's editor; vi, vim and nano do too, and wait until it is saved or closed
  watch, timeout    repeat a command, or end it after a while
Ctrl-C stops a command, Ctrl-D ends its input. Tab completes. The clock at the top of the page pauses and speeds up everything.
"""
REFUSED = {
    "helm": "helm is not simulated: point a real one at this room with the kubeconfig from the Share button",
    **dict.fromkeys(("docker", "crictl", "systemctl", "journalctl"), "this is the workstation: `ssh NODE` first, it is there on every node"),
}


class Workstation(Host):
    """``fetch(url)`` is a program that gives the text of a page of the world outside."""

    def __init__(self, cluster: Cluster, fetch: Callable[[str], Generator[Any, Any, str]] | None = None, paused: Callable[[], bool] = bool,
                 ) -> None:
        self.cluster = cluster
        self.fetch = fetch
        self._paused = paused
        self._asked = float("-inf")
        network = cluster.network
        super().__init__("podium", "workstation", cluster.clock, cluster.parts.disks, DISK, BASE, lambda: network.workstation(self.listening),
                         lambda: network.connections.origins.workstation_address(), OWN,
                         {"HOME": HOME, "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash", "TERM": "xterm-256color"}, BURST)
        self.system.memory = MEMORY
        cluster.hosts.programs.update(dict.fromkeys(("kubectl", "k"), Program(_kubectl_on_node, "")))

    def nodes(self) -> Any:
        """The machines that one can log in to."""
        return self.cluster.hosts

    def context(self, proc: Proc) -> Context:
        """What a kubectl that runs as this process stands in."""
        line: Line = proc.session
        context = Context(self.cluster.api, self.clock, ProcFiles(proc), Output(proc, 1), Output(proc, 2), None, proc.env,
                          line.terminal.kubeconfig)
        context.proc = proc
        context.fetch = self.fetch
        return context

    def startup(self) -> Generator[Any, Any, None]:
        """Commands that ask the API server do not all begin in one instant, unless the clock stands."""
        if self._asked == self.clock.now and not self._paused():
            yield Sleep(STARTUP)
        self._asked = self.clock.now


class Output:
    """A descriptor as kubectl writes to it."""

    def __init__(self, proc: Proc, fd: int) -> None:
        self._proc = proc
        self._fd = fd

    def write(self, text: str) -> None:
        self._proc.write(self._fd, text)


class ProcFiles:
    """The files that a process sees, as kubectl asks for them."""

    def __init__(self, proc: Proc) -> None:
        self._proc = proc

    def read(self, path: str) -> str:
        full = self._proc.path(path)
        kind = self._proc.files.kind(full)
        if kind == "directory":
            raise IsADirectoryError(path)
        text = self._proc.files.read(full) if kind else None
        if text is None:
            raise FileNotFoundError(path)
        return text

    def write(self, path: str, text: str) -> None:
        full = self._proc.path(path)
        if self._proc.files.kind(full) == "directory":
            raise IsADirectoryError(path)
        if fault := self._proc.files.write(full, text):
            raise OSError(f"open {path}: {fault.lower()}")

    def makedirs(self, path: str) -> None:
        if fault := self._proc.files.make_directory(self._proc.path(path), parents=True):
            raise OSError(f"mkdir {path}: {fault.lower()}")

    def lstat(self, path: str) -> tuple[int, str]:
        found = self._proc.files.stat(self._proc.path(path), follow=False)
        return (found.mode & 0o7777, found.link) if found is not None else (0o644, "")

    def exists(self, path: str) -> bool:
        return bool(self._proc.files.kind(self._proc.path(path)))

    def listdir(self, path: str) -> list[str]:
        full = self._proc.path(path)
        kind = self._proc.files.kind(full)
        if kind != "directory":
            raise NotADirectoryError(path) if kind else FileNotFoundError(path)
        return sorted(self._proc.files.names(full) or [])


# its own programs


def _kubectl(proc: Proc) -> Generator[Any, Any, int]:
    machine: Workstation = proc.machine
    yield from machine.startup()
    return (yield from kubectl.run(proc.args, machine.context(proc)))


def _kubectl_on_node(proc: Proc) -> Generator[Any, Any, int]:
    """kubectl on a node: kubeadm leaves its kubeconfig on the control plane only."""
    node = proc.machine
    if node.kubelet is None or node.kubelet not in node.cluster.kubelets.control_plane():
        proc.err("The connection to the server localhost:8080 was refused - did you specify the right host or port?\n")
        return 1
    context = Context(node.cluster.api, node.clock, ProcFiles(proc), Output(proc, 1), Output(proc, 2), None, proc.env)
    context.proc = proc
    return (yield from kubectl.run(proc.args, context))


def _help(proc: Proc) -> int:
    proc.out(HELP)
    return 0


def _edit(proc: Proc) -> int:
    """Opens a file in the editor of the page at which the command was typed."""
    if len(proc.args) != 1 or proc.args[0].startswith("-"):
        proc.err("usage: edit FILE\n")
        return 2
    full, editing = _to_edit(proc, proc.args[0])
    if not proc.files.kind(full) and (fault := proc.files.write(full, "")):
        raise Fault(f"{proc.args[0]}: {fault}")
    if not editing.show(full):
        raise Fault(f"{proc.args[0]}: only files below {HOME} stay open in the page: use vi")
    return 0


def _screen_editor(proc: Proc) -> Generator[Any, Any, int]:
    """vi, vim, nano: the page's editor in their place, until the file is saved or its tab closed."""
    names = [argument for argument in proc.args if not argument.startswith("+")]
    if len(names) != 1 or names[0].startswith("-"):
        proc.err(f"usage: {proc.name} FILE\n")
        return 1
    full, editing = _to_edit(proc, names[0])
    there = proc.files.kind(full)
    text = proc.files.read(full) if there else None
    if there and text is None:
        raise Fault(f"{names[0]}: it cannot be read as text")
    if there and proc.files.stat(full).size > MOST_TEXT:
        raise Fault(f"{names[0]}: it is longer than the {MOST_TEXT // 1024} KB that the page's editor takes")
    proc.out(f"{names[0]} is open in the page's editor: save it there, or close it to leave it as it was. Ctrl-C here stops waiting for it.\n")
    name, channel = editing.open(full, text)
    try:
        saved, = yield Take(channel)
    finally:
        editing.forget(name)
    if saved is not None and (fault := proc.files.write(full, saved)):
        raise Fault(f"{names[0]}: {fault}")
    return 0


def _sudo(proc: Proc) -> Generator[Any, Any, int]:
    """Everybody is root here already: the command in its place."""
    words = list(proc.args)
    while words and words[0] in ("-E", "-i", "-s", "-H", "-n", "-u", "--"):
        if words.pop(0) == "-u" and words and words[0] != "root":
            proc.err(f"sudo: unknown user {words[0]}\n")
            return 1
        words = words[1:] if words[:1] == ["root"] else words
    if not words or words[0].startswith("-"):
        proc.err("usage: sudo [-EHins] [-u root] COMMAND [ARGUMENT]...\n")
        return 1
    try:
        proc.system.program_of(words, proc.cwd, proc.env)
    except ExecFault:
        proc.err(f"sudo: {words[0]}: command not found\n")
        return 1
    return (yield from proc.become(words, proc.env))


def _man(proc: Proc) -> int:
    topics = [word for word in proc.args if not word.startswith("-") and not word.isdigit()]
    if not topics:
        proc.err("What manual page do you want?\nFor example, try 'man man'.\n")
        return 1
    for topic in topics:
        proc.err(f"No manual entry for {topic}\n")
    proc.err("There are no manual pages here: `kubectl COMMAND --help`, `kubectl explain KIND.FIELD` and `help` tell what there is.\n")
    return 16


def _to_edit(proc: Proc, name: str) -> tuple[str, Editing]:
    full = proc.path(name)
    if proc.files.kind(full) == "directory":
        raise Fault(f"{name}: Is a directory")
    editing = getattr(proc.session, "editing", None)
    if editing is None:
        raise Fault("there is no screen here to edit on: the page's terminal opens files in the page's editor, and only in the present")
    return full, editing


def _refused(proc: Proc) -> int:
    proc.err(f"{proc.name}: {REFUSED[proc.name]}\n")
    return 127


OWN: dict[str, Program] = {
    **ssh.PROGRAMS, **exports.PROGRAMS, "kubectl": Program(_kubectl, ""), "k": Program(_kubectl, ""), "help": Program(_help), "edit": Program(_edit),
    "sudo": Program(_sudo), "man": Program(_man),
    **dict.fromkeys(("vi", "vim", "nano", "emacs"), Program(_screen_editor)),
    **{name: Program(_refused) for name in REFUSED},
}
