"""Every namespace has a ServiceAccount ``default``, which its pods use unless they name another.

Source: https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
"""

from __future__ import annotations

from server.cluster.controllers.per_namespace import PerNamespaceController


class ServiceAccountController(PerNamespaceController):
    name = "service-account-controller"
    resource = "serviceaccounts"
    wanted = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
