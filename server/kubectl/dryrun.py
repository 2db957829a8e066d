"""What --dry-run and --validate ask for.

In: parsed flags. Out: "none", "client" or "server"; and the fieldValidation the request carries.
"""

from __future__ import annotations

from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags, quoted

SUFFIX = {"none": "", "client": " (dry run)", "server": " (server dry run)"}
_OLD = {"unchanged": "client", **dict.fromkeys(("true", "TRUE", "True", "t", "T", "1"), "client"),
        **dict.fromkeys(("false", "FALSE", "False", "f", "F", "0"), "none")}
_VALIDATION = {"strict": "Strict", "true": "Strict", "warn": "Warn", "ignore": "Ignore", "false": "Ignore"}


def strategy(flags: Flags) -> str:
    value = flags.dry_run
    if value in SUFFIX:
        return value
    if value in _OLD:
        return _OLD[value]
    raise CommandError(f'Invalid dry-run value ({value}). Must be "none", "server", or "client".')


def deprecation(flags: Flags) -> str:
    """What to say of an old way to write --dry-run."""
    value = flags.get("dry-run")
    if value == "unchanged":
        return "--dry-run is deprecated and can be replaced with --dry-run=client."
    if value in _OLD:
        return f"--dry-run={value} is deprecated (boolean value) and can be replaced with --dry-run={_OLD[value]}."
    return ""


def field_validation(flags: Flags) -> str:
    try:
        return _VALIDATION[flags.validate]
    except KeyError:
        raise CommandError(
            f"invalid - validate option {quoted(flags.validate)}; must be one of: strict (or true), warn, ignore (or false)"
        ) from None
