"""What comes in by inherited descriptors, the terminal and the process group; secrets in plain sight."""

import os
import pty
import signal
import socket
import subprocess
import time

import pytest

import harness


def test_descriptors_above_2_are_closed(runner, workspace):
    with open(workspace / "file", "w", encoding="utf-8") as file, socket.create_server(("127.0.0.1", 0)) as listener:
        result = runner.run("/usr/bin/python3", "-v", ".", args=(
            "-c", "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd')))"),
            pass_fds=(file.fileno(), listener.fileno()))
    # The fourth is the directory that is being listed.
    assert result.ok().out == "[0, 1, 2, 3]\n", str(result)


@pytest.mark.parametrize("flags", [["--net", "blocked"], ["--net", "loopback_only"], ["--allow-net", "192.0.2.1:80"]])
def test_an_internet_socket_as_standard_input_is_refused(runner, flags):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as caller:
            result = runner.sh("cat", *flags, stdin=caller.fileno())
    assert result.code == 125 and result.err, str(result)


def test_kill_0_ends_at_the_sandbox(runner):
    """The caller's process group holds another process, as in a pipeline of a script."""
    script = f"sleep 30 & {runner.program} run sh -- -c 'trap \"\" TERM; kill -TERM 0; kill -TERM -1; exit 3'; echo $?; " \
             "kill -0 $! && echo alive; kill $!"
    result = runner.bare("sh", "-c", script)
    assert result.out.split() == ["3", "alive"], str(result)


def _with_terminal(runner, *argv):
    """Runs a command on a new terminal; (exit code, what the terminal showed, what could be read as input)."""
    leader, follower = pty.openpty()
    process = runner.popen(["setsid", "--ctty", *argv], stdin=follower, stdout=follower, stderr=follower,
                           start_new_session=False)
    os.close(follower)
    shown = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
    code = process.wait(20)
    os.close(leader)
    return code, shown.decode(errors="replace")


INJECT = """
import fcntl, os, sys, termios
TIOCLINUX = 0x541C
for number in (termios.TIOCSTI, termios.TIOCSTI | 1 << 32, TIOCLINUX):
    for fd in (0, 1, 2, os.open('/dev/tty', os.O_RDWR)):
        try:
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            byte = ctypes.c_char(b'x')
            if libc.syscall(16, fd, ctypes.c_ulong(number), ctypes.byref(byte)) == 0: print('ESCAPED', number)
            else: print('held', ctypes.get_errno())
        except OSError as error: print('held', error)
"""


def test_no_input_is_pushed_into_the_terminal(runner):
    code, shown = _with_terminal(runner, runner.program, "run", "/usr/bin/python3", "--", "-c", INJECT)
    assert code == 0 and "held" in shown and "ESCAPED" not in shown, shown


def test_the_terminal_works_after_the_run(runner):
    """Neither exclusive, so that sudo or ssh could not open it, nor with its output stopped."""
    script = ("import fcntl, termios\nfor number, value in (termios.TIOCEXCL, 0), (termios.TCXONC, termios.TCOOFF):\n"
              " try: fcntl.ioctl(0, number, value)\n except OSError: pass\n")
    code, shown = _with_terminal(runner, "timeout", "--foreground", "20", "sh", "-c",
                                 "\"$0\" run /usr/bin/python3 -- -c \"$1\"; (echo end > /dev/tty)",
                                 runner.program, script)
    assert code == 0 and shown == "end\r\n", shown


def test_other_terminals_are_out_of_reach(runner):
    """The terminal of another session of the same user: not there, not opened, not written to."""
    leader, follower = pty.openpty()
    name = os.ttyname(follower)
    os.chown(name, runner.identity.uid, -1) if os.geteuid() == 0 else None
    os.chmod(name, 0o622)
    try:
        assert runner.bare("sh", "-c", f"echo control > {name}").code == 0
        assert b"control" in os.read(leader, 100)
        result = runner.sh(f"echo attack > {name}; ls /dev/pts")
        os.set_blocking(leader, False)
        with pytest.raises(BlockingIOError):
            os.read(leader, 100)
        assert os.path.basename(name) not in result.out.split(), str(result)
    finally:
        os.close(leader)
        os.close(follower)


