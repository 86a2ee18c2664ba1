# The two commands of the README, and a few more; Meson does the work.
#
#   make          builds into build/
#   make demo     installs what the build needs (by apt), builds, shows a sandbox at work
#   make check    installs what the tests need, builds, runs every test
#   make bench    measures beside bubblewrap; prints medians and ratios
#   make fuzz     runs each fuzzer for FUZZ_SECONDS
#   make install  into $(DESTDIR)$(prefix)
#   make clean

BUILD ?= build
prefix ?= /usr/local
FUZZ_SECONDS ?= 60

# The distribution's tools, whatever else is earlier in the caller's PATH.
export PATH := /usr/sbin:/usr/bin:/sbin:/bin:$(PATH)
PYTHON := /usr/bin/python3

.PHONY: all deps demo check bench fuzz install clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)
	@# What `sudo make` built stays the caller's own.
	@if [ -n "$$SUDO_UID" ] && [ "$$(id -u)" = 0 ]; then chown -R "$$SUDO_UID:$$SUDO_GID" $(BUILD); fi

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) --prefix $(prefix) $(MESON_OPTIONS)

deps:
	@packaging/install-deps.sh build

demo: all
	@tests/demo.sh $(BUILD)/porta

check: check-deps all
	@$(PYTHON) tests/run_all.py --build $(BUILD)

.PHONY: check-deps
check-deps:
	@packaging/install-deps.sh build test

bench: all
	@packaging/install-deps.sh bench
	@$(PYTHON) bench/run.py --porta $(BUILD)/porta

fuzz: all
	@packaging/install-deps.sh fuzz test
	@sh fuzz/run.sh $(FUZZ_SECONDS)
	@$(PYTHON) fuzz/modules.py $(BUILD)/porta $(FUZZ_SECONDS) build-fuzz/modules
	@$(PYTHON) fuzz/serve.py $(BUILD)/porta $(FUZZ_SECONDS)

install: all
	@meson configure $(BUILD) -Dprefix=$(prefix)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD)

clean:
	rm -rf $(BUILD)
