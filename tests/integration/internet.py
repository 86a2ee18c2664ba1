"""A small internet of network namespaces: a client, a router, three hosts, a DNS server, one that never answers.

    client   192.0.2.10     2001:db8:1::10
    alpha    198.51.100.10  2001:db8:a::10   web on 80, 443, 8080, UDP echo on 9000
    beta     203.0.113.20   2001:db8:b::20   the same; also 10.20.0.20 and 169.254.169.254 (metadata)
    dns      198.51.100.53  2001:db8:53::53
    silent   203.0.113.99                    takes connects and never answers

The client has its own /etc/resolv.conf and /etc/hosts, in a mount namespace of its own. Needs root.
"""

import json
import os
import pathlib
import subprocess

import harness

HERE = pathlib.Path(__file__).resolve().parent
# host: [(address, length, gateway)]
HOSTS = {
    "client": [("192.0.2.10", 24, "192.0.2.1"), ("2001:db8:1::10", 64, "2001:db8:1::1")],
    "alpha": [("198.51.100.10", 25, "198.51.100.1"), ("2001:db8:a::10", 64, "2001:db8:a::1")],
    "dns": [("198.51.100.253", 25, "198.51.100.129"), ("2001:db8:53::53", 64, "2001:db8:53::1")],
    "beta": [("203.0.113.20", 26, "203.0.113.1"), ("2001:db8:b::20", 64, "2001:db8:b::1")],
    "silent": [("203.0.113.99", 26, "203.0.113.65")],
}
BETA_MORE = ["10.20.0.20", "169.254.169.254", "100.64.0.20"]
DNS = "198.51.100.253"
CLIENT4, ALPHA4, BETA4, SILENT4 = "192.0.2.10", "198.51.100.10", "203.0.113.20", "203.0.113.99"
ALPHA6, BETA6 = "2001:db8:a::10", "2001:db8:b::20"
ZONE = {
    "alpha.example.com": {"A": [ALPHA4], "AAAA": [ALPHA6]},
    "example.com": {"A": [ALPHA4]},
    "www.example.com": {"A": [ALPHA4]},
    "deep.sub.example.com": {"A": [ALPHA4]},
    "notexample.com": {"A": [BETA4]},
    "example.com.example.org": {"A": [BETA4]},
    "beta.example.net": {"A": [BETA4], "AAAA": [BETA6]},
    "cdn.example.com": {"CNAME": "edge.example.net"},
    "edge.example.net": {"A": [BETA4]},
    "loop.example.com": {"CNAME": "loop.example.com"},
    "v6.example.com": {"AAAA": [ALPHA6]},
    "slow.example.com": {"A": [ALPHA4], "delay": 1.5},
    "never.example.com": {"silent": True},
    "truncated.example.com": {"A": [ALPHA4], "truncate": True},
    "wrong.example.com": {"A": [BETA4], "wrong_name": "beta.example.net"},
    "private.example.com": {"A": ["10.20.0.20"]},
    "shared.example.com": {"A": ["100.64.0.20"]},
    "metadata.example.com": {"A": ["169.254.169.254"]},
    "local.example.com": {"A": ["127.0.0.1"], "AAAA": ["::1"]},
    "nat64.example.com": {"AAAA": ["64:ff9b::7f00:1", "2002:7f00:1::1"]},
    "rebind.example.com": {"sequence": [[ALPHA4], ["10.20.0.20"], ["127.0.0.1"]]},
    "intranet.corp.example.org": {"A": [ALPHA4]},
    "xn--bcher-kva.example.com": {"A": [ALPHA4]},
}


def _run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"


