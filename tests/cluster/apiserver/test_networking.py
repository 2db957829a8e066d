"""NetworkPolicies, Ingresses and IngressClasses at the API server: what is filled in, refused, admitted, warned of and printed."""
# ruff: noqa: E501 -- messages are kept whole, so that they can be searched for

from __future__ import annotations

import json

import pytest

from server.cluster.apiserver import validation
from server.cluster.apiserver.request import Request
from server.cluster.apiserver.tables import render
from server.cluster.errors import ApiError
from tests.cluster.apiserver.bare_api import Api
from tests.cluster.apiserver.objects import errors, made

POLICIES, INGRESSES, CLASSES = "networkpolicies.networking.k8s.io", "ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io"
NETPOL = "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: t}}, spec: {{{}}}}}"
ING = "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: t}}, spec: {{{}}}}}"
CLASS = "{{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {{name: t}}, spec: {{{}}}}}"
BACKEND = "backend: {service: {name: web, port: {number: 80}}}"
PORT = "must be between 1 and 65535, inclusive"
CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


@pytest.fixture
def api() -> Api:
    return Api()


def make(api: Api, resource: str, name: str = "t", annotations: dict | None = None, **spec: object) -> dict:
    namespace = {} if resource == CLASSES else {"namespace": "default"}
    noted = {"annotations": annotations} if annotations else {}
    return api.client.create(resource, {"metadata": {"name": name, **namespace, **noted}, "spec": spec})


def one_path(path: str) -> str:
    return ING.format(f"rules: [{{http: {{paths: [{{{path}}}]}}}}]")


@pytest.mark.parametrize(("spec", "filled"), [
    ({}, {"podSelector": {}, "policyTypes": ["Ingress"]}),
    ({"egress": [{"ports": [{"port": 53}]}]}, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}]}),
    ({"egress": []}, {"podSelector": {}, "policyTypes": ["Ingress"], "egress": []}),
    ({"policyTypes": ["Egress"], "ingress": [{"ports": [{}]}]}, {"podSelector": {}, "policyTypes": ["Egress"], "ingress": [{"ports": [{"protocol": "TCP"}]}]}),
])
def test_what_a_policy_leaves_out(api, spec, filled):
    assert make(api, POLICIES, **spec)["spec"] == filled


