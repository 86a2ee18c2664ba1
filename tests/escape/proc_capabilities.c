/*
 * As root: capabilities that a container does not keep.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	/* SYS_MODULE, SYS_RAWIO, SYS_PTRACE, SYS_PACCT, SYS_ADMIN, SYS_BOOT, SYS_TIME, SYS_TTY_CONFIG, LINUX_IMMUTABLE,
	 * MAC_ADMIN, SYSLOG, PERFMON, BPF, DAC_READ_SEARCH */
	static const int kinds[] = { 16, 17, 19, 20, 21, 22, 25, 26, 9, 33, 34, 38, 39, 2 };
	char line[256];
	unsigned long long effective = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (effective & (1ULL << kinds[i])) {
			dprintf(2, "capability %d\n", kinds[i]);
			return escaped("has a capability beyond a container's");
		}
	errno = EPERM;
	return held("capabilities");
}
