"""What the registries answer when somebody has broken or slowed them: images that cannot be pulled, downloads that take longer.

Source: https://kubernetes.io/docs/concepts/containers/images/
"""

from __future__ import annotations

from server.cluster.runtime.images import Image, PullError, resolve
from server.cluster.runtime.references import InvalidReference, Reference, parse

EVERYTHING = "*"
HOSTS = {"docker.io": "registry-1.docker.io"}


def _resolving(reference: Reference) -> str:
    return f'failed to pull and unpack image "{reference.text}": failed to resolve reference "{reference.text}": '


def _missing(reference: Reference) -> str:
    return f"rpc error: code = NotFound desc = {_resolving(reference)}{reference.text}: not found"


def _head(reference: Reference) -> str:
    host = HOSTS.get(reference.registry, reference.registry)
    return f'Head "https://{host}/v2/{reference.path}/manifests/{reference.tag or reference.digest}"'


def _unreachable(reference: Reference) -> str:
    host = HOSTS.get(reference.registry, reference.registry)
    return f"rpc error: code = Unknown desc = {_resolving(reference)}failed to do request: {_head(reference)}: dial tcp: lookup {host}: i/o timeout"


def _broken(reference: Reference) -> str:
    host = HOSTS.get(reference.registry, reference.registry)
    return (f"rpc error: code = Unknown desc = {_resolving(reference)}unexpected status from HEAD request to "
            f"https://{host}/v2/{reference.path}/manifests/{reference.tag or reference.digest}: 503 Service Unavailable")


ERRORS = {"missing": _missing, "unreachable": _unreachable, "broken": _broken}


class Registry:
    """``broken`` is {pattern: kind of ``ERRORS``}, ``slow`` {pattern: factor}. A pattern is an image (with a tag or of any), a registry
    or ``*``."""

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        self.slow: dict[str, float] = {}

    def resolve(self, reference: Reference) -> Image:
        """The image. PullError as the registry answers now."""
        for pattern, kind in self.broken.items():
            if matches(pattern, reference):
                raise PullError(ERRORS[kind](reference))
        return resolve(reference)

    def factor(self, reference: Reference) -> float:
        """How many times as long a download takes."""
        return max((factor for pattern, factor in self.slow.items() if matches(pattern, reference)), default=1.0)


def names_images(pattern: str) -> bool:
    """Whether it is a pattern.

    >>> [names_images(pattern) for pattern in ("nginx", "docker.io", "*", "nginx*", "Nginx")]
    [True, True, True, False, False]
    """
    try:
        return pattern == EVERYTHING or parse(pattern) is not None
    except InvalidReference:
        return False


def matches(pattern: str, reference: Reference) -> bool:
    """
    >>> [matches(pattern, parse("nginx:1.27")) for pattern in ("nginx", "nginx:1.28", "docker.io", "*", "registry.k8s.io")]
    [True, False, True, True, False]
    """
    if pattern in (EVERYTHING, reference.registry):
        return True
    wanted = parse(pattern)
    return wanted.repository == reference.repository and (pattern.rpartition("/")[2].find(":") < 0 or wanted.tag == reference.tag)
