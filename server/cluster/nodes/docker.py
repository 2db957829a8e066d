"""docker on a node: lists, shows, enters and kills what the kubelet runs. It makes nothing: pods come from the API server.

In: the words of a docker command. Out: what docker 28 prints of the node's containers, with the names and labels of cri-dockerd.

Source: https://docs.docker.com/reference/cli/docker/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from typing import Any

from server.cluster.nodes.acts import end, enter, images_of, signal, stopped
from server.cluster.nodes.containers import (
    BINARY,
    Entry,
    ago,
    docker_name,
    entries,
    matching,
    size,
)
from server.cluster.nodes.formats import HEADS, filled, formatted
from server.cluster.nodes.logs import show_log
from server.cluster.nodes.options import Flag, Wrong, parse
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program
from server.cluster.runtime.signals import SIGNALS

COMMAND_WIDTH, SHORT = 20, 12
FOLLOW_GRACE = 10.0
PS = (Flag("all", "a"), Flag("quiet", "q"), Flag("filter", "f", "list"), Flag("format", "", "value"), Flag("no-trunc"), Flag("last", "n", "value"),
      Flag("latest", "l"))
LOGS = (Flag("follow", "f"), Flag("tail", "n", "value"), Flag("timestamps", "t"))
EXEC = (Flag("interactive", "i"), Flag("tty", "t"), Flag("env", "e", "list"), Flag("workdir", "w", "value"), Flag("user", "u", "value"))
NOT_HERE = frozenset((
    "run", "create", "build", "pull", "push", "tag", "login", "logout", "network", "volume", "compose", "start", "restart", "pause", "unpause",
    "commit", "cp", "diff", "export", "import", "load", "save", "search", "swarm", "system", "attach", "rename", "update", "wait", "buildx",
    "context", "top", "info", "events", "port", "history"))
Run = Callable[[Proc, list[str]], int | Generator[Any, Any, int]]


def docker(proc: Proc) -> Generator[Any, Any, int]:
    words = list(proc.args)
    name = words.pop(0) if words else ""
    if name in ("container", "image") and words:
        group, name = name, words.pop(0)
        name = {"ls": "ps" if group == "container" else "images", "list": "ps" if group == "container" else "images"}.get(name, name)
    command = COMMANDS.get(name)
    if command is None:
        if name in NOT_HERE:
            proc.err(f"docker: '{name}' is not simulated on a node: what runs here comes from the API server\n")
        elif name in ("", "--help", "help"):
            proc.out(USAGE)
            return 0
        else:
            proc.err(f"docker: unknown command: docker {name}\n\nRun 'docker --help' for more information\n")
        return 1
    try:
        code = command(proc, words)
        return (yield from code) if isinstance(code, Generator) else code
    except Wrong as wrong:
        proc.err(f"{wrong}\n\nUsage:  docker {USAGES[name]}\n\nRun 'docker {name} --help' for more information\n")
        return 125 if name == "exec" else 1


USAGES = {"ps": "ps [OPTIONS]", "logs": "logs [OPTIONS] CONTAINER", "inspect": "inspect [OPTIONS] NAME|ID [NAME|ID...]",
          "exec": "exec [OPTIONS] CONTAINER COMMAND [ARG...]", "images": "images [OPTIONS] [REPOSITORY[:TAG]]",
          "stats": "stats [OPTIONS] [CONTAINER...]", "version": "version [OPTIONS]", "kill": "kill [OPTIONS] CONTAINER [CONTAINER...]",
          "stop": "stop [OPTIONS] CONTAINER [CONTAINER...]", "rm": "rm [OPTIONS] CONTAINER [CONTAINER...]"}
USAGE = "Usage:  docker COMMAND\n\nCommands on a node of Podium:\n" + "".join(f"  docker {usage}\n" for usage in USAGES.values())


# ps


def ps(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, PS)
    if arguments:
        raise Wrong(f'"docker ps" accepts no arguments. Got {len(arguments)}')
    filters = [_filter(text) for text in given.get("filter", ())]
    every = given.get("all") or given.get("latest") or "last" in given or any(key in ("status", "exited") for key, _ in filters)
    found = [entry for entry in entries(proc.machine) if (every or entry.running) and all(_passes(entry, *each) for each in _grouped(filters))]
    if "latest" in given or "last" in given:
        last = "1" if "latest" in given else str(given["last"])
        if not re.fullmatch(r"-?\d+", last):
            raise Wrong(f'invalid argument "{last}" for "-n, --last" flag: strconv.ParseInt: parsing "{last}": invalid syntax')
        found = found[:int(last)] if int(last) >= 0 else found
    whole = bool(given.get("no-trunc"))
    if given.get("quiet") and "format" not in given:
        proc.out("".join(f"{entry.id if whole else entry.id[:SHORT]}\n" for entry in found))
        return 0
    form = str(given.get("format", "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"))
    return formatted(proc, form, [_row(proc, entry, whole) for entry in found])


def _filter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Wrong("invalid argument \"" + text + "\" for \"-f, --filter\" flag: invalid filter '" + text + "'")
    key = key.strip().lower()
    if key not in ("label", "name", "id", "status", "exited", "ancestor"):
        raise Wrong(f"Error response from daemon: invalid filter '{key}'")
    return key, value.strip()


def _grouped(filters: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for key, value in filters:
        found.setdefault(key, []).append(value)
    return list(found.items())


def _passes(entry: Entry, key: str, values: list[str]) -> bool:
    if key == "label":
        return all(_labelled(entry, *value.partition("=")) for value in values)
    tests: dict[str, Callable[[str], bool]] = {
        "name": lambda value: _searched(value, docker_name(entry)), "id": lambda value: entry.id.startswith(value),
        "status": lambda value: value == ("running" if entry.running else "exited"),
        "exited": lambda value: not entry.running and value == str(entry.code),
        "ancestor": lambda value: value in (name := entry.image, name.rpartition(":")[0], short := _familiar(name), short.rpartition(":")[0]),
    }
    return any(tests[key](value) for value in values)


def _searched(pattern: str, text: str) -> bool:
    try:
        return len(pattern) <= 200 and re.search(pattern, text) is not None
    except re.error:
        return pattern in text


def _labelled(entry: Entry, key: str, equals: str, value: str) -> bool:
    return key in entry.labels and (not equals or entry.labels[key] == value)


def _familiar(image: str) -> str:
    """The name as one types it.

    >>> _familiar("docker.io/library/nginx:latest"), _familiar("docker.io/kiamol/ch02:latest")
    ('nginx:latest', 'kiamol/ch02:latest')
    """
    return image.removeprefix("docker.io/library/").removeprefix("docker.io/")


def _row(proc: Proc, entry: Entry, whole: bool) -> dict[str, Any]:
    now = proc.system.clock.now
    command = " ".join(entry.argv)
    if not whole and len(command) > COMMAND_WIDTH:
        command = command[:COMMAND_WIDTH - 1] + "…"
    up = f"Up {ago(now - entry.created)}" if entry.running else f"Exited ({entry.code}) {ago(now - entry.finished)} ago"
    image = _familiar(entry.image) if entry.container is None or whole else entry.image_id[:SHORT]
    stamp = proc.system.clock.timestamp(entry.created).replace("T", " ").replace("Z", " +0000 UTC")
    return {"ID": entry.id if whole else entry.id[:SHORT], "Image": image, "Command": json.dumps(command, ensure_ascii=False),
            "CreatedAt": stamp, "RunningFor": f"{ago(now - entry.created)} ago", "Ports": "", "Status": up,
            "State": "running" if entry.running else "exited", "Names": docker_name(entry), "_labels": entry.labels,
            "Labels": ",".join(f"{key}={value}" for key, value in sorted(entry.labels.items()))}


# one container


def _one(proc: Proc, given: str) -> Entry | None:
    found = matching(entries(proc.machine), given)
    if len(found) == 1:
        return found[0]
    proc.err(f"Error response from daemon: No such container: {given}\n" if not found else
             f"Error response from daemon: multiple IDs found with provided prefix: {given}\n")
    return None


def logs(proc: Proc, words: list[str]) -> Generator[Any, Any, int]:
    given, arguments = parse(words, LOGS)
    if len(arguments) != 1:
        raise Wrong("\"docker logs\" requires exactly 1 argument.")
    entry = _one(proc, arguments[0])
    if entry is None:
        return 1
    tail = str(given.get("tail", "all"))
    count = int(tail) if tail.isdigit() else -1
    if entry.container is not None:
        yield from show_log(proc, entry.container, count, bool(given.get("timestamps")), bool(given.get("follow")))
    return 0


def inspect(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("format", "f", "value"), Flag("type", "", "value"), Flag("size", "s")))
    if not arguments:
        raise Wrong('"docker inspect" requires at least 1 argument.')
    found, code = [], 0
    every = entries(proc.machine)
    for name in arguments:
        those = matching(every, name)
        if len(those) == 1:
            found.append(_inspected(proc, those[0]))
        else:
            proc.err(f"Error: No such object: {name}\n")
            code = 1
    if "format" in given:
        form = "{{json .}}" if given["format"] == "json" else str(given["format"])
        proc.out("".join(f"{filled(form, data)}\n" for data in found))
    else:
        proc.out(json.dumps(found, indent=4, ensure_ascii=False) + "\n")
    return code


def _inspected(proc: Proc, entry: Entry) -> dict[str, Any]:
    clock, container = proc.system.clock, entry.container
    launch = container.launch if container is not None else None
    state = {"Status": "running" if entry.running else "exited", "Running": entry.running, "Paused": False, "Restarting": False,
             "ExitCode": entry.code, "StartedAt": clock.timestamp(entry.created),
             "FinishedAt": clock.timestamp(entry.finished) if entry.finished is not None else "0001-01-01T00:00:00Z"}
    config = {"Hostname": entry.worker.sandbox.hostname, "Image": entry.image, "Labels": entry.labels,
              "Env": [f"{key}={value}" for key, value in (container.environment() if container is not None else {}).items()],
              "WorkingDir": container.cwd if container is not None else "/", "Tty": bool(launch and launch.tty),
              "OpenStdin": bool(launch and launch.stdin)}
    host = {"NetworkMode": f"container:{entry.sandbox}" if container is not None else "none", "Memory": (launch.memory or 0) if launch else 0,
            "NanoCpus": 0, "CpuQuota": (launch.cpu_limit or 0) * 100 if launch else 0, "CpuPeriod": 100_000 if launch and launch.cpu_limit else 0}
    mounts = [{"Type": "bind", "Destination": mount.path, "RW": not mount.read_only} for mount in (launch.mounts if launch else ())]
    return {"Id": entry.id, "Created": clock.timestamp(entry.created), "Path": entry.argv[0] if entry.argv else "",
            "Args": list(entry.argv[1:]), "State": state, "Image": f"sha256:{entry.image_id}", "Name": f"/{docker_name(entry)}",
            "RestartCount": 0, "HostConfig": host, "Mounts": mounts, "Config": config, "NetworkSettings": {"IPAddress": ""}}


def execute(proc: Proc, words: list[str]) -> Generator[Any, Any, int]:
    given, arguments = parse(words, EXEC, interspersed=False)
    if len(arguments) < 2:
        raise Wrong('"docker exec" requires at least 2 arguments.')
    entry = _one(proc, arguments[0])
    if entry is None:
        return 1
    if not entry.running:
        proc.err(f"Error response from daemon: container {entry.id} is not running\n")
        return 1
    if given.get("tty") and proc.tty is None:
        proc.err("the input device is not a TTY\n")
        return 1
    if entry.container is None:
        return _not_found(proc, arguments[1])
    variables = dict(text.partition("=")[::2] for text in given.get("env", ()))
    try:
        return (yield from enter(proc, entry, arguments[1:], bool(given.get("interactive")), bool(given.get("tty")), variables,
                                 str(given.get("workdir", ""))))
    except ExecFault:
        return _not_found(proc, arguments[1])


def _not_found(proc: Proc, name: str) -> int:
    proc.err("OCI runtime exec failed: exec failed: unable to start container process: exec: "
             f'"{name}": executable file not found in $PATH: unknown\n')
    return 127


# ending


def kill(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("signal", "s", "value"),))
    name = str(given.get("signal", "KILL")).upper().removeprefix("SIG")
    number = int(name) if name.isdigit() else SIGNALS.get(name, 0)
    if not number:
        proc.err(f"Error response from daemon: invalid signal: {given['signal']}\n")
        return 1
    return _each(proc, arguments, "kill", lambda entry: signal(proc, entry, number))


def stop(proc: Proc, words: list[str]) -> Generator[Any, Any, int]:
    given, arguments = parse(words, (Flag("time", "t", "value"), Flag("timeout", "", "value"), Flag("signal", "s", "value")))
    if not arguments:
        raise Wrong('"docker stop" requires at least 1 argument.')
    grace, code = float(given.get("time") or given.get("timeout") or FOLLOW_GRACE), 0
    for name in arguments:
        entry = _one(proc, name)
        if entry is None or _untouchable(proc, entry):
            code = 1
        else:
            yield from stopped(proc, entry, grace)
            proc.out(f"{name}\n")
    return code


def rm(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("force", "f"), Flag("volumes", "v")))

    def remove(entry: Entry) -> str:
        if entry.running and not given.get("force"):
            return (f'cannot remove container "{docker_name(entry)}": container is running: stop the container before removing or force remove')
        if entry.running:
            end(proc, entry, 137)
        proc.machine.hidden.add(entry.id)
        return ""

    return _each(proc, arguments, "rm", remove)


def _each(proc: Proc, names: list[str], verb: str, act: Callable[[Entry], str]) -> int:
    if not names:
        raise Wrong(f'"docker {verb}" requires at least 1 argument.')
    code = 0
    for name in names:
        entry = _one(proc, name)
        if entry is None or _untouchable(proc, entry):
            code = 1
            continue
        if fault := act(entry):
            proc.err(f"Error response from daemon: {fault}\n")
            code = 1
        else:
            proc.out(f"{name}\n")
    return code


def _untouchable(proc: Proc, entry: Entry) -> bool:
    if entry.container is None:
        proc.err(f"docker: {docker_name(entry)}: pause containers cannot be stopped here: delete the pod instead\n")
    return entry.container is None


# the rest


def images(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("quiet", "q"), Flag("all", "a"), Flag("format", "", "value"), Flag("no-trunc"), Flag("digests")))
    rows = []
    for entry in images_of(proc):
        repository, tag, id_, amount = entry
        if not arguments or arguments[0] in (_familiar(repository), f"{_familiar(repository)}:{tag}"):
            id_ = f"sha256:{id_}" if given.get("no-trunc") else id_[:SHORT]
            rows.append({"Repository": _familiar(repository), "Tag": tag, "ID": id_, "CreatedSince": "N/A", "Size": size(amount, 3)})
    if given.get("quiet"):
        proc.out("".join(f"{row['ID']}\n" for row in rows))
        return 0
    form = str(given.get("format", "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"))
    return formatted(proc, form, rows, {**HEADS, "ID": "IMAGE ID"})


def stats(proc: Proc, words: list[str]) -> int:
    given, arguments = parse(words, (Flag("no-stream"), Flag("all", "a"), Flag("no-trunc"), Flag("format", "", "value")))
    if not given.get("no-stream"):
        proc.err("docker: stats shows one moment here: add --no-stream\n")
        return 1
    every = [entry for entry in entries(proc.machine) if entry.running]
    chosen = every
    if arguments:
        chosen = [entry for name in arguments if (entry := _one(proc, name)) is not None]
    total = proc.machine.kubelet.spec.memory if proc.machine.kubelet is not None else 0
    rows = []
    for entry in chosen:
        container = entry.container
        memory, cpu = (container.memory(), container.cpu()) if container is not None and entry.running else (0, 0.0)
        limit = (container.launch.memory if container is not None else None) or total
        rows.append({"ID": entry.id[:SHORT], "Container": entry.id[:SHORT], "Name": docker_name(entry), "CPUPerc": f"{cpu / 10:.2f}%",
                     "MemUsage": f"{size(memory, 4, BINARY, 1024.0)} / {size(limit, 4, BINARY, 1024.0)}",
                     "MemPerc": f"{100 * memory / limit if limit else 0:.2f}%"})
    form = str(given.get("format", "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}"))
    return formatted(proc, form, rows)


def version(proc: Proc, words: list[str]) -> int:
    parse(words, ())
    proc.out("Client: Docker Engine - Community\n Version:           28.5.1\n API version:       1.51\n OS/Arch:           linux/amd64\n\n"
             "Server: Docker Engine - Community\n Engine:\n  Version:          28.5.1\n  API version:      1.51 (minimum version 1.24)\n"
             "  OS/Arch:          linux/amd64\n")
    return 0


COMMANDS: dict[str, Run] = {"ps": ps, "logs": logs, "inspect": inspect, "exec": execute, "images": images, "stats": stats, "version": version,
                            "kill": kill, "stop": stop, "rm": rm}
PROGRAMS: dict[str, Program] = {"docker": Program(docker, "")}
