"""Workers that serve: loaded once, a fresh instance for each call."""

import os
import pathlib
import subprocess

import pytest

import agents

pytestmark = agents.NEEDED

PROGRAM = pathlib.Path(os.environ.get("PORTA", "build/porta")).resolve().with_name("warm-calls")
EXIT, TRAP, STEP_LIMIT, MEMORY_LIMIT, STACK_LIMIT, OUTPUT_LIMIT, REFUSED = 0, 1, 2, 3, 5, 6, 9
NO_ENTRY = 8


def calls(guest, text, count=1, entry="", env=None):
    """[(kind, value, sentence, output)] of `count` calls with the same input."""
    done = subprocess.run([PROGRAM, agents.build.guest(guest), "calls", *[entry] * count], capture_output=True,
                          input=text.encode(), check=False, env=dict(os.environ, **(env or {})), timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    found, rest = [], done.stdout
    while rest:
        line, rest = rest.split(b"\n", 1)
        kind, value, sentence, output = map(int, line.split())
        found.append((kind, value, rest[:sentence].decode(), rest[sentence:sentence + output].decode()))
        assert rest[sentence + output:][:1] == b"\n"
        rest = rest[sentence + output + 1:]
    assert len(found) == count
    return found


def one(guest, text, **options):
    return calls(guest, text, **options)[0]


def test_input_and_output():
    assert calls("warm.c", "a text\n" * 1000, 3) == [(EXIT, 0, "", "a text\n" * 1000)] * 3


def test_no_input():
    assert one("warm.c", "") == (EXIT, 0, "", "")


@pytest.fixture(scope="module", name="clean_pages")
def of_a_fresh_instance():
    return one("warm.c", "look")[3]


def test_each_call_is_the_first(clean_pages):
    assert clean_pages.startswith("1 clean")
    assert calls("warm.c", "look", 5) == [(EXIT, 0, "", clean_pages)] * 5


@pytest.mark.parametrize("ending, end", [
    ("soil", (EXIT, 0, "left over")),
    ("soil, trap", (TRAP, 0, "")),
    ("soil, exit", (EXIT, 200, "left over")),
])
def test_nothing_is_left_for_the_next_call(tmp_path, clean_pages, ending, end):
    """The same worker hears the two texts in turn: a guest that reads which by the length of its input."""
    script = tmp_path / "calls"
    script.write_text(f"{ending}\0look\0{ending}\0look", encoding="utf-8")
    done = subprocess.run([PROGRAM, agents.build.guest("warm.c"), "script"], stdin=script.open("rb"), capture_output=True,
                          check=True, timeout=120)
    assert done.stdout.decode().count(f"\n{clean_pages}\n") == 2, done.stdout
    kind, value, output = end
    assert done.stdout.decode().startswith(f"{kind} {value} "), done.stdout
    assert done.stdout.count(b"left over") == 2 * (output != "")


@pytest.mark.parametrize("text, kind", [("flood", OUTPUT_LIMIT), ("grow", MEMORY_LIMIT), ("deep", STACK_LIMIT)])
def test_limits_end_a_call_and_not_the_worker(text, kind):
    ends = calls("warm.c", text, 3)
    assert [end[0] for end in ends] == [kind] * 3, ends


def test_steps_are_counted_for_each_call():
    assert [end[0] for end in calls("warm.c", "loop", 2, env={"STEPS": "1"})] == [STEP_LIMIT] * 2
    assert [end[0] for end in calls("warm.c", "look", 2, env={"STEPS": "1"})] == [EXIT] * 2


def test_a_guest_asks_porta_in_its_call():
    asked = '{"type":"log","data":"x"}'
    assert calls("warm.c", f"ask {asked}", 3) == [(EXIT, 0, "", f"{len(asked)} {asked}")] * 3


def test_a_library():
    assert calls("library.c", "you", 2, entry="greet") == [(EXIT, 0, "", "hello, you")] * 2


@pytest.mark.parametrize("entry", ["add", "missing", "memory"])
def test_what_is_no_entry(entry):
    assert calls("library.c", "", 2, entry=entry) == [(NO_ENTRY, 0, "", "")] * 2
