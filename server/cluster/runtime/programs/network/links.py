"""``ip``, ``ifconfig``, ``route`` and ``arp``: the interfaces, routes and neighbours of a machine, as iproute2, net-tools and busybox show
them. What would change them is refused as the kernel does it to a container without NET_ADMIN.

Source: https://man7.org/linux/man-pages/man8/ip.8.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import NamedTuple

from server.cluster.network.links import HOST_END, LINK_LOCAL, mac
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.network.common import (
    Quit,
    is_address,
    is_busybox,
    network,
    options,
    telling,
    usage,
)
from server.cluster.runtime.reach import Interface, Route

OBJECTS = ("address", "link", "neighbour", "neighbor", "route", "rule", "netns", "tunnel")
SHOW = ("show", "list", "ls", "lst")
CHANGES = ("add", "del", "delete", "set", "change", "replace", "append", "flush", "up", "down")
IP_LINES = ("ip [OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]\n\nOPTIONS := -f[amily] inet|inet6|link | -o[neline]\n\n"
            "ip addr add|del IFADDR dev IFACE | show|flush [dev IFACE] [to PREFIX]\nip route list|flush|add|del|change|append|replace|test ROUTE")
IP_USAGE = ("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n       ip [ -force ] -batch filename\nwhere  OBJECT := { address | link | neighbour | "
            "route | rule }\n       OPTIONS := { -4 | -6 | -br[ief] | -o[neline] | -c[olor] }\n")
FOREVER = "valid_lft forever preferred_lft forever"
RULES = ((0, "local"), (32766, "main"), (32767, "default"))


class Link(NamedTuple):
    """An interface with all of its addresses."""

    face: Interface
    addresses: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.face.name}@if{self.face.peer}" if self.face.peer else self.face.name

    @property
    def loop(self) -> bool:
        return self.face.name == "lo"

    @property
    def down(self) -> bool:
        """kube-proxy's device in ipvs mode only carries addresses."""
        return self.face.name == "kube-ipvs0"

    @property
    def flags(self) -> list[str]:
        return ["LOOPBACK", "UP", "LOWER_UP"] if self.loop else ["BROADCAST", "NOARP"] if self.down else ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]

    @property
    def queue(self) -> str:
        return "noop" if self.down else "noqueue" if self.loop or self.face.peer else "pfifo_fast"


def links(proc: Proc) -> list[Link]:
    found: dict[str, Link] = {}
    for face in network(proc).interfaces():
        before = found[face.name].addresses if face.name in found else ()
        found[face.name] = Link(found[face.name].face if face.name in found else face, (*before, *([face.address] if face.address else ())))
    return list(found.values())


# ip


def _ip(proc: Proc) -> int:
    busybox = is_busybox(proc, "ip")
    words, flags = list(proc.args), []
    while words and words[0].startswith("-") and words[0] != "-":
        flag = words.pop(0).lstrip("-")
        if flag in ("f", "family") and words:
            flag = {"inet": "4", "inet6": "6", "link": "0"}.get(words.pop(0), "f")
        if flag in ("V", "Version"):
            raise Quit("", 0, "ip utility, iproute2-6.1.0, libbpf 1.1.2\n")
        if flag in ("s", "stats", "statistics", "d", "details", "j", "json", "p", "n", "netns", "b", "batch", "h", "r", "t", "a") and not busybox:
            raise Quit(f'ip: "-{flag}" is not simulated\n')
        flags.append({"oneline": "o", "brief": "br", "color": "c", "c=auto": "c", "color=auto": "c"}.get(flag, flag))
        if flags[-1] not in (("4", "6", "o", "0") if busybox else ("4", "6", "o", "0", "br", "c")):
            raise Quit(_ip_usage(proc) if busybox else f'Option "-{flag}" is unknown, try "ip -help".\n', 1 if busybox else 255)
    if not words:
        raise Quit(_ip_usage(proc), 1 if busybox else 255)
    what = next((name for name in OBJECTS if name.startswith(words[0])), "") if words[0] != "help" else "help"
    if words[0] == "l":
        what = "link"
    if what in ("", "help", "netns", "tunnel"):
        if what == "netns" and not busybox or what == "tunnel":
            return 0
        raise Quit(_ip_usage(proc) if busybox or what == "help" else f'Object "{words[0]}" is unknown, try "ip help".\n', 1 if busybox else
                   255 if what == "help" else 1)
    command, rest = (words[1], words[2:]) if len(words) > 1 else ("show", [])
    if command in CHANGES:
        if proc.machine.kit in ("host", "workstation"):
            raise Quit(f'ip: "{words[0]} {command}" is not simulated\n')
        raise Quit(f"{'ip: ' if busybox else ''}RTNETLINK answers: Operation not permitted\n", 2)
    if what == "route" and command == "get":
        return _route_get(proc, rest, busybox)
    if not any(name.startswith(command) for name in SHOW):
        rest = [command, *rest]
    return SHOWS[what](proc, flags, [word for word in rest if word not in ("dev", "to")], busybox)


