/*
 * Connects of unix sockets: what the sandbox itself listens on, what lies in a -v
 * mount, what --allow-unix names. The judged inode is the one that is connected to: it is held by a
 * handle, and the connect goes through /proc/self/fd.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/caller_link.h"
#include "broker/door_internal.h"
#include "broker/sock_diag.h"
#include "util/fd.h"
#include "util/mem.h"

/* The wall clock is read more coarsely for files than here. */
#define BIRTH_TOLERANCE_SECONDS 2

/*
 * The kernel tells the bound file of a listener by the low half of its inode number only. A
 * file that is older than the sandbox is none of its own, so nobody is mistaken for a service that
 * was there before; afterwards it would take 2^32 new files to be taken for one.
 */
static bool
is_own_listener(struct door *door, pid_t tid, const struct unix_path_file *file)
{
	uint32_t device;

	if (door->listeners.count == 0)
		return false;
	if (file->born_seconds != 0 &&
	    file->born_seconds + BIRTH_TOLERANCE_SECONDS < door->started_seconds)
		return false;
	device = caller_mounts_device(&door->mounts, tid, file);
	return device != 0 && listeners_own_unix_file(&door->listeners, device, file->inode);
}

/*
 * A file that no socket listens on any more: programs tell a stale socket of theirs by the kernel's
 * answer.
 */
static bool
is_stale(struct door *door, pid_t tid, const struct unix_path_file *file)
{
	uint32_t device = caller_mounts_device(&door->mounts, tid, file);
	_cleanup_fd_ int diag_fd = sock_diag_open();

	return device != 0 &&
	       sock_diag_unix_file_listens(diag_fd, device, (uint32_t)file->inode) == 0;
}

static int
judge_file(struct door *door, pid_t tid, const struct unix_path_file *file)
{
	char link[64];
	char path[PATH_MAX];
	_cleanup_free_ char *remedy = NULL;
	ssize_t n;

	if (is_own_listener(door, tid, file) || caller_mounts_is_named(&door->mounts, file) ||
	    unix_allowed_contains(&door->unix_allowed, file))
		return 0;
	if (is_stale(door, tid, file))
		return -ECONNREFUSED;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[MAX(n, 0)] = '\0';
	remedy = door_remedy("--allow-unix", path);
	violations_record(door->config.violations, VIOLATION_UNIX, path, remedy, NULL);
	return -EACCES;
}

/*
 * As root a caller may have another user's rights: they decide what it reaches, and who it is to
 * the other side.
 */
static bool
has_other_rights(const struct door *door, pid_t tid)
{
	struct as_caller_credentials credentials;

	return door->config.plan->as_root && (as_caller_read_credentials(tid, &credentials) < 0 ||
					      !as_caller_is_same_user(&credentials));
}

static int
open_as_caller(struct door *door, const struct notify_request *request,
	       const struct caller_place *place, struct unix_path_file *ret_file)
{
	struct as_caller_job job = door_new_job(door, request, AS_CALLER_OPEN);
	int fd;

	job.handle_fd = place->fd;
	snprintf(job.path, sizeof(job.path), "%s", place->path);
	fd = as_caller_open(&job);
	return fd < 0 ? fd : unix_path_describe(fd, ret_file);
}

/* A descriptor that was named itself: a handle of a socket's file (O_PATH), or nothing to connect
 * to. */
static int
take_file(struct caller_place *place, struct unix_path_file *ret_file)
{
	int flags = fcntl(place->fd, F_GETFL);

	if (flags < 0 || !(flags & O_PATH))
		return -ECONNREFUSED;
	return unix_path_describe(TAKE_FD(place->fd), ret_file);
}

/* *ret_other_rights: the connect too is to be made with the caller's. */
static int
open_file(struct door *door, const struct notify_request *request, struct caller_place *place,
	  struct unix_path_file *ret_file, bool *ret_other_rights)
{
	int r = -EACCES;

