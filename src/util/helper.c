/* Programs that answer; see helper.h. */
#include "util/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/fd.h"
#include "util/program.h"

static _noreturn_ void
become_helper(int program_fd, const char *const argv[], int input_fd, int output_fd)
{
	const char *environment[] = { NULL };

	if (input_fd < 0)
		input_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (dup2(input_fd, STDIN_FILENO) >= 0 && dup2(output_fd, STDOUT_FILENO) >= 0)
		syscall(SYS_execveat, program_fd, "", argv, environment, AT_EMPTY_PATH);
	_exit(EXIT_FAILURE);
}

int
helper_run(const char *const argv[], int input_fd, size_t output_bytes_max, char **ret_output,
	   size_t *ret_length, bool *ret_is_good, struct error *err)
{
	_cleanup_fd_ int program_fd = program_open(argv[0], err);
	_cleanup_fd_ int output_fd = -1;
	int status = -1;
	int fds[2];
	pid_t pid;
	int r;

	if (program_fd < 0)
		return program_fd;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, -errno, "cannot make a pipe");
	output_fd = fds[0];
	pid = fork();
	if (pid == 0)
		become_helper(program_fd, argv, input_fd, fds[1]);
	r = -errno;
	fd_close(fds[1]);
	if (pid < 0)
		return error_set_errno(err, r, "cannot start %s", argv[0]);
	r = fd_read_whole(output_fd, output_bytes_max, ret_output, ret_length);
	/* It may be writing still: it must not wait for a reader who has enough. */
	fd_close(TAKE_FD(output_fd));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (r < 0)
		return error_set_errno(err, r, "what %s says", argv[0]);
	*ret_is_good = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
	return 0;
}
