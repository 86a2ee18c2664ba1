"""A small DNS server for tests: `dns_server.py ZONE-FILE LOG-FILE ADDRESS...`, UDP and TCP on port 53.

The zone file is JSON, read again whenever it changes: {"name": {"A": [...], "AAAA": [...], "CNAME": "name",
"sequence": [[...], [...]], "delay": seconds, "truncate": true, "wrong_name": "name", "silent": true}}.
`sequence` gives the A records of the first, second, ... query (the last ones stay). Unknown names are
NXDOMAIN. Each query is a JSON line in the log.
"""

import json
import os
import socket
import struct
import sys
import threading
import time

TYPES = {1: "A", 28: "AAAA", 5: "CNAME"}


class Server:
    def __init__(self, zone_path, log_path):
        self.zone_path = zone_path
        self.log = open(log_path, "a", buffering=1, encoding="utf-8")
        self.lock = threading.Lock()
        self.counts = {}
        self.zone, self.mtime = {}, None

    def entry(self, name):
        with self.lock:
            mtime = os.stat(self.zone_path).st_mtime_ns
            if mtime != self.mtime:
                with open(self.zone_path, encoding="utf-8") as file:
                    self.zone = json.load(file)
                self.mtime, self.counts = mtime, {}
            return self.zone.get(name.lower())

    def answer(self, query, transport):
        identity, flags, questions, _an, _ns, additional = struct.unpack("!6H", query[:12])
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]])
            at += 1 + query[at]
        at += 1
        kind, _class = struct.unpack("!HH", query[at:at + 4])
        question = query[12:at + 4]
        name = b".".join(labels).decode("latin-1")
        self.log.write(json.dumps({"name": name, "type": kind, "questions": questions,
                                   "additional": additional, "flags": flags,
                                   "rest": query[at + 4:].hex(), "transport": transport}) + "\n")
        entry = self.entry(name)
        if entry is None:
            return struct.pack("!6H", identity, 0x8183, 1, 0, 0, 0) + question
        if entry.get("silent"):
            return None
        time.sleep(entry.get("delay", 0))
        if entry.get("truncate") and transport == "udp":
            return struct.pack("!6H", identity, 0x8380, 1, 0, 0, 0) + question
        records = self.records(name, entry, kind)
        return struct.pack("!6H", identity, 0x8180, 1, len(records), 0, 0) + question + \
            b"".join(records)

    def records(self, name, entry, kind, depth=0):
        owner = entry.get("wrong_name", name)
        if "CNAME" in entry and depth < 20:
            target = entry["CNAME"]
            found = [record(owner, 5, encode(target))]
            following = self.entry(target)
            return found + (self.records(target, following, kind, depth + 1) if following else [])
        if kind == 1:
            addresses = entry.get("A", [])
            if "sequence" in entry:
                with self.lock:
                    count = self.counts.get(name.lower(), 0)
                    self.counts[name.lower()] = count + 1
                addresses = entry["sequence"][min(count, len(entry["sequence"]) - 1)]
            return [record(owner, 1, socket.inet_aton(one)) for one in addresses]
        if kind == 28:
            return [record(owner, 28, socket.inet_pton(socket.AF_INET6, one))
                    for one in entry.get("AAAA", [])]
        return []

    def serve_datagrams(self, one):
        while True:
            query, peer = one.recvfrom(4096)
            threading.Thread(target=self.reply, args=(one, query, peer), daemon=True).start()

    def reply(self, one, query, peer):
        answer = self.answer(query, "udp")
        if answer is not None:
            one.sendto(answer, peer)

    def serve_streams(self, listener):
        while True:
            stream, _peer = listener.accept()
            threading.Thread(target=self.serve_stream, args=(stream,), daemon=True).start()

    def serve_stream(self, stream):
        with stream, stream.makefile("rb") as file:
            while len(prefix := file.read(2)) == 2:
                answer = self.answer(file.read(struct.unpack("!H", prefix)[0]), "tcp")
                if answer is None:
                    return
                stream.sendall(struct.pack("!H", len(answer)) + answer)


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(name, kind, data):
    return encode(name) + struct.pack("!HHIH", kind, 1, 1, len(data)) + data


def main(zone_path, log_path, *addresses):
    server = Server(zone_path, log_path)
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        datagrams.bind((address, 53))
        threading.Thread(target=server.serve_datagrams, args=(datagrams,), daemon=True).start()
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, 53))
        listener.listen(64)
        threading.Thread(target=server.serve_streams, args=(listener,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
