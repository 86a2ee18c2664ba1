/*
 * Every way to make something new outside.
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(world_path("outside/new-socket"));

	if (create_file(world_path("outside/new"), "text"))
		return escaped("made a file outside");
	if (mkdir(world_path("outside/new-directory"), 0755) == 0)
		return escaped("made a directory outside");
	if (symlink("victim", world_path("outside/new-symlink")) == 0)
		return escaped("made a symlink outside");
	if (link(world_path("outside/victim"), world_path("outside/new-link")) == 0)
		return escaped("made a link outside");
	if (mknod(world_path("outside/new-fifo"), S_IFIFO | 0600, 0) == 0)
		return escaped("made a FIFO outside");
	if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)) == 0)
		return escaped("made a socket outside");
	return held("making something outside");
}
