"""The server of agents, beside unsandboxed echo servers with the official SDKs of Node and Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "integration")]
MANIFEST = {"capabilities": ["io", "process"], "tools": [{"name": "echo", "inputSchema": {
    "type": "object", "properties": {"text": {"type": "string"}}}}]}


def measure(bench):
    import mcp_tools  # installs the SDKs

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
    environment = dict(os.environ, NODE_MODULES=str(mcp_tools.node_modules()))
    for _ in range(2):  # the first has nothing in the cache yet
        said = subprocess.run([str(driver), bench.rounds(40), "200", *words[1:]], check=True, capture_output=True, text=True,
                              env=environment).stdout
    (start, p50, p99), node, python = [tuple(map(float, line.split())) for line in said.splitlines()]
    print(f"tools/call p50, p99 us: porta {p50} {p99}, Node {node[1]} {node[2]}, Python {python[1]} {python[2]}")
    bench.line("serve: tools/call p50 / Node's SDK", p50 / node[1], "0.80")
    bench.line("serve: tools/call p50 / Python's SDK", p50 / python[1], "")
    print(f"ready for initialize after: Node {node[0] / 1000:.0f} ms, Python {python[0] / 1000:.0f} ms")
    bench.line("serve: ready for initialize", start / 1000, "15 ms", " ms")
