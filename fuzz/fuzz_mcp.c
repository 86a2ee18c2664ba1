/*
 * Fuzzes what MCP clients send, and what decides on their HTTP headers: the input is a stream of
 * bytes, cut into messages and read.
 *
 *	fuzz/run.sh 60 mcp
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "mcp/frames.h"
#include "mcp/http_guard.h"
#include "mcp/rpc.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is whole, and goes out as one line. */
static void
check_message(const json_value *root)
{
	struct rpc_message message;
	struct rpc_failure failure;
	struct strbuf out = STRBUF_INIT;

	if (rpc_read(root, &message, &failure) < 0) {
		assert(failure.sentence.message[0] != '\0');
		rpc_put_error(&out, failure.id, true, failure.code, failure.sentence.message, NULL);
	} else {
		assert(message.kind == RPC_RESPONSE || message.method != NULL);
		assert((message.kind == RPC_REQUEST) == (message.id != NULL && message.kind != RPC_RESPONSE));
		rpc_put_result(&out, message.id, root);
	}
	assert(out.length > 0 && strchr(out.text, '\n') == NULL && str_is_utf8(out.text, out.length));
	strbuf_done(&out);
}

static void
check_stream(const uint8_t *data, size_t size)
{
	struct frames frames = FRAMES_INIT;
	const char *text;
	size_t length;
	enum frames_result result = FRAMES_MORE;

	for (size_t at = 0; at <= size && result != FRAMES_BROKEN; at += 7) {
		frames_add(&frames, (const char *)data + at, MIN((size_t)7, size - at));
		while ((result = frames_next(&frames, at + 7 > size, &text, &length)) == FRAMES_MESSAGE) {
			struct rpc_failure failure;
			json_value *root;

			if (rpc_parse(text, length, &root, &failure) == 0) {
				check_message(root);
				json_free(root);
			}
		}
	}
	frames_done(&frames);
}

static void
check_headers(const uint8_t *data, size_t size)
{
	static const struct strv none = STRV_INIT;
	_cleanup_free_ char *text = mem_strndup((const char *)data, size);

	/* No name that is not loopback's comes through. */
	if (http_guard_host(text, true, &none))
		assert(strncasecmp(text, "localhost", 9) == 0 || strncmp(text, "127.", 4) == 0 || strncmp(text, "[::1]", 5) == 0);
	if (http_guard_origin(text, "localhost", true, &none))
		assert(strncasecmp(text, "http", 4) == 0);
	assert(!http_guard_token(text, "a token that nobody guesses: 8a6f1c"));
	(void)http_guard_accepts(text);
	(void)http_guard_is_json(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_stream(data, size);
	check_headers(data, size);
	return 0;
}
