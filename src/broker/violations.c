/* What the policy refused, and how it is told; see violations.h. */
#include "broker/violations.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/strings.h"

/* Lines of the footer, and the widest subject that the others are aligned to. */
#define FOOTER_LINES_MAX	   20
#define FOOTER_SUBJECT_COLUMNS_MAX 48
#define REMARKS_MAX		   64

struct violations {
	struct violation *items;
	size_t count;
	size_t capacity;
	uint64_t more; /* requests beyond VIOLATIONS_MAX different ones */
	uint64_t more_first_ms;
	struct strv remarks;
};

static const char *const kind_names[] = {
	[VIOLATION_CONNECT] = "connect", [VIOLATION_LISTEN] = "listen",
	[VIOLATION_NAME] = "name",	 [VIOLATION_DATAGRAM] = "datagram",
	[VIOLATION_UNIX] = "unix",	 [VIOLATION_PROTECTED] = "protected",
	[VIOLATION_MODE] = "mode",
};
static_assert(ARRAY_SIZE(kind_names) == VIOLATION_KIND_COUNT, "a name for every kind");

const char *
violation_kind_name(enum violation_kind kind)
{
	return kind_names[kind];
}

struct violations *
violations_new(void)
{
	return MEM_NEW(struct violations);
}

void
violations_free(struct violations *violations)
{
	if (violations == NULL)
		return;
	for (size_t i = 0; i < violations->count; i++) {
		free(violations->items[i].subject);
		free(violations->items[i].remedy);
		free(violations->items[i].note);
	}
	free(violations->items);
	strv_done(&violations->remarks);
	free(violations);
}

static uint64_t
wall_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Whether the stored text is what `text` becomes when it is cut. */
static bool
is_same_text(const char *stored, const char *text)
{
	return strncmp(stored, text, VIOLATION_TEXT_MAX_BYTES) == 0;
}

void
violations_record(struct violations *violations, enum violation_kind kind, const char *subject,
		  const char *remedy, const char *note)
{
	uint64_t now_ms = wall_clock_ms();
	struct violation *item;

	for (size_t i = 0; i < violations->count; i++) {
		item = &violations->items[i];
		if (item->kind == kind && is_same_text(item->subject, subject) &&
		    is_same_text(item->remedy, remedy)) {
			item->count++;
			item->last_ms = now_ms;
			return;
		}
	}
	if (violations->count == VIOLATIONS_MAX) {
		if (violations->more++ == 0)
			violations->more_first_ms = now_ms;
		return;
	}
	MEM_GROW(violations->items, violations->capacity, violations->count);
	item = &violations->items[violations->count++];
	*item = (struct violation){
		.kind = kind,
		.subject = mem_strndup(subject, VIOLATION_TEXT_MAX_BYTES),
		.remedy = mem_strndup(remedy, VIOLATION_TEXT_MAX_BYTES),
		.note = mem_strndup(note ? note : "", VIOLATION_TEXT_MAX_BYTES),
		.count = 1,
		.first_ms = now_ms,
		.last_ms = now_ms,
	};
}

void
violations_remark(struct violations *violations, const char *text)
{
	if (violations->remarks.count < REMARKS_MAX && !strv_contains(&violations->remarks, text))
		strv_add(&violations->remarks, text);
}

size_t
violations_count(const struct violations *violations)
{
	return violations->count;
}

static uint64_t
requests_in_all(const struct violations *violations)
{
	uint64_t total = violations->more;

	for (size_t i = 0; i < violations->count; i++)
		total += violations->items[i].count;
	return total;
}

