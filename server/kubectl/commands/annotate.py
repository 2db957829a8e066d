"""kubectl annotate: sets, removes and lists annotations."""

from __future__ import annotations

from server.kubectl import pairs
from server.kubectl.command import Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags
from server.kubectl.metachange import Object, Words, change, flags_of

CHANGE_CAUSE = "kubernetes.io/change-cause"


def _check(present: dict[str, str], values: dict[str, str]) -> None:
    """The reason of a change may always be told anew."""
    taken = [f"'{key}' already has a value ({present[key]})" for key in values if key in present and key != CHANGE_CAUSE]
    if taken:
        raise CommandError(f"--overwrite is false but found the following declared annotation(s): {'; '.join(taken)}")


def _done(before: Object, after: Object, values: dict[str, str], removed: list[str]) -> str:
    return "annotated"


WORDS = Words("annotation", "annotations", "rsrc", _check, "", _done)


def annotate(ctx: Context, args: list[str], flags: Flags) -> None:
    targets, changes = pairs.split(args, "annotation")
    values, removed = pairs.parse(changes, "annotation", removable=True)
    both = [key for key in removed if key in values]
    if both:
        raise CommandError(f"can not both modify and remove the following annotation(s) in the same command: {', '.join(both)}")
    change(ctx, flags, targets, values, removed, WORDS)


COMMANDS = (
    Command("annotate", annotate, flags_of("kubectl-annotate"), "Update the annotations on a resource",
            "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
            "Set annotations with KEY=VALUE and remove them with KEY-. An existing one is changed only with --overwrite.",
            '  # Say why a rollout was made\n  kubectl annotate deploy web kubernetes.io/change-cause="new image"'),
)
