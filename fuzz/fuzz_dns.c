/*
 * Fuzzes DNS messages: the input is a client's question, and a nameserver's reply.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=gnu11 -Isrc \
 *		fuzz/fuzz_dns.c -o fuzz_dns
 *	./fuzz_dns -max_len=4096 fuzz/corpus/dns
 */
#include "resolver/dns_message.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t answer[DNS_MESSAGE_MAX_BYTES];
static struct dns_records records;

static void
check_question(const uint8_t *data, size_t size)
{
	struct dns_question question;
	enum dns_rcode rcode;
	enum dns_question_outcome outcome = dns_question_parse(data, size, &question, &rcode);
	uint8_t query[DNS_QUERY_MAX_BYTES];
	size_t length;

	if (outcome == DNS_QUESTION_DROP)
		return;
	length = dns_answer_build(
	    &question, outcome == DNS_QUESTION_ASK ? DNS_RCODE_NO_NAME : rcode, NULL,
	    question.has_edns ? question.udp_bytes : DNS_UDP_MIN_BYTES, answer);
	assert(length <= DNS_UDP_MIN_BYTES);
	if (outcome != DNS_QUESTION_ASK)
		return;
	assert(question.name[0] != '\0' && strlen(question.name) <= NET_NAME_MAX_CHARS);
	assert(question.udp_bytes >= DNS_UDP_MIN_BYTES && question.udp_bytes <= DNS_UDP_MAX_BYTES);
	/* porta's own query is a question too, and the same one. */
	length = dns_query_build(1, question.name, question.type, true, query);
	assert(length <= sizeof(query));
	assert(dns_question_parse(query, length, &question, &rcode) == DNS_QUESTION_ASK);
}

/* Reads the reply as one to its own question, so that most inputs get far. */
static void
check_reply(const uint8_t *data, size_t size)
{
	struct cursor cursor = { .message = data, .length = size };
	struct header header;
	uint8_t wire[DNS_NAME_MAX_BYTES];
	char name[NET_NAME_MAX_CHARS + 1];
	struct dns_question question = { .has_edns = true, .wire_length = 1 };

	if (!take_header(&cursor, &header) || !take_name(&cursor, wire) ||
	    !take_u16(&cursor, &question.type))
		return;
	wire_to_text(wire, name);
	if (name[0] == '\0' || dns_reply_parse(data, size, header.id, name, question.type,
					       &records) != DNS_REPLY_RECORDS)
		return;
	assert(records.count <= DNS_RECORDS_MAX && records.used <= sizeof(records.bytes));
	for (size_t limit = DNS_UDP_MIN_BYTES; limit <= DNS_MESSAGE_MAX_BYTES; limit += 16000)
		assert(dns_answer_build(&question, DNS_RCODE_NO_ERROR, &records, limit, answer) <=
		       limit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > DNS_MESSAGE_MAX_BYTES)
		return 0;
	check_question(data, size);
	check_reply(data, size);
	return 0;
}
