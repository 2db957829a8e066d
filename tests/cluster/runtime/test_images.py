"""Image names, and which images there are."""

import pytest

from server.cluster.runtime.images import PullError, image
from server.cluster.runtime.plans import plan
from server.cluster.runtime.references import InvalidReference, parse


@pytest.mark.parametrize(("text", "full"), [
    ("nginx", "docker.io/library/nginx:latest"),
    ("nginx:1.27", "docker.io/library/nginx:1.27"),
    ("docker.io/nginx", "docker.io/library/nginx:latest"),
    ("kiamol/ch02-hello-kiamol", "docker.io/kiamol/ch02-hello-kiamol:latest"),
    ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
    ("localhost:5000/a/b:v1", "localhost:5000/a/b:v1"),
    ("nginx@sha256:" + "a" * 64, "docker.io/library/nginx@sha256:" + "a" * 64),
])
def test_a_name_is_completed(text, full):
    assert parse(text).text == full


@pytest.mark.parametrize(("text", "why"), [
    ("NGINX:latest", "invalid reference format: repository name (library/NGINX) must be lowercase"),
    ("nginx:", "invalid reference format"), (":latest", "invalid reference format"), ("ng inx", "invalid reference format"),
    ("nginx:la test", "invalid reference format"), ("-nginx", "invalid reference format"), ("", "invalid reference format"),
])
def test_what_is_no_name_says_why(text, why):
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    assert str(caught.value) == why


@pytest.mark.parametrize("name", ["nginx", "nginx:1.14.2", "nginx:1.16.1", "nginx:1.27", "nginx:1.28", "nginx:alpine", "busybox:1.28",
                                  "mysql:8.0", "redis:7-alpine", "python:3.12-slim",
                                  "myapp:v3", "ghcr.io/me/thing:2024-01-01", "ubuntu:22.04",
                                  "registry.k8s.io/kube-apiserver:v1.36.2", "k8s.gcr.io/pause:3.9"])
def test_images_that_exist(name):
    assert image(name).size > 0


@pytest.mark.parametrize("name", ["nginx:1.200", "nginx:1.16.9", "nginx:nope", "busybox:9", "mysql:80", "ngnix", "nginxx", "ngins",
                                  "me/nosuch", "does-not-exist:1", "redis:99"])
def test_images_that_do_not_exist(name):
    with pytest.raises(PullError):
        image(name)


def test_a_missing_repository_is_denied_and_a_missing_tag_not_found():
    with pytest.raises(PullError, match="code = Unknown desc = .* pull access denied, repository does not exist or may require"):
        image("ngnix")
    with pytest.raises(PullError, match="code = NotFound desc = .*docker.io/library/nginx:1.200: not found$"):
        image("nginx:1.200")


@pytest.mark.parametrize(("name", "command", "args", "kind", "ports"), [
    ("nginx", (), (), "server", (80,)),
    ("nginx", ("nginx", "-g", "daemon off;"), (), "server", (80,)),
    ("nginx", (), ("sleep", "5"), "program", ()),
    ("redis", (), ("redis-server", "--appendonly", "yes"), "server", (6379,)),
    ("busybox", (), (), "program", ()),
    ("busybox", (), ("tail", "-f", "/dev/null"), "program", ()),
    ("busybox", ("nosuchcmd",), (), "missing", ()),
    ("busybox", ("/bin/nosuch",), (), "missing", ()),
    ("busybox", ("/from/a/volume.sh",), (), "program", ()),
    ("busybox", ("httpd", "-f", "-p", "8080"), (), "server", (8080,)),
    ("python:3.12", ("python", "-m", "http.server", "9000"), (), "server", (9000,)),
    ("python:3.12", ("python", "app.py"), (), "program", ()),
    ("me/app:1", (), (), "server", (3000,)),
    ("me/app:1", ("node", "server.js"), (), "server", (3000,)),
    ("hashicorp/http-echo", (), ("-text=hi", "-listen=:7000"), "server", (7000,)),
    ("registry.k8s.io/e2e-test-images/agnhost:2.40", (), ("netexec", "--http-port=8090"), "server", (8090,)),
    ("hello-world", (), (), "once", ()),
    ("busybox", ("wget", "x"), (), "program", ()),
])
def test_a_command_becomes_what_the_image_makes_of_it(name, command, args, kind, ports):
    what = plan(image(name), command, args, declared=(3000,))
    assert (what.kind, what.ports) == (kind, ports)


def test_the_missing_command_is_named_as_runc_does():
    assert plan(image("busybox"), ("nosuchcmd",), ()).text == 'exec: "nosuchcmd": executable file not found in $PATH'
    assert plan(image("busybox"), ("/bin/such",), ()).text == 'exec: "/bin/such": stat /bin/such: no such file or directory'
