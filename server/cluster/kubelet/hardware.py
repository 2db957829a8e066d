"""What a container is told of the machine below it, and who it is there.

In: the node's size and use, the pod's security context. Out: ``facts`` (as /proc shows them) and ``security``. Both are asked only by
programs that look.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.kubelet.node_status import FILE_SYSTEM, KERNEL_MEMORY
from server.cluster.objects import Key
from server.cluster.runtime.capabilities import rights
from server.cluster.runtime.procfs import Facts, Security

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets


def facts(kubelets: Kubelets, node: str) -> Facts:
    """Of a machine, as it is now."""
    kubelet = kubelets.nodes.get(node)
    now = kubelets.parts.clock.now
    if kubelet is None:
        return Facts(uptime=now)
    spec = kubelet.spec
    _, memory = kubelets.runtime.usage.node(node, now, now)
    disk = kubelets.evictions.disk(kubelet)
    size = int(spec.disk * FILE_SYSTEM)
    return Facts(int(spec.cpu), spec.memory - KERNEL_MEMORY, int(memory), size, max(0, size - disk.available), now,
                 kubelets.runtime.usage.load(node))


def security(kubelets: Kubelets, key: Key, name: str) -> Security:
    """The security context of a container: its own fields before those of its pod."""
    pod = kubelets.parts.api.lister("pods").get(*key)
    if pod is None:
        return Security()
    spec = pod["spec"]
    entry = next((each for field in ("containers", "initContainers", "ephemeralContainers") for each in spec.get(field) or ()
                  if each["name"] == name), {})
    whole, own = spec.get("securityContext") or {}, entry.get("securityContext") or {}
    groups = [*(whole.get("supplementalGroups") or ()), *([whole["fsGroup"]] if whole.get("fsGroup") is not None else ())]
    return Security(own.get("runAsUser", whole.get("runAsUser")), own.get("runAsGroup", whole.get("runAsGroup")),
                    tuple(dict.fromkeys(groups)), bool(own.get("readOnlyRootFilesystem")), rights(whole, own))
