"""Validation: Kubernetes v1.36's own messages, paths and order. Rows named err-* are golden transcripts of a real cluster."""
# ruff: noqa: E501 -- messages are kept whole, so that they can be searched for

import json

import pytest
from hypothesis import given, settings

from server.cluster.apiserver import defaults, validation
from server.cluster.errors import FieldError
from tests.cluster.apiserver.objects import POD_SPECS, deployment, errors, made, pod, service

LABEL = ("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
         "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')")
SUBDOMAIN = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
             "alphanumeric character (e.g. 'example.com', regex used for validation is "
             r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
KEY = ("name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
       "'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")
VALUE = ("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
         "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
         "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
PORTS = "must be between 1 and 65535, inclusive"
NOT_NEGATIVE = "must be greater than or equal to 0"
C = "spec.containers[0]"

NO_SELECTOR = ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: t}, spec: {template: {metadata: {labels: {app: t}}, spec: {containers: "
               "[{name: c, image: nginx}]}}}}")
MISMATCH = NO_SELECTOR.replace("spec: {template", "spec: {selector: {matchLabels: {app: web}}, template")

GOLDEN = {
    "err-dupcont": ("{apiVersion: v1, kind: Pod, metadata: {name: t}, spec: {containers: [{name: c, image: nginx},{name: c, image: nginx}]}}",
                    ['spec.containers[1].name: Duplicate value: "c"']),
    "err-hello": (pod().replace("name: c,", "name: Hello,"), [f'{C}.name: Invalid value: "Hello": {LABEL}']),
    "err-label": (pod(meta='{name: t, labels: {"bad key!": "v", ok: "bad value!"}}'),
                  [f'metadata.labels: Invalid value: "bad key!": {KEY}', f'metadata.labels: Invalid value: "bad value!": {VALUE}']),
    "err-mismatch": (MISMATCH, ['spec.template.metadata.labels: Invalid value: {"app":"t"}: `selector` does not match template `labels`']),
    "err-neg": (deployment("replicas: -1"), [f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}"]),
    "err-nocontainers": ("{apiVersion: v1, kind: Pod, metadata: {name: t}, spec: {}}", ["spec.containers: Required value"]),
    "err-noimage": ("{apiVersion: v1, kind: Pod, metadata: {name: t}, spec: {containers: [{name: c}]}}", [f"{C}.image: Required value"]),
    "err-noselector": (NO_SELECTOR, [
        "spec.selector: Required value",
        'spec.template.metadata.labels: Invalid value: {"app":"t"}: `selector` does not match template `labels`']),
    "err-podname": (pod(meta="{name: My_Pod}"), [f'metadata.name: Invalid value: "My_Pod": {SUBDOMAIN}']),
    "err-port": (pod(container="ports: [{containerPort: 70000}]"), [f"{C}.ports[0].containerPort: Invalid value: 70000: {PORTS}"]),
    "err-reqlimit": (pod(container="resources: {requests: {cpu: 500m}, limits: {cpu: 100m}}"),
                     [f'{C}.resources.requests: Invalid value: "500m": must be less than or equal to cpu limit of 100m']),
    "err-restart": (NO_SELECTOR.replace("spec: {containers", "spec: {restartPolicy: Never, containers").replace(
        "spec: {template", "spec: {selector: {matchLabels: {app: t}}, template"),
        ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    "err-svc2ports": (service("selector: {app: x}, ports: [{port: 80},{port: 443}]"),
                      ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]),
    "err-svcname": (service("ports: [{port: 80}]", "1svc"), []),
    "err-svcnoports": (service("selector: {app: x}"), ["spec.ports: Required value"]),
    "err-vol": (pod(container="volumeMounts: [{name: nov, mountPath: /x}]"), [f'{C}.volumeMounts[0].name: Not found: "nov"']),
    "create-ns-bad": ("{apiVersion: v1, kind: Namespace, metadata: {name: Dev_1}}", [f'metadata.name: Invalid value: "Dev_1": {LABEL}']),
    "label-bad": (pod(meta='{name: t, labels: {"bad key": "1"}}'), [f'metadata.labels: Invalid value: "bad key": {KEY}']),
    "invalid.json": ("{apiVersion: v1, kind: Pod, metadata: {name: A_}, spec: {}}", [
        f'metadata.name: Invalid value: "A_": {SUBDOMAIN}', "spec.containers: Required value"]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_manifest_is_judged_as_the_real_server_judged_it(name):
    text, expected = GOLDEN[name]
    assert errors(text) == expected


def test_a_variable_set_twice_only_warns():
    key, obj = made(pod(container='env: [{name: A, value: "1"},{name: A, value: "2"}]'))
    assert validation.validate_create(key, obj) == []
    text = 'hides previous definition of "A", which may be dropped when using apply'
    assert validation.warnings(key, obj) == [f"spec.containers[0].env[1]: {text}"]
    template = {"spec": {"template": {"spec": obj["spec"]}}}
    assert validation.warnings("deployments.apps", template) == [f"spec.template.spec.containers[0].env[1]: {text}"]


CONTAINERS = [
    ("ports: [{containerPort: 80, name: http}, {containerPort: 81, name: http}]", '.ports[1].name: Duplicate value: "http"'),
    ("ports: [{containerPort: 80, name: Http}]",
     '.ports[0].name: Invalid value: "Http": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'),
    ("ports: [{}]", ".ports[0].containerPort: Required value"),
    ("ports: [{containerPort: 80, protocol: HTTP}]",
     '.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'),
    ("imagePullPolicy: Sometimes", '.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"'),
    ("env: [{value: x}]", ".env[0].name: Required value"),
    ('env: [{name: "A=B"}]', '.env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII '
     "characters other than '='"),
    ("env: [{name: A, valueFrom: {configMapKeyRef: {name: x}}}]", ".env[0].valueFrom.configMapKeyRef.key: Required value"),
    ("env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
     '.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'),
    ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.foo}}}]", '.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error '
     "converting fieldPath: field label not supported: spec.foo"),
    ("envFrom: [{}]", '.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'),
    ("resources: {requests: {cpu: -1}}", f'.resources.requests[cpu]: Invalid value: "-1": {NOT_NEGATIVE}'),
    ("resources: {requests: {cpus: 1}}", '.resources.requests[cpus]: Invalid value: "cpus": must be a standard resource for containers'),
    ("resources: {requests: {example.com/gpu: 1}}", ".resources.limits: Required value: Limit must be set for non overcommitable resources"),
    ("livenessProbe: {}", ".livenessProbe: Required value: must specify a handler type"),
    ("livenessProbe: {exec: {command: [x]}, tcpSocket: {port: 1}}",
     ".livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"),
    ("livenessProbe: {exec: {command: [x]}, successThreshold: 2}", ".livenessProbe.successThreshold: Invalid value: 2: must be 1"),
    ("livenessProbe: {tcpSocket: {port: 0}}", f".livenessProbe.tcpSocket.port: Invalid value: 0: {PORTS}"),
    ("readinessProbe: {httpGet: {port: 80, scheme: FTP}}",
     '.readinessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'),
    ("readinessProbe: {exec: {}}", ".readinessProbe.exec.command: Required value"),
    ("readinessProbe: {tcpSocket: {port: 1}, periodSeconds: -1}", f".readinessProbe.periodSeconds: Invalid value: -1: {NOT_NEGATIVE}"),
    ("lifecycle: {preStop: {sleep: {seconds: 99}}}",
     ".lifecycle.preStop.sleep: Invalid value: 99: must be non-negative and less than terminationGracePeriodSeconds (30)"),
    ("securityContext: {privileged: true, allowPrivilegeEscalation: false}", '.securityContext: Invalid value: '
     '{"allowPrivilegeEscalation":false,"privileged":true}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true'),
    ("securityContext: {runAsUser: -5}", ".securityContext.runAsUser: Invalid value: -5: must be between 0 and 4294967295, inclusive"),
    ('image: " nginx"', '.image: Invalid value: " nginx": must not have leading or trailing whitespace'),
    ("terminationMessagePolicy: Mail",
     '.terminationMessagePolicy: Unsupported value: "Mail": supported values: "File", "FallbackToLogsOnError"'),
]


