#!/bin/sh
# Builds each fuzzer (clang, with ASan and UBSan) and runs it: `fuzz/run.sh [SECONDS [NAME...]]`, 60 s and all if
# not given. Fails where one finds something.
# What it finds is left beside the build; new inputs go into the build directory, not into the corpus.
set -eu

cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
names=${*:-$(ls fuzz/fuzz_*.c | sed 's,.*/fuzz_,,; s,\.c$,,')}
out=${FUZZ_DIRECTORY:-build-fuzz}
failed=0
mkdir -p "$out"

pure_sources=$(ls src/util/*.c src/policy/*.c src/config/*.c | grep -v -e fortify.c -e heap_malloc.c -e idna_helper.c -e porta_idna.c -e porta_toml.c -e toml_json.c)
for short in $names; do
	name=fuzz_$short
	source=fuzz/$name.c
	# A fuzzer that includes its module's source needs nothing else.
	sources=$pure_sources
	if grep -q '^#include ".*\.c"' "$source"; then
		sources=
	fi
	# Of the server, what decides without acting.
	[ "$short" != mcp ] || sources="$sources src/mcp/frames.c src/mcp/http_guard.c src/mcp/rpc.c"
	libraries="-lidn2 -ljansson"
	# toml++ is C++.
	if [ "$short" = toml ]; then
		sources="$sources src/config/toml_json.c $out/toml_shim.o"
		libraries="$libraries -lstdc++ -fsanitize-link-c++-runtime"
		clang++ -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -std=c++17 \
			-fno-exceptions -fno-rtti -Isrc -c src/config/toml_shim.cpp -o "$out/toml_shim.o"
	fi
	# shellcheck disable=SC2086
	clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -D_GNU_SOURCE -std=gnu11 \
		-Isrc "$source" $sources $libraries -o "$out/$name"
	dictionary=
	[ ! -e "fuzz/$short.dict" ] || dictionary="-dict=fuzz/$short.dict"
	mkdir -p "$out/corpus-$short"
	echo "== $name, $seconds s"
	# shellcheck disable=SC2086
	"$out/$name" -max_total_time="$seconds" -max_len=4096 -artifact_prefix="$out/" -print_final_stats=1 \
		$dictionary "$out/corpus-$short" "fuzz/corpus/$short" >"$out/$name.log" 2>&1 || failed=1
	tail -4 "$out/$name.log"
done
exit $failed
