"""kubectl certificate: approves or denies CertificateSigningRequests. Podium serves no such kind, and kubectl says so."""

from __future__ import annotations

from server.kubectl import resources
from server.kubectl.command import FILENAME, OUTPUT, Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flag, Flags


def decide(ctx: Context, args: list[str], flags: Flags) -> None:
    if not args and not flags.filename:
        raise CommandError("one or more CSRs must be specified as <name> or -f <filename>")
    resources.lookup(ctx, "certificatesigningrequests")
    raise CommandError("kubectl certificate is not available in Podium yet")


FLAGS = (*OUTPUT, *FILENAME, Flag("force", "", False, "Decide anew what is decided."))
COMMANDS = (
    Command("certificate", short="Modify certificate resources", use="SUBCOMMAND", commands=(
        Command("approve", decide, FLAGS, "Approve a certificate signing request", "(-f FILENAME | NAME)"),
        Command("deny", decide, FLAGS, "Deny a certificate signing request", "(-f FILENAME | NAME)"),
    )),
)
