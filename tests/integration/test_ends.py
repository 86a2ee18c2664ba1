"""How runs end: exit codes, signals, time-outs, and that nothing survives, whoever is killed and when."""

import os
import random
import signal
import socket
import subprocess
import time

import pytest

import harness

# Below `sh -c`: a tree that does not want to die, and a command that makes a protected name all the time.
STUBBORN = """
trap '' TERM INT HUP QUIT
( trap '' TERM INT HUP; setsid sleep 300 & setsid sh -c 'sleep 300' & )
while :; do echo 'touch owned' > .envrc; rm -f .envrc; done 2>/dev/null
"""


@pytest.mark.parametrize("code", [0, 1, 42, 124, 125, 200, 255])
def test_the_commands_code_is_passed_through(runner, code):
    assert runner.sh(f"exit {code}").code == code


@pytest.mark.parametrize("name", ["TERM", "KILL", "INT", "HUP", "SEGV", "ABRT", "PIPE", "USR1"])
def test_death_by_a_signal_is_128_and_its_number(runner, name):
    assert runner.sh(f"kill -{name} $$").code == 128 + getattr(signal, f"SIG{name}")


def test_not_found(runner):
    result = runner.run("no-such-command-here")
    assert result.code == 127 and "no-such-command-here" in result.err, str(result)
    assert runner.run("./no-such-file").code == 127


def test_found_but_not_runnable(runner, workspace):
    plain = workspace / "plain"
    plain.write_text("echo no\n", encoding="utf-8")
    plain.chmod(0o644)
    (workspace / "directory").mkdir()
    assert runner.run("./plain").code == 126
    assert runner.run("./directory").code == 126


def test_porta_itself_failed(runner):
    for words in (["run"], ["run", "--no-such-flag", "true"], ["run", "true", "-v", "/no/such/path"],
                  ["run", "true", "--timeout", "soon"], ["no-such-command"]):
        result = runner.porta(*words)
        assert result.code == 125 and result.err, str(result)


@pytest.mark.parametrize("script", ["sleep 100", "trap '' TERM; sleep 100; sleep 100",
                                    "sleep 100 & sleep 100 & wait",
                                    "(setsid sh -c \"trap '' TERM; sleep 100\" &) ; sleep 100"])
def test_timeout(runner, script):
    start = time.monotonic()
    result = runner.sh(script, "--timeout", "500ms")
    assert result.code == 124, str(result)
    assert 0.4 < time.monotonic() - start < 10


def test_timeout_not_reached(runner):
    assert runner.sh("exit 7", "--timeout", "60s").code == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_command(runner, number):
    process = runner.popen_porta("run", "/usr/bin/python3", "--", "-c",
                                 "import signal, sys, time\n"
                                 f"signal.signal({int(number)}, lambda *_: sys.exit(33))\n"
                                 "print('ready', flush=True)\ntime.sleep(60)")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    assert process.wait(10) == 33
    process.stdout.close()
    process.stderr.close()


def test_background_children_end_with_the_command(runner):
    start = time.monotonic()
    result = runner.sh("(setsid sleep 300 >/dev/null 2>&1 &) ; (sleep 300 >/dev/null 2>&1 &) ; exit 5")
    assert result.code == 5 and time.monotonic() - start < 5
    # nothing_left, of conftest.py, looks for survivors.


def test_output_of_a_dying_tree_is_whole(runner):
    result = runner.sh("(sleep 0.2; echo late) & seq 100000", timeout_s=30)
    assert result.code == 0
    assert result.out.splitlines()[:100000][-1] == "100000", result.out[-200:]


def make_repository(runner):
    runner.bare("sh", "-ec", "git -c init.defaultBranch=main init -q . && echo text > file && git add . && "
                "git -c user.name=Test -c user.email=test@example.com commit -q -m start").ok()


def visible(workspace):
    """What the user has there, but for the work file of the command."""
    return harness.snapshot(workspace)


KILLS = 63  # times 4 moments and 2 users: about 500


@pytest.mark.parametrize("moment", [(0, 0.002), (0.001, 0.006), (0.004, 0.02), (0.02, 0.06)],
                         ids=["at-start", "during-set-up", "early", "running"])
