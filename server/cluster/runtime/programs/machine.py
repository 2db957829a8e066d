"""uname, hostname, id, whoami, groups, nproc, arch, uptime, free, dmesg, printenv, getconf, clear, reset, logname, tty, lsblk: what a
program is told of the machine and the user.

In: the machine (``procfs.facts_of``), its files /etc/passwd and /etc/group, the process's environment. Out: text.

Source: https://man7.org/linux/man-pages/man2/uname.2.html
"""

from __future__ import annotations

from datetime import timedelta

from server.cluster.errno import NOT_FOUND
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.procfs import KERNEL, VERSION, facts_of
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import Line, Names, Options, accounts, busybox, complain, human, human_busybox, plain
from server.cluster.runtime.streams import Fault

CONFIG = {"PAGESIZE": "4096", "PAGE_SIZE": "4096", "ARG_MAX": "2097152", "OPEN_MAX": "1048576", "CLK_TCK": "100", "LONG_BIT": "64",
          "INT_MAX": "2147483647", "PATH_MAX": "4096", "NAME_MAX": "255", "GNU_LIBC_VERSION": "glibc 2.36"}
UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def uname(proc: Proc, options: Options) -> int:
    small = busybox(proc)
    if options.operands:
        raise UNAME.misuse(proc, "" if small else f"extra operand '{options.operands[0]}'")
    fields = {"s": "Linux", "n": proc.machine.hostname, "r": KERNEL, "v": VERSION, "m": "x86_64", "p": "unknown", "i": "unknown",
              "o": "Linux" if small and proc.files.read("/etc/alpine-release") is not None else "GNU/Linux"}
    letters = "snrvmo" if options.has("a") else [letter for letter in "snrvmpio" if options.has(letter)] or "s"
    proc.out(" ".join(fields[letter] for letter in letters) + "\n")
    return 0


def arch(proc: Proc, options: Options) -> int:
    proc.out("x86_64\n")
    return 0


def hostname(proc: Proc, options: Options) -> int:
    small, name = busybox(proc), proc.machine.hostname
    if options.operands or options.has("F"):
        complain(proc, "sethostname: Operation not permitted" if small else "you must be root to change the host name")
        return 1
    if options.has("i"):
        found = _addresses(proc, name)
        if not found:
            complain(proc, f"{name}: Unknown host" if small else "Name or service not known")
            return 1
        proc.out(" ".join(found) + "\n")
    elif options.has("I"):
        proc.out(" ".join(_interfaces(proc)) + " \n")
    elif options.has("d"):
        _, dot, domain = _full(proc, name).partition(".")
        proc.out(f"{domain}\n" if dot else "\n" if small else "")
    elif options.has("f"):
        proc.out(f"{_full(proc, name)}\n")
    elif options.has("s"):
        proc.out(f"{name.partition('.')[0]}\n")
    else:
        proc.out(f"{name}\n")
    return 0


def _addresses(proc: Proc, name: str) -> list[str]:
    """Those of a name in /etc/hosts, else the machine's own."""
    found = [row.split()[0] for row in (proc.files.read("/etc/hosts") or "").splitlines() if name in row.split("#")[0].split()[1:]]
    return found or ([proc.machine.ip] if proc.machine.ip else [])


def _interfaces(proc: Proc) -> list[str]:
    try:
        found = [interface.address.partition("/")[0] for interface in proc.machine.network().interfaces()]
    except (AttributeError, Fault):
        found = []
    return [address for address in found if address and not address.startswith("127.")] or ([proc.machine.ip] if proc.machine.ip else [])


def _full(proc: Proc, name: str) -> str:
    """The first name that /etc/hosts gives the machine's address."""
    for row in (proc.files.read("/etc/hosts") or "").splitlines():
        words = row.split("#")[0].split()
        if name in words[1:]:
            return words[1]
    return name


