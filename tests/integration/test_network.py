"""The network door on a small internet: names, wildcards, ranges, IPv6, time-outs, listeners, real clients."""

import os
import pathlib
import shutil
import socket
import subprocess
import textwrap

import pytest

import internet as net

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

FETCH = """
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for url in sys.argv[1:]:
    try:
        print("ok", opener.open(url, timeout=15).read().decode().strip())
    except Exception as error:
        print("no", type(getattr(error, "reason", error)).__name__, error)
"""


CONNECT_CODES = """
import errno, socket, sys
for address in sys.argv[1:]:
    code = socket.socket().connect_ex((address, 4329))
    print(errno.errorcode.get(code, code))
"""


def fetch(client, flags, *urls):
    """For each URL whether it could be fetched inside."""
    result = client.python(FETCH, *flags, args=urls).ok()
    lines = [line for line in result.out.splitlines() if line[:3] in ("ok ", "no ")]
    assert len(lines) == len(urls), str(result)
    return [line.startswith("ok ") for line in lines]


def expect(client, flags, allowed=(), refused=()):
    urls = [*allowed, *refused]
    got = fetch(client, flags, *urls)
    assert got == [True] * len(allowed) + [False] * len(refused), dict(zip(urls, got))


# ---- names ----------------------------------------------------------------

def test_open_by_default(client):
    expect(client, [], ["http://alpha.example.com/", "http://beta.example.net:8080/",
                        f"http://[{net.ALPHA6}]/", f"http://{net.BETA4}/"])


def test_a_name_and_nothing_else(client):
    expect(client, ["--allow-net", "alpha.example.com:80"],
           ["http://alpha.example.com/", "http://ALPHA.Example.COM./"],
           ["http://alpha.example.com:8080/", "http://beta.example.net/",
            f"http://{net.BETA4}/", f"http://[{net.BETA6}]/"])


def test_an_address_is_admitted_only_after_its_name_was_asked(client):
    flags = ["--allow-net", "alpha.example.com:80"]
    expect(client, flags, [], [f"http://{net.ALPHA4}/"])


def test_wildcard(client):
    expect(client, ["--allow-net", "*.example.com:80"],
           ["http://example.com/", "http://www.example.com/", "http://deep.sub.example.com/"],
           ["http://notexample.com/", "http://example.com.example.org/", "http://edge.example.net/",
            "http://www.example.com:8080/"])


def test_international_names(client):
    expect(client, ["--allow-net", "bücher.example.com:80"], ["http://xn--bcher-kva.example.com/"])
    expect(client, ["--allow-net", "xn--bcher-kva.example.com:80"],
           ["http://xn--bcher-kva.example.com/"])


def test_cname_belongs_to_the_name_that_was_asked(client):
    expect(client, ["--allow-net", "cdn.example.com:80"],
           ["http://cdn.example.com/"], ["http://edge.example.net/"])


def test_cname_loop_ends(client):
    expect(client, ["--allow-net", "*.example.com:80"], [], ["http://loop.example.com/"])


def test_hosts_file_names(client):
    expect(client, ["--allow-net", "db.internal:80"], ["http://db.internal/"],
           ["http://beta.example.net/"])


def test_search_domains(client):
    expect(client, ["--allow-net", "intranet:80"], ["http://intranet/"])
    expect(client, ["--allow-net", "intranet.corp.example.org:80"],
           ["http://intranet/", "http://intranet.corp.example.org/"])


def test_unknown_name_is_unknown_at_once(client):
    result = client.python(
        "import socket, time\nstart = time.monotonic()\n"
        "try: socket.getaddrinfo('nowhere.example.com', 80)\n"
        "except socket.gaierror as error: print(error.errno, time.monotonic() - start < 3)",
        "--allow-net", "*.example.com:80").ok()
    assert result.out.split() == [str(socket.EAI_NONAME), "True"], str(result)


def test_slow_and_truncated_answers(client):
    expect(client, ["--allow-net", "*.example.com:80"],
           ["http://slow.example.com/", "http://truncated.example.com/"])


