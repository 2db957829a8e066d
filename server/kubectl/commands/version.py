"""kubectl version: this client's version and the server's.

In: nothing but flags. Out: the versions as text, JSON or YAML.
"""

from __future__ import annotations

from server.cluster.apiserver.door import VERSION as SERVER
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flag, Flags
from server.kubectl.yamlout import to_json, to_yaml

_BUILD = {"gitCommit": "podium", "gitTreeState": "clean", "buildDate": "2026-11-21T00:00:00Z", "goVersion": "go1.26.5", "compiler": "gc",
          "platform": "linux/amd64"}
CLIENT = {"major": "1", "minor": "36", "gitVersion": "v1.36.3", **_BUILD}
KUSTOMIZE = "v5.8.1"


def version(ctx: Context, args: list[str], flags: Flags) -> None:
    if args:
        raise CommandError(f"extra arguments: [{' '.join(args)}]")
    if flags.output not in ("", "json", "yaml"):
        raise CommandError("--output must be 'yaml' or 'json'")
    told = {"clientVersion": CLIENT, "kustomizeVersion": KUSTOMIZE}
    if not flags.client:
        told["serverVersion"] = SERVER
    if flags.output == "json":
        ctx.stdout.write(to_json(told, indent=2, in_order=True))
    elif flags.output == "yaml":
        ctx.out(to_yaml(told))
    else:
        ctx.out(f"Client Version: {CLIENT['gitVersion']}\nKustomize Version: {KUSTOMIZE}")
        if not flags.client:
            ctx.out(f"Server Version: {SERVER['gitVersion']}")


COMMANDS = (
    Command("version", version, flags=(Flag("client", "", False, "Only the client's."), Flag("output", "o", "", "yaml or json.")),
            short="Print the client and server version information", use="[flags]", complete="none"),
)
