/* Questions to the kernel about one socket; see sock_diag.h. */
#include "broker/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/macros.h"

/* One answer: a fixed message and a few attributes. */
#define ANSWER_MAX_BYTES 4096
/* One datagram of a dump; the kernel makes them no larger than this where nobody reads more. */
#define DUMP_MAX_BYTES 32768
/* The loopback device has this index in every network namespace. */
#define LOOPBACK_INTERFACE_INDEX 1

int
sock_diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

	return fd >= 0 ? fd : -errno;
}

/*
 * Sends the question and receives the one answer, which the kernel has queued by the time send
 * returns. Returns the payload's length, or a negative errno (of the kernel's NLMSG_ERROR, too).
 */
static ssize_t
ask(int diag_fd, const void *question, size_t n, struct nlmsghdr *answer)
{
	ssize_t length;

	if (send(diag_fd, question, n, 0) < 0)
		return -errno;
	length = recv(diag_fd, answer, ANSWER_MAX_BYTES, 0);
	if (length < 0)
		return -errno;
	if (!NLMSG_OK(answer, (size_t)length))
		return -EPROTO;
	if (answer->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = NLMSG_DATA(answer);

		return error->error < 0 ? error->error : -EPROTO;
	}
	return (ssize_t)(answer->nlmsg_len - NLMSG_HDRLEN);
}

static uint64_t
cookie_of(const uint32_t words[2])
{
	return (uint64_t)words[1] << 32 | words[0];
}

int
sock_diag_find_tcp_listener(int diag_fd, const struct sockaddr *address, uint64_t *ret_cookie)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} question = {
		.header = { .nlmsg_len = sizeof(question),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = (uint8_t)address->sa_family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = ~0U,
			  .id = { .idiag_if = LOOPBACK_INTERFACE_INDEX,
				  .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX_BYTES];
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)answer;
	const struct inet_diag_msg *found = NLMSG_DATA(header);
	ssize_t length;

	/*
	 * The id as the listener would see the connection: its own side is what is connected to.
	 * The other side has port 0, so no established connection is found, and the same address,
	 * which is on loopback too.
	 */
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;

		question.body.id.idiag_sport = v4->sin_port;
		question.body.id.idiag_src[0] = v4->sin_addr.s_addr;
		question.body.id.idiag_dst[0] = v4->sin_addr.s_addr;
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;

		question.body.id.idiag_sport = v6->sin6_port;
		memcpy(question.body.id.idiag_src, &v6->sin6_addr, sizeof(v6->sin6_addr));
		memcpy(question.body.id.idiag_dst, &v6->sin6_addr, sizeof(v6->sin6_addr));
	}
	length = ask(diag_fd, &question, sizeof(question), header);
	if (length < 0)
		return (int)length;
	if ((size_t)length < sizeof(*found))
		return -EPROTO;
	if (found->idiag_state != TCP_LISTEN)
		return -ENOENT;
	*ret_cookie = cookie_of(found->id.idiag_cookie);
	return 0;
}

struct unix_question {
	struct nlmsghdr header;
	struct unix_diag_req body;
};

/* The file that a socket is bound to, among the attributes of an answer; zeros for none. */
static int
read_bound_file(const struct unix_diag_msg *found, size_t length, struct unix_diag_vfs *ret_file)
{
	*ret_file = (struct unix_diag_vfs){ 0 };
	for (size_t at = NLMSG_ALIGN(sizeof(*found)); at + sizeof(struct rtattr) <= length;) {
		const char *start = (const char *)found + at;
		struct rtattr attribute;

		memcpy(&attribute, start, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > length - at)
			return -EPROTO;
		if (attribute.rta_type == UNIX_DIAG_VFS &&
		    RTA_PAYLOAD(&attribute) >= sizeof(*ret_file))
			memcpy(ret_file, start + RTA_LENGTH(0), sizeof(*ret_file));
		at += RTA_ALIGN(attribute.rta_len);
	}
	return 0;
}

int
sock_diag_find_unix_listener(int diag_fd, struct sock_diag_unix *socket)
{
	struct unix_question question = {
		.header = { .nlmsg_len = sizeof(question),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_UNIX,
			  .udiag_ino = socket->inode,
			  .udiag_show = UDIAG_SHOW_VFS,
			  .udiag_cookie = { (uint32_t)socket->cookie,
					    (uint32_t)(socket->cookie >> 32) } },
	};
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX_BYTES];
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)answer;
	const struct unix_diag_msg *found = NLMSG_DATA(header);
	ssize_t length = ask(diag_fd, &question, sizeof(question), header);
	struct unix_diag_vfs file;
	int r;

	if (length < 0)
		return (int)length;
	if ((size_t)length < sizeof(*found))
		return -EPROTO;
	if (found->udiag_state != TCP_LISTEN)
		return -ENOENT;
	r = read_bound_file(found, (size_t)length, &file);
	if (r < 0)
		return r;
	socket->file_device = file.udiag_vfs_dev;
	socket->file_inode = file.udiag_vfs_ino;
	return 0;
}

/* Looks through one datagram of a dump: 1 found, 0 go on, -ENODATA at the end. */
static int
search_dump(const char *bytes, size_t length, uint32_t device, uint32_t inode)
{
	while (length >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)bytes;
		const struct unix_diag_msg *found = NLMSG_DATA(header);
		struct unix_diag_vfs file;

		if (!NLMSG_OK(header, length) || header->nlmsg_type == NLMSG_ERROR)
			return -EPROTO;
		if (header->nlmsg_type == NLMSG_DONE)
			return -ENODATA;
		if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(*found)) &&
		    read_bound_file(found, header->nlmsg_len - NLMSG_HDRLEN, &file) == 0 &&
		    file.udiag_vfs_dev == device && file.udiag_vfs_ino == inode)
			return 1;
		bytes += MIN((size_t)NLMSG_ALIGN(header->nlmsg_len), length);
		length -= MIN((size_t)NLMSG_ALIGN(header->nlmsg_len), length);
	}
	return 0;
}

int
sock_diag_unix_file_listens(int diag_fd, uint32_t device, uint32_t inode)
{
	struct unix_question question = {
		.header = { .nlmsg_len = sizeof(question),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_UNIX,
			  .udiag_states = 1U << TCP_LISTEN,
			  .udiag_show = UDIAG_SHOW_VFS },
	};
	_Alignas(struct nlmsghdr) char answer[DUMP_MAX_BYTES];
	int r = 0;

	if (send(diag_fd, &question, sizeof(question), 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t length = recv(diag_fd, answer, sizeof(answer), 0);

		if (length < 0)
			return -errno;
		r = search_dump(answer, (size_t)length, device, inode);
	}
	return r == -ENODATA ? 0 : r;
}
