"""From image to running container and round again: pulls, creation, start, death, back-off.

Each function takes the pod worker, the pod and one ``Cell``, says what happens in events, and leaves the next moment in the
worker's ``due``. What a kubelet sees only when it looks (its runtime is asked every second) is moved to the next such moment.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from server.cluster.inodes import text_of
from server.cluster.kubelet import backoff, environment, hooks, probing, resizing, restarting, streaming, termination
from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.template import Template
from server.cluster.objects import Object
from server.cluster.runtime.container import Launch
from server.cluster.runtime.images import Image, PullError, resolve
from server.cluster.runtime.plans import lacks_password
from server.cluster.runtime.references import parse
from server.cluster.runtime.streams import Fault

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

CREATION, FIRST_RETRY, RETRY, RESYNC, JITTER = 0.2, 1.0, (10.0, 15.0), 60.0, 1.5
FIRST_WORDS = 1e-6
RUNS = "runs"  # a postStart hook that has not ended yet
EPOCH_START = "1970-01-01T00:00:00Z"
SHIM = ("failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
        "container process: {}: unknown")
MESSAGE_LIMIT, LOG_MESSAGE_LINES, LOG_MESSAGE_BYTES = 4096, 80, 2048


def start_next(worker: PodWorker, pod: Object) -> None:
    """Starts what is next: ephemeral containers always, the first init container that has not done its part, or all the others."""
    for cell in worker.ephemeral:
        if not cell.begun:
            start(worker, pod, cell)
    for cell in worker.init:
        if cell.sidecar and not cell.begun:
            start(worker, pod, cell)
        if not cell.initialized():
            if not cell.begun:
                start(worker, pod, cell)
            return
    for cell in worker.main:
        if not cell.begun:
            start(worker, pod, cell)
        if any(f"{what}:{cell.name}" in worker.due for what in ("pull", "create", "hooked")):
            return


def _others_wait(worker: PodWorker) -> bool:
    """Whether containers have still to be begun: they are, one after the other."""
    return len(worker.main) > 1 and any(not cell.begun for cell in worker.main)


def _seen(worker: PodWorker, cell: Cell, moment: float) -> float:
    """When the kubelet sees a start that is through at ``moment``: at once, when it goes on to the next container or started this one before."""
    return moment if cell.created or _others_wait(worker) else worker.kubelet.observed(moment)


def start(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """Sees to the image, then (``create``) to the container."""
    kubelet, template, now = worker.kubelet, cell.template, worker.now
    cell.begun = True
    reference = template.reference
    if reference is None:
        worker.record(pod, "Warning", "InspectFailed", template.invalid, cell)
        _failed(worker, pod, cell, "InvalidImageName", template.invalid, "InvalidImageName")
    elif template.policy == "Always" or (template.policy != "Never" and not kubelet.images.has(reference)):
        worker.record(pod, "Normal", "Pulling", f'Pulling image "{template.image}"', cell)
        pull = kubelet.images.pull(reference, now)
        cell.pull = [now, pull.begin, pull.end]
        worker.at(f"pull:{cell.name}", _seen(worker, cell, pull.end))
    elif kubelet.images.has(reference):
        worker.record(pod, "Normal", "Pulled",
                      f'Container image "{template.image}" already present on machine and can be accessed by the pod', cell)
        worker.at(f"create:{cell.name}", _seen(worker, cell, now + CREATION))
    else:
        message = f'Container image "{template.image}" is not present with pull policy of Never'
        worker.record(pod, "Warning", "ErrImageNeverPull", message, cell)
        _failed(worker, pod, cell, "ErrImageNeverPull", message, "ErrImageNeverPull")


def _failed(worker: PodWorker, pod: Object, cell: Cell, reason: str, message: str, error: str) -> None:
    """A start that is tried again at every sync."""
    worker.record(pod, "Warning", "Failed", f"Error: {error}", cell)
    wait(worker, cell, reason, message)
    cell.tries += 1
    delay = FIRST_RETRY if cell.tries == 1 else worker.chance(*RETRY, cell.name)
    worker.at(f"retry:{cell.name}", worker.now + delay)


def wait(worker: PodWorker, cell: Cell, reason: str, message: str) -> None:
    if cell.terminated is not None:
        cell.last, cell.terminated = cell.terminated, None
    cell.container = None
    cell.waiting = (reason, message)
    worker.changed = True


def _pulled(worker: PodWorker, pod: Object, cell: Cell) -> None:
    _end_of_pull(worker, pod, cell)
    _go_on(worker, pod)


def _go_on(worker: PodWorker, pod: Object) -> None:
    """One container has been seen to: on to the next, and the status waits for the kubelet's next look."""
    if _others_wait(worker) and all(cell.initialized() for cell in worker.init):
        if worker.changed:
            worker.changed = False
            worker.at("write", worker.kubelet.observed(worker.now))
        start_next(worker, pod)


