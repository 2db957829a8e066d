"""wget, curl, ping, nc, ip and their like against a network that is a table: words, exit codes, restarts, signals."""

import pytest

from server.cluster.network.walk import SYN_GIVES_UP
from tests.cluster.runtime.programs.network_machine import NetworkMachine

HEADERS = {"Server": "SimpleHTTP/0.6 Python/3.11.7", "Date": "Sat, 21 Nov 2026 10:52:36 GMT", "Content-type": "text/html", "Content-Length": "6",
           "Last-Modified": "Sat, 21 Nov 2026 10:52:35 GMT"}
PAGE, MISSING = (200, HEADERS, "hello\n"), (404, {"Content-Type": "text/html", "Content-Length": "4"}, "gone")


def machine(kit="busybox", **options):
    made = NetworkMachine(kit, **options)
    made.reach.pages = {("127.0.0.1", 18777): PAGE, ("web", 80): PAGE, ("web", 404): MISSING, ("127.0.0.1", 404): MISSING}
    made.reach.silent = {"10.255.255.1"}
    return made


BAR = "100% |********************************|     6  0:00:00 ETA\n"
USAGE = ("BusyBox v1.35.0 multi-call binary.\n\nUsage: wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | "
         "--post-file FILE] [-Y on/off]\n\t[--no-check-certificate] [-P DIR] [-U AGENT] [-T SEC] URL...\n")
TO = "Connecting to 127.0.0.1:18777 (127.0.0.1:18777)\n"


# As busybox 1.35 printed it of the same server.
@pytest.mark.parametrize(("words", "said", "code"), [
    (["-O-", "http://127.0.0.1:18777/"], f"{TO}writing to stdout\nhello\n-                    {BAR}written to stdout\n", 0),
    (["-qO-", "http://127.0.0.1:18777/"], "hello\n", 0),
    (["http://127.0.0.1:18777/"], f"{TO}saving to 'index.html'\nindex.html           {BAR}'index.html' saved\n", 0),
    (["-O-", "http://127.0.0.1:404/nosuch"], "Connecting to 127.0.0.1:404 (127.0.0.1:404)\nwget: server returned error: HTTP/1.1 404 Not Found\n", 1),
    (["--spider", "http://127.0.0.1:18777/"], f"{TO}remote file exists\n", 0),
    (["-O-", "http://127.0.0.1:18778/"],
     "Connecting to 127.0.0.1:18778 (127.0.0.1:18778)\nwget: can't connect to remote host (127.0.0.1): Connection refused\n", 1),
    (["-qO-", "http://nosuch.invalid/"], "wget: bad address 'nosuch.invalid'\n", 1),
    (["-q", "-T", "1", "-O-", "http://10.255.255.1/"], "wget: download timed out\n", 1),
    (["-O", "/no/", "http://127.0.0.1:18777/"], f"{TO}wget: can't open '/no/': Is a directory\n", 1),
    (["-O-", "http://127.0.0.1:99999/"], "wget: bad port '99999'\n", 1),
    (["--foo"], f"wget: unrecognized option '--foo'\n{USAGE}", 1),
    ([], USAGE, 1),
    (["-S", "-qO-", "http://127.0.0.1:18777/"], "  HTTP/1.1 200 OK\n  Server: SimpleHTTP/0.6 Python/3.11.7\n  Date: Sat, 21 Nov 2026 10:52:36 GMT\n"
     "  Content-type: text/html\n  Content-Length: 6\n  Last-Modified: Sat, 21 Nov 2026 10:52:35 GMT\n  \nhello\n", 0),
])
def test_wget_of_busybox(words, said, code):
    assert machine().run(["wget", *words]) == (said, code)


def test_wget_saves_only_where_nothing_is():
    made = machine()
    made.own["/index.html"] = "mine"
    said, code = made.run(["wget", "-q", "http://127.0.0.1:18777/"])
    assert (said, code) == ("wget: can't open 'index.html': File exists\n", 1) and made.files.read("/index.html") == "mine"


