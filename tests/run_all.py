"""Runs the unit tests and the pytest suites of one build tree, and counts them.

The last line is `N passed, N failed`, or, where PORTA_TEST_COUNTS names a file, the counts
are appended to it instead and whoever set it prints the sum. Exits 1 if anything failed or
nothing ran.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_unit(build):
    """(passed, failed, skipped) of `meson test`, counted by cmocka's own lines."""
    subprocess.run(["meson", "test", "-C", build, "--print-errorlogs", "--no-rebuild"],
                   stdin=subprocess.DEVNULL, check=False)
    log = pathlib.Path(build) / "meson-logs" / "testlog.json"
    passed = failed = skipped = 0
    if not log.exists():
        print("run_all.py: meson test left no log", file=sys.stderr)
        return 0, 1, 0
    for line in log.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        output = (test.get("stdout") or "") + (test.get("stderr") or "")
        good = len(re.findall(r"^\[ +OK \]", output, re.MULTILINE))
        bad = len(set(re.findall(r"^\[ +FAILED +\] (?!.*test\(s\))(\S+)", output, re.MULTILINE)))
        result = test["result"]
        if result == "SKIP":
            skipped += 1
        elif result == "OK":
            passed += max(good, 1)
        else:
            passed += good
            failed += max(bad, 1)
    return passed, failed, skipped


def run_pytest(build, suites, extra):
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / "junit.xml"
        environment = dict(os.environ)
        environment.setdefault("PORTA", str((pathlib.Path(build) / "porta").absolute()))
        done = subprocess.run(
            ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-ra",
             "--durations=10", f"--junitxml={report}", *extra, *suites],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
        if not report.exists():
            print(f"run_all.py: pytest ended with {done.returncode} and no report",
                  file=sys.stderr)
            return 0, 1, 0
        passed = failed = skipped = 0
        names = []
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures")) + int(suite.get("errors"))
            failed += bad
            skipped += int(suite.get("skipped"))
            passed += int(suite.get("tests")) - bad - int(suite.get("skipped"))
            names += [bad_case(case) for case in suite.iter("testcase")
                      if case.find("failure") is not None or case.find("error") is not None]
        # An error in a test's end (leaks) counts beside its pass; a crash of pytest counts too.
        if done.returncode not in (0, 1, 5) and failed == 0:
            failed += 1
        note_failures(build, names)
        return max(passed, 0), failed, skipped


def bad_case(case):
    """One line: the test's name and the first line of what went wrong."""
    found = case.find("failure")
    if found is None:
        found = case.find("error")
    lines = (found.get("message") or "").splitlines() or [""]
    return f"{case.get('classname')}::{case.get('name')}: {lines[0][:200]}"


def note_failures(build, names):
    """Names for whoever prints the sum: the reader of a long log looks at its end."""
    sum_file = os.environ.get("PORTA_TEST_COUNTS")
    if sum_file:
        with open(sum_file, "a", encoding="utf-8") as file:
            file.writelines(f"# {build}: {name}\n" for name in names)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--no-unit", action="store_true")
    parser.add_argument("suites", nargs="*", default=["tests"])
    arguments, extra = parser.parse_known_args()
    counts = []
    if not arguments.no_unit:
        counts.append(run_unit(arguments.build))
    counts.append(run_pytest(arguments.build, arguments.suites or ["tests"], extra))
    passed, failed, skipped = (sum(column) for column in zip(*counts))
    sum_file = os.environ.get("PORTA_TEST_COUNTS")
    sys.stdout.flush()
    if sum_file:
        with open(sum_file, "a", encoding="utf-8") as file:
            file.write(f"{passed} {failed} {skipped}\n")
        print(f"run_all.py: {passed} good, {failed} bad, {skipped} skipped in {arguments.build}")
    else:
        print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
