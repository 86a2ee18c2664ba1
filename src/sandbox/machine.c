/* What the facts of a machine mean for each guarantee; see machine.h. Pure. */
#include "sandbox/machine.h"

#include <stdio.h>
#include <string.h>

/* Landlock ABIs, by what they brought; landlock(7). */
#define LANDLOCK_TRUNCATE_ABI 3
#define LANDLOCK_SIGNAL_SCOPE_ABI 6

/* What each guarantee stands on, tier by tier. */
enum need {
	NEED_NAMESPACES = 1 << 0,
	NEED_LANDLOCK = 1 << 1,
	NEED_TRUNCATE = 1 << 2,
	NEED_SIGNAL_SCOPE = 1 << 3,
	NEED_LISTENER = 1 << 4, /* and access to the descriptors and memory of the sandbox's processes */
	NEED_DNOTIFY = 1 << 5,
	NEED_CGROUP = 1 << 6,
};

static const struct {
	unsigned with_namespaces;
	unsigned without;
	const char *why_without; /* what a program can do, where namespaces alone would keep it from it */
} needs[] = {
	[GUARANTEE_WRITES] = { 0, NEED_TRUNCATE, "" },
	[GUARANTEE_METADATA] = { 0, 0, "" }, /* no call that changes any passes the filter */
	[GUARANTEE_HIDDEN] = { 0, NEED_LANDLOCK, "" },
	[GUARANTEE_PROTECTED] = { NEED_DNOTIFY, NEED_NAMESPACES,
				  "what makes other programs run code can be changed in a writable directory" },
	[GUARANTEE_NETWORK] = { NEED_LISTENER, NEED_LISTENER, "" },
	[GUARANTEE_UNIX_SOCKETS] = { NEED_LISTENER, 0, "" }, /* without the door none is made */
	[GUARANTEE_PROCESSES] = { 0, NEED_NAMESPACES, "the processes outside can be seen in /proc" },
	[GUARANTEE_TREE] = { 0, NEED_SIGNAL_SCOPE, "" },
	[GUARANTEE_DEVICES] = { NEED_LANDLOCK, NEED_LANDLOCK, "" },
	[GUARANTEE_EXEC] = { NEED_LANDLOCK, NEED_LANDLOCK, "" },
	[GUARANTEE_LIMITS] = { NEED_CGROUP, NEED_CGROUP, "" },
};
static_assert(ARRAY_SIZE(needs) == GUARANTEE_COUNT, "what each guarantee stands on");

#define WHOLE_PROC_WHY "a new /proc cannot be mounted, since something covers a part of this one"
#define LISTENER_WHY   "seccomp filters cannot have a listener here"
#define ACCESS_WHY     "a process may not take descriptors of its own children"
#define LANDLOCK_FIX \
	"boot with lsm=landlock,... on a kernel of at least 5.13 with CONFIG_SECURITY_LANDLOCK"

enum sandbox_tier
machine_tier(const struct machine *machine)
{
	if (!machine->seccomp_listener || !machine->ptrace_access)
		return SANDBOX_TIER_PORTS;
	return machine->user_namespaces && machine->new_proc ? SANDBOX_TIER_NAMESPACES
							     : SANDBOX_TIER_LANDLOCK;
}

const char *
machine_tier_cause(const struct machine *machine)
{
	if (machine_tier(machine) == SANDBOX_TIER_NAMESPACES)
		return "";
	if (!machine->seccomp_listener)
		return LISTENER_WHY;
	if (!machine->ptrace_access)
		return ACCESS_WHY;
	return machine->user_namespaces ? WHOLE_PROC_WHY : machine->user_namespaces_why;
}

static const char *
tier_fix(const struct machine *machine)
{
	if (!machine->seccomp_listener)
		return "a kernel of at least 5.9, and no seccomp filter around porta that forbids seccomp() or has a listener itself";
	if (!machine->ptrace_access)
		return "sysctl -w kernel.yama.ptrace_scope=1, and no seccomp filter around porta that forbids pidfd_getfd()";
	if (machine->user_namespaces)
		return "run porta where /proc is whole (docker run --security-opt systempaths=unconfined)";
	if (strstr(machine->user_namespaces_why, "AppArmor") != NULL)
		return "install packaging/apparmor/porta as /etc/apparmor.d/porta and run: apparmor_parser -r /etc/apparmor.d/porta";
	if (strstr(machine->user_namespaces_why, "unprivileged_userns_clone") != NULL)
		return "sysctl -w kernel.unprivileged_userns_clone=1";
	if (strstr(machine->user_namespaces_why, "max_user_namespaces") != NULL)
		return "sysctl -w user.max_user_namespaces=15000";
	return "run porta outside the container or sandbox that forbids user namespaces";
}

