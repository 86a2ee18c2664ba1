/*
 * What the parts of the door share. Each handler gets one request and answers it,
 * at once or, for what lasts, through a `waiting`.
 */
#ifndef PORTA_BROKER_DOOR_INTERNAL_H
#define PORTA_BROKER_DOOR_INTERNAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "broker/as_caller.h"
#include "broker/caller_mounts.h"
#include "broker/door.h"
#include "broker/listeners.h"
#include "broker/notify.h"
#include "broker/patience.h"
#include "broker/unix_allowed.h"

/*
 * Calls that wait at once; the next is answered EAGAIN. Each holds up to three descriptors, and
 * the kernel walks the list of all of them for each answer: 0.07 ms at 1000, 9 ms at 4000.
 */
#define DOOR_WAITING_MAX 1024
/* Children that perform a call as its caller, at once. */
#define DOOR_HELPERS_MAX 64
/* Descriptors that the broker keeps for itself: with fewer left, nothing more may wait. */
#define DOOR_RESERVED_FDS 64

struct door_waiting;

struct door {
	struct door_config config;
	struct notify notify;
	struct listeners listeners;
	struct caller_mounts mounts;
	struct unix_allowed unix_allowed;
	uint64_t network_cookie;  /* SO_NETNS_COOKIE of the broker's own network namespace */
	uint64_t started_seconds; /* wall clock */

	TAILQ_HEAD(, door_waiting) waiting;
	size_t waiting_count;
	size_t waiting_max;
	size_t helpers_count;
	int epoll_fd; /* for what waits: the loop itself stays short, however many there are */
	struct loop_timer waiting_timer;
};

/* An address as the caller gave it, copied once. */
union door_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

/* The caller's socket: what it is, is asked of the taken duplicate, never of the caller. */
struct door_socket {
	int fd;
	int domain;
	int type;
	int protocol;
};

/*
 * Each answers the request, with the duplicate closed before: the caller may close its own, and
 * mean the last of it.
 */
void door_handle_connect(struct door *door, const struct notify_request *request);
void door_handle_bind(struct door *door, const struct notify_request *request);
void door_handle_listen(struct door *door, const struct notify_request *request);
void door_handle_socket(struct door *door, const struct notify_request *request);
void door_handle_setsockopt(struct door *door, const struct notify_request *request);
void door_handle_chmod(struct door *door, const struct notify_request *request);
void door_handle_fchmod(struct door *door, const struct notify_request *request);
void door_handle_fchmodat(struct door *door, const struct notify_request *request);
void door_handle_fchmodat2(struct door *door, const struct notify_request *request);

/* Takes the socket that argument 0 names: 0, -EBADF, -ENOTSOCK, or another negative errno. */
int door_take_socket(struct door *door, const struct notify_request *request,
		     struct door_socket *ret_socket);
/*
 * Takes the socket of argument 0 and copies the address of arguments 1 and 2, as the kernel would.
 * False: one cannot be had, and the call is answered with that (-EBADF, -EINVAL, -EFAULT).
 */
bool door_take_call(struct door *door, const struct notify_request *request,
		    struct door_socket *ret_socket, union door_address *ret_address,
		    socklen_t *ret_bytes);
/*
 * Whether the socket lives in another network namespace than the broker, where what it does stays.
 * Never where the network is blocked: there the sandbox's whole namespace is another, and nothing
 * is allowed in it.
 */
bool door_is_elsewhere(const struct door *door, int socket_fd);

/*
 * Makes of an internet address the broker's own copy: only family, address, port and
 * scope survive, and *ret_address and *ret_port are what it is judged by. `address` is rewritten.
 * -EINVAL or -EAFNOSUPPORT as the kernel says.
 */
int door_normalize_internet(union door_address *address, socklen_t *bytes,
			    struct net_address *ret_address, uint16_t *ret_port);
/*
 * Opens what listeners are asked about with, at the first need. Where that fails, no listener
 * counts as own.
 */
void door_open_diag(struct door *door, const struct notify_request *request);
/* "192.0.2.1:443", "[2001:db8::1]:443"; the caller frees it. */
char *door_endpoint_text(const struct net_address *address, uint16_t port);
/* "--flag VALUE", the value quoted for a shell where it must be; the caller frees it. */
char *door_remedy(const char *flag, const char *value);

/* Whether bind or listen tied the socket to the loopback device (or the caller did). */
bool door_is_tied_to_loopback(int socket_fd);

/* A connect of an AF_UNIX socket; answers, and closes socket->fd. */
void door_connect_unix(struct door *door, const struct notify_request *request,
		       struct door_socket *socket, const union door_address *address,
		       socklen_t address_bytes);

/*
 * Connects the duplicate, so that the broker does not stall and the caller sees what it would
 * have seen; answers at once or when it is known. Takes socket_fd, and handle_fd (-1, or
 * what the address goes through). `own`: it was allowed because the listener of this address is the
 * sandbox's own, and lasts no longer than that.
 */
void door_perform_connect(struct door *door, const struct notify_request *request, int socket_fd,
			  const union door_address *address, socklen_t address_bytes, int handle_fd,
			  bool own);
/* A job that sees paths as the caller does; the action's own fields are still to be set. */
struct as_caller_job door_new_job(struct door *door, const struct notify_request *request,
				  enum as_caller_action action);
/* Starts the job in a child and answers with its outcome. Takes job->socket_fd and job->handle_fd. */
void door_perform_as_caller(struct door *door, const struct notify_request *request,
			    const struct as_caller_job *job);

int door_waiting_init(struct door *door, struct error *err);
void door_waiting_done(struct door *door);

#endif
