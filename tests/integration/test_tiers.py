"""The lower tiers: features of the machine are really taken away (tests/without.c), as root and as a user.

What a tier keeps is attacked here and by tests/escape, each of whose attacks runs in the second tier too; what it
cannot keep is refused with exit 125 and one sentence, and runs with the flag that the sentence names.
"""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

import harness

REFUSED = 125
LOWER = "--degrade=processes,protected"
TIER_2 = ["userns", "mounts"]
TIER_3 = ["userns,listener", "userns,busy", "getfd"]


@pytest.fixture(scope="session")
def without_program(machine):
    return harness.compile_c(harness.ROOT / "tests" / "without.c", machine.directory / "without")


@pytest.fixture
def lacking(runner, without_program):
    """lacking("userns"): the runner on a machine that has none."""
    return lambda words: runner.at(prefix=[without_program, words, "--"])


@pytest.fixture
def home(as_user, workspace):
    """A home with keys and neighbours of them, outside the writable directory `work` beside it."""
    home = workspace / "home"
    for directory in (home / ".ssh", home / "project", workspace / "work", home / ".cargo" / "bin"):
        directory.mkdir(parents=True)
    (home / ".ssh" / "id").write_text("KEY", encoding="utf-8")
    (home / "notes").write_text("NOTES", encoding="utf-8")
    (home / "project" / "file").write_text("FILE", encoding="utf-8")
    (home / ".cargo" / "bin" / "tool").write_text("TOOL", encoding="utf-8")
    (home / "link").symlink_to(home / ".ssh")
    as_user.own(workspace)
    return home


def refusal(result):
    """The names that the sentence says --degrade needs."""
    assert result.code == REFUSED, str(result)
    assert result.err.count("\n") == 1, str(result)
    return re.search(r"--degrade=([a-z,-]+)", result.err).group(1)


# ---- a plain chroot ---

IN_CHROOT = """
mount --make-rprivate / && mount -t proc proc proc && mount --bind /dev dev || exit 99
exec env HOME=/root chroot . porta "$@"
"""


