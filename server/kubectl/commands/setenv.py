"""Environment variables for `kubectl set env`: reading them from arguments, ConfigMaps and Secrets, merging, and listing."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from server.cluster import names
from server.cluster.errors import ApiError
from server.kubectl.context import Context
from server.kubectl.describe.containers import resource_value
from server.kubectl.errors import CommandError, message_of
from server.kubectl.flags import Flags, quoted
from server.kubectl.podspec import PATHS, containers_where, pod_spec
from server.kubectl.resources import Found, Info

Object = dict[str, Any]
NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
BAD_NAME = names.not_matching(
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
    NAME.pattern, "my.env-name", "MY_ENV.NAME", "MyEnvName1")
SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")


def split(args: list[str]) -> tuple[list[str], list[str]]:
    """(resources, variables to set or, as NAME-, to remove)."""
    targets: list[str] = []
    specs: list[str] = []
    for arg in args:
        if ("=" in arg and arg[0] != "=") or arg.endswith("-"):
            specs.append(arg)
        elif specs:
            raise CommandError(f"all resources must be specified before environment changes: {' '.join(args)}")
        else:
            targets.append(arg)
    return targets, specs


def parse(specs: list[str]) -> tuple[list[Object], list[str]]:
    variables: list[Object] = []
    removed: list[str] = []
    for spec in specs:
        name, equals, value = spec.partition("=")
        if spec == "-":
            raise CommandError("variables from standard input are not available in Podium")
        if equals:
            if not NAME.fullmatch(name):
                raise CommandError(f"{quoted(name)} is not a valid key name: {BAD_NAME}")
            variables.append({"name": name, "value": value})
        elif spec.endswith("-"):
            removed.append(spec[:-1])
        else:
            raise CommandError(f"unknown environment variable: {spec}")
    if any(each["name"] in removed for each in variables):
        raise CommandError("can not both modify and remove the same environment variable in the same command")
    return variables, removed


def imported(ctx: Context, found: Found, keys: list[str]) -> list[Object]:
    """References to the keys of ConfigMaps and Secrets, named as variables are."""
    variables = []
    for info in found:
        field = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}.get(info.resource.kind)
        if field is None:
            raise CommandError("unsupported resource specified in --from")
        for key in sorted(info.object.get("data") or ()):
            if not keys or key in keys:
                name = re.sub(r"[^a-zA-Z0-9_]", "_", key).upper()
                if name != key:
                    ctx.warn(f"key {key} transferred to {name}")
                variables.append({"name": name, "valueFrom": {field: {"name": info.name, "key": key}}})
    return variables


def updated(container: Object, variables: list[Object], removed: list[str]) -> Object:
    """The container with the variables: those it has keep their place, new ones come last."""
    wanted = {each["name"]: each for each in reversed(variables)}
    out: list[Object] = []
    covered = set(removed)
    for each in (*(container.get("env") or ()), *variables):
        if each["name"] in covered:
            continue
        if each["name"] in wanted:
            covered.add(each["name"])
        out.append(wanted.get(each["name"], each))
    if out:
        return {**container, "env": out}
    return {key: value for key, value in container.items() if key != "env"}


def refuse_overwrites(container: Object, variables: list[Object]) -> None:
    present = {each["name"]: each.get("value", "") for each in reversed(container.get("env") or ())}
    for each in variables:
        if each["name"] in present and present[each["name"]] != each.get("value", ""):
            raise CommandError(f"'{each['name']}' already has a value ({present[each['name']]}), and --overwrite is false")


def warn_of_none(ctx: Context, found: Found, wanted: Callable[[str], bool], pattern: str) -> None:
    for info in found:
        if info.resource.kind in PATHS and not containers_where(pod_spec(info.object), wanted):
            ctx.warn(f"{info.resource.kind}/{info.name} does not have any containers matching {quoted(pattern)}")


def listed(ctx: Context, flags: Flags, found: Found, wanted: Callable[[str], bool], variables: list[Object], removed: list[str]) -> None:
    for info in found:
        for container in containers_where(pod_spec(info.object), wanted):
            ctx.out(f"# {info.resource.kind} {info.name}, container {container['name']}")
            faults: dict[str, list[str]] = {}
            for each in updated(container, variables, removed).get("env") or ():
                _list(ctx, info, container, each, flags.resolve, faults)
            for fault in sorted(f"error retrieving reference for {', '.join(sorted(told))}: {why}" for why, told in faults.items()):
                ctx.err(fault)


def _list(ctx: Context, info: Info, container: Object, variable: Object, resolve: bool, faults: dict[str, list[str]]) -> None:
    source = variable.get("valueFrom")
    if source is None:
        ctx.out(f"{variable['name']}={variable.get('value', '')}")
        return
    if resolve:
        try:
            ctx.out(f"{variable['name']}={_value(ctx, info, container, source)}")
            return
        except (ApiError, CommandError) as error:
            faults.setdefault(message_of(error), []).append(variable["name"])
    ctx.out(f"# {variable['name']} from {_told(source)}")


def _told(source: Object) -> str:
    if ref := source.get("configMapKeyRef"):
        return f"configmap {ref.get('name', '')}, key {ref['key']}"
    if ref := source.get("secretKeyRef"):
        return f"secret {ref.get('name', '')}, key {ref['key']}"
    if ref := source.get("fieldRef"):
        return f"field path {ref['fieldPath']}"
    if ref := source.get("resourceFieldRef"):
        return f"resource field {ref['containerName'] + '/' if ref.get('containerName') else ''}{ref['resource']}"
    return "invalid valueFrom"


def _value(ctx: Context, info: Info, container: Object, source: Object) -> str:
    for field, resource, told in (("configMapKeyRef", "configmaps", "config map"), ("secretKeyRef", "secrets", "secret")):
        if ref := source.get(field):
            data = ctx.api.read(resource, ctx.namespace, ref.get("name", "")).get("data") or {}
            if ref["key"] not in data:
                raise CommandError(f"key {ref['key']} not found in {told} {ref.get('name', '')}")
            return data[ref["key"]] if resource == "configmaps" else base64.b64decode(data[ref["key"]]).decode(errors="replace")
    if ref := source.get("resourceFieldRef"):
        return resource_value(ref, container)
    if ref := source.get("fieldRef"):
        return _field(info.object["metadata"], ref["fieldPath"])
    raise CommandError("invalid valueFrom")


def _field(meta: Object, path: str) -> str:
    if subscript := SUBSCRIPT.fullmatch(path):
        return (meta.get(subscript[1]) or {}).get(subscript[2], "")
    field = path.removeprefix("metadata.")
    if field in ("labels", "annotations"):
        values = meta.get(field) or {}
        return "\n".join(f"{key}={quoted(values[key])}" for key in sorted(values))
    if path in ("metadata.name", "metadata.namespace", "metadata.uid"):
        return meta.get(field, "")
    raise CommandError(f"unsupported fieldPath: {path}")
