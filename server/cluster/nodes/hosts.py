"""The machines of the cluster as places one can log in to, each a ``Host`` that is there from the first login on.

In: the kubelets' machines, and the NFS server beside them. Out: ``Hosts.host(name)``, with the node's disk, its manifest folder, its
place in the network and the programs of a node (``programs``). A machine that loses its power ends every session on it.

Source: https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster.components import COMPONENTS
from server.cluster.inodes import Layer, Layers
from server.cluster.kubelet import host_files
from server.cluster.kubelet.kubelet import Kubelet
from server.cluster.nodes.manifest_folder import ManifestFolder
from server.cluster.nodes.processes import NodePids
from server.cluster.nodes.programs import PROGRAMS
from server.cluster.runtime import nfs
from server.cluster.runtime.hosts import Host
from server.cluster.runtime.program import Program

if TYPE_CHECKING:
    from server.cluster.cluster import Cluster

HOME, NFS_NAME = "/root", "nfs"


class NodeHost(Host):
    """``kubelet`` is None on the NFS server; ``hidden`` are ids of containers that somebody has removed by hand."""

    def __init__(self, hosts: Hosts, name: str, kubelet: Kubelet | None) -> None:
        cluster = hosts.cluster
        self.hosts = hosts
        self.cluster = cluster
        self.name = name
        self.kubelet = kubelet
        self.hidden: set[str] = set()
        self.gone = False
        address = kubelet.address if kubelet is not None else next(iter(nfs.EXPORTS))
        disk = f"node/{name}" if kubelet is not None else f"nfs/{address}"
        base: Any = Layer({**host_files.BASE, "/etc/hostname": f"{name}\n"})
        self.manifests = ManifestFolder(cluster.parts.disks, cluster.kubelets.static, name,
                                        self._component) if kubelet is not None else None
        if self.manifests is not None:
            base = Layers(self.manifests, base)
        variables = {"HOME": HOME, "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash", "TERM": "xterm-256color"}
        super().__init__(name, "host", cluster.clock, cluster.parts.disks, disk, base,
                         lambda: cluster.network.of_node(name, self.listening) if kubelet is not None else cluster.network.workstation(),
                         lambda: address, {**PROGRAMS, **hosts.programs}, variables,
                         pids=NodePids(self) if kubelet is not None else None)

    def _component(self, name: str, there: bool) -> bool:
        """A manifest of the control plane was moved away or put back: that is the fault ``component`` of chaos, so the page shows it."""
        if name not in COMPONENTS or self.kubelet not in self.cluster.kubelets.control_plane():
            return False
        chaos = self.cluster.chaos
        if there:
            for record in [record for record in chaos.active() if record["fault"] == "component" and record["target"].endswith(f"/{name}")]:
                chaos.heal(record["id"])
        else:
            chaos.inject("component", name, self.name)
        return True

    def nodes(self) -> Hosts:
        """The machines that one can log in to from here."""
        return self.hosts

    def shut(self) -> None:
        self.gone = True
        super().shut()
        if self.manifests is not None:
            self.manifests.close()


class Hosts:
    """``programs`` are what others bring to every node: kubectl."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.programs: dict[str, Program] = {}
        self._hosts: dict[str, NodeHost] = {}
        cluster.kubelets.on_change(self._changed)
        cluster.kubelets.runtime.host_of = self.host

    def names(self) -> list[str]:
        """The machines that can be logged in to."""
        return sorted(self.cluster.kubelets.nodes)

    def find(self, called: str) -> str:
        """The machine of that name or address; "" for none."""
        if called in self.cluster.kubelets.nodes:
            return called
        name = next((kubelet.name for kubelet in self.cluster.kubelets.nodes.values() if kubelet.address == called), "")
        return name or (NFS_NAME if called in nfs.EXPORTS or called == NFS_NAME else "")

    def address(self, name: str) -> str:
        """Where a machine is."""
        kubelet = self.cluster.kubelets.nodes.get(name)
        return kubelet.address if kubelet is not None else next(iter(nfs.EXPORTS))

    def apart(self, name: str) -> bool:
        """Whether a machine is none of the cluster's: packets get to it whatever becomes of those."""
        return bool(name) and name not in self.cluster.kubelets.nodes

    def host(self, name: str) -> NodeHost:
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = NodeHost(self, name, self.cluster.kubelets.nodes.get(name))
        return found

    def _changed(self, node: str) -> None:
        host = self._hosts.get(node)
        kubelet = self.cluster.kubelets.nodes.get(node)
        if host is not None and (kubelet is None or not kubelet.powered or kubelet is not host.kubelet):
            del self._hosts[node]
            host.shut()

