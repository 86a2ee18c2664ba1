"""WASM agents and files: no path, link, rename or descriptor leads out of what -v names, nor past :ro.

wasi.c makes the calls of WASI itself; descriptor 3 is the first -v, 4 the second. What lies outside is the same
after each attack. The control is the same call on a path inside, and with what lies outside handed in.
"""

import os
import threading
import time

import pytest

import agents
import harness

pytestmark = agents.NEEDED

SECRET = "secret of the host\n"


@pytest.fixture(name="world")
def _world(runner):
    """ws/, which the agent may change; ro/, which it may read; and outside/, of which it knows."""
    for name in ("ws/sub/deep", "ws/.git/hooks", "ro/sub", "outside/sub"):
        (runner.cwd / name).mkdir(parents=True)
    for name, text in (("ws/a", "text of a\n"), ("ws/sub/b", "text of b\n"), ("ro/r", "text of r\n"),
                       ("outside/secret", SECRET), ("outside/sub/secret", SECRET), ("ws/.git/config", "[core]\n")):
        (runner.cwd / name).write_text(text, encoding="utf-8")
    for name, target in (("up", "../outside"), ("up-file", "../outside/secret"), ("sub/up2", "../../outside"),
                         ("absolute", str(runner.cwd / "outside")), ("absolute-file", "/etc/passwd"), ("root", "/"),
                         ("loop", "loop"), ("self", "."), ("proc", "/proc/self/root"), ("dangling", "../outside/new"),
                         ("twice", "up"), ("to-ro", "../ro")):
        (runner.cwd / "ws" / name).symlink_to(target)
    (runner.cwd / "ro" / "up").symlink_to("../outside")
    runner.identity.own(runner.cwd)
    return runner.cwd


def wasi(runner, *words, flags=("-v", "ws", "-v", "ro:ro")):
    return agents.run(runner, "wasi.c", *flags, args=words)


def outside(world):
    return {name: harness.snapshot(world / name) for name in ("outside", "ro")}


def same(before, after):
    return "".join(harness.difference(before[name], after[name]) for name in before)


# ---- controls ------------------------------------------------------------------------------


@pytest.mark.parametrize("words, out", [
    (("read", "3", "a"), "text of a\n"), (("read", "3", "sub/../a"), "text of a\n"), (("read", "4", "r"), "text of r\n"),
    (("read", "3", "self/self/a"), "text of a\n"), (("read-through", "3", "sub", "b"), "text of b\n"),
    (("write", "3", "new"), "ok\n"), (("truncate", "3", "a"), "ok\n"), (("mkdir", "3", "d"), "ok\n"),
    (("unlink", "3", "a"), "ok\n"), (("rmdir", "3", "sub/deep"), "ok\n"), (("symlink", "3", "l", "a"), "ok\n"),
    (("link", "3", "a", "3", "b"), "ok\n"), (("rename", "3", "a", "3", "sub/c"), "ok\n"), (("times", "3", "a"), "ok\n"),
    (("renumber", "4", "3", "read", "3", "r"), "text of r\nok\n"),
    (("close", "4", "x", "read", "3", "a"), "text of a\nok\n"),
])
def test_control_inside(runner, world, words, out):
    result = wasi(runner, *words)
    assert (result.code, result.out) == (0, out), str(result)


def test_control_outside_where_it_is_handed_in(runner, world):
    assert wasi(runner, "read", "3", "secret", flags=("-v", "outside")).ok().out == SECRET
    assert wasi(runner, "read", "3", "ws/up-file", flags=("-v", ".")).ok().out == SECRET
    wasi(runner, "write", "4", "r", flags=("-v", "ws", "-v", "ro")).ok()
    assert (world / "ro" / "r").read_text(encoding="utf-8") == "evil of r\n"


# ---- reading -------------------------------------------------------------------------------

WAYS_OUT = ["../outside/secret", "sub/../../outside/secret", "sub/deep/../../../outside/secret", "up/secret", "up-file",
            "sub/up2/secret", "absolute/secret", "absolute-file", "root/etc/passwd", "/etc/passwd", "//etc/passwd",
            "proc/etc/passwd", "twice/secret", "self/self/../../outside/secret", "to-ro/r", "loop", "./../outside/secret",
            "up/../outside/secret", "..", "../", "sub/../..", "/", "/proc/self/environ", "/proc/1/root/etc/passwd",
            "self/../../outside/secret", "up/sub/../secret", "\\0/../outside", "a/../../outside/secret", "a/"]


@pytest.mark.parametrize("path", WAYS_OUT)
@pytest.mark.parametrize("directory", ["3", "4"])
def test_reading(runner, world, directory, path):
    result = wasi(runner, "read", directory, path)
    assert result.code == 1 and result.out.startswith("error "), str(result)
    assert "secret" not in result.out and "root:" not in result.out


@pytest.mark.parametrize("words", [
    ("read-through", "3", "sub", "../../outside/secret"), ("read-through", "3", "sub", "up2/secret"),
    ("read-through", "3", "up", "secret"), ("read-through", "3", "..", "outside/secret"),
    ("read-through", "3", "root", "etc/passwd"), ("read-through", "4", "up", "secret"),
    ("read", "0", "secret"), ("read", "5", "secret"), ("read", "6", "etc/passwd"), ("read", "99", "secret"),
    ("renumber", "3", "4", "read", "4", "../outside/secret"), ("renumber", "0", "3", "read", "3", "secret"),
    ("close", "3", "x", "read", "3", "a"),
])
def test_reading_by_other_descriptors(runner, world, words):
    result = wasi(runner, *words)
    assert result.code == 1 and result.out.startswith("error "), str(result)