def test_a_resolver_that_never_answers_stops_nobody_else(client):
    result = client.python(textwrap.dedent("""
        import socket, threading, time, urllib.request
        def ask():
            try: socket.getaddrinfo("never.example.com", 80)
            except socket.gaierror: pass
        threading.Thread(target=ask, daemon=True).start()
        time.sleep(0.2)
        start = time.monotonic()
        print(urllib.request.urlopen("http://alpha.example.com/").read().decode().strip())
        print(time.monotonic() - start < 1.5, flush=True)
        import os; os._exit(0)
        """), "--allow-net", "*.example.com:80").ok()
    assert "hello from alpha" in result.out and "True" in result.out, str(result)


def test_a_wrong_names_address_is_not_believed(client):
    expect(client, ["--allow-net", "wrong.example.com:80"], [],
           ["http://wrong.example.com/", f"http://{net.BETA4}/"])


def test_a_name_never_leads_inside(client):
    flags = ["--allow-net", "*.example.com:80"]
    expect(client, flags, [], ["http://private.example.com/", "http://shared.example.com/",
                               "http://metadata.example.com/", "http://local.example.com/",
                               "http://nat64.example.com/"])


def test_allow_private(client):
    expect(client, ["--allow-net", "*.example.com:80", "--allow-private"],
           ["http://private.example.com/"], ["http://metadata.example.com/"])


def test_rebinding(client, internet):
    result = client.python(textwrap.dedent("""
        import socket
        def one():
            try: address = socket.getaddrinfo("rebind.example.com", 80, socket.AF_INET)[0][4]
            except OSError: return "no answer"
            try: socket.create_connection(address, 5).close()
            except OSError as error: return address[0] + " refused"
            return address[0] + " connected"
        for i in range(3): print(one())
        for address in "10.20.0.20", "127.0.0.1":
            try: socket.create_connection((address, 80), 5); print("connected to", address)
            except OSError: pass
        """), "--allow-net", "rebind.example.com:80").ok()
    lines = result.out.splitlines()
    assert lines[0] == f"{net.ALPHA4} connected", str(result)
    assert not any("connected" in line for line in lines[1:]), str(result)


# ---- addresses and ports --------------------------------------------------

def test_ranges(client):
    expect(client, ["--allow-net", "198.51.100.0/24:80", "--allow-net", "[2001:db8:a::/48]:80"],
           [f"http://{net.ALPHA4}/", f"http://[{net.ALPHA6}]/"],
           [f"http://{net.BETA4}/", f"http://[{net.BETA6}]/", f"http://{net.ALPHA4}:8080/"])


def test_port_ranges(client):
    expect(client, ["--allow-net", f"{net.ALPHA4}:8000-8100"],
           [f"http://{net.ALPHA4}:8080/"], [f"http://{net.ALPHA4}/"])


def test_star(client):
    expect(client, ["--allow-net", "*:80"],
           ["http://alpha.example.com/", f"http://{net.BETA4}/", "http://10.20.0.20/",
            f"http://[{net.ALPHA6}]/"],
           ["http://alpha.example.com:8080/", "http://169.254.169.254/"])


def test_metadata_by_its_address(client):
    expect(client, ["--allow-net", "169.254.169.254:80"], ["http://169.254.169.254/"])


SERVICE_OF_THE_HOST = """
import socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 4329))
listener.listen()
print("ready", flush=True)
while True: listener.accept()
"""


def test_the_wildcard_in_a_rule_is_this_machine(client, internet):
    """Whichever way it is written, in the rule and in the connect."""
    here = ["0.0.0.0", "127.0.0.1"]
    service = subprocess.Popen(internet.enter("client", "/usr/bin/python3", "-c", SERVICE_OF_THE_HOST),
                               stdout=subprocess.PIPE)
    try:
        assert service.stdout.readline() == b"ready\n"
        for flags, expected in ((["--allow-net", "0.0.0.0:4329"], "0"), (["--allow-net", "127.0.0.1:4329"], "0"),
                                (["--allow-net", "[::]:4329"], "EACCES"),
                                (["--deny-net", "0.0.0.0:4329"], "EACCES"),
                                (["--allow-net", "127.0.0.1:4329", "--deny-net", "[::]:4329"], "EACCES")):
            result = client.python(CONNECT_CODES, *flags, args=here)
            assert result.ok().out.split() == [expected] * 2, str(result)
    finally:
        service.kill()
        service.communicate()


def test_deny_wins(client):
    expect(client, ["--allow-net", "*.example.com:80", "--deny-net", "www.example.com:80"],
           ["http://alpha.example.com/"], ["http://www.example.com/"])


