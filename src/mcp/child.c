/* Child processes of porta-server; see child.h. */
#include "mcp/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mcp/processor.h"
#include "util/exit_code.h"
#include "util/fd.h"

#define CHILD_FD 3

static _noreturn_ void
become_child(pid_t parent, child_fn *fn, const void *data, int fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	worker_end_with_parent(parent);
	/* What a terminal sends is not for it. */
	(void)setpgid(0, 0);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
	    (fd != CHILD_FD && dup3(fd, CHILD_FD, O_CLOEXEC) < 0) ||
	    syscall(SYS_close_range, CHILD_FD + 1, ~0U, 0U) < 0)
		_exit(EXIT_CODE_FAILED);
	worker_reset_signals();
	_exit(fn(data, CHILD_FD));
}

int
child_start(child_fn *fn, const void *data, int type, struct worker *ret_child, struct error *err)
{
	int pair[2];
	pid_t parent = getpid();
	pid_t pid;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(err, -errno, "cannot make a socket pair");
	processor_let_go();
	pid = fork();
	if (pid == 0)
		become_child(parent, fn, data, pair[1]);
	fd_close(pair[1]);
	if (pid < 0) {
		int r = error_set_errno(err, -errno, "cannot start a process");

		fd_close(pair[0]);
		return r;
	}
	*ret_child = (struct worker)WORKER_INIT;
	ret_child->pid = pid;
	ret_child->control_fd = pair[0];
	(void)fd_set_nonblocking(pair[0], true);
	return 0;
}
