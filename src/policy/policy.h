/*
 * The policy: what one run may touch, as data. The command line, porta.toml, a
 * project's settings and a manifest all become it; every back end reads it. Nothing
 * in this folder touches the machine: paths and names here are text, as written.
 */
#ifndef PORTA_POLICY_POLICY_H
#define PORTA_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/capability.h"
#include "policy/env.h"
#include "policy/net_rule.h"
#include "util/error.h"
#include "util/strings.h"

#define POLICY_MOUNTS_MAX 1024
#define POLICY_PATHS_MAX 1024
/* All that a 32-bit address reaches. */
#define POLICY_PAGES_MAX 65536

enum net_mode {
	NET_MODE_FULL,
	NET_MODE_OUTBOUND,
	NET_MODE_LOOPBACK_ONLY,
	NET_MODE_BLOCKED,
	NET_MODE_RULES, /* never by name: --allow-net makes it */
	NET_MODE_COUNT,
};

enum read_mode {
	READ_MODE_OPEN,	       /* everything is readable but for what is denied */
	READ_MODE_HOME_HIDDEN, /* the home directory only in its tool-chain directories */
	READ_MODE_LISTED,      /* only -v paths and the system directories */
	READ_MODE_COUNT,
};

/* What a run promises, each of which a machine may be unable to keep; --degrade takes these names. */
enum guarantee {
	GUARANTEE_WRITES,	/* "writes": no change outside the writable mounts */
	GUARANTEE_METADATA,	/* "metadata": nor of mode, owner, times, attributes */
	GUARANTEE_HIDDEN,	/* "hidden": ~/.ssh, ~/.gnupg and denied paths are unreadable */
	GUARANTEE_PROTECTED,	/* "protected": names that make other programs run code */
	GUARANTEE_NETWORK,	/* "network": the network policy */
	GUARANTEE_UNIX_SOCKETS, /* "unix-sockets": sockets of the host are unreachable */
	GUARANTEE_PROCESSES,	/* "processes": signals, ptrace, /proc and IPC end at the sandbox */
	GUARANTEE_TREE,		/* "tree": the whole process tree ends with porta */
	GUARANTEE_DEVICES,	/* "devices": only the harmless devices */
	GUARANTEE_EXEC,		/* "exec": --allow-exec */
	GUARANTEE_LIMITS,	/* "limits": memory, pids and CPU by cgroup */
	GUARANTEE_COUNT,
};

/*
 * -v HOST[:GUEST][:ro|:rw]. A last part "ro" or "rw" is the option; GUEST starts with "/", and is
 * looked for from the end, so that no part but HOST can hold a colon, and HOST only before a slash.
 */
struct policy_mount {
	char *host;  /* as written; may be relative, may start with "~/" */
	char *guest; /* NULL: as HOST */
	char *written; /* HOST as porta.toml has it, where that is relative to its directory and `host` is not; else NULL */
	bool read_only;
	char *text; /* the whole argument, for messages */
};

enum limit_kind {
	LIMIT_CPU_SECONDS,   /* rlimits: "cpu", setrlimit(2) */
	LIMIT_FILE_BYTES,    /* "fsize" */
	LIMIT_OPEN_FILES,    /* "nofile" */
	LIMIT_PROCESSES,     /* "nproc" */
	LIMIT_ADDRESS_BYTES, /* "as" */
	LIMIT_DATA_BYTES,    /* "data" */
	LIMIT_STACK_BYTES,   /* "stack" */
	LIMIT_CORE_BYTES,    /* "core" */
	LIMIT_MEMLOCK_BYTES, /* "memlock" */
	LIMIT_MEMORY_BYTES,  /* cgroup v2: "memory" (memory.max, memory.swap.max 0) */
	LIMIT_TASKS,	     /* "pids" (pids.max) */
	LIMIT_CPU_MILLI,     /* "cpus" (cpu.max), in thousandths of a CPU */
	LIMIT_KIND_COUNT,
};

struct policy_limits {
	bool is_set[LIMIT_KIND_COUNT];
	uint64_t value[LIMIT_KIND_COUNT];
	uint64_t timeout_ms;	   /* 0: none */
	uint64_t step_limit;	   /* WASM fuel; 0: none */
	uint64_t max_memory_pages; /* WASM, 64 KiB each; 0: none */
	uint64_t max_output_bytes; /* of an agent, stdout and stderr together; 0: none */
};

struct policy {
	struct policy_mount *mounts;
	size_t mounts_count;
	size_t mounts_capacity;
	enum read_mode read_mode;
	struct strv deny_read; /* paths as written */
	bool deny_read_credentials;
	bool allow_protected_all;
	struct strv allow_protected; /* names as in `protected names`, e.g. ".git/config" */

