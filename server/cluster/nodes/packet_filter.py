"""iptables, iptables-save and ipvsadm on a node: they show what kube-proxy has written there (``network.rules_text``).

In: the programs' words. Out: listings; rules cannot be changed by hand here, and who tries is told so.

Source: https://man7.org/linux/man-pages/man8/iptables.8.html, https://man7.org/linux/man-pages/man8/ipvsadm.8.html
"""

from __future__ import annotations

import getopt
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program

VERSION = "v1.8.11 (nf_tables)"
CHANGES = {"-A", "-D", "-I", "-R", "-F", "-Z", "-N", "-X", "-P", "-E", "-C", "--append", "--delete", "--insert", "--replace", "--flush", "--zero",
           "--new-chain", "--delete-chain", "--policy", "--rename-chain", "--check"}
LISTS, SAVES = ("-L", "--list"), ("-S", "--list-rules")
LONG = ["table=", "list", "list-rules", "numeric", "verbose", "line-numbers", "version", "wait"]
TABLES = ("filter", "nat", "mangle")
TRY = "Try `iptables -h' or 'iptables --help' for more information.\n"
NO_IPVS = "Can't initialize ipvs: Protocol not available\nAre you sure that IP Virtual Server is built in the kernel or as module?\n"


def _text(proc: Proc) -> Any:
    """The rules of the machine; None on one that is no node of the cluster."""
    machine = proc.machine
    return machine.cluster.network.rules_text if machine.kubelet is not None else None


def iptables(proc: Proc) -> int:
    text = _text(proc)
    if text is None:
        proc.err("iptables: this machine is no node of the cluster: it has no rules\n")
        return 1
    if changing := next((word for word in proc.args if word in CHANGES), None):
        proc.err(f"iptables: {changing} is not simulated: kube-proxy alone writes rules here\n")
        return 1
    try:
        given, words = getopt.gnu_getopt(list(proc.args), "t:LSnvVw", LONG)
    except getopt.GetoptError as fault:
        proc.err(f'iptables {VERSION}: unknown option "{"--" if len(fault.opt) > 1 else "-"}{fault.opt}"\n{TRY}')
        return 2
    flags = dict(given)
    if "-V" in flags or "--version" in flags:
        proc.out(f"iptables {VERSION}\n")
        return 0
    table = flags.get("-t") or flags.get("--table") or "filter"
    if table not in TABLES:
        proc.err(f"iptables {VERSION}: table '{table}' does not exist\nPerhaps iptables or your kernel needs to be upgraded.\n")
        return 3
    return _list(proc, text, flags, table, words)


def _list(proc: Proc, text: Any, flags: dict[str, str], table: str, words: list[str]) -> int:
    lists, saves = any(flag in flags for flag in LISTS), any(flag in flags for flag in SAVES)
    if lists == saves:
        proc.err(f"iptables {VERSION}: {'Cannot use -S with -L' if lists else 'no command specified'}\n{TRY}")
        return 2
    if len(words) > 1:
        proc.err(f"Bad argument `{words[1]}'\n{TRY}")
        return 2
    node, chain = proc.machine.name, words[0] if words else ""
    if saves:
        said = text.iptables_rules(node, chain, table)
    else:
        said = text.iptables_list(node, chain, "-n" in flags or "--numeric" in flags, table, "-v" in flags or "--verbose" in flags,
                                  "--line-numbers" in flags)
    if said is None:
        proc.err("iptables: No chain/target/match by that name.\n")
        return 1
    proc.out(said)
    return 0


def iptables_save(proc: Proc) -> int:
    text = _text(proc)
    try:
        given, words = getopt.gnu_getopt(list(proc.args), "t:", ["table="])
    except getopt.GetoptError as fault:
        proc.err(f"iptables-save: unrecognized option '{fault.opt}'\nLook at manual page `iptables-save.8' for more information.\n")
        return 1
    flags = dict(given)
    table = flags.get("-t") or flags.get("--table") or ""
    if text is None or words or table and table not in TABLES:
        proc.err(f"iptables-save {VERSION}: table '{table}' does not exist\n" if table else "Unknown arguments found on commandline\n")
        return 1
    proc.out(text.iptables_save(proc.machine.name, table, proc.machine.time()))
    return 0


def ipvsadm(proc: Proc) -> int:
    text = _text(proc)
    try:
        given, words = getopt.gnu_getopt(list(proc.args), "Lln", ["list", "numeric"])
    except getopt.GetoptError as fault:
        proc.err(f"ipvsadm: {'--' if len(fault.opt) > 1 else '-'}{fault.opt}: only -L and -n are simulated, kube-proxy alone writes servers here\n")
        return 1
    if words or text is None:
        proc.err("unexpected argument\n" if words else NO_IPVS)
        return 1
    flags = dict(given)
    proc.out(text.ipvsadm(proc.machine.name, "-n" in flags or "--numeric" in flags))
    return 0


PROGRAMS: dict[str, Program] = {"iptables": Program(iptables), "iptables-save": Program(iptables_save), "ipvsadm": Program(ipvsadm)}
