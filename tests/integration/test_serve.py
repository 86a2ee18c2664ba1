"""porta serve on standard input and output: both eras of MCP, one agent that says everything."""

import json
import os
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import agents
import harness
import mcp_client
from mcp_client import (INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, LEGACY, METHOD_NOT_FOUND, MISSING_CAPABILITY,
                        PARSE_ERROR, RESOURCE_NOT_FOUND, UNSUPPORTED_VERSION, Stdio, ended, text_of)  # noqa: F401

pytestmark = agents.NEEDED

CAPABILITIES = json.loads(mcp_client.EVERYTHING.read_text(encoding="utf-8"))["capabilities"]
ALL = {"elicitation": {}, "sampling": {}, "roots": {}}


@pytest.fixture(name="agent")
def the_agent(runner):
    return mcp_client.put_everything(runner)


@pytest.fixture(name="client")
def a_client(runner, agent):
    return Stdio(runner, agent)


# --- opening

@pytest.mark.parametrize("version", LEGACY)
def test_initialize_takes_each_version(client, version):
    result = client.initialize(version)
    assert result["protocolVersion"] == version
    assert result["serverInfo"]["name"] == "everything"
    assert result["capabilities"]["tools"] == {"listChanged": True}
    assert ("completions" in result["capabilities"]) == (version != "2024-11-05")
    assert client.request("ping")["result"] == {}
    assert client.close() == (0, "")


@pytest.mark.parametrize("version", ["1999-01-01", mcp_client.MODERN, ""])
def test_an_unknown_version_gets_the_latest_legacy_one(client, version):
    assert client.initialize(version)["protocolVersion"] == "2025-11-25"


def test_initialize_comes_first_and_once(client):
    assert client.request("tools/list")["error"]["code"] == INVALID_REQUEST
    client.initialize()
    assert "result" in client.request("tools/list")
    assert client.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})["error"]["code"] \
        == INVALID_REQUEST


def test_discover(client):
    answer = client.modern("server/discover")["result"]
    assert answer["supportedVersions"][0] == mcp_client.MODERN and "2025-11-25" in answer["supportedVersions"]
    assert answer["resultType"] == "complete" and answer["cacheScope"] == "public" and answer["ttlMs"] >= 0
    assert answer["_meta"][mcp_client.META + "serverInfo"]["name"] == "everything"
    assert answer["instructions"].startswith("Says everything")


@pytest.mark.parametrize("broken, code", [
    ({}, INVALID_PARAMS),
    ({mcp_client.META + "protocolVersion": mcp_client.MODERN}, INVALID_PARAMS),
    ({mcp_client.META + "clientCapabilities": {}}, INVALID_PARAMS),
    ({**mcp_client.meta(), mcp_client.META + "protocolVersion": 5}, INVALID_PARAMS),
    ({**mcp_client.meta(), mcp_client.META + "clientCapabilities": []}, INVALID_PARAMS),
    ({**mcp_client.meta(), mcp_client.META + "logLevel": "loud"}, INVALID_PARAMS),
    ({**mcp_client.meta(), mcp_client.META + "protocolVersion": "2025-11-25"}, UNSUPPORTED_VERSION),
    ({**mcp_client.meta(), mcp_client.META + "protocolVersion": "3000-01-01"}, UNSUPPORTED_VERSION),
])
def test_broken_meta(client, broken, code):
    error = client.request("server/discover", {"_meta": broken})["error"]
    assert error["code"] == code
    if code == UNSUPPORTED_VERSION:
        assert error["data"]["requested"] == broken[mcp_client.META + "protocolVersion"]
        assert mcp_client.MODERN in error["data"]["supported"]


def test_both_eras_at_once(client):
    assert client.modern("tools/list")["result"]["resultType"] == "complete"
    client.initialize("2025-06-18")
    assert "resultType" not in client.request("tools/list")["result"]
    assert client.modern("tools/list")["result"]["resultType"] == "complete"


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/subscribe",
                                    "resources/unsubscribe", "nope", "_describe", ""])
def test_methods_that_the_modern_era_lacks(client, method):
    assert client.modern(method)["error"]["code"] == METHOD_NOT_FOUND


# --- lists

def test_tools_are_listed_as_each_version_knows_them(runner, agent):
    for version in LEGACY:
        client = Stdio(runner, agent)
        client.initialize(version)
        tools = {tool["name"]: tool for tool in client.request("tools/list")["result"]["tools"]}
        assert ("outputSchema" in tools["test_structured"]) == (version >= "2025-06-18")
        assert ("annotations" in tools["test_structured"]) == (version >= "2025-03-26")
        assert tools["json_schema_2020_12_tool"]["inputSchema"]["$defs"]["address"]["$anchor"] == "addressDef"
        assert client.close()[0] == 0


# What versions brought that is for people; all else is older.
BROUGHT = {"title": "2025-06-18", "_meta": "2025-06-18", "lastModified": "2025-06-18", "outputSchema": "2025-06-18",
           "icons": "2025-11-25"}
OF_SERVER = {"name": "", "version": "", "title": "2025-06-18", "description": "2025-11-25", "websiteUrl": "2025-11-25",
             "icons": "2025-11-25"}
OF_RESOURCE = {"name", "title", "description", "mimeType", "annotations", "icons", "_meta"}


def names_in(version, names):
    return {name for name in names if BROUGHT.get(name, "") <= version}


