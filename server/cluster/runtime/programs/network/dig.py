"""``dig``: questions to a DNS server, and the whole of what it said.

Source: https://bind9.readthedocs.io/en/stable/manpages.html#dig-dns-lookup-utility
"""

from __future__ import annotations

import re
import zlib
from typing import Any, NamedTuple

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import Quit, asking
from server.cluster.runtime.programs.network.names import BIND, TRIES, TYPES, Said, ask, backwards, server_address
from server.cluster.runtime.reach import DnsRecord

USAGE = ("Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}\n            {global-d-opt} host [@local-server] {local-d-opt}\n"
         "            [ host [@local-server] {local-d-opt} [...]]\n\nUse \"dig -h\" (or \"dig -h | more\") for complete list of options\n")
SHOWN = ("cmd", "comments", "question", "answer", "authority", "additional", "stats")
SWITCHES = (*SHOWN, "short", "search", "defname", "recurse", "rdflag", "edns", "cookie", "tcp", "vc", "ignore", "fail", "ttlid", "class",
            "adflag", "dnssec", "all")
VALUES = ("time", "timeout", "tries", "retry", "ndots", "bufsize", "domain")
MOST_QUESTIONS = 20


class Question(NamedTuple):
    name: str
    type: str
    switches: dict[str, bool]


def _words(proc: Proc) -> tuple[str, list[Question], list[str]]:
    """(server, questions, warnings)."""
    server, warnings = "", []
    switches: dict[str, bool] = dict.fromkeys(SHOWN, True) | {"short": False, "search": False, "edns": True, "cookie": True}
    questions: list[list[Any]] = []
    words = list(proc.args)
    while words:
        word = words.pop(0)
        if word.startswith("@"):
            server = word[1:]
        elif word.startswith("+"):
            _switch(word, questions[-1][2] if questions else switches)
        elif word in ("-x", "-t", "-q", "-p", "-c", "-b") or re.match(r"-[xtqpc].", word):
            value = word[2:] or (words.pop(0) if words else None)
            if value is None:
                raise Quit(f"Invalid option: {word}\n{USAGE}")
            if word[1] == "x":
                questions.append([backwards(value), "PTR", dict(switches)])
            elif word[1] == "q":
                questions.append([value, "A", dict(switches)])
            elif word[1] == "t":
                if value.upper() not in TYPES:
                    warnings.append(f";; Warning, ignoring invalid type {value}\n")
                elif questions:
                    questions[-1][1] = value.upper()
                else:
                    words.append(value)
        elif word == "-v":
            raise Quit(f"DiG {BIND}\n", 0)
        elif word == "-h":
            raise Quit("", 0, USAGE.partition("\n\n")[0] + "\n")
        elif word in ("-4", "-r", "-u"):
            continue
        elif word.startswith("-"):
            raise Quit(f"Invalid option: {word}\n{USAGE}")
        elif word.upper() in TYPES and (not questions or not questions[-1][3:]):
            if questions:
                questions[-1][1] = word.upper()
                questions[-1].append("typed")
            else:
                name = next((each for each in words if not each.startswith(("@", "+", "-"))), None)
                if name is None:
                    questions.append([word, "A", dict(switches)])
                else:
                    words.remove(name)
                    questions.append([name, word.upper(), dict(switches), "typed"])
        elif word.upper() in ("IN", "CH", "HS") and questions:
            continue
        else:
            questions.append([word, "A", dict(switches)])
    if len(questions) > MOST_QUESTIONS:
        raise Quit(f"dig: at most {MOST_QUESTIONS} questions are simulated\n")
    for word in proc.args:
        for each in questions if word in ("+short", "+noshort") else questions[:1] if word.startswith("+") and len(questions) == 1 else ():
            _switch(word, each[2])
    return server, [Question(each[0], each[1], each[2]) for each in questions] or [Question(".", "NS", switches)], warnings


def _switch(word: str, switches: dict[str, bool]) -> None:
    name, equals, _ = word[1:].partition("=")
    wanted = not (name.startswith("no") and name[2:] in SWITCHES)
    name = name if wanted else name[2:]
    if equals and name in VALUES or name in VALUES:
        return
    if name not in SWITCHES:
        raise Quit(f"Invalid option: {word}\n{USAGE}")
    if name == "all":
        switches.update({each: wanted for each in SHOWN if each != "cmd"} | {"cmd": wanted})
    elif name == "defname":
        switches["search"] = wanted
    else:
        switches[name] = wanted


def _ask(proc: Proc) -> tuple[list[list[Any]], float]:
    server, questions, _ = _words(proc)
    address = server_address(proc, server, f"dig: couldn't get address for '{server}': not found\n")
    said, seconds = [], 0.0
    for question in questions:
        found, more = ask(proc, question.name, question.type, question.switches["search"], address)
        said.append([list(found), more])
        seconds += more
    return said, seconds


