"""kubectl config: reads and changes the terminal's kubeconfig.

In: the kubeconfig of the context, shared by all lines of a terminal. Out: its text, or changes to it, such as the namespace of a context.
"""

from __future__ import annotations

import copy
from typing import Any

from server.kubectl import printers
from server.kubectl.command import OUTPUT, Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, UsageError
from server.kubectl.flags import Flag, Flags
from server.kubectl.tabwriter import Tabs

Object = dict[str, Any]
SECRETS = {"client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED", "token": "REDACTED", "password": "REDACTED"}


def _named(entries: list[Object], name: str) -> Object | None:
    return next((entry for entry in entries if entry["name"] == name), None)


def view(ctx: Context, args: list[str], flags: Flags) -> None:
    if args:
        raise UsageError(f"unexpected arguments: [{' '.join(args)}]")
    data = copy.deepcopy(ctx.kubeconfig.data)
    if flags.minify:
        _minify(data)
    if not flags.raw:
        _redact(data)
    printer = printers.choose(ctx, flags, typed=True)
    printer.print(_in_order(data))
    printer.flush()


def _in_order(data: Object) -> Object:
    """The fields in the order of kubectl's own type."""
    lists = {key: [{"name": entry["name"], inner: entry[inner]} for entry in sorted(data[key], key=lambda entry: entry["name"])]
             for key, inner in (("clusters", "cluster"), ("users", "user"), ("contexts", "context"))}
    return {"kind": data["kind"], "apiVersion": data["apiVersion"], **lists, "current-context": data["current-context"]}


def _minify(data: Object) -> None:
    context = _named(data["contexts"], data["current-context"])
    if context is None:
        raise CommandError("current-context must exist in order to minify")
    data["contexts"] = [context]
    data["clusters"] = [entry for entry in data["clusters"] if entry["name"] == context["context"].get("cluster")]
    data["users"] = [entry for entry in data["users"] if entry["name"] == context["context"].get("user")]


def _redact(data: Object) -> None:
    for entry in data["users"]:
        entry["user"].update({key: SECRETS[key] for key in entry["user"] if key in SECRETS})
    for entry in data["clusters"]:
        if "certificate-authority-data" in entry["cluster"]:
            entry["cluster"]["certificate-authority-data"] = "DATA+OMITTED"


def current_context(ctx: Context, args: list[str], flags: Flags) -> None:
    if not ctx.kubeconfig.current:
        raise CommandError("current-context is not set")
    ctx.out(ctx.kubeconfig.current)


def get_contexts(ctx: Context, args: list[str], flags: Flags) -> None:
    if flags.output not in ("", "name"):
        raise CommandError(f"--output {flags.output} is not available in kubectl config get-contexts; resetting to default output format")
    data = ctx.kubeconfig.data
    missing = [name for name in args if _named(data["contexts"], name) is None]
    shown = sorted((entry for entry in data["contexts"] if not args or entry["name"] in args), key=lambda entry: entry["name"])
    if flags.output == "name":
        ctx.stdout.write("".join(f"{entry['name']}\n" for entry in shown))
    else:
        tabs = Tabs()
        if not flags.no_headers:
            tabs.row("CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE")
        for entry in shown:
            inner = entry["context"]
            mark = "*" if entry["name"] == data["current-context"] else ""
            tabs.row(mark, entry["name"], inner.get("cluster", ""), inner.get("user", ""), inner.get("namespace", ""))
        ctx.stdout.write(tabs.render())
    if missing:
        raise CommandError("\n".join(f"error: context {name} not found" for name in missing).removeprefix("error: "))


def _names(key: str):
    def names(ctx: Context, args: list[str], flags: Flags) -> None:
        ctx.stdout.write("NAME\n" + "".join(f"{entry['name']}\n" for entry in sorted(ctx.kubeconfig.data[key], key=lambda e: e["name"])))

    return names


def use_context(ctx: Context, args: list[str], flags: Flags) -> None:
    if len(args) != 1:
        raise UsageError("Unexpected args: [" + " ".join(args) + "]" if args else "empty context names are not allowed")
    if _named(ctx.kubeconfig.data["contexts"], args[0]) is None:
        raise CommandError(f'no context exists with the name: "{args[0]}"')
    ctx.kubeconfig.data["current-context"] = args[0]
    ctx.kubeconfig.save(ctx.files)
    ctx.out(f'Switched to context "{args[0]}".')


