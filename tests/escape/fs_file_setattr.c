/*
 * file_setattr (Linux 6.17), a newer way to the same flags, on a file outside.
 *
 * may-be-absent: file_setattr came with Linux 6.17
 */
#include "attack.h"

struct attributes {
	uint64_t xflags;
	uint32_t extent_size, extents, project, cow_extent_size;
};

static int
attack(void)
{
	struct attributes attributes = { 0 };
	const char *victim = world_path("outside/victim");

	if (syscall(468 /* file_getattr */, AT_FDCWD, victim, &attributes, sizeof(attributes), 0) < 0)
		return absent("file_getattr");
	attributes.xflags ^= 0x80; /* nodump */
	if (syscall(469 /* file_setattr */, AT_FDCWD, victim, &attributes, sizeof(attributes), 0) < 0)
		return held("file_setattr");
	return escaped("changed flags outside");
}
