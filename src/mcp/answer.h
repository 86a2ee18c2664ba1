/*
 * From what a guest wrote to what a client gets (GUEST: answer): pure. Nothing leaves that the version's
 * schema does not allow, whatever the guest wrote.
 */
#ifndef PORTA_MCP_ANSWER_H
#define PORTA_MCP_ANSWER_H

#include "mcp/catalog.h"
#include "mcp/rpc.h"
#include "mcp/version.h"
#include "util/json.h"

/* Values of one completion (MCP: completion/complete). */
#define ANSWER_COMPLETIONS_MAX 100

enum answer_for {
	ANSWER_TOOL,
	ANSWER_RESOURCE,
	ANSWER_PROMPT,
	ANSWER_COMPLETION,
};

enum answer_kind {
	ANSWER_RESULT, /* `value` is the result */
	ANSWER_ERROR,  /* `code`, `sentence` */
	ANSWER_INPUT,  /* `value` is an object of input requests, or NULL; `state` may be there */
};

struct answer {
	enum answer_kind kind;
	json_value *value; /* the caller frees it */
	enum rpc_code code;
	struct strbuf sentence;
	char *state; /* requestState as the guest wrote it, NULL: none */
};

#define ANSWER_INIT { .value = NULL }

struct answer_question {
	enum answer_for what;
	enum mcp_version version;
	const struct catalog_tool *tool; /* of ANSWER_TOOL */
	const char *uri;		 /* of ANSWER_RESOURCE */
};

/* `ret_answer` is ANSWER_INIT; answer_done gives back what is in it. */
void answer_read(const struct answer_question *question, const char *output, size_t length,
		 struct answer *ret_answer);
/* Of a guest that gave none: a trap, a timeout. */
void answer_failed(const struct answer_question *question, const char *sentence,
		   struct answer *ret_answer);
void answer_done(struct answer *answer);

/* {"content": [{"type": "text", "text": sentence}], "isError": true} */
json_value *answer_tool_error(const char *sentence);

#endif
