"""What is no agent, what an agent is not granted, and what inspect, validate and build say of a module."""

import hashlib
import json
import os
import re
import stat

import pytest

import agents

pytestmark = agents.NEEDED

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u202e]")


def is_one_sentence(result, code):
    assert (result.code, result.out) == (code, ""), str(result)
    assert result.err.startswith("porta: ") and result.err.count("\n") == 1 and len(result.err) < 1200, str(result)
    assert not CONTROL.search(result.err), repr(result.err)


def nothing_else(runner, *names):
    assert {path.name for path in runner.cwd.iterdir()} <= {*names}


# ---- what is no agent ----------------------------------------------------------------------

SENTENCES = {
    "invalid_empty": "is empty", "invalid_text": "is not WASM", "invalid_script": "is not WASM",
    "invalid_elf": "compiled before", "invalid_component": "component",
    "no_start": "no _start: it is a library", "nothing": "no _start", "start_takes_arguments": "no command",
    "start_is_memory": "no _start",
}
NO_AGENTS = [name for name in agents.wasm_bytes.CRAFTED if name.startswith("invalid_")] + \
            ["no_start", "nothing", "start_takes_arguments", "start_is_memory"]


@pytest.mark.parametrize("name", NO_AGENTS)
def test_what_is_no_agent(runner, name):
    result = agents.run(runner, name)
    is_one_sentence(result, agents.BAD_MODULE)
    assert SENTENCES.get(name, "the module ") in result.err, str(result)
    nothing_else(runner, name + ".wasm")


@pytest.mark.parametrize("command", ["inspect", "validate", "build"])
@pytest.mark.parametrize("name", [name for name in NO_AGENTS if name.startswith("invalid_")])
def test_commands_refuse_what_is_no_module(runner, command, name):
    result = runner.porta(command, agents.put(runner, name))
    if (command, name) == ("inspect", "invalid_component"):
        assert "Kind      component" in result.ok().out
    else:
        is_one_sentence(result, agents.BAD_MODULE)
    nothing_else(runner, name + ".wasm")


def test_files_that_are_no_modules(runner):
    (runner.cwd / "directory.wasm").mkdir()
    os.mkfifo(runner.cwd / "fifo.wasm")
    for command in (("run",), ("inspect",), ("validate",), ("build",)):
        is_one_sentence(runner.porta(*command, "./missing.wasm"), agents.NOT_FOUND)
        for name in ("./directory.wasm", "./fifo.wasm", "/dev/null"):
            if name == "/dev/null" and command == ("run",):
                continue  # no .wasm: a command
            is_one_sentence(runner.porta(*command, name), agents.NOT_RUNNABLE)


def test_a_module_that_cannot_be_read(runner):
    agent = agents.put(runner, "hello.c")
    agent.chmod(0)
    result = runner.porta("run", agent)
    if runner.identity.is_root:
        assert result.ok().out == "hello\n"
    else:
        is_one_sentence(result, agents.NOT_RUNNABLE)
        assert "Permission denied" in result.err


def test_a_module_that_is_too_large(runner):
    agent = runner.cwd / "large.wasm"
    with agent.open("wb") as file:
        file.truncate((1 << 30) + 1)
    is_one_sentence(runner.porta("run", agent), agents.BAD_MODULE)


@pytest.mark.parametrize("name", ["custom_section_of_32_mib", "custom_sections_many", "deep_blocks",
                                  "many_functions", "exports"])
def test_large_but_valid(runner, name):
    result = agents.run(runner, name)
    assert (result.code, result.out, result.err) == (0, "", ""), str(result)


def test_a_start_function_that_traps(runner):
    is_one_sentence(agents.run(runner, "start_section_traps"), agents.TRAP)


# ---- what it is not granted ----------------------------------------------------------------


@pytest.mark.parametrize("name, words", [
    ("wasi_unstable", ["wasi_unstable", "preview 0"]),
    ("wasi_unknown_function", ["sock_open"]),
    ("import_component", ["wasi:cli/stdout@0.2.0", "component"]),
    ("import_env", ["env", "puts"]),
    ("import_memory", ["env", "thing"]), ("import_table", ["env", "thing"]), ("import_global", ["env", "thing"]),
    ("import_escape", ["env"]), ("import_right_to_left", []), ("import_with_nul", []), ("import_long_name", []),
    ("import_many", ["and 4999 more"]), ("wasi_wrong_signature", ["fd_write"]),
])
def test_imports_that_nothing_grants(runner, name, words):
    result = agents.run(runner, name, "--profile", "full")
    is_one_sentence(result, agents.REFUSED)
    assert all(word in result.err for word in words), str(result)