@pytest.mark.parametrize(("fields", "message"), CONTAINERS, ids=[row[0][:40] for row in CONTAINERS])
def test_a_container_is_checked(fields, message):
    assert errors(pod(container=fields)) == [C + message]


def test_requests_come_from_limits_before_they_are_checked():
    assert errors(pod(container="resources: {limits: {example.com/gpu: 500m}}")) == [
        f'{C}.resources.{field}[example.com/gpu]: Invalid value: "500m": must be an integer' for field in ("limits", "requests")]


SPECS = [
    ("restartPolicy: Sometimes", 'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'),
    ("dnsPolicy: None", "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"),
    ("activeDeadlineSeconds: 0", "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"),
    ("nodeSelector: {a: b c}", f'spec.nodeSelector: Invalid value: "b c": {VALUE}'),
    ("hostname: a.b", 'spec.hostname: Invalid value: "a.b": must not contain dots'),
    ("volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]", 'spec.volumes[1].name: Duplicate value: "v"'),
    ("volumes: [{name: v, emptyDir: {}, hostPath: {path: /x}}]",
     "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"),
    ("volumes: [{name: v, hostPath: {path: /a/../b}}]", 'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\''),
    ("volumes: [{name: v, secret: {}}]", "spec.volumes[0].secret.secretName: Required value"),
    ("volumes: [{name: v, configMap: {name: c, defaultMode: 777}}]", "spec.volumes[0].configMap.defaultMode: Invalid value: 777: must be a "
     "number between 0 and 0777 (octal), both inclusive"),
    ("volumes: [{name: v, persistentVolumeClaim: {claimName: ''}}]", "spec.volumes[0].persistentVolumeClaim.claimName: Required value"),
    ("tolerations: [{operator: Equal, value: x}]", 'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` '
     'is empty, which means "match all values and all keys"'),
    ("tolerations: [{key: a, operator: Near}]", 'spec.tolerations[0].operator: Unsupported value: "Near": supported values: "Equal", "Exists"'),
    ("tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 1}]", 'spec.tolerations[0].effect: Invalid value: '
     '"NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set'),
    ("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one "
     "node selector term"),
    ("affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, podAffinityTerm: {topologyKey: a}}]}}",
     "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100"),
    ("topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]",
     "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"),
    ("schedulingGates: [{name: a}, {name: a}]", 'spec.schedulingGates[1]: Duplicate value: "a"'),
    ("initContainers: [{name: c, image: x}]", 'spec.initContainers[0].name: Duplicate value: "c"'),
    ("initContainers: [{name: i, image: x, readinessProbe: {tcpSocket: {port: 1}}}]",
     "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"),
    ("ephemeralContainers: [{name: e, image: x}]", "spec.ephemeralContainers: Forbidden: cannot be set on create"),
    ("hostAliases: [{ip: 1.2.3}]", 'spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or '
     "2001:db8::ffff)"),
    ("shareProcessNamespace: true, hostPID: true, securityContext: {runAsUser: 1}",
     "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"),
]


