/* Descriptors: whole reads and writes, and passing them; see fd.h. */
#include "util/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "util/mem.h"

/* What a whole file is read by; most that porta reads are smaller, and take two calls. */
#define READ_BYTES 4096

void
fd_close(int fd)
{
	int saved_errno = errno;

	if (fd >= 0)
		close(fd);
	errno = saved_errno;
}

int
fd_write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t written = write(fd, p, n);

		if (written < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += written;
		n -= (size_t)written;
	}
	return 0;
}

int
fd_read_whole(int fd, size_t limit_bytes, char **ret_text, size_t *ret_length)
{
	_cleanup_free_ char *text = NULL;
	size_t capacity = 0;
	size_t length = 0;

	for (;;) {
		ssize_t n;

		MEM_GROW(text, capacity, length + READ_BYTES);
		n = read(fd, text + length, capacity - length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > limit_bytes)
			return -EFBIG;
	}
	text[length] = '\0';
	*ret_text = TAKE_PTR(text);
	if (ret_length != NULL)
		*ret_length = length;
	return 0;
}

int
fd_read_file_at(int dir_fd, const char *path, size_t limit_bytes, char **ret_text,
		size_t *ret_length)
{
	_cleanup_fd_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return fd_read_whole(fd, limit_bytes, ret_text, ret_length);
}

int
fd_send(int socket_fd, const void *bytes, size_t n, int passed_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (passed_fd >= 0) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(int));
	}
	for (;;) {
		if (sendmsg(socket_fd, &message, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

ssize_t
fd_receive(int socket_fd, void *bytes, size_t n, int flags, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = n };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen = sizeof(control.space) };
	struct cmsghdr *header;
	ssize_t length;
	int fd = -1;

	do {
		length = recvmsg(socket_fd, &message, flags | MSG_CMSG_CLOEXEC);
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		fd_close(fd);
		return -EMSGSIZE;
	}
	*ret_fd = fd;
	return length;
}

int
fd_set_nonblocking(int fd, bool nonblocking)
{
	int flags = fcntl(fd, F_GETFL);
	int wanted;

	if (flags < 0)
		return -errno;
	wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0)
		return -errno;
	return 0;
}
