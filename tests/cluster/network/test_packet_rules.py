"""What iptables, iptables-save and ipvsadm print on a node."""

import re

import pytest
from test_proxy_modes import configure, restart


@pytest.fixture
def text(world):
    world.deployment(replicas=3)
    world.client.create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "type": "NodePort", "clusterIP": "10.100.1.1", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "nodePort": 30080}]}})
    world.settle()
    return world.network.rules_text


def ips(world):
    return sorted(pod["status"]["podIP"] for pod in world.pods())


def rules(text, chain, table="nat", node="w1-k8s"):
    return [line for line in text.iptables_rules(node, chain, table).splitlines() if line.startswith("-A")]


def test_chains_have_the_names_that_kube_proxy_computes(text):
    """Every cluster has these four."""
    saved = text.iptables_save("m-k8s", "nat")
    for chain, where in (("KUBE-SVC-NPX46M4PTMTKRN6Y", "default/kubernetes:https"), ("KUBE-SVC-TCOU7JCQXEZGVUNU", "kube-system/kube-dns:dns"),
                         ("KUBE-SVC-ERIFXISQEP7F7OF4", "kube-system/kube-dns:dns-tcp"),
                         ("KUBE-SVC-JD5MR3NA4I4DYORP", "kube-system/kube-dns:metrics")):
        assert f":{chain} - [0:0]" in saved and f'"{where} cluster IP"' in saved


def test_a_cluster_address_leads_by_chance_to_each_endpoint(text, world):
    [way] = [line for line in rules(text, "KUBE-SERVICES") if "10.100.1.1" in line]
    found = re.fullmatch(r'-A KUBE-SERVICES -d 10\.100\.1\.1/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 '
                         r'-j (KUBE-SVC-[A-Z2-7]{16})', way)
    masked, *chances = rules(text, found[1])
    assert masked == (f'-A {found[1]} ! -s 10.244.0.0/16 -d 10.100.1.1/32 -p tcp -m comment --comment "default/web:http cluster IP" '
                      "-m tcp --dport 80 -j KUBE-MARK-MASQ")
    first, second, third = ips(world)
    odds = ["-m statistic --mode random --probability 0.33333333349 ", "-m statistic --mode random --probability 0.50000000000 ", ""]
    for line, address, chance in zip(chances, (first, second, third), odds, strict=True):
        ends = re.fullmatch(rf'-A {found[1]} -m comment --comment "default/web:http -> {address}:80" {re.escape(chance)}-j (KUBE-SEP-[A-Z2-7]{{16}})',
                            line)
        assert rules(text, ends[1]) == [
            f'-A {ends[1]} -s {address}/32 -m comment --comment "default/web:http" -j KUBE-MARK-MASQ',
            f'-A {ends[1]} -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination {address}:80']


def test_a_node_port_goes_by_the_chain_for_what_comes_from_outside(text):
    [port] = rules(text, "KUBE-NODEPORTS")
    found = re.fullmatch(r'-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j (KUBE-EXT-([A-Z2-7]{16}))', port)
    assert rules(text, found[1]) == [
        f'-A {found[1]} -m comment --comment "masquerade traffic for default/web:http external destinations" -j KUBE-MARK-MASQ',
        f"-A {found[1]} -j KUBE-SVC-{found[2]}"]
    assert rules(text, "KUBE-SERVICES")[-1] == (
        '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" '
        "-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS")


def test_a_service_without_endpoints_is_rejected_in_the_filter_table(text, world):
    world.client.patch("services", "default", "web", {"spec": {"selector": {"app": "nobody"}}})
    world.settle(5)
    assert not [line for line in rules(text, "KUBE-SERVICES") if "default/web" in line]
    assert rules(text, "KUBE-SERVICES", "filter") == [
        '-A KUBE-SERVICES -d 10.100.1.1/32 -p tcp -m comment --comment "default/web:http has no endpoints" -m tcp --dport 80 '
        "-j REJECT --reject-with icmp-port-unreachable"]
    assert rules(text, "KUBE-EXTERNAL-SERVICES", "filter") == [
        '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/web:http has no endpoints" -m addrtype --dst-type LOCAL '
        "-m tcp --dport 30080 -j REJECT --reject-with icmp-port-unreachable"]


