/* Growing text, lists of strings, and the numbers a person writes; see strings.h. */
#include "util/strings.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

void
strbuf_done(struct strbuf *buf)
{
	if (buf == NULL)
		return;
	free(buf->text);
	*buf = (struct strbuf)STRBUF_INIT;
}

void
strbuf_add(struct strbuf *buf, const char *bytes, size_t n)
{
	mem_grow((void **)&buf->text, &buf->capacity, buf->length + n + 1, 1);
	if (n > 0)
		memcpy(buf->text + buf->length, bytes, n);
	buf->length += n;
	buf->text[buf->length] = '\0';
}

void
strbuf_puts(struct strbuf *buf, const char *text)
{
	strbuf_add(buf, text, strlen(text));
}

void
strbuf_putc(struct strbuf *buf, char c)
{
	strbuf_add(buf, &c, 1);
}

void
strbuf_printf(struct strbuf *buf, const char *fmt, ...)
{
	va_list args;
	va_list again;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(n >= 0);
	mem_grow((void **)&buf->text, &buf->capacity, buf->length + (size_t)n + 1, 1);
	vsnprintf(buf->text + buf->length, (size_t)n + 1, fmt, again);
	va_end(again);
	buf->length += (size_t)n;
}

/* Length of the UTF-8 sequence at `s` (RFC 3629), 0 if it is not one. */
static size_t
utf8_sequence_length(const unsigned char *s)
{
	size_t n;
	unsigned long value;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	value = s[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && value < 0x800) || (n == 4 && value < 0x10000) || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	return n;
}

bool
str_is_utf8(const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t n = utf8_sequence_length((const unsigned char *)text + at);

		if (n == 0 || text[at] == '\0')
			return false;
		at += n;
	}
	return true;
}

void
strbuf_put_json(struct strbuf *buf, const char *text)
{
	strbuf_put_json_bytes(buf, text, strlen(text));
}

void
strbuf_put_json_bytes(struct strbuf *buf, const char *text, size_t length)
{
	const unsigned char *s = (const unsigned char *)text;
	const unsigned char *end = s + length;

	strbuf_putc(buf, '"');
	while (s < end) {
		size_t n = utf8_sequence_length(s);

		if (n == 0) {
			strbuf_puts(buf, "\\ufffd");
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			strbuf_printf(buf, "\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			strbuf_printf(buf, "\\u%04x", *s);
		} else {
			strbuf_add(buf, (const char *)s, n);
		}
		s += n;
	}
	strbuf_putc(buf, '"');
}

void
strbuf_put_shell(struct strbuf *buf, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,@%";

	if (*text != '\0' && strspn(text, plain) == strlen(text)) {
		strbuf_puts(buf, text);
		return;
	}
	strbuf_putc(buf, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			strbuf_puts(buf, "'\\''");
		else
			strbuf_putc(buf, *text);
	}
	strbuf_putc(buf, '\'');
}

void
strbuf_put_printable(struct strbuf *buf, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s != '\0') {
		size_t n = utf8_sequence_length(s);
		bool c1_control = n == 2 && s[0] == 0xc2 && s[1] < 0xa0;

		if (n == 0 || *s < 0x20 || *s == 0x7f) {
			strbuf_printf(buf, "\\x%02x", *s);
			n = 1;
		} else if (c1_control) {
			strbuf_printf(buf, "\\x%02x", s[1]);
		} else {
			strbuf_add(buf, (const char *)s, n);
		}
		s += n;
	}
}

char *
strbuf_take(struct strbuf *buf)
{
	char *text;

	if (buf->text == NULL)
		strbuf_puts(buf, "");
	text = buf->text;
	*buf = (struct strbuf)STRBUF_INIT;
	return text;
}

void
strv_done(struct strv *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strv)STRV_INIT;
}

void
strv_take(struct strv *list, char *text)
{
	MEM_GROW(list->items, list->capacity, list->count + 1);
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

void
strv_add(struct strv *list, const char *text)
{
	strv_take(list, mem_strdup(text));
}

bool
strv_contains(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

bool
str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool
str_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
str_ends_with(const char *text, const char *suffix)
{
	size_t n = strlen(text);
	size_t m = strlen(suffix);

	return n >= m && strcmp(text + n - m, suffix) == 0;
}

int
str_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	}
	if (value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

/* Reads "12" or "1.25" into thousandths; *text is moved behind it. More decimals are cut. */
static int
parse_thousandths(const char **text, uint64_t *ret_thousandths)
{
	const uint64_t limit = UINT64_MAX / 10000 - 10;
	uint64_t value = 0;
	uint64_t scale = 100;
	const char *s = *text;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		value = value * 10 + (uint64_t)(*s - '0');
		if (value > limit)
			return -ERANGE;
	}
	value *= 1000;
	if (*s == '.') {
		s++;
		if (!isdigit((unsigned char)*s))
			return -EINVAL;
		for (; isdigit((unsigned char)*s); s++) {
			value += (uint64_t)(*s - '0') * scale;
			scale /= 10;
		}
	}
	*text = s;
	*ret_thousandths = value;
	return 0;
}

int
str_parse_duration_ms(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		      { "d", 86400000 } };
	const uint64_t limit_ms = 365ULL * 86400000;
	uint64_t thousandths;
	int r;

	r = parse_thousandths(&text, &thousandths);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t ms;

		if (!str_equal(text, units[i].suffix))
			continue;
		if (__builtin_mul_overflow(thousandths, units[i].ms, &ms))
			return -ERANGE;
		ms /= 1000;
		if (ms == 0 || ms > limit_ms)
			return -ERANGE;
		*ret_ms = ms;
		return 0;
	}
	return -EINVAL;
}

int
str_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char letters[] = "kmgt";
	uint64_t thousandths;
	uint64_t unit = 1;
	const char *letter;
	int r;

	r = parse_thousandths(&text, &thousandths);
	if (r < 0)
		return r;
	if (*text != '\0' && (letter = strchr(letters, tolower((unsigned char)*text))) != NULL) {
		for (const char *s = letters; s <= letter; s++)
			unit *= 1024;
		text++;
		if (*text == 'i' && text[1] == 'B')
			text++;
	}
	if (*text == 'B')
		text++;
	if (*text != '\0')
		return -EINVAL;
	if (__builtin_mul_overflow(thousandths, unit, &thousandths))
		return -ERANGE;
	*ret_bytes = thousandths / 1000;
	return 0;
}

/* Edit distance where one swap of neighbours counts one (optimal string alignment). */
static size_t
edit_distance(const char *a, const char *b)
{
	enum { LIMIT = 48 };
	size_t n = strlen(a);
	size_t m = strlen(b);
	size_t row[LIMIT + 1][LIMIT + 1];

	if (n > LIMIT || m > LIMIT)
		return LIMIT;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			size_t best;

			if (i == 0 || j == 0) {
				row[i][j] = i + j;
				continue;
			}
			best = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			best = MIN(best, row[i - 1][j] + 1);
			best = MIN(best, row[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, row[i - 2][j - 2] + 1);
			row[i][j] = best;
		}
	}
	return row[n][m];
}

const char *
str_nearest(const char *text, const char *const *words)
{
	const char *nearest = NULL;
	/* A long text is near nothing, however many characters a third of it are. */
	size_t least = MIN(strlen(text) / 3 + 1, (size_t)8);

	for (; *words != NULL; words++) {
		size_t distance = edit_distance(text, *words);

		if (distance <= least && (nearest == NULL || distance < least)) {
			least = distance;
			nearest = *words;
		}
	}
	return nearest;
}
