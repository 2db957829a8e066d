"""What `kubectl`, `kubectl options` and `kubectl COMMAND --help` print.

In: the declarations of commands and flags. Out: text in cobra's layout. The list of kubectl's commands is a table here, since
kubectl's own help names also what Podium does not have yet.
"""

from __future__ import annotations

from server.kubectl.command import Command
from server.kubectl.flags import Flag, format_duration

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Basic Commands (Beginner):", (
        ("create", "Create a resource from a file or from stdin"),
        ("expose", "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service"),
        ("run", "Run a particular image on the cluster"),
        ("set", "Set specific features on objects"))),
    ("Basic Commands (Intermediate):", (
        ("explain", "Get documentation for a resource"),
        ("get", "Display one or many resources"),
        ("edit", "Edit a resource on the server"),
        ("delete", "Delete resources by file names, stdin, resources and names, or by resources and label selector"))),
    ("Deploy Commands:", (
        ("rollout", "Manage the rollout of a resource"),
        ("scale", "Set a new size for a deployment, replica set, or replication controller"),
        ("autoscale", "Auto-scale a deployment, replica set, stateful set, or replication controller"))),
    ("Cluster Management Commands:", (
        ("certificate", "Modify certificate resources"),
        ("cluster-info", "Display cluster information"),
        ("top", "Display resource (CPU/memory) usage"),
        ("cordon", "Mark node as unschedulable"),
        ("uncordon", "Mark node as schedulable"),
        ("drain", "Drain node in preparation for maintenance"),
        ("taint", "Update the taints on one or more nodes"))),
    ("Troubleshooting and Debugging Commands:", (
        ("describe", "Show details of a specific resource or group of resources"),
        ("logs", "Print the logs for a container in a pod"),
        ("attach", "Attach to a running container"),
        ("exec", "Execute a command in a container"),
        ("port-forward", "Forward one or more local ports to a pod"),
        ("proxy", "Run a proxy to the Kubernetes API server"),
        ("cp", "Copy files and directories to and from containers"),
        ("auth", "Inspect authorization"),
        ("debug", "Create debugging sessions for troubleshooting workloads and nodes"),
        ("events", "List events"))),
    ("Advanced Commands:", (
        ("diff", "Diff the live version against a would-be applied version"),
        ("apply", "Apply a configuration to a resource by file name or stdin"),
        ("patch", "Update fields of a resource"),
        ("replace", "Replace a resource by file name or stdin"),
        ("wait", "Wait for a specific condition on one or many resources"),
        ("kustomize", "Build a kustomization target from a directory or URL"))),
    ("Settings Commands:", (
        ("label", "Update the labels on a resource"),
        ("annotate", "Update the annotations on a resource"),
        ("completion", "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)"))),
    ("Subcommands provided by plugins:", ()),
    ("Other Commands:", (
        ("api-resources", "Print the supported API resources on the server"),
        ("api-versions", 'Print the supported API versions on the server, in the form of "group/version"'),
        ("config", "Modify kubeconfig files"),
        ("kuberc", "Manage kuberc configuration files"),
        ("plugin", "Provides utilities for interacting with plugins"),
        ("version", "Print the client and server version information"))),
)
SHORTS = {name: short for _, commands in GROUPS for name, short in commands}
_OPTIONS_HINT = 'Use "kubectl options" for a list of global command-line options (applies to all commands).\n'


def of_root(command: Command) -> str:
    lines = ["kubectl controls the Kubernetes cluster manager.", "", " Find more information at: https://kubernetes.io/docs/reference/kubectl/"]
    for title, commands in GROUPS:
        lines += ["", title]
        lines += [f"  {name:<15} {short}" for name, short in commands]
    lines += ["", "Usage:", f"  kubectl {command.use} [options]", "", 'Use "kubectl <command> --help" for more information about a given command.']
    return "\n".join(lines) + "\n" + _OPTIONS_HINT


def of_command(path: list[str], command: Command) -> str:
    if len(path) == 1:
        return of_root(command)
    name = " ".join(path)
    blocks = [command.long or f"{(command.short or SHORTS.get(command.name, command.name)).rstrip('.')}."]
    if command.aliases:
        blocks.append("Aliases:\n" + ", ".join((command.name, *command.aliases)))
    if command.examples:
        blocks.append("Examples:\n" + "\n".join(f"  {line}" for line in command.examples.strip("\n").split("\n")))
    shown = [sub for sub in command.commands if not sub.hidden]
    if shown:
        width = max(len(sub.name) for sub in shown)
        blocks.append("Available Commands:\n" + "\n".join(f"  {sub.name:<{width}}   {sub.short}" for sub in shown))
    if command.flags:
        blocks.append("Options:\n" + _options(command.flags))
    usage = f"{name} {command.use}".rstrip() if command.use else f"{name} SUBCOMMAND"
    blocks.append(f"Usage:\n  {usage} [options]")
    more = f'Use "{name} <command> --help" for more information about a given command.\n' if shown else ""
    return "\n\n".join(blocks) + "\n\n" + more + _OPTIONS_HINT


def of_options(flags: tuple[Flag, ...]) -> str:
    return "The following options can be passed to any command:\n\n" + _options(flags) + "\n\n"


def _options(flags: tuple[Flag, ...]) -> str:
    shown = sorted((flag for flag in flags if not flag.hidden and not flag.deprecated), key=lambda flag: flag.name)
    return "\n\n".join(f"    {_head(flag)}:\n\t{flag.usage}" for flag in shown)


def _head(flag: Flag) -> str:
    name = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
    return f"{name}={_default(flag)}"


def _default(flag: Flag) -> str:
    default, kind = flag.default, flag.type
    if kind == "duration":
        return format_duration(float(default))
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list | tuple | dict):
        return "[]"
    if isinstance(default, int) or flag.name == "vmodule":
        return str(default)
    return f"'{default}'"
