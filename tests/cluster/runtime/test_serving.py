"""What runs in containers and answers: nginx under its own configuration, agnhost's commands, Redis, servers that a shell starts."""

import pytest

from server.cluster.cluster import Cluster
from tests.cluster.runtime.containers_world import Containers, matches

SITE = """server {
  listen 8080;
  server_name _;
  root /data;
  location / { return 200 'hello from $hostname\\n'; }
  location /api/ { proxy_pass http://web/; }
  location /slow/ { proxy_pass http://web:81; }
  location = /gone { return 404; }
  location /old { return 301 /new; }
  location /files/ { autoindex on; try_files $uri $uri/ =404; }
  location ~ ^/say/(\\w+)$ { default_type text/plain; return 200 "$1 $request_method $arg_x\\n"; }
  location /private { deny all; }
  error_page 404 /oops;
  location /oops { return 200 "oops\\n"; }
}
server { listen 8080; server_name other.example; location / { add_header X-Other yes; return 200 "other\\n"; } }
"""


def configured(made, name, text, **more):
    made.config(name, default__conf=text)
    made.pod(name, "nginx:1.27", container={"volumeMounts": [{"name": "conf", "mountPath": "/etc/nginx/conf.d"}]},
             volumes=[{"name": "conf", "configMap": {"name": name}}], **more)


@pytest.fixture(scope="module")
def world():
    made = Containers()
    made.deployment("web", "nginx:1.27")
    made.service("web", 80)
    made.pod("box", "busybox:1.36", ["sleep", "36000"])
    made.pod("curl", "curlimages/curl", ["sleep", "36000"])
    made.pod("agnhost", "registry.k8s.io/e2e-test-images/agnhost:2.53", args=["netexec", "--http-port=8080"])
    made.service("agnhost", 8080)
    made.pod("porter", "registry.k8s.io/e2e-test-images/agnhost:2.53", args=["porter"], container={"env": [
        {"name": "SERVE_PORT_80", "value": "eighty"}, {"name": "SERVE_PORT_81", "value": "one more"}]})
    made.service("porter", 81)
    made.pod("redis", "redis:7")
    made.service("redis", 6379)
    made.pod("whoami", "traefik/whoami")
    made.service("whoami", 80)
    made.pod("exporter", "prom/node-exporter")
    made.service("exporter", 9100)
    made.settle(40)
    configured(made, "site", SITE)
    made.service("site", 8080)
    made.settle(20)
    return made


@pytest.mark.parametrize(("command", "said"), [
    ("curl -s site:8080/", "hello from site\n"),
    ("curl -s -o /dev/null -w '%{http_code} %{content_type}' site:8080/api/", "200 text/html"),
    ("curl -s -w '%{http_code}' site:8080/gone", "oops\n404"),
    ("curl -s -o /dev/null -w '%{http_code} %{redirect_url}' site:8080/old", "301 http://site:8080/new"),
    ("curl -s -o /dev/null -w '%{http_code}' site:8080/files/none.txt", "404"),
    ("curl -s 'site:8080/say/word?x=1'", "word GET 1\n"),
    ("curl -s -o /dev/null -w '%{http_code}' site:8080/private", "403"),
    ("curl -s -H 'Host: other.example' site:8080/gone", "other\n"),
    ("curl -sI -H 'Host: other.example' site:8080/ | grep X-Other", "X-Other: yes\r\n"),
    ("curl -s -o /dev/null -w '%{http_code}' site:8080/slow/", "504"),
])
def test_nginx_answers_as_its_server_blocks_say(world, command, said):
    assert world.run("curl", command)[0] == said


