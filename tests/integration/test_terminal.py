"""An interactive session: a shell on a terminal of its own, in which porta runs commands as jobs."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import termios
import time

import agents
import harness
import pytest

PROMPT = "P> "
WAIT_S = 10
CTRL_C, CTRL_D, CTRL_Z, CTRL_BACKSLASH = "\x03", "\x04", "\x1a", "\x1c"


class Terminal:
    """A program on a new terminal, and what was seen of it since the last expectation."""

    def __init__(self, runner, argv, **env):
        self.master_fd, slave_fd = pty.openpty()
        self.slave_name = os.ttyname(slave_fd)
        if os.geteuid() == 0:
            os.chown(self.slave_name, runner.identity.uid, runner.identity.gid)
        self.resize(24, 80)
        self.seen = ""

        def take_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = runner.popen(argv, env={"P": runner.program, "PS1": PROMPT, **env},
                                    stdin=slave_fd, stdout=slave_fd, stderr=slave_fd,
                                    preexec_fn=take_terminal)
        os.close(slave_fd)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master_fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text):
        os.write(self.master_fd, text.encode())

    def line(self, text):
        self.send(text + "\r")

    def _read(self, timeout_s):
        if not select.select([self.master_fd], [], [], max(timeout_s, 0))[0]:
            return False
        try:
            text = os.read(self.master_fd, 65536)
        except OSError:  # EIO: nobody has the terminal any more
            text = b""
        self.seen += text.decode(errors="replace")
        return bool(text)

    def expect(self, pattern, timeout_s=WAIT_S):
        """Waits for a regular expression, and takes what was seen up to its end away."""
        end = time.monotonic() + timeout_s
        while True:
            match = re.search(pattern, self.seen, re.MULTILINE)
            if match:
                before, self.seen = self.seen[:match.end()], self.seen[match.end():]
                return before
            if time.monotonic() > end or (not self._read(end - time.monotonic())
                                          and time.monotonic() < end):
                raise AssertionError(f"waited for {pattern!r}, saw {self.seen!r}")

    def run(self, command, timeout_s=WAIT_S):
        """A command of the shell, to its next prompt; what it printed."""
        self.line(command)
        self.expect(r"\r\n", timeout_s)  # the echo of the line
        return self.prompt(timeout_s)[:-len(PROMPT)].replace("\r\n", "\n")

    def prompt(self, timeout_s=WAIT_S):
        """The shell's prompt, also behind the echo of Ctrl-C."""
        return self.expect(r"(^|\^C|\^\\)" + re.escape(PROMPT), timeout_s)

    def close(self):
        harness.kill_tree(self.process.pid)
        os.close(self.master_fd)
        self.process.wait()


@pytest.fixture
def start(runner):
    """start(argv) puts a program on a terminal; a shell by default."""
    made = []

    def start_one(argv=("bash", "--norc", "--noprofile", "--noediting", "-i"), **env):
        made.append(Terminal(runner, list(argv), **env))
        return made[-1]

    yield start_one
    for terminal in made:
        terminal.close()


@pytest.fixture
def shell(start):
    terminal = start()
    terminal.prompt()
    terminal.run("set -b")  # a job's stop is told at once
    return terminal


def process_of(shell, name):
    """The command `name` that runs below the shell."""
    def find():
        table = harness.process_table()
        return [pid for pid in harness.descendants(shell.process.pid, table)
                if table[pid][2] == name and table[pid][1] != "Z"]
    assert harness.wait_until(lambda: len(find()) == 1), f"no process {name}"
    return find()[0]


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def wait_for_state(pid, state):
    assert harness.wait_until(lambda: state_of(pid) == state), f"{pid} is {state_of(pid)}"


# A container may have no console.
NAME_INSIDE = "/dev/console" if os.path.exists("/dev/console") else "/dev/pts/0"


# ---- what the command sees ----------------------------------------------------

def test_it_is_a_terminal(shell):
    out = shell.run("$P run sh -- -c 'tty; stty size; test -t 1 && test -t 2 && echo both'")
    assert out == f"{NAME_INSIDE}\n24 80\nboth\n"
    assert shell.run("$P run sh -- -c 'echo to-tty > /dev/tty; echo again > $(tty)'") == \
        "to-tty\nagain\n"


