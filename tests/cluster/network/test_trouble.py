"""Where requests die and why, as the page draws it: the place, the decision, and who passed them on."""

from tests.cluster.network.test_traffic import source

DENY = {"metadata": {"name": "deny", "namespace": "default"}, "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}}


def test_a_failing_source_names_the_pod_the_decision_and_the_policys_direction(web):
    web.client.create("networkpolicies.networking.k8s.io", DENY)
    web.network.traffic.aim("default/web", None, 4)
    web.settle(5)
    error = source(web)["error"]
    assert (error["hop"], error["what"], error["direction"]) == ("policy", "default/deny", "ingress")
    assert error["why"].startswith("drops the packets: default/web-")
    assert error["pod"].startswith("Pod/default/web-") and error["node"].startswith("Node//")


def test_a_source_that_names_a_node_says_which_service_its_requests_come_to(web):
    web.network.traffic.aim("Node//w1-k8s", web.node_port(), 4)
    web.settle(2)
    record = source(web)
    assert record["service"] == "Service/default/web" and "error" not in record and "through" not in record
    web.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 0}})
    web.settle(60)
    assert source(web)["error"]["why"] == "has no ready endpoint: the connection is rejected"


def test_a_followed_request_is_one_of_the_source_that_asks_the_same(web):
    identity = web.network.traffic.aim("default/web", None, 4)
    followed = web.network.traffic.follow("default/web")
    assert followed["source"] == f"Traffic//{identity}" and followed["error"] is None
    web.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 0}})
    web.settle(60)
    died = web.network.traffic.follow("default/web")
    assert died["error"]["why"] == died["hops"][-1]["decision"] and died["error"]["what"] == "default/web"
