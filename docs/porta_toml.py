"""Writes what says the keys of porta.toml from the table of flags: the tables of docs/porta-toml.md, between their
markers, and packaging/porta-toml.schema.json. With --check it writes nothing, and exits 1 where they are not as it
would write them.

    python3 docs/porta_toml.py build [--check]
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "porta-toml.md"
SCHEMA = ROOT / "packaging" / "porta-toml.schema.json"
SECTIONS = ["runtime", "sandbox", "limits", "env", "secrets", "serve"]
# What no flag says: key, what belongs there, what it means, its schema.
RUNTIME = [
    ("type", '`"native"` or `"wasm"`', "what is run: `command` or `wasm`; where only one of them is there, it says so itself",
     {"enum": ["native", "wasm"]}),
    ("command", "string", "the command, by PATH or by its path", {"type": "string", "minLength": 1}),
    ("wasm", "path", "the WASM agent", {"type": "string", "pattern": "\\.wasm$"}),
    ("args", "array of strings", "its arguments; those of the command line follow them",
     {"type": "array", "items": {"type": "string"}}),
]


def options(build):
    done = subprocess.run([str(pathlib.Path(build) / "tests" / "unit" / "option_keys")], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


# Whose words are all that may stand there.
CLOSED = ("--read", "--profile")


def text_schema(option):
    what = {"type": ["string", "integer"] if option["is_number"] else "string"}
    return {**what, "enum": option["words"]} if option["flag"] in CLOSED else what


def schema_of(option):
    if option["form"] == "bare":
        return {"type": "boolean"}
    strings = {"type": "array", "items": {"type": "string"}}
    if option["form"] == "optional":
        return {"anyOf": [{"type": "boolean"}, strings]}
    return text_schema(option) if option["once"] else strings


def kind_of(option):
    if option["form"] == "bare":
        return "`true`"
    if option["form"] == "optional":
        return "`true` or array of strings"
    if not option["once"]:
        return "array of strings"
    return "string or number" if option["is_number"] else "string"


def rows(table):
    """(section, key, what belongs there, flag, help, schema) of every key."""
    found = [("runtime", key, kind, "", text, schema) for key, kind, text, schema in RUNTIME]
    for option in table:
        if option["key"] is None:
            continue
        section, key = option["key"].split(".", 1)
        if key != "*":
            found.append((section, key, kind_of(option), option["flag"], option["help"], schema_of(option)))
        elif section == "limits":
            for name in option["words"]:
                found.append((section, name, "string or number", f"--limit {name}=", "see `--limit`",
                              {"type": ["string", "integer"]}))
        else:
            found.append((section, "KEY", "string or `{ from-env = true }`", option["flag"], option["help"], None))
    return sorted(found, key=lambda row: SECTIONS.index(row[0]))


def cell(text):
    return text.replace("|", "\\|")


def tables(found):
    lines = []
    for section in SECTIONS:
        lines += ["", f"### [{section}]", "", "| Key | What belongs there | As the flag | What it does |", "|---|---|---|---|"]
        for _, key, kind, flag, text, _ in (row for row in found if row[0] == section):
            lines.append(f"| `{key}` | {kind} | {f'`{flag}`' if flag else ''} | {cell(text)} |")
    return "\n".join(lines[1:]) + "\n"


def schema(found):
    variable = {"anyOf": [
        {"type": "string"},
        {"type": "object", "required": ["from-env"], "additionalProperties": False,
         "properties": {"from-env": {"anyOf": [{"const": True}, {"type": "string", "minLength": 1}]}}}]}
    sections = {}
    for section in SECTIONS:
        mine = [row for row in found if row[0] == section]
        if mine[0][1] == "KEY":
            sections[section] = {"type": "object", "description": mine[0][4],
                                 "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
                                 "additionalProperties": variable}
            continue
        sections[section] = {
            "type": "object", "additionalProperties": False,
            "properties": {key: {"description": text, **what} for _, key, _, _, text, what in mine}}
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "porta.toml",
                       "description": "What runs in a directory, and what it may touch", "type": "object",
                       "additionalProperties": False, "properties": sections}, indent=2) + "\n"


def page(found):
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split("<!-- keys -->\n", 1)
    tail = rest.split("<!-- end of keys -->\n", 1)[1]
    return f"{head}<!-- keys -->\n{tables(found)}<!-- end of keys -->\n{tail}"


def main():
    found = rows(options(sys.argv[1]))
    wanted = {PAGE: page(found), SCHEMA: schema(found)}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" in sys.argv[2:]:
            print(f"{path.relative_to(ROOT)} is not what docs/porta_toml.py makes of the table of flags")
        else:
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if stale and "--check" in sys.argv[2:] else 0


if __name__ == "__main__":
    sys.exit(main())
