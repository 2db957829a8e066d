"""The NFS server of the room: a machine outside the cluster that exports directories, and what ``mount.nfs`` says when it does not.

In: a server and a path; out: "" when the path can be mounted, else the last line of the mount program, and how long it takes to give up.

Source: https://kubernetes.io/docs/concepts/storage/volumes/#nfs
"""

from __future__ import annotations

import ipaddress

ADDRESS = "211.183.3.100"
EXPORTS: dict[str, tuple[str, ...]] = {ADDRESS: ("/shared",)}
UNREACHABLE = "mount.nfs: Connection timed out"
GIVES_UP = 180.0


def exported(server: str, path: str) -> str:
    """The export that a path lies in; "" for none."""
    wanted = path.rstrip("/") or "/"
    return next((export for export in EXPORTS.get(server, ()) if wanted == export or wanted.startswith(f"{export}/")), "")


def fault(server: str, path: str, addresses: tuple[str, ...] = ()) -> str:
    """What the mount program says; ``addresses`` are machines that answer but serve no files.

    >>> fault("211.183.3.100", "/shared"), fault("211.183.3.100", "/else")
    ('', 'mount.nfs: mounting 211.183.3.100:/else failed, reason given by server: No such file or directory')
    >>> fault("nfs.example.com", "/shared")
    'mount.nfs: Failed to resolve server nfs.example.com: Name or service not known'
    """
    if exported(server, path):
        return ""
    if server in EXPORTS:
        return f"mount.nfs: mounting {server}:{path} failed, reason given by server: No such file or directory"
    try:
        ipaddress.ip_address(server)
    except ValueError:
        return f"mount.nfs: Failed to resolve server {server}: Name or service not known"
    return "mount.nfs: Connection refused" if server in addresses else UNREACHABLE
