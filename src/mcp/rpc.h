/*
 * JSON-RPC 2.0 messages, as MCP narrows them: an id is a string or an integer. Reading takes
 * nothing on trust; writing puts one message on one line.
 */
#ifndef PORTA_MCP_RPC_H
#define PORTA_MCP_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include "util/json.h"
#include "util/strings.h"

/* Of one message, also of one in a batch as a whole. */
#define RPC_MESSAGE_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define RPC_DEPTH_MAX	      100
#define RPC_BATCH_MAX	      100

/* JSON-RPC 2.0, section 5.1, and MCP 2026-07-28, basic: error codes. */
enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
	RPC_RESOURCE_NOT_FOUND = -32002, /* up to 2025-11-25 */
	RPC_HEADER_MISMATCH = -32020,
	RPC_MISSING_CAPABILITY = -32021,
	RPC_UNSUPPORTED_VERSION = -32022,
};

enum rpc_kind {
	RPC_REQUEST,
	RPC_NOTIFICATION,
	RPC_RESPONSE,
};

/* Of a message that was read; all of it belongs to the JSON. Not to be copied: places point into it. */
struct rpc_message {
	enum rpc_kind kind;
	struct json_place place; /* the whole */
	const json_value *id;	 /* of a request or response; NULL: an error's that has none */
	const char *method;	 /* "" of a response */
	bool has_params;
	struct json_place params; /* an object */
	const json_value *result; /* of a response; NULL: it is an error */
	const json_value *error;
};

/* Why a message cannot be read. */
struct rpc_failure {
	enum rpc_code code;
	const json_value *id; /* of the message, where that could be read */
	struct error sentence;
};

/* 0 and any JSON value, which the caller frees; or -1 and the failure. */
int rpc_parse(const char *text, size_t length, json_value **ret_root,
	      struct rpc_failure *ret_failure);
/* One message. 0, or -1 and the failure. */
int rpc_read(const json_value *value, struct rpc_message *ret_message,
	     struct rpc_failure *ret_failure);

/* Whether `id` is a string or an integer. */
bool rpc_is_id(const json_value *id);

void rpc_put_result(struct strbuf *out, const json_value *id, const json_value *result);
/*
 * `id` NULL: without one, or null with `null_id`. `data` may be NULL.
 */
void rpc_put_error(struct strbuf *out, const json_value *id, bool null_id, enum rpc_code code,
		   const char *sentence, const json_value *data);
/* `params` may be NULL. */
void rpc_put_notification(struct strbuf *out, const char *method, const json_value *params);
void rpc_put_request(struct strbuf *out, int64_t id, const char *method, const json_value *params);

#endif
