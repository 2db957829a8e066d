"""An API server by itself: nothing reacts to what is written."""

from __future__ import annotations

import random

from server.cluster.apiserver.server import ApiServer
from server.cluster.bootstrap import priority_classes
from server.cluster.clock import Clock
from server.cluster.parts import Parts
from server.cluster.store import Store

CLASSES = "priorityclasses.scheduling.k8s.io"


class Api:
    def __init__(self) -> None:
        clock, store, chance = Clock(), Store(), random.Random(1)
        self.api = ApiServer(clock, store, chance)
        self.parts = Parts(clock, self.api, chance, store.state)
        self.client = self.parts.client("kubectl", "kubernetes-admin")
        self.client.create("namespaces", {"metadata": {"name": "default"}})
        self.client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
        priority_classes(self.parts)

    def make(self, name: str, **fields: object) -> dict:
        return self.client.create(CLASSES, {"metadata": {"name": name}, **fields})

    def pod(self, name: str = "web", **spec: object) -> dict:
        return self.client.create("pods", {"metadata": {"name": name, "namespace": "default"},
                                           "spec": {"containers": [{"name": "c", "image": "nginx"}], **spec}})["spec"]
