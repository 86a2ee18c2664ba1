"""The command line: help, errors and exit codes as a person meets them; README's table; completion."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys

import pytest

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "guests"))
import build  # noqa: E402

ROOT = harness.ROOT
PORTA = str(harness.PROGRAM)
HAS_AGENTS = harness.PROGRAM.with_name("porta-engine").exists()
AGENT_COMMANDS = ["serve", "inspect", "validate", "build", "cache"]
COMMANDS = ["run", "up", "init", "explain", *(AGENT_COMMANDS if HAS_AGENTS else []), "doctor", "completion", "version", "help"]


def porta(*args, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run([PORTA, *args], check=False, timeout=30, **options)
    for name in ("stdout", "stderr"):
        text = getattr(done, name)
        if isinstance(text, bytes):
            setattr(done, name, text.decode("utf-8", "surrogateescape"))
    return done


def assert_refused(done, *parts, code=125):
    """One sentence on stderr that holds `parts`, nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("porta: ") and done.stderr.endswith("\n")
    assert done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr


# --- help ---

def flags_of(help_text):
    """{"-v, --volume PATH[:ro]": "let the command ..."} from `porta run --help`."""
    flags = {}
    heading = None
    for line in help_text.splitlines():
        found = re.match(r"^  (-\S.*?)(?:  +(\S.*))?$", line)
        if found:
            heading = found.group(1)
            flags[heading] = found.group(2) or ""
        elif heading and re.match(r"^ {20,}\S", line):
            flags[heading] = f"{flags[heading]} {line.strip()}".strip()
        else:
            heading = None
    return flags


