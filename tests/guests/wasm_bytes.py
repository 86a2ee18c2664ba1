"""WebAssembly modules byte by byte: malformed ones, and those that no compiler would make.

CRAFTED names each; wasm(name) gives its bytes. The format: https://webassembly.github.io/spec/core/binary/.
What is called invalid_* is no module that may run; the others are valid and do what their line says.
"""

import re
import struct

WASI = "wasi_snapshot_preview1"
HEADER = b"\0asm\1\0\0\0"
I32, I64, FUNCREF = 0x7F, 0x7E, 0x70
UNREACHABLE, DROP, END = b"\x00", b"\x1a", b"\x0b"
FOREVER = b"\x03\x40\x0c\x00\x0b"  # loop; br 0; end
OUTSIDE = 0xFFFFFFF0  # a pointer that no memory of less than 4 GiB has

# Parameters and result of each function of WASI preview 1 and of the agent protocol: i is i32, l is i64.
SIGNATURES = {
    "args_get": "ii:i", "args_sizes_get": "ii:i", "environ_get": "ii:i", "environ_sizes_get": "ii:i",
    "clock_res_get": "ii:i", "clock_time_get": "ili:i", "fd_advise": "illi:i", "fd_allocate": "ill:i",
    "fd_close": "i:i", "fd_datasync": "i:i", "fd_fdstat_get": "ii:i", "fd_fdstat_set_flags": "ii:i",
    "fd_fdstat_set_rights": "ill:i", "fd_filestat_get": "ii:i", "fd_filestat_set_size": "il:i",
    "fd_filestat_set_times": "illi:i", "fd_pread": "iiili:i", "fd_prestat_get": "ii:i",
    "fd_prestat_dir_name": "iii:i", "fd_pwrite": "iiili:i", "fd_read": "iiii:i", "fd_readdir": "iiili:i",
    "fd_renumber": "ii:i", "fd_seek": "ilii:i", "fd_sync": "i:i", "fd_tell": "ii:i", "fd_write": "iiii:i",
    "path_create_directory": "iii:i", "path_filestat_get": "iiiii:i",
    "path_filestat_set_times": "iiiilli:i", "path_link": "iiiiiii:i", "path_open": "iiiiillii:i",
    "path_readlink": "iiiiii:i", "path_remove_directory": "iii:i", "path_rename": "iiiiii:i",
    "path_symlink": "iiiii:i", "path_unlink_file": "iii:i", "poll_oneoff": "iiii:i", "proc_exit": "i:",
    "proc_raise": "i:i", "random_get": "ii:i", "sched_yield": ":i", "sock_accept": "iii:i",
    "sock_recv": "iiiiii:i", "sock_send": "iiiii:i", "sock_shutdown": "ii:i",
    "http_request": "iiii:i", "exec_command": "iiii:i", "emit": "iiii:i",
}
WITHOUT_POINTERS = {
    "fd_advise", "fd_allocate", "fd_close", "fd_datasync", "fd_fdstat_set_flags", "fd_fdstat_set_rights",
    "fd_filestat_set_size", "fd_filestat_set_times", "fd_renumber", "fd_sync", "proc_exit", "proc_raise",
    "sched_yield", "sock_shutdown",
}


def unsigned(number):
    """LEB128."""
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        if number == 0:
            return out + bytes([low])
        out += bytes([low | 0x80])


def signed(number):
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        if (number == 0 and not low & 0x40) or (number == -1 and low & 0x40):
            return out + bytes([low])
        out += bytes([low | 0x80])


def text(name):
    encoded = name if isinstance(name, bytes) else name.encode()
    return unsigned(len(encoded)) + encoded


def vector(items):
    return unsigned(len(items)) + b"".join(items)


def section(number, content):
    return bytes([number]) + unsigned(len(content)) + content


def custom(name, content=b""):
    return section(0, text(name) + content)


def i32(number):
    """i32.const of the 32 bits of a number."""
    number &= 0xFFFFFFFF
    return b"\x41" + signed(number - (1 << 32) if number >> 31 else number)


def i64(number):
    return b"\x42" + signed(number)


def signature(form):
    kinds = {"i": I32, "l": I64}
    before, after = form.split(":")
    return b"\x60" + vector([bytes([kinds[c]]) for c in before]) + vector([bytes([kinds[c]]) for c in after])


