"""Validation of pods and pod templates: the spec as a whole, and what an update may change.

A spec's errors are remembered by the spec's identity: a thousand pods of one template are checked once.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from server.cluster import names
from server.cluster.apiserver.defaults.filling import Memory
from server.cluster.apiserver.validation import bounds, containers, meta, scheduling, security
from server.cluster.apiserver.validation.fields import (
    Errors,
    FieldError,
    Object,
    duplicate,
    each,
    faults,
    forbidden,
    immutable,
    invalid,
    ip,
    label_1123,
    labels,
    one_of,
    required,
    subdomain_1123,
)
from server.cluster.apiserver.validation.resources import requirements
from server.cluster.apiserver.validation.specdiff import pod_spec_diff
from server.cluster.apiserver.validation.volumes import volumes
from server.cluster.quantity import parse

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
UPDATABLE = ("`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`",
             "`spec.tolerations` (only additions to existing tolerations)",
             "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")
DEADLINE = "must be between 1 and 2147483647, inclusive"
MAX_INT32 = (1 << 31) - 1


def create(pod: Object) -> Errors:
    yield from meta.create(pod, names.subdomain, namespaced=True)
    yield from spec_errors(pod.get("spec") or {}, "spec", in_pod=True)
    spec = pod.get("spec") or {}
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def template(value: Object, path: str) -> Errors:
    """A workload's pod template."""
    about = value.get("metadata") or {}
    yield from labels(f"{path}.labels", about.get("labels"))
    yield from meta.annotations(f"{path}.annotations", about.get("annotations"))
    spec = value.get("spec") or {}
    yield from spec_errors(spec, f"{path}.spec", in_pod=False)
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def spec_errors(spec: Object, path: str, *, in_pod: bool) -> list[FieldError]:
    """The errors of a pod spec, remembered by its identity."""
    found = (_pod_specs if in_pod else _template_specs).get(spec)
    if path != "spec":
        return [error._replace(field=path + error.field[4:]) for error in found]
    return found


def _all(in_pod: bool):
    return lambda spec: list(_spec(spec, "spec", in_pod))


_pod_specs = Memory(_all(True))
_template_specs = Memory(_all(False))


def _spec(spec: Object, path: str, in_pod: bool) -> Errors:
    if errors := bounds.of_pod(spec, path):
        yield from errors
        return
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is None:
        yield required(f"{path}.terminationGracePeriodSeconds")
    mounted, volume_errors = volumes(spec.get("volumes") or [], f"{path}.volumes")
    yield from volume_errors
    yield from _claims(spec.get("resourceClaims") or [], f"{path}.resourceClaims")
    context = containers.Pod(
        volumes=mounted,
        claims=frozenset(claim.get("name", "") for claim in spec.get("resourceClaims") or ()),
        grace_period=grace,
        restart_policy=spec.get("restartPolicy", ""),
        host_users=spec.get("hostUsers") is not False,
    )
    regular, init = spec.get("containers") or [], spec.get("initContainers") or []
    yield from containers.containers(regular, f"{path}.containers", context)
    yield from containers.init_containers(init, f"{path}.initContainers", regular, context)
    yield from containers.ephemeral_containers(spec.get("ephemeralContainers") or [], f"{path}.ephemeralContainers",
                                               [*regular, *init], context)
    if spec.get("resources"):
        yield from _pod_resources(spec, f"{path}.resources")
    yield from _host_network(spec, path, in_pod)
    yield from one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    yield from one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES)
    yield from labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    if security_context := spec.get("securityContext"):
        yield from security.pod(security_context, spec, f"{path}.securityContext")
    if affinity := spec.get("affinity"):
        yield from scheduling.affinity(affinity, f"{path}.affinity")
    yield from _dns_config(spec, f"{path}.dnsConfig")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        yield from faults(f"{path}.readinessGates[{index}].conditionType", kind, names.qualified_name(kind))
    yield from scheduling.gates(spec.get("schedulingGates") or [], f"{path}.schedulingGates")
    yield from scheduling.spread(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    yield from security.host_users(spec, path)
    yield from _names(spec, path)
    yield from each(spec.get("tolerations"), f"{path}.tolerations", scheduling.toleration)
    yield from _host_aliases(spec.get("hostAliases") or [], f"{path}.hostAliases")
    yield from _classes(spec, path)
    if in_pod:
        yield from _only_in_pods(spec, path)


def _names(spec: Object, path: str) -> Errors:
    for field in ("serviceAccountName", "nodeName"):
        if spec.get(field):
            yield from subdomain_1123(f"{path}.{field}", spec[field])
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, DEADLINE)
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            yield from label_1123(f"{path}.{field}", spec[field])
    if override := spec.get("hostnameOverride"):
        if len(override) > 64:
            yield FieldError("Too long", f"{path}.hostnameOverride", "", "may not be more than 64 bytes")
        yield from subdomain_1123(f"{path}.hostnameOverride", override)


