"""The guests of other tests: each can be built, and is what its name says."""

import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "guests"))
import build  # noqa: E402
import wasm_bytes  # noqa: E402


def unsigned(content, at):
    number = shift = 0
    while True:
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def imports_of(path):
    """{(module, function)} of a module that imports functions alone."""
    content = path.read_bytes()
    assert content.startswith(wasm_bytes.HEADER)
    found, at = set(), len(wasm_bytes.HEADER)
    while at < len(content):
        number, (length, at) = content[at], unsigned(content, at + 1)
        end = at + length
        if number == 2:
            count, at = unsigned(content, at)
            for _ in range(count):
                names = []
                for _ in range(2):
                    length, at = unsigned(content, at)
                    names.append(content[at:at + length].decode())
                    at += length
                assert content[at] == 0
                _, at = unsigned(content, at + 1)
                found.add(tuple(names))
        at = end
    return found


def needed(path):
    capabilities = {(module, name): capability for module, name, capability in build.imports()}
    return {capabilities[name] for name in imports_of(path)}


@pytest.mark.parametrize("name", [name for name in build.names() if pathlib.Path(name).suffix])
def test_guests_from_source_are_built(name):
    try:
        path = build.guest(name)
    except build.Missing as why:
        # Debian 12 has no package of a Go that knows wasip1, nor of Rust's target: no failure there.
        if name.endswith((".go", ".rs")) and os.environ.get("PORTA_TEST_MUST_WORK"):
            return
        pytest.skip(str(why))
    assert imports_of(path) <= {(module, function) for module, function, _ in build.imports()}
    assert build.guest(name) == path


@pytest.mark.parametrize("name, capabilities", [
    ("hello.c", {"io", "process"}), ("echo.c", {"io", "process"}), ("args.c", {"io", "process"}),
    ("agent_plain.c", {"io", "process"}), ("agent.c", {"io", "process", "net", "exec"}),
    ("env.c", {"io", "process", "env"}), ("sleep.c", {"io", "process", "clock"}),
    ("files.c", {"io", "process", "fs", "fs.write"}),
])
def test_guests_in_c_need_little(name, capabilities):
    try:
        assert needed(build.guest(name)) == capabilities
    except build.Missing as why:
        pytest.skip(str(why))


def test_crafted_modules_have_their_bytes():
    assert len(build.imports()) == len(wasm_bytes.SIGNATURES) == 49
    for name in wasm_bytes.CRAFTED:
        path = build.guest(name)
        assert path.read_bytes() == wasm_bytes.wasm(name), name
        assert re.fullmatch(r"[a-z0-9_]+", name)


def test_imports_alone():
    for module, name, _ in build.imports():
        assert imports_of(build.import_alone(module, name)) == {(module, name)}
