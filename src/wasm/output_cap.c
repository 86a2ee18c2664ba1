/* A limit on what an agent writes; see output_cap.h. */
#include "wasm/output_cap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/macros.h"

int
output_cap_init(struct output_cap *cap, uint64_t limit_bytes, struct error *err)
{
	static const int own_fds[OUTPUT_CAP_STREAMS] = { STDOUT_FILENO, STDERR_FILENO };

	*cap = (struct output_cap){ .left_bytes = limit_bytes };
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++)
		cap->streams[i] =
		    (struct output_cap_stream){ .read_fd = -1, .inside_fd = -1, .own_fd = own_fds[i] };
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return error_set_errno(err, -errno, "cannot make a pipe");
		cap->streams[i].read_fd = ends[0];
		cap->streams[i].inside_fd = ends[1];
	}
	return 0;
}

void
output_cap_done(struct output_cap *cap)
{
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++) {
		fd_close(TAKE_FD(cap->streams[i].read_fd));
		fd_close(TAKE_FD(cap->streams[i].inside_fd));
	}
}

void
output_cap_handed_out(struct output_cap *cap)
{
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++)
		fd_close(TAKE_FD(cap->streams[i].inside_fd));
}

void
output_cap_watch(const struct output_cap *cap, struct pollfd watched[OUTPUT_CAP_STREAMS])
{
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++) {
		const struct output_cap_stream *stream = &cap->streams[i];

		if (stream->length > 0)
			watched[i] = (struct pollfd){ .fd = stream->own_fd, .events = POLLOUT };
		else
			watched[i] = (struct pollfd){ .fd = cap->is_over ? -1 : stream->read_fd,
						      .events = POLLIN };
	}
}

static int
pass_on(struct output_cap_stream *stream)
{
	ssize_t n = write(stream->own_fd, stream->bytes, stream->length);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	stream->length -= (size_t)n;
	memmove(stream->bytes, stream->bytes + n, stream->length);
	return 0;
}

static int
take(struct output_cap *cap, struct output_cap_stream *stream)
{
	ssize_t n = read(stream->read_fd, stream->bytes, sizeof(stream->bytes));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0) {
		fd_close(TAKE_FD(stream->read_fd));
		return 0;
	}
	/* What is within the limit is passed on. */
	cap->is_over = cap->is_over || (uint64_t)n > cap->left_bytes;
	stream->length = (size_t)MIN((uint64_t)n, cap->left_bytes);
	cap->left_bytes -= stream->length;
	return 0;
}

int
output_cap_move(struct output_cap *cap, const struct pollfd watched[OUTPUT_CAP_STREAMS])
{
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++) {
		struct output_cap_stream *stream = &cap->streams[i];
		int r;

		if (watched[i].fd < 0 || watched[i].revents == 0)
			continue;
		r = stream->length > 0 ? pass_on(stream) : take(cap, stream);
		if (r < 0)
			return r;
	}
	return 0;
}

bool
output_cap_count(struct output_cap *cap, size_t bytes)
{
	cap->is_over = cap->is_over || bytes > cap->left_bytes;
	if (!cap->is_over)
		cap->left_bytes -= bytes;
	return !cap->is_over;
}

bool
output_cap_is_over(const struct output_cap *cap)
{
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++) {
		if (cap->streams[i].length > 0)
			return false;
	}
	return cap->is_over;
}

bool
output_cap_is_empty(const struct output_cap *cap)
{
	for (size_t i = 0; i < OUTPUT_CAP_STREAMS; i++) {
		if (cap->streams[i].read_fd >= 0 || cap->streams[i].length > 0)
			return false;
	}
	return true;
}
