"""porta run agent.wasm: streams, arguments, environment, files, exit codes, and how a run ends."""

import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest

import agents
import harness

pytestmark = agents.NEEDED

GIBIBYTE = 1 << 30
# Of each of porta's processes; a compiled guest is mapped, and has its own memory.
MEMORY_MAX_KIB = 48 * 1024


def test_hello(runner):
    result = agents.run(runner, "hello.c")
    assert (result.code, result.out, result.err) == (0, "hello\n", "")


def test_the_second_run_says_the_same(runner):
    for _ in range(2):
        result = agents.run(runner, "hello.c")
        assert (result.code, result.out, result.err) == (0, "hello\n", "")


@pytest.mark.parametrize("guest", ["hello.go", "hello.rs"])
def test_other_languages(runner, guest):
    try:
        result = agents.run(runner, guest)
    except agents.build.Missing as why:
        # Debian 12 has no package of a Go that knows wasip1, nor of Rust's target: no failure there.
        if os.environ.get("PORTA_TEST_MUST_WORK"):
            return
        pytest.skip(str(why))
    assert (result.code, result.err) == (0, "") and "hello" in result.out, str(result)


PROGRAM = """
import hashlib, json, os, sys
text = sys.stdin.read()
with open("/ws/out.json", "w") as file:
    json.dump({"length": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest(), "argv": sys.argv[1:],
               "mine": os.environ.get("MINE"), "listed": sorted(os.listdir("/ws"))}, file)
sys.exit(3)
"""


def python(runner, *flags, args, **options):
    return agents.run(runner, "python.wasm", "-v", "ws:/ws", *flags, args=args, **options)


@pytest.mark.slow
def test_cpython_works(runner):
    """26 MB of code, with a file system of its own inside: modules, files, streams, exit codes."""
    (runner.cwd / "ws").mkdir()
    (runner.cwd / "ws" / "program.py").write_text(PROGRAM, encoding="utf-8")
    runner.identity.own(runner.cwd)
    text = "a line\n" * 100000
    result = python(runner, "-e", "MINE=yes", args=("/ws/program.py", "one", "two words"), input=text)
    assert (result.code, result.out, result.err) == (3, "", ""), str(result)
    said = json.loads((runner.cwd / "ws" / "out.json").read_text(encoding="utf-8"))
    assert said == {"length": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest(), "mine": "yes",
                    "argv": ["one", "two words"], "listed": ["out.json", "program.py"]}
    failed = python(runner, args=("-c", "raise ValueError('as it is')"))
    assert failed.code == 1 and "ValueError: as it is" in failed.err
    outside = python(runner, args=("-c", "open('/ws/../outside', 'w')"))
    assert outside.code == 1 and not (runner.cwd / "outside").exists(), str(outside)
    # It imports sockets too, all of which are of capability net.
    assert python(runner, "--cap", "io,fs,fs.write,process,env,clock,random", args=("-c", "")).code == agents.REFUSED
    limited = python(runner, "--max-memory", "400", args=("-c", "x = bytearray(1 << 30)"))
    assert limited.code == agents.MEMORY_LIMIT, str(limited)
    endless = python(runner, "--timeout", "1s", args=("-c", "while True: pass"))
    assert endless.code == agents.TIMEOUT, str(endless)


# ---- arguments, environment, exit codes ------------------------------------------------


def test_arguments(runner):
    words = ["one", "", "two words", "--timeout", "-v", "--", "ü\n\t", "x" * 100000]
    result = agents.run(runner, "args.c", args=words).ok()
    name, rest = result.out.split("\n", 1)
    assert name.endswith("args.wasm") and rest == "".join(word + "\n" for word in words)


