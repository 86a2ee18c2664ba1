"""Checks the tree itself: who includes whom, headers that compile alone, sizes.

Run as a program it prints what it finds and exits 1 on an error; test_tree.py runs it as tests.
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800

# DESIGN: a folder includes headers only of itself and of folders above it in this list.
FOLDERS = ["util", "policy", "config", "sandbox", "broker", "resolver", "wasm", "engine", "instance",
           "project", "http", "mcp", "ui", "cli", "server"]
# Programs of their own, which share nothing but what stands above them and is named here.
ONLY_SEES = {
    "resolver": {"util", "policy", "broker", "resolver"},
    "engine": {"util", "policy", "sandbox", "wasm", "engine"},
    "http": {"util", "policy", "wasm", "http"},
    "mcp": {"util", "policy", "config", "broker", "wasm", "http", "mcp"},
    "cli": {"util", "policy", "config", "sandbox", "broker", "wasm", "cli"},
}
# Foreign headers, each in one folder.
FOREIGN = {
    "wasmtime": "engine", "jansson": "util", "event2": "http", "curl": "http",
    "seccomp.h": "sandbox", "sqlite3.h": "instance", "toml++": "config", "idn2.h": "util",
}
# The pure folder: no header of an operating system beyond libc (arpa/inet.h is for inet_pton).
PURE = {"policy": re.compile(r"^(sys/(?!types\.h)|linux/|net/|netinet/|asm/)")}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def sources(*suffixes):
    return sorted(path for path in SRC.rglob("*") if path.suffix in suffixes)


def folder_of(path):
    return path.relative_to(SRC).parts[0]


def include_errors():
    errors = []
    for path in sources(".c", ".cpp", ".h"):
        folder = folder_of(path)
        place = path.relative_to(ROOT)
        if folder not in FOLDERS:
            errors.append(f"{place}: the folder {folder} is not in the list of check_tree.py")
            continue
        for kind, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            first = name.split("/")[0]
            if kind == '"':
                if "/" not in name:
                    continue  # a generated table or a neighbour
                if first not in FOLDERS:
                    errors.append(f"{place}: includes {name}, of no folder of src")
                elif FOLDERS.index(first) > FOLDERS.index(folder):
                    errors.append(f"{place}: {folder} includes {name}, which is below it")
                elif folder in ONLY_SEES and first not in ONLY_SEES[folder]:
                    errors.append(f"{place}: {folder} may not see {name}")
            elif first in FOREIGN and FOREIGN[first] != folder:
                errors.append(f"{place}: <{name}> belongs to {FOREIGN[first]} alone")
            elif folder in PURE and PURE[folder].match(name):
                errors.append(f"{place}: {folder} is pure, and <{name}> is the system's")
    return errors


def header_errors():
    """Each header compiles alone."""
    errors = []
    # Wasmtime's headers come with the build, if it has agents; what needs them is in one folder.
    porta = pathlib.Path(os.environ.get("PORTA", ROOT / "build" / "porta"))
    wasmtime = porta.parent / "rust" / "include"
    rust = ["-isystem", str(wasmtime), "-isystem", str(ROOT / "rust" / "include")]
    for path in sources(".h"):
        name = path.relative_to(SRC)
        if "macos" in name.parts or (name.parts[0] == "engine" and not wasmtime.exists()):
            continue
        done = subprocess.run(
            ["gcc", "-D_GNU_SOURCE", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
             "-I", str(SRC), *rust, "-include", str(name), "-x", "c", "/dev/null"],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            errors.append(f"src/{name} does not compile alone:\n{done.stderr}")
    return errors


def size_warnings():
    """Functions of one screen, files below FILE_LINES_MAX; tables and tests are not counted."""
    warnings = []
    for path in sources(".c", ".h"):
        lines = path.read_text(encoding="utf-8").splitlines()
        place = path.relative_to(ROOT)
        if len(lines) > FILE_LINES_MAX:
            warnings.append(f"{place}: {len(lines)} lines, more than {FILE_LINES_MAX}")
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    warnings.append(f"{place}:{start}: a function of {number - start - 1} lines, "
                                    f"more than {FUNCTION_LINES_MAX}")
                start = None
    return warnings


def unit_test_errors():
    """A unit test that nobody builds tests nothing."""
    text = (ROOT / "tests" / "unit" / "meson.build").read_text(encoding="utf-8")
    return [f"tests/unit/{path.name} is not in its meson.build"
            for path in sorted((ROOT / "tests" / "unit").glob("test_*.c"))
            if f"'{path.stem[len('test_'):]}'" not in text and path.name not in text]


def main():
    errors = include_errors() + header_errors() + unit_test_errors()
    for line in errors:
        print(f"error: {line}")
    for line in size_warnings():
        print(f"warning: {line}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
