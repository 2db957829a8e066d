"""What containers find in their environment and on their command line."""

import pytest

from server.cluster.cluster import Cluster


def shell(script, **more):
    return {"command": ["sh", "-c", script], **more}


def said(bench, name, container="c"):
    return [line.text for line in bench.cluster.kubelets.runtime.logs("default", name, container)]


def configmap(bench, name, **data):
    bench.kubectl.create("configmaps", {"metadata": {"name": name, "namespace": "default"}, "data": data})


def test_values_refer_to_those_before_them(bench):
    bench.pod("vars", shell("echo $C; echo $D; echo $E", env=[
        {"name": "A", "value": "one"}, {"name": "C", "value": "$(A)-$(B)"}, {"name": "B", "value": "late"}, {"name": "D", "value": "$$(A)"},
        {"name": "E", "value": "http://$(KUBERNETES_SERVICE_HOST)"}]), restartPolicy="Never")
    bench.run(10)
    assert said(bench, "vars") == ["one-$(B)", "$(A)", "http://10.96.0.1"]


def test_the_command_names_variables_and_leaves_the_shell_its_own(bench):
    bench.pod("vars", {"command": ["echo"], "args": ["$(GREETING)", "$(NOBODY)", "$$(GREETING)"], "env": [{"name": "GREETING", "value": "hi"}]},
              restartPolicy="Never")
    bench.pod("shell", shell("echo $(echo inner)"), restartPolicy="Never")
    bench.run(10)
    assert said(bench, "vars") == ["hi $(NOBODY) $(GREETING)"] and said(bench, "shell") == ["inner"]


def test_the_downward_api_tells_fields_and_resources(bench):
    fields = {"NAME": "metadata.name", "NS": "metadata.namespace", "NODE": "spec.nodeName", "IP": "status.podIP", "HOST": "status.hostIP",
              "LABEL": "metadata.labels['tier']", "SA": "spec.serviceAccountName"}
    resources = {"CPU": ("limits.cpu", "1m"), "WHOLE": ("limits.cpu", "1"), "MEM": ("requests.memory", "1Mi"), "NONE": ("requests.cpu", "1"),
                 "NODEMEM": ("limits.memory", "1")}
    env = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    env += [{"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}}
            for name, (resource, divisor) in resources.items()]
    names = [*fields, *resources]
    bench.kubectl.create("pods", {"metadata": {"name": "down", "namespace": "default", "labels": {"tier": "web"}}, "spec": {
        "nodeName": "w1-k8s", "restartPolicy": "Never", "containers": [{
            "name": "c", "image": "busybox", "env": env, "command": ["sh", "-c", "; ".join(f"echo ${name}" for name in names)],
            "resources": {"limits": {"cpu": "250m"}, "requests": {"memory": "64Mi", "cpu": "0"}}}]}})
    bench.run(10)
    found = dict(zip(names, said(bench, "down"), strict=True))
    memory = bench.cluster.kubelets.nodes["w1-k8s"].allocatable[1]
    assert found == {"NAME": "down", "NS": "default", "NODE": "w1-k8s", "IP": bench.status("down")["podIP"], "HOST": "192.168.1.101",
                     "LABEL": "web", "SA": "default", "CPU": "250", "WHOLE": "1", "MEM": "64", "NONE": "0", "NODEMEM": str(memory)}


def test_an_environment_is_that_of_the_start(bench):
    configmap(bench, "app", COLOR="blue")
    bench.pod("web", shell("while true; do echo $COLOR; sleep 10; done", envFrom=[{"configMapRef": {"name": "app"}, "prefix": ""}]))
    bench.run(15)
    bench.kubectl.patch("configmaps", "default", "app", {"data": {"COLOR": "red"}}, "merge")
    bench.run(20)
    bench.cluster = Cluster.restore(bench.cluster.snapshot())
    bench.run(20)
    assert set(said(bench, "web")) == {"blue"}
    bench.cluster.kubelets.kill_container("default", "web", "c")
    bench.run(20)
    assert set(said(bench, "web")) == {"red"}


def test_env_from_has_a_prefix_and_env_comes_before_it(bench):
    configmap(bench, "app", A="1", B="2")
    bench.kubectl.create("secrets", {"metadata": {"name": "s", "namespace": "default"}, "data": {"PASSWORD": "c2VjcmV0"}})
    bench.pod("web", shell("echo $APP_A $APP_B $PASSWORD", env=[{"name": "APP_B", "value": "own"}],
                           envFrom=[{"prefix": "APP_", "configMapRef": {"name": "app"}}, {"secretRef": {"name": "s"}}]), restartPolicy="Never")
    bench.run(10)
    assert said(bench, "web") == ["1 own secret"]


def test_services_that_came_later_are_not_seen(bench):
    def service(name):
        bench.kubectl.create("services", {"metadata": {"name": name, "namespace": "default"},
                                          "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}})

    service("early-svc")
    bench.run(2)
    bench.pod("web", shell("sleep 10; echo $EARLY_SVC_SERVICE_PORT $LATE_SERVICE_PORT."), restartPolicy="Never")
    bench.run(5)
    service("late")
    bench.run(15)
    assert said(bench, "web") == ["80 ."]


@pytest.mark.parametrize(("text", "key", "optional", "outcome"), [
    ("DB='db.internal' # where", "DB", False, "db.internal"),
    ("OTHER='x'", "DB", False, 'environment variable key "DB" not found in file'),
    ("OTHER='x'", "DB", True, ""),
    ("DB = x", "DB", False, "couldn't parse env file"),
])
def test_a_variable_can_come_from_a_file_that_an_init_container_wrote(bench, text, key, optional, outcome):
    volume = [{"name": "v", "mountPath": "/data"}]
    bench.pod("web", shell("echo [$DB]", env=[{"name": "DB", "valueFrom": {"fileKeyRef": {
        "volumeName": "v", "path": "config.env", "key": key, "optional": optional}}}]), restartPolicy="Never",
        volumes=[{"name": "v", "emptyDir": {}}],
        initContainers=[{"name": "i", "image": "busybox", **shell(f'echo "{text}" > /data/config.env', volumeMounts=volume)}])
    bench.run(15)
    if bench.status("web")["phase"] == "Succeeded":
        assert said(bench, "web") == [f"[{outcome}]"]
    else:
        assert bench.reason("web") == "CreateContainerConfigError" and ("Failed", f"Error: {outcome}") in bench.events("web")


def test_what_the_image_and_the_runtime_give_is_there_but_cannot_be_named(bench):
    bench.pod("web", {"image": "nginx:1.27", "env": [{"name": "WHERE", "value": "$(HOSTNAME) $(NGINX_VERSION) $(KUBERNETES_SERVICE_PORT)"}]})
    bench.pod("said", {"command": ["echo"], "args": ["$(HOSTNAME)", "$(KUBERNETES_SERVICE_PORT)"]}, restartPolicy="Never")
    bench.run(10)
    variables = bench.cluster.kubelets.runtime.container("default", "web", "c").environment()
    assert list(variables)[:3] == ["PATH", "HOSTNAME", "NGINX_VERSION"] and list(variables)[-1] == "HOME"
    assert variables["NGINX_VERSION"] == "1.27.5" and variables["WHERE"] == "$(HOSTNAME) $(NGINX_VERSION) 443"
    assert said(bench, "said") == ["$(HOSTNAME) 443"]
