"""What every test stands on: the program, who runs it, where, and proof that nothing is left.

The program under test is $PORTA, or build/porta. It is copied, with the porta-* programs beside
it, to a run directory below /var/tmp, since the ordinary user may be unable to reach the clone, and
since /tmp is writable inside a sandbox and so no place for what must stay untouched.
"""

import ctypes
import dataclasses
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("PORTA") or ROOT / "build" / "porta").absolute()
MUST_WORK = os.environ.get("PORTA_TEST_MUST_WORK") == "1"
TIMEOUT_S = 60
USER_PREFIX = "porta-test-"
# Reports of the sanitizers end up in a run's stderr, whatever the exit code.
SANITIZER_SIGNS = ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer",
                   "AddressSanitizer:DEADLYSIGNAL")


@dataclasses.dataclass(frozen=True)
class Identity:
    """Who runs: root, or an ordinary user made for this test run."""
    kind: str  # "root" or "user"
    login: str
    uid: int
    gid: int
    home: pathlib.Path

    @property
    def is_root(self):
        return self.uid == 0

    def environment(self, **more):
        """A clean environment: nothing of the caller's shell but where tools are."""
        env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "USER": self.login,
            "LOGNAME": self.login,
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
        }
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if key in os.environ:
                env[key] = os.environ[key]
        env.update({key: str(value) for key, value in more.items()})
        return env

    def own(self, path):
        """Makes a path, and what is below it, this user's."""
        if os.geteuid() != 0:
            return
        os.lchown(path, self.uid, self.gid)
        for parent, directories, files in os.walk(path):
            for name in directories + files:
                os.lchown(os.path.join(parent, name), self.uid, self.gid)


