"""``curl`` from the workstation into the cluster: the request walks the same way as traffic does."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.process import Sleep
from server.cluster.runtime import curl as program
from server.kubectl.context import Context


def curl(cluster: Cluster, arguments: list[str], context: Context) -> Generator[Any, Any, int]:
    """Returns curl's exit code: 0, or the number of what went wrong."""
    said = program.curl(partial(cluster.network.request, None), arguments, terminal=True)
    if said.seconds:
        yield Sleep(said.seconds)
    context.stderr.write(said.err)
    context.stdout.write(said.out)
    return said.code
