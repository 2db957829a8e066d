"""Which programs each kind of image holds, and where they lie.

In: a kit (the flavour of an image's userland) and the image's name. Out: ``holds``, ``where`` and ``names``, which the shell's search, the
``/bin`` that ``ls`` shows and ``which`` go by. A program that an image holds but no module of ``programs`` runs is there as a file and
says so when it is called. Real images differ in what one misses: nginx has curl but no ps, busybox has no bash and no curl.

Source: https://busybox.net/downloads/BusyBox.html and https://packages.debian.org/bookworm/
"""

from __future__ import annotations

from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


APPLETS = _words("""
    [ [[ acpid addgroup adduser adjtimex ar arch arp arping ascii ash awk base32 base64 basename bc beep blkdiscard blkid blockdev
    bootchartd brctl bunzip2 bzcat bzip2 cal cat chat chattr chgrp chmod chown chpasswd chpst chroot chrt chvt cksum clear cmp comm conspy
    cp cpio crc32 crond crontab cryptpw cttyhack cut date dc dd deallocvt delgroup deluser depmod devmem df dhcprelay diff dirname dmesg
    dnsd dnsdomainname dos2unix dpkg dpkg-deb du dumpkmap dumpleases echo ed egrep eject env envdir envuidgid ether-wake expand expr factor
    fakeidentd fallocate false fatattr fbset fbsplash fdflush fdformat fdisk fgconsole fgrep find findfs flock fold free freeramdisk fsck
    fsck.minix fsfreeze fstrim fsync ftpd ftpget ftpput fuser getfattr getopt getty grep groups gunzip gzip halt hd hdparm head hexdump
    hexedit hostid hostname httpd hush hwclock i2cdetect i2cdump i2cget i2cset i2ctransfer id ifconfig ifdown ifenslave ifplugd ifup inetd
    init insmod install ionice iostat ip ipaddr ipcalc ipcrm ipcs iplink ipneigh iproute iprule iptunnel kbd_mode kill killall killall5
    klogd last less link linux32 linux64 linuxrc ln loadfont loadkmap logger login logname logread losetup lpd lpq lpr ls lsattr lsmod lsof
    lspci lsscsi lsusb lzcat lzma lzop makedevs makemime man md5sum mdev mesg microcom mim mkdir mkdosfs mke2fs mkfifo mkfs.ext2 mkfs.minix
    mkfs.vfat mknod mkpasswd mkswap mktemp modinfo modprobe more mount mountpoint mpstat mt mv nameif nanddump nandwrite nbd-client nc
    netstat nice nl nmeter nohup nologin nproc nsenter nslookup ntpd od openvt partprobe passwd paste patch pgrep pidof ping ping6
    pipe_progress pivot_root pkill pmap popmaildir poweroff powertop printenv printf ps pscan pstree pwd pwdx raidautorun rdate rdev
    readahead readlink readprofile realpath reboot reformime remove-shell renice reset resize resume rev rm rmdir rmmod route rpm rpm2cpio
    rtcwake run-init run-parts runlevel runsv runsvdir rx script scriptreplay sed seedrng sendmail seq setarch setconsole setfattr setfont
    setkeycodes setlogcons setpriv setserial setsid setuidgid sh sha1sum sha256sum sha3sum sha512sum showkey shred shuf slattach sleep
    smemcap softlimit sort split ssl_client start-stop-daemon stat strings stty su sulogin sum sv svc svlogd svok swapoff swapon
    switch_root sync sysctl syslogd tac tail tar taskset tc tcpsvd tee telnet telnetd test tftp tftpd time timeout top touch tr traceroute
    traceroute6 tree true truncate ts tsort tty ttysize tunctl ubiattach ubidetach ubimkvol ubirename ubirmvol ubirsvol ubiupdatevol udhcpc
    udhcpc6 udhcpd udpsvd uevent umount uname unexpand uniq unix2dos unlink unlzma unshare unxz unzip uptime users usleep uudecode uuencode
    vconfig vi vlock volname w wall watch watchdog wc wget which who whoami whois xargs xxd xz xzcat yes zcat zcip
""")
COREUTILS = _words("""
    [ arch b2sum base32 base64 basename basenc cat chcon chgrp chmod chown cksum comm cp csplit cut date dd df dir dircolors dirname du echo
    env expand expr factor false fmt fold groups head hostid id install join link ln logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl
    nohup nproc numfmt od paste pathchk pinky pr printenv printf ptx pwd readlink realpath rm rmdir runcon seq sha1sum sha224sum sha256sum
    sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty
    uname unexpand uniq unlink users vdir wc who whoami yes chroot
""")
ESSENTIAL = COREUTILS | _words("""
    sh dash bash rbash awk mawk nawk sed grep egrep fgrep rgrep find xargs tar gzip gunzip zcat zcmp zdiff zgrep zless zmore cmp diff diff3
    sdiff hostname domainname dnsdomainname getent getconf iconv ldd locale localedef dpkg dpkg-deb dpkg-query apt apt-get apt-cache apt-key
    apt-config perl login su passwd chage chfn chsh gpasswd newgrp useradd userdel groupadd groupdel usermod faillog lastlog last lastb mesg
    more mount umount mountpoint findmnt lsblk lscpu lsipc lsns lsmem lsfd dmesg flock logger look rev setsid taskset getopt hexdump hd ionice
    renice nsenter unshare prlimit script su tput tset reset clear infocmp tic toe which tempfile run-parts savelog debconf setarch i386 x86_64
    linux32 linux64 setpriv choom fallocate ipcmk ipcrm ipcs mcookie namei partx rename.ul scriptlive scriptreplay uclampset utmpdump wall
    whereis cal ldconfig fsck mkfs mkswap swapon swapoff losetup blkid blockdev sulogin agetty hwclock chcpu ctrlaltdel fsfreeze fstrim
    isosize pivot_root readprofile rtcwake switch_root wipefs zramctl nologin start-stop-daemon invoke-rc.d update-rc.d service
""")
PROCPS = _words("free kill pgrep pidwait pkill pmap ps pwdx skill slabtop snice sysctl tload top uptime vmstat w watch pidof killall pstree")
BUILD = PROCPS | _words("curl wget git openssl gpg make gcc cc g++ ld as ar nm objdump strings file xz unxz bzip2 bunzip2 unzip patch ssh scp "
                        "sftp svn hg autoconf m4 mysql_config pg_config")