def set_context(ctx: Context, args: list[str], flags: Flags) -> None:
    if len(args) > 1:
        raise UsageError(f"Unexpected args: [{' '.join(args)}]")
    if not args and not flags.current:
        raise CommandError("you must specify a non-empty context name or --current")
    if args and flags.current:
        raise CommandError("you cannot specify both a context name and --current")
    data = ctx.kubeconfig.data
    name = args[0] if args else data["current-context"]
    if not name:
        raise CommandError("no current context is set")
    entry = _named(data["contexts"], name)
    existed = entry is not None
    if entry is None:
        entry = {"context": {"cluster": "", "user": ""}, "name": name}
        data["contexts"].append(entry)
    for key in ("cluster", "user", "namespace"):
        if flags.changed(key):
            entry["context"][key] = flags[key]
    ctx.kubeconfig.save(ctx.files)
    ctx.out(f'Context "{name}" {"modified" if existed else "created"}.')


def rename_context(ctx: Context, args: list[str], flags: Flags) -> None:
    if len(args) != 2:
        raise UsageError(f"Unexpected args: [{' '.join(args)}]")
    data = ctx.kubeconfig.data
    entry = _named(data["contexts"], args[0])
    if entry is None:
        raise CommandError(f'cannot rename the context "{args[0]}", it\'s not in /root/.kube/config')
    if _named(data["contexts"], args[1]) is not None:
        raise CommandError(f'cannot rename the context "{args[0]}", the context "{args[1]}" already exists in /root/.kube/config')
    entry["name"] = args[1]
    if data["current-context"] == args[0]:
        data["current-context"] = args[1]
    ctx.kubeconfig.save(ctx.files)
    ctx.out(f'Context "{args[0]}" renamed to "{args[1]}".')


def delete_context(ctx: Context, args: list[str], flags: Flags) -> None:
    if len(args) != 1:
        raise UsageError(f"Unexpected args: [{' '.join(args)}]")
    data = ctx.kubeconfig.data
    if _named(data["contexts"], args[0]) is None:
        raise CommandError(f"cannot delete context {args[0]}, not in /root/.kube/config")
    if data["current-context"] == args[0]:
        ctx.err("warning: this removed your active context, use \"kubectl config use-context\" to select a different one")
    data["contexts"] = [entry for entry in data["contexts"] if entry["name"] != args[0]]
    ctx.kubeconfig.save(ctx.files)
    ctx.out(f"deleted context {args[0]} from /root/.kube/config")


_VIEW_OUTPUT = (Flag("output", "o", "yaml", OUTPUT[0].usage), *OUTPUT[1:])
COMMANDS = (
    Command(
        "config",
        commands=(
            Command("current-context", current_context, short="Display the current-context", complete="none"),
            Command("delete-context", delete_context, short="Delete the specified context from the kubeconfig", use="NAME", complete="none"),
            Command("get-clusters", _names("clusters"), short="Display clusters defined in the kubeconfig", complete="none"),
            Command("get-contexts", get_contexts, flags=(Flag("no-headers", "", False, "Print no header row."), Flag("output", "o", "", "name.")),
                    short="Describe one or many contexts", use="[(-o|--output=)name)]", complete="none"),
            Command("get-users", _names("users"), short="Display users defined in the kubeconfig", complete="none"),
            Command("rename-context", rename_context, short="Rename a context from the kubeconfig file", use="CONTEXT_NAME NEW_NAME",
                    complete="none"),
            Command("set-context", set_context, flags=(
                Flag("current", "", False, "Change the current context."), Flag("cluster", "", "", "The context's cluster."),
                Flag("namespace", "n", "", "The context's namespace."), Flag("user", "", "", "The context's user.")),
                short="Set a context entry in kubeconfig", complete="none",
                use="[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]"),
            Command("use-context", use_context, aliases=("use",), short="Set the current-context in a kubeconfig file", use="CONTEXT_NAME",
                    complete="none"),
            Command("view", view, flags=(
                *_VIEW_OUTPUT, Flag("flatten", "", False, "Put file contents in."), Flag("merge", "", True, "Merge kubeconfig files."),
                Flag("minify", "", False, "Only what the current context uses."), Flag("raw", "", False, "Show secrets.")),
                short="Display merged kubeconfig settings or a specified kubeconfig file", use="[flags]", complete="none"),
        ),
        short="Modify kubeconfig files",
        use="SUBCOMMAND",
    ),
)
