"""apt-get and apk: programs that an image does not hold, from the distribution's mirror.

In: the packages of ``PACKAGES``, whose programs run here; any other is refused in so many words. Out: files in the container, which are gone
with it. The mirror stands for itself: whether its name resolves and the pod may send packets there is found out as any connection does.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/get-shell-running-container/, https://manpages.debian.org/bookworm/apt/apt-get.8
and https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.errno import DENIED
from server.cluster.runtime import kits
from server.cluster.runtime.binaries import binary
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Run


class Package(NamedTuple):
    """``kb``: what is fetched; ``alpine`` its name there ("": it is not one of Alpine's)."""

    version: str
    kb: int
    programs: str
    alpine: str = ""
    alpine_version: str = ""


PACKAGES = {
    "curl": Package("7.88.1-10+deb12u14", 316, "curl", "curl", "8.14.1-r2"), "wget": Package("1.21.3-1+deb12u1", 937, "wget", "wget", "1.25.0-r1"),
    "procps": Package("2:4.0.2-3", 709, "ps top free kill pgrep pkill uptime watch pidof", "procps", "4.0.4-r3"),
    "psmisc": Package("23.6-1", 259, "killall pstree", "psmisc", "23.7-r0"),
    "iputils-ping": Package("3:20221126-1+deb12u1", 47, "ping", "iputils-ping", "20240905-r0"),
    "dnsutils": Package("1:9.18.41-1~deb12u1", 411, "dig nslookup host", "bind-tools", "9.20.15-r0"),
    "bind9-dnsutils": Package("1:9.18.41-1~deb12u1", 411, "dig nslookup"), "bind9-host": Package("1:9.18.41-1~deb12u1", 305, "host"),
    "net-tools": Package("2.10-0.1+deb12u2", 243, "ifconfig netstat route arp", "net-tools", "2.10-r3"),
    "iproute2": Package("6.1.0-3", 1046, "ip ss", "iproute2", "6.15.0-r0"),
    "netcat-openbsd": Package("1.219-1", 41, "nc", "netcat-openbsd", "1.229.1-r0"), "netcat-traditional": Package("1.10-47", 67, "nc"),
    "telnet": Package("0.17+2.4-2+deb12u1", 4, "telnet", "busybox-extras", "1.37.0-r19"),
    "traceroute": Package("1:2.1.2-1", 55, "traceroute"),
    "tree": Package("2.1.0-1", 52, "tree", "tree", "2.2.1-r0"), "less": Package("590-2.1~deb12u2", 132, "less", "less", "679-r0"),
    "file": Package("1:5.44-3", 42, "file", "file", "5.46-r2"), "bash": Package("5.2.15-2+b9", 1491, "bash", "bash", "5.2.37-r0"),
    "redis-tools": Package("5:7.0.15-1~deb12u6", 988, "redis-cli", "redis", "8.0.4-r0"),
    "default-mysql-client": Package("1.1.0", 3, "mysql", "mysql-client", "11.4.8-r0"),
    "postgresql-client": Package("15+248", 10, "psql", "postgresql17-client", "17.6-r0"),
    "stress": Package("1.0.7-1", 18, "stress"), "stress-ng": Package("0.15.06-2", 2380, "stress-ng", "stress-ng", "0.19.01-r0"),
    "coreutils": Package("9.1-1", 2897, "ls date sort", "coreutils", "9.7-r1"),
}
ALPINE = {package.alpine: package for package in PACKAGES.values() if package.alpine}
LISTS, INSTALLED, WORLD = "/var/lib/apt/lists/deb.debian.org_debian_dists_Packages", "/var/lib/dpkg/info/{}.list", "/etc/apk/world"
INDEXES = (("InRelease", 151), ("-updates InRelease", 55), ("-security InRelease", 48), ("/main amd64 Packages", 8793),
           ("-updates/main amd64 Packages", 7), ("-security/main amd64 Packages", 287))
LOCKED = "E: Could not open lock file {0} - open (13: {1})\n"
YES = ("-y", "--yes", "--assume-yes", "-qy", "-yq", "-qqy", "-yqq")


def unreachable(proc: Proc, host: str) -> str:
    """Why the mirror is not reached, "" if it is: "name" or the fault. What lies beyond the cluster's edge is there for this alone."""
    if not proc.machine.network().resolve(host):
        return "name"
    walk = proc.machine.network().connect(host, 80)
    return "" if walk.error is None or walk.fault == "Network is unreachable" else walk.fault


def _distribution(proc: Proc) -> tuple[str, str]:
    """(host of the mirror, code name)."""
    found = dict(row.partition("=")[::2] for row in (proc.files.read("/etc/os-release") or "").splitlines())
    host = "archive.ubuntu.com" if found.get("ID") == "ubuntu" else "deb.debian.org"
    return host, found.get("VERSION_CODENAME", "bookworm")


def apt(proc: Proc) -> Run:
    words = [word for word in proc.args if not word.startswith("-")]
    agreed = any(word in YES for word in proc.args)
    verb, names = words[0] if words else "", list(dict.fromkeys(words[1:]))
    if verb == "update":
        return (yield from _update(proc))
    if verb in ("install", "remove", "purge"):
        return (yield from (_install if verb == "install" else _remove)(proc, names, agreed))
    if verb in ("clean", "autoclean", "autoremove", "upgrade"):
        quiet = "" if verb in ("clean", "autoclean") else ("Reading package lists... Done\nBuilding dependency tree... Done\n"
                                                            "Reading state information... Done\n0 upgraded, 0 newly installed, 0 to remove and "
                                                            "0 not upgraded.\n")
        proc.out(quiet)
        return 0
    proc.err(f"podium: {proc.name} {verb} is not simulated: update, install, remove, purge, clean, autoremove are\n" if verb else
             "apt 2.6.1 (amd64)\nUsage: apt-get [options] command\n")
    return 100


def _locked(proc: Proc, path: str) -> bool:
    if proc.files.user:
        proc.err(LOCKED.format(path, DENIED) + ("E: Unable to lock directory /var/lib/apt/lists/\n" if "lists" in path else
                                                "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n"))
    return bool(proc.files.user)


def _update(proc: Proc) -> Run:
    if _locked(proc, "/var/lib/apt/lists/lock"):
        return 100
    host, name = _distribution(proc)
    if why := unreachable(proc, host):
        yield from proc.sleep(3)
        told = f"Temporary failure resolving '{host}'" if why == "name" else f"Could not connect to {host}:80 - connect ({why})"
        proc.out(f"Err:1 http://{host}/debian {name} InRelease\n  {told}\nReading package lists... Done\n")
        proc.err(f"W: Failed to fetch http://{host}/debian/dists/{name}/InRelease  {told}\n"
                 "W: Some index files failed to download. They have been ignored, or old ones used instead.\n")
        return 0
    yield from proc.sleep(1.5)
    for number, (what, size) in enumerate(INDEXES, 1):
        proc.out(f"Get:{number} http://{host}/debian {name}{'' if what[0] in '-/' else ' '}{what} [{size} kB]\n")
    proc.out("Fetched 9341 kB in 2s (6227 kB/s)\nReading package lists... Done\n")
    return _written(proc, LISTS, "".join(f"Package: {each}\n" for each in PACKAGES))


def _written(proc: Proc, path: str, text: str) -> int:
    """Writes a file of the package manager's own, making its directory."""
    files = proc.files
    fault = files.make_directory(path.rpartition("/")[0], parents=True) or files.write(path, text)
    if fault:
        proc.err(f"E: {path} - open ({fault})\n")
    return 100 if fault else 0


def _install(proc: Proc, names: list[str], agreed: bool) -> Run:
    if _locked(proc, "/var/lib/dpkg/lock-frontend"):
        return 100
    proc.out("Reading package lists... Done\nBuilding dependency tree... Done\nReading state information... Done\n")
    for name in names:
        if not proc.files.kind(LISTS):
            proc.err(f"E: Unable to locate package {name}\n")
            return 100
        if name not in PACKAGES:
            proc.err(f"podium: {name} is none of the packages that are simulated: {' '.join(sorted(PACKAGES))}\n")
            return 100
    there = [name for name in names if proc.files.kind(INSTALLED.format(name))]
    proc.out("".join(f"{name} is already the newest version ({PACKAGES[name].version}).\n" for name in there))
    new = [name for name in names if name not in there]
    if new:
        proc.out(f"The following NEW packages will be installed:\n  {' '.join(sorted(new))}\n")
    proc.out(f"0 upgraded, {len(new)} newly installed, 0 to remove and 0 not upgraded.\n")
    if not new:
        return 0
    size = sum(PACKAGES[name].kb for name in new)
    proc.out(f"Need to get {size} kB of archives.\nAfter this operation, {size * 3} kB of additional disk space will be used.\n")
    if not agreed and not (yield from _asked(proc)):
        return 1
    host, release = _distribution(proc)
    if why := unreachable(proc, host):
        told = f"Temporary failure resolving '{host}'" if why == "name" else f"Could not connect to {host}:80 - connect ({why})"
        proc.err("".join(f"E: Failed to fetch http://{host}/debian/pool/main/{name[0]}/{name}  {told}\n" for name in new)
                 + "E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n")
        return 100
    for number, name in enumerate(new, 1):
        proc.out(f"Get:{number} http://{host}/debian {release}/main amd64 {name} amd64 {PACKAGES[name].version} [{PACKAGES[name].kb} kB]\n")
    yield from proc.sleep(0.4)
    proc.out(f"Fetched {size} kB in 0s ({size * 4} kB/s)\n")
    for name in new:
        proc.out(f"Selecting previously unselected package {name}.\n(Reading database ... 6099 files and directories currently installed.)\n"
                 f"Preparing to unpack .../{name}_{PACKAGES[name].version.replace(':', '%3a')}_amd64.deb ...\n"
                 f"Unpacking {name} ({PACKAGES[name].version}) ...\n")
        yield from proc.sleep(0.2)
    for name in new:
        proc.out(f"Setting up {name} ({PACKAGES[name].version}) ...\n")
        if code := _put(proc, PACKAGES[name], INSTALLED.format(name)):
            return code
    return 0


def _asked(proc: Proc) -> Generator[Any, Any, bool]:
    proc.out("Do you want to continue? [Y/n] ")
    answer = yield from proc.readline()
    if answer.strip().lower() in ("y", "yes") or answer == "\n":
        return True
    proc.out("Abort.\n")
    return False


def _put(proc: Proc, package: Package, listed: str) -> int:
    paths = []
    for program in package.programs.split():
        path = kits.where("debian", program)
        if not proc.machine.where(program):
            if fault := proc.files.put(path, binary(program)):
                proc.err(f"dpkg: error processing archive: unable to create '{path}.dpkg-new': {fault}\n"
                         if listed else f"ERROR: Failed to create {path.lstrip('/')}: {fault}\n")
                return 100
            paths.append(path)
    return _written(proc, listed, "".join(f"{path}\n" for path in paths)) if listed else 0


def _remove(proc: Proc, names: list[str], agreed: bool) -> Run:
    if _locked(proc, "/var/lib/dpkg/lock-frontend"):
        return 100
    proc.out("Reading package lists... Done\nBuilding dependency tree... Done\nReading state information... Done\n")
    there = [name for name in names if name in PACKAGES and proc.files.kind(INSTALLED.format(name))]
    proc.out("".join(f"Package '{name}' is not installed, so not removed\n" for name in names if name not in there))
    if there:
        proc.out(f"The following packages will be REMOVED:\n  {' '.join(there)}\n")
    proc.out(f"0 upgraded, 0 newly installed, {len(there)} to remove and 0 not upgraded.\n")
    if there and not agreed and not (yield from _asked(proc)):
        return 1
    for name in there:
        proc.out(f"Removing {name} ({PACKAGES[name].version}) ...\n")
        for path in (proc.files.read(INSTALLED.format(name)) or "").split():
            proc.files.remove(path)
        proc.files.remove(INSTALLED.format(name))
    return 0


def apk(proc: Proc) -> Run:
    """apk add, update and del."""
    words = [word for word in proc.args if not word.startswith("-")]
    verb, names = words[0] if words else "", list(dict.fromkeys(words[1:]))
    if verb not in ("add", "update", "del"):
        proc.err(f"podium: apk {verb} is not simulated: add, update and del are\n")
        return 1
    if proc.files.user:
        proc.err(f"ERROR: Unable to lock database: {DENIED}\nERROR: Failed to open apk database: {DENIED}\n")
        return 99
    world = (proc.files.read(WORLD) or "").split()
    if verb == "del":
        gone = [name for name in names if name in world and name in ALPINE]
        for number, name in enumerate(gone, 1):
            proc.out(f"({number}/{len(gone)}) Purging {name} ({ALPINE[name].alpine_version})\n")
            for program in ALPINE[name].programs.split():
                if not proc.machine.where(program):
                    proc.files.remove(kits.where("debian", program))
        _written(proc, WORLD, "".join(f"{name}\n" for name in world if name not in names))
        proc.out("OK: 8 MiB in 15 packages\n")
        return 0
    indexes = [f"{row}/x86_64/APKINDEX.tar.gz" for row in (proc.files.read("/etc/apk/repositories") or "").split()]
    proc.out("".join(f"fetch {index}\n" for index in indexes))
    why = unreachable(proc, "dl-cdn.alpinelinux.org")
    yield from proc.sleep(5 if why else 0.8)
    if why:
        told = "DNS: transient error (try again later)" if why == "name" else "temporary error (try again later)"
        proc.err("".join(f"WARNING: fetching {index.rpartition('/x86_64')[0]}: {told}\n" for index in indexes))
    elif verb == "update":
        proc.out("".join(f"v{(proc.files.read('/etc/alpine-release') or '').strip()} [{index.rpartition('/x86_64')[0]}]\n" for index in indexes)
                 + "OK: 26326 distinct packages available\n")
    if verb == "update":
        return len(indexes) if why else 0
    if unknown := [name for name in names if why or name not in ALPINE]:
        if why:
            proc.err("ERROR: unable to select packages:\n" + "".join(f"  {name} (no such package):\n    required by: world[{name}]\n"
                                                                  for name in unknown))
        else:
            proc.err(f"podium: {unknown[0]} is none of the packages that are simulated: {' '.join(sorted(ALPINE))}\n")
        return len(unknown)
    new = [name for name in names if name not in world]
    for number, name in enumerate(new, 1):
        proc.out(f"({number}/{len(new)}) Installing {name} ({ALPINE[name].alpine_version})\n")
        yield from proc.sleep(0.1)
        if _put(proc, ALPINE[name], ""):
            return 1
    if new:
        proc.out("Executing busybox-1.37.0-r19.trigger\n")
    proc.out(f"OK: {8 + 3 * (len(world) + len(new))} MiB in {16 + len(world) + len(new)} packages\n")
    return _written(proc, WORLD, "".join(f"{name}\n" for name in sorted({*world, *names})))


PROGRAMS: dict[str, Program] = {"apt-get": Program(apt), "apt": Program(apt), "apk": Program(apk)}