@pytest.mark.parametrize(("text", "expected"), [
    (NETPOL.format("podSelector: {matchExpressions: [{key: a, operator: Is}]}"), ['spec.podSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator']),
    (NETPOL.format("ingress: [{ports: [{port: 0}, {port: 80, endPort: 79}, {port: 80, endPort: 65536}]}]"), [
        f"spec.ingress[0].ports[0].port: Invalid value: 0: {PORT}",
        "spec.ingress[0].ports[1].endPort: Invalid value: 79: must be greater than or equal to `port`",
        f"spec.ingress[0].ports[2].endPort: Invalid value: 65536: {PORT}"]),
    (NETPOL.format("egress: [{ports: [{port: web, endPort: 90}, {endPort: 90}, {port: 9, protocol: IP}]}]"), [
        "spec.egress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric",
        "spec.egress[0].ports[1].endPort: Invalid value: 90: may not be specified when `port` is not specified",
        'spec.egress[0].ports[2].protocol: Unsupported value: "IP": supported values: "TCP", "UDP", "SCTP"']),
    (NETPOL.format("ingress: [{from: [{}, {podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]"), [
        "spec.ingress[0].from[0]: Required value: must specify a peer", "spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer"]),
    (NETPOL.format("egress: [{to: [{ipBlock: {}}, {ipBlock: {cidr: 10.0.0.0}}, {ipBlock: {cidr: 10.0.0.0/255.0.0.0}}, {ipBlock: {cidr: 10.0.0.1/8}}]}]"), [
        "spec.egress[0].to[0].ipBlock.cidr: Required value", f'spec.egress[0].to[1].ipBlock.cidr: Invalid value: "10.0.0.0": {CIDR}',
        f'spec.egress[0].to[2].ipBlock.cidr: Invalid value: "10.0.0.0/255.0.0.0": {CIDR}',
        'spec.egress[0].to[3].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length']),
    (NETPOL.format("egress: [{to: [{ipBlock: {cidr: 010.0.0.0/8}}, {ipBlock: {cidr: 10.0.0.0/08}}, {ipBlock: {cidr: '::ffff:1.2.3.0/120'}}, {ipBlock: {cidr: 'fe80::%a/64'}}]}]"), [
        'spec.egress[0].to[0].ipBlock.cidr: Invalid value: "010.0.0.0/8": must not have leading 0s in IP or prefix length',
        'spec.egress[0].to[1].ipBlock.cidr: Invalid value: "10.0.0.0/08": must not have leading 0s in IP or prefix length',
        'spec.egress[0].to[2].ipBlock.cidr: Invalid value: "::ffff:1.2.3.0/120": must not have an IPv4-mapped IPv6 address',
        f'spec.egress[0].to[3].ipBlock.cidr: Invalid value: "fe80::%a/64": {CIDR}']),
    (NETPOL.format("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.1.0/24, 10.1.0.0/24, 10.0.0.0/16, '2001:db8::/64', a]}}]}]"), [
        'spec.ingress[0].from[0].ipBlock.except[1]: Invalid value: "10.1.0.0/24": must be a strict subset of `cidr`',
        'spec.ingress[0].from[0].ipBlock.except[2]: Invalid value: "10.0.0.0/16": must be a strict subset of `cidr`',
        'spec.ingress[0].from[0].ipBlock.except[3]: Invalid value: "2001:db8::/64": must be a strict subset of `cidr`',
        f'spec.ingress[0].from[0].ipBlock.except[4]: Invalid value: "a": {CIDR}']),
    (NETPOL.format("policyTypes: [Ingress, Both]"), ['spec.policyTypes[1]: Unsupported value: "Both": supported values: "Ingress", "Egress"']),
    (NETPOL.format("policyTypes: [Ingress, Egress, Ingress]"), ['spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes']),
    (NETPOL.format("ingress: [{}], egress: [{to: [{ipBlock: {cidr: '2001:db8::/64', except: ['2001:db8::/96']}}]}]"), []),
    (ING.format(""), ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
    (ING.format("defaultBackend: {}"), ['spec.defaultBackend: Invalid value: "": resource or service backend is required']),
    (ING.format("rules: [{host: 1.2.3.4}, {host: 'a.*.b'}, {host: 'A.b'}]"), [
        'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
        """spec.rules[1].host: Invalid value: "a.*.b": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')""",
        """spec.rules[2].host: Invalid value: "A.b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"""]),
    (ING.format("rules: [{http: {paths: []}}]"), ["spec.rules[0].http.paths: Required value"]),
    (one_path(BACKEND), ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]),
    (one_path(f"pathType: Glob, {BACKEND}"), ['spec.rules[0].http.paths[0].pathType: Unsupported value: "Glob": supported values: "Exact", "ImplementationSpecific", "Prefix"']),
    (one_path(f"pathType: Exact, {BACKEND}"), ['spec.rules[0].http.paths[0].path: Invalid value: "": must be an absolute path']),
    (one_path(f"pathType: ImplementationSpecific, {BACKEND}"), []),
    (one_path(f"pathType: ImplementationSpecific, path: 'x//', {BACKEND}"), ['spec.rules[0].http.paths[0].path: Invalid value: "x//": must be an absolute path']),
    (one_path(f"pathType: Prefix, path: /a//b/.., {BACKEND}"), [
        'spec.rules[0].http.paths[0].path: Invalid value: "/a//b/..": must not contain \'//\'', 'spec.rules[0].http.paths[0].path: Invalid value: "/a//b/..": cannot end with \'/..\'']),
    (one_path("pathType: Prefix, path: /, backend: {service: {name: '', port: {number: 80, name: http}}}"), [
        "spec.rules[0].http.paths[0].backend.service.name: Required value", 'spec.rules[0].http.paths[0].backend: Invalid value: "": cannot set both port name & port number']),
    (one_path("pathType: Prefix, path: /, backend: {service: {name: 1a, port: {number: 70000}}}"), [f"spec.rules[0].http.paths[0].backend.service.port.number: Invalid value: 70000: {PORT}"]),
    (one_path("pathType: Prefix, path: /, backend: {service: {name: a}}"), ["spec.rules[0].http.paths[0].backend: Required value: port name or number is required"]),
    (one_path("pathType: Prefix, path: /, backend: {service: {name: a, port: {number: 1}}, resource: {kind: A, name: a}}"), [
        'spec.rules[0].http.paths[0].backend: Invalid value: "": cannot set both resource and service backends']),
    (one_path("pathType: Prefix, path: /, backend: {resource: {kind: a/b, name: ''}}"), [
        "spec.rules[0].http.paths[0].backend.resource.kind: Invalid value: \"a/b\": may not contain '/'", "spec.rules[0].http.paths[0].backend.resource.name: Required value"]),
    (CLASS.format(""), ["spec.controller: Required value"]),
    (CLASS.format("controller: nginx"), ['spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")']),
    (CLASS.format("controller: 'a.b/c d'"), ["spec.controller: Invalid value: \"c d\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"]),
    (CLASS.format(f"controller: a.b/{'c' * 247}"), ["spec.controller: Too long: may not be more than 250 bytes"]),
    (CLASS.format("controller: a.b/c, parameters: {kind: A, name: a, scope: Namespace}"), ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"]),
    (CLASS.format("controller: a.b/c, parameters: {kind: A, name: a, namespace: x}"), ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"]),
    (CLASS.format("controller: a.b/c, parameters: {scope: All}"), [
        "spec.parameters.kind: Required value", "spec.parameters.name: Required value", 'spec.parameters.scope: Unsupported value: "All": supported values: "Cluster", "Namespace"']),
])
def test_faults_of_a_new_object(text, expected):
    assert errors(text) == expected


def test_the_class_and_the_old_annotation_must_agree_when_an_ingress_is_made(api):
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    with pytest.raises(ApiError) as caught:
        make(api, INGRESSES, annotations={"kubernetes.io/ingress.class": "a"}, ingressClassName="b", defaultBackend=backend)
    assert caught.value.message == ('Ingress.networking.k8s.io "t" is invalid: annotations.kubernetes.io/ingress.class: Invalid value: "a": must match '
                                    "`ingressClassName` when both are specified")
    made = make(api, INGRESSES, ingressClassName="b", defaultBackend=backend)
    api.client.update(INGRESSES, {**made, "metadata": {**made["metadata"], "annotations": {"kubernetes.io/ingress.class": "a"}}})


def warnings(api: Api, annotations: dict, **spec: object) -> list[str]:
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "t", "annotations": annotations},
            "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}, **spec}}
    request = Request("create", INGRESSES, "default", "", raw=json.dumps(body).encode(), content_type="application/json", client="kubectl", user="kubernetes-admin")
    return api.api.request(request).warnings


def test_the_old_annotation_is_deprecated(api):
    assert warnings(api, {"kubernetes.io/ingress.class": "nginx"}) == [
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]


def test_an_annotation_of_the_controller_that_nothing_follows_from_is_named(api):
    prefix = "nginx.ingress.kubernetes.io"
    assert warnings(api, {f"{prefix}/rewrite-target": "/", f"{prefix}/auth-url": "http://x"}) == [
        f"podium: annotation {prefix}/auth-url is accepted, but nothing follows from it here"]


def test_a_path_that_is_too_intricate_a_pattern_is_named(api):
    path = {"path": "/(a+)+$", "pathType": "ImplementationSpecific", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    assert warnings(api, {"nginx.ingress.kubernetes.io/use-regex": "true"}, rules=[{"http": {"paths": [path]}}]) == [
        'podium: spec.rules[0].http.paths[0].path: "/(a+)+$" is no regular expression that can be followed here']


def test_the_default_class_is_given_to_an_ingress_that_names_none(api):
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    assert "ingressClassName" not in make(api, INGRESSES, "before", defaultBackend=backend)["spec"]
    make(api, CLASSES, "nginx", {"ingressclass.kubernetes.io/is-default-class": "true"}, controller="k8s.io/ingress-nginx")
    assert make(api, INGRESSES, "given", defaultBackend=backend)["spec"]["ingressClassName"] == "nginx"
    assert make(api, INGRESSES, "other", defaultBackend=backend, ingressClassName="other")["spec"]["ingressClassName"] == "other"
    assert "ingressClassName" not in make(api, INGRESSES, "old", {"kubernetes.io/ingress.class": "x"}, defaultBackend=backend)["spec"]
    make(api, CLASSES, "second", {"ingressclass.kubernetes.io/is-default-class": "true"}, controller="example.com/x")
    with pytest.raises(ApiError) as caught:
        make(api, INGRESSES, "unclear", defaultBackend=backend)
    assert (caught.value.code, caught.value.message) == (
        403, 'ingresses.networking.k8s.io "unclear" is forbidden: Internal error occurred: 2 default IngressClasses were found, only 1 allowed')


def test_an_ingress_has_a_status_of_its_own_and_a_generation_that_counts_its_spec(api):
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    made = make(api, INGRESSES, defaultBackend=backend)
    assert (made["status"], made["metadata"]["generation"]) == ({"loadBalancer": {}}, 1)
    served = api.client.update(INGRESSES, {**made, "spec": {}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, "status")
    assert (served["spec"]["defaultBackend"], served["metadata"]["generation"]) == (backend, 1)
    other = api.client.update(INGRESSES, {**served, "spec": {"defaultBackend": {"service": {"name": "db", "port": {"number": 80}}}}, "status": {}})
    assert (other["status"], other["metadata"]["generation"]) == (served["status"], 2)
    with pytest.raises(ApiError) as caught:
        api.client.update(INGRESSES, {**other, "status": {"loadBalancer": {"ingress": [{"ip": "x"}, {"hostname": "1.2.3.4"}]}}}, "status")
    assert [cause["field"] for cause in caught.value.details["causes"]] == ["status.loadBalancer.ingress[0].ip", "status.loadBalancer.ingress[1].hostname"]


def test_a_class_keeps_its_controller(api):
    made = make(api, CLASSES, controller="k8s.io/ingress-nginx", parameters={"kind": "A", "name": "a"})
    assert made["spec"]["parameters"]["scope"] == "Cluster"
    with pytest.raises(ApiError) as caught:
        api.client.update(CLASSES, {**made, "spec": {"controller": "k8s.io/other"}})
    assert caught.value.message == 'IngressClass.networking.k8s.io "t" is invalid: spec.controller: Invalid value: "k8s.io/other": field is immutable'


@pytest.mark.parametrize(("hosts", "shown"), [([], "*"), (["a"], "a"), (["a", "", "b"], "a,b"), (list("abc"), "a,b,c"), (list("abcde"), "a,b,c + 2 more...")])
def test_the_hosts_of_an_ingress(hosts, shown):
    rules = "".join(f"{{host: '{host}'}}, " for host in hosts)
    key, obj = made(ING.format(f"rules: [{rules}]"))
    assert cells(key, obj)[2] == shown


def cells(key: str, obj: dict) -> list:
    clock = Api().api.clock
    return render(key, [obj], 0.0, clock)["rows"][0]["cells"][:-1]


def test_the_printed_columns():
    key, obj = made(ING.format("ingressClassName: nginx, tls: [{}], defaultBackend: {service: {name: a, port: {number: 1}}}"))
    points = [{"ip": "192.0.2.9"}, {"hostname": "lb.example.com"}, {"ip": "192.0.2.10"}]
    assert cells(key, {**obj, "status": {"loadBalancer": {"ingress": points}}}) == ["t", "nginx", "*", "192.0.2.10,192.0.2.9,lb.example.com", "80, 443"]
    assert cells(key, {**obj, "spec": {}}) == ["t", "<none>", "*", "", "80"]
    assert cells(*made(CLASS.format("controller: a.b/c, parameters: {kind: A, name: a, apiGroup: x.y}"))) == ["t", "a.b/c", "A.x.y/a"]
    assert cells(*made(NETPOL.format("podSelector: {matchLabels: {app: web}, matchExpressions: [{key: a, operator: NotIn, values: [b, c]}]}"))) == [
        "t", "a notin (b,c),app=web"]
    assert cells(*made(NETPOL.format(""))) == ["t", "<none>"]


def test_a_range_that_may_be_refused_now_is_refused_for_services_too():
    text = "{apiVersion: v1, kind: Service, metadata: {name: t}, spec: {type: LoadBalancer, ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.1/8]}}"
    assert any("must not have bits set beyond the prefix length" in error for error in errors(text))


def test_what_a_client_may_send_never_breaks_validation():
    for spec in ("ingress: [{from: [{ipBlock: {cidr: '1/1'}}]}]", "ingress: [{from: [{ipBlock: {cidr: '::/129'}}]}]", "ingress: [{from: [{ipBlock: {cidr: '1.2.3.4/99999'}}]}]"):
        assert errors(NETPOL.format(spec)) == [f"spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"{spec.split(chr(39))[1]}\": {CIDR}"]
    assert validation.KINDS.keys() >= {POLICIES, INGRESSES, CLASSES}