	*ret_other_rights = has_other_rights(door, request->tid);
	if (place->fd >= 0 && place->path[0] == '\0')
		r = take_file(place, ret_file);
	else if (!*ret_other_rights)
		r = unix_path_open(request->tid, place->fd, place->path, ret_file);
	/*
	 * The broker has no capability of its own; a root inside may have some over the sandbox's
	 * files.
	 */
	if (r == 0 && door->config.plan->as_root && !*ret_other_rights)
		*ret_other_rights =
		    faccessat(ret_file->fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) < 0;
	if (r != -EACCES || !door->config.plan->as_root)
		return r;
	*ret_other_rights = true;
	return open_as_caller(door, request, place, ret_file);
}

static void
connect_file(struct door *door, const struct notify_request *request, struct door_socket *socket,
	     int file_fd, bool other_rights)
{
	union door_address address = { 0 };
	socklen_t bytes;

	address.un.sun_family = AF_UNIX;
	snprintf(address.un.sun_path, sizeof(address.un.sun_path), "/proc/self/fd/%d", file_fd);
	bytes =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address.un.sun_path) + 1);
	if (other_rights) {
		struct as_caller_job job = door_new_job(door, request, AS_CALLER_CONNECT);

		job.socket_fd = TAKE_FD(socket->fd);
		job.handle_fd = file_fd;
		job.address = address.un;
		job.address_bytes = bytes;
		door_perform_as_caller(door, request, &job);
		return;
	}
	door_perform_connect(door, request, TAKE_FD(socket->fd), &address, bytes, file_fd, false);
}

/* 0 and the request is taken care of, or a negative errno. */
static int
connect_path(struct door *door, const struct notify_request *request, struct door_socket *socket,
	     const char *path)
{
	struct unix_path_file file;
	struct caller_place place;
	bool other_rights = false;
	int r = caller_link_resolve(&door->notify, request, path, &place);

	if (r == 0) {
		r = open_file(door, request, &place, &file, &other_rights);
		patience_close(place.fd);
	}
	if (r < 0)
		return r;
	if (!notify_is_valid(&door->notify, request->id))
		r = -ESRCH;
	else if (!S_ISSOCK(file.mode))
		r = -ECONNREFUSED;
	else
		r = judge_file(door, request->tid, &file);
	if (r < 0) {
		patience_close(file.fd);
		return r;
	}
	connect_file(door, request, socket, file.fd, other_rights);
	return 0;
}

static int
connect_abstract(struct door *door, const struct notify_request *request,
		 struct door_socket *socket, const union door_address *address, socklen_t bytes)
{
	size_t length = bytes - offsetof(struct sockaddr_un, sun_path);
	char subject[sizeof(address->un.sun_path) + 1] = "@";

	if (listeners_own_abstract(&door->listeners, socket->type, address->un.sun_path, length)) {
		door_perform_connect(door, request, TAKE_FD(socket->fd), address, bytes, -1, true);
		return 0;
	}
	memcpy(subject + 1, address->un.sun_path + 1, length - 1);
	violations_record(door->config.violations, VIOLATION_UNIX, subject, "",
			  "abstract sockets outside the sandbox cannot be reached");
	return -ECONNREFUSED;
}

void
door_connect_unix(struct door *door, const struct notify_request *request,
		  struct door_socket *socket, const union door_address *address, socklen_t bytes)
{
	char path[sizeof(address->un.sun_path) + 1] = "";
	int r;

	if (socket->type != SOCK_STREAM && socket->type != SOCK_SEQPACKET) {
		violations_record(door->config.violations, VIOLATION_UNIX, "a datagram socket", "",
				  "unix datagram sockets could send to any path");
		r = -EACCES;
	} else if (address->any.sa_family != AF_UNIX ||
		   bytes <= offsetof(struct sockaddr_un, sun_path) || bytes > sizeof(address->un)) {
		r = -EINVAL;
	} else if (address->un.sun_path[0] == '\0') {
		r = connect_abstract(door, request, socket, address, bytes);
	} else {
		/* Ends at the first NUL, or where the caller said. */
		memcpy(path, address->un.sun_path, bytes - offsetof(struct sockaddr_un, sun_path));
		r = connect_path(door, request, socket, path);
	}
	patience_close(socket->fd);
	if (r < 0)
		notify_answer_result(&door->notify, request->id, r);
}
