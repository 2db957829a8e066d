"""``nslookup`` (that of old busybox, of new busybox, of BIND), ``host`` and ``getent``: names in, what the DNS server says out.

Source: https://bind9.readthedocs.io/en/stable/manpages.html, https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.network.walk import NO_NETWORK, NO_ROUTE, REFUSED, SILENCE
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import (
    Quit,
    asking,
    is_address,
    is_busybox,
    network,
    older,
    options,
    usage,
)
from server.cluster.runtime.reach import DnsRecord

BIND = "9.18.39"
GIVES_UP = 15.0
OLD = (1, 29)
TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "ANY")
LINES = "nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n\nQUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any"
OLD_LINES = "nslookup [HOST] [SERVER]"
NOBODY, NONE = ";; connection timed out; no servers could be reached\n", ";; no servers could be reached\n"
TRIES = {"nslookup": 3, "host": 2, "dig": 3}


class Said(NamedTuple):
    """What a server said to one question, as plain data."""

    server: str
    name: str
    type: str
    status: str
    records: list[list[Any]]
    fault: str = ""
    authority: list[list[Any]] = []  # noqa: RUF012
    additional: list[list[Any]] = []  # noqa: RUF012

    @property
    def rows(self) -> list[DnsRecord]:
        return [DnsRecord(*record) for record in self.records]

    @property
    def dangling(self) -> str:
        """Where the last alias leads, if nothing is known of that."""
        rows = self.rows
        return rows[-1].data.rstrip(".") if rows and rows[-1].type == "CNAME" and self.type in ("A", "AAAA") else ""

    def unheard(self, times: int) -> str:
        """How BIND's programs say that no server has answered."""
        why = {SILENCE: "timed out", REFUSED: "connection refused", NO_ROUTE: "host unreachable", NO_NETWORK: "network unreachable"}
        return f";; communications error to {self.server}#53: {why.get(self.fault, 'timed out')}\n" * times


def ask(proc: Proc, name: str, type_: str, search: bool, server: str) -> tuple[Said, float]:
    found = network(proc).lookup(name, type_, search=search, server=server)
    seconds = found.seconds or (0.0 if found.status else GIVES_UP)
    return Said(found.server, found.name, found.type, found.status, [list(record) for record in found.records], found.fault,
                [list(record) for record in found.authority], [list(record) for record in found.additional]), seconds


def search_list(proc: Proc) -> list[str]:
    found = re.findall(r"(?m)^search\s+(.*)$", network(proc).resolv_conf())
    return found[-1].split() if found else []


def server_address(proc: Proc, server: str, refused: str) -> str:
    """The address of a server that was named; Quit if it has none."""
    if not server or is_address(server):
        return server
    found = network(proc).resolve(server)
    if not found:
        raise Quit(refused)
    return found[0]


def backwards(address: str) -> str:
    """
    >>> backwards("10.96.0.1")
    '1.0.96.10.in-addr.arpa'
    """
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


# nslookup


def _words(proc: Proc) -> tuple[str, str, str]:
    """(type or "", name, server) of nslookup's words."""
    kind, rest = "", []
    busybox = is_busybox(proc, "nslookup")
    for word in proc.args:
        found = re.fullmatch(r"-(?:q|ty|type|query|querytype)=(\w*)", word)
        if found and not (busybox and older(proc, OLD)):
            kind = found[1].upper()
            if kind not in TYPES and busybox:
                raise Quit(f'nslookup: invalid query type "{found[1]}"\n')
        elif re.fullmatch(r"-(debug|d2|nodebug|nod2|recurse|norecurse|(timeout|retry|port)=\d+|vc|novc|search|nosearch)", word) \
                and not (busybox and older(proc, OLD)):
            continue
        elif word == "-version" and not busybox:
            raise Quit("", 0, f"nslookup {BIND}\n")
        elif word.startswith("-") and busybox:
            raise Quit(_usage(proc))
        elif word.startswith("-"):
            proc.err(f"*** Invalid option: {word.lstrip('-')}\n")
        else:
            rest.append(word)
    if busybox and not 1 <= len(rest) <= 2:
        raise Quit(_usage(proc))
    if not rest:
        raise Quit("nslookup: the interactive mode is not simulated: name a host\n")
    return kind, rest[0], rest[1] if len(rest) > 1 else ""


def _usage(proc: Proc) -> str:
    return usage(proc, OLD_LINES if older(proc, OLD) else LINES)


