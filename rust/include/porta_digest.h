/* SHA-256 (FIPS 180-4), with the processor's own instructions where it has them. */
#ifndef PORTA_DIGEST_H
#define PORTA_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define PORTA_SHA256_BYTES 32

struct porta_sha256 {
	uint8_t bytes[128];
} __attribute__((aligned(16)));

void porta_sha256_init(struct porta_sha256 *hash);
void porta_sha256_update(struct porta_sha256 *hash, const void *data, size_t length);
/* Ends the hash: before another use it needs porta_sha256_init. */
void porta_sha256_final(struct porta_sha256 *hash, uint8_t ret_digest[PORTA_SHA256_BYTES]);

#endif
