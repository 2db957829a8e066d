"""Clients of databases: ``redis-cli`` speaks with a Redis; ``mysql``, ``mysqladmin``, ``psql`` and ``pg_isready`` say whether a server is
there, and answer the few questions that the greeting answers.

Source: https://redis.io/docs/latest/develop/tools/cli/, https://www.postgresql.org/docs/current/app-pg-isready.html
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator
from typing import Any

from server.cluster.network.walk import NO_RESOLVE
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.network.common import Quit, asking, ended, network, reply
from server.cluster.runtime.reach import ConnectionReset, Talk

REDIS_PORT, MYSQL_PORT, POSTGRES_PORT = 6379, 3306, 5432
LONGEST_REPLY = 1 << 20


# redis-cli


def _redis(proc: Proc) -> Generator[Any, Any, int]:
    if "code" in proc.state:
        return proc.state["code"]
    try:
        code = yield from _redis_session(proc)
    except Quit as quit_:
        code = ended(proc, quit_)
    except ConnectionReset:
        proc.err("Error: Server closed the connection\n")
        code = 1
    proc.state.clear()
    proc.state["code"] = code
    return code


def _redis_session(proc: Proc) -> Generator[Any, Any, int]:
    given, words = _redis_words(proc)
    host, port = given.get("-h", "127.0.0.1"), given.get("-p", str(REDIS_PORT))
    if not port.isdigit():
        raise Quit("Invalid server port.\n")
    walk, talk = network(proc).talk(host, int(port), timeout=float(given["-t"]) if given.get("-t", "").isdigit() else None)
    found = reply(walk)
    if not proc.state.get("open"):
        yield from proc.sleep(max(0.001, found.ms / 1000))
    if talk is None:
        why = "Name or service not known" if found.exit_code == NO_RESOLVE else found.fault
        raise Quit(f"Could not connect to Redis at {host}:{port}: {why}\n")
    proc.state["open"] = True
    raw = "--raw" in given or "--no-raw" not in given and not proc.isatty(1)
    if "-a" in given:
        said = _ask(talk, ["AUTH", given["-a"]])
        if "--no-auth-warning" not in given:
            proc.err("Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n")
        if said.startswith("-"):
            proc.err(f"AUTH failed: {said[1:].strip()}\n")
    if words:
        proc.out(_shown(_ask(talk, words), raw))
        return 0
    prompt = f"{host}:{port}> "
    while True:
        if proc.isatty(0):
            proc.out(prompt)
            yield from proc.flush()
        line = yield from proc.readline()
        if not line:
            return 0
        try:
            words = shlex.split(line)
        except ValueError:
            proc.out("Invalid argument(s)\n")
            continue
        if not words:
            continue
        if words[0].lower() in ("quit", "exit"):
            return 0
        proc.out(_shown(_ask(talk, words), raw))
        yield from proc.sleep(0.001)


def _redis_words(proc: Proc) -> tuple[dict[str, str], list[str]]:
    given: dict[str, str] = {}
    words = list(proc.args)
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("--version", "-v"):
            raise Quit("", 0, "redis-cli 8.2.2\n")
        if word in ("-h", "-p", "-a", "-n", "-t", "-r", "-i", "--pass", "--user"):
            if not words:
                raise Quit(f"Unrecognized option or bad number of args for: '{word}'\n")
            given["-a" if word == "--pass" else word] = words.pop(0)
        elif word in ("--raw", "--no-raw", "--no-auth-warning"):
            given[word] = ""
        else:
            raise Quit(f"Unrecognized option or bad number of args for: '{word}'\n")
    for word in ("-n", "-r", "-i", "--user"):
        if word in given and given[word] != "0":
            raise Quit(f"redis-cli: {word} is not simulated\n")
    return given, words


def _ask(talk: Talk, words: list[str]) -> str:
    wire = f"*{len(words)}\r\n" + "".join(f"${len(word.encode('utf-8', 'surrogateescape'))}\r\n{word}\r\n" for word in words)
    return talk.send(wire.encode("utf-8", "surrogateescape"))[:LONGEST_REPLY].decode("utf-8", "surrogateescape")


def _shown(text: str, raw: bool) -> str:
    """
    >>> _shown("*2\\r\\n$1\\r\\na\\r\\n$-1\\r\\n", False), _shown(":3\\r\\n", True)
    ('1) "a"\\n2) (nil)\\n', '3\\n')
    """
    value, _ = _parsed(text.encode("utf-8", "surrogateescape"))
    return _printed(value, raw, "")


def _parsed(data: bytes) -> tuple[Any, bytes]:
    """A reply as (kind, value), and what follows it."""
    line, _, rest = data.partition(b"\r\n")
    kind, text = chr(line[0]) if line else "-", line[1:].decode("utf-8", "surrogateescape")
    if kind == "$" and text != "-1":
        length = int(text)
        return ("$", rest[:length].decode("utf-8", "surrogateescape")), rest[length + 2:]
    if kind == "*" and text != "-1":
        values = []
        for _ in range(int(text)):
            value, rest = _parsed(rest)
            values.append(value)
        return ("*", values), rest
    return (kind, None if text == "-1" and kind != ":" else text), rest


def _printed(value: tuple[str, Any], raw: bool, indent: str) -> str:
    kind, said = value
    if kind == "*":
        if not said:
            return "\n" if raw else "(empty array)\n"
        if raw:
            return "".join(_printed(each, raw, "") for each in said)
        width = len(str(len(said)))
        return "".join(f"{indent if at > 1 else ''}{at:>{width}}) {_printed(each, raw, indent + ' ' * (width + 2))}"
                       for at, each in enumerate(said, 1))
    if said is None:
        return "\n" if raw else "(nil)\n"
    if kind == "-":
        return f"{said}\n" if raw else f"(error) {said}\n"
    if kind == ":" and not raw:
        return f"(integer) {said}\n"
    if kind == "$" and not raw:
        escaped = said.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
        return f'"{escaped}"\n'
    return f"{said}\n"


# mysql


MYSQL_FAULTS = {"Connection refused": 111, "Connection timed out": 110, "No route to host": 113, "Network is unreachable": 101}


def _mysql_words(proc: Proc) -> dict[str, str]:
    given: dict[str, str] = {}
    words, rest = list(proc.args), []
    while words:
        word = words.pop(0)
        found = re.fullmatch(r"--(host|port|user|password|execute|database|connect-timeout|protocol|silent|skip-column-names)(?:=(.*))?", word, re.S)
        if found:
            given[found[1]] = found[2] if found[2] is not None else "" if found[1] in ("password", "silent", "skip-column-names") or not words \
                else words.pop(0)
        elif re.fullmatch(r"-[huPeD]", word):
            given[{"h": "host", "u": "user", "P": "port", "e": "execute", "D": "database"}[word[1]]] = words.pop(0) if words else ""
        elif re.match(r"-[hupPeD].", word):
            given[{"h": "host", "u": "user", "p": "password", "P": "port", "e": "execute", "D": "database"}[word[1]]] = word[2:]
        elif word in ("-p", "-s", "-N", "-B", "-sN", "-Ns"):
            given[{"-p": "password"}.get(word, "silent")] = ""
        elif word in ("--version", "-V"):
            raise Quit("", 0, f"{proc.name}  Ver 8.4.7 for Linux on x86_64 (MySQL Community Server - GPL)\n")
        elif word.startswith("-"):
            raise Quit(f"{proc.name}: [ERROR] unknown option '{word}'.\n", 2)
        else:
            rest.append(word)
    given["words"] = " ".join(rest)
    return given


def _mysql(proc: Proc) -> Generator[Any, Any, int]:
    if "code" in proc.state:
        return proc.state["code"]
    try:
        given = _mysql_words(proc)
        version = yield from _greeted(proc, given)
        code = (_admin if proc.name.endswith("admin") else _queried)(proc, given, version)
        if code is None:
            code = yield from _mysql_console(proc, version)
    except Quit as quit_:
        code = ended(proc, quit_)
    proc.state.clear()
    proc.state["code"] = code
    return code


def _greeted(proc: Proc, given: dict[str, str]) -> Generator[Any, Any, str]:
    """The version that the server names itself by."""
    host, port = given.get("host", "localhost"), int(given.get("port", MYSQL_PORT) or MYSQL_PORT)
    if "version" in proc.state:
        return proc.state["version"]
    walk, talk = network(proc).talk("127.0.0.1" if host == "localhost" else host, port)
    found = reply(walk)
    yield from proc.sleep(max(0.001, found.ms / 1000))
    failed = f"mysqladmin: connect to server at '{host}' failed\nerror: " if proc.name.endswith("admin") else ""
    if talk is None and host == "localhost":
        raise Quit(f"{failed}ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)\n")
    if talk is None and found.exit_code == NO_RESOLVE:
        raise Quit(f"{failed}ERROR 2005 (HY000): Unknown MySQL server host '{host}' (-2)\n")
    if talk is None:
        raise Quit(f"{failed}ERROR 2003 (HY000): Can't connect to MySQL server on '{host}:{port}' ({MYSQL_FAULTS.get(found.fault, 111)})\n")
    greeting = talk.send(b"")
    name = re.match(rb"....\x0a([^\x00]+)\x00", greeting, re.S)
    if name is None:
        raise Quit(f"{failed}ERROR 2013 (HY000): Lost connection to MySQL server at 'reading initial communication packet', system error: 2\n")
    proc.state["version"] = name[1].decode()
    if given.get("password"):
        proc.err(f"{proc.name}: [Warning] Using a password on the command line interface can be insecure.\n")
    return proc.state["version"]


def _admin(proc: Proc, given: dict[str, str], version: str) -> int:
    for word in given["words"].split() or [""]:
        if word == "ping":
            proc.out("mysqld is alive\n")
        elif word == "version":
            proc.out(f"Server version\t\t{version}\nProtocol version\t10\n")
        else:
            raise Quit(f"mysqladmin: Unknown command: '{word}'\n" if word not in ("status", "shutdown", "create", "processlist") else
                       f"podium: mysqladmin {word} is not simulated\n")
    return 0


def _queried(proc: Proc, given: dict[str, str], version: str) -> int | None:
    if "execute" not in given:
        return None
    code = 0
    for query in given["execute"].split(";"):
        if query.strip():
            code = _query(proc, query.strip(), version, False) or code
    return code


def _query(proc: Proc, query: str, version: str, table: bool) -> int:
    """The few questions that need no data."""
    asked = re.sub(r"\s+", " ", query.rstrip("; ")).lower()
    known = {"select 1": ("1", "1"), "select version()": ("version()", version), "select @@version": ("@@version", version)}
    if asked not in known:
        proc.err(f'podium: "{query[:60]}": SQL is not simulated\n')
        return 1
    name, value = known[asked]
    if table:
        bar = f"+-{'-' * max(len(name), len(value))}-+"
        width = max(len(name), len(value))
        proc.out(f"{bar}\n| {name:<{width}} |\n{bar}\n| {value:<{width}} |\n{bar}\n1 row in set (0.00 sec)\n\n")
    else:
        proc.out(f"{name}\n{value}\n")
    return 0


def _mysql_console(proc: Proc, version: str) -> Generator[Any, Any, int]:
    terminal = proc.isatty(0)
    if terminal and not proc.state.get("told"):
        proc.out(f"Welcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is 8\nServer version: {version} "
                 "MySQL Community Server - GPL\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n")
        proc.state["told"] = True
    code = 0
    while True:
        if terminal:
            proc.out("mysql> ")
            yield from proc.flush()
        line = yield from proc.readline()
        word = line.strip().rstrip(";").lower()
        if not line or word in ("exit", "quit", "\\q"):
            proc.out("Bye\n" if terminal else "")
            return code
        if word:
            code = _query(proc, line.strip(), version, terminal)


# psql


def _postgres_words(proc: Proc) -> dict[str, str]:
    given = {"host": proc.env.get("PGHOST", ""), "port": proc.env.get("PGPORT", str(POSTGRES_PORT))}
    words = list(proc.args)
    while words:
        word = words.pop(0)
        found = re.fullmatch(r"--(host|port|username|dbname|command|timeout|quiet)(?:=(.*))?", word, re.S)
        if found:
            given[found[1]] = found[2] if found[2] is not None else "" if found[1] == "quiet" or not words else words.pop(0)
        elif re.fullmatch(r"-[hpUdct]", word):
            given[{"h": "host", "p": "port", "U": "username", "d": "dbname", "c": "command", "t": "timeout"}[word[1]]] = words.pop(0) if words else ""
        elif re.match(r"-[hpUdc].", word):
            given[{"h": "host", "p": "port", "U": "username", "d": "dbname", "c": "command"}[word[1]]] = word[2:]
        elif word == "-q":
            given["quiet"] = ""
        elif word in ("--version", "-V"):
            raise Quit("", 0, f"{proc.name} (PostgreSQL) 18.0\n")
        elif word.startswith("-"):
            raise Quit(f"{proc.name}: invalid option -- '{word.lstrip('-')}'\n{proc.name}: hint: Try \"{proc.name} --help\" for more information.\n",
                       3 if proc.name == "pg_isready" else 1)
    if not given["port"].isdigit():
        raise Quit(f"{proc.name}: error: invalid integer value \"{given['port']}\" for connection option \"port\"\n", 2)
    return given


def _ready_ask(proc: Proc) -> tuple[list[Any], float]:
    given = _postgres_words(proc)
    walk = network(proc).connect(given["host"] or "127.0.0.1", int(given["port"]), timeout=float(given.get("timeout") or 3))
    return list(reply(walk)), walk.seconds


def _ready_show(proc: Proc, said: list[Any]) -> int:
    given = _postgres_words(proc)
    where = f"{given['host'] or '/var/run/postgresql'}:{given['port']}"
    if "quiet" not in given:
        proc.out(f"{where} - {'accepting connections' if not said[6] else 'no response'}\n")
    return 0 if not said[6] else 2


def _psql_show(proc: Proc, said: list[Any]) -> int:
    given = _postgres_words(proc)
    host, fault = given["host"], said[8]
    if said[6] == NO_RESOLVE:
        raise Quit(f'psql: error: could not translate host name "{host}" to address: Name or service not known\n', 2)
    if said[6] and not host:
        raise Quit(f'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.{given["port"]}" failed: No such file or directory\n'
                   "\tIs the server running locally and accepting connections on that socket?\n", 2)
    if said[6]:
        raise Quit(f'psql: error: connection to server at "{host}" ({said[2]}), port {given["port"]} failed: {fault}\n'
                   "\tIs the server running on that host and accepting TCP/IP connections?\n", 2)
    raise Quit("podium: the server is there, but SQL is not simulated\n", 2)


PROGRAMS: dict[str, Program] = {
    "redis-cli": Program(_redis, "state"), "mysql": Program(_mysql, "state"), "mysqladmin": Program(_mysql, "state"),
    "mariadb": Program(_mysql, "state"), "mariadb-admin": Program(_mysql, "state"), "pg_isready": asking(_ready_ask, _ready_show),
    "psql": asking(_ready_ask, _psql_show)}
