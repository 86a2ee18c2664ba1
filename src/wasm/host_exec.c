/*
 * porta.exec_command; see host_exec.h.
 *
 * The command is the child of a broker of its own, a child of porta, whose output comes back by two
 * pipes. Killing the broker ends all that the command has started.
 */
#include "wasm/host_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/run.h"
#include "sandbox/linux/plan_paths.h"
#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "wasm/worker.h"

struct request {
	const char *command; /* as listed */
	const char *path;    /* where it was found */
	struct strv argv;
	const char *cwd; /* NULL: porta's own */
};

struct output {
	int fd; /* -1 at its end */
	struct strbuf text;
};

struct execution {
	pid_t pid;
	struct output outputs[2]; /* stdout, stderr */
	int status;
};

static int
read_arguments(const struct json_place *list, struct strv *argv, struct error *err)
{
	size_t count;
	int r = json_expect(list, JSON_KIND_ARRAY, err);

	if (r < 0)
		return r;
	count = json_count(list);
	if (count > HOST_EXEC_ARGUMENTS_MAX)
		return error_set(err, -E2BIG, "more than %d arguments", HOST_EXEC_ARGUMENTS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct json_place item;
		const char *text;

		json_item(list, i, &item);
		r = json_get_string(&item, &text, err);
		if (r < 0)
			return r;
		strv_add(argv, text);
	}
	return 0;
}

/* A request of another form is no request: the guest hears -1. */
static int
read_request(const struct json_place *place, struct request *ret_request, struct error *err)
{
	struct json_place member;
	int r;

	if (!json_member(place, "command", &member))
		return -EINVAL;
	r = json_get_string(&member, &ret_request->command, err);
	if (r < 0)
		return r;
	strv_add(&ret_request->argv, ret_request->command);
	if (json_member(place, "args", &member))
		r = read_arguments(&member, &ret_request->argv, err);
	if (r == 0 && json_member(place, "cwd", &member) &&
	    json_kind_of(&member) != JSON_KIND_NULL)
		r = json_get_string(&member, &ret_request->cwd, err);
	return r;
}

/*
 * In the child: the run's own policy without what is for the agent alone. Of the environment no
 * secret goes along; what the command itself may execute is not limited.
 */
static int
run_sandboxed(const struct policy *policy, const struct request *request, struct error *err)
{
	const struct broker_options options = { .quiet = true };
	struct policy native = *policy;
	struct env_request env = { .inherit = policy->env.inherit };
	struct strv environment = STRV_INIT;
	struct sandbox_command command = { .name = request->path,
					   .argv = &request->argv,
					   .environment = &environment };

	env.entries = mem_zalloc(policy->env.count + 1, sizeof(*env.entries));
	for (size_t i = 0; i < policy->env.count; i++) {
		if (policy->env.entries[i].kind != ENV_ENTRY_SECRET)
			env.entries[env.count++] = policy->env.entries[i];
	}
	native.allow_exec_set = false;
	native.allow_exec = (struct strv)STRV_INIT;
	native.limits.timeout_ms = 0;
	env_build(&env, environ, net_mode_name(native.net_mode), &environment);
	return run_command(&native, &command, 0, &options, err);
}

static _noreturn_ void
become_command(pid_t parent, const struct host_calls_context *context,
	       const struct request *request, const int output_fds[2])
{
	struct error err = ERROR_INIT;
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int r;

	worker_end_with_parent(parent);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
	    dup2(output_fds[0], STDOUT_FILENO) < 0 || dup2(output_fds[1], STDERR_FILENO) < 0 ||
	    syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U) < 0 ||
	    setpgid(0, 0) < 0 || sigprocmask(SIG_SETMASK, context->signal_mask, NULL) < 0)
		_exit(EXIT_CODE_FAILED);
	if (request->cwd != NULL && chdir(request->cwd) < 0) {
		dprintf(STDERR_FILENO, "porta: cannot go to %s: %s\n", request->cwd, strerror(errno));
		_exit(EXIT_CODE_FAILED);
	}
	r = run_sandboxed(context->policy, request, &err);
	if (r < 0)
		dprintf(STDERR_FILENO, "porta: %s\n", err.message);
	_exit(r < 0 ? -r : r);
}