static void
fail(struct machine_verdict *verdict, const char *why, const char *fix)
{
	verdict->holds = false;
	snprintf(verdict->why, sizeof(verdict->why), "%s", why);
	snprintf(verdict->fix, sizeof(verdict->fix), "%s", fix);
}

void
machine_judge(const struct machine *machine, enum guarantee guarantee,
	      struct machine_verdict *ret_verdict)
{
	bool has_namespaces = machine_tier(machine) == SANDBOX_TIER_NAMESPACES;
	bool has_door = machine->seccomp_listener && machine->ptrace_access;
	unsigned need = has_namespaces ? needs[guarantee].with_namespaces : needs[guarantee].without;

	*ret_verdict = (struct machine_verdict){ .holds = true };
	if ((need & NEED_NAMESPACES) && !has_namespaces)
		fail(ret_verdict, needs[guarantee].why_without, tier_fix(machine));
	else if ((need & (NEED_LANDLOCK | NEED_TRUNCATE | NEED_SIGNAL_SCOPE)) && machine->landlock_abi < 1)
		fail(ret_verdict, "the kernel has no Landlock, or it is not switched on", LANDLOCK_FIX);
	else if ((need & NEED_TRUNCATE) && machine->landlock_abi < LANDLOCK_TRUNCATE_ABI)
		fail(ret_verdict, "this kernel's Landlock does not keep files from being truncated",
		     "a kernel of at least 6.2");
	else if ((need & NEED_SIGNAL_SCOPE) && machine->landlock_abi < LANDLOCK_SIGNAL_SCOPE_ABI)
		fail(ret_verdict, "a program can kill porta itself: this kernel's Landlock does not hold signals",
		     "a kernel of at least 6.12");
	else if ((need & NEED_LISTENER) && !has_door)
		fail(ret_verdict, "only the policies full, outbound and blocked can be kept without a door",
		     tier_fix(machine));
	else if ((need & NEED_DNOTIFY) && !machine->dnotify)
		fail(ret_verdict, "the kernel has no directory notification",
		     "a kernel with CONFIG_DNOTIFY");
	else if ((need & NEED_CGROUP) && !machine->cgroup_delegated)
		fail(ret_verdict, machine->cgroup_why,
		     "systemd-run --user --scope -p Delegate=yes porta run ...");
}

static const char *
yes_no(bool value)
{
	return value ? "yes" : "no";
}

void
machine_explain(const struct machine *machine, struct strbuf *out)
{
	const char *cause = machine_tier_cause(machine);

	strbuf_printf(out, *cause != '\0' ? "tier              %d (%s)\n" : "tier              %d\n",
		      machine_tier(machine), cause);
	strbuf_printf(out, "user namespaces   %s\n", yes_no(machine->user_namespaces));
	strbuf_printf(out, "a new /proc       %s\n", yes_no(machine->new_proc));
	if (machine->landlock_abi > 0)
		strbuf_printf(out, "Landlock          ABI %d\n", machine->landlock_abi);
	else
		strbuf_puts(out, "Landlock          no\n");
	strbuf_printf(out, "seccomp listener  %s\n", yes_no(machine->seccomp_listener));
	strbuf_printf(out, "  wait killable   %s\n", yes_no(machine->seccomp_wait_killable));
	strbuf_printf(out, "pidfd_getfd       %s\n", yes_no(machine->pidfd_getfd));
	strbuf_printf(out, "dnotify           %s\n", yes_no(machine->dnotify));
	strbuf_printf(out, "delegated cgroup  %s\n", yes_no(machine->cgroup_delegated));
}

static void
json_bool(struct strbuf *out, const char *key, bool value)
{
	strbuf_printf(out, "\"%s\":%s,", key, value ? "true" : "false");
}

void
machine_explain_json(const struct machine *machine, struct strbuf *out)
{
	strbuf_printf(out, "{\"tier\":%d,\"tier_cause\":", machine_tier(machine));
	strbuf_put_json(out, machine_tier_cause(machine));
	strbuf_putc(out, ',');
	json_bool(out, "user_namespaces", machine->user_namespaces);
	json_bool(out, "new_proc", machine->new_proc);
	json_bool(out, "seccomp_listener", machine->seccomp_listener);
	json_bool(out, "seccomp_wait_killable", machine->seccomp_wait_killable);
	json_bool(out, "pidfd_getfd", machine->pidfd_getfd);
	json_bool(out, "dnotify", machine->dnotify);
	json_bool(out, "cgroup_delegated", machine->cgroup_delegated);
	strbuf_printf(out, "\"landlock_abi\":%d}", machine->landlock_abi);
}
