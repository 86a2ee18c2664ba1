#!/usr/bin/python3
"""Talks nonsense to `porta serve` until the time is over: serve.py PORTA SECONDS.

Half of the time on standard input, in pieces, by a client that stops in the middle; half by HTTP, over many connections that
close when they like. What is said is requests of the protocol, right and wrong, and damaged. A finding is a server that ends
by itself, that does not end when it is told to, or whose sanitizers say something.
"""

import json
import os
import pathlib
import random
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
GUESTS = HERE.parent / "tests" / "guests"
sys.path.insert(0, str(GUESTS))
import build  # noqa: E402

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": {}, "roots": {}},
          "io.modelcontextprotocol/logLevel": "debug", "progressToken": 1}
METHODS = ["tools/call"] * 6 + [
    "tools/list", "resources/read", "resources/list", "prompts/get", "completion/complete", "server/discover",
    "subscriptions/listen", "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
    "notifications/cancelled"]
FLAGS = [[], ["-v", "."], ["--timeout", "50ms"], ["--profile", "full", "--allow-exec", "true"]]
END_SECONDS = 30


class Talk:
    """What a client says."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        manifest = json.loads((GUESTS / "everything.manifest.json").read_text(encoding="utf-8"))
        self.tools = [tool["name"] for tool in manifest["tools"] if tool["name"] != "flood"]

    def params(self, method):
        chance = self.chance
        if method == "tools/call":
            return {"name": chance.choice(self.tools), "arguments": chance.choice(
                [{}, {"ms": chance.randrange(50)}, {"prompt": "x", "message": "y"}, {"bytes": chance.randrange(10000)}])}
        return {
            "resources/read": {"uri": chance.choice(["test://plain", "test://none", "test://template/1/data"])},
            "resources/subscribe": {"uri": "test://plain"}, "resources/unsubscribe": {"uri": "test://plain"},
            "prompts/get": {"name": chance.choice(["test_simple_prompt", "test_input_required_result_prompt"])},
            "completion/complete": {"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
                                    "argument": {"name": "arg1", "value": "p"}},
            "initialize": {"protocolVersion": chance.choice(["2024-11-05", "2025-03-26", "2025-11-25", "x"]),
                           "capabilities": {"elicitation": {}, "sampling": {}, "roots": {}}},
            "subscriptions/listen": {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["a"]}},
            "notifications/cancelled": {"requestId": chance.randrange(200)},
            "logging/setLevel": {"level": chance.choice(["debug", "emergency", "x"])},
        }.get(method, {})

    def message(self):
        chance = self.chance
        method = chance.choice(METHODS)
        params = self.params(method)
        if chance.random() < 0.2:
            params["inputResponses"] = {"user_name": chance.choice([{}, {"action": "accept", "content": {"name": "A"}}, 5])}
        if chance.random() < 0.1:
            params["requestState"] = chance.choice(["", "p1.", "p1.AAAA", "x" * 50])
        if chance.random() < 0.7:
            params["_meta"] = chance.choice([MODERN, MODERN, {"progressToken": {}}])
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if not method.startswith("notifications/"):
            message["id"] = chance.choice([chance.randrange(200), f"s{chance.randrange(50)}"])
        if chance.random() < 0.05:
            return {"jsonrpc": "2.0", "id": chance.randrange(20), chance.choice(["result", "error"]): chance.choice(
                [{}, {"action": "accept", "content": {}}, {"code": 1, "message": "m"}, 5])}
        return [message, message] if chance.random() < 0.03 else message

    def damaged(self, data):
        data, chance = bytearray(data), self.chance
        for _ in range(chance.choice([1, 1, 2, 5])):
            at = chance.randrange(len(data) + 1)
            kind = chance.randrange(3)
            if kind == 0 and at < len(data):
                data[at] = chance.randrange(256)
            elif kind == 1:
                data[at:at] = bytes(chance.choice(b'{}[]":,0\\u') for _ in range(chance.randrange(1, 4)))
            else:
                del data[at:at + chance.randrange(1, 10)]
        return bytes(data)

    def line(self):
        data = json.dumps(self.message()).encode()
        if self.chance.random() < 0.2:
            data = self.damaged(data).replace(b"\n", b" ")
        if self.chance.random() < 0.01:
            return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)
        return data + b"\n"

    def post(self, session):
        message = self.message()
        body = json.dumps(message).encode()
        if self.chance.random() < 0.15:
            body = self.damaged(body)
        lines = ["POST /mcp HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Accept: */*",
                 f"Content-Length: {len(body)}", *session]
        if isinstance(message, dict) and "method" in message:
            params = message["params"]
            lines.append(f"Mcp-Method: {message['method']}")
            if "name" in params or "uri" in params:
                lines.append(f"Mcp-Name: {params.get('name', params.get('uri'))}")
            if params.get("_meta") is MODERN:
                lines.append("MCP-Protocol-Version: 2026-07-28")
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        return self.damaged(data) if self.chance.random() < 0.05 else data


def ended(process, said):
    """Whether a server that was told to end did, without a word."""
    try:
        code = process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        print("found: it does not end")
        process.kill()
        return False
    if code not in (0, -9) or b"Sanitizer" in said() or b"runtime error" in said():
        print(f"found: code {code}\n{said().decode(errors='replace')[-4000:]}")
        return False
    return True


def by_lines(porta, directory, talk, seconds):
    chance = talk.chance
    process = subprocess.Popen([porta, "serve", "everything.wasm", *chance.choice(FLAGS)], cwd=directory,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.set_blocking(process.stdin.fileno(), False)
    end, waiting, count = time.monotonic() + seconds, b"", 0
    while time.monotonic() < end:
        readable, writable, _ = select.select([process.stdout], [process.stdin], [], 0.2)
        if readable and not os.read(process.stdout.fileno(), 65536):
            break
        if writable and not waiting:
            waiting, count = talk.line(), count + 1
        try:
            waiting = waiting[os.write(process.stdin.fileno(), waiting[:chance.choice([1, 10, 100000])]):]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            break
    if chance.random() < 0.3:
        process.terminate()
    process.stdin.close()
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return ended(process, process.stderr.read), count


def one_connection(port, talk, sessions):
    chance = talk.chance
    with socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
        for _ in range(chance.randrange(1, 5)):
            session = [f"Mcp-Session-Id: {chance.choice(sessions)}"] if sessions and chance.random() < 0.6 else []
            data = talk.post(session)
            if chance.random() < 0.1:
                data = "\r\n".join([f"{chance.choice(['GET', 'DELETE'])} /mcp HTTP/1.1", "Host: localhost", *session, "", ""]).encode()
            sock.sendall(data if chance.random() < 0.95 else data[:len(data) // 2])
            sock.settimeout(chance.choice([0.01, 0.2, 1]))
            try:
                said = sock.recv(65536)
            except TimeoutError:
                continue
            at = said.find(b"Mcp-Session-Id: ")
            if at >= 0:
                sessions[:] = [*sessions[-20:], said[at + 16:at + 48].decode(errors="replace")]
        if chance.random() < 0.5:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def by_http(porta, directory, talk, seconds):
    process = subprocess.Popen([porta, "serve", "everything.wasm", "--http", "127.0.0.1:0", *talk.chance.choice(FLAGS)],
                               cwd=directory, stderr=subprocess.PIPE)
    port = int(process.stderr.readline().decode().rsplit(":", 1)[1].split("/")[0])
    end, sessions, counts = time.monotonic() + seconds, [], []

    def work():
        while time.monotonic() < end and process.poll() is None:
            try:
                one_connection(port, talk, sessions)
            except OSError:
                pass
            counts.append(1)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    process.terminate()
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stderr.read()), daemon=True)
    reader.start()
    good = ended(process, lambda: b"".join(said))
    return good, len(counts)


def main():
    porta, seconds = os.path.abspath(sys.argv[1]), float(sys.argv[2])
    seed = int(os.environ.get("FUZZ_SEED", time.time_ns() % 1_000_000))
    talk = Talk(seed)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="porta-fuzz-"))
    end, count, good = time.monotonic() + seconds, 0, True
    try:
        shutil.copy(build.guest("everything.c"), directory / "everything.wasm")
        while good and time.monotonic() < end:
            # A tool of the agent's changes it.
            shutil.copy(GUESTS / "everything.manifest.json", directory)
            way = talk.chance.choice([by_lines, by_http])
            good, more = way(porta, directory, talk, min(10, max(1, end - time.monotonic())))
            count += more
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{count} messages and connections, seed {seed}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
