"""What may be a name, a label, a key, an environment variable or a port name: text in, a list of faults out, worded as Kubernetes does.

Also the two ways Kubernetes makes names: ``generate`` (a base and five random letters) and ``template_hash`` (the
pod-template-hash). Validators return [] for what is right. All are pure; the letters come from the caller's random.

>>> subdomain("My_Pod")[0][:50]
'a lowercase RFC 1123 subdomain must consist of low'
>>> label_value("ok"), port_name("a-very-long-port-name"), label("a.b")
([], ['must be no more than 15 characters'], ['must not contain dots'])
"""

from __future__ import annotations

import json
import random as random_module
import re
from collections import OrderedDict
from functools import lru_cache
from typing import Any

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_MAX_GENERATED = 63
_SUFFIX = 5
_SUFFIXES = tuple(first + second for first in ALPHABET for second in ALPHABET)
_COUPLES = len(_SUFFIXES)


def empty() -> str:
    return "must be non-empty"


def too_long(limit: int, unit: str = "bytes") -> str:
    return f"must be no more than {limit} {unit}"


def not_matching(message: str, regex: str, *examples: str) -> str:
    """The fault of text that does not match a regular expression, with examples that do."""
    if not examples:
        return f"{message} (regex used for validation is '{regex}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{regex}')"


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = "(" + _QUALIFIED + ")?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_WILDCARD = r"\*\." + _SUBDOMAIN
_QUALIFIED_RULE = ("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character")

