"""What porta takes away goes to its data directory, which may lie in a writable mount itself: -v ~."""

import pytest

import harness

# A directory that is held open is given a protected name, and porta moves it; ".." then leads on from
# where it is, past the mounts on what is beside that.
CLIMB = """
import os, time
os.mkdir("made")
held = os.open("made", os.O_RDONLY)
os.rename("made", ".claude")
end = time.monotonic() + 5
while time.monotonic() < end and os.path.exists(".claude") and os.stat(".claude").st_mode & 0o777 != 0o500:
    time.sleep(0.01)
time.sleep(0.1)
for up in range(1, 9):
    for below in ("", "porta/", "porta/state/", "systemd/user/", "denied/"):
        name = "../" * up + below
        try:
            os.close(os.open(name + "owned", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=held))
        except OSError:
            pass
        try:
            print(os.read(os.open(name + "secret", os.O_RDONLY, dir_fd=held), 64).decode())
        except OSError:
            pass
print("end")
"""


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_taken_directory_leads_nowhere(runner, workspace, is_linked):
    home = workspace / "home"
    share = home / ".local" / "share"
    for name in ("porta/state", "systemd/user", "denied"):
        (share / name).mkdir(parents=True)
    (share / "denied" / "secret").write_text("SECRET\n", encoding="utf-8")
    (workspace / "link").symlink_to("home/.local/share")
    runner.identity.own(workspace)
    environment = {"HOME": str(home)}
    if is_linked:
        environment["XDG_DATA_HOME"] = str(workspace / "link")
    result = runner.python(CLIMB, "-v", str(home), "--deny-read", str(share / "denied"), env=environment, cwd=home)
    assert result.out == "end\n", str(result)
    assert ".claude" in result.err, str(result)
    # Beside the quarantine, nothing of porta's and nothing protected was written.
    assert list(share.rglob("owned")) == [], str(result)
    kept = list((share / "porta" / "quarantine").glob("*/1-.claude"))
    assert len(kept) == 1, harness.snapshot(share)