def test_it_is_in_the_foreground(shell):
    script = "import os; print(os.tcgetpgrp(0) == os.getpgrp() == os.getpid() > 1)"
    assert shell.run(f"$P run python3 -- -c '{script}'") == "True\n"


def test_its_mode_and_owner_stay(shell):
    before = os.stat(shell.slave_name)
    shell.run("$P run sh -- -c 'chmod 666 /dev/stdin $(tty) /dev/tty; touch -d @1 /dev/stdin'")
    after = os.stat(shell.slave_name)
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert after.st_mtime > 1000


def test_modes_that_it_sets_stay(shell):
    shell.run("$P run stty -- -echo")
    shell.line("stty -a | grep -o -e '-echo ' ; stty echo")
    assert "-echo" in shell.expect(re.escape(PROMPT))


# ---- keys --------------------------------------------------------------------

def test_ctrl_c(shell):
    shell.line("$P run sleep -- 100")
    process_of(shell, "sleep")
    shell.send(CTRL_C)
    shell.prompt()
    assert shell.run("echo $?") == "130\n"


def test_ctrl_c_ends_a_loop_of_the_shell(shell):
    shell.line("for i in 1 2 3; do $P run sleep -- 100; done")
    process_of(shell, "sleep")
    shell.send(CTRL_C)
    shell.prompt()
    assert shell.run("echo $?") == "130\n"


def test_ctrl_c_that_the_command_handles(shell):
    shell.line("$P run python3 -- -c 'import time\r"
               "try: time.sleep(100)\r"
               "except KeyboardInterrupt: print(\"handled\" + \" it\")'")
    wait_for_state(process_of(shell, "python3"), "S")
    time.sleep(0.3)
    shell.send(CTRL_C)
    shell.expect("handled it")
    shell.prompt()


def test_ctrl_backslash(shell):
    shell.line("$P run sleep -- 100")
    process_of(shell, "sleep")
    shell.send(CTRL_BACKSLASH)
    shell.prompt()
    assert shell.run("echo $?") == "131\n"


def test_ctrl_c_in_a_pipeline(shell):
    shell.line("$P run sleep -- 100 | $P run cat")
    process_of(shell, "sleep")
    process_of(shell, "cat")
    shell.send(CTRL_C)
    shell.prompt()
    # The second may meet the end of its input, when the first has died, before the signal.
    assert shell.run("echo ${PIPESTATUS[*]}") in ("130 130\n", "130 0\n")


def test_ctrl_z_and_fg(shell):
    shell.line("$P run cat")
    shell.line("one")
    shell.expect("one\r\none\r\n")
    shell.send(CTRL_Z)
    shell.expect("Stopped")
    shell.prompt()
    wait_for_state(process_of(shell, "cat"), "T")
    assert "Stopped" in shell.run("jobs")
    for word in ("two", "three"):
        shell.line("fg")
        shell.expect("fg\r\n.*run cat\r\n")
        shell.line(word)
        shell.expect(f"{word}\r\n{word}\r\n")
        shell.send(CTRL_Z)
        shell.prompt()
    shell.line("fg")
    shell.send(CTRL_D)
    shell.prompt()
    assert shell.run("echo $?") == "0\n"


def test_ctrl_z_and_bg(shell):
    shell.line("$P run sh -- -c 'sleep 1; echo fin\"\"ished; sleep 100'")
    process_of(shell, "sleep")
    shell.send(CTRL_Z)
    shell.prompt()
    shell.run("bg")
    shell.expect("finished")
    # Brought back while it runs, it gets no signal that would tell; Ctrl-C reaches it all the same.
    shell.line("fg")
    time.sleep(0.2)
    shell.send(CTRL_C)
    shell.prompt()
    assert shell.run("echo $?") == "130\n"


