"""The Service ``kubernetes`` cannot be got rid of."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.cluster.controllers.kubernetes_service import KEY, RESOURCES, SLICES


@pytest.fixture
def cluster():
    return Cluster(seed=1)


def there(cluster):
    return [resource for resource in RESOURCES if cluster.api.lister(resource).get(*KEY) is not None]


def test_the_service_comes_back_at_its_address_within_ten_seconds_of_its_deletion(cluster):
    before = cluster.api.lister("services").get(*KEY)
    cluster.clock.run_for(3)
    cluster.client().delete("services", *KEY)
    cluster.clock.run_for(1)
    assert there(cluster) == [SLICES]
    cluster.clock.run_for(10)
    after = cluster.api.lister("services").get(*KEY)
    assert after["spec"] == before["spec"] and after["metadata"]["uid"] != before["metadata"]["uid"]
    assert cluster.api.lister("endpoints").get(*KEY)["subsets"][0]["addresses"] == [{"ip": "192.168.1.10"}]


@pytest.mark.parametrize("resource", RESOURCES)
def test_each_of_its_objects_comes_back_alone(cluster, resource):
    cluster.client().delete(resource, *KEY)
    cluster.clock.run_for(11)
    assert there(cluster) == list(RESOURCES)


def test_it_comes_back_after_a_restart_too(cluster):
    cluster.client().delete("services", *KEY)
    cluster.clock.run_for(1)
    restored = Cluster.restore(cluster.snapshot())
    restored.clock.run_for(11)
    assert there(restored) == list(RESOURCES)


def test_a_cluster_where_nothing_is_missing_writes_nothing(cluster):
    revision = cluster.store.revision
    cluster.clock.run_for(60)
    assert cluster.store.revision == revision
