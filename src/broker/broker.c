/*
 * Theory of operation
 *
 * porta itself becomes the broker of its run. It is one process without threads that
 * waits in one loop for: the control socket of init (what happens inside), the
 * seccomp listener (door.h), signals, the pipes of stdio.h, and timers. Everything
 * that comes out of the sandbox is taken for hostile; what init says is trusted, but
 * checked whole (control.h).
 *
 * A run ends when init hangs up, which it does when everything inside is dead and
 * put right. When the broker dies first, init sees the hang-up and ends the sandbox.
 */
#include "broker/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "broker/door.h"
#include "broker/loop.h"
#include "broker/report.h"
#include "broker/resolver_client.h"
#include "broker/stdio.h"
#include "broker/terminal.h"
#include "broker/violations.h"
#include "sandbox/control.h"
#include "sandbox/linux/cgroup.h"
#include "sandbox/linux/confine.h"
#include "sandbox/linux/guard.h"
#include "sandbox/linux/tree.h"
#include "sandbox/missing.h"
#include "sandbox/sandbox.h"
#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/strings.h"

/* After --timeout: how long SIGTERM has before SIGKILL, and then a reader of what was written. */
#define TIMEOUT_GRACE_MS 2000
#define RESOLV_CONF_MAX_BYTES (64 * 1024)
/* resolv.conf(5), "use-vc" */
#define RESOLVER_OPTIONS_KEY "RES_OPTIONS="
#define RESOLVER_OPTIONS     "use-vc"

struct broker {
	const struct policy *policy;
	struct plan *plan;
	struct sandbox sandbox;
	struct cgroup cgroup;
	struct loop *loop;
	struct violations *violations;
	struct resolver_client *resolver;
	struct door *door;
	struct stdio_pumps *pumps;
	struct terminal terminal;
	struct loop_timer timeout;
	struct strv placeholders;
	struct tree tree; /* in the lower tiers: what init leaves when it is killed */
	int signal_fd;
	int report_fd;
	pid_t command_pid; /* 0 until it runs */
	sigset_t early_signals; /* forwarded once it does: it may run before the broker hears of it */
	int wait_status;   /* the command's, when it has ended */
	bool timed_out;
	int result; /* of broker_run */
	struct error *err;
};

/* Signals that someone sends porta and means the command. */
static const int forwarded_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCONT, SIGWINCH,
};

static void
kill_command(const struct broker *broker, int signal)
{
	/* Its group first; the command itself may have left for another (setsid). */
	if (kill(-broker->command_pid, signal) < 0 && errno == ESRCH)
		kill(broker->command_pid, signal);
}

static void
keep_early_signal(struct broker *broker, int signal)
{
	if (signal == SIGCONT)
		sigdelset(&broker->early_signals, SIGTSTP);
	else
		sigaddset(&broker->early_signals, signal);
}

static void
forward_early_signals(struct broker *broker)
{
	for (size_t i = 0; i < ARRAY_SIZE(forwarded_signals); i++) {
		if (sigismember(&broker->early_signals, forwarded_signals[i]) == 1)
			kill_command(broker, forwarded_signals[i]);
	}
}