/* Columns that UTF-8 text takes where every character is one wide. */
static size_t
text_columns(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

static void
put_padding(struct strbuf *out, size_t used, size_t width)
{
	for (; used < width; used++)
		strbuf_putc(out, ' ');
}

static void
put_line(struct strbuf *out, const struct violation *item, const char *subject, size_t width)
{
	char count[32];

	strbuf_printf(out, "  %-9s  %s", violation_kind_name(item->kind), subject);
	put_padding(out, text_columns(subject), width);
	snprintf(count, sizeof(count), "%llu", (unsigned long long)item->count);
	strbuf_printf(out, "  %3s \u00d7", count);
	if (item->remedy[0] != '\0') {
		strbuf_puts(out, "  allow it with: ");
		strbuf_put_printable(out, item->remedy);
	}
	if (item->note[0] != '\0') {
		strbuf_puts(out, item->remedy[0] != '\0' ? " (" : "  (");
		strbuf_put_printable(out, item->note);
		strbuf_putc(out, ')');
	}
	strbuf_putc(out, '\n');
}

static void
put_refused(struct strbuf *out, const struct violations *violations)
{
	uint64_t total = requests_in_all(violations);
	size_t shown = MIN(violations->count, (size_t)FOOTER_LINES_MAX);
	struct strv subjects = STRV_INIT;
	uint64_t shown_total = 0;
	size_t width = 0;

	for (size_t i = 0; i < shown; i++) {
		struct strbuf subject = STRBUF_INIT;
		size_t columns;

		strbuf_put_printable(&subject, violations->items[i].subject);
		strv_take(&subjects, strbuf_take(&subject));
		columns = text_columns(subjects.items[i]);
		if (columns <= FOOTER_SUBJECT_COLUMNS_MAX)
			width = MAX(width, columns);
		shown_total += violations->items[i].count;
	}
	strbuf_printf(out, "porta: %llu request%s refused:\n", (unsigned long long)total,
		      total == 1 ? " was" : "s were");
	for (size_t i = 0; i < shown; i++)
		put_line(out, &violations->items[i], subjects.items[i], width);
	if (total > shown_total)
		strbuf_printf(out, "  and %llu more: --report FILE tells each\n",
			      (unsigned long long)(total - shown_total));
	strv_done(&subjects);
}

void
violations_print(const struct violations *violations, int fd)
{
	struct strbuf out = STRBUF_INIT;

	if (violations->count > 0)
		put_refused(&out, violations);
	for (size_t i = 0; i < violations->remarks.count; i++) {
		strbuf_puts(&out, "porta: ");
		strbuf_put_printable(&out, violations->remarks.items[i]);
		strbuf_putc(&out, '\n');
	}
	/* A footer that cannot be written has nowhere to be told. */
	(void)fd_write_all(fd, out.text ? out.text : "", out.length);
	strbuf_done(&out);
}

/* RFC 3339, UTC, milliseconds. */
static void
put_time(struct strbuf *out, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;
	char text[sizeof("2006-01-02T15:04:05")];

	gmtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	strbuf_printf(out, "\"%s.%03uZ\"", text, (unsigned)(ms % 1000));
}

static void
put_report_line(struct strbuf *out, const struct violation *item)
{
	strbuf_puts(out, "{\"time\":");
	put_time(out, item->first_ms);
	strbuf_puts(out, ",\"last\":");
	put_time(out, item->last_ms);
	strbuf_printf(out, ",\"kind\":\"%s\",\"subject\":", violation_kind_name(item->kind));
	strbuf_put_json(out, item->subject);
	strbuf_printf(out, ",\"count\":%llu", (unsigned long long)item->count);
	strbuf_puts(out, ",\"allow\":");
	strbuf_put_json(out, item->remedy);
	if (item->note[0] != '\0') {
		strbuf_puts(out, ",\"note\":");
		strbuf_put_json(out, item->note);
	}
	strbuf_puts(out, "}\n");
}

int
violations_write_report(const struct violations *violations, int fd)
{
	struct strbuf out = STRBUF_INIT;
	int r;

	for (size_t i = 0; i < violations->count; i++)
		put_report_line(&out, &violations->items[i]);
	if (violations->more > 0) {
		strbuf_puts(&out, "{\"time\":");
		put_time(&out, violations->more_first_ms);
		strbuf_printf(
		    &out, ",\"kind\":\"more\",\"subject\":\"\",\"count\":%llu,\"allow\":\"\"}\n",
		    (unsigned long long)violations->more);
	}
	for (size_t i = 0; i < violations->remarks.count; i++) {
		strbuf_puts(&out, "{\"kind\":\"remark\",\"subject\":");
		strbuf_put_json(&out, violations->remarks.items[i]);
		strbuf_puts(&out, "}\n");
	}
	r = fd_write_all(fd, out.text ? out.text : "", out.length);
	strbuf_done(&out);
	return r;
}
