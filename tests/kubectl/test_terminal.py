"""What the terminal's kubectl does beyond printing: it waits, watches, edits, reads stdin and files, and says what it cannot do."""

from __future__ import annotations

import json

import pytest

from server.cluster.cluster import Cluster
from server.kubectl.completion import complete
from server.kubectl.context import Context
from tests.kubectl.desk import Desk
from tests.kubectl.terminal import MemoryFiles, Output, Terminal
from tests.kubectl.world import FILES


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(Cluster(seed=2), FILES)


def settle(terminal: Terminal, seconds: float = 15.0) -> None:
    terminal.cluster.clock.run_for(seconds)


def test_delete_returns_when_the_pods_are_gone(terminal: Terminal) -> None:
    terminal.run("kubectl run web --image=nginx")
    settle(terminal)
    started = terminal.cluster.clock.now
    result = terminal.run("kubectl delete pod web")
    assert result == ('pod "web" deleted from default namespace\n', "", 0)
    assert terminal.cluster.clock.now > started
    assert terminal.run("kubectl get pod web").stderr == 'Error from server (NotFound): pods "web" not found\n'


def test_delete_does_not_wait_when_told_not_to(terminal: Terminal) -> None:
    terminal.run("kubectl run web --image=nginx")
    settle(terminal)
    started = terminal.cluster.clock.now
    terminal.run("kubectl delete pod web --wait=false")
    assert terminal.cluster.clock.now == started
    assert "Terminating" in terminal.run("kubectl get pod web").stdout


def test_delete_gives_up_after_its_timeout_in_virtual_time(terminal: Terminal) -> None:
    terminal.run("kubectl run web --image=nginx")
    settle(terminal)
    terminal.run('kubectl patch pod web -p \'{"metadata":{"finalizers":["example.com/hold"]}}\'')
    result = terminal.run("kubectl delete pod web --timeout=7s")
    assert result.code == 1
    assert result.stderr == "error: timed out waiting for the condition on pods/web\n"


def test_watch_prints_a_row_for_every_change_under_one_header(terminal: Terminal) -> None:
    terminal.run("kubectl create deployment web --image=nginx --replicas=2")
    result = terminal.run("kubectl get pods -w", interrupt_after=20)
    lines = result.stdout.splitlines()
    assert result.code == 130
    assert sum(line.startswith("NAME") for line in lines) == 1
    assert [line.split()[2] for line in lines[1:]].count("Running") >= 2
    assert any("ContainerCreating" in line for line in lines)


def test_watch_of_one_object_does_not_repeat_it(terminal: Terminal) -> None:
    settle(terminal)
    result = terminal.run("kubectl get ns default -w", interrupt_after=5)
    assert len(result.stdout.splitlines()) == 2


def test_watch_with_events_names_them(terminal: Terminal) -> None:
    terminal.run("kubectl run web --image=nginx")
    terminal.cluster.clock.call_later(8, lambda: terminal.cluster.client().delete("pods", "default", "web", grace_period=0))
    result = terminal.run("kubectl get pods --watch --output-watch-events", interrupt_after=10)
    kinds = [line.split()[0] for line in result.stdout.splitlines()[1:]]
    assert kinds[0] == "ADDED"
    assert kinds[-1] == "DELETED"
    assert "MODIFIED" in kinds


def test_apply_reads_stdin_and_several_documents(terminal: Terminal) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"
    assert terminal.run("kubectl apply -f -", stdin=text).stdout == "configmap/a created\nconfigmap/b created\n"


def test_apply_goes_on_after_a_document_it_cannot_place(terminal: Terminal) -> None:
    text = "apiVersion: v1\nkind: Nonsense\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"
    result = terminal.run("kubectl apply -f -", stdin=text)
    assert (result.stdout, result.code) == ("configmap/b created\n", 1)
    assert 'no matches for kind "Nonsense" in version "v1"' in result.stderr


def test_apply_removes_what_the_manifest_no_longer_names_and_keeps_what_others_set(terminal: Terminal) -> None:
    before = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {a: '1', b: '2'}}\ndata: {x: one, y: two}\n"
    after = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {a: '1'}}\ndata: {x: three}\n"
    terminal.run("kubectl apply -f -", stdin=before)
    terminal.run("kubectl label cm c mine=yes")
    assert terminal.run("kubectl apply -f -", stdin=after).stdout == "configmap/c configured\n"
    obj = json.loads(terminal.run("kubectl get cm c -o json").stdout)
    assert obj["data"] == {"x": "three"}
    assert obj["metadata"]["labels"] == {"a": "1", "mine": "yes"}
    assert terminal.run("kubectl apply -f -", stdin=after).stdout == "configmap/c unchanged\n"


