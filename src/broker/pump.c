/*
 * Pumps; see pump.h.
 *
 * Theory of operation
 *
 * Nothing is held between two steps. A step waits until the sink has room, then until the
 * source has data, and moves what fits: so the pipe is all that is ever read ahead, and a
 * slow reader slows the writer on either side. FIFOs and terminals are spliced, which never
 * waits; a regular file never waits either, and is copied: pages of the host's page
 * cache are not for a pipe that the sandbox holds (CVE-2022-0847), and splice refuses O_APPEND.
 * The caller's O_NONBLOCK is never touched: the shell has the same open file description.
 */
#include "broker/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"

#define PUMP_CHUNK_BYTES 65536 /* the size of a pipe */

struct pump {
	int number;
	bool is_output;
	bool is_file;	/* the outside is a regular file */
	int outside_fd; /* `number`, or a description of our own; -1 when done */
	int pipe_fd;	/* our end; -1 when done */
	int unread_fd;	/* input from a file: the inside end, to count at the end what nobody read; else -1 */
	off_t start;	/* input from a file: the caller's offset, and how far we read */
	off_t offset;
	int failure; /* output: a negative errno of the outside */
	struct loop *loop;
};

static int
source_of(const struct pump *pump)
{
	return pump->is_output ? pump->pipe_fd : pump->outside_fd;
}

static int
sink_of(const struct pump *pump)
{
	return pump->is_output ? pump->outside_fd : pump->pipe_fd;
}

/*
 * A blocked write to a terminal would stall the broker, so a description of our own, that does not
 * wait, is used where it can be had (not for another user's terminal).
 */
