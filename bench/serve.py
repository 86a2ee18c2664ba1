"""The server of agents, beside unsandboxed echo servers with the official SDKs of Node and Python."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "integration")]
MANIFEST = {"capabilities": ["io", "process"], "tools": [{"name": "echo", "inputSchema": {
    "type": "object", "properties": {"text": {"type": "string"}}}}]}


MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def requests_a_second(bench, command, port, modern):
    """Of 16 connections that stay open, each asking again as soon as it is answered."""
    params = {"name": "echo", "arguments": {"text": "hello"}, **({"_meta": META} if modern else {})}
    body = bench.workspace / "body.json"
    body.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}), encoding="utf-8")
    headers = ["-H", "Accept: application/json, text/event-stream"]
    if modern:
        headers += ["-H", f"MCP-Protocol-Version: {MODERN}", "-H", "Mcp-Method: tools/call", "-H", "Mcp-Name: echo"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          env=dict(os.environ, NODE_MODULES=bench.node_modules)) as server:
        try:
            for _ in range(200):
                with socket.socket() as sock:
                    if sock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            said = ""
            for count in ("200", bench.rounds(4000)):
                said = subprocess.run(["ab", "-q", "-k", "-n", count, "-c", "16", "-p", str(body), "-T", "application/json", *headers,
                                       f"http://127.0.0.1:{port}/mcp"], check=True, capture_output=True, text=True).stdout
            assert "Non-2xx" not in said, said
            return float(re.search(r"Requests per second: +([0-9.]+)", said).group(1))
        finally:
            server.terminate()


def measure_http(bench, commands):
    rates = []
    for name, command in zip(("porta", "Node", "Python"), commands):
        port = free_port()
        more = ["--http", f"127.0.0.1:{port}"] if name == "porta" else [str(port)]
        rates.append(requests_a_second(bench, [*command, *more], port, name == "porta"))
    print("HTTP requests a second: porta {:.0f}, Node {:.0f}, Python {:.0f}".format(*rates))
    bench.line("serve: HTTP requests a second / Node's SDK", rates[0] / rates[1], "more")
    bench.line("serve: HTTP requests a second / Python's SDK", rates[0] / rates[2], "more")


def measure(bench):
    import mcp_tools  # installs the SDKs

    bench.node_modules = str(mcp_tools.node_modules())

    guest = bench.workspace / "echo.wasm"
    subprocess.run(["clang", "--target=wasm32-wasi", "-O2", "-o", str(guest), str(HERE / "agent_echo.c"),
                    "-Wl,-z,stack-size=65536"], check=True)
    (bench.workspace / "echo.manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    driver = bench.directory / "mcp_calls"
    subprocess.run(["cc", "-O2", "-o", str(driver), str(HERE / "mcp_calls.c")], check=True)
    commands = [[bench.porta, "serve", str(guest)], [str(mcp_tools.node()), str(HERE / "echo_server.mjs")],
                [str(mcp_tools.python()), str(HERE / "echo_server.py")]]
    words = []
    for command in commands:
        words += ["--next", *command]
    environment = dict(os.environ, NODE_MODULES=bench.node_modules)
    for _ in range(2):  # the first has nothing in the cache yet
        said = subprocess.run([str(driver), bench.rounds(40), "200", *words[1:]], check=True, capture_output=True, text=True,
                              env=environment).stdout
    (start, p50, p99), node, python = [tuple(map(float, line.split())) for line in said.splitlines()]
    print(f"tools/call p50, p99 us: porta {p50} {p99}, Node {node[1]} {node[2]}, Python {python[1]} {python[2]}")
    bench.line("serve: tools/call p50 / Node's SDK", p50 / node[1], "0.80")
    bench.line("serve: tools/call p50 / Python's SDK", p50 / python[1], "")
    print(f"ready for initialize after: Node {node[0] / 1000:.0f} ms, Python {python[0] / 1000:.0f} ms")
    bench.line("serve: ready for initialize", start / 1000, "15 ms", " ms")
    measure_http(bench, commands)
