"""kubectl label: sets, removes and lists labels."""

from __future__ import annotations

from server.cluster import names
from server.cluster.objects import labels
from server.kubectl import pairs
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flags, quoted
from server.kubectl.metachange import Object, Words, change, flags_of


def _check(present: dict[str, str], values: dict[str, str]) -> None:
    raise_all([CommandError(f"'{key}' already has a value ({present[key]}), and --overwrite is false")
               for key, value in values.items() if key in present and present[key] != value])


def _done(before: Object, after: Object, values: dict[str, str], removed: list[str]) -> str:
    old, new = labels(before), labels(after)
    if old == new:
        return "not labeled"
    set_any, removed_any = any(old.get(key) != value for key, value in new.items()), any(key not in new for key in old)
    return "modified" if set_any and removed_any else "labeled" if set_any else "unlabeled"


def parse(specs: list[str]) -> tuple[dict[str, str], list[str]]:
    """(labels to set, labels to remove)."""
    values: dict[str, str] = {}
    removed: list[str] = []
    for spec in specs:
        if "=" in spec:
            parts = spec.split("=")
            if len(parts) != 2:
                raise CommandError(f"invalid label spec: {spec}")
            faults = names.label_value(parts[1])
            if faults:
                raise CommandError(f"invalid label value: {quoted(spec)}: {';'.join(faults)}")
            values[parts[0]] = parts[1]
        elif spec.endswith("-"):
            removed.append(spec[:-1])
        else:
            raise CommandError(f"unknown label spec: {spec}")
    if any(key in values for key in removed):
        raise CommandError("can not both modify and remove a label in the same command")
    return values, removed


WORDS = Words("label", "labels", "pod", _check, 'label "{}" not found.', _done)


def label(ctx: Context, args: list[str], flags: Flags) -> None:
    targets, specs = pairs.split(args, "label")
    change(ctx, flags, targets, *parse(specs), WORDS)


COMMANDS = (
    Command("label", label, flags_of("kubectl-label"), "Update the labels on a resource",
            "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
            "Set labels with KEY=VALUE and remove them with KEY-. An existing label is changed only with --overwrite.",
            "  # Set a label\n  kubectl label pods web env=test\n\n  # Change it\n  kubectl label --overwrite pods web env=prod\n\n"
            "  # Remove it\n  kubectl label pods web env-"),
)
