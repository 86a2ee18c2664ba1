/* One exchange with one nameserver; see upstream.h. */
#include "resolver/upstream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "util/mem.h"

#define TCP_LENGTH_BYTES 2

/* 0, also when the socket takes no more for now; or a negative errno. */
static int
send_query(struct upstream *upstream)
{
	ssize_t n = send(upstream->fd, upstream->query + upstream->sent,
			 upstream->query_length - upstream->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	upstream->sent += (size_t)n;
	return 0;
}

int
upstream_start(struct upstream *upstream, int socket_fd, bool use_tcp, bool with_edns,
	       const char *name, uint16_t type)
{
	size_t prefix = use_tcp ? TCP_LENGTH_BYTES : 0;
	size_t length;
	int r;

	*upstream = (struct upstream){ .fd = socket_fd, .use_tcp = use_tcp };
	if (getrandom(&upstream->id, sizeof(upstream->id), 0) != sizeof(upstream->id)) {
		upstream_end(upstream);
		return -EIO;
	}
	length = dns_query_build(upstream->id, name, type, with_edns, upstream->query + prefix);
	upstream->query_length = prefix + length;
	if (!use_tcp) {
		r = send_query(upstream);
		if (r < 0)
			upstream_end(upstream);
		return r;
	}
	upstream->query[0] = (uint8_t)(length >> 8);
	upstream->query[1] = (uint8_t)length;
	upstream->reply = mem_zalloc(TCP_LENGTH_BYTES + DNS_MESSAGE_MAX_BYTES, 1);
	/* The connection is still being made; poll tells. */
	return 0;
}

short
upstream_events(const struct upstream *upstream)
{
	return upstream->sent < upstream->query_length ? POLLOUT : POLLIN;
}

static enum dns_reply
receive_udp(struct upstream *upstream, const char *name, uint16_t type,
	    struct dns_records *ret_records)
{
	static uint8_t message[DNS_MESSAGE_MAX_BYTES];
	ssize_t n = recv(upstream->fd, message, sizeof(message), MSG_DONTWAIT);

	/* ECONNREFUSED: nobody listens there, the next server is asked at once. */
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? DNS_REPLY_FOREIGN : DNS_REPLY_FAILED;
	return dns_reply_parse(message, (size_t)n, upstream->id, name, type, ret_records);
}

/* How many octets the reply has with its length, as far as that is known. */
static size_t
tcp_reply_length(const struct upstream *upstream)
{
	if (upstream->received < TCP_LENGTH_BYTES)
		return TCP_LENGTH_BYTES;
	return TCP_LENGTH_BYTES + (size_t)(upstream->reply[0] << 8 | upstream->reply[1]);
}

static enum dns_reply
receive_tcp(struct upstream *upstream, const char *name, uint16_t type,
	    struct dns_records *ret_records)
{
	enum dns_reply reply;
	ssize_t n = recv(upstream->fd, upstream->reply + upstream->received,
			 tcp_reply_length(upstream) - upstream->received, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return DNS_REPLY_FOREIGN;
	if (n <= 0)
		return DNS_REPLY_FAILED;
	upstream->received += (size_t)n;
	if (upstream->received < TCP_LENGTH_BYTES ||
	    upstream->received < tcp_reply_length(upstream))
		return DNS_REPLY_FOREIGN;
	reply = dns_reply_parse(upstream->reply + TCP_LENGTH_BYTES,
				upstream->received - TCP_LENGTH_BYTES, upstream->id, name, type,
				ret_records);
	/* On a stream of its own there is no other reply to wait for. */
	return reply == DNS_REPLY_FOREIGN || reply == DNS_REPLY_TRUNCATED ? DNS_REPLY_FAILED
									  : reply;
}

enum dns_reply
upstream_continue(struct upstream *upstream, const char *name, uint16_t type,
		  struct dns_records *ret_records)
{
	if (upstream->sent < upstream->query_length)
		return send_query(upstream) < 0 ? DNS_REPLY_FAILED : DNS_REPLY_FOREIGN;
	return upstream->use_tcp ? receive_tcp(upstream, name, type, ret_records)
				 : receive_udp(upstream, name, type, ret_records);
}

void
upstream_end(struct upstream *upstream)
{
	fd_close(upstream->fd);
	free(upstream->reply);
	upstream->reply = NULL;
}
