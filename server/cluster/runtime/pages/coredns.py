"""A CoreDNS process: the Corefile that it has loaded, at its start or at its last reload, as data that its container keeps (``held``).

In: a container, with a Corefile where its arguments say. Out: ``begin`` (on which ports it comes up, or with which words it ends), ``loaded``
(what it goes by) and ``reload``.

Source: https://coredns.io/plugins/reload/
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from server.cluster.runtime.pages.corefile import PATH, Config, CorefileError, parsed
from server.cluster.runtime.pages.nginx import Start

KEPT = "corefile"
PLAIN = """.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
"""


def begin(machine: Any, ports: tuple[int, ...]) -> Start:
    """What was loaded before a restart of the simulation is loaded still."""
    text = machine.held.get(KEPT) or on_disk(machine)
    if text is None:
        return Start(ports)
    try:
        config = parsed(text)
    except CorefileError as fault:
        return Start((), (str(fault),), 1)
    if config != parsed(PLAIN):
        machine.held[KEPT] = text
    return Start(config.ports)


def on_disk(machine: Any) -> str | None:
    """The Corefile as the container sees it now."""
    return machine.files.read(PATH) if any(mount.path in (PATH, PATH.rpartition("/")[0]) for mount in machine.launch.mounts) else None


def loaded(machine: Any) -> Config:
    """What it goes by."""
    return parsed(machine.held.get(KEPT) or PLAIN)


def is_loaded(machine: Any, text: str) -> bool:
    """Whether it goes by such a Corefile already."""
    known = machine.held.get(KEPT)
    try:
        return text == known if known is not None else parsed(text) == parsed(PLAIN)
    except CorefileError:
        return False


def reload(machine: Any) -> bool:
    """Takes up the Corefile that is there now, if it can; whether it did."""
    text = on_disk(machine)
    if text is None or is_loaded(machine, text) or text == machine.held.get(f"{KEPT} failed"):
        return False
    _say(machine, "INFO", "Reloading")
    try:
        config = parsed(text)
    except CorefileError as fault:
        _say(machine, "ERROR", f"Restart failed: {fault}")
        _say(machine, "ERROR", f"plugin/reload: Corefile changed but reload failed: {fault}")
        machine.held[f"{KEPT} failed"] = text
        machine.keep()
        return False
    machine.held[KEPT] = text
    machine.held.pop(f"{KEPT} failed", None)
    _say(machine, "INFO", f"plugin/reload: Running configuration SHA512 = {_sum(text)}")
    _say(machine, "INFO", "Reloading complete")
    for option in config.beside:
        _say(machine, "WARNING", f"podium: {option} is accepted, but nothing follows from it here")
    machine.keep()
    return True


def refused(machine: Any, text: str) -> bool:
    """Whether it could not take up such a Corefile."""
    return machine.held.get(f"{KEPT} failed") == text


def is_server(pod: dict[str, Any] | None) -> bool:
    """Whether a pod runs CoreDNS."""
    return pod is not None and any(each.get("image", "").rpartition("/")[2].partition(":")[0] == "coredns" for each in pod["spec"]["containers"])


def _say(machine: Any, level: str, text: str) -> None:
    machine.write(f"[{level}] {text}\n")
    machine.log.flush()


@lru_cache(maxsize=64)
def _sum(text: str) -> str:
    return hashlib.sha512(text.encode()).hexdigest()
