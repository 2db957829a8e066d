"""The ``log`` subresource: a container's log as text, and, when followed, as a channel of what comes.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.apiserver.request import Options, Response
from server.cluster.clock import Clock
from server.cluster.errors import ApiError, bad_request
from server.cluster.objects import Object
from server.cluster.process import Channel
from server.cluster.runtime.logs import Line

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets

WAITING = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
FIELDS = (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses"), ("ephemeralContainers",
                                                                                             "ephemeralContainerStatuses"))


def answer(kubelets: Kubelets, pod: Object, options: Options) -> Response:
    """What ``kubectl logs`` asks for."""
    name = container_of(pod, options.container)
    if not pod["spec"].get("nodeName"):
        return Response(200, {}, text="")
    fault = error(kubelets, pod, name, options.previous)
    if fault is not None:
        raise fault
    meta = pod["metadata"]
    id_ = _container_id(pod, name, options.previous)
    found = kubelets.runtime.run(meta["namespace"], meta["name"], name, id_)
    if found is None:
        return Response(200, {}, text=f"unable to retrieve container logs for {id_}" if id_ and not _never_started(pod, name) else "")
    clock = kubelets.clock
    lines = [line for line in found.log.all() if line.time <= clock.now]
    text = "".join(_printed(clock, line, options.timestamps) for line in _wanted(clock, lines, options))
    if options.limit_bytes is not None:
        text = text.encode()[:options.limit_bytes].decode("utf-8", "ignore")
    if not options.follow or not found.running:
        return Response(200, {}, text=text)
    channel = Channel()

    def tell(line: Line | None) -> None:
        if line is None:
            channel.close()
        else:
            channel.put(_printed(clock, line, options.timestamps))

    channel.on_close = found.log.subscribe(tell)
    return Response(200, {}, text=text, stream=kubelets.parts.api.streaming(channel))


def container_of(pod: Object, name: str) -> str:
    names = {field: [entry["name"] for entry in pod["spec"].get(field) or ()] for field, _ in FIELDS}
    shown = pod["metadata"]["name"]
    if name:
        if not any(name in listed for listed in names.values()):
            raise bad_request(f"container {name} is not valid for pod {shown}")
        return name
    main, init, ephemeral = names.values()
    if len(main) == 1 and not init and not ephemeral:
        return main[0]
    message = f"a container name must be specified for pod {shown}, choose one of: [{' '.join(main)}]"
    if init:
        message += f" or one of the init containers: [{' '.join(init)}]"
    if ephemeral:
        message += f" or one of the ephemeral containers: [{' '.join(ephemeral)}]"
    raise bad_request(message)


def _status(pod: Object, name: str) -> Object:
    status = pod.get("status") or {}
    return next((entry for _, field in FIELDS for entry in status.get(field) or () if entry["name"] == name), {})


def _never_started(pod: Object, name: str) -> bool:
    status = _status(pod, name)
    ends = [(status.get(field) or {}).get("terminated") or {} for field in ("state", "lastState")]
    return any(end.get("reason") == "StartError" for end in ends)


def _container_id(pod: Object, name: str, previous: bool) -> str:
    status = _status(pod, name)
    if previous:
        return ((status.get("lastState") or {}).get("terminated") or {}).get("containerID", "")
    ends = [(status.get(field) or {}).get("terminated") or {} for field in ("state", "lastState")]
    return status.get("containerID") or next((end["containerID"] for end in ends if "containerID" in end), "")


def error(kubelets: Kubelets, pod: Object, name: str, previous: bool) -> ApiError | None:
    """Why there is no log to be had; None if there is one."""
    meta = pod["metadata"]
    kubelet = kubelets.nodes.get(pod["spec"].get("nodeName", ""))
    if kubelet is not None and (not kubelet.alive or not kubelets.reachable(kubelet.name)):
        why = "connect: connection refused" if kubelets.reachable(kubelet.name) else "connect: no route to host"
        address = f"{kubelet.address}:10250"
        return ApiError(500, "",
                        f'Get "https://{address}/containerLogs/{meta["namespace"]}/{meta["name"]}/{name}": dial tcp {address}: {why}')
    status = _status(pod, name)
    if not status:
        return bad_request(f'container "{name}" in pod "{meta["name"]}" is not available')
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous:
        return None if last else bad_request(f'previous terminated container "{name}" in pod "{meta["name"]}" not found')
    if "running" in state or "terminated" in state or last:
        return None
    reason = (state.get("waiting") or {}).get("reason", "ContainerCreating")
    return bad_request(f'container "{name}" in pod "{meta["name"]}" is waiting to start: {WAITING.get(reason, reason)}')


def _wanted(clock: Clock, lines: list[Line], options: Options) -> list[Line]:
    since = None
    if options.since_seconds is not None:
        since = clock.now - options.since_seconds
    elif options.since_time:
        try:
            since = clock.seconds(options.since_time)
        except ValueError as fault:
            raise bad_request(f'parsing time "{options.since_time}": {fault}') from fault
    if since is not None:
        lines = [line for line in lines if line.time >= since]
    if options.tail_lines is not None:
        lines = lines[-options.tail_lines:] if options.tail_lines else []
    return lines


def _printed(clock: Clock, line: Line, timestamps: bool) -> str:
    if not timestamps:
        return f"{line.text}\n"
    stamp = clock.timestamp(line.time)[:-1]
    return f"{stamp}.{int(line.time % 1 * 1_000_000):06d}000Z {line.text}\n"
