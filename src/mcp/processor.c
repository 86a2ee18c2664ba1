/* Keeping a short call on one processor; see processor.h. */
#include "mcp/processor.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>

/* What the server may use, as it was started; read once. */
static cpu_set_t all;
static bool is_read;
static int bound = -1;

static bool
has_choice(void)
{
	if (!is_read) {
		is_read = true;
		if (sched_getaffinity(0, sizeof(all), &all) < 0)
			CPU_ZERO(&all);
	}
	return CPU_COUNT(&all) > 1;
}

int
processor_bind_other(pid_t pid, int processor)
{
	cpu_set_t set;

	if (!has_choice())
		return 0;
	CPU_ZERO(&set);
	if (processor >= 0)
		CPU_SET((size_t)processor, &set);
	return sched_setaffinity(pid, sizeof(set), processor >= 0 ? &set : &all) < 0 ? -errno : 0;
}

int
processor_bind(void)
{
	int processor = sched_getcpu();

	if (!has_choice() || processor < 0)
		return -1;
	if (processor != bound && processor_bind_other(0, processor) == 0)
		bound = processor;
	return bound;
}

void
processor_let_go(void)
{
	if (bound < 0)
		return;
	bound = -1;
	(void)processor_bind_other(0, -1);
}
