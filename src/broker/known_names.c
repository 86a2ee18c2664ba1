/* Which addresses the sandbox may have learned for which names; see known_names.h. */
#include "broker/known_names.h"

#include <string.h>

#include "util/mem.h"
#include "util/strings.h"

#define BUCKETS 4096
#define NOBODY	UINT32_MAX
#define BLANKS	" \t\r\f\v"

struct pair {
	struct net_address address;
	char *name;
	uint32_t next; /* in the bucket, older */
};

struct known_names {
	struct pair *pairs;
	size_t count;
	size_t capacity;
	size_t hosts_count; /* the first ones, which stay */
	size_t oldest;	    /* the next to be forgotten, once all places are taken */
	uint32_t buckets[BUCKETS];
	const char *found[KNOWN_NAMES_PER_ADDRESS_MAX];
};

struct known_names *
known_names_new(void)
{
	struct known_names *known = MEM_NEW(struct known_names);

	for (size_t i = 0; i < BUCKETS; i++)
		known->buckets[i] = NOBODY;
	return known;
}

void
known_names_free(struct known_names *known)
{
	if (known == NULL)
		return;
	for (size_t i = 0; i < known->count; i++)
		free(known->pairs[i].name);
	free(known->pairs);
	free(known);
}

/* FNV-1a. A sandbox that fills one bucket makes its own connects slower, by 65536 steps at most. */
static uint32_t *
bucket_of(struct known_names *known, const struct net_address *address)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < (address->is_v6 ? 16U : 4U); i++)
		hash = (hash ^ address->bytes[i]) * 16777619U;
	return &known->buckets[(hash ^ hash >> 16) % BUCKETS];
}

static void
unlink_pair(struct known_names *known, uint32_t index)
{
	uint32_t *link = bucket_of(known, &known->pairs[index].address);

	while (*link != index)
		link = &known->pairs[*link].next;
	*link = known->pairs[index].next;
}

static void
link_pair(struct known_names *known, uint32_t index)
{
	uint32_t *bucket = bucket_of(known, &known->pairs[index].address);

	known->pairs[index].next = *bucket;
	*bucket = index;
}

/* A place for one pair more: a new one, or the oldest answer's. */
static uint32_t
take_place(struct known_names *known)
{
	uint32_t index;

	if (known->count < KNOWN_NAMES_MAX) {
		MEM_GROW(known->pairs, known->capacity, known->count);
		known->pairs[known->count].name = NULL;
		return (uint32_t)known->count++;
	}
	if (known->oldest < known->hosts_count || known->oldest == KNOWN_NAMES_MAX)
		known->oldest = known->hosts_count;
	index = (uint32_t)known->oldest++;
	unlink_pair(known, index);
	return index;
}

void
known_names_add(struct known_names *known, const struct net_address *address, const char *name)
{
	uint32_t replaced = NOBODY;
	size_t count = 0;
	uint32_t index = *bucket_of(known, address);

	for (; index != NOBODY; index = known->pairs[index].next) {
		if (!net_address_equal(&known->pairs[index].address, address))
			continue;
		if (str_equal(known->pairs[index].name, name))
			break;
		count++;
		if (index >= known->hosts_count)
			replaced = index; /* older ones come later */
	}
	if (index == NOBODY && count >= KNOWN_NAMES_PER_ADDRESS_MAX)
		index = replaced;
	if (index != NOBODY)
		unlink_pair(known, index);
	else
		index = take_place(known);
	if (known->pairs[index].name == NULL || !str_equal(known->pairs[index].name, name)) {
		free(known->pairs[index].name);
		known->pairs[index].name = mem_strdup(name);
	}
	known->pairs[index].address = *address;
	link_pair(known, index);
}

size_t
known_names_get(struct known_names *known, const struct net_address *address,
		const char *const **ret_names)
{
	size_t count = 0;

	for (uint32_t i = *bucket_of(known, address);
	     i != NOBODY && count < KNOWN_NAMES_PER_ADDRESS_MAX; i = known->pairs[i].next) {
		if (net_address_equal(&known->pairs[i].address, address))
			known->found[count++] = known->pairs[i].name;
	}
	*ret_names = known->found;
	return count;
}

static bool
some_rule_names(const struct net_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (net_rule_matches_name(&rules->items[i], name))
			return true;
	}
	return false;
}

static void
add_hosts_line(struct known_names *known, char *line, const struct policy *policy)
{
	char canonical[NET_NAME_MAX_CHARS + 1];
	struct net_address address;
	struct error ignored;
	const char *word;
	char *rest;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (word == NULL || net_address_parse(word, &address) < 0)
		return;
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL) {
		if (known->count < KNOWN_NAMES_HOSTS_MAX &&
		    net_name_canonical(word, canonical, &ignored) == 0 &&
		    (some_rule_names(&policy->allow_net, canonical) ||
		     some_rule_names(&policy->deny_net, canonical)))
			known_names_add(known, &address, canonical);
	}
}

void
known_names_add_hosts(struct known_names *known, const char *text, const struct policy *policy)
{
	_cleanup_free_ char *copy = mem_strdup(text);
	char *rest;

	for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		add_hosts_line(known, line, policy);
	known->hosts_count = known->count;
}
