"""porta's own data, state and cache directories: what lies there is believed by later runs, and is never writable inside."""

import os
import pathlib
import tempfile

import pytest

import harness

OWN = (".local/share/porta", ".local/state/porta", ".cache/porta")
# Writes by every path that may lead there, also one that was made inside, and says nothing of it.
ATTACK = """
for d in "$@"; do
    mkdir -p $d 2>/dev/null
    for f in $d/evil $d/old $d/wasm/old; do echo evil >> $f; done 2>/dev/null
    mv $d $d.moved 2>/dev/null && mkdir -p $d && echo evil > $d/evil
    chmod 777 $d 2>/dev/null
    p=${d%/*}
    mv $p $p.moved 2>/dev/null && mkdir -p $d && echo evil > $d/evil
    p=${p%/*}
    mv $p $p.moved 2>/dev/null && mkdir -p $d && echo evil > $d/evil
done
echo end
"""
needs_root = [pytest.param("root", marks=pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount"))]


def make_own(home):
    for name in OWN:
        (home / name / "wasm").mkdir(parents=True)
        (home / name / "old").write_text("old\n", encoding="utf-8")
        (home / name / "wasm/old").write_text("old\n", encoding="utf-8")


def held(*directories):
    """Whether each is where it was, and nothing that was written inside is in it."""
    for directory in directories:
        if not directory.is_dir() or any(path.with_name(path.name + ".moved").exists()
                                         for path in (directory, *list(directory.parents)[:2])):
            return False
        for path in directory.rglob("*"):
            if path.is_file() and "quarantine" not in path.parts and "evil" in path.read_text(encoding="utf-8"):
                return False
    return True


ABOVE = (["home"], ["."])
EACH = (["home/.cache", "home/.local"], [".", "home", "home/.cache"])


@pytest.mark.parametrize("exists, mounts", [
    *((exists, mounts) for exists in ("all", "above", "none") for mounts in ABOVE),
    *((exists, mounts) for exists in ("all", "above") for mounts in EACH),
])
def test_in_a_mount(runner, workspace, exists, mounts):
    home = workspace / "home"
    home.mkdir()
    if exists != "none":
        for name in (".cache", ".local/share"):
            (home / name).mkdir(parents=True)
    if exists == "all":
        make_own(home)
    runner.identity.own(workspace)
    flags = [word for mount in mounts for word in ("-v", mount)]
    result = runner.run("sh", *flags, "--allow-protected", "--quiet",
                        args=("-c", ATTACK, "sh", *(f"home/{name}" for name in OWN)),
                        env={"HOME": str(home)}, cwd=workspace)
    assert result.out == "end\n", str(result)
    assert held(*(home / name for name in OWN)), str(result) + str(harness.snapshot(home))
    for name in OWN:
        assert (home / name).stat().st_mode & 0o777 == (0o755 if exists == "all" else 0o700), name


def test_nothing_is_taken_that_porta_makes_outside_meanwhile(runner, workspace):
    """A directory that did not exist at the start is porta's from then on: what a run outside puts there stays."""
    home = workspace / "home"
    home.mkdir()
    runner.identity.own(workspace)
    inside = runner.popen_porta("run", "sh", "-v", "home", "--", "-c",
                                "echo ready; cd home/.cache/porta; timeout 10 sh -c 'until test -s entry; do sleep 0.01; done'; "
                                "echo evil > evil; cat entry",
                                env={"HOME": str(home)}, cwd=workspace)
    assert inside.stdout.readline() == b"ready\n"
    runner.bare("sh", "-ec", "mkdir -p .cache/porta; echo good > .cache/porta/new; mv .cache/porta/new .cache/porta/entry", cwd=home).ok()
    out, err = inside.communicate(timeout=20)
    assert out == b"good\n", (out, err)
    assert [path.name for path in (home / ".cache/porta").iterdir()] == ["entry"]


@pytest.mark.parametrize("mount", [".cache/porta", ".cache/porta/wasm", ".cache/porta/old", ".local/share/porta", "link/wasm"])
def test_a_mount_of_one_is_refused(runner, workspace, mount):
    home = workspace / "home"
    make_own(home)
    (home / "link").symlink_to(".local/state/porta")
    runner.identity.own(workspace)
    for extra in ([], ["--allow-protected"], ["-v", "."]):
        result = runner.sh("echo evil > $0", "-v", mount, *extra, env={"HOME": str(home)}, cwd=home)
        assert result.code == 125 and "never writable" in result.err, str(result)
    assert held(*(home / name for name in OWN))
    result = runner.sh("echo end", "-v", f"{mount}:ro", env={"HOME": str(home)}, cwd=home)
    assert result.out == "end\n", str(result)


def test_of_the_environment_and_of_the_home(runner, workspace):
    """A run without XDG_CACHE_HOME uses what one with it must not lay open, and a symlink leads to it."""
    home = workspace / "home"
    (home / ".local").mkdir(parents=True)
    (home / ".cache").symlink_to("../elsewhere/cache")
    (workspace / "elsewhere").mkdir()
    runner.identity.own(workspace)
    result = runner.run("sh", "-v", ".", "--quiet",
                        args=("-c", ATTACK, "sh", "home/.cache/porta", "elsewhere/cache/porta", "xdg/porta"),
                        env={"HOME": str(home), "XDG_CACHE_HOME": str(workspace / "xdg")}, cwd=workspace)
    assert result.out == "end\n", str(result)
    assert held(workspace / "elsewhere/cache/porta", workspace / "xdg/porta"), str(result) + str(harness.snapshot(workspace))


def test_in_tmp(runner, workspace):
    """Which is writable without being asked for, and where nothing else is watched."""
    runner.identity.own(workspace)
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        own = pathlib.Path(directory) / "new/porta"
        runner.identity.own(own.parent.parent)
        result = runner.run("sh", "-v", ".", "--quiet", args=("-c", ATTACK, "sh", own),
                            env={"XDG_CACHE_HOME": str(own.parent)}, cwd=workspace)
        assert result.out == "end\n", str(result)
        assert held(own), str(result) + str(harness.snapshot(directory))


@pytest.mark.parametrize("as_user", needs_root, indirect=True)
@pytest.mark.parametrize("mount, flags, code", [
    ("mount --bind home other", ["-v", "other"], 0),
    ("mount --bind . other", ["-v", "other/home", "-v", "other"], 0),
    ("mount --bind away home/.cache/porta", ["-v", "away"], 125),
    ("mount --bind away home/.cache/porta", ["-v", "."], 0),
    ("mount --bind away home/.cache/porta", ["-v", "home"], 0),
    ("mount --bind home/.cache/porta/wasm other", ["-v", "other"], 125),
    ("mount --bind home/.cache/porta/wasm other", ["-v", "."], 0),
    ("rm -r home/.cache; mount --bind home other", ["-v", "other"], 0),
])
def test_by_another_mount(runner, workspace, mount, flags, code):
    home = workspace / "home"
    make_own(home)
    (workspace / "other").mkdir()
    (workspace / "away/wasm").mkdir(parents=True)
    for name in ("old", "wasm/old"):
        (workspace / "away" / name).write_text("old\n", encoding="utf-8")
    places = [top + name for top in ("home/", "other/", "other/home/") for name in OWN] + ["away", "other", "other/wasm"]
    attack = ATTACK.replace('"$@"', " ".join(places))
    script = f"{mount} && HOME={home} exec {runner.program} run sh --quiet \"$@\" -- -c '{attack}'"
    result = runner.bare("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *flags, cwd=workspace)
    assert result.code == code and result.out == ("end\n" if code == 0 else ""), str(result)
    places = [home / name for name in OWN] + ([workspace / "away"] if "away" in mount else [])
    assert held(*places), str(result) + str(harness.snapshot(workspace))
