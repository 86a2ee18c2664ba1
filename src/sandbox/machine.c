/* What the facts of a machine mean for each guarantee; see machine.h. Pure. */
#include "sandbox/machine.h"

#include <stdio.h>
#include <string.h>

/* What each guarantee stands on. */
enum need {
	NEED_NAMESPACES = 1 << 0,
	NEED_PROC = 1 << 1,
	NEED_LANDLOCK = 1 << 2,
	NEED_LISTENER = 1 << 3,
	NEED_ACCESS = 1 << 4, /* to the descriptors and memory of the sandbox's processes */
	NEED_DNOTIFY = 1 << 5,
	NEED_CGROUP = 1 << 6,
};

static const unsigned needs[] = {
	[GUARANTEE_WRITES] = NEED_NAMESPACES,
	[GUARANTEE_METADATA] = NEED_NAMESPACES,
	[GUARANTEE_HIDDEN] = NEED_NAMESPACES,
	[GUARANTEE_PROTECTED] = NEED_NAMESPACES | NEED_DNOTIFY,
	[GUARANTEE_NETWORK] = NEED_LISTENER | NEED_ACCESS,
	[GUARANTEE_UNIX_SOCKETS] = NEED_LISTENER | NEED_ACCESS,
	[GUARANTEE_PROCESSES] = NEED_NAMESPACES | NEED_PROC,
	[GUARANTEE_TREE] = NEED_NAMESPACES,
	[GUARANTEE_DEVICES] = NEED_NAMESPACES | NEED_LANDLOCK,
	[GUARANTEE_EXEC] = NEED_LANDLOCK,
	[GUARANTEE_LIMITS] = NEED_CGROUP,
};
static_assert(ARRAY_SIZE(needs) == GUARANTEE_COUNT, "what each guarantee stands on");

static const char *
namespaces_fix(const struct machine *machine)
{
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
	unsigned need = needs[guarantee];

	*ret_verdict = (struct machine_verdict){ .holds = true };
	if ((need & NEED_NAMESPACES) && !machine->user_namespaces)
		fail(ret_verdict, machine->user_namespaces_why, namespaces_fix(machine));
	else if ((need & NEED_PROC) && !machine->new_proc)
		fail(ret_verdict, "a new /proc cannot be mounted: something covers a part of this one",
		     "run porta where /proc is whole (docker run --security-opt systempaths=unconfined)");
	else if ((need & NEED_LANDLOCK) && machine->landlock_abi < 1)
		fail(ret_verdict, "the kernel has no Landlock, or it is not switched on",
		     "boot with lsm=landlock,... on a kernel of at least 5.13 with CONFIG_SECURITY_LANDLOCK");
	else if ((need & NEED_LISTENER) && !machine->seccomp_listener)
		fail(ret_verdict, "seccomp filters cannot have a listener here",
		     "a kernel of at least 5.9, and no seccomp filter around porta that forbids seccomp()");
	else if ((need & NEED_ACCESS) && !machine->ptrace_access)
		fail(ret_verdict, "a process may not take descriptors of its own children",
		     "sysctl -w kernel.yama.ptrace_scope=1");
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
	strbuf_putc(out, '{');
	json_bool(out, "user_namespaces", machine->user_namespaces);
	json_bool(out, "new_proc", machine->new_proc);
	json_bool(out, "seccomp_listener", machine->seccomp_listener);
	json_bool(out, "seccomp_wait_killable", machine->seccomp_wait_killable);
	json_bool(out, "pidfd_getfd", machine->pidfd_getfd);
	json_bool(out, "dnotify", machine->dnotify);
	json_bool(out, "cgroup_delegated", machine->cgroup_delegated);
	strbuf_printf(out, "\"landlock_abi\":%d}", machine->landlock_abi);
}