@pytest.mark.parametrize("version", [*LEGACY, mcp_client.MODERN])
def test_what_is_for_people_is_listed_as_each_version_knows_it(runner, agent, version):
    client = Stdio(runner, agent)
    if version == mcp_client.MODERN:
        server = client.modern("server/discover")["result"]["_meta"][mcp_client.META + "serverInfo"]
        ask = client.modern
        assert set(ask("tools/list")["result"]["_meta"][mcp_client.META + "serverInfo"]) == {"name", "version"}
    else:
        server = client.initialize(version)["serverInfo"]
        ask = client.request
    assert set(server) == {name for name, since in OF_SERVER.items() if since <= version}
    tool = next(t for t in ask("tools/list")["result"]["tools"] if t["name"] == "test_structured")
    named = {"name", "title", "description", "inputSchema", "outputSchema", "icons", "_meta"}
    assert set(tool) == names_in(version, named) | ({"annotations"} if version >= "2025-03-26" else set())
    resource = ask("resources/list")["result"]["resources"][0]
    assert set(resource) == names_in(version, OF_RESOURCE | {"uri", "size"})
    template = ask("resources/templates/list")["result"]["resourceTemplates"][0]
    assert set(template) == names_in(version, OF_RESOURCE | {"uriTemplate"})
    for item in (resource, template):
        assert set(item["annotations"]) == names_in(version, {"audience", "priority", "lastModified"})
    prompt = next(p for p in ask("prompts/list")["result"]["prompts"] if p["name"] == "test_prompt_with_arguments")
    assert set(prompt) == names_in(version, {"name", "title", "description", "arguments", "icons", "_meta"})
    assert set(prompt["arguments"][0]) == names_in(version, {"name", "title", "description", "required"})
    if version >= "2025-11-25":
        assert server["icons"] == tool["icons"] == resource["icons"] == prompt["icons"]
        assert tool["icons"][0]["sizes"] == ["any"] and tool["_meta"] == {"example.com/since": 1}


def test_a_manifest_that_says_the_wrong_thing(runner, agent):
    (runner.cwd / mcp_client.EVERYTHING.name).write_text('{"tools": [{"name": "a", "icons": [{"src": "javascript:0"}]}]}')
    result = runner.porta("serve", agent)
    assert result.code == 125 and "at /tools/0/icons/0/src: an icon is at" in result.err


def test_an_input_schema_without_a_type(runner, agent):
    manifest = {"capabilities": CAPABILITIES, "tools": [{"name": "a", "inputSchema": {"properties": {}}}]}
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps(manifest))
    tool, = Stdio(runner, agent).modern("tools/list")["result"]["tools"]
    assert tool["inputSchema"] == {"type": "object", "properties": {}}


def test_pages(runner, agent):
    manifest = json.loads(mcp_client.EVERYTHING.read_text())
    manifest["tools"] = [{"name": f"t{i}", "inputSchema": {"type": "object"}} for i in range(250)]
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps(manifest))
    client = Stdio(runner, agent)
    names, cursor, pages = [], None, 0
    while cursor is not None or pages == 0:
        result = client.modern("tools/list", {} if cursor is None else {"cursor": cursor})["result"]
        names += [tool["name"] for tool in result["tools"]]
        cursor, pages = result.get("nextCursor"), pages + 1
    assert names == [f"t{i}" for i in range(250)] and pages == 3


@pytest.mark.parametrize("cursor", ["", "x", "tools-0", "tools-1", "tools-100", "tools-0100", "resources-100", 5, None,
                                    "tools--100", "tools-99999999999999999999"])
def test_cursors_that_were_not_given(client, cursor):
    assert client.modern("tools/list", {"cursor": cursor})["error"]["code"] == INVALID_PARAMS


def test_resources_and_prompts(client):
    client.initialize()
    assert [r["uri"] for r in client.request("resources/list")["result"]["resources"]][0] == "test://static-text"
    (template,) = client.request("resources/templates/list")["result"]["resourceTemplates"]
    assert template["uriTemplate"] == "test://template/{id}/data"
    prompts = {p["name"]: p for p in client.request("prompts/list")["result"]["prompts"]}
    assert prompts["test_prompt_with_arguments"]["arguments"][1] == {
        "name": "arg2", "description": "Second", "required": True}


