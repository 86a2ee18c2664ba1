"""Web servers of one host of the test's internet: `web_server.py NAME ROOT CERTIFICATE KEY LOG ADDRESS...`.

HTTP on 80 and 8080, HTTPS on 443. GET / answers "hello from NAME to ADDRESS"; other paths are files below ROOT.
Each request is a line in LOG. UDP port 9000 echoes.
"""

import functools
import http.server
import os
import socket
import socketserver
import ssl
import sys
import threading


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host_name, log_file = "", None

    def do_GET(self):
        if self.path != "/":
            super().do_GET()
            return
        body = f"hello from {self.host_name} to {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = str(len(self.rfile.read(length))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        self.log_file.write(f"{self.server.server_address[1]} {format % arguments}\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, handler):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self):
        """Without the look-up of the own name, which has no resolver here."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


def echo(address):
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((address, 9000))
    while True:
        data, peer = one.recvfrom(65536)
        one.sendto(data, peer)


def main(name, root, certificate, key, log_path, *addresses):
    Handler.host_name = name
    Handler.log_file = open(log_path, "a", buffering=1, encoding="utf-8")
    handler = functools.partial(Handler, directory=root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    os.chdir(root)
    for address in addresses:
        for port in (80, 8080, 443):
            server = Server((address, port), handler)
            if port == 443:
                server.socket = context.wrap_socket(server.socket, server_side=True,
                                                    do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        threading.Thread(target=echo, args=(address,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