NETWORK = _words("ping ping6 ip ss ifconfig netstat route arp nc telnet dig host nslookup traceroute tcpdump wget curl ssh scp iptables jq vim "
                 "vi nano less file tree strace lsof time bc dc xxd psql mysql redis-cli socat httpd")
ALPINE_EXTRA = _words("apk getent getconf iconv ldd ssl_client scanelf")
NODE_ONLY = _words("systemctl journalctl kubelet kubeadm crictl ctr containerd docker ipvsadm iptables-save ip6tables conntrack sudo kubectl "
                   "nsenter ssh-keygen timedatectl hostnamectl swapoff modprobe lsmod top htop exportfs showmount")
# What an image has beside its kit's, by the last part of its name; a name with a "-" in front is missing there.
OF_IMAGES: dict[str, frozenset[str]] = {
    "nginx": _words("nginx nginx-debug curl openssl njs envsubst docker-entrypoint.sh"),
    "nginx-slim": _words("curl"),
    "httpd": _words("httpd httpd-foreground apachectl ab htpasswd perl"),
    "redis": _words("redis-server redis-cli redis-benchmark redis-sentinel gosu setpriv docker-entrypoint.sh"),
    "mysql": PROCPS - {"killall", "pstree"} | _words("mysql mysqld mysqladmin mysqldump gosu curl openssl docker-entrypoint.sh"),
    "mariadb": _words("mariadb mariadbd mysql mysqld mariadb-admin mysqladmin mariadb-dump gosu pwgen xz docker-entrypoint.sh") | PROCPS,
    "postgres": _words("postgres psql pg_dump pg_isready createdb initdb gosu pg_ctl docker-entrypoint.sh"),
    "mongo": _words("mongod mongosh mongos gosu jq numactl docker-entrypoint.sh"),
    "ubuntu": PROCPS, "centos": PROCPS | _words("curl yum rpm ping ip ss vi ps python less"), "fedora": _words("curl dnf rpm less"),
    "wordpress": _words("php apache2-foreground apachectl curl docker-entrypoint.sh"),
    "tomcat": _words("catalina.sh java curl"), "haproxy": _words("haproxy docker-entrypoint.sh"),
    "perl": BUILD, "golang": BUILD | {"go", "gofmt"}, "openjdk": _words("java javac jshell keytool jar"),
    "buildpack-deps": BUILD, "netshoot": NETWORK | BUILD, "network-multitool": NETWORK, "dnsutils": _words("dig host nslookup curl ping nc"),
    "jessie-dnsutils": _words("dig host nslookup curl ping nc"), "curl": _words("curl"), "curlimages": _words("curl"),
    "bash": _words("bash"), "stress": _words("stress"), "stress-ng": _words("stress-ng"), "agnhost": _words("agnhost dig nslookup curl iperf"),
    "python": _words("pip pip3 python python3"), "node": _words("npm npx yarn node docker-entrypoint.sh"),
    "php": BUILD | _words("php apache2-foreground"), "debian": frozenset(), "memcached": _words("memcached docker-entrypoint.sh"),
    "rabbitmq": _words("rabbitmq-server rabbitmqctl gosu openssl docker-entrypoint.sh"),
}
SLIM = "slim"
SHELLS = _words("sh bash ash dash")
SBIN = _words("""
    ip ifconfig route arp httpd iptables ip6tables ipvsadm iptables-save reboot halt init swapoff swapon fdisk mkfs acpid adjtimex blkid
    fstrim getty hwclock ifdown ifup insmod klogd ldconfig losetup lsmod mdev mkswap modinfo modprobe nameif nologin pivot_root poweroff
    raidautorun rmmod slattach sulogin switch_root sysctl syslogd tunctl udhcpc vconfig watchdog zcip depmod
""")
SERVED = _words("nginx nginx-debug mysqld mariadbd ldconfig apache2-foreground start-stop-daemon agetty")
ROOT_BIN = _words("""
    arch ash base64 bbconfig cat chattr chgrp chmod chown cp date dd df dmesg dnsdomainname dumpkmap echo ed egrep false fatattr fdflush
    fgrep fsync getopt grep gunzip gzip hostname ionice iostat ipcalc kbd_mode kill link linux32 linux64 ln login ls lsattr lzop makemime
    mkdir mknod mktemp more mount mountpoint mpstat mv netstat nice pidof ping ping6 pipe_progress printenv ps pwd reformime rev rm rmdir
    run-parts sed setpriv setserial sh sleep stat stty su sync tar touch true umount uname usleep watch zcat busybox
""")