def test_an_agent_without_manifest_lists_its_functions(runner):
    client = Stdio(runner, agents.put(runner, "library.c"), "--profile", "full")
    client.initialize()
    names = [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    assert names and all(not name.startswith("_") for name in names) and "malloc" not in names
    for method in ("resources/list", "prompts/list", "resources/read", "completion/complete"):
        assert client.request(method, {"uri": "x"})["error"]["code"] == METHOD_NOT_FOUND


# --- calls

def test_content_of_each_kind(client):
    client.initialize()
    kinds = {name: [block["type"] for block in client.call(name)["result"]["content"]] for name in (
        "test_simple_text", "test_image_content", "test_audio_content", "test_embedded_resource",
        "test_multiple_content_types", "test_resource_link")}
    assert kinds == {"test_simple_text": ["text"], "test_image_content": ["image"], "test_audio_content": ["audio"],
                     "test_embedded_resource": ["resource"],
                     "test_multiple_content_types": ["text", "image", "resource"],
                     "test_resource_link": ["resource_link"]}


def test_content_that_an_older_version_lacks_is_text(client):
    client.initialize("2024-11-05")
    assert "audio/wav" in text_of(client.call("test_audio_content"))
    assert "test://static-text" in text_of(client.call("test_resource_link"))
    assert "structuredContent" not in client.call("test_structured")["result"]


def test_structured_content(client):
    client.initialize()
    result = client.call("test_structured")["result"]
    assert result["structuredContent"] == {"temperature": 22.5, "conditions": "Partly cloudy"}
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    answer = client.call("test_structured_wrong")
    assert answer["result"]["isError"] and "/temperature" in text_of(answer)


@pytest.mark.parametrize("version", [*LEGACY, mcp_client.MODERN])
def test_arguments_are_checked_before_the_guest_sees_them(client, version):
    if version == mcp_client.MODERN:
        answer = client.modern("tools/call", {"name": "sleep", "arguments": {"ms": -1}})
    else:
        client.initialize(version)
        answer = client.call("sleep", {"ms": -1})
    if version >= "2025-11-25":
        assert answer["result"]["isError"] and "/ms" in text_of(answer)
    else:
        assert answer["error"]["code"] == INVALID_PARAMS and "/ms" in answer["error"]["message"]


@pytest.mark.parametrize("params", [{"name": "no such tool"}, {"name": "_resource_read"}, {"name": "_describe"},
                                    {"name": 'a"b'}, {"name": "memory"}, {"name": "main"}, {"name": 5}, {}, {"name": None},
                                    {"name": "sleep", "arguments": []}, {"name": "sleep", "arguments": "x"},
                                    {"name": "porta.exec", "arguments": {"command": "true"}},
                                    {"name": "porta.http", "arguments": {"url": "http://127.0.0.1/"}}])
def test_calls_of_what_is_not_there(client, params):
    client.initialize()
    assert client.request("tools/call", params)["error"]["code"] == INVALID_PARAMS
    assert text_of(client.call("test_simple_text"))


def test_ends_that_are_no_answer(client):
    client.initialize()
    assert "trapped" in text_of(client.call("trap")) and client.call("trap")["result"]["isError"]
    assert "code 7" in text_of(client.call("exit"))
    assert text_of(client.call("test_simple_text")) == "This is a simple text response for testing."


def test_timeout(runner, agent):
    client = Stdio(runner, agent, "--timeout", "300ms")
    client.initialize()
    began = time.monotonic()
    answer = client.call("sleep", {"ms": 60000})
    assert answer["result"]["isError"] and "timed out" in text_of(answer)
    assert time.monotonic() - began < 20
    assert text_of(client.call("sleep", {"ms": 1})) == "slept"


def test_limits(runner, agent):
    client = Stdio(runner, agent, "--max-output", "1k", "--step-limit", "5000000")
    client.initialize()
    assert "writes more" in text_of(client.call("large", {"bytes": 100000}))
    assert text_of(client.call("test_simple_text"))


def test_a_slow_call_delays_no_other(client):
    client.initialize()
    slow = [client.ask("tools/call", {"name": "sleep", "arguments": {"ms": 3000}}) for _ in range(8)]
    began = time.monotonic()
    assert text_of(client.call("test_simple_text"))
    assert time.monotonic() - began < 2.5
    for number in slow:
        assert text_of(client.wait(number)) == "slept"


def test_progress_and_log(client):
    client.initialize()
    client.request("logging/setLevel", {"level": "debug"})
    answer = client.call("test_tool_with_progress", _meta={"progressToken": "a token"})
    progress = [m["params"] for m in client.others]
    assert [p["progress"] for p in progress] == [0, 50, 100]
    assert all(p["progressToken"] == "a token" and p["total"] == 100 for p in progress)
    assert progress[0]["message"] == "begun" and text_of(answer) == "done"
    client.others.clear()
    client.call("test_tool_with_progress")
    assert not client.others
    client.call("test_tool_with_logging")
    assert [m["params"] for m in client.others] == [
        {"level": "info", "data": text} for text in ("Tool execution started", "Tool processing data",
                                                     "Tool execution completed")]
    client.others.clear()
    client.request("logging/setLevel", {"level": "warning"})
    client.call("test_tool_with_logging")
    assert not client.others
    assert client.request("logging/setLevel", {"level": "loud"})["error"]["code"] == INVALID_PARAMS


def test_log_of_the_modern_era_is_asked_for(client):
    client.modern("tools/call", {"name": "test_tool_with_logging"})
    assert not client.others
    client.modern("tools/call", {"name": "test_tool_with_logging"}, **{mcp_client.META + "logLevel": "info"})
    assert len(client.others) == 3


def test_cancel(client):
    client.initialize()
    number = client.ask("tools/call", {"name": "sleep", "arguments": {"ms": 60000}})
    flood = client.ask("tools/call", {"name": "flood"})
    client.notify("notifications/cancelled", {"requestId": number, "reason": "no more"})
    client.notify("notifications/cancelled", {"requestId": flood})
    client.notify("notifications/cancelled", {"requestId": 12345})
    client.notify("notifications/cancelled", {"requestId": []})
    client.notify("notifications/cancelled")
    assert text_of(client.call("test_simple_text"))
    code, _ = client.close(10)
    assert code == 0
    assert number not in client.answers and flood not in client.answers


def test_an_id_twice_at_once(client):
    client.initialize()
    client.send({"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": {"name": "sleep", "arguments": {"ms": 800}}})
    client.send({"jsonrpc": "2.0", "id": "x", "method": "ping"})
    assert client.read()["error"]["code"] == INVALID_REQUEST
    assert text_of(client.read()) == "slept"


# --- questions

def answer_of(request):
    if request["method"] == "elicitation/create":
        return {"action": "accept", "content": {"name": "Alice", "username": "a", "email": "b", "ok": True, "color": "blue"}}
    if request["method"] == "sampling/createMessage":
        return {"role": "assistant", "model": "m", "content": {"type": "text", "text": "Paris"}}
    return {"roots": [{"uri": "file:///x"}]}


@pytest.mark.parametrize("name, asked", [
    ("test_sampling", ["sampling/createMessage"]), ("test_elicitation", ["elicitation/create"]),
    ("test_input_required_result_multiple_inputs", ["elicitation/create", "roots/list", "sampling/createMessage"]),
    ("test_input_required_result_multi_round", ["elicitation/create", "elicitation/create"])])
def test_questions_of_the_legacy_era(client, name, asked):
    client.initialize(capabilities=ALL)
    number = client.ask("tools/call", {"name": name, "arguments": {"prompt": "?", "message": "!"}})
    heard = []
    while True:
        message = client.read()
        if message.get("id") == number and "method" not in message:
            break
        heard.append(message["method"])
        client.send({"jsonrpc": "2.0", "id": message["id"], "result": answer_of(message)})
    assert sorted(heard) == asked and "isError" not in message["result"]


def test_a_question_that_is_not_answered(client):
    client.initialize(capabilities=ALL)
    number = client.ask("tools/call", {"name": "test_sampling", "arguments": {"prompt": "?"}})
    question = client.read()
    client.send({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -1, "message": "the user says no"}})
    answer = client.wait(number)
    assert answer["result"]["isError"] and "the user says no" in text_of(answer)
    # Answers that nobody waits for.
    for number in (question["id"], 99, "x"):
        client.send({"jsonrpc": "2.0", "id": number, "result": {}})
    assert client.request("ping")["result"] == {}


