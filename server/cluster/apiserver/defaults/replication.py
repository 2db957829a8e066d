"""Defaults of the core group's workloads: ReplicationController, whose selector and labels are its template's, and PodTemplate.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/replication-controller-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import filled, with_field
from server.cluster.apiserver.defaults.pods import template

Object = dict[str, Any]


def replication_controller(obj: Object) -> Object:
    obj = filled(obj, {"spec": {}})
    labels = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not obj["spec"].get("selector"):
        obj = {**obj, "spec": {**obj["spec"], "selector": labels}}
    if labels and not obj["metadata"].get("labels"):
        obj = {**obj, "metadata": {**obj["metadata"], "labels": labels}}
    return with_field(obj, "spec", lambda spec: with_field(filled(spec, {"replicas": 1}), "template", template))


def pod_template(obj: Object) -> Object:
    return with_field(filled(obj, {"template": {}}), "template", template)


DEFAULTS: dict[str, Callable[[Object], Object]] = {
    "replicationcontrollers": replication_controller,
    "podtemplates": pod_template,
}
