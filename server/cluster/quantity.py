"""Resource quantities ("500m", "1Gi", "1e3"): text in, an exact number of billionths and a suffix family out, and back.

Kubernetes keeps amounts as text. The scheduler, the validation and the scene need numbers, and stored objects need the one
canonical spelling ("0.5" is kept as "500m", "1024Mi" as "1Gi"). Everything here is pure and cached by text.

>>> parse("0.5").milli(), canonical("0.5"), canonical("1024Mi"), canonical("1.5Gi"), canonical("1e3")
(500, '500m', '1Gi', '1536Mi', '1e3')
>>> value("1Ki"), milli("1500u"), canonical("1000m"), canonical("0.1n")
(1024, 2, '1', '1n')
>>> parse("100x")
Traceback (most recent call last):
    ...
server.cluster.quantity.QuantityError: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_WRONG = "unable to parse quantity's suffix"
NUMERIC_WRONG = "unable to parse numeric part of quantity"

DECIMAL_SI, DECIMAL_EXPONENT, BINARY_SI = "DecimalSI", "DecimalExponent", "BinarySI"
NANO = 1_000_000_000
LARGEST = (1 << 63) - 1

DECIMAL_EXPONENTS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in DECIMAL_EXPONENTS.items()}
BINARY_EXPONENTS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
BINARY_SUFFIXES = {exponent: suffix for suffix, exponent in BINARY_EXPONENTS.items()}

_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([+-]?[0-9]*)")
_EXPONENT = re.compile(r"[eE][+-]?[0-9]+")
_MAX_TEXT = 256


class QuantityError(ValueError):
    """The text is no quantity; the message is the API server's."""


class Quantity(NamedTuple):
    """An exact amount. ``nano`` counts billionths; ``format`` is the suffix family it prints with."""

    nano: int
    format: str = DECIMAL_SI

    def milli(self) -> int:
        """Thousandths, rounded away from zero."""
        return _divide_up(self.nano, 1_000_000)

    def value(self) -> int:
        """Whole units (bytes, cores), rounded away from zero."""
        return _divide_up(self.nano, NANO)

    def __str__(self) -> str:
        return _text(self.nano, self.format)


@lru_cache(maxsize=8192)
def parse(text: Any) -> Quantity:
    """Text, or a JSON number, to an amount.

    >>> parse("12e6"), parse(2)
    (Quantity(nano=12000000000000000, format='DecimalExponent'), Quantity(nano=2000000000, format='DecimalSI'))
    """
    text = str(text).strip()
    shape = _SHAPE.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if shape is None or not text:
        raise QuantityError(FORMAT_WRONG)
    sign, whole, part, letters, exponent_digits = shape.groups()
    part = part or ""
    suffix = letters + exponent_digits
    if suffix in DECIMAL_EXPONENTS:
        base, exponent, form = 10, DECIMAL_EXPONENTS[suffix], DECIMAL_SI
    elif suffix in BINARY_EXPONENTS:
        base, exponent, form = 2, BINARY_EXPONENTS[suffix], BINARY_SI
    elif _EXPONENT.fullmatch(suffix) and abs(int(suffix[1:])) < 10_000:
        base, exponent, form = 10, int(suffix[1:]), DECIMAL_EXPONENT
    else:
        raise QuantityError(SUFFIX_WRONG)
    if not whole and not part:
        raise QuantityError(NUMERIC_WRONG)
    nano = _nano(int(whole + part or "0"), base, exponent, len(part))
    return Quantity(-nano if sign == "-" else nano, form)


def _nano(digits: int, base: int, exponent: int, decimals: int) -> int:
    if not digits:
        return 0
    if base == 2:
        nano = _divide_up((digits << exponent) * NANO, 10**decimals)
    else:
        power = exponent - decimals + 9
        if power > 60:
            return LARGEST * NANO
        nano = digits * 10**power if power >= 0 else _divide_up(digits, 10 ** min(-power, 600))
    return min(nano, LARGEST * NANO)


@lru_cache(maxsize=8192)
def canonical(text: Any) -> str:
    """The spelling the API server stores."""
    return str(parse(text))


@lru_cache(maxsize=8192)
def milli(text: Any) -> int:
    """Thousandths of a quantity's text: millicores."""
    return parse(text).milli()


@lru_cache(maxsize=8192)
def value(text: Any) -> int:
    """Whole units of a quantity's text: bytes."""
    return parse(text).value()


def from_milli(amount: int, form: str = DECIMAL_SI) -> str:
    """
    >>> from_milli(1500), from_milli(250), from_milli(2000)
    ('1500m', '250m', '2')
    """
    return _text(amount * 1_000_000, form)


def from_value(amount: int, form: str = BINARY_SI) -> str:
    """
    >>> from_value(1 << 30), from_value(1000), from_value(100_000_000, DECIMAL_SI)
    ('1Gi', '1k', '100M')
    """
    return _text(amount * NANO, form)


def add(*texts: Any) -> str:
    """The sum, spelt in the family of the first that is not zero.

    >>> add("100m", "1"), add("64Mi", "64Mi"), add()
    ('1100m', '128Mi', '0')
    """
    amounts = [parse(text) for text in texts]
    form = next((amount.format for amount in amounts if amount.nano), DECIMAL_SI)
    return _text(sum(amount.nano for amount in amounts), form)


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1."""
    a, b = parse(left).nano, parse(right).nano
    return (a > b) - (a < b)


def _divide_up(number: int, by: int) -> int:
    return -(-number // by) if number >= 0 else number // by


def _text(nano: int, form: str) -> str:
    if not nano:
        return "0"
    sign, nano = ("-", -nano) if nano < 0 else ("", nano)
    if form == BINARY_SI and nano < 1024 * NANO:
        form = DECIMAL_SI
    if form == BINARY_SI:
        number, exponent = _divide_up(nano, NANO), 0
        while exponent < 60 and not number % 1024:
            number, exponent = number // 1024, exponent + 10
        return f"{sign}{number}{BINARY_SUFFIXES.get(exponent, '')}"
    number, exponent = nano, -9
    while not number % 1000 and (form == DECIMAL_EXPONENT or exponent < 18):
        number, exponent = number // 1000, exponent + 3
    if form == DECIMAL_EXPONENT:
        return f"{sign}{number}e{exponent}" if exponent else f"{sign}{number}"
    return f"{sign}{number}{DECIMAL_SUFFIXES[exponent]}"
