/* Who asks; see client.h. */
#include "resolver/client.h"

#include <errno.h>
#include <string.h>

#include "util/macros.h"

#define LENGTH_BYTES 2

void
clients_init(struct clients *clients)
{
	for (size_t i = 0; i < CLIENT_STREAMS_MAX; i++)
		clients->stream_fds[i] = -1;
	clients->last_number = 0;
}

bool
client_equal(const struct client *a, const struct client *b)
{
	if (a->udp_fd != b->udp_fd)
		return false;
	if (a->udp_fd < 0)
		return a->stream == b->stream && a->stream_number == b->stream_number;
	return a->address_length == b->address_length &&
	       memcmp(&a->address, &b->address, a->address_length) == 0;
}

void
clients_end_stream(struct clients *clients, size_t index)
{
	fd_close(clients->stream_fds[index]);
	clients->stream_fds[index] = -1;
}

void
clients_add_stream(struct clients *clients, int socket_fd)
{
	size_t chosen = 0;

	for (size_t i = 0; i < CLIENT_STREAMS_MAX; i++) {
		if (clients->stream_fds[i] < 0) {
			chosen = i;
			break;
		}
		if (clients->streams[i].number < clients->streams[chosen].number)
			chosen = i;
	}
	clients_end_stream(clients, chosen);
	clients->stream_fds[chosen] = socket_fd;
	clients->streams[chosen].number = ++clients->last_number;
	clients->streams[chosen].used = 0;
}

void
clients_read_stream(struct clients *clients, size_t index)
{
	struct client_stream *stream = &clients->streams[index];
	ssize_t n;

	/* The buffer holds the longest question; a full one without a whole question holds none. */
	n = recv(clients->stream_fds[index], stream->bytes + stream->used,
		 sizeof(stream->bytes) - stream->used, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		clients_end_stream(clients, index);
	else
		stream->used += (size_t)n;
}

const uint8_t *
clients_stream_packet(struct clients *clients, size_t index, struct client *ret_client,
		      size_t *ret_length)
{
	const struct client_stream *stream = &clients->streams[index];
	size_t length;

	if (clients->stream_fds[index] < 0 || stream->used < LENGTH_BYTES)
		return NULL;
	length = (size_t)(stream->bytes[0] << 8 | stream->bytes[1]);
	if (length > DNS_QUESTION_MAX_BYTES) {
		clients_end_stream(clients, index);
		return NULL;
	}
	if (stream->used < LENGTH_BYTES + length)
		return NULL;
	*ret_client =
	    (struct client){ .udp_fd = -1, .stream = index, .stream_number = stream->number };
	*ret_length = length;
	return stream->bytes + LENGTH_BYTES;
}

void
clients_stream_next(struct clients *clients, size_t index)
{
	struct client_stream *stream = &clients->streams[index];
	size_t taken = LENGTH_BYTES + (size_t)(stream->bytes[0] << 8 | stream->bytes[1]);

	stream->used -= taken;
	memmove(stream->bytes, stream->bytes + taken, stream->used);
}

size_t
client_answer_limit(const struct client *client, const struct dns_question *question)
{
	return client->udp_fd < 0 ? DNS_MESSAGE_MAX_BYTES : question->udp_bytes;
}

static void
answer_stream(struct clients *clients, const struct client *client, const uint8_t *message,
	      size_t length)
{
	static uint8_t framed[LENGTH_BYTES + DNS_MESSAGE_MAX_BYTES];
	const struct client_stream *stream = &clients->streams[client->stream];
	int stream_fd = clients->stream_fds[client->stream];

	if (stream_fd < 0 || stream->number != client->stream_number)
		return;
	framed[0] = (uint8_t)(length >> 8);
	framed[1] = (uint8_t)length;
	memcpy(framed + LENGTH_BYTES, message, length);
	if (send(stream_fd, framed, LENGTH_BYTES + length, MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)(LENGTH_BYTES + length))
		clients_end_stream(clients, client->stream);
}

void
clients_answer(struct clients *clients, const struct client *client, const uint8_t *message,
	       size_t length)
{
	if (client->udp_fd < 0)
		answer_stream(clients, client, message, length);
	else
		(void)sendto(client->udp_fd, message, length, MSG_NOSIGNAL | MSG_DONTWAIT,
			     (const struct sockaddr *)&client->address, client->address_length);
}
