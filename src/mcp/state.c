/* requestState; see state.h. */
#include "mcp/state.h"

#include <errno.h>
#include <fcntl.h>
#include <porta_digest.h>
#include <porta_server.h>
#include <string.h>
#include <sys/random.h>

#include "http/base64.h"
#include "util/fd.h"
#include "util/mem.h"

#define KEY_FILE_BYTES_MAX 4096
/* The version of the form, so that another one is told from a broken one. */
#define MARK "p1."

/* Before the text, inside of the seal. */
struct head {
	int64_t expires;
};

int
state_key_draw(struct state_key *ret_key, struct error *err)
{
	if (getrandom(ret_key->bytes, sizeof(ret_key->bytes), 0) != sizeof(ret_key->bytes))
		return error_set_errno(err, -errno, "cannot draw a key");
	return 0;
}

int
state_key_load(const char *path, struct state_key *ret_key, struct error *err)
{
	struct porta_sha256 hash;
	char *text = NULL;
	size_t length = 0;
	int r = fd_read_file_at(AT_FDCWD, path, KEY_FILE_BYTES_MAX, &text, &length);

	if (r < 0)
		return error_set_errno(err, r, "cannot read %s", path);
	if (length < STATE_KEY_BYTES) {
		r = error_set(err, -EINVAL, "%s holds less than %d bytes, too little for a key", path,
			      STATE_KEY_BYTES);
	} else {
		porta_sha256_init(&hash);
		porta_sha256_update(&hash, text, length);
		porta_sha256_final(&hash, ret_key->bytes);
	}
	mem_wipe(text, length);
	free(text);
	return r;
}

static void
put_bound(const struct state_bound *bound, struct strbuf *out)
{
	strbuf_put_json(out, bound->method);
	strbuf_put_json(out, bound->name);
	if (bound->arguments != NULL)
		json_write(out, bound->arguments, JSON_STYLE_SORTED);
}

int
state_seal(const struct state_key *key, const struct state_bound *bound, int64_t now,
	   const char *text, struct strbuf *out, struct error *err)
{
	const struct head head = { .expires = now + STATE_SECONDS_MAX };
	uint8_t nonce[PORTA_SEAL_NONCE_BYTES];
	uint8_t tag[PORTA_SEAL_TAG_BYTES];
	struct strbuf sealed = STRBUF_INIT;
	struct strbuf aad = STRBUF_INIT;
	_cleanup_free_ char *base64 = NULL;
	bool is_sealed;

	if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce))
		return error_set_errno(err, -errno, "cannot draw a nonce");
	put_bound(bound, &aad);
	strbuf_add(&sealed, (const char *)nonce, sizeof(nonce));
	strbuf_add(&sealed, (const char *)&head, sizeof(head));
	strbuf_puts(&sealed, text);
	is_sealed = porta_seal(key->bytes, nonce, (const uint8_t *)aad.text, aad.length,
			       (uint8_t *)sealed.text + sizeof(nonce), sealed.length - sizeof(nonce),
			       tag);
	strbuf_add(&sealed, (const char *)tag, sizeof(tag));
	base64 = base64_encode(sealed.text, sealed.length);
	strbuf_puts(out, MARK);
	strbuf_puts(out, base64);
	strbuf_done(&aad);
	strbuf_done(&sealed);
	return is_sealed ? 0 : error_set(err, -EINVAL, "cannot seal a state");
}

int
state_open(const struct state_key *key, const struct state_bound *bound, int64_t now,
	   const char *sealed, struct strbuf *out, struct error *err)
{
	static const char sentence[] = "the requestState is not one that was given for this request";
	_cleanup_free_ char *bytes = NULL;
	struct strbuf aad = STRBUF_INIT;
	struct head head;
	size_t length = 0;
	size_t inside;
	bool is_open;

	if (strlen(sealed) > STATE_TEXT_BYTES_MAX || !str_starts_with(sealed, MARK) ||
	    base64_decode(sealed + strlen(MARK), &bytes, &length) < 0 ||
	    length < PORTA_SEAL_NONCE_BYTES + sizeof(head) + PORTA_SEAL_TAG_BYTES)
		return error_set(err, -EINVAL, "%s", sentence);
	inside = length - PORTA_SEAL_NONCE_BYTES - PORTA_SEAL_TAG_BYTES;
	put_bound(bound, &aad);
	is_open = porta_unseal(key->bytes, (const uint8_t *)bytes, (const uint8_t *)aad.text,
			       aad.length, (uint8_t *)bytes + PORTA_SEAL_NONCE_BYTES, inside,
			       (const uint8_t *)bytes + PORTA_SEAL_NONCE_BYTES + inside);
	strbuf_done(&aad);
	if (!is_open)
		return error_set(err, -EINVAL, "%s", sentence);
	memcpy(&head, bytes + PORTA_SEAL_NONCE_BYTES, sizeof(head));
	if (head.expires < now)
		return error_set(err, -EINVAL, "the requestState has expired");
	strbuf_add(out, bytes + PORTA_SEAL_NONCE_BYTES + sizeof(head), inside - sizeof(head));
	return 0;
}