static int
start(const struct host_calls_context *context, const struct request *request,
      struct execution *execution)
{
	int out[2];
	int errors[2];
	pid_t parent;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(errors, O_CLOEXEC) < 0) {
		fd_close(out[0]);
		fd_close(out[1]);
		return -errno;
	}
	parent = getpid();
	execution->pid = fork();
	if (execution->pid == 0)
		become_command(parent, context, request, (const int[]){ out[1], errors[1] });
	fd_close(out[1]);
	fd_close(errors[1]);
	execution->outputs[0].fd = out[0];
	execution->outputs[1].fd = errors[0];
	return execution->pid < 0 ? -errno : 0;
}

/* 0 or a negative errno; -EFBIG: it says too much. */
static int
take_output(struct output *output)
{
	char bytes[65536];
	ssize_t n = read(output->fd, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0) {
		fd_close(TAKE_FD(output->fd));
		return 0;
	}
	if (output->text.length + (size_t)n > HOST_EXEC_OUTPUT_MAX_BYTES)
		return -EFBIG;
	strbuf_add(&output->text, bytes, (size_t)n);
	return 0;
}

/* Until both streams end; -ETIME when the call's time is over, -EINTR when porta is to end. */
static int
collect(struct execution *execution, const struct host_calls_context *context)
{
	uint64_t deadline_ms = context->deadline_ms;

	while (execution->outputs[0].fd >= 0 || execution->outputs[1].fd >= 0) {
		struct pollfd watched[3] = { [2] = { .fd = context->signal_fd, .events = POLLIN } };
		uint64_t now = worker_now_ms();
		int left_ms = -1;
		int r;

		if (deadline_ms != 0)
			left_ms = now >= deadline_ms ? 0 : (int)MIN(deadline_ms - now, (uint64_t)86400000);
		for (size_t i = 0; i < ARRAY_SIZE(execution->outputs); i++)
			watched[i] = (struct pollfd){ .fd = execution->outputs[i].fd,
						      .events = POLLIN };
		r = poll(watched, ARRAY_SIZE(watched), left_ms);
		if (r == 0)
			return -ETIME;
		if (watched[2].revents != 0)
			return -EINTR;
		for (size_t i = 0; r > 0 && i < ARRAY_SIZE(execution->outputs); i++) {
			int taken = watched[i].revents == 0 ? 0 : take_output(&execution->outputs[i]);

			if (taken < 0)
				return taken;
		}
	}
	return 0;
}

static void
end(struct execution *execution, bool kill_it)
{
	if (execution->pid > 0 && kill_it)
		kill(execution->pid, SIGKILL);
	while (execution->pid > 0 && waitpid(execution->pid, &execution->status, 0) < 0 &&
	       errno == EINTR)
		;
	for (size_t i = 0; i < ARRAY_SIZE(execution->outputs); i++)
		fd_close(TAKE_FD(execution->outputs[i].fd));
}

static json_value *
text_of(const struct output *output)
{
	return json_new_text(output->text.text == NULL ? "" : output->text.text, output->text.length);
}

static void
put_result(const struct execution *execution, struct strbuf *out)
{
	_cleanup_json_ json_value *response = json_new_object();
	int code = WIFSIGNALED(execution->status)
		       ? EXIT_CODE_SIGNAL_BASE + WTERMSIG(execution->status)
		       : WEXITSTATUS(execution->status);

	json_set(response, "exit_code", json_new_integer(code));
	json_set(response, "stdout", text_of(&execution->outputs[0]));
	json_set(response, "stderr", text_of(&execution->outputs[1]));
	json_write(out, response, JSON_STYLE_COMPACT);
}

