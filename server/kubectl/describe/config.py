"""ConfigMaps, Secrets, ServiceAccounts and Namespaces. A Secret's values are never shown, only how long they are."""

from __future__ import annotations

import base64
from typing import Any

from server.cluster import quantity
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date

TOKEN_TYPE = "kubernetes.io/service-account-token"
CONDITION_COLUMNS = ("Type", "Status", "LastTransitionTime", "Reason", "Message")
CONDITION_RULES = ("----", "------", "------------------", "------", "-------")
LIMIT_COLUMNS = ("Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
LIMIT_RULES = ("--------", "---", "---", "---------------", "-------------", "-----------------------")
LIMIT_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively "
                   "terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container "
                      "command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality "
                     "of service.",
}


def _head(page: Page, obj: Object) -> None:
    meta = obj["metadata"]
    page.field("Name", meta["name"])
    if meta.get("namespace"):
        page.field("Namespace", meta["namespace"])
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))


def describe_config_map(config_map: Object, scope: Scope, page: Page) -> None:
    _head(page, config_map)
    data, binary = config_map.get("data") or {}, config_map.get("binaryData") or {}
    for line in ("", "Data", "===="):
        page.row(0, line)
    for key in sorted(data):
        for line in (f"{key}:", "----", data[key], ""):
            page.row(0, line)
    for line in ("", "BinaryData", "===="):
        page.row(0, line)
    for key in sorted(binary):
        page.row(0, f"{key}: {_length(binary[key])} bytes")
    page.row(0, "")
    describe_events_of(config_map, scope, page)


def _length(encoded: str) -> int:
    return len(base64.b64decode(encoded))


def describe_secret(secret: Object, scope: Scope, page: Page) -> None:
    _head(page, secret)
    page.row(0, "")
    page.field("Type", secret.get("type", ""))
    for line in ("", "Data", "===="):
        page.row(0, line)
    data = secret.get("data") or {}
    for key in sorted(data):
        if key == "token" and secret.get("type") == TOKEN_TYPE:
            page.field(key, base64.b64decode(data[key]).decode(errors="replace"))
        else:
            page.field(key, f"{_length(data[key] or '')} bytes")


def describe_service_account(account: Object, scope: Scope, page: Page) -> None:
    _head(page, account)
    label = "Image pull secrets:"
    for name in [each.get("name", "") for each in account.get("imagePullSecrets") or ()] or [NONE]:
        page.row(0, label, name)
        label = " " * len(label)
    describe_events_of(account, scope, page)


def describe_namespace(namespace: Object, scope: Scope, page: Page) -> None:
    name, status = namespace["metadata"]["name"], namespace.get("status") or {}
    _head(page, namespace)
    page.field("Status", status.get("phase", ""))
    if status.get("conditions"):
        page.row(0, "Conditions:")
        page.table(CONDITION_COLUMNS, CONDITION_RULES, (
            (each["type"], each["status"], date(each.get("lastTransitionTime")), each.get("reason", ""), each.get("message", ""))
            for each in status["conditions"]))
    quotas, limits = scope.list_if_served("resourcequotas", name), scope.list_if_served("limitranges", name)
    if quotas is not None:
        page.row(0, "")
        _quotas(page, quotas)
    if limits is not None:
        page.row(0, "")
        _limits(page, limits)


def _quotas(page: Page, quotas: list[Object]) -> None:
    page.row(0, "Resource Quotas" if quotas else "No resource quota.")
    for quota in sorted(quotas, key=lambda each: each["metadata"]["name"]):
        page.field("Name", quota["metadata"]["name"], 1)
        scopes = sorted((quota.get("spec") or {}).get("scopes") or ())
        if scopes:
            page.field("Scopes", ", ".join(scopes), 1)
        for scope in scopes:
            if scope in SCOPES:
                page.row(1, f"* {SCOPES[scope]}")
        status = quota.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        page.table(("Resource", "Used", "Hard"), ("--------", "---", "---"), (
            (name, quantity.canonical(used.get(name, "0")), quantity.canonical(hard[name])) for name in sorted(hard)))


def _limits(page: Page, ranges: list[Object]) -> None:
    if not ranges:
        page.row(0, "No LimitRange resource.")
        return
    page.row(0, "Resource Limits")
    page.row(0, " Type", *LIMIT_COLUMNS)
    page.row(0, " ----", *LIMIT_RULES)
    for each in ranges:
        for item in each["spec"].get("limits") or ():
            for resource in sorted({name for field in LIMIT_FIELDS for name in item.get(field) or ()}):
                page.row(0, f" {item['type']}", resource, *(_limit(item, field, resource) for field in LIMIT_FIELDS))


def _limit(item: dict[str, Any], field: str, resource: str) -> str:
    amount = (item.get(field) or {}).get(resource)
    return "-" if amount is None else quantity.canonical(amount)
