/*
 * As root: host name, clock, swap, accounting, CAD: what belongs to the whole machine. (Each sets what is already so.)
 *
 * users: root
 */
#include "attack.h"

#include <sys/reboot.h>
#include <sys/timex.h>
#include <sys/utsname.h>

static int
attack(void)
{
	struct utsname name;
	struct timex state = { 0 };

	uname(&name);
	if (sethostname(name.nodename, strlen(name.nodename)) == 0)
		return escaped("set the host name");
	adjtimex(&state);
	state.modes = ADJ_TICK;
	if (adjtimex(&state) >= 0)
		return escaped("set the clock");
	if (syscall(SYS_acct, NULL) == 0)
		return escaped("switched accounting");
	return held("sethostname");
}