# ---- changing ------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [
    *((operation, "3", path) for operation in ("write", "truncate", "unlink", "times", "mkdir", "rmdir")
      for path in ("../outside/secret", "up/secret", "up-file/x", "absolute/secret", "dangling/x", "../outside/sub",
                   "up/new", "../outside/new", "sub/up2/new", "root/tmp/porta-new", "/tmp/porta-new")),
    ("write", "3", "up-file"), ("write", "3", "dangling"), ("truncate", "3", "up-file"), ("times", "3", "up-file"),
    ("symlink", "3", "../outside/link", "a"), ("symlink", "3", "up/link", "a"), ("symlink", "3", "new", "/etc/passwd"),
    ("link", "3", "../outside/secret", "3", "hard"), ("link", "3", "up/secret", "3", "hard"),
    ("link", "3", "a", "3", "../outside/hard"), ("link", "3", "a", "3", "up/hard"),
    ("rename", "3", "../outside/secret", "3", "mine"), ("rename", "3", "up/secret", "3", "mine"),
    ("rename", "3", "a", "3", "../outside/mine"), ("rename", "3", "a", "3", "up/mine"),
    ("rename", "3", "a", "3", "up/secret"), ("rename", "3", "sub", "3", "../outside/sub"), ("rename", "3", ".", "3", "../ws2"),
    ("rename", "3", "..", "3", "x"), ("rename", "3", "up-file/", "3", "x"),
])
def test_changing_what_is_outside(runner, world, words):
    before = outside(world)
    wasi(runner, *words)
    assert same(before, outside(world)) == ""
    assert sorted(path.name for path in world.iterdir() if path.suffix != ".wasm") == ["outside", "ro", "ws"]
    assert not os.path.lexists("/tmp/porta-new")
    for path in (world / "ws").rglob("*"):
        assert path.is_symlink() or not path.is_file() or "secret" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("words", [
    ("write", "4", "new"), ("write", "4", "r"), ("truncate", "4", "r"), ("unlink", "4", "r"), ("mkdir", "4", "d"),
    ("rmdir", "4", "sub"), ("times", "4", "r"), ("symlink", "4", "l", "r"), ("link", "4", "r", "4", "r2"),
    ("rename", "4", "r", "4", "r2"), ("rename", "4", "r", "3", "r"), ("rename", "3", "a", "4", "r"),
    ("rename", "3", "a", "4", "new"), ("link", "3", "a", "4", "new"), ("link", "4", "r", "3", "r"),
    ("write", "3", "to-ro/r"), ("renumber", "4", "3", "write", "3", "r"), ("renumber", "3", "4", "write", "4", "../ro/r"),
])
def test_changing_what_is_read_only(runner, world, words):
    before = outside(world)
    result = wasi(runner, *words)
    assert result.code == 1, str(result)
    assert same(before, outside(world)) == ""


def test_a_hard_link_does_not_make_it_writable(runner, world):
    """From ro/ to ws/ the file would be the same, under a name that can be written."""
    before = outside(world)
    wasi(runner, "link", "4", "r", "3", "r")
    wasi(runner, "write", "3", "r")
    assert same(before, outside(world)) == ""


@pytest.mark.parametrize("words", [
    ("write", "3", ".git/config"), ("write", "3", ".git/hooks/post-commit"), ("rename", "3", "a", "3", ".git/config"),
    ("rename", "3", ".git", "3", "moved"), ("unlink", "3", ".git/config"), ("mkdir", "3", ".git/hooks/d"),
    ("link", "3", ".git/config", "3", "config"), ("write", "3", ".envrc"), ("write", "3", ".mcp.json"),
    ("rmdir", "3", ".git/hooks"),
])
def test_protected_names(runner, world, words):
    before = harness.snapshot(world / "ws" / ".git")
    result = wasi(runner, *words)
    assert harness.difference(before, harness.snapshot(world / "ws" / ".git")) == "", str(result)
    assert not (world / "ws" / ".envrc").exists() and not (world / "ws" / ".mcp.json").exists()


def test_names_that_porta_holds_elsewhere(runner, world):
    (world / "ws" / ".ssh").mkdir()
    (world / "ws" / ".ssh" / "id_rsa").write_text(SECRET, encoding="utf-8")
    runner.identity.own(world)
    home = {"HOME": str(world / "ws")}
    assert agents.run(runner, "wasi.c", "-v", "ws", args=("read", "3", "a"), env=home).ok()
    result = agents.run(runner, "wasi.c", "-v", "ws", args=("read", "3", ".ssh/id_rsa"), env=home)
    assert result.code == 1 and "secret" not in result.out, str(result)


# ---- races ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("path", ["swap/secret", "swap/sub/secret", "sub/swap/secret"])
def test_a_directory_that_becomes_a_symlink_meanwhile(runner, world, path):
    """An accomplice outside swaps a directory for a symlink that leads out, as fast as it can."""
    place = world / "ws" / path.split("swap")[0] / "swap"
    (place / "sub").mkdir(parents=True)
    for name in ("secret", "sub/secret"):
        (place / name).write_text("mine\n", encoding="utf-8")
    link = place.with_name("other")
    link.symlink_to(os.path.relpath(world / "outside", place.parent))
    runner.identity.own(world)
    end = threading.Event()

    def swap():
        third = place.with_name("third")
        while not end.is_set():
            os.rename(place, third)
            os.rename(link, place)
            os.rename(third, link)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        deadline = time.monotonic() + 3
        opened = 0
        while time.monotonic() < deadline:
            result = agents.run(runner, "race.c", "-v", "ws", args=(f"ws/{path}", "20000")).ok()
            assert result.out.startswith("never "), result.out
            opened += int(result.out.split()[1])
        assert opened > 0
    finally:
        end.set()
        swapper.join()