def _nslookup_ask(proc: Proc) -> tuple[dict[str, Any], float]:
    kind, name, server = _words(proc)
    if not is_busybox(proc, "nslookup"):
        return _bind_ask(proc, kind, name, server)
    server = server_address(proc, server, f"nslookup: bad address '{server}'\n" if not older(proc, OLD)
                            else f"nslookup: can't resolve '{server}'\n")
    return _old_ask(proc, name, server) if older(proc, OLD) else _new_ask(proc, kind, name, server)


def _nslookup_show(proc: Proc, said: dict[str, Any]) -> int:
    show = {"old": _old_show, "new": _new_show, "bind": _bind_show}[said["of"]]
    return show(proc, said, [Said(*values) for values in said["said"]])


def _old_ask(proc: Proc, name: str, server: str) -> tuple[dict[str, Any], float]:
    """It asks as all programs of its machine do, and then for the names of what it got."""
    found, seconds = ask(proc, name, "A", True, server) if not is_address(name) else (Said(server, name, "A", "NOERROR", [
        [f"{name}.", 0, "A", name]]), 0.0)
    host = found.server or _first_server(proc)
    said, names = [list(found)], {}
    if found.status or is_address(name):
        for address in [host, *(record.data for record in found.rows if record.type == "A")]:
            reverse, more = ask(proc, backwards(address), "PTR", False, server)
            seconds += more
            names[address] = next((record.data.rstrip(".") for record in reverse.rows if record.type == "PTR"), "")
    return {"of": "old", "said": said, "names": names, "server": host, "asked": name}, seconds


def _first_server(proc: Proc) -> str:
    found = re.search(r"(?m)^nameserver\s+(\S+)", network(proc).resolv_conf())
    return found[1] if found else "127.0.0.1"


def _old_show(proc: Proc, data: dict[str, Any], said: list[Said]) -> int:
    names, [found] = data["names"], said
    address = data["server"]
    proc.out(f"Server:    {address}\nAddress 1: {f'{address} {names.get(address, str())}'.rstrip()}\n\n")
    addresses = [record.data for record in found.rows if record.type == "A"]
    if not addresses:
        proc.err(f"nslookup: can't resolve '{data['asked']}'\n")
        return 1
    proc.out(f"Name:      {data['asked']}\n" + "".join(
        f"Address {number}: {f'{each} {names.get(each, str())}'.rstrip()}\n" for number, each in enumerate(addresses, 1)))
    return 0


def _new_ask(proc: Proc, kind: str, name: str, server: str) -> tuple[dict[str, Any], float]:
    """The search list is for names without a dot only, and all of it is asked."""
    if is_address(name) and not kind:
        questions = [(backwards(name), "PTR")]
    else:
        names = [name] if "." in name else [f"{name}.{domain}" for domain in search_list(proc)] or [name]
        questions = [(each, type_) for each in names for type_ in ([kind] if kind else ["A", "AAAA"])]
    said, seconds = [], 0.0
    for full, type_ in questions:
        found, more = ask(proc, full, type_, False, server)
        said.append(list(found._replace(name=full.rstrip("."))))
        seconds = max(seconds, more)
        if not found.status:
            break
    return {"of": "new", "said": said}, seconds


def _new_show(proc: Proc, data: dict[str, Any], said: list[Said]) -> int:
    if not said[-1].status:
        refused = said[-1].fault == REFUSED
        proc.out((f"nslookup: write to '{said[-1].server}': {REFUSED}\n" if refused else "") + f"{NOBODY}\n")
        return 1
    proc.out(f"Server:\t\t{said[0].server}\nAddress:\t{said[0].server}:53\n\n")
    code = 0
    for found in said:
        if found.status == "NOERROR":
            proc.out("".join(_row(record, "") for record in found.rows if record.type in LINE) + "\n")
        else:
            proc.out(f"** server can't find {found.name}: {found.status}\n\n")
            code = 1
    return code


def _row(record: DnsRecord, dot: str) -> str:
    """A record as nslookup shows it; BIND's leaves the final dot (``dot``) of names that are data."""
    name, data = record.name.rstrip(".") or ".", record.data.rstrip(".") + dot if record.type not in ("A", "AAAA", "TXT") else record.data
    return LINE[record.type](name, data)


def _soa(name: str, data: str) -> str:
    origin, mail, serial, refresh, retry, expire, least = data.split()
    return (f"{name}\n\torigin = {origin.rstrip('.')}\n\tmail addr = {mail.rstrip('.')}\n\tserial = {serial}\n\trefresh = {refresh}\n"
            f"\tretry = {retry}\n\texpire = {expire}\n\tminimum = {least.rstrip('.')}\n")


