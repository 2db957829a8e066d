"""Defaults of DaemonSets.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import filled, with_field
from server.cluster.apiserver.defaults.pods import template

Object = dict[str, Any]

_DAEMON_SET = {"template": {}, "updateStrategy": {}, "revisionHistoryLimit": 10}
_ROLLING_UPDATE = {"maxUnavailable": 1, "maxSurge": 0}


def daemon_set(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _spec)


def _spec(spec: Object) -> Object:
    return with_field(with_field(filled(spec, _DAEMON_SET), "updateStrategy", _strategy), "template", template)


def _strategy(strategy: Object) -> Object:
    strategy = filled(strategy, {"type": "RollingUpdate"})
    if strategy["type"] != "RollingUpdate":
        return strategy
    return with_field(filled(strategy, {"rollingUpdate": {}}), "rollingUpdate", lambda update: filled(update, _ROLLING_UPDATE))


DEFAULTS: dict[str, Callable[[Object], Object]] = {"daemonsets.apps": daemon_set}
