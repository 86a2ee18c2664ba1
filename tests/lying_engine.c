/*
 * In the place of porta-engine: a worker that lies. What it does is the word in the file "PROGRAM.says"; the
 * messages are those of src/wasm/protocol.h, written out by hand.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONFIG = 1, GO, FACTS, INVALID, COMPILED, READY, CALL, HOST_CALL, REPLY, RESULT, FAILED };
enum { CONTROL_FD = 3, CODE_FD = 4 };

static const char *mode;

static int
is(const char *word)
{
	return strcmp(mode, word) == 0;
}

static void
put(const void *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = send(CONTROL_FD, bytes, length, MSG_NOSIGNAL);

		if (n <= 0)
			_exit(9);
		bytes = (const char *)bytes + n;
		length -= (size_t)n;
	}
}

static void
say_of_length(uint32_t kind, uint32_t length, const void *bytes, size_t there)
{
	const uint32_t header[] = { kind, length };

	put(header, sizeof(header));
	put(bytes, there);
}

static void
say(uint32_t kind, const void *bytes, size_t length)
{
	say_of_length(kind, (uint32_t)length, bytes, length);
}

static void
say_text(uint32_t kind, const char *text)
{
	say(kind, text, strlen(text));
}

static void
say_result(uint32_t kind, uint32_t value, uint32_t claimed, const char *sentence)
{
	char bytes[4096];
	const uint32_t result[] = { kind, value, claimed };

	memcpy(bytes, result, sizeof(result));
	memcpy(bytes + sizeof(result), sentence, strlen(sentence));
	say(RESULT, bytes, sizeof(result) + strlen(sentence));
}

static void
hear_config(void)
{
	uint32_t header[2];
	char *bytes;

	if (recv(CONTROL_FD, header, sizeof(header), MSG_WAITALL) != sizeof(header))
		_exit(8);
	bytes = malloc(header[1] + 1);
	if (recv(CONTROL_FD, bytes, header[1], MSG_WAITALL) != (ssize_t)header[1])
		_exit(8);
	free(bytes);
}

static void
ask(uint32_t function, const char *request)
{
	char bytes[4096];

	memcpy(bytes, &function, sizeof(function));
	memcpy(bytes + sizeof(function), request, strlen(request));
	say(HOST_CALL, bytes, sizeof(function) + strlen(request));
}

static void
hear_and_tell(void)
{
	static char bytes[65536];
	ssize_t n = read(CONTROL_FD, bytes, sizeof(bytes) - 1);

	if (n > 12)
		printf("%.*s\n", (int)(n - 12), bytes + 12);
	fflush(stdout);
}

static void
send_descriptors(void)
{
	char space[CMSG_SPACE(64 * sizeof(int))] = "";
	char byte = 1;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);
	int fds[64];

	for (int i = 0; i < 64; i++)
		fds[i] = open("/dev/null", O_RDONLY);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(control), fds, sizeof(fds));
	for (int i = 0; i < 200; i++)
		sendmsg(CONTROL_FD, &message, MSG_NOSIGNAL);
}

static void
flood(uint32_t kind, const char *text)
{
	for (;;)
		say_text(kind, text);
}

static void
lie(void)
{
	static char big[1 << 20];
	uint32_t number = 77;

	memset(big, 'x', sizeof(big));
	if (is("exit-0"))
		_exit(0);
	if (is("exit-5"))
		_exit(5);
	if (is("crash"))
		raise(SIGSEGV);
	if (is("killed"))
		raise(SIGKILL);
	if (is("hangs-up"))
		close(CONTROL_FD);
	if (is("hangs-up-and-stays"))
		close(CONTROL_FD), sleep(300);
	if (is("silent") || is("hangs"))
		sleep(300);
	if (is("rubbish"))
		flood(0x78787878, big);
	if (is("huge"))
		say_of_length(RESULT, 0xffffffff, big, sizeof(big)), say_of_length(RESULT, 0, big, sizeof(big));
	if (is("half"))
		say_of_length(RESULT, 1000, big, 10);
	if (is("half-and-stays"))
		say_of_length(RESULT, 1000, big, 10), sleep(300);
	if (is("unknown-kind"))
		say_text(99, "x");
	if (is("config"))
		say_text(CONFIG, "x");
	if (is("compiled"))
		say_text(COMPILED, "");
	if (is("facts-again"))
		say_text(FACTS, "{}");
	if (is("empty-result"))
		say_text(RESULT, "");
	if (is("unknown-result"))
		say_result(99, 0, 0, "");
	if (is("sentence-too-long"))
		say_result(1, 0, 0xfffffff0, "x");
	if (is("sentence-with-controls"))
		say_result(1, 0, 9, "a\x1b[2J\n\r\a\x7f");
	if (is("failed-with-controls"))
		say_text(FAILED, "a\x1b[2J\n\r\a\x7f");
	if (is("not-loaded"))
		say_result(7, 0, 0, "");
	if (is("exit-999"))
		say_result(0, 999, 0, "");
	if (is("short-host-call"))
		say(HOST_CALL, "x", 1);
	if (is("unknown-host-call"))
		say(HOST_CALL, &number, sizeof(number));
	if (is("flood-of-events"))
		for (;;)
			ask(2, "{\"type\":\"log\",\"data\":\"x\"}");
	if (is("asks-and-never-reads"))
		for (;;)
			ask(0, "{\"url\":\"http://127.0.0.1/\"}");
	if (is("asks-for-a-command"))
		ask(1, "{\"command\":\"echo\",\"args\":[\"it ran\"]}"), hear_and_tell(), say_result(0, 0, 0, "");
	if (is("asks-for-http"))
		ask(0, "{\"url\":\"http://127.0.0.1:9/\"}"), hear_and_tell(), say_result(0, 0, 0, "");
	if (is("descriptors"))
		send_descriptors(), say_result(0, 0, 0, "");
	if (is("result-and-stays"))
		say_result(0, 0, 0, ""), sleep(300);
	if (is("facts-no-json"))
		say_text(FACTS, "{\"imports\":");
	if (is("facts-other-form"))
		say_text(FACTS, "{\"imports\":5}");
	if (is("facts-nothing"))
		say_text(FACTS, "{}");
	if (is("facts-deep"))
		memset(big, '[', sizeof(big)), say(FACTS, big, sizeof(big));
	if (is("facts-huge"))
		say_of_length(FACTS, 0x7fffffff, big, sizeof(big)), flood(FACTS, big);
	if (is("invalid-with-controls"))
		say_text(INVALID, "is a\x1b[2J\n\r\a\x7f");
	if (is("forks")) {
		signal(SIGHUP, SIG_IGN);
		for (int i = 0; i < 3; i++) {
			if (fork() == 0) {
				setsid();
				sleep(300);
			}
		}
	}
}

int
main(void)
{
	static char path[4096];
	static char word[64];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 8);
	FILE *file;

	if (n < 0)
		return 7;
	strcpy(path + n, ".says");
	file = fopen(path, "r");
	if (file == NULL || fgets(word, sizeof(word), file) == NULL)
		return 7;
	mode = word;
	hear_config();
	lie();
	return 0;
}
