"""``/etc/kubernetes/manifests`` of a node: the kubelet's static pods as files, and files as static pods.

In: the node's disk, and the manifests that its kubelet runs. Out: a layer of files for what the kubelet has, under what people have
written; whenever something below the folder changes, the kubelet's static pods follow: a valid manifest runs, one that is gone or was
moved away stops. A file that cannot be read leaves what ran of it as it is, as the kubelet only complains of it.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/#static-pod-creation
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import yaml

from server.cluster.apiserver.decode import YAML, decode
from server.cluster.apiserver.validation import validate_create
from server.cluster.disks import Disks
from server.cluster.errors import ApiError
from server.cluster.inodes import Node, hidden, text_of
from server.cluster.kubelet.static_pods import pod_of
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.static_pods import StaticPods

FOLDER = "/etc/kubernetes/manifests"
LARGEST = 64 * 1024


class ManifestFolder:
    """The folder of one node; as a layer it shows ``NAME.yaml`` for each static pod that no file on the disk stands for."""

    def __init__(self, disks: Disks, static: StaticPods, node: str, component: Callable[[str, bool], bool]) -> None:
        """``component(name, there)`` is told of the control plane's own manifests: whether it saw to what follows."""
        self._disks = disks
        self._static = static
        self._component = component
        self._node = node
        self._disk = f"node/{node}"
        self._seen: dict[str, Any] = {}
        self._pods: dict[str, str] = {}
        self._follow()
        disks.listen(self._disk, self, self._follow)

    def close(self) -> None:
        self._disks.unlisten(self._disk, self)

    # as a layer

    def get(self, path: str) -> Node | None:
        folder, name = posixpath.split(path)
        if folder != FOLDER or not name.endswith(".yaml"):
            return None
        manifest = self._kept().get(name)
        return {"text": written(manifest), "mode": 0o600} if manifest is not None else None

    def names(self, folder: str) -> Iterable[str]:
        return self._kept() if folder == FOLDER else ()

    def _kept(self) -> dict[str, Object]:
        ours = set(self._pods.values())
        return {f"{name}.yaml": manifest for name, manifest in self._static.manifests(self._node).items() if name not in ours}

    # as the kubelet follows it

    def _files(self) -> dict[str, Node]:
        files = self._disks.files(self._disk)
        return {name: files[path] for name in self._disks.index(self._disk).names(FOLDER) if (path := f"{FOLDER}/{name}") in files}

    def _follow(self) -> None:
        now, before = self._files(), self._seen
        if now == before:
            return
        self._seen = now
        for name, node in now.items():
            if before.get(name) is not node:
                self._look(name, node)
        for name in before:
            if name not in now:
                self._take(name)

    def _look(self, name: str, node: Node) -> None:
        if hidden(node):
            return self._take(name)
        manifest = None if name.startswith(".") else read(text_of(node), self._node)
        if manifest is None:
            return None
        pod = manifest["metadata"]["name"]
        if self._pods.get(name, pod) != pod:
            self._take(name)
        self._pods[name] = pod
        self._component(pod, True)
        self._static.put(self._node, manifest)
        return None

    def _take(self, name: str) -> None:
        pod = self._pods.pop(name, name.removesuffix(".yaml"))
        if pod not in self._pods.values() and pod in self._static.manifests(self._node) and not self._component(pod, False):
            self._static.remove(self._node, pod)


def written(manifest: Object) -> str:
    """A manifest as the text of its file."""
    return yaml.safe_dump(manifest, sort_keys=False, default_flow_style=False, width=1000)


def read(text: str, node: str) -> Object | None:
    """The pod that a manifest describes; None for what a kubelet does not take."""
    if len(text) > LARGEST:
        return None
    try:
        found, _ = decode(text.encode("utf-8", "replace"), YAML, "Pod", "v1", "Ignore")
    except ApiError:
        return None
    if not (found.get("metadata") or {}).get("name") or not (found.get("spec") or {}).get("containers"):
        return None
    found["metadata"].setdefault("namespace", "default")
    return None if validate_create("pods", pod_of(node, {"manifest": found, "seen": ""})) else found