static void
on_signal(void *data, short revents)
{
	struct broker *broker = data;
	struct signalfd_siginfo info;

	(void)revents;
	if (read(broker->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (broker->command_pid > 0) {
		if (info.ssi_signo == SIGCONT)
			terminal_continue(&broker->terminal);
		kill_command(broker, (int)info.ssi_signo);
	} else if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGINT ||
		   info.ssi_signo == SIGQUIT || info.ssi_signo == SIGTERM) {
		broker->result = EXIT_CODE_SIGNAL_BASE + (int)info.ssi_signo;
		kill(broker->sandbox.init_pid, SIGKILL);
	} else {
		keep_early_signal(broker, (int)info.ssi_signo);
	}
}

static void
on_grace_over(void *data)
{
	const struct broker *broker = data;

	/* Init ends everything when the command has ended. */
	kill(broker->command_pid, SIGKILL);
}

static void
on_timeout(void *data)
{
	struct broker *broker = data;

	broker->timed_out = true;
	kill_command(broker, SIGTERM);
	kill_command(broker, SIGCONT);
	loop_timer_set(broker->loop, &broker->timeout, TIMEOUT_GRACE_MS, on_grace_over, broker);
}

/* Each trapped call may hold a descriptor for as long as it lasts. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* From here on the broker hears what comes out of the sandbox, and needs no rights for that. */
static int
begin_to_listen(struct broker *broker)
{
	int r = broker->plan->as_root ? confine_broker(broker->plan) : 0;

	if (r < 0)
		return error_set_errno(broker->err, r, "cannot drop the broker's capabilities");
	raise_descriptor_limit();
	return 0;
}

static int
start_door(struct broker *broker, int listener_fd)
{
	const struct door_config config = {
		.policy = broker->policy,
		.plan = broker->plan,
		.loop = broker->loop,
		.violations = broker->violations,
		.resolver = broker->resolver,
		.listener_fd = listener_fd,
		.init_pid = broker->sandbox.init_pid,
		.init_pidfd = broker->sandbox.init_pidfd,
	};

	return door_new(&config, &broker->door, broker->err);
}

static void
handle_listener(struct broker *broker, const struct control_event *event, int listener_fd)
{
	int r;

	broker->command_pid = event->pid;
	broker->result = EXIT_CODE_SIGNAL_BASE + SIGKILL; /* unless init tells how it ended */
	r = begin_to_listen(broker);
	terminal_command_started(&broker->terminal, event->pid);
	stdio_start(broker->pumps, broker->plan, broker->loop);
	if (r == 0 && listener_fd >= 0)
		r = start_door(broker, listener_fd);
	else
		fd_close(listener_fd);
	if (r < 0) {
		broker->result = r;
		kill(broker->sandbox.init_pid, SIGKILL);
		return;
	}
	forward_early_signals(broker);
	mem_release_stack();
	if (broker->policy->limits.timeout_ms > 0)
		loop_timer_set(broker->loop, &broker->timeout, broker->policy->limits.timeout_ms,
			       on_timeout, broker);
}

static void
handle_exec_failed(struct broker *broker, const struct control_event *event)
{
	const char *path = broker->plan->command_path;

	if (event->code == -ENOENT)
		error_set(broker->err, -EACCES,
			  "cannot run %s: it cannot be seen in the sandbox, or what interprets it is not there",
			  path);
	else
		error_set_errno(broker->err, event->code, "cannot run %s", path);
	broker->result = -EACCES;
}

static void
handle_exited(struct broker *broker, const struct control_event *event)
{
	int status = event->code;

	/* Everything inside is dead, and this was init's last word. */
	loop_stop(broker->loop);
	/* It never ran: a stage before failed, and told why. */
	if (broker->command_pid == 0)
		return;
	loop_timer_cancel(broker->loop, &broker->timeout);
	broker->command_pid = 0;
	broker->wait_status = status;
	if (broker->timed_out)
		broker->result = EXIT_CODE_TIMEOUT;
	else if (WIFSIGNALED(status))
		broker->result = EXIT_CODE_SIGNAL_BASE + WTERMSIG(status);
	else
		broker->result = WEXITSTATUS(status);
}

/* No flag lifts the protection of these: they are not what `--allow-protected` knows by this name. */
static bool
is_liftable(const char *label)
{
	return label[0] == '.' || str_equal(label, "porta.toml");
}

/* "LABEL\nPATH\nTHIRD"; see enum guard_event for what the third is. */
static void
handle_guard(struct broker *broker, struct control_event *event)
{
	char *label = event->text;
	char *rest = event->text;
	const char *path;
	const char *third;
	_cleanup_free_ char *remedy = NULL;
	_cleanup_free_ char *note = NULL;

	strsep(&rest, "\n");
	path = rest ? strsep(&rest, "\n") : label;
	third = rest ? rest : "";
	if (event->code == GUARD_EVENT_NEW_PROGRAM) {
		note = mem_printf("%s is new and runs programs when git is used there%s%s", path,
				  *third != '\0' ? ": " : "", third);
		violations_remark(broker->violations, note);
		return;
	}
	if (event->code == GUARD_EVENT_NOT_ALL) {
		note = mem_printf("%s has more than %d entries, and not all were looked through for "
				  "new git repositories",
				  path, GUARD_AUDIT_ENTRIES_MAX);
		violations_remark(broker->violations, note);
		return;
	}
	remedy = is_liftable(label) ? mem_printf("--allow-protected=%s", label) : mem_strdup("");
	if (event->code == GUARD_EVENT_LEFT)
		note = mem_strdup("it could not be moved away and is still there");
	else if (event->code == GUARD_EVENT_REFUSED)
		note = mem_strdup("git could not write its configuration");
	else if (event->code == GUARD_EVENT_PUT_BACK)
		note = mem_printf("put back as it was%s%s", *third != '\0' ? "; the other is kept as " : "",
				  third);
	else if (*third != '\0')
		note = mem_printf("kept as %s: move it back if it is yours", third);
	violations_record(broker->violations, VIOLATION_PROTECTED, path, remedy, note);
}

/* The machine, or what the plan was made from, was not as it was thought to be. */
static bool
wants_another_plan(int code)
{
	return code == -EOPNOTSUPP || code == -ESTALE;
}

static void
handle_event(struct broker *broker, struct control_event *event, int *passed_fd)
{
	switch ((enum control_event_kind)event->kind) {
	case CONTROL_EVENT_LISTENER:
		handle_listener(broker, event, TAKE_FD(*passed_fd));
		break;
	case CONTROL_EVENT_FAILED:
		error_set(broker->err, -ECANCELED, "%s", event->text);
		broker->result = wants_another_plan(event->code) ? event->code : -ECANCELED;
		break;
	case CONTROL_EVENT_EXEC_FAILED:
		handle_exec_failed(broker, event);
		break;
	case CONTROL_EVENT_STOPPED:
		terminal_command_stopped(&broker->terminal, event->code);
		break;
	case CONTROL_EVENT_CONTINUED:
		break;
	case CONTROL_EVENT_EXITED:
		handle_exited(broker, event);
		break;
	case CONTROL_EVENT_GUARD:
		handle_guard(broker, event);
		break;
	case CONTROL_EVENT_PLACEHOLDER:
		strv_add(&broker->placeholders, event->text);
		break;
	case CONTROL_EVENT_KIND_COUNT:
		break;
	}
}

static void
on_control(void *data, short revents)
{
	struct broker *broker = data;

	(void)revents;
	for (;;) {
		_cleanup_fd_ int passed_fd = -1;
		struct control_event event;
		int r = control_receive_event(broker->sandbox.control_fd, &event, &passed_fd);

		if (r == -EAGAIN)
			return;
		if (r <= 0) {
			loop_unwatch(broker->loop, broker->sandbox.control_fd);
			loop_stop(broker->loop);
			return;
		}
		handle_event(broker, &event, &passed_fd);
	}
}

/* Init was killed, and did not look at the protected names a last time. */
static void
settle_names(struct broker *broker)
{
	struct control_event event;
	int passed_fd = -1;
	int broker_fd;
	int guard_fd;

	if (broker->plan->watches_count == 0 || control_pair(&broker_fd, &guard_fd) < 0)
		return;
	guard_settle(broker->plan, guard_fd);
	fd_close(guard_fd);
	while (control_receive_event(broker_fd, &event, &passed_fd) == 1)
		handle_event(broker, &event, &passed_fd);
	fd_close(broker_fd);
}

/* Blocked and read from a descriptor, so that they arrive between two other events. */
static int
watch_signals(struct broker *broker)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded_signals); i++)
		sigaddset(&set, forwarded_signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	broker->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (broker->signal_fd < 0)
		return -errno;
	loop_watch(broker->loop, broker->signal_fd, POLLIN, on_signal, broker);
	return 0;
}

