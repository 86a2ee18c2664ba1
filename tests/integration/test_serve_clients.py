"""porta serve and the official tools of MCP: the conformance suite, the TypeScript and Python clients, the Inspector."""

import json
import os
import re
import subprocess

import pytest

import agents
import harness
import mcp_client
import mcp_tools
import stdio_bridge
from mcp_client import MODERN, Http, ended  # noqa: F401

pytestmark = [agents.NEEDED, pytest.mark.slow]

# Scenarios of requirements/*.yaml that count (0.2.0-alpha.12).
SCORED = {"2025-11-25": 30, "2026-07-28": 37}
# What is asked for beside: run, and held to it where porta does it.
ALSO = {"2025-11-25": ["server-session-lifecycle", "json-schema-2020-12", "server-sse-polling"],
        "2026-07-28": ["json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation"]}


@pytest.fixture(name="as_user")
def only_as_oneself(machine):
    """The tools are this user's own; who else may run porta is tested elsewhere."""
    return machine.identities["root" if os.geteuid() == 0 else "user"]


@pytest.fixture(name="agent")
def the_agent(runner):
    return mcp_client.put_everything(runner)


def run_tool(runner, *command, timeout_s=240, may_fail=False, **env):
    """A tool, as oneself, outside of any sandbox."""
    done = subprocess.run([str(word) for word in command], cwd=runner.cwd, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=timeout_s, env={**os.environ, "HOME": str(runner.cwd), **env})
    assert may_fail or done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def run_suite(runner, port, version):
    return run_tool(runner, mcp_tools.node(), mcp_tools.package("@modelcontextprotocol/conformance/dist/index.js"), "server",
                    "--url", f"http://127.0.0.1:{port}/mcp", "--requirements", version, may_fail=True)


def check_schemas(runner, traffic):
    path = runner.cwd / "traffic.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in traffic), encoding="utf-8")
    said = run_tool(runner, mcp_tools.python(), harness.ROOT / "tests" / "mcp" / "validate.py", path)
    assert said == f"{len(traffic)} messages\n", said[-4000:]


# What the suite asks of HTTP alone.
OF_HTTP = {"dns-rebinding-protection"}


@pytest.mark.parametrize("version", SCORED)
def test_conformance_on_standard_input(runner, agent, version):
    """The same scenarios, asked on the other transport; all that the server says keeps to the official schemas."""
    bridge = stdio_bridge.Bridge(runner, agent, "-v", ".")
    try:
        said = run_suite(runner, bridge.port, version)
    finally:
        bridge.close()
    results = set(re.findall(r"^[✓✗] ([\w-]+):", said, re.MULTILINE))
    good = set(re.findall(r"^✓ ([\w-]+):", said, re.MULTILINE))
    scored = {name for name in results if not name.startswith("tasks-") and name not in ALSO[version]} - OF_HTTP
    assert len(scored) == SCORED[version] - 1 and scored <= good, said[-60000:]
    assert len(bridge.traffic) > 60
    check_schemas(runner, bridge.traffic)


@pytest.mark.parametrize("version", SCORED)
def test_conformance(runner, agent, version):
    server = Http(runner, agent, "-v", ".")
    said = run_suite(runner, server.port, version)
    results = dict(re.findall(r"^[✓✗] ([\w-]+): (.*)$", said, re.MULTILINE))
    good = set(re.findall(r"^✓ ([\w-]+):", said, re.MULTILINE))
    scored = [name for name in results if not name.startswith("tasks-") and name not in ALSO[version]]
    assert len(scored) == SCORED[version] and set(scored) <= good, said
    assert set(ALSO[version]) <= good, said
    assert "warning" not in said.lower().replace("0 warnings", ""), said
    assert server.terminate() == 0


def check_session(heard, version):
    assert heard.pop("version") == version
    assert heard.pop("progress")[:2] == [0, 50]
    assert heard == {
        "server": "everything", "tools": 36, "resources": 3, "prompts": 5,
        "text": "This is a simple text response for testing.",
        "structured": {"temperature": 22.5, "conditions": "Partly cloudy"}, "error": True,
        "read": "This is the content of the static text resource.", "prompt": "Prompt with arguments: arg1='a', arg2='b'",
        "completion": ["paris", "park", "party"], "elicited": "Hello, Alice!", "sampled": "LLM response: Paris"}


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("mode, version", [("legacy", "2025-11-25"), (MODERN, MODERN)])
@pytest.mark.parametrize("language", ["typescript", "python"])
def test_official_clients(runner, agent, language, mode, version, transport):
    target = [runner.program, "serve", agent]
    if transport == "http":
        target = [f"http://127.0.0.1:{Http(runner, agent).port}/mcp"]
    client = [mcp_tools.node(), harness.ROOT / "tests" / "mcp" / "client.mjs", mode]
    if language == "python":
        client = [mcp_tools.python(), harness.ROOT / "tests" / "mcp" / "client.py", "auto" if mode == MODERN else mode]
    said = run_tool(runner, *client, *target, NODE_MODULES=str(mcp_tools.node_modules()))
    check_session(json.loads(said.splitlines()[-1]), version)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_inspector(runner, agent, era):
    inspector = [mcp_tools.node(), mcp_tools.package(".bin/mcp-inspector"), "--cli", "--protocol-era", era]
    server = [runner.program, "serve", agent]
    heard = json.loads(run_tool(runner, *inspector, "--method", "tools/list", *server))
    assert len(heard["tools"]) == 36
    heard = json.loads(run_tool(runner, *inspector, "--method", "tools/call", "--tool-name", "test_simple_text", *server))
    assert heard["content"][0]["text"].startswith("This is a simple text")
    heard = json.loads(run_tool(runner, *inspector, "--method", "resources/read", "--uri", "test://static-text", *server))
    assert heard["contents"][0]["text"].startswith("This is the content")
