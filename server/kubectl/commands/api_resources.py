"""kubectl api-resources and api-versions: what the API server serves.

In: the table of kinds. Out: tables or names, in discovery's order: the core group first, then groups by name.
"""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.resources import VERSIONS, Resource
from server.kubectl import printers
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, UsageError
from server.kubectl.flags import Flag, Flags
from server.kubectl.tabwriter import Tabs


def api_resources(ctx: Context, args: list[str], flags: Flags) -> None:
    if args:
        raise UsageError(f"unexpected arguments: [{' '.join(args)}]")
    if flags.output not in ("", "wide", "name", "json", "yaml", "kyaml"):
        raise CommandError(f'unable to match a printer suitable for the output format "{flags.output}", '
                           "allowed formats are: json,kyaml,name,wide,yaml")
    if flags.sort_by not in ("", "name", "kind"):
        raise CommandError("--sort-by accepts only name or kind")
    rows = _rows(ctx, flags)
    if flags.sort_by:
        rows.sort(key=lambda row: row[flags.sort_by])
    if flags.output == "name":
        ctx.stdout.write("".join(f"{row['key']}\n" for row in rows))
    elif flags.output in ("json", "yaml"):
        text = {"apiVersion": "v1", "kind": "APIResourceList", "groupVersion": "", "resources": [_as_json(row) for row in rows]}
        ctx.stdout.write(printers.to_json(text) if flags.output == "json" else printers.to_yaml(text))
    else:
        ctx.stdout.write(_table(rows, flags))


def _rows(ctx: Context, flags: Flags) -> list[dict[str, Any]]:
    preferred = list(ctx.api.resources.values())
    named = {(row.group, row.plural) for row in preferred}
    preferred += [row for row in VERSIONS.values() if (row.group, row.plural) not in named]
    rows = [_row(row) for row in sorted(preferred, key=lambda row: (row.group, row.plural))]
    if flags.changed("namespaced"):
        rows = [row for row in rows if row["namespaced"] == flags.namespaced]
    if flags.changed("api-group"):
        rows = [row for row in rows if row["group"] == flags.api_group]
    rows = [row for row in rows if set(flags.verbs) <= set(row["verbs"])]
    return [row for row in rows if set(flags.categories) <= set(row["categories"])]


def _row(row: Resource) -> dict[str, Any]:
    key = f"{row.plural}.{row.group}" if row.group else row.plural
    return {"key": key, "name": row.plural, "group": row.group, "short": list(row.short_names), "api_version": row.api_version,
            "namespaced": row.namespaced, "kind": row.kind, "verbs": sorted(row.verbs), "categories": list(row.categories),
            "singular": row.singular}


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    group, _, version = row["api_version"].rpartition("/")
    entry = {"name": row["name"], "singularName": row["singular"], "namespaced": row["namespaced"], "version": version, "kind": row["kind"],
             "verbs": row["verbs"]}
    for name, value in (("group", group), ("shortNames", row["short"]), ("categories", row["categories"])):
        if value:
            entry[name] = value
    return entry


def _table(rows: list[dict[str, Any]], flags: Flags) -> str:
    wide = flags.output == "wide"
    tabs = Tabs()
    if not flags.no_headers:
        tabs.row("NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", *(("VERBS", "CATEGORIES") if wide else ()))
    for row in rows:
        extra = (",".join(row["verbs"]), ",".join(row["categories"])) if wide else ()
        tabs.row(row["name"], ",".join(row["short"]), row["api_version"], str(row["namespaced"]).lower(), row["kind"], *extra)
    return tabs.render()


def api_versions(ctx: Context, args: list[str], flags: Flags) -> None:
    if args:
        raise UsageError(f"unexpected arguments: [{' '.join(args)}]")
    ctx.stdout.write("".join(f"{version}\n" for version in sorted({row.api_version for row in (*ctx.api.resources.values(), *VERSIONS.values())})))


COMMANDS = (
    Command(
        "api-resources",
        api_resources,
        flags=(
            Flag("api-group", "", "", "Only this group."),
            Flag("cached", "", False, "Use what is cached."),
            Flag("categories", "", [], "Only resources in these categories."),
            Flag("namespaced", "", True, "Only namespaced resources, or with =false only those that are not."),
            Flag("no-headers", "", False, "Print no header row."),
            Flag("output", "o", "", "json, yaml, name or wide."),
            Flag("show-managed-fields", "", False, "Keep managedFields."),
            Flag("sort-by", "", "", "Sort by name or kind."),
            Flag("verbs", "", [], "Only resources that know these verbs."),
        ),
        short="Print the supported API resources on the server",
        use="[flags]",
        complete="none",
    ),
    Command("api-versions", api_versions, short='Print the supported API versions on the server, in the form of "group/version"', complete="none"),
)