def test_deny_without_allow(client):
    expect(client, ["--deny-net", "203.0.113.0/24:*"], ["http://alpha.example.com/"],
           [f"http://{net.BETA4}/"])


def test_many_rules(client):
    flags = []
    for number in range(200):
        flags += ["--allow-net", f"host{number}.example.org:443"]
    expect(client, [*flags, "--allow-net", "alpha.example.com:80"], ["http://alpha.example.com/"],
           ["http://beta.example.net/"])


# ---- policies by name -----------------------------------------------------

UDP = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(3)
try:
    one.sendto(b"ping", (sys.argv[1], 9000))
    print("answer", one.recv(100))
except OSError as error:
    print("none", error)
"""


def test_outbound(client):
    expect(client, ["--net", "outbound"], ["http://alpha.example.com/", f"http://{net.BETA4}/"])
    assert "answer" in client.python(UDP, "--net", "outbound", args=(net.ALPHA4,)).ok().out


def test_loopback_only(client):
    expect(client, ["--net", "loopback_only"], [],
           ["http://alpha.example.com/", f"http://{net.BETA4}/", f"http://[{net.ALPHA6}]/"])
    assert "none" in client.python(UDP, "--net", "loopback_only", args=(net.ALPHA4,)).ok().out


def test_blocked(client):
    expect(client, ["--net", "blocked"], [], ["http://alpha.example.com/", f"http://{net.BETA4}/"])
    assert "none" in client.python(UDP, "--net", "blocked", args=(net.ALPHA4,)).ok().out


def test_rules_close_udp(client):
    assert "none" in client.python(UDP, "--allow-net", f"{net.ALPHA4}:*", args=(net.ALPHA4,)).ok().out


UDP_SERVER = """
import os, socket
def server(option=None):
    one = socket.socket(type=socket.SOCK_DGRAM)
    if option is not None:
        one.setsockopt(socket.SOL_SOCKET, option, 1)
    return one
def echoes(one):
    caller = socket.socket(type=socket.SOCK_DGRAM)
    caller.settimeout(5)
    caller.connect(("127.0.0.1", one.getsockname()[1]))
    caller.send(b"x")
    one.sendto(*one.recvfrom(9))
    return caller.recv(9) == b"x"
plain = server()
plain.bind(("127.0.0.1", 4325))
print(echoes(plain))
habit = server(socket.SO_REUSEADDR)
habit.bind(("0.0.0.0", 4326))
print(echoes(habit))
try:
    workers = [server(socket.SO_REUSEPORT) for _ in range(3)]
    print("a port for each worker")
except OSError:
    shared = server(socket.SO_REUSEADDR)
    shared.bind(("0.0.0.0", 4327))
    for _ in range(3):
        if os.fork() == 0:
            shared.sendto(*shared.recvfrom(9))
            os._exit(0)
    caller = socket.socket(type=socket.SOCK_DGRAM)
    caller.settimeout(5)
    for _ in range(3):
        caller.sendto(b"x", ("127.0.0.1", 4327))
    print([caller.recv(9) for _ in range(3)] == [b"x"] * 3)
"""


@pytest.mark.parametrize("network", ["full", "outbound"])
def test_datagram_servers(client, network):
    """SO_REUSEADDR out of habit, and workers at one socket, since SO_REUSEPORT is refused."""
    result = client.python(UDP_SERVER, "--net", network).ok()
    assert result.out.split() == ["True"] * 3, str(result)


DATAGRAM_OPTIONS = """
import errno, socket
for name in ("SO_REUSEADDR", "SO_REUSEPORT", "SO_BROADCAST", "SO_RCVBUF"):
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            one = socket.socket(family, socket.SOCK_DGRAM)
            one.setsockopt(socket.SOL_SOCKET, getattr(socket, name), 1)
            print(name, "set")
        except OSError as error:
            print(name, errno.errorcode[error.errno])
