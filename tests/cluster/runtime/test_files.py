"""A machine's file system: links, modes, owners, layers, zeros that cost nothing, and how all of it is kept."""

from __future__ import annotations

import io
import tarfile

import orjson
import pytest

from server.cluster.disks import Disks, Tree, tree
from server.cluster.inodes import decoded, encoded, node, text_of
from server.cluster.runtime.files import Files
from server.cluster.runtime.images import image
from server.cluster.runtime.kits import names
from server.cluster.runtime.mount_namespace import LIMIT, Mount
from server.cluster.runtime.rootfs import layer
from server.cluster.store import State
from tests.cluster.runtime.programs.test_file_programs import Machine

GIBI = 1024**3


def files(own=None, of="busybox:1.36", **how):
    return Files({}, own if own is not None else {}, (), lambda mount: Tree({}), lambda: None, layer=layer(image(of)), **how)


def test_links_are_followed_and_circles_are_noticed():
    box = files()
    assert box.symlink("tmp", "/t") == "" and box.write("/t/a", "1") == ""
    assert box.read("/tmp/a") == "1" and box.stat("/t", follow=False).kind == "link" and box.resolve("/t/a") == "/tmp/a"
    assert box.symlink("/x", "/y") == "" and box.symlink("/y", "/x") == ""
    assert box.write("/x", "1") == "Too many levels of symbolic links" and box.why_not("/x") == "Too many levels of symbolic links"


def test_why_a_path_is_not_found_is_told_from_its_top():
    box = files()
    assert box.write("/tmp/f", "") == ""
    assert box.why_not("/tmp/f/a/b") == "Not a directory" and box.why_not("/tmp/g/f/b") == "No such file or directory"
    assert box.write("/tmp/f/a", "") == "Not a directory" and box.write("/tmp/g/a", "") == "No such file or directory"
    assert box.why_not("/tmp/../tmp/f/a") == "Not a directory"


def test_a_path_that_is_too_long_is_nowhere():
    box, long = files(), "/a" * 100_000
    assert box.why_not(long) == box.write(long, "") == box.make_directory(long, True) == "File name too long"
    assert (box.kind(long), box.stat(long), box.read(long), box.names(long)) == ("", None, None, None)


@pytest.mark.parametrize(("name", "root"), [
    ("busybox:1.36", "bin dev etc home lib lib64 proc root sys tmp usr var"),
    ("alpine:3.20", "bin dev etc home lib media mnt opt proc root run sbin srv sys tmp usr var"),
    ("debian:12", "bin boot dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var"),
    ("nginx:1.27", "bin boot dev docker-entrypoint.d docker-entrypoint.sh etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var"),
    ("hello-world", "dev etc hello proc sys"),
])
def test_an_image_has_the_directories_of_the_real_one(name, root):
    assert files(of=name).names("/") == root.split()


def test_programs_are_files_and_images_differ_in_what_they_hold():
    assert files().stat("/bin/ls").mode == 0o755 and files().read("/bin/ls").startswith("\x7fELF")
    assert files(of="alpine:3.20").stat("/bin/ls", follow=False).link == "/bin/busybox"
    assert "curl" in names("debian", "nginx") and "ps" not in names("debian", "nginx") and "curl" not in names("busybox", "busybox")
    assert files(of="nginx:1.27").read("/usr/share/nginx/html/index.html").startswith("<!DOCTYPE html>")


def test_an_images_own_file_can_be_changed_and_removed_and_its_directory_made_anew():
    box = files(of="nginx:1.27")
    html = "/usr/share/nginx/html"
    assert box.remove(f"{html}/50x.html") == "" and box.names(html) == ["index.html"] and box.read(f"{html}/50x.html") is None
    assert box.write(f"{html}/index.html", "mine") == "" and box.read(f"{html}/index.html") == "mine"
    assert box.remove(html, recursive=True) == "" and box.kind(html) == ""
    assert box.make_directory(html) == "" and box.names(html) == []
    again = files(own=orjson.loads(orjson.dumps(box.own)), of="nginx:1.27")
    assert again.names(html) == [] and again.kind("/usr/share/nginx") == "directory"


def test_a_gigabyte_of_zeros_costs_nothing_but_counts():
    own = {}
    box = files(own)
    assert box.truncate("/tmp/big", GIBI, allocate=True) == "" and box.stat("/tmp/big").size == GIBI and box.size == GIBI
    assert len(orjson.dumps(own)) < 200
    assert box.write("/tmp/big", "end", append=True) == "" and box.stat("/tmp/big").size == GIBI + 3
    assert box.chunk("/tmp/big", GIBI - 2, 100) == ("\0\0", GIBI) and box.chunk("/tmp/big", GIBI, 100) == ("end", GIBI + 3)
    assert box.truncate("/tmp/sparse", GIBI) == "" and box.stat("/tmp/sparse").blocks == 0 and box.size == GIBI + 3


def test_a_file_that_grows_for_ever_forgets_its_beginning_and_a_large_one_is_refused():
    box = files()
    for _ in range(40):
        assert box.write("/tmp/log", "line of a log\n" * 400, append=True) == ""
    assert box.stat("/tmp/log").size == 40 * 400 * 14 and len(box.read("/tmp/log")) <= LIMIT and box.read("/tmp/log").endswith("log\n")
    assert box.write("/tmp/large", "x" * (LIMIT + 1)) == "File too large" and box.kind("/tmp/large") == ""