class Module:
    """A module of functions without parameters; imports come first, as the format wants it."""

    def __init__(self):
        self.types, self.imports, self.functions, self.codes = [], [], [], []
        self.exports, self.memory, self.table, self.start = [], b"\x00\x01", None, None
        self.data, self.behind = [], b""

    def _type(self, form):
        encoded = signature(form)
        if encoded not in self.types:
            self.types.append(encoded)
        return self.types.index(encoded)

    def imports_function(self, module, name, form=None):
        """The index of the function."""
        assert not self.functions
        form = SIGNATURES.get(name, "i:i") if form is None else form
        self.imports.append(text(module) + text(name) + b"\x00" + unsigned(self._type(form)))
        return len(self.imports) - 1

    def function(self, code, export=None, form=":", variables=b"\x00"):
        index = len(self.imports) + len(self.functions)
        self.functions.append(unsigned(self._type(form)))
        body = variables + code + END
        self.codes.append(unsigned(len(body)) + body)
        if export is not None:
            self.exports.append(text(export) + b"\x00" + unsigned(index))
        return index

    def writes(self, address, content):
        self.data.append(b"\x00" + i32(address) + END + unsigned(len(content)) + content)

    def bytes(self):
        exports = list(self.exports)
        if self.memory is not None:
            exports.append(text("memory") + b"\x02\x00")
        out = HEADER + section(1, vector(self.types))
        out += section(2, vector(self.imports)) if self.imports else b""
        out += section(3, vector(self.functions))
        out += section(4, vector([self.table])) if self.table is not None else b""
        out += section(5, vector([self.memory])) if self.memory is not None else b""
        out += section(7, vector(exports))
        out += section(8, unsigned(self.start)) if self.start is not None else b""
        out += section(10, vector(self.codes))
        out += section(11, vector(self.data)) if self.data else b""
        return out + self.behind


def plain(code=b"", **fields):
    """A module whose _start runs `code`."""
    module = Module()
    for name, value in fields.items():
        setattr(module, name, value)
    module.function(code, "_start")
    return module.bytes()


def importing(module_name, name, form=None):
    """Imports one function and calls nothing: for what is refused by its name alone."""
    module = Module()
    module.imports_function(module_name, name, form)
    module.function(b"", "_start")
    return module.bytes()


def calling(module_name, name, arguments, memory=b""):
    """Calls one import; the exit code is its result, where that is at most 255. `memory` is at 0."""
    module = Module()
    index = module.imports_function(module_name, name)
    leave = module.imports_function(WASI, "proc_exit")
    form = SIGNATURES[name].split(":")[0]
    assert len(form) == len(arguments), name
    code = b"".join(i32(a) if c == "i" else i64(a) for c, a in zip(form, arguments))
    module.function(code + b"\x10" + unsigned(index) + b"\x10" + unsigned(leave), "_start")
    if memory:
        module.writes(0, memory)
    return module.bytes()


def imports_of(capability_source):
    """[(module, function, capability)] from the text of src/policy/capability.c."""
    names = dict(re.findall(r'\[(CAPABILITY_\w+)\] = "([a-z.]+)"', capability_source))
    modules = {"WASI": WASI, "PORTA": "porta"}
    found = re.findall(r'\{ (WASI|PORTA), "(\w+)", (CAPABILITY_\w+) \}', capability_source)
    return [(modules[module], name, names[capability]) for module, name, capability in found]


def pointing_outside():
    """{name: bytes}: each import that takes pointers, called with pointers outside of the memory."""
    made = {}
    for name, form in SIGNATURES.items():
        if name in WITHOUT_POINTERS:
            continue
        before = form.split(":")[0]
        module = "porta" if name in ("http_request", "exec_command", "emit") else WASI
        # Lengths and counts are large too; a descriptor in front is stdout.
        on_descriptor = name.startswith(("fd_", "path_", "sock_"))
        arguments = [1 if i == 0 and on_descriptor else OUTSIDE if kind == "i" else 0
                     for i, kind in enumerate(before)]
        made[f"outside_{name}"] = calling(module, name, arguments)
    # Only the last byte is outside; a length that wraps around; pointers into each other.
    made["outside_iovec_last_byte"] = calling(WASI, "fd_write", [1, 0, 1, 16], struct.pack("<II", 65535, 2))
    made["outside_iovec_wraps"] = calling(WASI, "fd_write", [1, 0, 1, 16],
                                          struct.pack("<II", 8, 0xFFFFFFFF))
    made["outside_iovec_many"] = calling(WASI, "fd_write", [1, 0, 0x7FFFFFFF, 16])
    for name in ("http_request", "exec_command", "emit"):
        made[f"outside_{name}_response"] = calling("porta", name, [0, 2, 65530, 64], b"{}")
        made[f"outside_{name}_wraps"] = calling("porta", name, [8, 0xFFFFFFFF, 8, 0xFFFFFFFF])
        made[f"overlapping_{name}"] = calling("porta", name, [0, 2, 0, 65536], b"{}")
        made[f"bad_json_{name}"] = calling("porta", name, [0, 5, 1024, 4096], b'{"a":')
        made[f"not_utf8_{name}"] = calling("porta", name, [0, 7, 1024, 4096], b'{"\xff":1}')
    return made