/* The name that a resolv.conf is mounted over: its own file, wherever a symlink leads. */
static void
add_resolv_conf(struct plan *plan)
{
	_cleanup_free_ char *host_text = NULL;
	char path[PATH_MAX];

	/* Without the file a C library asks 127.0.0.1 by itself. */
	if (realpath("/etc/resolv.conf", path) == NULL ||
	    fd_read_file_at(AT_FDCWD, path, RESOLV_CONF_MAX_BYTES, &host_text, NULL) < 0)
		return;
	plan_add_mount(plan, PLAN_MOUNT_FILE, path, "names are answered by porta")->text =
	    resolver_client_resolv_conf(host_text);
}

/*
 * Without mounts the host's resolv.conf stays in sight. Where there are no datagrams to ask with, the C library
 * is told to use TCP, which the door takes to porta's own resolver.
 */
static void
add_resolver_options(struct plan *plan)
{
	bool has_datagrams = plan->filter_network == PLAN_FILTER_OPEN ||
			     (plan->filter_network == PLAN_FILTER_LISTEN &&
			      plan->tier == SANDBOX_TIER_LANDLOCK);
	struct strv *environment = &plan->environment;

	if (has_datagrams || plan->filter_network == PLAN_FILTER_BLOCKED)
		return;
	for (size_t i = 0; i < environment->count; i++) {
		if (str_starts_with(environment->items[i], RESOLVER_OPTIONS_KEY)) {
			char *longer = mem_printf("%s " RESOLVER_OPTIONS, environment->items[i]);

			free(environment->items[i]);
			environment->items[i] = longer;
			return;
		}
	}
	strv_add(environment, RESOLVER_OPTIONS_KEY RESOLVER_OPTIONS);
}

