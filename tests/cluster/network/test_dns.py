"""What names mean inside the cluster."""


def test_a_service_has_its_cluster_address(world):
    world.service(kind="ClusterIP")
    address = world.get_service()["spec"]["clusterIP"]
    answer = world.network.dns.lookup("web", "default")
    assert (answer.name, answer.addresses) == ("web.default.svc.cluster.local", (address,))
    assert not world.network.dns.lookup("web", "kube-system").exists
    assert world.network.dns.lookup("web.default", "kube-system").addresses == (address,)


def test_a_headless_service_has_its_ready_pods(world):
    world.deployment()
    world.service(kind="ClusterIP", clusterIP="None")
    world.settle()
    answer = world.network.dns.lookup("web", "default")
    assert sorted(answer.addresses) == sorted(pod["status"]["podIP"] for pod in world.pods())


def test_a_pod_with_hostname_and_subdomain_has_a_name_of_its_own(world):
    world.service("web", kind="ClusterIP", clusterIP="None")
    world.client.create("pods", {"metadata": {"name": "web-0", "namespace": "default", "labels": {"app": "web"}}, "spec": {
        "hostname": "web-0", "subdomain": "web", "containers": [{"name": "c", "image": "nginx"}]}})
    world.settle()
    address = world.cluster.api.lister("pods").get("default", "web-0")["status"]["podIP"]
    assert world.network.dns.lookup("web-0.web", "default").addresses == (address,)
    assert not world.network.dns.lookup("web-1.web", "default").exists


def test_an_external_name_is_another_name(world):
    world.client.create("services", {"metadata": {"name": "ext", "namespace": "default"},
                                     "spec": {"type": "ExternalName", "externalName": "db.nowhere.example"}})
    answer = world.network.dns.lookup("ext", "default")
    assert (answer.exists, answer.canonical, answer.addresses) == (True, "db.nowhere.example", ())


def test_pods_have_names_from_their_addresses(world):
    assert world.network.dns.query("10-244-1-5.default.pod.cluster.local").addresses == ("10.244.1.5",)
    assert not world.network.dns.query("10-244-1-5.nosuch.pod.cluster.local").exists
    assert not world.network.dns.query("not-an-address.default.pod.cluster.local").exists


def test_only_well_known_names_of_the_internet_exist(world):
    assert world.network.dns.lookup("kubernetes.io", "default").addresses
    assert not world.network.dns.lookup("nosuch.example", "default").exists
