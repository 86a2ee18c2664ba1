/*
 * The sandbox's own listeners: the sockets on which a listen() of the sandbox
 * succeeded. A socket is named by its cookie (SO_COOKIE), which no other ever gets; one that was
 * closed is found by nothing any more.
 */
#ifndef PORTA_BROKER_LISTENERS_H
#define PORTA_BROKER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/error.h"

/* Living listeners of one sandbox; the sandbox decides how many there are. */
#define LISTENERS_MAX 4096

struct listener;

struct listeners {
	int diag_fd; /* in the sandbox's network namespace; -1 until the first listener */
	struct listener *items;
	size_t count;
	size_t capacity;
};

void listeners_init(struct listeners *listeners);
void listeners_done(struct listeners *listeners);

/*
 * Whether there is room for one more, after those that were closed are forgotten. To be asked
 * before listen() is performed.
 */
bool listeners_has_room(struct listeners *listeners);

/* Notes a socket that listens now: 0, or a negative errno where it cannot be noted. */
int listeners_note_tcp(struct listeners *listeners, int socket_fd);
int listeners_note_unix(struct listeners *listeners, int socket_fd);

/*
 * Whether what answers a TCP connect to this loopback address is noted: 1 or 0; -ENOENT where
 * nothing answers.
 */
int listeners_own_tcp(const struct listeners *listeners, const struct sockaddr *address);
/* Whether a noted unix listener lives and is bound to this file; `device` as sock_diag_unix has it. */
bool listeners_own_unix_file(struct listeners *listeners, uint32_t device, uint64_t inode);
/*
 * Whether a noted unix listener of this type lives and has this abstract name (a leading NUL and
 * what follows). Each type has names of its own: a stream and a seqpacket socket may have the same.
 */
bool listeners_own_abstract(struct listeners *listeners, int type, const char *name, size_t length);

#endif
