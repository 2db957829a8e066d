"""Image pulls of one node: what is there, when the next pull can begin, how long it takes.

Pulls of a node run one after the other (``serializeImagePulls`` is true unless a kubelet is told otherwise), so a pull's end is
known when it is asked for: it is a number in the run-time state, not a process.

Source: https://kubernetes.io/docs/concepts/containers/images/
"""

from __future__ import annotations

import math
from typing import NamedTuple

from server.cluster.kubelet.agenda import chance
from server.cluster.kubelet.registry import Registry
from server.cluster.objects import Object
from server.cluster.runtime.images import Image, PullError, resolve
from server.cluster.runtime.references import Reference, parse
from server.cluster.store import State

BANDWIDTH = 60e6
FIRST, LONGEST = 0.9, 4.0
CHECK = (0.06, 0.2)
REFUSED = (0.5, 0.9)
SHOWN = 50
PAUSE = "registry.k8s.io/pause:3.10.1"


class Pull(NamedTuple):
    """One pull that has been asked for: ``error`` is empty when the image will be there at ``end``."""

    begin: float
    end: float
    image: Image | None
    error: str


class Images:
    """A node's images. ``key`` is where they lie in the state."""

    __slots__ = ("registry", "_state", "_images_key", "_pulls_key", "present", "free", "coming")

    def __init__(self, state: State, node: str, registry: Registry) -> None:
        self.registry = registry
        self._state = state
        self._images_key = f"images/{node}"
        self._pulls_key = f"pulls/{node}"
        self.present: dict[str, int] = dict(state.get(self._images_key) or {})
        kept = state.get(self._pulls_key) or {}
        self.free: float = kept.get("free", -math.inf)
        self.coming: list[str] = list(kept.get("coming") or ())

    def has(self, reference: Reference) -> bool:
        return reference.text in self.present

    def add(self, image: Image) -> bool:
        """Whether it is new here."""
        text = image.text
        if text in self.present:
            return False
        self.present = {**self.present, text: image.size}
        self._state.set(self._images_key, self.present)
        if text in self.coming:
            self.coming.remove(text)
            self._keep()
        return True

    def failed(self, reference: Reference) -> None:
        """A download that was under way came to nothing."""
        if reference.text in self.coming:
            self.coming.remove(reference.text)
            self._keep()

    def drop(self, used: set[str]) -> bool:
        """Removes the images that are not among these, but for the sandboxes' own; whether there were any."""
        left = {text: size for text, size in self.present.items() if text in used or text == PAUSE}
        if len(left) == len(self.present):
            return False
        self.present = left
        self._state.set(self._images_key, left)
        return True

    def _keep(self) -> None:
        self._state.set(self._pulls_key, {"free": self.free, "coming": list(self.coming)} if self.coming else {"free": self.free})

    def pull(self, reference: Reference, now: float) -> Pull:
        """Asks for an image: a check when it is here already, a download else."""
        begin = max(now, self.free)
        try:
            image, error = self.registry.resolve(reference), ""
        except PullError as fault:
            image, error = None, str(fault)
        if image is None:
            length = chance(*REFUSED, self._pulls_key, reference.text, begin)
        elif self.has(reference) or reference.text in self.coming:
            length = chance(*CHECK, self._pulls_key, reference.text, begin)
        else:
            self.coming.append(reference.text)
            length = min(LONGEST, FIRST + image.size / BANDWIDTH) * chance(0.9, 1.1, self._pulls_key, reference.text, begin)
            length *= self.registry.factor(reference)
        self.free = begin + length
        self._keep()
        return Pull(begin, self.free, image, error)

    def listed(self) -> list[Object]:
        """``status.images`` of the node: the biggest first."""
        entries = []
        for text, size in sorted(self.present.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]:
            repository, _, _ = text.rpartition("@") if "@" in text else text.rpartition(":")
            entries.append({"names": [f"{repository}@{_digest(text)}", text], "sizeBytes": size})
        return entries


def _digest(text: str) -> str:
    return resolve(parse(text)).digest
