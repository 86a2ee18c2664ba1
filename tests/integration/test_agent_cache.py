"""The cache of compiled code: what is kept, where, and that nothing wrong ever runs out of it."""

import json
import os
import re
import shutil
import stat
import time

import pytest

import agents
import harness

pytestmark = agents.NEEDED


@pytest.fixture(name="cache")
def _cache(runner):
    """The runner's cache directory, made by the first run; it is of this test alone."""
    directory = runner.cwd / "cache"
    runner.identity.own(runner.cwd)
    return directory / "porta" / "wasm"


def run(runner, guest="hello.c", *flags, **options):
    agent = agents.put(runner, guest)
    return runner.porta("run", agent, *flags, env={"XDG_CACHE_HOME": str(runner.cwd / "cache")}, **options)


def entries(cache):
    return sorted(cache.iterdir()) if cache.is_dir() else []


def only_entry(runner, cache, *arguments):
    run(runner, *arguments).ok()
    (entry,) = entries(cache)
    return entry


def test_an_entry_is_the_users_alone(runner, cache):
    entry = only_entry(runner, cache)
    assert re.fullmatch(r"[0-9a-f]{64}", entry.name)
    status = entry.stat()
    assert stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == runner.identity.uid and status.st_nlink == 1
    for directory in (cache, cache.parent, cache.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_it_is_made_once(runner, cache):
    entry = only_entry(runner, cache)
    before = harness.snapshot(cache)
    for _ in range(3):
        assert run(runner).ok().out == "hello\n"
    assert harness.difference(before, harness.snapshot(cache)) == "" and entries(cache) == [entry]


def test_the_file_may_have_another_name(runner, cache):
    entry = only_entry(runner, cache)
    shutil.copy(runner.cwd / "hello.wasm", runner.cwd / "other.wasm")
    (runner.cwd / "other.wasm").chmod(0o644)
    runner.porta("run", runner.cwd / "other.wasm", env={"XDG_CACHE_HOME": str(runner.cwd / "cache")}).ok()
    assert entries(cache) == [entry]


def test_another_module_is_another_entry(runner, cache):
    only_entry(runner, cache)
    assert run(runner, "exit_code.c").code == 7
    assert len(entries(cache)) == 2


def test_counting_steps_is_another_entry(runner, cache):
    only_entry(runner, cache)
    run(runner, "hello.c", "--step-limit", "10000000").ok()
    assert len(entries(cache)) == 2
    # The code that counts is what such a run takes.
    assert run(runner, "loop.c", "--timeout", "300ms").code == agents.TIMEOUT
    assert run(runner, "loop.c", "--step-limit", "1000").code == agents.STEP_LIMIT


def test_a_changed_module_is_compiled_anew(runner, cache):
    only_entry(runner, cache)
    shutil.copy(agents.build.guest("exit_code.c"), runner.cwd / "hello.wasm")
    assert runner.porta("run", runner.cwd / "hello.wasm", env={"XDG_CACHE_HOME": str(runner.cwd / "cache")}).code == 7


# ---- entries that are wrong ----------------------------------------------------------------


def rewrite(entry, content):
    entry.write_bytes(content)


DAMAGES = {
    "first-byte": lambda c: bytes([c[0] ^ 1]) + c[1:],
    "code": lambda c: c[:len(c) // 2] + bytes([c[len(c) // 2] ^ 0x80]) + c[len(c) // 2 + 1:],
    "last-byte": lambda c: c[:-1] + bytes([c[-1] ^ 1]),
    "footer": lambda c: c[:-60] + bytes([c[-60] ^ 1]) + c[-59:],
    "empty": lambda c: b"",
    "short": lambda c: c[:50],
    "truncated": lambda c: c[:len(c) // 2],
    "cut-by-one": lambda c: c[:-1],
    "longer": lambda c: c + b"x",
    "zeros": lambda c: bytes(len(c)),
    "twice": lambda c: c + c,
    "text": lambda c: b"no code\n" * 1000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_replaced(runner, cache, damage):
    entry = only_entry(runner, cache)
    good = entry.read_bytes()
    rewrite(entry, DAMAGES[damage](good))
    result = run(runner)
    assert (result.code, result.out, result.err) == (0, "hello\n", ""), str(result)
    assert entries(cache) == [entry] and entry.read_bytes() == good


def test_every_byte_counts(runner, cache):
    """One of each 500 bytes, changed alone."""
    entry = only_entry(runner, cache)
    good = entry.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 100)):
        rewrite(entry, good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1:])
        assert run(runner).ok().out == "hello\n", at
        assert entry.read_bytes() == good, at


def test_code_of_another_module_does_not_run(runner, cache):
    """Whole in itself, but under the wrong name."""
    hello = only_entry(runner, cache)
    assert run(runner, "exit_code.c").code == 7
    (other,) = set(entries(cache)) - {hello}
    shutil.copyfile(other, hello)
    assert run(runner).ok().out == "hello\n"


@pytest.mark.parametrize("kind", ["directory", "fifo", "symlink", "dangling", "full-directory"])
def test_what_is_no_file_is_no_entry(runner, cache, kind):
    entry = only_entry(runner, cache)
    shutil.copyfile(entry, runner.cwd / "elsewhere")
    entry.unlink()
    if kind == "fifo":
        os.mkfifo(entry)
    elif kind == "symlink":
        entry.symlink_to(runner.cwd / "elsewhere")
    elif kind == "dangling":
        entry.symlink_to(runner.cwd / "missing")
    else:
        entry.mkdir()
        if kind == "full-directory":
            (entry / "file").touch()
    runner.identity.own(runner.cwd)
    assert run(runner).ok().out == "hello\n"
    assert not (runner.cwd / "missing").exists()


def test_an_entry_that_cannot_be_read(runner, cache):
    entry = only_entry(runner, cache)
    entry.chmod(0)
    assert run(runner).ok().out == "hello\n"


# ---- directories that are wrong ------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o720])
def test_a_directory_that_others_can_write_is_not_used(runner, cache, mode):
    only_entry(runner, cache)
    cache.chmod(mode)
    before = harness.snapshot(cache)
    result = run(runner, "exit_code.c")
    assert result.code == 7 and "is not used: it has to belong to you" in result.err, str(result)
    assert run(runner, "exit_code.c", "--quiet").err == ""
    assert harness.difference(before, harness.snapshot(cache)) == ""
    listed = runner.porta("cache", env={"XDG_CACHE_HOME": str(runner.cwd / "cache")})
    assert listed.code == agents.FAILED and "is not used" in listed.err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a directory to another user")
def test_another_users_directory_is_not_used(runner, machine, cache):
    only_entry(runner, cache)
    other = next(one for one in machine.identities.values() if one.uid != runner.identity.uid)
    os.chown(cache, other.uid, other.gid)
    cache.chmod(0o755)
    before = harness.snapshot(cache)
    result = run(runner, "exit_code.c")
    assert result.code == 7 and "is not used" in result.err, str(result)
    assert harness.difference(before, harness.snapshot(cache)) == ""


def test_without_a_home_nothing_is_kept(runner):
    agent = agents.put(runner, "hello.c")
    for env in ("HOME= XDG_CACHE_HOME=", "HOME=relative XDG_CACHE_HOME=relative", "-u HOME -u XDG_CACHE_HOME"):
        result = runner.bare("sh", "-c", f'exec env {env} "$0" run "$1"', runner.program, agent)
        assert (result.code, result.out, result.err) == (0, "hello\n", ""), str(result)
    assert [path.name for path in runner.cwd.iterdir()] == ["hello.wasm"]


@pytest.mark.parametrize("home", ["{cwd}/missing/deep", "{cwd}/file", "/proc/nowhere"])
def test_a_home_that_cannot_be(runner, home):
    (runner.cwd / "file").touch()
    agent = agents.put(runner, "hello.c")
    result = runner.porta("run", agent, env={"HOME": home.format(cwd=runner.cwd), "XDG_CACHE_HOME": ""})
    assert (result.code, result.out, result.err) == (0, "hello\n", ""), str(result)


def test_a_cache_that_is_read_only(runner, cache):
    only_entry(runner, cache)
    cache.chmod(0o500)
    assert run(runner).ok().out == "hello\n"
    assert run(runner, "exit_code.c").code == 7
    cache.chmod(0o700)


# ---- several at once -----------------------------------------------------------------------


def test_many_first_runs_at_once(runner, cache):
    agent = agents.put(runner, "hello.c")
    env = {"XDG_CACHE_HOME": str(runner.cwd / "cache")}
    started = [runner.popen_porta("run", agent, env=env) for _ in range(20)]
    assert [process.communicate(timeout=60) for process in started] == [(b"hello\n", b"")] * 20
    assert len(entries(cache)) == 1


def test_it_is_cleared_while_agents_run(runner, cache):
    agent = agents.put(runner, "hello.c")
    env = {"XDG_CACHE_HOME": str(runner.cwd / "cache")}
    started = [runner.popen_porta("run", agent, env=env) for _ in range(20)]
    for _ in range(10):
        runner.porta("cache", "clear", env=env).ok()
    assert [process.communicate(timeout=60) for process in started] == [(b"hello\n", b"")] * 20


# ---- porta cache ----------------------------------------------------------------------------


def test_list_and_clear(runner, cache):
    env = {"XDG_CACHE_HOME": str(runner.cwd / "cache")}
    assert "0 compiled modules" in runner.porta("cache", env=env).ok().out
    assert not (runner.cwd / "cache").exists()
    entry = only_entry(runner, cache)
    (cache / "foreign").write_text("not porta's", encoding="utf-8")
    listed = runner.porta("cache", "list", env=env).ok().out
    assert entry.name in listed and str(entry.stat().st_size) in listed and "foreign" not in listed
    assert f"1 compiled modules, {entry.stat().st_size} bytes, in {cache}" in listed
    as_json = json.loads(runner.porta("cache", "--json", env=env).ok().out)
    assert as_json["directory"] == str(cache)
    assert [(one["key"], one["bytes"]) for one in as_json["entries"]] == [(entry.name, entry.stat().st_size)]
    cleared = runner.porta("cache", "clear", env=env).ok().out
    assert cleared.startswith("removed 1 compiled modules, ")
    assert [path.name for path in entries(cache)] == ["foreign"]
    assert run(runner).ok().out == "hello\n"


def test_a_use_is_noted(runner, cache):
    entry = only_entry(runner, cache)
    os.utime(entry, (1, 1))
    run(runner).ok()
    assert time.time() - entry.stat().st_mtime < 3600


def test_the_longest_unused_go(runner, cache):
    """Above 4 GiB; the large ones here are holes."""
    old = only_entry(runner, cache)
    for number in range(3):
        large = cache / f"{number:064x}"
        with large.open("wb") as file:
            file.truncate(2 << 30)
        os.utime(large, (1000 + number, 1000 + number))
    runner.identity.own(runner.cwd)
    assert run(runner, "exit_code.c").code == 7
    left = {path.name for path in entries(cache)}
    assert old.name in left and f"{2:064x}" in left and len(left) == 3, left


@pytest.mark.parametrize("words", [["flush"], ["list", "more"], ["--all"]])
def test_bad_words(runner, words):
    result = runner.porta("cache", *words)
    assert result.code == agents.FAILED and result.err.count("\n") == 1 and words[-1] in result.err, str(result)
