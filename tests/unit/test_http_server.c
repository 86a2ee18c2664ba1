/* http/server: a request and an answer have their time, however slowly they trickle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "util/fd.h"
#include "util/mem.h"

#define TRANSFER_MS 300
#define TRICKLE_MS  20
/* More than any socket's buffers hold. */
#define LARGE_BYTES ((size_t)64 * 1024 * 1024)

struct world {
	struct events *events;
	struct http_server *server;
	int fd; /* the client's */
	struct event_timer *timer;
	const char *sends; /* again and again, a byte at a time */
	size_t sent;
	bool reads; /* a byte at a time */
	size_t asked;
};

static void
asked(void *data, struct http_exchange *exchange)
{
	struct world *world = data;
	struct strbuf body = STRBUF_INIT;

	world->asked++;
	if (world->reads) {
		_cleanup_free_ char *large = mem_zalloc(LARGE_BYTES, 1);

		memset(large, 'x', LARGE_BYTES);
		strbuf_add(&body, large, LARGE_BYTES);
	}
	http_exchange_answer(exchange, 200, "text/plain", &body);
	strbuf_done(&body);
}

static void
nothing(void *data, void *user)
{
	(void)data;
	(void)user;
}

/* A byte more; what the server says of its end ends the loop. */
static void
trickle(void *data)
{
	struct world *world = data;
	char byte;
	ssize_t n = recv(world->fd, &byte, 1, MSG_DONTWAIT | (world->reads ? 0 : MSG_PEEK));

	/* A byte at a time, the end of so much is never read: only the server knows that it is cut off. */
	if (world->asked > 0 && http_server_connections(world->server) == 0)
		n = 0;
	if (n == 0 || (n < 0 && errno != EAGAIN) ||
	    (world->sends[world->sent] != '\0' && send(world->fd, world->sends + world->sent++, 1, MSG_NOSIGNAL) < 0)) {
		events_stop(world->events);
		return;
	}
	if (world->sends[world->sent] == '\0' && !world->reads)
		world->sent--;
	event_timer_set(world->timer, TRICKLE_MS);
}

static void
start(struct world *world, const char *sends)
{
	const struct http_server_settings settings = { .events = world->events = events_new(),
						       .host = "127.0.0.1",
						       .body_bytes_max = 1000000,
						       .transfer_ms = TRANSFER_MS,
						       .asked = asked,
						       .closed = nothing,
						       .drained = nothing,
						       .data = world };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct error err = ERROR_INIT;

	world->server = http_server_new(&settings, &err);
	assert_non_null(world->server);
	address.sin_port = htons(http_server_port(world->server));
	world->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(world->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	world->sends = sends;
	world->timer = event_timer_new(world->events, trickle, world);
	event_timer_set(world->timer, 0);
}

static void
finish(struct world *world)
{
	event_timer_free(world->timer);
	http_server_free(world->server);
	events_free(world->events);
	fd_close(world->fd);
}

static void
test_headers_without_end(void **state)
{
	struct world world = { 0 };

	(void)state;
	start(&world, "GET / HTTP/1.1\r\nHost: localhost\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
	events_run(world.events);
	assert_int_equal(world.asked, 0);
	finish(&world);
}

static void
test_a_body_that_trickles(void **state)
{
	struct world world = { 0 };

	(void)state;
	start(&world, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n ");
	/* The headers at once. */
	world.sent = strlen(world.sends) - 1;
	assert_int_equal(send(world.fd, world.sends, world.sent, 0), world.sent);
	events_run(world.events);
	assert_int_equal(world.asked, 0);
	finish(&world);
}

static void
test_an_answer_that_is_read_slowly(void **state)
{
	struct world world = { .reads = true };

	(void)state;
	start(&world, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	world.sent = strlen(world.sends);
	assert_int_equal(send(world.fd, world.sends, world.sent, 0), world.sent);
	events_run(world.events);
	assert_int_equal(world.asked, 1);
	finish(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_without_end),
		cmocka_unit_test(test_a_body_that_trickles),
		cmocka_unit_test(test_an_answer_that_is_read_slowly),
	};

	/* As porta-server does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
