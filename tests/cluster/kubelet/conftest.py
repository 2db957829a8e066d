"""A small cluster whose pods are bound by hand, and short ways to look at them."""

import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers


class Bench:
    """``w1-k8s`` with nothing on it but what a test puts there."""

    def __init__(self, cluster=None):
        self.cluster = cluster or Cluster(seed=1, nodes=with_workers(2), system_pods=False)
        self.kubectl = self.cluster.client()

    def run(self, seconds):
        self.cluster.clock.run_for(seconds)

    def pod(self, name, *containers, node="w1-k8s", **spec):
        made = [{"name": "c", "image": "busybox", **container} for container in containers]
        self.kubectl.create("pods", {"metadata": {"name": name, "namespace": "default"},
                                     "spec": {"nodeName": node, "containers": made, **spec}})

    def get(self, name):
        return self.cluster.api.lister("pods").get("default", name)

    def status(self, name):
        return self.get(name)["status"]

    def container(self, name, number=0, field="containerStatuses"):
        return self.status(name)[field][number]

    def reason(self, name, **where):
        state = self.container(name, **where)["state"]
        kind = next(iter(state))
        return state[kind].get("reason", kind)

    def conditions(self, name):
        return {entry["type"]: entry["status"] for entry in self.status(name)["conditions"]}

    def events(self, name):
        """{(reason, message): count}"""
        return {(event["reason"], event["message"]): event["count"] for event in self.cluster.api.lister("events").list()
                if event["involvedObject"]["name"] == name}

    def until(self, condition, limit=120):
        assert self.cluster.run_until(condition, limit)

    def seen(self, name, look):
        """What ``look()`` was after each write to the pod, without repetitions, from now on."""
        found = []

        def note(event):
            if event.object["metadata"]["name"] == name:
                value = look(event)
                if not found or found[-1] != value:
                    found.append(value)

        self.cluster.api.watch("pods", note)
        return found


@pytest.fixture
def bench():
    return Bench()