@pytest.mark.parametrize(("fields", "message"), SPECS, ids=[row[0][:40] for row in SPECS])
def test_a_pod_spec_is_checked(fields, message):
    assert errors(pod(fields)) == [message]


DEPLOYMENTS = [
    ("progressDeadlineSeconds: 5, minReadySeconds: 5", "", "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"),
    ("revisionHistoryLimit: -1", "", f"spec.revisionHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"),
    ("", "rollingUpdate: {maxUnavailable: 0, maxSurge: 0}",
     "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"),
    ("", "rollingUpdate: {maxUnavailable: 101%}",
     'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'),
    ("", "rollingUpdate: {maxSurge: ten}", 'spec.strategy.rollingUpdate.maxSurge: Invalid value: "ten": a valid percent string must be a '
     "numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
    ("", "type: Recreate, rollingUpdate: {maxSurge: 1}",
     "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"),
    ("", "type: BlueGreen", 'spec.strategy.type: Unsupported value: "BlueGreen": supported values: "Recreate", "RollingUpdate"'),
]


@pytest.mark.parametrize(("fields", "strategy", "message"), DEPLOYMENTS)
def test_a_deployment_is_checked(fields, strategy, message):
    assert errors(deployment(fields, strategy)) == [message]


SERVICES = [
    ("ports: [{port: 0}]", [f"spec.ports[0].port: Invalid value: 0: {PORTS}", f"spec.ports[0].targetPort: Invalid value: 0: {PORTS}"]),
    ("ports: [{port: 80, nodePort: 30000}]", ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
    ("ports: [{name: a, port: 80}, {name: b, port: 80}]",
     ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80,"targetPort":0}']),
    ("ports: [{name: a, port: 80}, {name: a, port: 81}]", ['spec.ports[1].name: Duplicate value: "a"']),
    ("ports: [{port: 80}], type: Magic", [
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']),
    ("type: ExternalName", ["spec.externalName: Required value"]),
    ("ports: [{port: 80}], clusterIP: 1.2.3", [
        'spec.clusterIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
    ("ports: [{port: 80}], clusterIP: None, type: NodePort",
     ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"]),
    ("clusterIP: None", []),
    ("ports: [{port: 80}], externalIPs: [127.0.0.1]",
     ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
    ("ports: [{port: 80}], sessionAffinity: Sticky",
     ['spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"']),
    ("ports: [{port: 80}], externalTrafficPolicy: Local",
     ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services']),
]


@pytest.mark.parametrize(("fields", "messages"), SERVICES)
def test_a_service_is_checked(fields, messages):
    assert errors(service(fields)) == messages


def test_the_other_kinds_are_checked():
    meta = "apiVersion: v1, metadata: {name: t}"
    assert errors(f'{{kind: ConfigMap, {meta}, data: {{"a b": x}}}}')[0].startswith('data[a b]: Invalid value: "a b": a valid config key must')
    assert errors(f"{{kind: ConfigMap, {meta}, data: {{a: {'x' * (1 << 20)}}}}}") == []
    assert errors(f"{{kind: ConfigMap, {meta}, data: {{a: {'x' * (1 << 20)}y}}}}") == [": Too long: may not be more than 1048576 bytes"]
    assert errors(f"{{kind: Secret, {meta}, type: kubernetes.io/tls}}") == ["data[tls.crt]: Required value", "data[tls.key]: Required value"]
    assert errors(f"{{kind: Node, {meta}, spec: {{taints: [{{key: a, effect: Nope}}]}}}}") == [
        'metadata.taints[0].effect: Unsupported value: "Nope": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"']
    assert errors(f"{{kind: Endpoints, {meta}, subsets: [{{addresses: [{{ip: 1.2.3}}]}}]}}")[0].startswith(
        'subsets[0].addresses[0].ip: Invalid value: "1.2.3": must be a valid IP address')
    assert errors("{kind: Lease, apiVersion: coordination.k8s.io/v1, metadata: {name: t}, spec: {leaseDurationSeconds: 0}}") == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]
    assert errors("{kind: EndpointSlice, apiVersion: discovery.k8s.io/v1, metadata: {name: t}, addressType: IPv4, endpoints: [{addresses: "
                  "[fe80::1]}], ports: []}") == ['endpoints[0].addresses[0]: Invalid value: "fe80::1": must be a valid IPv4 address']


# updates -----------------------------------------------------------------------------------------------------------------

def updated(old, **spec):
    return {**old, "spec": {**old["spec"], **spec}}


def update_errors(key, new, old):
    before = json.dumps([new, old])
    found = [error.message() for error in validation.validate_update(key, new, old)]
    assert json.dumps([new, old]) == before
    return found


def test_patch_selector_immutable():
    key, old = made(deployment())
    new = updated(old, selector={"matchLabels": {"app": "zzz"}})
    assert update_errors(key, new, old) == [
        'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
        'spec.selector: Invalid value: {"matchLabels":{"app":"zzz"}}: field is immutable']


def test_patch_svc_immutable():
    key, old = made(service("ports: [{port: 80}], clusterIP: 10.96.1.1, clusterIPs: [10.96.1.1]"))
    new = updated(old, clusterIP="10.96.77.77", clusterIPs=["10.96.77.77"])
    assert update_errors(key, new, old) == ['spec.clusterIPs[0]: Invalid value: ["10.96.77.77"]: may not change once set']


IMMUTABLE = ("spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
             "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
             "(allow it to be set to 1 if it was previously negative)\n")
MULTI = """
apiVersion: v1
kind: Pod
metadata: {name: multi}
spec:
  initContainers:
  - {name: init, image: busybox, command: [sh, -c, "echo init done; sleep 2"], volumeMounts: [&token {name: kube-api-access-8znrq,
     readOnly: true, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}
  containers:
  - name: web
    image: nginx
    ports: [{name: http, containerPort: 80}]
    env:
    - {name: GREETING, value: hello}
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: COLOR, valueFrom: {configMapKeyRef: {name: app-config, key: color}}}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: app-secret, key: password}}}
    envFrom: [{configMapRef: {name: app-config}}]
    resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 200m, memory: 64Mi}}
    livenessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 3, periodSeconds: 5}
    readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 2}
    volumeMounts: [{name: data, mountPath: /data}, {name: cfg, mountPath: /etc/cfg, readOnly: true}, *token]
  - name: sidecar
    image: busybox
    command: [sh, -c, "while true; do date; sleep 5; done"]
    volumeMounts: [{name: data, mountPath: /data}, *token]
  nodeName: w1-k8s
  serviceAccountName: default
  volumes:
  - {name: data, emptyDir: {}}
  - {name: cfg, configMap: {name: app-config}}
  - {name: sec, secret: {secretName: app-secret}}
  - {name: host, hostPath: {path: /tmp, type: Directory}}
  - name: kube-api-access-8znrq
    projected:
      sources:
      - serviceAccountToken: {expirationSeconds: 3607, path: token}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
"""


def test_patch_pod_immutable():
    """The diff is that of the real server, to the line number."""
    key, old = made(MULTI)
    assert update_errors(key, updated(old, nodeName="w3-k8s"), old) == [IMMUTABLE + """@@ -513,7 +513,7 @@
  "NodeSelector": null,
  "ServiceAccountName": "default",
  "AutomountServiceAccountToken": null,
- "NodeName": "w1-k8s",
+ "NodeName": "w3-k8s",
  "SecurityContext": {
   "HostNetwork": false,
   "HostPID": false,
"""]


def test_what_may_change_of_a_pod():
    key, old = made(pod("activeDeadlineSeconds: 100, tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 5}]"))
    image = [{**old["spec"]["containers"][0], "image": "nginx:1.27"}]
    longer = [{**old["spec"]["tolerations"][0], "tolerationSeconds": 9}, {"key": "b", "operator": "Exists"}]
    assert update_errors(key, updated(old, containers=image, tolerations=longer, activeDeadlineSeconds=50), old) == []
    assert update_errors(key, {**old, "metadata": {**old["metadata"], "labels": {"a": "b"}}}, old) == []
    assert update_errors(key, updated(old, tolerations=[]), old) == [
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]
    assert update_errors(key, updated(old, activeDeadlineSeconds=200), old) == [
        "spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value"]
    assert update_errors(key, updated(old, containers=image * 2), old)[-1] == (
        "spec.containers: Forbidden: pod updates may not add or remove containers")
    assert update_errors(key, updated(old, restartPolicy="Never"), old)[0].startswith(IMMUTABLE)


def test_finalizers_are_not_added_to_what_is_going():
    key, old = made(pod(meta='{name: t, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [a/b]}'))
    new = {**old, "metadata": {**old["metadata"], "finalizers": ["a/b", "c/d"]}}
    assert update_errors(key, new, old) == ["metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
                                            'found new finalizers []string{"c/d"}']


def test_immutable_data_stays():
    key, old = made("{kind: ConfigMap, apiVersion: v1, metadata: {name: t}, immutable: true, data: {a: b}}")
    assert update_errors(key, {**old, "data": {}}, old) == ["data: Forbidden: field is immutable when `immutable` is set"]
    key, old = made("{kind: Secret, apiVersion: v1, metadata: {name: t}}")
    assert update_errors(key, {**old, "type": "x"}, old) == ['type: Invalid value: "x": field is immutable']


def test_a_status_is_checked():
    key, old = made(pod("restartPolicy: Never"))
    ended = {**old, "status": {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 0}}}]}}
    back = {**old, "status": {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}}
    assert [error.message() for error in validation.validate_status(key, back, ended)] == [
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"]
    assert validation.validate_status(key, ended, back) == []
    assert validation.validate_status("deployments.apps", {"status": {"replicas": 1, "readyReplicas": 2}}, {}) == [
        FieldError("Invalid value", "status.readyReplicas", 2, "cannot be greater than status.replicas")]


# properties --------------------------------------------------------------------------------------------------------------

def test_a_template_is_checked_once_for_all_its_pods(monkeypatch):
    from server.cluster.apiserver.validation import pods

    checked = []
    memory = type(pods._pod_specs)(lambda spec: checked.append(spec) or [])
    monkeypatch.setattr(pods, "_pod_specs", memory)
    template = made(deployment())[1]["spec"]["template"]
    for number in range(20):
        made_pod = defaults.apply("pods", {"metadata": {"name": f"p{number}", "namespace": "default"}, "spec": template["spec"]})
        assert validation.validate_create("pods", made_pod) == []
    assert len(checked) == 1


@settings(deadline=None)
@given(POD_SPECS)
def test_validation_answers_for_any_pod_and_changes_nothing(spec):
    obj = defaults.apply("pods", {"metadata": {"name": "t", "namespace": "default"}, "spec": spec})
    before = json.dumps(obj)
    found = validation.validate_create("pods", obj)
    assert all(error.message() for error in found)
    validation.warnings("pods", obj)
    assert validation.validate_update("pods", obj, obj) == []
    assert json.dumps(obj) == before


def test_a_templates_errors_are_those_of_its_spec_at_its_place():
    key, obj = made(deployment())
    broken = updated(obj, template={**obj["spec"]["template"], "spec": {**obj["spec"]["template"]["spec"], "containers": [{}]}})
    found = [error.field for error in validation.validate_create(key, broken)]
    assert found[0] == "spec.template.spec.containers[0].name"
    assert all(field.startswith("spec.template.spec.containers[0].") for field in found)
