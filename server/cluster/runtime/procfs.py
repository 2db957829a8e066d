"""/proc, /sys and the other files that the kernel and the kubelet make: what they say is worked out when they are read.

In: the machine (its processes, its limits, its place in the network) and the facts of the hardware below it, which a machine may know as
``hardware() -> Facts``. Out: ``Live``, a layer of read-only files under all that is written.

Source: https://man7.org/linux/man-pages/man5/proc.5.html and https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from server.cluster.inodes import Node
from server.cluster.runtime.capabilities import USUAL, Rights

KERNEL, VERSION = "6.1.0-28-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)"
MODEL = "Intel(R) Xeon(R) CPU @ 2.20GHz"
GIBI = 1024**3
TICKS = 100


class Facts(NamedTuple):
    """Of the hardware: CPUs, bytes of memory and of the disk, what of them is in use, seconds since it was switched on, its load; and the
    limits of a container in bytes and millicores (None: none)."""

    cpus: int = 2
    memory: int = 4 * GIBI
    memory_used: int = 900 * 1024**2
    disk: int = 40 * GIBI
    disk_used: int = 8 * GIBI
    uptime: float = 0.0
    load: tuple[float, float, float] = (0.0, 0.0, 0.0)
    memory_limit: int | None = None
    cpu_limit: int | None = None
    memory_here: int = 3 * 1024**2


class Security(NamedTuple):
    """Who a container's processes are (None: as the image says), whether they may write to its root file system, and what
    else they may do."""

    user: int | None = None
    group: int | None = None
    groups: tuple[int, ...] = ()
    read_only: bool = False
    rights: Rights = Rights(USUAL)


def facts_of(machine: Any) -> Facts:
    ask: Callable[[], Facts] | None = getattr(machine, "hardware", None)
    return ask() if ask is not None else Facts(uptime=machine.clock.now)


def processes(machine: Any) -> list[Any]:
    """The processes of a machine that are there, in order."""
    system = getattr(machine, "system", None)
    return system.seen() if system is not None else []


class Live:
    """A layer (see ``inodes``): ``get`` and ``names``."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine

    def get(self, path: str) -> Node | None:
        if path.startswith(("/proc/", "/sys/")):
            if path.endswith("/"):
                return {"mode": 0o555, "size": 0} if self._folder(path.rstrip("/")) else None
            if (link := self._link(path)) is not None:
                return {"link": link}
            text = self._text(path)
            return None if text is None else {"text": text, "mode": 0o444, "live": 1}
        make = KUBELET.get(path)
        if make is None:
            return None
        text = make(self._machine)
        return None if text is None else {"text": text}

    def names(self, folder: str) -> Iterable[str]:
        if folder == "/proc":
            return [*(str(proc.pid) for proc in processes(self._machine)), *PROC, "self", "sys", "mounts"]
        if folder == "/etc":
            return [path.rpartition("/")[2] for path in KUBELET]
        parts = folder.split("/")
        if len(parts) == 3 and parts[1] == "proc" and self._proc(parts[2]) is not None:
            return [*OF_PROCESS, "cwd", "exe", "fd", "root"]
        if len(parts) == 4 and parts[1] == "proc" and parts[3] == "fd" and (proc := self._proc(parts[2])) is not None:
            return [str(number) for number in sorted(proc.fds)]
        return FOLDERS.get(folder, ())

    def _folder(self, path: str) -> bool:
        parts = path.split("/")
        if path in FOLDERS or path in ("/proc", "/sys"):
            return True
        return parts[1] == "proc" and len(parts) in (3, 4) and self._proc(parts[2]) is not None and (len(parts) == 3 or parts[3] == "fd")

    def _link(self, path: str) -> str | None:
        if path == "/proc/self":
            proc = getattr(getattr(self._machine, "system", None), "current", None)
            return str(proc.pid) if proc is not None else "1"
        if path == "/proc/mounts":
            return "self/mounts"
        parts = path.split("/")
        if len(parts) == 4 and parts[1] == "proc" and parts[3] in ("cwd", "exe", "root") and (proc := self._proc(parts[2])) is not None:
            where = self._machine.where(proc.name) if proc.argv else ""
            return {"cwd": proc.cwd, "exe": where or (proc.argv[0] if proc.argv else ""), "root": "/"}[parts[3]]
        if len(parts) == 5 and parts[3] == "fd" and (proc := self._proc(parts[2])) is not None and parts[4].isdigit():
            stream = proc.fds.get(int(parts[4]))
            return None if stream is None else {"tty": "/dev/pts/0", "null": "/dev/null"}.get(stream.kind) or (
                getattr(stream, "path", "") or f"pipe:[{20000 + int(parts[2]) * 8 + int(parts[4])}]")
        return None

    def _proc(self, name: str) -> Any:
        if name == "self":
            name = self._link("/proc/self") or "1"
        return next((proc for proc in processes(self._machine) if str(proc.pid) == name), None)

    def _text(self, path: str) -> str | None:
        parts = path.split("/")
        if len(parts) == 3 and parts[1] == "proc" and parts[2] in PROC:
            return PROC[parts[2]](self._machine)
        if len(parts) == 4 and parts[1] == "proc" and parts[3] in OF_PROCESS and (proc := self._proc(parts[2])) is not None:
            return OF_PROCESS[parts[3]](self._machine, proc)
        make = OTHERS.get(path)
        return make(self._machine) if make is not None else None


