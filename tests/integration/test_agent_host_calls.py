"""What an agent asks of porta: exec_command and emit. For http_request see test_agent_http.py."""

import json
import os
import socket
import subprocess
import time

import pytest

import agents
import harness

pytestmark = agents.NEEDED


def execute(runner, request, *flags, **options):
    """The answer of porta.exec_command."""
    answer, _ = agents.call(runner, "exec", request, *flags, **options)
    return answer["ok"]


def program(runner, name, script):
    """An executable of the runner's, in a directory of its own."""
    directory = runner.cwd / "bin"
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


# ---- a command ---------------------------------------------------------------------------


def test_a_command(runner):
    assert execute(runner, {"command": "echo", "args": ["one", "two words", ""]}, "--allow-exec", "echo") == {
        "exit_code": 0, "stdout": "one two words \n", "stderr": ""}


def test_its_code_and_both_streams(runner):
    answer = execute(runner, {"command": "sh", "args": ["-c", "echo out; echo err >&2; exit 7"]}, "--allow-exec", "sh")
    assert answer == {"exit_code": 7, "stdout": "out\n", "stderr": "err\n"}


@pytest.mark.parametrize("name, code", [("TERM", 143), ("KILL", 137), ("SEGV", 139)])
def test_death_by_a_signal(runner, name, code):
    answer = execute(runner, {"command": "sh", "args": ["-c", f"kill -{name} $$"]}, "--allow-exec", "sh")
    assert answer["exit_code"] == code


def test_no_shell_reads_its_words(runner):
    word = "$(id); `id` | id > /tmp/x && $HOME *"
    assert execute(runner, {"command": "echo", "args": [word]}, "--allow-exec", "echo")["stdout"] == word + "\n"


def test_it_has_no_input(runner):
    assert execute(runner, {"command": "cat"}, "--allow-exec", "cat") == {"exit_code": 0, "stdout": "", "stderr": ""}


def test_several_words(runner):
    for command in ("echo", "printf"):
        assert execute(runner, {"command": command, "args": ["x"]}, "--allow-exec", "echo,printf",
                       "--allow-exec", "true")["exit_code"] == 0


def test_bytes_that_are_no_text(runner):
    """Each NUL is there, what is not UTF-8 is told to be so, and nothing is cut."""
    answer = execute(runner, {"command": "printf", "args": ["a\\000b\\377c\\303\\274"]}, "--allow-exec", "printf")
    assert answer["stdout"] == "a\0b\ufffdcü"


def test_long_output(runner):
    command = {"command": "sh", "args": ["-c", "head -c 5000000 /dev/zero | tr '\\0' x"]}
    assert execute(runner, command, "--allow-exec", "sh")["stdout"] == "x" * 5000000


def test_too_long_output(runner):
    begun = time.monotonic()
    assert "more than 16 MiB" in execute(runner, {"command": "yes"}, "--allow-exec", "yes")["error"]
    assert time.monotonic() - begun < 30


def test_its_directory(runner):
    (runner.cwd / "sub").mkdir()
    assert execute(runner, {"command": "pwd"}, "--allow-exec", "pwd")["stdout"] == f"{runner.cwd}\n"
    for cwd in ("sub", f"{runner.cwd}/sub"):
        assert execute(runner, {"command": "pwd", "cwd": cwd}, "--allow-exec", "pwd")["stdout"] == f"{runner.cwd}/sub\n"
    answer = execute(runner, {"command": "pwd", "cwd": "missing"}, "--allow-exec", "pwd")
    assert answer["exit_code"] == agents.FAILED and "missing" in answer["stderr"]


def test_its_environment(runner):
    """The allowlist and -e; no secret, and nothing of the host's."""
    answer = execute(runner, {"command": "env"}, "--allow-exec", "env", "-e", "MINE=yes", "--secret", "KEY=hidden",
                     env={"AWS_SECRET_ACCESS_KEY": "x", "LC_ALL": "C"})
    lines = answer["stdout"].splitlines()
    assert {"MINE=yes", "LC_ALL=C"} <= set(lines) and any(line.startswith("PATH=") for line in lines)
    assert "hidden" not in answer["stdout"] and "AWS" not in answer["stdout"]


