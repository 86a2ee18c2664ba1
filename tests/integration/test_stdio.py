"""The descriptors 0, 1 and 2: data passes as without porta, and nothing but data."""

import os
import signal
import socket
import subprocess
import time

import harness
import pytest


@pytest.fixture
def outside(machine, as_user):
    """A directory of the user's that no sandbox may write."""
    directory = machine.directory / f"outside-{as_user.kind}"
    directory.mkdir(exist_ok=True)
    as_user.own(directory)
    yield directory
    for path in directory.iterdir():
        path.unlink()


def shell(runner, script, timeout_s=20, **options):
    """A script of the caller's shell, in which $P is porta."""
    return runner.bare("bash", "-c", script, env={"P": runner.program}, timeout_s=timeout_s,
                       **options)


# ---- stdin ------------------------------------------------------------------

def test_file_on_stdin_is_a_file_inside(runner, outside):
    (outside / "in").write_text("one\ntwo\n")
    script = "test -f /dev/stdin && cat"
    assert shell(runner, f"$P run sh -- -c '{script}' < {outside}/in").ok().out == "one\ntwo\n"


def test_offset_on_stdin_is_shared_with_the_shell(runner, outside):
    (outside / "in").write_text("hello world\n")
    command = "$P run python3 -- -c 'import os; os.read(0, 5)'"
    assert shell(runner, f"({command}; cat) < {outside}/in").ok().out == " world\n"
    assert shell(runner, f"(head -c 0; $P run cat) < {outside}/in").ok().out == "hello world\n"
    assert shell(runner, f"(read -n 6 x; {command}; cat) < {outside}/in").ok().out == "\n"


def test_offset_is_given_back_also_after_a_kill(runner, outside):
    (outside / "in").write_text("hello world\n")
    command = "$P run python3 -- -c 'import os; os.read(0, 5); os.kill(os.getpid(), 9)'"
    result = shell(runner, f"({command}; echo $?; cat) < {outside}/in")
    assert result.out == "137\n world\n"


def test_file_that_is_hidden_inside_is_pumped(runner, as_user):
    hidden = as_user.home / "hidden"
    hidden.write_text("x" * 200_000 + "\nrest\n")
    as_user.own(hidden)
    try:
        flags = f"--deny-read {hidden}"
        result = shell(runner, f"$P run wc {flags} -- -c < {hidden}").ok()
        assert result.out.strip() == "200006"
        # Read in bites of the pipe, and what stayed in it is not lost to the next program.
        bites = f"$P run dd {flags} -- bs=1000 count=3 status=none"
        assert shell(runner, f"({bites} > /dev/null; wc -c) < {hidden}").out.strip() == "197006"
        assert shell(runner, f"$P run cat {flags} -- {hidden}").code != 0
    finally:
        hidden.unlink()


def test_heredocs(runner):
    assert shell(runner, "$P run cat <<X\nsmall\nX").ok().out == "small\n"
    large = "$(yes | tr -d '\\n' | head -c 200000)"
    assert shell(runner, f"$P run wc -- -c <<X\n{large}\nX").ok().out.strip() == "200001"
    assert shell(runner, "$P run cat <<< word").ok().out == "word\n"


def test_closed_descriptors(runner):
    seen = shell(runner, "$P run sh -- -c 'cat; echo $?' <&- 2>/dev/null").ok().out
    assert seen.strip() != ""
    assert shell(runner, "$P run sh -- -c 'echo x > file; cat file' -v . >&- 2>&-").code in (0, 1)
    numbers = shell(runner, "$P run ls -- /proc/self/fd <&- 2>&-").out.split()
    assert numbers == ["0", "1", "2", "3"]  # 3 is the directory itself


def test_only_three_descriptors_are_inherited(runner):
    numbers = shell(runner, "exec 5</etc/passwd 9>/dev/null; $P run ls -- /proc/self/fd").out.split()
    assert numbers == ["0", "1", "2", "3"]


def test_fifo_both_ways(runner, outside):
    script = f"cd {outside}; mkfifo in out; seq 100000 > in & $P run cat < in > out & md5sum < out; wait"
    expected = subprocess.run("seq 100000 | md5sum", shell=True, capture_output=True, check=True)
    assert shell(runner, script).ok().out == expected.stdout.decode()


