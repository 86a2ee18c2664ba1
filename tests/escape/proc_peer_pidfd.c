/*
 * SO_PEERPIDFD on a socket of a -v mount gives a pidfd of a process outside, which is signalled.
 *
 * porta: -v $SERVICES
 * reaches: unix
 * may-be-absent: SO_PEERPIDFD came with Linux 6.5
 */
#include "attack.h"

static int
attack(void)
{
	struct sockaddr_un name = unix_name(service_path("stream"));
	socklen_t length = sizeof(int);
	int pidfd = -1, fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return held("connect");
	if (getsockopt(fd, SOL_SOCKET, 77 /* SO_PEERPIDFD */, &pidfd, &length) < 0)
		return held("SO_PEERPIDFD");
	/* Signal 0 changes nothing and shows the same. */
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0)
		return escaped("signalled a peer outside");
	return held("pidfd_send_signal");
}