# As GNU Wget printed it.
@pytest.mark.parametrize(("words", "said", "code"), [
    (["-qO-", "http://127.0.0.1:18777/"], "hello\n", 0),
    (["-nv", "-O-", "http://127.0.0.1:404/nosuch"], "http://127.0.0.1:404/nosuch:\n2026-11-21 10:54:09 ERROR 404: Not Found.\n", 8),
    (["-O-", "http://127.0.0.1:18778/"],
     "--2026-11-21 10:54:09--  http://127.0.0.1:18778/\nConnecting to 127.0.0.1:18778... failed: Connection refused.\n", 4),
    (["-qO-", "http://nosuch.invalid/"], "", 4),
    (["-O-", "http://nosuch.invalid/"], "--2026-11-21 10:54:09--  http://nosuch.invalid/\nResolving nosuch.invalid (nosuch.invalid)... failed: "
     "Name or service not known.\nwget: unable to resolve host address ‘nosuch.invalid’\n", 4),
    (["--foo"], "wget: unrecognized option '--foo'\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n", 2),
    ([], "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n", 1),
    (["-O-", "http://127.0.0.1:99999/"], "http://127.0.0.1:99999/: Bad port number.\n", 1),
])
def test_wget_of_gnu(words, said, code):
    assert machine("host").run(["wget", *words]) == (said, code)


HELP = "curl: try 'curl --help' or 'curl --manual' for more information\n"
METER = ("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
         "                                 Dload  Upload   Total   Spent    Left  Speed\n"
         "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0")


