"""porta.toml: what it says is what runs; its mistakes are told with their place; init, up, explain and serve."""

import json
import os
import pathlib
import subprocess
import sys
import tomllib

import jsonschema
import pytest

import agents
import harness

ROOT = harness.ROOT
SCHEMA = json.loads((ROOT / "packaging" / "porta-toml.schema.json").read_text(encoding="utf-8"))


def write(runner, text, name="porta.toml"):
    path = runner.cwd / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return runner.identity.own(path) or path


def shell(script, rest=""):
    """A file whose command is a shell script, with `rest` behind [runtime]."""
    return f'[runtime]\ncommand = "sh"\nargs = ["-c", {json.dumps(script)}, "sh"]\n{rest}\n'


def accepted(text):
    """Whether the schema takes it."""
    try:
        jsonschema.Draft202012Validator(SCHEMA).validate(tomllib.loads(text))
    except (jsonschema.ValidationError, tomllib.TOMLDecodeError):
        return False
    return True


# ---- up is run ------------------------------------------------------------

def test_up_runs_the_command_under_the_policy(runner):
    write(runner, shell("echo in; touch inside; touch ../outside",
                        '[sandbox]\nmounts = ["."]\n'))
    result = runner.porta("up")
    assert result.out == "in\n" and "outside" in result.err and result.code == 1, str(result)
    assert (runner.cwd / "inside").exists() and not (runner.cwd.parent / "outside").exists()


def test_without_a_mount_nothing_is_writable(runner):
    write(runner, shell("touch inside"))
    assert runner.porta("up").code == 1
    assert not (runner.cwd / "inside").exists()


def test_the_seeds_file(runner):
    """As README of the tool that porta follows has it."""
    write(runner, '[runtime]\ntype = "native"\ncommand = "sh"\n\n[sandbox]\nmounts = ["."]\nnetwork = ["*:443"]\n\n'
                  '[env]\nNODE_ENV = "production"\n\n[secrets]\nAPI_KEY = "sk-..."\nOTHER = { from-env = true }\n')
    script = 'echo "$NODE_ENV $API_KEY $OTHER $PORTA_SANDBOX_NETWORK"'
    result = runner.porta("up", "--", "-c", script, env={"OTHER": "theirs"}).ok()
    assert result.out == "production sk-... theirs rules\n"
    result = runner.porta("explain", env={"OTHER": "theirs"}).ok()
    assert "sk-..." not in result.out and "theirs" not in result.out and "API_KEY" in result.out


def test_arguments_follow_those_of_the_file(runner):
    write(runner, shell('echo "$*"').replace('"sh"]', '"sh", "one"]'))
    assert runner.porta("up", "--", "two", "--three").ok().out == "one two --three\n"


def test_exit_codes_pass_through(runner):
    write(runner, shell("exit 7"))
    assert runner.porta("up").code == 7
    write(runner, '[runtime]\ncommand = "no-such-command-anywhere"\n')
    assert runner.porta("up").code == 127


def test_flags_add_to_the_file(runner):
    (runner.cwd / "more").mkdir()
    (runner.cwd / "work").mkdir()
    for name in ("more", "work"):
        runner.identity.own(runner.cwd / name)
    write(runner, shell('touch work/a more/b && echo "$A $B"', '[sandbox]\nmounts = ["work"]\n[env]\nA = "1"\nB = "2"\n'))
    assert runner.porta("up").code == 1
    assert runner.porta("up", "-v", "more", "-e", "B=3").ok().out == "1 3\n"


@pytest.mark.parametrize("rest, flags, expected", [
    ('[sandbox]\nnet = "blocked"', ["--net", "loopback"], "loopback_only"),
    ('[sandbox]\nnet = "blocked"', [], "blocked"),
    ('[sandbox]\nnet = "outbound"', ["--net=full"], "full"),
])
def test_what_is_said_once_counts_on_the_command_line(runner, rest, flags, expected):
    write(runner, shell('echo "$PORTA_SANDBOX_NETWORK"', rest))
    assert runner.porta("up", *flags).ok().out == f"{expected}\n"


