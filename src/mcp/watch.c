/*
 * The files of a served agent: when the module or its manifest changes, the agent is loaded anew.
 * Compiling is done by a child process, into the cache; the server itself goes on meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "mcp/internal.h"
#include "mcp/processor.h"
#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "wasm/worker.h"

/* From the last change until it is looked at: a build writes more than once. */
#define SETTLE_MS 200

struct mcp_watcher {
	struct mcp_server *server;
	int fd;
	char *names[2]; /* in the watched directory */
	struct event_watch *watch;
	struct event_timer *timer;
	struct worker child; /* compiles; of worker.h only its end is used */
	int child_fd;	     /* a pidfd */
	struct event_watch *child_watch;
	bool is_stale; /* it changed once more meanwhile */
};

static void
note(const struct mcp_watcher *watcher, const char *what, const char *sentence)
{
	_cleanup_free_ char *text = mem_printf("%s: %s", what, sentence);

	watcher->server->settings->note(text);
}

static bool
is_same(const struct edition *a, const struct edition *b)
{
	struct strbuf texts[2] = { STRBUF_INIT, STRBUF_INIT };
	bool same = memcmp(a->agent.module.hash, b->agent.module.hash, sizeof(a->agent.module.hash)) == 0;

	if (a->agent.manifest.root != NULL)
		json_write(&texts[0], a->agent.manifest.root, JSON_STYLE_COMPACT);
	if (b->agent.manifest.root != NULL)
		json_write(&texts[1], b->agent.manifest.root, JSON_STYLE_COMPACT);
	if ((texts[0].text == NULL) != (texts[1].text == NULL) ||
	    (texts[0].text != NULL && !str_equal(texts[0].text, texts[1].text)))
		same = false;
	strbuf_done(&texts[0]);
	strbuf_done(&texts[1]);
	return same;
}

/* With its code in the cache, this takes milliseconds. */
static void
replace(struct mcp_watcher *watcher)
{
	struct mcp_server *server = watcher->server;
	struct edition_settings settings = server->settings->edition;
	struct error err = ERROR_INIT;
	struct edition *edition;
	int code = 0;

	settings.granted_max = &server->granted;
	edition = edition_load(&settings, &code, &err);
	if (edition == NULL) {
		note(watcher, "the changed agent is not taken", err.message);
		return;
	}
	if (is_same(server->edition, edition)) {
		edition_leave(edition);
		return;
	}
	for (size_t i = 0; i < edition->notes.count; i++)
		server->settings->note(edition->notes.items[i]);
	edition_leave(server->edition);
	server->edition = edition;
	server->metrics.reloads++;
	listen_tell_changed(server);
}

static _noreturn_ void
become_compiler(const struct mcp_watcher *watcher, pid_t parent)
{
	const struct edition_settings *settings = &watcher->server->settings->edition;
	struct code_watch watch = { .signal_fd = -1 };
	struct error err = ERROR_INIT;
	struct agent agent;
	sigset_t mask;
	int r;

	worker_end_with_parent(parent);
	worker_reset_signals();
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U) < 0 ||
	    code_watch_signals(&watch, &mask, &err) < 0)
		_exit(EXIT_CODE_FAILED);
	agent_init(&agent, settings->path, settings->policy);
	agent.use = AGENT_SERVE;
	(void)cache_open(&agent.cache, true, &err);
	r = agent_open(&agent, &err);
	if (r == 0)
		r = agent_load(&agent, &watch, &err);
	/* What is wrong with it is told when the server itself looks. */
	_exit(r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK);
}

static void
child_ended(void *data, unsigned int what)
{
	struct mcp_watcher *watcher = data;

	(void)what;
	event_watch_free(TAKE_PTR(watcher->child_watch));
	fd_close(TAKE_FD(watcher->child_fd));
	worker_end(&watcher->child);
	watcher->child = (struct worker)WORKER_INIT;
	if (watcher->is_stale)
		event_timer_set(watcher->timer, SETTLE_MS);
	else
		replace(watcher);
}

static void
settled(void *data)
{
	struct mcp_watcher *watcher = data;
	pid_t parent = getpid();
	pid_t pid;

	watcher->is_stale = watcher->child.pid > 0;
	if (watcher->is_stale)
		return;
	processor_let_go();
	pid = fork();
	if (pid == 0)
		become_compiler(watcher, parent);
	watcher->child.pid = pid;
	watcher->child_fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (watcher->child_fd < 0) {
		worker_end(&watcher->child);
		watcher->child = (struct worker)WORKER_INIT;
		replace(watcher);
		return;
	}
	watcher->child_watch =
	    event_watch_new(watcher->server->events, watcher->child_fd, child_ended, watcher);
	event_watch_set(watcher->child_watch, EVENTS_READ);
}

static bool
is_ours(const struct mcp_watcher *watcher, const struct inotify_event *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(watcher->names); i++) {
		if (event->len > 0 && str_equal(event->name, watcher->names[i]))
			return true;
	}
	return false;
}

static void
changed(void *data, unsigned int what)
{
	struct mcp_watcher *watcher = data;
	char bytes[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	(void)what;
	while ((n = read(watcher->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(bytes + at);

			if (is_ours(watcher, event) || (event->mask & IN_Q_OVERFLOW) != 0)
				event_timer_set(watcher->timer, SETTLE_MS);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
}

/* Where nothing can be watched, nothing is: the agent stays what it was. */
struct mcp_watcher *
watcher_new(struct mcp_server *server)
{
	struct mcp_watcher *watcher = MEM_NEW(struct mcp_watcher);
	const char *path = server->settings->edition.path;
	_cleanup_free_ char *manifest = manifest_path_of(path);
	const char *base = strrchr(path, '/');
	_cleanup_free_ char *directory =
	    base == NULL ? mem_strdup(".") : mem_strndup(path, MAX((size_t)(base - path), (size_t)1));

	watcher->server = server;
	watcher->child = (struct worker)WORKER_INIT;
	watcher->child_fd = -1;
	watcher->names[0] = mem_strdup(base == NULL ? path : base + 1);
	base = strrchr(manifest, '/');
	watcher->names[1] = mem_strdup(base == NULL ? manifest : base + 1);
	watcher->timer = event_timer_new(server->events, settled, watcher);
	watcher->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watcher->fd < 0 ||
	    inotify_add_watch(watcher->fd, directory,
			      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0) {
		note(watcher, "changes of the agent are not seen", strerror(errno));
		return watcher;
	}
	watcher->watch = event_watch_new(server->events, watcher->fd, changed, watcher);
	event_watch_set(watcher->watch, EVENTS_READ);
	return watcher;
}

void
watcher_free(struct mcp_watcher *watcher)
{
	if (watcher == NULL)
		return;
	event_watch_free(watcher->watch);
	event_watch_free(watcher->child_watch);
	event_timer_free(watcher->timer);
	worker_end(&watcher->child);
	fd_close(watcher->child_fd);
	fd_close(watcher->fd);
	for (size_t i = 0; i < ARRAY_SIZE(watcher->names); i++)
		free(watcher->names[i]);
	free(watcher);
}
