/* DNS messages: what is read of hostile ones, and what is made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The program is not part of the library that tests link. */
#include "resolver/dns_message.c"

/* A message under construction. */
struct packet {
	uint8_t bytes[70000];
	size_t length;
};

static void
put(struct packet *packet, const void *bytes, size_t n)
{
	memcpy(packet->bytes + packet->length, bytes, n);
	packet->length += n;
}

static void
put16(struct packet *packet, unsigned value)
{
	uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(packet, bytes, 2);
}

/* "www.example.com" as labels. */
static void
put_name(struct packet *packet, const char *name)
{
	while (*name != '\0') {
		size_t n = strcspn(name, ".");
		uint8_t length = (uint8_t)n;

		put(packet, &length, 1);
		put(packet, name, n);
		name += n + (name[n] == '.');
	}
	put(packet, "", 1);
}

static void
begin(struct packet *packet, unsigned id, unsigned flags, unsigned questions, unsigned answers,
      unsigned additional)
{
	packet->length = 0;
	put16(packet, id);
	put16(packet, flags);
	put16(packet, questions);
	put16(packet, answers);
	put16(packet, 0);
	put16(packet, additional);
}

static void
put_question(struct packet *packet, const char *name, unsigned type)
{
	put_name(packet, name);
	put16(packet, type);
	put16(packet, DNS_CLASS_IN);
}

static void
put_record(struct packet *packet, const char *name, unsigned type, unsigned ttl, const void *data,
	   size_t length)
{
	put_name(packet, name);
	put16(packet, type);
	put16(packet, DNS_CLASS_IN);
	put16(packet, 0);
	put16(packet, ttl);
	put16(packet, (unsigned)length);
	put(packet, data, length);
}

static void
put_cname(struct packet *packet, const char *name, const char *target)
{
	struct packet *data = calloc(1, sizeof(*data));

	put_name(data, target);
	put_record(packet, name, DNS_TYPE_CNAME, 60, data->bytes, data->length);
	free(data);
}

static void
put_opt(struct packet *packet, const char *owner, unsigned size, unsigned version,
	size_t options_length)
{
	uint8_t options[64] = { 0, 10, 0, 8 };

	put_name(packet, owner);
	put16(packet, DNS_TYPE_OPT);
	put16(packet, size);
	put16(packet, version);
	put16(packet, 0);
	put16(packet, (unsigned)options_length);
	put(packet, options, options_length);
}

static struct packet packet;
static struct dns_question question;
static struct dns_records records;
static enum dns_rcode rcode;

static enum dns_question_outcome
parse(void)
{
	/* A copy of exactly that size, so that a sanitizer sees each octet read too far. */
	uint8_t *copy = malloc(packet.length ? packet.length : 1);
	enum dns_question_outcome outcome;

	memcpy(copy, packet.bytes, packet.length);
	memset(&question, 0x55, sizeof(question));
	rcode = DNS_RCODE_NO_ERROR;
	outcome = dns_question_parse(copy, packet.length, &question, &rcode);
	free(copy);
	return outcome;
}

static void
assert_reply(enum dns_rcode expected)
{
	assert_int_equal(parse(), DNS_QUESTION_REPLY);
	assert_int_equal(rcode, expected);
}

static enum dns_reply
reply(const char *name, unsigned type)
{
	uint8_t *copy = malloc(packet.length ? packet.length : 1);
	enum dns_reply result;

	memcpy(copy, packet.bytes, packet.length);
	result = dns_reply_parse(copy, packet.length, 77, name, (uint16_t)type, &records);
	free(copy);
	return result;
}