LINE: dict[str, Callable[[str, str], str]] = {
    "A": "Name:\t{}\nAddress: {}\n".format, "AAAA": "Name:\t{}\nAddress: {}\n".format, "CNAME": "{}\tcanonical name = {}\n".format,
    "PTR": "{}\tname = {}\n".format, "SRV": "{}\tservice = {}\n".format, "MX": "{}\tmail exchanger = {}\n".format,
    "NS": "{}\tnameserver = {}\n".format, "TXT": "{}\ttext = {}\n".format, "SOA": _soa,
}


def _bind_ask(proc: Proc, kind: str, name: str, server: str) -> tuple[dict[str, Any], float]:
    server = server_address(proc, server, f"nslookup: couldn't get address for '{server}': not found\n")
    strange = kind if kind and kind not in TYPES else ""
    kind = "" if strange else kind
    reverse = is_address(name) and kind in ("", "PTR")
    types = ["PTR"] if reverse else [kind] if kind else ["A", "AAAA"]
    said, seconds = [], 0.0
    for type_ in types:
        found, more = ask(proc, backwards(name) if reverse else name, type_, not reverse, server)
        said.append(list(found))
        seconds += more
        if found.status != "NOERROR" or found.dangling:
            break
    if said and (target := Said(*said[-1]).dangling):
        onward, more = ask(proc, target, "A", False, server)
        said.append(list(onward._replace(name=target)))
        seconds += more
    return {"of": "bind", "said": said, "asked": backwards(name) if reverse else name, "plain": reverse and not kind,
            "strange": strange.lower()}, seconds


def _bind_show(proc: Proc, data: dict[str, Any], said: list[Said]) -> int:
    first = said[0]
    if data["strange"]:
        proc.err(f"unknown query type: {data['strange']}\n")
    if not first.status:
        proc.out(f"{first.unheard(TRIES['nslookup'])}{NONE}\n")
        return 1
    if first.status == "SERVFAIL":
        proc.out(f";; Got SERVFAIL reply from {first.server}\n")
    if not data["plain"]:
        proc.out(f"Server:\t\t{first.server}\nAddress:\t{first.server}#53\n\n")
    if first.status != "NOERROR":
        proc.out(f"** server can't find {data['asked'].rstrip('.')}: {first.status}\n\n")
        return 1
    rows = [record for found in said for record in found.rows if record.type in LINE]
    rows = list(dict.fromkeys(rows))
    if not rows:
        proc.out(f"*** Can't find {data['asked']}: No answer\n\n")
        return 0
    proc.out("".join(_row(record, "." if record.type != "SOA" else "") for record in rows))
    lost = len(said) > 1 and said[0].dangling and said[-1].status != "NOERROR"
    proc.out(f"** server can't find {said[-1].name}: {said[-1].status}\n\n" if lost else "\n")
    return 1 if lost else 0


# host


PHRASES = {"A": "has address", "AAAA": "has IPv6 address", "CNAME": "is an alias for", "PTR": "domain name pointer", "SRV": "has SRV record",
           "MX": "mail is handled by", "NS": "name server", "TXT": "descriptive text", "SOA": "has SOA record"}
