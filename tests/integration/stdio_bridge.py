"""
HTTP in front of `porta serve` on standard input and output, so that the official suite, which speaks HTTP alone, asks the
server on its other transport: one process for the modern era, one for each session of the legacy one. What the suite says
of HTTP itself (statuses, headers) is the bridge's. All that the server says is kept, with the version and method that it
answers, in `traffic`.
"""

import json
import queue
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import mcp_client
from mcp_client import HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, META, METHOD_NOT_FOUND, MODERN

STATUSES = {METHOD_NOT_FOUND: 404, HEADER_MISMATCH: 400, -32021: 400, -32022: 400, INVALID_REQUEST: 400}
SUBSCRIPTION = META + "subscriptionId"


class Server:
    """One process, and who waits for what it says."""

    def __init__(self, runner, argv, traffic):
        self.process = runner.popen_porta("serve", *argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        mcp_client.STARTED.append(self.process)
        self.version = MODERN
        self.traffic = traffic
        self.lock = threading.Lock()
        self.waiting = {}  # number: (queue, the client's id, its progress token, the method)
        self.last = 0
        self.listener = None  # the queue of a GET
        threading.Thread(target=self.read, daemon=True).start()

    def send(self, message):
        with self.lock:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def ask(self, message):
        """Sends a request under an id of the bridge's own; (number, queue)."""
        message = json.loads(json.dumps(message))
        meta = message.get("params", {}).get("_meta", {})
        with self.lock:
            self.last += 1
            number = self.last
            waiting = queue.Queue()
            self.waiting[number] = (waiting, message["id"], meta.get("progressToken"), message["method"])
        if "progressToken" in meta:
            meta["progressToken"] = number
        message["id"] = number
        self.send(message)
        return number, waiting

    def read(self):
        for line in self.process.stdout:
            self.take(json.loads(line))

    def take(self, message):
        if "method" not in message:
            if message.get("id") not in self.waiting:
                return
            waiting, message["id"], _, method = self.waiting.pop(message["id"])
            self.traffic.append((self.version, "answer", method, json.loads(json.dumps(message))))
            self.back(message.get("result", {}))
            waiting.put((message, True))
            return
        self.traffic.append((self.version, "request" if "id" in message else "notification", message["method"],
                             json.loads(json.dumps(message))))
        params = message.get("params", {})
        number = params.get("progressToken", params.get("_meta", {}).get(SUBSCRIPTION))
        if number is None:
            calls = [n for n, w in self.waiting.items() if w[3] != "subscriptions/listen"]
            number = max(calls, default=None)
        if number in self.waiting:
            waiting, _, token, _ = self.waiting[number]
            if "progressToken" in params:
                params["progressToken"] = token
            self.back(params)
            waiting.put((message, False))
        elif self.listener is not None:
            self.listener.put((message, False))

    def back(self, holder):
        """The client's own id of a subscription."""
        meta = holder.get("_meta", {})
        if SUBSCRIPTION in meta and meta[SUBSCRIPTION] in self.waiting:
            meta[SUBSCRIPTION] = self.waiting[meta[SUBSCRIPTION]][1]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None, headers=()):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def error(self, status, code, message):
        self.answer(status, {"jsonrpc": "2.0", "id": message.get("id"), "error": {"code": code, "message": "the bridge's"}})

    def write_event(self, message):
        data = b"data: " + json.dumps(message).encode() + b"\n\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def stream(self, server, waiting, number, headers=()):
        """What belongs to a request: one answer as JSON, more than that as events."""
        message, is_last = waiting.get(timeout=60)
        if is_last:
            code = message.get("error", {}).get("code")
            method_missing = code == INVALID_PARAMS and not self.has_meta
            self.answer(400 if method_missing else STATUSES.get(code, 200) if server.version == MODERN else 200, message, headers)
            return
        self.send_response(200)
        for name, value in (("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"), *headers):
            self.send_header(name, value)
        self.end_headers()
        try:
            self.write_event(message)
            while not is_last:
                try:
                    message, is_last = waiting.get(timeout=0.2)
                except queue.Empty:
                    self.wfile.write(b"3\r\n:\n\n\r\n")
                    continue
                self.write_event(message)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            server.waiting.pop(number, None)
            server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bridge = self.server.bridge
        meta = message.get("params", {}).get("_meta", {})
        said = self.headers.get("MCP-Protocol-Version")
        self.has_meta = META + "protocolVersion" in meta and META + "clientCapabilities" in meta
        modern = META + "protocolVersion" in meta or said == MODERN
        if modern and META + "protocolVersion" in meta and said != meta[META + "protocolVersion"]:
            self.error(400, HEADER_MISMATCH, message)
            return
        headers = ()
        if modern:
            server = bridge.modern
        elif message.get("method") == "initialize":
            session = uuid.uuid4().hex
            server = bridge.sessions[session] = bridge.start()
            server.version = message["params"]["protocolVersion"]
            headers = (("Mcp-Session-Id", session),)
        else:
            server = bridge.sessions[self.headers["Mcp-Session-Id"]]
        if "method" in message and "id" in message:
            number, waiting = server.ask(message)
            self.stream(server, waiting, number, headers)
        else:
            server.send(message)
            self.answer(202)

    def do_GET(self):
        self.answer(405)

    def do_DELETE(self):
        server = self.server.bridge.sessions.pop(self.headers["Mcp-Session-Id"], None)
        if server is not None:
            server.process.stdin.close()
        self.answer(200)


class Bridge:
    def __init__(self, runner, *argv):
        self.runner = runner
        self.argv = argv
        self.traffic = []
        self.sessions = {}
        self.modern = self.start()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.bridge = self
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def start(self):
        return Server(self.runner, self.argv, self.traffic)

    def close(self):
        self.http.shutdown()
        self.http.server_close()