def test_metadata_of_the_callers_terminal(runner):
    leader, follower = pty.openpty()
    name = os.ttyname(follower)
    os.fchown(follower, runner.identity.uid, -1) if os.geteuid() == 0 else None
    os.fchmod(follower, 0o620)
    process = runner.popen_porta("run", "/usr/bin/python3", "--quiet", "--", "-c",
                                 "import os\nfor fd in 0, 1, 2:\n try: os.fchmod(fd, 0o666); print('changed')\n"
                                 " except OSError: print('held')", stdin=follower, stdout=follower, stderr=follower)
    assert process.wait(20) == 0
    shown = os.read(leader, 1000)
    assert b"changed" not in shown and b"held" in shown, shown
    assert os.stat(name).st_mode & 0o777 == 0o620
    os.close(leader)
    os.close(follower)


def test_secrets_are_nowhere_to_be_seen(runner):
    process = runner.popen_porta("run", "sh", "--secret", "TOKEN=hunter2-secret", "--", "-c",
                                 "test ${#TOKEN} = 14 && echo ready; read line; exit 0",
                                 stdin=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        for pid in [process.pid, *harness.descendants(process.pid)]:
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    data = file.read()
                # The command itself has it in its environment: that is what it is for.
                if name == "environ" and b"PORTA_SANDBOX=1" in data:
                    continue
                assert b"hunter2" not in data, (pid, name, data)
    finally:
        out, err = process.communicate(b"go\n", timeout=10)
    assert b"hunter2" not in out + err
    explained = runner.porta("explain", "sh", "--secret", "TOKEN=hunter2-secret")
    assert "hunter2" not in explained.out + explained.err
    for bad in ("hunter2-secret", "=hunter2-secret", "1X=hunter2-secret"):
        result = runner.porta("run", "sh", "--secret", bad)
        assert result.code == 125 and "hunter2" not in result.err, str(result)


def test_the_shells_tokens_do_not_leak(runner):
    env = {"API_TOKEN": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter2", "LD_PRELOAD": "", "SSH_AUTH_SOCK": "/tmp/x"}
    result = runner.sh("env; cat /proc/1/environ 2>/dev/null; true", env=env).ok()
    assert "hunter2" not in result.out and "SSH_AUTH_SOCK" not in result.out, str(result)
    assert "PORTA_SANDBOX=1" in result.out
    assert "hunter2" in runner.sh("env", "-e", "API_TOKEN", env=env).ok().out


@pytest.mark.parametrize("flags", [[], ["--net", "blocked"], ["--allow-net", "192.0.2.1:80"]])
def test_nothing_outlives_a_killed_porta(runner, flags):
    process = runner.popen_porta("run", "sh", *flags, "--", "-c",
                                 "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM HUP; sleep 300' &) ; "
                                 "echo ready; sleep 300 & wait")
    assert process.stdout.readline() == b"ready\n"
    tree = harness.descendants(process.pid)
    assert len(tree) >= 3
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert harness.wait_until(lambda: not harness.living(tree), timeout_s=3), harness.living(tree)
    process.stdout.close()
    process.stderr.close()


def test_a_closed_listeners_port_is_no_leave(runner, workspace):
    """A port that the sandbox listened on, closed, and that a program of the host takes then."""
    process = runner.popen_porta("run", "/usr/bin/python3", "-v", ".", "--allow-net", "192.0.2.1:80", "--quiet", "--",
                                 "-c", "import socket, sys\n"
                                 "one = socket.create_server(('127.0.0.1', 0))\n"
                                 "port = one.getsockname()[1]\n"
                                 "socket.create_connection(('127.0.0.1', port)).close()\n"
                                 "one.close()\nprint(port, flush=True)\nsys.stdin.readline()\n"
                                 "try: socket.create_connection(('127.0.0.1', port), 5); print('ESCAPED')\n"
                                 "except OSError as error: print('held')", stdin=subprocess.PIPE)
    port = int(process.stdout.readline())
    with socket.socket() as host:
        host.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        host.bind(("127.0.0.1", port))
        host.listen()
        out, err = process.communicate(b"go\n", timeout=20)
    assert out == b"held\n", (out, err)
