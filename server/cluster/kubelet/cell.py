"""A ``Cell`` is what a pod worker keeps of one container of its pod: its state as shown, its back-offs, the run that is on.

It is plain facts; the worker changes them, ``status`` shows them, ``dump`` and ``load`` carry them over a restart.
"""

from __future__ import annotations

from typing import Any

from server.cluster.kubelet.backoff import Entry
from server.cluster.kubelet.template import Template
from server.cluster.objects import Object
from server.cluster.runtime.container import Container


class Cell:
    """``waiting`` is (reason, message) as shown, ``terminated`` the shown end of the last run; both None while it runs. ``last`` is
    the end of the run before. ``ends`` are the moments of the last two ends, ``crash`` and ``pulls`` the back-offs of restarts and
    image pulls, ``pull`` the moments a pull was asked for, began and ends, ``counts`` each probe's [successes, failures] in a row,
    ``killing`` why it is being stopped, ``stop`` its [exit code] once it has taken the signal, ``resources`` what it still has while
    a resize to what its template says is not done (None: what the template says), ``again`` that it will run anew whatever its end,
    ``hook`` what its postStart hook, which still runs, will have said, ``env`` its environment where that comes from other
    objects."""

    __slots__ = ("name", "path", "template", "init", "ephemeral", "sidecar",
                 "resources", "again", "hook", "env", "container", "waiting", "terminated", "last", "restarts", "ready",
                 "started",
                 "shown_image", "crash", "pulls", "pull", "pull_error", "killing", "counts", "done", "begun", "created", "tries", "ends",
                 "stop")

    def __init__(self, template: Template, kind: str, waiting: str) -> None:
        """``kind`` is the field of the pod's spec that it stands in."""
        self.name = template.name
        self.path = f"spec.{kind}{{{template.name}}}"
        self.template = template
        self.init = kind == "initContainers"
        self.ephemeral = kind == "ephemeralContainers"
        self.sidecar = self.init and template.restart_policy == "Always"
        self.resources: Object | None = None
        self.again = False
        self.hook = ""
        self.env: dict[str, str] | None = None
        self.container: Container | None = None
        self.waiting: tuple[str, str] | None = (waiting, "")
        self.terminated: Object | None = None
        self.last: Object | None = None
        self.restarts = 0
        self.ready = False
        self.started = False
        self.shown_image = (template.image, "")
        self.crash: Entry | None = None
        self.pulls: Entry | None = None
        self.pull: list[float] | None = None
        self.pull_error = ""
        self.killing = ""
        self.counts: dict[str, list[Any]] = {}
        self.done = False
        self.begun = False
        self.created = False
        self.tries = 0
        self.ends: list[float] = []
        self.stop: list[Any] | None = None

    @property
    def running(self) -> bool:
        return self.container is not None and self.container.running

    def initialized(self) -> bool:
        """Whether an init container has done its part: ended well, or, as a sidecar, started."""
        if self.sidecar:
            return self.started or (self.restarts > 0 and not self.again)
        return self.done

    def begin_again(self, waiting: str) -> None:
        """Nothing of it has run yet, as far as the order of starting goes."""
        if self.terminated is not None:
            self.last, self.terminated = self.terminated, None
        self.container = None
        self.waiting = (waiting, "")
        self.ready = self.started = self.done = self.begun = False
        self.again = True
        self.pull = self.stop = None
        self.killing = self.hook = ""

    def dump(self, container: Container | None) -> dict[str, Any]:
        """``container`` is the last one that was made, running or not."""
        data: dict[str, Any] = {}
        for field in ("waiting", "terminated", "last", "restarts", "ready", "started", "crash", "pulls", "pull", "pull_error", "killing",
                      "done", "begun", "created", "tries", "ends", "stop", "again", "hook", "env"):
            value = getattr(self, field)
            if value:
                data[field] = value
        if self.resources is not None:
            data["resources"] = self.resources
        if self.counts:
            data["counts"] = {kind: list(value) for kind, value in self.counts.items()}
        if self.shown_image[1]:
            data["shown_image"] = self.shown_image
        if container is not None:
            data["image"] = container.launch.image.text
            data["container"] = container.dump()
        return data

    def load(self, data: dict[str, Any]) -> None:
        """Everything but the container itself."""
        self.waiting = None
        for field, value in data.items():
            if field in ("waiting", "shown_image"):
                setattr(self, field, tuple(value))
            elif field == "counts":
                self.counts = {kind: list(row) for kind, row in value.items()}
            elif field not in ("container", "image", "allocated"):
                setattr(self, field, value)
