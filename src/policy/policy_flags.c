/* Parsers of single flags' values; see policy.h. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "policy/policy.h"
#include "util/mem.h"

#define MOUNT_FORM "write HOST[:GUEST][:ro], as in \".\", \"./data:ro\" or \"./data:/data\""

/* 0, or -EINVAL for what no path can be. */
static int
check_path(const char *path, struct error *err)
{
	if (*path == '\0')
		return error_set(err, -EINVAL, "the path is empty");
	if (strlen(path) >= PATH_MAX)
		return error_set(err, -EINVAL, "the path has more than %d bytes", PATH_MAX - 1);
	return 0;
}

/* Splits off a last part "ro" or "rw"; `text` is cut. */
static bool
take_read_only(char *text)
{
	bool read_only = str_ends_with(text, ":ro");

	if (read_only || str_ends_with(text, ":rw"))
		text[strlen(text) - 3] = '\0';
	return read_only;
}

/* Splits off ":/GUEST" from the end; *ret_guest points into `text`, or is NULL. */
static int
take_guest(char *text, char **ret_guest, struct error *err)
{
	char *colon = strrchr(text, ':');

	*ret_guest = NULL;
	if (colon == NULL)
		return 0;
	if (colon[1] != '/')
		return error_set(err, -EINVAL,
				 "\"%s\" is neither \"ro\", \"rw\" nor a path that starts with "
				 "\"/\": " MOUNT_FORM,
				 colon + 1);
	*colon = '\0';
	*ret_guest = colon + 1;
	return 0;
}

int
policy_add_mount(struct policy *policy, const char *text, struct error *err)
{
	_cleanup_free_ char *host = mem_strdup(text);
	bool read_only = take_read_only(host);
	char *guest;
	int r;

	if (policy->mounts_count >= POLICY_MOUNTS_MAX)
		return error_set(err, -E2BIG, "at most %d paths", POLICY_MOUNTS_MAX);
	r = take_guest(host, &guest, err);
	if (r < 0)
		return r;
	if (*host == '\0')
		return error_set(err, -EINVAL, "HOST is empty: " MOUNT_FORM);
	r = check_path(host, err);
	if (r == 0 && guest != NULL)
		r = check_path(guest, err);
	if (r < 0)
		return r;
	MEM_GROW(policy->mounts, policy->mounts_capacity, policy->mounts_count);
	policy->mounts[policy->mounts_count++] = (struct policy_mount){
		.host = mem_strdup(host),
		.guest = guest != NULL ? mem_strdup(guest) : NULL,
		.read_only = read_only,
		.text = mem_strdup(text),
	};
	return 0;
}

int
policy_set_net(struct policy *policy, const char *text, struct error *err)
{
	static const struct {
		const char *word;
		enum net_mode mode;
	} words[] = {
		{ "full", NET_MODE_FULL },
		{ "outbound", NET_MODE_OUTBOUND },
		{ "loopback_only", NET_MODE_LOOPBACK_ONLY },
		{ "loopback-only", NET_MODE_LOOPBACK_ONLY },
		{ "loopback", NET_MODE_LOOPBACK_ONLY },
		{ "blocked", NET_MODE_BLOCKED },
		{ "none", NET_MODE_BLOCKED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!str_equal(text, words[i].word))
			continue;
		if (policy->net_mode_set && policy->net_mode != words[i].mode)
			return error_set(err, -EINVAL,
					 "\"%s\" and \"%s\" exclude each other: "
					 "write one of them",
					 net_mode_name(policy->net_mode),
					 net_mode_name(words[i].mode));
		policy->net_mode = words[i].mode;
		policy->net_mode_set = true;
		return 0;
	}
	return error_set(err, -EINVAL,
			 "\"%s\" is not a network policy: write full, outbound, loopback_only or "
			 "blocked; for rules write --allow-net HOST:PORT",
			 text);
}