def test_fifo_reader_that_leaves_is_a_broken_pipe(runner, outside):
    script = f"cd {outside}; mkfifo out; head -n 1 < out & $P run yes > out; echo $?; wait"
    assert shell(runner, script).out.split() in (["y", "141"], ["141", "y"])


def test_fifo_reader_inside_that_leaves_is_a_broken_pipe(runner, outside):
    script = f"""cd {outside}; mkfifo in; (yes > in; echo writer $?) &
        $P run sh -- -c 'head -n 1; exec < /dev/null; sleep 100' < in & porta=$!
        while kill -0 %1 2>/dev/null; do sleep 0.05; done
        kill $porta; wait"""
    assert "writer 141" in shell(runner, script).out


def test_pipe_ends_are_let_go_of(runner):
    """What the command closes is closed: neither the broker nor init keeps the other side waiting."""
    script = "($P run sh -- -c 'exec >&-; sleep 100' & echo $! > pid) | cat; kill $(cat pid); echo over"
    started = time.monotonic()
    assert shell(runner, script).out.endswith("over\n")
    assert time.monotonic() - started < 15


def test_device_files(runner):
    assert shell(runner, "$P run cat < /dev/null > /dev/null").ok().out == ""
    assert shell(runner, "$P run head -- -c 3 < /dev/zero").ok().out == "\0\0\0"
    assert "space" in shell(runner, "$P run echo -- x > /dev/full").err


def test_directory_on_stdin(runner, outside):
    (outside / "name").touch()
    outside.chmod(0o755)
    result = shell(runner, f"$P run sh -- -c 'ls /dev/stdin/; chmod 777 /dev/stdin' < {outside}")
    assert "name" in result.out
    assert (outside.stat().st_mode & 0o777) == 0o755


# ---- sockets and strange things -----------------------------------------------

def test_unix_stream_on_stdin(runner):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = runner.popen_porta("run", "sh", "--", "-c", "read x; echo got $x >&0",
                                     stdin=theirs)
        theirs.close()
        ours.sendall(b"word\n")
        assert ours.recv(100) == b"got word\n"
        assert ours.recv(100) == b""
        process.communicate(timeout=10)


@pytest.mark.parametrize("make", [
    lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    lambda: (socket.socket(socket.AF_NETLINK, socket.SOCK_RAW), socket.socket()),
], ids=["unix-datagram", "netlink"])
def test_sockets_that_send_anywhere_are_refused(runner, make):
    ours, theirs = make()
    with ours, theirs:
        result = runner.run("true", stdin=ours)
    assert result.code == 125 and "descriptor 0" in result.err


def test_internet_socket_only_where_the_network_is_full(runner):
    with socket.create_server(("127.0.0.1", 0)) as server, \
            socket.create_connection(server.getsockname()) as client:
        connection, _address = server.accept()
        with connection:
            connection.sendall(b"data\n")
            refused = runner.run("true", "--net", "blocked", stdin=client)
            assert refused.code == 125 and "descriptor 0" in refused.err
            assert runner.run("head", args=("-n", "1"), stdin=client).ok().out == "data\n"


def test_strange_descriptors_are_refused(runner):
    for fd in (os.eventfd(0), os.pidfd_open(os.getpid()), os.open("/", os.O_PATH),
               os.open("/proc/self/ns/net", os.O_RDONLY), os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)):
        result = runner.run("true", stdin=fd)
        os.close(fd)
        assert result.code == 125 and "descriptor 0" in result.err, str(result)


def test_memfd_is_kept(runner):
    fd = os.memfd_create("data")
    os.write(fd, b"data")
    os.lseek(fd, 0, os.SEEK_SET)
    assert runner.run("cat", stdin=fd).ok().out == "data"
    os.close(fd)


# ---- stdout and stderr ----------------------------------------------------------

@pytest.mark.parametrize("where", ["outside", "inside"])
def test_output_files(runner, outside, workspace, where):
    log = (outside if where == "outside" else workspace) / "log"
    flags = "-v ."
    shell(runner, f"echo first > {log}; $P run seq {flags} -- 50000 >> {log}; echo last >> {log}").ok()
    lines = log.read_text().split("\n")
    assert lines[0] == "first" and lines[-2] == "last" and len(lines) == 50003
    shell(runner, f"$P run sh {flags} -- -c 'for i in 1 2 3; do echo out; echo err >&2; done' "
          f"> {log} 2>&1").ok()
    assert log.read_text() == "out\nerr\n" * 3
    shell(runner, f"$P run sh {flags} -- -c 'for i in 1 2 3; do echo out; echo err >&2; done' "
          f">> {log} 2>&1").ok()
    assert log.read_text() == "out\nerr\n" * 6


