"""Limits of WASM agents: each ends the run with a code and a sentence of its own."""

import re
import time

import pytest

import agents

pytestmark = agents.NEEDED


def is_ended(result, code, flag, out=""):
    assert (result.code, result.out) == (code, out), str(result)
    assert result.err.startswith("porta: run: ") and flag in result.err and result.err.count("\n") == 1, str(result)


# ---- steps -------------------------------------------------------------------------------


def test_steps(runner):
    is_ended(agents.run(runner, "loop.c", "--step-limit", "1000000"), agents.STEP_LIMIT, "--step-limit", "begun\n")


def test_steps_of_a_start_function(runner):
    is_ended(agents.run(runner, "start_section_loops", "--step-limit", "1000"), agents.STEP_LIMIT, "--step-limit")


def test_enough_steps(runner):
    assert agents.run(runner, "hello.c", "--step-limit", "1000000").ok().out == "hello\n"


def test_too_few_steps_to_begin(runner):
    is_ended(agents.run(runner, "hello.c", "--step-limit", "1"), agents.STEP_LIMIT, "--step-limit")


def test_steps_are_the_same_each_time(runner):
    """The least that suffices, found by halves, suffices always."""
    low, high = 1, 1_000_000
    while high - low > 1:
        middle = (low + high) // 2
        if agents.run(runner, "hello.c", "--step-limit", str(middle)).code == 0:
            high = middle
        else:
            low = middle
    for _ in range(3):
        assert agents.run(runner, "hello.c", "--step-limit", str(high)).code == 0
        assert agents.run(runner, "hello.c", "--step-limit", str(low)).code == agents.STEP_LIMIT


# ---- memory, tables, stack -----------------------------------------------------------------


def test_memory(runner):
    is_ended(agents.run(runner, "grow.c", "--max-memory", "256"), agents.MEMORY_LIMIT, "--max-memory")
    assert agents.run(runner, "grow.c", "--max-memory", "256", args=("200",)).ok().out.endswith(" pages\n")


def test_memory_that_is_never_touched(runner):
    is_ended(agents.run(runner, "memory_grow", "--max-memory", "5000"), agents.MEMORY_LIMIT, "--max-memory")


def test_more_memory_at_the_start_than_there_may_be(runner):
    is_ended(agents.run(runner, "memory_of_4_gib", "--max-memory", "100"), agents.MEMORY_LIMIT, "--max-memory")
    assert agents.run(runner, "memory_of_4_gib").code == 0


def test_tables(runner):
    for guest in ("table_grow", "table_of_10_million", "table_of_4_billion"):
        is_ended(agents.run(runner, guest), agents.TABLE_LIMIT, "1000000 elements")


def test_the_stack(runner):
    is_ended(agents.run(runner, "stack_overflow.c"), agents.STACK_LIMIT, "stack")


# ---- time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("guest, args, out", [
    ("loop.c", (), "begun\n"), ("sleep.c", ("60000",), "begun\n"), ("start_section_loops", (), ""),
])
@pytest.mark.parametrize("flags", [(), ("-v", ".")], ids=["alone", "sandboxed"])
def test_time(runner, guest, args, out, flags):
    begun = time.monotonic()
    is_ended(agents.run(runner, guest, "--timeout", "500ms", *flags, args=args), agents.TIMEOUT, "--timeout", out)
    assert 0.4 < time.monotonic() - begun < 20


def test_time_to_read(runner):
    """stdin that never says anything."""
    process = runner.popen_porta("run", agents.put(runner, "echo.c"), "--timeout", "500ms", stdin=-1)
    assert process.wait(20) == agents.TIMEOUT
    assert b"--timeout" in process.stderr.read()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_time_to_write(runner):
    """stdout that nobody reads."""
    process = runner.popen_porta("run", agents.put(runner, "flood.c"), "--timeout", "500ms", "--", "1000000")
    assert process.wait(20) == agents.TIMEOUT
    process.stdout.close()
    assert b"--timeout" in process.stderr.read()
    process.stderr.close()


def test_time_to_compile(runner):
    begun = time.monotonic()
    result = agents.run(runner, "many_variables", "--timeout", "50ms")
    assert result.code in (0, agents.TIMEOUT), str(result)
    assert time.monotonic() - begun < 20


def test_in_time(runner):
    assert agents.run(runner, "sleep.c", "--timeout", "60s", args=("50",)).ok().out == "begun\nwoke up\n"


# ---- output --------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [("1000",), ("1000", "stderr")], ids=["stdout", "stderr"])
@pytest.mark.parametrize("flags", [(), ("-v", ".")], ids=["alone", "sandboxed"])
def test_output(runner, args, flags):
    result = agents.run(runner, "flood.c", "--max-output", "1M", *flags, args=args)
    assert result.code == agents.OUTPUT_LIMIT, result.code
    sentence = re.search(r"porta: run: [^\n]*--max-output[^\n]*\n$", result.err)
    assert sentence, result.err[-200:]
    assert len(result.out) + len(result.err) - len(sentence.group(0)) == 1 << 20


def test_output_up_to_the_limit(runner):
    result = agents.run(runner, "flood.c", "--max-output", "1M", args=("1",)).ok()
    assert (len(result.out), result.err) == (1 << 20, "")
    agents.run(runner, "hello.c", "--max-output", "6").ok()
    is_ended(agents.run(runner, "hello.c", "--max-output", "5"), agents.OUTPUT_LIMIT, "--max-output", "hello")


def test_events_are_output_too(runner):
    """What is emitted goes to stderr, and counts with what is written."""
    result = agents.run(runner, "events.c", "--max-output", "100k", "--timeout", "30s")
    assert result.code == agents.OUTPUT_LIMIT and result.out == "", result.code
    *events, sentence, _ = result.err.split("\n")
    assert "--max-output" in sentence and set(events) == {events[0]}
    assert len(events) == 100 * 1024 // (len(events[0]) + 1)


# ---- several, and bad values -----------------------------------------------------------------


def test_limits_together(runner):
    flags = ("--step-limit", "100000000", "--max-memory", "1024", "--timeout", "30s", "--max-output", "1M")
    assert agents.run(runner, "hello.c", *flags).ok().out == "hello\n"
    is_ended(agents.run(runner, "grow.c", *flags), agents.MEMORY_LIMIT, "--max-memory")


@pytest.mark.parametrize("flag, value", [
    ("--step-limit", "0"), ("--step-limit", "-1"), ("--step-limit", "many"), ("--step-limit", "1e6"),
    ("--step-limit", "99999999999999999999999"), ("--max-memory", "0"), ("--max-memory", "65537"),
    ("--max-memory", "1G"), ("--max-output", "0"), ("--max-output", "1X"), ("--max-output", "-1"),
])
def test_bad_values(runner, flag, value):
    result = agents.run(runner, "hello.c", flag, value)
    is_ended(result, agents.FAILED, flag)


@pytest.mark.parametrize("flag, value", [("--step-limit", "5"), ("--max-memory", "5"), ("--max-output", "5M"),
                                         ("--profile", "full"), ("--cap", "io")])
def test_flags_of_agents_with_a_command(runner, flag, value):
    """They say nothing of a command, and are refused rather than ignored."""
    is_ended(runner.run("true", flag, value), agents.FAILED, flag)