@pytest.mark.parametrize("module, name, capability", agents.build.imports())
def test_each_import_needs_its_capability(runner, module, name, capability):
    """All of the table: with the capability alone it runs; with all others it is refused, by name and flag."""
    agent = agents.put_bytes(runner, agents.wasm_bytes.importing(module, name))
    others = ["io", "fs", "fs.write", "process", "env", "clock", "random", "net", "exec"]
    others.remove(capability)
    assert runner.porta("run", agent, "--cap", capability).code == 0
    result = runner.porta("run", agent, "--cap", ",".join(others))
    is_one_sentence(result, agents.REFUSED)
    assert name in result.err and capability in result.err and "--cap" in result.err, str(result)
    checked = runner.porta("validate", agent, "--cap", ",".join(others))
    assert checked.code == 1 and name in checked.out and checked.err == "", str(checked)


@pytest.mark.parametrize("profile, grants", [("ai-agent", {"io", "process"}),
                                             ("worker", {"io", "process", "clock", "random"}),
                                             ("full", {"io", "fs", "fs.write", "process", "env", "clock", "random",
                                                       "net", "exec"})])
def test_profiles(runner, profile, grants):
    for module, name, capability in agents.build.imports():
        agent = agents.put_bytes(runner, agents.wasm_bytes.importing(module, name))
        code = runner.porta("validate", agent, "--profile", profile).code
        assert code == (0 if capability in grants else 1), (name, capability)


def test_flags_of_capabilities(runner):
    for flags, word in ((("--profile", "most"), "most"), (("--cap", "io,all"), "all"), (("--cap", ""), "--cap"),
                        (("--cap", "io", "--profile", "full"), "--")):
        result = agents.run(runner, "hello.c", *flags)
        is_one_sentence(result, agents.FAILED)
        assert word in result.err


# ---- the manifest ----------------------------------------------------------------------------


def manifest(runner, content, guest="hello.c"):
    agent = agents.put(runner, guest, "agent.wasm")
    text = content if isinstance(content, str) else json.dumps(content)
    (runner.cwd / "agent.manifest.json").write_text(text, encoding="utf-8")
    return agent


def test_its_capabilities_count(runner):
    agent = manifest(runner, {"name": "a", "capabilities": ["io"]})
    is_one_sentence(runner.porta("run", agent), agents.REFUSED)
    assert runner.porta("validate", agent).code == 1
    assert runner.porta("run", agent, "--profile", "ai-agent").ok().out == "hello\n"
    manifest(runner, {"name": "a", "capabilities": ["io", "process"]})
    assert runner.porta("run", agent).ok().out == "hello\n"
    assert runner.porta("validate", agent).code == 0


def test_its_entry(runner):
    agent = manifest(runner, {"entry": "greet"}, "library.c")
    assert runner.porta("run", agent, input="you").ok().out == "hello, you"
    for entry, word in (("missing", "'missing'"), ("memory", "'memory'"), ("add", "no command")):
        result = runner.porta("run", manifest(runner, {"entry": entry}, "library.c"))
        is_one_sentence(result, agents.BAD_MODULE)
        assert word in result.err, str(result)


def test_a_field_that_is_not_known_warns(runner):
    result = runner.porta("run", manifest(runner, {"name": "a", "tols": []}))
    assert (result.code, result.out) == (0, "hello\n")
    assert "/tols is not known" in result.err and "tools" in result.err, result.err
    assert runner.porta("run", runner.cwd / "agent.wasm", "--quiet").ok().err == ""


@pytest.mark.parametrize("content, place", [
    ('{"capabilities": "io"}', "/capabilities"), ('{"capabilities": ["root"]}', "/capabilities/0"),
    ('{"tools": {}}', "/tools"), ('{"tools": [{"name": 5}]}', "/tools/0/name"), ('{"entry": ""}', "/entry"),
    ('{"name": "a",}', "line 1"), ("[]", "an array"), ("", "agent.manifest.json"),
    ('{"name": "a", "name": "b"}', "name"), ("[" * 5000, "agent.manifest.json"),
    ('{"name": "\\u0000"}', "agent.manifest.json"), ('{"schema_version": "2.0"}', "/schema_version"),
])
def test_a_manifest_that_is_wrong(runner, content, place):
    agent = manifest(runner, content)
    for command in ("run", "validate", "build"):
        result = runner.porta(command, agent)
        is_one_sentence(result, agents.FAILED)
        assert "agent.manifest.json" in result.err and place in result.err, str(result)
    assert (runner.cwd / "agent.manifest.json").read_text(encoding="utf-8") == content


def test_the_section_in_the_module(runner):
    is_one_sentence(agents.run(runner, "custom_section_manifest_invalid"), agents.BAD_MODULE)
    assert "porta.manifest" in agents.run(runner, "custom_section_manifest_invalid").err


# ---- inspect, validate, build ------------------------------------------------------------------


def test_inspect(runner):
    agent = agents.put(runner, "files.c")
    out = runner.porta("inspect", agent).ok().out
    assert hashlib.sha256(agent.read_bytes()).hexdigest() in out
    assert f"{agent.stat().st_size} bytes" in out
    assert re.search(r"fs\.write +wasi_snapshot_preview1\.path_rename", out)
    assert re.search(r"function +_start", out) and re.search(r"memory +memory", out)
    assert "Needs     io, fs, fs.write, process" in out, out


