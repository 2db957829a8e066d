"""The passwords of an ``htpasswd`` file: whether one is a user's.

In: the file's text, a name and a password. Out: True, False, or None where the file keeps the password in a way that is not tried here
(bcrypt and crypt, which are made to cost time).

Source: https://httpd.apache.org/docs/current/misc/password_encryptions.html
"""

from __future__ import annotations

import base64
import hashlib

ROUNDS = 1000
LONGEST_PASSWORD, MOST_USERS = 256, 1000
_DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ORDER = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))


def is_password(file: str, user: str, password: str) -> bool | None:
    """
    >>> is_password("foo:{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM=", "foo", "foo"), is_password("a:{PLAIN}b", "a", "c"), is_password("", "a", "")
    (True, False, False)
    >>> is_password("foo:$apr1$OFG3Xybp$ckL0FHDAkoXYIlH9.cysT0", "foo", "bar"), is_password("a:$2y$05$abc", "a", "x")
    (True, None)
    """
    for line in file.splitlines()[:MOST_USERS]:
        name, colon, kept = line.strip().partition(":")
        if colon and name == user:
            return _matches(kept.partition(":")[0], password.encode()[:LONGEST_PASSWORD])
    return False


def _matches(kept: str, password: bytes) -> bool | None:
    if kept.startswith("{PLAIN}"):
        return kept.removeprefix("{PLAIN}").encode() == password
    if kept.startswith("{SHA}"):
        return kept.removeprefix("{SHA}") == base64.b64encode(hashlib.sha1(password, usedforsecurity=False).digest()).decode()
    if kept.startswith("{SSHA}"):
        try:
            known = base64.b64decode(kept.removeprefix("{SSHA}"))
        except ValueError:
            return False
        return known[:20] == hashlib.sha1(password + known[20:], usedforsecurity=False).digest()
    for magic in ("$apr1$", "$1$"):
        if kept.startswith(magic):
            return kept == md5_crypt(password, kept.removeprefix(magic).partition("$")[0][:8], magic)
    return None


def md5_crypt(password: bytes, salt: str, magic: str = "$apr1$") -> str:
    """
    >>> md5_crypt(b"myPassword", "r31....."), md5_crypt(b"password", "xxxxxxxx", "$1$")
    ('$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', '$1$xxxxxxxx$UYCIxa628.9qXjpQCjM4a.')
    """
    salted = salt.encode()
    inner = _md5(password + salted + password)
    text = password + magic.encode() + salted + (inner * (len(password) // 16 + 1))[:len(password)]
    length = len(password)
    while length:
        text += b"\0" if length & 1 else password[:1]
        length >>= 1
    made = _md5(text)
    for turn in range(ROUNDS):
        parts = [password if turn & 1 else made]
        if turn % 3:
            parts.append(salted)
        if turn % 7:
            parts.append(password)
        parts.append(made if turn & 1 else password)
        made = _md5(b"".join(parts))
    digits = "".join(_written(made[a] << 16 | made[b] << 8 | made[c], 4) for a, b, c in _ORDER) + _written(made[11], 2)
    return f"{magic}{salt}${digits}"


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _written(number: int, digits: int) -> str:
    return "".join(_DIGITS[number >> 6 * place & 63] for place in range(digits))