LABEL_FAULT = not_matching(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character", _LABEL, "my-name", "123-abc")
SUBDOMAIN_FAULT = not_matching(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character", _SUBDOMAIN, "example.com")
LABEL_1035_FAULT = not_matching(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an "
    "alphanumeric character", _LABEL_1035, "my-name", "abc-123")
QUALIFIED_FAULT = not_matching(_QUALIFIED_RULE, _QUALIFIED, "MyName", "my.name", "123-abc")
VALUE_FAULT = not_matching(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character", _VALUE, "MyValue", "my_value", "12345")
CONFIG_KEY_FAULT = not_matching(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", _CONFIG_KEY, "key.name", "KEY_NAME", "key-name")
WILDCARD_FAULT = not_matching(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case "
    "alphanumeric characters, '-' or '.' and end with an alphanumeric character", _WILDCARD, "*.example.com")
ENV_FAULT = "a valid environment variable name must consist only of printable ASCII characters other than '='"

_label_re, _subdomain_re, _label_1035_re = re.compile(_LABEL), re.compile(_SUBDOMAIN), re.compile(_LABEL_1035)
_qualified_re, _value_re, _config_re = re.compile(_QUALIFIED), re.compile(_VALUE), re.compile(_CONFIG_KEY)
_wildcard_re = re.compile(_WILDCARD)
_port_charset, _port_letter = re.compile("[-a-z0-9]+"), re.compile("[a-z]")


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _checked(text: str, regex: re.Pattern[str], limit: int, fault: str, unit: str = "bytes") -> list[str]:
    matches = regex.fullmatch(text) is not None
    if matches and len(text) <= limit:
        return []
    faults = [too_long(limit, unit)] if _bytes(text) > limit else []
    if not matches:
        faults.append(fault)
    return faults


@lru_cache(maxsize=8192)
def label(text: str) -> list[str]:
    """DNS-1123 label."""
    fault = "must not contain dots" if "." in text and _subdomain_re.fullmatch(text) else LABEL_FAULT
    return _checked(text, _label_re, 63, fault)


def subdomain(text: str) -> list[str]:
    """DNS-1123 subdomain."""
    return _checked(text, _subdomain_re, 253, SUBDOMAIN_FAULT)


def label_1035(text: str) -> list[str]:
    """DNS-1035 label."""
    return _checked(text, _label_1035_re, 63, LABEL_1035_FAULT, "characters")


def wildcard_subdomain(text: str) -> list[str]:
    return _checked(text, _wildcard_re, 253, WILDCARD_FAULT, "characters")


@lru_cache(maxsize=8192)
def qualified_name(text: str) -> list[str]:
    """A label's, annotation's or taint's key, with an optional prefix.

    >>> qualified_name("a/b/c")[0][:16], qualified_name("example.com/x")
    ('a qualified name', [])
    """
    faults = []
    prefix, slash, name = text.rpartition("/")
    if slash:
        if "/" in prefix:
            return [f"a qualified name {QUALIFIED_FAULT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
        if not prefix:
            faults.append(f"prefix part {empty()}")
        else:
            faults.extend(f"prefix part {fault}" for fault in subdomain(prefix))
    if not name:
        faults.append(f"name part {empty()}")
    elif _bytes(name) > 63:
        faults.append(f"name part {too_long(63)}")
    if not _qualified_re.fullmatch(name):
        faults.append(f"name part {QUALIFIED_FAULT}")
    return faults


@lru_cache(maxsize=8192)
def label_value(text: str) -> list[str]:
    return _checked(text, _value_re, 63, VALUE_FAULT)


def config_key(text: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    faults = _checked(text, _config_re, 253, CONFIG_KEY_FAULT, "characters")
    if text in (".", ".."):
        faults.append(f"must not be '{text}'")
    elif text.startswith(".."):
        faults.append("must not start with '..'")
    return faults


def env_name(text: str) -> list[str]:
    faults = [] if text else [f"environment variable name {empty()}"]
    if not (text.isascii() and text.isprintable()) or "=" in text:
        faults.append(ENV_FAULT)
    return faults


def port_name(text: str) -> list[str]:
    """A named port."""
    faults = [too_long(15, "characters")] if _bytes(text) > 15 else []
    if not _port_charset.fullmatch(text):
        faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not _port_letter.search(text):
        faults.append("must contain at least one letter (a-z)")
    if "--" in text:
        faults.append("must not contain consecutive hyphens")
    if text and (text[0] == "-" or text[-1] == "-"):
        faults.append("must not begin or end with a hyphen")
    return faults


def port_number(number: Any) -> list[str]:
    return [] if 1 <= number <= 65535 else ["must be between 1 and 65535, inclusive"]


def path_segment(text: str) -> list[str]:
    """What may be one segment of a URL's path: the rule of RBAC names, and of every name at least."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in text]


def generate(random: random_module.Random, base: str) -> str:
    """
    >>> name = generate(random_module.Random(1), "web-")
    >>> name[:4], len(name)
    ('web-', 9)
    """
    return base[:_MAX_GENERATED - _SUFFIX] + _SUFFIXES[random.randrange(_COUPLES)] + _SUFFIXES[random.randrange(_COUPLES)] \
        + ALPHABET[random.randrange(len(ALPHABET))]


def safe_encode(text: str) -> str:
    """Text in an alphabet without vowels, so that no words come out."""
    return "".join(ALPHABET[ord(char) % len(ALPHABET)] for char in text)


_hashes: OrderedDict[tuple[int, int], tuple[Any, str]] = OrderedDict()


def template_hash(template: dict[str, Any], collisions: int = 0) -> str:
    """The pod-template-hash of a template: at most ten letters, remembered by the template's identity.

    >>> template_hash({"spec": {"a": 1}}) == template_hash({"spec": {"a": 1}}) != template_hash({"spec": {"a": 2}})
    True
    """
    known = _hashes.get((id(template), collisions))
    if known is not None and known[0] is template:
        return known[1]
    data = json.dumps(template, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if collisions:
        data += collisions.to_bytes(8, "little")
    digest = 2166136261
    for byte in data:
        digest = ((digest ^ byte) * 16777619) & 0xFFFFFFFF
    encoded = safe_encode(str(digest))
    _hashes[(id(template), collisions)] = (template, encoded)
    if len(_hashes) > 1024:
        _hashes.popitem(last=False)
    return encoded
