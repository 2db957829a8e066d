"""``ping`` and ``traceroute``, busybox's and those of full systems: a host in; who answers, and how fast, out.

A ping keeps what it has counted in its state, goes on after a restart, and tells the statistic when it is interrupted.

Source: https://www.rfc-editor.org/rfc/rfc792
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program, Signalled
from server.cluster.runtime.programs.network.common import (
    Quit,
    asking,
    duration,
    ended,
    is_address,
    is_busybox,
    network,
    number,
    options,
    usage,
)
from server.cluster.runtime.signals import INT

LINES = ("ping [OPTIONS] HOST\n\nSend ICMP ECHO_REQUESTs to HOST\n\n\t-c CNT\t\tSend only CNT pings\n\t-s SIZE\t\tSend SIZE data bytes\n"
         "\t-i SECS\t\tInterval\n\t-W SEC\t\tSeconds to wait for the first response\n\t-w SEC\t\tSeconds until ping exits\n\t-q\t\tQuiet")
USAGE = "\nUsage\n  ping [options] <destination>\n"
HEADER, LARGEST, SHORTEST = 8, 65_507, 0.002
FIRST_ANSWER = 10.0
GIVES_UP = 15.0


class _Words(NamedTuple):
    host: str
    count: int
    interval: float
    wait: float
    deadline: float | None
    quiet: bool
    size: int
    ttl: int


def _words(proc: Proc, busybox: bool) -> _Words:
    found, rest = options(proc, "c:i:W:w:qs:t:I:4n6A" if busybox else "c:i:W:w:qs:t:I:4nOD6v", help_=usage(proc, LINES) if busybox else USAGE,
                          code=1 if busybox else 2)
    given = dict(found)
    if "-6" in given:
        raise Quit(f"ping: {'socket: ' if busybox else ''}Address family not supported by protocol\n", 1 if busybox else 2)
    if not rest:
        raise Quit(usage(proc, LINES) if busybox else "ping: usage error: Destination address required\n")
    count = _whole(proc, given.get("-c", "0"), busybox)
    interval = duration(given.get("-i", "1"))
    if interval is None:
        raise Quit(f"ping: invalid number '{given['-i']}'\n" if busybox else f"ping: bad timing interval: {given['-i']}\n", 1 if busybox else 2)
    if "-c" in given and not count and not busybox:
        raise Quit(f"ping: invalid argument: '{given['-c']}': out of range: 1 <= value <= 9223372036854775807\n")
    deadline = _seconds(proc, given["-w"], busybox) if "-w" in given else None
    return _Words(rest[-1], count, max(SHORTEST, interval), _seconds(proc, given.get("-W", str(int(FIRST_ANSWER))), busybox),
                  deadline or None, "-q" in given, _whole(proc, given.get("-s", "56"), busybox, LARGEST),
                  _whole(proc, given.get("-t", "64"), busybox, 255))


def _whole(proc: Proc, text: str, busybox: bool, most: int = 2**31) -> int:
    if busybox:
        return number(proc, text, most)
    if not text.isdigit() or int(text[:12]) > most:
        raise Quit(f"ping: invalid argument: '{text}'\n")
    return int(text)


def _seconds(proc: Proc, text: str, busybox: bool) -> float:
    if busybox:
        return float(number(proc, text))
    value = duration(text)
    if value is None:
        raise Quit(f"ping: invalid argument: '{text}'\n")
    return value


def _ping(proc: Proc) -> Generator[Any, Any, int]:
    state = proc.state
    if "code" in state:
        return state["code"]
    busybox = is_busybox(proc, "ping")
    try:
        words = _words(proc, busybox)
        if "address" not in state:
            address = yield from _resolved(proc, words, busybox)
            state.update(address=address, sent=0, got=0, errors=0, began=proc.system.clock.now, sum=0.0, squares=0.0, least=0.0, most=0.0)
            proc.out(f"PING {words.host} ({address}): {words.size} data bytes\n" if busybox else
                     f"PING {words.host} ({address}) {words.size}({words.size + 20 + HEADER}) bytes of data.\n")
        proc.traps[INT] = "catch"
        try:
            yield from _echoes(proc, words, busybox)
        except Signalled as caught:
            if caught.signal != INT:
                raise
        code = _statistic(proc, words, busybox)
    except Quit as quit_:
        code = ended(proc, quit_)
    state.clear()
    state["code"] = code
    return code


def _resolved(proc: Proc, words: _Words, busybox: bool) -> Generator[Any, Any, str]:
    found = (words.host,) if is_address(words.host) else network(proc).resolve(words.host)
    if not is_address(words.host):
        yield from proc.sleep(0.001)
    if not found:
        raise Quit(f"ping: bad address '{words.host}'\n" if busybox else f"ping: {words.host}: Name or service not known\n", 1 if busybox else 2)
    return found[0]


def _echoes(proc: Proc, words: _Words, busybox: bool) -> Generator[Any, Any, None]:
    state = proc.state
    while True:
        if "paused" not in state:
            lost = _echo(proc, words, busybox)
            state["paused"] = True
            last = words.count and state["sent"] >= words.count
            state["pause"] = (words.wait if lost else 0.0) if last else words.interval
            if words.deadline is not None:
                left = state["began"] + words.deadline - proc.system.clock.now
                state["last"] = bool(last or left <= state["pause"])
                state["pause"] = min(state["pause"], max(0.0, left))
            else:
                state["last"] = bool(last)
        yield from proc.sleep(state["pause"])
        del state["paused"]
        if state["last"]:
            return


def _echo(proc: Proc, words: _Words, busybox: bool) -> bool:
    """One question: whether nothing came back."""
    state = proc.state
    found = network(proc).ping(state["address"])
    sequence = state["sent"] + (0 if busybox else 1)
    state["sent"] += 1
    if found.ms is None:
        if found.fault and not busybox:
            state["errors"] += 1
            if not words.quiet:
                proc.out(f"From {found.address} icmp_seq={sequence} {found.fault}\n")
        return not (found.fault and not busybox)
    ms = found.ms
    state["least"] = ms if not state["got"] else min(state["least"], ms)
    state["got"] += 1
    state["sum"] += ms
    state["squares"] += ms * ms
    state["most"] = max(state["most"], ms)
    if not words.quiet:
        who = state["address"] if busybox or words.host == state["address"] else f"{words.host} ({state['address']})"
        proc.out(f"{words.size + HEADER} bytes from {who}: seq={sequence} ttl={found.ttl} time={ms:.3f} ms\n" if busybox else
                 f"{words.size + HEADER} bytes from {who}: icmp_seq={sequence} ttl={found.ttl} time={_short(ms)} ms\n")
    return False


def _short(ms: float) -> str:
    """
    >>> [_short(ms) for ms in (0.0412, 1.234, 12.34, 123.4)]
    ['0.041', '1.23', '12.3', '123']
    """
    return f"{ms:.3f}" if ms < 1 else f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def _statistic(proc: Proc, words: _Words, busybox: bool) -> int:
    state = proc.state
    sent, got = state["sent"], state["got"]
    loss = 100 * (sent - got) / sent if sent else 0
    head = f"\n--- {words.host} ping statistics ---\n{sent} packets transmitted, {got} "
    if busybox:
        proc.out(f"{head}packets received, {int(loss)}% packet loss\n")
        if got:
            proc.out(f"round-trip min/avg/max = {state['least']:.3f}/{state['sum'] / got:.3f}/{state['most']:.3f} ms\n")
        return 0 if got else 1
    errors = f"+{state['errors']} errors, " if state["errors"] else ""
    shown = f"{loss:.6g}"
    proc.out(f"{head}received, {errors}{shown}% packet loss, time {round((proc.system.clock.now - state['began']) * 1000)}ms\n")
    if got:
        mean = state["sum"] / got
        spread = math.sqrt(max(0.0, state["squares"] / got - mean * mean))
        proc.out(f"rtt min/avg/max/mdev = {state['least']:.3f}/{mean:.3f}/{state['most']:.3f}/{spread:.3f} ms\n")
    else:
        proc.out("\n")
    return 0 if got else 1


# traceroute


TRACE_LINES = "traceroute [-46Flnrv] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-p PORT]\n\t[-w WAIT_SEC] HOST [BYTES]"
TRACE_USAGE = "Usage: traceroute [ -46dFITnreAUDV ] [ -f first_ttl ] [ -m max_ttl ] [ -q nqueries ] [ -w waittime ] host [ packetlen ]\n"


def _trace_words(proc: Proc) -> tuple[bool, str, int, int, float, bool]:
    busybox = is_busybox(proc, "traceroute")
    found, rest = options(proc, "46Fnm:q:w:f:p:IT", help_=usage(proc, TRACE_LINES) if busybox else TRACE_USAGE, code=1 if busybox else 2)
    given = dict(found)
    if not rest:
        raise Quit(usage(proc, TRACE_LINES) if busybox else f'Specify "host" missing argument.\n{TRACE_USAGE}', 1 if busybox else 2)
    hops, probes = number(proc, given.get("-m", "30"), 255), number(proc, given.get("-q", "3"), 10)
    wait = duration(given.get("-w", "3" if busybox else "5")) or 5.0
    return busybox, rest[0], max(1, hops), max(1, probes), wait, "-n" in given


def _trace_ask(proc: Proc) -> tuple[dict[str, Any], float]:
    busybox, host, hops, probes, wait, _ = _trace_words(proc)
    found = (host,) if is_address(host) else network(proc).resolve(host)
    if not found:
        raise Quit(f"traceroute: bad address '{host}'\n" if busybox else
                   f"{host}: Name or service not known\nCannot handle \"host\" cmdline arg `{host}' on position 1 (argc {len(proc.args)})\n",
                   1 if busybox else 2)
    echoes = [[echo.address, echo.ms, echo.fault] for echo in network(proc).trace(found[0])][:hops]
    arrived = bool(echoes) and echoes[-1][0] == found[0] and echoes[-1][1] is not None
    if not arrived and not (echoes and echoes[-1][2]):
        echoes += [["", None, ""]] * (hops - len(echoes))
    silent = sum(1 for echo in echoes if echo[1] is None)
    return {"address": found[0], "echoes": echoes}, silent * probes * wait / (1 if busybox else 16) + 0.01


def _trace_show(proc: Proc, said: dict[str, Any]) -> int:
    busybox, host, hops, probes, _, plain = _trace_words(proc)
    proc.out(f"traceroute to {host} ({said['address']}), {hops} hops max, {46 if busybox else 60} byte packets\n")
    for at, (address, ms, fault) in enumerate(said["echoes"], 1):
        if ms is None and not fault:
            proc.out(f"{at:2d}  " + ("  ".join if busybox else " ".join)(["*"] * probes) + "\n")
            continue
        times = "".join(f"  {(ms or 0.1) * (1 + 0.07 * probe):.3f} ms" for probe in range(probes))
        proc.out(f"{at:2d}  {address if plain else f'{address} ({address})'}{times}{' !H' if fault else ''}\n")
    return 0


PROGRAMS = {"ping": Program(_ping, "state"), "traceroute": asking(_trace_ask, _trace_show)}
