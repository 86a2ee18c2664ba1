/*
 * TOML 1.0 by toml++, behind C: a document as a flat list of what it holds. Only porta-toml links this;
 * toml++ is C++, which porta, linked with musl, cannot be.
 */
#ifndef PORTA_CONFIG_TOML_SHIM_H
#define PORTA_CONFIG_TOML_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What lies deeper is told as TOML_OTHER, not walked into. */
#define TOML_DEPTH_MAX 8

enum toml_kind {
	TOML_TABLE,
	TOML_ARRAY,
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_OTHER, /* dates and times; arrays and tables within arrays */
	TOML_KIND_COUNT,
};

struct toml_node {
	const char *const *path; /* keys from the document's top; NUL-terminated */
	size_t path_count;
	bool is_item;	  /* of the array that was told before, with the same path */
	enum toml_kind kind;
	const char *text; /* of a string; NUL-terminated, may hold NULs before `length` */
	size_t length;
	int64_t integer;
	bool boolean;
	unsigned int line; /* of the key, of an item itself; from 1 */
	unsigned int column; /* in characters, from 1 */
};

/* Returns false to end the walk. What `node` points to lives for the call. */
typedef bool (*toml_visit)(const struct toml_node *node, void *data);

struct toml_error {
	char message[256];
	unsigned int line;
	unsigned int column;
};

/* Tells every table, then what it holds. False: not TOML, and `ret_error` says why and where. */
bool toml_read(const char *text, size_t length, toml_visit visit, void *data, struct toml_error *ret_error);

/*
 * By who links the shim: the parser has found itself wrong about a document, as 3.3 does for "[[[". What follows in
 * it is undefined, so this does not return.
 */
__attribute__((noreturn)) void toml_give_up(void);

#ifdef __cplusplus
}
#endif

#endif