static void
test_question(void **state)
{
	(void)state;
	begin(&packet, 0x1234, 0x0120, 1, 0, 1);
	put_question(&packet, "API.Example.COM", DNS_TYPE_AAAA);
	put_opt(&packet, "", 1232, 0, 12);
	assert_int_equal(parse(), DNS_QUESTION_ASK);
	assert_int_equal(question.id, 0x1234);
	assert_true(question.recursion_desired);
	assert_true(question.has_edns);
	assert_int_equal(question.udp_bytes, 1232);
	assert_int_equal(question.type, DNS_TYPE_AAAA);
	assert_string_equal(question.name, "api.example.com");
	assert_memory_equal(question.wire, "\3API\7Example\3COM", 17);
	assert_int_equal(question.wire_length, 17);
}

static void
test_question_sizes(void **state)
{
	static const struct {
		unsigned offered;
		unsigned taken;
	} cases[] = { { 0, 512 }, { 511, 512 }, { 1400, 1400 }, { 65535, DNS_UDP_MAX_BYTES } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&packet, 1, 0, 1, 0, 1);
		put_question(&packet, "a.example", DNS_TYPE_A);
		put_opt(&packet, "", cases[i].offered, 0, 0);
		assert_int_equal(parse(), DNS_QUESTION_ASK);
		assert_int_equal(question.udp_bytes, cases[i].taken);
	}
}

