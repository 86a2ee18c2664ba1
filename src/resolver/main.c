/*
 * porta-resolver: DNS of a sandbox whose network is closed.
 *
 * Theory of operation
 *
 * The broker starts this program at the first datagram socket that the sandbox asks
 * for, with one end of a socket pair as descriptor 3 and nothing else. The program
 * reads packets that the sandbox wrote and packets that nameservers wrote; so it has
 * nothing that would be worth taking it over for, and it decides nothing.
 *
 * It moves into a user and network namespace of its own, in which there is nothing but
 * a loopback device, and binds 127.0.0.1:53 and [::1]:53 there. Then it gives
 * everything else away (confine.h) before the first byte of the sandbox can arrive. The
 * datagram sockets that the sandbox gets are made here, in that namespace, and passed
 * to the broker: whatever the sandbox does with them, they reach only this program.
 * Without namespaces there are no such sockets; clients over TCP, whose sockets the
 * broker passes on, are served either way.
 *
 * A question goes through these hands:
 *
 *   1. It is read whole, or refused (dns_message.h). Only its type and its name, as lower-case
 *      text, go on. The types whose records porta can rebuild are A, AAAA, CNAME, MX,
 *      PTR, SRV and TXT. Others have no data (HTTPS and SVCB too, whose hints would be
 *      addresses that nobody judged).
 *   2. The broker says whether the policy admits the name. If not, the answer is NXDOMAIN,
 *      and nothing has left this machine.
 *   3. With its yes the broker passes a fresh socket, connected to one of the host's
 *      nameservers. The query that goes out is porta's own: random id, one question, lower case, no
 *      options. A name under an admitted suffix ("*.example.com") does go out, and can carry
 *      what the sandbox likes to that suffix's own nameservers: that is what the rule says.
 *   4. The reply must come from there, with that id and that question. CNAMEs are followed
 *      from the name asked, within the reply. Truncated: the same server over TCP.
 *      Silent or failing: the next one, as often as the host's resolv.conf says, then SERVFAIL.
 *   5. Addresses go to the broker. It takes out those that the policy does not admit
 *      for the name (private ranges), remembers the others, and only then they are told.
 *   6. The answer is made anew: the question, and records that belong to the name asked;
 *      the CNAME chain is left out. If no address is left the answer is empty.
 *
 * There is no cache: the host's resolver has one, and what is not kept cannot be poisoned.
 *
 * What a taken-over resolver can still do: speak to the configured nameservers, and tell the
 * broker wrong addresses for admitted names, within the ranges that the policy admits for
 * names. It cannot connect a socket elsewhere, see a file, or start anything.
 *
 * It ends with the broker: by the hang-up of the control socket, or by SIGKILL. It prints
 * nothing; a failure at the start is told by a message.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/resolver_protocol.h"
#include "resolver/client.h"
#include "resolver/confine.h"
#include "resolver/query.h"
#include "util/fd.h"

/* Datagrams taken from one socket in one turn, so that streams and nameservers get theirs. */
#define PACKETS_PER_TURN 16

/* Static: only the pages in use take memory. */
static struct queries queries;
static struct clients clients;

/* Datagram sockets for the sandbox are made in this namespace: there is no other here. */
static void
send_socket(enum resolver_event_kind kind, int family)
{
	struct resolver_event event = { .kind = kind };
	_cleanup_fd_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		event.code = -errno;
	r = fd_send(RESOLVER_CONTROL_FD, &event, sizeof(event), fd);
	/* Whoever has so many descriptors in flight, it passes. */
	if (r == -ETOOMANYREFS) {
		event.code = r;
		r = fd_send(RESOLVER_CONTROL_FD, &event, sizeof(event), -1);
	}
	if (r < 0)
		_exit(EXIT_FAILURE);
}

