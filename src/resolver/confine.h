/*
 * The walls around porta-resolver: a network namespace of its own, and then no
 * capability, no file, no process, and only the system calls that its loop makes.
 */
#ifndef PORTA_RESOLVER_CONFINE_H
#define PORTA_RESOLVER_CONFINE_H

#include <stdbool.h>

/*
 * Descriptor numbers that the filter knows: only on these may an address be given with
 * a datagram, and none of them can be closed, so that no other socket takes the number.
 */
#define CONFINE_UDP_V4_FD     4
#define CONFINE_UDP_V6_FD     5
#define CONFINE_FIRST_FREE_FD 6

/*
 * Moves into a new user and network namespace and binds UDP 127.0.0.1:53 and [::1]:53
 * there, at the numbers above; where there is no IPv6 the second is the first again. A
 * negative errno where namespaces cannot be had: then both may be /dev/null.
 */
int confine_enter_namespace(void);

/*
 * Takes everything else away. From now on: poll, receive, send to whom a socket is connected
 * to, datagrams with an address on the two sockets above, messages with descriptors on the control
 * socket, new datagram sockets (`with_sockets`), memory, time, random bytes, exit. Any
 * other call ends the process. Returns a negative errno, and *ret_what says at what.
 */
int confine_process(bool with_sockets, const char **ret_what);

#endif
