#!/usr/bin/env python3
"""Measures porta beside bubblewrap and beside nothing, by turns, and prints medians and ratios.

The machines that this runs on are noisy: a ratio of interleaved medians says something,
an absolute time does not. Nothing here passes or fails; each line names its goal.
"""
import argparse
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Bench:
    def __init__(self, porta, scale, only):
        self.porta = str(Path(porta).resolve())
        self.scale = scale
        self.only = only
        self.directory = Path(tempfile.mkdtemp(prefix="porta-bench-", dir="/var/tmp"))
        self.workspace = self.directory / "workspace"
        self.workspace.mkdir()
        for name in ("spawn", "operations"):
            output("cc", "-O2", "-o", str(self.directory / name), str(HERE / f"{name}.c"))

    def close(self):
        shutil.rmtree(self.directory)

    def rounds(self, n):
        return str(max(3, int(n * self.scale)))

    def run(self, *options, command=("true",)):
        rest = ("--", *command[1:]) if len(command) > 1 else ()
        return [self.porta, "run", command[0], "-v", ".", "--quiet", *options, *rest]

    def bwrap(self, *options, command=("true",)):
        return ["bwrap", *options, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
                "--bind", "/tmp", "/tmp", "--bind", str(self.workspace), str(self.workspace),
                *command]

    def spawn(self, rounds, *commands):
        """Medians in microseconds, one for each command."""
        words = []
        for command in commands:
            words += ["--next", *command]
        lines = output(str(self.directory / "spawn"), self.rounds(rounds), *words[1:],
                       cwd=self.workspace).splitlines()
        # What the commands themselves say comes before.
        return [float(line.split()[0]) for line in lines[-len(commands):]]

    def line(self, what, value, goal, unit=""):
        print(f"{what:<52} {value:>8.2f}{unit:<4}  goal {goal}", flush=True)

    def section(self, name):
        return not self.only or name in self.only

    # What is measured

    def starts(self):
        plain = self.bwrap()
        closed = self.bwrap("--unshare-all")
        rules = self.run("--allow-net", "127.0.0.1:80")
        t = self.spawn(300, ["true"], self.run(), plain, self.run("--net", "blocked"), rules, closed)
        print(f"bare {t[0]:.0f} us, porta {t[1]:.0f}, bwrap {t[2]:.0f}, blocked {t[3]:.0f}, "
              f"rule {t[4]:.0f}, bwrap --unshare-all {t[5]:.0f}")
        self.line("start: default policy / bwrap", t[1] / t[2], "0.50")
        self.line("start: --net blocked / bwrap --unshare-all", t[3] / t[5], "0.60")
        self.line("start: --allow-net / bwrap --unshare-all", t[4] / t[5], "0.50")

    def growth(self):
        many = []
        for i in range(30):
            path = self.directory / f"mount-{i}"
            path.mkdir()
            many += ["-v", str(path)]
        rules = []
        for i in range(200):
            rules += ["--allow-net", f"host-{i}.example.com:443"]
        big = self.directory / "big"
        for i in range(50):
            (big / f"d{i}").mkdir(parents=True)
            for j in range(1000):
                (big / f"d{i}" / f"f{j}").touch()
        one = self.run("--allow-net", "host.example.com:443")
        t = self.spawn(200, self.run(), self.run(*many), one, self.run("--allow-net",
                       "host.example.com:443", *rules), self.run("-v", str(big)),
                       self.run("-v", str(self.directory / "mount-0")))
        self.line("30 -v more", (t[1] - t[0]) / 1000, "0.30 ms", " ms")
        self.line("200 rules more", (t[3] - t[2]) / 1000, "0.30 ms", " ms")
        self.line("a workspace of 50,000 files more", (t[4] - t[5]) / 1000, "0.30 ms", " ms")

    def operations(self):
        goals = {"open": "1.08", "stat": "1.02", "getdents": "1.02", "fork": "1.02",
                 "exec": "1.02", "create": "1.25", "rename": "1.05"}
        program = str(self.directory / "operations")
        for name, goal in goals.items():
            self.line(f"{name} inside / bare", self.compare(program, name, []), f"{goal} x")

    def compare(self, program, name, options, port=0):
        """The median over rounds of inside / outside."""
        ratios = []
        for _ in range(int(self.rounds(11))):
            words = (name, "7", str(self.workspace), str(port))
            bare = float(output(program, *words))
            inside = float(output(*self.run(*options, command=(program, *words)),
                                  cwd=self.workspace))
            ratios.append(inside / bare)
        return sorted(ratios)[len(ratios) // 2]

    def network(self):
        server = socket.create_server(("127.0.0.1", 0), backlog=1024)
        port = server.getsockname()[1]

        def serve(connection):
            with connection:
                try:
                    data = connection.recv(1 << 20)
                    while data:
                        if data[:1] == b"x":
                            connection.sendall(data[:1])
                        data = connection.recv(1 << 20)
                    connection.sendall(b"e")
                except OSError:
                    pass

        def accept():
            while True:
                connection, _ = server.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        pid = os.fork()
        if pid == 0:
            accept()
            os._exit(0)
        program = str(self.directory / "operations")
        rule = ["--allow-net", f"127.0.0.1:{port}"]
        self.line("connect inside / bare, default policy",
                  self.compare(program, "connect", [], port), "2.00 x")
        self.line("connect inside / bare, under a rule",
                  self.compare(program, "connect", rule, port), "2.00 x")
        # On one processor: where the two sides land differs from run to run by more than is measured.
        processors = os.sched_getaffinity(0)
        for one in (0, pid):
            os.sched_setaffinity(one, {min(processors)})
        self.line("request and response / bare", self.compare(program, "request", rule, port),
                  "1.02 x")
        self.line("bulk / bare", self.compare(program, "bulk", rule, port), "1.02 x")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.sched_setaffinity(0, processors)
        server.close()

    def memory(self):
        def pss(pids):
            total = 0
            for pid in pids:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
            return total

        def tree(pid):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return [pid] + [p for c in children for p in tree(int(c))]

        def measure(command, count):
            start = time.monotonic()
            children = [subprocess.Popen(command, cwd=self.workspace) for _ in range(count)]
            try:
                while True:
                    trees = [tree(c.pid) for c in children]
                    sleeping = [t for t in trees if any(
                        Path(f"/proc/{p}/comm").read_text() == "sleep\n" for p in t)]
                    if len(sleeping) == count:
                        break
                    time.sleep(0.001)
                elapsed = time.monotonic() - start
                own = [p for t in trees for p in t
                       if Path(f"/proc/{p}/comm").read_text() != "sleep\n"]
                return pss(own), elapsed
            finally:
                for child in children:
                    child.kill()
                for child in children:
                    child.wait()

        sleep = ("sleep", "1000")
        for count, goals in ((1, ("0.80", None)), (100, ("0.40", "0.60"))):
            porta, porta_time = measure(self.run(command=sleep), count)
            bwrap, bwrap_time = measure(self.bwrap("--die-with-parent", "--unshare-pid",
                                                   command=sleep), count)
            print(f"{count} at once: porta {porta} KiB, bwrap {bwrap} KiB")
            self.line(f"memory of {count} / bwrap", porta / bwrap, goals[0])
            if goals[1]:
                self.line(f"time to start {count} / bwrap", porta_time / bwrap_time, goals[1])

    def work(self):
        script = self.workspace / "work.sh"
        shutil.copy(HERE / "work.sh", script)
        for name, goal in (("commit", "1.05"), ("tar", "1.05"), ("make", "1.05")):
            ratios = []
            for _ in range(int(self.rounds(5))):
                start = time.monotonic()
                output("sh", str(script), name, cwd=self.workspace)
                bare = time.monotonic() - start
                start = time.monotonic()
                output(*self.run("--allow-protected", command=("sh", str(script), name)),
                       cwd=self.workspace)
                ratios.append((time.monotonic() - start) / bare)
            self.line(f"{name} inside / bare", sorted(ratios)[len(ratios) // 2], f"{goal} x")

    def agents(self):
        import agents  # needs a compiler for WASM, and wasmtime
        agents.measure(self)

    def serve(self):
        import serve  # needs a compiler for WASM, npm and pip
        serve.measure(self)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--porta", default=str(HERE.parent / "build" / "porta"))
    parser.add_argument("--scale", type=float, default=1.0, help="times the rounds")
    parser.add_argument("sections", nargs="*", help="starts growth operations network memory work agents serve")
    arguments = parser.parse_args()
    bench = Bench(arguments.porta, arguments.scale, arguments.sections)
    print(f"as {pwd.getpwuid(os.geteuid()).pw_name}, {os.cpu_count()} processors, "
          f"load {os.getloadavg()[0]:.1f}")
    try:
        for name in ("starts", "growth", "operations", "network", "memory", "work", "agents", "serve"):
            if bench.section(name):
                getattr(bench, name)()
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