int
broker_complete_plan(const struct policy *policy, struct plan *plan,
		     struct stdio_pumps **ret_pumps, struct error *err)
{
	if (plan->tier != SANDBOX_TIER_NAMESPACES)
		add_resolver_options(plan);
	else if (policy_network_is_closed(policy) && policy->net_mode != NET_MODE_BLOCKED)
		add_resolv_conf(plan);
	return stdio_plan(policy, plan, ret_pumps, err);
}

static int
open_report(struct broker *broker, const struct broker_options *options)
{
	if (options->report_path == NULL)
		return 0;
	broker->report_fd = report_open(broker->plan, options->report_path, broker->err);
	if (broker->report_fd < 0) {
		error_wrap(broker->err, -EIO, "--report %s", options->report_path);
		/* Not the open's own code: -EACCES would be the command's. */
		return -EIO;
	}
	return 0;
}

/* What looking could not tell shows now: another process in the group, a controller that does not suit it. */
static int
make_cgroup(struct broker *broker)
{
	struct error why = ERROR_INIT;
	int r;

	if (broker->plan->cgroup_path == NULL)
		return 0;
	r = cgroup_make(broker->plan, &broker->cgroup, &why);
	if (r < 0 && broker->policy->degrade[GUARANTEE_LIMITS]) {
		broker->plan->not_kept[GUARANTEE_LIMITS] = true;
		return 0;
	}
	if (r < 0)
		return error_set(broker->err, -ECANCELED,
				 "this machine cannot keep the guarantee limits (--degrade=limits accepts that): %s",
				 why.message);
	return 0;
}

static int
start(struct broker *broker, const struct broker_options *options)
{
	int r;

	r = open_report(broker, options);
	if (r < 0)
		return r;
	r = broker_complete_plan(broker->policy, broker->plan, &broker->pumps, broker->err);
	if (r < 0)
		return r;
	terminal_init(&broker->terminal, broker->plan);
	r = watch_signals(broker);
	if (r < 0)
		return error_set_errno(broker->err, r, "cannot read signals");
	if (broker->plan->tier != SANDBOX_TIER_NAMESPACES) {
		r = tree_adopt(&broker->tree);
		if (r < 0)
			return error_set_errno(broker->err, r, "cannot take charge of the processes");
	}
	r = make_cgroup(broker);
	if (r == 0)
		r = sandbox_start(broker->plan, &broker->sandbox, broker->err);
	if (r < 0) /* -EACCES would be the command's */
		return r == -EOPNOTSUPP ? r : -ECANCELED;
	if (policy_network_is_closed(broker->policy) && broker->policy->net_mode != NET_MODE_BLOCKED)
		broker->resolver =
		    resolver_client_new(broker->policy, broker->loop, broker->violations);
	loop_watch(broker->loop, broker->sandbox.control_fd, POLLIN, on_control, broker);
	return 0;
}

/* Init was killed, and could not end the rest itself: without a pid namespace that is left to the broker. */
static void
end_in_place_of_init(struct broker *broker)
{
	waitpid(broker->sandbox.init_pid, NULL, 0);
	if (!broker->tree.is_adopting)
		return;
	/* Their helpers are children too. */
	door_free(TAKE_PTR(broker->door));
	resolver_client_free(TAKE_PTR(broker->resolver));
	tree_end(&broker->tree);
}

static void
remark_not_kept(const struct broker *broker)
{
	_cleanup_free_ char *names = missing_names(broker->plan->not_kept, ", ");
	_cleanup_free_ char *text = NULL;

	if (names == NULL)
		return;
	text = mem_printf("not kept on this machine, as --degrade accepted: %s", names);
	violations_remark(broker->violations, text);
}