def test_ctrl_z_in_a_pipeline(shell):
    shell.line("yes | $P run sleep -- 100 | cat")
    sleep = process_of(shell, "sleep")
    cat = process_of(shell, "cat")
    shell.send(CTRL_Z)
    shell.prompt()
    wait_for_state(sleep, "T")
    wait_for_state(cat, "T")
    shell.line("fg")
    wait_for_state(sleep, "S")
    wait_for_state(cat, "S")
    shell.send(CTRL_C)
    shell.prompt()


def test_ctrl_z_of_a_script(shell, workspace):
    (workspace / "script").write_text("$P run sleep -- 100\necho after\n")
    shell.line("sh script")
    sleep = process_of(shell, "sleep")
    shell.send(CTRL_Z)
    shell.prompt()
    wait_for_state(process_of(shell, "sh"), "T")
    shell.line("fg")
    wait_for_state(sleep, "S")
    wait_for_state(process_of(shell, "sh"), "S")
    os.kill(sleep, signal.SIGTERM)
    shell.expect("^after")
    shell.prompt()


def test_stop_and_continue_by_signal(shell):
    shell.line("$P run sleep -- 100")
    sleep = process_of(shell, "sleep")
    os.kill(sleep, signal.SIGSTOP)
    shell.expect("Stopped")
    shell.prompt()
    wait_for_state(sleep, "T")
    shell.run("kill -CONT %1")
    wait_for_state(sleep, "S")
    shell.run("kill %1")
    assert harness.wait_until(lambda: not os.path.exists(f"/proc/{sleep}"))


def test_resize(shell):
    shell.line("$P run bash -- -c 'trap \"stty size\" WINCH; echo re\"\"ady; "
               "while :; do read -t 0.1 x; done'")
    shell.expect("ready")
    shell.resize(30, 100)
    shell.expect("30 100")
    time.sleep(0.3)  # a shell whose child ends well as Ctrl-C comes takes it for handled
    shell.send(CTRL_C)
    shell.prompt()


def test_resize_where_the_pipeline_has_the_terminal(shell):
    shell.line("$P run bash -- -c 'trap \"stty size < /dev/tty\" WINCH; echo re\"\"ady; "
               "while :; do sleep 0.1; done' | cat")
    shell.expect("ready")
    shell.resize(30, 100)
    shell.expect("30 100")
    # A shell whose child ends well as Ctrl-C comes takes it for handled.
    for _ in range(3):
        time.sleep(0.25)
        shell.send(CTRL_C)
    shell.prompt()


# ---- agents ---------------------------------------------------------------------


@agents.NEEDED
@pytest.mark.parametrize("guest, flags", [("loop.c", ""), ("files_loop.c", "-v .")], ids=["alone", "sandboxed"])
def test_an_agent_at_a_terminal(shell, runner, guest, flags):
    """Ctrl-Z and fg; Ctrl-C ends the shell's loop too."""
    agent = agents.put(runner, guest, "agent.wasm")
    shell.line(f"for i in 1 2 3; do $P run {agent} {flags}; done")
    shell.expect("begun")
    shell.send(CTRL_Z)
    shell.expect("Stopped")
    shell.prompt()
    shell.line("fg")
    shell.expect("run")
    time.sleep(0.2)
    shell.send(CTRL_C)
    shell.prompt()
    shell.line(f"for i in 1 2 3; do $P run {agent} {flags}; done; echo not $((1 + 1))")
    shell.expect("begun")
    shell.send(CTRL_C)
    assert "not 2" not in shell.prompt() and "begun" not in shell.seen


@agents.NEEDED
def test_an_agent_reads_the_terminal(shell, runner):
    agent = agents.put(runner, "echo.c", "agent.wasm")
    shell.line(f"$P run {agent}; echo code $?")
    time.sleep(0.3)
    shell.line("a word")
    shell.expect("a word\r\na word\r\n")
    shell.send("\x04")
    shell.expect("code 0")


# ---- the background ------------------------------------------------------------

def test_background_reader_stops_and_reads_after_fg(shell):
    shell.line("$P run sh -- -c 'read x; echo got $x' &")
    shell.expect("Stopped")
    shell.line("fg")
    time.sleep(0.2)
    shell.line("word")
    shell.expect("got word")
    shell.prompt()


