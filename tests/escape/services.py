"""The services outside that attacks try to reach: run in a network namespace, log what reaches them.

    services.py DIRECTORY

Sockets are made in DIRECTORY; each event is a line in DIRECTORY/log. Every stream and datagram is answered
with the secret. Prints `ready` when all listen. Ends with its standard input.
"""

import os
import selectors
import socket
import sys

SECRET = b"SECRET-OUTSIDE\n"
STREAMS4 = [("127.0.0.1", 7001), ("127.0.0.1", 7003), ("203.0.113.5", 80), ("203.0.113.5", 81),
            ("203.0.113.6", 80), ("169.254.169.254", 80), ("10.0.0.5", 80)]
STREAMS6 = [("::1", 7001), ("2001:db8::5", 80), ("2001:db8::6", 80), ("fd00::5", 80)]
DATAGRAMS4 = [("127.0.0.1", 7001), ("203.0.113.5", 80), ("203.0.113.6", 80), ("203.0.113.6", 53)]
DATAGRAMS6 = [("::1", 7001), ("2001:db8::6", 80)]
REUSEPORT = ("127.0.0.1", 7002)


def main(directory):
    selector = selectors.DefaultSelector()
    log = open(os.path.join(directory, "log"), "a", buffering=1, encoding="utf-8")

    def add(family, kind, address, label, options=()):
        one = socket.socket(family, kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in options:
            one.setsockopt(*option, 1)
        try:
            one.bind(address)
        except OSError as error:
            log.write(f"unavailable {label}: {error}\n")
            return
        if family == socket.AF_UNIX and not address.startswith("\0"):
            os.chmod(address, 0o666)
        if kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            one.listen(64)
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ, (kind, label))

    for address in STREAMS4:
        add(socket.AF_INET, socket.SOCK_STREAM, address, "tcp %s %d" % address)
    for address in STREAMS6:
        add(socket.AF_INET6, socket.SOCK_STREAM, address, "tcp %s %d" % address)
    for address in DATAGRAMS4:
        add(socket.AF_INET, socket.SOCK_DGRAM, address, "udp %s %d" % address)
    for address in DATAGRAMS6:
        add(socket.AF_INET6, socket.SOCK_DGRAM, address, "udp %s %d" % address)
    add(socket.AF_INET, socket.SOCK_STREAM, REUSEPORT, "tcp %s %d" % REUSEPORT,
        [(socket.SOL_SOCKET, socket.SO_REUSEPORT)])
    for name in (os.path.join(directory, "stream"), os.path.join(directory, "in-tmp", "stream"),
                 "\0porta-test-victim"):
        add(socket.AF_UNIX, socket.SOCK_STREAM, name, f"unix {name!r}")
    for name in (os.path.join(directory, "datagram"), os.path.join(directory, "in-tmp", "datagram"),
                 "\0porta-test-victim-datagram"):
        add(socket.AF_UNIX, socket.SOCK_DGRAM, name, f"unix datagram {name!r}")
    add(socket.AF_UNIX, socket.SOCK_SEQPACKET, os.path.join(directory, "packet"), "unix packet")
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        for key, _events in selector.select():
            if key.data is not None:
                serve(selector, log, key)
            elif not sys.stdin.readline():
                return
            else:
                # A line asks whether all that has arrived is in the log.
                while waiting := [one for one, _ in selector.select(0) if one.data is not None]:
                    for one in waiting:
                        serve(selector, log, one)
                print("settled", flush=True)
                break


def serve(selector, log, key):
    """One event of one socket."""
    kind, label = key.data
    try:
        if kind == socket.SOCK_DGRAM:
            data, peer = key.fileobj.recvfrom(2048)
            log.write(f"{label} {data!r} from {peer!r}\n")
            if peer:
                key.fileobj.sendto(SECRET, peer)
        elif kind == "peer":
            # The peer's leaving ends it; what it sends is noted.
            data = key.fileobj.recv(2048)
            if data:
                log.write(f"{label} got {data!r}\n")
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
        else:
            peer, address = key.fileobj.accept()
            log.write(f"{label} accepted {address!r}\n")
            peer.setblocking(False)
            selector.register(peer, selectors.EVENT_READ, ("peer", label))
            peer.sendall(SECRET)
    except OSError as error:
        if kind == "peer":
            selector.unregister(key.fileobj)
            key.fileobj.close()
        else:
            log.write(f"{label} failed: {error}\n")


if __name__ == "__main__":
    main(sys.argv[1])
