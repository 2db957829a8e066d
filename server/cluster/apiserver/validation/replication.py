"""Validation of the core group's workloads: ReplicationController and PodTemplate.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/replication-controller-v1/
"""

from __future__ import annotations

from server.cluster import names, selectors
from server.cluster.apiserver.validation import meta, pods
from server.cluster.apiserver.validation.apps import never_ending, replicas_status
from server.cluster.apiserver.validation.fields import Errors, Object, invalid, not_negative, required
from server.cluster.apiserver.validation.kind import Kind


def replication_controller(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _spec(obj.get("spec") or {})


def replication_controller_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    if new.get("spec") is not old.get("spec"):
        yield from _spec(new.get("spec") or {})


def _spec(spec: Object) -> Errors:
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    selector = spec.get("selector")
    if not selector:
        yield required("spec.selector")
    yield from not_negative("spec.replicas", spec.get("replicas"))
    template, at = spec.get("template"), "spec.template"
    if template is None:
        yield required(at)
        return
    labels = (template.get("metadata") or {}).get("labels")
    if selector and not selectors.from_labels(selector).matches(labels):
        yield invalid(f"{at}.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from pods.template(template, at)
    yield from never_ending(template, at, "ReplicationController")


def pod_template(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from pods.template(obj.get("template") or {}, "template")


def pod_template_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    if new.get("template") is not old.get("template"):
        yield from pods.template(new.get("template") or {}, "template")


KINDS: dict[str, Kind] = {
    "replicationcontrollers": Kind(replication_controller, replication_controller_update, replicas_status),
    "podtemplates": Kind(pod_template, pod_template_update),
}
