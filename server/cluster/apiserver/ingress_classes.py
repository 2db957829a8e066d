"""DefaultIngressClass admission: a new Ingress that names no class gets the cluster's default one.

Source: https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.errors import forbidden
from server.cluster.objects import Object, annotations, replaced

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

INGRESSES, CLASSES = "ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io"
DEFAULT, CLASS_ANNOTATION = "ingressclass.kubernetes.io/is-default-class", "kubernetes.io/ingress.class"


def admit(api: ApiServer, ingress: Object) -> Object:
    """ApiError when there is more than one default."""
    if ingress["spec"].get("ingressClassName") is not None or CLASS_ANNOTATION in annotations(ingress):
        return ingress
    defaults = [each for each in api.lister(CLASSES).list() if annotations(each).get(DEFAULT) == "true"]
    if len(defaults) > 1:
        raise forbidden(INGRESSES, ingress["metadata"].get("name", ""),
                        f"Internal error occurred: {len(defaults)} default IngressClasses were found, only 1 allowed")
    return replaced(ingress, {("spec", "ingressClassName"): defaults[0]["metadata"]["name"]}) if defaults else ingress