def test_the_timeout_of_the_file_ends_the_run(runner):
    write(runner, shell("sleep 60", "[limits]\ntimeout = \"200ms\"\n"))
    assert runner.porta("up").code == 124
    write(runner, shell("ulimit -n", "[limits]\nnofile = 123\n"))
    assert runner.porta("up").ok().out == "123\n"
    assert runner.porta("up", "--limit", "nofile=77").ok().out == "77\n"


def test_switches(runner):
    write(runner, shell('echo "$LEAKED"', "[sandbox]\ninherit-env = true\n"))
    assert runner.porta("up", env={"LEAKED": "yes"}).ok().out == "yes\n"
    write(runner, shell('echo "$LEAKED"', "[sandbox]\ninherit-env = false\n"))
    assert runner.porta("up", env={"LEAKED": "yes"}).ok().out == "\n"


def test_env_files_and_the_order_of_variables(runner):
    write(runner, "A=file\nB=file\n", "settings/test.env")
    write(runner, shell('echo "$A $B $C"', '[sandbox]\nenv-file = ["settings/test.env"]\n[env]\nB = "key"\nC = "key"\n'))
    assert runner.porta("up", "-e", "C=flag").ok().out == "file key flag\n"


# ---- where the file is, and what its paths mean ----------------------------

def test_it_is_found_above_and_paths_are_its_own(runner):
    write(runner, shell('pwd; touch "$OLDPWD"a here 2>&1; touch ../data/b', '[sandbox]\nmounts = ["data", "./sub/deep"]\n'))
    for name in ("data", "sub/deep"):
        (runner.cwd / name).mkdir(parents=True)
        runner.identity.own(runner.cwd / name)
    result = runner.at(runner.cwd / "sub" / "deep").porta("up")
    assert result.out.splitlines()[0] == str(runner.cwd / "sub" / "deep"), str(result)
    assert (runner.cwd / "sub" / "deep" / "here").exists()


def test_the_nearest_one_counts(runner):
    write(runner, shell("echo far"))
    write(runner, shell("echo near"), "sub/porta.toml")
    (runner.cwd / "sub" / "deep").mkdir()
    assert runner.at(runner.cwd / "sub" / "deep").porta("up").ok().out == "near\n"
    assert runner.porta("up").ok().out == "far\n"
    assert runner.porta("up", "--file", "sub/porta.toml").ok().out == "near\n"


def test_a_command_by_its_path_is_the_files_own(runner):
    script = write(runner, "#!/bin/sh\necho mine\n", "bin/tool")
    script.chmod(0o755)
    write(runner, '[runtime]\ncommand = "bin/tool"\n')
    (runner.cwd / "sub").mkdir()
    assert runner.at(runner.cwd / "sub").porta("up").ok().out == "mine\n"


def test_home_and_credentials_are_words(runner):
    write(runner, shell("true", '[sandbox]\nmounts = ["~/work:ro"]\ndeny-read = ["credentials", "secret"]\n'))
    home = pathlib.Path(runner.identity.environment()["HOME"])
    (home / "work").mkdir(exist_ok=True)
    (runner.cwd / "secret").touch()
    text = runner.porta("explain").ok().out
    assert "~/work can be read" in text and f"{runner.cwd}/secret" in text and "credentials" in text


def test_none_is_an_error_that_says_what_to_do(runner):
    result = runner.porta("up")
    assert result.code == 125 and "there is no porta.toml in" in result.err and "porta init" in result.err, str(result)
    result = runner.porta("explain")
    assert result.code == 125 and "there is no porta.toml here" in result.err and "<target>" in result.err, str(result)
    result = runner.porta("up", "--file", "nowhere.toml")
    assert result.code == 125 and "nowhere.toml" in result.err, str(result)


