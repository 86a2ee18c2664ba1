/* The image of an agent that is loaded anew; see edition_image.h. */
#include "mcp/edition_image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcp/edition_internal.h"
#include "util/exit_code.h"
#include "util/fd.h"
#include "util/mem.h"

enum part {
	PART_MANIFEST,	  /* JSON; empty: there is none */
	PART_FACTS,	  /* JSON */
	PART_DESCRIPTION, /* what _describe answered */
	PART_NOTES,	  /* sentences, a NUL behind each */
	PART_COUNT,
};

#define PARTS_BYTES_MAX ((uint64_t)2 * MANIFEST_MAX_BYTES + FACTS_BYTES_MAX + ((size_t)1024 * 1024))

/* The first message, with the code's descriptor; the second one has a memfd with the parts. */
struct head {
	int32_t exit_code; /* not 0: it failed, and there is no more */
	char sentence[ERROR_MESSAGE_BYTES];
	uint32_t granted;
	uint8_t hash[PORTA_SHA256_BYTES];
	uint64_t lengths[PART_COUNT];
};

static void
put_parts(const struct edition *edition, const struct strbuf *description, struct head *head,
	  struct strbuf *out)
{
	size_t before;

	for (int part = 0; part < PART_COUNT; part++) {
		before = out->length;
		switch ((enum part)part) {
		case PART_MANIFEST:
			if (edition->agent.manifest.root != NULL)
				json_write(out, edition->agent.manifest.root, JSON_STYLE_COMPACT);
			break;
		case PART_FACTS:
			json_write(out, edition->agent.facts.root, JSON_STYLE_COMPACT);
			break;
		case PART_DESCRIPTION:
			strbuf_add(out, description->text, description->length);
			break;
		case PART_NOTES:
			for (size_t i = 0; i < edition->notes.count; i++)
				strbuf_add(out, edition->notes.items[i], strlen(edition->notes.items[i]) + 1);
			break;
		case PART_COUNT:
			break;
		}
		head->lengths[part] = out->length - before;
	}
}

static int
send_image(const struct edition *edition, const struct strbuf *description, int fd)
{
	_cleanup_fd_ int parts_fd = memfd_create("agent", MFD_CLOEXEC);
	struct head head = { .granted = edition->agent.granted };
	struct strbuf parts = STRBUF_INIT;
	int r = parts_fd < 0 ? -errno : 0;

	memcpy(head.hash, edition->agent.module.hash, sizeof(head.hash));
	put_parts(edition, description, &head, &parts);
	if (r == 0)
		r = fd_write_all(parts_fd, parts.text, parts.length);
	strbuf_done(&parts);
	if (r == 0)
		r = fd_send(fd, &head, sizeof(head), edition->agent.code.fd);
	return r < 0 ? r : fd_send(fd, "", 1, parts_fd);
}

int
edition_image_send(const void *data, int fd)
{
	const struct edition_settings *settings = data;
	struct edition *edition = edition_new(settings);
	struct strbuf description = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct worker worker = WORKER_INIT;
	struct head head = { 0 };
	int r = edition_find(edition, settings, &worker, &description, &err);

	worker_end(&worker);
	if (r == 0)
		return send_image(edition, &description, fd) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
	head.exit_code = -r;
	snprintf(head.sentence, sizeof(head.sentence), "%s", err.message);
	return fd_send(fd, &head, sizeof(head), -1) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

/* The parts, one behind the other. */
static int
read_parts(int fd, const struct head *head, char **ret_text, struct error *err)
{
	_cleanup_fd_ int parts_fd = -1;
	uint64_t expected = 0;
	size_t length = 0;
	char byte;
	int r;

	for (int part = 0; part < PART_COUNT; part++)
		expected += MIN(head->lengths[part], PARTS_BYTES_MAX);
	r = (int)fd_receive(fd, &byte, sizeof(byte), MSG_DONTWAIT, &parts_fd);
	if (r < 0 || parts_fd < 0 || lseek(parts_fd, 0, SEEK_SET) < 0)
		return error_set(err, -EPROTO, "the process that loads it has ended");
	r = fd_read_whole(parts_fd, PARTS_BYTES_MAX, ret_text, &length);
	if (r < 0 || length != expected)
		return error_set(err, -EPROTO, "what it says of itself is too long");
	return 0;
}

static int
take_parts(struct edition *edition, const struct head *head, const char *text, struct error *err)
{
	struct agent *agent = &edition->agent;
	const char *part = text;
	int r = 0;

	if (head->lengths[PART_MANIFEST] > 0)
		r = manifest_parse(&agent->manifest, part, head->lengths[PART_MANIFEST], err);
	agent->has_manifest = agent->manifest.root != NULL;
	part += head->lengths[PART_MANIFEST];
	if (r == 0)
		r = facts_parse(part, head->lengths[PART_FACTS], &agent->facts, err);
	part += head->lengths[PART_FACTS] + head->lengths[PART_DESCRIPTION];
	for (const char *end = part + head->lengths[PART_NOTES]; part < end; part += strlen(part) + 1)
		strv_add(&edition->notes, part);
	return r;
}

static int
receive(struct edition *edition, const struct edition_settings *settings, int fd, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct strbuf description = STRBUF_INIT;
	struct head head;
	int code_fd = -1;
	int r;

	if (fd_receive(fd, &head, sizeof(head), MSG_DONTWAIT, &code_fd) != (ssize_t)sizeof(head))
		return error_set(err, -ECHILD, "the process that loads it has ended");
	edition->agent.code.fd = code_fd;
	if (head.exit_code != 0)
		return error_set(err, -EINVAL, "%s", head.sentence);
	edition->agent.granted = head.granted;
	memcpy(edition->agent.module.hash, head.hash, sizeof(head.hash));
	r = read_parts(fd, &head, &text, err);
	if (r == 0)
		r = take_parts(edition, &head, text, err);
	if (r < 0)
		return r;
	strbuf_add(&description, text + head.lengths[PART_MANIFEST] + head.lengths[PART_FACTS],
		   head.lengths[PART_DESCRIPTION]);
	r = edition_configure(edition, settings, err);
	if (r == 0)
		r = edition_complete(edition, settings, &description, err);
	strbuf_done(&description);
	return r;
}

struct edition *
edition_image_receive(const struct edition_settings *settings, int fd, struct error *err)
{
	struct edition *edition = edition_new(settings);

	(void)sigprocmask(SIG_SETMASK, NULL, &edition->signal_mask);
	if (receive(edition, settings, fd, err) == 0)
		return edition;
	edition_leave(edition);
	return NULL;
}
