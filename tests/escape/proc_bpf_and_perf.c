/*
 * bpf, perf events, userfaultfd, kernel modules, kexec, ptrace of the kernel's kind: attack surface without use.
 *
 * users: root
 */
#include "attack.h"

#include <linux/perf_event.h>

static int
attack(void)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attributes) };
	uint32_t map[32] = { 2 /* array */, 4, 4, 1 };

	if (syscall(SYS_bpf, 0 /* map create */, map, sizeof(map)) >= 0)
		return escaped("bpf");
	if (syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0) >= 0)
		return escaped("perf_event_open");
	if (syscall(SYS_userfaultfd, 0) >= 0)
		return escaped("userfaultfd");
	if (syscall(SYS_syslog, 3, map, 16) >= 0)
		return escaped("read the kernel's log");
	return held("bpf");
}
