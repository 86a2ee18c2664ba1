"""A client of `porta serve` for tests: it says what a test tells it to, right or wrong."""

import http.client
import json
import os
import select
import shutil
import subprocess
import time

import pytest

import agents
import harness

LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
MODERN = "2026-07-28"
EVERYTHING = harness.ROOT / "tests" / "guests" / "everything.manifest.json"
META = "io.modelcontextprotocol/"
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
RESOURCE_NOT_FOUND, HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION = -32002, -32020, -32021, -32022


# What a sanitizer keeps of freed memory counts too.
RSS_KIB_MAX = 64 * 1024 if "ASAN_OPTIONS" not in os.environ else 512 * 1024
STARTED = []  # servers of this test


@pytest.fixture(autouse=True)
def ended():
    """For each module that imports it: no server outlives its test."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass


def put_everything(runner, manifest=True):
    """The agent that says everything, with its manifest; its path."""
    path = agents.put(runner, "everything.c")
    if manifest:
        copy = runner.cwd / EVERYTHING.name
        shutil.copy(EVERYTHING, copy)
        copy.chmod(0o644)
        runner.identity.own(copy)
    return path


def meta(capabilities=None, **more):
    return {META + "protocolVersion": MODERN, META + "clientCapabilities": capabilities or {},
            META + "clientInfo": {"name": "tests", "version": "1"}, **more}


class Stdio:
    """`porta serve` on pipes."""

    def __init__(self, runner, *argv, **options):
        self.process = runner.popen_porta("serve", *argv, stdin=subprocess.PIPE, **options)
        STARTED.append(self.process)
        self.buffer = b""
        self.last_id = 0
        self.others = []  # notifications and requests that came while an answer was waited for
        self.answers = {}

    def send_bytes(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def read_line(self, timeout_s=30):
        """One line, or None at the end."""
        end = time.monotonic() + timeout_s
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"nothing said within {timeout_s} s")
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def read(self, timeout_s=30):
        line = self.read_line(timeout_s)
        return None if line is None else json.loads(line)

    def ask(self, method, params=None, **more):
        """Sends a request; its id."""
        self.last_id += 1
        message = {"jsonrpc": "2.0", "id": self.last_id, "method": method, **more}
        if params is not None:
            message["params"] = params
        self.send(message)
        return self.last_id

    def wait(self, number, timeout_s=30):
        """The answer to a request; what else comes is put by."""
        while number not in self.answers:
            message = self.read(timeout_s)
            assert message is not None, f"no answer to {number}: {self.process.stderr.read()}"
            assert message["jsonrpc"] == "2.0"
            if "method" in message:
                self.others.append(message)
            else:
                self.answers[message.get("id")] = message
        return self.answers.pop(number)

    def request(self, method, params=None, timeout_s=30):
        return self.wait(self.ask(method, params), timeout_s)

    def notify(self, method, params=None):
        self.send({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})

    def initialize(self, version="2025-11-25", capabilities=None):
        answer = self.request("initialize", {"protocolVersion": version, "capabilities": capabilities or {},
                                             "clientInfo": {"name": "tests", "version": "1"}})
        self.notify("notifications/initialized")
        return answer["result"]

    def call(self, name, arguments=None, **params):
        return self.request("tools/call", {"name": name, "arguments": arguments or {}, **params})

    def modern(self, method, params=None, capabilities=None, **more):
        return self.request(method, {**(params or {}), "_meta": meta(capabilities, **more)})

    def close(self, timeout_s=30):
        """The client's end; the server's exit code and what it said on stderr."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        code = self.process.wait(timeout_s)
        return code, self.process.stderr.read().decode()


def text_of(answer):
    """The text of a tool's result."""
    return "".join(block["text"] for block in answer["result"]["content"] if block["type"] == "text")


class Http:
    """`porta serve --http` on a free port of loopback, with as many descriptors as told."""

    def __init__(self, runner, *argv, descriptors=None, **options):
        limit = ["sh", "-c", f'ulimit -n {descriptors}; exec "$0" "$@"'] if descriptors is not None else []
        self.process = runner.popen([*limit, runner.program, "serve", *argv, "--http", "127.0.0.1:0"], **options)
        STARTED.append(self.process)
        line = self.process.stderr.readline().decode()
        assert "serving http://127.0.0.1:" in line, line + self.process.stderr.read().decode()
        self.port = int(line.rsplit(":", 1)[1].split("/")[0])
        self.session = None

    def connect(self, timeout_s=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def send(self, body, method="POST", path="/mcp", connection=None, drop=(), **headers):
        """One HTTP request; the response, read whole. Headers are named with _ for -, None leaves one out."""
        connection = connection or self.connect()
        fields = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                  **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.session is not None:
            fields.setdefault("Mcp-Session-Id", self.session)
        fields = {name: value for name, value in fields.items() if value is not None and name not in drop}
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.request(method, path, body=data, headers=fields)
        response = connection.getresponse()
        response.data = response.read()
        return response

    def modern_headers(self, method, params, version=MODERN):
        fields = {"MCP_Protocol_Version": version, "Mcp_Method": method}
        name = params.get("uri") if method == "resources/read" else params.get("name")
        if name is not None:
            fields["Mcp_Name"] = name
        return fields

    def modern(self, method, params=None, capabilities=None, number=1, connection=None, **headers):
        params = {**(params or {}), "_meta": meta(capabilities)}
        return self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params}, connection=connection,
                         **{**self.modern_headers(method, params), **headers})

    def initialize(self, version="2025-11-25", capabilities=None):
        self.session = None
        response = self.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": version, "capabilities": capabilities or {}, "clientInfo": {"name": "t", "version": "1"}}})
        self.session = response.headers["Mcp-Session-Id"]
        return response

    def request(self, method, params=None, number=1, **headers):
        return self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}, **headers)

    def terminate(self, timeout_s=30):
        self.process.terminate()
        return self.process.wait(timeout_s)


def events(data):
    """The messages of a body of server-sent events."""
    return [json.loads(line[6:]) for line in data.decode().splitlines() if line.startswith("data: {") or line.startswith("data: [")]


def messages(response):
    if response.headers["Content-Type"] == "text/event-stream":
        return events(response.data)
    return [json.loads(response.data)]
