"""HTTP over a conversation, in whatever pieces it comes."""

from hypothesis import given
from hypothesis import strategies as st

from server.cluster.network.http_client import NoResponse, parsed, written
from server.cluster.network.http_talk import HttpTalk


class Server:
    def __init__(self, headers=None):
        self.asked, self.headers = [], headers or {}

    def __call__(self, method, path, headers, body):
        self.asked.append((method, path, headers, body))
        return 200, {"Server": "nginx/1.29.3", **self.headers}, f"{method} {path} {body}"


def talk(server=None):
    return HttpTalk(server or Server())


def said(request):
    return talk().send(request).decode()


def test_a_request_is_answered_and_the_connection_stays():
    conversation = talk()
    out = conversation.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert out == (b"HTTP/1.1 200 OK\r\nServer: nginx/1.29.3\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\nGET /a ")
    assert not conversation.closed and b"GET /b" in conversation.send(b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert conversation.closed and conversation.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""


def test_http_1_0_closes_unless_it_is_asked_to_stay():
    conversation = talk()
    assert b"Connection: close" in conversation.send(b"GET / HTTP/1.0\r\n\r\n") and conversation.closed
    conversation = talk()
    assert b"Connection: keep-alive" in conversation.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") and not conversation.closed


def test_head_has_no_body_but_its_length():
    out = said(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "Content-Length: 8\r\n" in out and out.endswith("\r\n\r\n")


def test_bodies_come_with_a_length_or_in_chunks():
    assert said(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").endswith("POST / hello")
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n"
    assert said(chunked).endswith("POST / hello world")
    out = said(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
    assert out.startswith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@given(st.lists(st.integers(1, 40), max_size=30))
def test_pieces_make_no_difference(sizes):
    stream = (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
              b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n0\r\n\r\nGET /d HTTP/1.1\r\nHost: x\r\n\r\n")
    whole, server = Server(), Server()
    expected = HttpTalk(whole).send(stream)
    conversation, out, rest = HttpTalk(server), b"", stream
    for size in [*sizes, len(stream)]:
        out += conversation.send(rest[:size])
        rest = rest[size:]
    assert out == expected and server.asked == whole.asked and len(server.asked) == 4


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data):
    conversation = talk()
    out = conversation.send(data) + conversation.send(b"\r\n\r\n")
    assert out == b"" or out.startswith((b"HTTP/1.1 ", b"GET "))


def test_what_is_no_request_is_refused_as_nginx_does():
    for request, status in ((b"hello there\r\n\r\n", "400 Bad Request"), (b"GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
                            (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505 HTTP Version Not Supported"),
                            (b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", "400 Bad Request"),
                            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", "400 Bad Request"),
                            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", "413 Request Entity Too Large"),
                            (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"),
                            (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", "414 Request-URI Too Large")):
        conversation = talk()
        out = conversation.send(request).decode()
        assert out.startswith(f"HTTP/1.1 {status}\r\nServer: nginx\r\n") and f"<title>{status}</title>" in out, request
        assert conversation.closed and out.endswith("<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
    many = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"A%d: %s\r\n" % (number, b"b" * 900) for number in range(60))
    assert said(many).startswith("HTTP/1.1 400 ") and "Request Header Or Cookie Too Large" in said(many)


def test_a_request_that_is_cut_short_is_never_answered():
    conversation = talk()
    assert conversation.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe") == b""
    assert conversation.finish() == b"" and conversation.closed


def test_a_client_reads_what_a_server_writes():
    conversation = talk()
    answer = parsed(conversation.send(written("POST", "/p", {"Host": "x"}, "käse")), "POST")
    assert (answer.status, answer.body, answer.whole) == (200, "POST /p käse", True)
    chunked = parsed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert (chunked.body, chunked.whole) == ("abc", True)
    assert not parsed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").whole
    for nothing in (b"", b"-ERR unknown command\r\n"):
        try:
            parsed(nothing)
        except NoResponse as fault:
            assert str(fault) == ("Received HTTP/0.9 when not allowed" if nothing else "")
        else:
            raise AssertionError(nothing)
