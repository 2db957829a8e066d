"""iptables, iptables-save and ipvsadm on a node: kube-proxy's rules, to be read; nothing can be changed by hand here.

In: the words of a command. Out: the text that ``network.rules_text`` makes of the node's rules, or the program's own complaint.

Source: https://man7.org/linux/man-pages/man8/iptables.8.html, https://man7.org/linux/man-pages/man8/ipvsadm.8.html
"""

from __future__ import annotations

from server.cluster.network.rules_text import TABLES, RulesText
from server.cluster.nodes.options import Flag, Wrong, parse
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program

IPTABLES = (Flag("table", "t", "value"), Flag("list", "L"), Flag("list-rules", "S"), Flag("numeric", "n"), Flag("verbose", "v"),
            Flag("line-numbers"), Flag("wait", "w"))
IPVSADM = (Flag("list", "L"), Flag("l", "l"), Flag("numeric", "n"))
CHANGES = "is not simulated: the rules are kube-proxy's, and it writes them anew; -L and -S show them"


def _rules(proc: Proc) -> RulesText | None:
    if proc.machine.kubelet is None:
        return None
    network = proc.machine.cluster.network
    return RulesText(network.proxy, network.places)


def iptables(proc: Proc) -> int:
    try:
        given, arguments = parse(proc.args, IPTABLES)
    except Wrong:
        proc.err(f"iptables: {' '.join(proc.args)} {CHANGES}\n")
        return 2
    table, chain = str(given.get("table", "filter")), arguments[0] if arguments else ""
    if not given.get("list") and not given.get("list-rules") or len(arguments) > 1:
        proc.err("iptables v1.8.11 (nf_tables): no command specified\nTry `iptables -h' or 'iptables --help' for more information.\n")
        return 2
    if table not in TABLES:
        proc.err(f"iptables v1.8.11 (nf_tables): table '{table}' does not exist\nPerhaps iptables or your kernel needs to be upgraded.\n")
        return 3
    rules = _rules(proc)
    if given.get("list-rules"):
        text = rules.iptables_rules(proc.machine.name, chain, table) if rules is not None else ""
    else:
        text = rules.iptables_list(proc.machine.name, chain, bool(given.get("numeric")), table, bool(given.get("verbose")),
                                   bool(given.get("line-numbers"))) if rules is not None else ""
    if text is None:
        proc.err("iptables: No chain/target/match by that name.\n")
        return 1
    proc.out(text)
    return 0


def iptables_save(proc: Proc) -> int:
    try:
        given, _ = parse(proc.args, (Flag("table", "t", "value"),))
    except Wrong as wrong:
        proc.err(f"iptables-save: {wrong}\n")
        return 1
    rules = _rules(proc)
    proc.out(rules.iptables_save(proc.machine.name, str(given.get("table", "")), proc.machine.time()) if rules is not None else "")
    return 0


def ipvsadm(proc: Proc) -> int:
    try:
        given, arguments = parse(proc.args, IPVSADM)
    except Wrong:
        proc.err(f"ipvsadm: {' '.join(proc.args)} {CHANGES}\n")
        return 2
    rules = _rules(proc)
    if arguments or rules is None:
        proc.err("ipvsadm: unexpected argument\n")
        return 2
    proc.out(rules.ipvsadm(proc.machine.name, bool(given.get("numeric"))))
    return 0


PROGRAMS: dict[str, Program] = {"iptables": Program(iptables), "iptables-save": Program(iptables_save), "ipvsadm": Program(ipvsadm)}
