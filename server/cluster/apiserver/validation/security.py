"""Validation of security contexts, of pods and of containers.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
"""

from __future__ import annotations

import re

from server.cluster.apiserver.validation.fields import Errors, Object, duplicate, forbidden, invalid, required, unsupported
from server.cluster.apiserver.validation.volumes import local_path

_ID_RANGE = "must be between 0 and 4294967295, inclusive"
_SYSCTL = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_sysctl = re.compile(_SYSCTL)
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def _id(path: str, value: int | None) -> Errors:
    if value is not None and not 0 <= value <= 0xFFFFFFFF:
        yield invalid(path, value, _ID_RANGE)


def pod(context: Object, spec: Object, path: str) -> Errors:
    """A pod's ``securityContext``."""
    yield from _id(f"{path}.fsGroup", context.get("fsGroup"))
    yield from _id(f"{path}.runAsUser", context.get("runAsUser"))
    yield from _id(f"{path}.runAsGroup", context.get("runAsGroup"))
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        yield from _id(f"{path}.supplementalGroups[{index}]", group)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        yield invalid(f"{path}.shareProcessNamespace", True, "ShareProcessNamespace and HostPID cannot both be enabled")
    yield from _sysctls(context.get("sysctls") or [], f"{path}.sysctls", spec)
    for field, supported in (("fsGroupChangePolicy", ("Always", "OnRootMismatch")), ("supplementalGroupsPolicy", ("Merge", "Strict")),
                             ("seLinuxChangePolicy", ("MountOption", "Recursive"))):
        if context.get(field) is not None and context[field] not in supported:
            yield unsupported(f"{path}.{field}", context[field], supported)
    yield from _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    yield from _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile")


def container(context: Object, path: str, host_users: bool) -> Errors:
    """A container's ``securityContext``."""
    yield from _id(f"{path}.runAsUser", context.get("runAsUser"))
    yield from _id(f"{path}.runAsGroup", context.get("runAsGroup"))
    mount = context.get("procMount")
    if mount is not None and mount not in ("Default", "Unmasked"):
        yield unsupported(f"{path}.procMount", mount, ("Default", "Unmasked"))
    if host_users and mount == "Unmasked":
        yield invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`")
    yield from _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            yield invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            yield invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
    yield from _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile")


def _sysctls(sysctls: list[Object], path: str, spec: Object) -> Errors:
    seen: set[str] = set()
    for index, entry in enumerate(sysctls):
        at, name = f"{path}[{index}].name", entry.get("name", "")
        if not name:
            yield required(at)
        elif len(name) > 253 or not _sysctl.fullmatch(name):
            yield invalid(at, name, f"must have at most 253 characters and match regex ^{_SYSCTL}$")
        elif name in seen:
            yield duplicate(at, name)
        seen.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            yield invalid(at, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and dotted.startswith(("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")):
            yield invalid(at, name, "may not be specified when 'hostIPC' is true")


def _seccomp(profile: Object | None, path: str) -> Errors:
    if profile is None:
        return
    kind = profile.get("type", "")
    if not kind:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    elif kind not in PROFILES:
        yield unsupported(f"{path}.type", kind, PROFILES)
    if kind == "Localhost":
        if "localhostProfile" not in profile:
            yield required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
        else:
            yield from local_path(f"{path}.localhostProfile", profile["localhostProfile"])
    elif "localhostProfile" in profile:
        yield invalid(f"{path}.localhostProfile", profile, "can only be set when seccomp type is Localhost")


def _app_armor(profile: Object | None, path: str) -> Errors:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if not kind:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    elif kind not in PROFILES:
        yield unsupported(f"{path}.type", kind, PROFILES)
    elif kind != "Localhost":
        if local is not None:
            yield invalid(f"{path}.localhostProfile", local, "can only be set when AppArmor type is Localhost")
    elif not (local or "").strip():
        yield required(f"{path}.localhostProfile", "must be set when AppArmor type is Localhost")
    elif local != local.strip():
        yield invalid(f"{path}.localhostProfile", local, "must not be padded with whitespace")


def host_users(spec: Object, path: str) -> Errors:
    """What a pod with its own users may not share with its host."""
    if spec.get("hostUsers") is not False:
        return
    for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(field):
            yield forbidden(f"{path}.{shown}", "when `hostUsers` is false")
