"""``python -m bench NAME [options]``: runs one benchmark and prints one line of JSON with its figures and the machine."""

from __future__ import annotations

import gc
import importlib
import json
import os
import platform
import sys

WORKLOADS = ("statefulset", "ordered", "daemonset", "job")
NAMES = ("pods", "idle", "fanout", "http", "sched", "shell", "traffic", "canvas", "bounds", *WORKLOADS)


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in NAMES:
        print(f"usage: python -m bench {'|'.join(NAMES)}", file=sys.stderr)
        return 2
    gc.set_threshold(100_000, 20, 20)
    if arguments[0] in WORKLOADS:
        figures = importlib.import_module("bench.workloads").run(arguments[0], arguments[1:])
    else:
        figures = importlib.import_module(f"bench.{arguments[0]}").run(arguments[1:])
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "processor": platform.machine()}
    print(json.dumps({"bench": arguments[0], **figures, "machine": machine}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
