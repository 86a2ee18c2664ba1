/*
 * Compiled code, kept in the user's cache directory ($XDG_CACHE_HOME/porta/wasm, or
 * ~/.cache/porta/wasm), which belongs to the user alone and is never writable in a sandbox.
 *
 * An entry is a file named by its key: the code as the engine loads it, behind it the facts of the
 * module (facts.h), and at the end the lengths, the key and the SHA-256 of all that. It is made
 * whole under no name and then linked, never rewritten, and checked at every use: code that was
 * damaged, or belongs to another module, would run.
 */
#ifndef PORTA_WASM_CACHE_H
#define PORTA_WASM_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <porta_digest.h>

#include "util/error.h"
#include "util/strings.h"

/* When adding makes it more than this, the entries that are longest unused go. */
#define CACHE_BYTES_MAX ((uint64_t)4 * 1024 * 1024 * 1024)
#define CACHE_KEY_HEX_BYTES (2 * PORTA_SHA256_BYTES + 1)

struct cache {
	int directory_fd; /* -1: there is none; every look-up misses, nothing is kept */
	char *path;	  /* NULL: neither $XDG_CACHE_HOME nor $HOME says where */
};

#define CACHE_INIT { .directory_fd = -1 }

/*
 * Opens the directory; with `create` it is made where it is missing. 0 also where there is none;
 * -EPERM and a sentence where it is not the caller's alone. The cache serves in each case, as one
 * that is empty.
 */
int cache_open(struct cache *cache, bool create, struct error *err);
void cache_done(struct cache *cache);

struct cache_key {
	uint8_t bytes[PORTA_SHA256_BYTES];
};

/* Of a module's hash, this version of the engine, and whether the code counts steps. */
struct cache_key cache_key_of(const uint8_t module_hash[PORTA_SHA256_BYTES], bool has_fuel);

struct cache_entry {
	int fd; /* the file, read-only */
	char *facts; /* JSON, NUL-terminated */
	size_t facts_length;
};

#define CACHE_ENTRY_INIT { .fd = -1 }

void cache_entry_done(struct cache_entry *entry);
/*
 * 1 and the entry, checked whole; 0 where there is none. One that is damaged or foreign is removed,
 * and counts as none. `ret_entry` is CACHE_ENTRY_INIT.
 */
int cache_find(const struct cache *cache, const struct cache_key *key,
	       struct cache_entry *ret_entry);
/*
 * A file without a name for code that is to be compiled, which the caller owns: in the cache, or
 * in memory where there is none. A negative errno and a sentence.
 */
int cache_new_file(const struct cache *cache, struct error *err);
/*
 * Adds what a worker wrote into `fd` of cache_new_file, and *ret_entry is it (the descriptor a new
 * one). Where it cannot be kept it serves once all the same.
 */
int cache_add(const struct cache *cache, const struct cache_key *key, int fd, const char *facts,
	      size_t facts_length, struct cache_entry *ret_entry, struct error *err);
/* Removes an entry; none is no error. */
void cache_remove(const struct cache *cache, const struct cache_key *key);

struct cache_item {
	char key[CACHE_KEY_HEX_BYTES];
	uint64_t bytes;
	time_t used; /* last use, to within a day */
};

/* All entries, the one used last first; the caller frees them. */
int cache_list(const struct cache *cache, struct cache_item **ret_items, size_t *ret_count,
	       struct error *err);
/* Removes all entries; *ret_count and *ret_bytes say how many there were. */
int cache_clear(const struct cache *cache, size_t *ret_count, uint64_t *ret_bytes,
		struct error *err);

#endif