@pytest.mark.parametrize("where", ["outside", "inside"])
def test_writers_of_one_description_do_not_overwrite_each_other(runner, outside, workspace, where):
    log = (outside if where == "outside" else workspace) / "log"
    script = f"{{ $P run seq -v . -- 1 2000 & $P run seq -v . -- 2001 4000 & seq 4001 6000; wait; }} > {log}"
    shell(runner, script).ok()
    # Lines may be cut where a program's buffer ended, as without porta; no byte is overwritten.
    expected = "".join(f"{number}\n" for number in range(1, 6001))
    assert sorted(log.read_text()) == sorted(expected)


def test_output_is_drained_after_a_kill(runner, outside):
    script = "import os; os.write(1, b'x' * 60000); os.kill(os.getpid(), 9)"
    result = shell(runner, f"$P run python3 -- -c \"{script}\" > {outside}/log; echo $?")
    assert result.out == "137\n"
    assert (outside / "log").stat().st_size == 60000


def test_full_disk_is_told(runner, outside):
    script = f"ulimit -f 8; $P run sh -- -c 'head -c 100000 /dev/zero' > {outside}/log; echo $?"
    result = shell(runner, script)
    assert result.out == "125\n" and "descriptor 1" in result.err


def test_metadata_is_out_of_reach(runner, as_user, outside):
    attempts = "import os, sys\n" \
        "for fd in (0, 1, 2):\n" \
        "  for act in (lambda: os.fchmod(fd, 0o777), lambda: os.utime(fd, (1, 1)),\n" \
        "              lambda: os.truncate(fd, 0), lambda: os.setxattr(fd, 'user.x', b'x'),\n" \
        "              lambda: os.write(os.open('/proc/self/fd/%d' % fd, os.O_WRONLY), b'z') if fd == 0 else 0):\n" \
        "    try: act()\n" \
        "    except OSError: pass\n"
    (outside / "in").write_text("data")
    (outside / "script.py").write_text(attempts)
    (outside / "log").write_text("kept\n")
    as_user.own(outside)
    for path in outside.iterdir():
        path.chmod(0o644)
    before = {name: (outside / name).stat() for name in ("in", "log")}
    shell(runner, f"cd {outside}; $P run python3 -- script.py < in >> log 2>&1").ok()
    assert (outside / "in").read_text() == "data"
    assert (outside / "log").read_text() == "kept\n"
    for name, seen in before.items():
        assert (outside / name).stat().st_mode == seen.st_mode
        assert (outside / name).stat().st_mtime > 1000
        assert os.listxattr(outside / name) == []


def test_large_output_to_a_file(runner, outside):
    shell(runner, f"$P run head -- -c 300000000 /dev/zero > {outside}/log").ok()
    assert (outside / "log").stat().st_size == 300_000_000


def test_two_portas_in_a_pipeline(runner):
    assert shell(runner, "$P run seq -- 1 5 | $P run tac").ok().out == "5\n4\n3\n2\n1\n"


def test_in_the_background_of_a_script(runner):
    script = "$P run sh -- -c 'sleep 0.2; echo late' & echo early; wait $!; echo code $?"
    assert shell(runner, script).ok().out == "early\nlate\ncode 0\n"


def test_signals_are_as_porta_was_started(runner):
    shown = "grep -E '^Sig(Blk|Ign)' /proc/self/status"
    bare = shell(runner, f"trap '' HUP USR2; {shown}").ok().out
    inside = shell(runner, f"trap '' HUP USR2; $P run sh -- -c \"{shown}\"").ok().out
    assert inside == bare


def test_broker_ends_while_a_reader_is_slow(runner, as_user, outside):
    """Draining to a reader that does not read can be interrupted."""
    os.mkfifo(outside / "out")
    as_user.own(outside)
    reader = os.open(outside / "out", os.O_RDONLY | os.O_NONBLOCK)
    process = runner.popen(["bash", "-c", f"exec {runner.program} run sh -- -c "
                            f"'head -c 120000 /dev/zero & sleep 0.3' > {outside}/out"])
    try:
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert harness.wait_until(lambda: process.poll() is not None)
    finally:
        os.close(reader)
        harness.kill_tree(process.pid)
        process.communicate()
