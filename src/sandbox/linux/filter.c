/* The seccomp filter; see filter.h. */
#include "sandbox/linux/filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/macros.h"

/* Linux 5.19; absent from older headers. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

struct filter_program {
	const struct sock_filter *code;
	size_t length;
};

/* Made at build time: filter_programs, and what it points to. */
#include "sandbox/linux/filter_tables.h"

static_assert(ARRAY_SIZE(filter_programs) == SANDBOX_TIER_PORTS * PLAN_FILTER_NETWORK_COUNT * 2,
	      "one table for each choice");

const struct sock_filter *
filter_table(const struct filter_choice *choice, size_t *ret_length)
{
	size_t index = (size_t)choice->tier - SANDBOX_TIER_NAMESPACES;

	assert(index < SANDBOX_TIER_PORTS && choice->network < PLAN_FILTER_NETWORK_COUNT);
	index = (index * PLAN_FILTER_NETWORK_COUNT + choice->network) * 2 + choice->allow_userns;
	*ret_length = filter_programs[index].length;
	return filter_programs[index].code;
}

int
filter_install(const struct filter_choice *choice, bool wait_killable, int *ret_listener_fd)
{
	size_t length;
	const struct sock_filter *code = filter_table(choice, &length);
	struct sock_fprog program = {
		.len = (unsigned short)length,
		.filter = (struct sock_filter *)(uintptr_t)code, /* the kernel only reads it */
	};
	unsigned long flags = 0;
	long result;

	if (choice->tier != SANDBOX_TIER_PORTS) {
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
		if (wait_killable)
			flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	}
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0)
		return -errno;
	*ret_listener_fd = choice->tier == SANDBOX_TIER_PORTS ? -1 : (int)result;
	return 0;
}
