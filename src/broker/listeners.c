/* The sandbox's own listeners; see listeners.h. */
#include "broker/listeners.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/sock_diag.h"
#include "util/fd.h"
#include "util/mem.h"

struct listener {
	uint64_t cookie;
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} address; /* as getsockname gave it */
	socklen_t address_bytes;
	int type;		    /* unix only */
	struct sock_diag_unix diag; /* unix only */
};

void
listeners_init(struct listeners *listeners)
{
	*listeners = (struct listeners){ .diag_fd = -1 };
}

void
listeners_done(struct listeners *listeners)
{
	if (listeners == NULL)
		return;
	fd_close(TAKE_FD(listeners->diag_fd));
	free(TAKE_PTR(listeners->items));
	listeners->count = listeners->capacity = 0;
}

static bool
is_alive(const struct listeners *listeners, struct listener *listener)
{
	uint64_t cookie;

	if (listener->address.any.sa_family == AF_UNIX)
		return sock_diag_find_unix_listener(listeners->diag_fd, &listener->diag) == 0;
	return sock_diag_find_tcp_listener(listeners->diag_fd, &listener->address.any, &cookie) ==
		   0 &&
	       cookie == listener->cookie;
}

bool
listeners_has_room(struct listeners *listeners)
{
	size_t kept = 0;

	if (listeners->count < LISTENERS_MAX)
		return true;
	for (size_t i = 0; i < listeners->count; i++) {
		if (is_alive(listeners, &listeners->items[i]))
			listeners->items[kept++] = listeners->items[i];
	}
	listeners->count = kept;
	return kept < LISTENERS_MAX;
}

static int
cookie_of_socket(int socket_fd, uint64_t *ret_cookie)
{
	socklen_t n = sizeof(*ret_cookie);

	return getsockopt(socket_fd, SOL_SOCKET, SO_COOKIE, ret_cookie, &n) < 0 ? -errno : 0;
}

/* A second listen on the same socket only changes its backlog. */
static struct listener *
find_or_add(struct listeners *listeners, uint64_t cookie)
{
	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->items[i].cookie == cookie)
			return &listeners->items[i];
	}
	MEM_GROW(listeners->items, listeners->capacity, listeners->count);
	return &listeners->items[listeners->count++];
}

/* Fills in what tells the socket from others. */
static int
describe_socket(int socket_fd, struct listener *ret_listener)
{
	ret_listener->address_bytes = sizeof(ret_listener->address);
	if (getsockname(socket_fd, &ret_listener->address.any, &ret_listener->address_bytes) < 0)
		return -errno;
	return cookie_of_socket(socket_fd, &ret_listener->cookie);
}

int
listeners_note_tcp(struct listeners *listeners, int socket_fd)
{
	struct listener listener = { 0 };
	int r = describe_socket(socket_fd, &listener);

	if (r < 0)
		return r;
	*find_or_add(listeners, listener.cookie) = listener;
	return 0;
}

int
listeners_note_unix(struct listeners *listeners, int socket_fd)
{
	struct listener listener = { 0 };
	socklen_t n = sizeof(listener.type);
	struct stat status;
	int r = describe_socket(socket_fd, &listener);

	if (r < 0)
		return r;
	if (fstat(socket_fd, &status) < 0 ||
	    getsockopt(socket_fd, SOL_SOCKET, SO_TYPE, &listener.type, &n) < 0)
		return -errno;
	listener.diag.inode = (uint32_t)status.st_ino;
	listener.diag.cookie = listener.cookie;
	r = sock_diag_find_unix_listener(listeners->diag_fd, &listener.diag);
	if (r < 0)
		return r;
	*find_or_add(listeners, listener.cookie) = listener;
	return 0;
}

int
listeners_own_tcp(const struct listeners *listeners, const struct sockaddr *address)
{
	uint64_t cookie;
	int r = sock_diag_find_tcp_listener(listeners->diag_fd, address, &cookie);

	if (r < 0)
		return r == -ENOENT ? -ENOENT : 0;
	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->items[i].cookie == cookie)
			return 1;
	}
	return 0;
}

bool
listeners_own_unix_file(struct listeners *listeners, uint32_t device, uint64_t inode)
{
	for (size_t i = 0; i < listeners->count; i++) {
		struct listener *listener = &listeners->items[i];

		if (listener->address.any.sa_family == AF_UNIX &&
		    listener->diag.file_device == device &&
		    listener->diag.file_inode == (uint32_t)inode && is_alive(listeners, listener))
			return true;
	}
	return false;
}

bool
listeners_own_abstract(struct listeners *listeners, int type, const char *name, size_t length)
{
	for (size_t i = 0; i < listeners->count; i++) {
		struct listener *listener = &listeners->items[i];

		if (listener->address.any.sa_family == AF_UNIX && listener->type == type &&
		    listener->address_bytes == offsetof(struct sockaddr_un, sun_path) + length &&
		    memcmp(listener->address.un.sun_path, name, length) == 0 &&
		    is_alive(listeners, listener))
			return true;
	}
	return false;
}
