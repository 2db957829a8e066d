"""crictl: the container runtime of a node through its CRI socket.

In: the words of a crictl command. Out: what crictl 1.36 prints of the node's pods, containers and images.

Source: https://github.com/kubernetes-sigs/cri-tools/blob/master/docs/crictl.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from typing import Any

from server.cluster.nodes.acts import end, enter, images_of, stopped
from server.cluster.nodes.containers import Entry, ago, entries, size, table
from server.cluster.nodes.logs import show_log
from server.cluster.nodes.options import Flag, Wrong, parse
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program

LEAST, SHORT = 20, 13
PS = (Flag("all", "a"), Flag("quiet", "q"), Flag("name", "", "value"), Flag("label", "", "list"), Flag("pod", "p", "value"),
      Flag("state", "s", "value"), Flag("output", "o", "value"), Flag("namespace", "", "value"), Flag("image", "", "value"),
      Flag("id", "", "value"), Flag("latest", "l"), Flag("no-trunc"))
STATES = {"running": "CONTAINER_RUNNING", "exited": "CONTAINER_EXITED"}
Run = Callable[[Proc, list[str]], int | Generator[Any, Any, int]]


def crictl(proc: Proc) -> Generator[Any, Any, int]:
    words = list(proc.args)
    while words and words[0] in ("-r", "--runtime-endpoint", "-i", "--image-endpoint"):
        words = words[2:]
    words = [word for word in words[:1] if not word.startswith("--runtime-endpoint=")] + words[1:]
    name = words.pop(0) if words else ""
    command = COMMANDS.get(name)
    if command is None:
        if name in ("", "help", "--help", "-h"):
            proc.out(USAGE)
            return 0
        proc.err(f"crictl: '{name}' is not simulated on a node: what runs here comes from the API server\n" if name in NOT_HERE
                 else f"No help topic for '{name}'\n")
        return 1
    try:
        code = command(proc, words)
        return (yield from code) if isinstance(code, Generator) else code
    except Wrong as wrong:
        proc.err(f"Incorrect Usage: {wrong}\n\nUSAGE:\n   crictl {name} [command options]\n")
        return 1


NOT_HERE = frozenset((
    "attach", "create", "config", "info", "port-forward", "pull", "run", "runp", "rmi", "rmp", "start", "stopp", "update", "imagefsinfo",
    "events", "checkpoint", "runtime-config", "update-runtime-config", "metricsp", "metricdescs", "completion"))


def _fatal(proc: Proc, text: str) -> int:
    proc.err(f"FATA[0000] {text}\n")
    return 1


def ps(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, PS)
    if arguments:
        return _fatal(proc, f"listing containers: unexpected argument {arguments[0]}")
    if given.get("state") not in (None, "running", "exited", "created", "unknown", "Running", "Exited"):
        return _fatal(proc, "--state should be one of created, running, exited or unknown")
    found = [entry for entry in entries(proc.machine) if entry.container is not None and _wanted(entry, given)]
    if given.get("latest"):
        found = found[:1]
    if given.get("quiet"):
        proc.out("".join(f"{entry.id}\n" for entry in found))
        return 0
    if given.get("output") in ("json", "yaml"):
        if given["output"] == "yaml":
            raise Wrong("podium: only -o json and -o table are simulated")
        proc.out(json.dumps({"containers": [_summary(proc, entry) for entry in found]}, indent=2) + "\n")
        return 0
    cut = None if given.get("no-trunc") else SHORT
    now = proc.system.clock.now
    rows = [(entry.id[:cut], entry.image_id[:cut], f"{ago(now - entry.created)} ago", "Running" if entry.running else "Exited", entry.name,
             str(entry.attempt), entry.sandbox[:cut], entry.pod, entry.namespace) for entry in found]
    proc.out(table([("CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"), *rows], LEAST))
    return 0


def _wanted(entry: Entry, given: dict[str, Any]) -> bool:
    state = str(given.get("state", "")).lower()
    if not (entry.running or given.get("all") or given.get("latest")) and state != "exited":
        return False
    if state and state != ("running" if entry.running else "exited"):
        return False
    return (_matches(given.get("name"), entry.name) and _matches(given.get("namespace"), entry.namespace)
            and entry.sandbox.startswith(str(given.get("pod", ""))) and entry.id.startswith(str(given.get("id", "")))
            and (not given.get("image") or given["image"] in entry.image)
            and all(_labelled(entry.labels, text) for text in given.get("label", ())))


def _matches(pattern: object, text: str) -> bool:
    if pattern is None:
        return True
    try:
        return re.search(str(pattern)[:200], text) is not None
    except re.error:
        return False


def _labelled(labels: dict[str, str], text: str) -> bool:
    key, equals, value = text.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _summary(proc: Proc, entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "podSandboxId": entry.sandbox, "metadata": {"name": entry.name, "attempt": entry.attempt},
            "image": {"image": f"sha256:{entry.image_id}"}, "imageRef": f"sha256:{entry.image_id}",
            "state": STATES["running" if entry.running else "exited"], "createdAt": str(_nanoseconds(proc, entry.created)),
            "labels": {key: value for key, value in entry.labels.items() if key.startswith("io.kubernetes.") and "docker" not in key
                       and "sandbox" not in key}}


def _nanoseconds(proc: Proc, at: float) -> int:
    return int(proc.system.clock.epoch.timestamp()) * 1_000_000_000 + int(at * 1_000_000_000)


def pods(proc: Proc, words: list[str]) -> int:
    given, _ = parse(words, (*PS, Flag("verbose", "v")))
    found = [entry for entry in entries(proc.machine) if entry.container is None and _matches(given.get("name"), entry.pod)
             and _matches(given.get("namespace"), entry.namespace) and all(_labelled(entry.labels, text) for text in given.get("label", ()))]
    if state := given.get("state"):
        found = [entry for entry in found if entry.running == (str(state).lower() == "ready")]
    if given.get("quiet"):
        proc.out("".join(f"{entry.id}\n" for entry in found))
        return 0
    now = proc.system.clock.now
    rows = [(entry.id[:SHORT], f"{ago(now - entry.created)} ago", "Ready" if entry.running else "NotReady", entry.pod, entry.namespace,
             str(entry.attempt), "(default)") for entry in found]
    proc.out(table([("POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"), *rows], LEAST))
    return 0


def images(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("quiet", "q"), Flag("no-trunc"), Flag("digests"), Flag("verbose", "v")))
    found = [entry for entry in images_of(proc) if not arguments or arguments[0] in (entry[0], f"{entry[0]}:{entry[1]}")]
    if given.get("quiet"):
        proc.out("".join(f"sha256:{id_}\n" for _, _, id_, _ in found))
        return 0
    rows = [(repository, tag, id_ if given.get("no-trunc") else id_[:SHORT], size(amount, 3)) for repository, tag, id_, amount in found]
    proc.out(table([("IMAGE", "TAG", "IMAGE ID", "SIZE"), *rows], LEAST))
    return 0


def _one(proc: Proc, given: str, call: str) -> Entry | None:
    found = [entry for entry in entries(proc.machine) if entry.container is not None and given and entry.id.startswith(given)]
    if len(found) == 1:
        return found[0]
    why = (f'rpc error: code = NotFound desc = an error occurred when try to find container "{given}": not found' if not found
           else f'rpc error: code = Unknown desc = container ID "{given}" is not unique')
    _fatal(proc, call.format(id=given, why=why))
    return None


def logs(proc: Proc, words: list[str]) -> Generator[Any, Any, int]:
    given, arguments = parse(words, (Flag("follow", "f"), Flag("tail", "", "value"), Flag("timestamps", "t"), Flag("previous", "p")))
    if len(arguments) != 1:
        return _fatal(proc, "ID cannot be empty")
    entry = _one(proc, arguments[0], 'getting container status of "{id}": {why}')
    if entry is None:
        return 1
    container = entry.container.previous if given.get("previous") else entry.container
    if container is None:
        return _fatal(proc, f"the previous container of {entry.name} was not found")
    tail = str(given.get("tail", "-1"))
    if not re.fullmatch(r"-?\d+", tail):
        raise Wrong(f'invalid value "{tail}" for flag -tail: parse error')
    yield from show_log(proc, container, int(tail), bool(given.get("timestamps")), bool(given.get("follow")))
    return 0


def inspect(proc: Proc, words: list[str]) -> int:
    _, arguments = parse(words, (Flag("output", "o", "value"), Flag("quiet", "q")))
    if not arguments:
        return _fatal(proc, "ID cannot be empty")
    for name in arguments:
        entry = _one(proc, name, 'getting the status of the container "{id}": {why}')
        if entry is None:
            return 1
        clock, container = proc.system.clock, entry.container
        status = {"id": entry.id, "metadata": {"name": entry.name, "attempt": entry.attempt},
                  "state": STATES["running" if entry.running else "exited"], "createdAt": clock.timestamp(entry.created),
                  "startedAt": clock.timestamp(entry.created),
                  "finishedAt": clock.timestamp(entry.finished) if entry.finished is not None else "0001-01-01T00:00:00Z",
                  "exitCode": entry.code, "image": {"image": entry.image}, "imageRef": f"sha256:{entry.image_id}",
                  "reason": "" if entry.running else "Completed" if entry.code == 0 else "Error", "labels": _summary(proc, entry)["labels"],
                  "mounts": [{"containerPath": mount.path, "readonly": mount.read_only} for mount in container.launch.mounts],
                  "logPath": f"/var/log/pods/{entry.namespace}_{entry.pod}_{entry.uid}/{entry.name}/{entry.attempt}.log"}
        config = {"args": list(entry.argv), "envs": [{"key": key, "value": value} for key, value in container.environment().items()],
                  "working_dir": container.cwd, "stdin": container.launch.stdin, "tty": container.launch.tty}
        proc.out(json.dumps({"status": status, "info": {"sandboxID": entry.sandbox, "config": config}}, indent=2, ensure_ascii=False) + "\n")
    return 0


def inspect_image(proc: Proc, words: list[str]) -> int:
    _, arguments = parse(words, (Flag("output", "o", "value"), Flag("quiet", "q")))
    if not arguments:
        return _fatal(proc, "Image cannot be empty")
    for name in arguments:
        found = [entry for entry in images_of(proc) if name in (entry[0], f"{entry[0]}:{entry[1]}", f"sha256:{entry[2]}")
                 or len(name) >= 4 and entry[2].startswith(name)
                 or name in (entry[0].removeprefix("docker.io/library/"), f"{entry[0]}:{entry[1]}".removeprefix("docker.io/library/"))]
        if not found:
            return _fatal(proc, f'no such image "{name}" present')
        repository, tag, id_, amount = found[0]
        status = {"id": f"sha256:{id_}", "repoTags": [f"{repository}:{tag}"], "repoDigests": [f"{repository}@sha256:{id_}"], "size": str(amount)}
        proc.out(json.dumps({"status": status}, indent=2) + "\n")
    return 0


def execute(proc: Proc, words: list[str]) -> Generator[Any, Any, int]:
    given, arguments = parse(words, (Flag("interactive", "i"), Flag("tty", "t"), Flag("sync", "s"), Flag("timeout", "", "value")),
                             interspersed=False)
    if len(arguments) < 2:
        return _fatal(proc, "ID and command are needed")
    entry = _one(proc, arguments[0], "execing command in container: {why}")
    if entry is None:
        return 1
    if not entry.running:
        return _fatal(proc, "execing command in container: rpc error: code = Unknown desc = container is in CONTAINER_EXITED state")
    try:
        return (yield from enter(proc, entry, arguments[1:], bool(given.get("interactive")), bool(given.get("tty")), {}, ""))
    except ExecFault:
        return _fatal(proc, 'execing command in container: rpc error: code = Unknown desc = failed to exec in container: failed to start exec: '
                      f'OCI runtime exec failed: exec failed: unable to start container process: exec: "{arguments[1]}": executable file not '
                      "found in $PATH: unknown")


def stop(proc: Proc, words: list[str]) -> Generator[Any, Any, int]:
    given, arguments = parse(words, (Flag("timeout", "t", "value"),))
    timeout = str(given.get("timeout", "0"))
    if not timeout.isdigit():
        raise Wrong(f'invalid value "{timeout}" for flag -timeout: parse error')
    for name in arguments:
        entry = _one(proc, name, 'stopping the container "{id}": {why}')
        if entry is None:
            return 1
        yield from stopped(proc, entry, float(timeout))
        proc.out(f"{name}\n")
    return 0


def rm(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("force", "f"), Flag("all", "a")))
    for name in arguments:
        entry = _one(proc, name, 'removing the container "{id}": {why}')
        if entry is None:
            return 1
        if entry.running and not given.get("force"):
            return _fatal(proc, f'removing the container "{name}": the container is running, please stop it first')
        if entry.running:
            end(proc, entry, 137)
        proc.machine.hidden.add(entry.id)
        proc.out(f"{name}\n")
    return 0


def stats(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("all", "a"), Flag("id", "", "value"), Flag("label", "", "list")))
    wanted = str(given.get("id") or (arguments[0] if arguments else ""))
    found = [entry for entry in entries(proc.machine) if entry.container is not None and entry.running and entry.id.startswith(wanted)
             and all(_labelled(entry.labels, text) for text in given.get("label", ()))]
    rows = [(entry.id[:SHORT], entry.name, f"{entry.container.cpu() / 10:.2f}", size(entry.container.memory(), 4)) for entry in found]
    proc.out(table([("CONTAINER", "NAME", "CPU %", "MEM"), *rows], LEAST))
    return 0


def version(proc: Proc, words: list[str]) -> int:
    parse(words, ())
    node = proc.machine.cluster.api.lister("nodes").get("", proc.machine.name)
    runtime = node["status"]["nodeInfo"]["containerRuntimeVersion"] if node is not None else "containerd://"
    proc.out(f"Version:  0.1.0\nRuntimeName:  {runtime.partition(':')[0]}\nRuntimeVersion:  v{runtime.rpartition('/')[2]}\nRuntimeApiVersion:  v1\n")
    return 0


COMMANDS: dict[str, Run] = {"ps": ps, "pods": pods, "images": images, "img": images, "image": images, "logs": logs, "inspect": inspect,
                            "inspecti": inspect_image, "exec": execute, "stop": stop, "rm": rm, "stats": stats, "version": version}
USAGE = "NAME:\n   crictl - client for CRI\n\nCOMMANDS on a node of Podium:\n   " + ", ".join(COMMANDS) + "\n"
PROGRAMS: dict[str, Program] = {"crictl": Program(crictl, "")}