def id_(proc: Proc, options: Options) -> int:
    small, names, files = busybox(proc), Names(proc), proc.files
    uid, gid, groups = files.user, files.groups[0] if files.groups else 0, list(files.groups or (0,))
    if options.operands:
        word = options.operands[0]
        users = accounts(proc, "/etc/passwd")
        if word not in users and not (word.isdigit() and int(word) in users.values()):
            complain(proc, f"unknown user {word}" if small else f"'{word}': no such user")
            return 1
        word = word if word in users else names.user(int(word))
        uid = users[word]
        row = next(row.split(":") for row in (files.read("/etc/passwd") or "").splitlines() if row.startswith(word + ":"))
        gid = int(row[3])
        groups = [gid, *members(proc, word, gid)]
    elif uid == 0 and groups == [0]:
        groups = [0, *members(proc, "root", 0)]
    text = {"u": str(uid), "g": str(gid), "G": " ".join(map(str, groups))}
    if options.has("n"):
        text = {"u": names.user(uid), "g": names.group(gid), "G": " ".join(names.group(group) for group in groups)}
    letter = options.last("u", "g", "G")
    if letter:
        proc.out(text[letter] + "\n")
        return 0
    if options.has("n", "r"):
        if small:
            raise ID.misuse(proc)
        complain(proc, "cannot print only names or real IDs in default format")
        return 1

    def named(number: int, table: dict[int, str]) -> str:
        return f"{number}({table[number]})" if number in table else str(number)

    proc.out(f"uid={named(uid, names.users)} gid={named(gid, names.groups)} groups={','.join(named(group, names.groups) for group in groups)}\n")
    return 0


def members(proc: Proc, user: str, but: int) -> list[int]:
    """The groups that /etc/group counts a user to."""
    found = []
    for row in (proc.files.read("/etc/group") or "").splitlines():
        fields = row.split(":")
        if len(fields) > 3 and fields[2].isdigit() and user in fields[3].split(",") and int(fields[2]) != but:
            found.append(int(fields[2]))
    return found


def whoami(proc: Proc, options: Options) -> int:
    uid = proc.files.user
    known = Names(proc).users
    if uid not in known:
        complain(proc, f"unknown uid {uid}" if busybox(proc) else f"cannot find name for user ID {uid}")
        return 1
    proc.out(known[uid] + "\n")
    return 0


def groups(proc: Proc, options: Options) -> int:
    names, own = Names(proc), proc.files.groups or (0,)
    found = list(own) if proc.files.user else [*own, *members(proc, "root", own[0])]
    proc.out(" ".join(names.group(group) for group in found) + "\n")
    return 0


def nproc(proc: Proc, options: Options) -> int:
    count = facts_of(proc.machine).cpus
    text = options.value("ignore", "0")
    if not text.isdigit():
        complain(proc, f"invalid number '{text}'" if busybox(proc) else f"{text}: invalid number to ignore")
        return 1
    proc.out(f"{max(1, count - int(text))}\n")
    return 0


def uptime(proc: Proc, options: Options) -> int:
    when, facts = proc.machine.time(), facts_of(proc.machine)
    seconds = int(facts.uptime)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if options.has("p"):
        parts = [f"{count} {word}{'s' if count != 1 else ''}" for count, word in ((days // 7, "week"), (days % 7, "day"), (hours, "hour"), (
            minutes, "minute")) if count]
        proc.out(f"up {', '.join(parts) or '0 minutes'}\n")
        return 0
    if options.has("s"):
        from datetime import timedelta
        proc.out(f"{when - timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}\n")
        return 0
    length = (f"{days} day{'s' if days != 1 else ''}, " if days else "") + (f"{hours:2d}:{minutes:02d}" if hours else f"{minutes} min")
    one, five, fifteen = facts.load
    users = "" if busybox(proc) else " 0 user, "
    proc.out(f" {when:%H:%M:%S} up {length}, {users} load average: {one:.2f}, {five:.2f}, {fifteen:.2f}\n")
    return 0


