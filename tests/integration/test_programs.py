"""Real programs doing their real work inside, as a person would run them."""

import glob
import os
import shutil
import subprocess
import textwrap
import time
import urllib.request

import pytest

import harness
from package_server import PackageServer

AS_GIT_USER = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
only_user = pytest.mark.parametrize("as_user", ["user"], indirect=True)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


# ---- git ------------------------------------------------------------------

def git(runner, *args, flags=("-v", ".")):
    return runner.run("git", *flags, args=(*AS_GIT_USER, *args))


def test_git_commit_branch_merge_and_clean_status(runner, workspace):
    runner.bare("git", "-c", "init.defaultBranch=main", "init", "-q", ".").ok()
    (workspace / "one").write_text("1\n", encoding="utf-8")
    for words in (["add", "-A"], ["commit", "-q", "-m", "one"], ["checkout", "-q", "-b", "topic"],
                  ["commit", "-q", "--allow-empty", "-m", "two"], ["checkout", "-q", "main"],
                  ["merge", "-q", "--no-ff", "-m", "merged", "topic"], ["tag", "v1"],
                  ["gc", "-q"], ["stash", "list"], ["fsck"]):
        git(runner, *words).ok()
    for where in (lambda *a: git(runner, *a), lambda *a: runner.bare("git", *a)):
        assert where("status", "--porcelain", "--ignored").ok().out == ""
        assert "merged" in where("log", "--oneline", "-3").ok().out


def test_git_add_all_takes_nothing_of_portas(runner, workspace):
    runner.bare("git", "-c", "init.defaultBranch=main", "init", "-q", ".").ok()
    result = runner.sh("echo text > file; mkdir .vscode; echo x > .envrc; sleep 0.1; git add -A && "
                       "git -c user.name=T -c user.email=t@example.com commit -q -m all; "
                       "git ls-files", "-v", ".").ok()
    assert "file" in result.out.split(), str(result)
    assert runner.bare("git", "ls-files").ok().out.split() == ["file"], str(result)