def test_what_it_may_write_is_what_the_agent_may(runner):
    """It runs in the native sandbox, with the same -v."""
    (runner.cwd / "ws").mkdir()
    (runner.cwd / "other").mkdir()
    runner.identity.own(runner.cwd)
    for name, flags, code in (("ws", ("-v", "ws"), 0), ("other", ("-v", "ws"), 1), ("ws", ("-v", "ws:ro"), 1), ("ws", (), 1)):
        answer = execute(runner, {"command": "touch", "args": [f"{name}/file"]}, "--allow-exec", "touch", *flags)
        assert answer["exit_code"] == code, (name, flags, answer)
        assert (runner.cwd / name / "file").exists() == (code == 0)
        (runner.cwd / name / "file").unlink(missing_ok=True)


def test_its_network_is_the_runs(runner):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = f"import socket; print(socket.socket().connect_ex(('127.0.0.1', {port})) == 0)"
        command = {"command": "/usr/bin/python3", "args": ["-c", script]}
        for flags, reached in ((("--net", "blocked"), False), (("--allow-net", "192.0.2.1:80"), False),
                               (("--allow-net", f"127.0.0.1:{port}"), True), ((), True)):
            answer = execute(runner, command, "--allow-exec", "/usr/bin/python3", *flags)
            assert (answer["stdout"] == "True\n") == reached, (flags, answer)


def test_what_it_starts_ends_with_its_call(runner):
    command = {"command": "sh", "args": ["-c", "(setsid sleep 300 > /dev/null 2>&1 &) ; sleep 300 > /dev/null 2>&1 & echo done"]}
    begun = time.monotonic()
    assert execute(runner, command, "--allow-exec", "sh") == {"exit_code": 0, "stdout": "done\n", "stderr": ""}
    assert time.monotonic() - begun < 20
    # nothing_left, of conftest.py, looks for survivors.


def test_the_timeout_is_of_the_run(runner):
    agent = agents.put(runner, "agent.c")
    result = runner.porta("run", agent, "--allow-exec", "sleep", "--timeout", "700ms",
                          input=agents.message("exec", {"command": "sleep", "args": ["300"]}))
    assert "timed out" in result.out + result.err, str(result)


@pytest.mark.parametrize("number", [9, 15])
def test_a_run_that_is_killed_takes_the_command_along(runner, number):
    agent = agents.put(runner, "agent.c")
    (runner.cwd / "request").write_bytes(agents.message(
        "exec", {"command": "sh", "args": ["-c", "echo > started; sleep 300"]}))
    runner.identity.own(runner.cwd)
    with (runner.cwd / "request").open("rb") as stdin:
        process = runner.popen_porta("run", agent, "--allow-exec", "sh", "-v", ".", stdin=stdin)
    assert harness.wait_until((runner.cwd / "started").exists)
    tree = harness.descendants(process.pid)
    assert len(tree) >= 4
    process.send_signal(number)
    process.communicate(timeout=20)
    assert harness.wait_until(lambda: not harness.living(tree))


# ---- which command -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["cat", "/bin/echo", "./echo", "../bin/echo", "ECHO", "echo ", " echo", "", "echo\n",
                                     "/usr/bin/../bin/echo"])
def test_a_command_is_exactly_a_listed_word(runner, command):
    assert "not one that --allow-exec names" in execute(runner, {"command": command}, "--allow-exec", "echo")["error"]


def test_a_listed_path_is_that_path(runner):
    path = program(runner, "tool", "echo mine")
    assert execute(runner, {"command": str(path)}, "--allow-exec", str(path))["stdout"] == "mine\n"
    assert "not one that" in execute(runner, {"command": "tool"}, "--allow-exec", str(path))["error"]


def test_it_is_found_in_path(runner):
    path = program(runner, "tool", "echo mine")
    env = {"PATH": f"{path.parent}:/usr/bin:/bin"}
    assert execute(runner, {"command": "tool"}, "--allow-exec", "tool", env=env)["stdout"] == "mine\n"


@pytest.mark.parametrize("path", ["bin", "./bin", "", ":bin:", "{cwd}/missing:bin"])
def test_no_relative_entry_of_path_counts(runner, path):
    program(runner, "tool", "echo mine")
    request = runner.cwd / "request"
    request.write_bytes(agents.message("exec", {"command": "tool"}))
    result = runner.bare("/bin/sh", "-c", 'PATH=$1; exec "$0" run "$2" --allow-exec tool < "$3"', runner.program,
                         path.format(cwd=runner.cwd), agents.put(runner, "agent.c"), request).ok()
    answer = json.loads(result.out)["ok"]
    assert "not found" in answer["error"], answer


