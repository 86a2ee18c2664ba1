/*
 * Measures MCP servers on standard input and output, interleaved: `mcp_calls ROUNDS CALLS COMMAND... [--next
 * COMMAND...]` starts each command, opens a session of 2025-11-25, and in each round makes CALLS
 * calls of the tool "echo" of each, one after the other. Prints a line for each command: the time from its start to
 * the answer to initialize, and p50 and p99 of all calls, in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "times.h"

#define COMMANDS_MAX 4
#define LINE_BYTES   65536

static const char initialize[] =
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
    "\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}\n";
static const char initialized[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
			   "\"arguments\":{\"text\":\"hello\"}}}\n";

struct server {
	pid_t pid;
	int in;	 /* its input */
	int out; /* its output */
	double start_us;
	double *times;
	size_t count;
};

static void
die(const char *what)
{
	fprintf(stderr, "mcp_calls: %s\n", what);
	exit(EXIT_FAILURE);
}

/* Up to the end of a line: one answer. */
static void
exchange(const struct server *server, const char *message, int has_answer)
{
	char line[LINE_BYTES];
	ssize_t n;

	if (write(server->in, message, strlen(message)) < 0)
		die("a server has ended");
	do {
		n = has_answer ? read(server->out, line, sizeof(line) - 1) : 0;
		if (has_answer && n <= 0)
			die("a server has ended");
	} while (has_answer && line[n - 1] != '\n');
	line[n] = '\0';
	if (has_answer && strstr(line, "\"result\"") == NULL)
		die(line);
}

static void
start(struct server *server, char **argv, size_t calls)
{
	int in[2];
	int out[2];
	double begun = times_now_us();

	if (pipe(in) < 0 || pipe(out) < 0)
		die("pipe");
	server->pid = fork();
	if (server->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server->in = in[1];
	server->out = out[0];
	server->times = calloc(calls, sizeof(double));
	exchange(server, initialize, 1);
	server->start_us = times_now_us() - begun;
	exchange(server, initialized, 0);
}

int
main(int argc, char **argv)
{
	struct server servers[COMMANDS_MAX];
	char **commands[COMMANDS_MAX] = { NULL };
	size_t rounds = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
	size_t calls = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	int count;

	if (rounds == 0 || calls == 0)
		die("usage: mcp_calls ROUNDS CALLS COMMAND... [--next COMMAND...]");
	memset(servers, 0, sizeof(servers));
	count = times_split_commands(argv + 3, commands, COMMANDS_MAX);
	if (count < 0)
		die("too many commands");
	for (int s = 0; s < count; s++) {
		start(&servers[s], commands[s], rounds * calls);
		for (size_t i = 0; i < 200; i++)
			exchange(&servers[s], call, 1);
	}
	for (size_t round = 0; round < rounds; round++) {
		for (int s = 0; s < count; s++) {
			for (size_t i = 0; i < calls; i++) {
				double begun = times_now_us();

				exchange(&servers[s], call, 1);
				servers[s].times[servers[s].count++] = times_now_us() - begun;
			}
		}
	}
	for (int s = 0; s < count; s++) {
		struct server *server = &servers[s];

		close(server->in);
		waitpid(server->pid, NULL, 0);
		times_sort(server->times, server->count);
		printf("%.0f %.1f %.1f\n", server->start_us, server->times[server->count / 2],
		       server->times[server->count * 99 / 100]);
	}
	return EXIT_SUCCESS;
}