def _ip_usage(proc: Proc) -> str:
    return usage(proc, IP_LINES) if is_busybox(proc, "ip") else IP_USAGE


def _chosen(proc: Proc, names: list[str], busybox: bool) -> list[Link]:
    found = links(proc)
    names = [name for name in names if name not in ("up", "scope", "global", "host", "link")]
    for name in names:
        if not any(each.face.name == name for each in found):
            raise Quit(f"ip: can't find device '{name}'\n" if busybox else f'Device "{name}" does not exist.\n')
    return [each for each in found if not names or each.face.name in names]


def _ip_address(proc: Proc, flags: list[str], names: list[str], busybox: bool) -> int:
    for each in _chosen(proc, names, busybox):
        addresses = () if "6" in flags else each.addresses
        if "br" in flags:
            proc.out(f"{each.name:<16} {_state(each):<14} {''.join(f'{address} ' for address in addresses)}\n")
            continue
        if "o" in flags:
            proc.out("".join(f"{each.face.index}: {each.face.name}    {_inet(each, address)}\\       {FOREVER}\n" for address in addresses))
            continue
        if ("4" in flags or "6" in flags) and not addresses:
            continue
        proc.out(_head(each, busybox, ""))
        if "4" not in flags:
            proc.out(_ether(each, busybox))
        proc.out("".join(f"    {_inet(each, address)}\n       {FOREVER}\n" for address in addresses))
    return 0


def _inet(link: Link, address: str) -> str:
    face = ipaddress.ip_interface(address)
    wide = face.network.prefixlen < 31 and not link.loop
    return f"inet {address} {f'brd {face.network.broadcast_address} ' if wide else ''}scope {'host' if link.loop else 'global'} {link.face.name}"


def _head(link: Link, busybox: bool, mode: str) -> str:
    flags = ",".join([*link.flags, *(["M-DOWN"] if busybox and link.face.peer else [])])
    rest = "qlen 1000" if busybox else f"state {_state(link)} {mode}group default qlen 1000"
    return f"{link.face.index}: {link.name}: <{flags}> mtu {link.face.mtu} qdisc {link.queue} {rest}\n"


def _ether(link: Link, busybox: bool) -> str:
    if link.loop:
        return "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
    return f"    link/ether {link.face.mac} brd ff:ff:ff:ff:ff:ff{' link-netnsid 0' if link.face.peer and not busybox else ''}\n"


def _state(link: Link) -> str:
    return "UNKNOWN" if link.loop else "DOWN" if link.down else "UP"


def _ip_link(proc: Proc, flags: list[str], names: list[str], busybox: bool) -> int:
    for each in _chosen(proc, names, busybox):
        if "br" in flags:
            proc.out(f"{each.name:<16} {_state(each):<14} {each.face.mac} <{','.join(each.flags)}> \n")
        else:
            proc.out(_head(each, busybox, "mode DEFAULT ") + _ether(each, busybox))
    return 0


def _ip_route(proc: Proc, flags: list[str], names: list[str], busybox: bool) -> int:
    if "6" in flags:
        return 0
    for route in network(proc).routes():
        if not names or route.target in names or route.device in names:
            proc.out(_route_line(route, busybox))
    return 0


def _route_line(route: Route, busybox: bool) -> str:
    line = f"{route.target} "
    if route.via:
        line += f"via {route.via} "
    line += f"dev {route.device} "
    if busybox:
        return line + ("" if route.via else "scope link ") + (f" src {route.source} " if route.source else "") + "\n"
    if not route.via:
        line += ("proto kernel scope link " if route.source else "scope link ")
    elif route.target != "default":
        line += "proto bird "
    return line + (f"src {route.source} " if route.source else "") + "\n"


