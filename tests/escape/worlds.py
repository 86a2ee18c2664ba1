"""The world that one attack meets: files, a victim process, services; and what changed in it afterwards."""

import ctypes
import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile

import harness

SECRET = "SECRET-OUTSIDE"
HERE = pathlib.Path(__file__).resolve().parent
# Where services may be reached: what the default rule of an attack allows.
ALLOWED_RULE = "203.0.113.5:80"
ALLOWED_EVENTS = ("tcp 203.0.113.5 80",)

NETWORK_SETUP = """
ip link set lo up
for a in 203.0.113.5 203.0.113.6 203.0.113.9 10.0.0.5 169.254.169.254; do ip addr add $a/32 dev lo; done
for a in 2001:db8::5 2001:db8::6 fd00::5; do ip addr add $a/128 dev lo nodad; done
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
echo 3 > /proc/sys/net/ipv4/tcp_fastopen
echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range
"""


class Services:
    """One network namespace and the services in it, for one user; lives for the whole session."""

    def __init__(self, machine, identity):
        self.identity = identity
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="services-", dir=machine.directory))
        self.tmp = tempfile.mkdtemp(prefix="porta-test-", dir="/tmp")
        os.symlink(self.tmp, self.directory / "in-tmp")
        (self.directory / "log").touch()
        identity.own(self.directory)
        identity.own(self.tmp)
        os.chmod(self.directory, 0o755)
        self.holder = None
        self.prefix = []
        if os.geteuid() == 0:
            self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"],
                                           stdin=subprocess.DEVNULL)
            mine = os.readlink("/proc/self/ns/net")
            harness.wait_until(
                lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != mine)
            self.prefix = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--"]
            subprocess.run([*self.prefix, "sh", "-ec", NETWORK_SETUP], check=True)
        # The user may be unable to reach the clone.
        script = shutil.copy(HERE / "services.py", machine.directory)
        runner = harness.Runner(machine, identity, "/", self.prefix)
        self.process = runner.popen(
            ["/usr/bin/python3", "-B", script, self.directory],
            stdin=subprocess.PIPE, stderr=None)
        assert self.process.stdout.readline() == b"ready\n"

    def _settle(self):
        """Everything that has arrived is in the log."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"settled\n"

    def log_size(self):
        self._settle()
        return (self.directory / "log").stat().st_size

    def events(self, since):
        self._settle()
        with open(self.directory / "log", encoding="utf-8") as file:
            file.seek(since)
            return [line.strip() for line in file
                    if not line.startswith(ALLOWED_EVENTS) and not line.startswith("unavailable")]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        if self.holder:
            self.holder.kill()
            self.holder.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.tmp, ignore_errors=True)


def _git(runner, *arguments, cwd):
    runner.bare("git", "-c", "user.name=Test", "-c", "user.email=test@example.com",
                "-c", "init.defaultBranch=main", *arguments, cwd=cwd).ok()


def _world_git(world):
    _git(world.runner, "init", "-q", ".", cwd=world.work)
    world.runner.bare("sh", "-c", "echo text > file", cwd=world.work).ok()
    _git(world.runner, "add", ".", cwd=world.work)
    _git(world.runner, "commit", "-q", "-m", "start", cwd=world.work)


def _world_hooks_path(world):
    _world_git(world)
    world.runner.bare("sh", "-c", "mkdir tools; echo '#!/bin/sh' > tools/pre-commit; "
                      "chmod +x tools/pre-commit; git config core.hooksPath tools; "
                      "echo '[alias]' > extra.config; git config include.path ../extra.config",
                      cwd=world.work).ok()


def _world_submodule(world):
    _world_git(world)
    world.runner.bare("sh", "-c", "git clone -q . ../outside/module && "
                      "git -c protocol.file.allow=always submodule --quiet add "
                      "\"$PWD/../outside/module\" module", cwd=world.work).ok()


def _world_worktree(world):
    """work/ is a worktree of the repository at outside/main."""
    main = world.outside / "main"
    world.runner.bare("mkdir", main).ok()
    _git(world.runner, "init", "-q", ".", cwd=main)
    _git(world.runner, "commit", "-q", "--allow-empty", "-m", "start", cwd=main)
    world.work.rmdir()
    _git(world.runner, "worktree", "add", "-q", world.work, cwd=main)


def _world_setuid(world):
    """A setuid-root program outside, as a distribution has them: id(1)."""
    shutil.copy2("/usr/bin/id", world.outside / "setuid")
    os.chown(world.outside / "setuid", 0, 0)
    os.chmod(world.outside / "setuid", 0o4755)


def _world_read_only_part(world):
    world.runner.bare("sh", "-c", "mkdir -p part/deep; echo SECRET-OUTSIDE > part/deep/file",
                      cwd=world.work).ok()


WORLDS = {
    "git": _world_git,
    "hooks-path": _world_hooks_path,
    "submodule": _world_submodule,
    "worktree": _world_worktree,
    "setuid": _world_setuid,
    "read-only-part": _world_read_only_part,
}


class World:
    """
    top/outside   not writable inside: victim (secret text), private (0600), directory/, fifo
    top/home      HOME, with .ssh and .gnupg, and porta's own directories
    top/work      the writable mount and working directory
    """

    def __init__(self, machine, services, program, kinds=()):
        self.machine = machine
        self.services = services
        self.identity = services.identity
        self.program = program
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="world-", dir=machine.directory))
        self.top.chmod(0o755)
        self.outside = self.top / "outside"
        self.home = self.top / "home"
        self.work = self.top / "work"
        for directory in (self.outside, self.outside / "directory", self.home, self.work,
                          self.home / ".ssh", self.home / ".gnupg"):
            directory.mkdir()
        # porta's own, which it makes itself where they would be writable inside (test_own_directories.py).
        for own in (".cache", ".local/share", ".local/state"):
            (self.home / own / "porta").mkdir(parents=True)
        for secret in (self.outside / "victim", self.outside / "private",
                       self.outside / "directory" / "inner", self.home / ".ssh" / "id_ed25519",
                       self.home / ".gnupg" / "secring"):
            secret.write_text(SECRET + "\n", encoding="utf-8")
        (self.outside / "private").chmod(0o600)
        os.mkfifo(self.outside / "fifo", 0o600)
        self.identity.own(self.top)
        self.runner = harness.Runner(machine, self.identity, self.work, services.prefix)
        for kind in kinds:
            WORLDS[kind](self)
        self.victim = None
        self.before = None
        self.log_start = 0
        self.fifo_fd = os.open(self.outside / "fifo", os.O_RDONLY | os.O_NONBLOCK)

    def environment(self):
        return {"HOME": self.home, "XDG_DATA_HOME": self.top / "data", "CALLERS_TOKEN": "of the shell"}

    def start(self):
        """The victim runs, and what is outside is noted."""
        self.victim = self.runner.popen([self.program, self.top, self.services.directory, "victim"],
                                        env={"VICTIM_SECRET": SECRET})
        assert self.victim.stdout.readline() == b"ready\n"
        os.set_blocking(self.victim.stdout.fileno(), False)
        self.before = self.look()
        self.victim_before = self._look_at_victim()
        self.work_before = harness.snapshot(self.work)
        self.log_start = self.services.log_size()

    def _look_at_victim(self):
        """What another process could do to it: priority, limits, CPUs."""
        pid = self.victim.pid
        try:
            with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
                limits = file.read()
            return {"victim": [os.getpriority(os.PRIO_PROCESS, pid), sorted(os.sched_getaffinity(pid)),
                               os.sched_getscheduler(pid), limits]}
        except OSError as error:
            return {"victim": [str(error)]}

    def look(self):
        return {"outside": harness.snapshot(self.outside), "home": harness.snapshot(self.home)}

    def changes(self, intact=(), missing=(), reaches=None):
        """What the attack changed outside, as lines. intact and missing are patterns below work/."""
        lines = []
        after = self.look()
        for part in ("outside", "home"):
            lines += harness.difference(self.before[part], after[part]).splitlines()
        for line in self.services.events(self.log_start):
            if not (reaches and line.startswith(reaches)):
                lines.append(f"service: {line}")
        lines += harness.difference(self.victim_before, self._look_at_victim()).splitlines()
        if self.victim.poll() is not None:
            lines.append(f"the victim ended: {self.victim.returncode}")
        said = self.victim.stdout.read()
        if said:
            lines.append(f"the victim noticed: {said!r}")
        if select.select([self.fifo_fd], [], [], 0)[0] and os.read(self.fifo_fd, 64):
            lines.append("written to the FIFO outside")
        work_after = harness.snapshot(self.work)
        for pattern in intact:
            expression = re.compile(pattern + "(/.*)?")
            lines += harness.difference(
                {k: v for k, v in self.work_before.items() if expression.fullmatch(k)},
                {k: v for k, v in work_after.items() if expression.fullmatch(k)}).splitlines()
        for pattern in missing:
            lines += [f"made in work: {path}" for path in work_after
                      if re.fullmatch(pattern, path)]
        lines += [f"an empty quarantine was left: {path}"
                  for path in (self.top / "data" / "porta" / "quarantine").glob("*")
                  if not any(path.iterdir())]
        for path, facts in work_after.items():
            mode = int(facts[0], 8)
            if mode & 0o4000 or (mode & 0o2010 == 0o2010 and mode & 0o170000 != 0o040000):
                lines.append(f"setuid or setgid in work: {path} {facts[0]}")
        return lines

    def _remove_shared(self):
        """What the victim shared by System V and POSIX means."""
        uid = self.identity.uid
        key = str(0x706f7274 + uid)
        for flag in ("-M", "-Q"):
            subprocess.run(["ipcrm", flag, key], capture_output=True, check=False)
        ctypes.CDLL(None).mq_unlink(f"/porta-test-{uid}".encode())
        try:
            os.unlink(f"/dev/shm/porta-test-{uid}")
        except FileNotFoundError:
            pass

    def close(self):
        os.close(self.fifo_fd)
        self._remove_shared()
        if self.victim:
            harness.kill_tree(self.victim.pid)
            self.victim.wait()
            self.victim.stdout.close()
            self.victim.stderr.close()
        for parent, directories, _files in os.walk(self.top):
            for name in directories:
                path = os.path.join(parent, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o755)
        shutil.rmtree(self.top, ignore_errors=True)