static void
remark_limits(const struct broker *broker)
{
	if (cgroup_count_events(&broker->cgroup, "memory.events", "oom_kill") > 0)
		violations_remark(broker->violations,
				  "the limit on memory was reached, and the command was ended (--limit memory)");
	if (cgroup_count_events(&broker->cgroup, "pids.events", "max") > 0)
		violations_remark(broker->violations,
				  "the limit on tasks was reached, and some could not be started (--limit pids)");
}

/* Until its end, which it begins when the broker hangs up. */
static void
wait_for_init(struct broker *broker)
{
	fd_close(TAKE_FD(broker->sandbox.control_fd));
	waitpid(broker->sandbox.init_pid, NULL, 0);
}

/* The groups go when nobody is in them any more; init and the door's helpers are in porta's. */
static void
end_cgroup(struct broker *broker)
{
	if (broker->cgroup.own_fd < 0)
		return;
	wait_for_init(broker);
	door_free(TAKE_PTR(broker->door));
	resolver_client_free(TAKE_PTR(broker->resolver));
	cgroup_done(&broker->cgroup);
}

/*
 * Everything inside is dead, as init said, or init hung up and it dies with it. What is left of
 * init, taking its namespaces down, is not waited for, unless it was killed and could not end the
 * rest itself.
 */
static void
finish(struct broker *broker, const struct broker_options *options)
{
	const struct timespec patience = { .tv_sec = TIMEOUT_GRACE_MS / 1000 };
	bool init_was_killed = broker->command_pid > 0;
	int r;

	if (init_was_killed)
		end_in_place_of_init(broker);
	r = stdio_finish(broker->pumps, broker->plan, broker->timed_out ? &patience : NULL,
			 broker->err);
	if (r < 0)
		broker->result = r;
	terminal_restore(&broker->terminal, broker->wait_status);
	for (size_t i = 0; i < broker->placeholders.count; i++)
		guard_clear_placeholder(broker->placeholders.items[i]);
	if (init_was_killed)
		settle_names(broker);
	remark_not_kept(broker);
	remark_limits(broker);
	if (!options->quiet)
		violations_print(broker->violations, STDERR_FILENO);
	if (broker->report_fd >= 0) {
		r = violations_write_report(broker->violations, broker->report_fd);
		if (r < 0)
			broker->result = error_set_errno(broker->err, r, "--report %s",
							 options->report_path);
	}
	end_cgroup(broker);
	terminal_end_alike(&broker->terminal, broker->wait_status);
}

static void
broker_done(struct broker *broker)
{
	door_free(broker->door);
	resolver_client_free(broker->resolver);
	stdio_free(broker->pumps);
	terminal_done(&broker->terminal);
	cgroup_done(&broker->cgroup);
	violations_free(broker->violations);
	loop_free(broker->loop);
	strv_done(&broker->placeholders);
	tree_done(&broker->tree);
	fd_close(broker->signal_fd);
	fd_close(broker->report_fd);
	/* Init, which waits for that, goes about its own end. */
	sandbox_done(&broker->sandbox);
}

static int
run(struct broker *broker, const struct broker_options *options)
{
	int r = loop_run(broker->loop);

	if (r < 0) {
		kill(broker->sandbox.init_pid, SIGKILL);
		broker->result = error_set_errno(broker->err, r, "the broker's loop failed");
	}
	/* Nothing has run, nothing is told: init itself is all there was. */
	if (wants_another_plan(broker->result))
		wait_for_init(broker);
	else
		finish(broker, options);
	return broker->result;
}

int
broker_run(const struct policy *policy, struct plan *plan, const struct broker_options *options,
	   struct error *err)
{
	_cleanup_(broker_done) struct broker broker = {
		.policy = policy,
		.plan = plan,
		.sandbox = { .init_pidfd = -1, .control_fd = -1 },
		.cgroup = CGROUP_INIT,
		.terminal = { .fd = -1 },
		.signal_fd = -1,
		.report_fd = -1,
		.result = -ECANCELED,
		.err = err,
	};
	int r;

	error_set(err, -ECANCELED, "the sandbox ended while it was being made");
	broker.loop = loop_new();
	broker.violations = violations_new();
	r = start(&broker, options);
	if (r == 0)
		r = run(&broker, options);
	/* It begins with what porta was started with. */
	if (wants_another_plan(r))
		sigprocmask(SIG_SETMASK, &plan->signal_mask, NULL);
	return r;
}