static void
take_order(void)
{
	_cleanup_fd_ int passed_fd = -1;
	struct resolver_order order;
	ssize_t n = fd_receive(RESOLVER_CONTROL_FD, &order, sizeof(order), 0, &passed_fd);

	/* 0: the broker has gone. */
	if (n != (ssize_t)sizeof(order))
		_exit(n == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	switch (order.kind) {
	case RESOLVER_ORDER_SOCKET:
		send_socket(RESOLVER_EVENT_SOCKET, order.value == AF_INET6 ? AF_INET6 : AF_INET);
		break;
	case RESOLVER_ORDER_STREAM:
		if (passed_fd >= 0)
			clients_add_stream(&clients, TAKE_FD(passed_fd));
		break;
	default:
		queries_order(&queries, &order, TAKE_FD(passed_fd));
		break;
	}
}

static void
take_packets(int udp_fd)
{
	static uint8_t packet[DNS_QUESTION_MAX_BYTES];

	for (int i = 0; i < PACKETS_PER_TURN && !queries_are_full(&queries); i++) {
		struct client client = { .udp_fd = udp_fd,
					 .address_length = sizeof(client.address) };
		ssize_t n = recvfrom(udp_fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC,
				     (struct sockaddr *)&client.address, &client.address_length);

		if (n < 0)
			return;
		/* Longer than any question, and cut: dropped. */
		if ((size_t)n <= sizeof(packet))
			(void)queries_receive(&queries, &client, packet, (size_t)n);
	}
}

/* Begins what a stream has sent whole; what is too much for now stays in its buffer. */
static void
take_stream_questions(size_t index)
{
	struct client client;
	const uint8_t *packet;
	size_t length;

	while (!queries_are_full(&queries)) {
		packet = clients_stream_packet(&clients, index, &client, &length);
		if (packet == NULL)
			return;
		if (!queries_receive(&queries, &client, packet, length)) {
			clients_end_stream(&clients, index);
			return;
		}
		clients_stream_next(&clients, index);
	}
}

static int
time_left_ms(void)
{
	uint64_t now = query_now_ms();
	uint64_t left = INT32_MAX;
	bool is_limited = false;

	for (size_t i = 0; i < RESOLVER_QUERIES_MAX; i++) {
		const struct query *query = &queries.slots[i];

		if (query->state != QUERY_EXCHANGING)
			continue;
		is_limited = true;
		left = MIN(left, query->deadline_ms > now ? query->deadline_ms - now : 0);
	}
	return is_limited ? (int)left : -1;
}

/* Where each thing is among the descriptors polled. */
enum watched {
	WATCHED_CONTROL = 0,
	WATCHED_UDP = 1,
	WATCHED_STREAMS = WATCHED_UDP + 2,
	WATCHED_UPSTREAMS = WATCHED_STREAMS + CLIENT_STREAMS_MAX,
	WATCHED_COUNT = WATCHED_UPSTREAMS + RESOLVER_QUERIES_MAX,
};

/* What is not wanted is -1. While every slot is busy, clients wait in their sockets' queues. */
static void
watch(struct pollfd watched[WATCHED_COUNT], bool has_namespace)
{
	bool is_open = !queries_are_full(&queries);

	watched[WATCHED_CONTROL] = (struct pollfd){ .fd = RESOLVER_CONTROL_FD, .events = POLLIN };
	for (int i = 0; i < 2; i++)
		watched[WATCHED_UDP + i] = (struct pollfd){
			.fd = is_open && has_namespace ? CONFINE_UDP_V4_FD + i : -1,
			.events = POLLIN,
		};
	for (size_t i = 0; i < CLIENT_STREAMS_MAX; i++)
		watched[WATCHED_STREAMS + i] = (struct pollfd){
			.fd = is_open ? clients.stream_fds[i] : -1,
			.events = POLLIN,
		};
	for (size_t i = 0; i < RESOLVER_QUERIES_MAX; i++) {
		const struct query *query = &queries.slots[i];

		watched[WATCHED_UPSTREAMS + i] = (struct pollfd){
			.fd = query->state == QUERY_EXCHANGING ? query->upstream.fd : -1,
			.events = upstream_events(&query->upstream),
		};
	}
}

static void
turn(bool has_namespace)
{
	static struct pollfd watched[WATCHED_COUNT];
	struct timespec timeout;
	uint64_t now;
	int left_ms = time_left_ms();

	watch(watched, has_namespace);
	timeout = (struct timespec){ left_ms / 1000, left_ms % 1000 * 1000000L };
	if (ppoll(watched, WATCHED_COUNT, left_ms < 0 ? NULL : &timeout, NULL) < 0 &&
	    errno != EINTR)
		_exit(EXIT_FAILURE);
	now = query_now_ms();
	/* Nameservers before orders: an order can give a slot to another exchange. */
	for (size_t i = 0; i < RESOLVER_QUERIES_MAX; i++) {
		struct query *query = &queries.slots[i];

		if (query->state != QUERY_EXCHANGING)
			continue;
		if (watched[WATCHED_UPSTREAMS + i].revents != 0)
			queries_continue(&queries, query, false);
		/* Also one that always sends something, and never the reply. */
		if (query->state == QUERY_EXCHANGING && query->deadline_ms <= now)
			queries_continue(&queries, query, true);
	}
	if (watched[WATCHED_CONTROL].revents != 0)
		take_order();
	for (int i = 0; i < 2; i++) {
		if (watched[WATCHED_UDP + i].revents != 0)
			take_packets(CONFINE_UDP_V4_FD + i);
	}
	for (size_t i = 0; i < CLIENT_STREAMS_MAX; i++) {
		if (watched[WATCHED_STREAMS + i].revents != 0 && clients.stream_fds[i] >= 0)
			clients_read_stream(&clients, i);
		take_stream_questions(i);
	}
}

/* Tells why there is no namespace, or no wall. */
static void
send_code(enum resolver_event_kind kind, int code, const char *what)
{
	struct resolver_event event = { .kind = kind, .code = code };

	snprintf(event.name, sizeof(event.name), "%s", what);
	if (fd_send(RESOLVER_CONTROL_FD, &event, sizeof(event), -1) < 0)
		_exit(EXIT_FAILURE);
}

int
main(void)
{
	const char *what = "";
	int namespace_error = confine_enter_namespace();
	int r = confine_process(namespace_error == 0, &what);

	if (r < 0) {
		send_code(RESOLVER_EVENT_FAILED, r, what);
		_exit(EXIT_FAILURE);
	}
	if (namespace_error == 0)
		send_socket(RESOLVER_EVENT_READY, AF_INET);
	else
		send_code(RESOLVER_EVENT_READY, namespace_error, "");
	clients_init(&clients);
	queries_init(&queries, &clients, RESOLVER_CONTROL_FD);
	for (;;)
		turn(namespace_error == 0);
}
