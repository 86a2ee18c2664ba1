/*
 * What every attack shares. An attack is one file: it defines attack(), which returns
 *
 *	escaped(what)	it worked: something outside was read, changed or reached
 *	held(call)	it was refused; errno is printed
 *	tried(what)	done all it can; whether it worked shows outside
 *	absent(what)	this kernel has no such thing (needs `may-be-absent:` in the file's head)
 *
 * The comment at the head of the file says in `key: value` lines how it is run; conftest.py lists the
 * keys. Each attack runs first without porta, where it must work, and then under porta.
 *
 * world_path("outside/victim") is a file of the user's outside the sandbox; the working directory is the writable
 * mount. victim_pid is a process outside, of the same program: so victim_secret has the same address there. It
 * holds descriptor 5, open for writing on outside/victim.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* What a service outside answers, and what is in the files and memory there. */
#define SECRET "SECRET-OUTSIDE"

static const char *world;
static const char *services; /* the directory of the sockets outside */
static pid_t victim_pid;
static char victim_secret[32] UNUSED = SECRET;

static int attack(void);

UNUSED static int
escaped(const char *what)
{
	dprintf(2, "ESCAPED: %s\n", what);
	return 0;
}

UNUSED static int
held(const char *call)
{
	dprintf(2, "held: %s: %s\n", call, strerror(errno));
	return 1;
}

UNUSED static int
tried(const char *what)
{
	dprintf(2, "tried: %s\n", what);
	return 2;
}

UNUSED static int
absent(const char *what)
{
	dprintf(2, "absent: %s: %s\n", what, strerror(errno));
	return 77;
}

/* Eight rotating buffers are enough for one attack. */
UNUSED static const char *
format_path(const char *directory, const char *name)
{
	static char buffers[8][4096];
	static unsigned turn;
	char *buffer = buffers[turn++ % 8];

	snprintf(buffer, sizeof(buffers[0]), "%s/%s", directory, name);
	return buffer;
}

UNUSED static const char *
world_path(const char *name)
{
	return format_path(world, name);
}

UNUSED static const char *
service_path(const char *name)
{
	return format_path(services, name);
}

UNUSED static const char *
proc_path(pid_t pid, const char *name)
{
	char directory[64];

	snprintf(directory, sizeof(directory), "/proc/%d", (int)pid);
	return format_path(directory, name);
}

/* Whether the descriptor gives the secret within a second; closes it. */
UNUSED static bool
gives_secret(int fd)
{
	char text[256] = "";
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	ssize_t n = -1;

	if (poll(&poll_fd, 1, 1000) == 1)
		n = read(fd, text, sizeof(text) - 1);
	else
		errno = ETIMEDOUT;
	if (n == 0)
		errno = ECONNRESET;
	int saved = errno;
	close(fd);
	errno = saved;
	return n > 0 && strstr(text, SECRET) != NULL;
}

UNUSED static bool
file_has_secret(const char *path)
{
	int fd = open(path, O_RDONLY);

	return fd >= 0 && gives_secret(fd);
}

/* Opens, writes one byte at the end, closes. */
UNUSED static bool
write_byte(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK);
	bool wrote = fd >= 0 && write(fd, "X", 1) == 1;
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return wrote;
}

UNUSED static bool
create_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		return false;
	bool wrote = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return wrote;
}

UNUSED static struct sockaddr_in
ipv4(const char *address, int port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	inet_pton(AF_INET, address, &name.sin_addr);
	return name;
}

UNUSED static struct sockaddr_in6
ipv6(const char *address, int port)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	inet_pton(AF_INET6, address, &name.sin6_addr);
	return name;
}

UNUSED static struct sockaddr_un
unix_name(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	return name;
}

/* Connects a stream and expects the secret: the whole attack of many files. */
UNUSED static int
stream_attack(int family, const void *address, socklen_t length, const char *what)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		return held("socket");
	if (connect(fd, address, length) < 0)
		return held("connect");
	return gives_secret(fd) ? escaped(what) : held("read");
}

UNUSED static int
connect_attack4(const char *address, int port, const char *what)
{
	struct sockaddr_in name = ipv4(address, port);

	return stream_attack(AF_INET, &name, sizeof(name), what);
}

UNUSED static int
connect_attack6(const char *address, int port, const char *what)
{
	struct sockaddr_in6 name = ipv6(address, port);

	return stream_attack(AF_INET6, &name, sizeof(name), what);
}

/* Whether a listening socket can be reached by more than the loopback interface. */
UNUSED static bool
listens_everywhere(int fd)
{
	struct sockaddr_in6 name = { 0 };
	socklen_t length = sizeof(name), device_length = IFNAMSIZ;
	char device[IFNAMSIZ] = "";

	getsockname(fd, (struct sockaddr *)&name, &length);
	getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &device_length);
	if (strcmp(device, "lo") == 0)
		return false;
	if (name.sin6_family == AF_INET)
		return (ntohl(((struct sockaddr_in *)&name)->sin_addr.s_addr) >> 24) != 127;
	static const unsigned char mapped_loopback[13] = { [10] = 0xff, 0xff, 127 };
	return !IN6_IS_ADDR_LOOPBACK(&name.sin6_addr) &&
	       memcmp(&name.sin6_addr, mapped_loopback, sizeof(mapped_loopback)) != 0;
}

/* The key and the name of what the victim shares; the harness takes it away afterwards. */
UNUSED static key_t
victim_key(void)
{
	return 0x706f7274 + (key_t)getuid();
}

UNUSED static const char *
victim_ipc_name(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "/porta-test-%d", (int)getuid());
	return name;
}

static void
victim_share(void)
{
	int fd = shm_open(victim_ipc_name(), O_RDWR | O_CREAT, 0600);
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 64 };

	if (fd >= 0 && write(fd, SECRET, sizeof(SECRET)) < 0)
		_exit(1);
	shmget(victim_key(), 4096, IPC_CREAT | 0600);
	msgget(victim_key(), IPC_CREAT | 0600);
	mq_open(victim_ipc_name(), O_RDWR | O_CREAT, 0600, &attributes);
}

static void
victim_signalled(int signal)
{
	dprintf(1, "signal %d\n", signal);
}

static int
victim_main(void)
{
	for (int number = 1; number < 65; number++)
		signal(number, victim_signalled);
	if (chdir(world_path("outside")) < 0)
		return 1;
	int fd = open("victim", O_RDWR | O_APPEND);
	if (fd >= 0 && fd != 5)
		dup2(fd, 5);
	victim_share();
	dprintf(1, "ready\n");
	for (;;) {
		pause();
		if (strcmp(victim_secret, SECRET) != 0)
			dprintf(1, "memory changed\n");
	}
}

int
main(int argc, char **argv)
{
	if (argc < 4)
		return 99;
	world = argv[1];
	services = argv[2];
	if (strcmp(argv[3], "victim") == 0)
		return victim_main();
	victim_pid = atoi(argv[3]);
	return attack();
}

#endif
