"""WASM agents in tests: a guest of tests/guests/ in the runner's directory, and its run."""

import json
import pathlib
import shutil
import struct
import sys

import pytest

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "guests"))
import build  # noqa: E402
import wasm_bytes  # noqa: E402,F401

# Of each file whose tests are about agents.
NEEDED = pytest.mark.skipif(not harness.PROGRAM.with_name("porta-engine").exists(),
                            reason="this build has no WASM agents: it needs a newer cargo")

# src/util/exit_code.h
BAD_MODULE, REFUSED, CRASHED, TRAP, OUTPUT_LIMIT = 115, 116, 117, 118, 119
STEP_LIMIT, MEMORY_LIMIT, TABLE_LIMIT, STACK_LIMIT, TIMEOUT, FAILED = 120, 121, 122, 123, 124, 125
NOT_RUNNABLE, NOT_FOUND = 126, 127


def put(runner, guest, name=None):
    """Copies a guest to the runner's directory; its path there. Built guests are the tests' own, maybe unreadable."""
    path = runner.cwd / (name or pathlib.Path(guest).stem + ".wasm")
    shutil.copy(build.guest(guest), path)
    path.chmod(0o644)
    return path


def put_bytes(runner, content, name="agent.wasm"):
    path = runner.cwd / name
    path.write_bytes(content)
    path.chmod(0o644)
    return path


def run(runner, guest, *flags, args=(), **options):
    """`porta run GUEST.wasm FLAGS... -- ARGS...`, to its end."""
    return runner.porta("run", put(runner, guest), *flags, "--", *args, **options)


def message(tool, arguments):
    """What agent.c reads on stdin."""
    text = json.dumps({"tool": tool, "arguments": arguments}, separators=(",", ":")).encode()
    return struct.pack("<I", len(text)) + text


def call(runner, tool, arguments, *flags, **options):
    """The answer of a tool of agent.c, which the host import of that name gave; the Result is its neighbour."""
    result = runner.porta("run", put(runner, "agent.c"), *flags, input=message(tool, arguments), **options).ok()
    return json.loads(result.out), result
