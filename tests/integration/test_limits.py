"""Limits as a user meets them: rlimits, --timeout, and those on all processes together by cgroup."""

import os
import pathlib
import signal
import time

import pytest

import harness

PYTHON = "/usr/bin/python3"

# ---- bad values -----------------------------------------------------------


@pytest.mark.parametrize("flag, value, form", [
    ("--limit", "nofile=0", "nofile=1024"),
    ("--limit", "nofile=-1", "nofile=1024"),
    ("--limit", "nofile=many", "nofile=1024"),
    ("--limit", "nofile=", "nofile=1024"),
    ("--limit", "nofile", "nofile=1024"),
    ("--limit", "nofile=99999999999999999999999", "nofile=1024"),
    ("--limit", "fsize=1Q", "fsize=1G"),
    ("--limit", "as=16E", "as=4G"),
    ("--limit", "as=1", "as=4G"),
    ("--limit", "nproc=0", "nproc=200"),
    ("--limit", "cpu=0", "cpu=30s"),
    ("--limit", "cpu=soon", "cpu=30s"),
    ("--limit", "memory=0", "memory=512M"),
    ("--limit", "memory=-1G", "memory=512M"),
    ("--limit", "pids=0", "pids=100"),
    ("--limit", "cpus=0", "cpus=1.5"),
    ("--limit", "cpus=1e3", "cpus=1.5"),
    ("--limit", "cpus=1.5s", "cpus=1.5"),
    ("--limit", "speed=3", "NAME=VALUE"),
    ("--limit", "=3", "NAME=VALUE"),
    ("--timeout", "0", "90s"),
    ("--timeout", "5x", "90s"),
    ("--timeout", "99999999d", "90s"),
])
def test_bad_values(runner, flag, value, form):
    result = runner.run("true", flag, value)
    assert result.code == 125 and result.out == "", str(result)
    assert flag in result.err and form in result.err and result.err.count("\n") == 1, str(result)


def test_values_that_are_missing(runner):
    for flag in ("--limit", "--timeout"):
        result = runner.porta("run", "true", flag)
        assert result.code == 125 and flag in result.err and "needs a value" in result.err, str(result)


# ---- rlimits --------------------------------------------------------------

CANNOT_BE_RAISED = """
import resource, sys
kind = getattr(resource, sys.argv[1])
soft, hard = resource.getrlimit(kind)
print(soft, hard)
for wanted in (hard + 1, resource.RLIM_INFINITY):
    try:
        resource.setrlimit(kind, (soft, wanted))
        print("raised")
    except (ValueError, OSError):
        pass
"""


@pytest.mark.parametrize("limit, kind, expected", [
    ("nofile=64", "RLIMIT_NOFILE", "64 64"),
    ("fsize=1M", "RLIMIT_FSIZE", "1048576 1048576"),
    ("as=4G", "RLIMIT_AS", "4294967296 4294967296"),
    ("data=2G", "RLIMIT_DATA", "2147483648 2147483648"),
    ("stack=4M", "RLIMIT_STACK", "4194304 4194304"),
    ("core=0", "RLIMIT_CORE", "0 0"),
    ("memlock=64k", "RLIMIT_MEMLOCK", "65536 65536"),
    ("cpu=90s", "RLIMIT_CPU", "90 91"),
])
def test_a_limit_holds_and_cannot_be_raised(runner, limit, kind, expected):
    result = runner.python(CANNOT_BE_RAISED, "--limit", limit, args=(kind,)).ok()
    assert result.out.strip() == expected, str(result)


def test_a_limit_above_portas_own_changes_nothing(runner):
    result = runner.bare("sh", "-c", f'ulimit -n 100; exec {runner.program} run sh --limit nofile=1000000 '
                                     '-- -c "ulimit -Hn"').ok()
    assert result.out.strip() == "100", str(result)


def test_open_files(runner):
    result = runner.python("import os\nn = 3\n"
                           "try:\n    while True: n = os.dup(0)\n"
                           "except OSError as error: print(n, error.strerror)", "--limit", "nofile=20").ok()
    assert result.out.strip() == "19 Too many open files", str(result)


def test_fewest_open_files(runner, tmp_path_factory):
    source = tmp_path_factory.mktemp("limits") / "hello.c"
    source.write_text('#include <unistd.h>\nint main(void) { return write(1, "hello\\n", 6) != 6; }\n')
    program = harness.compile_c(source, runner.machine.directory / f"hello-{runner.identity.kind}")
    for rules in ((), ("--allow-net", "192.0.2.1:80")):
        assert runner.run(str(program), "--limit", "nofile=3", *rules).ok().out == "hello\n"


def test_file_size(runner, workspace):
    result = runner.sh("head -c 100000 /dev/zero > big; echo $?", "-v", ".", "--limit", "fsize=10000")
    assert result.out.strip() == str(128 + signal.SIGXFSZ), str(result)
    assert (workspace / "big").stat().st_size == 10000


