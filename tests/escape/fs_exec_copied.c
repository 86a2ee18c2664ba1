/*
 * Under --allow-exec: a program that is not listed is copied into the mount and executed there.
 *
 * porta: --allow-exec $PROGRAM
 */
#include "attack.h"

#include <sys/sendfile.h>

static int
attack(void)
{
	char *const argv[] = { "program", NULL };
	struct stat status;
	int source = open("/bin/true", O_RDONLY);
	int fd = open("copy", O_WRONLY | O_CREAT, 0755);

	if (fd < 0 || fstat(source, &status) < 0)
		return held("open");
	if (sendfile(fd, source, NULL, (size_t)status.st_size) != status.st_size)
		return held("sendfile");
	close(fd);
	pid_t child = fork();
	if (child == 0) {
		execve("copy", argv, environ);
		execve("/bin/true", argv, environ);
		_exit(errno == EACCES ? 13 : 1);
	}
	int ended = 0;
	waitpid(child, &ended, 0);
	errno = WEXITSTATUS(ended);
	return ended == 0 ? escaped("executed what is not listed") : held("execve");
}
