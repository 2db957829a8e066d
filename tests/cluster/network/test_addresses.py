"""Which address a pod gets."""

import pytest

from server.cluster.cluster import Cluster
from server.cluster.network.addresses import AddressesExhausted

FREE = "m-k8s"  # all its pods are on the host's network


def test_addresses_come_in_turn_and_freed_ones_not_at_once(world):
    addresses = world.network.addresses
    first, second = addresses.allocate(FREE), addresses.allocate(FREE)
    assert (first, second) == ("10.244.0.2", "10.244.0.3")
    addresses.release(second)
    assert addresses.allocate(FREE) == "10.244.0.4"
    assert addresses.node_of("10.244.0.2") == FREE and addresses.node_of("10.244.0.3") is None
    assert addresses.allocate("w2-k8s").startswith("10.244.2.")


def test_a_network_runs_out_and_comes_round(world):
    addresses = world.network.addresses
    taken = [addresses.allocate(FREE) for _ in range(253)]
    assert taken[-1] == "10.244.0.254" and len(set(taken)) == 253
    with pytest.raises(AddressesExhausted, match="no IP addresses available in range set: 10.244.0.1-10.244.0.254"):
        addresses.allocate(FREE)
    addresses.release("10.244.0.77")
    assert addresses.allocate(FREE) == "10.244.0.77"


def test_a_restored_cluster_goes_on_where_it_was(world):
    world.deployment(replicas=3)
    world.settle()
    restored = Cluster.restore(world.cluster.snapshot())
    for node in ("w1-k8s", "w2-k8s", "w3-k8s"):
        assert restored.network.addresses.allocate(node) == world.network.addresses.allocate(node)