class Machine:
    """The run directory, the copied program and the users; one for a whole test run."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="porta-test-", dir="/var/tmp"))
        self.directory.chmod(0o755)
        self.binaries = self.directory / "bin"
        self.binaries.mkdir()
        self.made_user = None
        if PROGRAM.exists():
            for program in [PROGRAM, *PROGRAM.parent.glob("porta-*")]:
                if program.is_file() and os.access(program, os.X_OK):
                    shutil.copy2(program, self.binaries / program.name)
        self.program = self.binaries / PROGRAM.name
        self.identities = {}
        if os.geteuid() == 0:
            self._remove_stale_users()
            home = self.directory / "root-home"
            home.mkdir(mode=0o700)
            self.identities["root"] = Identity("root", "root", 0, 0, home)
            self.identities["user"] = self._make_user()
        else:
            entry = pwd.getpwuid(os.geteuid())
            home = self.directory / "user-home"
            home.mkdir(mode=0o700)
            self.identities["user"] = Identity("user", entry.pw_name, entry.pw_uid, entry.pw_gid,
                                               home)

    def _remove_stale_users(self):
        """Users of test runs that were killed: their names hold the process number."""
        for entry in pwd.getpwall():
            number = entry.pw_name[len(USER_PREFIX):]
            if entry.pw_name.startswith(USER_PREFIX) and number.isdigit() \
                    and not os.path.exists(f"/proc/{number}"):
                subprocess.run(["userdel", entry.pw_name], capture_output=True, check=False)

    def _make_user(self):
        login = f"{USER_PREFIX}{os.getpid()}"
        home = self.directory / "user-home"
        subprocess.run(["useradd", "--create-home", "--home-dir", home, "--shell", "/bin/sh",
                        "--user-group", login], check=True, capture_output=True)
        self.made_user = login
        entry = pwd.getpwnam(login)
        home.chmod(0o700)
        return Identity("user", login, entry.pw_uid, entry.pw_gid, home)

    def close(self):
        if self.made_user:
            subprocess.run(["userdel", self.made_user], capture_output=True, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


# ---- processes ------------------------------------------------------------

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """Orphans of the tests become children of this process, so that none is overlooked."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def process_table():
    """{pid: (parent, state, name)} of all processes."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        name_end = text.rindex(")")
        fields = text[name_end + 2:].split()
        table[int(entry)] = (int(fields[1]), fields[0], text[text.index("(") + 1:name_end])
    return table


def descendants(pid, table=None):
    """All processes below `pid`, parents first."""
    table = table or process_table()
    children = {}
    for child, (parent, _state, _name) in table.items():
        children.setdefault(parent, []).append(child)
    found, queue = [], [pid]
    while queue:
        for child in children.get(queue.pop(0), []):
            found.append(child)
            queue.append(child)
    return found


def kill_tree(pid):
    """Ends `pid` and what is below it, and nothing else."""
    for one in [pid, *descendants(pid)]:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass


def living(pids, table=None):
    table = table or process_table()
    return [pid for pid in pids if pid in table and table[pid][1] not in "ZX"]


def wait_until(condition, timeout_s=5.0, pause_s=0.01):
    """Whether `condition()` became true in time."""
    end = time.monotonic() + timeout_s
    while True:
        if condition():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(pause_s)


# ---- running --------------------------------------------------------------

@dataclasses.dataclass
class Result:
    code: int  # as a shell shows it: 128 + N for a signal
    out: str
    err: str
    argv: list

    def __str__(self):
        return (f"{' '.join(map(str, self.argv))}\n  exit {self.code}\n  stdout: {self.out!r}\n"
                f"  stderr: {self.err!r}")

    def ok(self):
        assert self.code == 0, str(self)
        return self


class Runner:
    """Runs commands as one user in one directory; `porta(...)` runs the program under test."""

    def __init__(self, machine, identity, cwd, prefix=()):
        self.machine = machine
        self.identity = identity
        self.cwd = pathlib.Path(cwd)
        self.prefix = list(prefix)  # a launcher that enters namespaces; {cwd} is replaced
        self.program = machine.program
        self.started = []

    def at(self, cwd=None, prefix=None):
        """The same user elsewhere."""
        return Runner(self.machine, self.identity, cwd or self.cwd,
                      self.prefix if prefix is None else prefix)

    def popen(self, argv, env=None, cwd=None, **options):
        """Starts a command as the user; the leak check ends it at the latest."""
        argv = [str(word) for word in argv]
        if os.geteuid() == 0 and not self.identity.is_root:
            argv = ["setpriv", f"--reuid={self.identity.uid}", f"--regid={self.identity.gid}",
                    "--clear-groups", "--", *argv]
        argv = [str(word).format(cwd=cwd or self.cwd) for word in self.prefix] + argv
        environment = self.identity.environment()
        environment.update({key: str(value) for key, value in (env or {}).items()})
        options.setdefault("start_new_session", True)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen(argv, env=environment, cwd=str(cwd or self.cwd), **options)
        self.started.append(process)
        return process

    def bare(self, *argv, input=None, timeout_s=TIMEOUT_S, **options):
        """Runs a command without porta, to its end."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
            input = input.encode() if isinstance(input, str) else input
        process = self.popen(argv, **options)
        try:
            out, err = process.communicate(input, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            kill_tree(process.pid)
            out, err = process.communicate()
            raise AssertionError(f"no end after {timeout_s} s: {argv}\nstdout: {out!r}\n"
                                 f"stderr: {err!r}") from None
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        result = Result(code, (out or b"").decode(errors="replace"),
                        (err or b"").decode(errors="replace"), list(argv))
        for sign in SANITIZER_SIGNS:
            assert sign not in result.err, str(result)
        return result

    def porta(self, *argv, **options):
        """`porta ARGV...`, to its end."""
        return self.bare(self.program, *argv, **options)

    def run(self, command, *flags, args=(), **options):
        """`porta run COMMAND FLAGS... -- ARGS...`"""
        return self.porta("run", command, *flags, "--", *args, **options)

    def sh(self, script, *flags, **options):
        """A shell script inside the sandbox."""
        return self.run("sh", *flags, args=("-c", script), **options)

    def python(self, script, *flags, args=(), **options):
        """A Python program inside the sandbox."""
        return self.run("/usr/bin/python3", *flags, args=("-c", script, *args), **options)

    def popen_porta(self, *argv, **options):
        return self.popen([self.program, *argv], **options)


# ---- what a tree of files is ----------------------------------------------

def snapshot(directory, content=True):
    """{relative path: what a person could notice about it}; atimes left out."""
    seen = {}
    top = os.fspath(directory)
    for parent, directories, files in os.walk(top):
        for name in [*directories, *files, ""] if parent == top else directories + files:
            path = os.path.join(parent, name) if name else top
            status = os.lstat(path)
            facts = [oct(status.st_mode), status.st_uid, status.st_gid, status.st_nlink]
            if not os.path.isdir(path) or os.path.islink(path):
                facts += [status.st_ino, status.st_size, status.st_mtime_ns]
            if os.path.islink(path):
                facts.append(os.readlink(path))
            else:
                attributes = os.listxattr(path)
                facts.append({key: os.getxattr(path, key) for key in attributes})
                if content and os.path.isfile(path):
                    with open(path, "rb") as file:
                        facts.append(file.read())
            seen[os.path.relpath(path, top)] = facts
    return seen


def difference(before, after):
    """What changed between two snapshots, as text; empty if nothing."""
    lines = []
    for path in sorted(set(before) | set(after)):
        if path not in after:
            lines.append(f"gone: {path}")
        elif path not in before:
            lines.append(f"new: {path} {after[path][:2]}")
        elif before[path] != after[path]:
            lines.append(f"changed: {path} {before[path]} -> {after[path]}")
    return "\n".join(lines)


def compile_c(source, output, *flags):
    """A static program from one C file."""
    command = ["/usr/bin/gcc", "-O1", "-g", "-D_GNU_SOURCE", "-std=gnu11", "-Wall", "-Werror",
               "-static", "-pthread", str(source), "-o", str(output), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        raise AssertionError(f"does not compile: {source}\n{done.stderr}")
    return output