static int
open_outside(int number, bool is_output, bool is_terminal)
{
	char path[32];
	int fd = -1;

	if (is_terminal) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", number);
		fd = open(path, (is_output ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return fd < 0 ? number : fd;
}

int
pump_new(int number, bool is_output, struct pump **ret_pump, int *ret_inside_fd, struct error *err)
{
	struct pump *pump;
	struct stat st;
	int ends[2];
	int inside_fd;

	if (fstat(number, &st) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_set_errno(err, -errno, "cannot make a pipe for descriptor %d", number);
	inside_fd = ends[is_output ? 1 : 0];
	pump = MEM_NEW(struct pump);
	*pump = (struct pump){
		.number = number,
		.is_output = is_output,
		.is_file = S_ISREG(st.st_mode),
		.outside_fd = open_outside(number, is_output, S_ISCHR(st.st_mode)),
		.pipe_fd = ends[is_output ? 0 : 1],
		.unread_fd = -1,
	};
	fcntl(pump->pipe_fd, F_SETFL, O_NONBLOCK);
	if (pump->is_file && !is_output) {
		pump->start = MAX(lseek(number, 0, SEEK_CUR), (off_t)0);
		pump->offset = pump->start;
		pump->unread_fd = fcntl(inside_fd, F_DUPFD_CLOEXEC, 3);
	}
	*ret_pump = pump;
	*ret_inside_fd = inside_fd;
	return 0;
}

/*
 * Closes both sides, so that each hears that the other is gone. A regular file hears nothing, and
 * the footer still wants stderr. Before it began to pump nobody may hear: another plan may follow.
 */
static void
stop(struct pump *pump)
{
	if (pump->pipe_fd < 0)
		return;
	if (pump->loop != NULL) {
		loop_unwatch(pump->loop, pump->pipe_fd);
		loop_unwatch(pump->loop, pump->outside_fd);
	}
	fd_close(TAKE_FD(pump->pipe_fd));
	if (pump->outside_fd > STDERR_FILENO) {
		fd_close(TAKE_FD(pump->outside_fd));
	} else if (pump->loop != NULL && !pump->is_file && pump->number != STDERR_FILENO) {
		_cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null_fd >= 0)
			dup2(null_fd, pump->number);
	}
}

void
pump_free(struct pump *pump)
{
	if (pump == NULL)
		return;
	stop(pump);
	fd_close(pump->unread_fd);
	free(pump);
}

static size_t
pipe_used_bytes(int fd)
{
	int used = 0;

	return ioctl(fd, FIONREAD, &used) < 0 || used < 0 ? 0 : (size_t)used;
}

/* At its own offset: the caller's is set once, at the end, to what was really consumed. */
static ssize_t
copy_from_file(struct pump *pump)
{
	char bytes[PUMP_CHUNK_BYTES];
	size_t used = pipe_used_bytes(pump->pipe_fd);
	size_t room = used + PIPE_BUF < sizeof(bytes) ? sizeof(bytes) - used : PIPE_BUF;
	ssize_t n = pread(pump->outside_fd, bytes, room, pump->offset);

	if (n > 0)
		n = write(pump->pipe_fd, bytes, (size_t)n);
	if (n < 0)
		return -errno;
	pump->offset += n;
	return n;
}

static ssize_t
copy_to_file(struct pump *pump)
{
	char bytes[PUMP_CHUNK_BYTES];
	ssize_t n = read(pump->pipe_fd, bytes, sizeof(bytes));
	int r;

	if (n <= 0)
		return n < 0 ? -errno : 0;
	r = fd_write_all(pump->outside_fd, bytes, (size_t)n);
	return r < 0 ? r : n;
}

/* Moves what there is and what fits. Bytes, 0 at the end of the source, -EAGAIN, or another negative errno. */
static ssize_t
move(struct pump *pump)
{
	ssize_t n;

	if (pump->is_file) {
		n = pump->is_output ? copy_to_file(pump) : copy_from_file(pump);
	} else {
		n = splice(source_of(pump), NULL, sink_of(pump), NULL, PUMP_CHUNK_BYTES,
			   SPLICE_F_NONBLOCK);
		if (n < 0)
			n = -errno;
	}
	if (n == -EINTR)
		return -EAGAIN;
	/* A FIFO or terminal that went away is no failure: the writer inside gets its SIGPIPE. */
	if (n < 0 && n != -EAGAIN && pump->is_file && pump->is_output)
		pump->failure = (int)n;
	return n;
}

static void on_source(void *data, short revents);
static void on_sink(void *data, short revents);

static void
wait_for_source(struct pump *pump)
{
	/* No events: only that the sink has gone, which a file never does. */
	if (!pump->is_file || !pump->is_output)
		loop_watch(pump->loop, sink_of(pump), 0, on_sink, pump);
	loop_watch(pump->loop, source_of(pump), POLLIN, on_source, pump);
}

static void
wait_for_sink(struct pump *pump)
{
	loop_unwatch(pump->loop, source_of(pump));
	loop_watch(pump->loop, sink_of(pump), POLLOUT, on_sink, pump);
}

static void
on_sink(void *data, short revents)
{
	struct pump *pump = data;

	if (revents & (POLLERR | POLLHUP | POLLNVAL))
		stop(pump);
	else if (revents & POLLOUT)
		wait_for_source(pump);
}

static void
on_source(void *data, short revents)
{
	struct pump *pump = data;
	ssize_t n = move(pump);

	(void)revents;
	if (n == -EAGAIN && !(pump->is_file && pump->is_output))
		wait_for_sink(pump);
	else if (n <= 0 && n != -EAGAIN)
		stop(pump);
}

void
pump_start(struct pump *pump, struct loop *loop)
{
	pump->loop = loop;
	wait_for_source(pump);
}

static void
drain(struct pump *pump, const struct timespec *patience, const sigset_t *mask)
{
	/* Not until the end of file: a program outside may have been handed the sandbox's end. */
	while (pipe_used_bytes(pump->pipe_fd) > 0) {
		struct pollfd polled = { .fd = pump->outside_fd, .events = POLLOUT };
		ssize_t n = move(pump);

		if (n == -EAGAIN && ppoll(&polled, 1, patience, mask) == 0)
			return;
		if (n <= 0 && n != -EAGAIN)
			return;
	}
}

/* What the sandbox wrote into its own end counts as unread too, so the result is held within what was read. */
static void
set_offset_back(const struct pump *pump)
{
	off_t unread = (off_t)pipe_used_bytes(pump->unread_fd);
	off_t consumed = MAX(pump->offset - unread, pump->start);

	if (consumed != pump->start)
		lseek(pump->number, consumed, SEEK_SET);
}

int
pump_finish(struct pump *pump, const struct timespec *patience, const sigset_t *mask)
{
	if (pump->is_output && pump->pipe_fd >= 0)
		drain(pump, patience, mask);
	if (pump->unread_fd >= 0)
		set_offset_back(pump);
	stop(pump);
	return pump->failure;
}
