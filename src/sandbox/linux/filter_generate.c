/*
 * Writes the seccomp tables at build time: `filter_generate MACHINE > filter_tables.h`.
 *
 * A table first settles the machine, then the hot calls, then looks the number up by binary search
 * over ranges of numbers with the same answer, and last comes to an answer or to the tests of a
 * call. That matters twice. At installation the kernel translates the table and walks it once for
 * every number, to learn which calls are always allowed (those never run it afterwards): few
 * instructions and short ways make each start of a sandbox cheaper. And each call whose arguments
 * matter runs it.
 *
 * BPF jumps only forward, so a table is made from its end: where a jump leads is there before
 * the jump, and one return serves all that can reach it.
 */
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/linux/filter_rules.h"
#include "sandbox/plan.h"
#include "util/macros.h"

#define CALLS_MAX  512 /* numbers; more than any kernel has, and x32's begin far above */
#define NAME_BYTES 64
#define CHAIN_MAX  16  /* rules for one call in one table */
#define JUMP_MAX   250 /* what a conditional jump reaches, less what it may have to put between */
#define TIERS	   SANDBOX_TIER_PORTS

/* In reverse: code[0] is the last instruction. A position is an index in it. */
struct program {
	size_t length;
	struct sock_filter code[BPF_MAXINSNS];
};

/* One bit of each of the three. */
struct choice {
	unsigned int tier;
	unsigned int network;
	unsigned int userns;
};

/* The rules that stand for a call, up to the one without tests. */
struct chain {
	size_t count;
	const struct filter_rule *rules[CHAIN_MAX];
};

/* Call numbers from `first` to the next range's. */
struct range {
	unsigned int first;
	struct chain chain;
	size_t position; /* of its code, once `is_placed` */
	bool is_placed;
};

struct ranges {
	size_t count;
	struct range item[CALLS_MAX + 1];
};

/*
 * Where a test begins: `fresh` loads the argument, `unmasked` has it whole in the accumulator,
 * `ready` under the mask. All the same for a return.
 */
struct entry {
	const struct filter_test *test; /* NULL: a return */
	size_t fresh;
	size_t unmasked;
	size_t ready;
};