@pytest.mark.parametrize(("words", "said", "code"), [
    (["-s", "127.0.0.1:18777"], "hello\n", 0),
    (["127.0.0.1:18777"], f"{METER}\r100     6  100     6    0     0   6000      0 --:--:-- --:--:-- --:--:--  6000\nhello\n", 0),
    (["-sI", "127.0.0.1:18777"], "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items()) + "\r\n", 0),
    (["-sf", "127.0.0.1:404/nosuch"], "", 22),
    (["-sSf", "127.0.0.1:404/nosuch"], "curl: (22) The requested URL returned error: 404\n", 22),
    (["-sS", "127.0.0.1:18778"], "curl: (7) Failed to connect to 127.0.0.1 port 18778 after 1 ms: Couldn't connect to server\n", 7),
    (["nosuch.invalid"], f"{METER}curl: (6) Could not resolve host: nosuch.invalid\n", 6),
    (["-sS", "-m", "1", "10.255.255.1"], "curl: (28) Connection timed out after 1000 milliseconds\n", 28),
    (["-sS", "--connect-timeout", "1", "10.255.255.1"],
     "curl: (28) Failed to connect to 10.255.255.1 port 80 after 1001 ms: Timeout was reached\n", 28),
    ([], HELP, 2),
    (["--foo"], f"curl: option --foo: is unknown\n{HELP}", 2),
    (["-m", "x", "a"], f"curl: option -m: expected a proper numerical parameter\n{HELP}", 2),
    (["-X"], f"curl: option -X: requires parameter\n{HELP}", 2),
    (["--proxy", "a", "b"], "curl: option --proxy: is not simulated\n", 2),
    (["-s", "foo://x"], "", 1),
    (["-sS", "foo://x"], 'curl: (1) Protocol "foo" not supported\n', 1),
    (["-sS", "http://"], "curl: (3) URL rejected: No host part in the URL\n", 3),
    (["-s", "-o", "/dev/null", "-w", r"%{http_code} %{size_download} %{remote_ip} %{remote_port} %{url_effective} %{content_type} %{num_connects} "
      r"%{exitcode} %{method} %{scheme} %{http_version} %{time_namelookup}\n", "http://127.0.0.1:18777/"],
     "200 6 127.0.0.1 18777 http://127.0.0.1:18777/ text/html 1 0 GET HTTP 1.1 0.000025\n", 0),
    (["-sv", "127.0.0.1:18777"], "*   Trying 127.0.0.1:18777...\n* Connected to 127.0.0.1 (127.0.0.1) port 18777\n> GET / HTTP/1.1\r\n"
     "> Host: 127.0.0.1:18777\r\n> User-Agent: curl/8.5.0\r\n> Accept: */*\r\n> \r\n< HTTP/1.1 200 OK\r\n"
     + "".join(f"< {name}: {value}\r\n" for name, value in HEADERS.items())
     + "< \r\n{ [6 bytes data]\n* Connection #0 to host 127.0.0.1 left intact\nhello\n", 0),
    (["-s", "--resolve", "foo:18777:127.0.0.1", "http://foo:18777/"], "hello\n", 0),
])
def test_curl(words, said, code):
    assert machine("host").run(["curl", *words]) == (said, code)


def test_curl_sends_what_it_is_given():
    made = machine("host")
    made.run(["curl", "-s", "-d", "a=b", "-d", "c=@d", "-H", "X-One: 1", "-A", "me", "-u", "u:p", "http://web/x?y=1"])
    method, host, port, path, headers, body = made.reach.asked[-1]
    assert (method, host, port, path, body) == ("POST", "web", 80, "/x?y=1", "a=b&c=@d")
    assert headers["X-One"] == "1" and headers["User-Agent"] == "me" and headers["Authorization"] == "Basic dTpw"
    assert headers["Content-Length"] == "8" and headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_curl_follows_where_it_is_sent_and_gives_up_in_a_circle():
    made = machine("host")
    made.reach.pages["web", 80] = (302, {"Location": "http://127.0.0.1:18777/"}, "")
    assert made.run(["curl", "-sL", "http://web/"]) == ("hello\n", 0)
    made = machine("host")
    made.reach.pages["web", 80] = (302, {"Location": "http://web/"}, "")
    assert made.run(["curl", "-sSL", "http://web/"])[1] == 47


def test_curl_tries_again_when_it_may_help():
    made = machine("host")
    made.reach.pages["web", 80] = (503, {}, "busy")
    said, code = made.run(["curl", "-S", "--retry", "2", "http://127.0.0.1:18778", "--retry-connrefused"])
    assert said.count("Warning: Problem : connection refused. Will retry in ") == 2 and code == 7 and len(made.reach.asked) == 3


# As busybox and iputils printed it.
@pytest.mark.parametrize(("kit", "words", "said", "code"), [
    ("busybox", ["-c", "2", "127.0.0.1"], "PING 127.0.0.1 (127.0.0.1): 56 data bytes\n64 bytes from 127.0.0.1: seq=0 ttl=64 time=0.068 ms\n"
     "64 bytes from 127.0.0.1: seq=1 ttl=64 time=0.068 ms\n\n--- 127.0.0.1 ping statistics ---\n2 packets transmitted, 2 packets received, 0% packet "
     "loss\nround-trip min/avg/max = 0.068/0.068/0.068 ms\n", 0),
    ("busybox", ["nosuch.invalid"], "ping: bad address 'nosuch.invalid'\n", 1),
    ("busybox", ["300.1.1.1"], "ping: bad address '300.1.1.1'\n", 1),
    ("busybox", ["-c", "x", "127.0.0.1"], "ping: invalid number 'x'\n", 1),
    ("busybox", ["-c", "1", "-W", "1", "10.255.255.1"], "PING 10.255.255.1 (10.255.255.1): 56 data bytes\n\n--- 10.255.255.1 ping statistics ---\n"
     "1 packets transmitted, 0 packets received, 100% packet loss\n", 1),
    ("host", ["-c", "2", "-i", "0.2", "127.0.0.1"], "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.\n"
     "64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.068 ms\n64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time=0.068 ms\n\n"
     "--- 127.0.0.1 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 200ms\n"
     "rtt min/avg/max/mdev = 0.068/0.068/0.068/0.000 ms\n", 0),
    ("host", ["nosuch.invalid"], "ping: nosuch.invalid: Name or service not known\n", 2),
    ("host", [], "ping: usage error: Destination address required\n", 1),
])
def test_ping(kit, words, said, code):
    found, ended = machine(kit).run(["ping", *words])
    assert (found, ended) == (said, code)


@pytest.mark.parametrize(("kit", "words", "said", "code"), [
    ("busybox", ["-zv", "127.0.0.1", "18777"], "127.0.0.1 (127.0.0.1:18777) open\n", 0),
    ("busybox", ["-z", "127.0.0.1", "18778"], "", 1),
    ("busybox", ["-zvv", "127.0.0.1", "18778"], "nc: 127.0.0.1 (127.0.0.1:18778): Connection refused\n", 1),
    ("busybox", ["-z", "127.0.0.1", "x"], "nc: bad port 'x'\n", 1),
    ("busybox", ["-zv", "-w", "1", "10.255.255.1", "80"], "nc: 10.255.255.1 (10.255.255.1:80): Connection timed out\n", 1),
    ("host", ["-zv", "127.0.0.1", "18777"], "Connection to 127.0.0.1 18777 port [tcp/*] succeeded!\n", 0),
    ("host", ["-zv", "127.0.0.1", "18778"], "nc: connect to 127.0.0.1 port 18778 (tcp) failed: Connection refused\n", 1),
    ("host", ["-zv", "127.0.0.1", "18776-18778"], "nc: connect to 127.0.0.1 port 18776 (tcp) failed: Connection refused\n"
     "Connection to 127.0.0.1 18777 port [tcp/*] succeeded!\nnc: connect to 127.0.0.1 port 18778 (tcp) failed: Connection refused\n", 0),
    ("host", ["-v", "-w1", "nosuch.invalid", "80", "-z"], 'nc: getaddrinfo for host "nosuch.invalid" port 80: Name or service not known\n', 1),
    ("host", ["-zv", "127.0.0.1", "foo"], "nc: port number invalid: foo\n", 1),
])
def test_nc_looks_for_open_ports(kit, words, said, code):
    assert machine(kit).run(["nc", *words]) == (said, code)


@pytest.mark.parametrize(("kit", "words", "said", "code"), [
    ("busybox", ["ip", "route"], "default via 192.0.2.1 dev eth0 \n192.0.2.0/24 dev eth0 scope link  src 192.0.2.2 \n", 0),
    ("host", ["ip", "r"], "default via 192.0.2.1 dev eth0 \n192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.2 \n", 0),
    ("host", ["ip", "addr", "show", "lo"], "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n"
     "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n"
     "       valid_lft forever preferred_lft forever\n", 0),
    ("busybox", ["ip", "addr", "show", "eth0"], "4: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc pfifo_fast qlen 1000\n"
     "    link/ether 02:fc:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\n"
     "       valid_lft forever preferred_lft forever\n", 0),
    ("host", ["ip", "-br", "a"], "lo               UNKNOWN        127.0.0.1/8 \neth0             UP             192.0.2.2/24 \n", 0),
    ("host", ["ip", "-o", "a"], "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
     "4: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever preferred_lft forever\n", 0),
    ("host", ["ip", "route", "get", "10.0.0.1"], "10.0.0.1 via 192.0.2.1 dev eth0 src 192.0.2.2 uid 0 \n    cache \n", 0),
    ("busybox", ["ip", "route", "get", "10.0.0.1"], "10.0.0.1 via 192.0.2.1 dev eth0  src 192.0.2.2 \n", 0),
    ("host", ["ip", "foo"], 'Object "foo" is unknown, try "ip help".\n', 1),
    ("host", ["ip", "addr", "show", "dev", "nope"], 'Device "nope" does not exist.\n', 1),
    ("busybox", ["ip", "addr", "show", "dev", "nope"], "ip: can't find device 'nope'\n", 1),
    ("busybox", ["ip", "link", "set", "eth0", "down"], "ip: RTNETLINK answers: Operation not permitted\n", 2),
    ("busybox", ["route", "-n"], "Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
     "0.0.0.0         192.0.2.1       0.0.0.0         UG    0      0        0 eth0\n"
     "192.0.2.0       0.0.0.0         255.255.255.0   U     0      0        0 eth0\n", 0),
    ("host", ["netstat", "-rn"], "Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n"
     "0.0.0.0         192.0.2.1       0.0.0.0         UG        0 0          0 eth0\n"
     "192.0.2.0       0.0.0.0         255.255.255.0   U         0 0          0 eth0\n", 0),
    ("host", ["ifconfig", "nope"], "nope: error fetching interface information: Device not found\n", 1),
    ("host", ["getent", "hosts", "localhost"], "127.0.0.1       localhost\n", 0),
    ("host", ["getent", "hosts", "nosuch.invalid"], "", 2),
    ("host", ["getent", "ahosts", "localhost"], "127.0.0.1       STREAM localhost\n127.0.0.1       DGRAM  \n127.0.0.1       RAW    \n", 0),
    ("host", ["getent", "foo"], "Unknown database: foo\nTry `getent --help' or `getent --usage' for more information.\n", 1),
])
def test_what_a_machine_says_of_its_network(kit, words, said, code):
    assert machine(kit).run(words) == (said, code)


# time, restarts, signals


def test_an_answer_is_seen_when_it_has_come_and_no_sooner():
    made = machine()
    made.reach.ms = 2_000.0
    made.begin(["wget", "-qO-", "127.0.0.1:18777"])
    made.clock.run_for(1.9)
    assert made.said == [] and made.ended is None
    made.clock.run_for(0.2)
    assert made.said == ["hello\n"] and made.ended == 0


def test_what_is_silent_is_given_up_when_the_kernel_does():
    made = machine()
    made.begin(["wget", "-qO-", "10.255.255.1"])
    made.clock.run_for(SYN_GIVES_UP - 1)
    assert made.ended is None
    made.clock.run_for(2)
    assert "".join(made.said) == "wget: can't connect to remote host (10.255.255.1): Connection timed out\n"


def again(made):
    """The machine after a restart of the simulation."""
    other = machine(made.kit, reach=made.reach)
    other.clock.run_for(made.clock.now)
    other.system.load(made.system.dump())
    return other


def test_a_restart_in_the_middle_asks_nobody_twice():
    made = machine()
    made.reach.ms = 2_000.0
    made.begin(["wget", "-qO-", "127.0.0.1:18777"])
    made.clock.run_for(1)
    other = again(made)
    other.clock.run_for(1.5)
    assert ("".join(other.said), other.ended) == ("hello\n", 0) and len(made.reach.asked) == 1


def test_a_ping_goes_on_counting_after_a_restart():
    made = machine()
    made.begin(["ping", "-c", "4", "127.0.0.1"])
    made.clock.run_for(1.5)
    before = "".join(made.said)
    other = again(made)
    other.clock.run_for(10)
    said = before + "".join(other.said)
    assert [f"seq={number} " in said and said.count(f"seq={number} ") == 1 for number in range(4)] == [True] * 4
    assert said.count("PING") == 1 and "4 packets transmitted, 4 packets received" in said


def test_a_ping_tells_the_statistic_when_it_is_interrupted():
    made = machine()
    proc = made.begin(["ping", "127.0.0.1"])
    made.clock.run_for(2.5)
    proc.raise_(2)
    made.clock.run_for(1)
    assert "3 packets transmitted, 3 packets received, 0% packet loss\n" in "".join(made.said) and made.ended == 0


def test_a_ping_for_ever_is_one_event_a_second():
    made = machine()
    made.begin(["ping", "127.0.0.1"])
    made.clock.run_for(3600)
    assert len(made.reach.asked) == 3601 or len(made.reach.asked) == 3600
