"""Fixtures that all tests share, and the checks that hold after each: nothing left running or mounted.

    as_user     who runs: each test that asks for it runs as root (when root) and as an ordinary user
    workspace   a directory of that user's, outside /tmp, as a pathlib.Path
    runner      harness.Runner: runner.porta(...), runner.run("cmd", "-v", "."), runner.sh("script", "-v", ".")
    machine     the run directory, the copied program, the users

PORTA names the program under test. With PORTA_TEST_MUST_WORK=1 a skip is a failure.
"""

import os
import signal
import sys
import tempfile
import pathlib
import shutil

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(1, os.path.join(os.path.dirname(__file__), "integration"))
import harness  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    harness.become_subreaper()
    # What a test starts begins as in a login shell, also when the tests run under nohup or in the
    # background of a script, where signals are ignored.
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP, signal.SIGTTOU,
                   signal.SIGTTIN, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # A killed child of a child must not leave the tests with a closed stdin of ours.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and harness.MUST_WORK and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"PORTA_TEST_MUST_WORK: {report.longrepr}"


@pytest.fixture(scope="session")
def machine():
    if not harness.PROGRAM.exists():
        pytest.fail(f"no program to test at {harness.PROGRAM}: run make, or set PORTA")
    made = harness.Machine()
    yield made
    made.close()


def _identity_names():
    return ["root", "user"] if os.geteuid() == 0 else ["user"]


@pytest.fixture(params=_identity_names())
def as_user(request, machine):
    return machine.identities[request.param]


@pytest.fixture
def workspace(as_user, machine):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="work-", dir=machine.directory))
    as_user.own(directory)
    yield directory
    left = [path for path in directory.rglob(".porta*") if path.name != "porta.toml"]
    shutil.rmtree(directory, ignore_errors=True)
    assert not left, f"porta left in the workspace: {left}"


@pytest.fixture
def runner(machine, as_user, workspace):
    return harness.Runner(machine, as_user, workspace)


@pytest.fixture(scope="session")
def internet(machine):
    """The small internet of integration/internet.py."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
    from internet import Internet
    made = Internet(machine)
    yield made
    made.close()


@pytest.fixture
def client(internet, as_user, workspace):
    """A runner on the internet's client; the zone is the standard one."""
    internet.set_zone({})
    return internet.client(as_user, workspace)


def _mounts():
    """Mount points, but for where people and `ip netns` mount things meanwhile."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = (line.split(" - ")[0].split()[4] for line in file)
        return sorted(point for point in points if not point.startswith(("/run/", "/mnt/", "/media/")))


@pytest.fixture(autouse=True)
def nothing_left(request):
    """After each test: no process of ours lives, nothing new is mounted. Session-wide helpers are older."""
    # Fixtures of wider scope that this test is the first to ask for start their helpers before the look.
    for name in ("escape_world", "internet"):
        if name in request.fixturenames:
            request.getfixturevalue(name)
    me = os.getpid()
    before = set(harness.descendants(me))
    mounts_before = _mounts()
    yield
    def new_ones():
        table = harness.process_table()
        fresh = [pid for pid in harness.descendants(me, table) if pid not in before]
        return harness.living(fresh, table)

    harness.wait_until(lambda: not new_ones(), timeout_s=3)
    left = new_ones()
    table = harness.process_table()
    names = [f"{pid} {table[pid][2]} (parent {table[pid][0]})" for pid in left if pid in table]
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    _reap(before)
    assert not names, f"processes outlived the test: {names}"
    fresh = set(_mounts()) - set(mounts_before)
    assert not fresh, f"mounts were left: {fresh}"


def _reap(before):
    """Adopted orphans, and children that the test has lost interest in."""
    for pid, (parent, state, _name) in harness.process_table().items():
        if parent == os.getpid() and state == "Z" and pid not in before:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
