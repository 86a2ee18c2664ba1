/*
 * Times commands by turns, so that a drift of the machine meets all alike.
 * Usage: spawn ROUNDS COMMAND... with "--next" between the commands.
 * Prints a line a command: the median and the tenth percentile in microseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "times.h"

#define COMMANDS_MAX 16

static double
run(char **argv)
{
	double start = times_now_us();
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (status != 0) {
		fprintf(stderr, "spawn: %s ended with status %d\n", argv[0], status);
		exit(1);
	}
	return times_now_us() - start;
}

int
main(int argc, char **argv)
{
	char **commands[COMMANDS_MAX] = { NULL };
	double *times[COMMANDS_MAX];
	int rounds = argc > 2 ? atoi(argv[1]) : 0;
	int count;

	if (rounds < 1)
		return 1;
	count = times_split_commands(argv + 2, commands, COMMANDS_MAX);
	if (count < 0)
		return 1;
	for (int c = 0; c < count; c++)
		times[c] = calloc((size_t)rounds, sizeof(double));
	for (int i = -2; i < rounds; i++) {
		for (int c = 0; c < count; c++) {
			double t = run(commands[c]);

			if (i >= 0)
				times[c][i] = t;
		}
	}
	for (int c = 0; c < count; c++) {
		times_sort(times[c], (size_t)rounds);
		printf("%.1f %.1f\n", times[c][rounds / 2], times[c][rounds / 10]);
	}
	return 0;
}