NUMBERS = {"SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
HOST_USAGE = ("Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]\n            [-R number] [-m flag] [-p port] hostname "
              "[server]\n")


def _host_words(proc: Proc) -> tuple[str, str, str]:
    found, rest = options(proc, "t:W:R:rT4w", help_=HOST_USAGE)
    given = dict(found)
    kind = given.get("-t", "").upper()
    if kind and kind not in TYPES:
        raise Quit(f"host: invalid type: {given['-t']}\n\n", 2)
    if not 1 <= len(rest) <= 2:
        raise Quit(HOST_USAGE)
    return kind, rest[0], rest[1] if len(rest) > 1 else ""


def _host_ask(proc: Proc) -> tuple[list[list[Any]], float]:
    kind, name, server = _host_words(proc)
    server = server_address(proc, server, f"host: couldn't get address for '{server}': not found\n")
    reverse = is_address(name) and not kind
    said, seconds = [], 0.0
    for type_ in ["PTR"] if reverse else [kind] if kind else ["A", "AAAA", "MX"]:
        found, more = ask(proc, backwards(name) if reverse else name, type_, not reverse, server)
        said.append(list(found))
        seconds += more
        if found.status != "NOERROR" or found.dangling:
            break
    if target := Said(*said[-1]).dangling:
        onward, more = ask(proc, target, "A", False, server)
        said.append(list(onward._replace(name=target)))
        seconds += more
    return said, seconds


def _host_show(proc: Proc, data: list[list[Any]]) -> int:
    kind, name, server = _host_words(proc)
    said = [Said(*values) for values in data]
    if not said[0].status:
        proc.out(said[0].unheard(TRIES["host"]) + NONE)
        return 1
    if server:
        proc.out(f"Using domain server:\nName: {server}\nAddress: {said[0].server}#53\nAliases: \n\n")
    if said[0].status != "NOERROR":
        shown = f"{backwards(name)}." if is_address(name) and not kind else name.rstrip(".")
        proc.out(f"Host {shown} not found: {NUMBERS.get(said[0].status, 2)}({said[0].status})\n")
        return 1
    rows = list(dict.fromkeys(record for found in said for record in found.rows if record.type in PHRASES))
    if not rows and kind:
        proc.out(f"{said[0].name.rstrip('.')} has no {kind} record\n")
    for record in rows:
        proc.out(f"{record.name.rstrip('.')} {PHRASES[record.type]} {record.data}\n")
    if len(said) > 1 and said[0].dangling and said[-1].status != "NOERROR":
        proc.out(f"Host {said[-1].name} not found: {NUMBERS.get(said[-1].status, 2)}({said[-1].status})\n" * (1 if kind else 2))
        return 1
    return 0


# getent


DATABASES = {"ahosts": ("STREAM", "DGRAM", "RAW"), "hosts": (), "ahostsv4": ("STREAM", "DGRAM", "RAW")}


def _getent_ask(proc: Proc) -> tuple[list[list[Any]] | None, float]:
    words = proc.args
    if not words:
        raise Quit("getent: wrong number of arguments\nTry `getent --help' or `getent --usage' for more information.\n")
    if words[0] not in DATABASES:
        local = {"passwd": "/etc/passwd", "group": "/etc/group", "services": "/etc/services", "protocols": "/etc/protocols"}
        text = proc.files.read(local[words[0]]) if words[0] in local else None
        if words[0] not in local:
            raise Quit(f"Unknown database: {words[0]}\nTry `getent --help' or `getent --usage' for more information.\n")
        rows = [line for line in (text or "").splitlines() if not words[1:] or line.split(":")[0] in words[1:] or line.split()[:1] == words[1:2]]
        raise Quit("", 0 if rows or not words[1:] else 2, "".join(f"{row}\n" for row in rows))
    if not words[1:]:
        rows = [line.split() for line in network(proc).hosts().splitlines() if line.strip() and not line.startswith("#")]
        return [[row[0], " ".join(row[1:])] for row in rows if ":" not in row[0]], 0.0
    said = []
    for name in words[1:]:
        if is_address(name):
            names = [line.split()[1] for line in network(proc).hosts().splitlines() if line.split()[:1] == [name]]
            reverse = network(proc).lookup(backwards(name), "PTR", search=False)
            names += [record.data.rstrip(".") for record in reverse.records if record.type == "PTR"]
            said.append([name, names[0]] if names else None)
            continue
        addresses = network(proc).resolve(name)
        said.extend([address, _canonical(proc, name, address)] for address in addresses)
        if not addresses:
            said.append(None)
    return said, 0.002


def _canonical(proc: Proc, name: str, address: str) -> str:
    """The full name that was found, as the resolver tells it."""
    for line in network(proc).hosts().splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == [address] and name in words[1:]:
            return " ".join(words[1:])
    found = network(proc).lookup(name, "A", search=True)
    return next((record.name.rstrip(".") for record in found.records if record.data == address), found.name.rstrip(".") or name)


def _getent_show(proc: Proc, said: list[Any]) -> int:
    kinds = DATABASES[proc.args[0]]
    for row in said:
        if row is None:
            continue
        if not kinds:
            proc.out(f"{row[0]:<15} {row[1]}\n")
        for at, kind in enumerate(kinds):
            proc.out(f"{row[0]:<15} {kind:<6} {row[1] if at == 0 and row is said[0] else ''}\n")
    return 2 if None in said else 0


PROGRAMS = {"nslookup": asking(_nslookup_ask, _nslookup_show), "host": asking(_host_ask, _host_show),
            "getent": asking(_getent_ask, _getent_show)}
