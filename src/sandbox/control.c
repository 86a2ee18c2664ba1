/* The messages from inside the sandbox to the broker; see control.h. */
#include "sandbox/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "util/fd.h"

#define EVENT_HEADER_BYTES offsetof(struct control_event, text)

int
control_pair(int *ret_broker_fd, int *ret_init_fd)
{
	const int on = 1;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	if (setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
		int r = -errno;

		fd_close(fds[0]);
		fd_close(fds[1]);
		return r;
	}
	*ret_broker_fd = fds[0];
	*ret_init_fd = fds[1];
	return 0;
}

int
control_send_event(int control_fd, enum control_event_kind kind, int code, const char *text,
		   int passed_fd)
{
	struct control_event event = { .kind = kind, .code = code };

	if (text != NULL) {
		event.text_length = (uint32_t)MIN(strlen(text), (size_t)CONTROL_TEXT_BYTES - 1);
		memcpy(event.text, text, event.text_length);
	}
	return fd_send(control_fd, &event, EVENT_HEADER_BYTES + event.text_length, passed_fd);
}

/* Takes the credentials and at most one descriptor out of a message. */
static void
read_control_data(struct msghdr *message, pid_t *ret_pid, int *ret_fd)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET)
			continue;
		if (header->cmsg_type == SCM_CREDENTIALS &&
		    header->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
			struct ucred sender;

			memcpy(&sender, CMSG_DATA(header), sizeof(sender));
			*ret_pid = sender.pid;
		} else if (header->cmsg_type == SCM_RIGHTS &&
			   header->cmsg_len == CMSG_LEN(sizeof(int)) && *ret_fd < 0) {
			memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
		}
	}
}

int
control_receive_event(int control_fd, struct control_event *ret_event, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control = { 0 };
	struct iovec iov = { .iov_base = ret_event, .iov_len = sizeof(*ret_event) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen = sizeof(control.space) };
	_cleanup_fd_ int passed_fd = -1;
	pid_t sender = 0;
	ssize_t length;

	/* ECONNRESET: init ended without having read the word to begin. What it sent before that is still there. */
	do {
		length = recvmsg(control_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (length < 0 && (errno == EINTR || errno == ECONNRESET));
	if (length < 0)
		return -errno;
	if (length == 0)
		return 0;
	read_control_data(&message, &sender, &passed_fd);
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    (size_t)length < EVENT_HEADER_BYTES ||
	    (size_t)length != EVENT_HEADER_BYTES + ret_event->text_length ||
	    ret_event->text_length >= CONTROL_TEXT_BYTES ||
	    ret_event->kind >= CONTROL_EVENT_KIND_COUNT)
		return -EPROTO;
	ret_event->text[ret_event->text_length] = '\0';
	ret_event->pid = sender;
	*ret_fd = TAKE_FD(passed_fd);
	return 1;
}

int
control_send_go(int control_fd)
{
	return fd_send(control_fd, "g", 1, -1);
}

int
control_wait_go(int control_fd)
{
	char word;
	ssize_t n;

	do {
		n = recv(control_fd, &word, sizeof(word), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 1 ? 0 : -EPIPE;
}
