"""What is accepted and has no effect is said in a Warning, each field by its path."""

from server.cluster.cluster import Cluster
from tests.kubectl.terminal import Terminal

POD = """
apiVersion: v1
kind: Pod
metadata: {name: warned}
spec:
  securityContext: {runAsUser: 1000, fsGroup: 2000, runAsNonRoot: true}
  containers:
  - name: c
    image: busybox
    workingDir: /srv
    securityContext: {privileged: false, readOnlyRootFilesystem: true, allowPrivilegeEscalation: true, seLinuxOptions: {level: s0}}
    volumeMounts: [{name: s, mountPath: /s, mountPropagation: HostToContainer}]
  volumes:
  - {name: s, secret: {secretName: x, defaultMode: 256, optional: true}}
  - name: p
    projected: {sources: [{configMap: {name: z, optional: true, items: [{key: a, path: b, mode: 511}, {key: c, path: d}]}}]}
"""
CLASS = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: c}\nprovisioner: x.io/y\nmountOptions: [debug]\n"
PLAIN = "apiVersion: v1\nkind: Pod\nmetadata: {name: plain}\nspec: {containers: [{name: c, image: nginx, securityContext: {}}]}\n"


def test_fields_without_effect_are_named():
    result = Terminal(Cluster(seed=1), {"pod.yaml": POD, "class.yaml": CLASS, "plain.yaml": PLAIN}).run("kubectl apply -f pod.yaml")
    nothing = "is accepted, but nothing follows from it here"
    assert result.stderr.splitlines() == [
        f"Warning: podium: spec.containers[0].securityContext.seLinuxOptions {nothing}",
        f"Warning: podium: spec.containers[0].volumeMounts[0].mountPropagation {nothing}"]


def test_mount_options_are_named_and_plain_pods_are_not():
    terminal = Terminal(Cluster(seed=1), {"class.yaml": CLASS, "plain.yaml": PLAIN})
    assert terminal.run("kubectl apply -f class.yaml").stderr == (
        "Warning: mountOptions: mount options are kept, but nothing follows from them here\n")
    assert terminal.run("kubectl apply -f plain.yaml").stderr == ""


def test_capabilities_that_are_dropped_are_named_only_where_root_would_miss_them():
    """Nobody else has any."""
    def said(whole: str, own: str) -> str:
        manifest = (f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  securityContext: {{{whole}}}\n  containers:\n"
                    f"  - {{name: c, image: nginx, "
                    f"securityContext: {{allowPrivilegeEscalation: false, seccompProfile: {{type: RuntimeDefault}}, {own}}}}}\n")
        return Terminal(Cluster(seed=1), {"pod.yaml": manifest}).run("kubectl apply -f pod.yaml").stderr

    assert said("", "capabilities: {drop: [ALL]}") == (
        "Warning: podium: spec.containers[0].securityContext.capabilities.drop is accepted, but nothing follows from it here\n")
    assert said("runAsNonRoot: true", "capabilities: {drop: [ALL]}") == said("", "runAsUser: 5, capabilities: {drop: [ALL]}") == ""
    assert said("", "capabilities: {add: [SYS_TIME]}") == said("", "privileged: false") == ""
