/*
 * A small world for tests of DNS: a namespace that has nothing but loopback, an /etc of its
 * own, a porta-resolver beside the test, and two nameservers, 127.0.0.53 and 127.0.0.54,
 * whose answers are chosen by the first label of the name.
 */
#ifndef PORTA_TESTS_DNS_WORLD_H
#define PORTA_TESTS_DNS_WORLD_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

#define TYPE_A	  1
#define TYPE_TXT  16
#define TYPE_AAAA 28

#define RESOLV_CONF                                                                                \
	"nameserver 127.0.0.53\nnameserver 127.0.0.54\nsearch corp.example lab.example\n"          \
	"options timeout:1 attempts:1 ndots:2 use-vc\n"
#define HOSTS                                                                                      \
	"127.0.0.1 localhost\n198.51.100.7 Files.Example.com files # comment\n"                    \
	"198.51.100.8 unnamed.example.net\n"

/* What the nameservers saw, in shared memory. */
struct seen {
	unsigned udp;
	unsigned tcp;
	uint8_t query[512];
	ssize_t query_length;
};
static struct seen *seen;
static pid_t server_pid;
static int self_fd = -1;

/* ---- the nameservers ---- */

static size_t
put_address(uint8_t *reply, size_t at, const void *owner, size_t owner_length, unsigned type,
	    const void *data, size_t length)
{
	memcpy(reply + at, owner, owner_length);
	at += owner_length;
	memcpy(reply + at, (uint8_t[]){ 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)length },
	       10);
	memcpy(reply + at + 10, data, length);
	reply[7]++;
	return at + 10 + length;
}

/* The question's name points to octet 12; what follows is put by the first label. Returns 0 for
 * silence. */
static size_t
make_reply(const uint8_t *query, size_t length, int server, bool is_tcp, uint8_t *reply)
{
	static const uint8_t self[] = { 0xc0, 12 };
	static const uint8_t other[] = "\3cdn\7example\3net";
	const char *label = (const char *)query + 13;
	size_t end = 12 + strlen((const char *)query + 12) + 5;
	unsigned type = query[end - 3];

	memcpy(reply, query, end);
	memcpy(reply + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
	if (str_starts_with(label, "gone")) {
		reply[3] |= 3;
	} else if (str_starts_with(label, "fail") && server == 53) {
		reply[3] |= 2;
	} else if (str_starts_with(label, "slow") && server == 53) {
		return 0;
	} else if (str_starts_with(label, "noedns") && length > end) {
		reply[3] |= 1;
	} else if (str_starts_with(label, "big") && !is_tcp) {
		reply[2] |= 2;
	} else if (str_starts_with(label, "big")) {
		for (int i = 0; i < 20; i++)
			end = put_address(
			    reply, end, self, 2, TYPE_TXT,
			    "\77aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			    "aaa",
			    64);
	} else if (str_starts_with(label, "evil")) {
		end = put_address(reply, end, other, sizeof(other), TYPE_A, "\306\63\144\11", 4);
	} else if (str_starts_with(label, "private")) {
		end = put_address(reply, end, self, 2, TYPE_A, "\12\0\0\5", 4);
	} else if (str_starts_with(label, "mixed")) {
		end = put_address(reply, end, self, 2, TYPE_A, "\12\0\0\5", 4);
		end = put_address(reply, end, self, 2, TYPE_A, "\313\0\161\11", 4);
	} else if (type == TYPE_A) {
		end = put_address(reply, end, self, 2, 5, other, sizeof(other));
		end = put_address(reply, end, other, sizeof(other), TYPE_A, "\313\0\161\5", 4);
	} else if (type == TYPE_AAAA) {
		end = put_address(reply, end, self, 2, TYPE_AAAA,
				  "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\5", 16);
	}
	return end;
}

static void
serve_datagram(int fd, int server)
{
	struct sockaddr_in peer;
	socklen_t peer_length = sizeof(peer);
	uint8_t query[512];
	uint8_t reply[4096];
	ssize_t n = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&peer, &peer_length);
	size_t length;

	if (n < 17)
		return;
	seen->udp++;
	memcpy(seen->query, query, (size_t)n);
	seen->query_length = n;
	length = make_reply(query, (size_t)n, server, false, reply);
	if (str_starts_with((const char *)query + 13, "forged")) {
		uint8_t forged[4096];

		/* Another id first, then another question. */
		memcpy(forged, reply, length);
		forged[length - 1] = 66;
		forged[0] ^= 1;
		sendto(fd, forged, length, 0, (struct sockaddr *)&peer, peer_length);
		forged[0] ^= 1;
		forged[14] = 'x';
		sendto(fd, forged, length, 0, (struct sockaddr *)&peer, peer_length);
	}
	if (length > 0)
		sendto(fd, reply, length, 0, (struct sockaddr *)&peer, peer_length);
}

