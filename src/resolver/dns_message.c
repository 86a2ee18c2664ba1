/* DNS messages, read and built; see dns_message.h. */
#include "resolver/dns_message.h"

#include <string.h>

/* The flag bits of the header's second word. */
#define FLAG_RESPONSE		 0x8000
#define FLAG_OPCODE_MASK	 0x7800
#define FLAG_TRUNCATED		 0x0200
#define FLAG_RECURSION_DESIRED	 0x0100
#define FLAG_RECURSION_AVAILABLE 0x0080
#define FLAG_RCODE_MASK		 0x000f

#define HEADER_BYTES	12
#define EDNS_BYTES	11
#define LABEL_MAX_BYTES 63
/* Every answer's owner is the question's name, which begins right after the header. */
#define NAME_POINTER (0xc000 | HEADER_BYTES)

/* A place in a message. Each take_ function is false where the message ends too early. */
struct cursor {
	const uint8_t *message;
	size_t length;
	size_t at;
};

struct header {
	uint16_t id;
	uint16_t flags;
	uint16_t counts[4]; /* questions, answers, authorities, additional */
};

struct record {
	uint8_t owner[DNS_NAME_MAX_BYTES];
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	size_t data_at;
	uint16_t data_length;
};

static bool
take_u16(struct cursor *cursor, uint16_t *ret_value)
{
	const uint8_t *p = cursor->message + cursor->at;

	if (cursor->length - cursor->at < 2)
		return false;
	*ret_value = (uint16_t)(p[0] << 8 | p[1]);
	cursor->at += 2;
	return true;
}

static bool
take_header(struct cursor *cursor, struct header *ret_header)
{
	bool ok = take_u16(cursor, &ret_header->id) && take_u16(cursor, &ret_header->flags);

	for (size_t i = 0; ok && i < 4; i++)
		ok = take_u16(cursor, &ret_header->counts[i]);
	return ok;
}

static size_t
wire_length(const uint8_t *wire)
{
	size_t n = 0;

	while (wire[n] != 0)
		n += wire[n] + 1U;
	return n + 1;
}

/*
 * Takes a name and unpacks it (RFC 1035 4.1.4). A pointer must lead to before the part of the
 * name that it ends: so each is followed once at most, and there are no loops.
 */
static bool
take_name(struct cursor *cursor, uint8_t ret_wire[DNS_NAME_MAX_BYTES])
{
	const uint8_t *message = cursor->message;
	size_t at = cursor->at;
	size_t part_at = at;
	size_t end = 0; /* behind the first pointer */
	size_t used = 0;
	size_t pointers = 0;
	size_t n;

	do {
		if (at >= cursor->length)
			return false;
		n = message[at];
		if (n >= 0xc0) {
			size_t target;

			if (cursor->length - at < 2 || pointers++ == DNS_POINTERS_MAX)
				return false;
			target = (n & 0x3f) << 8 | message[at + 1];
			if (target >= part_at)
				return false;
			end = end == 0 ? at + 2 : end;
			at = target;
			part_at = target;
			continue;
		}
		if (n > LABEL_MAX_BYTES || cursor->length - at < n + 1 ||
		    DNS_NAME_MAX_BYTES - used < n + 1)
			return false;
		memcpy(ret_wire + used, message + at, n + 1);
		used += n + 1;
		at += n + 1;
	} while (n != 0);
	cursor->at = end == 0 ? at : end;
	return true;
}

