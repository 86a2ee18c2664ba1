#!/bin/sh
# `make demo`: a real command doing real work in a sandbox. What is allowed works; what is refused
# is shown refused. Everything it makes is below one temporary directory; its two little web
# servers listen on loopback. Exits 1 if anything did not go as it says.
set -eu

porta=$(realpath "$1")
top=$(mktemp -d /var/tmp/porta-demo.XXXXXX)
servers=
failures=0

finish() {
	for server in $servers; do
		kill "$server" 2>/dev/null || true
	done
	rm -rf "$top"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# A home with a key that nobody may read, a project, and a file beside it that is none of its business.
export HOME="$top/home"
mkdir -p "$HOME/.ssh" "$top/project" "$top/web"
echo "PRIVATE KEY" >"$HOME/.ssh/id_ed25519"
echo "do not touch" >"$top/notes.txt"
cd "$top/project"
cat >hello.c <<'END'
#include <stdio.h>
int main(void) { puts("hello from a program that was built in the sandbox"); return 0; }
END
printf 'hello: hello.c\n\tgcc -O2 -o hello hello.c\n' >Makefile
git -c init.defaultBranch=main init -q .
git -c user.name=Demo -c user.email=demo@example.com add . >/dev/null
git -c user.name=Demo -c user.email=demo@example.com commit -q -m start

echo "hello from the web server" >"$top/web/index.html"
cat >fetch.py <<'END'
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode().strip())
except OSError as error:
    sys.exit(f"fetch.py: {error}")
END
serve() { # serve PORT-FILE
	python3 - "$top/web" "$1" >/dev/null 2>&1 <<'END' &
import functools, http.server, os, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
with open(sys.argv[2] + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
END
	servers="$servers $!"
	tries=0
	until [ -s "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || { echo "the demo's web server did not start" >&2; exit 1; }
		sleep 0.1
	done
}
serve "$top/port-allowed"
serve "$top/port-other"
allowed=$(cat "$top/port-allowed")
other=$(cat "$top/port-other")

show() { # show allowed|refused SENTENCE COMMAND...
	expected=$1
	printf '\n%s\n' "$2"
	shift 2
	printf '  $ porta'
	shift # the program's path
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:=@%+,-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	echo
	code=0
	"$porta" "$@" </dev/null >"$top/output" 2>&1 || code=$?
	sed 's/^/    /' "$top/output"
	if { [ "$expected" = allowed ] && [ $code -eq 0 ]; } ||
		{ [ "$expected" = refused ] && [ $code -ne 0 ] && [ $code -ne 125 ]; }; then
		echo "  -> $expected, as it should be (exit $code)"
	else
		echo "  -> NOT $expected (exit $code)"
		failures=$((failures + 1))
	fi
}
check() { # check SENTENCE COMMAND...
	sentence=$1
	shift
	if "$@"; then
		echo "  -> $sentence"
	else
		echo "  -> NOT TRUE: $sentence"
		failures=$((failures + 1))
	fi
}
show allowed "A build, with the project's directory writable:" \
	porta run make -v .
show allowed "What it built runs:" \
	porta run ./hello
show allowed "git works, too:" \
	porta run git -v . -- -c user.name=Demo -c user.email=demo@example.com commit --allow-empty -q -m "made inside"
show refused "Writing anywhere else does not:" \
	porta run sh -v . -- -c 'echo changed > ../notes.txt'
check "the file is as it was" [ "$(cat "$top/notes.txt")" = "do not touch" ]
show refused "Keys cannot be read, wherever they are:" \
	porta run cat -- "$HOME/.ssh/id_ed25519"
show refused "A hook that git would run outside cannot be planted:" \
	porta run sh -v . -- -c 'echo "touch /tmp/owned" > .git/hooks/post-commit'
check "there is no such hook" [ ! -e .git/hooks/post-commit ]
show allowed "With one address and port allowed, that server answers:" \
	porta run python3 --allow-net "127.0.0.1:$allowed" -- fetch.py "http://127.0.0.1:$allowed/"
show refused "and no other, though nothing tells the program of a proxy:" \
	porta run python3 --allow-net "127.0.0.1:$allowed" -- fetch.py "http://127.0.0.1:$other/"
show refused "Processes outside are out of reach:" \
	porta run sh -- -c "kill -0 $$"

echo
if [ $failures -ne 0 ]; then
	echo "demo: $failures of these did not go as they should"
	exit 1
fi
echo "demo: everything went as it should. Next: porta run --help, porta explain, porta doctor"
