"""WASM workers: what one can do whose engine a guest has broken. inject.c makes its system calls.

The control is a process without walls, in which the same calls succeed.
"""

import os
import platform
import signal
import subprocess
import time

import pytest

import agents
import harness

pytestmark = [
    agents.NEEDED,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act in a process that cannot be traced"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="inject.c knows x86-64"),
]

# What an ordinary process may do, of these calls; the others need what it has not.
ORDINARY = {"read-passwd", "read-passwd-at", "list-root", "read-parent", "open-null", "create", "overwrite", "truncate",
            "chmod", "unlink", "mkdir", "kill-group", "pidfd_open", "prlimit", "pdeathsig", "dumpable", "memfd",
            "socket-inet", "socket-inet6", "socket-unix", "socketpair", "mmap-exec", "mmap-exec-write", "mprotect-exec"}


@pytest.fixture(scope="module", name="inject")
def _inject(machine):
    return harness.compile_c(harness.ROOT / "tests" / "inject.c", machine.directory / "inject")


@pytest.fixture(name="target")
def _target(runner):
    """A directory outside, with a file in it that each user may change."""
    directory = runner.cwd / "target"
    directory.mkdir()
    (directory / "there").write_text("text", encoding="utf-8")
    (runner.cwd / "ws").mkdir()
    runner.identity.own(runner.cwd)
    return directory


def calls(inject, pid, directory):
    """{name: "0" or the error's name}, and whether the last call was the process's end."""
    done = subprocess.run([inject, str(pid), directory], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    ended = lines[-1] == "ended"
    return dict(line.split() for line in (lines[:-1] if ended else lines)), ended


def succeeded(found):
    return {name for name, result in found.items() if result == "0"}


def engine_of(process):
    """The worker, when it is there."""
    def find():
        table = harness.process_table()
        return [pid for pid in harness.descendants(process.pid, table)
                if table[pid][2] == "porta-engine" and table[pid][1] != "Z"]
    assert harness.wait_until(find, pause_s=0.001), "no worker"
    return find()[0]


def end(process):
    process.kill()
    process.communicate()


def test_control(runner, inject, target):
    process = runner.popen(["sleep", "60"])
    try:
        assert harness.wait_until(lambda: harness.process_table()[process.pid][2] == "sleep")
        found, _ = calls(inject, process.pid, target)
    finally:
        end(process)
    assert ORDINARY <= succeeded(found), found
    assert not (target / "there").exists() and (target / "made").exists()


@pytest.mark.parametrize("flags", [(), ("-v", "ws"), ("-v", "ws:ro"), ("-v", "ws", "--cap", "io,process")],
                         ids=["alone", "sandboxed", "read-only", "without-fs"])
def test_a_worker_that_runs(runner, inject, target, flags):
    guest = "files_loop.c" if "-v" in flags and "--cap" not in flags else "loop.c"
    process = runner.popen_porta("run", agents.put(runner, guest), *flags)
    assert process.stdout.readline() == b"begun\n"
    before = harness.snapshot(target)
    try:
        found, ended = calls(inject, engine_of(process), target)
    finally:
        end(process)
    assert found.keys() > ORDINARY and succeeded(found) == set(), found
    # What is no call of this architecture is its end.
    assert ended
    assert harness.difference(before, harness.snapshot(target)) == ""


def test_within_its_mount(runner, inject, target):
    """The same calls in the directory that the agent may change: what opens and makes files is all that works."""
    (runner.cwd / "ws" / "there").write_text("text", encoding="utf-8")
    runner.identity.own(runner.cwd)
    process = runner.popen_porta("run", agents.put(runner, "files_loop.c"), "-v", "ws")
    assert process.stdout.readline() == b"begun\n"
    try:
        found, _ = calls(inject, engine_of(process), runner.cwd / "ws")
    finally:
        end(process)
    assert succeeded(found) == {"create", "overwrite", "utime", "unlinkat", "mkdirat"}, found


def caught(runner, command, agent, pause_s):
    """(porta, its worker), stopped with its walls up; None where it was too early or too late."""
    process = runner.popen_porta(command, agent, stdout=subprocess.DEVNULL)
    try:
        pid = engine_of(process)
        time.sleep(pause_s)
        os.kill(pid, signal.SIGSTOP)
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            status = file.read()
        # Its walls stand when it has a filter.
        if "Seccomp:\t2" in status and "State:\tZ" not in status:
            return process, pid
    except (AssertionError, OSError):
        pass
    end(process)
    return None


@pytest.mark.parametrize("command", ["run", "inspect"])
def test_a_worker_that_compiles(runner, inject, target, command):
    """Caught on its way: it is slow with this module."""
    agent = agents.put(runner, "many_functions")
    found = None
    for pause_s in (0.01, 0.003, 0.02, 0.006, 0.001, 0.015, 0.03, 0.05) * 3:
        runner.porta("cache", "clear").ok()
        found = caught(runner, command, agent, pause_s)
        if found is not None:
            break
    assert found is not None, "the worker was never caught"
    process, pid = found
    before = harness.snapshot(target)
    try:
        results, ended = calls(inject, pid, target)
    finally:
        end(process)
    assert results.keys() > ORDINARY and succeeded(results) == set() and ended, results
    assert harness.difference(before, harness.snapshot(target)) == ""