	enum net_mode net_mode;
	bool net_mode_set; /* by --net */
	struct net_rules allow_net;
	struct net_rules deny_net;
	struct net_rules allow_bind;
	bool allow_private;
	struct strv allow_unix; /* paths as written */

	bool allow_userns;
	bool allow_exec_set;
	struct strv allow_exec; /* words, as written */
	struct env_request env;
	/* What a WASM agent is granted, and the flag that said so; NULL: none did. */
	capability_set capabilities;
	const char *capabilities_flag;
	struct policy_limits limits;
	bool degrade[GUARANTEE_COUNT];
	/* The porta.toml that said some of this, absolute, or NULL: protected wherever a mount would make it writable. */
	char *project_file;
};

void policy_init(struct policy *policy);
void policy_done(struct policy *policy);

/*
 * Parsers of one flag's value each; all return 0 or -EINVAL/-ERANGE/-E2BIG with a
 * sentence that says what is wrong and shows the right form. The caller names the flag.
 */
int policy_add_mount(struct policy *policy, const char *text, struct error *err);
/* "full", "outbound", "loopback_only" ("loopback", "loopback-only"), "blocked" ("none"). */
int policy_set_net(struct policy *policy, const char *text, struct error *err);
/* A path of a socket, or a directory of them; not empty. */
int policy_add_allow_unix(struct policy *policy, const char *text, struct error *err);
int policy_set_read(struct policy *policy, const char *text, struct error *err);
/* A path, or the word "credentials". */
int policy_add_deny_read(struct policy *policy, const char *text, struct error *err);
/* NULL: every name. A name must be one of policy_protected_names, or below one. */
int policy_add_allow_protected(struct policy *policy, const char *name, struct error *err);
/* "a,b": words of at least one character, no empty ones. */
int policy_add_allow_exec(struct policy *policy, const char *text, struct error *err);
/* "ai-agent", "worker", "full"; and "io,fs": one of the two, or neither. */
int policy_set_profile(struct policy *policy, const char *text, struct error *err);
int policy_set_capabilities(struct policy *policy, const char *text, struct error *err);
/* A number of WASM instructions; of pages of 64 KiB, at most POLICY_PAGES_MAX. 0: no limit. */
int policy_set_step_limit(struct policy *policy, const char *text, struct error *err);
int policy_set_max_memory(struct policy *policy, const char *text, struct error *err);
/* A size as str_parse_size. 0: no limit. */
int policy_set_max_output(struct policy *policy, const char *text, struct error *err);
/* "NAME=VALUE", NAME as in enum limit_kind; sizes as str_parse_size, cpus with decimals. */
int policy_add_limit(struct policy *policy, const char *text, struct error *err);
/* "NAME[,NAME...]" or "all". */
int policy_add_degrade(struct policy *policy, const char *text, struct error *err);
/*
 * Checks what concerns several flags at once, after all of them: --allow-net together
 * with --net blocked, and the like. Sets net_mode to NET_MODE_RULES where allow_net has rules.
 */
int policy_finish(struct policy *policy, struct error *err);
/*
 * What a native run cannot keep, after policy_finish: a mount whose GUEST differs from HOST,
 * capabilities, limits that count WASM instructions and pages. -EINVAL with the flag and what to write.
 */
int policy_check_native(const struct policy *policy, struct error *err);

const char *net_mode_name(enum net_mode mode);
const char *read_mode_name(enum read_mode mode);
const char *guarantee_name(enum guarantee guarantee);
/* One sentence on what it means to a person. */
const char *guarantee_description(enum guarantee guarantee);
const char *limit_name(enum limit_kind kind);

/*
 * The names that are protected at the top of a writable mount; ends with NULL. "*" stands for one component.
 * Those below ".git/" and their like elsewhere are found by sandbox/protect.h; ".ssh" and
 * ".gnupg" are protected in the home directory alone, where they do not exist (else they are hidden).
 */
extern const char *const policy_protected_names[];
/* Credential stores relative to the home directory, for --deny-read credentials; ends with NULL. */
extern const char *const policy_credential_paths[];
/* Tool-chain directories relative to the home directory, kept readable by --read home-hidden; ends with NULL. */
extern const char *const policy_toolchain_paths[];
/* Whether --allow-protected lifts the protection of `name` (a protected name, or a path below one). */
bool policy_allows_protected(const struct policy *policy, const char *name);
/* Whether the network is closed: something may be refused that `full` and `outbound` would let pass. */
bool policy_network_is_closed(const struct policy *policy);
/* Whether listening is limited, so that bind must be judged. */
bool policy_listening_is_limited(const struct policy *policy);

/* The policy in a person's words, one line a fact, as `porta explain` prints it; secrets are never shown. */
void policy_explain(const struct policy *policy, struct strbuf *out);
/* The same as one JSON object (no newline at the end). */
void policy_explain_json(const struct policy *policy, struct strbuf *out);

#endif