"""


@pytest.mark.parametrize("flags", [["--net", "full"], ["--net", "outbound"], ["--net", "loopback_only"],
                                   ["--net", "blocked"], ["--allow-net", "*:80"], ["--deny-net", "*:25"]])
def test_options_of_datagram_sockets(client, flags):
    """What programs set out of habit they may set, under every policy; a port for each worker under none."""
    lines = client.python(DATAGRAM_OPTIONS, *flags).ok().out.splitlines()
    assert lines == ["SO_REUSEADDR set"] * 2 + ["SO_REUSEPORT ENOPROTOOPT"] * 2 + \
        ["SO_BROADCAST set"] * 2 + ["SO_RCVBUF set"] * 2, lines


MULTICAST_DNS = """
import errno, socket
group = socket.inet_aton("224.0.0.251") + socket.inet_aton("127.0.0.1")
def responder(port):
    one = socket.socket(type=socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    one.bind(("", port))
    one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    one.settimeout(5)
    return one
try:
    one = responder(5353)
    one.sendto(b"question", ("224.0.0.251", 5353))
    print(one.recv(100).decode())
except OSError as error:
    print(errno.errorcode[error.errno])
# A question from a port of its own (RFC 6762 5.1) needs to share none.
one = responder(0)
one.sendto(b"question", ("224.0.0.251", 5353))
print("asked")
"""


@pytest.mark.parametrize("network", ["full", "outbound"])
@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
def test_multicast_dns(client, internet, network, taken):
    """A responder works where the host has none; the port of one that is there is not shared."""
    service = None
    if taken:
        service = subprocess.Popen(internet.enter("client", "/usr/bin/python3", "-c", textwrap.dedent("""
            import socket, time
            one = socket.socket(type=socket.SOCK_DGRAM)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("", 5353))
            print("ready", flush=True)
            time.sleep(60)
            """)), stdout=subprocess.PIPE)
        assert service.stdout.readline() == b"ready\n"
    try:
        result = client.python(MULTICAST_DNS, "--net", network).ok()
    finally:
        if service is not None:
            service.kill()
            service.communicate()
    assert result.out.split() == ["EADDRINUSE" if taken else "question", "asked"], str(result)


# ---- listening ------------------------------------------------------------

LISTEN_AND_CALL = """
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
listener.listen()
port = listener.getsockname()[1]
caller = socket.create_connection(("127.0.0.1", port), 5)
peer, _ = listener.accept()
peer.sendall(b"own")
print(caller.recv(3))
caller.close(); peer.close(); listener.close()
try:
    socket.create_connection(("127.0.0.1", port), 5)
    print("connected to nobody")
except OSError as error:
    print("closed")
"""


@pytest.mark.parametrize("flags", [["--net", "loopback_only"], ["--net", "outbound"],
                                   ["--allow-net", "alpha.example.com:80"]])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_own_listener(client, flags, address):
    result = client.python(LISTEN_AND_CALL, *flags, args=(address,)).ok()
    assert result.out.splitlines() == ["b'own'", "closed"], str(result)


RESTART = """
import socket
for _ in range(2):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 4328))
    listener.listen()
    caller = socket.create_connection(("127.0.0.1", 4328))
    peer, _ = listener.accept()
    # The side that closes first is the one that TIME_WAIT keeps at the port.
    peer.close(); caller.close(); listener.close()
print("restarted")
"""


@pytest.mark.parametrize("network", ["full", "outbound", "loopback_only"])
def test_a_server_restarts_at_once(client, network):
    assert "restarted" in client.python(RESTART, "--net", network).ok().out


@pytest.mark.parametrize("flags", [["--net", "outbound"], ["--allow-net", "alpha.example.com:80"]])
def test_the_footer_tells_of_a_wildcard_that_became_loopback(client, flags):
    """Not under loopback_only, where that is what was asked for."""
    result = client.python(LISTEN_AND_CALL, *flags, args=("0.0.0.0", 4322)).ok()
    assert "4322" in result.err and "--allow-bind" in result.err, str(result)


SERVE = """
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("0.0.0.0", int(sys.argv[1])))
listener.listen()
print("ready", flush=True)
peer, _ = listener.accept()
peer.sendall(b"served")
peer.close()
"""


def _serve_inside(client, internet, flags):
    """What the host alpha gets from a server inside."""
    process = client.popen_porta("run", "/usr/bin/python3", *flags, "--", "-c", SERVE, "4321")
    try:
        assert process.stdout.readline() == b"ready\n", process.stderr.read()
        got = internet.on("alpha", "/usr/bin/python3", "-c",
                          "import socket\ntry: print(socket.create_connection("
                          f"('{net.CLIENT4}', 4321), 3).recv(100))\nexcept OSError as e: print(e)")
        return got.stdout
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()


def test_a_server_is_reached_from_outside_where_the_network_is_open(client, internet):
    assert "served" in _serve_inside(client, internet, [])


def test_allow_bind(client, internet):
    assert "served" in _serve_inside(client, internet, ["--net", "outbound", "--allow-bind", "*:4321"])


def test_a_limited_server_is_not_reached_from_outside(client, internet):
    assert "served" not in _serve_inside(client, internet, ["--net", "outbound"])
    assert "served" not in _serve_inside(client, internet, ["--allow-net", "*:80"])


FULL_BACKLOG = """
import socket, threading, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 4323))
listener.listen(0)
pending = [socket.socket() for _ in range(4)]
for one in pending:
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", 4323))
waits = socket.socket()
def wait():
    try: waits.connect(("127.0.0.1", 4323))
    except OSError: pass
