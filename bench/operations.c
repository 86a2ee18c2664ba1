/*
 * Times single operations of the kernel from inside or outside a sandbox.
 * Usage: operations WHAT ROUNDS DIRECTORY [PORT]
 * WHAT: open stat getdents fork exec create rename connect request bulk
 * Prints the median of ROUNDS batches, in nanoseconds an operation.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "times.h"

static int port;
static char *self;

static void
check(long r, const char *what)
{
	if (r < 0) {
		perror(what);
		exit(1);
	}
}

static int
connected(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger reset = { 1, 0 }; /* leaves no TIME_WAIT behind */
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(fd, "socket");
	check(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void
do_open(int n)
{
	for (int i = 0; i < n; i++) {
		int fd = open("/usr/bin/env", O_RDONLY);

		check(fd, "open");
		close(fd);
	}
}

static void
do_stat(int n)
{
	struct stat st;

	for (int i = 0; i < n; i++)
		check(stat("/usr/bin/env", &st), "stat");
}

static void
do_getdents(int n)
{
	for (int i = 0; i < n / 50 + 1; i++) {
		DIR *directory = opendir("/usr/lib");

		while (readdir(directory) != NULL)
			continue;
		closedir(directory);
	}
}

static void
do_fork(int n)
{
	for (int i = 0; i < n / 20 + 1; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static void
do_exec(int n)
{
	for (volatile int i = 0; i < n / 100 + 1; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execl(self, self, "nothing", NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
}

static void
do_create(int n)
{
	char name[32];

	for (int i = 0; i < n; i++) {
		int fd;

		snprintf(name, sizeof(name), "created-%d", i);
		fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
		check(fd, "create");
		close(fd);
	}
}

static void
clean_created(int n)
{
	char name[32];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "created-%d", i);
		unlink(name);
	}
}

static void
do_rename(int n)
{
	for (int i = 0; i < n; i++)
		check(rename(i % 2 ? "b/x" : "a/x", i % 2 ? "a/x" : "b/x"), "rename");
}

static void
do_connect(int n)
{
	for (int i = 0; i < n / 10 + 1; i++)
		close(connected());
}

static void
do_request(int n)
{
	char byte = 'x';
	int fd = connected();

	for (int i = 0; i < n; i++) {
		check(write(fd, &byte, 1), "write");
		check(read(fd, &byte, 1), "read");
	}
	close(fd);
}

static void
do_bulk(int n)
{
	static char block[1 << 16];
	int fd = connected();

	block[0] = 'b'; /* the server reads to the end after it */
	for (int i = 0; i < n / 4 + 1; i++)
		check(write(fd, block, sizeof(block)), "write");
	shutdown(fd, SHUT_WR);
	check(read(fd, block, 1), "read");
	close(fd);
}

static const struct {
	const char *name;
	void (*run)(int n);
	int count;
	int divisor; /* how many operations one of the count stands for */
} tests[] = {
	{ "open", do_open, 2000, 1 },	    { "stat", do_stat, 2000, 1 },
	{ "getdents", do_getdents, 2000, 50 }, { "fork", do_fork, 1000, 20 },
	{ "exec", do_exec, 2000, 100 },	    { "create", do_create, 1000, 1 },
	{ "rename", do_rename, 1000, 1 },   { "connect", do_connect, 1000, 10 },
	{ "request", do_request, 1000, 1 }, { "bulk", do_bulk, 2000, 4 },
};

int
main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[2]) : 0;
	double *times = calloc((size_t)rounds + 1, sizeof(double));

	self = argv[0];
	if (argc == 2)
		return 0; /* do_exec's child */
	if (rounds < 1 || times == NULL || chdir(argv[3]) < 0)
		return 1;
	port = argc > 4 ? atoi(argv[4]) : 0;
	mkdir("a", 0755);
	mkdir("b", 0755);
	close(open("a/x", O_CREAT | O_WRONLY, 0644));
	for (size_t t = 0; t < sizeof(tests) / sizeof(tests[0]); t++) {
		if (strcmp(tests[t].name, argv[1]) != 0)
			continue;
		for (int i = 0; i < rounds; i++) {
			double start = times_now_us();

			tests[t].run(tests[t].count);
			times[i] = (times_now_us() - start) * 1000 / (tests[t].count / tests[t].divisor + 1);
			if (strcmp(argv[1], "create") == 0)
				clean_created(tests[t].count);
		}
		times_sort(times, (size_t)rounds);
		printf("%.0f\n", times[rounds / 2]);
		return 0;
	}
	return 1;
}
