"""The Containerfile and the Kubernetes manifests: of the right form, and of what the programs need."""

import json
import re
import shlex
import subprocess

import pytest

import agents
import harness
import mcp_client
import mcp_tools
from mcp_client import Http, ended  # noqa: F401

pytestmark = agents.NEEDED

MANIFESTS = harness.ROOT / "packaging" / "kubernetes" / "agent.yaml"
CONTAINERFILE = harness.ROOT / "packaging" / "container" / "Containerfile"
READ = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"


@pytest.fixture(scope="module", name="objects")
def the_objects():
    said = subprocess.run([mcp_tools.python(), "-c", READ, MANIFESTS], check=True, capture_output=True, text=True).stdout
    return {thing["kind"]: thing for thing in json.loads(said)}


def test_manifests_keep_to_the_schemas():
    done = subprocess.run([mcp_tools.python().with_name("kubernetes-validate"), "--strict", MANIFESTS], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and "ERROR" not in done.stdout + done.stderr, done.stdout + done.stderr


def test_manifests_are_restricted(objects):
    """Pod Security Standards, restricted."""
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert not any(key in pod for key in ("hostNetwork", "hostPID", "hostIPC"))


def test_the_arguments_of_the_manifest_serve(runner, objects):
    """The command of the container, with the paths of this machine."""
    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    path = mcp_client.put_everything(runner)
    for name, text in (("token", "a-token-of-the-tests"), ("state.key", "k" * 32)):
        (runner.cwd / name).write_text(text)
        runner.identity.own(runner.cwd / name)
    here = {"/agent/agent.wasm": path, "/run/secrets/agent/token": runner.cwd / "token",
            "/run/secrets/agent/state.key": runner.cwd / "state.key"}
    argv = [here.get(word, word) for word in container["args"]]
    at = argv.index("--http")
    assert argv[at + 1] == "0.0.0.0:8080"
    # No other address than loopback in tests.
    del argv[at:at + 2]
    server = Http(runner, *argv)
    assert server.send(None, method="GET", path=container["livenessProbe"]["httpGet"]["path"], Host="10.0.0.1").status == 200
    assert server.modern("server/discover").status == 401
    assert server.modern("server/discover", Authorization="Bearer a-token-of-the-tests").status == 200


def test_the_image_has_the_libraries_that_the_programs_need():
    text = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    last = text.split("\nFROM ")[-1]
    installed = set(shlex.split(re.search(r"apt-get install -y --no-install-recommends ([^&]*)&&", last).group(1)))
    for name in ("porta-server", "porta-http"):
        program = harness.PROGRAM.with_name(name)
        direct = re.findall(r"NEEDED\)\s+Shared library: \[(.*?)\]", subprocess.run(
            ["readelf", "-d", program], check=True, capture_output=True, text=True).stdout)
        found = dict(re.findall(r"(\S+) => (/\S+)", subprocess.run(["ldd", program], check=True, capture_output=True,
                                                                   text=True).stdout))
        for library in direct:
            if library.startswith(("libc.", "libm.", "libresolv.", "ld-linux", "libasan", "libubsan")):
                continue
            owner = subprocess.run(["dpkg", "-S", f"*/{found[library].rsplit('/', 1)[1]}"], check=True, capture_output=True,
                                   text=True).stdout.split(":")[0]
            assert owner in installed, f"{name} needs {library} of {owner}"
