"""Commands in containers, as tests run them."""

from typing import NamedTuple

from server.cluster.clock import Clock
from server.cluster.runtime.container import Launch
from server.cluster.runtime.images import image as find_image
from server.cluster.runtime.plans import plan
from server.cluster.runtime.runtime import Runtime
from server.cluster.runtime.session import Session
from server.cluster.store import State


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(container, *argv, stdin=None, limit=60.0):
    """Runs a command in a container to its end, on the cluster's clock."""
    session = Session(stdin=stdin is not None)
    container.execute(list(argv), session)
    if stdin is not None:
        session.send(stdin)
        session.close_stdin()
    clock = container.clock
    end = clock.now + limit
    said = {"stdout": "", "stderr": ""}
    while True:
        while session.output.items:
            stream, text = item = session.output.items.popleft()
            said[stream] += text
            session.took(item)
        due = clock.next_due()
        if session.status is not None and not session.output.items or due is None or due > end:
            break
        clock.step()
    assert session.exit_code is not None, f"{argv} did not end: {said}"
    return Done(session.exit_code, said["stdout"], said["stderr"])


def shell(container, script, **how):
    """Runs a script; what it prints on both streams, errors last."""
    done = run(container, "sh", "-c", script, **how)
    return done.out + done.err


def ran(script, seconds=60, image="busybox", **environment):
    """A script as the only process of a container: (lines that it printed, exit code or None while it runs)."""
    clock = Clock()
    runtime = Runtime(clock, State())
    sandbox = runtime.sandbox(("default", "box"), "u", "n", "box", "10.244.1.9")
    found = find_image(image)
    launch = Launch("c", found, plan(found, ("sh", "-c", script), ()))
    given = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **environment}
    container = runtime.start(sandbox, launch, "0" * 64, lambda: given, lambda container, code: None, lambda container, files: None)
    clock.run_for(seconds)
    return [line.text for line in container.log.all()], container.code
