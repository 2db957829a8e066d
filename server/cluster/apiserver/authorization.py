"""May this user do this? The room's capability is cluster-admin, components are themselves, everyone else may nothing: that is what
a cluster with no role bindings answers.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from __future__ import annotations

from server.cluster.apiserver.request import Request
from server.cluster.apiserver.resources import Resource
from server.cluster.errors import ApiError, forbidden

ADMIN = "kubernetes-admin"
COMPONENTS = ("system:apiserver", "system:kube-scheduler", "system:kube-controller-manager", "system:node:",
              "system:serviceaccount:kube-system:")


def authorize(request: Request, resource: Resource) -> None:
    """ApiError 403 with the authorizer's own words if the user may not."""
    if not trusted(request.user):
        raise denied(request.user or "system:anonymous", request, resource)


def trusted(user: str) -> bool:
    """Whether the user may do everything. The ``default`` account of kube-system is no component's."""
    return user == ADMIN or user.startswith(COMPONENTS) and user != "system:serviceaccount:kube-system:default"


def denied(user: str, request: Request, resource: Resource) -> ApiError:
    plural = f"{resource.plural}/{request.subresource}" if request.subresource else resource.plural
    where = f'in the namespace "{request.namespace}"' if resource.namespaced and request.namespace else "at the cluster scope"
    why = f'User "{user}" cannot {request.verb} resource "{plural}" in API group "{resource.group}" {where}'
    return forbidden(resource.key, request.name, why)