def test_address_space(runner):
    result = runner.python("import mmap\nmmap.mmap(-1, 1 << 20)\n"
                           "try: mmap.mmap(-1, 8 << 30); print('mapped')\n"
                           "except OSError as error: print(error.strerror)", "--limit", "as=2G").ok()
    assert result.out.strip() == "Cannot allocate memory", str(result)


def test_cpu_time_is_told_by_a_signal(runner):
    start = time.monotonic()
    result = runner.python("while True: pass", "--limit", "cpu=1s")
    assert result.code == 128 + signal.SIGXCPU, str(result)
    assert time.monotonic() - start < 30


def test_cpu_time_ends_what_ignores_the_signal(runner):
    result = runner.python("import signal\n"
                           "signal.signal(signal.SIGXCPU, lambda *_: print('told', flush=True))\n"
                           "while True: pass", "--limit", "cpu=1s")
    assert result.code == 128 + signal.SIGKILL and "told" in result.out, str(result)


FORKS = """
import os, time
made = 0
try:
    while made < 100:
        if os.fork() == 0:
            time.sleep(100)
            os._exit(0)
        made += 1
except OSError as error:
    print(error.strerror)
print(made)
"""


def test_processes(runner):
    result = runner.python(FORKS, "--limit", "nproc=10")
    if runner.identity.is_root:
        # setrlimit(2): RLIMIT_NPROC is not enforced for the real user ID 0.
        assert result.code == 125 and "nproc" in result.err and "--degrade=limits" in result.err, str(result)
        result = runner.python(FORKS, "--limit", "nproc=10", "--degrade=limits").ok()
        assert "limits" in result.err and result.out.strip() == "100", str(result)
    else:
        error, made = result.ok().out.split("\n")[:2]
        assert error == "Resource temporarily unavailable" and 1 <= int(made) < 10, str(result)


# ---- --timeout ------------------------------------------------------------

GRACE_S = 2


def run_until_timeout(runner, script, *flags, timeout_s=0.4):
    """Returns the result and for how long it ran beyond the time."""
    start = time.monotonic()
    result = runner.python(script, "--timeout", f"{int(timeout_s * 1000)}ms", *flags)
    assert result.code == 124, str(result)
    return result, time.monotonic() - start - timeout_s


def test_timeout_is_told_by_sigterm_first(runner):
    result, beyond = run_until_timeout(runner, "import signal, sys, time\n"
                                               "signal.signal(signal.SIGTERM, lambda *_: sys.exit('told'))\n"
                                               "time.sleep(100)")
    assert "told" in result.err and -0.1 < beyond < GRACE_S, str(result)


def test_timeout_kills_what_ignores_sigterm(runner):
    result, beyond = run_until_timeout(runner, "import signal, time\n"
                                               "signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))\n"
                                               "while True: time.sleep(100)")
    assert result.out == "no\n" and GRACE_S - 0.1 < beyond < GRACE_S + 5, str(result)


def test_timeout_of_a_stopped_command(runner):
    _, beyond = run_until_timeout(runner, "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)")
    assert beyond < GRACE_S