def test_nginx_takes_up_a_new_configuration_when_it_is_told_to_and_no_sooner(world):
    configured(world, "turn", "server { listen 80; location / { return 200 'one'; } }\n")
    world.service("turn", 80)
    world.settle(20)
    world.client.patch("configmaps", "default", "turn", {"data": {"default.conf": "server { listen 80; location / { return 200 'two'; } }\n"}})
    world.settle(120)
    assert world.run("curl", "curl -s turn")[0] == "one"
    assert world.run("turn", "nginx -t") == ("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"
                                             "nginx: configuration file /etc/nginx/nginx.conf test is successful\n", 0)
    again = Containers.__new__(Containers)
    again.cluster = Cluster.restore(world.cluster.snapshot())
    again.client = again.cluster.client()
    assert again.run("curl", "curl -s turn")[0] == "one", "what was loaded is loaded after a restart, too"
    assert world.run("turn", "nginx -s reload")[1] == 0
    assert world.run("curl", "curl -s turn")[0] == "two"


@pytest.mark.parametrize(("name", "text", "fault"), [
    ("unknown", "server { lokation / { } }\n", 'unknown directive "lokation" in /etc/nginx/conf.d/default.conf:1'),
    ("open", "server { listen 80;\n", 'unexpected end of file, expecting "}" in /etc/nginx/conf.d/default.conf:2'),
    ("place", "location / { }\n", '"location" directive is not allowed here in /etc/nginx/conf.d/default.conf:1'),
    ("lost", "server { location / { proxy_pass http://nobody; } }\n",
     'host not found in upstream "nobody" in /etc/nginx/conf.d/default.conf:1'),
])
def test_nginx_with_a_wrong_configuration_says_why_and_ends(world, name, text, fault):
    configured(world, name, text)
    world.settle(45)
    [status] = world.client.get("pods", "default", name)["status"]["containerStatuses"]
    assert status["restartCount"] >= 1 and status["lastState"]["terminated"]["exitCode"] == 1
    assert matches(f"<all><any> [emerg] 1#1: {fault}\nnginx: [emerg] {fault}\n", world.logs(name))
    world.client.delete("pods", "default", name, grace_period=0)


@pytest.mark.parametrize(("pod", "command", "said", "code"), [
    ("curl", "curl -s agnhost:8080/hostname", "agnhost", 0),
    ("curl", "curl -s agnhost:8080/clientip", "<ip>:<n>", 0),
    ("curl", "curl -s -w '%{http_code}' 'agnhost:8080/echo?msg=hi&code=418'", "hi418", 0),
    ("curl", "curl -s 'agnhost:8080/dial?host=porter&port=81&request=x&tries=2'", '{"responses":["one more","one more"]}', 0),
    ("curl", "curl -s porter:81", "one more", 0),
    ("agnhost", "/agnhost connect web:80", "", 0),
    ("agnhost", "/agnhost connect web:81 --timeout=1s", "TIMEOUT\n", 1),
    ("agnhost", "/agnhost connect agnhost.default:8080 --timeout=1s", "", 0),
    ("agnhost", "/agnhost connect nosuch:80", "DNS: lookup failed\n", 1),
    ("agnhost", "/agnhost dns-suffix", "default.svc.cluster.local,svc.cluster.local,cluster.local\n", 0),
    ("agnhost", "/agnhost dns-server-list", "10.96.0.10\n", 0),
    ("agnhost", "/agnhost entrypoint-tester a b", "[/agnhost entrypoint-tester a b]\n", 0),
    ("curl", "curl -s whoami/x", "Hostname: whoami\nIP: 127.0.0.1\nIP: ::1\nIP: <ip>\nRemoteAddr: <ip>:<n>\nGET /x HTTP/1.1\nHost: whoami\n<all>", 0),
    ("curl", "curl -s exporter:9100/metrics | grep -c '^node_uname_info'", "1\n", 0),
    ("box", "wget -qO- whoami/api | cut -c1-20", '{"hostname":"whoami"\n', 0),
])
def test_the_images_of_tests_and_tutorials_answer(world, pod, command, said, code):
    found, ended = world.run(pod, command)
    assert matches(said, found) and ended == code, f"{found!r} [{ended}]"


def test_agnhost_ends_when_it_is_asked_to(world):
    world.pod("mortal", "registry.k8s.io/e2e-test-images/agnhost:2.53", args=["netexec"], restartPolicy="Never")
    world.settle(20)
    world.run("curl", f"curl -s '{world.address('mortal')}:8080/exit?code=3'")
    world.settle(5)
    [status] = world.client.get("pods", "default", "mortal")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 3