static const struct machine {
	const char *name; /* as meson's host_machine.cpu_family() */
	uint32_t audit;
	uint32_t libseccomp;
} machines[] = {
	{ "x86_64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64 },
	{ "aarch64", AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64 },
};

static const struct machine *machine;
static bool rule_names[ARRAY_SIZE(filter_rules)][CALLS_MAX];

_noreturn_ _printf_(1, 2) static void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("filter_generate: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* -1 where this machine has no such call; a name that nobody knows is a mistake in the rules. */
static int
call_number(const char *name)
{
	int number = __NR_SCMP_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(filter_new_calls); i++)
		if (strcmp(name, filter_new_calls[i].name) == 0)
			number = filter_new_calls[i].number;
	if (number == __NR_SCMP_ERROR)
		number = seccomp_syscall_resolve_name_arch(machine->libseccomp, name);
	if (number == __NR_SCMP_ERROR)
		fail("%s is no system call", name);
	if (number >= CALLS_MAX)
		fail("%s has number %d, which is beyond CALLS_MAX", name, number);
	return number < 0 ? -1 : number;
}

static void
resolve_rules(void)
{
	for (size_t rule = 0; rule < ARRAY_SIZE(filter_rules); rule++) {
		const char *p = filter_rules[rule].calls;

		while (*p != '\0') {
			char name[NAME_BYTES];
			size_t length = strcspn(p, " ");
			int number;

			if (length == 0 || length >= sizeof(name))
				fail("a malformed name at \"%s\"", p);
			memcpy(name, p, length);
			name[length] = '\0';
			number = call_number(name);
			if (number >= 0)
				rule_names[rule][number] = true;
			p += length;
			p += strspn(p, " ");
		}
	}
}

static size_t
put(struct program *program, unsigned int code, uint32_t k, size_t jump_true, size_t jump_false)
{
	if (program->length == BPF_MAXINSNS || jump_true > UINT8_MAX || jump_false > UINT8_MAX)
		fail("a table, or a jump in it, is too long");
	program->code[program->length] = (struct sock_filter){
		.code = (uint16_t)code,
		.k = k,
		.jt = (uint8_t)jump_true,
		.jf = (uint8_t)jump_false,
	};
	return program->length++;
}

/* A return in reach if there is one, else a new one. */
static size_t
put_return(struct program *program, uint32_t action)
{
	size_t first = program->length > JUMP_MAX ? program->length - JUMP_MAX : 0;

	for (size_t i = program->length; i > first; i--)
		if (program->code[i - 1].code == (BPF_RET | BPF_K) &&
		    program->code[i - 1].k == action)
			return i - 1;
	return put(program, BPF_RET | BPF_K, action, 0, 0);
}

/* A position in reach that does what the one at `target` does. */
static size_t
put_bridge(struct program *program, size_t target)
{
	if (program->length - target <= JUMP_MAX)
		return target;
	if (program->code[target].code == (BPF_RET | BPF_K))
		return put_return(program, program->code[target].k);
	return put(program, BPF_JMP | BPF_JA, (uint32_t)(program->length - target - 1), 0, 0);
}

static size_t
put_jump(struct program *program, unsigned int condition, uint32_t k, size_t if_true,
	 size_t if_false)
{
	if_true = put_bridge(program, if_true);
	if_false = put_bridge(program, if_false);
	return put(program, BPF_JMP | BPF_K | condition, k, program->length - if_true - 1,
		   program->length - if_false - 1);
}

static bool
test_is_empty(const struct filter_test *test)
{
	return test->bits == 0 && test->values_count == 0;
}

static uint32_t
test_mask(const struct filter_test *test)
{
	return test->bits != 0 ? UINT32_MAX : test->mask;
}

/* Where to enter when `loaded` was tested just before; NULL: nothing was. */
static size_t
entry_after(const struct entry *entry, const struct filter_test *loaded)
{
	if (entry->test == NULL || loaded == NULL || loaded->argument != entry->test->argument)
		return entry->fresh;
	if (test_mask(loaded) == test_mask(entry->test))
		return entry->ready;
	return test_mask(loaded) == UINT32_MAX ? entry->unmasked : entry->fresh;
}

static struct entry
put_test(struct program *program, const struct filter_test *test, const struct entry *if_true,
	 const struct entry *if_false)
{
	/* Both machines are little-endian: the low half comes first. */
	uint32_t offset = offsetof(struct seccomp_data, args) + 8 * test->argument;
	size_t yes = entry_after(if_true, test);
	size_t no = entry_after(if_false, test);
	struct entry entry = { .test = test };

	if (test->bits != 0)
		entry.ready = put_jump(program, BPF_JSET, test->bits, yes, no);
	for (unsigned int i = test->values_count; i > 0; i--) {
		entry.ready = put_jump(program, BPF_JEQ, test->values[i - 1], yes, no);
		no = entry.ready;
	}
	entry.unmasked = entry.ready;
	if (test_mask(test) != UINT32_MAX)
		entry.unmasked = put(program, BPF_ALU | BPF_AND | BPF_K, test->mask, 0, 0);
	entry.fresh = put(program, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
	return entry;
}

/* The rule's tests, each of which leads to `otherwise` where it fails. */
static struct entry
put_rule(struct program *program, const struct filter_rule *rule, const struct entry *otherwise)
{
	size_t position = put_return(program, rule->action);
	struct entry entry = { .fresh = position, .unmasked = position, .ready = position };
	size_t count = 0;

	while (count < FILTER_TESTS_MAX && !test_is_empty(&rule->tests[count]))
		count++;
	for (; count > 0; count--)
		entry = put_test(program, &rule->tests[count - 1], &entry, otherwise);
	return entry;
}

static size_t
put_chain(struct program *program, const struct chain *chain)
{
	struct entry entry = { .test = NULL };

	for (size_t i = chain->count; i > 0; i--)
		entry = put_rule(program, chain->rules[i - 1], &entry);
	return entry.fresh;
}

static bool
rule_stands(const struct filter_rule *rule, const struct choice *choice)
{
	return (rule->tiers == 0 || (rule->tiers & choice->tier) != 0) &&
	       (rule->networks == 0 || (rule->networks & choice->network) != 0) &&
	       (rule->userns == 0 || (rule->userns & choice->userns) != 0);
}

static void
chain_find(struct chain *ret_chain, const struct choice *choice, unsigned int number)
{
	static const struct filter_rule absent = { .action = REFUSE(ENOSYS) };

	ret_chain->count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(filter_rules); i++) {
		const struct filter_rule *rule = &filter_rules[i];

		if (!rule_names[i][number] || !rule_stands(rule, choice))
			continue;
		if (ret_chain->count == CHAIN_MAX)
			fail("there are more than CHAIN_MAX rules for call %u", number);
		ret_chain->rules[ret_chain->count++] = rule;
		if (test_is_empty(&rule->tests[0]))
			return;
	}
	if (ret_chain->count > 0)
		fail("no rule without tests ends those for call %u", number);
	ret_chain->rules[ret_chain->count++] = &absent;
}

static bool
chain_equals(const struct chain *a, const struct chain *b)
{
	if (a->count != b->count)
		return false;
	if (a->count == 1)
		return a->rules[0]->action == b->rules[0]->action;
	return memcmp(a->rules, b->rules, a->count * sizeof(a->rules[0])) == 0;
}

static bool
call_is_hot(unsigned int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(filter_hot_calls); i++)
		if (call_number(filter_hot_calls[i]) == (int)number)
			return true;
	return false;
}

