"""A container as its programs see it: the machine that they run on (``program.Machine``), and what its root file system needs to know.

What it is called, what its image has, which programs are found and where, what is mounted where. Looking at what may change without
anything in the pod changing, the time and the network, is noted (``outside``).

Source: https://kubernetes.io/docs/concepts/containers/container-environment/
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from server.cluster.clock import Clock
from server.cluster.disks import Tree
from server.cluster.kubelet.environment import expanded
from server.cluster.runtime import kits, plans, rootfs
from server.cluster.runtime.capabilities import Rights
from server.cluster.runtime.files import Files
from server.cluster.runtime.images import Image
from server.cluster.runtime.mount_namespace import Mount
from server.cluster.runtime.procfs import Facts
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import PROGRAMS
from server.cluster.runtime.programs.network.daemons import DAEMONS
from server.cluster.runtime.reach import Reach
from server.cluster.runtime.serving import SERVE

if TYPE_CHECKING:
    from server.cluster.runtime.container import Launch
    from server.cluster.runtime.runtime import Runtime, Sandbox

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105


class ContainerMachine:
    """What of a container does not depend on how its processes come and go."""

    __slots__ = ()
    runtime: Runtime
    sandbox: Sandbox
    launch: Launch
    started: float
    outside: bool
    frozen: dict[str, dict[str, str]]
    environment_of: Callable[[], dict[str, str]]
    _files: Files | None

    @property
    def clock(self) -> Clock:
        return self.runtime.clock

    @property
    def hostname(self) -> str:
        return self.sandbox.hostname

    @property
    def ip(self) -> str:
        return self.sandbox.ip

    @property
    def kit(self) -> str:
        return self.launch.image.kit

    @property
    def argv(self) -> tuple[str, ...]:
        return self.launch.plan.argv

    @property
    def cwd(self) -> str:
        return self.launch.cwd or "/"

    @property
    def image(self) -> Image:
        return self.launch.image

    @property
    def image_tag(self) -> str:
        return self.launch.image.reference.tag.partition(".")[0]

    @property
    def tag(self) -> str:
        return self.launch.image.reference.tag

    def began(self) -> datetime:
        return self._moment(self.started)

    def environment(self) -> dict[str, str]:
        return self.environment_of()

    def now(self) -> float:
        return self.clock.now

    def uptime(self) -> float:
        return self.clock.now - self.started

    def time(self) -> datetime:
        self.outside = True
        return self._moment(self.clock.now)

    def _moment(self, at: float) -> datetime:
        return self.clock.epoch + timedelta(seconds=at)

    def network(self) -> Reach:
        self.outside = True
        return self.runtime.outside(self.sandbox.key)

    def cpu(self) -> float:
        """Millicores that it uses now."""
        return self.runtime.usage.cpu(self)

    def memory(self) -> int:
        """Bytes that it uses now."""
        return self.runtime.usage.memory(self)

    def hardware(self) -> Facts:
        """The machine below it, and its own limits."""
        return self.runtime.hardware(self.sandbox.node)._replace(memory_limit=self.launch.memory, cpu_limit=self.launch.cpu_limit,
                                                                 memory_here=self.memory() if self.running else 0)

    def find(self, name: str) -> Program | None:
        kind = plans.program_kind(self.image, name)
        if kind == "server":
            if self.launch.plan.kind == "server" and not plans.server_of(self.image, [name]):
                return plans.UNSIMULATED
            return PROGRAMS[name] if name in DAEMONS else SERVE
        return PROGRAMS.get(name) or plans.UNSIMULATED if kind else None

    def binary(self, name: str) -> Program | None:
        return self.find(name) or PROGRAMS.get(name) or plans.UNSIMULATED

    def where(self, name: str) -> str:
        if self.find(name) is None:
            return ""
        own = next((word for word in (*self.image.entrypoint[:1], *self.image.command[:1]) if word.endswith(f"/{name}")), "")
        return own or kits.where(self.kit, name, self.image.reference.familiar)

    @property
    def files(self) -> Files:
        if self._files is None:
            self._files = rootfs.files_of(self)
        return self._files

    def mount_points(self) -> tuple[Mount, ...]:
        values = self.environment() if any(mount.expands for mount in self.launch.mounts) else {}
        token = (Mount(TOKEN_PATH, "", True),) if self.sandbox.volume_source("").files else ()
        return (*(mount._replace(sub_path=expanded(mount.sub_path, values)) if mount.expands else mount for mount in self.launch.mounts),
                *token)

    def mounted_tree(self, mount: Mount) -> Tree:
        """What a mount shows now: the volume, or, below a ``subPath``, what the volume was when the container started."""
        kept = self.frozen.get(mount.path)
        if kept is not None:
            return Tree({f"/{name}": text for name, text in kept.items()}, "/")
        return self.sandbox.volume_source(mount.volume)

    @property
    def rights(self) -> Rights:
        """What its processes may do beyond their user."""
        return self.runtime.security(self.sandbox.key, self.launch.name).rights

    def node_below(self, disk: str, path: str) -> Any:
        """Its node's machine, if this is the root of that one's disk."""
        node = self.sandbox.node
        return self.runtime.host_of(node) if path == "/" and disk == f"node/{node}" else None

    def mounted(self, path: str) -> bool:
        return any(mount.path.rstrip("/") == path for mount in self.launch.mounts)