def _end_of_pull(worker: PodWorker, pod: Object, cell: Cell) -> None:
    template = cell.template
    try:
        image = worker.kubelet.images.registry.resolve(template.reference)
    except PullError as fault:
        worker.kubelet.images.failed(template.reference)
        return _not_pulled(worker, pod, cell, str(fault))
    asked, begin, end = cell.pull or (worker.now, worker.now, worker.now)
    worker.record(pod, "Normal", "Pulled", f'Successfully pulled image "{template.image}" in {backoff.duration(end - begin)} '
                  f"({backoff.duration(end - asked)} including waiting). Image size: {image.size} bytes.", cell)
    cell.pull = cell.pulls = None
    if worker.kubelet.images.add(image):
        worker.kubelet.images_changed()
    return create(worker, pod, cell, image)


def _not_pulled(worker: PodWorker, pod: Object, cell: Cell, error: str) -> None:
    image, now = cell.template.image, worker.now
    worker.record(pod, "Warning", "Failed", f'Failed to pull image "{image}": {error}', cell)
    worker.record(pod, "Warning", "Failed", "Error: ErrImagePull", cell)
    first = cell.pulls is None
    cell.pulls = backoff.raised(cell.pulls, now)
    cell.pull, cell.pull_error = None, error
    if first:
        wait(worker, cell, "ErrImagePull", error)
    worker.at(f"backoff:{cell.name}", now + (FIRST_RETRY if first else worker.chance(*RETRY, cell.name)))