def test_kill_9_of_any_process_leaves_nothing(runner, workspace, moment):
    make_repository(runner)
    seed = int(os.environ.get("PORTA_TEST_SEED", time.time_ns() % 1000000))
    chance = random.Random(seed)
    me = os.getpid()
    before_files = set(visible(workspace))
    for turn in range(KILLS):
        before = set(harness.descendants(me))
        process = runner.popen_porta("run", "sh", "-v", ".", "--quiet", "--", "-c", STUBBORN,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(*moment))
        ours = [pid for pid in harness.descendants(me) if pid not in before]
        victim = chance.choice(ours[:4]) if ours else process.pid
        table = harness.process_table()
        story = f"seed {seed}, turn {turn}, killed {ours.index(victim) if ours else 0} of {len(ours)}: " \
                f"{table.get(victim)}"
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        # A process of the tree other than init, the broker or the command does not end the run.
        if not harness.wait_until(lambda: process.poll() is not None, timeout_s=0.5):
            process.kill()
            story += ", then the broker"
        process.wait(10)

        def gone():
            table = harness.process_table()
            return not harness.living([pid for pid in harness.descendants(me, table)
                                       if pid not in before], table)

        assert harness.wait_until(gone, timeout_s=5), f"survivors; {story}"
        left = set(visible(workspace)) - before_files
        facts = {name: harness.snapshot(workspace)[name] for name in left}
        assert not left, f"left in the workspace: {facts}; {story}"
        # Adopted orphans have to be reaped, or the table fills up.
        for pid in [pid for pid, row in harness.process_table().items()
                    if row[0] == me and row[1] == "Z" and pid not in before]:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
    status = runner.bare("git", "status", "--porcelain").ok()
    assert status.out == "", status.out


CALL = """
import socket, sys
print("ready", flush=True)
sys.stdin.readline()
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
    print("connected")
except OSError:
    print("refused")
"""


def test_a_stopped_broker_stalls_the_sandbox_and_opens_nothing(runner):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = runner.popen_porta("run", "/usr/bin/python3", "--allow-net", "192.0.2.1:80", "--quiet", "--",
                                     "-c", CALL, str(listener.getsockname()[1]), stdin=subprocess.PIPE)
        try:
            assert process.stdout.readline() == b"ready\n"
            os.kill(process.pid, signal.SIGSTOP)
            process.stdin.write(b"go\n")
            process.stdin.flush()
            os.set_blocking(process.stdout.fileno(), False)
            time.sleep(0.5)
            assert process.stdout.read() in (None, b"")
            os.kill(process.pid, signal.SIGCONT)
            assert process.wait(10) == 0
            assert process.stdout.read() == b"refused\n"
        finally:
            process.kill()
            process.stdin.close()
            process.stdout.close()
            process.stderr.close()


def test_a_killed_broker_opens_nothing(runner):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(1)
        process = runner.popen_porta("run", "/usr/bin/python3", "--allow-net", "192.0.2.1:80", "--quiet", "--",
                                     "-c", CALL, str(listener.getsockname()[1]), stdin=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        process.kill()
        try:
            process.communicate(b"go\n", timeout=10)
        except BrokenPipeError:
            pass
        with pytest.raises(TimeoutError):
            listener.accept()


def test_two_sandboxes_in_one_workspace(runner, workspace):
    make_repository(runner)
    before = harness.snapshot(workspace / ".git" / "hooks")
    one = runner.popen_porta("run", "sh", "-v", ".", "--", "-c",
                             "sleep 0.3; echo one > one; echo x > .envrc; sleep 0.3")
    two = runner.popen_porta("run", "sh", "-v", ".", "--", "-c",
                             "sleep 0.4; echo two > two; echo y > .mcp.json; echo z > .git/hooks/post-commit; "
                             "sleep 0.1")
    assert one.communicate(timeout=20) and two.communicate(timeout=20)
    assert one.returncode == 0
    assert sorted(path.name for path in workspace.iterdir()) == [".git", "file", "one", "two"]
    assert harness.difference(before, harness.snapshot(workspace / ".git" / "hooks")) == ""


def test_git_inside_and_outside_at_the_same_time(runner, workspace):
    make_repository(runner)
    inside = runner.popen_porta("run", "sh", "-v", ".", "--", "-c",
                                "for i in $(seq 20); do git -c user.name=In -c user.email=in@example.com "
                                "commit -q --allow-empty -m inside$i 2>/dev/null; sleep 0.02; done")
    for number in range(20):
        runner.bare("git", "config", f"test.number{number}", str(number)).ok()
        time.sleep(0.02)
    out, err = inside.communicate(timeout=60)
    assert inside.returncode == 0, err
    log = runner.bare("git", "log", "--oneline").ok().out
    assert "inside20" in log, log
    # Settings that programs outside made are not taken away.
    for number in range(20):
        assert runner.bare("git", "config", f"test.number{number}").ok().out.strip() == str(number)
    assert runner.bare("git", "status", "--porcelain").ok().out == ""