def test_in_a_chroot(machine, workspace, as_user):
    """No user namespaces, and /proc/self/mountinfo has no line for the root directory."""
    if not as_user.is_root:
        return
    for directory in ("bin", "proc", "dev", "tmp", "etc", "root/.ssh"):
        (workspace / directory).mkdir(parents=True)
    (workspace / "root" / ".ssh" / "key").write_text("KEY")
    (workspace / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    programs = [shutil.which("cat"), shutil.which("sh"), str(machine.program)]
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
    for path in {*programs, *re.findall(r"(?m)^\s.*?(/\S+) \(", listed)}:
        copy = workspace / ("bin/" + os.path.basename(path) if path in programs else path[1:])
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    runner = harness.Runner(machine, as_user, workspace)

    def run(*words):
        return runner.bare("unshare", "-m", "sh", "-c", IN_CHROOT, "sh", "run", *words)

    assert refusal(run("cat", "-v", "/tmp", "--", "/etc/passwd")) == "protected,processes"
    assert "root:" in run("cat", LOWER, "-v", "/tmp", "--", "/etc/passwd").ok().out
    hidden = run("cat", LOWER, "-v", "/tmp", "--", "/root/.ssh/key")
    assert hidden.code == 1 and "Permission denied" in hidden.err, str(hidden)
    assert run("sh", LOWER, "-v", "/tmp", "--", "-c", "echo x > /tmp/x && ! echo x > /etc/x").ok()


# ---- what is refused -------------------------------------------------------

REFUSALS = [
    ("userns", [], "processes"),
    ("userns", ["-v", "."], "protected,processes"),
    ("userns", ["-v", ".", "--allow-protected"], "processes"),
    ("userns", ["-v", ".:ro"], "processes"),
    ("userns", ["-v", ".", "-v", "part:ro"], "writes,protected,processes"),
    ("mounts", [], "processes"),
    ("mounts", ["-v", "."], "protected,processes"),
    ("userns,listener", [], "processes"),
    ("userns,busy", [], "processes"),
    ("listener", ["-v", "."], "protected,processes"),
    ("getfd", [], "processes"),
    ("getfd", ["--net", "blocked"], "processes"),
    ("getfd", ["--net", "outbound"], "processes"),
    ("getfd", ["--net", "loopback_only"], "network,processes"),
    ("getfd", ["--allow-net", "*:443"], "network,processes"),
    ("landlock", [], "devices"),
    ("landlock", ["--allow-exec", "sh"], "devices,exec"),
    ("userns,landlock", [], "writes,hidden,processes,tree,devices"),
    ("abi=5,userns", [], "processes,tree"),
    ("abi=2,userns", [], "writes,processes,tree"),
]


@pytest.mark.parametrize("words,flags,names", REFUSALS)
def test_what_is_missing_is_told_at_once_and_accepted_by_one_flag(lacking, workspace, as_user, words,
                                                                  flags, names):
    (workspace / "part").mkdir()
    as_user.own(workspace / "part")
    runner = lacking(words)
    assert refusal(runner.run("true", *flags)) == names
    result = runner.run("true", *flags, f"--degrade={names}").ok()
    told = names.replace(",", ", ")
    assert result.err == f"porta: not kept on this machine, as --degrade accepted: {told}\n", str(result)


@pytest.mark.parametrize("words,flags,names", REFUSALS)
def test_explain_says_the_same(lacking, workspace, as_user, words, flags, names):
    (workspace / "part").mkdir()
    as_user.own(workspace / "part")
    runner = lacking(words)
    refused = runner.porta("explain", "true", *flags)
    assert refusal(refused) == names
    result = runner.porta("explain", "true", *flags, f"--degrade={names}", "--json").ok()
    assert json.loads(result.out)["plan"]["not_kept"] == names.split(",")
    text = runner.porta("explain", "true", *flags, f"--degrade={names}").ok()
    assert "Not kept, as --degrade accepted: " + names.replace(",", ", ") in text.out


def test_a_part_of_what_is_missing_is_not_enough(lacking):
    result = lacking("userns").run("true", "-v", ".", "--degrade=protected")
    assert refusal(result) == "protected,processes"


def test_a_key_in_a_writable_mount(lacking, home):
    runner = lacking("userns")
    result = runner.run("true", "-v", home, env={"HOME": home})
    assert refusal(result) == "hidden,protected,processes" and ".ssh" in result.err
    assert runner.run("true", "-v", f"{home}:ro", LOWER, env={"HOME": home}).ok()


@pytest.mark.parametrize("words", TIER_3)
@pytest.mark.parametrize("flag,rule", [("--allow-net", "example.com:443"), ("--deny-net", "*:25"),
                                       ("--allow-net", "192.0.2.0/24:*")])
def test_without_a_door_a_rule_with_a_host_is_refused(lacking, words, flag, rule):
    result = lacking(words).run("true", flag, rule, "--degrade=network,processes")
    assert result.code == REFUSED and f"{flag} {rule}" in result.err, str(result)
    assert "'*:PORT'" in result.err and "--degrade=network" in result.err


@pytest.mark.parametrize("words,tier,missing", [
    ("userns", 2, {"protected", "processes"}),
    ("mounts", 2, {"protected", "processes"}),
    ("userns,listener", 3, {"protected", "processes", "network"}),
    ("getfd", 3, {"protected", "processes", "network"}),
    ("landlock", 1, {"devices", "exec"}),
    ("userns,landlock", 2, {"writes", "hidden", "protected", "processes", "tree", "devices", "exec"}),
    ("abi=4,userns", 2, {"protected", "processes", "tree"}),
])
def test_doctor_tells_the_same(lacking, words, tier, missing):
    result = lacking(words).porta("doctor", "--json")
    story = json.loads(result.out)
    assert result.code == 1 and story["machine"]["tier"] == tier, str(result)
    failed = {one["name"] for one in story["guarantees"] if not one["holds"]}
    assert failed - {"limits"} == missing, str(result)
    assert all(one["why"] and one["fix"] for one in story["guarantees"] if not one["holds"])


# ---- how it is found out ---------------------------------------------------

@pytest.mark.parametrize("words", ["userns", "mounts", "getfd", "abi=4,userns"])
def test_the_command_starts_with_what_porta_was_started_with(lacking, words):
    """The first try leaves no signal blocked and no limit raised."""
    script = ("import signal, resource, os; print(signal.pthread_sigmask(signal.SIG_BLOCK, []), "
              "resource.getrlimit(resource.RLIMIT_NOFILE)[0], sorted(os.listdir('/proc/self/fd'))[:3])")
    result = lacking(words).python(script, "--degrade=processes,tree").ok()
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert result.out.split("}")[-1].split(")")[-1].split()[0] == str(soft), str(result)
    assert "set()" in result.out, str(result)


def test_max_user_namespaces(runner):
    """A limit of the machine, in a user namespace of the test's own."""
    inside = runner.at(prefix=["unshare", "--user", "--map-root-user"])
    if not runner.identity.is_root:
        inside = runner
    script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\""
    words = ["sh", "-c", script, "sh", runner.program, "run", "true"]
    if not runner.identity.is_root:
        words = ["unshare", "--user", "--map-root-user", *words]
    result = inside.bare(*words)
    assert refusal(result) == "processes" and "max_user_namespaces" in result.err, str(result)
    inside.bare(*words, "--degrade=processes").ok()


def test_porta_inside_porta(runner):
    """No listener, no namespaces, no openat2."""
    result = runner.run(runner.program, args=("run", "true"))
    assert refusal(result) == "processes"
    result = runner.run(runner.program, args=("run", "--degrade=processes", "sh", "--", "-c",
                                              "cat; echo out; echo no > /etc/porta-test")
                        , input="in\n")
    assert result.out == "in\nout\n" and "/etc/porta-test" in result.err, str(result)
    assert not os.path.exists("/etc/porta-test")
    blocked = runner.run(runner.program, args=("run", "--degrade=processes", "/usr/bin/python3", "--net",
                                               "blocked", "--", "-c", "import socket; socket.socket()"))
    assert "Permission" in blocked.err, str(blocked)


@pytest.mark.parametrize("words", ["userns", "mounts"])
def test_pipes_by_name_outlive_the_first_try(lacking, workspace, as_user, words):
    for name in ("in", "out"):
        os.mkfifo(workspace / name)
    as_user.own(workspace)
    script = ('echo text > in & cat out > read & "$0" run cat --degrade=processes < in > out; wait; cat read')
    runner = lacking(words)
    assert runner.bare("sh", "-c", script, runner.program).ok().out == "text\n"


def test_exit_codes_after_a_failed_try(lacking):
    """The command's own pass through, also a signal's."""
    runner = lacking("mounts")
    assert runner.sh("exit 7", LOWER).code == 7
    assert runner.sh("kill -TERM $$", LOWER).code == 128 + signal.SIGTERM
    assert runner.run("porta-test-none", LOWER).code == 127


# ---- what the lower tiers keep ---------------------------------------------

ALL_LOWER = TIER_2 + TIER_3
READ = """
import sys
for path in sys.argv[1:]:
    try:
        print(open(path, "rb").read(4).decode().strip())
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.parametrize("words", ALL_LOWER)
def test_hidden(lacking, home, words):
    paths = [home / ".ssh" / "id", home / "link" / "id", home / "notes", home / "project" / "file",
             f"/proc/self/root{home}/.ssh/id", "/etc/hostname", "/proc/self/status"]
    result = lacking(words).python(READ, LOWER, args=paths, env={"HOME": home}).ok()
    assert result.out.splitlines() == ["Permission denied", "Permission denied", "NOTE", "FILE",
                                       "Permission denied", result.out.splitlines()[5], "Name"], str(result)
    assert result.out.splitlines()[5] != "Permission denied"


def test_deny_read_and_the_read_modes(lacking, home):
    runner = lacking("userns")
    paths = [home / "notes", home / "project" / "file", home / ".cargo" / "bin" / "tool"]
    answers = {
        ("--deny-read", home / "project"): ["NOTE", "Permission denied", "TOOL"],
        ("--deny-read", home / "notes"): ["Permission denied", "FILE", "TOOL"],
        ("--read", "home-hidden"): ["Permission denied", "Permission denied", "TOOL"],
        ("--read", "home-hidden", "-v", home / "project"): ["Permission denied", "FILE", "TOOL"],
        ("--read", "listed"): ["Permission denied"] * 3,
        ("--read", "listed", "-v", f"{home / 'project'}:ro"): ["Permission denied", "FILE",
                                                              "Permission denied"],
    }
    for flags, expected in answers.items():
        result = runner.python(READ, LOWER, *flags, args=paths, env={"HOME": home}).ok()
        assert result.out.splitlines() == expected, str(result)


@pytest.mark.parametrize("words", ALL_LOWER)
def test_writes_and_metadata(lacking, home, words):
    script = """
import os, sys
home = sys.argv[1]
def attempt(call, *arguments):
    try:
        call(*arguments)
        print("done", call.__name__, arguments)
    except OSError:
        pass
victim = home + "/notes"
for call, arguments in [
        (open, (victim, "a")), (os.truncate, (victim, 0)), (os.unlink, (victim,)),
        (os.rename, (victim, "stolen")), (os.link, (victim, "linked")), (os.mkdir, (home + "/new",)),
        (os.symlink, ("x", home + "/new")), (os.mkfifo, (home + "/new",)), (os.rmdir, (home + "/project",)),
        (os.chmod, (victim, 0o777)), (os.utime, (victim, (1, 1))), (os.chown, (victim, os.getuid(), os.getgid())),
        (os.setxattr, (victim, "user.x", b"x")), (open, ("/proc/self/oom_score_adj", "w")),
        (open, ("/proc/sys/kernel/core_pattern", "w")), (os.open, (home, os.O_TMPFILE | os.O_RDWR))]:
    attempt(call, *arguments)
os.mkdir("made")
with open("made/file", "w") as file:
    file.write("text")
os.rename("made/file", "moved")
os.mkdir("/tmp/porta-test-%d" % os.getpid())
os.rmdir("/tmp/porta-test-%d" % os.getpid())
print(open("moved").read())
"""
    before = harness.snapshot(home)
    result = lacking(words).python(script, LOWER, "-v", ".", args=(home,), cwd=home.parent / "work",
                                   env={"HOME": home}).ok()
    assert result.out == "text\n", str(result)
    assert harness.difference(before, harness.snapshot(home)) == ""


@pytest.mark.parametrize("words", ALL_LOWER)
def test_devices(lacking, words):
    script = """
import os, stat
for name in sorted(os.listdir("/dev")):
    path = "/dev/" + name
    mode = os.lstat(path).st_mode
    if not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
        continue
    for flags in (os.O_RDONLY, os.O_WRONLY):
        try:
            os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY))
            print(name)
        except OSError:
            pass
