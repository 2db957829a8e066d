"""kubectl certificate: approves or denies CertificateSigningRequests, in the API servers that serve that kind."""

from __future__ import annotations

from collections.abc import Callable

from server.cluster.objects import replaced
from server.kubectl import printers, resources
from server.kubectl.command import FILENAME, OUTPUT, Command
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, raise_all
from server.kubectl.flags import Flag, Flags


def _deciding(done: str, type_: str, reason: str, message: str) -> Callable[[Context, list[str], Flags], None]:
    def decide(ctx: Context, args: list[str], flags: Flags) -> None:
        if not args and not flags.filename:
            raise CommandError("one or more CSRs must be specified as <name> or -f <filename>")
        row = resources.lookup(ctx, "certificatesigningrequests")
        found = resources.find(ctx, [row.plural, *args] if args else [], filenames=flags.filename, recursive=flags.recursive)
        show = printers.for_objects(ctx, flags, done)
        for info in found:
            kept = [each for each in (info.object.get("status") or {}).get("conditions") or () if each["type"] != type_]
            if any(each["type"] in ("Approved", "Denied") for each in kept):
                raise CommandError(f'certificate signing request "{info.name}" is already {kept[0]["type"]}')
            decided = {"type": type_, "status": "True", "reason": reason, "message": message, "lastUpdateTime": ctx.clock.timestamp()}
            after = replaced(info.object, {("status", "conditions"): [*kept, decided]})
            show(ctx.api.update(row, "", info.name, after, subresource="approval"), row)
        raise_all(found.errors)

    return decide


FLAGS = (*OUTPUT, *FILENAME, Flag("force", "", False, "Decide anew what is decided."))
COMMANDS = (
    Command("certificate", short="Modify certificate resources", use="SUBCOMMAND", commands=(
        Command("approve",
                _deciding("approved", "Approved", "KubectlApprove", "This CSR was approved by kubectl certificate approve."), FLAGS, "Approve a certificate signing request", "(-f FILENAME | NAME)"),
        Command("deny",
                _deciding("denied", "Denied", "KubectlDeny", "This CSR was denied by kubectl certificate deny."), FLAGS, "Deny a certificate signing request", "(-f FILENAME | NAME)"),
    )),
)