# the kernel's

def _cpuinfo(machine: Any) -> str:
    count = facts_of(machine).cpus
    return "".join(
        f"processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 79\nmodel name\t: {MODEL}\nstepping\t: 0\n"
        f"cpu MHz\t\t: 2199.998\ncache size\t: 56320 KB\nphysical id\t: 0\nsiblings\t: {count}\ncore id\t\t: {number}\ncpu cores\t: {count}\n"
        "fpu\t\t: yes\nflags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht syscall "
        "nx lm constant_tsc rep_good nopl xtopology cpuid pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 x2apic movbe popcnt aes xsave avx\n"
        "bogomips\t: 4399.99\n\n" for number in range(min(count, 256)))


def _meminfo(machine: Any) -> str:
    facts = facts_of(machine)
    total, used = facts.memory // 1024, facts.memory_used // 1024
    cached = min(total // 3, total - used - total // 20)
    rows = (("MemTotal", total), ("MemFree", max(0, total - used - cached)), ("MemAvailable", max(0, total - used - total // 50)),
            ("Buffers", cached // 8), ("Cached", cached - cached // 8), ("SwapCached", 0), ("Active", used // 2), ("Inactive", cached // 2),
            ("SwapTotal", 0), ("SwapFree", 0), ("Dirty", 64), ("Shmem", total // 400))
    return "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in rows)


def _loadavg(machine: Any) -> str:
    one, five, fifteen = facts_of(machine).load
    count = len(processes(machine))
    last = max((proc.pid for proc in processes(machine)), default=1)
    return f"{one:.2f} {five:.2f} {fifteen:.2f} 1/{180 + count} {last}\n"


def _uptime(machine: Any) -> str:
    facts = facts_of(machine)
    return f"{facts.uptime:.2f} {facts.uptime * facts.cpus * 0.95:.2f}\n"


def _stat(machine: Any) -> str:
    facts = facts_of(machine)
    ticks = int(facts.uptime * TICKS)
    rows = [f"cpu{name} {ticks * share // 50} 0 {ticks * share // 80} {ticks * share} 0 0 0 0 0 0"
            for name, share in ((" ", facts.cpus), *((str(number), 1) for number in range(min(facts.cpus, 256))))]
    boot = int(machine.time().timestamp() - facts.uptime)
    return "\n".join([*rows, "intr 0", f"ctxt {ticks * 40}", f"btime {boot}", f"processes {len(processes(machine)) + 1200}", "procs_running 1",
                      "procs_blocked 0", ""])


def mounts(machine: Any) -> str:
    """/proc/mounts: one line a mounted file system."""
    files = machine.files
    rows = []
    seen = {}
    for path in ("/", *files.points):
        top, space, fixed = files.mount_of(path)
        seen[top] = (space.device, top, space.type, "ro" if fixed else "rw")
    kernel = (("proc", "/proc", "proc"), ("tmpfs", "/dev", "tmpfs"), ("devpts", "/dev/pts", "devpts"), ("mqueue", "/dev/mqueue", "mqueue"),
              ("sysfs", "/sys", "sysfs"), ("cgroup", "/sys/fs/cgroup", "cgroup2"), ("shm", "/dev/shm", "tmpfs"))  # noqa: S108
    if "/" in seen:
        device, top, kind, how = seen.pop("/")
        rows.append(f"{device} {top} {kind} {how},relatime 0 0")
        if device == "overlay":
            rows += [f"/dev/sda1 {path} ext4 rw,relatime 0 0" for path in GIVEN if path not in seen]
    rows += [f"{device} {top} {kind} {'ro' if kind in ('sysfs', 'cgroup2') else 'rw'},nosuid,nodev,noexec,relatime 0 0"
             for device, top, kind in kernel]
    rows += [f"{device} {top} {kind} {how},relatime 0 0" for device, top, kind, how in seen.values()]
    return "\n".join(rows) + "\n"


PROC: dict[str, Callable[[Any], str]] = {
    "version": lambda machine: f"Linux version {KERNEL} (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, "
                               f"GNU ld (GNU Binutils for Debian) 2.40) {VERSION}\n",
    "cpuinfo": _cpuinfo, "meminfo": _meminfo, "loadavg": _loadavg, "uptime": _uptime, "stat": _stat,
    "cmdline": lambda machine: f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL} root=/dev/sda1 ro quiet\n",
    "filesystems": lambda machine: "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\nnodev\toverlay\n\text4\n",
    "swaps": lambda machine: "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    "partitions": lambda machine: f"major minor  #blocks  name\n\n   8        0 {facts_of(machine).disk // 1024:>10} sda\n"
                                  f"   8        1 {facts_of(machine).disk // 1024 - 1024:>10} sda1\n",
}


def _status(machine: Any, proc: Any) -> str:
    machine = proc.machine
    user, group = machine.files.user, (machine.files.groups or (0,))[0]
    rows = (("Name", proc.name[:15]), ("Umask", "0022"), ("State", "S (sleeping)" if proc.alive else "Z (zombie)"), ("Tgid", proc.pid),
            ("Ngid", 0), ("Pid", proc.pid), ("PPid", proc.ppid), ("TracerPid", 0), ("Uid", f"{user}\t{user}\t{user}\t{user}"),
            ("Gid", f"{group}\t{group}\t{group}\t{group}"), ("FDSize", 64), ("Groups", " ".join(map(str, machine.files.groups))),
            ("VmSize", f"{4400:>8} kB"), ("VmRSS", f"{1024:>8} kB"), ("Threads", 1), *_rights(machine, user))
    return "".join(f"{name}:\t{value}\n" for name, value in rows)


def _rights(machine: Any, user: int) -> Iterable[tuple[str, Any]]:
    given: Rights = getattr(machine, "rights", Rights())
    held = 0 if user else given.mask
    for name, mask in (("Inh", 0), ("Prm", held), ("Eff", held), ("Bnd", given.mask), ("Amb", 0)):
        yield f"Cap{name}", f"{mask:016x}"
    yield from (("NoNewPrivs", int(given.no_new)), ("Seccomp", given.seccomp), ("Seccomp_filters", given.seccomp // 2))


def _process_stat(machine: Any, proc: Any) -> str:
    began = int((machine.clock.now - proc.started) * -TICKS + facts_of(machine).uptime * TICKS)
    return (f"{proc.pid} ({proc.name[:15]}) S {proc.ppid} {proc.group} {proc.group} 0 -1 4194560 100 0 0 0 0 0 0 0 20 0 1 0 {max(0, began)} "
            f"4505600 256 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n")


OF_PROCESS: dict[str, Callable[[Any, Any], str]] = {
    "cmdline": lambda machine, proc: "".join(f"{word}\0" for word in proc.argv),
    "comm": lambda machine, proc: f"{proc.name[:15]}\n",
    "environ": lambda machine, proc: "".join(f"{name}={value}\0" for name, value in proc.env.items()),
    "status": _status, "stat": _process_stat,
    "mounts": lambda machine, proc: mounts(machine),
    "cgroup": lambda machine, proc: "0::/\n",
    "oom_score": lambda machine, proc: "666\n", "oom_score_adj": lambda machine, proc: "0\n",
    "limits": lambda machine, proc: "Limit                     Soft Limit           Hard Limit           Units     \n"
                                    "Max open files            1048576              1048576              files     \n",
}
OTHERS: dict[str, Callable[[Any], str]] = {
    "/sys/fs/cgroup/memory.max": lambda machine: f"{facts_of(machine).memory_limit or 'max'}\n",
    "/sys/fs/cgroup/memory.current": lambda machine: f"{facts_of(machine).memory_here}\n",
    "/sys/fs/cgroup/memory.high": lambda machine: "max\n", "/sys/fs/cgroup/memory.min": lambda machine: "0\n",
    "/sys/fs/cgroup/memory.swap.max": lambda machine: "0\n",
    "/sys/fs/cgroup/cpu.max": lambda machine: f"{facts_of(machine).cpu_limit * 100 if facts_of(machine).cpu_limit else 'max'} 100000\n",
    "/sys/fs/cgroup/pids.max": lambda machine: "4661\n",
    "/sys/fs/cgroup/pids.current": lambda machine: f"{len(processes(machine))}\n",
    "/sys/fs/cgroup/cgroup.controllers": lambda machine: "cpuset cpu io memory hugetlb pids rdma misc\n",
    "/sys/fs/cgroup/cgroup.procs": lambda machine: "".join(f"{proc.pid}\n" for proc in processes(machine)),
    "/sys/class/net/eth0/address": lambda machine: next((each.mac for each in machine.network().interfaces() if each.name == "eth0"), "") + "\n",
    "/sys/class/net/eth0/mtu": lambda machine: str(next((each.mtu for each in machine.network().interfaces() if each.name == "eth0"), 1500)) + "\n",
    "/proc/sys/kernel/hostname": lambda machine: f"{machine.hostname}\n",
    "/proc/sys/kernel/osrelease": lambda machine: f"{KERNEL}\n", "/proc/sys/kernel/ostype": lambda machine: "Linux\n",
    "/proc/sys/kernel/pid_max": lambda machine: "4194304\n", "/proc/sys/vm/swappiness": lambda machine: "60\n",
    "/proc/sys/vm/overcommit_memory": lambda machine: "1\n", "/proc/sys/fs/file-max": lambda machine: "9223372036854775807\n",
    "/proc/sys/net/ipv4/ip_forward": lambda machine: "1\n", "/proc/sys/net/core/somaxconn": lambda machine: "4096\n",
}


def _folders() -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {"/sys": {}, "/proc/sys": {}}
    for path in (*OTHERS, "/sys/block/", "/sys/bus/", "/sys/dev/", "/sys/devices/", "/sys/firmware/", "/sys/kernel/", "/sys/module/", "/sys/power/"):
        while path not in ("/", ""):
            folder, _, name = path.rstrip("/").rpartition("/")
            if path.endswith("/"):
                found.setdefault(path.rstrip("/"), {})
            found.setdefault(folder or "/", {})[name] = None
            path = folder
    return {folder: list(names) for folder, names in found.items() if folder not in ("/", "/proc")}


FOLDERS = _folders()


# the kubelet's

GIVEN = ("/etc/hosts", "/dev/termination-log", "/etc/hostname", "/etc/resolv.conf")


def _network_text(what: str) -> Callable[[Any], str | None]:
    def text(machine: Any) -> str | None:
        try:
            return getattr(machine.network(), what)()
        except AttributeError:
            return None
    return text


KUBELET: dict[str, Callable[[Any], str | None]] = {
    "/etc/hostname": lambda machine: f"{machine.hostname}\n", "/etc/hosts": _network_text("hosts"), "/etc/resolv.conf": _network_text("resolv_conf"),
}