int
policy_set_read(struct policy *policy, const char *text, struct error *err)
{
	for (enum read_mode mode = 0; mode < READ_MODE_COUNT; mode++) {
		if (str_equal(text, read_mode_name(mode))) {
			policy->read_mode = mode;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "\"%s\" is not known: write open, home-hidden or listed",
			 text);
}

static int
add_path(struct strv *paths, const char *text, struct error *err)
{
	int r = check_path(text, err);

	if (r < 0)
		return r;
	if (paths->count >= POLICY_PATHS_MAX)
		return error_set(err, -E2BIG, "at most %d paths", POLICY_PATHS_MAX);
	strv_add(paths, text);
	return 0;
}

int
policy_add_deny_read(struct policy *policy, const char *text, struct error *err)
{
	if (str_equal(text, "credentials")) {
		policy->deny_read_credentials = true;
		return 0;
	}
	return add_path(&policy->deny_read, text, err);
}

int
policy_add_allow_unix(struct policy *policy, const char *text, struct error *err)
{
	return add_path(&policy->allow_unix, text, err);
}

/* Moves *text behind the next comma and returns the word before it without its blanks, or NULL at
 * the end. */
static char *
next_word(const char **text)
{
	const char *word = *text;
	size_t n;

	if (word == NULL)
		return NULL;
	n = strcspn(word, ",");
	*text = word[n] == ',' ? word + n + 1 : NULL;
	while (n > 0 && *word == ' ') {
		word++;
		n--;
	}
	while (n > 0 && word[n - 1] == ' ')
		n--;
	return mem_strndup(word, n);
}

int
policy_add_allow_exec(struct policy *policy, const char *text, struct error *err)
{
	struct strv words = STRV_INIT;
	char *word;

	while ((word = next_word(&text)) != NULL) {
		if (*word == '\0' || words.count + policy->allow_exec.count >= POLICY_PATHS_MAX) {
			bool is_empty = *word == '\0';

			free(word);
			strv_done(&words);
			return is_empty ? error_set(err, -EINVAL,
						    "a command's name is empty: write "
						    "\"git,make\"")
					: error_set(err, -E2BIG, "at most %d commands",
						    POLICY_PATHS_MAX);
		}
		strv_take(&words, word);
	}
	for (size_t i = 0; i < words.count; i++)
		strv_add(&policy->allow_exec, words.items[i]);
	strv_done(&words);
	policy->allow_exec_set = true;
	return 0;
}

/* Each of the two flags says it all: together they would say two things. */
static int
check_no_other_flag(const struct policy *policy, const char *flag, struct error *err)
{
	if (policy->capabilities_flag == NULL || str_equal(policy->capabilities_flag, flag))
		return 0;
	return error_set(err, -EINVAL, "--profile and --cap exclude each other: write one of them");
}

int
policy_set_profile(struct policy *policy, const char *text, struct error *err)
{
	static const char flag[] = "--profile";
	int r = check_no_other_flag(policy, flag, err);

	if (r == 0)
		r = capability_profile(text, &policy->capabilities, err);
	if (r == 0)
		policy->capabilities_flag = flag;
	return r;
}

int
policy_set_capabilities(struct policy *policy, const char *text, struct error *err)
{
	static const char flag[] = "--cap";
	int r = check_no_other_flag(policy, flag, err);

	if (r == 0)
		r = capability_parse_list(text, &policy->capabilities, err);
	if (r == 0)
		policy->capabilities_flag = flag;
	return r;
}

int
policy_set_step_limit(struct policy *policy, const char *text, struct error *err)
{
	int r = str_parse_u64(text, 1, UINT64_MAX, &policy->limits.step_limit);

	if (r < 0)
		return error_set(err, r, "not a number of instructions: write it as in 1000000");
	return 0;
}

int
policy_set_max_memory(struct policy *policy, const char *text, struct error *err)
{
	int r = str_parse_u64(text, 1, POLICY_PAGES_MAX, &policy->limits.max_memory_pages);

	if (r < 0)
		return error_set(err, r,
				 "not a number of pages of 64 KiB, of which there are at most %d: "
				 "write it as in 256",
				 POLICY_PAGES_MAX);
	return 0;
}

int
policy_set_max_output(struct policy *policy, const char *text, struct error *err)
{
	int r = str_parse_size(text, &policy->limits.max_output_bytes);

	/* Inside, 0 is no limit. */
	if (r == 0 && policy->limits.max_output_bytes == 0)
		r = -ERANGE;
	if (r < 0)
		return error_set(err, r, "not a size: write it as in 10M");
	return 0;
}

enum limit_unit { LIMIT_UNIT_COUNT, LIMIT_UNIT_BYTES, LIMIT_UNIT_SECONDS, LIMIT_UNIT_CPUS };

static const struct {
	enum limit_unit unit;
	uint64_t min;
	uint64_t max;
	const char *example;
} limits[] = {
	[LIMIT_CPU_SECONDS] = { LIMIT_UNIT_SECONDS, 1, 365 * 86400, "cpu=30s" },
	[LIMIT_FILE_BYTES] = { LIMIT_UNIT_BYTES, 0, INT64_MAX, "fsize=1G" },
	[LIMIT_OPEN_FILES] = { LIMIT_UNIT_COUNT, 3, 1 << 30, "nofile=1024" },
	[LIMIT_PROCESSES] = { LIMIT_UNIT_COUNT, 1, 1 << 22, "nproc=200" },
	[LIMIT_ADDRESS_BYTES] = { LIMIT_UNIT_BYTES, 4096, INT64_MAX, "as=4G" },
	[LIMIT_DATA_BYTES] = { LIMIT_UNIT_BYTES, 4096, INT64_MAX, "data=2G" },
	[LIMIT_STACK_BYTES] = { LIMIT_UNIT_BYTES, 4096, INT64_MAX, "stack=8M" },
	[LIMIT_CORE_BYTES] = { LIMIT_UNIT_BYTES, 0, INT64_MAX, "core=0" },
	[LIMIT_MEMLOCK_BYTES] = { LIMIT_UNIT_BYTES, 0, INT64_MAX, "memlock=64k" },
	[LIMIT_MEMORY_BYTES] = { LIMIT_UNIT_BYTES, 4096, INT64_MAX, "memory=512M" },
	[LIMIT_TASKS] = { LIMIT_UNIT_COUNT, 1, 1 << 22, "pids=100" },
	[LIMIT_CPU_MILLI] = { LIMIT_UNIT_CPUS, 10, 8192000, "cpus=1.5" },
};
static_assert(ARRAY_SIZE(limits) == LIMIT_KIND_COUNT, "a range for each limit");

static int
parse_limit_value(enum limit_unit unit, const char *text, uint64_t *ret_value)
{
	uint64_t milliseconds;
	int r;

	switch (unit) {
	case LIMIT_UNIT_COUNT:
		return str_parse_u64(text, 0, UINT64_MAX, ret_value);
	case LIMIT_UNIT_BYTES:
		return str_parse_size(text, ret_value);
	case LIMIT_UNIT_SECONDS:
		r = str_parse_duration_ms(text, &milliseconds);
		if (r == 0)
			*ret_value = (milliseconds + 999) / 1000;
		return r;
	case LIMIT_UNIT_CPUS:
		/* A bare number of seconds in thousandths is a number in thousandths. */
		if (strspn(text, "0123456789.") != strlen(text))
			return -EINVAL;
		return str_parse_duration_ms(text, ret_value);
	}
	return -EINVAL;
}

int
policy_add_limit(struct policy *policy, const char *text, struct error *err)
{
	const char *value_text = strchr(text, '=');
	_cleanup_free_ char *name =
	    mem_strndup(text, value_text != NULL ? (size_t)(value_text - text) : strlen(text));
	uint64_t value = 0;

	for (enum limit_kind kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
		int r;

		if (!str_equal(name, limit_name(kind)))
			continue;
		if (value_text == NULL)
			return error_set(err, -EINVAL, "\"%s\" has no value: write \"%s\"", name,
					 limits[kind].example);
		r = parse_limit_value(limits[kind].unit, value_text + 1, &value);
		if (r == 0 && (value < limits[kind].min || value > limits[kind].max))
			r = -ERANGE;
		if (r < 0)
			return error_set(err, r, "\"%s\" is %s: write it as in \"%s\"", text,
					 r == -ERANGE ? "out of range" : "not a limit",
					 limits[kind].example);
		policy->limits.value[kind] = value;
		policy->limits.is_set[kind] = true;
		return 0;
	}
	return error_set(err, -EINVAL,
			 "\"%s\" is not a limit: write NAME=VALUE, NAME one of cpu, fsize, nofile, "
			 "nproc, as, data, stack, core, memlock, memory, pids, cpus",
			 name);
}

int
policy_add_degrade(struct policy *policy, const char *text, struct error *err)
{
	bool degrade[GUARANTEE_COUNT];
	char *word;

	memcpy(degrade, policy->degrade, sizeof(degrade));
	while ((word = next_word(&text)) != NULL) {
		_cleanup_free_ char *owned = word;
		bool is_all = str_equal(word, "all");
		bool is_known = is_all;

		for (enum guarantee guarantee = 0; guarantee < GUARANTEE_COUNT; guarantee++) {
			if (!is_all && !str_equal(word, guarantee_name(guarantee)))
				continue;
			degrade[guarantee] = true;
			is_known = true;
		}
		if (!is_known)
			return error_set(err, -EINVAL,
					 "\"%s\" is not a guarantee: write all, or some of writes, "
					 "metadata, hidden, protected, network, unix-sockets, "
					 "processes, tree, devices, exec, limits, with commas",
					 owned);
	}
	memcpy(policy->degrade, degrade, sizeof(degrade));
	return 0;
}
