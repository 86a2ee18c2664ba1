/*
 * As root: devices that exist, and devices that are made.
 *
 * users: root
 */
#include "attack.h"

#include <sys/sysmacros.h>

static int
attack(void)
{
	static const char *const nodes[] = { "/dev/kmsg", "/dev/mem", "/dev/port", "/dev/vda", "/dev/sda",
		"/dev/nvme0n1", "/dev/kvm", "/dev/fuse", "/dev/loop-control", "/dev/net/tun", "/dev/vsock",
		"/dev/tty0", "/dev/userfaultfd" };

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (open(nodes[i], O_RDWR | O_NOCTTY | O_NONBLOCK) >= 0)
			return escaped(nodes[i]);
	if (mknod("kmsg", S_IFCHR | 0600, makedev(1, 11)) == 0 && open("kmsg", O_RDWR) >= 0)
		return escaped("made and opened a device");
	return held("open");
}