threading.Thread(target=wait, daemon=True).start()
time.sleep(1.3)
"""


def test_a_pending_connect_ends_with_the_own_listener(client, internet):
    """Its SYN is sent again after 3 seconds; a service of the host that took the port would answer."""
    process = client.popen_porta("run", "/usr/bin/python3", "--allow-net", "*:80", "--", "-c",
                                 FULL_BACKLOG + textwrap.dedent("""
        listener.close()
        print("ready", flush=True)
        time.sleep(2.5)
        for one in (*pending, waits):
            one.settimeout(0.5)
            try: print(one.recv(100))
            except OSError as error: print(type(error).__name__)
        """))
    outside = None
    try:
        assert process.stdout.readline() == b"ready\n", process.stderr.read()
        outside = subprocess.Popen(internet.enter("client", "/usr/bin/python3", "-c", textwrap.dedent("""
            import socket
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 4323))
            listener.listen()
            while True: listener.accept()[0].sendall(b"of the host")
            """)))
        got = process.stdout.read()
        assert b"of the host" not in got and got.count(b"\n") == 5, got
    finally:
        if outside is not None:
            outside.kill()
            outside.wait(10)
        process.terminate()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()


def test_a_full_backlog_of_an_own_listener_delays(client):
    result = client.python(FULL_BACKLOG + textwrap.dedent("""
        listener.listen(10)
        while True:
            listener.settimeout(4)
            try: listener.accept()[0].sendall(b"served")
            except OSError: break
        for one in (*pending, waits):
            one.settimeout(1)
            print(one.recv(100).decode())
        """), "--allow-net", "*:80")
    assert result.ok().out == "served\n" * 5, str(result)


# ---- what a connect is like -----------------------------------------------

RULES = ["--allow-net", f"{net.ALPHA4}:*", "--allow-net", f"{net.SILENT4}:*"]


def test_connection_refused_is_native(client):
    result = client.python(
        "import socket, errno\n"
        f"print(socket.socket().connect_ex(('{net.ALPHA4}', 4)) == errno.ECONNREFUSED)", *RULES)
    assert result.ok().out == "True\n", str(result)


def test_nonblocking_connect(client):
    result = client.python(textwrap.dedent(f"""
        import errno, select, socket
        one = socket.socket(); one.setblocking(False)
        code = one.connect_ex(("{net.ALPHA4}", 80))
        print(code in (0, errno.EINPROGRESS))
        select.select([], [one], [], 5)
        print(one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), one.connect_ex(("{net.ALPHA4}", 80)) in (0, errno.EISCONN))
        """), *RULES)
    assert result.ok().out == "True\n0 True\n", str(result)


def test_time_out_of_the_program(client):
    result = client.python(textwrap.dedent(f"""
        import socket, time
        start = time.monotonic()
        try: socket.create_connection(("{net.SILENT4}", 80), 1)
        except TimeoutError: print("timed out", 0.9 < time.monotonic() - start < 3)
        """), *RULES)
    assert result.ok().out == "timed out True\n", str(result)


def test_send_time_out_of_a_blocking_connect(client):
    result = client.python(textwrap.dedent(f"""
        import errno, socket, struct, time
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
        start = time.monotonic()
        code = one.connect_ex(("{net.SILENT4}", 80))
        print(errno.errorcode[code], 0.9 < time.monotonic() - start < 3)
        """), *RULES)
    assert result.ok().out == "EINPROGRESS True\n", str(result)


def test_a_signal_interrupts_a_blocking_connect(client):
    result = client.python(textwrap.dedent(f"""
        import signal, socket, time
        class Alarm(Exception): pass
        def ring(*_): raise Alarm
        signal.signal(signal.SIGALRM, ring)
        signal.alarm(1)
        start = time.monotonic()
        try: socket.socket().connect(("{net.SILENT4}", 80))
        except Alarm: print("interrupted", time.monotonic() - start < 3)
        """), *RULES)
    assert result.ok().out == "interrupted True\n", str(result)


def test_a_connect_that_lasts_stops_nobody_else(client):
    result = client.python(textwrap.dedent(f"""
        import os, socket, threading, time
        for i in range(50):
            threading.Thread(target=lambda: socket.socket().connect(("{net.SILENT4}", 80)), daemon=True).start()
        time.sleep(0.3)
        start = time.monotonic()
        for i in range(50): socket.create_connection(("{net.ALPHA4}", 80), 5).close()
        print(time.monotonic() - start < 2, flush=True)
        os._exit(0)
        """), *RULES)
    assert result.ok().out == "True\n", str(result)


def test_many_connections_at_once(client):
    result = client.python(textwrap.dedent(f"""
        import concurrent.futures, urllib.request
        def one(_): return urllib.request.urlopen("http://{net.ALPHA4}/", timeout=20).status
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            print(sum(status == 200 for status in pool.map(one, range(400))))
        """), *RULES)
    assert result.ok().out == "400\n", str(result)


# ---- what is told ---------------------------------------------------------

def test_the_footer_names_what_was_refused_and_the_flag(client):
    result = client.python(FETCH, "--allow-net", "alpha.example.com:80",
                           args=("http://beta.example.net/", f"http://{net.BETA4}:8080/"))
    assert "beta.example.net" in result.err, str(result)
    assert f"--allow-net {net.BETA4}:8080" in result.err, str(result)


def test_quiet_says_nothing(client):
    result = client.python(FETCH, "--quiet", "--allow-net", "alpha.example.com:80",
                           args=("http://beta.example.net/",)).ok()
    assert result.err == "", str(result)


# ---- real clients ---------------------------------------------------------

def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def test_curl_https(client, internet):
    need("curl")
    flags = ("--allow-net", "*:443")
    result = client.run("curl", *flags, args=("-sS", "--cacert", internet.authority,
                                              "https://alpha.example.com/")).ok()
    assert "hello from alpha" in result.out
    assert client.run("curl", *flags, args=("-sS", "http://alpha.example.com/")).code == 7


@pytest.fixture(scope="module")
def http2_server(internet):
    need("node")
    script = internet.directory / "http2.js"
    script.write_text(textwrap.dedent(f"""
        const http2 = require("http2"), fs = require("fs");
        const server = http2.createSecureServer({{
            key: fs.readFileSync("{internet.key}"), cert: fs.readFileSync("{internet.certificate}")}});
        server.on("stream", stream => {{ stream.respond({{":status": 200}}); stream.end("over h2\\n"); }});
        server.listen(8443, "{net.ALPHA4}", () => console.log("ready"));
        process.stdin.on("end", () => process.exit(0)); process.stdin.resume();
        """), encoding="utf-8")
    return internet.start("alpha", "node", script)


def test_curl_http2(client, internet, http2_server):
    need("curl")
    result = client.run("curl", "--allow-net", "alpha.example.com:8443", args=(
        "-sS", "-4", "--http2", "-w", "%{http_version}", "--cacert", internet.authority,
        "https://alpha.example.com:8443/")).ok()
    assert result.out == "over h2\n2", str(result)


def test_node(client):
    need("node")
    script = ("(async () => { for (const url of process.argv.slice(1)) "
              "try { console.log('ok', await (await fetch(url)).text()) } "
              "catch (error) { console.log('no', error.cause && error.cause.code) } })()")
    result = client.run("node", "--allow-net", "alpha.example.com:80", args=(
        "-e", script, "http://alpha.example.com/", "http://beta.example.net/")).ok()
    assert "ok hello from alpha" in result.out and "\nno " in result.out, str(result)


GO_PROGRAM = """
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
)

