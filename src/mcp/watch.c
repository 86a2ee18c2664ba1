/*
 * The files of a served agent: when the module or its manifest changes, the agent is loaded anew.
 * That is done by a child process; the server itself goes on meanwhile, and takes the new one when a worker of it
 * is ready.
 */
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "mcp/child.h"
#include "mcp/edition_image.h"
#include "mcp/internal.h"
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
	struct worker child; /* loads; of worker.h only its end is used */
	int child_fd;	     /* a pidfd: when it has ended, all is sent */
	struct event_watch *child_watch;
	struct edition *next; /* loaded; its first worker starts */
	struct pool_user next_user;
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

static void
refuse(const struct mcp_watcher *watcher, const char *sentence)
{
	note(watcher, "the changed agent is not taken", sentence);
}

static void
drop_next(struct mcp_watcher *watcher)
{
	if (watcher->next == NULL)
		return;
	pool_leave(watcher->next->pool, &watcher->next_user, false);
	edition_leave(TAKE_PTR(watcher->next));
}

/* What is loaded, or not, is settled. */
static void
look_again(struct mcp_watcher *watcher)
{
	if (watcher->is_stale)
		event_timer_set(watcher->timer, SETTLE_MS);
}

/* A worker of the new one is ready: no call waits for it. */
static void
replace(void *data, struct pool_worker *worker)
{
	struct mcp_watcher *watcher = data;
	struct mcp_server *server = watcher->server;
	struct edition *old = server->edition;

	(void)worker;
	pool_leave(watcher->next->pool, &watcher->next_user, false);
	server->edition = TAKE_PTR(watcher->next);
	for (size_t i = 0; i < server->edition->notes.count; i++)
		server->settings->note(server->edition->notes.items[i]);
	edition_leave(old);
	server->metrics.reloads++;
	listen_tell_changed(server);
	look_again(watcher);
}

static void
lost(void *data, const char *sentence)
{
	struct mcp_watcher *watcher = data;
	struct pool *pool = watcher->next->pool;

	refuse(watcher, sentence);
	/* It is its pool that says so. */
	pool_hold(pool);
	edition_leave(TAKE_PTR(watcher->next));
	pool_let_go(pool);
	look_again(watcher);
}

static void
prepare(struct mcp_watcher *watcher, struct edition *edition)
{
	if (is_same(watcher->server->edition, edition)) {
		edition_leave(edition);
		look_again(watcher);
		return;
	}
	watcher->next = edition;
	watcher->next_user =
	    (struct pool_user){ .given = replace, .heard = NULL, .lost = lost, .data = watcher };
	pool_want(edition->pool, &watcher->next_user);
}

static void
child_ended(void *data, unsigned int what)
{
	struct mcp_watcher *watcher = data;
	struct edition_settings settings = watcher->server->settings->edition;
	struct error err = ERROR_INIT;
	struct edition *edition = NULL;

	(void)what;
	settings.granted_max = &watcher->server->granted;
	if (!watcher->is_stale)
		edition = edition_image_receive(&settings, watcher->child.control_fd, &err);
	event_watch_free(TAKE_PTR(watcher->child_watch));
	fd_close(TAKE_FD(watcher->child_fd));
	worker_end(&watcher->child);
	watcher->child = (struct worker)WORKER_INIT;
	if (edition != NULL) {
		prepare(watcher, edition);
		return;
	}
	if (!watcher->is_stale)
		refuse(watcher, err.message);
	look_again(watcher);
}

static void
settled(void *data)
{
	struct mcp_watcher *watcher = data;
	struct edition_settings settings = watcher->server->settings->edition;
	struct error err = ERROR_INIT;

	watcher->is_stale = watcher->child.pid > 0 || watcher->next != NULL;
	if (watcher->is_stale)
		return;
	settings.granted_max = &watcher->server->granted;
	if (child_start(edition_image_send, &settings, SOCK_SEQPACKET, &watcher->child, &err) < 0) {
		refuse(watcher, err.message);
		return;
	}
	watcher->child_fd = (int)syscall(SYS_pidfd_open, watcher->child.pid, 0);
	if (watcher->child_fd < 0) {
		refuse(watcher, strerror(errno));
		worker_end(&watcher->child);
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
	drop_next(watcher);
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