def _route_get(proc: Proc, words: list[str], busybox: bool) -> int:
    if not words or not is_address(words[0]):
        raise Quit(f'{"ip: " if busybox else "Error: "}inet prefix is expected rather than "{words[0] if words else ""}".\n')
    target = words[0]
    own = [each for each in links(proc) if any(str(ipaddress.ip_interface(address).ip) == target for address in each.addresses)]
    source = next((str(ipaddress.ip_interface(address).ip) for each in links(proc) for address in each.addresses if not each.loop), "")
    if own or target.startswith("127."):
        line = f"local {target} dev lo {'' if not busybox else ' '}src {target} "
    else:
        route = _best(network(proc).routes(), target)
        if route is None:
            raise Quit(f"{'ip: ' if busybox else ''}RTNETLINK answers: Network is unreachable\n", 2)
        line = f"{target} {f'via {route.via} ' if route.via else ''}dev {route.device} {' ' if busybox else ''}src {route.source or source} "
    proc.out(f"{line}\n" if busybox else f"{line}uid 0 \n    cache {'<local> ' if own else ''}\n")
    return 0


def _best(routes: list[Route], target: str) -> Route | None:
    """The route with the longest prefix."""
    number = ipaddress.ip_address(target)
    fits = [route for route in routes if number in _net(route)]
    return max(fits, key=lambda route: _net(route).prefixlen, default=None)


def _net(route: Route) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network("0.0.0.0/0" if route.target == "default" else route.target)


def neighbours(proc: Proc) -> list[tuple[str, str, str]]:
    """(address, MAC, device) of who is on the link and has been spoken to: the gateways."""
    gateways = {route.via: route.device for route in network(proc).routes() if route.via}
    return [(address, HOST_END if address == LINK_LOCAL else mac(address), device) for address, device in gateways.items()]


def _ip_neighbour(proc: Proc, flags: list[str], names: list[str], busybox: bool) -> int:
    for address, ether, device in neighbours(proc):
        if not names or device in names:
            proc.out(f"{address} dev {device} lladdr {ether} {'ref 1 used 0/0/0 probes 1 ' if busybox else ''}REACHABLE{'' if busybox else ' '}\n")
    return 0


def _ip_rule(proc: Proc, flags: list[str], names: list[str], busybox: bool) -> int:
    proc.out("".join(f"{number}:\tfrom all lookup {table}{' ' if busybox else ''}\n" for number, table in RULES))
    return 0


SHOWS: dict[str, Callable[[Proc, list[str], list[str], bool], int]] = {
    "address": _ip_address, "link": _ip_link, "route": _ip_route, "neighbour": _ip_neighbour, "neighbor": _ip_neighbour, "rule": _ip_rule}


# net-tools


def _ifconfig(proc: Proc) -> int:
    busybox = is_busybox(proc, "ifconfig")
    words = [word for word in proc.args if word not in ("-a", "-s")]
    if len(words) > 1:
        raise Quit(f"{'ifconfig: ' if busybox else ''}SIOCSIFADDR: Operation not permitted\n" if proc.machine.kit not in ("host", "workstation")
                   else 'ifconfig: a change of an interface is not simulated\n')
    found = sorted(links(proc), key=lambda each: (each.loop, each.face.name))
    if words and not any(each.face.name == words[0] for each in found):
        raise Quit(f"{'ifconfig: ' if busybox else ''}{words[0]}: error fetching interface information: Device not found\n")
    for each in found:
        if (not words or each.face.name == words[0]) and (words or "-a" in proc.args or not each.down):
            proc.out(_busybox_face(each) if busybox else _net_tools_face(each))
    return 0


