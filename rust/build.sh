#!/bin/sh
# Builds the Rust crates as static libraries, into a cache outside the clone: it takes minutes.
# Usage: build.sh find-cargo | build.sh DIRECTORY [ARCHIVE]
#
# find-cargo prints the cargo that is new enough, or says on stderr how to get one and fails.
# Else DIRECTORY gets what was built for this lock file, these sources and this compiler: include/,
# libporta_wasm.a, libporta_unwind.a, libporta_digest.a, and the headers porta_*.h. With ARCHIVE, an unpacked
# release of Wasmtime's C API (include/, lib/libwasmtime.a), Wasmtime itself is not built: libporta_wasm.a is
# the parser of modules alone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=$(uname -m)-unknown-linux-musl
least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/Cargo.toml")

is_new_enough() {
	version=$("$1" --version 2>/dev/null) || return 1
	version=${version#cargo }
	[ "$(printf '%s\n%s\n' "$least" "${version%% *}" | sort -V | head -n 1)" = "$least" ]
}

# The caller's own tool chain also under sudo.
homes() {
	echo "${CARGO_HOME:-$HOME/.cargo}/bin"
	[ -z "${SUDO_USER:-}" ] || echo "$(getent passwd "$SUDO_USER" | cut -d: -f6)/.cargo/bin"
}

candidates() {
	echo "$PATH" | tr : '\n' | sed 's,$,/cargo,'
	homes | sed 's,$,/cargo,'
	ls -d /usr/lib/rust-*/bin/cargo 2>/dev/null || true
}

find_cargo() {
	candidates | while read -r cargo; do
		if [ -x "$cargo" ] && is_new_enough "$cargo"; then
			echo "$cargo"
			break
		fi
	done
}

# With rustup there is a newer one to be had.
cargo_by_rustup() {
	for rustup in "$(command -v rustup || true)" $(homes | sed 's,$,/rustup,'); do
		[ -x "$rustup" ] || continue
		cargo=$("$rustup" which --toolchain stable cargo 2>/dev/null || true)
		if [ -z "$cargo" ] || ! is_new_enough "$cargo"; then
			"$rustup" toolchain install stable --profile minimal >&2 || continue
			cargo=$("$rustup" which --toolchain stable cargo)
		fi
		if is_new_enough "$cargo"; then
			echo "$cargo"
			return
		fi
	done
}

cargo=$(find_cargo)
[ -n "$cargo" ] || cargo=$(cargo_by_rustup)
if [ -z "$cargo" ]; then
	echo "WASM agents need cargo $least or newer, which this machine lacks: get it with rustup (the package 'rustup' of newer distributions), and run make again." >&2
	exit 1
fi
if [ "${1:?}" = find-cargo ]; then
	echo "$cargo"
	exit 0
fi
product=$1
archive=${2:-}
if [ -n "$archive" ]; then
	major=$(sed -n 's/^wasmtime-c-api-impl = { version = "\([0-9]*\)".*/\1/p' "$here/engine/Cargo.toml")
	if [ ! -e "$archive/lib/libwasmtime.a" ] || ! grep -q "WASMTIME_VERSION \"$major\." "$archive/include/wasmtime.h" 2>/dev/null; then
		echo "$archive is no release of Wasmtime $major's C API: there is no lib/libwasmtime.a, or no include/wasmtime.h of that version" >&2
		exit 1
	fi
	archive=$(cd "$archive" && pwd)
fi
mkdir -p "$product"
product=$(cd "$product" && pwd)

# A tool chain by rustup needs the standard library for musl too; one of a distribution brings it as a package.
rustc=$(dirname "$cargo")/rustc
has_target() {
	[ -d "$("$rustc" --print sysroot)/lib/rustlib/$target/lib" ]
}
for rustup in "$(dirname "$cargo")/rustup" "$(command -v rustup || true)"; do
	if ! has_target && [ -x "$rustup" ]; then
		"$rustup" target add --toolchain "$(basename "$("$rustc" --print sysroot)")" "$target" >&2
	fi
done
if ! has_target; then
	echo "Rust's standard library for $target is missing: 'rustup target add $target', or your distribution's package of it" >&2
	exit 1
fi

key=$({
	"$rustc" --version --verbose
	cd "$here"
	find . -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.h' \) |
		LC_ALL=C sort | xargs sha256sum
	[ -z "$archive" ] || sha256sum <"$archive/lib/libwasmtime.a"
} | sha256sum | cut -c1-32)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/porta-build
built=$cache/rust-$key
mkdir -p "$cache"

# Two builds at once make it once.
exec 9>"$built.lock"
flock 9
if [ ! -d "$built" ]; then
	[ -n "$archive" ] || echo "building the WASM engine (once, about four minutes)" >&2
	work=$(mktemp -d "$cache/rust-XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	export CARGO_TARGET_DIR="$work/target"
	# Of the machine's own settings none may change what is built.
	unset RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
	export RUSTC="$rustc"
	crate=porta-wasm-engine
	library=libporta_wasm.a
	if [ -n "$archive" ]; then
		crate=porta-wasm-facts
		library=libporta_wasm_facts.a
	fi
	"$cargo" build --manifest-path "$here/Cargo.toml" --locked --release --target "$target" \
		-p $crate -p porta-digest >&2
	# What porta-server takes is for the machine's own C library.
	host=$("$rustc" --version --verbose | sed -n 's/^host: //p')
	"$cargo" build --manifest-path "$here/Cargo.toml" --locked --profile server --target "$host" -p porta-server >&2
	release=$CARGO_TARGET_DIR/$target/release
	mkdir "$work/product"
	cp "$release/$library" "$work/product/libporta_wasm.a"
	cp "$release/libporta_digest.a" "$work/product/"
	cp "$CARGO_TARGET_DIR/$host/server/libporta_server.a" "$work/product/"
	# Its stub for unwinding gives way to the standard library's where a program has both.
	objcopy --weaken-symbol=rust_eh_personality "$work/product/libporta_digest.a"
	cp "$("$rustc" --print sysroot)/lib/rustlib/$target/lib/self-contained/libunwind.a" \
		"$work/product/libporta_unwind.a"
	if [ -n "$archive" ]; then
		cp -r "$archive/include" "$work/product/include"
	else
		cp -r "$release"/build/wasmtime-c-api-impl-*/out/include "$work/product/include"
	fi
	cp "$here"/include/*.h "$work/product/include/"
	printf '/* What the Rust crates are built from. */\n#define PORTA_ENGINE_ID "%s"\n' "$key" \
		>"$work/product/include/porta_engine_id.h"
	# Older products: of other lock files, that nothing has used for a month.
	find "$cache" -maxdepth 1 -name 'rust-*' -type d -mtime +30 -exec rm -rf {} + || true
	mv "$work/product" "$built"
fi
touch "$built"

# Newer than their sources, as the build wants to see them.
rm -rf "$product/include"
cp -r "$built/include" "$product/include"
for file in "$built"/*.a "$built"/include/porta_*.h; do
	name=$(basename "$file")
	ln -f "$file" "$product/$name" 2>/dev/null || cp -f "$file" "$product/$name"
	touch "$product/$name"
done