static void
serve_stream(int listener_fd, int server)
{
	_cleanup_fd_ int fd = accept(listener_fd, NULL, NULL);
	uint8_t query[512];
	uint8_t reply[4096];
	ssize_t n = read(fd, query, sizeof(query));
	size_t length;

	if (n < 19)
		return;
	seen->tcp++;
	length = make_reply(query + 2, (size_t)n - 2, server, true, reply + 2);
	reply[0] = (uint8_t)(length >> 8);
	reply[1] = (uint8_t)length;
	/* In two pieces. */
	(void)!write(fd, reply, 1);
	usleep(2000);
	(void)!write(fd, reply + 1, length + 1);
}

static int
bind_server(int type, int server)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(53) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(0x7f000000 | (uint32_t)server);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 8) < 0))
		_exit(1);
	return fd;
}

static _noreturn_ void
run_servers(int ready_fd)
{
	struct pollfd fds[4];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 4; i++)
		fds[i] = (struct pollfd){ .fd = bind_server(i < 2 ? SOCK_DGRAM : SOCK_STREAM,
							    53 + i % 2),
					  .events = POLLIN };
	(void)!write(ready_fd, "x", 1);
	for (;;) {
		poll(fds, 4, -1);
		for (int i = 0; i < 4; i++) {
			if (fds[i].revents == 0)
				continue;
			if (i < 2)
				serve_datagram(fds[i].fd, 53 + i % 2);
			else
				serve_stream(fds[i].fd, 53 + i % 2);
		}
	}
}

/* ---- the namespace ---- */

static bool
write_file(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

static bool
enter_namespaces(void)
{
	char uid_map[64];
	char gid_map[64];
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	snprintf(uid_map, sizeof(uid_map), "0 %u 1\n", getuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1\n", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    !write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/uid_map", uid_map) ||
	    !write_file("/proc/self/gid_map", gid_map))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0 && close(fd) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* A porta-resolver beside this program, as in an installed tree, and an /etc of this test. */
static bool
make_files(void)
{
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *program = NULL;
	_cleanup_free_ char *beside = NULL;
	char self[PATH_MAX] = "";
	char opened[64];
	int fd;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return false;
	directory = path_dirname(self);
	program = mem_printf("%s/../../porta-resolver", directory);
	beside = mem_printf("%s/porta-resolver", directory);
	fd = open(program, O_PATH | O_CLOEXEC);
	/* By its path: /proc/self/exe would be of the mount namespace outside. */
	self_fd = open(self, O_PATH | O_CLOEXEC);
	if (fd < 0 || self_fd < 0 || mount("tmpfs", directory, "tmpfs", 0, NULL) < 0 ||
	    mount("tmpfs", "/etc", "tmpfs", 0, NULL) < 0)
		return false;
	snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
	return write_file(beside, "") && mount(opened, beside, NULL, MS_BIND, NULL) == 0 &&
	       write_file("/etc/resolv.conf", RESOLV_CONF) && write_file("/etc/hosts", HOSTS);
}

#endif
