"""kubectl cp: files to and from containers through the tar that they have."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk
from tests.kubectl.test_golden import transcript


@pytest.fixture(scope="module")
def desk() -> Desk:
    made = Desk(Cluster(seed=5), {"hello.txt": "hello\n", "d/a": "1\n", "d/b/c": "2\n", "bytes": "\udcff\udcfe\0x"})
    assert made.run("kubectl run web --image=nginx; kubectl run two --image=busybox -- sleep 9999; "
                    "kubectl run none --image=registry.k8s.io/pause").code == 0
    made.cluster.clock.run_for(15)
    return made


def said(desk: Desk, line: str) -> tuple[str, str, int]:
    result = desk.run(line)
    return result.stdout, result.stderr, result.code


@pytest.mark.parametrize("pods", ["two"])
def test_it_reads_as_on_a_real_cluster(desk: Desk, pods: str) -> None:
    for number in ("138", "139"):
        line, code, stdout, stderr = transcript(number)
        assert said(desk, line.replace("nginx-deploy-59c4c87bc6-bzqgn", pods)) == (stdout, stderr, code)


def test_a_file_goes_into_a_directory_or_takes_the_name(desk: Desk) -> None:
    assert said(desk, "kubectl cp hello.txt web:/tmp; kubectl cp hello.txt default/web:/tmp/other; kubectl exec web -- ls /tmp") == (
        "hello.txt\nother\n", "", 0)
    assert said(desk, "kubectl cp hello.txt web:/nodir/x")[2] == 2
    assert said(desk, "kubectl cp hello.txt web:/nodir/x")[1].endswith("\ncommand terminated with exit code 2\n")


def test_directories_go_both_ways(desk: Desk) -> None:
    assert said(desk, "mkdir -p d/empty; kubectl cp d web:/srv; kubectl cp d web:/srv/new; kubectl exec web -- find /srv")[0].splitlines() == [
        "/srv", "/srv/d", "/srv/d/a", "/srv/d/b", "/srv/d/b/c", "/srv/d/empty", "/srv/new", "/srv/new/a", "/srv/new/b", "/srv/new/b/c",
        "/srv/new/empty"]
    assert said(desk, "kubectl cp web:/srv/new got; find got | sort") == (
        "tar: Removing leading `/' from member names\ngot\ngot/a\ngot/b\ngot/b/c\ngot/empty\n", "", 0)
    assert desk.read("got/b/c") == "2\n"


def test_bytes_that_are_no_text_survive(desk: Desk) -> None:
    assert said(desk, "kubectl cp bytes web:/tmp/bytes; kubectl exec web -- wc -c /tmp/bytes; kubectl cp web:tmp/bytes back")[0] == "4 /tmp/bytes\n"
    assert desk.read("back") == "\udcff\udcfe\0x"


def test_links_are_not_followed_out_of_the_pod(desk: Desk) -> None:
    made = "mkdir /l; echo a >/l/a; ln -s /etc/passwd /l/p; ln -s a /l/q"
    stdout, stderr, code = said(desk, f"kubectl exec two -- sh -c '{made}'; kubectl cp two:/l l; ls l")
    assert (stdout, code) == ("tar: removing leading '/' from member names\na\n", 0)
    assert stderr == ('warning: skipping symlink: "l/p" -> "/etc/passwd" (consider using "kubectl exec -n "" "two" -- tar cf - "/l" | tar xf -")\n'
                      'warning: skipping symlink: "l/q" -> "a"\n')


def test_permissions_and_links_go_with_the_files(desk: Desk) -> None:
    assert said(desk, "mkdir m; echo 'echo ran' >m/run; chmod 755 m/run; ln -s run m/link; kubectl cp m web:/opt/m; kubectl exec web -- /opt/m/run; "
                      "kubectl exec web -- readlink /opt/m/link") == ("ran\nrun\n", "", 0)


def test_a_path_that_is_not_there(desk: Desk) -> None:
    assert said(desk, "kubectl cp two:/nosuch x")[0].startswith("tar: /nosuch: No such file or directory\n")
    assert desk.read("x") is None


def test_a_container_without_tar(desk: Desk) -> None:
    stdout, stderr, code = said(desk, "kubectl cp hello.txt none:/tmp")
    assert (stdout, code) == ("", 1)
    assert stderr.endswith('exec: "tar": executable file not found in $PATH: unknown\n')


def test_retries_and_no_preserve(desk: Desk) -> None:
    assert said(desk, "kubectl cp web:etc/hostname again --retries=2; cat again") == ("web\n", "", 0)
    assert said(desk, "kubectl cp --no-preserve hello.txt web:/tmp/np; kubectl exec web -- cat /tmp/np") == ("hello\n", "", 0)


@pytest.mark.parametrize(("words", "stderr"), [
    ("", "source and destination are required"), ("a b c", "source and destination are required"),
    ("a b", "one of src or dest must be a remote file specification"), ("web:/a two:/b", "one of src or dest must be a local file specification"),
    ("nofile web:/tmp", "nofile doesn't exist in local filesystem"), ("web: x", "filepath can not be empty"),
    ("a/b/c:/x y", "filespec must match the canonical format: [[namespace/]pod:]file/path"), ("web:/etc/hostname d", "open d: is a directory"),
    ("-c zz hello.txt web:/tmp", "container zz is not valid for pod web out of: web")])
def test_what_it_refuses(desk: Desk, words: str, stderr: str) -> None:
    assert said(desk, f"kubectl cp {words}")[1:] == (f"error: {stderr}\n", 1)


def test_a_pod_that_is_not_there(desk: Desk) -> None:
    for words in ("hello.txt nosuch:/x", "nosuch:/x y"):
        assert said(desk, f"kubectl cp {words}") == ("", 'Error from server (NotFound): pods "nosuch" not found\n', 1)