def _image_back_off(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """A sync that finds the image's back-off still on, or over."""
    left = backoff.remaining(cell.pulls, cell.pulls[1], worker.now)
    if left <= 0:
        _show_image_back_off(worker, pod, cell)
        return start(worker, pod, cell)
    worker.record(pod, "Normal", "BackOff", f'Back-off pulling image "{cell.template.image}"', cell)
    worker.record(pod, "Warning", "Failed", "Error: ImagePullBackOff", cell)
    worker.at(f"resync:{cell.name}", worker.now + min(left, RESYNC) * worker.chance(1, JITTER, cell.name))


def _show_image_back_off(worker: PodWorker, pod: Object, cell: Cell) -> None:
    wait(worker, cell, "ImagePullBackOff", f'Back-off pulling image "{cell.template.image}": ErrImagePull: {cell.pull_error}')


def _resync(worker: PodWorker, pod: Object, cell: Cell) -> None:
    _show_image_back_off(worker, pod, cell)
    _image_back_off(worker, pod, cell)


def _create_present(worker: PodWorker, pod: Object, cell: Cell) -> None:
    create(worker, pod, cell, resolve(cell.template.reference))
    _go_on(worker, pod)


def create(worker: PodWorker, pod: Object, cell: Cell, image: Image) -> None:
    """Makes the container of an image that is there, and starts it."""
    kubelet, template = worker.kubelet, cell.template
    spec = worker.spec(cell.name)
    fault = environment.missing(kubelet.api, pod, spec, worker.place(worker.now)) if template.checks_environment else ""
    fault = fault or hooks.root_forbidden(pod, spec, image)
    if fault:
        return _failed(worker, pod, cell, "CreateContainerConfigError", fault, fault)
    if cell.terminated is not None:
        cell.last, cell.terminated = cell.terminated, None
    if cell.created:
        cell.restarts += 1
    cell.created, cell.tries, cell.again, cell.resources = True, 0, False, None
    worker.record(pod, "Normal", "Created", "Container created", cell)
    worker.changed = True
    cell.env = environment.resolved(kubelet.api, pod, spec, worker.place(worker.now)) if template.checks_environment else None
    launch = _launch(worker, cell, image, worker.now)
    plan = launch.plan
    if plan.kind == "missing":
        return _not_started(worker, pod, cell, image, SHIM.format(plan.text))
    try:
        container = kubelet.runtime.start(worker.sandbox, launch, _new_id(worker, cell), _environment(worker, cell, worker.now),
                                          worker.on_exit, worker.on_change)
    except Fault as fault:
        return _not_started(worker, pod, cell, image, SHIM.format(streaming.why(plan.argv[0], fault)))
    worker.record(pod, "Normal", "Started", "Container started", cell)
    waiting = cell.waiting
    cell.container, cell.waiting, cell.killing, cell.stop = container, None, "", None
    cell.shown_image = (image.text, image.id)
    if plan.kind == "once":
        worker.at(f"exit:{cell.name}", worker.now + plan.after)
    elif plan.needs:
        text = lacks_password(plan.needs, container.environment())
        if text:
            container.write(text, "stderr")
            worker.at(f"exit:{cell.name}", worker.now)
    if plan.kind == "program":
        worker.changed = False
        worker.at("write", worker.now + FIRST_WORDS)
    hook = template.lifecycle.get("postStart")
    if hook:
        cell.hook = RUNS

        def told(fault: str) -> None:
            if cell.container is container and cell.hook == RUNS:
                cell.hook = fault or "ok"
                if f"hooked:{cell.name}" in worker.due:
                    worker.at(f"hooked:{cell.name}", worker.now)
                    worker.save()
                    worker.arm()

        seconds = hooks.run(worker, pod, cell, hook, told)
        if seconds:
            cell.waiting = waiting
            return worker.at(f"hooked:{cell.name}", worker.now + min(seconds, hooks.LONGEST + 1))
    return hooked(worker, pod, cell)


def hooked(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """It runs, and its postStart hook, if it has one, is done: only now it counts. A hook that failed kills its container."""
    fault, cell.hook = cell.hook, ""
    cell.waiting = None
    if not cell.running:
        return died(worker, pod, cell)
    if fault not in ("", "ok", RUNS):
        worker.record(pod, "Warning", "FailedPostStartHook", "PostStartHook failed", cell)
        worker.record(pod, "Normal", "Killing", "FailedPostStartHook", cell)
        cell.started = cell.ready = False
        return termination.stop(worker, pod, cell, "FailedPostStartHook")
    probing.begin(worker, cell)
    worker.changed = worker.changed or "write" not in worker.due
    resizing.settled(worker, pod)
    if cell.sidecar and cell.started:
        start_next(worker, pod)
    return _go_on(worker, pod)


def _new_id(worker: PodWorker, cell: Cell) -> str:
    return hashlib.sha256(f"{worker.uid}/{cell.name}/{cell.restarts}".encode()).hexdigest()


def _launch(worker: PodWorker, cell: Cell, image: Image, since: float) -> Launch:
    spec = worker.spec(cell.name)
    launch = cell.template.launch(image, spec)
    if cell.ephemeral and spec.get("targetContainerName"):
        launch = launch._replace(target=spec["targetContainerName"])
    if not cell.template.expands:
        return launch
    return cell.template.expanded(launch, environment.known(_environment(worker, cell, since)(), spec))


def _environment(worker: PodWorker, cell: Cell, since: float) -> Callable[[], dict[str, str]]:
    """What the container finds in its environment, as it was at its start. What comes from other objects was worked out then."""
    def resolved() -> dict[str, str]:
        pod = worker.pod()
        if cell.env is not None or pod is None:
            return dict(cell.env or {})
        return environment.resolved(worker.kubelet.api, pod, worker.spec(cell.name), worker.place(since))

    return resolved


def _not_started(worker: PodWorker, pod: Object, cell: Cell, image: Image, message: str) -> None:
    """The runtime could not start it: a run that ended with 128 before it began."""
    now = worker.now
    worker.record(pod, "Warning", "Failed", f"Error: {message}", cell)
    cell.container = None
    cell.shown_image = (image.text, image.id)
    cell.last = {"containerID": f"containerd://{_new_id(worker, cell)}", "exitCode": 128,
                 "finishedAt": worker.kubelet.clock.timestamp(), "message": message, "reason": "StartError", "startedAt": EPOCH_START}
    cell.waiting = ("RunContainerError", message)
    cell.ends = [*cell.ends[-1:], now]
    if not restarting.restarts(pod, cell, 128):
        cell.terminated, cell.last, cell.waiting = cell.last, None, None
        return ended(worker, pod, cell)
    worker.at(f"crash:{cell.name}", now + FIRST_RETRY)


def take_up(worker: PodWorker, cell: Cell, saved: dict[str, Any], chunks: dict[str, dict[int, list[list]]]) -> None:
    """A container that was made before this process was."""
    data = saved["container"]
    runs = [(saved["image"], data)]
    if "previous" in data:
        runs.insert(0, (data["previous"]["image"], data["previous"]))
    for image, run in runs:
        launch = _launch(worker, cell, resolve(parse(image)), run["started"])
        cell.container = worker.kubelet.runtime.resume(worker.sandbox, launch, run, chunks.get(run["id"]) or {},
                                                       _environment(worker, cell, run["started"]), worker.on_exit, worker.on_change)
    if cell.hook == RUNS:
        cell.hook = "ok"
        worker.due[f"hooked:{cell.name}"] = worker.now
    if cell.waiting is not None and not cell.hook:
        cell.container = None


# the end of a run

def _exit(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """The planned end of a program that says its piece and goes."""
    container = cell.container
    if container is not None and container.running:
        plan = container.launch.plan
        container.end(plan.code if plan.kind == "once" else 1)
        worker.at(f"died:{cell.name}", worker.kubelet.observed_after(container.started, worker.now))


def note_end(worker: PodWorker, cell: Cell) -> None:
    """Writes down how a container's run ended."""
    container = cell.container
    code = container.code or 0
    reason = "Completed" if code == 0 else "Error"
    stamp = worker.kubelet.clock.timestamp
    cell.terminated = {"containerID": f"containerd://{container.id}", "exitCode": code, "finishedAt": stamp(container.finished),
                       "reason": cell.stop[1] if cell.stop and len(cell.stop) > 1 else reason, "startedAt": stamp(container.started)}
    message = _last_words(cell, code)
    if message:
        cell.terminated["message"] = message
    cell.waiting, cell.ready, cell.started = None, False, False
    cell.ends = [*cell.ends[-1:], container.finished]
    worker.changed = True


def died(worker: PodWorker, pod: Object, cell: Cell) -> None:
    container = cell.container
    if container is None or container.running or cell.terminated is not None:
        return None
    worker.due.pop(f"hooked:{cell.name}", None)
    cell.hook = ""
    probing.end(worker, cell)
    for what in ("oom", "term", "turn", "stopped", "killone"):
        worker.due.pop(f"{what}:{cell.name}", None)
    note_end(worker, cell)
    for other in worker.ephemeral:  # they may have gone with it
        if other.container is not None and not other.running and other.terminated is None:
            note_end(worker, other)
    code = cell.terminated["exitCode"]
    if termination.stopping(worker):
        return termination.one_ended(worker, pod)
    if restarting.rule(cell, code) == restarting.RESTART_ALL and not cell.ephemeral:
        return restarting.everything(worker, pod, cell)
    if cell.killing:
        return restarting.killed(worker, pod, cell)
    if restarting.restarts(pod, cell, code):
        return restarting.crashed(worker, pod, cell, container.finished)
    return ended(worker, pod, cell)


def _last_words(cell: Cell, code: int) -> str:
    container = cell.container
    text = text_of(container.own_files.get(cell.template.message_path, ""))
    if not text and code and cell.template.message_policy == "FallbackToLogsOnError":
        text = "\n".join(line.text for line in container.log.all()[-LOG_MESSAGE_LINES:])[-LOG_MESSAGE_BYTES:]
    return text[:MESSAGE_LIMIT]


def ended(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """A container that will not run again."""
    if cell.ephemeral:
        return None
    if cell.init:
        if cell.terminated["exitCode"] == 0:
            cell.done = cell.ready = True
            return start_next(worker, pod)
        return termination.finish(worker, pod)
    if not restarting.any_again(pod, worker.main):
        termination.finish(worker, pod)
    return None


def replaced(worker: PodWorker, pod: Object, cell: Cell, template: Template) -> None:
    """Another image was asked for: a running container is stopped for it, one that waits starts anew."""
    cell.template = template
    cell.crash = cell.pulls = None
    if cell.running:
        worker.record(pod, "Normal", "Killing", f"Container {cell.name} definition changed, will be restarted", cell)
        termination.stop(worker, pod, cell, "changed")
    elif cell.begun and not cell.done:
        for name in list(worker.due):
            if name.partition(":")[0] in ACTIONS and name.partition(":")[2] == cell.name:
                del worker.due[name]
        start(worker, pod, cell)


ACTIONS = {"pull": _pulled, "backoff": _image_back_off, "resync": _resync, "create": _create_present, "retry": start, "exit": _exit,
           "died": died, "hooked": hooked}