class Internet:
    def __init__(self, machine):
        self.machine = machine
        self.directory = machine.directory / "internet"
        self.directory.mkdir(mode=0o755)
        self.holders = {}
        self.servers = []
        self.zone_path = self.directory / "zone.json"
        self.dns_log = self.directory / "dns.log"
        self.dns_log.touch()
        self.set_zone({})
        self._make_certificates()
        try:
            self._make_namespaces()
            self._start_servers()
        except BaseException:
            self.close()
            raise

    # ---- making it ----

    def _hold(self, name, *options, script="exec sleep infinity"):
        holder = subprocess.Popen(["unshare", "--net", *options, "--", "sh", "-ec",
                                   f"{script}"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)
        self.holders[name] = holder
        mine = os.readlink("/proc/self/ns/net")
        assert harness.wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != mine)
        return holder.pid

    def enter(self, name, *words):
        return ["nsenter", f"--net=/proc/{self.holders[name].pid}/ns/net", "--", *words]

    def _make_namespaces(self):
        etc = self.directory / "etc"
        etc.mkdir()
        (etc / "resolv.conf").write_text(f"nameserver {DNS}\nsearch corp.example.org\n"
                                         "options timeout:2 attempts:2\n", encoding="utf-8")
        (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
                                   f"{BETA4} db.internal db\n", encoding="utf-8")
        router = self._hold("router")
        _run(*self.enter("router", "sysctl", "-qw", "net.ipv4.ip_forward=1",
                         "net.ipv6.conf.all.forwarding=1"))
        _run(*self.enter("router", "ip", "link", "set", "lo", "up"))
        for name, addresses in HOSTS.items():
            if name == "client":
                resolv = os.path.realpath("/etc/resolv.conf")
                script = (f"mount --bind {etc}/resolv.conf {resolv}; "
                          f"mount --bind {etc}/hosts /etc/hosts; exec sleep infinity")
                pid = self._hold(name, "--mount", "--propagation", "private", script=script)
                harness.wait_until(lambda pid=pid: open(f"/proc/{pid}/comm", encoding="utf-8")
                                   .read() == "sleep\n")
            else:
                pid = self._hold(name)
            _run("nsenter", f"--net=/proc/{router}/ns/net", "ip", "link", "add", f"to-{name}",
                 "type", "veth", "peer", "name", "eth0", "netns", pid)
            _run(*self.enter("router", "ip", "link", "set", f"to-{name}", "up"))
            _run(*self.enter(name, "ip", "link", "set", "lo", "up"))
            _run(*self.enter(name, "ip", "link", "set", "eth0", "up"))
            for address, length, gateway in addresses:
                nodad = ["nodad"] if ":" in address else []
                _run(*self.enter("router", "ip", "addr", "add", f"{gateway}/{length}", "dev",
                                 f"to-{name}", *nodad))
                _run(*self.enter(name, "ip", "addr", "add", f"{address}/{length}", "dev", "eth0",
                                 *nodad))
                if name != "silent":
                    _run(*self.enter(name, "ip", *(["-6"] if nodad else []), "route", "add",
                                     "default", "via", gateway))
        for address in BETA_MORE:
            _run(*self.enter("beta", "ip", "addr", "add", f"{address}/32", "dev", "lo"))
            _run(*self.enter("router", "ip", "route", "add", f"{address}/32", "via", BETA4))
        # The host that hears and cannot answer: no route back.
        for name in ("client",):
            _run(*self.enter(name, "sh", "-c",
                             "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"))

    def _make_certificates(self):
        """An authority of its own, and one certificate for all names."""
        names = [name for name in ZONE if not name.startswith("xn--")] + ["db.internal"]
        extension = self.directory / "extension"
        alternatives = ",".join([f"DNS:{name}" for name in names] + [f"IP:{ALPHA4}", f"IP:{BETA4}"])
        extension.write_text(f"subjectAltName={alternatives}\n", encoding="utf-8")
        self.authority = self.directory / "authority.pem"
        authority_key = self.directory / "authority.key"
        self.key = self.directory / "server.key"
        self.certificate = self.directory / "server.pem"
        request = self.directory / "server.request"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _run("openssl", "req", "-x509", *curve, "-keyout", authority_key, "-out", self.authority,
             "-days", "2", "-subj", "/CN=Test Authority",
             "-addext", "basicConstraints=critical,CA:TRUE")
        _run("openssl", "req", *curve, "-keyout", self.key, "-out", request, "-subj", "/CN=test")
        _run("openssl", "x509", "-req", "-in", request, "-CA", self.authority, "-CAkey",
             authority_key, "-CAcreateserial", "-days", "2", "-extfile", extension,
             "-out", self.certificate)
        self.key.chmod(0o644)

    def start(self, name, *words, ready=b"ready\n"):
        """Starts a server on a host; it ends with its standard input."""
        server = subprocess.Popen(self.enter(name, *[str(word) for word in words]),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.servers.append(server)
        if ready:
            assert server.stdout.readline() == ready
        return server

    def _start_servers(self):
        python = ["/usr/bin/python3", "-B"]
        self.start("dns", *python, HERE / "dns_server.py", self.zone_path, self.dns_log, DNS,
                   "2001:db8:53::53")
        for name, addresses in (("alpha", [ALPHA4, ALPHA6]), ("beta", [BETA4, BETA6, *BETA_MORE])):
            root = self.directory / f"www-{name}"
            root.mkdir()
            self.start(name, *python, HERE / "web_server.py", name, root, self.certificate,
                       self.key, self.directory / f"web-{name}.log", *addresses)

    def close(self):
        for server in self.servers:
            server.stdin.close()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            server.stdout.close()
        for holder in self.holders.values():
            holder.kill()
            holder.wait()

    # ---- using it ----

    def set_zone(self, changes):
        """The standard zone with changes; counters of sequences start again."""
        new = self.zone_path.with_suffix(".new")
        new.write_text(json.dumps({**ZONE, **changes}), encoding="utf-8")
        new.rename(self.zone_path)

    def web_root(self, name):
        return self.directory / f"www-{name}"

    def queries(self, since=0):
        with open(self.dns_log, encoding="utf-8") as file:
            file.seek(since)
            return [json.loads(line) for line in file]

    def query_mark(self):
        return self.dns_log.stat().st_size

    def prefix(self):
        pid = self.holders["client"].pid
        return ["nsenter", f"--net=/proc/{pid}/ns/net", f"--mount=/proc/{pid}/ns/mnt",
                "--wdns={cwd}", "--"]

    def client(self, identity, cwd):
        """A runner on the client."""
        return harness.Runner(self.machine, identity, cwd, self.prefix())

    def on(self, name, *words, timeout_s=30):
        """Runs a command on a host as root, to its end."""
        return subprocess.run(self.enter(name, *[str(word) for word in words]),
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=timeout_s, check=False)
