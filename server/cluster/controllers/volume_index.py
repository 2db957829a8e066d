"""What the binder must find without looking through everything: free volumes by class, volumes by claim, claims that wait by class.

In: watch events; ``see_claim`` and ``see_volume`` take an object as it was and as it is (None: did not exist, is gone). Out: names and
keys, in order.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
"""

from __future__ import annotations

from server.cluster.objects import Key, Object, key, name
from server.cluster.volumes import class_of, fully_bound

Names = dict[str, None]


class VolumeIndex:
    def __init__(self) -> None:
        self._free: dict[str, Names] = {}
        self._reserved: dict[Key, Names] = {}
        self._waiting: dict[str, dict[Key, None]] = {}
        self._naming: dict[str, dict[Key, None]] = {}

    def free(self, class_name: str) -> list[str]:
        """Available volumes of a class, by name."""
        return sorted(self._free.get(class_name, ()))

    def reserved(self, claim: Key) -> list[str]:
        """Volumes whose claimRef names this claim."""
        return sorted(self._reserved.get(claim, ()))

    def waiting(self, class_name: str) -> list[Key]:
        """Claims of a class that are not bound, the first to come first."""
        return list(self._waiting.get(class_name, ()))

    def naming(self, volume: str) -> list[Key]:
        """Claims that name a volume."""
        return sorted(self._naming.get(volume, ()))

    @staticmethod
    def available(volume: Object) -> bool:
        return (volume.get("status") or {}).get("phase") == "Available" and not volume["spec"].get("claimRef")

    def see_volume(self, was: Object | None, now: Object | None) -> None:
        for volume, change in ((was, _drop), (now, _add)):
            if volume is None:
                continue
            if self.available(volume):
                change(self._free, class_of(volume), name(volume))
            reference = volume["spec"].get("claimRef")
            if reference:
                change(self._reserved, (reference.get("namespace", ""), reference.get("name", "")), name(volume))

    def see_claim(self, was: Object | None, now: Object | None) -> None:
        for claim, change in ((was, _drop), (now, _add)):
            if claim is None:
                continue
            if not fully_bound(claim):
                change(self._waiting, class_of(claim), key(claim))
            if claim["spec"].get("volumeName"):
                change(self._naming, claim["spec"]["volumeName"], key(claim))


def _add(index: dict, value: object, entry: object) -> None:
    index.setdefault(value, {})[entry] = None


def _drop(index: dict, value: object, entry: object) -> None:
    entries = index.get(value)
    if entries is not None:
        entries.pop(entry, None)
        if not entries:
            del index[value]
