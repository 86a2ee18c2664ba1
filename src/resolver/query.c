/* The questions in the works; see query.h. */
#include "resolver/query.h"

#include <string.h>

#include "util/clock.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/strings.h"

/* RFC 6761 6.3; the time is of no matter. */
#define LOCALHOST_TTL 60

_Static_assert(RESOLVER_ANSWER_ADDRESSES_MAX <= DNS_RECORDS_MAX, "all addresses have room");

uint64_t
query_now_ms(void)
{
	return clock_now_ms();
}

void
queries_init(struct queries *queries, struct clients *clients, int control_fd)
{
	queries->clients = clients;
	queries->control_fd = control_fd;
}

bool
queries_are_full(const struct queries *queries)
{
	return queries->busy == RESOLVER_QUERIES_MAX;
}

static void
answer(struct queries *queries, const struct client *client, const struct dns_question *question,
       enum dns_rcode rcode, const struct dns_records *records)
{
	static uint8_t message[DNS_MESSAGE_MAX_BYTES];
	size_t length = dns_answer_build(question, rcode, records,
					 client_answer_limit(client, question), message);

	clients_answer(queries->clients, client, message, length);
}

/* Another state, in which nothing is asked of a nameserver. */
static void
leave_exchange(struct query *query, enum query_state state)
{
	if (query->state == QUERY_EXCHANGING)
		upstream_end(&query->upstream);
	query->state = state;
}

/* Answers a query and frees its slot. */
static void
finish(struct queries *queries, struct query *query, enum dns_rcode rcode,
       const struct dns_records *records)
{
	answer(queries, &query->client, &query->question, rcode, records);
	leave_exchange(query, QUERY_FREE);
	free(query->records);
	query->records = NULL;
	queries->busy--;
}

/* Nothing works without the broker, and it ends what it cannot talk to. */
static void
send_to_broker(const struct queries *queries, const void *message, size_t length)
{
	if (fd_send(queries->control_fd, message, length, -1) < 0)
		_exit(EXIT_FAILURE);
}

static void
ask(struct queries *queries, struct query *query)
{
	struct resolver_event event = { .kind = RESOLVER_EVENT_ASK,
					.query = query->number,
					.attempt = query->attempt,
					.use_tcp = query->use_tcp };

	leave_exchange(query, QUERY_DECIDING);
	memcpy(event.name, query->question.name, sizeof(event.name));
	send_to_broker(queries, &event, sizeof(event));
}

static void
ask_next_server(struct queries *queries, struct query *query)
{
	query->attempt++;
	query->use_tcp = false;
	query->without_edns = false;
	ask(queries, query);
}

/* RFC 6761: these names are this machine, and are asked of nobody. */
static bool
answer_localhost(struct queries *queries, const struct client *client,
		 const struct dns_question *question)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	static const uint8_t v6[16] = { [15] = 1 };
	static struct dns_records records;

	if (!str_equal(question->name, "localhost") && !str_ends_with(question->name, ".localhost"))
		return false;
	records.type = question->type;
	records.ttl = LOCALHOST_TTL;
	records.count = 0;
	records.used = 0;
	if (question->type == DNS_TYPE_A)
		dns_records_add(&records, v4, sizeof(v4));
	else if (question->type == DNS_TYPE_AAAA)
		dns_records_add(&records, v6, sizeof(v6));
	answer(queries, client, question, DNS_RCODE_NO_ERROR, &records);
	return true;
}

/* Whether the same question of the same client is being worked on: it was sent again. */
static bool
is_repeated(const struct queries *queries, const struct client *client,
	    const struct dns_question *question)
{
	for (size_t i = 0; i < RESOLVER_QUERIES_MAX; i++) {
		const struct query *query = &queries->slots[i];

		if (query->state != QUERY_FREE && query->question.id == question->id &&
		    query->question.type == question->type &&
		    client_equal(&query->client, client) &&
		    str_equal(query->question.name, question->name))
			return true;
	}
	return false;
}

bool
queries_receive(struct queries *queries, const struct client *client, const uint8_t *packet,
		size_t length)
{
	struct dns_question question;
	struct query *query = queries->slots;
	enum dns_rcode rcode;

	switch (dns_question_parse(packet, length, &question, &rcode)) {
	case DNS_QUESTION_DROP:
		return false;
	case DNS_QUESTION_REPLY:
		answer(queries, client, &question, rcode, NULL);
		return true;
	case DNS_QUESTION_ASK:
		break;
	}
	if (answer_localhost(queries, client, &question) || is_repeated(queries, client, &question))
		return true;
	while (query->state != QUERY_FREE)
		query++;
	query->number = ++queries->last_number;
	query->client = *client;
	query->question = question;
	query->attempt = 0;
	query->use_tcp = false;
	query->without_edns = false;
	queries->busy++;
	ask(queries, query);
	return true;
}

