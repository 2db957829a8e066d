"""What a describer may use: a client to read with, the cluster's time, and whether events are wanted.

A describer takes the object and this and writes on a Page. Related objects (pods of a ReplicaSet, the lease of a node, events)
are read through the same API requests kubectl makes, so authorization and causes hold for them too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from server.cluster.clock import Clock
from server.cluster.errors import ApiError
from server.kubectl.client import ApiClient
from server.kubectl.describe.layout import Page

Object = dict[str, Any]


class Scope(NamedTuple):
    api: ApiClient
    now: datetime
    show_events: bool = True

    @classmethod
    def at(cls, api: ApiClient, clock: Clock, show_events: bool = True) -> Scope:
        return cls(api, clock.epoch + timedelta(seconds=clock.now), show_events)

    def list_if_served(self, resource: str, namespace: str) -> list[Object] | None:
        """The objects, or None where the server has no such resource."""
        try:
            return self.api.items(resource, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise


Describer = Callable[[Object, Scope, Page], None]