static void
ranges_find(struct ranges *ret_ranges, const struct choice *choice)
{
	ret_ranges->count = 0;
	for (unsigned int number = 0; number < CALLS_MAX; number++) {
		struct range *range = &ret_ranges->item[ret_ranges->count];

		/* A hot call does not come here. */
		if (number > 0 && call_is_hot(number))
			continue;
		chain_find(&range->chain, choice, number);
		range->first = number;
		range->is_placed = false;
		if (number == 0 || !chain_equals(&range[-1].chain, &range->chain))
			ret_ranges->count++;
	}
}

/* Once for all ranges with the same rules. */
static size_t
put_range(struct program *program, struct ranges *ranges, size_t index)
{
	struct range *range = &ranges->item[index];

	for (size_t i = 0; i < ranges->count && !range->is_placed; i++) {
		const struct range *other = &ranges->item[i];

		if (other->is_placed && chain_equals(&other->chain, &range->chain)) {
			range->position = put_bridge(program, other->position);
			range->is_placed = true;
		}
	}
	if (!range->is_placed)
		range->position = put_chain(program, &range->chain);
	range->is_placed = true;
	return range->position;
}

/*
 * Binary search among the ranges `from` to `to`, the number in the accumulator. Halves the numbers,
 * not the ranges: the kernel walks the table once for each number.
 */
static size_t
put_search(struct program *program, struct ranges *ranges, size_t from, size_t to)
{
	unsigned int half = (ranges->item[from].first + ranges->item[to].first + 1) / 2;
	size_t middle = from + 1;
	size_t left;
	size_t right;

	if (from == to)
		return put_range(program, ranges, from);
	while (middle < to && ranges->item[middle].first < half)
		middle++;
	right = put_search(program, ranges, middle, to);
	left = put_search(program, ranges, from, middle - 1);
	return put_jump(program, BPF_JGE, ranges->item[middle].first, right, left);
}

static void
make_table(struct program *program, const struct choice *choice)
{
	static struct ranges ranges;
	size_t position;

	program->length = 0;
	ranges_find(&ranges, choice);
	position = put_search(program, &ranges, 0, ranges.count - 1);
	for (size_t i = ARRAY_SIZE(filter_hot_calls); i > 0; i--) {
		int number = call_number(filter_hot_calls[i - 1]);
		struct chain chain;
		size_t chain_position;

		if (number < 0)
			continue;
		chain_find(&chain, choice, (unsigned int)number);
		chain_position = put_chain(program, &chain);
		position = put_jump(program, BPF_JEQ, (uint32_t)number, chain_position, position);
	}
	position = put(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	put_jump(program, BPF_JEQ, machine->audit, position,
		 put_return(program, SECCOMP_RET_KILL_PROCESS));
	put(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
}

static void
print_table(const char *name, const struct program *program)
{
	printf("static const struct sock_filter %s[] = {\n", name);
	for (size_t i = program->length; i > 0; i--) {
		const struct sock_filter *code = &program->code[i - 1];

		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", code->code, code->jt, code->jf, code->k);
	}
	printf("};\n");
}

int
main(int argc, char **argv)
{
	static struct program program;

	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(machines); i++)
		if (strcmp(argv[1], machines[i].name) == 0)
			machine = &machines[i];
	if (machine == NULL)
		fail("the one argument is x86_64 or aarch64");
	resolve_rules();

	printf("/* Made by filter_generate.c from filter_rules.h. */\n");
	for (unsigned int i = 0; i < TIERS * PLAN_FILTER_NETWORK_COUNT * 2; i++) {
		char name[NAME_BYTES];
		struct choice choice = {
			.tier = 1U << (i / 2 / PLAN_FILTER_NETWORK_COUNT),
			.network = 1U << (i / 2 % PLAN_FILTER_NETWORK_COUNT),
			.userns = 1U << (i % 2),
		};

		make_table(&program, &choice);
		snprintf(name, sizeof(name), "filter_code_%u", i);
		print_table(name, &program);
	}
	/* In the order of (tier, network, allow_userns), the last fastest. */
	printf("static const struct filter_program filter_programs[] = {\n");
	for (unsigned int i = 0; i < TIERS * PLAN_FILTER_NETWORK_COUNT * 2; i++)
		printf("\t{ filter_code_%u, ARRAY_SIZE(filter_code_%u) },\n", i, i);
	printf("};\n");
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