def test_apply_merges_containers_by_name(terminal: Terminal) -> None:
    def manifest(*containers: str) -> str:
        listed = "".join(f"      - {one}\n" for one in containers)
        return ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {app: d}}\n  template:\n"
                f"    metadata: {{labels: {{app: d}}}}\n    spec:\n      containers:\n{listed}")

    terminal.run("kubectl apply -f -", stdin=manifest("{name: a, image: nginx}", "{name: b, image: busybox}"))
    terminal.run("kubectl apply -f -", stdin=manifest("{name: c, image: redis}", "{name: a, image: 'nginx:1.27'}"))
    images = terminal.run("kubectl get deploy d -o jsonpath='{range .spec.template.spec.containers[*]}{.name}={.image} {end}'").stdout
    assert images == "c=redis a=nginx:1.27 "


def test_apply_of_a_directory_takes_its_manifests(terminal: Terminal) -> None:
    terminal.files.write("dir/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    terminal.files.write("dir/b.txt", "not a manifest")
    terminal.files.write("dir/c.json", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}')
    assert terminal.run("kubectl apply -f dir").stdout == "configmap/a created\nconfigmap/c created\n"
    assert terminal.run("kubectl get -f dir -o name").stdout == "configmap/a\nconfigmap/c\n"


def test_namespace_of_a_file_must_be_the_one_given(terminal: Terminal) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-public}\n"
    result = terminal.run("kubectl apply -n default -f -", stdin=text)
    assert result.stderr == ("error: the namespace from the provided object \"kube-public\" does not match the namespace \"default\". You must "
                             "pass '--namespace=kube-public' to perform this operation.\n")


def test_what_is_not_there_yet_is_refused_and_changes_nothing(terminal: Terminal) -> None:
    revision = terminal.cluster.store.revision
    for line, said in (
        ("kubectl apply --server-side -f nginx-deploy.yml", "--server-side is not available in Podium yet"),
        ("kubectl apply --prune -f nginx-deploy.yml", "--prune is not available in Podium yet"),
        ("kubectl get pods --token=x", "--token is not available in Podium's terminal yet"),
    ):
        result = terminal.run(line)
        assert (result.code, result.stdout) == (1, "")
        assert said in result.stderr
    assert terminal.cluster.store.revision == revision


def test_impersonation_asks_as_somebody_else(terminal: Terminal) -> None:
    result = terminal.run("kubectl get nodes --as=jane")
    assert result.stderr == ('Error from server (Forbidden): nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the '
                             "cluster scope\n")
    assert terminal.run("kubectl get nodes").code == 0


def test_a_context_keeps_its_namespace_for_later_lines(terminal: Terminal) -> None:
    terminal.run("kubectl config set-context --current --namespace=kube-system")
    assert "coredns" in terminal.run("kubectl get pods").stdout
    assert terminal.run("kubectl get cm -n default -o name").stdout == "configmap/kube-root-ca.crt\n"


def test_another_kubeconfig_file_is_read_and_written(terminal: Terminal) -> None:
    terminal.files.write("other", terminal.run("kubectl config view --raw").stdout)
    terminal.run("kubectl config set-context --current --namespace=kube-public --kubeconfig=other")
    assert terminal.run("kubectl get pods --kubeconfig=other").stderr == "No resources found in kube-public namespace.\n"
    assert terminal.run("kubectl get pods").stderr == "No resources found in default namespace.\n"
    assert terminal.run("kubectl get pods --kubeconfig=nosuch").stderr == "error: stat nosuch: no such file or directory\n"


def test_warnings_can_be_errors(terminal: Terminal) -> None:
    result = terminal.run("kubectl get ep --warnings-as-errors")
    assert result.code == 1
    assert result.stderr.startswith("Warning: v1 Endpoints is deprecated in v1.33+")


def test_mistyped_commands_get_suggestions(terminal: Terminal) -> None:
    assert terminal.run("kubectl gte pods").stderr == 'error: unknown command "gte" for "kubectl"\n\nDid you mean this?\n\tget\n'
    assert terminal.run("kubectl zzzzzz").stderr == 'error: unknown command "zzzzzz" for "kubectl"\n'


