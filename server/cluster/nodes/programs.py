"""The programs that only nodes have: what asks the container runtime, the kubelet and kube-proxy of the machine they run on.

In: ``proc.machine``, a ``NodeHost``. Each module has a ``PROGRAMS`` table.
"""

from __future__ import annotations

from server.cluster.nodes import crictl, docker, exports, packet_filter, services
from server.cluster.runtime import ssh
from server.cluster.runtime.program import Program

PROGRAMS: dict[str, Program] = {**ssh.PROGRAMS, **docker.PROGRAMS, **crictl.PROGRAMS, **services.PROGRAMS, **exports.PROGRAMS,
                                 **packet_filter.PROGRAMS}
