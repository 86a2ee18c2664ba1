/*
 * Theory of operation
 *
 * init_main() runs in a fork of porta, pid 1 of a new pid namespace, in new user,
 * mount and IPC namespaces (and an empty network namespace where the network is
 * blocked). Its stages, and what each may still do afterwards:
 *
 *	mounts		the tree stands; init alone can still change it
 *	guard		protected names are watched
 *	command		a vfork'd child goes through the stages of run_command(), each of
 *			which only takes away, and executes the command
 *	loop		init reaps, reports stops, mounts protected names again
 *	end		everything inside is killed, the guard puts right what is left, init exits
 *
 * Init keeps its capabilities in its own user namespace, since mounting a protected
 * name again needs them. Nothing inside can reach it: it is not dumpable, outside
 * the command's Landlock domain, and the kernel drops signals to a pid 1 that has no
 * handlers. It has no parent-death signal of its own while the guard holds
 * placeholders: the broker's hang-up on the control socket tells it to clear up.
 *
 * In the lower tiers it is a plain child of the broker with the same protocol and loop, without
 * mounts and guard. It adopts every orphan below it and ends them as tree.h says; where Landlock has no scope for signals,
 * a program inside can kill init, and the broker then does the same.
 */
#include "sandbox/linux/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "sandbox/control.h"
#include "sandbox/linux/cgroup.h"
#include "sandbox/linux/confine.h"
#include "sandbox/linux/descriptors.h"
#include "sandbox/linux/filter.h"
#include "sandbox/linux/guard.h"
#include "sandbox/linux/mounts.h"
#include "sandbox/linux/tree.h"
#include "sandbox/machine.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/title.h"

/* How long init waits, with nothing left to do, for the broker to end before it. */
#define BROKER_END_MS 10

struct init {
	const struct plan *plan;
	pid_t pid; /* its own */
	int control_fd;
	int host_root_fd;
	int signal_fd;
	struct tree tree; /* where there is no pid namespace */
	struct guard *guard;
	pid_t command_pid;
	int exec_error; /* written by the vfork'd child, whose memory this is too */
	struct error err;
};

static _noreturn_ void
fail(const struct init *init, int code)
{
	control_send_event(init->control_fd, CONTROL_EVENT_FAILED, code, init->err.message, -1);
	_exit(1);
}

static void
execute(const struct plan *plan)
{
	struct strv shell = STRV_INIT;

	execve(plan->command_path, plan->argv.items, plan->environment.items);
	if (errno != ENOEXEC)
		return;
	/* A script without "#!": POSIX has the shell run it (execvp(3) does so). */
	strv_add(&shell, "sh");
	strv_add(&shell, plan->command_path);
	for (size_t i = 1; i < plan->argv.count; i++)
		strv_add(&shell, plan->argv.items[i]);
	execve("/bin/sh", shell.items, plan->environment.items);
	errno = ENOEXEC;
}

/* The last stage: the listener's descriptor must be sent through the filter itself. */
static int
install_filter(struct init *init)
{
	const struct plan *plan = init->plan;
	const struct filter_choice choice = { .tier = plan->tier,
					      .network = plan->filter_network,
					      .allow_userns = plan->allow_userns };
	_cleanup_fd_ int listener_fd = -1;
	int r;

	r = filter_install(&choice, plan->wait_killable, &listener_fd);
	if (r < 0)
		return error_set_errno(&init->err, r, "cannot install the seccomp filter");
	/* Not before: the listener takes a number, and a limit may leave none. */
	r = confine_limits(plan, &init->err);
	if (r < 0)
		return r;
	r = control_send_event(init->control_fd, CONTROL_EVENT_LISTENER, 0, NULL, listener_fd);
	if (r < 0)
		return error_set_errno(&init->err, r, "cannot reach the broker");
	return 0;
}

/* The stages between vfork and execution; each only takes away. */
static int
confine_command(struct init *init)
{
	const struct plan *plan = init->plan;
	_cleanup_fd_ int ruleset_fd = -1;
	int r;

	r = descriptors_apply(plan, init->control_fd, &init->err);
	if (r == 0)
		r = confine_make_ruleset(plan, &ruleset_fd, &init->err);
	if (r == 0)
		r = confine_capabilities(plan, &init->err);
	if (r == 0 && chdir(plan->working_directory) < 0)
		r = error_set_errno(&init->err, -errno, "cannot enter the working directory %s",
				    plan->working_directory);
	if (r == 0)
		r = confine_landlock(ruleset_fd, &init->err);
	if (r == 0)
		r = install_filter(init);
	return r;
}

static _noreturn_ void
run_command(struct init *init)
{
	int r;

	/* Where no pid namespace ends with init. */
	if (init->plan->tier != SANDBOX_TIER_NAMESPACES) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != init->pid)
			_exit(1);
	}
	r = terminal_take(init->plan);
	if (r < 0) {
		error_set_errno(&init->err, r, "cannot lead a process group");
		fail(init, r);
	}
	r = cgroup_join(init->plan, &init->err);
	if (r == 0)
		r = confine_command(init);
	if (r < 0)
		fail(init, r);
	execute(init->plan);
	init->exec_error = errno;
	_exit(1);
}

/*
 * vfork: the child shares init's memory until it executes, so nothing is copied. From here on init
 * lives on when the broker dies: what the command does in its first moments must be put right too.
 */
