"""ImageLocality: prefers nodes that already have the pod's images, the more the larger and the more widespread they are."""

from __future__ import annotations

from server.cluster.scheduler.plugins.plugin import MAX_SCORE, Plugin
from server.cluster.scheduler.podinfo import Requirements
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot

MEGABYTE = 1024 * 1024
LEAST, MOST_PER_CONTAINER = 23 * MEGABYTE, 1000 * MEGABYTE


def normalized_name(image: str) -> str:
    """With a tag: ``nginx`` is looked up as ``nginx:latest``, just so.

    >>> normalized_name("registry:5000/nginx"), normalized_name("nginx:1.27")
    ('registry:5000/nginx:latest', 'nginx:1.27')
    """
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"


class ImageLocality(Plugin):
    name = "ImageLocality"
    weight = 1

    def known(self, needs: Requirements, snapshot: Snapshot) -> bool:
        """Whether any node has any of the images."""
        return any(normalized_name(image) in snapshot.images for image in needs.images)

    def score(self, needs: Requirements, node: NodeInfo, snapshot: Snapshot) -> int:
        here = {name for image in node.images for name in image.get("names") or ()}
        total, nodes = 0, len(snapshot.order)
        for image in needs.images:
            name = normalized_name(image)
            if name in here:
                size, count = snapshot.images[name]
                total += int(size * (count / nodes))
        most = MOST_PER_CONTAINER * len(needs.images)
        return MAX_SCORE * (min(max(total, LEAST), most) - LEAST) // (most - LEAST)
