"""porta serve --http: Streamable HTTP of both eras, and who may ask."""

import json
import os
import re
import socket
import threading
import time

import pytest

import agents
import harness
import mcp_client
from mcp_client import (HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, MISSING_CAPABILITY, PARSE_ERROR,
                        UNSUPPORTED_VERSION, Http, ended, events, messages)  # noqa: F401

pytestmark = agents.NEEDED


@pytest.fixture(name="agent")
def the_agent(runner):
    return mcp_client.put_everything(runner)


@pytest.fixture(name="server")
def a_server(runner, agent):
    return Http(runner, agent)


def call(name, arguments=None):
    return {"name": name, "arguments": arguments or {}}


# --- the modern era

def test_a_call(server):
    response = server.modern("tools/call", call("test_simple_text"))
    assert response.status == 200 and response.headers["Content-Type"] == "application/json"
    assert "Mcp-Session-Id" not in response.headers
    assert json.loads(response.data)["result"]["content"][0]["text"].startswith("This is a simple")


def test_notifications_make_it_a_stream(server):
    params = {**call("test_tool_with_progress"), "_meta": {**mcp_client.meta(), "progressToken": 5}}
    response = server.send({"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params},
                           **server.modern_headers("tools/call", params))
    assert response.status == 200 and response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    *progress, last = events(response.data)
    assert [p["params"]["progress"] for p in progress] == [0, 50, 100] and last["id"] == "x"


@pytest.mark.parametrize("headers, status, code", [
    ({"MCP_Protocol_Version": None}, 400, HEADER_MISMATCH), ({"MCP_Protocol_Version": "2025-11-25"}, 400, HEADER_MISMATCH),
    ({"Mcp_Method": None}, 400, HEADER_MISMATCH), ({"Mcp_Method": "tools/list"}, 400, HEADER_MISMATCH),
    ({"Mcp_Method": "TOOLS/CALL"}, 400, HEADER_MISMATCH), ({"Mcp_Name": None}, 400, HEADER_MISMATCH),
    ({"Mcp_Name": "other"}, 400, HEADER_MISMATCH), ({"Mcp_Name": "=?base64?dGVzdF94X21jcF9oZWFkZXI?="}, 400, HEADER_MISMATCH),
    ({"Mcp_Name": "=?base64?dGVzdF94X21jcF9oZWFkZXI=?="}, 200, None), ({"Mcp_Name": "  test_x_mcp_header "}, 200, None),
    ({"Mcp_Param_Region": None}, 400, HEADER_MISMATCH), ({"Mcp_Param_Region": "us"}, 400, HEADER_MISMATCH),
    ({"Mcp_Param_Region": "=?base64?ZXU=?="}, 200, None), ({"Mcp_Param_Region": "=?base64?ZXU?="}, 400, HEADER_MISMATCH),
    ({"Mcp_Param_Count": "5.0"}, 200, None), ({"Mcp_Param_Count": "6"}, 400, HEADER_MISMATCH),
    ({"Mcp_Param_Count": ""}, 400, HEADER_MISMATCH), ({"Mcp_Param_Other": "x"}, 200, None),
])
def test_headers_say_what_the_body_does(server, headers, status, code):
    fields = {"Mcp_Param_Region": "eu", "Mcp_Param_Count": "5", **headers}
    response = server.modern("tools/call", call("test_x_mcp_header", {"region": "eu", "count": 5}), **fields)
    body = json.loads(response.data)
    assert (response.status, body.get("error", {}).get("code")) == (status, code), body
    assert body["id"] == 1


def test_a_header_for_an_argument_that_is_not_there(server):
    assert server.modern("tools/call", call("test_x_mcp_header"), Mcp_Param_Region="eu").status == 400
    assert server.modern("tools/call", call("test_x_mcp_header", {"region": None}), Mcp_Param_Region="null").status == 400


def test_statuses(server):
    assert server.modern("nope").status == 404
    assert json.loads(server.modern("nope").data)["error"]["code"] == METHOD_NOT_FOUND
    response = server.modern("tools/call", call("test_missing_capability"))
    assert response.status == 400 and json.loads(response.data)["error"]["code"] == MISSING_CAPABILITY
    response = server.send({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {}},
                           **server.modern_headers("server/discover", {}))
    assert response.status == 400 and json.loads(response.data)["error"]["code"] == INVALID_PARAMS
    params = {"_meta": {**mcp_client.meta(), mcp_client.META + "protocolVersion": "v9"}}
    response = server.send({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": params},
                           **server.modern_headers("server/discover", {}, "v9"))
    assert response.status == 400 and json.loads(response.data)["error"]["code"] == UNSUPPORTED_VERSION
    assert server.send({"jsonrpc": "2.0", "method": "notifications/x", "params": {"_meta": mcp_client.meta()}}).status == 202


def read_until(sock, what, timeout_s=20):
    data, end = b"", time.monotonic() + timeout_s
    while what not in data:
        assert time.monotonic() < end, data
        more = sock.recv(65536)
        assert more, data
        data += more
    return data


def post_raw(server, body, headers):
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    data = json.dumps(body).encode()
    lines = [b"POST /mcp HTTP/1.1", b"Host: localhost", b"Content-Type: application/json",
             b"Accept: application/json, text/event-stream", b"Content-Length: %d" % len(data)]
    lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in headers.items()]
    sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + data)
    return sock


