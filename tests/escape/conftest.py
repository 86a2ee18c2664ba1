"""Each attack of this folder, a .c file, runs twice as each user: bare, where it must work, and under porta.

The comment at the head of an attack holds `key: value` lines:

    porta:    flags of `porta run` beside `-v .` ($WORK, $WORLD, $SERVICES, $PROGRAM are replaced)
    world:    what worlds.py prepares: git, worktree, hooks-path, submodule, setuid, read-only-part
    users:    root or user, if not both
    stdin:, stdout:   a file of the world that is given as that descriptor (appended to)
    fd5:      a file of the world that is left open, for writing, as descriptor 5
    intact:   what must be unchanged in work/ (regular expressions of whole paths)
    missing:  what must not exist in work/ afterwards
    arch:     the only machine it makes sense on
    may-be-absent:    why a kernel may lack what the attack uses; then only the run under porta counts
    control:  `none`: it cannot run bare (it would harm the machine, or ask what only a sandbox has)
    reaches:  events of the services that begin so are expected
    judged:   `outside`: the run's own word does not count, only what changed
    held-by-exit:     an exit code of porta that counts as held (125: it refuses to start)
    tier-2:   `not-claimed`: the second tier does not keep this guarantee; `refused`: it does not start such a run

Each also runs in the second tier, on a machine whose user namespaces are taken away (tests/without.c).
"""

import os
import platform
import re
import shlex
import subprocess

import pytest

import harness
import worlds

KEYS = ("porta", "world", "users", "stdin", "stdout", "fd5", "intact", "missing", "arch",
        "may-be-absent", "judged", "held-by-exit", "control", "reaches", "tier-2")
ESCAPED, HELD, TRIED, ABSENT = 0, 1, 2, 77
REFUSED = 125
# What the second tier never keeps of these runs.
TIER_2_FLAGS = ["--degrade=processes,protected"]


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".c":
        return AttackFile.from_parent(parent, path=file_path)
    return None


def read_head(path):
    """The `key: value` lines of the first comment."""
    text = path.read_text(encoding="utf-8")
    comment = text[:text.index("*/")]
    head = {}
    for key, value in re.findall(r"^ \* ([a-z][a-z0-9-]*): (.*)$", comment, re.MULTILINE):
        assert key in KEYS, f"{path.name}: unknown key {key}"
        head[key] = value.strip()
    return head


class AttackFile(pytest.File):
    def collect(self):
        head = read_head(self.path)
        kinds = ["root", "user"] if os.geteuid() == 0 else ["user"]
        for kind in kinds:
            if head.get("users", kind) != kind:
                continue
            yield AttackItem.from_parent(self, name=f"{self.path.stem}[{kind}]", kind=kind,
                                         head=head, tier=1)
            if head.get("tier-2") != "not-claimed":
                yield AttackItem.from_parent(self, name=f"{self.path.stem}[{kind}-tier2]",
                                             kind=kind, head=head, tier=2)


class AttackItem(pytest.Function):
    """A test function in disguise, so that it may have fixtures."""

    def __init__(self, *, name, parent, kind, head, tier):
        self.kind = kind
        self.head = head

        def run(escape_world):
            run_attack(escape_world, self.path, self.kind, self.head, tier)

        super().__init__(name=name, parent=parent, callobj=run)

    @property
    def cls(self):
        return None


class EscapeWorld:
    """Services for each user, and the compiled attacks."""

    def __init__(self, machine):
        self.machine = machine
        self.services = {kind: worlds.Services(machine, identity)
                         for kind, identity in machine.identities.items()}
        self.compiled = machine.directory / "attacks"
        self.compiled.mkdir()
        self.without = harness.compile_c(harness.ROOT / "tests" / "without.c",
                                         self.compiled / "without")

    def program(self, path):
        output = self.compiled / path.stem
        if not output.exists():
            harness.compile_c(path, output)
        return output

    def close(self):
        for services in self.services.values():
            services.close()


@pytest.fixture(scope="session")
def escape_world(machine):
    made = EscapeWorld(machine)
    yield made
    made.close()


def _options(world, head):
    """The descriptors that the attack is given."""
    options, opened = {}, []
    for key in ("stdin", "stdout"):
        if key in head:
            flags = os.O_RDONLY if key == "stdin" else os.O_WRONLY | os.O_APPEND
            options[key] = os.open(world.top / head[key], flags)
            opened.append(options[key])
    return options, opened


def _run(world, head, argv):
    options, opened = _options(world, head)
    if "fd5" in head:
        argv = ["sh", "-c", 'file=$1; shift; exec "$@" 5<>"$file"', "sh", world.top / head["fd5"], *argv]
    try:
        return world.runner.bare(*argv, env=world.environment(), **options)
    finally:
        for fd in opened:
            os.close(fd)


def run_attack(escape_world, path, kind, head, tier):
    if "arch" in head and head["arch"] != platform.machine():
        pytest.skip(f"is about {head['arch']}")
    if path.stem.startswith("net_") and os.geteuid() != 0:
        pytest.skip("needs root, to make a network namespace with addresses of its own")
    if "setuid" in head.get("world", "") and os.geteuid() != 0:
        pytest.skip("needs root, to make a setuid program")
    program = escape_world.program(path)
    # That it works bare was shown by the first tier's run.
    for under_porta in (True,) if head.get("control") == "none" or tier == 2 else (False, True):
        world = worlds.World(escape_world.machine, escape_world.services[kind], program,
                             head.get("world", "").split())
        try:
            world.start()
            _run_once(world, head, program, escape_world.without if tier == 2 else None,
                      under_porta)
        finally:
            world.close()


def _run_once(world, head, program, without, under_porta):
    words = [program, world.top, world.services.directory, world.victim.pid]
    if under_porta:
        flags = head.get("porta", "").replace("$WORLD", str(world.top)) \
            .replace("$WORK", str(world.work)).replace("$SERVICES", str(world.services.directory)) \
            .replace("$PROGRAM", str(program))
        words = [world.machine.program, "run", program, "-v", world.work, *shlex.split(flags),
                 *(TIER_2_FLAGS if without else []), "--", *words[1:]]
        if without:
            words = [without, "userns", "--", *words]
    result = _run(world, head, words)
    changes = world.changes(head.get("intact", "").split(), head.get("missing", "").split(),
                            head.get("reaches"))
    story = f"{result}\n  changed outside: {changes}"
    if not under_porta:
        if result.code == ABSENT and "may-be-absent" in head:
            print(f"control impossible: {head['may-be-absent']}: {result.err}")
            return
        worked = bool(changes) if head.get("judged") == "outside" or result.code == TRIED \
            else result.code == ESCAPED
        assert worked, f"the control does not work:\n{story}"
        return
    if without and head.get("tier-2") == "refused":
        assert result.code == REFUSED and not changes, story
        return
    if str(result.code) == head.get("held-by-exit"):
        assert not changes, story
        return
    # 159: the kernel ended it at a forbidden call, which holds as well.
    allowed_codes = [HELD, TRIED, 128 + 31]
    if "may-be-absent" in head:
        allowed_codes.append(ABSENT)
    if head.get("judged") == "outside":
        allowed_codes.append(ESCAPED)
    assert result.code in allowed_codes, f"not held:\n{story}"
    assert not changes, f"something outside changed:\n{story}"
