"""What a process may do beyond its user: Linux capabilities as a container is given them.

In: a container's security context. Out: a ``Rights`` with the mask that /proc/NUMBER/status shows.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#set-capabilities-for-a-container and capabilities(7)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_NAMES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN "
         "NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
         "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ "
         "PERFMON BPF CHECKPOINT_RESTORE")
_USUAL = "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
NAMES = _NAMES.split()
BITS = {name: 1 << number for number, name in enumerate(NAMES)}
ALL = (1 << len(NAMES)) - 1
USUAL = sum(BITS[name] for name in _USUAL.split())


class Rights(NamedTuple):
    """``mask`` bounds what its processes can have, and root has; ``no_new``: they get no more than they began with; ``seccomp``: 2 when
    their system calls are filtered."""

    mask: int = ALL
    no_new: bool = False
    seccomp: int = 0

    def has(self, name: str) -> bool:
        return bool(self.mask & BITS[name])


def rights(whole: Mapping[str, Any], own: Mapping[str, Any]) -> Rights:
    """Of a container, from its pod's security context and its own.

    >>> f"{rights({}, {'capabilities': {'add': ['NET_ADMIN', 'SYS_TIME']}}).mask:016x}"
    '00000000aa0435fb'
    >>> rights({}, {'capabilities': {'drop': ['ALL']}}).mask, rights({}, {'privileged': True}).has("SYS_ADMIN")
    (0, True)
    """
    if own.get("privileged"):
        return Rights()
    mask, asked = USUAL, own.get("capabilities") or {}
    added, dropped = ({str(name).upper().removeprefix("CAP_") for name in asked.get(how) or ()} for how in ("add", "drop"))
    mask = ALL if "ALL" in added else mask
    mask = 0 if "ALL" in dropped else mask
    for name in added:
        mask |= BITS.get(name, 0)
    for name in dropped:
        mask &= ~BITS.get(name, 0)
    profile = (own.get("seccompProfile") or whole.get("seccompProfile") or {}).get("type", "Unconfined")
    return Rights(mask, own.get("allowPrivilegeEscalation") is False, 0 if profile == "Unconfined" else 2)
