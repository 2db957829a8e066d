"""Defaults of the apps group: Deployment and ReplicaSet.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import filled, with_field
from server.cluster.apiserver.defaults.pods import template

Object = dict[str, Any]

_DEPLOYMENT = {"replicas": 1, "strategy": {}, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "template": {}}
_REPLICA_SET = {"replicas": 1}
_ROLLING_UPDATE = {"maxSurge": "25%", "maxUnavailable": "25%"}


def deployment(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _deployment_spec)


def _deployment_spec(spec: Object) -> Object:
    spec = with_field(filled(spec, _DEPLOYMENT), "strategy", _strategy)
    return with_field(spec, "template", template)


def _strategy(strategy: Object) -> Object:
    strategy = filled(strategy, {"type": "RollingUpdate"})
    if strategy["type"] != "RollingUpdate":
        return strategy
    return with_field(filled(strategy, {"rollingUpdate": {}}), "rollingUpdate", lambda update: filled(update, _ROLLING_UPDATE))


def replica_set(obj: Object) -> Object:
    obj = filled(obj, {"spec": {}})
    return with_field(obj, "spec", lambda spec: with_field(filled(spec, _REPLICA_SET), "template", template))


DEFAULTS: dict[str, Callable[[Object], Object]] = {
    "deployments.apps": deployment,
    "replicasets.apps": replica_set,
}
