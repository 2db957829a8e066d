"""systemctl and journalctl on a node, as far as the kubelet and the container runtime go.

In: unit names. Out: the state of the kubelet's process, which can be stopped and started here: that is the fault ``kubelet`` of chaos, so
the page shows it. The journal of the kubelet is what it has recorded as Events, in klog's form.

Source: https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.cluster.nodes.options import Flag, Wrong, parse
from server.cluster.objects import Object
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program

FAULT = "kubelet"
DESCRIPTIONS = {"kubelet": "kubelet: The Kubernetes Node Agent", "containerd": "containerd container runtime",
                "docker": "Docker Application Container Engine", "sshd": "OpenBSD Secure Shell server"}
DOCS = {"kubelet": "https://kubernetes.io/docs/", "containerd": "https://containerd.io", "docker": "https://docs.docker.com",
        "sshd": "man:sshd(8)"}
VERBS = ("start", "stop", "restart")
KUBELET_PID = 812


def systemctl(proc: Proc) -> int:
    try:
        given, words = parse(proc.args, (Flag("no-pager"), Flag("quiet", "q"), Flag("full", "l"), Flag("now")))
    except Wrong as wrong:
        proc.err(f"systemctl: {str(wrong).replace('unknown flag: ', 'unrecognized option ')}\n")
        return 1
    verb, names = words[0] if words else "list-units", [word.removesuffix(".service") for word in words[1:]]
    if verb == "daemon-reload":
        return 0
    if verb not in (*VERBS, "status", "is-active", "is-enabled"):
        proc.err(f"systemctl: '{verb}' is not simulated: {', '.join((*VERBS, 'status', 'is-active', 'is-enabled', 'daemon-reload'))} are\n")
        return 1
    if not names:
        proc.err("Too few arguments.\n")
        return 1
    code = 0
    for name in names:
        code = _unit(proc, verb, name, bool(given.get("quiet"))) or code
    return code


def _unit(proc: Proc, verb: str, name: str, quiet: bool) -> int:
    if name not in DESCRIPTIONS or proc.machine.kubelet is None:
        if verb == "is-active":
            proc.out("" if quiet else "inactive\n")
            return 4
        proc.err(f"Unit {name}.service could not be found.\n" if verb == "status" else
                 f"Failed to {verb} {name}.service: Unit {name}.service not found.\n")
        return 4 if verb == "status" else 5
    active = name != "kubelet" or proc.machine.kubelet.alive
    if verb == "is-active":
        proc.out("" if quiet else "active\n" if active else "inactive\n")
        return 0 if active else 3
    if verb == "is-enabled":
        proc.out("" if quiet else "enabled\n")
        return 0
    if verb == "status":
        return _status(proc, name, active)
    if name != "kubelet":
        proc.err(f"systemctl: to {verb} {name} is not simulated: the kubelet can be stopped and started here\n")
        return 1
    if verb in ("stop", "restart") and active:
        proc.machine.cluster.chaos.inject(FAULT, proc.machine.name, "systemctl")
    if verb in ("start", "restart"):
        _start(proc)
    return 0


def _start(proc: Proc) -> None:
    cluster, name = proc.machine.cluster, proc.machine.name
    record = next((record for record in cluster.chaos.active() if record["fault"] == FAULT and record["target"].endswith(f"/{name}")),
                  None)
    if record is not None:
        cluster.chaos.heal(record["id"])
    elif not proc.machine.kubelet.alive:
        cluster.kubelets.start_kubelet(name)


def _status(proc: Proc, name: str, active: bool) -> int:
    since = _since(proc, name, active)
    stamp = since.strftime("%a %Y-%m-%d %H:%M:%S UTC")
    passed = _passed((proc.machine.time() - since).total_seconds())
    proc.out(f"{'●' if active else '○'} {name}.service - {DESCRIPTIONS[name]}\n"
             f"     Loaded: loaded (/usr/lib/systemd/system/{name}.service; enabled; preset: enabled)\n")
    if name == "kubelet":
        proc.out("    Drop-In: /usr/lib/systemd/system/kubelet.service.d\n             └─10-kubeadm.conf\n")
    proc.out(f"     Active: {'active (running)' if active else 'inactive (dead)'} since {stamp}; {passed} ago\n       Docs: {DOCS[name]}\n")
    if active and name == "kubelet":
        proc.out(f"   Main PID: {KUBELET_PID} (kubelet)\n")
    elif name == "kubelet":
        proc.out(f"   Main PID: {KUBELET_PID} (code=exited, status=0/SUCCESS)\n")
    if name == "kubelet":
        lines = _journal(proc)[-10:]
        proc.out("".join(f"\n{line}" if number == 0 else line for number, line in enumerate(lines)))
    return 0 if active else 3


def _since(proc: Proc, name: str, active: bool) -> datetime:
    """Since when a unit is as it is: the kubelet's end is kept, its start shows in the node's conditions."""
    cluster, machine = proc.machine.cluster, proc.machine
    clock = cluster.clock
    node = cluster.api.lister("nodes").get("", machine.name)
    born = clock.seconds(node["metadata"]["creationTimestamp"]) if node is not None else clock.now
    if name == "kubelet" and not active:
        kept = cluster.parts.state.get(f"agent/{machine.name}") or {}
        born = kept.get("stopped", clock.now)
    elif name == "kubelet" and node is not None:
        ready = next((entry for entry in node["status"].get("conditions") or () if entry["type"] == "Ready"), None)
        born = max(born, clock.seconds(ready["lastTransitionTime"])) if ready is not None else born
    return datetime.fromisoformat(clock.timestamp(born))


def _passed(seconds: float) -> str:
    """As systemd words it.

    >>> _passed(5), _passed(3725), _passed(90_000)
    ('5s', '1h 2min', '1 day 1h')
    """
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} day{'s' if days > 1 else ''} {hours}h"
    if hours:
        return f"{hours}h {minutes}min"
    return f"{minutes}min {rest}s" if minutes else f"{rest}s"


def journalctl(proc: Proc) -> int:
    flags = (Flag("unit", "u", "list"), Flag("lines", "n", "value"), Flag("no-pager"), Flag("pager-end", "e"), Flag("catalog", "x"),
             Flag("reverse", "r"))
    try:
        given, arguments = parse(proc.args, flags)
    except Wrong as wrong:
        proc.err(f"journalctl: {wrong}: podium's journal knows -u kubelet, -n, -r, -e, -x and --no-pager\n")
        return 1
    units = [str(unit).removesuffix(".service") for unit in given.get("unit", ())]
    if arguments or units != ["kubelet"]:
        proc.err("journalctl: only the kubelet's journal is kept here: journalctl -u kubelet\n")
        return 1
    lines = _journal(proc)
    count = str(given.get("lines", "1000" if given.get("pager-end") else "all")).removeprefix("+")
    if count != "all" and not count.isdigit():
        proc.err(f"Failed to parse lines '{count}'\n")
        return 1
    lines = lines[len(lines) - min(len(lines), int(count)):] if count != "all" else lines
    if not lines:
        proc.out("-- No entries --\n")
    proc.out("".join(reversed(lines) if given.get("reverse") else lines))
    return 0


def _journal(proc: Proc) -> list[str]:
    """What the kubelet of this node has recorded, the oldest first."""
    cluster, name = proc.machine.cluster, proc.machine.name
    found = [event for event in cluster.api.lister("events").list()
             if (event.get("source") or {}).get("component") == "kubelet" and event["source"].get("host") == name]
    return [_line(name, event) for event in sorted(found, key=_when)]


def _when(event: Object) -> tuple[str, str]:
    return event.get("lastTimestamp") or event["metadata"]["creationTimestamp"], event["metadata"]["name"]


def _line(node: str, event: Object) -> str:
    at = datetime.fromisoformat(_when(event)[0])
    about: dict[str, Any] = event["involvedObject"]
    where = f"{about['namespace']}/{about['name']}" if about.get("namespace") and about["kind"] != "Node" else about["name"]
    message = event["message"].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return (f"{at:%b %d %H:%M:%S} {node} kubelet[{KUBELET_PID}]: {'I' if event['type'] == 'Normal' else 'W'}{at:%m%d %H:%M:%S}.000000     "
            f'{KUBELET_PID} event.go:389] "Event occurred" object="{where}" fieldPath="{about.get("fieldPath", "")}" kind="{about["kind"]}" '
            f'apiVersion="{about.get("apiVersion", "v1")}" type="{event["type"]}" reason="{event["reason"]}" message="{message}"\n')


PROGRAMS: dict[str, Program] = {"systemctl": Program(systemctl), "journalctl": Program(journalctl)}