def _start_section(code):
    module = Module()
    module.function(b"", "_start")
    module.start = module.function(code)
    return module.bytes()


def _deep_blocks(depth):
    return plain(b"\x02\x40" * depth + END * depth)


def _many_functions(count):
    module = Module()
    module.function(b"", "_start")
    module.functions *= count
    module.codes *= count
    return module.bytes()


def _many_variables():
    # 50,000 variables, each read: what a compiler's register allocator finds hard.
    code = b"".join(b"\x20" + unsigned(i) + DROP for i in range(50000))
    module = Module()
    module.function(code, "_start", variables=vector([unsigned(50000) + bytes([I32])]))
    return module.bytes()


def _table_grow():
    # table.grow by 100,000 until it fails, then a trap unless it failed.
    module = Module()
    module.table = bytes([FUNCREF]) + b"\x00\x01"
    grow = b"\xd0\x70" + i32(100000) + b"\xfc\x0f\x00"  # ref.null func; n; table.grow 0
    module.function(b"\x03\x40" + grow + i32(-1) + b"\x47\x0d\x00" + END, "_start")  # i32.ne; br_if 0
    return module.bytes()


def _memory_grow():
    # memory.grow by 1,000 pages until it fails; nothing is written to them.
    return plain(b"\x03\x40" + i32(1000) + b"\x40\x00" + i32(-1) + b"\x47\x0d\x00" + END)


