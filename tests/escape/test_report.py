"""--report is written by porta itself, outside of the sandbox: what a run has left in the way leads it nowhere else."""

import shlex

import pytest


@pytest.fixture(name="victim")
def _victim(runner):
    path = runner.cwd.parent / f"{runner.cwd.name}-victim"
    path.write_text("precious\n", encoding="utf-8")
    runner.identity.own(path)
    yield path
    path.unlink()


@pytest.mark.parametrize("report, script", [
    ("out.jsonl", "rm -f out.jsonl; ln -s {victim} out.jsonl"),
    ("logs/{name}", "rm -rf logs; ln -s {directory} logs"),
    ("logs/out.jsonl", "rm -rf logs; mkdir logs; ln -s ../step logs/out.jsonl; ln -s {victim} step"),
])
@pytest.mark.parametrize("by", ["flag", "file"])
def test_a_symlink_that_a_run_has_left(runner, victim, report, script, by):
    report = report.format(name=victim.name)
    script = script.format(victim=victim, directory=victim.parent)
    (runner.cwd / "logs").mkdir()
    runner.identity.own(runner.cwd / "logs")
    # The control: it works for who writes there without a look.
    runner.bare("sh", "-c", f"{script}; echo x > {report}")
    assert victim.read_text(encoding="utf-8") == "x\n"
    victim.write_text("precious\n", encoding="utf-8")
    runner.bare("sh", "-c", f"rm -rf logs step out.jsonl; mkdir logs; : > {report}")

    runner.sh(script, "-v", ".", "--report", report).ok()
    if by == "flag":
        result = runner.sh("true", "-v", ".", "--report", report)
    else:
        (runner.cwd / "porta.toml").write_text(f'[runtime]\ncommand = "true"\nreport = "{report}"\n'
                                               '[sandbox]\nmounts = ["."]\n', encoding="utf-8")
        runner.identity.own(runner.cwd / "porta.toml")
        result = runner.porta("up")
    assert result.code == 125 and "is a symlink that a command inside could have made" in result.err, str(result)
    assert victim.read_text(encoding="utf-8") == "precious\n"


def test_the_users_own_symlinks_are_followed(runner, victim):
    (runner.cwd / "work").mkdir()
    runner.identity.own(runner.cwd / "work")
    (runner.cwd / "link").symlink_to(victim)
    runner.sh("true", "-v", "work", "--report", "link").ok()
    assert victim.read_text(encoding="utf-8") == ""
    refused = "import socket; s = socket.socket(); s.connect_ex(('203.0.113.5', 443))"
    for place in ("/dev/stdout", "/proc/self/fd/1"):
        argv = runner.program, "run", "/usr/bin/python3", "--allow-net", "example.com:443", "--quiet", "--report", place, "--", "-c", refused
        # Through a pipe: the harness's own file is not the ordinary user's to open.
        result = runner.bare("sh", "-c", f"{shlex.join(map(str, argv))} | cat").ok()
        assert '"subject":"203.0.113.5:443"' in result.out, str(result)