def gauge(server, name):
    text = server.send(None, method="GET", path="/metrics").data.decode()
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"porta_{name} ")))


def test_hanging_up_cancels(server):
    params = {**call("sleep", {"ms": 60000}), "_meta": mcp_client.meta()}
    sock = post_raw(server, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
                    server.modern_headers("tools/call", params))
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 1)
    sock.close()
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 0)
    harness.wait_until(lambda: gauge(server, "workers_busy") == 0)


def test_hanging_up_within_a_stream_cancels(server):
    params = {**call("flood"), "_meta": mcp_client.meta(None, **{mcp_client.META + "logLevel": "debug"})}
    sock = post_raw(server, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
                    server.modern_headers("tools/call", params))
    read_until(sock, b"notifications/message")
    time.sleep(1)  # the client does not read: the guest waits
    rss = int(open(f"/proc/{server.process.pid}/status", encoding="ascii").read().split("VmRSS:")[1].split()[0])
    assert rss < mcp_client.RSS_KIB_MAX
    sock.close()
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 0)


def test_listening(runner, server):
    params = {"_meta": mcp_client.meta(), "notifications": {"toolsListChanged": True}}
    sock = post_raw(server, {"jsonrpc": "2.0", "id": 7, "method": "subscriptions/listen", "params": params},
                    server.modern_headers("subscriptions/listen", params))
    read_until(sock, b"notifications/subscriptions/acknowledged")
    manifest = json.loads(mcp_client.EVERYTHING.read_text())
    manifest["tools"].append({"name": "new_tool"})
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps(manifest))
    read_until(sock, b"notifications/tools/list_changed")
    server.process.terminate()
    rest = read_until(sock, b'"resultType":"complete"')
    assert b"notifications/cancelled" in rest and b'"id":7' in rest
    assert server.process.wait(20) == 0


# --- the legacy era

def test_a_session(server):
    response = server.initialize("2025-06-18")
    assert response.status == 200 and len(server.session) >= 32
    assert server.send({"jsonrpc": "2.0", "method": "notifications/initialized"}).status == 202
    response = server.request("tools/call", call("test_simple_text"))
    assert response.status == 200 and json.loads(response.data)["result"]["content"]
    assert server.request("ping", MCP_Protocol_Version="2025-06-18").status == 200
    assert server.request("ping", MCP_Protocol_Version="2000-01-01").status == 400
    session = server.session
    assert server.send(None, method="DELETE").status in (200, 204)
    assert server.request("ping").status == 404
    assert server.send(None, method="DELETE").status == 404
    server.session = None
    assert server.request("ping").status == 400
    server.session = session[:-1] + ("0" if session[-1] != "0" else "1")
    assert server.request("ping").status == 404


def test_sessions_know_nothing_of_each_other(server):
    server.initialize("2025-06-18")
    first = server.session
    server.initialize("2024-11-05")
    assert server.session != first
    assert b'"outputSchema"' not in server.request("tools/list").data
    server.session = first
    assert b'"outputSchema"' in server.request("tools/list").data


def test_a_failed_initialize_opens_nothing(server):
    response = server.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}})
    assert "Mcp-Session-Id" not in response.headers and json.loads(response.data)["error"]["code"] == INVALID_PARAMS


def test_questions_go_over_the_stream(server):
    server.initialize(capabilities={"sampling": {}})
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call("test_sampling", {"prompt": "?"})}
    sock = post_raw(server, body, {"Mcp_Session_Id": server.session})
    asked = events(read_until(sock, b"sampling/createMessage") + b"\n")[0]
    assert server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {
        "role": "assistant", "model": "m", "content": {"type": "text", "text": "Paris"}}}).status == 202
    assert b"LLM response: Paris" in read_until(sock, b'"id":5')