def _classes(spec: Object, path: str) -> Errors:
    if spec.get("priorityClassName"):
        yield from subdomain_1123(f"{path}.priorityClassName", spec["priorityClassName"])
    if spec.get("runtimeClassName") is not None:
        yield from subdomain_1123(f"{path}.runtimeClassName", spec["runtimeClassName"])
    if "preemptionPolicy" in spec:
        yield from one_of(f"{path}.preemptionPolicy", spec["preemptionPolicy"], ("PreemptLowerPriority", "Never"))
    if system := spec.get("os"):
        yield from one_of(f"{path}.os.name", system.get("name"), ("linux", "windows"))


def _claims(claims: list[Object], path: str) -> Errors:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        at, name = f"{path}[{index}]", claim.get("name", "")
        if not name:
            yield required(f"{at}.name")
        elif name in seen:
            yield duplicate(f"{at}.name", name)
        else:
            yield from label_1123(f"{at}.name", name)
        seen.add(name)
        given = [field for field in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(field) is not None]
        if len(given) > 1:
            yield invalid(at, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")
        elif not given:
            yield invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")


def _pod_resources(spec: Object, path: str) -> Errors:
    resources = spec["resources"]
    if resources.get("claims"):
        yield forbidden(f"{path}.claims", "claims cannot be set for Resources at pod-level")
    yield from requirements(resources, path)
    wanted: dict[str, int] = {}
    for container in spec.get("containers") or ():
        for name, value in ((container.get("resources") or {}).get("requests") or {}).items():
            wanted[name] = wanted.get(name, 0) + parse(value).nano
    requests = resources.get("requests") or {}
    for name, nano in wanted.items():
        if name in requests and nano > parse(requests[name]).nano:
            total = str(parse(requests[name])._replace(nano=nano))
            yield invalid(f"{path}.requests[{name}]", requests[name],
                          f"must be greater than or equal to aggregate container requests of {total}")


def _host_network(spec: Object, path: str, in_pod: bool) -> Errors:
    if not spec.get("hostNetwork"):
        return
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort", 0)
            if (in_pod or host) and host != port.get("containerPort"):
                yield invalid(f"{path}.containers[{index}].ports[{number}].hostPort", host,
                              "must match `containerPort` when `hostNetwork` is true")


def _dns_config(spec: Object, path: str) -> Errors:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            yield required(f"{path}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
            return
    if config is None:
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > 3:
        yield invalid(f"{path}.nameservers", servers, "must not have more than 3 nameservers")
    for index, server in enumerate(servers):
        yield from ip(f"{path}.nameservers[{index}]", server)
    if len(searches) > 32:
        yield invalid(f"{path}.searches", searches, "must not have more than 32 search paths")
    if len(" ".join(searches)) > 2048:
        yield invalid(f"{path}.searches", searches, "must not have more than 2048 characters (including spaces) in the search list")
    for index, search in enumerate(searches):
        if search != ".":
            name = search.removesuffix(".")
            found = names.subdomain(name.replace("_", "a"))
            yield from faults(f"{path}.searches[{index}]", name, [message.replace("'-' or '.'", "'_', '-' or '.'") for message in found])
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.options[{index}]", "must not be empty")


def _host_aliases(aliases: list[Object], path: str) -> Errors:
    for index, alias in enumerate(aliases):
        yield from ip(f"{path}[{index}].ip", alias.get("ip", ""))
        for number, name in enumerate(alias.get("hostnames") or ()):
            yield from subdomain_1123(f"{path}[{index}].hostnames[{number}]", name)


def _only_in_pods(spec: Object, path: str) -> Errors:
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from containers.trimmed_image(container, f"{path}.{field}[{index}]")


# updates -----------------------------------------------------------------------------------------------------------------

def update(new: Object, old: Object) -> Errors:
    """What a user may change of a running pod: images, tolerations added, a shorter deadline."""
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was or spec == was:
        return
    yield from spec_errors(spec, "spec", in_pod=True)
    for field in ("containers", "initContainers"):
        items, before = spec.get(field) or [], was.get(field) or []
        if len(items) != len(before):
            yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    stop = False
    for error in _deadline(spec.get("activeDeadlineSeconds"), was.get("activeDeadlineSeconds")):
        yield error
        stop = stop or error.detail != "must not update from a positive integer to nil value"
    if stop:
        return
    yield from _only_added(spec.get("tolerations") or [], was.get("tolerations") or [])
    yield from _only_removed(spec.get("schedulingGates") or [], was.get("schedulingGates") or [])
    compared = _without_updatable(spec, was)
    if compared != was:
        yield forbidden("spec", f"pod updates may not change fields other than {','.join(UPDATABLE)}\n{pod_spec_diff(was, compared)}")


def _deadline(value: int | None, before: int | None) -> Errors:
    path = "spec.activeDeadlineSeconds"
    if value is None:
        if before is not None:
            yield invalid(path, None, "must not update from a positive integer to nil value")
    elif not 0 <= value <= MAX_INT32:
        yield invalid(path, value, "must be between 0 and 2147483647, inclusive")
    elif before is not None and before < value:
        yield invalid(path, value, "must be less than or equal to previous value")


def _only_added(tolerations: list[Object], before: list[Object]) -> Errors:
    bare = [{field: value for field, value in item.items() if field != "tolerationSeconds"} for item in tolerations]
    for item in before:
        if {field: value for field, value in item.items() if field != "tolerationSeconds"} not in bare:
            yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
            return


def _only_removed(gates: list[Object], before: list[Object]) -> Errors:
    known = {gate.get("name") for gate in before}
    for index, gate in enumerate(gates):
        if gate.get("name") not in known:
            yield forbidden(f"spec.schedulingGates[{index}].name",
                            f"only deletion is allowed, but found new scheduling gate '{gate.get('name', '')}'")


def _without_updatable(spec: Object, was: Object) -> Object:
    """``spec`` with what may change put back as it was."""
    compared = dict(spec)
    for field in ("containers", "initContainers"):
        if field in spec:
            compared[field] = [{**item, "image": before.get("image")} if item.get("image") != before.get("image") else item
                               for item, before in zip(spec[field], was.get(field) or [], strict=False)]
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        if field in was:
            compared[field] = was[field]
        else:
            compared.pop(field, None)
    if was.get("terminationGracePeriodSeconds", 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        compared["terminationGracePeriodSeconds"] = was["terminationGracePeriodSeconds"]
    wanted, before = spec.get("nodeSelector") or {}, was.get("nodeSelector") or {}
    if was.get("schedulingGates") and wanted and before.items() <= wanted.items():
        compared["nodeSelector"] = before
        if "nodeSelector" not in was:
            del compared["nodeSelector"]
    return compared


def _restarts(container: Object, policy: str, code: int) -> bool:
    """Whether a container that ended so may run again."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            return True
    policy = container.get("restartPolicy") or policy
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def status(new: Object, old: Object) -> Errors:
    """A write of a pod's status."""
    now, was = new.get("status") or {}, old.get("status") or {}
    yield from immutable("status.qosClass", now.get("qosClass"), was.get("qosClass")) if was.get("qosClass") else ()
    policy = old["spec"].get("restartPolicy", "Always")
    if policy == "Always":
        return
    own = {item["name"]: item for field in ("containers", "initContainers") for item in old["spec"].get(field) or ()}
    if any(rule.get("action") == "RestartAllContainers" for item in own.values() for rule in item.get("restartPolicyRules") or ()):
        return
    for field, rule in (("containerStatuses", policy), ("initContainerStatuses", policy)):
        current = {entry.get("name"): entry for entry in now.get(field) or ()}
        sidecars = {item["name"] for item in old["spec"].get("initContainers") or () if item.get("restartPolicy") == "Always"}
        for index, entry in enumerate(was.get(field) or ()):
            ended = (entry.get("state") or {}).get("terminated")
            if ended is None or entry.get("name") in sidecars or _restarts(own.get(entry.get("name")) or {}, rule, ended.get("exitCode", 0)):
                continue
            after = current.get(entry.get("name"))
            if after is not None and "terminated" not in (after.get("state") or {}):
                yield forbidden(f"status.{field}[{index}].state", "may not be transitioned to non-terminated state")
