/*
 * The chmod family with a setgid bit: for directories only (they give their group to what is
 * made in them), so that no setgid program comes out of a sandbox. A child that sees
 * paths and mounts as the caller does looks at the file and changes it by the same handle.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "broker/caller_link.h"
#include "broker/door_internal.h"
#include "util/fd.h"

static struct as_caller_job
new_job(struct door *door, const struct notify_request *request, enum as_caller_action action,
	uint64_t mode)
{
	struct as_caller_job job = door_new_job(door, request, action);

	job.mode = (mode_t)mode & 07777;
	job.follow = true;
	return job;
}

/* fchmodat() of a C library that knows no fchmodat2 goes through /proc/self/fd. */
static int
follow_own_link(struct door *door, const struct notify_request *request, struct as_caller_job *job)
{
	struct caller_place place;
	int r = caller_link_resolve(&door->notify, request, job->path, &place);

	if (r < 0)
		return r;
	job->handle_fd = place.fd;
	memmove(job->path, place.path, strlen(place.path) + 1);
	return 0;
}

static void
change_mode_at(struct door *door, const struct notify_request *request, int directory_fd,
	       uint64_t path, uint64_t mode, int flags)
{
	struct as_caller_job job = new_job(door, request, AS_CALLER_CHMOD, mode);
	int r = notify_read_path(&door->notify, request, path, job.path, sizeof(job.path));

	if (r == 0 && job.path[0] == '\0' && !(flags & AT_EMPTY_PATH))
		r = -ENOENT;
	if (r == 0 && job.path[0] == '\0' && directory_fd == AT_FDCWD) {
		job.path[0] = '.';
		job.path[1] = '\0';
	}
	if (r == 0 && job.path[0] == '/' && !(flags & AT_SYMLINK_NOFOLLOW))
		r = follow_own_link(door, request, &job);
	else if (r == 0 && job.path[0] != '/' && directory_fd != AT_FDCWD)
		r = notify_take_fd(&door->notify, request, directory_fd, &job.handle_fd);
	if (r < 0) {
		notify_answer_result(&door->notify, request->id, r);
		return;
	}
	job.follow = !(flags & AT_SYMLINK_NOFOLLOW);
	door_perform_as_caller(door, request, &job);
}

void
door_handle_chmod(struct door *door, const struct notify_request *request)
{
	change_mode_at(door, request, AT_FDCWD, request->args[0], request->args[1], 0);
}

/* fchmodat2 has flags; the older fchmodat has none, and its fourth argument means nothing. */
void
door_handle_fchmodat(struct door *door, const struct notify_request *request)
{
	change_mode_at(door, request, (int)request->args[0], request->args[1], request->args[2], 0);
}

void
door_handle_fchmodat2(struct door *door, const struct notify_request *request)
{
	int flags = (int)request->args[3];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
		notify_answer_error(&door->notify, request->id, EINVAL);
		return;
	}
	change_mode_at(door, request, (int)request->args[0], request->args[1], request->args[2],
		       flags);
}

void
door_handle_fchmod(struct door *door, const struct notify_request *request)
{
	struct as_caller_job job = new_job(door, request, AS_CALLER_FCHMOD, request->args[1]);
	int r = notify_take_fd(&door->notify, request, (int)request->args[0], &job.handle_fd);

	if (r < 0)
		notify_answer_result(&door->notify, request->id, r);
	else
		door_perform_as_caller(door, request, &job);
}
