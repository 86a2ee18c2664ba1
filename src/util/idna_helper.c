/* International host names by porta-idna; see idna.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/fd.h"
#include "util/idna.h"
#include "util/mem.h"
#include "util/program.h"

#define PROGRAM_NAME "porta-idna"

static _noreturn_ void
become_helper(int program_fd, int output_fd, const char *name)
{
	const char *argv[] = { PROGRAM_NAME, name, NULL };
	const char *environment[] = { NULL };

	if (dup2(output_fd, STDOUT_FILENO) >= 0)
		syscall(SYS_execveat, program_fd, "", argv, environment, AT_EMPTY_PATH);
	_exit(EXIT_FAILURE);
}

int
idna_to_ascii(const char *name, char *ret_ascii, size_t size, struct error *err)
{
	_cleanup_fd_ int program_fd = program_open(PROGRAM_NAME, err);
	_cleanup_fd_ int input_fd = -1;
	_cleanup_free_ char *ascii = NULL;
	int status;
	int fds[2];
	pid_t pid;
	int r;

	if (program_fd < 0)
		return error_wrap(err, program_fd, "a host name that is not ASCII");
	if (strlen(name) > IDNA_NAME_MAX_BYTES)
		return error_set(err, -ENAMETOOLONG, "the host name is too long");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, -errno, "cannot make a pipe");
	input_fd = fds[0];
	pid = fork();
	if (pid == 0)
		become_helper(program_fd, fds[1], name);
	fd_close(fds[1]);
	if (pid < 0)
		return error_set_errno(err, -errno, "cannot start %s", PROGRAM_NAME);
	r = fd_read_whole(input_fd, ERROR_MESSAGE_BYTES, &ascii, NULL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (r < 0 || !WIFEXITED(status))
		return error_set(err, -EINVAL, "%s could not convert the host name", PROGRAM_NAME);
	ascii[strcspn(ascii, "\n")] = '\0';
	if (WEXITSTATUS(status) != 0)
		return error_set(err, -EINVAL, "%s", ascii);
	if (strlen(ascii) >= size)
		return error_set(err, -ENAMETOOLONG, "the host name is too long");
	strcpy(ret_ascii, ascii);
	return 0;
}