def readme_flags(heading):
    """The same from a table in README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return {heading.replace("`", ""): help_text
            for heading, help_text in re.findall(r"^\| (`-[^|]*) \| (.*) \|$", section, re.MULTILINE)}


def test_the_table_in_readme_is_that_of_the_program():
    run = flags_of(porta("run", "--help").stdout)
    assert readme_flags("Flag") == run
    if HAS_AGENTS:
        serve = flags_of(porta("serve", "--help").stdout)
        assert readme_flags("Flag of `porta serve`") == {flag: text for flag, text in serve.items() if flag not in run}
        assert set(run) <= set(serve)


def test_the_tour_in_readme_is_understood(tmp_path):
    """Each of its runs becomes a plan, or ends because this machine lacks the command itself."""
    (tmp_path / "vendor").mkdir()
    (tmp_path / ".claude").mkdir()
    (tmp_path / "test.env").touch()
    (tmp_path / "workspace").mkdir()
    shutil.copy(build.guest("hello.c"), tmp_path / "agent.wasm")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    (porta (?:run|explain) .*?)(?:   .*)?$", text, re.MULTILINE)
    assert len(lines) >= 10
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line.replace("porta run", "porta explain")], cwd=tmp_path, check=False,
            env={"PATH": f"{pathlib.Path(PORTA).parent}:/usr/bin:/bin", "HOME": str(tmp_path),
                 "API_KEY": "hunter2"},
            capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        assert "hunter2" not in done.stdout
        if not HAS_AGENTS and "agent.wasm" in line:
            assert done.returncode == 125 and "is built without them" in done.stderr
            continue
        assert done.returncode in (0, 127), f"{line}: {done.stderr}"


def test_explain_has_the_flags_of_run_and_json():
    run = flags_of(porta("run", "--help").stdout)
    explain = flags_of(porta("explain", "--help").stdout)
    assert set(explain) - set(run) == {"--json", "--file FILE"}
    assert set(run) <= set(explain)
    assert set(flags_of(porta("up", "--help").stdout)) == set(run) | {"--file FILE"}


@pytest.mark.parametrize("args", [["help"], ["--help"], ["-h"]])
def test_help_lists_every_command(args):
    done = porta(*args)
    assert done.returncode == 0 and done.stderr == ""
    assert re.findall(r"^  (\w+)  +[a-z]", done.stdout, re.MULTILINE) == COMMANDS


def test_alone_it_shows_the_list_as_an_error():
    done = porta()
    assert done.returncode == 125 and done.stdout == ""
    assert done.stderr == porta("help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    texts = [porta("help", command), porta(command, "--help"), porta(command, "-h")]
    for done in texts:
        assert done.returncode == 0 and done.stderr == ""
        assert done.stdout == texts[0].stdout
        assert done.stdout.startswith(f"Usage: porta {command}")
        assert max(len(line) for line in done.stdout.splitlines()) <= 80


if not HAS_AGENTS:
    @pytest.mark.parametrize("command", AGENT_COMMANDS)
    def test_a_build_without_agents_says_so(command):
        for done in (porta(command, "agent.wasm"), porta("help", command)):
            assert done.returncode == 125 and "WASM agents, and this porta is built without them" in done.stderr


def test_version():
    version = porta("version").stdout
    assert re.fullmatch(r"porta \d+\.\d+\.\d+\n", version)
    assert porta("--version").stdout == version
    assert json.loads(porta("version", "--json").stdout) == {"version": version.split()[1]}


# --- errors ---

@pytest.mark.parametrize("args, parts", [
    (["rnu"], ["'rnu'", "did you mean run?"]),
    (["help", "explian"], ["did you mean explain?"]),
    (["--net", "blocked", "run", "ls"], ["'--net'"]),
    (["doctor", "--frob"], ["'--frob'", "--json"]),
    (["version", "now"], ["'now'", "right form: porta version [--json]"]),
    (["completion"], ["bash|zsh|fish"]),
    (["completion", "csh"], ["'csh'", "bash|zsh|fish"]),
    (["run"], ["no command", "porta run <target>"]),
    (["run", "--alow-net", "x:1", "ls"], ["--alow-net", "did you mean --allow-net?"]),
    (["run", "ls", "-v", "--net", "full"], ["-v needs a value", "'--net'", "PATH"]),
    (["run", "node", "-v", ".", "server.js"], ["porta run node -v . -- server.js"]),
    (["run", "ls", "--allow-net", "example.com"], ["--allow-net 'example.com'", "example.com:443"]),
    (["run", "ls", "--allow-net", "example.com:99999"], ["--allow-net 'example.com:99999'"]),
    (["run", "ls", "--net", "open"], ["--net 'open'", "loopback_only"]),
    (["run", "ls", "--timeout", "soon"], ["--timeout 'soon'", "90s"]),
    (["run", "ls", "--env-file", "/nowhere"], ["--env-file '/nowhere'"]),
    (["run", "ls", "-v", "/nowhere/at/all"], ["/nowhere/at/all"]),
    (["run", "ls", "--profile", "full"], ["--profile", "WASM agent", "--allow-exec"]),
    (["run", "ls", "--cap", "io"], ["--cap", "WASM agent"]),
    (["run", "ls", "--cap", "io,disk"], ["--cap 'io,disk'", "\"disk\"", "fs.write"]),
    (["run", "ls", "--profile", "big"], ["--profile 'big'", "ai-agent"]),
    (["run", "ls", "--profile", "full", "--cap", "io"], ["exclude each other"]),
    (["run", "ls", "--step-limit", "5"], ["--step-limit", "--timeout"]),
    (["run", "ls", "--max-memory", "5"], ["--max-memory", "--limit memory"]),
    (["run", "ls", "--max-memory", "65537"], ["--max-memory '65537'", "65536"]),
])
def test_errors_are_one_sentence(args, parts):
    assert_refused(porta(*args), *parts)


@pytest.mark.parametrize("command", ["run", "explain"])
def test_commands_that_cannot_run(command, tmp_path):
    text = tmp_path / "text"
    text.write_text("no program\n")
    assert_refused(porta(command, "no-such-command-anywhere"), "no-such-command-anywhere", code=127)
    assert_refused(porta(command, str(tmp_path / "missing")), "missing", code=127)
    assert_refused(porta(command, str(text)), "text", code=126)
    assert_refused(porta(command, str(tmp_path)), code=126)
    assert porta(command, "").returncode in (125, 127)


def test_a_report_that_cannot_be_written_stops_the_run(tmp_path):
    proof = tmp_path / "proof"
    for report in (tmp_path / "missing" / "report", tmp_path):
        done = porta("run", "touch", "-v", str(tmp_path), "--report", str(report), "--", str(proof))
        assert_refused(done, "--report", str(report))
        assert not proof.exists()


def test_arguments_of_any_bytes_are_shown_escaped():
    done = porta("run", "ls", b"--\xff\x1b[31m\n")
    assert_refused(done, r"\xff\x1b[31m\x0a")


def test_huge_arguments():
    long = "x" * 120_000
    many = [f"argument-{number}" for number in range(50_000)]
    for args in ([f"--{long}", "ls"], ["ls", "--allow-net", long], ["ls", *many], [long, "a"]):
        done = porta("run", *args)
        assert_refused(done)
        assert len(done.stderr) < 2000
    done = porta("run", "/bin/echo", "--", *many)
    assert done.returncode == 0 and done.stdout.split() == many


def test_messages_hold_no_secret():
    for args in (["ls", "--secret", "hunter2"], ["ls", "x", "--secret", "A=hunter2"],
                 ["ls", "-e", "=hunter2"], ["ls", "--secrt", "A=hunter2"]):
        done = porta("run", *args)
        assert_refused(done)
        assert "hunter2" not in done.stderr


def test_an_empty_command_line():
    done = subprocess.run(
        [sys.executable, "-c", "import ctypes, sys\n"
         "argv = (ctypes.c_char_p * 1)(None)\n"
         "ctypes.CDLL(None).execv(sys.argv[1].encode(), argv)", PORTA],
        check=False, timeout=30, capture_output=True)
    assert done.returncode == 125 and b"Usage" in done.stderr


# --- standard descriptors ---

def test_standard_output_that_cannot_be_written():
    with open("/dev/full", "wb") as full:
        assert_refused_full = porta("help", stdout=full)
    assert assert_refused_full.returncode == 125
    assert "standard output" in assert_refused_full.stderr
    done = porta("help", preexec_fn=lambda: os.close(1), stdout=None)
    assert done.returncode == 125 and "standard output" in done.stderr


def test_a_reader_that_went_away_is_no_news():
    reader, writer = os.pipe()
    os.close(reader)
    done = porta("completion", "bash", stdout=writer)
    os.close(writer)
    assert done.returncode == 125 and done.stderr == ""


def close_all():
    for number in range(3):
        os.close(number)


def test_closed_standard_descriptors_are_not_taken_over(tmp_path):
    report = tmp_path / "report.jsonl"
    script = "exec 3>&1; ls -l /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 >/tmp/$1 2>&3; exit 7"
    done = porta("run", "sh", "--report", str(report), "--", "-c", script, "sh", tmp_path.name,
                 stdin=None, stdout=None, stderr=None, preexec_fn=close_all)
    assert done.returncode == 7
    pathlib.Path("/tmp", tmp_path.name).unlink(missing_ok=True)
    assert report.read_text() == ""


# --- secrets on the command line ---

@pytest.mark.parametrize("flag", [["--secret", "KEY=hunter2"], ["--secret=KEY=hunter2"],
                                  ["-e", "KEY=hunter2"], ["-eKEY=hunter2"], ["--env=KEY=hunter2"]])
def test_secrets_are_not_in_ps(flag):
    """In no command line of porta's processes; the command gets the value."""
    with subprocess.Popen([PORTA, "run", "sh", *flag, "--", "-c", "echo $KEY; read line"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"hunter2\n"
        for pid in [process.pid, *harness.descendants(process.pid)]:
            line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            assert b"hunter2" not in line
        process.stdin.close()
        assert process.wait(timeout=30) in (0, 1)


# --- explain and doctor ---

def test_explain_runs_nothing(tmp_path):
    proof = tmp_path / "proof"
    done = porta("explain", "touch", "-v", str(tmp_path), "--secret", "KEY=hunter2", "--", str(proof))
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout and "hunter2" not in done.stdout
    assert not proof.exists()


def test_explain_json(tmp_path):
    done = porta("explain", "true", "-v", str(tmp_path), "--allow-net", "*:443",
                 "--secret", "KEY=hunter2", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"project", "run", "report", "serve", "policy", "plan"}
    assert str(tmp_path) in json.dumps(told["plan"])
    assert "hunter2" not in done.stdout


def test_doctor_tells_each_guarantee():
    done = porta("doctor", "--json")
    told = json.loads(done.stdout)
    names = [guarantee["name"] for guarantee in told["guarantees"]]
    assert len(names) == len(set(names)) >= 11
    for guarantee in told["guarantees"]:
        assert guarantee["description"]
        assert guarantee["holds"] or guarantee["why"]
    assert done.returncode == (0 if all(g["holds"] for g in told["guarantees"]) else 1)
    text = porta("doctor", env={**os.environ, "LC_ALL": "C"})
    assert text.returncode == done.returncode
    for guarantee in told["guarantees"]:
        mark = "ok" if guarantee["holds"] else "NO"
        assert re.search(rf"^{mark} {guarantee['name']} ", text.stdout, re.MULTILINE)
    assert "✓" in porta("doctor", env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    assert "\033" not in text.stdout


# --- completion ---

def complete(shell, line, directory):
    """What a real interactive shell makes of `line` and a Tab, as the text on its terminal."""
    start = {
        "bash": (["bash", "--norc", "--noprofile", "-i"],
                 "PS1='> '; bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'; "
                 "bind 'set bell-style none'; source <(porta completion bash); echo read''y\n"),
        "zsh": (["zsh", "-f", "-i"],
                "PS1='> '; LISTMAX=1000; unsetopt list_ambiguous; autoload -Uz compinit; compinit -u -D; "
                "source <(porta completion zsh); echo read''y\n"),
    }[shell]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execvpe(start[0][0], start[0], {
            "PATH": f"{pathlib.Path(PORTA).parent}:/usr/bin:/bin", "HOME": str(directory),
            "TERM": "dumb", "LC_ALL": "C.UTF-8"})
    try:
        os.write(terminal, start[1].encode())
        read_terminal(terminal, until="ready\r\n")
        os.write(terminal, line.encode() + b"\t")
        shown = read_terminal(terminal, quiet_s=1.0)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\a", "", shown)


def read_terminal(terminal, until=None, quiet_s=20.0):
    """Reads until the text `until`, or until nothing came for `quiet_s`."""
    shown = ""
    while until is None or until not in shown:
        if not select.select([terminal], [], [], quiet_s)[0]:
            break
        try:
            shown += os.read(terminal, 65536).decode("utf-8", "replace")
        except OSError:
            break
    return shown


COMPLETIONS = [
    ("porta do", ["porta doctor"]),
    ("porta run --net ", ["full", "outbound", "loopback_only", "blocked"]),
    ("porta run --net=bl", ["--net=blocked"]),
    ("porta run ls --degrade=netw", ["--degrade=network"]),
    ("porta run --read li", ["--read listed"]),
    ("porta run --limit me", ["memory=", "memlock="]),
    ("porta run -v my", ["my\\ file.txt"]),
    ("porta run --env-file my", ["my\\ file.txt"]),
    ("porta run --report=my", ["my\\ file.txt"]),
    ("porta run -v . basenam", ["porta run -v . basename"]),
    ("porta run ls -v . --qui", ["--quiet"]),
    ("porta run ls -- my", ["my\\ file.txt"]),
    ("porta explain ls --js", ["--json"]),
    ("porta completion z", ["porta completion zsh"]),
    ("porta help exp", ["porta help explain"]),
]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("line, parts", COMPLETIONS)
def test_completion(shell, line, parts, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} on this machine")
    (tmp_path / "my file.txt").touch()
    shown = complete(shell, line, tmp_path)
    for part in parts:
        assert part in shown, shown


def test_completion_offers_explains_own_flag_to_explain_alone(tmp_path):
    assert "--json" not in complete("bash", "porta run ls --js", tmp_path)


@pytest.mark.parametrize("line, parts", COMPLETIONS)
def test_completion_in_fish(line, parts, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("no fish on this machine")
    (tmp_path / "my file.txt").touch()
    script = tmp_path / "porta.fish"
    script.write_text(porta("completion", "fish").stdout)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}; complete -C $argv[1]", line],
        env={"PATH": f"{pathlib.Path(PORTA).parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=tmp_path, check=False, timeout=30, capture_output=True, text=True)
    offered = [entry.split("\t")[0] for entry in done.stdout.splitlines()]
    for part in parts:
        word = part.split(" ")[-1] if "\\ " not in part else part.replace("\\ ", " ")
        assert any(word in entry.replace("\\ ", " ") for entry in offered), done.stdout


def test_completion_scripts_are_scripts():
    assert shutil.which("bash")
    for shell in ("bash", "zsh", "fish"):
        if not shutil.which(shell):
            continue
        script = porta("completion", shell).stdout
        assert not re.search(r"@[a-z_]+@", script)
        done = subprocess.run([shell, "-n", "/dev/stdin"], input=script, text=True, check=False,
                              capture_output=True, timeout=30)
        assert done.returncode == 0 and done.stderr == "", done.stderr