def test_a_client_that_cannot_be_asked(client):
    client.initialize()
    answer = client.call("test_sampling", {"prompt": "?"})
    assert answer["result"]["isError"] and "sampling" in text_of(answer)
    error = client.modern("tools/call", {"name": "test_missing_capability"})["error"]
    assert error["code"] == MISSING_CAPABILITY and error["data"] == {"requiredCapabilities": {"sampling": {}}}


def test_rounds_of_the_modern_era(client):
    params = {"name": "test_input_required_result_multi_round", "arguments": {}}
    states = []
    for step in ("step1", "step2"):
        result = client.modern("tools/call", params, ALL)["result"]
        assert result["resultType"] == "input_required" and list(result["inputRequests"]) == [step]
        states.append(result["requestState"])
        params = {**params, "requestState": states[-1],
                  "inputResponses": {step: answer_of(result["inputRequests"][step])}}
    assert text_of(client.modern("tools/call", params, ALL)) == "both steps done"
    assert states[0] != states[1] and "first" not in states[0]


def test_a_state_is_good_for_its_request_alone(runner, client, agent):
    name = "test_input_required_result_tampered_state"
    state = client.modern("tools/call", {"name": name, "arguments": {}}, ALL)["result"]["requestState"]
    good = {"name": name, "arguments": {}, "requestState": state, "inputResponses": {"confirm": {"action": "accept"}}}
    assert text_of(client.modern("tools/call", good, ALL)) == "state-ok"
    for broken in ({**good, "requestState": state + "x"}, {**good, "requestState": state[:-8] + "AAAAAAA="},
                   {**good, "requestState": ""}, {**good, "requestState": 5}, {**good, "requestState": "p1."},
                   {**good, "arguments": {"other": 1}},
                   {**good, "name": "test_input_required_result_request_state"}):
        assert client.modern("tools/call", broken, ALL)["error"]["code"] == INVALID_PARAMS, broken
    # Another process has another key, unless they share one.
    assert Stdio(runner, agent).modern("tools/call", good, ALL)["error"]["code"] == INVALID_PARAMS


def test_replicas_share_a_key(runner, agent):
    key = runner.cwd / "state.key"
    key.write_bytes(os.urandom(32))
    runner.identity.own(key)
    one, other = (Stdio(runner, agent, "--state-key-file", key) for _ in range(2))
    name = "test_input_required_result_request_state"
    # The same arguments, written in another order, are the same.
    result = one.modern("tools/call", {"name": name, "arguments": {"a": 1, "b": 2}}, ALL)["result"]
    assert text_of(other.modern("tools/call", {"name": name, "arguments": {"b": 2, "a": 1},
                                               "requestState": result["requestState"],
                                               "inputResponses": {"confirm": {"action": "accept"}}}, ALL)) == "state-ok"


@pytest.mark.parametrize("responses", [None, [], "x", {"user_name": 5}, {"user_name": None}])
def test_broken_input_responses(client, responses):
    params = {"name": "test_input_required_result_elicitation", "inputResponses": responses}
    assert client.modern("tools/call", params, ALL)["error"]["code"] == INVALID_PARAMS


# --- resources, prompts, completion

