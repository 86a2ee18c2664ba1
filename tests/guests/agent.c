/*
 * An agent that speaks the protocol: stdin has a u32 length and {"tool":NAME,"arguments":{...}},
 * stdout gets one JSON value. Its tools are in `tools`; `http`, `exec` and `emit` hand their
 * arguments to the host import of that name and answer with what came back.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#ifndef WITHOUT_HOST
#define HOST_IMPORT(function)                                                                      \
	__attribute__((import_module("porta"), import_name(#function))) int32_t function(          \
	    const char *request, uint32_t request_length, char *response, uint32_t capacity)

HOST_IMPORT(http_request);
HOST_IMPORT(exec_command);
HOST_IMPORT(emit);

typedef int32_t host_import(const char *, uint32_t, char *, uint32_t);
#endif

static char *
value_of(const char *request, const char *name)
{
	char *value = find(request, name);

	return value != NULL ? value : strdup("null");
}

static void
tool_echo(const char *arguments)
{
	printf("{\"ok\":%s}", arguments);
}

static void
tool_fail(const char *arguments)
{
	(void)arguments;
	fputs("{\"err\":\"as you wish\"}", stdout);
}

static void
tool_text(const char *arguments)
{
	(void)arguments;
	fputs("plain text, no JSON", stdout);
}

/* Each call has a fresh instance: this is 1 always. */
static void
tool_count(const char *arguments)
{
	static int count;

	(void)arguments;
	printf("{\"ok\":%d}", ++count);
}

#ifndef WITHOUT_HOST
/* Calls a host import again with as much room as it says that it needs. */
static void
answer_by_host(host_import *import, const char *arguments)
{
	uint32_t length = (uint32_t)strlen(arguments);
	uint32_t capacity = 16;
	char *response = malloc(capacity);
	int32_t n = import(arguments, length, response, capacity);

	if (n < -1) {
		capacity = (uint32_t)-n;
		response = realloc(response, capacity);
		n = import(arguments, length, response, capacity);
	}
	if (n < 0)
		printf("{\"err\":\"the host said %d\"}", n);
	else
		printf("{\"ok\":%.*s}", n > 0 ? (int)n : 4, n > 0 ? response : "null");
}

static void
tool_http(const char *arguments)
{
	answer_by_host(http_request, arguments);
}

static void
tool_exec(const char *arguments)
{
	answer_by_host(exec_command, arguments);
}

static void
tool_emit(const char *arguments)
{
	answer_by_host(emit, arguments);
}
#endif

static void
tool_trap(const char *arguments)
{
	(void)arguments;
	fputs("{\"ok\":\"written before the trap\"}", stdout);
	fflush(stdout);
	__builtin_trap();
}

static void
tool_exit(const char *arguments)
{
	(void)arguments;
	fputs("{\"ok\":\"written before the exit\"}", stdout);
	exit(3);
}

static void
tool_loop(const char *arguments)
{
	volatile int forever = 1;

	(void)arguments;
	while (forever)
		continue;
}

static void
tool_silent(const char *arguments)
{
	(void)arguments;
}

static const struct {
	const char *name;
	void (*run)(const char *arguments);
} tools[] = {
	{ "\"echo\"", tool_echo },   { "\"fail\"", tool_fail },	    { "\"text\"", tool_text },
	{ "\"count\"", tool_count }, { "\"trap\"", tool_trap },	    { "\"exit\"", tool_exit },
	{ "\"loop\"", tool_loop },   { "\"silent\"", tool_silent },
#ifndef WITHOUT_HOST
	{ "\"http\"", tool_http },   { "\"exec\"", tool_exec },	    { "\"emit\"", tool_emit },
#endif
};

#define TOOLS_COUNT (sizeof(tools) / sizeof(tools[0]))

static void
describe(void)
{
#ifdef DESCRIBE_MS
	fclose(fopen("describing", "w"));
	usleep(DESCRIBE_MS * 1000);
#endif
	fputs("{\"ok\":{\"tools\":[", stdout);
	for (size_t i = 0; i < TOOLS_COUNT; i++)
		printf("%s{\"name\":%s,\"description\":\"\",\"inputSchema\":{\"type\":\"object\"}}",
		       i > 0 ? "," : "", tools[i].name);
	fputs("]}}", stdout);
}

int
main(void)
{
	char *request = read_request();
	char *tool;

	if (request == NULL) {
		fputs("the request is cut off\n", stderr);
		return 2;
	}
	tool = value_of(request, "tool");
	if (strcmp(tool, "\"_describe\"") == 0) {
		describe();
		return 0;
	}
	for (size_t i = 0; i < TOOLS_COUNT; i++) {
		if (strcmp(tool, tools[i].name) == 0) {
			tools[i].run(value_of(request, "arguments"));
			return 0;
		}
	}
	printf("{\"err\":\"there is no such tool\"}");
	return 0;
}
