/* What the parts of the MCP server share; server.h is the outside. */
#ifndef PORTA_MCP_INTERNAL_H
#define PORTA_MCP_INTERNAL_H

#include "mcp/answer.h"
#include "mcp/guest_call.h"
#include "mcp/server.h"

/* Of the names in _meta that the specification keeps for itself (MCP 2025-06-18 and later, basic: _meta). */
#define META_PREFIX	 "io.modelcontextprotocol/"
#define META_SERVER_INFO META_PREFIX "serverInfo"

/* RFC 5424, as MCP names them. */
enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_CRITICAL,
	LOG_LEVEL_ALERT,
	LOG_LEVEL_EMERGENCY,
	LOG_LEVEL_COUNT,
	LOG_LEVEL_NONE = LOG_LEVEL_COUNT, /* nothing is sent */
};

bool log_level_find(const char *name, enum log_level *ret_level);

struct mcp_metrics {
	uint64_t requests;
	uint64_t errors; /* answers that are errors */
	uint64_t calls[2]; /* of guests: answered, failed */
	uint64_t call_us;  /* in all */
	uint64_t reloads;
};

struct mcp_server {
	const struct mcp_settings *settings;
	struct events *events;
	struct edition *edition;
	struct mcp_exchange *exchanges;
	size_t exchanges_count;
	size_t exchanges_bytes;
	struct mcp_session *sessions;
	struct mcp_watcher *watcher;
	capability_set granted; /* at the start: no manifest grants more later */
	struct mcp_metrics metrics;
	uint64_t started_ms;
	bool is_finishing; /* no client answers any more, nor listens */
	void (*is_idle)(void *data);
	void *idle_data;
};

/* A request to the client, in the legacy era. */
struct mcp_asked {
	int64_t id;
	char *key; /* of the guest's inputRequests */
	struct mcp_exchange *exchange;
	struct mcp_asked *next;
};

struct mcp_session {
	struct mcp_server *server;
	struct mcp_stream *stream;
	bool is_open; /* by initialize */
	enum mcp_version version;
	json_value *root; /* of initialize; owns the capabilities */
	struct json_place capabilities;
	enum log_level log_level;
	struct strv subscriptions; /* URIs */
	int64_t asked_last;
	struct mcp_asked *asked;
	struct mcp_session *next;
};

/* Of subscriptions/listen. */
struct mcp_listening {
	bool is_on;
	bool tools;
	bool prompts;
	bool resources;
	struct strv uris;
};

/* One request, from its message to its answer. */
struct mcp_exchange {
	struct mcp_server *server;
	struct mcp_session *session; /* NULL in the modern era */
	struct mcp_stream *stream;
	json_value *root;
	size_t bytes;
	struct rpc_message message;
	const struct mcp_headers *headers; /* only while the message is taken */
	enum mcp_version version;
	bool is_checked; /* what is wrong from here on is the request's own content */
	const struct json_place *capabilities; /* the client's, an object; NULL: none */
	struct json_place own_capabilities;    /* modern: what `capabilities` points to */
	struct json_place own_meta;
	enum log_level log_level;
	const json_value *progress_token;
	bool has_progress;
	double progress; /* the last one that was sent */
	/* Of a call of the guest. */
	struct edition *edition;
	struct guest_call *call;
	uint64_t called_ns;
	struct answer_question question;
	const char *guest_tool; /* the name it is called by */
	const json_value *guest_arguments;
	json_value *own_arguments; /* where they are not the message's */
	const char *state_name;	   /* what requestState is bound to, beside the method */
	const json_value *state_arguments;
	struct json_place input_responses; /* NULL value: none */
	json_value *collected;		   /* legacy: answers of the client, while they come in */
	char *guest_state;		   /* what the guest gets back */
	size_t asked_count;		   /* of the client, not yet answered */
	unsigned int rounds;
	struct mcp_listening listening;
	struct mcp_exchange *next;
};

/* --- exchange.c */

/* Ends it with its answer. `result` is taken over, and gets what each result of the version has. */
void exchange_result(struct mcp_exchange *exchange, json_value *result);
/* {"ttlMs", "cacheScope"} where the version has them. */
void exchange_set_cache(const struct mcp_exchange *exchange, json_value *result, uint64_t ttl_ms);
/* `data` is taken over, may be NULL. */
void exchange_error(struct mcp_exchange *exchange, enum rpc_code code, json_value *data,
		    const char *fmt, ...) _printf_(4, 5);
/* Ends it without one. */
void exchange_drop(struct mcp_exchange *exchange);
void exchange_notify(struct mcp_exchange *exchange, const char *method, const json_value *params);
/* A member of the params, of a kind; false: it is missing (or an error is sent, where it is required). */
bool exchange_param(const struct mcp_exchange *exchange, const char *name,
		    struct json_place *ret_place);
bool exchange_text_param(struct mcp_exchange *exchange, const char *name, const char **ret_text);
/* Whether the client said that it can do this. */
bool exchange_client_can(const struct mcp_exchange *exchange, const char *capability,
			 const char *part);
/* Whether the request was taken from this stream or session under this id. */
struct mcp_exchange *exchange_find(struct mcp_server *server, const struct mcp_session *session,
				   const struct mcp_stream *stream, const json_value *id);

/* --- methods.c, methods_guest.c, listen.c */

enum mcp_era {
	MCP_ERA_LEGACY = 1,
	MCP_ERA_MODERN = 2,
	MCP_ERA_BOTH = 3,
};

struct mcp_method {
	const char *name;
	enum mcp_era eras;
	void (*take)(struct mcp_exchange *exchange);
};

/* NULL: there is none of this name in the era of the exchange. */
const struct mcp_method *method_find(const struct mcp_exchange *exchange);
bool method_is_modern_only(const char *name);

void method_tools_call(struct mcp_exchange *exchange);
void method_resources_read(struct mcp_exchange *exchange);
void method_prompts_get(struct mcp_exchange *exchange);
void method_completion(struct mcp_exchange *exchange);
void method_listen(struct mcp_exchange *exchange);

/* The capabilities of the server, for a version. */
json_value *method_capabilities(const struct mcp_server *server, enum mcp_version version);

/* --- rounds.c: what a guest asks of the client */

/* Reads inputResponses and requestState of a request; false: the error is sent. */
bool rounds_begin(struct mcp_exchange *exchange);
/* The guest's answer is a question. `requests` may be NULL. */
void rounds_ask(struct mcp_exchange *exchange, const json_value *requests, const char *state);
/* A response of the client; false: nobody asked. */
bool rounds_take_response(struct mcp_session *session, const struct rpc_message *message);
/* Forgets what was asked for this exchange. */
void rounds_forget(struct mcp_exchange *exchange);
/* Calls the guest (again). */
void guest_begin(struct mcp_exchange *exchange);

/* --- listen.c */

/* Ends a subscription of the server's own accord. */
void listen_end(struct mcp_exchange *exchange);
/* Tells all who listen that everything may be different. */
void listen_tell_changed(struct mcp_server *server);

/* --- watch.c: the agent's files */

struct mcp_watcher *watcher_new(struct mcp_server *server);
void watcher_free(struct mcp_watcher *watcher);

#endif