@lru_cache(maxsize=512)
def names(kit: str, image: str = "", tag: str = "") -> frozenset[str]:
    """The names of the programs that an image holds: its kit, its name without a registry ("nginx") and its tag.

    >>> "ps" in names("debian", "nginx", "1.27"), "curl" in names("debian", "nginx", "1.27"), "curl" in names("busybox", "busybox")
    (False, True, False)
    """
    name = image.rpartition("/")[2]
    own = OF_IMAGES.get(name, frozenset())
    if kit == "scratch":
        return own & {"agnhost"}
    if kit == "busybox":
        alpine = name != "busybox"
        own = own - PROCPS - BUILD if name in ("php", "golang", "perl") else own - PROCPS
        return APPLETS | own | (ALPINE_EXTRA if alpine else frozenset())
    if kit == "debian":
        return ESSENTIAL | own if SLIM not in tag else ESSENTIAL | (own - BUILD)
    if kit in ("python", "node"):
        more = _words("pip pip3 python python3 pydoc idle") if kit == "python" else _words("npm npx yarn node corepack yarnpkg docker-entrypoint.sh")
        return ESSENTIAL | more | (frozenset() if SLIM in tag else BUILD)
    return ESSENTIAL | PROCPS | BUILD | NETWORK | APPLETS | (NODE_ONLY if kit in ("host", "workstation") else frozenset())


def holds(kit: str, name: str, image: str = "", tag: str = "") -> bool:
    """Whether an image of that kit has a program of that name; a workstation and a node have all."""
    return kit in ("workstation", "host") or name in names(kit, image, tag)


def where(kit: str, name: str, image: str = "") -> str:
    """The path of a program that the kit holds."""
    if kit == "busybox":
        if image.rpartition("/")[2] in ("", "busybox"):
            return f"/bin/{name}"
        if name not in APPLETS and name not in ALPINE_EXTRA:
            return f"/usr/sbin/{name}" if name in SERVED else f"/usr/local/bin/{name}" if name not in ("curl", "openssl") else f"/usr/bin/{name}"
        if name in SBIN:
            return f"/sbin/{name}"
        return f"/bin/{name}" if name in ROOT_BIN else f"/usr/bin/{name}"
    if name in SERVED:
        return f"/usr/sbin/{name}"
    if name in ESSENTIAL | BUILD | NETWORK | APPLETS and name not in ("python", "python3", "httpd"):
        return f"/usr/{'sbin' if name in SBIN else 'bin'}/{name}"
    return f"/{name}" if name == "docker-entrypoint.sh" and image.rpartition("/")[2] == "nginx" else f"/usr/local/bin/{name}"
