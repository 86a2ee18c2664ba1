"""Package indexes for npm and pip on loopback, with one small package each that the test makes.

npm asks /porta-test-package and gets a document with one version; pip asks /simple/porta-test-package/.
"""

import base64
import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile


# With an install script that writes a file.
NPM_PACKAGE = {
    "name": "porta-test-package", "version": "1.0.0", "main": "index.js",
    "scripts": {"postinstall": "node -e \"require('fs').writeFileSync('built', 'yes')\""},
}


def npm_tarball():
    files = {
        "package/package.json": json.dumps(NPM_PACKAGE),
        "package/index.js": "module.exports = () => 'from npm';\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def wheel():
    """A wheel of one module."""
    buffer = io.BytesIO()
    info = "porta_test_package-1.0.0.dist-info"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("porta_test_package.py", "def text():\n    return 'from pip'\n")
        archive.writestr(f"{info}/METADATA",
                         "Metadata-Version: 2.1\nName: porta-test-package\nVersion: 1.0.0\n")
        archive.writestr(f"{info}/WHEEL",
                         "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    tarball = npm_tarball()
    wheel = wheel()

    def do_GET(self):
        port = self.server.server_address[1]
        base = f"http://127.0.0.1:{port}"
        if self.path == "/porta-test-package":
            digest = base64.b64encode(hashlib.sha512(self.tarball).digest()).decode()
            version = {**NPM_PACKAGE, "hasInstallScript": True,
                       "dist": {"tarball": f"{base}/package.tgz", "integrity": f"sha512-{digest}"}}
            document = {"name": "porta-test-package", "dist-tags": {"latest": "1.0.0"},
                        "versions": {"1.0.0": version}}
            self.reply("application/json", json.dumps(document).encode())
        elif self.path == "/package.tgz":
            self.reply("application/octet-stream", self.tarball)
        elif self.path == "/simple/porta-test-package/":
            self.reply("text/html", b'<a href="/porta_test_package-1.0.0-py3-none-any.whl">'
                                    b"porta_test_package-1.0.0-py3-none-any.whl</a>")
        elif self.path.endswith(".whl"):
            self.reply("application/octet-stream", self.wheel)
        else:
            self.send_error(404)

    def reply(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


class PackageServer:
    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