/* Sends the addresses to the broker, which remembers what it lets pass before it is told. */
static void
filter_addresses(struct queries *queries, struct query *query, const struct dns_records *records)
{
	static struct resolver_addresses message;
	size_t count = MIN(records->count, (size_t)RESOLVER_ANSWER_ADDRESSES_MAX);

	message = (struct resolver_addresses){ .kind = RESOLVER_EVENT_ADDRESSES,
					       .query = query->number,
					       .count = (uint16_t)count,
					       .is_v6 = records->type == DNS_TYPE_AAAA };
	memcpy(message.name, query->question.name, sizeof(message.name));
	for (size_t i = 0; i < count; i++)
		memcpy(message.addresses[i], records->bytes + records->items[i].offset,
		       records->items[i].length);
	leave_exchange(query, QUERY_FILTERING);
	query->records = mem_zalloc(1, sizeof(*query->records));
	memcpy(query->records, records, offsetof(struct dns_records, bytes) + records->used);
	send_to_broker(queries, &message, sizeof(message));
}

static void
take_admitted(struct queries *queries, struct query *query, uint64_t admitted)
{
	struct dns_records passed = { .type = query->records->type, .ttl = query->records->ttl };

	for (size_t i = 0; i < query->records->count && i < RESOLVER_ANSWER_ADDRESSES_MAX; i++) {
		if (admitted >> i & 1)
			dns_records_add(&passed,
					query->records->bytes + query->records->items[i].offset,
					query->records->items[i].length);
	}
	finish(queries, query, DNS_RCODE_NO_ERROR, &passed);
}

static void
take_verdict(struct queries *queries, struct query *query, const struct resolver_order *order,
	     int socket_fd)
{
	switch (order->value) {
	case RESOLVER_VERDICT_UPSTREAM:
		if (socket_fd < 0 || upstream_start(&query->upstream, socket_fd, query->use_tcp,
						    !query->without_edns, query->question.name,
						    query->question.type) < 0) {
			ask_next_server(queries, query);
			return;
		}
		query->deadline_ms = query_now_ms() + order->timeout_ms;
		query->state = QUERY_EXCHANGING;
		return;
	case RESOLVER_VERDICT_EXHAUSTED:
		finish(queries, query, DNS_RCODE_SERVER_FAILURE, NULL);
		return;
	default:
		/* "No such name" is what every resolver library takes for final at once: after
		 * REFUSED glibc tries again, and musl waits for its time-out. */
		finish(queries, query, DNS_RCODE_NO_NAME, NULL);
		return;
	}
}

void
queries_order(struct queries *queries, const struct resolver_order *order, int passed_fd)
{
	_cleanup_fd_ int socket_fd = passed_fd;

	for (size_t i = 0; i < RESOLVER_QUERIES_MAX; i++) {
		struct query *query = &queries->slots[i];

		if (query->state == QUERY_FREE || query->number != order->query)
			continue;
		if (order->kind == RESOLVER_ORDER_VERDICT && query->state == QUERY_DECIDING)
			take_verdict(queries, query, order, TAKE_FD(socket_fd));
		else if (order->kind == RESOLVER_ORDER_ADMIT && query->state == QUERY_FILTERING)
			take_admitted(queries, query, order->admitted);
		return;
	}
}

void
queries_continue(struct queries *queries, struct query *query, bool is_late)
{
	static struct dns_records records;
	enum dns_reply reply = DNS_REPLY_FAILED;
	bool is_address =
	    query->question.type == DNS_TYPE_A || query->question.type == DNS_TYPE_AAAA;

	if (!is_late)
		reply = upstream_continue(&query->upstream, query->question.name,
					  query->question.type, &records);
	switch (reply) {
	case DNS_REPLY_FOREIGN:
		return;
	case DNS_REPLY_RECORDS:
		if (is_address && records.count > 0)
			filter_addresses(queries, query, &records);
		else
			finish(queries, query, DNS_RCODE_NO_ERROR, &records);
		return;
	case DNS_REPLY_NO_NAME:
		finish(queries, query, DNS_RCODE_NO_NAME, NULL);
		return;
	case DNS_REPLY_TRUNCATED:
		query->use_tcp = true;
		ask(queries, query);
		return;
	case DNS_REPLY_NO_EDNS:
		if (!query->without_edns) {
			query->without_edns = true;
			ask(queries, query);
			return;
		}
		_fallthrough_;
	case DNS_REPLY_FAILED:
		ask_next_server(queries, query);
		return;
	}
}