def test_a_local_policy_has_a_chain_of_local_endpoints_or_drops(text, world):
    world.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 1}})
    world.client.patch("services", "default", "web", {"spec": {"externalTrafficPolicy": "Local"}})
    world.settle(60)
    [pod] = world.pods()
    home = pod["spec"]["nodeName"]
    away = next(name for name in ("w1-k8s", "w2-k8s", "w3-k8s") if name != home)
    assert "KUBE-SVL-" in text.iptables_save(home, "nat") and "KUBE-SVL-" not in text.iptables_save(away, "nat")
    assert rules(text, "KUBE-EXTERNAL-SERVICES", "filter", away) == [
        '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/web:http has no local endpoints" -m addrtype --dst-type LOCAL '
        "-m tcp --dport 30080 -j DROP"]
    assert rules(text, "KUBE-EXTERNAL-SERVICES", "filter", home) == []


def test_affinity_is_remembered_by_the_endpoints_chain(text, world):
    world.client.patch("services", "default", "web", {"spec": {"sessionAffinity": "ClientIP"}})
    world.settle(5)
    saved = text.iptables_save("w1-k8s", "nat")
    checked = r"-m recent --rcheck --seconds 10800 --reap --name (KUBE-SEP-\w{16}) --mask 255\.255\.255\.255 --rsource -j \1\n"
    assert len(re.findall(checked, saved)) == 3
    assert len(re.findall(r"-m recent --set --name KUBE-SEP-\w{16} --mask 255\.255\.255\.255 --rsource -m tcp -j DNAT", saved)) == 3


def test_listing_prints_columns_names_or_numbers(text, world):
    listed = text.iptables_list("w1-k8s", "KUBE-SERVICES", table="nat").splitlines()
    assert listed[0] == "Chain KUBE-SERVICES (2 references)"
    assert listed[1] == "target     prot opt source               destination         "
    assert listed[2] == ("KUBE-SVC-NPX46M4PTMTKRN6Y  tcp  --  anywhere             10.96.0.1            "
                         "/* default/kubernetes:https cluster IP */ tcp dpt:https")
    numeric = text.iptables_list("w1-k8s", "KUBE-SERVICES", True, "nat").splitlines()
    assert numeric[2] == ("KUBE-SVC-NPX46M4PTMTKRN6Y  tcp  --  0.0.0.0/0            10.96.0.1            "
                          "/* default/kubernetes:https cluster IP */ tcp dpt:443")
    everything = text.iptables_list("w1-k8s", table="nat")
    assert everything.startswith("Chain PREROUTING (policy ACCEPT)\n") and "\n\nChain INPUT (policy ACCEPT)\n" in everything
    assert text.iptables_list("w1-k8s", "NOSUCH", table="nat") is None
    verbose = text.iptables_list("w1-k8s", "PREROUTING", True, "nat", True).splitlines()
    assert verbose == [
        "Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)",
        " pkts bytes target     prot opt in     out     source               destination         ",
        "    0     0 KUBE-SERVICES  all  --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes service portals */"]


def test_a_saved_table_names_its_chains_and_commits(text):
    lines = text.iptables_save("w1-k8s", "nat").splitlines()
    assert lines[1:6] == ["*nat", ":PREROUTING ACCEPT [0:0]", ":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":POSTROUTING ACCEPT [0:0]"]
    assert lines[-2] == "COMMIT" and lines[0].startswith("# Generated by iptables-save v1.8") and lines[-1].startswith("# Completed")
    chains = {line[1:].split()[0] for line in lines if line.startswith(":")}
    targets = {word for line in lines if line.startswith("-A") for word in re.findall(r"-j (KUBE-\S+)", line)}
    assert targets <= chains, "no rule leads to a chain that is not there"


def test_ipvs_lists_a_virtual_server_for_each_address(text, world):
    assert text.ipvsadm("w1-k8s").splitlines() == [
        "IP Virtual Server version 1.2.1 (size=4096)", "Prot LocalAddress:Port Scheduler Flags",
        "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn"]
    configure(world, "ipvs")
    restart(world)
    lines = text.ipvsadm("w1-k8s").splitlines()
    for address in ("10.100.1.1:80", "192.168.1.101:30080"):
        at = lines.index(f"TCP  {address} rr")
        assert sorted(lines[at + 1:at + 4]) == sorted(f"  -> {f'{ip}:80':<28} Masq    1      0          0         " for ip in ips(world))
    assert "UDP  10.96.0.10:53 rr" in lines
    saved = text.iptables_save("w1-k8s", "nat")
    assert "-m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT" in saved and "KUBE-SVC-" not in saved


def test_nftables_leaves_these_tables_alone(text, world):
    configure(world, "nftables")
    restart(world)
    assert "KUBE-SERVICES" not in text.iptables_save("w1-k8s")
