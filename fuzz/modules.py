#!/usr/bin/python3
"""Runs agents that are damaged modules, until the time is over: modules.py PORTA SECONDS [DIRECTORY].

A damaged module is one of tests/guests/ with bytes changed, cut out, put in, or mixed with another. It may be
refused, trap or run; what counts as found is a worker that crashes, a failure of porta's own, an end only by the
time-out, and more than one line of porta's. What is found is left in DIRECTORY (found-modules), named by why.
"""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "guests"))
import build  # noqa: E402

CRASHED, TIMEOUT, FAILED = 117, 124, 125
SEED_BYTES_MAX = 100_000
CACHE_RUNS = 2000  # after so many it is cleared
INTERESTING = [0, 1, 0x7F, 0x80, 0xFF, 0x0B, 0x40, 0x41, 0x10, 0x11, 0x60, 0x70]


def seeds():
    found = []
    for name in build.names():
        try:
            content = build.guest(name).read_bytes()
        except build.Missing:
            continue
        if len(content) <= SEED_BYTES_MAX:
            found.append(content)
    return found


def damaged(chance, content, others):
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        at = chance.randrange(len(data) + 1)
        # Most of a module's form is at its start.
        if chance.random() < 0.5:
            at = min(at, chance.randrange(200))
        kind = chance.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = chance.choice(INTERESTING)
        elif kind == 2:
            data[at:at] = bytes(chance.choice(INTERESTING) for _ in range(chance.randrange(1, 6)))
        elif kind == 3:
            del data[at:at + chance.randrange(1, 20)]
        elif kind == 4:
            del data[at:]
        elif kind == 5:  # a number of five bytes
            data[at:at + 1] = bytes([chance.randrange(128, 256) for _ in range(4)] + [chance.randrange(16)])
        else:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            data[at:at + chance.randrange(50)] = other[start:start + chance.randrange(1, 200)]
    return bytes(data)


def verdict(porta, path, environment):
    """Why this is a finding, or None."""
    command = [porta, "run", path, "--timeout", "10s", "--step-limit", "10000000", "--max-memory", "1024",
               "--max-output", "1M", "--net", "blocked"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return "hangs"
    # A manifest in a section may say what is not known, once for each field.
    said = [line for line in done.stderr.split(b"\n")
            if line.startswith(b"porta: ") and b"is not known, and has no effect" not in line]
    if done.returncode == CRASHED:
        return "crashed"
    if done.returncode < 0:
        return f"signal{-done.returncode}"
    if done.returncode == TIMEOUT and said:
        return "timeout"
    if done.returncode == FAILED and said:
        return "failed"
    if len(said) > 1 or b"panicked" in done.stderr:
        return "said"
    return None


def main():
    porta, seconds = os.path.abspath(sys.argv[1]), float(sys.argv[2])
    found = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else "found-modules")
    seed = int(os.environ.get("FUZZ_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    corpus = [content for content in seeds() if content]
    work = pathlib.Path(tempfile.mkdtemp(prefix="porta-fuzz-"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(work), "XDG_CACHE_HOME": str(work / "cache")}
    runs = findings = 0
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            content = damaged(chance, chance.choice(corpus), corpus)
            path = work / "module.wasm"
            path.write_bytes(content)
            why = verdict(porta, path, environment)
            runs += 1
            if runs % CACHE_RUNS == 0:
                shutil.rmtree(work / "cache", ignore_errors=True)
            if why is not None:
                findings += 1
                found.mkdir(parents=True, exist_ok=True)
                name = f"{why}-{hashlib.sha256(content).hexdigest()[:12]}.wasm"
                (found / name).write_bytes(content)
                print(f"found {found / name}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{runs} modules, {findings} found, seed {seed}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