func main() {
	for _, address := range os.Args[1:] {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			fmt.Println("no", err)
			continue
		}
		fmt.Fprint(connection, "GET / HTTP/1.0\\r\\n\\r\\n")
		line, _ := bufio.NewReader(connection).ReadString('\\n')
		fmt.Println("ok", line)
	}
}
"""


@pytest.fixture(scope="session")
def go_program(machine):
    """A static Go program, which has a resolver and system calls of its own."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not os.path.exists(go):
        pytest.skip("go is not installed")
    directory = machine.directory / "go"
    directory.mkdir()
    (directory / "main.go").write_text(GO_PROGRAM, encoding="utf-8")
    # The compiled standard library is slow to make: it is kept between runs.
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(cache / "porta-test-go"),
                   "GO111MODULE": "off", "GOPATH": str(directory / "path"), "GOTOOLCHAIN": "local"}
    subprocess.run([go, "build", "-o", "fetch", "main.go"], cwd=directory, env=environment,
                   check=True, capture_output=True)
    return directory / "fetch"


def test_static_go_program(client, go_program):
    result = client.run(go_program, "--allow-net", "alpha.example.com:80", args=(
        "alpha.example.com:80", "beta.example.net:80", f"{net.BETA4}:80")).ok()
    lines = [line for line in result.out.splitlines() if line]
    assert [line[:2] for line in lines] == ["ok", "no", "no"], str(result)


