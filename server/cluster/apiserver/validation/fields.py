"""The vocabulary of validation: values and paths in, field errors worded as Kubernetes words them out.

Every validator is a generator of FieldErrors, so that the order of the errors is the order of the code, as it is in Kubernetes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any

from server.cluster import names
from server.cluster.errors import FieldError

Object = dict[str, Any]
Errors = Iterator[FieldError]

NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
PROTOCOLS = ("SCTP", "TCP", "UDP")
IP_FAULT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_FAULT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def required(path: str, detail: str = "") -> FieldError:
    return FieldError("Required value", path, "", detail)


def invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError("Invalid value", path, value, detail)


def unsupported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """
    >>> unsupported("spec.type", "X", ("A", "B")).message()
    'spec.type: Unsupported value: "X": supported values: "A", "B"'
    """
    return FieldError("Unsupported value", path, value, "supported values: " + ", ".join(f'"{item}"' for item in supported))


def duplicate(path: str, value: Any, detail: str = "") -> FieldError:
    return FieldError("Duplicate value", path, value, detail)


def forbidden(path: str, detail: str) -> FieldError:
    return FieldError("Forbidden", path, "", detail)


def not_found(path: str, value: Any) -> FieldError:
    return FieldError("Not found", path, value)


def too_long(path: str, limit: int) -> FieldError:
    return FieldError("Too long", path, "", f"may not be more than {limit} bytes")


def faults(path: str, value: Any, messages: Iterable[str]) -> list[FieldError]:
    """One Invalid for each message of a validator of ``names``."""
    return [invalid(path, value, message) for message in messages] if messages else []


def label_1123(path: str, value: str) -> list[FieldError]:
    return faults(path, value, names.label(value))


def subdomain_1123(path: str, value: str) -> list[FieldError]:
    return faults(path, value, _subdomain(value))


_subdomain = lru_cache(maxsize=8192)(names.subdomain)


def not_negative(path: str, value: Any) -> Errors:
    if value is not None and value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def one_of(path: str, value: Any, supported: Iterable[str], *, needed: bool = True) -> Errors:
    """Required when empty, Unsupported when it is none of them."""
    if not value:
        if needed:
            yield required(path)
    elif value not in supported:
        yield unsupported(path, value, supported)


def immutable(path: str, new: Any, old: Any) -> Errors:
    if new != old:
        yield invalid(path, new, IMMUTABLE)


def each(items: list[Object] | None, path: str, check: Callable[[Object, str], Errors], known: Collection[int] = ()) -> Errors:
    """``check`` of every entry of a list, at its index; not of the very objects that are ``known`` to be right, by identity."""
    for index, item in enumerate(items or ()):
        if not known or id(item) not in known:
            yield from check(item, f"{path}[{index}]")


def identities(items: list[Object] | None) -> frozenset[int]:
    return frozenset(map(id, items or ()))


def labels(path: str, value: dict[str, str] | None) -> Errors:
    for key, item in (value or {}).items():
        if not _is_label(key, item):
            yield from faults(path, key, names.qualified_name(key))
            yield from faults(path, item, names.label_value(item))


@lru_cache(maxsize=16_384)
def _is_label(key: str, value: str) -> bool:
    return not names.qualified_name(key) and not names.label_value(value)


def label_name(path: str, value: str) -> list[FieldError]:
    return faults(path, value, names.qualified_name(value))


def port_number(path: str, value: Any) -> list[FieldError]:
    return faults(path, value, names.port_number(value))


def port_or_name(path: str, value: Any) -> Errors:
    """A port's number, or the name of one."""
    if isinstance(value, str):
        yield from faults(path, value, names.port_name(value))
    else:
        yield from port_number(path, value or 0)


def ip(path: str, value: str) -> list[FieldError]:
    return [] if parsed_ip(value) is not None else [invalid(path, value, IP_FAULT)]


@lru_cache(maxsize=65_536)
def parsed_ip(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None


def cidr(path: str, value: str) -> Errors:
    """A range of addresses: one way to write it, and no bits beyond the prefix."""
    parsed = network(value)
    if parsed is None:
        yield invalid(path, value, CIDR_FAULT)
    elif _LEADING_ZERO.search(value if parsed.version == 4 else value.rpartition("/")[2]):
        yield invalid(path, value, "must not have leading 0s in IP or prefix length")
    elif parsed.version == 6 and ipaddress.IPv6Address(value.partition("/")[0]).ipv4_mapped is not None:
        yield invalid(path, value, "must not have an IPv4-mapped IPv6 address")
    elif ipaddress.ip_address(value.partition("/")[0]) != parsed.network_address:
        yield invalid(path, value, "must not have bits set beyond the prefix length")


_LEADING_ZERO = re.compile(r"(?<![0-9])0[0-9]")
_CIDR = re.compile(r"([0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)/([0-9]{1,5})")


@lru_cache(maxsize=8192)
def network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """What a CIDR means, also one that is written in a way which is refused."""
    written = _CIDR.fullmatch(value)
    if written is None:
        return None
    address, length = written.groups()
    if ":" not in address:
        address = ".".join(part.lstrip("0") or part[-1:] for part in address.split("."))
    try:
        return ipaddress.ip_network(f"{address}/{int(length)}", strict=False)
    except ValueError:
        return None


def usable_ip(path: str, value: str) -> list[FieldError]:
    """An address that another host can be reached at."""
    return faults(path, value, _unusable(value))


@lru_cache(maxsize=65_536)
def _unusable(value: str) -> tuple[str, ...]:
    address = parsed_ip(value)
    if address is None:
        return ("must be a valid IP address",)
    found = []
    if address.is_unspecified:
        found.append(f"may not be unspecified ({value})")
    if address.is_loopback:
        found.append("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        found.append("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if address.is_multicast and str(address).startswith(("224.0.0.", "ff02:")):
        found.append("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
    return tuple(found)


def label_selector(selector: Object | None, path: str) -> Errors:
    """A LabelSelector object."""
    selector = selector or {}
    yield from labels(f"{path}.matchLabels", selector.get("matchLabels"))
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        at = f"{path}.matchExpressions[{index}]"
        operator, values = expression.get("operator", ""), expression.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                yield required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        else:
            yield invalid(f"{at}.operator", operator, "not a valid selector operator")
        yield from label_name(f"{at}.key", expression.get("key", ""))
        for number, value in enumerate(values):
            yield from faults(f"{at}.values[{number}]", value, names.label_value(value))
