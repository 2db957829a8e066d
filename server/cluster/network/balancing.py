"""Which endpoint a node picks for a new connection.

In: the endpoints that count, the node's mode, the client's address. Out: one of them: at random in iptables and nftables modes (each rule
matches with the probability that makes all equal), in turn in ipvs mode (by address with its scheduler ``sh``), and always the same one
for a client while its ``ClientIP`` affinity lasts. Affinity is remembered by each node for itself, and kept in the state.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity
"""

from __future__ import annotations

import random as random_module
import zlib

from server.cluster.clock import Clock
from server.cluster.network.proxy_modes import IPVS, SOURCE_HASH, Mode
from server.cluster.network.rules import Endpoint, Rule
from server.cluster.objects import Key
from server.cluster.store import State

STATE = "affinity/"
MOST_CLIENTS, MOST_TURNS = 10_000, 10_000
RENEWED = 0.1  # of the timeout that may pass before what is kept is brought up to date


class Balancer:
    def __init__(self, clock: Clock, random: random_module.Random, state: State) -> None:
        self._clock = clock
        self._random = random
        self._state = state
        self._turns: dict[tuple, int] = {}
        self._clients: dict[str, tuple[str, float, float]] = {}

    def start(self) -> None:
        for name, (address, until) in self._state.items(STATE):
            self._clients[name.removeprefix(STATE)] = (address, until, until)

    def pick(self, rule: Rule, usable: list[Endpoint], node: str, mode: Mode, client: str) -> Endpoint:
        if rule.sticky is not None:
            return self._sticking(rule, usable, node, mode, client)
        return self._fresh(rule, usable, node, mode, client)

    def shares(self, rule: Rule, usable: list[Endpoint], node: str, mode: Mode, client: str) -> list[tuple[Endpoint, float]]:
        """Each endpoint with the part of a client's many connections that it gets."""
        if rule.sticky is not None:
            return [(self._sticking(rule, usable, node, mode, client), 1.0)]
        if mode.name == IPVS and mode.scheduler == SOURCE_HASH:
            return [(_hashed(usable, client), 1.0)]
        return [(endpoint, 1.0 / len(usable)) for endpoint in usable]

    def why(self, rule: Rule, mode: Mode) -> str:
        if rule.sticky is not None:
            return f"ClientIP affinity, for {int(rule.sticky)} seconds"
        if mode.name == IPVS:
            return "by a hash of the client's address" if mode.scheduler == SOURCE_HASH else "its turn (round robin)"
        return "at random"

    def _fresh(self, rule: Rule, usable: list[Endpoint], node: str, mode: Mode, client: str) -> Endpoint:
        if len(usable) == 1:
            return usable[0]
        if mode.name != IPVS:
            return usable[int(self._random.random() * len(usable))]
        if mode.scheduler == SOURCE_HASH:
            return _hashed(usable, client)
        where = (node, rule.service, rule.via, rule.address, rule.port, rule.protocol)
        if len(self._turns) >= MOST_TURNS:
            self._turns.clear()
        turn = self._turns[where] = (self._turns.get(where, -1) + 1) % len(usable)
        return usable[turn]

    def _sticking(self, rule: Rule, usable: list[Endpoint], node: str, mode: Mode, client: str) -> Endpoint:
        now, timeout = self._clock.now, rule.sticky or 0.0
        where = f"{rule.service[0]}/{rule.service[1]}/{rule.port}/{rule.protocol}/{node}/{client}"
        address, until, kept = self._clients.get(where, ("", 0.0, 0.0))
        chosen = next((endpoint for endpoint in usable if endpoint.address == address and until > now), None)
        if chosen is None:
            chosen, kept = self._fresh(rule, usable, node, mode, client), float("-inf")
        until = now + timeout
        if until - kept > RENEWED * timeout:
            kept = until
            self._state.set(STATE + where, [chosen.address, until])
        self._clients[where] = (chosen.address, until, kept)
        if len(self._clients) > MOST_CLIENTS:
            self._forget([known for known, entry in self._clients.items() if entry[1] <= now] or [next(iter(self._clients))])
        return chosen

    def forget(self, service: Key) -> None:
        """The Service is gone."""
        start = f"{service[0]}/{service[1]}/"
        self._forget([known for known in self._clients if known.startswith(start)])

    def _forget(self, clients: list[str]) -> None:
        for client in clients:
            del self._clients[client]
            self._state.set(STATE + client, None)


def _hashed(usable: list[Endpoint], client: str) -> Endpoint:
    return usable[zlib.crc32(client.encode()) % len(usable)]
