/*
 * io_uring makes connects that no filter sees.
 *
 * porta: --allow-net 203.0.113.5:80
 * may-be-absent: a kernel without io_uring, or with it switched off
 */
#include "attack.h"

#include <linux/io_uring.h>

static int
attack(void)
{
	struct io_uring_params parameters = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 4, &parameters);

	if (fd < 0)
		return errno == ENOSYS || errno == EPERM ? absent("io_uring_setup") : held("io_uring_setup");
	return escaped("made an io_uring");
}