static void
execute(const struct host_calls_context *context, const struct request *request,
	struct strbuf *out)
{
	struct execution execution = { .pid = -1, .outputs = { { .fd = -1 }, { .fd = -1 } } };
	int r = start(context, request, &execution);

	if (r == 0)
		r = collect(&execution, context);
	end(&execution, r < 0);
	if (r == -EFBIG)
		host_calls_put_error(out, "the command wrote more than 16 MiB");
	else if (r == -ETIME)
		host_calls_put_error(out, "the command timed out");
	else if (r < 0)
		host_calls_put_error(out, "the command could not be started");
	else
		put_result(&execution, out);
	for (size_t i = 0; i < ARRAY_SIZE(execution.outputs); i++)
		strbuf_done(&execution.outputs[i].text);
}

/* Whether a path leads out of every writable mount. */
static bool
is_trusted(const char *path, const struct strv *writable, char **ret_path)
{
	char resolved[PATH_MAX];

	if (path[0] != '/' || realpath(path, resolved) == NULL || access(resolved, X_OK) < 0)
		return false;
	for (size_t i = 0; i < writable->count; i++) {
		if (path_is_beneath(resolved, writable->items[i]))
			return false;
	}
	*ret_path = mem_strdup(resolved);
	return true;
}

static char *
find_word(const char *word, const struct strv *writable)
{
	const char *directories = getenv("PATH");
	char *found = NULL;

	if (strchr(word, '/') != NULL)
		return is_trusted(word, writable, &found) ? found : mem_strdup("");
	while (directories != NULL && *directories != '\0') {
		size_t length = strcspn(directories, ":");
		_cleanup_free_ char *directory = mem_strndup(directories, length);
		_cleanup_free_ char *path = path_join(directory, word);

		if (is_trusted(path, writable, &found))
			return found;
		directories += length + (directories[length] == ':');
	}
	return mem_strdup("");
}

void
host_exec_find(const struct policy *policy, struct strv *ret_paths)
{
	struct strv writable = STRV_INIT;
	struct plan_homes homes;

	if (!policy->allow_exec_set)
		return;
	/* Writable in every sandbox. */
	strv_add(&writable, "/tmp");
	plan_homes_find(geteuid(), &homes);
	for (size_t i = 0; i < policy->mounts_count; i++) {
		struct error err = ERROR_INIT;
		char *path = NULL;
		struct stat status;

		/* One that is not there is told when the worker is started. */
		if (!policy->mounts[i].read_only &&
		    plan_path_resolve(policy->mounts[i].host, &homes, &path, &status, &err) == 0)
			strv_take(&writable, path);
	}
	for (size_t i = 0; i < policy->allow_exec.count; i++)
		strv_take(ret_paths, find_word(policy->allow_exec.items[i], &writable));
	plan_homes_done(&homes);
	strv_done(&writable);
}

/* Sets the path of a command that --allow-exec names, exactly. */
static bool
find_listed(const struct host_calls_context *context, struct request *request)
{
	const struct strv *words = &context->policy->allow_exec;

	for (size_t i = 0; i < words->count; i++) {
		if (str_equal(words->items[i], request->command)) {
			request->path = context->exec_paths->items[i];
			return true;
		}
	}
	return false;
}

int
host_exec_answer(const struct host_calls_context *context, const struct json_place *place,
		 struct strbuf *ret_response)
{
	struct request request = { .argv = STRV_INIT };
	struct error err = ERROR_INIT;
	int r = read_request(place, &request, &err);

	if (r == 0 && !context->policy->allow_exec_set)
		host_calls_put_error(ret_response, "no command may be started: --allow-exec names them");
	else if (r == 0 && !find_listed(context, &request))
		host_calls_put_error(ret_response, "this command is not one that --allow-exec names");
	else if (r == 0 && request.path[0] == '\0')
		host_calls_put_error(ret_response,
				     "this command was not found outside of what the agent can write");
	else if (r == 0)
		execute(context, &request, ret_response);
	strv_done(&request.argv);
	return r < 0 ? 1 : 0;
}
