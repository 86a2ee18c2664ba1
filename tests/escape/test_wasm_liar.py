"""A WASM worker that lies: lying_engine.c in the place of porta-engine. porta ends, in time, with one clean sentence.

Who runs has its code from a run with the real engine before; who compiles has none. Nothing that a liar says
reaches further than its own module.
"""

import re
import shutil
import signal
import time

import pytest

import agents
import harness

pytestmark = agents.NEEDED


@pytest.fixture(scope="module", name="program")
def _program(machine):
    return harness.compile_c(harness.ROOT / "tests" / "lying_engine.c", machine.directory / "lying-engine")


@pytest.fixture(name="liar")
def _liar(runner, program):
    """says(WORD): a runner of a porta whose engine is the liar; its agent is compiled by the real one."""
    binaries = runner.cwd / "bin"
    shutil.copytree(runner.program.parent, binaries)
    agent = agents.put(runner, "agent.c")
    filer = agents.put(runner, "files.c")  # it reaches files, so with -v its worker is in a sandbox
    env = {"XDG_CACHE_HOME": str(runner.cwd / "cache")}
    runner.identity.own(runner.cwd)
    runner.porta("run", agent, input=agents.message("echo", {}), env=env).ok()
    runner.porta("run", filer, "--", "list", ".", env=env).ok()
    shutil.copy(program, binaries / "porta-engine")
    lying = runner.at()
    lying.program = binaries / "porta"

    def says(word, *flags, command="run", cached=True, **options):
        (binaries / "porta-engine.says").write_text(word, encoding="utf-8")
        (binaries / "porta-engine.says").chmod(0o644)
        home = env if cached else {"XDG_CACHE_HOME": str(runner.cwd / "empty")}
        return lying.porta(command, filer if "-v" in flags else agent, *flags, env=home, timeout_s=20, **options)

    says.runner, says.env, says.agent = lying, env, agent
    return says


def is_one_sentence(result, *codes):
    assert result.code in codes and result.out == "", str(result)
    assert result.err.count("\n") == 1 and result.err.startswith("porta: ") and len(result.err) < 500, str(result)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", result.err), repr(result.err)


ENDS = {
    "exit-0": agents.CRASHED, "exit-5": agents.CRASHED, "crash": agents.CRASHED, "killed": agents.CRASHED,
    "hangs-up": agents.CRASHED, "rubbish": agents.CRASHED, "huge": agents.CRASHED, "half": agents.CRASHED,
    "unknown-kind": agents.CRASHED, "config": agents.CRASHED, "compiled": agents.CRASHED,
    "facts-again": agents.CRASHED, "empty-result": agents.CRASHED, "unknown-result": agents.CRASHED,
    "sentence-too-long": agents.CRASHED, "sentence-with-controls": agents.TRAP,
    "failed-with-controls": agents.FAILED, "short-host-call": agents.CRASHED,
    "unknown-host-call": agents.CRASHED,
}


@pytest.mark.parametrize("word", ENDS)
@pytest.mark.parametrize("flags", [(), ("-v", ".")], ids=["alone", "sandboxed"])
def test_who_runs(liar, word, flags):
    is_one_sentence(liar(word, *flags, "--timeout", "30s"), ENDS[word])


@pytest.mark.parametrize("word", ["hangs", "half-and-stays", "result-and-stays", "flood-of-events",
                                  "asks-and-never-reads", "hangs-up-and-stays"])