def _show(proc: Proc, said: list[list[Any]]) -> int:
    server, questions, warnings = _words(proc)
    code = 0
    proc.err("".join(warnings))
    for at, (question, (values, seconds)) in enumerate(zip(questions, said, strict=True)):
        found = Said(*values)
        proc.out("" if found.status else found.unheard(TRIES["dig"]))
        if question.switches["cmd"] and at == 0 and (not question.switches["short"] or not found.status):
            proc.out(f"\n; <<>> DiG {BIND} <<>> {' '.join(proc.args)}\n" + ("; (1 server found)\n" if server and found.status else "")
                     + ";; global options: +cmd\n")
        if not found.status:
            proc.out(";; no servers could be reached\n" if question.switches["cmd"] or question.switches["comments"] else "")
            code = 9
        elif question.switches["short"]:
            proc.out("".join(f"{record.data}\n" for record in found.rows))
        else:
            _whole(proc, question, found, seconds)
    return code


def _whole(proc: Proc, question: Question, found: Said, seconds: float) -> None:
    on = question.switches
    name = found.name.rstrip(".") + "."
    rows = found.rows
    asked = f";{name}"
    asked += _to(len(name), 32) + f"IN\t{question.type}\n"
    edns = on["edns"]
    all_ = [*rows, *(DnsRecord(*each) for each in (*found.authority, *found.additional))]
    number = zlib.crc32(f"{name}{question.type}{proc.system.clock.now}".encode())
    if on["comments"]:
        own = any(each.endswith("cluster.local.") for each in (name, *(row.data for row in rows), *(row[0] for row in found.authority)))
        flags = "qr aa rd" if own else "qr rd ra"
        proc.out(";; Got answer:\n"
                 + (";; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked "
                    "to DNS\n" if name.endswith(".local.") else "")
                 + f";; ->>HEADER<<- opcode: QUERY, status: {found.status}, id: {number % 65536}\n"
                 f";; flags: {flags}; QUERY: 1, ANSWER: {len(rows)}, AUTHORITY: {len(found.authority)}, "
                 f"ADDITIONAL: {len(found.additional) + int(edns)}\n"
                 + (";; WARNING: recursion requested but not available\n" if own else "") + "\n")
        if edns and on["additional"]:
            proc.out(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n"
                     + (f"; COOKIE: {number:08x}{zlib.crc32(name.encode()):08x} (echoed)\n" if on["cookie"] else ""))
    if on["question"]:
        proc.out((";; QUESTION SECTION:\n" if on["comments"] else "") + asked + ("\n" if on["comments"] else ""))
    if on["answer"] and rows:
        proc.out((";; ANSWER SECTION:\n" if on["comments"] else "") + "".join(_line(record) for record in rows)
                 + ("\n" if on["comments"] else ""))
    for title, records in (("authority", found.authority), ("additional", found.additional)):
        if on[title] and records:
            proc.out((f";; {title.upper()} SECTION:\n" if on["comments"] else "") + "".join(_line(DnsRecord(*each)) for each in records)
                     + ("\n" if on["comments"] else ""))
    if on["stats"]:
        proc.out(f";; Query time: {round(seconds * 1000)} msec\n;; SERVER: {found.server}#53({found.server}) (UDP)\n"
                 f";; WHEN: {proc.machine.time():%a %b %d %H:%M:%S} UTC {proc.machine.time():%Y}\n"
                 f";; MSG SIZE  rcvd: {_size(name, all_, edns, on['cookie'])}\n\n")


def _line(record: DnsRecord) -> str:
    """A record in the columns of a zone file.

    >>> _line(DnsRecord("two.test.", 30, "A", "10.0.0.1"))
    'two.test.\\t\\t30\\tIN\\tA\\t10.0.0.1\\n'
    """
    line, column = "", 0
    for text, target in ((record.name, 24), (str(record.ttl), 32), ("IN", 40), (record.type, 48)):
        column += len(text)
        gap = _to(column, target)
        line += text + gap
        column = column + 1 if gap == " " else target
    return f"{line}{record.data}\n"


def _to(column: int, target: int) -> str:
    return " " if column >= target else "\t" * ((target - column + 7) // 8)


def _size(name: str, rows: list[DnsRecord], edns: bool, cookie: bool) -> int:
    """Bytes of the message, names written out."""
    wire = lambda each: len(each.rstrip(".")) + 2  # noqa: E731
    sizes = {"A": lambda data: 4, "AAAA": lambda data: 16, "SRV": lambda data: 6 + wire(data.split()[-1]), "TXT": lambda data: len(data) - 1,
             "SOA": lambda data: 20 + sum(wire(each) for each in data.split()[:2])}
    return 12 + wire(name) + 4 + sum(wire(record.name) + 10 + sizes.get(record.type, wire)(record.data) for record in rows) \
        + (11 + (12 if cookie else 0) if edns else 0)


PROGRAMS = {"dig": asking(_ask, _show)}
