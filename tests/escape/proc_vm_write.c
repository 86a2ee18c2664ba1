/*
 * process_vm_readv and process_vm_writev on a process outside.
 */
#include "attack.h"

static int
attack(void)
{
	char text[sizeof(victim_secret)] = "";
	struct iovec here = { text, sizeof(text) }, there = { victim_secret, sizeof(victim_secret) };

	if (process_vm_readv(victim_pid, &here, 1, &there, 1, 0) > 0 && strcmp(text, SECRET) == 0)
		return escaped("read the memory of a process outside");
	if (process_vm_writev(victim_pid, &here, 1, &there, 1, 0) > 0)
		return escaped("wrote to the memory of a process outside");
	return held("process_vm_readv");
}
