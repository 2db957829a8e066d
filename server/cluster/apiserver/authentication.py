"""Who asks? The tokens that pods carry, and whom a request's token stands for.

In: a pod, or the Authorization header of a request. Out: ``issue`` gives the token that the kubelet puts into a pod's volume, a JSON Web
Token that binds the service account to the pod; ``user`` gives whom a header stands for, or ApiError 401. A token is good as long as its
pod and its service account are there, for the audience that it was made for. It is signed with a key of the cluster (HS256, where a real
cluster signs with RS256).

Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from server.cluster.errors import ApiError
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNT = "system:serviceaccount:"
ISSUER = "https://kubernetes.default.svc.cluster.local"
YEAR = 365 * 24 * 3600  # the API server extends the tokens that it gives to all pods
LONGEST_HEADER = 8192


def issue(api: ApiServer, pod: Object, audience: str = "") -> str:
    """The token of a pod. It is the same each time: it was made when the pod was."""
    meta, spec = pod["metadata"], pod["spec"]
    namespace, account = meta["namespace"], spec.get("serviceAccountName") or "default"
    given = int(api.clock.epoch.timestamp() + api.clock.seconds(meta["creationTimestamp"]))
    found, node = api.lister("serviceaccounts").get(namespace, account), api.lister("nodes").get("", spec.get("nodeName", ""))
    bound: dict[str, Any] = {"namespace": namespace}
    if node is not None:
        bound["node"] = {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
    bound["pod"] = {"name": meta["name"], "uid": meta["uid"]}
    bound["serviceaccount"] = {"name": account, "uid": found["metadata"]["uid"] if found is not None else ""}
    claims = {"aud": [audience or ISSUER], "exp": given + YEAR, "iat": given, "iss": ISSUER, "kubernetes.io": bound, "nbf": given,
              "sub": f"{SERVICE_ACCOUNT}{namespace}:{account}"}
    text = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    return f"{text}.{_signature(api, text)}"


def user(api: ApiServer, header: str) -> str:
    """Whom an Authorization header stands for; without one it is nobody in particular. ApiError 401 for what is no token of ours."""
    if not header:
        return ANONYMOUS
    scheme, _, token = header.strip().partition(" ")
    claims = _claims(api, token.strip()) if scheme.lower() == "bearer" and len(header) <= LONGEST_HEADER else None
    if claims is None or not _holds(api, claims):
        raise ApiError(401, "Unauthorized", "Unauthorized")
    return claims["sub"]


def _claims(api: ApiServer, token: str) -> dict[str, Any] | None:
    """What a token says, if it is signed by this cluster."""
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(api, text).encode(), signature.encode("utf-8", "surrogateescape")):
        return None
    body = text.partition(".")[2]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def _holds(api: ApiServer, claims: dict[str, Any]) -> bool:
    bound = claims["kubernetes.io"]
    pod = api.lister("pods").get(bound["namespace"], bound["pod"]["name"])
    account = api.lister("serviceaccounts").get(bound["namespace"], bound["serviceaccount"]["name"])
    return (ISSUER in claims["aud"] and pod is not None and pod["metadata"]["uid"] == bound["pod"]["uid"]
            and account is not None and account["metadata"]["uid"] == bound["serviceaccount"]["uid"]
            and claims["exp"] > api.clock.epoch.timestamp() + api.clock.now)


def _signature(api: ApiServer, text: str) -> str:
    system = api.lister("namespaces").get("", "kube-system")
    secret = f"sa.key/{system['metadata']['uid'] if system is not None else ''}"
    return _base64(hmac.new(secret.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest())


def _encoded(claims: dict[str, Any]) -> str:
    return _base64(json.dumps(claims, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