def test_other_peoples_files_are_not_obeyed(runner, machine, as_user):
    if os.geteuid() != 0:
        pytest.skip("only root can make a file that is another's")
    path = write(runner, shell("echo obeyed"))
    os.chown(path, 54321, 54321)
    result = runner.porta("up")
    assert result.code == 125 and "belongs to user 54321" in result.err and "--file" in result.err, str(result)
    assert runner.porta("up", "--file", "porta.toml").ok().out == "obeyed\n"
    if as_user.is_root:
        assert runner.porta("up", env={"SUDO_UID": "54321"}).ok().out == "obeyed\n"
        assert runner.porta("up", env={"SUDO_UID": "5432"}).code == 125


def test_a_file_that_all_can_write_is_not_obeyed(runner):
    write(runner, shell("echo obeyed")).chmod(0o666)
    result = runner.porta("up")
    assert result.code == 125 and "every user" in result.err and "chmod o-w" in result.err, str(result)


@pytest.mark.parametrize("make", ["fifo", "directory", "dangling", "huge"])
def test_what_is_no_file(runner, make):
    path = runner.cwd / "porta.toml"
    if make == "fifo":
        os.mkfifo(path)
    elif make == "directory":
        path.mkdir()
    elif make == "dangling":
        path.symlink_to("nowhere")
    else:
        path.write_text("# much\n" * 100000, encoding="utf-8")
    runner.identity.own(path) if make != "dangling" else None
    result = runner.porta("up", timeout_s=10)
    assert result.code == 125 and result.err.count("\n") == 1 and "porta.toml" in result.err, str(result)