def test_inspect_json(runner):
    agent = agents.put(runner, "agent.c")
    said = json.loads(runner.porta("inspect", agent, "--json").ok().out)
    assert said["sha256"] == hashlib.sha256(agent.read_bytes()).hexdigest()
    assert said["bytes"] == agent.stat().st_size
    needs = {(i["module"], i["name"]): i["capability"] for i in said["imports"]}
    assert needs[("porta", "exec_command")] == "exec" and needs[("porta", "http_request")] == "net"
    assert {"name": "_start", "kind": "function"} in [
        {key: export[key] for key in ("name", "kind")} for export in said["exports"]]


def test_inspect_shows_no_control_characters(runner):
    for guest in ("import_escape", "exports", "import_right_to_left"):
        out = runner.porta("inspect", agents.put(runner, guest)).ok().out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out), repr(out)


def test_validate(runner):
    agent = agents.put(runner, "files.c")
    refused = runner.porta("validate", agent, "--profile", "worker")
    assert refused.code == 1 and refused.err == "", str(refused)
    assert all(re.search(r"\bpath_\w+|\bfd_\w+", line) for line in refused.out.splitlines()), refused.out
    granted = runner.porta("validate", agent, "--profile", "full")
    assert granted.code == 0 and "granted" in granted.out
    as_json = json.loads(runner.porta("validate", agent, "--profile", "worker", "--json").out)
    assert as_json["valid"] is False and len(as_json["refused"]) == len(refused.out.splitlines())


def test_build(runner):
    agent = agents.put(runner, "files.c")
    assert "wrote " in runner.porta("build", agent).ok().out
    path = runner.cwd / "files.manifest.json"
    made = json.loads(path.read_text(encoding="utf-8"))
    assert made["name"] == "files" and sorted(made["capabilities"]) == ["fs", "fs.write", "io", "process"]
    assert "path_open" in json.dumps(made["wasi_imports"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    nothing_else(runner, "files.wasm", "files.manifest.json")
    # What a person has edited stays.
    made.update(description="mine", capabilities=["io"], tools=[{"name": "read", "description": "reads"}], extra=5)
    path.write_text(json.dumps(made), encoding="utf-8")
    runner.porta("build", agent).ok()
    again = json.loads(path.read_text(encoding="utf-8"))
    assert again == made
    first = path.read_text(encoding="utf-8")
    runner.porta("build", agent).ok()
    assert path.read_text(encoding="utf-8") == first


def test_build_takes_what_the_module_carries(runner):
    runner.porta("build", agents.put(runner, "custom_section_manifest")).ok()
    made = json.loads((runner.cwd / "custom_section_manifest.manifest.json").read_text(encoding="utf-8"))
    assert made["name"] == "inner" and [tool["name"] for tool in made["tools"]] == ["greet"]


def test_build_where_nothing_can_be_written(runner):
    agent = agents.put(runner, "hello.c")
    (runner.cwd / "hello.manifest.json").mkdir()
    result = runner.porta("build", agent)
    is_one_sentence(result, agents.FAILED)
    nothing_else(runner, "hello.wasm", "hello.manifest.json")


# ---- explain -----------------------------------------------------------------------------------


def test_explain(runner):
    agent = agents.put(runner, "files.c")
    (runner.cwd / "ws").mkdir()
    runner.identity.own(runner.cwd)
    out = runner.porta("explain", agent, "-v", "ws", "-v", f"{agent}:ro", "-e", "MINE=x", "--secret", "KEY=hidden").ok().out
    assert "Imports      22, 0 of them refused" in out and "Variables    MINE, KEY" in out
    assert f"Sees         {runner.cwd}/ws as ws, to read and write" in out and "hidden" not in out
    assert "and in this sandbox:" in out and f"writable   {runner.cwd}/ws" in out
    refused = runner.porta("explain", agent, "--profile", "worker").ok().out
    assert "14 of them refused" in refused and "path_open" in refused and "reaches no file" in refused
    assert "Variables    none" in refused


def test_explain_json(runner):
    agent = agents.put(runner, "files.c")
    said = json.loads(runner.porta("explain", agent, "--json", "-v", ".:/here", "-e", "MINE=x", "--step-limit", "9").ok().out)
    assert said["agent"]["refused"] == [] and said["agent"]["variables"] == ["MINE"]
    assert said["agent"]["sees"] == [{"host": str(runner.cwd), "guest": "/here", "access": "to read and write"}]
    assert said["policy"]["limits"]["step_limit"] == 9 and said["plan"] is not None
    alone = json.loads(runner.porta("explain", agents.put(runner, "hello.c"), "--json").ok().out)
    assert alone["plan"] is None and alone["agent"]["sees"] == []


def test_explain_runs_nothing(runner):
    """Nor does it compile: what cannot be an agent is told all the same."""
    result = runner.porta("explain", agents.put(runner, "invalid_type_mismatch"))
    is_one_sentence(result, agents.BAD_MODULE)
    runner.porta("explain", agents.put(runner, "start_section_loops")).ok()
