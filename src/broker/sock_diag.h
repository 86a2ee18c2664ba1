/*
 * Exact questions to the kernel about one socket, by sock_diag(7): no dump, so the
 * answer costs the same however many sockets there are.
 */
#ifndef PORTA_BROKER_SOCK_DIAG_H
#define PORTA_BROKER_SOCK_DIAG_H

#include <netinet/in.h>
#include <stdint.h>

#include "util/error.h"

/* A NETLINK_SOCK_DIAG socket of the calling process's network namespace, or a negative errno. */
int sock_diag_open(void);

/*
 * The cookie (SO_COOKIE) of the TCP socket that would answer a connect from this machine to
 * `address` (sockaddr_in or sockaddr_in6, a loopback address). 0; -ENOENT where nothing listens; or
 * another negative errno, which counts as "not known".
 */
int sock_diag_find_tcp_listener(int diag_fd, const struct sockaddr *address, uint64_t *ret_cookie);

/* A unix socket that listens, and the file it is bound to. */
struct sock_diag_unix {
	uint32_t inode;	 /* the socket's own (fstat) */
	uint64_t cookie; /* SO_COOKIE */
	uint32_t
	    file_device; /* of the bound path's file system, as the kernel keeps it; 0 for none */
	uint32_t file_inode; /* the low 32 bits */
};

/*
 * Looks the socket up by its `inode` and `cookie`, fills in the file. 0; -ENOENT
 * where it does not live, or does not listen, any more; or another negative errno.
 */
int sock_diag_find_unix_listener(int diag_fd, struct sock_diag_unix *socket);

/*
 * Whether any unix socket of the namespace listens on this file: 1, 0, or a negative errno. This
 * one does look at all of them.
 */
int sock_diag_unix_file_listens(int diag_fd, uint32_t device, uint32_t inode);

#endif
