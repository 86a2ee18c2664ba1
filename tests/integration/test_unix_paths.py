"""Unix sockets by paths that go through what a program holds itself: /proc/self/fd, /dev/fd, /proc/self/cwd."""

import os
import socket

import pytest

# Longer than the 108 bytes of an address.
LONG = os.path.join("a" * 100, "b" * 20)

BIND_AND_CONNECT = """
import errno, os, socket, sys
socket.setdefaulttimeout(5)
os.makedirs(sys.argv[1], exist_ok=True)
directory = os.open(sys.argv[1], os.O_PATH | os.O_DIRECTORY)
def attempt(what, *words):
    try:
        what(*words)
        return "works"
    except OSError as error:
        return errno.errorcode[error.errno]
for number, form in enumerate(["/proc/self/fd/{}/{}", "/dev/fd/{}/{}", "/proc/thread-self/fd/{}/{}", "/proc//self/fd/{}//{}",
                               "/proc/self/root/proc/self/fd/{}/{}", "/proc/self/fd/{}/../" + "b" * 20 + "/{}"]):
    for listens in ("bound", "named"):
        name = f"{number}-{listens}"
        listener = socket.socket(socket.AF_UNIX)
        if listens == "bound":
            print(form, "bind", attempt(listener.bind, form.format(directory, name)))
        else:
            os.chdir(directory)
            listener.bind(name)
            os.chdir("/")
        listener.listen()
        handle = os.open(name, os.O_PATH, dir_fd=directory)
        caller = socket.socket(socket.AF_UNIX)
        print(form, "connect", attempt(caller.connect, form.format(directory, name)))
        peer = listener.accept()[0]
        peer.sendall(b"hello")
        assert caller.recv(9) == b"hello"
        for itself in (f"/proc/self/fd/{handle}", f"/dev/fd/{handle}"):
            print(itself.rstrip("0123456789"), attempt(socket.socket(socket.AF_UNIX).connect, itself))
os.chdir(directory)
listener = socket.socket(socket.AF_UNIX)
print("bind", attempt(listener.bind, "/proc/self/cwd/here"))
listener.listen()
print("cwd", attempt(socket.socket(socket.AF_UNIX).connect, "/proc/self/cwd/here"))
there = "/proc/self/root" + os.getcwd()
print("root", len(there) > 107 or attempt(socket.socket(socket.AF_UNIX).connect, there + "/here"))
# What is no socket's place.
file = os.open("file", os.O_RDWR | os.O_CREAT)
for path in (f"/proc/self/fd/{directory}", f"/proc/self/fd/{file}", f"/proc/self/fd/{file}/x", "/proc/self/fd/999/x",
             f"/proc/self/fd/{directory}/none", f"/proc/self/fd/0{directory}/here", "/proc/self/fd/x/here",
             f"/proc/self/fd/{listener.fileno()}", "/proc/self/cwd", "/proc/self/fd/-1/here",
             f"/proc/self/fd/{directory}x/here", "/proc/selfish/cwd/here", "/proc/self/cwd/file"):
    print(path.rstrip("0123456789"), attempt(socket.socket(socket.AF_UNIX).connect, path))
print("taken", attempt(socket.socket(socket.AF_UNIX).bind, f"/proc/self/fd/{directory}/0-bound"))
print("itself", attempt(socket.socket(socket.AF_UNIX).bind, f"/proc/self/fd/{directory}"))
os.symlink("/" , "up")
print("up", attempt(socket.socket(socket.AF_UNIX).connect, "/proc/self/cwd/up" + os.getcwd()[:40] + "/none"))
"""


@pytest.mark.parametrize("flags", [[], ["--net", "blocked"], ["--allow-net", "*:80"]])
def test_as_without_porta(runner, flags):
    inside = runner.python(BIND_AND_CONNECT, "-v", ".", *flags, args=(LONG,)).ok()
    os.rename(os.path.join(runner.cwd, "a" * 100), os.path.join(runner.cwd, "inside"))
    bare = runner.bare("/usr/bin/python3", "-c", BIND_AND_CONNECT, LONG).ok()
    assert inside.out.splitlines() == bare.out.splitlines()
    assert "bind works" in bare.out and "connect works" in bare.out and "cwd works" in bare.out


CALL = """
import errno, os, socket, sys
directory = os.open(sys.argv[1], os.O_PATH | os.O_DIRECTORY)
handle = os.open(sys.argv[2], os.O_PATH, dir_fd=directory)
os.chdir(directory)
for path in (sys.argv[2], f"/proc/self/fd/{directory}/{sys.argv[2]}", f"/dev/fd/{directory}/{sys.argv[2]}",
             f"/proc/self/fd/{handle}", f"/proc/self/cwd/{sys.argv[2]}", f"/proc/self/root{sys.argv[1]}/{sys.argv[2]}"):
    one = socket.socket(socket.AF_UNIX)
    print(errno.errorcode.get(one.connect_ex(path), "connected"))
"""


def test_a_service_of_the_host(runner, tmp_path_factory):
    """Whichever way its path is written, it is the file that is judged."""
    outside = tmp_path_factory.mktemp("services")
    os.chmod(outside, 0o755)
    for parent in outside.parents:
        if str(parent) != "/" and not os.stat(parent).st_mode & 0o001:
            os.chmod(parent, os.stat(parent).st_mode | 0o011)
    path = str(outside / "service")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(64)
        words = (str(outside), "service")
        refused = runner.python(CALL, args=words)
        assert refused.ok().out.split() == ["EACCES"] * 6, str(refused)
        assert path in refused.err, str(refused)
        allowed = runner.python(CALL, "--allow-unix", path, args=words)
        assert allowed.ok().out.split() == ["connected"] * 6, str(allowed)
        named = runner.python(CALL, "-v", f"{outside}:ro", args=words)
        assert named.ok().out.split() == ["connected"] * 6, str(named)


SETGID = """
import os, stat
os.mkdir("directory")
directory = os.open("directory", os.O_PATH | os.O_DIRECTORY)
os.chmod(f"/proc/self/fd/{directory}", 0o2755)
print(oct(os.stat("directory").st_mode & 0o7777))
file = os.open("file", os.O_RDWR | os.O_CREAT)
try:
    os.chmod(f"/proc/self/fd/{file}", 0o2755)
except OSError as error:
    print(type(error).__name__)
print(oct(os.stat("file").st_mode & 0o2000))
"""


def test_setgid_of_a_directory_by_its_descriptor(runner):
    assert runner.python(SETGID, "-v", ".").ok().out.split() == ["0o2755", "PermissionError", "0o0"]
