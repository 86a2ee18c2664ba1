"""Symlinks and swaps at the paths that -v names, before and while the sandbox is made; other roads to hidden files."""

import os
import subprocess
import threading

import pytest

import harness


def test_a_symlink_inside_a_mount_is_not_followed_out(runner, workspace):
    """A mount's protected name is a symlink to a file outside: the target does not become writable."""
    outside = workspace / "outside"
    inside = workspace / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "victim").write_text("precious\n", encoding="utf-8")
    (inside / ".envrc").symlink_to("../outside/victim")
    (inside / ".vscode").symlink_to("../outside")
    runner.identity.own(workspace)
    before = harness.snapshot(outside)
    runner.sh("echo bad >> .envrc; echo bad > .vscode/tasks.json; ln -sfn ../outside .vscode; rm -f .envrc; "
              "echo x > .envrc", "-v", str(inside), cwd=inside)
    assert harness.difference(before, harness.snapshot(outside)) == ""
    assert os.readlink(inside / ".envrc") == "../outside/victim"
    assert os.readlink(inside / ".vscode") == "../outside"


def test_a_mount_swapped_for_a_symlink_while_the_sandbox_is_made(runner, workspace):
    """The path of -v flips between a directory and a symlink to one that must not be written."""
    good, other, flip = workspace / "good", workspace / "other", workspace / "flip"
    good.mkdir()
    other.mkdir()
    (other / "victim").write_text("precious\n", encoding="utf-8")
    runner.identity.own(workspace)
    os.symlink("good", flip)
    stop = threading.Event()

    def swap():
        turn = 0
        while not stop.is_set():
            turn += 1
            os.symlink(("good", "other")[turn % 2], workspace / "new")
            os.rename(workspace / "new", flip)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(60):
            # Whichever it was when porta looked is the mount: never both, never a third thing.
            result = runner.sh("a=0; b=0; touch ../good/mark 2>/dev/null && a=1; "
                               "touch ../other/mark 2>/dev/null && b=1; echo $a$b",
                               "-v", str(flip), cwd=good)
            assert result.code == 125 or result.out.strip() in ("10", "01"), str(result)
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("as_user", [pytest.param("root", marks=pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root, to make a bind mount"))], indirect=True)
def test_ssh_through_a_bind_mount(runner, workspace):
    """~/.ssh by another mount of the same file system: read-only, and as a writable mount."""
    home = workspace / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id").write_text("SECRET\n", encoding="utf-8")
    (workspace / "alias").mkdir()
    script = (f"mount --bind {home} {workspace}/alias && "
              f"HOME={home} {runner.program} run sh \"$@\" -- -c 'cat {workspace}/alias/.ssh/id {home}/.ssh/id'")
    for flags in ([], ["-v", str(workspace / "alias")], ["-v", str(workspace)]):
        result = runner.bare("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *flags)
        assert "SECRET" not in result.out and result.code != 0, str(result)


@pytest.mark.parametrize("as_user", [pytest.param("root", marks=pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root, to make a bind mount"))], indirect=True)
@pytest.mark.parametrize("source, target, flags", [
    (".", "inside/again", ["-v", "inside"]),
    ("inside", "inside/again", ["-v", "inside"]),
    ("inside/.git/hooks", "inside/again", ["-v", "inside"]),
    ("inside/sub", "inside/again", ["-v", "inside"]),
    ("inside", "other/again", ["-v", "inside", "-v", "other"]),
    (".", "other/again", ["-v", "other/again/inside", "-v", "."]),
])
def test_protected_names_through_a_bind_mount(runner, workspace, source, target, flags):
    """A protected file by a second writable path, of a bind mount inside a writable mount."""
    for name in ("inside/again", "inside/sub", "inside/.claude", "other/again"):
        (workspace / name).mkdir(parents=True)
    (workspace / "inside/sub/file").write_text("text\n", encoding="utf-8")
    (workspace / "inside/.claude/settings.json").write_text("{}\n", encoding="utf-8")
    runner.bare("git", "init", "-q", "inside", cwd=workspace).ok()
    before = {name: harness.snapshot(workspace / "inside" / name) for name in (".git", ".claude")}
    # Globs: find does not walk into a directory that is mounted below itself.
    attack = ("for d in inside inside/again inside/again/inside other/again other/again/inside; do "
              "for f in $d/.git/config $d/config $d/.claude/settings.json $d/file $d/sub/file $d/.git/hooks/evil "
              "$d/evil; do test -d ${f%/*} && (echo evil >> $f); done; done 2>/dev/null; "
              "rm -f inside/evil inside/config inside/file; echo end")
    script = (f"mount --bind {source} {target} && "
              f"{runner.program} run sh --quiet --deny-read inside/sub \"$@\" -- -c '{attack}'")
    result = runner.bare("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *flags,
                         cwd=workspace)
    assert "end" in result.out, str(result)
    for name, snapshot in before.items():
        assert harness.difference(snapshot, harness.snapshot(workspace / "inside" / name)) == "", str(result)
    assert (workspace / "inside/sub/file").read_text(encoding="utf-8") == "text\n"


OVERLAYS = {
    "contains the home": "mount -t overlay o -o lowerdir=$W,upperdir=$W/x/up,workdir=$W/x/work merged; f=merged/home/.ssh/id",
    "is the home": "mount -t overlay o -o lowerdir=$W/low:$W/home merged; f=merged/.ssh/id",
    "is the home, and mounted again":
        "mount -t overlay o -o lowerdir=$W/low:$W/home merged; mount --bind merged/.ssh b; umount -l merged; f=b/id",
    "is the home by a bind mount":
        "mount --bind home b; mount -t overlay o -o lowerdir=$W/low:$W/b merged; f=merged/.ssh/id",
    "has a colon and a comma in its name":
        r"mv home h:o,me; HOME='h:o,me'; mount -t overlay o -o 'lowerdir='$W'/h\:o\,me:'$W/low merged; f=merged/.ssh/id",
    "is the directory of the keys": "mount -t overlay o -o lowerdir=$W/low:$W/home/.ssh merged; f=merged/id",
    "lies in what is denied": "mount -t overlay o -o lowerdir=$W/low:$W/denied/d merged; f=merged/f",
    "lies above what is denied": "mount -t overlay o -o lowerdir=$W/x/low:$W merged; f=merged/denied/d/f",
    "is an overlay": "mount -t overlay o -o lowerdir=$W/x/low:$W merged; mount -t overlay o -o lowerdir=$W/merged/home:$W/x/low b; f=b/.ssh/id",
    "has a layer named by a symlink":
        "ln -s $W/home link; mount -t overlay o -o lowerdir=$W/low:$W/link merged; f=merged/.ssh/id",
    "holds the home that is an overlay":
        "mv home/.ssh x/up; mount -t overlay o -o lowerdir=$W/low,upperdir=$W/x/up,workdir=$W/x/work home; f=x/up/.ssh/id",
    "holds the home that is an overlay, by a symlink":
        "mv home/.ssh x/up; ln -s x y; mount -t overlay o -o lowerdir=$W/low,upperdir=$W/y/up,workdir=$W/x/work home; f=x/up/.ssh/id",
    "holds the home that is an overlay, with a backslash in its name":
        r"mv home/.ssh x/up; mv x/up 'x/u\p'; mount -t overlay o -o lowerdir=$W/low,upperdir=$W/x/'u\\p',workdir=$W/x/work home; f='x/u\p/.ssh/id'",
}


@pytest.mark.parametrize("as_user", [pytest.param("root", marks=pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root, to mount an overlay"))], indirect=True)
@pytest.mark.parametrize("flags", [[], ["-v", "."]], ids=["reading", "writing"])
@pytest.mark.parametrize("mounts", OVERLAYS.values(), ids=OVERLAYS.keys())
def test_what_is_hidden_through_an_overlay(runner, workspace, mounts, flags):
    """The layers of an overlay, and the overlay itself, show what is masked elsewhere."""
    for name in ("home/.ssh", "denied/d", "merged", "b", "low", "x"):
        (workspace / name).mkdir(parents=True)
    for name in ("home/.ssh/id", "denied/d/f"):
        (workspace / name).write_text("SECRET\n", encoding="utf-8")
    script = (f"W=$PWD; HOME=home; mount -t tmpfs t x && mkdir x/up x/work x/low; {mounts}; HOME=$W/$HOME; export HOME; "
              f"cat \"$f\" && exec {runner.program} run cat --deny-read denied \"$@\" -- \"$f\" home/.ssh/id")
    result = runner.bare("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *flags, cwd=workspace)
    # Once: from the control.
    assert result.out == "SECRET\n" and result.code == 1, str(result)


@pytest.mark.parametrize("as_user", [pytest.param("root", marks=pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root, to mount an overlay"))], indirect=True)
def test_protected_names_through_an_overlay(runner, workspace):
    """A writable overlay whose upper directory holds a working tree: what is written into it lands there."""
    for name in ("merged", "low", "x"):
        (workspace / name).mkdir(parents=True)
    script = ("W=$PWD; mount -t tmpfs t x && mkdir x/up x/work; git init -q x/up/tree; cp x/up/tree/.git/config before; "
              "mount -t overlay o -o lowerdir=$W/low,upperdir=$W/x/up,workdir=$W/x/work merged; "
              f"{runner.program} run sh --quiet -v x/up/tree -v merged -- -c "
              "'for d in x/up/tree merged/tree; do echo evil >> $d/.git/config; echo evil > $d/.git/hooks/evil; done; echo end'; "
              "cmp before x/up/tree/.git/config && ! test -e x/up/tree/.git/hooks/evil && echo held")
    result = runner.bare("unshare", "--mount", "--propagation", "private", "sh", "-c",
                         script, cwd=workspace)
    assert result.out == "end\nheld\n", str(result)


def test_home_of_the_environment_hides_no_less(runner, workspace, as_user):
    """HOME that leads elsewhere does not uncover the keys of the user's real home."""
    if as_user.is_root:
        return  # Root's real home holds nothing of ours.
    keys = as_user.home / ".ssh"
    keys.mkdir(exist_ok=True)
    (keys / "id").write_text("SECRET\n", encoding="utf-8")
    as_user.own(keys)
    for home in (str(workspace), "/nonexistent", "", "relative", "/"):
        result = runner.run("cat", args=(keys / "id",), env={"HOME": home})
        assert "SECRET" not in result.out and result.code != 0, str(result)


def test_a_protected_file_replaced_from_outside_and_written_inside(runner, workspace):
    """`git config` outside replaces the file under the mount; the sandbox writes all the time."""
    runner.bare("sh", "-ec", "git -c init.defaultBranch=main init -q .").ok()
    inside = runner.popen_porta(
        "run", "sh", "-v", ".", "--quiet", "--", "-c",
        "echo ready; while :; do printf '[core]\\n\\tfsmonitor = touch /tmp/owned\\n' >> .git/config; "
        "echo '#!/bin/sh' > .git/hooks/post-commit; done 2>/dev/null")
    assert inside.stdout.readline() == b"ready\n"
    for number in range(50):
        runner.bare("git", "config", "test.number", str(number)).ok()
    inside.terminate()
    inside.communicate(timeout=20)
    text = (workspace / ".git" / "config").read_text()
    assert "fsmonitor" not in text, text
    assert "[test]" in text, text
    assert not (workspace / ".git" / "hooks" / "post-commit").exists()


def test_nothing_is_left_in_a_workspace_that_was_only_read(runner, workspace):
    (workspace / "file").write_text("text\n", encoding="utf-8")
    runner.identity.own(workspace)
    before = harness.snapshot(workspace)
    for flags in (["-v", "."], ["-v", ".:ro"], ["-v", ".", "--net", "blocked"],
                  ["-v", ".", "--allow-net", "example.com:443"]):
        runner.sh("cat file >/dev/null; true", *flags).ok()
        assert harness.difference(before, harness.snapshot(workspace)) == "", flags


def test_the_kernels_file_systems_mounted_elsewhere(runner, workspace):
    """A chroot's /proc and /sys in the workspace: no switch of the machine, no process of the host."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (workspace / "chroot/proc").mkdir(parents=True)
    (workspace / "chroot/sys").mkdir()
    runner.identity.own(workspace)
    mounted = []
    try:
        for kind in ("proc", "sys"):
            point = workspace / "chroot" / kind
            subprocess.run(["mount", "-t", {"sys": "sysfs"}.get(kind, kind), kind, str(point)], check=True)
            mounted.append(point)
        switches = "chroot/proc/sys/kernel/core_pattern chroot/sys/kernel/profiling"
        control = subprocess.run(["sh", "-c", f"test -w {switches.split()[0]} && ls chroot/proc/self"],
                                 cwd=workspace, capture_output=True, check=False)
        assert control.returncode == 0
        result = runner.sh(f"for f in {switches}; do [ -w $f ] && echo writable $f; done; "
                           f"ls chroot/proc/{os.getpid()} chroot/proc/self 2>/dev/null; "
                           "touch chroot/file && echo end", "-v", str(workspace))
        assert result.out == "end\n", str(result)
    finally:
        for point in mounted:
            subprocess.run(["umount", str(point)], check=True)


def test_a_git_directory_beside_its_working_tree(runner, workspace):
    """`git init --separate-git-dir`: the directory that the `.git` file names is protected like `.git`."""
    runner.bare("git", "init", "-q", "--separate-git-dir=real", ".", cwd=workspace).ok()
    control = runner.bare("sh", "-c", "echo '[core]' >> real/config", cwd=workspace)
    assert control.code == 0
    before = (workspace / "real/config").read_text(encoding="utf-8")
    result = runner.sh("printf '[core]\\nfsmonitor=touch /tmp/x\\n' >> real/config; mkdir -p real/hooks; "
                       "echo x > real/hooks/pre-commit; mv real moved; touch file && echo end",
                       "-v", str(workspace), cwd=workspace)
    assert result.out == "end\n", str(result)
    assert (workspace / "real/config").read_text(encoding="utf-8") == before
    assert not (workspace / "real/hooks/pre-commit").exists()


def test_what_a_hook_links_to(runner, workspace):
    """`.git/hooks/pre-commit` is a symlink to a script of the tree: that script is what git runs."""
    runner.bare("sh", "-ec", "git -c init.defaultBranch=main init -q .; mkdir scripts .claude conf src;"
                "echo '#!/bin/sh' > scripts/pre-commit; chmod +x scripts/pre-commit;"
                "ln -s ../../scripts/pre-commit .git/hooks/pre-commit;"
                "ln -s ../../scripts/post-commit .git/hooks/post-commit;"
                "echo '{}' > conf/settings.json; ln -s ../conf/settings.json .claude/settings.json;"
                "ln -s ../src .claude/src; echo text > src/file", cwd=workspace).ok()
    result = runner.sh("echo evil >> scripts/pre-commit; echo evil > scripts/post-commit; echo evil > conf/settings.json;"
                       "mv scripts moved; mkdir -p scripts; echo evil > scripts/pre-commit;"
                       "echo work > src/file; echo work > scripts/other; echo end", "-v", ".", cwd=workspace)
    assert result.out == "end\n", str(result)
    for name in (".git/hooks/pre-commit", ".claude/settings.json"):
        assert "evil" not in (workspace / name).read_text(encoding="utf-8"), str(result)
    assert not (workspace / ".git/hooks/post-commit").exists(), str(result)
    assert "post-commit" in result.err, str(result)
    # The links to directories, and what lies beside a linked file, are free.
    assert (workspace / "src/file").read_text(encoding="utf-8") == "work\n"
    assert (workspace / "scripts/other").read_text(encoding="utf-8") == "work\n"
