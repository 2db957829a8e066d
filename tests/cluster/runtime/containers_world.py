"""A cluster with pods in it, into which tests send commands as ``kubectl exec`` would."""

from __future__ import annotations

import re
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.runtime.session import Session

PLACES = {"<ip>": r"\d+\.\d+\.\d+\.\d+", "<n>": r"[\d.]+", "<any>": r"[^\n]*", "<all>": r".*", "<word>": r"\S+"}


class Containers:
    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.cluster = Cluster(seed=seed, **options)
        self.client = self.cluster.client()

    def pod(self, name: str, image: str, command: list[str] | None = None, args: list[str] | None = None, *, labels: dict[str, str] | None = None,
            container: dict[str, Any] | None = None, **spec: Any) -> None:
        own = {"name": "c", "image": image, **({"command": command} if command else {}), **({"args": args} if args else {}), **(container or {})}
        self.client.create("pods", {"metadata": {"name": name, "namespace": "default", "labels": labels or {"app": name}},
                                    "spec": {"containers": [own], **spec}})

    def service(self, name: str, port: int, target: int | str | None = None, app: str | None = None, **spec: Any) -> None:
        self.client.create("services", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "selector": {"app": app or name}, "ports": [{"port": port, **({"targetPort": target} if target else {})}], **spec}})

    def deployment(self, name: str, image: str, replicas: int = 1, args: list[str] | None = None, **container: Any) -> None:
        self.client.create("deployments.apps", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}, "spec": {
                "containers": [{"name": "c", "image": image, **({"args": args} if args else {}), **container}]}}}})

    def config(self, name: str, **data: str) -> None:
        self.client.create("configmaps", {"metadata": {"name": name, "namespace": "default"},
                                          "data": {key.replace("__", "."): text for key, text in data.items()}})

    def address(self, pod: str) -> str:
        return self.client.get("pods", "default", pod)["status"]["podIP"]

    def run(self, pod: str, command: str | list[str], *, seconds: float = 120, stdin: str | None = None,
            container: str = "c") -> tuple[str, int | None]:
        """(all that is printed, exit code; None if it has not ended in so many virtual seconds)."""
        found = self.cluster.kubelets.runtime.container("default", pod, container)
        session = Session(stdin=stdin is not None)
        found.execute(["sh", "-c", command] if isinstance(command, str) else command, session)
        if stdin is not None:
            session.send(stdin)
            session.close_stdin()
        said, until = [], self.cluster.clock.now + seconds
        while session.exit_code is None and self.cluster.clock.now < until:
            self.cluster.clock.run_for(0.25)
            said.extend(self._taken(session))
        said.extend(self._taken(session))
        code = session.exit_code
        if code is None:
            session.close()
        return "".join(said), code

    @staticmethod
    def _taken(session: Session) -> list[str]:
        texts = []
        while session.output.items:
            item = session.output.items.popleft()
            session.took(item)
            texts.append(item[1])
        return texts

    def logs(self, pod: str, container: str = "c") -> str:
        return "".join(f"{line.text}\n" for line in self.cluster.kubelets.runtime.logs("default", pod, container))

    def settle(self, seconds: float = 30) -> None:
        self.cluster.clock.run_for(seconds)


def matches(expected: str, said: str) -> bool:
    """Whether what was said is what was expected, but for the places that are marked."""
    pattern = "".join(PLACES.get(part) or re.escape(part) for part in re.split(r"(<\w+>)", expected))
    return re.fullmatch(pattern, said, re.S) is not None