def test_redis_keeps_what_it_is_given_over_a_restart_of_the_simulation_but_not_of_itself(world):
    assert world.run("redis", "redis-cli set name podium; redis-cli rpush list a b; redis-cli set soon x EX 20")[0] == "OK\n2\nOK\n"
    again = Containers.__new__(Containers)
    again.cluster = Cluster.restore(world.cluster.snapshot())
    again.client = again.cluster.client()
    assert again.run("redis", "redis-cli get name; redis-cli lrange list 0 -1")[0] == "podium\na\nb\n"
    again.settle(20)
    assert again.run("redis", "redis-cli --no-raw get soon")[0] == "(nil)\n"
    again.run("redis", "kill 1")
    again.settle(30)
    assert again.run("redis", "redis-cli --no-raw get name")[0] == "(nil)\n"
    assert again.run("redis", "redis-cli --no-raw foo")[0] == "(error) ERR unknown command 'foo', with args beginning with: \n"


def test_a_shell_starts_a_web_server_of_files(world):
    world.pod("files", "busybox:1.36", ["sh", "-c", "mkdir /www; echo 'from a file' > /www/index.html; httpd -f -p 8080 -h /www"])
    world.service("files", 8080)
    world.settle(20)
    assert world.run("curl", "curl -s files:8080")[0] == "from a file\n"
    assert world.run("curl", "curl -s -w '%{http_code}' -o /dev/null files:8080/none")[0] == "404"
    again = Containers.__new__(Containers)
    again.cluster = Cluster.restore(world.cluster.snapshot())
    again.settle(1)
    assert again.run("curl", "curl -s files:8080")[0] == "from a file\n"


def test_nc_listens_and_hears_what_another_pod_sends(world):
    world.pod("ear", "busybox:1.36", ["sh", "-c", "nc -l -p 9000; echo heard"], restartPolicy="Never")
    world.settle(20)
    assert world.run("box", f"echo hello there | nc {world.address('ear')} 9000")[1] == 0
    world.settle(2)
    assert world.logs("ear") == "hello there\nheard\n"


def test_nc_answers_a_browser_with_what_it_was_given(world):
    world.pod("mouth", "busybox:1.36", ["sh", "-c", "printf 'HTTP/1.1 200 OK\\r\\n\\r\\nspoken\\n' | nc -l -p 9000"], restartPolicy="Never")
    world.settle(20)
    assert world.run("curl", f"curl -s {world.address('mouth')}:9000")[0] == "spoken\n"


def test_nginx_speaks_tls_where_it_is_configured_to_and_only_with_its_certificate(world):
    text = ("server { listen 443 ssl; ssl_certificate /etc/nginx/ssl/tls.crt; ssl_certificate_key /etc/nginx/ssl/tls.key; "
            "location / { return 200 'secret'; } }\n")
    world.config("tls", default__conf=text)
    mounts = [{"name": "conf", "mountPath": "/etc/nginx/conf.d"}, {"name": "keys", "mountPath": "/etc/nginx/ssl"}]
    volumes = [{"name": "conf", "configMap": {"name": "tls"}}, {"name": "keys", "emptyDir": {}}]
    world.pod("tlsless", "nginx:1.27", container={"volumeMounts": mounts}, volumes=volumes)
    world.client.create("secrets", {"metadata": {"name": "keys", "namespace": "default"}, "stringData": {"tls.crt": "c", "tls.key": "k"}})
    world.pod("tls", "nginx:1.27", container={"volumeMounts": mounts}, volumes=[volumes[0], {"name": "keys", "secret": {"secretName": "keys"}}])
    world.service("tls", 443)
    world.settle(45)
    assert 'cannot load certificate "/etc/nginx/ssl/tls.crt"' in world.logs("tlsless")
    assert world.run("curl", "curl -sk https://tls") == ("secret", 0)
    assert world.run("curl", "curl -s https://tls")[1] == 60
    assert world.run("curl", "curl -sS https://agnhost:8080 -k")[1] == 35