def test_the_stream_of_a_session(runner, server):
    server.initialize()
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    sock.sendall(f"GET /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: {server.session}\r\n"
                 "Accept: text/event-stream\r\n\r\n".encode())
    read_until(sock, b"text/event-stream")
    time.sleep(0.2)
    manifest = json.loads(mcp_client.EVERYTHING.read_text())
    manifest["tools"].append({"name": "new_tool"})
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps(manifest))
    read_until(sock, b"notifications/tools/list_changed")


def get_stream(server, last=None):
    """A GET of the session; its socket."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    header = "" if last is None else f"Last-Event-ID: {last}\r\n"
    sock.sendall(f"GET /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: {server.session}\r\n{header}"
                 "Accept: text/event-stream\r\n\r\n".encode())
    return sock


def ids_of(data):
    return re.findall(rb"^id: (\S+)$", data, re.MULTILINE)


def test_a_call_that_takes_its_time_can_be_resumed(server):
    server.initialize()
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call("sleep", {"ms": 5000})}
    sock = post_raw(server, body, {"Mcp_Session_Id": server.session})
    data = read_until(sock, b"data: \n\n")
    (primed,) = ids_of(data)
    assert b"text/event-stream" in data and b"\nretry: " in data
    sock.close()
    # While the call runs: the answer comes over the new connection.
    sock = get_stream(server, primed.decode())
    first = read_until(sock, b'"id":5')
    assert b"slept" in first
    read_until(sock, b"0\r\n\r\n") if not first.endswith(b"0\r\n\r\n") else None
    sock.close()
    # When it is over: it is still kept.
    again = read_until(get_stream(server, primed.decode()), b"0\r\n\r\n")
    assert b"slept" in again and ids_of(again) == ids_of(first)
    # What was heard is not said once more.
    assert b" 400 " in read_until(get_stream(server, ids_of(first)[-1].decode()), b"\r\n")


def test_events_that_a_broken_connection_lost(server):
    server.initialize(capabilities={"sampling": {}})
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {
        **call("test_tool_with_progress"), "_meta": {"progressToken": 1}}}
    data = read_until(post_raw(server, body, {"Mcp_Session_Id": server.session}), b"0\r\n\r\n")
    ids = ids_of(data)
    assert len(ids) == 5 and len(set(ids)) == 5  # it begins, says three things, and ends
    for heard in range(4):
        rest = read_until(get_stream(server, ids[heard].decode()), b"0\r\n\r\n")
        assert ids_of(rest) == ids[heard + 1:]
        assert [m.get("params", {}).get("progress") for m in events(rest.split(b"\r\n\r\n", 1)[1])][:-1] == [0, 50, 100][heard:]
    other = ids_of(read_until(post_raw(server, body, {"Mcp_Session_Id": server.session}), b"0\r\n\r\n"))
    assert not set(other) & set(ids)


def test_the_stream_of_a_session_can_be_resumed(runner, server):
    server.initialize()
    sock = get_stream(server)
    (primed,) = ids_of(read_until(sock, b":\n\n"))
    sock.close()
    manifest = json.loads(mcp_client.EVERYTHING.read_text())
    manifest["tools"].append({"name": "new_tool"})
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps(manifest))
    harness.wait_until(lambda: gauge(server, "reloads_total") == 1)
    sock = get_stream(server, primed.decode())
    ids = ids_of(read_until(sock, b"notifications/resources/list_changed"))
    assert primed not in ids and len(ids) == 3
    # A client that does not say what it has heard is told no more than is new; ids stay unique.
    fresh = read_until(get_stream(server), b":\n\n")
    assert b"list_changed" not in fresh and ids_of(fresh) == ids[-1:]
    assert sock.recv(65536).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("last", ["x", "1", "-", "1-", "-1", "9-0", "1-2-3", "99999999999999999999-0", "0-0x"])
def test_event_ids_that_were_not_given(server, last):
    server.initialize()
    assert b" 400 " in read_until(get_stream(server, last), b"\r\n")


def test_streams_of_other_sessions_are_not_resumed(server):
    server.initialize()
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {
        **call("test_tool_with_progress"), "_meta": {"progressToken": 1}}}
    data = read_until(post_raw(server, body, {"Mcp_Session_Id": server.session}), b"0\r\n\r\n")
    server.initialize()
    assert b" 400 " in read_until(get_stream(server, ids_of(data)[0].decode()), b"\r\n")


def test_what_is_kept_for_a_session_is_bounded(server):
    server.initialize()
    server.request("logging/setLevel", {"level": "debug"})
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call("flood")}
    sock = post_raw(server, body, {"Mcp_Session_Id": server.session})
    first = ids_of(read_until(sock, b"notifications/message"))[0]
    sock.close()
    time.sleep(2)
    rss = int(open(f"/proc/{server.process.pid}/status", encoding="ascii").read().split("VmRSS:")[1].split()[0])
    assert rss < mcp_client.RSS_KIB_MAX
    # The newest are there.
    ids = ids_of(read_until(get_stream(server, first.decode()), b"notifications/message"))
    assert int(ids[0].split(b"-")[1]) > 1000


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18"])
def test_older_clients_get_no_event_without_data(server, version):
    server.initialize(version)
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {
        **call("test_tool_with_progress"), "_meta": {"progressToken": 1}}}
    data = read_until(post_raw(server, body, {"Mcp_Session_Id": server.session}), b"0\r\n\r\n")
    assert b"data: \n" not in data and len(ids_of(data)) == 4


def test_hanging_up_does_not_cancel_in_the_legacy_era(server):
    server.initialize()
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call("sleep", {"ms": 1500})}
    sock = post_raw(server, body, {"Mcp_Session_Id": server.session})
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 1)
    sock.close()
    time.sleep(0.5)
    assert gauge(server, "requests_in_flight") == 1
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 0)
    body["params"] = call("sleep", {"ms": 60000})
    sock = post_raw(server, body, {"Mcp_Session_Id": server.session})
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 1)
    assert server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}).status == 202
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 0)


def test_batches(server):
    server.initialize("2025-03-26")
    response = server.send([{"jsonrpc": "2.0", "id": i, "method": "ping"} for i in (1, 2)])
    assert sorted(a["id"] for a in json.loads(response.data)) == [1, 2]
    assert server.send([{"jsonrpc": "2.0", "method": "notifications/initialized"}]).status == 202
    server.initialize("2025-11-25")
    assert server.send([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]).status == 400


# --- who may ask

@pytest.mark.parametrize("headers, status", [
    ({"Host": "localhost"}, 200), ({"Host": "127.0.0.1:1"}, 200), ({"Host": "[::1]:8080"}, 200), ({"Host": "LOCALHOST:80"}, 200),
    ({"Host": "evil.example.com"}, 403), ({"Host": "localhost.example.com"}, 403), ({"Host": "127.0.0.1.example.com"}, 403),
    ({"Host": "[::1"}, 403), ({"Host": "localhost:80x"}, 403), ({"Host": ""}, 403),
    ({"Origin": "http://localhost:3000"}, 200), ({"Origin": "https://127.0.0.1"}, 200),
    ({"Origin": "https://evil.example.com"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://localhost.example.com"}, 403),
    ({"Origin": "file://localhost"}, 403), ({"Origin": "http://"}, 403), ({"Origin": "http://localhost@example.com"}, 403)])
def test_host_and_origin(server, headers, status):
    assert server.modern("server/discover", **headers).status == status
    assert server.send(None, method="GET", path="/metrics", **headers).status == status
    assert server.send(None, method="GET", path="/healthz", **headers).status == 200


def test_allowed_names(runner, agent):
    server = Http(runner, agent, "--allow-origin", "https://app.example.com", "--allow-host", "mcp.example.com")
    assert server.modern("server/discover", Host="mcp.example.com").status == 200
    assert server.modern("server/discover", Host="other.example.com").status == 403
    response = server.modern("server/discover", Origin="https://app.example.com")
    assert response.status == 200 and response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    response = server.send(None, method="OPTIONS", Origin="https://app.example.com", Access_Control_Request_Headers="mcp-method")
    assert response.status == 204 and response.headers["Access-Control-Allow-Headers"] == "mcp-method"
    assert server.send(None, method="OPTIONS", Origin="https://evil.example.com").status == 403


def test_token(runner, agent):
    token = runner.cwd / "token"
    token.write_text("a-token-of-the-tests\nmore\n")
    token.chmod(0o600)
    runner.identity.own(token)
    server = Http(runner, agent, "--token-file", token)
    for given in (None, "Bearer x", "Bearer a-token-of-the-test", "Bearer a-token-of-the-tests2", "Basic a-token-of-the-tests",
                  "a-token-of-the-tests", "Bearer"):
        response = server.modern("server/discover", Authorization=given)
        assert response.status == 401 and response.headers["WWW-Authenticate"] == "Bearer"
        assert server.send(None, method="GET", path="/metrics", Authorization=given).status == 401
    response = server.modern("server/discover", Authorization="Bearer a-token-of-the-tests")
    assert response.status == 200 and json.loads(response.data)["result"]["cacheScope"] == "private"
    assert server.send(None, method="GET", path="/metrics", Authorization="bearer a-token-of-the-tests").status == 200
    assert server.send(None, method="GET", path="/healthz").status == 200
    assert b"a-token" not in open(f"/proc/{server.process.pid}/cmdline", "rb").read()


def test_a_token_that_is_too_short(runner, agent):
    (runner.cwd / "token").write_text("short\n")
    result = runner.porta("serve", agent, "--http", "127.0.0.1:0", "--token-file", "token")
    assert result.code == 125 and "at least 16" in result.err


# --- what cannot be understood

@pytest.mark.parametrize("body, headers, status, code", [
    (b"nonsense", {}, 400, PARSE_ERROR), (b"", {}, 400, PARSE_ERROR), (b"{}", {}, 400, INVALID_REQUEST),
    (b"[" * 300 + b"]" * 300, {}, 400, INVALID_REQUEST), (b"[]", {}, 400, INVALID_REQUEST), (b"\xff", {}, 400, PARSE_ERROR),
    (b"{}", {"Content_Type": "text/plain"}, 415, INVALID_REQUEST), (b"{}", {"Content_Type": None}, 415, INVALID_REQUEST),
    (b"{}", {"Content_Type": "application/jsonx"}, 415, INVALID_REQUEST),
    (b"{}", {"Content_Type": "application/json; charset=utf-8"}, 400, INVALID_REQUEST),
    (b"{}", {"Accept": "text/html"}, 406, INVALID_REQUEST), (b"{}", {"Accept": "application/json"}, 406, INVALID_REQUEST),
    (b"{}", {"Accept": "*/*"}, 400, INVALID_REQUEST), (b"{}", {"Accept": None}, 400, INVALID_REQUEST)])
def test_bad_bodies(server, body, headers, status, code):
    response = server.send(body, **headers)
    assert (response.status, json.loads(response.data)["error"]["code"]) == (status, code)
    assert server.modern("server/discover").status == 200


def test_a_body_that_is_too_large(server):
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    sock.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n")
    assert b" 413 " in read_until(sock, b"\r\n")
    assert server.modern("server/discover").status == 200


@pytest.mark.parametrize("method, path, status", [("GET", "/mcp", 405), ("DELETE", "/mcp", 405), ("PUT", "/mcp", 405),
                                                  ("PATCH", "/mcp", 405), ("GET", "/", 404), ("POST", "/other", 404),
                                                  ("GET", "/mcp/", 404), ("GET", "//mcp", 404), ("GET", "/../mcp", 404)])
def test_methods_and_paths(server, method, path, status):
    assert server.send(None, method=method, path=path).status == status


@pytest.mark.parametrize("data", [
    b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /mcp HTTP/9.9\r\n\r\n", b"\0" * 100, b"GET /" + b"x" * 100000,
    b"POST /mcp HTTP/1.1\r\n" + b"A: b\r\n" * 10000 + b"\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"])
def test_bad_requests(server, data):
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    except OSError:
        pass
    sock.close()
    assert server.modern("server/discover").status == 200


def test_pipelined_requests(server):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": mcp_client.meta()}}).encode()
    one = (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n"
           b"Mcp-Method: server/discover\r\nContent-Length: %d\r\n\r\n" % len(body)) + body
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    sock.sendall(one * 5)
    data = b""
    while data.count(b"HTTP/1.1 200") < 5:
        more = sock.recv(65536)
        assert more
        data += more


def test_connections_that_say_nothing(server):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    for sock in silent[:100]:
        sock.sendall(b"POST /mcp HTTP/1.1\r\nHost: loc")
    assert server.modern("tools/call", call("test_simple_text")).status == 200
    for sock in silent:
        sock.close()


# --- more than there is room for

HALF = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7000000\r\n\r\n"


def is_closed(sock):
    """Whether the other side has closed it."""
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_connections_make_room_for_new_ones(runner, agent):
    server = Http(runner, agent, descriptors=200)  # half of them for connections
    kept = server.connect()
    assert server.modern("server/discover", connection=kept).status == 200
    slow = []
    for _ in range(300):
        slow.append(socket.create_connection(("127.0.0.1", server.port)))
        slow[-1].sendall(HALF[:30])
    harness.wait_until(lambda: is_closed(slow[0]))
    assert not is_closed(slow[-1])
    assert server.send(None, method="GET", path="/healthz").status == 200
    assert server.modern("tools/call", call("test_simple_text")).status == 200
    assert gauge(server, "http_connections") <= 200 / 2 + 32
    assert server.modern("server/discover", connection=server.connect()).status == 200
    for sock in slow:
        sock.close()
    harness.wait_until(lambda: gauge(server, "http_connections") < 5)


def listen_of_session(server):
    server.initialize()
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    sock.sendall(f"GET /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: {server.session}\r\n"
                 "Accept: text/event-stream\r\n\r\n".encode())
    read_until(sock, b"text/event-stream")
    return sock


def test_when_all_connections_are_at_work(runner, agent):
    server = Http(runner, agent, descriptors=120)
    streams = [listen_of_session(server) for _ in range(60)]
    refused = server.modern("server/discover")
    assert refused.status == 503 and refused.headers["Retry-After"] == "1" and refused.headers["Connection"] == "close"
    for _ in range(40):
        assert server.send(None, method="GET", path="/healthz").status == 200
    assert not any(map(is_closed, streams))
    streams.pop().close()
    harness.wait_until(lambda: server.modern("server/discover").status == 200)
    for sock in streams:
        sock.close()


def test_without_descriptors(runner, agent):
    server = Http(runner, agent, descriptors=40)
    socks = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    harness.wait_until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) >= 40)
    time.sleep(1)
    for sock in socks:
        sock.close()
    assert server.modern("tools/call", call("test_simple_text")).status == 200


def test_requests_that_are_never_whole_cost_little_memory(server):
    socks = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
    for sock in socks:
        try:
            sock.sendall(HALF + b" " * 6_900_000)
        except OSError:
            pass  # it was the largest
    assert server.modern("server/discover").status == 200
    assert sum(map(is_closed, socks)) >= 40
    status = open(f"/proc/{server.process.pid}/status", encoding="ascii").read()
    assert int(status.split("VmHWM:")[1].split()[0]) < 200 * 1024 + mcp_client.RSS_KIB_MAX
    for sock in socks:
        sock.close()


# --- many at once

def test_ten_thousand_calls(server):
    def work(count, failed):
        connection = server.connect()
        for i in range(count):
            response = server.modern("tools/call", call("test_simple_text"), connection=connection, number=i)
            if response.status != 200 or b"This is a simple text" not in response.data:
                failed.append(response.data)

    failed = []
    pid = server.process.pid
    threads = [threading.Thread(target=work, args=(10000 // 64, failed)) for _ in range(64)]
    server.modern("tools/call", call("test_simple_text"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    assert int(status.split("VmRSS:")[1].split()[0]) < mcp_client.RSS_KIB_MAX
    harness.wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) < 200)
    assert gauge(server, "calls_failed_total") == 0 and gauge(server, "calls_total") >= 9900
    assert server.terminate() == 0


def test_terminating_answers_what_is_under_way(server):
    params = {**call("sleep", {"ms": 800}), "_meta": mcp_client.meta()}
    sock = post_raw(server, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
                    server.modern_headers("tools/call", params))
    harness.wait_until(lambda: gauge(server, "requests_in_flight") == 1)
    server.process.terminate()
    assert b"slept" in read_until(sock, b'"id":1')
    assert server.process.wait(20) == 0
    with pytest.raises(OSError):
        server.modern("server/discover")


def test_port_in_use(runner, agent, server):
    result = runner.porta("serve", agent, "--http", f"127.0.0.1:{server.port}")
    assert result.code == 125 and "cannot listen" in result.err


def test_addresses(runner, agent):
    for address in ("[::1]:0", "localhost:0"):
        process = runner.popen_porta("serve", agent, "--http", address)
        mcp_client.STARTED.append(process)
        assert b"serving http://" + address[:-2].encode() in process.stderr.readline()


def test_answers_are_messages(server):
    assert messages(server.modern("tools/list"))[0]["result"]["tools"]
    assert json.loads(server.send(b"nonsense").data) == {"jsonrpc": "2.0", "error": {
        "code": PARSE_ERROR, "message": "not JSON: line 1, column 8: invalid token near 'nonsense'"}}
    assert json.loads(server.send(b"{}").data)["error"]["code"] == INVALID_REQUEST