def test_timeout_of_a_stopped_command_that_ignores_sigterm(runner):
    _, beyond = run_until_timeout(runner, "import os, signal\n"
                                          "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                                          "while True: os.kill(os.getpid(), signal.SIGSTOP)")
    assert GRACE_S - 0.1 < beyond < GRACE_S + 5


def test_timeout_ends_the_whole_tree(runner, workspace):
    # nothing_left, of conftest.py, looks for survivors too.
    run_until_timeout(runner, """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for group in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                with open("alive", "w") as file: file.write("yes")
                time.sleep(0.01)
        os._exit(0)
time.sleep(100)
""", "-v", ".")
    (workspace / "alive").unlink()
    time.sleep(0.2)
    assert not (workspace / "alive").exists()


def test_timeout_reaches_the_whole_group_at_first(runner):
    result, beyond = run_until_timeout(runner, "import subprocess, sys\n"
                                               "sys.exit(subprocess.run(['sleep', '100']).returncode)")
    assert beyond < GRACE_S, str(result)


def test_timeout_while_nobody_reads(runner, workspace):
    os.mkfifo(workspace / "fifo")
    runner.identity.own(workspace)
    script = ("sleep 30 < fifo & reader=$!\n"
              f"{runner.program} run yes --timeout 300ms > fifo\n"
              "code=$?; kill $reader; exit $code")
    start = time.monotonic()
    result = runner.bare("sh", "-c", script)
    assert result.code == 124 and time.monotonic() - start < 15, str(result)


# ---- all processes together -----------------------------------------------

TOGETHER = ["memory=64M", "pids=10", "cpus=0.5"]


def without_cgroups(runner):
    """The same user where no cgroup file system is in sight: nothing is delegated there, whatever the machine has."""
    if os.geteuid() != 0:
        return runner
    return runner.at(prefix=["unshare", "-m", "sh", "-c",
                             'mount -t tmpfs none /sys/fs/cgroup && exec "$@"', "sh"])


@pytest.mark.parametrize("limit", TOGETHER)
def test_refused_where_no_cgroup_is_delegated(runner, limit):
    result = without_cgroups(runner).run("true", "--limit", limit)
    assert result.code == 125 and result.out == "", str(result)
    for words in ("guarantee limits", "cgroup", "--degrade=limits"):
        assert words in result.err, str(result)


@pytest.mark.parametrize("limit", TOGETHER)
def test_degraded_where_no_cgroup_is_delegated(runner, limit):
    result = without_cgroups(runner).run("echo", "--limit", limit, "--degrade=limits", args=["ran"])
    assert result.code == 0 and result.out == "ran\n", str(result)
    assert "not kept" in result.err and "limits" in result.err, str(result)
    assert without_cgroups(runner).run("true", "--limit", limit, "--degrade=limits", "--quiet").err == ""


def test_explain_tells_of_a_limit_that_is_not_kept(runner):
    result = without_cgroups(runner).porta("explain", "true", "--limit", "pids=10")
    assert result.code == 125 and "guarantee limits" in result.err, str(result)
    result = without_cgroups(runner).porta("explain", "true", "--limit", "nofile=64", "--json").ok()
    assert '"rlimits":{"nofile":64}' in result.out and '"cgroup":null' in result.out, str(result)


class Delegated:
    """A cgroup of the user's own that gives a controller to its children."""

    def __init__(self, top, controller, identity):
        self.top = top
        self.controller = controller
        self.path = top / f"porta-test-{os.getpid()}"
        self.was_on = controller in (top / "cgroup.subtree_control").read_text().split()
        (top / "cgroup.subtree_control").write_text(f"+{controller}")
        self.path.mkdir()
        for path in [self.path, *(self.path / f"cgroup.{name}" for name in ("procs", "subtree_control"))]:
            os.chown(path, identity.uid, identity.gid)

    def groups(self):
        return sorted(path.name for path in self.path.iterdir() if path.is_dir())

    def close(self):
        for name in self.groups():
            (self.path / name).rmdir()
        self.path.rmdir()
        if not self.was_on:
            (self.top / "cgroup.subtree_control").write_text(f"-{self.controller}")


def find_version_2():
    """Where cgroup v2 is mounted, and what it can give, for root; else nothing."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    for fields in lines:
        top = pathlib.Path(fields[4])
        if fields[fields.index("-") + 1] == "cgroup2" and fields[3] == "/" and os.geteuid() == 0 \
                and os.access(top / "cgroup.subtree_control", os.W_OK):
            return top, (top / "cgroup.controllers").read_text().split()
    return None, []


def run_delegated(runner, limit, script, *flags):
    """Runs where the controller of `limit` is delegated, or returns None where this machine's version 2 lacks it."""
    controller = {"memory": "memory", "pids": "pids", "cpus": "cpu"}[limit.split("=")[0]]
    top, controllers = find_version_2()
    if controller not in controllers:
        return None
    delegated = Delegated(top, controller, runner.identity)
    try:
        into = runner.at(prefix=["sh", "-c", f'echo 0 > {delegated.path}/cgroup.procs && exec "$@"', "sh"])
        result = into.python(script, "--limit", limit, *flags)
        assert delegated.groups() == [], str(result)
        return result
    finally:
        delegated.close()


def assert_lacking(runner, limit):
    """What holds instead where a machine has the controllers in version 1: porta says that it cannot."""
    result = runner.run("true", "--limit", limit)
    assert result.code == 125 and "guarantee limits" in result.err, str(result)


def test_memory_of_all_together(runner):
    result = run_delegated(runner, "memory=64M", "import os, time\n"
                                                 "for _ in range(4):\n"
                                                 "    if os.fork() == 0: break\n"
                                                 "kept = b'x' * (32 << 20)\n"
                                                 "time.sleep(5)")
    if result is None:
        assert_lacking(runner, "memory=64M")
    else:
        assert result.code == 128 + signal.SIGKILL and "limit on memory" in result.err, str(result)


def test_tasks_of_all_together(runner):
    result = run_delegated(runner, "pids=10", FORKS)
    if result is None:
        assert_lacking(runner, "pids=10")
    else:
        assert result.ok().out == "Resource temporarily unavailable\n9\n", str(result)
        assert "limit on tasks" in result.err, str(result)


def test_cpus_of_all_together(runner):
    result = run_delegated(runner, "cpus=0.2", "import time\n"
                                               "start, spent = time.monotonic(), time.process_time()\n"
                                               "while time.monotonic() - start < 2: pass\n"
                                               "print(time.process_time() - spent)")
    if result is None:
        assert_lacking(runner, "cpus=0.2")
    else:
        assert float(result.ok().out) < 1, str(result)