def test_every_command_has_help_that_names_its_flags(terminal: Terminal) -> None:
    for line in ("get", "apply", "create deployment", "rollout undo", "config set-context", "delete"):
        result = terminal.run(f"kubectl {line} --help")
        assert (result.code, result.stderr) == (0, "")
        assert f"Usage:\n  kubectl {line}" in result.stdout
    assert "-o, --output='':" in terminal.run("kubectl get -h").stdout


def test_the_cascade_decides_what_becomes_of_pods(terminal: Terminal) -> None:
    terminal.run("kubectl create deployment web --image=nginx")
    settle(terminal)
    terminal.run("kubectl delete deploy web --cascade=orphan")
    settle(terminal)
    assert "replicaset.apps/web-" in terminal.run("kubectl get rs -o name").stdout
    terminal.run("kubectl delete rs --all --cascade=foreground")
    settle(terminal, 60)
    assert terminal.run("kubectl get pods").stderr == "No resources found in default namespace.\n"


def test_broken_input_never_crashes_the_terminal(terminal: Terminal) -> None:
    for text in ("", "a: [", "{", "- 1", "null", "x" * 5000, "a: &a [*a]", "apiVersion: v1\nkind: [Pod]\n", "kind: Pod\nmetadata: 3\n",
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: [1]}\nspec: 7\n", "apiVersion: v1\nkind: List\nitems: [1, {}]\n"):
        for command in ("apply", "create", "delete", "get", "diff", "replace"):
            result = terminal.run(f"kubectl {command} -f -", stdin=text)
            assert result.code in (0, 1, 2)
            assert result.stdout or result.stderr or command in ("diff", "replace")
    for line in ("get pods -o jsonpath={..}", "get pods -o go-template={{range}}", "get pods -l =", "get pods --sort-by={", "get /", "get pod/",
                 "get ,", "delete pod/a/b", "patch pod x -p [", "create cm x --from-literal==", "expose pod", "run a --image=", "config view -o foo",
                 "get pods -o custom-columns=:", "explain .", "explain pod..spec", "get --raw x", "get pods -n", "-- get", "--", "get -- pods"):
        assert isinstance(terminal.run(f"kubectl {line}").code, int)


def completions(terminal: Terminal, line: str) -> list[str]:
    context = Context(terminal.cluster.api, terminal.cluster.clock, MemoryFiles({"a.yaml": "", "x/b.yaml": ""}), Output(), Output())
    return complete(line, len(line), context)[1]


def test_tab_offers_commands_types_names_flags_and_values(terminal: Terminal) -> None:
    terminal.run("kubectl run web --image=nginx")
    assert completions(terminal, "kubectl exp") == ["explain", "expose"]
    assert completions(terminal, "kubectl rollout u") == ["undo"]
    assert completions(terminal, "k get po") == ["poddisruptionbudgets.policy", "pods", "podtemplates"]
    assert completions(terminal, "k get pods ") == ["web"]
    assert completions(terminal, "k get pod/w") == ["pod/web"]
    assert completions(terminal, "k get pods -n kube-pu") == ["kube-public"]
    assert completions(terminal, "k get pods --show-l") == ["--show-labels"]
    assert completions(terminal, "k get pods -o js") == ["json", "jsonpath-as-json=", "jsonpath-file=", "jsonpath="]
    assert completions(terminal, "k apply -f ") == ["a.yaml", "x/", "x/b.yaml"]
    assert completions(terminal, "k delete pod web --casc") == ["--cascade"]
    assert "--cascade=orphan" in completions(terminal, "k delete pod web --cascade=")


def test_the_last_applied_configuration_can_be_seen_set_and_edited(terminal: Terminal) -> None:
    terminal.run("kubectl apply -f nginx-deploy.yml")
    edited = Desk(terminal.cluster).run("KUBE_EDITOR='sed -i s/replicas:.*/replicas:\\ 7/' kubectl apply edit-last-applied deploy/nginx-deploy")
    assert edited == ("deployment.apps/nginx-deploy edited\n", "", 0)
    assert "replicas: 7" in terminal.run("kubectl apply view-last-applied deploy/nginx-deploy").stdout
    assert terminal.run("kubectl get deploy nginx-deploy -o jsonpath={.spec.replicas}").stdout == "2"
    assert terminal.run("kubectl apply set-last-applied -f nginx-deploy.yml").stdout == "deployment.apps/nginx-deploy configured\n"
    assert "replicas: 2" in terminal.run("kubectl apply view-last-applied deploy/nginx-deploy").stdout
