/*
 * Fuzzes network rules: what parses has one meaning, and every question about it an answer.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=gnu11 -Isrc \
 *		fuzz/fuzz_rules.c src/policy/[a-z]*.c src/util/{error,idna_library,mem,path,strings}.c
 *\ -lidn2 -o fuzz_rules
 *	./fuzz_rules -dict=fuzz/rules.dict fuzz/corpus/rules
 */
#include <stdint.h>
#include <string.h>

#include "policy/net_decide.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rule in canonical text. */
static char *
rule_text(const struct net_rule *rule)
{
	char address[NET_ADDRESS_TEXT_BYTES];

	switch (rule->kind) {
	case NET_HOST_ANY:
		return mem_printf("*:%u-%u", rule->port_first, rule->port_last);
	case NET_HOST_NAME:
		return mem_printf("%s:%u-%u", rule->name, rule->port_first, rule->port_last);
	case NET_HOST_SUFFIX:
		return mem_printf("*.%s:%u-%u", rule->name, rule->port_first, rule->port_last);
	case NET_HOST_CIDR:
	case NET_HOST_KIND_COUNT:
		break;
	}
	net_address_format(&rule->network, address);
	return mem_printf(rule->network.is_v6 ? "[%s/%u]:%u-%u" : "%s/%u:%u-%u", address,
			  rule->prefix_bits, rule->port_first, rule->port_last);
}

/* Canonical text parses to the same rule. */
static void
check_meaning(const struct net_rule *rule)
{
	_cleanup_free_ char *text = rule_text(rule);
	struct net_rules again = { 0 };
	struct error err = ERROR_INIT;
	_cleanup_free_ char *text_again = NULL;

	assert(rule->port_first >= 1 && rule->port_first <= rule->port_last);
	assert(net_rules_add(&again, text, &err) == 0);
	text_again = rule_text(&again.items[0]);
	assert(strcmp(text, text_again) == 0);
	net_rules_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = mem_strndup((const char *)data, size);
	struct error err = ERROR_INIT;
	struct policy policy;

	policy_init(&policy);
	if (net_rules_add(&policy.allow_net, text, &err) < 0) {
		assert(err.message[0] != '\0');
		policy_done(&policy);
		return 0;
	}
	check_meaning(&policy.allow_net.items[0]);
	policy.net_mode = NET_MODE_RULES;
	if (size >= 16) {
		const char *name = "a.example";
		struct net_address address;
		enum net_verdict verdict;

		net_address_from_v6_bytes(data, &address);
		verdict = net_decide_connect(&policy, &address, 443, &name, 1, NULL);
		assert(verdict == NET_VERDICT_ALLOW || verdict == NET_VERDICT_OWN_LISTENER ||
		       verdict == NET_VERDICT_REFUSE);
		if (verdict == NET_VERDICT_ALLOW && !net_address_is_loopback(&address))
			assert(net_decide_answer(&policy, name, NULL, &address));
	}
	policy_done(&policy);
	return 0;
}
