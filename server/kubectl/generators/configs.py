"""What `kubectl create configmap` and `kubectl create secret` make.

In: literals, files, folders, env files. Out: the object with its data; a Secret's values in base64; --append-hash's hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any

from server.kubectl.client import compact
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags

Object = dict[str, Any]
_KEY = re.compile(r"[-._a-zA-Z0-9]+\Z")
_KEY_RULE = ("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
             "regex used for validation is '[-._a-zA-Z0-9]+')")
_ENV_KEY = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
_ENV_KEY_RULE = ("a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a "
                 "digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')")
_HASH_LETTERS = str.maketrans("013ae", "ghkmt")


def config_map(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    obj: Object = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}}
    if data := _data(ctx, name, flags, "ConfigMap"):
        obj["data"] = data
    if flags.append_hash:
        obj["metadata"]["name"] += "-" + _hash({"kind": "ConfigMap", "name": name, "data": data})
    return obj


def generic_secret(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    return _secret(name, _data(ctx, name, flags, "Secret"), flags.type, flags)


def docker_registry_secret(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    if not flags.from_file and not (flags.docker_username and flags.docker_password and flags.docker_server):
        raise CommandError("either --from-file or the combination of --docker-username, --docker-password and --docker-server is required")
    if flags.from_file:
        data = {key or ".dockerconfigjson": text for key, text in _files(ctx, flags.from_file)}
    else:
        auth = base64.b64encode(f"{flags.docker_username}:{flags.docker_password}".encode()).decode()
        entry = {"username": flags.docker_username, "password": flags.docker_password}
        if flags.docker_email:
            entry["email"] = flags.docker_email
        entry["auth"] = auth
        pairs = ",".join(f"{compact(key)}:{compact(value)}" for key, value in entry.items())
        data = {".dockerconfigjson": f'{{"auths":{{{compact(flags.docker_server)}:{{{pairs}}}}}}}'}
    return _secret(name, data, "kubernetes.io/dockerconfigjson", flags)


def tls_secret(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    if not flags.key or not flags.cert:
        raise CommandError("key and cert must be specified")
    cert, key = (_read(ctx, path, "Cannot read file {path}, open {path}: no such file or directory") for path in (flags.cert, flags.key))
    for text, what in ((cert, "certificate"), (key, "key")):
        if "-----BEGIN" not in text:
            raise CommandError(f"tls: failed to find any PEM data in {what} input")
    return _secret(name, {"tls.crt": cert, "tls.key": key}, "kubernetes.io/tls", flags)


def _secret(name: str, data: dict[str, str], type_: str, flags: Flags) -> Object:
    obj: Object = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": name}}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    if encoded:
        obj["data"] = encoded
    if type_:
        obj["type"] = type_
    if flags.append_hash:
        obj["metadata"]["name"] += "-" + _hash({"kind": "Secret", "type": type_, "name": name, "data": encoded})
    return obj


def _data(ctx: Context, name: str, flags: Flags, kind: str) -> dict[str, str]:
    if flags.from_env_file and (flags.from_file or flags.from_literal):
        raise CommandError("from-env-file cannot be combined with from-file or from-literal")
    data: dict[str, str] = {}
    for key, value in [*_literals(flags.from_literal), *_files(ctx, flags.from_file), *_env_files(ctx, flags.from_env_file)]:
        if not _KEY.match(key):
            raise CommandError(f'"{key}" is not a valid key name for a {kind}: {_KEY_RULE}')
        if key in data:
            raise CommandError(f'cannot add key "{key}", another key by that name already exists in Data for {kind} "{name}"')
        data[key] = value
    return dict(sorted(data.items()))


def _literals(texts: list[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise CommandError(f"invalid literal source {text}, expected key=value")
        if value[:1] in ("'", '"') and len(value) > 1 and value[-1] == value[0]:
            value = value[1:-1]
        yield key, value


def _files(ctx: Context, sources: list[str]) -> Iterator[tuple[str, str]]:
    for source in sources:
        key, equals, path = source.partition("=")
        if not equals:
            key, path = "", source
        elif "=" in path:
            raise CommandError("key names or file paths cannot contain '='")
        elif not key or not path:
            raise CommandError(f"key name for file path {path} missing" if not key else f"file path for key name {key} missing")
        try:
            yield key or path.rstrip("/").rpartition("/")[2], ctx.files.read(path)
        except IsADirectoryError:
            if key:
                raise CommandError(f"cannot give a key name for a directory path: {path}") from None
            yield from _folder(ctx, path)
        except FileNotFoundError:
            raise CommandError(f"error reading {path}: no such file or directory") from None


def _folder(ctx: Context, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(ctx.files.listdir(path)):
        try:
            text = ctx.files.read(entry if path == "." else f"{path.rstrip('/')}/{entry}")
        except IsADirectoryError:
            continue
        if _KEY.match(entry):
            yield entry, text


def _env_files(ctx: Context, paths: list[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for line in _read(ctx, path, "error reading {path}: no such file or directory").splitlines():
            line = line.lstrip()
            if not line or line.startswith("#"):
                continue
            key, equals, value = line.partition("=")
            if not _ENV_KEY.match(key):
                raise CommandError(f'"{key}" is not a valid key name: {_ENV_KEY_RULE}')
            yield key, value if equals else ctx.env.get(key, "")


def _read(ctx: Context, path: str, missing: str) -> str:
    try:
        return ctx.files.read(path)
    except FileNotFoundError:
        raise CommandError(missing.format(path=path)) from None
    except IsADirectoryError:
        raise CommandError(f"{path} is a directory") from None


def _hash(value: Object) -> str:
    return hashlib.sha256(compact(value).encode()).hexdigest()[:10].translate(_HASH_LETTERS)
