"""Image references: ``nginx``, ``nginx:1.27``, ``registry.k8s.io/pause:3.10``, ``repo@sha256:...``.

Text from a pod's ``image`` comes in; out comes a ``Reference`` with the registry, repository and tag that a container runtime
would ask for (``docker.io/library/nginx:latest``), or ``InvalidReference`` with the words the kubelet reports.

Source: https://github.com/distribution/reference
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

DEFAULT_REGISTRY, DEFAULT_NAMESPACE, DEFAULT_TAG = "docker.io", "library", "latest"
MAX_NAME = 255
_PART = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::\d+)?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")


class InvalidReference(ValueError):
    """The text names no image."""


class Reference(NamedTuple):
    """
    >>> parse("nginx").text, parse("nginx").repository
    ('docker.io/library/nginx:latest', 'docker.io/library/nginx')
    """

    registry: str
    path: str
    tag: str
    digest: str = ""

    @property
    def repository(self) -> str:
        return f"{self.registry}/{self.path}"

    @property
    def familiar(self) -> str:
        """The repository as people write it: ``nginx``, ``kiamol/ch02-hello-kiamol``, ``registry.k8s.io/pause``."""
        if self.registry != DEFAULT_REGISTRY:
            return self.repository
        return self.path.removeprefix(f"{DEFAULT_NAMESPACE}/")

    @property
    def text(self) -> str:
        if self.digest:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag}"


@lru_cache(maxsize=4096)
def parse(image: str) -> Reference:
    """The reference that ``image`` names. InvalidReference if it names none."""
    rest, _, digest = image.partition("@")
    if digest and not _DIGEST.fullmatch(digest):
        raise InvalidReference("invalid reference format")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    elif not _TAG.fullmatch(tag):
        raise InvalidReference("invalid reference format")
    registry, path = _split(head)
    if path.lower() != path:
        raise InvalidReference(f"invalid reference format: repository name ({path}) must be lowercase")
    if not path or not all(_PART.fullmatch(part) for part in path.split("/")) or not _HOST.fullmatch(registry):
        raise InvalidReference("invalid reference format")
    if len(path) > MAX_NAME:
        raise InvalidReference(f"repository name must not be more than {MAX_NAME} characters")
    return Reference(registry, path, tag or ("" if digest else DEFAULT_TAG), digest)


def _split(name: str) -> tuple[str, str]:
    """(registry, path): the first part is a registry when it looks like a host."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        registry, path = first, rest
    else:
        registry, path = DEFAULT_REGISTRY, name
    if registry == "index.docker.io":
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and path and "/" not in path:
        path = f"{DEFAULT_NAMESPACE}/{path}"
    return registry, path
