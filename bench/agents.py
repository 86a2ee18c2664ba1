"""WASM agents beside `wasmtime run` of the same version, which is built once into the build cache."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "guests"))
import build  # noqa: E402

# Kept nowhere: each run compiles.
NO_CACHE = ["env", "XDG_CACHE_HOME=/dev/null/none"]
KINDS = {"sieve": "60", "hash": "60", "sort": "12"}


def wasmtime():
    """The path of the command line program of the version that rust/Cargo.lock pins."""
    lock = (HERE.parent / "rust" / "Cargo.lock").read_text(encoding="utf-8")
    version = re.search(r'name = "wasmtime"\nversion = "([^"]+)"', lock).group(1)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    root = Path(base) / "porta-build" / "wasmtime-cli"
    for program in (os.environ.get("WASMTIME"), shutil.which("wasmtime"), str(root / "bin" / "wasmtime")):
        if program and os.access(program, os.X_OK) and version in subprocess.run(
                [program, "--version"], capture_output=True, text=True, check=True).stdout:
            return program
    print(f"building wasmtime {version} to compare with (once)", flush=True)
    cargo = subprocess.run([str(HERE.parent / "rust" / "build.sh"), "find-cargo"], check=True,
                           capture_output=True, text=True).stdout.strip()
    subprocess.run([cargo, "install", "--locked", "--root", str(root), f"wasmtime-cli@{version}"], check=True)
    return str(root / "bin" / "wasmtime")


def warm_calls(bench):
    """What one call costs its parent; the guest has a stack of 64 KiB, and says what it hears."""
    guest = bench.workspace / "warm.wasm"
    subprocess.run(["clang", "--target=wasm32-wasi", "-O2", "-Wl,-z,stack-size=65536", "-o", str(guest),
                    str(HERE / "agent_echo.c")], check=True)
    text = b'{"tool":"echo","arguments":{"text":"hello"}}'
    for _ in range(2):  # the first is not compiled yet
        said = subprocess.run([str(Path(bench.porta).with_name("warm-calls")), str(guest), "time", "20000"],
                              input=len(text).to_bytes(4, "little") + text, capture_output=True, check=True).stdout
    p50, p99 = re.search(rb"p50 ([0-9.]+) us p99 ([0-9.]+) us", said).groups()
    idle, after = re.findall(rb"(?:idle|after) (\d+) KiB", said)
    bench.line("agent: a call on a warm worker, p50", float(p50) / 1000, "0.03", " ms")
    print(f"p99 {float(p99) / 1000:.3f} ms; after the calls {int(after) / 1024:.1f} MiB")
    bench.line("agent: memory of an idle warm worker", int(idle) * 1024 / 1e6, "9", " MB")


def cpython(bench, other):
    """A module of 26 MB: compiled, run out of the cache, and at work."""
    guest = bench.workspace / "python.wasm"
    compiled = bench.workspace / "python.cwasm"
    shutil.copy(build.guest("python.wasm"), guest)
    program = (HERE / "agent_work.py").read_text(encoding="utf-8")
    run = [bench.porta, "run", "--quiet", str(guest), "--", "-c"]
    cached = [other, "run", "-C", "cache=y", str(guest), "-c"]

    t = bench.spawn(5, [*NO_CACHE, *run, "pass"], [other, "compile", "-o", str(compiled), str(guest)])
    print(f"CPython compiled: porta {t[0] / 1e6:.2f} s, wasmtime {t[1] / 1e6:.2f} s")
    bench.line("agent: CPython compiled and run / wasmtime compile", t[0] / t[1], "1.10")
    bench.spawn(1, [*run, "pass"], [*cached, "pass"])
    t = bench.spawn(40, [*run, "pass"], [*cached, "pass"])
    bench.line("agent: CPython run again / wasmtime run, cached", t[0] / t[1], "1.10")
    t = bench.spawn(9, [*run, program, "400"], [*cached, program, "400"])
    bench.line("agent: CPython at work / wasmtime run", t[0] / t[1], "1.03")


def go(bench, other):
    compiler = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    guest = bench.workspace / "go.wasm"
    environment = dict(os.environ, GOOS="wasip1", GOARCH="wasm", GOTOOLCHAIN="local", GO111MODULE="off", GOFLAGS="")
    if compiler is None or subprocess.run([compiler, "build", "-o", str(guest), str(HERE / "agent_work.go")],
                                          env=environment, check=False, capture_output=True).returncode != 0:
        print("no go that knows wasip1: not measured")
        return
    run = [bench.porta, "run", "--quiet", str(guest), "--"]
    cached = [other, "run", "-C", "cache=y", str(guest)]
    bench.spawn(1, [*run, "1"], [*cached, "1"])
    t = bench.spawn(9, [*run, "150"], [*cached, "150"])
    bench.line("agent: Go at work / wasmtime run", t[0] / t[1], "1.03")


def measure(bench):
    other = wasmtime()
    hello = bench.workspace / "hello.wasm"
    work = bench.workspace / "work.wasm"
    shutil.copy(os.environ.get("BENCH_HELLO") or build.guest("hello.c"), hello)
    if os.environ.get("BENCH_WORK"):
        shutil.copy(os.environ["BENCH_WORK"], work)
    else:
        subprocess.run(["clang", "--target=wasm32-wasi", "-O2", "-o", str(work), str(HERE / "agent_work.c")],
                       check=True)
    run = [bench.porta, "run", "--quiet"]
    cached = [other, "run", "-C", "cache=y"]

    bench.spawn(3, [*run, str(hello)], [*cached, str(hello)])
    t = bench.spawn(300, [*run, str(hello)], [*cached, str(hello)])
    print(f"hello: porta {t[0]:.0f} us, wasmtime {t[1]:.0f}")
    bench.line("agent: hello, cached / wasmtime run", t[0] / t[1], "0.75")
    t = bench.spawn(100, [*NO_CACHE, *run, str(hello)], [*NO_CACHE, other, "run", "-C", "cache=n", str(hello)])
    bench.line("agent: hello, not cached / wasmtime run", t[0] / t[1], "0.90")
    for kind, rounds in KINDS.items():
        steps = ["--step-limit", "1000000000000"]
        bench.spawn(1, [*run, str(work), *steps, "--", kind, "1"])
        t = bench.spawn(9, [*run, str(work), "--", kind, rounds], [*cached, str(work), kind, rounds],
                        [*run, str(work), *steps, "--", kind, rounds])
        bench.line(f"agent: {kind} / wasmtime run", t[0] / t[1], "1.03")
        bench.line(f"agent: {kind} with --step-limit / wasmtime run", t[2] / t[1], "1.15")
    cpython(bench, other)
    go(bench, other)
    warm_calls(bench)
