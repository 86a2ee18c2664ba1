/* Events kept for who comes back; see replay.h. */
#include "mcp/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "util/mem.h"

struct replay_event {
	struct replay_id id;
	struct strbuf text;
	uint64_t kept_ms; /* since when */
	struct replay_event *next;
};

void
replay_init(struct replay *replay, size_t *all_bytes)
{
	*replay = (struct replay){ .all_bytes = all_bytes };
	replay->last = &replay->first;
}

static size_t
bytes_of(const struct replay_event *event)
{
	return sizeof(*event) + event->text.capacity;
}

static void
drop_first(struct replay *replay)
{
	struct replay_event *event = replay->first;

	replay->first = event->next;
	if (replay->first == NULL)
		replay->last = &replay->first;
	replay->bytes -= bytes_of(event);
	*replay->all_bytes -= bytes_of(event);
	strbuf_done(&event->text);
	free(event);
}

void
replay_done(struct replay *replay)
{
	while (replay->first != NULL)
		drop_first(replay);
}

uint64_t
replay_new_stream(struct replay *replay)
{
	return ++replay->streams_last;
}

void
replay_add(struct replay *replay, struct replay_id id, const struct strbuf *text, uint64_t now_ms)
{
	struct replay_event *event = MEM_NEW(struct replay_event);

	event->id = id;
	event->kept_ms = now_ms;
	event->text = (struct strbuf)STRBUF_INIT;
	strbuf_add(&event->text, text->text, text->length);
	*replay->last = event;
	replay->last = &event->next;
	replay->bytes += bytes_of(event);
	*replay->all_bytes += bytes_of(event);
	while (replay->first != NULL && (replay->bytes > REPLAY_BYTES_MAX ||
					 *replay->all_bytes > REPLAY_ALL_BYTES_MAX))
		drop_first(replay);
}

void
replay_expire(struct replay *replay, uint64_t now_ms)
{
	while (replay->first != NULL && now_ms - replay->first->kept_ms > REPLAY_MS)
		drop_first(replay);
}

size_t
replay_each(const struct replay *replay, struct replay_id id, replay_fn *fn, void *data)
{
	size_t count = 0;

	for (const struct replay_event *at = replay->first; at != NULL; at = at->next) {
		if (at->id.stream != id.stream || at->id.number <= id.number)
			continue;
		count++;
		if (fn != NULL)
			fn(data, at->id, &at->text);
	}
	return count;
}

int
replay_parse_id(const char *text, struct replay_id *ret_id)
{
	const char *dash = strchr(text, '-');
	_cleanup_free_ char *stream = dash == NULL ? NULL : mem_strndup(text, (size_t)(dash - text));

	if (stream == NULL || str_parse_u64(stream, 0, UINT64_MAX, &ret_id->stream) < 0 ||
	    str_parse_u64(dash + 1, 0, UINT64_MAX, &ret_id->number) < 0)
		return -EINVAL;
	return 0;
}

void
replay_put_id(struct strbuf *out, struct replay_id id)
{
	strbuf_printf(out, "%" PRIu64 "-%" PRIu64, id.stream, id.number);
}
