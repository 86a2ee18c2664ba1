/*
 * porta-http: the HTTP client of WASM agents, a program of its own because nothing else needs libcurl
 * and its thirty libraries. porta starts it inside a native sandbox whose network rules are the
 * agent's; it hears one configuration and then requests, over PROTOCOL_CONTROL_FD (wasm/protocol.h):
 *
 *     CONFIG   {"net": MODE, "allow_net": [RULE...], "deny_net": [RULE...], "allow_private": BOOL}
 *     CALL     {"request": ..., "timeout_ms": N}
 *     RESULT   the answer, as http/client.h makes it
 *
 * Many of them may come, one after the other; it ends when porta hangs up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/client.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

/* Of what porta sends, which has parsed it itself. */
static const struct json_limits limits = { .bytes_max = MESSAGE_BYTES_MAX,
					   .depth_max = JSON_DEPTH_MAX };

static int
read_rules(const struct json_place *config, const char *name, struct net_rules *rules,
	   struct error *err)
{
	struct json_place list;
	int r = 0;

	if (!json_member(config, name, &list))
		return error_set(err, -EPROTO, "heard nonsense");
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_place item;
		const char *text;

		json_item(&list, i, &item);
		r = json_get_string(&item, &text, err);
		if (r == 0)
			r = net_rules_add(rules, text, err);
	}
	return r;
}

static int
read_config(const struct json_place *config, struct policy *policy, struct error *err)
{
	struct json_place member;
	const char *net;
	int r;

	if (!json_member(config, "net", &member))
		return error_set(err, -EPROTO, "heard nonsense");
	r = json_get_string(&member, &net, err);
	if (r == 0 && !str_equal(net, net_mode_name(NET_MODE_RULES)))
		r = policy_set_net(policy, net, err);
	if (r == 0)
		r = read_rules(config, "allow_net", &policy->allow_net, err);
	if (r == 0)
		r = read_rules(config, "deny_net", &policy->deny_net, err);
	if (r == 0 && json_member(config, "allow_private", &member))
		r = json_get_bool(&member, &policy->allow_private, err);
	return r < 0 ? r : policy_finish(policy, err);
}

static int
answer(struct http_client *client, const struct json_place *call, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	struct json_place request;
	struct json_place member;
	int64_t timeout_ms = 0;
	json_value *value;
	int r;

	if (!json_member(call, "request", &request) || !json_member(call, "timeout_ms", &member))
		return error_set(err, -EPROTO, "heard nonsense");
	r = json_get_integer(&member, 0, INT32_MAX, &timeout_ms, err);
	if (r < 0)
		return r;
	value = http_client_answer(client, &request, (uint64_t)timeout_ms);
	json_write(&text, value, JSON_STYLE_COMPACT);
	json_free(value);
	r = message_send(PROTOCOL_CONTROL_FD, MESSAGE_RESULT, text.text, text.length);
	strbuf_done(&text);
	return r < 0 ? error_set_errno(err, r, "cannot answer") : 0;
}

/* The next message of the kind, as JSON. 1, 0 at the end, or a negative errno and a sentence. */
static int
hear(struct message_reader *reader, uint32_t kind, json_value **ret_value, struct error *err)
{
	struct message message;
	int r = message_read(reader, PROTOCOL_CONTROL_FD, MESSAGE_BYTES_MAX, &message);

	if (r == -EPIPE)
		return 0;
	if (r < 0)
		return error_set_errno(err, r, "cannot hear porta");
	if (message.kind != kind)
		return error_set(err, -EPROTO, "heard nonsense");
	r = json_parse(message.bytes, message.length, &limits, ret_value, err);
	return r < 0 ? r : 1;
}

static int
work(struct error *err)
{
	struct message_reader reader = MESSAGE_READER_INIT;
	_cleanup_json_ json_value *config = NULL;
	struct http_client *client = NULL;
	struct policy policy;
	int r;

	policy_init(&policy);
	r = hear(&reader, MESSAGE_CONFIG, &config, err);
	if (r == 1)
		r = read_config(&(struct json_place)JSON_PLACE_OF(config), &policy, err);
	if (r < 0)
		return r;
	client = http_client_new(&policy, err);
	if (client == NULL)
		return -ENOMEM;
	for (;;) {
		_cleanup_json_ json_value *call = NULL;

		r = hear(&reader, MESSAGE_CALL, &call, err);
		if (r == 1)
			r = answer(client, &(struct json_place)JSON_PLACE_OF(call), err);
		else
			break;
		if (r < 0)
			break;
	}
	http_client_free(client);
	policy_done(&policy);
	message_reader_done(&reader);
	return r;
}

int
main(void)
{
	struct error err = ERROR_INIT;

	if (work(&err) == 0)
		return EXIT_SUCCESS;
	(void)message_send(PROTOCOL_CONTROL_FD, MESSAGE_FAILED, err.message, strlen(err.message));
	return EXIT_FAILURE;
}