"""
    result = lacking(words).python(script, LOWER).ok()
    assert set(result.out.split()) <= {"null", "zero", "full", "random", "urandom", "tty"}, str(result)
    assert "null" in result.out


def test_a_socket_is_not_bound_where_nothing_may_be_made(lacking, home):
    """bind is performed by the broker's child, which must be held as the program is."""
    script = ("import socket, sys\n"
              "for path in sys.argv[1:]:\n"
              "    try:\n        socket.socket(socket.AF_UNIX).bind(path); print('bound')\n"
              "    except OSError as error:\n        print(error.strerror)")
    for flags in ([], ["--net", "loopback_only"], ["--net", "outbound"]):
        result = lacking("userns").python(script, LOWER, "-v", ".", *flags,
                                          args=(home / "socket", f"inside-{len(flags)}{flags[-1:]}"),
                                          cwd=home.parent / "work", env={"HOME": home}).ok()
        assert result.out.splitlines() == ["Permission denied", "bound"], str(result)
        assert not (home / "socket").exists()


@pytest.mark.parametrize("words", ALL_LOWER)
def test_unix_sockets_of_the_host(lacking, home, words):
    path = str(home / "service")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen()
    listener.settimeout(0.05)
    try:
        script = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        for flags in ([], ["--net", "blocked"]):
            result = lacking(words).python(script, LOWER, *flags, args=(path,), env={"HOME": home})
            assert "PermissionError" in result.err, str(result)
            with pytest.raises(TimeoutError):
                listener.accept()
    finally:
        listener.close()


