"""The commands that the Kubernetes documentation's tasks and tutorials run in containers, and what they print there.

Source: https://kubernetes.io/docs/tasks/
"""

import pytest

from tests.cluster.runtime.containers_world import Containers, matches

SLEEP = ["sleep", "36000"]
SECRET = {"username": "bXktYXBw", "password": "Mzk1MjgkdmRnN0pi"}


def _volume(name, path, **source):
    return {"volumes": [{"name": name, **source}], "container": {"volumeMounts": [{"name": name, "mountPath": path}]}}


@pytest.fixture(scope="module")
def world():
    made = Containers()
    client = made.client
    _applications(made)
    _environment(made, client)
    _storage(made, client)
    _scripts(made)
    made.settle(90)
    return made


def _applications(made):
    made.deployment("hostnames", "registry.k8s.io/e2e-test-images/agnhost:2.53", 3, ["serve-hostname"])
    made.service("hostnames", 80, 9376)
    made.deployment("my-nginx", "nginx", 2, ports=[{"containerPort": 80}])
    made.service("my-nginx", 80)
    made.deployment("nothing", "nginx", 0)
    made.service("nothing", 80)
    made.client.create("services", {"metadata": {"name": "my-db", "namespace": "default"},
                                    "spec": {"type": "ExternalName", "externalName": "hostnames.default.svc.cluster.local"}})
    labels = {"app": "nginx"}
    made.client.create("services", {"metadata": {"name": "nginx", "namespace": "default"},
                                    "spec": {"clusterIP": "None", "selector": labels, "ports": [{"port": 80, "name": "web"}]}})
    made.client.create("statefulsets.apps", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "serviceName": "nginx", "replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "containers": [{"name": "c", "image": "registry.k8s.io/nginx-slim:0.27", "ports": [{"containerPort": 80, "name": "web"}]}]}}}})
    made.deployment("source-ip-app", "registry.k8s.io/echoserver:1.10", ports=[{"containerPort": 8080}])
    made.service("clusterip", 80, 8080, "source-ip-app")
    made.deployment("hello", "gcr.io/google-samples/hello-app:1.0", 2)
    made.service("hello", 80, 8080)
    made.config("example-redis-config", **{"redis-config": "maxmemory 2mb\nmaxmemory-policy allkeys-lru\n"})
    made.pod("redis", "redis:8.0.2", ["redis-server", "/redis-master/redis.conf"], container={"volumeMounts": [
        {"name": "config", "mountPath": "/redis-master"}]}, volumes=[{"name": "config", "configMap": {
            "name": "example-redis-config", "items": [{"key": "redis-config", "path": "redis.conf"}]}}])
    made.service("redis", 6379)
    made.pod("mysql", "mysql:9", container={"env": [{"name": "MYSQL_ROOT_PASSWORD", "value": "password"}]})
    made.service("mysql", 3306, clusterIP="None")
    for name, image in (("busybox", "busybox:1.28"), ("box", "busybox:1.36"), ("curlpod", "curlimages/curl"), ("net", "nicolaka/netshoot"),
                        ("dnsutils", "registry.k8s.io/e2e-test-images/agnhost:2.39")):
        made.pod(name, image, SLEEP)


def _environment(made, client):
    client.create("secrets", {"metadata": {"name": "test-secret", "namespace": "default"}, "data": SECRET})
    made.config("special-config", SPECIAL_LEVEL="very", SPECIAL_TYPE="charm")
    made.config("game-config", game__properties="enemies=aliens\nlives=3\n", ui__properties="color.good=purple\n")
    made.pod("envar-demo", "gcr.io/google-samples/hello-app:2.0", container={"env": [
        {"name": "DEMO_GREETING", "value": "Hello from the environment"}, {"name": "DEMO_FAREWELL", "value": "Such a sweet sorrow"}]})
    made.pod("command-demo", "debian", ["printenv"], ["HOSTNAME", "KUBERNETES_PORT"], restartPolicy="OnFailure")
    made.pod("dependent", "busybox:1.28", ["sh", "-c"], ["printf UNCHANGED_REFERENCE=$UNCHANGED_REFERENCE'\\n'; "
                                                         "printf SERVICE_ADDRESS=$SERVICE_ADDRESS'\\n'; "
                                                         "printf ESCAPED_REFERENCE=$ESCAPED_REFERENCE'\\n'; sleep 30000"], container={"env": [
        {"name": "SERVICE_PORT", "value": "80"}, {"name": "SERVICE_IP", "value": "172.17.0.1"},
        {"name": "UNCHANGED_REFERENCE", "value": "$(PROTOCOL)://$(SERVICE_IP):$(SERVICE_PORT)"}, {"name": "PROTOCOL", "value": "https"},
        {"name": "SERVICE_ADDRESS", "value": "$(PROTOCOL)://$(SERVICE_IP):$(SERVICE_PORT)"},
        {"name": "ESCAPED_REFERENCE", "value": "$$(PROTOCOL)://$(SERVICE_IP):$(SERVICE_PORT)"}]})
    made.pod("secret-env", "nginx", container={"env": [{"name": "SECRET_USERNAME", "valueFrom": {"secretKeyRef": {
        "name": "test-secret", "key": "username"}}}], "envFrom": [{"secretRef": {"name": "test-secret"}}]})
    made.pod("secret-test-pod", "nginx", **_volume("secret-volume", "/etc/secret-volume", secret={"secretName": "test-secret"}))
    made.pod("dapi-test-pod", "busybox:1.27.2", ["/bin/sh", "-c", "echo $(SPECIAL_LEVEL_KEY) $(SPECIAL_TYPE_KEY)"], restartPolicy="Never", container={
        "env": [{"name": "SPECIAL_LEVEL_KEY", "valueFrom": {"configMapKeyRef": {"name": "special-config", "key": "SPECIAL_LEVEL"}}},
                {"name": "SPECIAL_TYPE_KEY", "valueFrom": {"configMapKeyRef": {"name": "special-config", "key": "SPECIAL_TYPE"}}}]})
    made.pod("config-volume", "busybox:1.27.2", SLEEP, **_volume("config", "/etc/config", configMap={"name": "game-config"}))
    made.pod("config-item", "busybox:1.27.2", ["/bin/sh", "-c", "cat /etc/config/keys"], restartPolicy="Never", **_volume(
        "config", "/etc/config", configMap={"name": "special-config", "items": [{"key": "SPECIAL_LEVEL", "path": "keys"}]}))
    made.pod("downward", "busybox:1.28", SLEEP, labels={"zone": "us-est-coast", "cluster": "test-cluster1"}, **_volume(
        "podinfo", "/etc/podinfo", downwardAPI={"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}))
    made.pod("downward-env", "busybox:1.28", SLEEP, container={"env": [
        {"name": "MY_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "MY_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "MY_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]})
    made.pod("hostaliases-pod", "busybox:1.28", ["cat"], ["/etc/hosts"], restartPolicy="Never", hostAliases=[
        {"ip": "127.0.0.1", "hostnames": ["foo.local", "bar.local"]}, {"ip": "10.1.2.3", "hostnames": ["foo.remote"]}])
    made.pod("dns-example", "busybox:1.36", SLEEP, dnsPolicy="None", dnsConfig={
        "nameservers": ["192.0.2.1"], "searches": ["ns1.svc.cluster-domain.example", "my.dns.search.suffix"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]})


def _storage(made, client):
    made.pod("redis-volume", "redis", **_volume("redis-storage", "/data/redis", emptyDir={}))
    made.pod("two-containers", "nginx", restartPolicy="Never", volumes=[{"name": "shared-data", "emptyDir": {}}], container={
        "volumeMounts": [{"name": "shared-data", "mountPath": "/usr/share/nginx/html"}]}, initContainers=[
            {"name": "debian", "image": "debian", "volumeMounts": [{"name": "shared-data", "mountPath": "/pod-data"}], "command": ["/bin/sh"],
             "args": ["-c", "echo Hello from the debian container > /pod-data/index.html"]}])
    made.pod("shell-demo", "nginx", **_volume("shared-data", "/usr/share/nginx/html", emptyDir={}))
    made.pod("lifecycle-demo", "nginx", container={"lifecycle": {
        "postStart": {"exec": {"command": ["/bin/sh", "-c", "echo Hello from the postStart handler > /usr/share/message"]}},
        "preStop": {"exec": {"command": ["/bin/sh", "-c", "nginx -s quit; while killall -0 nginx; do sleep 1; done"]}}}})
    made.pod("projected", "busybox:1.28", SLEEP, **_volume("all-in-one", "/projected-volume", projected={"sources": [
        {"secret": {"name": "test-secret"}}, {"configMap": {"name": "special-config"}}]}))
    made.pod("security-context-demo", "busybox:1.28", ["sh", "-c", "sleep 1h"], securityContext={
        "runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000}, **_volume("sec-ctx-vol", "/data/demo", emptyDir={}))


def _scripts(made):
    made.pod("init-demo", "nginx", volumes=[{"name": "workdir", "emptyDir": {}}], container={
        "volumeMounts": [{"name": "workdir", "mountPath": "/usr/share/nginx/html"}]}, initContainers=[
            {"name": "wait", "image": "busybox:1.28", "command": ["sh", "-c", "until nslookup hostnames.$(cat /var/run/secrets/kubernetes.io/"
                                                                  "serviceaccount/namespace).svc.cluster.local; do echo waiting for myservice; "
                                                                  "sleep 2; done"]},
            {"name": "install", "image": "busybox:1.28", "command": ["wget", "-O", "/work-dir/index.html", "http://my-nginx"],
             "volumeMounts": [{"name": "workdir", "mountPath": "/work-dir"}]}])
    made.pod("counter", "busybox:1.28", ["/bin/sh", "-c", 'i=0; while true; do echo "$i: $(date)"; i=$((i+1)); sleep 1; done'])
    made.pod("termination-demo", "debian", ["/bin/sh"], ["-c", "sleep 10 && echo Sleep expired > /dev/termination-log"], restartPolicy="Never")
    made.client.create("jobs.batch", {"metadata": {"name": "hello-job", "namespace": "default"}, "spec": {"template": {"spec": {
        "restartPolicy": "OnFailure", "containers": [{"name": "c", "image": "busybox:1.28", "command": [
            "/bin/sh", "-c", "date; echo Hello from the Kubernetes cluster"]}]}}}})
    made.client.create("jobs.batch", {"metadata": {"name": "indexed", "namespace": "default"}, "spec": {
        "completions": 3, "parallelism": 3, "completionMode": "Indexed", "template": {"spec": {"restartPolicy": "Never", "volumes": [
            {"name": "input", "emptyDir": {}}], "initContainers": [{"name": "input", "image": "docker.io/library/bash", "command": [
                "bash", "-c", 'items=(foo bar baz qux xyz)\necho ${items[$JOB_COMPLETION_INDEX]} > /input/data.txt\n'], "volumeMounts": [
                    {"mountPath": "/input", "name": "input"}]}], "containers": [{"name": "c", "image": "docker.io/library/busybox", "command": [
                        "rev", "/input/data.txt"], "volumeMounts": [{"mountPath": "/input", "name": "input"}]}]}}}})


WELCOME = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n<all></html>\n"
OLD_HEAD = "Server:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n"
NEW_HEAD = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n"
BIND_HEAD = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n"
METER = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n<all>"

COMMANDS = [
    # define environment variables, dependent ones, secrets, ConfigMaps, the downward API
    ("envar-demo", "printenv DEMO_GREETING", "Hello from the environment\n", 0),
    ("envar-demo", "printenv | grep DEMO | sort", "DEMO_FAREWELL=Such a sweet sorrow\nDEMO_GREETING=Hello from the environment\n", 0),
    ("envar-demo", "echo $DEMO_FAREWELL", "Such a sweet sorrow\n", 0),
    ("secret-env", "echo $SECRET_USERNAME", "my-app\n", 0),
    ("secret-env", "echo $password", "39528$vdg7Jb\n", 0),
    ("secret-test-pod", "ls /etc/secret-volume", "password\nusername\n", 0),
    ("secret-test-pod", "echo \"$( cat /etc/secret-volume/username )\"", "my-app\n", 0),
    ("secret-test-pod", "echo \"$( cat /etc/secret-volume/password )\"", "39528$vdg7Jb\n", 0),
    ("box", "echo -n 'my-app' | base64", "bXktYXBw\n", 0),
    ("box", "echo 'bXktYXBw' | base64 -d", "my-app", 0),
    ("config-volume", "ls /etc/config/", "game.properties\nui.properties\n", 0),
    ("config-volume", "cat /etc/config/game.properties", "enemies=aliens\nlives=3\n", 0),
    ("config-volume", "grep lives /etc/config/game.properties", "lives=3\n", 0),
    ("config-volume", "cat /etc/config/nosuch", "cat: can't open '/etc/config/nosuch': No such file or directory\n", 1),
    ("config-volume", "echo x > /etc/config/game.properties", "sh: can't create /etc/config/game.properties: Read-only file system\n", 1),
    ("downward", "cat /etc/podinfo/labels", 'cluster="test-cluster1"\nzone="us-est-coast"', 0),
    ("downward-env", "echo $MY_POD_NAME", "downward-env\n", 0),
    ("downward-env", "test $MY_POD_IP = $(hostname -i) && echo same", "same\n", 0),
    ("downward-env", "printenv MY_NODE_NAME", "<word>\n", 0),
    ("projected", "ls /projected-volume/", "SPECIAL_LEVEL\nSPECIAL_TYPE\npassword\nusername\n", 0),
    # volumes, processes, a shell in a container
    ("redis-volume", "cd /data/redis/ && echo Hello > test-file && ls && cat test-file", "test-file\nHello\n", 0),
    ("shell-demo", "echo 'Hello shell demo' > /usr/share/nginx/html/index.html", "", 0),
    ("shell-demo", "curl -s http://localhost/", "Hello shell demo\n", 0),
    ("shell-demo", "ls /usr/share/nginx/html", "index.html\n", 0),
    ("shell-demo", "cat /etc/hostname", "shell-demo\n", 0),
    ("shell-demo", "curl -s -o /dev/null -w '%{http_code}' localhost/nosuch", "404", 0),
    ("two-containers", "curl -s localhost", "Hello from the debian container\n", 0),
    ("lifecycle-demo", "cat /usr/share/message", "Hello from the postStart handler\n", 0),
    ("security-context-demo", "id -u", "1000\n", 0),
    ("security-context-demo", "cd /data/demo && echo hello > testfile && cat testfile", "hello\n", 0),
    ("init-demo", "curl -s localhost", WELCOME, 0),
    ("box", "hostname", "box\n", 0),
    ("box", "hostname -i", "<ip>\n", 0),
    ("box", "cat /etc/resolv.conf", "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n", 0),
    ("box", "cat /etc/hosts", "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n<all><ip>\tbox\n", 0),
    ("dns-example", "cat /etc/resolv.conf", "search ns1.svc.cluster-domain.example my.dns.search.suffix\nnameserver 192.0.2.1\n"
                                            "options ndots:2 edns0\n", 0),
    ("box", "ls /var/run/secrets/kubernetes.io/serviceaccount", "ca.crt\nnamespace\ntoken\n", 0),
    ("box", "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace", "default", 0),
    # debugging Services
    ("busybox", "nslookup hostnames", f"{OLD_HEAD}Name:      hostnames\nAddress 1: <ip> hostnames.default.svc.cluster.local\n", 0),
    ("busybox", "nslookup hostnames.default", f"{OLD_HEAD}Name:      hostnames.default\nAddress 1: <ip> hostnames.default.svc.cluster.local\n", 0),
    ("busybox", "nslookup hostnames.default.svc.cluster.local 10.96.0.10",
     f"{OLD_HEAD}Name:      hostnames.default.svc.cluster.local\nAddress 1: <ip> hostnames.default.svc.cluster.local\n", 0),
    ("busybox", "nslookup kubernetes.default", f"{OLD_HEAD}Name:      kubernetes.default\n"
                                               "Address 1: 10.96.0.1 kubernetes.default.svc.cluster.local\n", 0),
    ("busybox", "nslookup nosuch", f"{OLD_HEAD}nslookup: can't resolve 'nosuch'\n", 1),
    ("box", "nslookup hostnames.default.svc.cluster.local", f"{NEW_HEAD}Name:\thostnames.default.svc.cluster.local\nAddress: <ip>\n\n\n", 0),
    ("box", "nslookup nosuch.default.svc.cluster.local", f"{NEW_HEAD}** server can't find nosuch.default.svc.cluster.local: NXDOMAIN\n\n"
                                                         "** server can't find nosuch.default.svc.cluster.local: NXDOMAIN\n\n", 1),
    ("box", "nslookup -type=srv _web._tcp.nginx.default.svc.cluster.local",
     f"{NEW_HEAD}_web._tcp.nginx.default.svc.cluster.local\tservice = 0 50 80 web-0.nginx.default.svc.cluster.local\n"
     "_web._tcp.nginx.default.svc.cluster.local\tservice = 0 50 80 web-1.nginx.default.svc.cluster.local\n\n", 0),
    ("box", "nslookup 10.96.0.1", f"{NEW_HEAD}1.0.96.10.in-addr.arpa\tname = kubernetes.default.svc.cluster.local\n\n", 0),
    ("dnsutils", "nslookup kubernetes.default", f"{BIND_HEAD}Name:\tkubernetes.default.svc.cluster.local\nAddress: 10.96.0.1\n\n", 0),
    ("dnsutils", "nslookup nosuch", f"{BIND_HEAD}** server can't find nosuch: NXDOMAIN\n\n", 1),
    ("dnsutils", "nslookup my-db", f"{BIND_HEAD}my-db.default.svc.cluster.local\tcanonical name = hostnames.default.svc.cluster.local.\n"
                                   "Name:\thostnames.default.svc.cluster.local\nAddress: <ip>\n\n", 0),
    ("dnsutils", "dig +short kubernetes.default.svc.cluster.local", "10.96.0.1\n", 0),
    ("dnsutils", "dig +search +short kubernetes.default", "10.96.0.1\n", 0),
    ("dnsutils", "dig +noall +answer kubernetes.default.svc.cluster.local",
     "kubernetes.default.svc.cluster.local. 30 IN A\t10.96.0.1\n", 0),
    ("dnsutils", "dig -x 10.96.0.1 +short", "kubernetes.default.svc.cluster.local.\n", 0),
    ("net", "host kubernetes.default.svc.cluster.local", "kubernetes.default.svc.cluster.local has address 10.96.0.1\n", 0),
    ("net", "host nosuch.default.svc.cluster.local", "Host nosuch.default.svc.cluster.local not found: 3(NXDOMAIN)\n", 1),
    ("net", "getent hosts kubernetes.default", "10.96.0.1       kubernetes.default.svc.cluster.local\n", 0),
    ("box", "wget -qO- hostnames", "hostnames-<any>", 0),
    ("box", "for i in $(seq 1 3); do wget -qO- hostnames:80; echo; done", "hostnames-<any>\nhostnames-<any>\nhostnames-<any>\n", 0),
    ("box", "wget -O- hostnames", "Connecting to hostnames (<ip>:80)\nwriting to stdout\nhostnames-<any>100% |<any>\nwritten to stdout\n", 0),
    ("busybox", "wget -O- hostnames", "Connecting to hostnames (<ip>:80)\nhostnames-<any>100% |<any>\n", 0),
    ("box", "wget -qO- nothing", "wget: can't connect to remote host (<ip>): Connection refused\n", 1),
    ("box", "wget -qO- nosuch", "wget: bad address 'nosuch'\n", 1),
    ("box", "wget -qO- my-nginx/nosuch", "wget: server returned error: HTTP/1.1 404 Not Found\n", 1),
    ("box", "wget --spider --timeout=1 my-nginx", "Connecting to my-nginx (<ip>:80)\nremote file exists\n", 0),
    ("box", "wget -q --spider my-nginx && echo yes || echo no", "yes\n", 0),
    ("box", "wget -qO- --timeout=1 http://my-nginx:81", "wget: download timed out\n", 1),
    ("box", "cd /tmp && wget -q http://my-nginx && ls index.html && wget -q http://my-nginx",
     "index.html\nwget: can't open 'index.html': File exists\n", 1),
    ("box", "wget -qO- hostnames | wc -l", "0\n", 0),
    ("box", "nc -zv my-nginx 80", "my-nginx (<ip>:80) open\n", 0),
    ("box", "nc -z nosuch 80", "nc: bad address 'nosuch'\n", 1),
    ("net", "nc -zv my-nginx 80", "Connection to my-nginx (<ip>) 80 port [tcp/http] succeeded!\n", 0),
    ("box", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc my-nginx 80 | head -n 1", "HTTP/1.1 200 OK\r\n", 0),
    ("box", "telnet nosuch 80", "telnet: bad address 'nosuch'\n", 1),
    # connecting applications with Services, source IPs
    ("curlpod", "nslookup my-nginx.default.svc.cluster.local", f"{NEW_HEAD}Name:\tmy-nginx.default.svc.cluster.local\nAddress: <ip>\n\n\n", 0),
    ("curlpod", "curl -s http://my-nginx", WELCOME, 0),
    ("curlpod", "curl http://my-nginx", METER + WELCOME, 0),
    ("curlpod", "curl -sI http://my-nginx",
     "HTTP/1.1 200 OK\r\nServer: nginx/1.29.3\r\nDate: <any>\r\nContent-Type: text/html\r\nContent-Length: 615\r\n"
                                            "Last-Modified: <any>\r\nConnection: keep-alive\r\nETag: \"<any>\"\r\nAccept-Ranges: bytes\r\n\r\n", 0),
    ("curlpod", "curl -s http://my-nginx | head -n 4", "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n", 0),
    ("curlpod", "curl -s -o /dev/null -w '%{http_code}\\n' http://my-nginx", "200\n", 0),
    ("curlpod", "curl -sS http://nosuch", "curl: (6) Could not resolve host: nosuch\n", 6),
    ("curlpod", "curl -sS http://nothing", "curl: (7) Failed to connect to nothing port 80 after <n> ms: Couldn't connect to server\n", 7),
    ("curlpod", "curl -sS --connect-timeout 2 http://my-nginx:81",
     "curl: (28) Failed to connect to my-nginx port 81 after 2001 ms: Timeout was reached\n", 28),
    ("curlpod", "curl -sS -m 2 http://my-nginx:81", "curl: (28) Connection timed out after 2000 milliseconds\n", 28),
    ("curlpod", "curl -sSf http://my-nginx/nosuch", "curl: (22) The requested URL returned error: 404\n", 22),
    ("curlpod", "curl -s hello", "Hello, world!\nVersion: 1.0.0\nHostname: hello-<any>\n", 0),
    ("curlpod", "curl -sk https://kubernetes.default/healthz -o /dev/null -w '%{scheme}'", "HTTPS", 0),
    ("curlpod", "curl -sS https://kubernetes.default", "curl: (60) SSL certificate problem: unable to get local issuer certificate\n<all>", 60),
    ("box", "wget -qO - http://clusterip", "<all>client_address=<ip>\n\tmethod=GET\n<all>", 0),
    ("net", "ip addr show eth0", "2: eth0@<any>\n<any>\n    inet <ip>/32 scope global eth0\n<any>\n", 0),
    ("box", "printenv | grep MY_NGINX_SERVICE_HOST", "MY_NGINX_SERVICE_HOST=<ip>\n", 0),
    ("box", "ping -c 1 -W 1 nosuch", "ping: bad address 'nosuch'\n", 1),
    ("net", "netstat -tln | tail -n +2", "Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n", 0),
    # StatefulSet basics
    ("web-0", "hostname", "web-0\n", 0),
    ("web-1", "hostname", "web-1\n", 0),
    ("web-0", 'echo "$(hostname)" > /usr/share/nginx/html/index.html; cat /usr/share/nginx/html/index.html', "web-0\n", 0),
    ("box", "wget -qO- web-0.nginx", "web-0\n", 0),
    ("busybox", "nslookup web-0.nginx", f"{OLD_HEAD}Name:      web-0.nginx\nAddress 1: <ip> web-0.nginx.default.svc.cluster.local\n", 0),
    ("busybox", "nslookup web-1.nginx | grep -c web-1.nginx.default", "1\n", 0),
    # configuring Redis, MySQL
    ("redis", "redis-cli CONFIG GET maxmemory", "maxmemory\n2097152\n", 0),
    ("redis", "redis-cli CONFIG GET maxmemory-policy", "maxmemory-policy\nallkeys-lru\n", 0),
    ("redis", "redis-cli ping", "PONG\n", 0),
    ("redis", "redis-cli set mykey hello && redis-cli get mykey", "OK\nhello\n", 0),
    ("net", "redis-cli -h redis incr visits", "1\n", 0),
    ("net", "redis-cli -h nothing ping", "Could not connect to Redis at nothing:6379: Connection timed out\n", 1),
    ("mysql", "mysqladmin ping -ppassword", "mysqladmin: [Warning] Using a password on the command line interface can be insecure.\n"
                                             "mysqld is alive\n", 0),
    ("net", "mysql -h mysql -e 'SELECT 1'", "1\n1\n", 0),
    ("net", "mysql -h nothing -e 'SELECT 1'", "ERROR 2003 (HY000): Can't connect to MySQL server on 'nothing:3306' (110)\n", 1),
]


@pytest.mark.parametrize(("pod", "command", "expected", "code"), COMMANDS, ids=[f"{pod}: {command}"[:70] for pod, command, *_ in COMMANDS])
def test_a_command_of_the_documentation_prints_what_it_does_in_a_container(world, pod, command, expected, code):
    seconds = 200 if "nothing" in command else 60
    said, ended = world.run(pod, command, seconds=seconds)
    assert matches(expected, said) and ended == code, f"{said!r} [{ended}]"


LOGS = [
    ("command-demo", "c", "command-demo\ntcp://10.96.0.1:443\n"),
    ("dependent", "c", "UNCHANGED_REFERENCE=$(PROTOCOL)://172.17.0.1:80\nSERVICE_ADDRESS=https://172.17.0.1:80\n"
                       "ESCAPED_REFERENCE=$(PROTOCOL)://172.17.0.1:80\n"),
    ("dapi-test-pod", "c", "very charm\n"),
    ("config-item", "c", "very\n"),
    ("hostaliases-pod", "c", "<all># Entries added by HostAliases.\n127.0.0.1\tfoo.local\tbar.local\n10.1.2.3\tfoo.remote\n"),
    ("counter", "c", "0: <any> UTC <n>\n1: <any> UTC <n>\n2: <any>\n<all>"),
    ("init-demo", "install", "Connecting to my-nginx (<ip>:80)\n<any>100% |<any>\n"),
    ("init-demo", "wait", f"<all>{OLD_HEAD}Name:      hostnames.default.svc.cluster.local\n<all>"),
]


@pytest.mark.parametrize(("pod", "container", "expected"), LOGS, ids=[f"{pod} {container}" for pod, container, _ in LOGS])
def test_a_container_of_the_documentation_logs_what_it_does(world, pod, container, expected):
    said = world.logs(pod, container)
    assert matches(expected, said), repr(said)


def test_jobs_of_the_documentation_end_with_their_output(world):
    pods = {pod["metadata"]["name"]: pod for pod in world.client.list("pods", "default")}
    hello = next(name for name in pods if name.startswith("hello-job-"))
    assert matches("<any> UTC <n>\nHello from the Kubernetes cluster\n", world.logs(hello))
    indexed = {pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]: world.logs(name)
               for name, pod in pods.items() if name.startswith("indexed-")}
    assert indexed == {"0": "oof\n", "1": "rab\n", "2": "zab\n"}


def test_the_last_words_of_a_container_are_its_termination_message(world):
    [status] = world.client.get("pods", "default", "termination-demo")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["message"] == "Sleep expired\n"


def test_there_are_a_hundred_of_them():
    assert len(COMMANDS) + len(LOGS) >= 100
