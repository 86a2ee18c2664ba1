/* A module's file: opened once, named by its hash, copied where a worker is to parse it. */
#ifndef PORTA_WASM_MODULE_H
#define PORTA_WASM_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include <porta_digest.h>

#include "util/error.h"

#define MODULE_BYTES_MAX ((uint64_t)1024 * 1024 * 1024)
#define MODULE_HASH_HEX_BYTES (2 * PORTA_SHA256_BYTES + 1)

struct module {
	int fd;	     /* the file */
	int copy_fd; /* what the hash is of, sealed; -1 until module_copy */
	uint64_t size;
	uint8_t hash[PORTA_SHA256_BYTES];
};

#define MODULE_INIT { .fd = -1, .copy_fd = -1 }

/*
 * Opens a regular file of at most MODULE_BYTES_MAX. Returns 0, or minus the exit code that porta
 * is to end with and a sentence: EXIT_CODE_NOT_FOUND, EXIT_CODE_NOT_RUNNABLE, EXIT_CODE_BAD_MODULE.
 */
int module_open(const char *path, struct module *ret_module, struct error *err);
void module_done(struct module *module);
/* Reads the whole and sets `hash` and `size`: what the file holds now. 0 or a negative errno. */
int module_hash(struct module *module, struct error *err);
/*
 * Copies the file into memory that nobody can change (memfd_create(2), sealed), and sets `hash` and
 * `size` to what was copied: the file itself may change under a worker. 0 or a negative errno.
 */
int module_copy(struct module *module, struct error *err);

void module_put_hex(const uint8_t hash[PORTA_SHA256_BYTES], char ret_hex[MODULE_HASH_HEX_BYTES]);

#endif
