"""What a kubelet knows of a container before it runs, worked out once for all replicas of a template.

Replicas share the parts of their container's spec (image, ports, probes, resources...) and differ in their mounts only, so a
``Template`` is remembered by the identity of those parts.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from server.cluster import quantity
from server.cluster.kubelet import environment
from server.cluster.kubelet.probes import Probe, probes_of
from server.cluster.objects import Object
from server.cluster.runtime.container import Launch
from server.cluster.runtime.container_machine import TOKEN_PATH
from server.cluster.runtime.images import Image
from server.cluster.runtime.mount_namespace import Mount
from server.cluster.runtime.plans import Plan, plan
from server.cluster.runtime.references import InvalidReference, Reference, parse

KEPT = 4096


class Template:
    """``reference`` is None when the image's name is ``invalid``; ``resources`` is the status's copy of the spec's."""

    __slots__ = ("name", "image", "policy", "reference", "invalid", "probes", "given", "resources", "allocated", "checks_environment",
                 "restart_policy", "rules", "lifecycle", "stdin", "stdin_once", "tty", "cwd", "user", "read_only", "declared", "memory", "cpu",
                 "command", "args", "expands", "message_path", "message_policy", "_plans", "_launches")

    def __init__(self, container: Object) -> None:
        self.name: str = container["name"]
        self.image: str = container["image"]
        self.policy: str = container.get("imagePullPolicy", "IfNotPresent")
        self.reference: Reference | None = None
        self.invalid = ""
        try:
            self.reference = parse(self.image)
        except InvalidReference as fault:
            self.invalid = f'Failed to apply default image tag "{self.image}": couldn\'t parse image name "{self.image}": {fault}'
        self.probes: tuple[Probe, ...] = probes_of(container)
        given: dict[str, Any] = container.get("resources") or {}
        self.given = given
        self.resources = {field: given[field] for field in ("limits", "requests") if given.get(field)}
        self.allocated = self.resources.get("requests")
        self.checks_environment = environment.refers(container)
        self.restart_policy: str | None = container.get("restartPolicy")
        self.rules: tuple[Object, ...] = tuple(container.get("restartPolicyRules") or ())
        self.lifecycle: Object = container.get("lifecycle") or {}
        self.stdin, self.stdin_once, self.tty = (bool(container.get(field)) for field in ("stdin", "stdinOnce", "tty"))
        self.cwd: str = container.get("workingDir", "")
        security: dict[str, Any] = container.get("securityContext") or {}
        self.user: int | None = security.get("runAsUser")
        self.read_only = bool(security.get("readOnlyRootFilesystem"))
        self.declared = tuple(port["containerPort"] for port in container.get("ports") or () if port.get("protocol", "TCP") == "TCP")
        limit = (given.get("limits") or {}).get("memory")
        self.memory = quantity.value(limit) if limit is not None else None
        limit = (given.get("limits") or {}).get("cpu")
        self.cpu = (quantity.milli(limit) if limit is not None else None, quantity.milli((given.get("requests") or {}).get("cpu", "0")))
        self.command = tuple(container.get("command") or ())
        self.args = tuple(container.get("args") or ())
        self.expands = environment.expands((*self.command, *self.args), container)
        self.message_path: str = container.get("terminationMessagePath", "/dev/termination-log")
        self.message_policy: str = container.get("terminationMessagePolicy", "File")
        self._plans: dict[Image, Plan] = {}
        self._launches: dict[Image, Launch] = {}

    def plan(self, image: Image) -> Plan:
        made = self._plans.get(image)
        if made is None:
            made = self._plans[image] = plan(image, self.command, self.args, declared=self.declared)
        return made

    def expanded(self, launch: Launch, values: dict[str, str]) -> Launch:
        """The launch of a container whose command names variables."""
        command, args = (tuple(environment.expanded(word, values) for word in words) for words in (self.command, self.args))
        return launch._replace(plan=plan(launch.image, command, args, declared=self.declared))

    def launch(self, image: Image, container: Object) -> Launch:
        """Shared by all replicas when they mount nothing of their own."""
        mounts = container.get("volumeMounts") or ()
        if len(mounts) > 1 or (mounts and mounts[0]["mountPath"] != TOKEN_PATH):
            own = tuple(Mount(entry["mountPath"], entry["name"], bool(entry.get("readOnly")),
                              entry.get("subPath") or entry.get("subPathExpr", ""), "subPathExpr" in entry)
                        for entry in mounts if entry["mountPath"] != TOKEN_PATH)
            return self._launch(image, own)
        made = self._launches.get(image)
        if made is None:
            made = self._launches[image] = self._launch(image, ())
        return made

    def _launch(self, image: Image, mounts: tuple[Mount, ...]) -> Launch:
        return Launch(self.name, image, self.plan(image), mounts, self.memory, *self.cpu, self.stdin, self.stdin_once, self.tty, self.cwd,
                      self.user, self.read_only)


_known: OrderedDict[tuple, tuple[Object, Template]] = OrderedDict()


def template_of(container: Object) -> Template:
    """The template of a container's spec; the same one for containers that share their parts."""
    get = container.get
    key = (container["name"], container["image"], id(get("ports")), id(get("resources")), id(get("command")), id(get("args")),
           id(get("env")),
           id(get("envFrom")), id(get("livenessProbe")), id(get("readinessProbe")), id(get("startupProbe")), id(get("lifecycle")),
           id(get("restartPolicyRules")), id(get("securityContext")), get("workingDir"), get("tty"), get("stdinOnce"),
           get("imagePullPolicy"), get("restartPolicy"), get("stdin"), get("terminationMessagePath"), get("terminationMessagePolicy"))
    found = _known.get(key)
    if found is not None:
        return found[1]
    made = Template(container)
    _known[key] = (container, made)
    if len(_known) > KEPT:
        _known.popitem(last=False)
    return made


_totals: OrderedDict[tuple, tuple[list, Object, Object | None]] = OrderedDict()


def pod_resources(templates: list[Template], given: Object | None = None) -> tuple[Object, Object | None]:
    """(``status.resources``, ``status.allocatedResources``) of a pod with these long-running containers; ``given`` are the pod's own
    resources, which come before theirs."""
    key = (id(given) if given else 0, *(id(template) for template in templates))
    found = _totals.get(key)
    if found is None:
        resources = {}
        for section in ("limits", "requests"):
            total = _sum([template.resources.get(section) or {} for template in templates])
            total = dict(sorted({**total, **((given or {}).get(section) or {})}.items()))
            if total:
                resources[section] = total
        found = _totals[key] = ([templates, given], resources, resources.get("requests"))
        if len(_totals) > KEPT:
            _totals.popitem(last=False)
    return found[1], found[2]


def _sum(parts: list[dict[str, str]]) -> dict[str, str]:
    total: dict[str, str] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = amount if name not in total else quantity.add(total[name], amount)
    return dict(sorted(total.items()))