def test_reading(client):
    client.initialize()
    assert client.request("resources/read", {"uri": "test://static-binary"})["result"]["contents"][0]["mimeType"] == "image/png"
    assert client.request("resources/read", {"uri": "test://plain"})["result"]["contents"] == [
        {"uri": "test://plain", "text": "only text"}]
    error = client.request("resources/read", {"uri": "test://none"})["error"]
    assert error["code"] == RESOURCE_NOT_FOUND and error["data"] == {"uri": "test://none"}
    assert client.modern("resources/read", {"uri": "test://none"})["error"]["code"] == INVALID_PARAMS
    assert client.modern("resources/read", {"uri": "test://plain"})["result"]["ttlMs"] == 0
    for broken in ({}, {"uri": 5}, {"uri": None}):
        assert client.request("resources/read", broken)["error"]["code"] == INVALID_PARAMS


@pytest.mark.parametrize("params", [{}, {"name": "none"}, {"name": "test_prompt_with_arguments"},
                                    {"name": "test_prompt_with_arguments", "arguments": {"arg1": "a"}},
                                    {"name": "test_prompt_with_arguments", "arguments": {"arg1": "a", "arg2": 5}},
                                    {"name": "test_prompt_with_arguments", "arguments": []}])
def test_prompts_that_are_not_there(client, params):
    client.initialize()
    assert client.request("prompts/get", params)["error"]["code"] == INVALID_PARAMS