static void
test_question_dropped(void **state)
{
	(void)state;
	begin(&packet, 1, 0x8000, 1, 0, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	assert_int_equal(parse(), DNS_QUESTION_DROP);
	for (packet.length = 0; packet.length < 12; packet.length++)
		assert_int_equal(parse(), DNS_QUESTION_DROP);
}

static void
test_question_malformed(void **state)
{
	static const uint8_t pointer[] = { 0xc0, 0x00, 0, 1, 0, 1 };
	static const uint8_t reserved[] = { 0x41, 'a', 0, 0, 1, 0, 1 };
	size_t whole;

	(void)state;
	begin(&packet, 1, 0x2800, 1, 0, 0);
	assert_reply(DNS_RCODE_NOT_IMPLEMENTED);
	/* Two questions, none, an answer, trailing octets. */
	begin(&packet, 1, 0, 2, 0, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_question(&packet, "secret.example", DNS_TYPE_A);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	assert_int_equal(question.wire_length, 0);
	begin(&packet, 1, 0, 0, 0, 0);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	begin(&packet, 1, 0, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_record(&packet, "a.example", DNS_TYPE_A, 1, "\1\2\3\4", 4);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	begin(&packet, 1, 0, 1, 0, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	whole = packet.length;
	put(&packet, "x", 1);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	for (packet.length = 12; packet.length < whole; packet.length++)
		assert_reply(DNS_RCODE_FORMAT_ERROR);
	/* A name that points into the header, a label type that is none, another class. */
	begin(&packet, 1, 0, 1, 0, 0);
	put(&packet, pointer, sizeof(pointer));
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	begin(&packet, 1, 0, 1, 0, 0);
	put(&packet, reserved, sizeof(reserved));
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	begin(&packet, 1, 0, 1, 0, 0);
	put_name(&packet, "version.bind");
	put16(&packet, DNS_TYPE_TXT);
	put16(&packet, 3);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
}

static void
test_question_edns(void **state)
{
	(void)state;
	begin(&packet, 1, 0, 1, 0, 2);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_opt(&packet, "", 1232, 0, 0);
	put_opt(&packet, "", 1232, 0, 0);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	begin(&packet, 1, 0, 1, 0, 1);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_opt(&packet, "secret.example", 1232, 0, 0);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	begin(&packet, 1, 0, 1, 0, 1);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_record(&packet, "", 250, 1, "", 0);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	begin(&packet, 1, 0, 1, 0, 1);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_opt(&packet, "", 1232, 1, 0);
	assert_reply(DNS_RCODE_BAD_VERSION);
}

static void
test_question_names(void **state)
{
	static const struct {
		const char *wire;
		size_t length;
	} no_names[] = {
		{ "", 1 },		     /* the root */
		{ "\11a.example\3com", 15 }, /* a dot inside of a label */
		{ "\5a\0bcd\3com", 11 },     /* a NUL */
		{ "\3a b\3com", 9 },	     /* a blank */
		{ "\3a\\b\3com", 9 },	     /* a backslash */
		{ "\7b\xc3\xbc"
		  "cher\3com",
		  13 }, /* UTF-8 */
	};
	char name[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no_names); i++) {
		begin(&packet, 1, 0, 1, 0, 0);
		put(&packet, no_names[i].wire, no_names[i].length);
		put16(&packet, DNS_TYPE_A);
		put16(&packet, DNS_CLASS_IN);
		assert_reply(DNS_RCODE_NO_NAME);
		assert_int_equal(question.wire_length, no_names[i].length);
	}
	/* The longest, 253 characters, and one more. */
	memset(name, 'a', sizeof(name));
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	begin(&packet, 1, 0, 1, 0, 0);
	put_question(&packet, name, DNS_TYPE_A);
	assert_int_equal(parse(), DNS_QUESTION_ASK);
	assert_string_equal(question.name, name);
	name[253] = 'a';
	name[254] = '\0';
	begin(&packet, 1, 0, 1, 0, 0);
	put_question(&packet, name, DNS_TYPE_A);
	assert_reply(DNS_RCODE_FORMAT_ERROR);
	/* HTTPS, SVCB, ANY: no data. */
	begin(&packet, 1, 0, 1, 0, 0);
	put_question(&packet, "a.example", 65);
	assert_reply(DNS_RCODE_NO_ERROR);
}

static void
test_query(void **state)
{
	static const uint8_t expected[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1\1a\7example\0\0\34\0\1"
					  "\0\0\51\4\xd0\0\0\0\0\0";
	uint8_t message[DNS_QUERY_MAX_BYTES];

	(void)state;
	assert_int_equal(dns_query_build(0x1234, "a.example", DNS_TYPE_AAAA, true, message),
			 sizeof(expected));
	assert_memory_equal(message, expected, sizeof(expected));
	assert_int_equal(dns_query_build(0x1234, "a.example", DNS_TYPE_AAAA, false, message),
			 sizeof(expected) - 11);
}

static void
test_reply_addresses(void **state)
{
	(void)state;
	begin(&packet, 77, 0x8180, 1, 5, 0);
	put_question(&packet, "A.example", DNS_TYPE_A);
	put_record(&packet, "other.example", DNS_TYPE_A, 1, "\306\63\144\1", 4);
	put_cname(&packet, "a.example", "b.example");
	put_record(&packet, "c.example", DNS_TYPE_A, 30, "\313\0\161\5", 4);
	put_cname(&packet, "B.example", "c.example");
	put_record(&packet, "c.EXAMPLE", DNS_TYPE_A, 40, "\313\0\161\6", 4);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_RECORDS);
	assert_int_equal(records.count, 2);
	assert_int_equal(records.ttl, 30);
	assert_memory_equal(records.bytes, "\313\0\161\5\313\0\161\6", 8);
	/* The chain alone, as an answer of its own. */
	begin(&packet, 77, 0x8180, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_CNAME);
	put_cname(&packet, "a.example", "b.example");
	assert_int_equal(reply("a.example", DNS_TYPE_CNAME), DNS_REPLY_RECORDS);
	assert_int_equal(records.count, 1);
	assert_memory_equal(records.bytes, "\1b\7example", 11);
	/* No data. */
	begin(&packet, 77, 0x8180, 1, 0, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_RECORDS);
	assert_int_equal(records.count, 0);
}

static void
test_reply_other_types(void **state)
{
	static const uint8_t mx[] = { 0, 10, 2, 'm', 'x', 0xc0, 14 }; /* mx.example */
	static const uint8_t srv[] = "\0\1\0\2\1\273\1s\7example";
	static const uint8_t txt[] = "\3abc\0\2de";

	(void)state;
	begin(&packet, 77, 0x8180, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_MX);
	put_record(&packet, "a.example", DNS_TYPE_MX, 60, mx, sizeof(mx));
	assert_int_equal(reply("a.example", DNS_TYPE_MX), DNS_REPLY_RECORDS);
	assert_memory_equal(records.bytes, "\0\12\2mx\7example", 14);
	assert_int_equal(records.items[0].length, 14);
	begin(&packet, 77, 0x8180, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_SRV);
	put_record(&packet, "a.example", DNS_TYPE_SRV, 60, srv, sizeof(srv));
	assert_int_equal(reply("a.example", DNS_TYPE_SRV), DNS_REPLY_RECORDS);
	assert_int_equal(records.items[0].length, sizeof(srv));
	begin(&packet, 77, 0x8180, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_TXT);
	put_record(&packet, "a.example", DNS_TYPE_TXT, 60, txt, sizeof(txt) - 1);
	assert_int_equal(reply("a.example", DNS_TYPE_TXT), DNS_REPLY_RECORDS);
	begin(&packet, 77, 0x8180, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_TXT);
	put_record(&packet, "a.example", DNS_TYPE_TXT, 60, txt, sizeof(txt) - 2);
	assert_int_equal(reply("a.example", DNS_TYPE_TXT), DNS_REPLY_FAILED);
}

static void
test_reply_foreign(void **state)
{
	(void)state;
	begin(&packet, 78, 0x8180, 1, 0, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FOREIGN);
	begin(&packet, 77, 0x0100, 1, 0, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FOREIGN);
	begin(&packet, 77, 0x8180, 1, 0, 0);
	put_question(&packet, "b.example", DNS_TYPE_A);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FOREIGN);
	begin(&packet, 77, 0x8180, 1, 0, 0);
	put_question(&packet, "a.example", DNS_TYPE_AAAA);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FOREIGN);
	begin(&packet, 77, 0x8183, 0, 0, 0);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FOREIGN);
}