def _busybox_face(link: Link) -> str:
    face = ipaddress.ip_interface(link.addresses[0]) if link.addresses else None
    head = f"{link.face.name:<10}" + ("Link encap:Local Loopback  \n" if link.loop else f"Link encap:Ethernet  HWaddr {link.face.mac.upper()}  \n")
    rows = []
    if face is not None:
        rows.append(f"inet addr:{face.ip}  " + ("" if link.loop else f"Bcast:{_broadcast(face)}  ") + f"Mask:{face.netmask}")
    rows += [f"{'UP LOOPBACK RUNNING' if link.loop else 'UP BROADCAST RUNNING MULTICAST'}  MTU:{link.face.mtu}  Metric:1",
             "RX packets:0 errors:0 dropped:0 overruns:0 frame:0", "TX packets:0 errors:0 dropped:0 overruns:0 carrier:0",
             "collisions:0 txqueuelen:1000 ", "RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)"]
    return head + "".join(f"          {row}\n" for row in rows) + "\n"


def _net_tools_face(link: Link) -> str:
    face = ipaddress.ip_interface(link.addresses[0]) if link.addresses else None
    head = f"{link.face.name}: flags={'73<UP,LOOPBACK,RUNNING>' if link.loop else '4163<UP,BROADCAST,RUNNING,MULTICAST>'}  mtu {link.face.mtu}\n"
    rows = []
    if face is not None:
        rows.append(f"inet {face.ip}  netmask {face.netmask}" + ("" if link.loop else f"  broadcast {_broadcast(face)}"))
    rows += ["loop  txqueuelen 1000  (Local Loopback)" if link.loop else f"ether {link.face.mac}  txqueuelen 1000  (Ethernet)",
             "RX packets 0  bytes 0 (0.0 B)", "RX errors 0  dropped 0  overruns 0  frame 0", "TX packets 0  bytes 0 (0.0 B)",
             "TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0"]
    return head + "".join(f"        {row}\n" for row in rows) + "\n"


def _broadcast(face: ipaddress.IPv4Interface) -> str:
    return str(face.network.broadcast_address) if face.network.prefixlen < 31 else "0.0.0.0"


def kernel_routes(proc: Proc, numeric: bool, busybox: bool, wide: bool = False) -> str:
    """The kernel's table, as ``route`` and ``netstat -r`` (``wide``) show it."""
    rows = ["Kernel IP routing table", f"{'Destination':<15} {'Gateway':<15} {'Genmask':<15} "
            + ("Flags   MSS Window  irtt Iface" if wide else "Flags Metric Ref    Use Iface")]
    for route in network(proc).routes():
        net = _net(route)
        flags = "U" + ("G" if route.via else "") + ("H" if net.prefixlen == 32 else "")
        target = str(net.network_address) if numeric or route.target != "default" else "default"
        gateway = route.via or ("0.0.0.0" if numeric or not busybox else "*")
        tail = f"{flags:<5}     0 0          0 {route.device}" if wide else f"{flags:<5} 0      0        0 {route.device}"
        rows.append(f"{target:<15} {gateway:<15} {net.netmask!s:<15} {tail}")
    return "".join(f"{row}\n" for row in rows)


def _route(proc: Proc) -> int:
    busybox = is_busybox(proc, "route")
    found, rest = options(proc, "neA:", help_=usage(proc, "route [-ne] [-A inet[6]]") if busybox else "Usage: route [-nNvee] [-FC] [<AF>]\n",
                          code=1 if busybox else 3)
    if rest:
        raise Quit(f"{'route: ' if busybox else ''}SIOCADDRT: Operation not permitted\n" if proc.machine.kit not in ("host", "workstation")
                   else "route: a change of routes is not simulated\n")
    proc.out(kernel_routes(proc, ("-n", "") in found, busybox))
    return 0


def _arp(proc: Proc) -> int:
    busybox = is_busybox(proc, "arp")
    found, _ = options(proc, "ane", help_=usage(proc, "arp\n[-vn]\t[-H HWTYPE] [-i IF] -a [HOSTNAME]") if busybox else "Usage:\n  arp [-vn]\n")
    rows = neighbours(proc)
    if busybox or ("-a", "") in found:
        proc.out("".join(f"? ({address}) at {ether} [ether]{'  ' if busybox else ' '}on {device}\n" for address, ether, device in rows))
        return 0
    if rows:
        proc.out("Address                  HWtype  HWaddress           Flags Mask            Iface\n")
    proc.out("".join(f"{address:<24} ether   {ether}   C                     {device}\n" for address, ether, device in rows))
    return 0


PROGRAMS = {"ip": telling(_ip), "ifconfig": telling(_ifconfig), "route": telling(_route), "arp": telling(_arp)}