def test_a_symlink_of_somebody_elses_is_not_followed(runner, tmp_path):
    """In /tmp, say: it would have one of the user's own files obeyed, in a place that it is not meant for."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a symlink that is another's")
    write(runner, shell("echo obeyed"), "mine/porta.toml")
    (runner.cwd / "porta.toml").symlink_to("mine/porta.toml")
    os.chown(runner.cwd / "porta.toml", 54321, 54321, follow_symlinks=False)
    result = runner.porta("up")
    assert result.code == 125 and "belongs to user 54321" in result.err, str(result)
    os.chown(runner.cwd / "porta.toml", 0, 0, follow_symlinks=False)
    assert runner.porta("up").ok().out == "obeyed\n"


def test_the_nearest_one_counts_also_where_it_leads_nowhere(runner):
    write(runner, shell("echo far"))
    (runner.cwd / "sub").mkdir()
    (runner.cwd / "sub" / "porta.toml").symlink_to("gone")
    result = runner.at(runner.cwd / "sub").porta("up")
    assert result.code == 125 and "porta.toml" in result.err and "No such file" in result.err, str(result)
    result = runner.at(runner.cwd / "sub").porta("explain")
    assert result.code == 125 and "No such file" in result.err, str(result)


@pytest.mark.parametrize("name", ["a:ro", "a:b", "a b", "a:/b", "é\n"])
def test_directories_of_any_name(runner, name):
    write(runner, shell("touch here && pwd", '[sandbox]\nmounts = [".", "./sub:ro"]\n'), f"{name}/porta.toml")
    directory = runner.cwd / name
    (directory / "sub").mkdir()
    runner.identity.own(directory)
    assert runner.at(directory / "sub").porta("up").code == 1
    assert not (directory / "sub" / "here").exists()
    assert runner.at(directory).porta("up").ok().out == f"{directory}\n"
    assert (directory / "here").exists()


def test_allowed_programs_by_path(runner):
    for name in ("one", "two"):
        write(runner, f"#!/bin/sh\necho {name}\n", f"tools/{name}").chmod(0o755)
    write(runner, shell("$0/tools/one; $0/tools/two").replace('"sh"]', f'{json.dumps(str(runner.cwd))}]')
          + '[sandbox]\nallow-exec = ["sh,tools/one", "./tools/two"]\n')
    (runner.cwd / "sub").mkdir()
    assert runner.at(runner.cwd / "sub").porta("up").ok().out == "one\ntwo\n"


def test_rules_that_exclude_each_other_name_the_file(runner):
    path = write(runner, shell("true", '[sandbox]\nnet = "blocked"\nnetwork = ["example.com:443"]\n'))
    result = runner.porta("up")
    assert result.code == 125 and result.err.startswith(f"porta: up: {path}: ") and "exclude" in result.err, str(result)


def test_explain_says_what_is_asked_for(runner):
    path = write(runner, '[runtime]\ncommand = "sh"\nargs = ["-c", "echo \\u001b[31m", "x y"]\nreport = "out.jsonl"\n'
                         '[env]\nA = { from-env = "TOKEN" }\nB = { from-env = true }\n[secrets]\nC = { from-env = "TOKEN" }\n')
    environment = {"TOKEN": "hunter2", "B": "b"}
    lines = runner.porta("explain", env=environment).ok().out.splitlines()
    assert f"Project     {path}" in lines and "Runs        sh -c 'echo \\x1b[31m' 'x y'" in lines
    assert f"Report      {runner.cwd}/out.jsonl, which porta itself writes" in lines
    assert any("set: A (from TOKEN), B" in line for line in lines) and any("secret: C (from TOKEN)" in line for line in lines)
    told = json.loads(runner.porta("explain", "--json", env=environment).ok().out)
    assert told["project"] == str(path) and told["run"] == ["sh", "-c", "echo \x1b[31m", "x y"]
    assert told["report"] == f"{runner.cwd}/out.jsonl" and told["policy"]["environment"]["from"] == {"A": "TOKEN", "C": "TOKEN"}
    told = json.loads(runner.porta("explain", "--json", "true").ok().out)
    assert told["project"] is None and told["report"] is None and told["run"] == ["true"]
    assert not (runner.cwd / "out.jsonl").exists()


# ---- mistakes --------------------------------------------------------------

MISTAKES = [
    ("[sandbox]\nmount = [\".\"]", "2:1", ["'mount'", "[sandbox]", "did you mean mounts?"]),
    ("[sandbox]\nvolume = [\".\"]", "2:1", ["sandbox.mounts"]),
    ("[sandbo]\n", "1:2", ["'sandbo'", "did you mean [sandbox]?"]),
    ("[nothing-like-it]\n", "1:2", ["runtime, sandbox"]),
    ("mounts = [\".\"]", "1:1", ["belongs into [sandbox]"]),
    ("[runtime]\ntimeout = \"5s\"", "2:1", ["belongs into [limits]"]),
    ("[sandbox]\nmounts = \".\"", "2:1", ["an array of strings", "not a string"]),
    ("[sandbox]\nmounts = [\".\", 5]", "2:16", ["only strings"]),
    ("[sandbox]\nmounts = [[\".\"]]", "2:11", ["only strings"]),
    ("[sandbox]\nmounts = [\"\"]", "2:11", ["mounts"]),
    ("[sandbox]\nnetwork = [\"example.com\"]", "2:12", ["network", "example.com:443"]),
    ("[sandbox]\nnetwork = [\n  \"example.com:443\",\n  \"example.com:0-\",\n]", "4:3", ["network"]),
    ("[sandbox]\nnet = \"open\"", "2:1", ["net", "loopback_only"]),
    ("[sandbox]\nnet = true", "2:1", ["a string belongs here, not true or false"]),
    ("[sandbox]\ninherit-env = \"yes\"", "2:1", ["true or false"]),
    ("[sandbox]\ndegrade = [\"everything\"]", "2:12", ["guarantee"]),
    ("[sandbox]\nnet.x = 1", "2:1", ["net"]),
    ("[limits]\ntimeout = 1.5", "2:1", ["timeout", "not a fraction"]),
    ("[limits]\nmemory = \"much\"", "2:1", ["memory=512M"]),
    ("[limits]\nmemry = \"1G\"", "2:1", ["did you mean memory?"]),
    ("[env]\nA = 5", "2:1", ["a string or { from-env = true }"]),
    ("[env]\n\"A B\" = \"x\"", "2:1", ["A B"]),
    ("[env]\nA = {}", "2:1", ["empty table"]),
    ("[env]\nA = { from = true }", "2:7", ["from-env"]),
    ("[env]\nA = { from-env = false }", "2:7", ["true or the name"]),
    ("[env]\nA = { b = 1, from-env = true }", "2:7", ["from-env"]),
    ("[secrets]\nA = { from-env = true }", "2:7", ["variable A is not set"]),
    ("[secrets]\nA = { from-env = \"B\" }", "2:7", ["variable B is not set"]),
    ("[serve]\nworkers = \"many\"", "2:1", ["workers"]),
    ("[serve]\nhttp = \"nowhere\"", "2:1", ["127.0.0.1:8080"]),
    ("[runtime]\ntype = \"docker\"", "2:1", ["\"native\" or \"wasm\""]),
    ("[runtime]\ncommand = \"\"", "2:1", ["empty"]),
    ("[runtime]\ncommand = \"a.wasm\"", "2:1", ["key wasm"]),
    ("[runtime]\nwasm = \"agent\"", "2:1", [".wasm"]),
    ("[runtime]\nwasm = \"a.wasm\"\ncommand = \"ls\"", "3:1", ["which counts"]),
    ("[runtime]\nargs = \"a b\"", "2:1", ["an array of strings"]),
    ("[runtime\n", "1:9", ["']'"]),
    ("[env]\nA = \"1\"\nA = \"2\"", "3:", ["A"]),
    ("[env]\nA = \"\\u0000\"", "2:1", ["NUL"]),
    ("[env]\nA = \"not ended\n", "2:", []),
    ("when = 2026-01-01", "1:1", ["'when'"]),
]


@pytest.mark.parametrize("text, place, parts", MISTAKES)
def test_mistakes_have_their_place(runner, text, place, parts):
    write(runner, text)
    for words in (["up"], ["explain"]):
        result = runner.porta(*words)
        assert result.code == 125 and result.out == "", str(result)
        assert result.err.startswith(f"porta: {words[0]}: porta.toml:{place}"), str(result)
        assert result.err.count("\n") == 1, str(result)
        for part in parts:
            assert part in result.err, str(result)


@pytest.mark.parametrize("content", [
    b"\xff\xfe[\x00r\x00", b"[env]\nA = \"\xff\"\n", b"[env]\n\x00", b"[" * 100000, b"a = " + b"[" * 100000,
    b"a = " + b"{a=" * 50000, b"a." * 131000 + b"b = 1", b"[" + b"a." * 131000 + b"b]",
    b"[env]\n" + b"".join(b"A%d = '1'\n" % i for i in range(9000)),
], ids=["utf-16", "latin-1", "nul", "headers", "arrays", "tables", "dots", "deep-header", "many"])
def test_hostile_files(runner, content):
    write(runner, content)
    result = runner.porta("up", timeout_s=30)
    assert result.code == 125 and result.out == "" and result.err.count("\n") == 1, str(result)[:2000]
    assert "porta.toml" in result.err


@pytest.mark.parametrize("text", [
    "\ufeff" + shell("echo ran"), shell("echo ran").replace("\n", "\r\n"),
    'runtime.command = "sh"\nruntime.args = ["-c", "echo ran"]\n',
    'runtime = { command = "sh", args = ["-c", """echo \\\n   ran"""] }\n',
    "[runtime]\n'command' = 'sh' # a comment\nargs = [\n '-c',\n 'echo ran', # another\n]",
], ids=["bom", "crlf", "dotted", "inline", "literal"])
def test_forms_of_toml(runner, text):
    write(runner, text)
    assert runner.porta("up").ok().out == "ran\n"


def test_no_command_is_said(runner):
    write(runner, "[sandbox]\nmounts = []\n")
    result = runner.porta("up")
    assert result.code == 125 and "[runtime] has no command" in result.err, str(result)
    write(runner, "[runtime]\ntype = \"wasm\"\n")
    assert "[runtime] has no wasm" in runner.porta("up").err


def test_up_takes_no_command(runner):
    write(runner, shell("true"))
    result = runner.porta("up", "ls")
    assert result.code == 125 and "'ls'" in result.err and "behind --" in result.err, str(result)
    result = runner.porta("explain", "ls", "--file", "porta.toml")
    assert result.code == 125 and "--file" in result.err and "ls" in result.err, str(result)
    assert "--file" in runner.porta("run", "ls", "--file", "porta.toml").err


def test_secrets_of_the_file_are_in_no_message(runner):
    for text in ("[secrets]\n\"A-B\" = \"hunter2\"", "[secrets]\nA = [\"hunter2\"]", "[secrets]\nA = { from-env = \"hunter2\" }\n",
                 shell("true", "[secrets]\nA = \"hunter2\"\n[sandbox]\nnet = \"x\"\n")):
        write(runner, text)
        result = runner.porta("up")
        assert result.code == 125 and ("hunter2" not in result.err or "from-env" in text), str(result)


# ---- the file in the sandbox -------------------------------------------------

@pytest.mark.parametrize("mount, name", [(".", "porta.toml"), ("..", "porta.toml"), (".", "other.toml"),
                                         ("./", "sub/porta.toml")])
def test_no_run_changes_the_file(runner, mount, name):
    write(runner, shell(f"echo x >> {name}; rm -f {name}; mv {name} moved; true", f'[sandbox]\nmounts = ["{mount}"]\n'), name)
    before = (runner.cwd / name).read_bytes()
    if name.startswith("sub/"):
        write(runner, (runner.cwd / name).read_text().replace('"./"', '".."'), name)
        before = (runner.cwd / name).read_bytes()
    runner.porta("up", "--file", name).ok()
    assert (runner.cwd / name).read_bytes() == before


def test_no_run_changes_the_file_that_flags_make_writable(runner):
    write(runner, shell("cd ..; echo x >> sub/porta.toml; rm -f sub/porta.toml; mv sub moved; touch wrote"), "sub/porta.toml")
    runner.identity.own(runner.cwd)
    before = (runner.cwd / "sub" / "porta.toml").read_bytes()
    runner.at(runner.cwd / "sub").porta("up", "-v", "..").ok()
    assert (runner.cwd / "sub" / "porta.toml").read_bytes() == before and (runner.cwd / "wrote").exists()
    runner.at(runner.cwd / "sub").porta("up", "-v", "..", "--allow-protected=porta.toml").ok()
    assert not (runner.cwd / "sub" / "porta.toml").exists()


def test_the_target_of_a_symlink_is_not_changed_either(runner):
    path = write(runner, shell("echo x >> real.toml; rm -f real.toml; mv real.toml moved; rm -f porta.toml; true",
                               '[sandbox]\nmounts = ["."]\n'), "real.toml")
    before = path.read_bytes()
    (runner.cwd / "porta.toml").symlink_to("real.toml")
    runner.porta("up").ok()
    assert path.read_bytes() == before and (runner.cwd / "porta.toml").resolve() == path


def test_the_file_is_not_shown_by_being_protected(runner):
    home = pathlib.Path(runner.identity.environment()["HOME"])
    path = home / "project" / "porta.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "work").mkdir(exist_ok=True)
    path.write_text(shell('cat "$0" || echo hidden').replace('"sh"]', f'"{path}"]')
                    + '[sandbox]\nread = "listed"\nmounts = ["work"]\n', encoding="utf-8")
    runner.identity.own(path.parent)
    runner.identity.own(path.parent / "work")
    assert runner.at(path.parent / "work").porta("up").ok().out == "hidden\n"


# ---- init --------------------------------------------------------------------

@pytest.mark.parametrize("words, command, arguments", [
    (["native", "true"], "true", None),
    (["native", "npm", "--", "run", "dev"], "npm", ["run", "dev"]),
    (["native", "--", "--odd name\"\\"], "--odd name\"\\", None),
    (["native", "./a b\n\t\x7f"], "./a b\n\t\x7f", None),
    ([], "bash", None),
    (["native"], "bash", None),
])
def test_init_writes_a_file_that_is_read(runner, words, command, arguments):
    runner.porta("init", *words).ok()
    text = (runner.cwd / "porta.toml").read_text(encoding="utf-8")
    parsed = tomllib.loads(text)
    assert parsed["runtime"]["command"] == command and parsed["runtime"].get("args") == arguments
    assert accepted(text)
    if command == "true":
        runner.porta("up").ok()
    elif command == "bash":
        assert runner.porta("up", "--", "-c", "echo $0 ran").ok().out == "bash ran\n"


@pytest.mark.parametrize("file, command, arguments", [
    ("package.json", "npm", ["start"]), ("Cargo.toml", "cargo", ["run"]), ("go.mod", "go", ["run", "."]),
    ("Makefile", "make", None), ("main.py", "python3", ["main.py"]),
])
def test_init_looks_at_the_directory(runner, file, command, arguments):
    (runner.cwd / file).touch()
    assert file in runner.porta("init").ok().out
    parsed = tomllib.loads((runner.cwd / "porta.toml").read_text(encoding="utf-8"))
    assert parsed["runtime"]["command"] == command and parsed["runtime"].get("args") == arguments


def test_init_finds_the_agent(runner):
    (runner.cwd / "my agent.wasm").touch()
    runner.porta("init").ok()
    text = (runner.cwd / "porta.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["runtime"] == {"type": "wasm", "wasm": "my agent.wasm"} and accepted(text)


def test_init_never_writes_over_a_file(runner):
    write(runner, "# mine\n")
    result = runner.porta("init", "native", "true")
    assert result.code == 125 and "already" in result.err, str(result)
    assert (runner.cwd / "porta.toml").read_text() == "# mine\n"
    (runner.cwd / "porta.toml").unlink()
    (runner.cwd / "porta.toml").symlink_to("elsewhere")
    assert runner.porta("init", "native", "true").code == 125
    assert not (runner.cwd / "elsewhere").exists()


@pytest.mark.parametrize("words, parts", [
    (["claude"], ["porta init native claude"]), (["agent.wasm"], ["porta init wasm agent.wasm"]),
    (["wasm"], ["name the agent"]), (["wasm", "agent"], [".wasm"]), (["native", "a.wasm"], ["porta init wasm a.wasm"]),
    (["--frob"], ["'--frob'", "--help"]),
])
def test_init_says_what_it_takes(runner, words, parts):
    result = runner.porta("init", *words)
    assert result.code == 125 and result.err.count("\n") == 1, str(result)
    for part in parts:
        assert part in result.err, str(result)
    assert not (runner.cwd / "porta.toml").exists()


# ---- agents ------------------------------------------------------------------

@agents.NEEDED
def test_up_runs_an_agent(runner):
    agents.put(runner, "hello.c", "agent.wasm")
    runner.porta("init", "wasm", "agent.wasm").ok()
    bare = runner.porta("run", "agent.wasm", "--profile", "worker").ok()
    assert runner.porta("up").ok().out == bare.out
    (runner.cwd / "sub").mkdir()
    assert runner.at(runner.cwd / "sub").porta("up").ok().out == bare.out
    assert "worker" in (runner.cwd / "porta.toml").read_text()


@agents.NEEDED
def test_limits_of_agents(runner):
    agents.put(runner, "hello.c", "agent.wasm")
    write(runner, '[runtime]\nwasm = "agent.wasm"\n[sandbox]\nprofile = "worker"\n[limits]\nstep-limit = 5\n')
    assert runner.porta("up").code == agents.STEP_LIMIT
    write(runner, '[runtime]\nwasm = "agent.wasm"\n[sandbox]\ncap = "clock"\n')
    assert runner.porta("up").code == agents.REFUSED
    runner.porta("up", "--profile", "worker").ok()


@agents.NEEDED
@pytest.mark.parametrize("mount, name", [(".", "sub/f"), ("./sub", "sub/f"), ("sub/f", "sub/f"),
                                         ("sub:/data", "/data/f"), (".", "./sub/f")])
def test_an_agent_calls_its_files_as_the_file_does(runner, mount, name):
    """As `porta run -v` with the same words, wherever it is started."""
    agents.put(runner, "files.c", "agent.wasm")
    write(runner, "text\n", "sub/f")
    write(runner, f'[runtime]\nwasm = "agent.wasm"\nargs = ["read"]\n[sandbox]\nprofile = "full"\nmounts = ["{mount}"]\n')
    assert runner.porta("run", "agent.wasm", "--profile", "full", "-v", mount, "--", "read", name).ok().out == "text\n"
    assert runner.porta("up", "--", name).ok().out == "text\n"
    assert runner.at(runner.cwd / "sub").porta("up", "--", name).ok().out == "text\n"


@agents.NEEDED
@pytest.mark.parametrize("mount", [".", ".."])
def test_no_agent_changes_the_file(runner, mount):
    path = write(runner, f'[runtime]\nwasm = "agent.wasm"\nargs = ["write"]\n[sandbox]\nprofile = "full"\nmounts = ["{mount}"]\n',
                 "sub/porta.toml")
    agents.put(runner, "files.c", "sub/agent.wasm")
    runner.identity.own(path.parent)
    before = path.read_bytes()
    where = runner.at(runner.cwd / "sub")
    words = ["porta.toml", "other"] if mount == "." else ["../sub/porta.toml", "../sub/other"]
    assert where.porta("up", "--", words[0], "x").code == 1
    where.porta("up", "--", words[1], "x").ok()
    assert path.read_bytes() == before


def test_explain_says_what_serve_would_do(runner):
    write(runner, shell("true", '[serve]\nhttp = "[::1]:8080"\ntoken-file = "t"\nallow-host = ["mcp.example.com"]\n'))
    text = runner.porta("explain").ok().out
    assert "Serving     ::1, port 8080: " in text and f"Serving     {runner.cwd}/t: " in text and "mcp.example.com: " in text
    told = json.loads(runner.porta("explain", "--json").ok().out)["serve"]
    assert told == {"http": "[::1]:8080", "token_file": f"{runner.cwd}/t", "state_key_file": None, "allow_origin": [],
                    "allow_host": ["mcp.example.com"]}


@agents.NEEDED
def test_serve_takes_the_agent_of_the_file(runner):
    agents.put(runner, "agent.c", "agent.wasm")
    write(runner, '[runtime]\nwasm = "agent.wasm"\n[sandbox]\nprofile = "full"\nallow-exec = ["true"]\n[secrets]\n'
                  'KEY = { from-env = "MINE" }\n')
    result = runner.porta("serve", "--check", env={"MINE": "hunter2"}).ok()
    assert "porta.exec" in result.out and "hunter2" not in result.out, str(result)
    assert runner.porta("serve", "--check").code == 125
    write(runner, shell("true"))
    assert "only a WASM agent can be served" in runner.porta("serve", "--check").err


# ---- the schema and the tables -------------------------------------------------

def test_schema_and_tables_are_those_of_the_program():
    build = harness.PROGRAM.parent
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "porta_toml.py"), str(build), "--check"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_flag_has_a_key():
    rows = subprocess.run([str(harness.PROGRAM.parent / "tests" / "unit" / "option_keys")], capture_output=True, text=True,
                          check=True).stdout.splitlines()
    without = {json.loads(row)["flag"] for row in rows if json.loads(row)["key"] is None}
    assert without == {"--check", "--file", "--json", "--help"}


def test_the_schema_takes_the_example_of_the_page_and_refuses_mistakes():
    page = (ROOT / "docs" / "porta-toml.md").read_text(encoding="utf-8")
    example = "\n".join(line[4:] for line in page.split("\n\n`porta init`", 1)[0].splitlines() if line.startswith("    "))
    assert "[sandbox]" in example and accepted(example)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for text in ("[sandbox]\nmount = ['.']", "mounts = ['.']", "[sandbox]\nmounts = '.'", "[sandbox]\nmounts = [5]",
                 "[sandbox]\nread = 'all'", "[env]\nA = 5", "[env]\nA = {}", "[env]\nA = { from-env = false }",
                 "[env]\n'A B' = 'x'", "[limits]\ntimeout = 1.5", "[runtime]\nwasm = 'agent'", "[runtime]\ntype = 'x'"):
        assert not accepted(text), text