def test_the_environment_is_what_is_named(runner):
    host = {"SECRET_TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "x", "LD_PRELOAD": "", "MINE": "passed"}
    seen = agents.run(runner, "env.c", "-e", "MINE", "-e", "SET=here", "--secret", "KEY=hidden", env=host).ok().out
    assert set(seen.splitlines()) == {"MINE=passed", "SET=here", "KEY=hidden"}
    inherited = agents.run(runner, "env.c", "--inherit-env", env=host).ok().out
    assert "SECRET_TOKEN=x" in inherited.splitlines()


def test_without_env_there_is_no_environment_to_ask_for(runner):
    result = agents.run(runner, "env.c", "--cap", "io,process")
    assert result.code == agents.REFUSED and "env" in result.err, str(result)


@pytest.mark.parametrize("code", [0, 1, 42, 115, 118, 124, 126, 127, 200, 255])
def test_the_agents_code_is_passed_through(runner, code):
    result = agents.run(runner, "exit_code.c", args=(str(code),))
    assert (result.code, result.err) == (code, ""), str(result)


@pytest.mark.parametrize("code", ["256", "1000", "-1"])
def test_a_code_above_255_is_255(runner, code):
    assert agents.run(runner, "exit_code.c", args=(code,)).code == 255


def test_the_code_of_main(runner):
    assert agents.run(runner, "exit_code.c").code == 7


@pytest.mark.parametrize("way, why", [
    ("unreachable", "unreachable"), ("memory", "outside of its memory"), ("divide", "by zero"), ("indirect", "table"),
])
def test_traps(runner, way, why):
    result = agents.run(runner, "trap.c", args=(way,))
    assert (result.code, result.out) == (agents.TRAP, "before the trap\n"), str(result)
    assert result.err.startswith("porta: run: the agent trapped: ") and why in result.err, str(result)
    assert result.err.count("\n") == 1


# ---- streams ---------------------------------------------------------------------------


def peaks(pid):
    """{pid: (name, KiB)} of the most memory that a process and those below it had."""
    found = {}
    for one in [pid, *harness.descendants(pid)]:
        try:
            status = pathlib.Path(f"/proc/{one}/status").read_text(encoding="utf-8")
        except OSError:
            continue
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        if peak:
            found[one] = (re.search(r"Name:\s+(.*)", status).group(1), int(peak.group(1)))
    return found


def watched(process, pid_of):
    """The peaks of all processes below a running one, up to its end."""
    seen = {}
    while process.poll() is None:
        seen.update(peaks(pid_of))
        time.sleep(0.02)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--max-output", "3G")], ids=["direct", "passed-on"])
def test_gigabytes_both_ways_in_flat_memory(runner, flags):
    agent = agents.put(runner, "echo.c")
    process = runner.popen(["sh", "-c", f'head -c {GIBIBYTE} /dev/zero | "$0" run "$@" | wc -c',
                            runner.program, agent, *flags])
    seen = watched(process, process.pid)
    out, err = process.communicate()
    assert (out.strip(), err) == (str(GIBIBYTE).encode(), b"")
    porta = {name: peak for name, peak in seen.values() if "porta" in name}
    assert porta and max(porta.values()) < MEMORY_MAX_KIB, seen


def test_bytes_are_the_same_on_the_other_side(runner):
    content = bytes(range(256)) * 5000
    agent = agents.put(runner, "echo.c")
    (runner.cwd / "in").write_bytes(content)
    for flags in ("", "--max-output 1G"):
        runner.bare("sh", "-c", f'"$0" run "$1" {flags} < in > out', runner.program, agent).ok()
        assert (runner.cwd / "out").read_bytes() == content


def test_appending(runner):
    agent = agents.put(runner, "hello.c")
    runner.bare("sh", "-c", 'echo before > out; "$0" run "$1" >> out 2>&1; "$0" run "$1" >> out',
                runner.program, agent).ok()
    assert (runner.cwd / "out").read_text(encoding="utf-8") == "before\nhello\nhello\n"


def test_a_line_is_answered_at_once(runner):
    process = runner.popen_porta("run", agents.put(runner, "echo.c"), stdin=subprocess.PIPE)
    for line in (b"one\n", b"two\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


def test_streams_that_are_closed(runner):
    echo, hello = agents.put(runner, "echo.c"), agents.put(runner, "hello.c")
    assert runner.bare("sh", "-c", '"$0" run "$1" <&-', runner.program, echo).code in (0, 1)
    closed = runner.bare("sh", "-c", '"$0" run "$1" >&-', runner.program, hello)
    assert (closed.out, closed.code) == ("", 0), str(closed)
    assert runner.bare("sh", "-c", '"$0" run "$1" 2>&-', runner.program, hello).ok().out == "hello\n"
    assert runner.bare("sh", "-c", '"$0" run "$1" <&- >&- 2>&-', runner.program, hello).code == 0


@pytest.mark.parametrize("flags", [(), ("--max-output", "1G")], ids=["direct", "passed-on"])
def test_nobody_reads_on(runner, flags):
    """As with any command in a pipeline, it ends soon."""
    agent = agents.put(runner, "flood.c")
    result = runner.bare("sh", "-c", '("$0" run "$@" -- 100000; echo "ended" >&2) | head -c 10', runner.program,
                         agent, *flags)
    assert result.out == "x" * 10 and result.err.endswith("ended\n"), str(result)


def test_two_agents_in_a_pipeline(runner):
    hello, echo = agents.put(runner, "hello.c"), agents.put(runner, "echo.c")
    result = runner.bare("sh", "-c", '"$0" run "$1" | "$0" run "$2" | "$0" run "$2"', runner.program, hello, echo)
    assert (result.code, result.out, result.err) == (0, "hello\n", "")


def test_standard_error(runner):
    result = agents.run(runner, "flood.c", args=("1", "stderr")).ok()
    assert (len(result.out), len(result.err)) == (0, 1 << 20)


# ---- files -----------------------------------------------------------------------------


@pytest.fixture(name="tree")
def _tree(runner):
    """ws/ with a file in it, and a file beside it."""
    (runner.cwd / "ws").mkdir()
    (runner.cwd / "ws" / "a").write_text("text of a\n", encoding="utf-8")
    (runner.cwd / "beside").write_text("beside\n", encoding="utf-8")
    runner.identity.own(runner.cwd)
    return runner.cwd


def files(runner, *words, flags=("-v", "ws")):
    return agents.run(runner, "files.c", *flags, args=words)


@pytest.mark.parametrize("spelling", ["ws", "./ws", "ws/", "./ws/", "{cwd}/ws", "ws:ro", "./ws:/ws", "{cwd}/ws:/ws"])
def test_a_mount_under_every_spelling(runner, tree, spelling):
    spelled = spelling.format(cwd=tree)
    name = "/ws/a" if ":/ws" in spelled else f"{tree}/ws/a" if spelled.startswith("/") else "ws/a"
    result = files(runner, "read", name, flags=("-v", spelled))
    assert (result.code, result.out) == (0, "text of a\n"), str(result)


@pytest.mark.parametrize("spelling, name", [(".", "ws/a"), (".", "./ws/a"), ("./", "ws/a"), ("ws:/", "/a"),
                                            ("ws:/work/space", "/work/space/a"), ("ws/a", "ws/a"),
                                            ("ws/a:/data/a", "/data/a")])
def test_other_places(runner, tree, spelling, name):
    result = files(runner, "read", name, flags=("-v", spelling))
    assert (result.code, result.out) == (0, "text of a\n"), str(result)


def test_writing_is_seen_outside(runner, tree):
    for words in (("write", "ws/new", "text"), ("append", "ws/a", "more"), ("mkdir", "ws/d"),
                  ("rename", "ws/new", "ws/d/new"), ("symlink", "ws/link", "a"), ("times", "ws/a")):
        assert files(runner, *words).ok().out == "ok\n"
    assert (tree / "ws" / "d" / "new").read_text(encoding="utf-8") == "text"
    assert (tree / "ws" / "a").read_text(encoding="utf-8") == "text of a\nmore"
    assert os.readlink(tree / "ws" / "link") == "a"
    assert (tree / "ws" / "d" / "new").stat().st_uid == runner.identity.uid


@pytest.mark.parametrize("words", [("write", "ws/new", "x"), ("append", "ws/a", "x"), ("truncate", "ws/a"),
                                   ("mkdir", "ws/d"), ("unlink", "ws/a"), ("rename", "ws/a", "ws/b"),
                                   ("link", "ws/a", "ws/b"), ("symlink", "ws/l", "a"), ("times", "ws/a")])
@pytest.mark.parametrize("flags", [("-v", "ws:ro"), ("-v", "ws", "--cap", "io,process,fs")], ids=["ro", "fs"])
def test_read_only(runner, tree, words, flags):
    """By :ro the kernel refuses; without fs.write also by what is imported."""
    if "--cap" in flags:
        result = files(runner, *words, flags=flags)
        assert result.code == agents.REFUSED and "fs.write" in result.err, str(result)
        return
    before = harness.snapshot(tree / "ws")
    result = files(runner, *words, flags=flags)
    assert result.code == 1, str(result)
    assert harness.difference(before, harness.snapshot(tree / "ws")) == ""


def test_beside_a_mount_there_is_nothing(runner, tree):
    for name in ("beside", "ws/../beside", "/etc/passwd", f"{tree}/beside"):
        result = files(runner, "read", name)
        assert result.code == 1 and result.out == "", str(result)


def test_without_a_mount_the_working_directory_is_there_to_read(runner, tree):
    assert files(runner, "read", "ws/a", flags=()).ok().out == "text of a\n"
    before = harness.snapshot(tree / "ws")
    for words in (("write", "ws/new", "x"), ("append", "ws/a", "x"), ("unlink", "ws/a")):
        assert files(runner, *words, flags=()).code == 1
    assert harness.difference(before, harness.snapshot(tree / "ws")) == ""
    assert files(runner, "read", "/etc/passwd", flags=()).code == 1


def test_a_file_alone(runner, tree):
    """Its neighbours are names only."""
    (tree / "ws" / "b").write_text("text of b\n", encoding="utf-8")
    assert files(runner, "append", "ws/a", "more", flags=("-v", "ws/a")).ok().out == "ok\n"
    for words in (("read", "ws/b"), ("append", "ws/b", "x"), ("create", "ws/c", "x"), ("unlink", "ws/b")):
        assert files(runner, *words, flags=("-v", "ws/a")).code == 1
    result = files(runner, "read", "/data/file", flags=("-v", "ws/a:/data/file"))
    assert result.code == agents.FAILED and "-v ws/a:/data/a" in result.err, str(result)


@pytest.mark.parametrize("flags, sentence", [
    (("-v", "missing"), "missing"), (("-v", ""), "-v"), (("-v", "ws:relative"), "ws:relative"),
])
def test_mounts_that_cannot_be(runner, tree, flags, sentence):
    result = files(runner, "list", "ws", flags=flags)
    assert result.code == agents.FAILED and sentence in result.err and result.err.count("\n") == 1, str(result)


# ---- ends ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("flags", [(), ("-v", ".")], ids=["alone", "sandboxed"])
def test_signals_end_it(runner, number, flags):
    process = runner.popen_porta("run", agents.put(runner, "loop.c"), *flags)
    assert process.stdout.readline() == b"begun\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (128 + number, b"", b"")


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("-v", "."), ("--max-output", "1G")], ids=["alone", "sandboxed", "passed-on"])
def test_kill_9_of_any_process_leaves_nothing(runner, flags):
    """At random moments, also while it is compiled; the next run is whole."""
    agent = agents.put(runner, "loop.c")
    seed = int(os.environ.get("PORTA_TEST_SEED", time.time_ns() % 1000000))
    chance = random.Random(seed)
    me = os.getpid()
    for turn in range(60):
        if turn % 3 == 0:
            runner.porta("cache", "clear").ok()
        before = set(harness.descendants(me))
        process = runner.popen_porta("run", agent, *flags, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(chance.uniform(0, 0.03))
        ours = [pid for pid in harness.descendants(me) if pid not in before]
        victim = chance.choice(ours) if ours else process.pid
        story = f"seed {seed}, turn {turn}, killed {victim} of {ours}"
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if not harness.wait_until(lambda: process.poll() is not None, timeout_s=2):
            process.kill()
            story += ", then porta: the worker was not hit"
        err = process.communicate(timeout=10)[1].decode()
        if victim != process.pid and process.returncode != -signal.SIGKILL:
            assert process.returncode in (agents.CRASHED, agents.FAILED, 128 + signal.SIGKILL), (story, err)
            assert err.count("\n") == 1, (story, err)
        assert harness.wait_until(lambda: not harness.living(
            [pid for pid in harness.descendants(me) if pid not in before]), timeout_s=5), story
    assert agents.run(runner, "hello.c").ok().out == "hello\n"
    left = [path.name for path in runner.cwd.iterdir() if not path.name.endswith(".wasm")]
    assert not left, left


def test_a_worker_that_crashes(runner):
    process = runner.popen_porta("run", agents.put(runner, "loop.c"))
    assert process.stdout.readline() == b"begun\n"
    workers = harness.descendants(process.pid)
    assert len(workers) == 1
    os.kill(workers[0], signal.SIGABRT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == agents.CRASHED and out == b""
    assert err.startswith(b"porta: run: the worker that runs the agent ") and err.count(b"\n") == 1, err


@pytest.mark.slow
def test_a_hundred_at_once(runner):
    agent = agents.put(runner, "hello.c")
    runner.porta("cache", "clear").ok()
    started = [runner.popen_porta("run", agent) for _ in range(100)]
    for process in started:
        assert process.communicate(timeout=120) == (b"hello\n", b"")
        assert process.returncode == 0


def test_it_stops_and_goes_on_with_its_terminal(runner):
    """Ctrl-Z means the worker too: it is in porta's process group."""
    process = runner.popen_porta("run", agents.put(runner, "loop.c"))
    assert process.stdout.readline() == b"begun\n"
    worker = harness.descendants(process.pid)[0]
    os.killpg(process.pid, signal.SIGSTOP)

    def state():
        return harness.process_table()[worker][1]

    assert harness.wait_until(lambda: state() == "T")
    os.killpg(process.pid, signal.SIGCONT)
    assert harness.wait_until(lambda: state() in "RS")
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM


def test_it_leaves_nothing_in_the_directory(runner):
    agents.run(runner, "hello.c", "-v", ".").ok()
    assert [path.name for path in runner.cwd.iterdir()] == ["hello.wasm"]