def test_background_reader_stops_again_after_bg(shell):
    shell.line("$P run cat &")
    shell.expect("Stopped")
    cat = process_of(shell, "cat")
    for _ in range(3):
        wait_for_state(cat, "T")
        shell.line("bg")
        shell.expect("Stopped")
    shell.line("kill -9 %1")
    assert harness.wait_until(lambda: not os.path.exists(f"/proc/{cat}"))


def test_background_writer_under_tostop(shell):
    shell.run("stty tostop")
    shell.line("$P run sh -- -c 'echo writ\"\"ten' &")
    shell.expect("Stopped")
    shell.line("fg")
    shell.expect("written")


def test_background_of_a_script_leaves_the_terminal(shell, workspace):
    (workspace / "script").write_text("$P run sleep -- 1 &\nread x\necho got $x\nwait\n")
    shell.line("bash script")
    process_of(shell, "sleep")
    shell.line("word")
    shell.expect("got word")
    shell.prompt()


# ---- who else wants the terminal -------------------------------------------------

@pytest.mark.skipif(not shutil.which("less"), reason="needs less")
def test_pager_after_porta(shell):
    shell.line("$P run seq -- 1000 | less")
    shell.expect("23\r\n")
    shell.send("G")
    shell.expect("1000")
    shell.send("q")
    shell.expect(re.escape(PROMPT))
    assert shell.run("echo ok") == "ok\n"


@pytest.mark.skipif(not shutil.which("less"), reason="needs less")
def test_pager_inside(shell):
    shell.line("seq 1000 | $P run less")
    shell.expect("23\r\n")
    shell.send("G")
    shell.expect("1000")
    shell.expect(r"\(END\)")
    time.sleep(0.5)  # less misses a signal between its last look and its read, also without porta
    shell.send(CTRL_Z)
    shell.expect(re.escape(PROMPT))
    shell.line("fg")
    shell.expect(r"\(END\)")
    shell.send("g")
    shell.expect("[^0-9]1\r\n")
    shell.send("q")
    shell.expect(re.escape(PROMPT))
    assert shell.run("echo ok") == "ok\n"


def test_two_in_one_pipeline_that_both_read(shell):
    read = "read x < /dev/tty; echo $0 got $x > /dev/tty"
    shell.line(f"$P run sh -- -c '{read}' first | $P run sh -- -c 'cat; {read}' second")
    time.sleep(0.3)
    shell.line("one")
    shell.expect("first got one")
    shell.line("two")
    shell.expect("second got two")
    shell.prompt()
    assert shell.run("echo ok") == "ok\n"


def test_first_that_ends_leaves_the_terminal_with_the_second(shell):
    second = "exec < /dev/tty; read x; echo 1 $x; read x; echo 2 $x"
    shell.line(f"$P run sleep -- 0.7 | $P run sh -- -c '{second}'")
    time.sleep(0.3)
    shell.line("one")
    shell.expect("1 one")
    time.sleep(1)
    shell.line("two")
    shell.expect("2 two")
    shell.prompt()


# ---- programs ------------------------------------------------------------------

def test_a_shell_inside(shell):
    shell.line("$P run bash -- --norc --noprofile --noediting -i")
    time.sleep(0.3)
    shell.line("PS1='in''> '")
    shell.expect("^in> ")
    for _ in range(2):
        shell.line("sleep 100")
        process_of(shell, "sleep")
        shell.send(CTRL_Z)
        shell.expect(r"Stopped +sleep")
        shell.expect("in> ")
        shell.line("fg")
        wait_for_state(process_of(shell, "sleep"), "S")
        time.sleep(0.1)
        shell.send(CTRL_C)
        shell.expect("in> ")
    shell.line("sleep 100 &")
    shell.expect("in> ")
    shell.line("jobs")
    shell.expect(r"Running +sleep")
    shell.line("suspend -f")
    shell.prompt()
    shell.line("fg")
    shell.line("echo ba''ck")
    shell.expect("back")
    shell.line("exit 3")
    shell.prompt()
    assert shell.run("echo $?") == "3\n"


