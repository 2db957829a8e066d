"""The name server of the nodes' own network, which CoreDNS and the nodes ask for whatever is not in the cluster.

It knows the names that people try first, as data, so that lessons about DNS see them resolve; all others do not exist. Nothing beyond
the network is really there: whoever sends packets to such an address hears from the router that there is no network.
"""

from __future__ import annotations

from server.cluster.runtime.reach import DnsRecord

ROUTER = "192.168.1.1"
TTL = 300
HOSTS: dict[str, tuple[str, ...]] = {
    "kubernetes.io": ("15.197.167.90", "3.33.186.135"),
    "www.kubernetes.io": ("15.197.167.90", "3.33.186.135"),
    "k8s.io": ("34.107.204.206",),
    "registry.k8s.io": ("34.96.108.209",),
    "google.com": ("142.250.206.206",),
    "www.google.com": ("142.250.207.100",),
    "github.com": ("20.200.245.247",),
    "raw.githubusercontent.com": ("185.199.108.133", "185.199.109.133", "185.199.110.133", "185.199.111.133"),
    "docker.io": ("3.94.224.37", "44.219.3.189"),
    "hub.docker.com": ("98.85.154.13", "44.193.57.117"),
    "registry-1.docker.io": ("98.85.153.80", "44.208.254.194"),
    "quay.io": ("44.206.19.187", "54.156.10.58"),
    "example.com": ("23.192.228.80", "23.220.75.232"),
    "www.example.com": ("23.192.228.80", "23.220.75.232"),
    "example.org": ("23.215.0.132", "23.215.0.133"),
    "nginx.org": ("52.58.199.22", "3.125.197.172"),
    "wikipedia.org": ("103.102.166.224",),
    "naver.com": ("223.130.192.247", "223.130.200.236"),
    "www.naver.com": ("223.130.200.219",),
    "deb.debian.org": ("151.101.2.132", "151.101.66.132", "151.101.130.132", "151.101.194.132"),
    "archive.ubuntu.com": ("91.189.91.81", "185.125.190.81"),
    "dl-cdn.alpinelinux.org": ("151.101.2.132", "151.101.66.132", "151.101.130.132", "151.101.194.132"),
    "daum.net": ("121.53.105.193",),
    "one.one.one.one": ("1.1.1.1", "1.0.0.1"),
    "dns.google": ("8.8.8.8", "8.8.4.4"),
}
_NAMES = {address: name for name, addresses in reversed(HOSTS.items()) for address in addresses}


def answer(name: str, type_: str) -> tuple[str, tuple[DnsRecord, ...]]:
    """(status, records) of one name without its final dot.

    >>> answer("dns.google", "A")[1][0].data, answer("nosuch.example", "A")[0], answer("kubernetes.io", "TXT")
    ('8.8.8.8', 'NXDOMAIN', ('NOERROR', ()))
    """
    if name.endswith(".in-addr.arpa"):
        known = _NAMES.get(".".join(reversed(name.removesuffix(".in-addr.arpa").split("."))))
        if known is None:
            return "NXDOMAIN", ()
        return "NOERROR", (DnsRecord(f"{name}.", TTL, "PTR", f"{known}."),) if type_ in ("PTR", "ANY") else ()
    addresses = HOSTS.get(name)
    if addresses is None:
        return "NXDOMAIN", ()
    return "NOERROR", tuple(DnsRecord(f"{name}.", TTL, "A", address) for address in addresses) if type_ in ("A", "ANY") else ()