@pytest.mark.parametrize("words", ALL_LOWER)
def test_blocked(lacking, words):
    script = ("import socket\n"
              "for family in (socket.AF_INET, socket.AF_INET6):\n"
              "    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
              "        try:\n            socket.socket(family, kind); print('made')\n"
              "        except PermissionError:\n            print('refused')")
    result = lacking(words).python(script, LOWER, "--net", "blocked").ok()
    assert result.out.split() == ["refused"] * 4, str(result)


def test_memory_and_environment_of_outside(lacking, runner):
    victim = runner.popen(["sleep", "60"], env={"TOKEN": "SECRET"})
    try:
        script = """
import os, sys
pid = sys.argv[1]
for name in ("environ", "mem", "maps", "cwd/.", "root/.", "fd/0", "fd/1", "exe"):
    path = f"/proc/{pid}/{name}"
    try:
        os.readlink(path) if "fd" in name else os.stat(path) if "." in name else open(path, "rb").read(1)
        print("read", name)
    except OSError:
        pass
for number in (0, 15):
    try:
        os.kill(int(pid), number)
        print("signalled", number)
    except PermissionError:
        pass
"""
        for words in ALL_LOWER:
            assert lacking(words).python(script, LOWER, args=(victim.pid,)).ok().out == ""
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
        victim.stdout.close()
        victim.stderr.close()