def _truncated(content):
    return content[:len(content) * 2 // 3]


def _with_variables(count):
    module = Module()
    module.function(b"", "_start", variables=b"\x01" + unsigned(count) + bytes([I32]))
    return module.bytes()


def _exporting(*names, behind=b""):
    """Functions that do nothing, each exported by its name."""
    module = Module()
    for name in names:
        module.function(b"", name)
    module.behind = behind
    return module.bytes()


def _start_takes_arguments():
    module = Module()
    module.function(b"\x20\x00", "_start", "i:i")
    return module.bytes()


def _exported_twice():
    module = Module()
    module.function(b"", "_start")
    module.function(b"", "_start")
    return module.bytes()


def _start_is_memory():
    module = Module()
    module.function(b"")
    module.exports.append(text("_start") + b"\x02\x00")
    return module.bytes()


def _importing_other(description, memory=b"\x00\x01"):
    """Imports a memory, table or global of module env."""
    module = Module()
    module.memory = memory
    content = text("env") + text("thing") + description
    module.function(b"", "_start")
    made = module.bytes()
    types = section(1, vector(module.types))
    at = len(HEADER) + len(types)
    return made[:at] + section(2, vector([content])) + made[at:]


def _importing_many(count):
    module = Module()
    for number in range(count):
        module.imports_function("env", f"f{number}")
    module.function(b"", "_start")
    return module.bytes()


CRAFTED = {
    # no modules
    "invalid_empty": lambda: b"",
    "invalid_text": lambda: b"this is no module\n",
    "invalid_script": lambda: b"#!/bin/sh\nexit 0\n",
    "invalid_magic_only": lambda: b"\0asm",
    "invalid_version_2": lambda: b"\0asm\2\0\0\0",
    "invalid_component": lambda: b"\0asm\x0d\0\1\0" + custom("component-name"),
    "invalid_elf": lambda: b"\x7fELF\2\1\1" + bytes(57),
    "invalid_truncated": lambda: _truncated(plain(b"\x01" * 100)),
    "invalid_truncated_section": lambda: HEADER + b"\x01\x7f\x60",
    "invalid_section_of_4_gib": lambda: HEADER + b"\x01\xff\xff\xff\xff\x0f",
    "invalid_section_number": lambda: HEADER + section(0x60, b""),
    "invalid_section_order": lambda: HEADER + section(3, vector([])) + section(1, vector([])),
    "invalid_section_twice": lambda: HEADER + section(1, vector([])) * 2,
    "invalid_length_of_six_bytes": lambda: HEADER + b"\x01\x80\x80\x80\x80\x80\x00",
    "invalid_count_of_types": lambda: HEADER + section(1, b"\xff\xff\xff\xff\x0f"),
    "invalid_count_of_functions": lambda: HEADER + section(1, vector([signature(":")]))
    + section(3, b"\xff\xff\xff\x7f"),
    "invalid_count_of_variables": lambda: _with_variables(0xFFFFFFFF),
    "invalid_name_not_utf8": lambda: importing(WASI, b"fd_\xff\xfe"),
    "invalid_name_cut_off": lambda: HEADER + section(2, b"\x01\x7f" + b"x" * 10),
    "invalid_type_mismatch": lambda: plain(i64(0) + b"\x45" + DROP),
    "invalid_stack_underflow": lambda: plain(DROP),
    "invalid_unknown_opcode": lambda: plain(b"\xff"),
    "invalid_memory_of_65537_pages": lambda: plain(memory=b"\x00" + unsigned(65537)),
    "invalid_two_starts": _exported_twice,
    "invalid_rubbish_behind": lambda: plain() + b"\xff" * 100,
    # valid, but not for porta
    "no_start": lambda: _exporting("add"),
    "nothing": lambda: HEADER,
    "start_takes_arguments": _start_takes_arguments,
    "start_is_memory": _start_is_memory,
    "wasi_unstable": lambda: importing("wasi_unstable", "fd_write"),
    "wasi_unknown_function": lambda: importing(WASI, "sock_open"),
    "wasi_wrong_signature": lambda: importing(WASI, "fd_write", "l:l"),
    "import_component": lambda: importing("wasi:cli/stdout@0.2.0", "get-stdout", ":i"),
    "import_env": lambda: importing("env", "puts"),
    "import_memory": lambda: _importing_other(b"\x02\x00\x01", memory=None),
    "import_table": lambda: _importing_other(b"\x01\x70\x00\x01"),
    "import_global": lambda: _importing_other(b"\x03\x7f\x00"),
    "import_escape": lambda: importing("env\x1b[2J\n", "a\x07\x7f"),
    "import_right_to_left": lambda: importing(WASI, "\u202eetirw_df"),
    "import_with_nul": lambda: importing(WASI, "fd_write\0x"),
    "import_long_name": lambda: importing("m" * 90000, "n" * 90000),
    "import_many": lambda: _importing_many(5000),
    # what limits are for
    "start_section_traps": lambda: _start_section(UNREACHABLE),
    "start_section_loops": lambda: _start_section(FOREVER),
    "loop": lambda: plain(FOREVER),
    "memory_of_4_gib": lambda: plain(memory=b"\x00" + unsigned(65536)),
    "memory_grow": _memory_grow,
    "table_grow": _table_grow,
    "table_of_4_billion": lambda: plain(table=bytes([FUNCREF]) + b"\x00" + unsigned(0xFFFFFFFF)),
    "table_of_10_million": lambda: plain(table=bytes([FUNCREF]) + b"\x00" + unsigned(10_000_000)),
    "deep_blocks": lambda: _deep_blocks(20000),
    "many_functions": lambda: _many_functions(100_000),
    "many_variables": _many_variables,
    "custom_section_of_32_mib": lambda: plain(behind=custom("big", bytes(32 << 20))),
    "custom_sections_many": lambda: plain(behind=custom("x") * 50000),
    "custom_section_manifest": lambda: _exporting("add", behind=custom(
        "porta.manifest", b'{"name":"inner","tools":[{"name":"greet"}]}')),
    "custom_section_manifest_invalid": lambda: _exporting("add", behind=custom(
        "porta.manifest", b'{"tools":5}')),
    "exports": lambda: _exporting("add", "_start", "_hidden", "malloc", "say hello", "\x1b[2J"),
}


CRAFTED.update({name: (lambda content=content: content) for name, content in pointing_outside().items()})


def wasm(name):
    return CRAFTED[name]()