static bool
take_record(struct cursor *cursor, struct record *ret_record)
{
	uint16_t high;
	uint16_t low;

	if (!take_name(cursor, ret_record->owner) || !take_u16(cursor, &ret_record->type) ||
	    !take_u16(cursor, &ret_record->class) || !take_u16(cursor, &high) ||
	    !take_u16(cursor, &low) || !take_u16(cursor, &ret_record->data_length) ||
	    cursor->length - cursor->at < ret_record->data_length)
		return false;
	ret_record->ttl = (uint32_t)high << 16 | low;
	ret_record->data_at = cursor->at;
	cursor->at += ret_record->data_length;
	return true;
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* A label's length is below every letter, so that whole names compare as bytes. */
static bool
wire_equal(const uint8_t *a, const uint8_t *b)
{
	size_t n = wire_length(a);

	if (n != wire_length(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

/* The name as canonical text; "" where a label holds what no host name has, as a dot or a NUL. */
static void
wire_to_text(const uint8_t *wire, char ret_name[NET_NAME_MAX_CHARS + 1])
{
	size_t used = 0;

	ret_name[0] = '\0';
	for (size_t at = 0; wire[at] != 0; at += wire[at] + 1U) {
		if (used > 0)
			ret_name[used++] = '.';
		for (size_t i = 1; i <= wire[at]; i++) {
			uint8_t c = lower(wire[at + i]);

			if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
			    c != '_') {
				ret_name[0] = '\0';
				return;
			}
			ret_name[used++] = (char)c;
		}
	}
	ret_name[used] = '\0';
}

/* Canonical text, whose labels are known to be of the right length, as a name on the wire. */
static void
text_to_wire(const char *name, uint8_t ret_wire[DNS_NAME_MAX_BYTES])
{
	size_t used = 0;

	while (*name != '\0') {
		size_t n = strcspn(name, ".");

		assert(n > 0 && n <= LABEL_MAX_BYTES && used + n + 2 <= DNS_NAME_MAX_BYTES);
		ret_wire[used++] = (uint8_t)n;
		memcpy(ret_wire + used, name, n);
		used += n;
		name += n + (name[n] == '.');
	}
	ret_wire[used] = 0;
}

static bool
type_is_forwarded(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_MX:
	case DNS_TYPE_PTR:
	case DNS_TYPE_SRV:
	case DNS_TYPE_TXT:
		return true;
	default:
		return false;
	}
}

/* The rest of a question's message: nothing, or one EDNS record. */
static bool
take_edns(struct cursor *cursor, unsigned count, struct dns_question *question,
	  enum dns_rcode *ret_rcode)
{
	struct record edns;

	if (count == 1) {
		if (!take_record(cursor, &edns) || edns.type != DNS_TYPE_OPT || edns.owner[0] != 0)
			return false;
		question->has_edns = true;
		question->udp_bytes = MAX(question->udp_bytes, MIN(edns.class, DNS_UDP_MAX_BYTES));
		if ((edns.ttl >> 16 & 0xff) != 0)
			*ret_rcode = DNS_RCODE_BAD_VERSION;
	}
	return cursor->at == cursor->length;
}

/* Whether the question's name has no pointer: there is nothing in front of it to point to. */
static bool
name_is_plain(const struct cursor *cursor)
{
	size_t at = cursor->at;

	while (at < cursor->length && cursor->message[at] != 0) {
		if (cursor->message[at] > LABEL_MAX_BYTES)
			return false;
		at += cursor->message[at] + 1U;
	}
	return at < cursor->length;
}

enum dns_question_outcome
dns_question_parse(const uint8_t *message, size_t length, struct dns_question *ret_question,
		   enum dns_rcode *ret_rcode)
{
	struct cursor cursor = { .message = message, .length = length };
	struct dns_question question = { .udp_bytes = DNS_UDP_MIN_BYTES };
	uint8_t wire[DNS_NAME_MAX_BYTES];
	struct header header;
	uint16_t class;

	if (!take_header(&cursor, &header) || (header.flags & FLAG_RESPONSE))
		return DNS_QUESTION_DROP;
	question.id = header.id;
	question.recursion_desired = header.flags & FLAG_RECURSION_DESIRED;
	*ret_question = question;
	*ret_rcode = DNS_RCODE_NOT_IMPLEMENTED;
	if (header.flags & FLAG_OPCODE_MASK)
		return DNS_QUESTION_REPLY;
	*ret_rcode = DNS_RCODE_FORMAT_ERROR;
	if (header.counts[0] != 1 || header.counts[1] != 0 || header.counts[2] != 0 ||
	    header.counts[3] > 1 || (header.flags & FLAG_TRUNCATED) || !name_is_plain(&cursor) ||
	    !take_name(&cursor, wire) || !take_u16(&cursor, &question.type) ||
	    !take_u16(&cursor, &class) || class != DNS_CLASS_IN)
		return DNS_QUESTION_REPLY;
	question.wire_length = wire_length(wire);
	memcpy(question.wire, wire, question.wire_length);
	wire_to_text(wire, question.name);
	*ret_rcode = DNS_RCODE_NO_ERROR;
	if (!take_edns(&cursor, header.counts[3], &question, ret_rcode)) {
		*ret_rcode = DNS_RCODE_FORMAT_ERROR;
		return DNS_QUESTION_REPLY;
	}
	*ret_question = question;
	if (*ret_rcode != DNS_RCODE_NO_ERROR)
		return DNS_QUESTION_REPLY;
	if (question.name[0] == '\0') {
		*ret_rcode = DNS_RCODE_NO_NAME;
		return DNS_QUESTION_REPLY;
	}
	return type_is_forwarded(question.type) ? DNS_QUESTION_ASK : DNS_QUESTION_REPLY;
}

bool
dns_records_add(struct dns_records *records, const uint8_t *data, size_t length)
{
	if (records->count == DNS_RECORDS_MAX || length > sizeof(records->bytes) - records->used)
		return false;
	memcpy(records->bytes + records->used, data, length);
	records->items[records->count].offset = (uint16_t)records->used;
	records->items[records->count].length = (uint16_t)length;
	records->used += length;
	records->count++;
	return true;
}

static void
put_u16(uint8_t *message, size_t *at, unsigned value)
{
	message[(*at)++] = (uint8_t)(value >> 8);
	message[(*at)++] = (uint8_t)value;
}

static void
put_u32(uint8_t *message, size_t *at, uint32_t value)
{
	put_u16(message, at, value >> 16);
	put_u16(message, at, value & 0xffff);
}

/* An EDNS record (RFC 6891 6.1.2) of version 0 without options. */
static void
put_edns(uint8_t *message, size_t *at, unsigned extended_rcode)
{
	message[(*at)++] = 0;
	put_u16(message, at, DNS_TYPE_OPT);
	put_u16(message, at, DNS_EDNS_BYTES);
	put_u32(message, at, extended_rcode << 24);
	put_u16(message, at, 0);
}

size_t
dns_query_build(uint16_t id, const char *name, uint16_t type, bool with_edns,
		uint8_t ret_message[DNS_QUERY_MAX_BYTES])
{
	uint8_t wire[DNS_NAME_MAX_BYTES];
	size_t at = 0;

	text_to_wire(name, wire);
	put_u16(ret_message, &at, id);
	put_u16(ret_message, &at, FLAG_RECURSION_DESIRED);
	put_u16(ret_message, &at, 1);
	put_u16(ret_message, &at, 0);
	put_u16(ret_message, &at, 0);
	put_u16(ret_message, &at, with_edns ? 1 : 0);
	memcpy(ret_message + at, wire, wire_length(wire));
	at += wire_length(wire);
	put_u16(ret_message, &at, type);
	put_u16(ret_message, &at, DNS_CLASS_IN);
	if (with_edns)
		put_edns(ret_message, &at, 0);
	return at;
}

/* Copies `fixed_bytes` and the name after them, unpacked. The data must end with the name. */
static bool
add_with_name(struct dns_records *records, struct cursor data, size_t fixed_bytes)
{
	uint8_t copy[6 + DNS_NAME_MAX_BYTES];

	if (data.length - data.at < fixed_bytes)
		return false;
	memcpy(copy, data.message + data.at, fixed_bytes);
	data.at += fixed_bytes;
	if (!take_name(&data, copy + fixed_bytes) || data.at != data.length)
		return false;
	dns_records_add(records, copy, fixed_bytes + wire_length(copy + fixed_bytes));
	return true;
}

static bool
strings_are_whole(const uint8_t *data, size_t length)
{
	size_t at = 0;

	while (at < length)
		at += data[at] + 1U;
	return length > 0 && at == length;
}

/* Adds one record without compression; false if its data is not what the type says. */
static bool
add_record(struct dns_records *records, const struct cursor *cursor, const struct record *record)
{
	/* A name may point back to anywhere in the message, but not lie beyond the data's end. */
	struct cursor data = { .message = cursor->message,
			       .length = record->data_at + record->data_length,
			       .at = record->data_at };
	const uint8_t *bytes = cursor->message + record->data_at;
	size_t length = record->data_length;

	records->ttl = MIN(records->ttl, record->ttl);
	switch (record->type) {
	case DNS_TYPE_A:
		return length == 4 && (dns_records_add(records, bytes, length), true);
	case DNS_TYPE_AAAA:
		return length == 16 && (dns_records_add(records, bytes, length), true);
	case DNS_TYPE_TXT:
		return strings_are_whole(bytes, length) &&
		       (dns_records_add(records, bytes, length), true);
	case DNS_TYPE_MX:
		return add_with_name(records, data, 2);
	case DNS_TYPE_SRV:
		return add_with_name(records, data, 6);
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
		return add_with_name(records, data, 0);
	default:
		return false;
	}
}

/*
 * One look through the answer section: adds what is `name`'s own, or else puts the target
 * of its CNAME into `name` and says so. Returns -1 for a broken section.
 */
static int
scan_answers(struct cursor cursor, unsigned count, uint8_t name[DNS_NAME_MAX_BYTES], uint16_t type,
	     struct dns_records *records)
{
	uint8_t target[DNS_NAME_MAX_BYTES];
	bool has_target = false;
	struct record record;

	for (unsigned i = 0; i < count; i++) {
		if (!take_record(&cursor, &record))
			return -1;
		if (record.class != DNS_CLASS_IN || !wire_equal(record.owner, name))
			continue;
		if (record.type == type) {
			if (!add_record(records, &cursor, &record))
				return -1;
		} else if (record.type == DNS_TYPE_CNAME && !has_target) {
			struct cursor data = { .message = cursor.message,
					       .length = record.data_at + record.data_length,
					       .at = record.data_at };

			if (!take_name(&data, target) || data.at != data.length)
				return -1;
			records->ttl = MIN(records->ttl, record.ttl);
			has_target = true;
		}
	}
	if (records->count > 0 || !has_target)
		return 0;
	memcpy(name, target, wire_length(target));
	return 1;
}

static enum dns_reply
reply_of_rcode(unsigned rcode)
{
	switch (rcode) {
	case DNS_RCODE_NO_ERROR:
		return DNS_REPLY_RECORDS;
	case DNS_RCODE_NO_NAME:
		return DNS_REPLY_NO_NAME;
	case DNS_RCODE_FORMAT_ERROR:
	case DNS_RCODE_NOT_IMPLEMENTED:
		return DNS_REPLY_NO_EDNS;
	default:
		return DNS_REPLY_FAILED;
	}
}

enum dns_reply
dns_reply_parse(const uint8_t *message, size_t length, uint16_t id, const char *name, uint16_t type,
		struct dns_records *ret_records)
{
	struct cursor cursor = { .message = message, .length = length };
	uint8_t asked[DNS_NAME_MAX_BYTES];
	uint8_t wire[DNS_NAME_MAX_BYTES];
	uint16_t reply_type;
	uint16_t reply_class;
	enum dns_reply reply;
	struct header header;
	int more = 1;

	if (!take_header(&cursor, &header) || header.id != id || !(header.flags & FLAG_RESPONSE) ||
	    (header.flags & FLAG_OPCODE_MASK))
		return DNS_REPLY_FOREIGN;
	reply = reply_of_rcode(header.flags & FLAG_RCODE_MASK);
	/* A server that does not know EDNS may send the bare header back (RFC 6891 7). */
	if (header.counts[0] == 0 && reply == DNS_REPLY_NO_EDNS)
		return reply;
	text_to_wire(name, asked);
	if (header.counts[0] != 1 || !take_name(&cursor, wire) || !take_u16(&cursor, &reply_type) ||
	    !take_u16(&cursor, &reply_class) || !wire_equal(wire, asked) || reply_type != type ||
	    reply_class != DNS_CLASS_IN)
		return DNS_REPLY_FOREIGN;
	if (reply != DNS_REPLY_RECORDS)
		return reply;
	if (header.flags & FLAG_TRUNCATED)
		return DNS_REPLY_TRUNCATED;
	memset(ret_records, 0, offsetof(struct dns_records, bytes));
	ret_records->type = type;
	ret_records->ttl = INT32_MAX; /* RFC 2181 8: 31 bits */
	for (unsigned i = 0; more == 1 && i <= DNS_CHAIN_MAX; i++)
		more = scan_answers(cursor, header.counts[1], asked, type, ret_records);
	return more == 0 ? DNS_REPLY_RECORDS : DNS_REPLY_FAILED;
}

/* Adds the records that fit before `limit`; returns how many. */
static size_t
put_records(const struct dns_records *records, size_t limit, uint8_t *message, size_t *at)
{
	size_t count = 0;

	for (; count < records->count; count++) {
		size_t length = records->items[count].length;

		if (*at + 12 + length > limit)
			break;
		put_u16(message, at, NAME_POINTER);
		put_u16(message, at, records->type);
		put_u16(message, at, DNS_CLASS_IN);
		put_u32(message, at, records->ttl);
		put_u16(message, at, (unsigned)length);
		memcpy(message + *at, records->bytes + records->items[count].offset, length);
		*at += length;
	}
	return count;
}

size_t
dns_answer_build(const struct dns_question *question, enum dns_rcode rcode,
		 const struct dns_records *records, size_t limit,
		 uint8_t ret_message[DNS_MESSAGE_MAX_BYTES])
{
	unsigned flags = FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | (rcode & FLAG_RCODE_MASK);
	size_t at = HEADER_BYTES;
	size_t header_at = 0;
	size_t count = 0;

	if (question->recursion_desired)
		flags |= FLAG_RECURSION_DESIRED;
	if (question->wire_length > 0) {
		memcpy(ret_message + at, question->wire, question->wire_length);
		at += question->wire_length;
		put_u16(ret_message, &at, question->type);
		put_u16(ret_message, &at, DNS_CLASS_IN);
	}
	if (records != NULL) {
		count = put_records(records, limit - EDNS_BYTES, ret_message, &at);
		if (count < records->count && records->type != DNS_TYPE_A &&
		    records->type != DNS_TYPE_AAAA)
			flags |= FLAG_TRUNCATED;
	}
	if (question->has_edns)
		put_edns(ret_message, &at, rcode >> 4);
	put_u16(ret_message, &header_at, question->id);
	put_u16(ret_message, &header_at, flags);
	put_u16(ret_message, &header_at, question->wire_length > 0 ? 1 : 0);
	put_u16(ret_message, &header_at, (unsigned)count);
	put_u16(ret_message, &header_at, 0);
	put_u16(ret_message, &header_at, question->has_edns ? 1 : 0);
	return at;
}