def _make_repository(internet, name):
    """A bare repository below alpha's web root, ready for git's plain HTTP protocol."""
    bare = internet.web_root("alpha") / f"{name}.git"
    if bare.exists():
        return bare
    script = textwrap.dedent(f"""
        set -e
        export GIT_CONFIG_GLOBAL=/dev/null HOME={internet.directory}
        work=$(mktemp -d {internet.directory}/repository.XXXXXX)
        cd "$work"
        git -c init.defaultBranch=main init -q .
        for i in $(seq 50); do echo "line $i" > "file$i"; done
        git add .
        git -c user.name=Test -c user.email=test@example.com commit -q -m start
        git clone -q --bare . {bare}
        git -C {bare} update-server-info
        chmod -R a+rX {bare}
        """)
    subprocess.run(["sh", "-c", script], check=True, capture_output=True)
    return bare


def test_git_over_http(client, internet, workspace):
    need("git")
    _make_repository(internet, "http")
    client.run("git", "-v", ".", "--allow-net", "alpha.example.com:80", args=(
        "clone", "-q", "http://alpha.example.com/http.git", "copy")).ok()
    assert (workspace / "copy" / "file50").read_text() == "line 50\n"
    refused = client.run("git", "-v", ".", "--allow-net", "alpha.example.com:443", args=(
        "clone", "-q", "http://alpha.example.com/http.git", "other"))
    assert refused.code != 0 and not (workspace / "other").exists()


@pytest.fixture(scope="module")
def ssh_server(internet):
    """sshd on alpha; {login: key}."""
    need("ssh", "ssh-keygen")
    sshd = "/usr/sbin/sshd"
    if not os.path.exists(sshd):
        pytest.skip("sshd is not installed")
    directory = internet.directory / "ssh"
    directory.mkdir(mode=0o755)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name],
                       check=True)
    shutil.copy(directory / "client.pub", directory / "authorized")
    os.chmod(directory / "client", 0o600)
    (directory / "known_hosts").write_text(
        "alpha.example.com " + (directory / "host.pub").read_text(), encoding="utf-8")
    config = directory / "config"
    config.write_text(textwrap.dedent(f"""
        ListenAddress {net.ALPHA4}:22
        HostKey {directory}/host
        AuthorizedKeysFile {directory}/authorized
        StrictModes no
        PermitRootLogin yes
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        UsePAM no
        PidFile none
        """), encoding="utf-8")
    server = internet.start("alpha", sshd, "-D", "-e", "-f", config, ready=None)
    yield directory
    server.terminate()
    server.wait()


def test_git_over_ssh(client, internet, workspace, as_user, ssh_server):
    bare = _make_repository(internet, "ssh")
    key = workspace / "key"
    shutil.copy(ssh_server / "client", key)
    os.chmod(key, 0o600)
    as_user.own(key)
    # Root's account is the one that is never locked.
    command = (f"ssh -4 -i {key} -o UserKnownHostsFile={ssh_server}/known_hosts -o BatchMode=yes "
               "-o IdentitiesOnly=yes")
    client.run("git", "-v", ".", "-e", f"GIT_SSH_COMMAND={command}",
               "--allow-net", "alpha.example.com:22",
               args=("clone", "-q", f"root@alpha.example.com:{bare}", "copy")).ok()
    assert (workspace / "copy" / "file50").read_text() == "line 50\n"
