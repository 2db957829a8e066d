"""What images hold: the directories and files that are there before anything is written.

In: an image (kit, name, tag). Out: ``layer``, shared by all containers of it: the usual directories of its distribution, who its users
are, its programs as files, and the few files of its application that people look at. Texts of configurations are written here for the
simulation; their names, places, and the figures in them are those of the real images.

Source: https://refspecs.linuxfoundation.org/FHS_3.0/fhs/index.html and the images' Dockerfiles
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from server.cluster.disks import Space
from server.cluster.inodes import Layer, Layers, Node
from server.cluster.runtime import kits, packages, pids
from server.cluster.runtime.binaries import ELF, binary
from server.cluster.runtime.files import Files
from server.cluster.runtime.procfs import Live, Security

if TYPE_CHECKING:
    from server.cluster.runtime.container import Container
    from server.cluster.runtime.images import Image

DEVICES = {"null": (1, 3, 0o666), "zero": (1, 5, 0o666), "full": (1, 7, 0o666), "random": (1, 8, 0o666), "urandom": (1, 9, 0o666),
           "tty": (5, 0, 0o666), "ptmx": (5, 2, 0o666)}
DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
KERNEL_FOLDERS = {"/proc/": 0o555, "/sys/": 0o555, "/dev/": 0o755, "/dev/pts/": 0o755, "/dev/shm/": 0o1777, "/dev/mqueue/": 0o1777}  # noqa: S108
BUILT = 45 * 86400.0  # seconds before the cluster's epoch at which images were made
MERGED = ("bin", "sbin", "lib")
FOLDERS = {
    "busybox": "bin etc home lib root tmp usr usr/sbin var var/spool var/spool/mail var/www",
    "alpine": "bin etc etc/apk etc/apk/keys etc/conf.d etc/init.d etc/network etc/periodic etc/ssl etc/ssl/certs home lib lib/apk media "
              "media/cdrom media/floppy media/usb mnt opt root run run/lock sbin srv tmp usr usr/bin usr/lib usr/local usr/local/bin usr/local/lib "
              "usr/local/share usr/sbin usr/share usr/share/man usr/share/misc var var/cache var/empty var/lib var/local var/log var/mail var/opt "
              "var/spool var/tmp",
    "debian": "boot etc etc/alternatives etc/apt etc/apt/sources.list.d etc/cron.daily etc/default etc/dpkg etc/init.d etc/ld.so.conf.d "
              "etc/logrotate.d etc/pam.d etc/profile.d etc/security etc/skel etc/ssl etc/ssl/certs home media mnt opt root run run/lock srv tmp "
              "usr usr/bin usr/games usr/include usr/lib usr/lib/x86_64-linux-gnu usr/lib64 usr/libexec usr/local usr/local/bin usr/local/etc "
              "usr/local/lib usr/local/sbin usr/local/share usr/sbin usr/share usr/share/doc usr/share/man usr/share/zoneinfo usr/src var "
              "var/backups var/cache var/cache/apt var/lib var/lib/apt var/lib/dpkg var/local var/log var/mail var/opt var/spool var/tmp",
}
MODES = {"/tmp/": 0o1777, "/var/tmp/": 0o1777, "/root/": 0o700, "/run/lock/": 0o1777}  # noqa: S108
OS_RELEASE = {
    "alpine": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID={version}\nPRETTY_NAME="Alpine Linux v{short}"\n'
              'HOME_URL="https://alpinelinux.org/"\nBUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"\n',
    "debian": 'PRETTY_NAME="Debian GNU/Linux {major} ({codename})"\nNAME="Debian GNU/Linux"\nVERSION_ID="{major}"\nVERSION="{major} ({codename})"\n'
              'VERSION_CODENAME={codename}\nID=debian\nHOME_URL="https://www.debian.org/"\nSUPPORT_URL="https://www.debian.org/support"\n'
              'BUG_REPORT_URL="https://bugs.debian.org/"\n',
    "ubuntu": 'PRETTY_NAME="Ubuntu {version} LTS"\nNAME="Ubuntu"\nVERSION_ID="{version}"\nVERSION="{version} LTS ({codename})"\n'
              'VERSION_CODENAME={codename}\nID=ubuntu\nID_LIKE=debian\nHOME_URL="https://www.ubuntu.com/"\nUBUNTU_CODENAME={codename}\n',
    "centos": 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n',
    "fedora": 'NAME="Fedora Linux"\nVERSION="44 (Container Image)"\nID=fedora\nVERSION_ID=44\nPRETTY_NAME="Fedora Linux 44 (Container Image)"\n',
}
CODENAMES = {"7": "wheezy", "8": "jessie", "9": "stretch", "10": "buster", "11": "bullseye", "12": "bookworm", "13": "trixie"}
UBUNTU = {"12.04": "precise", "14.04": "trusty", "16.04": "xenial", "18.04": "bionic", "20.04": "focal", "22.04": "jammy", "24.04": "noble",
          "25.10": "questing"}
USERS = {
    "busybox": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n"
               "sys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\n"
               "operator:x:37:37:Operator:/var:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    "alpine": "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\ndaemon:x:2:2:daemon:/sbin:/sbin/nologin\n"
              "lp:x:4:7:lp:/var/spool/lpd:/sbin/nologin\nsync:x:5:0:sync:/sbin:/bin/sync\nshutdown:x:6:0:shutdown:/sbin:/sbin/shutdown\n"
              "halt:x:7:0:halt:/sbin:/sbin/halt\nmail:x:8:12:mail:/var/mail:/sbin/nologin\nnews:x:9:13:news:/usr/lib/news:/sbin/nologin\n"
              "uucp:x:10:14:uucp:/var/spool/uucppublic:/sbin/nologin\ncron:x:16:16:cron:/var/spool/cron:/sbin/nologin\n"
              "ftp:x:21:21::/var/lib/ftp:/sbin/nologin\nsshd:x:22:22:sshd:/dev/null:/sbin/nologin\ngames:x:35:35:games:/usr/games:/sbin/nologin\n"
              "ntp:x:123:123:NTP:/var/empty:/sbin/nologin\nguest:x:405:100:guest:/dev/null:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
    "debian": "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\n"
              "sys:x:3:3:sys:/dev:/usr/sbin/nologin\nsync:x:4:65534:sync:/bin:/bin/sync\ngames:x:5:60:games:/usr/games:/usr/sbin/nologin\n"
              "man:x:6:12:man:/var/cache/man:/usr/sbin/nologin\nlp:x:7:7:lp:/var/spool/lpd:/usr/sbin/nologin\n"
              "mail:x:8:8:mail:/var/mail:/usr/sbin/nologin\nnews:x:9:9:news:/var/spool/news:/usr/sbin/nologin\n"
              "uucp:x:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin\nproxy:x:13:13:proxy:/bin:/usr/sbin/nologin\n"
              "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nbackup:x:34:34:backup:/var/backups:/usr/sbin/nologin\n"
              "list:x:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin\nirc:x:39:39:ircd:/run/ircd:/usr/sbin/nologin\n"
              "_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
}
GROUPS = {
    "busybox": "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nkmem:x:9:\nwheel:x:10:root\n"
               "cdrom:x:11:\ndialout:x:18:\nfloppy:x:19:\nvideo:x:28:\naudio:x:29:\ntape:x:32:\nwww-data:x:33:\noperator:x:37:\nutmp:x:43:\n"
               "plugdev:x:46:\nstaff:x:50:\nlock:x:54:\nnetdev:x:82:\nusers:x:100:\nnobody:x:65534:\n",
    "alpine": "root:x:0:root\nbin:x:1:root,bin,daemon\ndaemon:x:2:root,bin,daemon\nsys:x:3:root,bin\nadm:x:4:root,daemon\ntty:x:5:\n"
              "disk:x:6:root\nlp:x:7:lp\nkmem:x:9:\nwheel:x:10:root\nfloppy:x:11:root\nmail:x:12:mail\nnews:x:13:news\nuucp:x:14:uucp\n"
              "cron:x:16:cron\naudio:x:18:\ncdrom:x:19:\ndialout:x:20:root\nftp:x:21:\nsshd:x:22:\ninput:x:23:\ntape:x:26:root\nvideo:x:27:root\n"
              "netdev:x:28:\nkvm:x:34:kvm\ngames:x:35:\nshadow:x:42:\nwww-data:x:82:\nusers:x:100:games\nntp:x:123:\nabuild:x:300:\nutmp:x:406:\n"
              "ping:x:999:\nnogroup:x:65533:\nnobody:x:65534:\n",
    "debian": "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nnews:x:9:\nuucp:x:10:\nman:x:12:\n"
              "proxy:x:13:\nkmem:x:15:\ndialout:x:20:\nfax:x:21:\nvoice:x:22:\ncdrom:x:24:\nfloppy:x:25:\ntape:x:26:\nsudo:x:27:\naudio:x:29:\n"
              "dip:x:30:\nwww-data:x:33:\nbackup:x:34:\noperator:x:37:\nlist:x:38:\nirc:x:39:\nsrc:x:40:\nshadow:x:42:\nutmp:x:43:\nvideo:x:44:\n"
              "sasl:x:45:\nplugdev:x:46:\nstaff:x:50:\ngames:x:60:\nusers:x:100:\nnogroup:x:65534:\n",
}


def distribution(image: Image) -> str:
    """busybox | alpine | debian | ubuntu | centos | fedora | scratch: what an image is made of."""
    name, tag = image.reference.familiar.rpartition("/")[2], image.reference.tag
    if image.kit == "scratch":
        return "scratch"
    if image.kit == "busybox":
        return "busybox" if name == "busybox" else "alpine"
    return name if name in ("ubuntu", "centos", "fedora") else "alpine" if "alpine" in tag else "debian"


def _release(image: Image, made_of: str) -> dict[str, Node]:
    """Which release it says that it is."""
    name, tag = image.reference.familiar.rpartition("/")[2], image.reference.tag
    own = name in ("debian", "ubuntu", "alpine")
    version = tag.partition("-")[0] if own else ""
    if made_of == "alpine":
        full = version if version[:1].isdigit() else "3.22.2"
        full = full if full.count(".") == 2 else f"{full}.0" if "." in full else "3.22.2"
        text = OS_RELEASE["alpine"].format(version=full, short=full.rpartition(".")[0])
        return {"/etc/os-release": text, "/etc/alpine-release": f"{full}\n",
                "/etc/apk/repositories": "".join(f"https://dl-cdn.alpinelinux.org/alpine/v{full.rpartition('.')[0]}/{part}\n" for part in (
                    "main", "community")),
                "/etc/issue": f"Welcome to Alpine Linux {full.rpartition('.')[0]}\nKernel \\r on an \\m (\\l)\n\n",
                "/etc/motd": "Welcome to Alpine!\n"}
    if made_of == "ubuntu":
        given = version if version in UBUNTU else next((number for number, word in UBUNTU.items() if word == version), "24.04")
        text = OS_RELEASE["ubuntu"].format(version=given, codename=UBUNTU[given])
        return {"/usr/lib/os-release": text, "/etc/os-release": {"link": "../usr/lib/os-release"}, "/etc/issue": f"Ubuntu {given} LTS \\n \\l\n\n"}
    if made_of in ("centos", "fedora"):
        return {"/usr/lib/os-release": OS_RELEASE[made_of], "/etc/os-release": {"link": "../usr/lib/os-release"},
                "/etc/redhat-release": "CentOS Linux release 7.9.2009 (Core)\n" if made_of == "centos" else "Fedora release 44 (Forty Four)\n"}
    word = next((number for number, codename in CODENAMES.items() if codename in tag), "")
    major = word or (version.partition(".")[0] if version[:1].isdigit() else "12" if name != "debian" else "13")
    major = major if major in CODENAMES else "12"
    text = OS_RELEASE["debian"].format(major=major, codename=CODENAMES[major])
    return {"/usr/lib/os-release": text, "/etc/os-release": {"link": "../usr/lib/os-release"},
            "/etc/debian_version": f"{major}.{'12' if major == '12' else '1'}\n", "/etc/issue": f"Debian GNU/Linux {major} \\n \\l\n\n"}


def _programs(image: Image, made_of: str) -> dict[str, Node]:
    """Its programs, as files that can be listed and run, but hold nothing to read."""
    name, found = image.reference.familiar, {}
    for program in sorted(kits.names(image.kit, name, image.reference.tag)):
        path = kits.where(image.kit, program, name)
        if made_of == "alpine" and program in kits.APPLETS:
            found[path] = {"link": "/bin/busybox"}
        elif made_of == "busybox":
            found[path] = binary("busybox", 1_146_600, links=len(kits.APPLETS))
        else:
            found[path] = binary(program)
    if made_of == "alpine":
        found["/bin/busybox"] = binary("busybox", 808_712)
    elif made_of == "busybox":
        found["/bin/busybox"] = binary("busybox", 1_146_600, links=len(kits.APPLETS))
    elif made_of != "scratch":
        found["/usr/bin/sh"] = {"link": "dash" if made_of in ("debian", "ubuntu") else "bash"}
        found["/usr/bin/awk"] = {"link": "/etc/alternatives/awk"}
        found["/etc/alternatives/awk"] = {"link": "/usr/bin/mawk"}
        found["/usr/bin/mawk"] = binary("mawk")
    return found


@lru_cache(maxsize=256)
def layer(image: Image) -> Layer:
    """What the image holds."""
    made_of = distribution(image)
    base = "debian" if made_of in ("ubuntu", "centos", "fedora") else made_of
    nodes: dict[str, Node] = {path: {"mode": mode} for path, mode in KERNEL_FOLDERS.items()}
    for name, (major, minor, mode) in DEVICES.items():
        nodes[f"/dev/{name}"] = {"device": [major, minor], "mode": mode}
    nodes.update({f"/dev/{name}": {"link": target} for name, target in DEVICE_LINKS.items()})
    nodes["/etc/"] = {}
    if base in FOLDERS:
        nodes.update({f"/{path}/": {"mode": MODES[f"/{path}/"]} if f"/{path}/" in MODES else {} for path in FOLDERS[base].split()})
        nodes["/etc/passwd"], nodes["/etc/group"] = USERS[base], GROUPS[base]
        nodes["/etc/shadow"] = {"text": "root:*::0:::::\n", "mode": 0o640, "gid": 42 if base != "busybox" else 0}
        if base != "busybox":
            nodes.update(_release(image, made_of))
            nodes["/etc/profile"] = {"text": "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"}
            nodes["/var/run"] = {"link": "/run"}
            nodes["/etc/shells"] = "/bin/sh\n/bin/ash\n" if base == "alpine" else "/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n"
            nodes["/etc/nsswitch.conf"] = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
        else:
            nodes["/var/spool/mail/"] = {}
            nodes["/home/"] = {"uid": 65534, "gid": 65534}
            nodes["/lib64"] = {"link": "lib"}
            nodes["/usr/bin/env"] = {"link": "../../bin/env"}
            nodes["/etc/nsswitch.conf"] = "# /etc/nsswitch.conf\npasswd: files\ngroup: files\nhosts: files dns\n"
            nodes["/etc/network/"] = {}
        if base == "debian":
            nodes.update({f"/{name}": {"link": f"usr/{name}"} for name in MERGED})
            nodes["/lib64"] = {"link": "usr/lib64"}
            nodes["/root/.bashrc"] = "# ~/.bashrc: executed by bash(1) for non-login shells.\n\n# umask 022\n"
            nodes["/root/.profile"] = 'if [ "$BASH" ]; then\n  if [ -f ~/.bashrc ]; then\n    . ~/.bashrc\n  fi\nfi\n\nmesg n 2> /dev/null || true\n'
        nodes.update(_programs(image, made_of))
    else:
        nodes.update({f"/{word.strip('/')}": binary(word, image.size // 2) for word in (*image.entrypoint[:1], *image.command[:1])
                      if word.startswith("/")})
    nodes["/etc/mtab"] = {"link": "/proc/mounts"}
    nodes.update(packages.files_of(image, made_of))
    for word in image.entrypoint[:1]:
        if word.startswith("/") and word not in nodes and base != "scratch":
            nodes[word] = {"text": packages.ENTRYPOINT if word.endswith(".sh") else ELF, "mode": 0o755}
    return Layer(nodes)


def files_of(container: Container) -> Files:
    """The file system of a container, as its spec and its pod ask for it."""
    launch, runtime = container.launch, container.runtime
    epoch = runtime.clock.epoch.timestamp()
    asked = runtime.security(container.sandbox.key, launch.name)
    user, group = who(launch.image, asked)
    made = Files({}, container.own_files, container.mount_points(), container.mounted_tree, container.touch, runtime.written,
                 layer=Layers(Live(container), layer(launch.image)), now=lambda: epoch + runtime.clock.now, born=epoch - BUILT,
                 user=user, groups=tuple(dict.fromkeys((group, *asked.groups))), read_only=asked.read_only, space=lambda: Space("overlay", "overlay"))
    made.elsewhere = lambda path: pids.root_of(container, path)
    for path in (launch.cwd,):
        if path and path != "/" and not asked.read_only and not made.kind(path):
            made.user, kept = 0, made.user
            made.make_directory(path, parents=True)
            made.user = kept
    return made


def who(image: Image, asked: Security) -> tuple[int, int]:
    """(user, group) that the spec's security context asks for, else those of the image."""
    user = asked.user if asked.user is not None else packages.USER_OF.get(image.reference.familiar, 0)
    return user, asked.group if asked.group is not None else _primary(image, user)


def _primary(image: Image, user: int) -> int:
    """The group of a user in the image's /etc/passwd; 0 for one that it does not know."""
    found = layer(image).get("/etc/passwd")
    for row in (found if isinstance(found, str) else (found or {}).get("text", "")).splitlines():
        fields = row.split(":")
        if len(fields) > 3 and fields[2] == str(user):
            return int(fields[3])
    return 0
