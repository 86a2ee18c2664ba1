"""A minute of the fuzzers of what MCP clients send, and of porta.toml; make fuzz runs each of them for longer."""

import subprocess

import pytest

import harness

SECONDS = 60


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mcp", "toml"])
def test_a_minute_of(name, tmp_path):
    done = subprocess.run(["sh", harness.ROOT / "fuzz" / "run.sh", str(SECONDS), name], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "FUZZ_DIRECTORY": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr + "\n".join(
        path.read_text(errors="replace")[-3000:] for path in tmp_path.glob("*.log"))
