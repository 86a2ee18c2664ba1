/*
 * An abstract socket outside.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0porta-test-victim" };

	return stream_attack(AF_UNIX, &name, offsetof(struct sockaddr_un, sun_path) + 18,
				 "connected to an abstract socket outside");
}
