#!/bin/sh
# Installs what building or testing porta needs and this machine lacks, by apt.
# Usage: install-deps.sh build|test|ci|fuzz|bench...
# A package is asked for only if what it is wanted for is not there yet, so that a tool
# from elsewhere (Node, Go) is taken as it is. Services that come with a package are not started.
set -eu

# WHAT:PACKAGE. WHAT is a command, or, with a slash, a file that must exist (shell pattern);
# with a bar, either of two.
build_needs='
gcc:gcc
g++:g++
/usr/include/toml++/toml.h:libtomlplusplus-dev
/usr/include/stdio.h:libc6-dev
/usr/include/linux/seccomp.h:linux-libc-dev
meson:meson
ninja:ninja-build
musl-gcc:musl-tools
pkg-config:pkg-config
/usr/bin/python3:python3
musl-gcc:musl-tools
/usr/include/idn2.h:libidn2-dev
/usr/include/jansson.h:libjansson-dev
/usr/lib/*/libjansson.a:libjansson-dev
/usr/lib/*/libidn2.a:libidn2-dev
/usr/lib/*/libunistring.a:libunistring-dev
/usr/include/seccomp.h:libseccomp-dev
/usr/include/*/curl/curl.h|/usr/include/curl/curl.h:libcurl4-openssl-dev
/usr/include/event2/event.h:libevent-dev
/usr/include/cmocka.h:libcmocka-dev
'
test_needs='
/usr/lib/python3/dist-packages/pytest/__init__.py:python3-pytest
/usr/lib/python3/dist-packages/jsonschema/__init__.py:python3-jsonschema
/usr/lib/python3*/venv/__init__.py:python3-venv
/usr/share/python-wheels/pip-*.whl:python3-venv
git:git
ip:iproute2
openssl:openssl
curl:curl
strace:strace
gdb:gdb
script:bsdutils
setpriv:util-linux
useradd:passwd
ssh:openssh-client
/usr/sbin/sshd:openssh-server
node:nodejs
npm:npm
java:default-jre-headless
go|/usr/local/go/bin/go:golang-go
clang:clang
wasm-ld:lld
/usr/lib/wasm32-wasi/libc.a:wasi-libc
/usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a:libclang-rt-dev-wasm32
zsh:zsh
fish:fish
less:less
vim:vim
/usr/lib/postgresql/*/bin/initdb:postgresql
redis-server:redis-server
chromium:chromium
/usr/share/zoneinfo/UTC:tzdata
setfattr:attr
/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a:libclang-rt-dev
'
ci_needs='
clang:clang
/usr/lib/gcc/*/*/libasan.so:libgcc-12-dev
'
fuzz_needs='
clang:clang
/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a:libclang-rt-dev
'
bench_needs='
/usr/bin/python3:python3
/usr/lib/python3*/venv/__init__.py:python3-venv
npm:npm
ab:apache2-utils
bwrap:bubblewrap
git:git
clang:clang
wasm-ld:lld
/usr/lib/wasm32-wasi/libc.a:wasi-libc
/usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a:libclang-rt-dev-wasm32
'

is_there() {
	case $1 in
	*"|"*) is_there "${1%%|*}" || is_there "${1#*|}" ;;
	# The pattern is meant to expand.
	# shellcheck disable=SC2086
	/*) set -- $1 && [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1; then
	as_root=sudo
else
	as_root=false
fi

apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q \
		-o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Old lists name files that the mirror no longer has. One broken source of several is no
# reason to stop: whether the packages can be had shows at once. Another apt may hold the lists.
updated=
update() {
	[ -z "$updated" ] || return 0
	updated=yes
	tries=0
	until apt update >/dev/null; do
		tries=$((tries + 1))
		if [ $tries -ge 3 ]; then
			echo "install-deps.sh: apt-get update failed; trying with the lists that are there" >&2
			break
		fi
		sleep 5
	done
}

can_be_installed() {
	command -v apt-cache >/dev/null 2>&1 || return 1
	# A machine that was just made may have no lists yet.
	if ! (set +f && ls /var/lib/apt/lists/*_Packages*) >/dev/null 2>&1 && [ "$as_root" != false ]; then
		update
	fi
	apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

# The WASM engine is built by cargo, and its headers by cmake; a distribution that has rustup has what gets a cargo
# that is new enough.
if sh "$(dirname "$0")/../rust/build.sh" find-cargo >/dev/null 2>&1; then
	build_needs="$build_needs cmake:cmake"
elif can_be_installed rustup; then
	build_needs="$build_needs rustup:rustup cmake:cmake"
fi

missing=
for group in "$@"; do
	case $group in
	build) needs=$build_needs ;;
	test) needs=$test_needs ;;
	ci) needs=$ci_needs ;;
	fuzz) needs=$fuzz_needs ;;
	bench) needs=$bench_needs ;;
	*)
		echo "install-deps.sh: '$group' is none of build, test, ci, fuzz, bench" >&2
		exit 2
		;;
	esac
	for need in $needs; do
		package=${need##*:}
		case " $missing " in *" $package "*) continue ;; esac
		(set +f && is_there "${need%:*}") || missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0
missing=${missing# }

if ! command -v apt-get >/dev/null 2>&1; then
	echo "This machine lacks what these Debian packages hold, and has no apt to install them:" >&2
	echo "    $missing" >&2
	exit 1
fi
if [ "$as_root" = false ]; then
	echo "Missing packages, and neither root nor sudo to install them. As root, run:" >&2
	echo "    apt-get update && apt-get install -y --no-install-recommends $missing" >&2
	exit 1
fi

echo "Installing by apt: $missing"

# A program that a package starts on its own (a database server) is none of our business.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
	trap '$as_root rm -f $policy' EXIT
	trap 'exit 1' HUP INT TERM
fi

update
log=$(mktemp)
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $missing >"$log" 2>&1; then
	cat "$log" >&2
	rm -f "$log"
	echo "install-deps.sh: apt could not install: $missing" >&2
	exit 1
fi
rm -f "$log"
