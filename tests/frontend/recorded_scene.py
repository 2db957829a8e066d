"""What the server's own scene tells of rooms in which things happen, as JSON for sync.test.js: ``[{diffs, things}, ...]``, one entry a seed.

The diffs are those from the first on, ``things`` what the scene holds at their end. Virtual time only; the same seeds, the same bytes but
for the scenes' names.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from server.cluster.cluster import Cluster
from server.live.scene import Scene

SEEDS, ACTS = (1, 2, 3), 14
PODS = {"app": "web"}


def deployment(replicas: int, image: str) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": PODS}, "template": {"metadata": {"labels": PODS}, "spec": {"containers": [
            {"name": "web", "image": image}]}}}}


def act(cluster: Cluster, chance: random.Random) -> None:
    """One thing that a person or chance does."""
    api, client = cluster.api, cluster.client()
    kind = chance.randrange(4)
    pods = api.lister("pods").list("default")
    if kind == 0 or not api.lister("deployments.apps").get("default", "web"):
        wanted = deployment(chance.randrange(6), chance.choice(["nginx:1.27", "nginx:1.28", "nginx:nope"]))
        if known := api.lister("deployments.apps").get("default", "web"):
            wanted["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"]
            client.update("deployments.apps", wanted)
        else:
            client.create("deployments.apps", wanted)
    elif kind == 1 and pods:
        client.delete("pods", "default", chance.choice(pods)["metadata"]["name"])
    elif kind == 2 and not api.lister("services").get("default", "web"):
        client.create("services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
                                               "spec": {"selector": PODS, "ports": [{"port": 80}]}})
    cluster.clock.run_until(cluster.clock.now + chance.choice([0.3, 2.0, 15.0]))


def story(seed: int) -> dict[str, Any]:
    cluster, chance = Cluster(seed=seed), random.Random(seed)
    scene = Scene(cluster)
    diffs: list[dict[str, Any]] = []

    def tell() -> None:
        while scene.behind:
            diffs.extend(scene.flush())

    tell()
    for _ in range(ACTS):
        act(cluster, chance)
        tell()
    return {"diffs": diffs, "things": scene.things}


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump([story(seed) for seed in SEEDS], file)
