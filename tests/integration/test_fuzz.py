"""A minute of the fuzzer of what MCP clients send; make fuzz runs each of them for longer."""

import subprocess

import pytest

import harness

SECONDS = 60


@pytest.mark.slow
def test_what_clients_send(tmp_path):
    done = subprocess.run(["sh", harness.ROOT / "fuzz" / "run.sh", str(SECONDS), "mcp"], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "FUZZ_DIRECTORY": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr + "\n".join(
        path.read_text(errors="replace")[-3000:] for path in tmp_path.glob("*.log"))