@pytest.mark.parametrize("flags", [(), ("-v", "."), ("--max-output", "1M")], ids=["alone", "sandboxed", "passed-on"])
def test_who_stays_is_ended_in_time(liar, word, flags):
    begun = time.monotonic()
    result = liar(word, *flags, "--timeout", "700ms", "--allow-net", "192.0.2.1:80")
    assert result.code in (agents.TIMEOUT, agents.CRASHED, 0), str(result)[:2000]
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("word", ["hangs", "half-and-stays", "flood-of-events", "asks-and-never-reads"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_stays_is_ended_by_a_signal(liar, word, number, tmp_path):
    with (tmp_path / "err").open("wb") as err:
        (liar.runner.cwd / "bin" / "porta-engine.says").write_text(word, encoding="utf-8")
        process = liar.runner.popen_porta("run", liar.agent, "--allow-net", "192.0.2.1:80", env=liar.env, stderr=err)
        assert harness.wait_until(lambda: len(harness.descendants(process.pid)) >= 1)
        time.sleep(0.2)
        process.send_signal(number)
        assert process.wait(10) == 128 + number
        process.stdout.close()


def test_porta_stays_small(liar):
    """Whatever is thrown at it: it reads no more than a message may have."""
    for word in ("rubbish", "huge", "flood-of-events", "descriptors"):
        (liar.runner.cwd / "bin" / "porta-engine.says").write_text(word, encoding="utf-8")
        result = liar.runner.bare("/usr/bin/python3", "-c", """
import os, resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
""", liar.runner.program, "run", liar.agent, "--timeout", "1s", env=liar.env)
        assert int(result.out) < 64 * 1024, (word, result.out)


def test_it_may_ask_for_what_is_granted_alone(liar):
    """The grants are porta's to check, not the worker's."""
    request = ("--cap", "io,process,net,exec")
    assert "it ran" in liar("asks-for-a-command", *request, "--allow-exec", "echo").ok().out
    assert "it ran" not in liar("asks-for-a-command", *request).out
    assert "it ran" not in liar("asks-for-a-command", *request, "--allow-exec", "true").out
    assert "127.0.0.1" not in liar("asks-for-http", *request).ok().out
    assert "do not admit" in liar("asks-for-http", *request, "--allow-net", "192.0.2.1:80").ok().out


def test_without_the_capability_it_gets_nothing(liar):
    """agent.c imports both, so it is plain.c's code that claims them."""
    agent = agents.put(liar.runner, "hello.c")
    real = liar.runner.at()
    real.program = liar.runner.machine.program
    real.porta("run", agent, env=liar.env).ok()
    for word in ("asks-for-a-command", "asks-for-http"):
        (liar.runner.cwd / "bin" / "porta-engine.says").write_text(word, encoding="utf-8")
        result = liar.runner.porta("run", agent, "--cap", "io,process", "--allow-exec", "echo", "--net", "full",
                                   env=liar.env)
        assert result.out == "", str(result)


@pytest.mark.parametrize("word, code", [
    ("exit-0", agents.CRASHED), ("crash", agents.CRASHED), ("killed", agents.CRASHED), ("hangs-up", agents.CRASHED),
    ("rubbish", agents.CRASHED), ("compiled", agents.CRASHED), ("empty-result", agents.CRASHED),
    ("facts-no-json", agents.CRASHED), ("facts-other-form", agents.CRASHED), ("facts-deep", agents.CRASHED),
    ("facts-huge", agents.CRASHED), ("facts-nothing", agents.CRASHED), ("invalid-with-controls", agents.BAD_MODULE),
    ("failed-with-controls", agents.FAILED), ("short-host-call", agents.CRASHED),
])
@pytest.mark.parametrize("command", ["run", "inspect", "validate", "build"])
def test_who_compiles(liar, command, word, code):
    is_one_sentence(liar(word, command=command, cached=False), code)
    kept = liar.runner.cwd / "empty" / "porta" / "wasm"
    assert not kept.is_dir() or not list(kept.iterdir())
    assert not (liar.runner.cwd / "agent.manifest.json").exists()


def test_code_for_another_engine_is_compiled_anew_once(liar):
    begun = time.monotonic()
    is_one_sentence(liar("not-loaded", "--timeout", "30s"), agents.CRASHED, agents.FAILED)
    assert time.monotonic() - begun < 15


def test_what_it_starts_in_a_sandbox_ends_with_it(liar):
    """Behind its walls a worker starts nothing at all; this one is not the real one."""
    is_one_sentence(liar("forks", "-v", "."), agents.CRASHED)


def test_a_code_above_255(liar):
    assert liar("exit-999").code == 255


def test_descriptors_that_are_sent_are_dropped(liar):
    result = liar("descriptors", "--timeout", "10s")
    assert result.code in (0, agents.CRASHED), str(result)