@pytest.mark.skipif(not shutil.which("vim"), reason="needs vim")
def test_an_editor_inside(shell, workspace):
    shell.line("$P run vim -v . -- -u NONE -i NONE -n file")
    shell.expect("file")
    shell.send("ihello\x1b")
    shell.expect("hello")
    time.sleep(1)  # or the editor takes the next key for Alt and that key
    shell.send(CTRL_Z)
    shell.expect(re.escape(PROMPT))
    shell.line("fg")
    time.sleep(0.5)
    shell.line(":wq")
    shell.expect(re.escape(PROMPT))
    assert (workspace / "file").read_text() == "hello\n"


# ---- ends ----------------------------------------------------------------------

def test_modes_after_a_kill_in_a_script(shell, workspace):
    (workspace / "script").write_text("$P run sh -- -c 'stty raw -echo; kill -9 $$'\nstty -a\n")
    assert re.search(r" icanon .* echo ", shell.run("sh script").replace("\n", " "))


def test_porta_killed_leaves_a_working_shell(shell):
    shell.line("$P run sleep -- 100")
    sleep = process_of(shell, "sleep")
    os.kill(harness.descendants(shell.process.pid)[0], signal.SIGKILL)
    shell.expect("Killed")
    shell.prompt()
    assert harness.wait_until(lambda: not os.path.exists(f"/proc/{sleep}"))
    assert shell.run("echo ok") == "ok\n"


def test_as_session_leader_a_stop_is_undone(start, runner):
    """As in a terminal window of its own: an orphaned group that nobody could continue."""
    terminal = start([runner.program, "run", "cat"])
    terminal.line("one")
    terminal.expect("one\r\none\r\n")
    terminal.send(CTRL_Z)
    terminal.line("two")
    terminal.expect("two\r\ntwo\r\n")
    terminal.send(CTRL_C)
    assert harness.wait_until(lambda: terminal.process.poll() is not None)


def test_hang_up_ends_the_run(start, runner):
    terminal = start([runner.program, "run", "sleep", "--", "100"])
    process_of(terminal, "sleep")
    os.close(terminal.master_fd)
    terminal.master_fd = os.open("/dev/null", os.O_RDONLY)
    assert harness.wait_until(lambda: terminal.process.poll() is not None)


READ_AND_TELL = 'read x; echo go""t $x; test -t 0 && echo termi""nal || echo pum""ped'


def test_a_terminal_without_control(runner, as_user):
    """Under a program that gives a terminal to something without job control."""
    master_fd, slave_fd = pty.openpty()
    as_user.own(os.ttyname(slave_fd))
    process = runner.popen_porta("run", "sh", "--", "-c", READ_AND_TELL, stdin=slave_fd)
    os.write(master_fd, b"word\n")
    out, _err = process.communicate(timeout=WAIT_S)
    os.close(master_fd)
    os.close(slave_fd)
    assert out == b"got word\nterminal\n"


def test_another_terminal_is_pumped(shell, start):
    """Of a terminal that is not its own the command gets the data alone."""
    other = start(["sleep", "100"])
    shell.line(f"$P run sh -- -c '{READ_AND_TELL}' < {other.slave_name}")
    time.sleep(0.3)
    other.line("words")
    shell.expect("got words\r\npumped")
    shell.line(f"$P run sh -- -c 'echo shown; exec 1>&2; test -t 1 && echo o\"\"wn' > {other.slave_name}")
    shell.expect("own\r\n")
    other.expect("shown")


def test_the_terminal_of_another_user(start, machine, as_user, workspace):
    """After su the terminal's name cannot be opened, but it is still the controlling one."""
    if not as_user.is_root:
        return  # takes root, to become another user
    user = machine.identities["user"]
    user.own(workspace)
    terminal = start(["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups",
                      machine.program, "run", "sh", "--", "-c",
                      READ_AND_TELL + "; tty; chmod 666 /dev/stdin"])
    os.chown(terminal.slave_name, 0, 0)
    time.sleep(0.2)
    terminal.line("word")
    terminal.expect("got word\r\nterminal\r\n")
    terminal.expect("/dev/tty")
    terminal.expect("Read-only")