def test_bytes_that_are_no_text_survive_being_kept():
    own = {}
    raw = bytes(range(256))
    files(own).write("/tmp/raw", decoded(raw))
    kept = orjson.loads(orjson.dumps(own))
    assert encoded(files(kept).read("/tmp/raw")) == raw and files(kept).stat("/tmp/raw").size == 256
    disks = Disks(State())
    assert disks.put("d", "/raw", node(decoded(raw))) == "" and encoded(text_of(disks.files("d")["/raw"])) == raw


def test_what_an_earlier_version_kept_is_still_read():
    own = {"/tmp/a": "old", "/tmp/d/": ""}
    box = files(own)
    assert box.read("/tmp/a") == "old" and box.kind("/tmp/d") == "directory" and box.stat("/tmp/a").mode == 0o644
    assert box.write("/tmp/a", "er", append=True) == "" and box.read("/tmp/a") == "older"


def test_another_user_may_write_only_where_it_may():
    box = files(user=1000, groups=(1000,))
    assert box.write("/etc/x", "1") == "Permission denied" and box.write("/etc/passwd", "1") == "Permission denied"
    assert box.write("/tmp/x", "1") == "" and box.stat("/tmp/x").uid == 1000 and not box.may("/root", 4)
    assert box.chown("/tmp/x", 0, None) == "Operation not permitted" and box.chmod("/etc/passwd", 0o777) == "Operation not permitted"
    assert files(read_only=True).write("/tmp/x", "1") == "Read-only file system"


def test_moves_go_within_a_file_system_and_take_all_below_along():
    disks = Disks(State())
    box = Files({}, {}, (Mount("/data", "v", False),), lambda mount: tree(disks, "v"), lambda: None, layer=layer(image("busybox")))
    box.make_directory("/data/a/b", parents=True)
    box.write("/data/a/b/c", "1")
    assert box.rename("/data/a", "/data/z") == "" and box.read("/data/z/b/c") == "1" and box.kind("/data/a") == ""
    assert box.rename("/data/z", "/tmp/z") == "Invalid cross-device link" and box.rename("/data/z", "/data/z/b/q") == "Invalid argument"
    assert box.remove("/data", recursive=True) == "Resource busy" and box.names("/data") == []


def test_a_tar_of_ours_is_read_by_others_and_theirs_by_us():
    box = Machine("busybox")
    box.run("mkdir -p d/e")
    box.files.write("/w/d/e/f", decoded(b"\x00\xff\n"))
    box.run("chmod 750 d/e/f")
    box.run("ln -s e/f d/l")
    packed, code = box.run("tar cf - d")
    with tarfile.open(fileobj=io.BytesIO(encoded(packed))) as archive:
        assert code == 0 and sorted(archive.getnames()) == ["d", "d/e", "d/e/f", "d/l"]
        assert archive.extractfile("d/e/f").read() == b"\x00\xff\n" and archive.getmember("d/e/f").mode == 0o750
        assert archive.getmember("d/l").linkname == "e/f"
    theirs = io.BytesIO()
    with tarfile.open(fileobj=theirs, mode="w") as archive:
        member = tarfile.TarInfo("x/y")
        member.size, member.mode, member.mtime = 3, 0o600, 1_000_000_000
        archive.addfile(member, io.BytesIO(b"\xfe\x00z"))
    assert box.run("tar -xmf - -C /tmp", given=decoded(theirs.getvalue())) == ("", 0)
    assert encoded(box.files.read("/tmp/x/y")) == b"\xfe\x00z" and box.files.stat("/tmp/x/y").mode == 0o600


def test_dd_takes_its_time_and_reports():
    box = Machine("busybox")
    said, code = box.run("dd if=/dev/zero of=z bs=1M count=1024")
    assert (code, said) == (0, "1024+0 records in\n1024+0 records out\n1073741824 bytes (1.0GB) copied, 2.560000 seconds, 400.0MB/s\n")
    assert box.files.stat("/w/z").size == GIBI and box.run("du -sh z") == ("1.0G\tz\n", 0)


def test_stress_takes_what_it_is_told_to_and_ends():
    box = Machine("debian")
    said, code = box.run("stress --cpu 2 --timeout 10s", seconds=5)
    assert code is None and box.system.burn["cpu"] == 2_000_000_000
    box.clock.run_for(10)
    assert box.system.burn is None


def test_processes_are_listed_and_signalled_in_both_flavours():
    small, large = Machine("busybox"), Machine("debian")
    for box in (small, large):
        box.run("sleep 1000", seconds=1)
    assert small.run("ps")[0].splitlines()[:2] == ["PID   USER     TIME  COMMAND", "    1 root      0:00 pause"]
    assert large.run("ps -ef")[0].splitlines()[0] == "UID          PID    PPID  C STIME TTY          TIME CMD"
    assert large.run("ps aux")[0].splitlines()[0] == "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND"
    assert small.run("pidof sleep") == ("3\n", 0) and small.run("pkill sleep") == ("", 0) and small.run("pidof sleep") == ("", 1)
    assert large.run("pgrep -f 1000") == ("3\n", 0) and large.run("kill 3") == ("", 0) and large.run("pgrep sleep") == ("", 1)
    assert large.run("kill -9 3") == ("kill: (3): No such process\n", 1)