def free(proc: Proc, options: Options) -> int:
    small, facts = busybox(proc), facts_of(proc.machine)
    total, used = facts.memory, facts.memory_used
    shared, cache = total // 400, min(total // 3, total - used - total // 20)
    unused = max(0, total - used - cache)
    available = max(0, total - used - total // 50)
    letter = options.last("b", "k", "m", "g", "h")

    def size(number: int) -> str:
        if letter == "h":
            if small:
                return human_busybox(number)
            text = human(number)
            return text + "i" if text[-1:].isalpha() else text + "B"
        return str(number // UNITS[letter or "k"])

    rows = [("Mem:", (total, used, unused, shared, cache, available)), ("Swap:", (0, 0, 0))]
    if small:
        proc.out("              total        used        free      shared  buff/cache   available\n")
        for name, numbers in rows:
            proc.out(f"{name:<7}" + " ".join(f"{size(number):>{12 if at else 12}}" for at, number in enumerate(numbers)) + "\n")
    else:
        proc.out("               total        used        free      shared  buff/cache   available\n")
        for name, numbers in rows:
            proc.out(f"{name:<9}" + " ".join(f"{size(number):>11}" for number in numbers) + "\n")
    return 0


def dmesg(proc: Proc, options: Options) -> int:
    container = getattr(proc.machine, "image", None) is not None
    if container:
        complain(proc, "klogctl: Operation not permitted" if busybox(proc) else "read kernel buffer failed: Operation not permitted")
        return 1
    facts = facts_of(proc.machine)
    for at, text in ((0.0, f"Linux version {KERNEL} (debian-kernel@lists.debian.org) {VERSION}"),
                     (0.0, f"Command line: BOOT_IMAGE=/boot/vmlinuz-{KERNEL} root=/dev/sda1 ro quiet"),
                     (0.084, f"Memory: {facts.memory // 1024}K available"), (0.112, f"smp: Brought up 1 node, {facts.cpus} CPUs"),
                     (1.204, "EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.")):
        when = f"{proc.machine.time() + timedelta(seconds=at - facts.uptime):%a %b %e %H:%M:%S %Y}" if options.has("T") else f"{at:>12.6f}"
        proc.out(f"{'<6>' if options.has('r') else ''}[{when}] {text}\n")
    return 0


def printenv(proc: Proc, options: Options) -> int:
    if not options.operands:
        proc.out("".join(f"{name}={value}\n" for name, value in proc.env.items()))
        return 0
    found = [proc.env[name] for name in options.operands if name in proc.env]
    proc.out("".join(f"{value}\n" for value in found))
    return 0 if len(found) == len(options.operands) else 1


def getconf(proc: Proc, options: Options) -> int:
    name = options.operands[0] if options.operands else ""
    if name in ("_NPROCESSORS_ONLN", "_NPROCESSORS_CONF", "NPROCESSORS_ONLN"):
        proc.out(f"{facts_of(proc.machine).cpus}\n")
    elif name in ("_PHYS_PAGES",):
        proc.out(f"{facts_of(proc.machine).memory // 4096}\n")
    elif name in CONFIG:
        proc.out(f"{CONFIG[name]}\n")
    else:
        complain(proc, f"Unrecognized variable `{name}'" if name else "Usage: getconf [-v SPEC] VAR")
        return 2
    return 0


def clear(proc: Proc, options: Options) -> int:
    proc.out("\x1b[H\x1b[J" if busybox(proc) else "\x1b[H\x1b[2J\x1b[3J")
    return 0


def reset(proc: Proc, options: Options) -> int:
    if proc.isatty(1) or proc.isatty(0):
        proc.out("\x1bc\x1b(B\x1b[m\x1b[J\x1b[?25h")
    return 0


def tty(proc: Proc, options: Options) -> int:
    if not options.has("s"):
        proc.out("/dev/pts/0\n" if proc.isatty(0) else "not a tty\n")
    return 0 if proc.isatty(0) else 1


def hostid(proc: Proc, options: Options) -> int:
    octets = [int(part) for part in (_addresses(proc, proc.machine.hostname) or ["127.0.0.1"])[0].split(".") if part.isdigit()]
    octets = octets if len(octets) == 4 else [127, 0, 0, 1]
    proc.out(f"{octets[1]:02x}{octets[0]:02x}{octets[3]:02x}{octets[2]:02x}\n")
    return 0


def lsblk(proc: Proc, options: Options) -> int:
    """The node's disk, which a container sees, too, but not where it is mounted."""
    size = human(facts_of(proc.machine).disk).replace(".0", "")
    mounted = "" if getattr(proc.machine, "image", None) is not None else "/"
    proc.out("NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n" f"sda      8:0    0 {size:>5}  0 disk \n"
             f"└─sda1   8:1    0 {size:>5}  0 part {mounted}\n")
    return 0


def users(proc: Proc, options: Options) -> int:
    return 0


def logname(proc: Proc, options: Options) -> int:
    complain(proc, f"getlogin: {NOT_FOUND}" if busybox(proc) else "no login name")
    return 1


UNAME = Line("[-amnrspvio]", "amnrspvio", "", {"all": "a", "kernel-name": "s", "nodename": "n", "kernel-release": "r", "kernel-version": "v",
                                               "machine": "m", "processor": "p", "hardware-platform": "i", "operating-system": "o"}, 1,
             "[OPTION]...")
ID = Line("[-ugGnr] [USER]", "ugGnr", "", {"user": "u", "group": "g", "groups": "G", "name": "n", "real": "r"}, 1, "[OPTION]... [USER]...")
NOTHING = Line("", "")
PROGRAMS: dict[str, Program] = {
    "uname": Program(plain(UNAME, uname)), "arch": Program(plain(NOTHING, arch)),
    "hostname": Program(plain(Line("[-sidf] [HOSTNAME | -F FILE]", "sidfF:", "sidfF:I", {
        "short": "s", "ip-address": "i", "all-ip-addresses": "I", "fqdn": "f", "long": "f", "domain": "d"}, 1, "[-s|-f|-i|-I|-d]"), hostname)),
    "id": Program(plain(ID, id_)), "whoami": Program(plain(NOTHING, whoami)), "groups": Program(plain(Line("[USER]", ""), groups)),
    "nproc": Program(plain(Line("[--all] [--ignore=N]", "", "", {"all": "all", "ignore": "ignore:"}), nproc)),
    "uptime": Program(plain(Line("", "", "ps", {"pretty": "p", "since": "s"}, 1, "[options]"), uptime)),
    "free": Program(plain(Line("[-bkmgh]", "bkmgh", "bkmghtw", {"human": "h", "bytes": "b", "kibi": "k", "mebi": "m", "gibi": "g"}, 1, "[options]"),
                          free)),
    "dmesg": Program(plain(Line("[-r]", "r", "rT", {"raw": "r", "ctime": "T"}, 1, "[options]"), dmesg)),
    "printenv": Program(plain(Line("[VARIABLE]...", "", "", {}, 2, "[OPTION]... [VARIABLE]..."), printenv)),
    "getconf": Program(plain(Line("[-a] VAR", ""), getconf)), "clear": Program(plain(NOTHING, clear)), "reset": Program(plain(NOTHING, reset)),
    "tty": Program(plain(Line("[-s]", "s", "", {"silent": "s", "quiet": "s"}), tty)), "hostid": Program(plain(NOTHING, hostid)),
    "lsblk": Program(plain(Line("", "", "", {}, 1, "[options]"), lsblk)),
    "users": Program(plain(NOTHING, users)), "logname": Program(plain(NOTHING, logname)),
}
