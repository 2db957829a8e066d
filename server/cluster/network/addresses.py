"""Pod addresses: each node has a network of its own (``spec.podCIDR``), from which its pods get the next free address in turn.

As the host-local plugin does it: the search goes on after the address given last and comes round, so an address that was given back
is not given again at once. What is taken is kept in the state, since a node that comes back still has its leases.
"""

from __future__ import annotations

import ipaddress

from server.cluster.apiserver.server import ApiServer
from server.cluster.store import State

LEASE, LAST = "address/", "last-address/"


class AddressesExhausted(Exception):
    """The node's network has no address left."""


class Addresses:
    def __init__(self, api: ApiServer, state: State) -> None:
        self._api = api
        self._state = state
        self._networks: dict[str, tuple[str, int, int]] = {}

    def allocate(self, node: str) -> str:
        """The next free address on a node: the gateway has the first, pods have the rest."""
        first, size = self._network(node)
        last = (self._state.get(LAST + node) or {}).get("offset", 1)
        for step in range(1, size):
            offset = 2 + (last - 2 + step) % (size - 3)
            address = _dotted(first + offset)
            if self._state.get(LEASE + address) is None:
                self._state.set(LEASE + address, {"node": node})
                self._state.set(LAST + node, {"offset": offset})
                return address
        raise AddressesExhausted(f"no IP addresses available in range set: {_dotted(first + 1)}-{_dotted(first + size - 2)}")

    def release(self, address: str) -> None:
        """Gives an address back; one that is not taken is no matter."""
        if self._state.get(LEASE + address) is not None:
            self._state.set(LEASE + address, None)

    def node_of(self, address: str) -> str | None:
        """The node that gave an address out."""
        lease = self._state.get(LEASE + address)
        return lease["node"] if lease is not None else None

    def _network(self, node: str) -> tuple[int, int]:
        """(first address as a number, size) of a node's network."""
        known = self._networks.get(node)
        found = self._api.lister("nodes").get("", node)
        cidr = ((found or {}).get("spec") or {}).get("podCIDR", "")
        if known is None or known[0] != cidr:
            if not cidr:
                raise AddressesExhausted(f'node "{node}" has no pod network')
            network = ipaddress.ip_network(cidr)
            known = self._networks[node] = (cidr, int(network.network_address), network.num_addresses)
        return known[1], known[2]


def _dotted(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
