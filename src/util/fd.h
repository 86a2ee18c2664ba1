/* Descriptors: whole reads and writes, and passing them between processes. */
#ifndef PORTA_UTIL_FD_H
#define PORTA_UTIL_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/macros.h"

/* fd_close is declared in macros.h. */

/* Writes all `n` bytes, also over EINTR and short writes. 0 or a negative errno. */
int fd_write_all(int fd, const void *bytes, size_t n);
/*
 * Reads a whole regular file or pipe of at most `limit_bytes` into fresh memory, NUL
 * after the last byte; *ret_length may be NULL. -EFBIG when there is more.
 */
int fd_read_whole(int fd, size_t limit_bytes, char **ret_text, size_t *ret_length);
/* fd_read_whole of openat(dir_fd, path, O_RDONLY|O_CLOEXEC|O_NOCTTY). */
int fd_read_file_at(int dir_fd, const char *path, size_t limit_bytes, char **ret_text,
		    size_t *ret_length);
/* Sends one message with at most one descriptor (-1: none) over a SOCK_SEQPACKET socket. */
int fd_send(int socket_fd, const void *bytes, size_t n, int passed_fd);
/*
 * Receives one message. Returns its length (0: the other side closed) or a negative
 * errno; *ret_fd gets a passed descriptor (close-on-exec, the caller owns it) or -1.
 * A message longer than `n` is -EMSGSIZE, and its descriptor is closed.
 */
ssize_t fd_receive(int socket_fd, void *bytes, size_t n, int flags, int *ret_fd);
int fd_set_nonblocking(int fd, bool nonblocking);

#endif
