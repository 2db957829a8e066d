"""Every knob of the server in one dataclass: flags win over environment variables, which win over what stands here.

``--port 8080`` and ``PODIUM_PORT=8080`` mean the same. A host that sets ``PORT`` runs the server for others: then it listens on
every address unless told otherwise.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """``data`` is the folder where rooms are kept; bounds are per room unless they say otherwise."""

    host: str = "127.0.0.1"
    port: int = 5000
    data: str = "data"
    public_url: str = ""
    max_rooms: int = 500
    max_awake_rooms: int = 50
    max_nodes: int = 5_000
    max_objects: int = 80_000
    max_bytes: int = 64 * 1024 * 1024
    sleep_after: float = 120.0
    max_body: int = 3 * 1024 * 1024
    max_manifest: int = 1024 * 1024
    max_line: int = 64 * 1024
    max_output: int = 4 * 1024 * 1024
    max_commands: int = 16
    max_people: int = 500
    command_timeout: float = 120.0
    max_advance: float = 86_400.0
    new_rooms_per_minute: int = 120
    fetch: int = 1


HELP = {
    "host": "address to listen on",
    "port": "port to listen on (0: any free one)",
    "data": "folder where rooms are kept",
    "public_url": "how the world reaches this server, where that differs from the address asked for",
    "max_rooms": "rooms that may exist",
    "max_awake_rooms": "rooms that may run at once",
    "max_nodes": "nodes a room may have",
    "max_objects": "objects a room may hold",
    "max_bytes": "bytes of what clients sent that a room may hold",
    "sleep_after": "wall seconds after which a room that nobody watches sleeps",
    "max_body": "bytes of one API request",
    "max_manifest": "bytes of YAML of one apply",
    "max_line": "characters of one terminal line",
    "max_output": "characters of output of one terminal command",
    "max_commands": "terminal commands that may run at once",
    "max_people": "browsers in one room",
    "command_timeout": "wall seconds that POST /terminal waits for a command",
    "max_advance": "virtual seconds of one advance of the clock",
    "new_rooms_per_minute": "rooms one address may create in a minute",
    "fetch": "1: kubectl apply -f URL reads raw files of GitHub; 0: only the bundled ones",
}


def load(arguments: Sequence[str] = (), environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from a command line and an environment; SystemExit with a message for what does not parse."""
    hosted = {"port": environment["PORT"], "host": "0.0.0.0"} if "PORT" in environment else {}
    parser = argparse.ArgumentParser(prog="python -m server", description="Podium: Kubernetes in a browser tab.")
    for field in fields(Settings):
        kind = type(field.default)
        given = environment.get(f"PODIUM_{field.name.upper()}", hosted.get(field.name))
        try:
            default: Any = field.default if given is None else kind(given)
        except ValueError:
            parser.error(f"PODIUM_{field.name.upper()}: {given!r} is no {kind.__name__}")
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=default, help=f"{HELP[field.name]} (now: {default})")
    return Settings(**vars(parser.parse_args(list(arguments))))
