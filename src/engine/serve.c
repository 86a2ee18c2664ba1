/* A worker that serves; see serve.h. */
#include "engine/serve.h"

#include <errno.h>
#include <string.h>

#include "engine/guest.h"
#include "util/mem.h"

#define OUTPUT_KEPT_BYTES ((size_t)256 * 1024)

int
serve_send_end(const struct guest_end *end, const struct strbuf *output, struct error *err)
{
	const struct protocol_result result = { .kind = (uint32_t)end->kind,
						.value = end->value,
						.sentence_length = (uint32_t)end->sentence.length };
	struct strbuf bytes = STRBUF_INIT;
	int r;

	strbuf_add(&bytes, (const char *)&result, sizeof(result));
	strbuf_add(&bytes, end->sentence.text, end->sentence.length);
	r = message_send_parts(PROTOCOL_CONTROL_FD, MESSAGE_RESULT, bytes.text, bytes.length,
			       output == NULL ? NULL : output->text,
			       output == NULL ? 0 : output->length);
	strbuf_done(&bytes);
	return r < 0 ? error_set_errno(err, r, "cannot answer") : 0;
}

/* The message's bytes are gone with the first answer to a host call: the guest gets its own. */
static int
call(struct guest *guest, const struct protocol_config *config, const struct message *message,
     struct strbuf *output, struct error *err)
{
	const char *nul = memchr(message->bytes, '\0', message->length);
	_cleanup_free_ char *entry = NULL;
	struct guest_end end = GUEST_END_INIT;
	struct guest_streams streams;
	int r;

	if (message->kind != MESSAGE_CALL || nul == NULL)
		return error_set(err, -EPROTO, "heard nonsense");
	entry = mem_strdup(message->bytes[0] == '\0' ? config->entry : message->bytes);
	output->length = 0;
	streams = (struct guest_streams){
		.input = nul + 1,
		.input_length = message->length - (size_t)(nul + 1 - message->bytes),
		.output = output,
		.output_bytes_max = (size_t)config->output_bytes_max,
	};
	r = guest_call(guest, entry, &streams, &end, err);
	if (r == 0)
		r = serve_send_end(&end, output, err);
	guest_end_done(&end);
	/* One long answer is no reason to hold its memory for good. */
	if (output->capacity > OUTPUT_KEPT_BYTES)
		strbuf_done(output);
	return r;
}

int
serve(const struct protocol_config *config, const int *path_fds, struct message_reader *reader,
      struct error *err)
{
	struct guest_end end = GUEST_END_INIT;
	struct strbuf output = STRBUF_INIT;
	struct guest *guest = NULL;
	struct message message;
	int r = guest_load(config, path_fds, reader, &guest, &end, err);

	if (r == 0)
		return serve_send_end(&end, NULL, err);
	if (r == 1) {
		r = message_send(PROTOCOL_CONTROL_FD, MESSAGE_READY, NULL, 0);
		if (r < 0)
			return error_set_errno(err, r, "cannot answer");
	}
	while (r >= 0) {
		r = message_read(reader, PROTOCOL_CONTROL_FD, MESSAGE_BYTES_MAX, &message);
		if (r == -EPIPE)
			return 0;
		if (r < 0)
			return error_set_errno(err, r, "cannot hear porta");
		r = call(guest, config, &message, &output, err);
	}
	/* Nothing is given back: the process ends. */
	return r;
}