static void
start_command(struct init *init)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	pid = vfork();
	if (pid == 0)
		run_command(init);
	if (pid < 0) {
		error_set_errno(&init->err, -errno, "cannot make the command's process");
		fail(init, -EAGAIN);
	}
	init->command_pid = pid;
	if (init->exec_error != 0) {
		control_send_event(init->control_fd, CONTROL_EVENT_EXEC_FAILED, -init->exec_error,
				   NULL, -1);
		guard_end(init->guard);
		_exit(1);
	}
	descriptors_release(init->plan);
}

/* Kills every process of the namespace and waits until none is left. */
static void
kill_all(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		continue;
}

/* `status` is the command's, or -1 where nobody is there to hear it. */
static _noreturn_ void
end(struct init *init, int status)
{
	struct pollfd broker = { .fd = init->control_fd, .events = POLLRDHUP };

	if (init->plan->tier == SANDBOX_TIER_NAMESPACES)
		kill_all();
	else
		tree_end(&init->tree);
	guard_end(init->guard);
	/* Only now: when the broker has not heard this, it does itself what is left to do. */
	if (status >= 0)
		control_send_event(init->control_fd, CONTROL_EVENT_EXITED, status, NULL, -1);
	/*
	 * The broker ends first: taking the namespaces down takes 0.2 ms, and nobody needs to wait
	 * for that. It may have output to write out still, and then it is not waited for.
	 */
	poll(&broker, 1, BROKER_END_MS);
	_exit(0);
}

static void
reap(struct init *init)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		if (pid != init->command_pid)
			continue;
		if (WIFSTOPPED(status)) {
			control_send_event(init->control_fd, CONTROL_EVENT_STOPPED,
					   WSTOPSIG(status), NULL, -1);
		} else if (WIFCONTINUED(status)) {
			control_send_event(init->control_fd, CONTROL_EVENT_CONTINUED, 0, NULL, -1);
		} else {
			end(init, status);
		}
	}
}

static void
read_signal(struct init *init)
{
	struct signalfd_siginfo info;

	if (read(init->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(init);
	else if (info.ssi_signo == (uint32_t)GUARD_SIGNAL)
		guard_look(init->guard, info.ssi_fd);
	else
		guard_look(init->guard, -1); /* SIGIO: the queue of real-time signals overflowed */
}

static _noreturn_ void
loop(struct init *init)
{
	struct pollfd fds[] = {
		{ .fd = init->signal_fd, .events = POLLIN },
		{ .fd = init->control_fd, .events = POLLRDHUP },
	};

	mem_release_stack();
	/* The child may have ended before the descriptor was there to tell. */
	reap(init);
	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			end(init, -1);
		if (fds[1].revents != 0)
			end(init, -1);
		if (fds[0].revents != 0)
			read_signal(init);
	}
}

/* Every signal is blocked, and those that init acts on are read from a descriptor. */
static int
block_signals(struct init *init)
{
	sigset_t all;
	sigset_t read_ones;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -errno;
	sigemptyset(&read_ones);
	sigaddset(&read_ones, SIGCHLD);
	sigaddset(&read_ones, GUARD_SIGNAL);
	sigaddset(&read_ones, SIGIO);
	init->signal_fd = signalfd(-1, &read_ones, SFD_CLOEXEC | SFD_NONBLOCK);
	return init->signal_fd < 0 ? -errno : 0;
}

/* EPERM where a namespace was made and is of no use is not the plan's fault: there is a lower tier. */
static void
enter_mounts(struct init *init)
{
	int r = mounts_apply(init->plan, init->control_fd, &init->err);

	if (r == 0)
		return;
	if ((r == -EPERM || r == -EACCES) && machine_try_namespace() != MACHINE_NAMESPACE_USABLE)
		r = -EOPNOTSUPP;
	fail(init, r);
}

/*
 * The lower tiers: no namespaces, so that init takes charge of all that will be below it. It leads a process group
 * of its own: who kills porta's (a shell: kill -9 %1) must leave the one that ends the rest.
 */
static void
enter_tree(struct init *init)
{
	int r = setpgid(0, 0) < 0 ? -errno : tree_adopt(&init->tree);

	if (r < 0)
		fail(init, error_set_errno(&init->err, r, "cannot take charge of the processes"));
	tree_enclose(&init->tree, init->plan->landlock_abi);
}

_noreturn_ void
init_main(const struct plan *plan, int control_fd, int host_root_fd)
{
	struct init init = { .plan = plan,
			     .pid = getpid(),
			     .control_fd = control_fd,
			     .host_root_fd = host_root_fd,
			     .err = ERROR_INIT };
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		fail(&init, -errno);
	r = descriptors_drop_broker(plan, control_fd, host_root_fd);
	if (r < 0)
		fail(&init, error_set_errno(&init.err, r, "cannot close the broker's descriptors"));
	if (plan->tier == SANDBOX_TIER_NAMESPACES)
		enter_mounts(&init);
	else
		enter_tree(&init);
	r = block_signals(&init);
	if (r < 0)
		fail(&init, error_set_errno(&init.err, r, "cannot read signals"));
	r = guard_start(plan, init.host_root_fd, control_fd, &init.guard, &init.err);
	if (r < 0)
		fail(&init, r);
	title_replace("porta-init");
	/* /proc/1 shows nothing, and no one of the same user attaches; after the last step that opens /proc/self */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	start_command(&init);
	loop(&init);
}