@pytest.mark.parametrize("mount", [".", "bin", "bin/tool", "{cwd}", "link"])
def test_nothing_that_the_agent_can_write_is_a_command(runner, mount):
    """Neither by its name, by its path, nor by a symlink from elsewhere."""
    path = program(runner, "tool", "echo mine")
    (runner.cwd / "link").symlink_to("bin")
    runner.identity.own(runner.cwd)
    env = {"PATH": f"{path.parent}:/usr/bin:/bin"}
    flags = ("-v", mount.format(cwd=runner.cwd))
    for word in ("tool", str(path), f"{runner.cwd}/link/tool"):
        answer = execute(runner, {"command": word}, "--allow-exec", word, *flags, env=env)
        assert "not found outside of what the agent can write" in answer["error"], (word, answer)
    assert execute(runner, {"command": "tool"}, "--allow-exec", "tool", "-v", "bin:ro", env=env)["stdout"] == "mine\n"


def test_a_later_entry_of_path_where_the_first_can_be_written(runner):
    """A planted `echo` is passed over, the system's runs."""
    path = program(runner, "echo", "echo planted")
    answer = execute(runner, {"command": "echo", "args": ["real"]}, "--allow-exec", "echo", "-v", ".",
                     env={"PATH": f"{path.parent}:/usr/bin:/bin"})
    assert answer["stdout"] == "real\n"


def test_without_the_flag_no_command_runs(runner):
    assert "--allow-exec names them" in execute(runner, {"command": "echo"})["error"]


def test_without_the_capability_the_agent_does_not_run(runner):
    result = runner.porta("run", agents.put(runner, "agent.c"), "--cap", "io,process,net", "--allow-exec", "echo",
                          input=agents.message("exec", {"command": "echo"}))
    assert result.code == agents.REFUSED and result.out == "" and "exec_command" in result.err, str(result)


@pytest.mark.parametrize("request_", [{}, {"command": 5}, {"command": None}, {"command": "echo", "args": "x"},
                                      {"command": "echo", "args": [1]}, {"command": "echo", "args": ["x"] * 20000},
                                      {"command": "echo", "cwd": 5}])
def test_what_is_no_request(runner, request_):
    answer, _ = agents.call(runner, "exec", request_, "--allow-exec", "echo")
    assert answer == {"err": "the host said -1"}


# ---- emit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [{"type": "log", "level": "info", "data": "text"},
                                   {"type": "progress", "progress": 1, "total": 3, "message": "one"}])
def test_an_event_is_a_line_on_stderr(runner, event):
    answer, result = agents.call(runner, "emit", event)
    assert answer == {"ok": None} and json.loads(result.err) == event


def test_an_event_is_one_line_without_control_characters(runner):
    _, result = agents.call(runner, "emit", {"type": "log", "data": "a\nb\x1b[2J\u0085\x07"})
    assert result.err.count("\n") == 1 and not set("\x1b\x07\u0085") & set(result.err)


@pytest.mark.parametrize("event", [{}, {"type": "other"}, {"type": 5}, [], "log", None])
def test_what_is_no_event(runner, event):
    answer, result = agents.call(runner, "emit", event)
    assert answer == {"err": "the host said -1"} and result.err == ""


# ---- pointers --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in agents.wasm_bytes.CRAFTED
                                  if name.startswith(("outside_", "overlapping_", "bad_json_", "not_utf8_"))])
def test_pointers_outside_of_memory(runner, name):
    """An import says that they are wrong, or the agent traps; porta goes on."""
    result = agents.run(runner, name, "--allow-exec", "true", "--timeout", "20s")
    assert result.code not in (agents.CRASHED, agents.TIMEOUT, agents.FAILED), str(result)
    assert result.err == "" or result.err.startswith("porta: run: the agent trapped: "), str(result)
    if name.startswith(("outside_http", "outside_exec", "outside_emit", "bad_json_", "not_utf8_")):
        assert result.code == 255, str(result)


def test_a_busy_pipe_of_events(runner):
    """Events that nobody reads hold the agent up, and nothing else: it ends in time."""
    read_fd, write_fd = os.pipe()
    try:
        process = runner.popen_porta("run", agents.put(runner, "events.c"), "--timeout", "1s",
                                     stderr=write_fd, stdout=subprocess.DEVNULL)
        assert process.wait(20) == agents.TIMEOUT
    finally:
        os.close(write_fd)
        os.close(read_fd)
