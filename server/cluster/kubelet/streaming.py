"""``exec``, ``attach`` and ``portforward``: the doors through which people come into a pod.

In: the pod and the request's options, by way of the API server, which asks the kubelet of the pod's node. Out: a ``Session`` with a process,
or a ``PortForward`` on which connections are made to the pod's own loopback. What the container runtime has to say comes as the end of
the session; what the kubelet or the API server refuses is an ApiError.

Source: https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/#api-server-to-kubelet
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from server.cluster.apiserver.request import Options, Response
from server.cluster.errors import ApiError, bad_request
from server.cluster.kubelet import logs
from server.cluster.objects import Object
from server.cluster.process import Gate
from server.cluster.runtime.container import Container
from server.cluster.runtime.program import ExecFault
from server.cluster.runtime.reach import Talk
from server.cluster.runtime.runtime import ConnectionRefused, Sandbox
from server.cluster.runtime.session import Session
from server.cluster.runtime.streams import Fault

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets

RUNTIME = "Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: "
PORT = 10250


class PortForward:
    """``alive`` until the pod is gone; ``ended`` opens then."""

    def __init__(self, kubelets: Kubelets, pod: Object, sandbox: Sandbox) -> None:
        self._kubelets = kubelets
        self._pod = pod
        self._sandbox = sandbox
        self.ended = Gate()
        sandbox.forwards.append(self)

    @property
    def alive(self) -> bool:
        return self._kubelets.runtime.pod(self._pod) is self._sandbox

    def connect(self, port: int) -> Talk:
        """A connection to the pod's loopback. ApiError with the kubelet's words."""
        if self._kubelets.runtime.pod(self._pod) is not self._sandbox:
            raise ApiError(500, "", "lost connection to pod")
        try:
            return self._kubelets.runtime.talk(self._pod, port, "127.0.0.1")
        except ConnectionRefused:
            sandbox = hashlib.sha256(f"{self._sandbox.uid}/sandbox".encode()).hexdigest()
            netns = uuid.UUID(sandbox[:32])
            raise ApiError(500, "", f"error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace "
                           f'"/var/run/netns/cni-{netns}": failed to connect to localhost:{port} inside namespace "{sandbox}", IPv4: dial tcp4 '
                           f"127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6 [::1]:{port}: connect: connection refused ") from None

    def close(self) -> None:
        """The person is gone."""
        if self in self._sandbox.forwards:
            self._sandbox.forwards.remove(self)
        self.ended.open()


def answer(kubelets: Kubelets, what: str, pod: Object, options: Options) -> Response:
    """``what``: exec | attach | portforward."""
    meta = pod["metadata"]
    name = logs.container_of(pod, options.container) if what != "portforward" else ""
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {meta['name']} does not have a host assigned")
    _dial(kubelets, pod["spec"]["nodeName"])
    if what == "portforward":
        sandbox = kubelets.runtime.pod(pod)
        if sandbox is None or (pod.get("status") or {}).get("phase") != "Running":
            raise ApiError(500, "", f'pod not found ("{meta["name"]}_{meta["namespace"]}")')
        return Response(101, {}, session=PortForward(kubelets, pod, sandbox))
    container = kubelets.runtime.container(meta["namespace"], meta["name"], name)
    running = container is not None and container.running and kubelets.runtime.pod(pod) is container.sandbox
    if what == "attach":
        if not running:
            raise ApiError(500, "", f"container {name} not found in pod {meta['name']}_{meta['namespace']}")
        return Response(101, {}, session=_attached(pod, container, options))
    if not options.command:
        raise ApiError(400, "BadRequest", "you must specify at least 1 command for the container")
    if not running:
        raise ApiError(500, "", f'container not found ("{name}")')
    return Response(101, {}, session=_executed(container, options))


def _dial(kubelets: Kubelets, node: str) -> None:
    kubelet = kubelets.nodes.get(node)
    if kubelet is not None and (not kubelet.alive or not kubelets.reachable(node)):
        why = "connection refused" if kubelets.reachable(node) else "no route to host"
        raise ApiError(500, "", f"error dialing backend: dial tcp {kubelet.address}:{PORT}: connect: {why}")


def _executed(container: Container, options: Options) -> Session:
    session = Session(stdin=options.stdin, stdout=options.stdout, stderr=options.stderr, tty=options.tty)
    try:
        container.execute(options.command, session)
    except Fault as fault:
        session.end(1, internal(RUNTIME + refused(container, options.command[0], fault)))
    return session


def refused(container: Container, word: str, fault: Fault) -> str:
    """Why the runtime cannot start a command."""
    id_ = hashlib.sha256(f"{container.id}/{word}".encode()).hexdigest()
    return f'failed to start exec "{id_}": OCI runtime exec failed: exec failed: unable to start container process: {why(word, fault)}: unknown'


def why(word: str, fault: Fault) -> str:
    """The same in runc's words."""
    text = str(fault)
    if isinstance(fault, ExecFault) and text == "not found":
        return f'exec: "{word}": executable file not found in $PATH'
    if text == "No such file or directory":
        return f'exec: "{word}": stat {word}: no such file or directory'
    return f'exec: "{word}": {text[:1].lower()}{text[1:]}'


def internal(message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "InternalError",
            "details": {"causes": [{"message": message.removeprefix("Internal error occurred: ")}]}, "code": 500}


def _attached(pod: Object, container: Container, options: Options) -> Session:
    launch = container.launch
    if options.tty and not launch.tty:
        raise bad_request(f"Unable to use a TTY - container {launch.name} did not allocate one")
    session = Session(stdin=options.stdin and launch.stdin, stdout=options.stdout, stderr=options.stderr, tty=launch.tty)
    container.attach(session)
    return session