def test_git_outside_while_porta_starts(runner):
    """What a plan is made from is replaced while it is applied: porta plans again."""
    runner.bare("git", "init", "-q", ".").ok()
    outside = runner.popen(["sh", "-c", "while git config user.name $$; do sleep 0.02; done"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(25):
            runner.run("true", "-v", ".").ok()
        assert outside.poll() is None
    finally:
        harness.kill_tree(outside.pid)
        outside.wait()


def test_git_clone_and_push(runner, workspace):
    runner.bare("sh", "-ec", "git -c init.defaultBranch=main init -q --bare origin.git").ok()
    git(runner, "clone", "-q", "origin.git", "copy").ok()
    copy = runner.at(workspace / "copy")
    runner.run("sh", "-v", "..", args=("-ec", "cd copy && echo text > file && git add file && "
                                       "git -c user.name=T -c user.email=t@example.com commit -q -m one && "
                                       "git push -q origin HEAD")).ok()
    assert copy.bare("git", "ls-remote", "origin").ok().out.strip()


def test_git_worktree(runner, workspace):
    main = workspace / "main"
    main.mkdir()
    runner.identity.own(main)
    runner.bare("sh", "-ec", "git -c init.defaultBranch=main init -q . && git -c user.name=T "
                "-c user.email=t@example.com commit -q --allow-empty -m start && "
                "git worktree add -q ../tree", cwd=main).ok()
    tree = runner.at(workspace / "tree")
    git(tree, "commit", "-q", "--allow-empty", "-m", "in the worktree").ok()
    assert "in the worktree" in tree.bare("git", "log", "--oneline").ok().out


def test_git_remote_add_says_which_flag(runner):
    runner.bare("git", "-c", "init.defaultBranch=main", "init", "-q", ".").ok()
    # The guard sees git's lock file only while it is there, which a busy machine can miss.
    for _ in range(25):
        refused = git(runner, "remote", "add", "origin", "https://example.com/x.git")
        assert refused.code not in (0, 125), str(refused)
        if "--allow-protected=.git/config" in refused.err:
            break
    assert "--allow-protected=.git/config" in refused.err, str(refused)
    git(runner, "remote", "add", "origin", "https://example.com/x.git",
        flags=("-v", ".", "--allow-protected=.git/config")).ok()


# ---- builds ---------------------------------------------------------------

def test_c_build(runner, workspace):
    for number in range(40):
        (workspace / f"part{number}.c").write_text(
            f"#include <stdio.h>\nint part{number}(void) {{ return {number}; }}\n", encoding="utf-8")
    (workspace / "main.c").write_text(
        "".join(f"int part{n}(void);\n" for n in range(40)) + "#include <stdio.h>\nint main(void) "
        "{ printf(\"%d\\n\", " + "+".join(f"part{n}()" for n in range(40)) + "); }\n", encoding="utf-8")
    (workspace / "Makefile").write_text(
        "objects = $(patsubst %.c,%.o,$(wildcard *.c))\nprogram: $(objects)\n\tgcc -o $@ $^\n",
        encoding="utf-8")
    runner.identity.own(workspace)
    runner.run("make", "-v", ".", "--net", "blocked", args=("-j2",)).ok()
    assert runner.run("./program").ok().out == "780\n"


def test_tar_and_owners(runner, workspace, as_user):
    runner.sh("mkdir a && echo x > a/f && ln -s f a/l && chmod 640 a/f && tar cf a.tar a && mkdir b && "
              "tar xpf a.tar -C b && cmp a/f b/a/f && test -L b/a/l", "-v", ".").ok()
    assert (workspace / "b" / "a" / "f").stat().st_mode & 0o777 == 0o640
    if as_user.is_root:
        runner.sh("chown 1234:1234 a/f && tar cf c.tar a && tar xf c.tar -C b && stat -c %u b/a/f", "-v", ".").ok()
        assert (workspace / "b" / "a" / "f").stat().st_uid == 1234


def test_npm_install(runner, workspace):
    need("node", "npm")
    (workspace / "package.json").write_text('{"name": "x", "version": "1.0.0"}', encoding="utf-8")
    runner.identity.own(workspace)
    with PackageServer() as server:
        runner.run("npm", "-v", ".", "-e", f"npm_config_cache={workspace}/cache",
                   "--allow-net", f"127.0.0.1:{server.port}",
                   args=("install", "--no-audit", "--no-fund", "--registry",
                         f"http://127.0.0.1:{server.port}", "porta-test-package")).ok()
        assert (workspace / "node_modules" / "porta-test-package" / "built").read_text() == "yes"
        assert runner.run("node", args=("-p", "require('porta-test-package')()")).ok().out == "from npm\n"
        refused = runner.run("npm", "-v", ".", "-e", f"npm_config_cache={workspace}/cache2",
                             "--allow-net", f"127.0.0.1:{server.port + 1}",
                             args=("install", "--no-audit", "--fetch-retries", "0", "--registry",
                                   f"http://127.0.0.1:{server.port}", "porta-test-package", "--force"))
        assert refused.code != 0, str(refused)


def test_pip_install(runner, workspace):
    with PackageServer() as server:
        runner.run("/usr/bin/python3", "-v", ".", args=("-m", "venv", "env"), timeout_s=120).ok()
        runner.run("./env/bin/pip", "-v", ".", "--allow-net", f"127.0.0.1:{server.port}",
                   args=("install", "--no-cache-dir", "--disable-pip-version-check", "--index-url",
                         f"http://127.0.0.1:{server.port}/simple/", "porta-test-package"),
                   timeout_s=120).ok()
    result = runner.run("./env/bin/python", args=(
        "-c", "import porta_test_package; print(porta_test_package.text())")).ok()
    assert result.out == "from pip\n"


# ---- servers --------------------------------------------------------------

def test_node_server_is_reached_from_outside(runner):
    need("node")
    script = ("const server = require('http').createServer((_, r) => r.end('served')); "
              "server.listen(0, () => console.log(server.address().port))")
    for flags in ([], ["--net", "loopback_only"]):
        process = runner.popen_porta("run", "node", *flags, "--", "-e", script)
        try:
            port = int(process.stdout.readline())
            body = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read()
            assert body == b"served"
        finally:
            process.terminate()
            process.communicate(timeout=10)


def test_redis(runner, workspace):
    need("redis-server", "redis-cli")
    script = textwrap.dedent("""
        redis-server --port 0 --unixsocket $PWD/redis.sock --save '' --daemonize no > log 2>&1 &
        for i in $(seq 100); do redis-cli -s $PWD/redis.sock ping 2>/dev/null | grep -q PONG && break; sleep 0.05; done
        redis-cli -s $PWD/redis.sock set key value
        redis-cli -s $PWD/redis.sock get key
        redis-cli -s $PWD/redis.sock shutdown nosave
        redis-server --port 6390 --save '' > log2 2>&1 &
        for i in $(seq 100); do redis-cli -p 6390 ping 2>/dev/null | grep -q PONG && break; sleep 0.05; done
        redis-cli -p 6390 ping
        redis-cli -p 6390 shutdown nosave
        """)
    result = runner.sh(script, "-v", ".", "--net", "loopback_only").ok()
    assert result.out.splitlines() == ["OK", "value", "PONG"], str(result)


@only_user
def test_postgresql(runner, workspace):
    """Root is refused by PostgreSQL itself."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not found:
        pytest.skip("postgresql is not installed")
    script = textwrap.dedent(f"""
        set -e
        PATH={found[-1]}:$PATH
        initdb -D data -A trust -N > log 2>&1
        postgres -D data -k "$PWD" -c listen_addresses= > log 2>&1 &
        server=$!
        for i in $(seq 200); do psql -h "$PWD" -c 'select 1' postgres >/dev/null 2>&1 && break; sleep 0.05; done
        psql -h "$PWD" -At -c 'create table t as select generate_series(1, 1000) i' postgres
        psql -h "$PWD" -At -c 'set max_parallel_workers_per_gather=2; select sum(i) from t' postgres
        kill $server
        wait $server
        """)
    result = runner.sh(script, "-v", ".", "--net", "loopback_only", timeout_s=120).ok()
    assert result.out.splitlines()[-1] == "500500", str(result)


# ---- tools that look at processes -----------------------------------------

def test_strace(runner):
    need("strace")
    result = runner.run("strace", args=("-f", "-e", "trace=execve", "sh", "-c", "/bin/true; /bin/echo hello")).ok()
    assert "hello" in result.out and 'execve("/bin/echo"' in result.err, str(result)


def test_gdb(runner, workspace):
    need("gdb")
    (workspace / "main.c").write_text("int work(int x) { return x * 2; }\nint main(void) { return work(21) - 42; }\n",
                                      encoding="utf-8")
    runner.identity.own(workspace)
    runner.bare("gcc", "-g", "-O0", "-o", "main", "main.c").ok()
    result = runner.run("gdb", args=("-nx", "-batch", "-ex", "break work", "-ex", "run", "-ex", "bt",
                                     "-ex", "print x", "-ex", "continue", "./main")).ok()
    assert "#1 " in result.out and "$1 = 21" in result.out and "exited normally" in result.out, str(result)


def test_ps_and_top_see_the_sandbox_alone(runner):
    result = runner.run("/usr/bin/python3", args=("-c", "import os; print([p for p in os.listdir('/proc') if p.isdigit()])"))
    assert len(eval(result.ok().out)) <= 3, str(result)


# ---- large programs -------------------------------------------------------

@only_user
def test_chromium(runner, workspace):
    need("chromium")
    (workspace / "page.html").write_text("<p id=x></p><script>document.getElementById('x').textContent = "
                                         "'from ' + 'a script'</script>", encoding="utf-8")
    result = runner.run("chromium", "-v", ".", "--allow-userns", "--net", "loopback_only", "--quiet", args=(
        "--headless", "--disable-gpu", f"--user-data-dir={workspace}/profile", "--dump-dom",
        f"file://{workspace}/page.html"), timeout_s=120)
    assert "from a script" in result.ok().out, str(result)


@only_user
def test_chromium_has_its_own_sandbox_inside(runner, workspace):
    """Not by --no-sandbox: without user namespaces it refuses to start."""
    need("chromium")
    result = runner.run("chromium", "-v", ".", "--net", "loopback_only", args=(
        "--headless", "--disable-gpu", f"--user-data-dir={workspace}/profile", "--dump-dom", "about:blank"),
        timeout_s=120)
    assert result.code != 0, str(result)


def test_java(runner, workspace):
    need("java")
    result = runner.run("java", "-v", ".", args=("-Xmx128m", "-XshowSettings:properties", "-version")).ok()
    assert "java.version" in result.err, str(result)
    if shutil.which("javac") is None:
        return
    (workspace / "Main.java").write_text(textwrap.dedent("""
        import java.net.*;
        import java.nio.file.*;
        public class Main {
            public static void main(String[] args) throws Exception {
                ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                Socket caller = new Socket(server.getInetAddress(), server.getLocalPort());
                server.accept().getOutputStream().write(42);
                System.out.println(caller.getInputStream().read());
                Files.writeString(Path.of("written"), "yes");
                try { Files.writeString(Path.of("/etc/porta-test"), "no"); }
                catch (FileSystemException error) { System.out.println("refused"); }
            }
        }
        """), encoding="utf-8")
    runner.identity.own(workspace)
    result = runner.run("java", "-v", ".", "--net", "loopback_only", args=("Main.java",), timeout_s=120).ok()
    assert result.out.split() == ["42", "refused"], str(result)
    assert (workspace / "written").read_text() == "yes"


def test_python_multiprocessing(runner):
    """POSIX semaphores and shared memory, in a /dev/shm of the sandbox's own."""
    result = runner.python("import multiprocessing as m\n"
                           "def double(x): return x * 2\n"
                           "with m.Pool(2) as pool: print(sum(pool.map(double, range(100))))\n").ok()
    assert result.out == "9900\n"


def test_what_is_written_to_tmp_is_there(runner, workspace):
    name = f"/tmp/porta-test-{workspace.name}"
    runner.sh(f"echo text > {name}").ok()
    try:
        with open(name, encoding="utf-8") as file:
            assert file.read() == "text\n"
    finally:
        os.unlink(name)