def test_completion(client):
    client.initialize()
    ref = {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
    argument = {"name": "arg1", "value": "par"}
    assert client.request("completion/complete", {"ref": ref, "argument": argument})["result"]["completion"] == {
        "values": ["paris", "park", "party"], "total": 3, "hasMore": False}
    for broken in ({}, {"ref": ref}, {"ref": {**ref, "name": "none"}, "argument": argument},
                   {"ref": {"type": "ref/else"}, "argument": argument}, {"ref": 5, "argument": 5}):
        assert client.request("completion/complete", broken)["error"]["code"] == INVALID_PARAMS


# --- porta's own tools

def test_porta_exec(runner, agent):
    client = Stdio(runner, agent, "--profile", "full", "--allow-exec", "echo,sh", "-e", "SEEN=yes", "--secret", "HIDDEN=no",
                   "--timeout", "5s")
    client.initialize()
    tools = {tool["name"]: tool for tool in client.request("tools/list")["result"]["tools"]}
    assert tools["porta.exec"]["inputSchema"]["properties"]["command"]["enum"] == ["echo", "sh"]
    assert "porta.http" not in tools
    result = client.call("porta.exec", {"command": "echo", "args": ["a b", "$HOME"]})["result"]
    assert result["structuredContent"] == {"exit_code": 0, "stdout": "a b $HOME\n", "stderr": ""}
    result = client.call("porta.exec", {"command": "sh", "args": ["-c", "echo $SEEN-$HIDDEN; touch /etc/x; exit 3"]})["result"]
    assert result["structuredContent"]["stdout"] == "yes-\n" and result["structuredContent"]["exit_code"] == 3
    for command in ("ls", "/bin/echo", "./echo", "echo ", "../bin/echo", ""):
        assert client.call("porta.exec", {"command": command})["result"]["isError"]
    slow = client.call("porta.exec", {"command": "sh", "args": ["-c", "sleep 100"]})
    assert slow["result"]["isError"] and "timed out" in text_of(slow)
    # It is slow for itself alone, and ends when it is cancelled.
    number = client.ask("tools/call", {"name": "porta.exec", "arguments": {"command": "sh", "args": ["-c", "sleep 3; echo late"]}})
    assert text_of(client.call("test_simple_text"))
    assert client.wait(number)["result"]["structuredContent"]["stdout"] == "late\n"


def test_porta_exec_needs_capability_and_list(runner, agent):
    for flags in (["--profile", "full"], ["--cap", "io,process,clock,fs,fs.write", "--allow-exec", "echo"]):
        client = Stdio(runner, agent, *flags)
        client.initialize()
        assert "porta.exec" not in [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
        client.close()


def test_porta_http_refuses(runner, agent):
    client = Stdio(runner, agent, "--profile", "full", "--allow-net", "api.example.com:443")
    client.initialize()
    assert "porta.http" in [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    for url in ("http://127.0.0.1:1/", "https://user:pw@api.example.com/", "ftp://api.example.com/", "file:///etc/passwd",
                "https://api.example.com:444/", "nonsense"):
        answer = client.call("porta.http", {"url": url})
        assert answer["result"]["isError"], url


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
        else:
            self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


def test_porta_http(runner, agent):
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        client = Stdio(runner, agent, "--profile", "full", "--allow-net", f"127.0.0.1:{port}")
        client.initialize()
        result = client.call("porta.http", {"url": f"http://127.0.0.1:{port}/"})["result"]
        assert result["structuredContent"]["status"] == 200 and result["structuredContent"]["body"] == "hello"
        assert client.call("porta.http", {"url": f"http://127.0.0.1:{port}/away"})["result"]["isError"]
        assert client.call("porta.http", {"url": f"http://127.0.0.1:{port}/", "method": "CONNECT"})["result"]["isError"]
        server.shutdown()


# --- the agent's files

def wait_for(client, method, timeout_s=20):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        message = client.read(timeout_s)
        if message.get("method") == method:
            return message
    raise AssertionError(f"no {method}")


def test_a_changed_manifest_is_taken(runner, client):
    client.initialize()
    client.request("resources/subscribe", {"uri": "test://static-text"})
    listening = client.ask("subscriptions/listen", {"_meta": mcp_client.meta(), "notifications": {
        "toolsListChanged": True, "resourceSubscriptions": ["test://plain"]}})
    acknowledged = wait_for(client, "notifications/subscriptions/acknowledged")
    assert acknowledged["params"]["notifications"] == {"toolsListChanged": True, "resourceSubscriptions": ["test://plain"]}
    slow = client.ask("tools/call", {"name": "sleep", "arguments": {"ms": 2500}})
    manifest = json.loads(mcp_client.EVERYTHING.read_text())
    manifest["tools"].append({"name": "new_tool"})
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps(manifest))
    heard, answered = [], False
    while len(heard) < 6 or not answered:
        message = client.read()
        answered = answered or message.get("id") == slow
        if "method" in message:
            heard.append((message["method"], message.get("params", {}).get("uri"),
                          message.get("params", {}).get("_meta", {}).get(mcp_client.META + "subscriptionId")))
    assert sorted(heard, key=str) == sorted([
        ("notifications/tools/list_changed", None, listening), ("notifications/resources/updated", "test://plain", listening),
        ("notifications/tools/list_changed", None, None), ("notifications/prompts/list_changed", None, None),
        ("notifications/resources/list_changed", None, None), ("notifications/resources/updated", "test://static-text", None)],
        key=str)
    assert "new_tool" in [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    client.process.stdin.close()
    rest = [json.loads(line) for line in client.buffer.splitlines() + client.process.stdout.read().splitlines()]
    assert any(m.get("id") == listening and "result" in m for m in rest)


def test_an_agent_that_takes_its_time_to_describe_itself(runner):
    """While a changed agent is asked what it offers, others are answered."""
    agent = agents.put(runner, "agent.c")
    client = Stdio(runner, agent, "--profile", "full", "-v", ".")
    client.initialize()
    assert json.loads(text_of(client.call("echo", {"a": 1}))) == {"a": 1}
    slow = agents.put(runner, "agent_slow.c")
    os.rename(slow, agent)
    harness.wait_until((runner.cwd / "describing").exists)
    for _ in range(10):
        client.request("ping")
        assert json.loads(text_of(client.call("echo", {"b": 2}))) == {"b": 2}
    assert not any(m["method"] == "notifications/tools/list_changed" for m in client.others)
    wait_for(client, "notifications/tools/list_changed")
    assert "echo" in [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    assert client.close()[0] == 0


def test_a_changed_agent_that_cannot_be_loaded(runner):
    agent = agents.put(runner, "agent.c")
    client = Stdio(runner, agent, "--profile", "full")
    client.initialize()
    bad = runner.cwd / "bad.wasm"
    bad.write_bytes(b"no module")
    os.rename(bad, agent)
    line = client.process.stderr.readline().decode()
    assert "the changed agent is not taken: " in line and "the module is not WASM" in line
    assert json.loads(text_of(client.call("echo", {"a": 1}))) == {"a": 1}
    good = agents.put(runner, "agent_plain.c")
    os.rename(good, agent)
    wait_for(client, "notifications/tools/list_changed")
    names = [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    assert "echo" in names and "http" not in names


def test_a_changed_manifest_grants_nothing_new(runner, agent):
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps({
        **json.loads(mcp_client.EVERYTHING.read_text()), "capabilities": ["io", "process", "clock", "fs"]}))
    client = Stdio(runner, agent, "--allow-exec", "echo", "-v", ".")
    client.initialize()
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps({
        **json.loads(mcp_client.EVERYTHING.read_text()),
        "capabilities": ["io", "process", "clock", "fs", "fs.write", "exec", "net"]}))
    wait_for(client, "notifications/tools/list_changed")
    assert "porta.exec" not in [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    assert text_of(client.call("test_trigger_tool_change")) == "nothing to change"


def test_a_broken_manifest_changes_nothing(runner, client):
    client.initialize()
    (runner.cwd / mcp_client.EVERYTHING.name).write_text('{"tools": 5}')
    time.sleep(1)
    assert len(client.request("tools/list")["result"]["tools"]) > 30
    code, said = client.close()
    assert code == 0 and "the changed agent is not taken" in said and "/tools" in said


# --- what cannot be understood

@pytest.mark.parametrize("line, code", [
    (b"nonsense", PARSE_ERROR), (b'{"jsonrpc":"2.0","id":1,"method":"ping"', PARSE_ERROR), (b"\xff\xfe", PARSE_ERROR),
    (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', PARSE_ERROR), (b'{"a":1,"a":2}', PARSE_ERROR),
    (b'{"jsonrpc":"2.0","id":1,"method":"a\\u0000b"}', PARSE_ERROR), (b"{\0}", PARSE_ERROR),
    (b"[" * 200 + b"]" * 200, INVALID_REQUEST), (b'{"x":' * 150 + b"1" + b"}" * 150, INVALID_REQUEST),
    (b"5", INVALID_REQUEST), (b'"x"', INVALID_REQUEST), (b"null", INVALID_REQUEST), (b"{}", INVALID_REQUEST),
    (b"[]", INVALID_REQUEST), (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', INVALID_REQUEST),
    (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', INVALID_REQUEST), (b'{"id":1,"method":"ping"}', INVALID_REQUEST),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID_REQUEST),
    (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', INVALID_REQUEST),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST),
    (b'{"jsonrpc":"2.0","id":1,"method":5}', INVALID_REQUEST), (b'{"jsonrpc":"2.0","id":1}', INVALID_REQUEST),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', INVALID_PARAMS),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":5}', INVALID_PARAMS),
])
def test_bad_messages(client, line, code):
    client.send_bytes(line + b"\n")
    answer = client.read()
    assert answer["error"]["code"] == code, answer
    assert "id" not in answer or answer["id"] == 1
    client.initialize()
    assert text_of(client.call("test_simple_text"))


def test_an_unreadable_id_is_null_in_older_versions(client):
    client.initialize("2025-06-18")
    client.send_bytes(b"nonsense\n")
    assert client.read()["id"] is None


def test_a_message_that_is_too_long(client):
    client.initialize()
    client.send_bytes(b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"x":"' + b"x" * (9 << 20) + b'"}}\n')
    assert client.read()["error"]["code"] == INVALID_REQUEST
    assert client.request("ping")["result"] == {}


def test_what_is_kept_for_a_client_is_bounded(client):
    large = "x" * 100000
    assert client.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {"experimental": {"a": {"b": large}}}}
                          )["error"]["code"] == INVALID_PARAMS
    client.initialize()
    assert client.request("resources/subscribe", {"uri": large})["error"]["code"] == INVALID_PARAMS
    for i in range(1024):
        client.ask("resources/subscribe", {"uri": f"test://{i}"})
    assert client.request("resources/subscribe", {"uri": "test://more"})["error"]["code"] == INVALID_PARAMS
    for uris in ([large], ["x"] * 2000, "x", [5]):
        assert client.modern("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}}
                             )["error"]["code"] == INVALID_PARAMS


def test_large_messages(client):
    client.initialize()
    text = "x" * (4 << 20)
    answer = client.call("test_x_mcp_header", {"region": text})
    assert json.loads(text_of(answer))["region"] == text
    assert len(text_of(client.call("large", {"bytes": 8 << 20}))) == 8 << 20


def test_batches_are_of_one_version(runner, agent):
    batch = [{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/initialized"},
             {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "test_simple_text"}}, 5]
    client = Stdio(runner, agent)
    client.initialize("2025-03-26")
    client.send(batch)
    answers = client.read()
    assert sorted(str(a.get("id")) for a in answers) == ["1", "2", "None"]
    client.send([{"jsonrpc": "2.0", "method": "notifications/initialized"}])
    client.send([])
    assert client.read()["error"]["code"] == INVALID_REQUEST
    client.send([{"jsonrpc": "2.0", "id": i, "method": "ping"} for i in range(200)])
    assert client.read()["error"]["code"] == INVALID_REQUEST
    assert client.request("ping")["result"] == {}


def framed(message):
    text = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(text) + text


def test_content_length_is_answered_in_kind(client):
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    client.send_bytes(framed(ping) + b"content-type: x\r\ncontent-length:  2\r\n\r\n{}")
    assert client.read_line().lower().startswith(b"content-length: ")
    assert client.read_line() == b"\r"
    code, _ = client.close()
    assert code == 0 and b'"result":{}' in client.buffer + client.process.stdout.read()


@pytest.mark.parametrize("header", [b"Content-Length: x\r\n\r\n", b"Content-Length: -1\r\n\r\n",
                                    b"Content-Length: 99999999999\r\n\r\n", b"Content-Type: x\r\n\r\n",
                                    b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", b"Content-Length: 1" + b" " * 5000])
def test_a_header_that_cannot_be_obeyed_ends_it(client, header):
    client.send_bytes(header)
    assert client.read()["error"]["code"] == INVALID_REQUEST
    assert client.read_line() is None
    assert client.close()[0] == 0


# --- ends

def test_answers_come_before_the_end(runner, agent):
    lines = [{"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {
        "name": "sleep", "arguments": {"ms": 300}, "_meta": mcp_client.meta()}} for i in range(3)]
    text = "\n".join(json.dumps(line) for line in lines)  # no newline at the end
    result = runner.porta("serve", agent, input=text).ok()
    assert sorted(json.loads(line)["id"] for line in result.out.splitlines()) == [0, 1, 2]


def test_nobody_is_asked_after_the_end(runner, agent):
    """A call that asks the client when its input has ended is not waited for."""
    lines = [{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": ALL}},
             {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "test_elicitation", "arguments": {"message": "?"}}}]
    result = runner.porta("serve", agent, input="\n".join(json.dumps(line) for line in lines) + "\n", timeout_s=20).ok()
    assert "is ending" in result.out and '"id":1' in result.out


def test_input_and_output_can_be_files(runner, agent):
    (runner.cwd / "in").write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "server/discover",
                                               "params": {"_meta": mcp_client.meta()}}) + "\n")
    runner.bare("sh", "-c", f"{runner.program} serve {agent} <in >out && {runner.program} serve {agent} <in >/dev/null").ok()
    assert json.loads((runner.cwd / "out").read_text())["id"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_after_what_is_under_way(client, number):
    client.initialize()
    slow = client.ask("tools/call", {"name": "sleep", "arguments": {"ms": 700}})
    time.sleep(0.3)
    client.process.send_signal(number)
    assert text_of(client.wait(slow)) == "slept"
    assert client.process.wait(10) == 0


@pytest.mark.parametrize("flags", [[], ["-v", "."]])
def test_ctrl_c_is_for_the_server_alone(runner, agent, flags):
    """A terminal sends it to the whole group: what is under way is answered all the same."""
    client = Stdio(runner, agent, *flags)
    client.initialize()
    slow = client.ask("tools/call", {"name": "sleep", "arguments": {"ms": 700}})
    time.sleep(0.3)
    os.killpg(client.process.pid, signal.SIGINT)
    assert text_of(client.wait(slow)) == "slept"
    assert client.process.wait(10) == 0


def test_a_client_that_goes_away(runner, agent):
    client = Stdio(runner, agent)
    client.initialize()
    client.ask("tools/call", {"name": "flood"})
    client.read()
    client.process.stdout.close()
    assert client.process.wait(20) == 0


def test_kill_leaves_nothing(client):
    client.initialize()
    for _ in range(4):
        client.ask("tools/call", {"name": "sleep", "arguments": {"ms": 60000}})
    time.sleep(0.3)
    pids = harness.descendants(client.process.pid)
    client.process.kill()
    client.process.wait(10)
    harness.wait_until(lambda: not harness.living(pids))


def test_a_client_that_never_reads_costs_no_memory(runner, agent):
    client = Stdio(runner, agent)
    client.initialize()
    client.ask("tools/call", {"name": "flood"})
    line = json.dumps({"jsonrpc": "2.0", "id": "x", "method": "tools/list"}).encode() + b"\n"
    sent, end = 0, time.monotonic() + 5
    os.set_blocking(client.process.stdin.fileno(), False)
    while time.monotonic() < end:
        try:
            sent += os.write(client.process.stdin.fileno(), line * 100)
        except BlockingIOError:
            time.sleep(0.01)
    status = open(f"/proc/{client.process.pid}/status", encoding="ascii").read()
    rss = int(status.split("VmRSS:")[1].split()[0])
    assert rss < mcp_client.RSS_KIB_MAX, f"{rss} KiB after {sent} bytes"


# --- the command line

def test_check(runner, agent):
    result = runner.porta("serve", "--check", agent, "--profile", "full", "--allow-exec", "echo", "-v", ".").ok()
    assert "test_simple_text" in result.out and "porta.exec" in result.out and "runs echo" in result.out
    assert "test://template/{id}/data" in result.out and "Prompts (5)" in result.out
    assert f"{os.path.realpath(runner.cwd)}, to read and write" in result.out


@pytest.mark.parametrize("argv, code, words", [
    ([], 125, "no agent is given"), (["none.wasm"], 127, "none.wasm"), (["--http", "8080"], 125, "--http"),
    (["everything.wasm", "--http", "0.0.0.0:0"], 125, "--token-file"), (["everything.wasm", "--token-file", "x"], 125, "--http"),
    (["everything.wasm", "--workers", "0"], 125, "--workers"), (["everything.wasm", "--nope"], 125, "--nope"),
    (["everything.wasm", "--http", "127.0.0.1:0", "--token-file", "none"], 125, "none"),
    (["everything.wasm", "--state-key-file", "none"], 125, "none"),
    (["everything.wasm", "--cap", "io"], 116, "refused")])
def test_the_command_line(runner, agent, argv, code, words):
    result = runner.porta("serve", *argv)
    assert result.code == code and words in result.err and result.out == "", result


def test_check_of_what_cannot_be_served(runner, agent):
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps({"capabilities": CAPABILITIES, "tools": [{"name": "a", "inputSchema": {
        "type": "object", "properties": {"x": {"$ref": "https://example.com/x"}}}}]}))
    result = runner.porta("serve", "--check", agent)
    assert result.code == 1 and "inputSchema of the tool a" in result.err and result.out == ""


@pytest.mark.parametrize("schema", [
    {"type": "object", "$ref": "#"}, {"type": "object", "properties": {"x": {"type": "nonsense"}}},
    {"type": "object", "$schema": "https://example.com/mine"},
    {"type": "object", "properties": {"x": {"type": "number", "x-mcp-header": "X"}}},
    {"type": "object", "properties": {"x": {"type": "string", "x-mcp-header": ""}}},
    {"type": "object", "properties": {"x": {"type": "string", "x-mcp-header": "a b"}}},
    {"type": "object", "properties": {"x": {"type": "string", "x-mcp-header": "A"}, "y": {"type": "string", "x-mcp-header": "a"}}},
    {"type": "object", "properties": {"x": {"items": {"type": "string", "x-mcp-header": "A"}}}},
    {"type": "object", "anyOf": [{"properties": {"x": {"type": "string", "x-mcp-header": "A"}}}]}])
def test_schemas_that_cannot_be_served(runner, agent, schema):
    (runner.cwd / mcp_client.EVERYTHING.name).write_text(json.dumps({
        "capabilities": CAPABILITIES, "tools": [{"name": "a", "inputSchema": schema}]}))
    result = runner.porta("serve", agent, stdin=subprocess.DEVNULL)
    assert result.code == 115 and "the inputSchema of the tool a" in result.err, result


def test_secrets_are_not_shown(runner, agent):
    client = Stdio(runner, agent, "--secret", "KEY=hunter2")
    client.initialize()
    for pid in [client.process.pid, *harness.descendants(client.process.pid)]:
        assert b"hunter2" not in open(f"/proc/{pid}/cmdline", "rb").read()
    assert client.request("internal", {})["error"]["code"] != INTERNAL_ERROR