# ---- the tree ends ---------------------------------------------------------

SCATTER = """
import os, signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork() > 0:
            os._exit(0)
        os.execv("/bin/sleep", ["porta-test-sleep", "86400"])
for _ in range(3):  # one that is never where it was seen
    if os.fork() == 0:
        os.setsid()
        while True:
            if os.fork() > 0:
                os._exit(0)
print("ready", flush=True)
time.sleep(float(os.environ["STAY"]))
"""
ENDINGS = ["userns", "getfd", "abi=4,userns", "abi=4,getfd"]
TREE = "--degrade=processes,tree"


def wait_until_alone(before):
    def fresh():
        return [pid for pid in harness.descendants(os.getpid()) if pid not in before]

    assert harness.wait_until(lambda: not harness.living(fresh()), timeout_s=5), \
        [harness.process_table().get(pid) for pid in fresh()]


@pytest.mark.parametrize("words", ENDINGS)
def test_everything_ends_with_the_command(lacking, words):
    before = set(harness.descendants(os.getpid()))
    result = lacking(words).python(SCATTER, TREE, "-e", "STAY=0.05").ok()
    assert result.out == "ready\n"
    wait_until_alone(before)


def _porta_and_init(process):
    """Their pids; the launcher stands above where it traces."""
    table = harness.process_table()
    below = [process.pid, *harness.descendants(process.pid, table)]
    portas = [pid for pid in below if pid in table and table[pid][2] == "porta"]
    assert len(portas) >= 2, [table.get(pid) for pid in below]
    return portas[0], portas[1]


@pytest.mark.parametrize("words", ENDINGS)
@pytest.mark.parametrize("who", ["porta", "init", "group"])
def test_everything_ends_when_one_is_killed(lacking, words, who):
    before = set(harness.descendants(os.getpid()))
    process = lacking(words).popen_porta("run", "/usr/bin/python3", TREE, "-e", "STAY=60", "--", "-c",
                                         SCATTER)
    assert process.stdout.readline() == b"ready\n"
    porta, init = _porta_and_init(process)
    if who == "group":  # as a shell does: kill -9 %1
        os.killpg(os.getpgid(porta), signal.SIGKILL)
    else:
        os.kill(porta if who == "porta" else init, signal.SIGKILL)
    process.wait(timeout=20)
    wait_until_alone(before)


