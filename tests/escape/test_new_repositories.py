"""A repository that is made inside runs programs for whoever uses git there later: the end of the run tells of it.

Each attack is shown to work: git outside, in the working tree, runs the program that was left.
"""

import time

import pytest

MAKE = r'''
repository() {  # repository DIRECTORY: one whose configuration runs a program
    mkdir -p "$1/objects" "$1/refs"
    echo "ref: refs/heads/main" > "$1/HEAD"
    printf '[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tfsmonitor = touch %s; false\n' "$OWNED" > "$1/config"
}
hook() {
    mkdir -p "$1"
    printf '#!/bin/sh\ntouch %s\n' "$OWNED" > "$1/pre-commit"
    chmod 755 "$1/pre-commit"
}
'''

# (what, the script inside, the script outside before it, where git is used, what is told)
CASES = [
    ("a new .git", "repository .git", "", ".", "core.fsmonitor"),
    ("a .git file that leads out of the workspace", "repository $AWAY; echo gitdir: $AWAY > .git", "", ".", "core.fsmonitor"),
    ("a .git file by way of a symlink", "repository e; ln -s e l; echo gitdir: l > .git", "", ".", "core.fsmonitor"),
    (".git as a symlink", "repository e; ln -s e .git", "", ".", "core.fsmonitor"),
    ("the configuration as a symlink", "repository .git; mv .git/config $AWAY; ln -s $AWAY .git/config", "", ".", "core.fsmonitor"),
    ("commondir", "repository $AWAY; mkdir .git; cp $AWAY/HEAD .git; echo $AWAY > .git/commondir", "", ".", "core.fsmonitor"),
    ("a configuration of more than a megabyte", "repository .git; yes '# and so on' | head -c 1200000 >> .git/config", "", ".", "too large"),
    ("hooks as a symlink", "git init -q .; rm -rf .git/hooks; hook h; ln -s ../h .git/hooks", "", ".", "hooks/pre-commit"),
    ("a hook that is an old script", "git init -q .; ln -s ../../old/pre-commit .git/hooks/pre-commit", "hook old", ".",
     "hooks/pre-commit"),
    ("an old repository in a new place", "mv e .git", "repository e", ".", "core.fsmonitor"),
    ("a repository in a directory", "mkdir sub; repository sub/.git", "", "sub", "core.fsmonitor"),
    ("a repository among many directories", "mkdir zz; repository zz/.git", "seq 2000 | xargs mkdir", "zz", "core.fsmonitor"),
]


@pytest.mark.parametrize("inside,outside,where,told", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_git_would_run_is_told(runner, workspace, tmp_path_factory, inside, outside, where, told):
    owned = workspace / "owned"
    tree = workspace / "tree"
    tree.mkdir()
    runner.identity.own(tree)
    away = f"/tmp/porta-test-away-{time.monotonic_ns()}"
    names = f"OWNED={owned}\nAWAY={away}\n" + MAKE
    try:
        if outside:
            runner.bare("sh", "-ec", names + outside, cwd=tree).ok()
            time.sleep(0.02)  # what is old is older than the run
        result = runner.sh("set -e\n" + names + inside, "-v", ".", cwd=tree).ok()
        runner.bare("sh", "-c", f"cd {where}; git status; git -c user.name=a -c user.email=a@example.com "
                    "commit -q --allow-empty -m x", cwd=tree)
        assert owned.exists(), f"the attack does not work: {result}"
        assert "is new and runs programs" in result.err and told in result.err, str(result)
    finally:
        runner.bare("rm", "-rf", away)


REBASE = r'''
git init -q -b main .
for i in 1 2; do git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m $i; done
GIT_SEQUENCE_EDITOR="printf '$LIST' >" git -c user.name=a -c user.email=a@example.com rebase -q -i HEAD~1 || :
test -d .git/rebase-merge
'''


@pytest.mark.parametrize("word", ["exec", "x"])
def test_a_rebase_that_would_run_a_program(runner, workspace, word):
    """Left in its middle: who goes on with it outside runs what its list says."""
    owned = workspace / "owned"
    tree = workspace / "tree"
    tree.mkdir()
    runner.identity.own(tree)
    names = f"export HOME=$PWD/..\nLIST='break\\n{word} touch {owned}\\n'\n" + REBASE
    result = runner.sh("set -e\n" + names, "-v", ".", cwd=tree).ok()
    runner.bare("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "rebase", "--continue", cwd=tree)
    assert owned.exists(), f"the attack does not work: {result}"
    assert "git-rebase-todo is new and runs programs" in result.err and f"touch {owned}" in result.err, str(result)


def test_a_rebase_that_runs_none_is_not_told(runner, workspace):
    tree = workspace / "tree"
    tree.mkdir()
    runner.identity.own(tree)
    names = "export HOME=$PWD/..\nLIST='break\\npick HEAD exec x\\n'\n" + REBASE
    result = runner.sh("set -e\n" + names, "-v", ".", cwd=tree).ok()
    assert "runs programs" not in result.err, str(result)


def test_nothing_is_told_of_what_was_there(runner, workspace):
    """A repository that was there, and whose hook and settings are old."""
    tree = workspace / "tree"
    tree.mkdir()
    runner.identity.own(tree)
    names = f"OWNED={workspace}/owned\n" + MAKE
    runner.bare("sh", "-ec", names + "git init -q .; hook .git/hooks; git init -q sub; hook sub/.git/hooks; "
                "git -C sub config core.editor vi; repository bare", cwd=tree).ok()
    time.sleep(0.02)
    result = runner.sh("echo x > f; git add f; git -C sub status -sb; touch sub/g; git -C sub add g; git status -s",
                       "-v", ".", cwd=tree).ok()
    assert "runs programs" not in result.err, str(result)
