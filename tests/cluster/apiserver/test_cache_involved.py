"""Events by the object that they are about: the index says what a scan would."""

from __future__ import annotations

import random

from server.cluster.apiserver.cache import Lister
from server.cluster.store import Cause, Store


def event(name, uid):
    return {"kind": "Event", "metadata": {"name": name, "namespace": "default"}, **({"involvedObject": {"uid": uid} if uid else {}})}


def test_events_are_found_by_what_they_are_about_however_they_came_and_went():
    chance, store = random.Random(4), Store()
    listers = [Lister(store, "events")]
    for number in range(400):
        name = f"e{chance.randrange(30)}"
        if chance.random() < 0.3 and store.get("events", ("default", name)):
            store.delete("events", ("default", name), Cause())
        else:
            store.put("events", ("default", name), event(name, chance.choice(("", "a", "b", "c"))), Cause())
        if number == 200:
            listers.append(Lister(store, "events"))
        for lister in listers:
            for uid in "abc":
                assert lister.by_involved(uid) == [obj for obj in lister.list() if (obj.get("involvedObject") or {}).get("uid") == uid]
