/*
 * JSON Schema and sealing, for porta-server (rust/server). No function of it ends the process: a
 * panic inside becomes a refusal.
 */
#ifndef PORTA_SERVER_H
#define PORTA_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct porta_schema;

/*
 * Compiles a JSON Schema: 2020-12, or the dialect of its $schema (2019-09, drafts 4, 6 and 7). What it
 * refers to must be inside: nothing is ever fetched. It is bounded, so that no instance takes long
 * or deep. NULL, and what goes on "the schema ...".
 */
struct porta_schema *porta_schema_new(const char *text, size_t length, char *message,
				      size_t message_size);
void porta_schema_free(struct porta_schema *schema);
/* Whether JSON text is an instance; else the first place that is not, "at /a/0: ...". */
bool porta_schema_check(const struct porta_schema *schema, const char *text, size_t length,
			char *message, size_t message_size);

#define PORTA_SEAL_KEY_BYTES   32
#define PORTA_SEAL_NONCE_BYTES 24
#define PORTA_SEAL_TAG_BYTES   16

/*
 * XChaCha20-Poly1305 (RFC 8439 with a nonce that may be drawn at random), in place. `bound` is what the text is
 * for: the same bytes must come with it when it is opened.
 */
bool porta_seal(const uint8_t key[PORTA_SEAL_KEY_BYTES], const uint8_t nonce[PORTA_SEAL_NONCE_BYTES],
		const uint8_t *bound, size_t bound_length, uint8_t *text, size_t length,
		uint8_t ret_tag[PORTA_SEAL_TAG_BYTES]);
/* false: it is not what was sealed so; `text` holds nothing then. */
bool porta_unseal(const uint8_t key[PORTA_SEAL_KEY_BYTES],
		  const uint8_t nonce[PORTA_SEAL_NONCE_BYTES], const uint8_t *bound,
		  size_t bound_length, uint8_t *text, size_t length,
		  const uint8_t tag[PORTA_SEAL_TAG_BYTES]);

#endif
