"""porta.http_request of WASM agents: what is sent, what is refused, and where a name or a redirect really leads."""

import base64
import http.server
import json
import shutil
import socket
import threading
import time

import pytest

import agents
import harness
import internet as net

pytestmark = agents.NEEDED

BODY_MAX = 8 * 1024 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    """Tells what it was asked; /redirect/STATUS/URL leads elsewhere."""

    protocol_version = "HTTP/1.1"

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/redirect/"):
            _, _, status, location = self.path.split("/", 3)
            self._send(b"", int(status), [("Location", location)])
        elif self.path == "/bytes":
            self._send(bytes(range(256)))
        elif self.path.startswith("/long/"):
            self._send(b"x" * int(self.path[6:]))
        elif self.path == "/headers":
            self._send(b"", 200, [("X-Long", "x" * 1000)] * 400)
        elif self.path == "/twice":
            self._send(b"", 404, [("X-Two", "one"), ("x-two", "two")])
        elif self.path == "/never":
            self.server.was_asked.set()
            self.server.may_answer.wait(60)
        else:
            self._send(json.dumps({"method": self.command, "path": self.path, "body": body.decode(),
                                   "headers": {k.lower(): v for k, v in self.headers.items()}}).encode())

    def _send(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = _answer

    def log_message(self, *_):
        pass


@pytest.fixture(name="server", scope="module")
def _server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.was_asked, server.may_answer = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.base = f"http://127.0.0.1:{server.server_port}"
    server.flags = ("--allow-net", f"127.0.0.1:{server.server_port}")
    yield server
    server.may_answer.set()
    server.shutdown()
    server.server_close()


def message(request):
    return agents.message("http", request)


def agent_in(directory):
    path = directory / "agent.wasm"
    if not path.exists():
        shutil.copy(agents.build.guest("agent.c"), path)
        path.chmod(0o644)
    return path


def ask(runner, request, *flags, **options):
    """What the guest heard."""
    result = runner.porta("run", agent_in(runner.cwd), *flags, input=message(request), **options).ok()
    return json.loads(result.out)["ok"]


def echo(runner, server, request, *flags):
    """What the server was asked."""
    answer = ask(runner, request, *server.flags, *flags)
    assert answer.get("status") == 200, answer
    return json.loads(answer["body"])


# ---- what is sent -----------------------------------------------------------

def test_a_request(runner, server):
    asked = echo(runner, server, {"url": server.base + "/a?b=c"})
    assert (asked["method"], asked["path"], asked["body"]) == ("GET", "/a?b=c", "")
    assert asked["headers"]["host"] == server.base[7:]
    assert asked["headers"]["user-agent"].startswith("porta/")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body(runner, server, method):
    asked = echo(runner, server, {"method": method, "url": server.base + "/", "body": "text ü",
                                  "headers": {"X-Mine": "yes", "Content-Type": "text/plain"}})
    assert (asked["method"], asked["body"]) == (method, "text ü")
    assert (asked["headers"]["x-mine"], asked["headers"]["content-type"]) == ("yes", "text/plain")
    assert asked["headers"]["content-length"] == "7"
    assert "expect" not in asked["headers"] and "transfer-encoding" not in asked["headers"]


def test_a_body_of_no_type_gets_none(runner, server):
    assert "content-type" not in echo(runner, server, {"method": "POST", "url": server.base, "body": "x"})["headers"]


def test_a_body_in_base64(runner, server):
    body = base64.b64encode("bytes é".encode()).decode()
    assert echo(runner, server, {"method": "PUT", "url": server.base, "body": body,
                                 "body_encoding": "base64"})["body"] == "bytes é"


def test_an_answer(runner, server):
    answer = ask(runner, {"url": server.base + "/twice"}, *server.flags)
    assert answer["status"] == 404 and answer["body"] == ""
    assert answer["headers"]["x-two"] == "one, two"


def test_an_answer_of_bytes(runner, server):
    answer = ask(runner, {"url": server.base + "/bytes"}, *server.flags)
    assert answer["body_encoding"] == "base64"
    assert base64.b64decode(answer["body"]) == bytes(range(256))


def test_a_long_answer(runner, server):
    assert len(ask(runner, {"url": f"{server.base}/long/{BODY_MAX}"}, *server.flags)["body"]) == BODY_MAX
    assert "longer than 8 MiB" in ask(runner, {"url": f"{server.base}/long/{BODY_MAX + 1}"}, *server.flags)["error"]
    assert "longer than" in ask(runner, {"url": server.base + "/headers"}, *server.flags)["error"]


def test_the_environment_and_the_home_have_no_say(runner, server, workspace):
    (runner.identity.home / ".netrc").write_text("default login me password secret\n", encoding="utf-8")
    (runner.identity.home / ".curlrc").write_text("header = X-Curlrc: 1\n", encoding="utf-8")
    result = runner.porta("run", agent_in(workspace), *server.flags, input=message({"url": server.base}),
                          env={"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "socks5://127.0.0.1:1"}).ok()
    asked = json.loads(json.loads(result.out)["ok"]["body"])
    assert not {"authorization", "x-curlrc", "proxy-connection"} & set(asked["headers"])


# ---- what is refused ----------------------------------------------------------

def test_nothing_is_allowed_by_default(runner, server):
    assert "--allow-net names what" in ask(runner, {"url": server.base})["error"]
    assert "--allow-net names what" in ask(runner, {"url": server.base}, "--net", "blocked")["error"]
    assert ask(runner, {"url": server.base}, "--net", "full")["status"] == 200


def test_without_the_capability_nothing_runs(runner, server):
    result = runner.porta("run", agent_in(runner.cwd), "--profile", "worker", *server.flags,
                          input=message({"url": server.base}))
    assert result.code not in (0, 1) and result.out == ""
    assert "http_request" in result.err and "net" in result.err


@pytest.mark.parametrize("request_, sentence", [
    ({}, "has no url"),
    ({"url": 1}, "at /request/url: an integer"),
    ({"url": ""}, "no URL"),
    ({"url": "file:///etc/passwd"}, "neither http nor https"),
    ({"url": "ftp://127.0.0.1/"}, "neither http nor https"),
    ({"url": "gopher://127.0.0.1:1/_x"}, "neither http nor https"),
    ({"url": "http://user@127.0.0.1/"}, "user or a password"),
    ({"url": "http://:p@127.0.0.1/"}, "user or a password"),
    ({"url": "http://127.0.0.1/\r\nX: y"}, "control character"),
    ({"url": "http://127.0.0.1/ x"}, "blank"),
    ({"url": "http://[fe80::1%25lo]/"}, "scope"),
    ({"url": "http://127.0.0.1:99999/"}, "URL"),
    ({"url": "http://x/" + "y" * 20000}, "longer than"),
    ({"method": "CONNECT", "url": "http://127.0.0.1/"}, "CONNECT is refused"),
    ({"method": "TRACE", "url": "http://127.0.0.1/"}, "TRACE is refused"),
    ({"method": "GET / HTTP/1.1\r\nX:", "url": "http://127.0.0.1/"}, "no HTTP method"),
    ({"url": "http://127.0.0.1/", "headers": {"Host": "x"}}, "Host is refused"),
    ({"url": "http://127.0.0.1/", "headers": {"transfer-encoding": "chunked"}}, "refused"),
    ({"url": "http://127.0.0.1/", "headers": {"Content-Length": "3"}}, "refused"),
    ({"url": "http://127.0.0.1/", "headers": {"X": "a\r\nHost: b"}}, "control character"),
    ({"url": "http://127.0.0.1/", "headers": {"X\r\nHost": "a"}}, "no name of a header"),
    ({"url": "http://127.0.0.1/", "headers": {"": "a"}}, "no name of a header"),
    ({"url": "http://127.0.0.1/", "headers": {f"X{i}": "a" for i in range(129)}}, "more than 128"),
    ({"url": "http://127.0.0.1/", "headers": []}, "an array where an object"),
    ({"url": "http://127.0.0.1/", "body": 3}, "an integer where a string"),
    ({"url": "http://127.0.0.1/", "body": "***", "body_encoding": "base64"}, "not base64"),
    ({"url": "http://127.0.0.1/", "body": "x", "body_encoding": "rot13"}, "body_encoding"),
])
def test_what_is_no_request(runner, request_, sentence):
    answer = ask(runner, request_, "--net", "full")
    assert list(answer) == ["error"] and sentence in answer["error"], answer


def test_another_port_or_host(runner, server):
    port = server.server_port
    assert "do not admit 127.0.0.1:" in ask(runner, {"url": f"http://127.0.0.1:{port + 1}/"}, *server.flags)["error"]
    assert "do not admit localhost:" in ask(runner, {"url": f"http://localhost:{port}/"},
                                            "--allow-net", f"db.example.com:{port}")["error"]
    assert "do not admit" in ask(runner, {"url": server.base}, "--net", "full",
                                 "--deny-net", f"127.0.0.1:{port}")["error"]
    # Forms of the same address, and of this machine.
    for host in ("127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"):
        answer = ask(runner, {"url": f"http://{host}:{port}/"}, "--allow-net", "*:*")
        assert "do not admit" in answer.get("error", ""), (host, answer)


def test_nobody_listens(runner):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        answer = ask(runner, {"url": f"http://127.0.0.1:{port}/"}, "--allow-net", f"127.0.0.1:{port}")
    assert "cannot connect to 127.0.0.1" in answer["error"] and "refused" in answer["error"].lower()


# ---- redirects ------------------------------------------------------------------

@pytest.mark.parametrize("status, before, after", [
    (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"),
    (301, "PUT", "PUT"), (307, "POST", "POST"), (308, "POST", "POST"), (302, "GET", "GET"),
])
def test_redirects(runner, server, status, before, after):
    request = {"method": before, "url": f"{server.base}/redirect/{status}//there",
               "headers": {"Content-Type": "text/plain", "Authorization": "secret"}}
    if before != "GET":
        request["body"] = "text"
    asked = echo(runner, server, request)
    assert (asked["method"], asked["path"]) == (after, "/there")
    assert asked["body"] == ("text" if after == before != "GET" else "")
    assert asked["headers"]["authorization"] == "secret"


def test_credentials_stay_with_their_origin(runner, server):
    elsewhere = f"http://localhost:{server.server_port}/there"
    asked = echo(runner, server, {"url": f"{server.base}/redirect/302/{elsewhere}",
                                  "headers": {"Authorization": "secret", "cookie": "a=b", "X-Kept": "yes"}},
                 "--allow-net", f"localhost:{server.server_port}")
    assert "authorization" not in asked["headers"] and "cookie" not in asked["headers"]
    assert asked["headers"]["x-kept"] == "yes"


@pytest.mark.parametrize("location, sentence", [
    ("http://127.0.0.1:1/", "do not admit 127.0.0.1:1"),
    ("http://169.254.169.254/latest", "do not admit 169.254.169.254:80"),
    ("http://other.example.com/", "do not admit other.example.com:80"),
    ("file:///etc/passwd", "neither http nor https"),
    ("http://me:you@127.0.0.1/", "user or a password"),
])
def test_a_redirect_leads_nowhere_else(runner, server, location, sentence):
    answer = ask(runner, {"url": f"{server.base}/redirect/302/{location}"}, *server.flags)
    assert list(answer) == ["error"] and sentence in answer["error"], answer


def test_redirects_end(runner, server):
    way = "/redirect/302/" * 10
    assert ask(runner, {"url": f"{server.base}{way}/there"}, *server.flags)["status"] == 200
    assert "more than 10 redirects" in ask(runner, {"url": f"{server.base}{way}/redirect/302//there"},
                                           *server.flags)["error"]


# ---- the end of it ----------------------------------------------------------------

def test_the_runs_timeout_holds(runner, server):
    begun = time.monotonic()
    result = runner.porta("run", agent_in(runner.cwd), *server.flags, "--timeout", "1s",
                          input=message({"url": server.base + "/never"}))
    assert time.monotonic() - begun < 20 and "timed out" in result.err + result.out, str(result)


def test_nothing_is_left_of_a_run_that_is_killed(runner, server):
    server.was_asked.clear()
    request = runner.cwd / "request"
    request.write_bytes(message({"url": server.base + "/never"}))
    with request.open("rb") as stdin:
        process = runner.popen_porta("run", agent_in(runner.cwd), *server.flags, stdin=stdin)
    assert server.was_asked.wait(20)
    tree = harness.descendants(process.pid)
    assert len(tree) >= 3
    process.kill()
    process.wait()
    assert harness.wait_until(lambda: not harness.living(tree))


# ---- on the small internet -----------------------------------------------------------

def test_names(client):
    flags = ("--allow-net", "*.example.com:80")
    assert ask(client, {"url": "http://alpha.example.com/"}, *flags)["body"].startswith("hello from alpha")
    assert ask(client, {"url": "http://ALPHA.example.com./"}, *flags)["status"] == 200
    for url in ("http://beta.example.net/", f"http://{net.BETA4}/", "http://alpha.example.com:8080/"):
        assert "do not admit" in ask(client, {"url": url}, *flags)["error"], url
    assert "no address" in ask(client, {"url": "http://missing.example.com/"}, *flags)["error"]


@pytest.mark.parametrize("name", ["private", "metadata", "local", "shared", "nat64"])
def test_a_name_never_leads_inside(client, name):
    answer = ask(client, {"url": f"http://{name}.example.com/"}, "--allow-net", "*.example.com:80")
    assert "status" not in answer, answer


def test_rebinding(client, internet):
    """The second answer is another address: what is connected to is what was judged."""
    internet.set_zone({})
    for _ in range(3):
        answer = ask(client, {"url": "http://rebind.example.com/"}, "--allow-net", "rebind.example.com:80")
        assert "error" in answer or answer["body"].startswith("hello from alpha"), answer


def test_tls(client, internet):
    request = {"url": "https://alpha.example.com/"}
    flags = ("--allow-net", "alpha.example.com:443")
    assert "certificate" in ask(client, request, *flags)["error"].lower()
    authority = {"SSL_CERT_FILE": internet.authority}
    assert ask(client, request, *flags, env=authority)["body"].startswith("hello from alpha")
    # Not the name that the certificate has.
    answer = ask(client, {"url": "https://xn--bcher-kva.example.com/"}, "--allow-net", "*.example.com:443", env=authority)
    assert "status" not in answer, answer