static void
test_reply_rcodes(void **state)
{
	static const struct {
		unsigned flags;
		enum dns_reply expected;
	} cases[] = {
		{ 0x8183, DNS_REPLY_NO_NAME }, { 0x8182, DNS_REPLY_FAILED },
		{ 0x8185, DNS_REPLY_FAILED },  { 0x8181, DNS_REPLY_NO_EDNS },
		{ 0x8184, DNS_REPLY_NO_EDNS }, { 0x8380, DNS_REPLY_TRUNCATED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&packet, 77, cases[i].flags, 1, 0, 0);
		put_question(&packet, "a.example", DNS_TYPE_A);
		assert_int_equal(reply("a.example", DNS_TYPE_A), cases[i].expected);
	}
	begin(&packet, 77, 0x8181, 0, 0, 0);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_NO_EDNS);
}

static void
test_reply_malformed(void **state)
{
	static const uint8_t loop[] = { 0xc0, 27, 0xc0, 29 };
	size_t whole;

	(void)state;
	begin(&packet, 77, 0x8180, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_record(&packet, "a.example", DNS_TYPE_A, 60, "\1\2\3\4\5", 5);
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FAILED);
	/* A pointer to itself, and one forward. */
	for (size_t i = 0; i < 2; i++) {
		begin(&packet, 77, 0x8180, 1, 1, 0);
		put_question(&packet, "a.example", DNS_TYPE_A);
		assert_int_equal(packet.length, 27);
		put(&packet, loop + 2 * i, 2);
		put(&packet, "\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 14);
		assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FAILED);
	}
	/* A circle of CNAMEs. */
	begin(&packet, 77, 0x8180, 1, 2, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_cname(&packet, "a.example", "b.example");
	put_cname(&packet, "b.example", "a.example");
	assert_int_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_FAILED);
	/* Cut anywhere. */
	begin(&packet, 77, 0x8180, 1, 1, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	put_record(&packet, "a.example", DNS_TYPE_A, 60, "\313\0\161\5", 4);
	whole = packet.length;
	for (packet.length = 0; packet.length < whole; packet.length++)
		assert_int_not_equal(reply("a.example", DNS_TYPE_A), DNS_REPLY_RECORDS);
}

/* An answer whose owner is the question's name, behind `count` pointers that lie in a record before it. */
static enum dns_reply
reply_behind_pointers(size_t count)
{
	struct packet *chain = calloc(1, sizeof(*chain));
	size_t chain_at;

	begin(&packet, 77, 0x8180, 1, 2, 0);
	put_question(&packet, "a.example", DNS_TYPE_A);
	chain_at = packet.length + 1 + 10;
	put16(chain, 0xc000 | 12);
	for (size_t i = 0; i + 2 < count; i++)
		put16(chain, (unsigned)(0xc000 | (chain_at + 2 * i)));
	put_record(&packet, "", DNS_TYPE_TXT, 60, chain->bytes, chain->length);
	put16(&packet, (unsigned)(0xc000 | (chain_at + chain->length - 2)));
	put(&packet, "\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 14);
	free(chain);
	return reply("a.example", DNS_TYPE_A);
}

static void
test_reply_of_pointers(void **state)
{
	(void)state;
	assert_int_equal(reply_behind_pointers(3), DNS_REPLY_RECORDS);
	assert_int_equal(records.count, 1);
	assert_int_equal(reply_behind_pointers(DNS_POINTERS_MAX), DNS_REPLY_RECORDS);
	assert_int_equal(reply_behind_pointers(DNS_POINTERS_MAX + 1), DNS_REPLY_FAILED);
	assert_int_equal(reply_behind_pointers(8000), DNS_REPLY_FAILED);
}

static void
test_answer(void **state)
{
	static uint8_t message[DNS_MESSAGE_MAX_BYTES];
	size_t length;

	(void)state;
	begin(&packet, 0x4321, 0x0100, 1, 0, 0);
	put_question(&packet, "A.Example", DNS_TYPE_A);
	assert_int_equal(parse(), DNS_QUESTION_ASK);
	records = (struct dns_records){ .type = DNS_TYPE_A, .ttl = 60 };
	while (dns_records_add(&records, (const uint8_t *)"\313\0\161\5", 4))
		;
	assert_int_equal(records.count, DNS_RECORDS_MAX);
	/* As many as fit, without a word. */
	length =
	    dns_answer_build(&question, DNS_RCODE_NO_ERROR, &records, question.udp_bytes, message);
	assert_true(length <= 512);
	assert_memory_equal(message, "\x43\x21\x81\x80\0\1\0\35\0\0\0\0\1A\7Example", 22);
	assert_int_equal(length, 12 + 15 + 29 * 16);
	length = dns_answer_build(&question, DNS_RCODE_NO_ERROR, &records, 65535, message);
	assert_int_equal(length, 12 + 15 + DNS_RECORDS_MAX * 16);
	/* Of other types a part is not as good. */
	records.type = DNS_TYPE_TXT;
	dns_answer_build(&question, DNS_RCODE_NO_ERROR, &records, 512, message);
	assert_int_equal(message[2], 0x83);
	length = dns_answer_build(&question, DNS_RCODE_NO_NAME, NULL, 512, message);
	assert_int_equal(length, 12 + 15);
	assert_int_equal(message[3], 0x83);
	question.has_edns = true;
	length = dns_answer_build(&question, DNS_RCODE_BAD_VERSION, NULL, 512, message);
	assert_memory_equal(message + length - 11, "\0\0\51\4\xd0\1\0\0\0\0\0", 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_question_sizes),
		cmocka_unit_test(test_question_dropped),
		cmocka_unit_test(test_question_malformed),
		cmocka_unit_test(test_question_edns),
		cmocka_unit_test(test_question_names),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_reply_addresses),
		cmocka_unit_test(test_reply_other_types),
		cmocka_unit_test(test_reply_foreign),
		cmocka_unit_test(test_reply_rcodes),
		cmocka_unit_test(test_reply_malformed),
		cmocka_unit_test(test_reply_of_pointers),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
