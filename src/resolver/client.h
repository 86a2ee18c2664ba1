/*
 * Who asks: the sandbox's programs, by datagrams in the private namespace or over
 * TCP sockets that the broker passes on.
 */
#ifndef PORTA_RESOLVER_CLIENT_H
#define PORTA_RESOLVER_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "resolver/dns_message.h"

/* Clients over TCP at once; one more ends the oldest. */
#define CLIENT_STREAMS_MAX 32

/* Where an answer goes. */
struct client {
	int udp_fd;    /* -1: a stream */
	size_t stream; /* index, and which use of it */
	uint32_t stream_number;
	struct sockaddr_in6 address; /* UDP; large enough for sockaddr_in */
	socklen_t address_length;
};

struct client_stream {
	uint32_t number;
	size_t used;
	uint8_t bytes[2 + DNS_QUESTION_MAX_BYTES];
};

struct clients {
	/* -1: free. Apart from the rest, whose pages stay untouched until they are used. */
	int stream_fds[CLIENT_STREAMS_MAX];
	struct client_stream streams[CLIENT_STREAMS_MAX];
	uint32_t last_number;
};

void clients_init(struct clients *clients);
bool client_equal(const struct client *a, const struct client *b);
/* Takes the socket over. */
void clients_add_stream(struct clients *clients, int socket_fd);
/* Reads what there is; a client that hung up or sends too long a question is let go. */
void clients_read_stream(struct clients *clients, size_t index);
/* The first whole question in the stream's buffer; NULL if there is none. */
const uint8_t *clients_stream_packet(struct clients *clients, size_t index,
				     struct client *ret_client, size_t *ret_length);
/* Forgets that first question. */
void clients_stream_next(struct clients *clients, size_t index);
void clients_end_stream(struct clients *clients, size_t index);
/* The largest answer that this client takes. */
size_t client_answer_limit(const struct client *client, const struct dns_question *question);
/* Sends an answer. A client that does not take it (a full buffer) does not get it. */
void clients_answer(struct clients *clients, const struct client *client, const uint8_t *message,
		    size_t length);

#endif
