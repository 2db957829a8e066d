"""Defaults of StatefulSets.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/
"""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.defaults.filling import each, filled, with_field
from server.cluster.apiserver.defaults.pods import template

Object = dict[str, Any]

_SPEC = {"podManagementPolicy": "OrderedReady", "updateStrategy": {}, "persistentVolumeClaimRetentionPolicy": {}, "replicas": 1,
         "revisionHistoryLimit": 10, "template": {}}
_RETAIN = {"whenDeleted": "Retain", "whenScaled": "Retain"}
_CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {}, "spec": {}, "status": {}}
_CLAIM_SPEC = {"volumeMode": "Filesystem", "resources": {}}


def stateful_set(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _spec)


def _spec(spec: Object) -> Object:
    spec = with_field(filled(spec, _SPEC), "updateStrategy", _update_strategy)
    spec = with_field(spec, "persistentVolumeClaimRetentionPolicy", lambda policy: filled(policy, _RETAIN))
    spec = with_field(spec, "volumeClaimTemplates", _claims)
    return with_field(spec, "template", template)


def _update_strategy(strategy: Object) -> Object:
    strategy = filled(strategy, {"type": "RollingUpdate"})
    if strategy["type"] != "RollingUpdate":
        return strategy
    return with_field(filled(strategy, {"rollingUpdate": {}}), "rollingUpdate", lambda update: filled(update, {"partition": 0}))


def _claim(claim: Object) -> Object:
    claim = with_field(filled(claim, _CLAIM), "spec", lambda spec: filled(spec, _CLAIM_SPEC))
    return with_field(claim, "status", lambda status: filled(status, {"phase": "Pending"}))


_claims = each(_claim)