@pytest.mark.slow
def test_killed_at_any_moment(lacking):
    before = set(harness.descendants(os.getpid()))
    runner = lacking("userns")
    for turn in range(60):
        process = runner.popen_porta("run", "/bin/sh", LOWER, "--", "-c",
                                     "(setsid sleep 86400 &); (setsid sleep 86400 &); sleep 86400",
                                     stdout=-3, stderr=-3)
        time.sleep(turn * 0.0004)
        portas = [pid for pid in [process.pid, *harness.descendants(process.pid)]]
        victim = portas[turn % min(len(portas), 2)]
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if victim != process.pid:
            time.sleep(0.05)
            if process.poll() is None:
                process.terminate()
        process.wait(timeout=20)
    wait_until_alone(before)


def test_children_from_before_porta_stay(runner, without_program, workspace):
    """A shell's job is none of the sandbox's, also when porta ends the tree in init's place."""
    script = ('sleep 60 & echo $! > other; exec "$@"')
    process = runner.at(prefix=[without_program, "userns", "--"]).popen(
        ["sh", "-c", script, "sh", runner.program, "run", "/usr/bin/python3", TREE, "-e", "STAY=60",
         "--", "-c", SCATTER])
    assert process.stdout.readline() == b"ready\n"
    table = harness.process_table()
    init = next(pid for pid, (parent, _state, name) in table.items()
                if parent == process.pid and name == "porta")
    other = int((workspace / "other").read_text(encoding="utf-8"))
    os.kill(init, signal.SIGKILL)
    process.wait(timeout=20)
    try:
        assert harness.living([other]) == [other]
    finally:
        os.kill(other, signal.SIGKILL)


# ---- the network -----------------------------------------------------------

GET = """
import socket, sys
for word in sys.argv[1:]:
    host, port = word.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 3).close()
        print("connected")
    except OSError as error:
        print(type(error).__name__)
"""


def on_internet(client, without_program, words):
    return client.at(prefix=[*client.prefix, without_program, words, "--"])


def test_names_without_datagrams(client, without_program):
    """The C library asks over TCP, and porta's resolver answers."""
    tier_2 = on_internet(client, without_program, "userns")
    result = tier_2.python(GET, LOWER, "--allow-net", "alpha.example.com:80",
                           args=("alpha.example.com:80", "alpha.example.com:443",
                                 "beta.example.net:80", "203.0.113.20:80")).ok()
    assert result.out.split() == ["connected", "PermissionError", "gaierror", "PermissionError"], str(result)


@pytest.mark.parametrize("name", ["private.example.com", "local.example.com", "metadata.example.com"])
def test_a_name_never_leads_inside(client, without_program, name):
    tier_2 = on_internet(client, without_program, "userns")
    result = tier_2.python(GET, LOWER, "--allow-net", "*.example.com:80", args=(f"{name}:80",)).ok()
    assert result.out.split() == ["gaierror"], str(result)


def test_addresses_and_datagrams_in_tier_2(client, without_program):
    tier_2 = on_internet(client, without_program, "userns")
    result = tier_2.python(GET, LOWER, "--allow-net", "198.51.100.0/24:80",
                           args=("198.51.100.10:80", "198.51.100.10:443", "203.0.113.20:80")).ok()
    assert result.out.split() == ["connected", "PermissionError", "PermissionError"], str(result)
    refused = tier_2.python("import socket; socket.socket(type=socket.SOCK_DGRAM)", LOWER, "--allow-net",
                            "198.51.100.0/24:80")
    assert "PermissionError" in refused.err, str(refused)


@pytest.mark.parametrize("words", TIER_3)
def test_ports_without_a_door(client, without_program, words):
    tier_3 = on_internet(client, without_program, words)
    result = tier_3.python(GET, "--degrade=network,processes", "--allow-net", "*:80", "--allow-net",
                           "*:8000-8100", args=("198.51.100.10:80", "203.0.113.20:8080",
                                                "198.51.100.10:443")).ok()
    assert result.out.split() == ["connected", "connected", "PermissionError"], str(result)
    full = tier_3.python(GET, LOWER, args=("198.51.100.10:443", "alpha.example.com:80")).ok()
    assert full.out.split() == ["connected", "connected"], str(full)
    outbound = tier_3.python(GET + "\nsocket.socket().listen()", LOWER, "--net", "outbound",
                             args=("alpha.example.com:80",))
    assert outbound.out.split() == ["connected"] and "PermissionError" in outbound.err, str(outbound)
