/*
 * An agent that says everything that MCP lets one say: what the conformance suite asks servers for. Its
 * tools, resources and prompts are in everything.manifest.json. stdin has a u32 length and
 * {"tool":NAME,"arguments":{...},"inputResponses":{...},"requestState":TEXT}.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

__attribute__((import_module("porta"), import_name("emit"))) int32_t
emit(const char *request, uint32_t request_length, char *response, uint32_t capacity);

#define PIXEL "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
#define SOUND "UklGRiQAAABXQVZFZm10IBAAAAABAAEAESsAACJWAAACABAAZGF0YQAAAAA="

/* A JSON string without its quotes, still escaped. */
static char *
find_text(const char *request, const char *name)
{
	char *value = find(request, name);

	if (value == NULL || value[0] != '"')
		return strdup("");
	value[strlen(value) - 1] = '\0';
	return value + 1;
}

static void
say(const char *event)
{
	char unused[4];

	emit(event, (uint32_t)strlen(event), unused, sizeof(unused));
}

static void
text(const char *words)
{
	printf("{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}", words);
}

#define ELICIT(message, properties, required)                                                        \
	"{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":\"" message           \
	"\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required   \
	"]}}}"
#define NAME_FORM ELICIT("What is your name?", "\"name\":{\"type\":\"string\"}", "\"name\"")
#define OK_FORM	  ELICIT("Please confirm", "\"ok\":{\"type\":\"boolean\"}", "\"ok\"")
#define SAMPLE(question)                                                                             \
	"{\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[{\"role\":\"user\",\"content\":{"      \
	"\"type\":\"text\",\"text\":\"" question "\"}}],\"maxTokens\":100}}"
#define ROOTS "{\"method\":\"roots/list\",\"params\":{}}"

/* Asks, until the answer named `key` is there. */
static int
ask(const char *request, const char *key, const char *questions, const char *state)
{
	char *responses = find(request, "inputResponses");

	if (responses != NULL && find(responses, key) != NULL)
		return 0;
	printf("{\"inputRequests\":{%s}", questions);
	if (state != NULL)
		printf(",\"requestState\":\"%s\"", state);
	putchar('}');
	return 1;
}

#define DEFAULTS                                                                                     \
	"\"name\":{\"type\":\"string\",\"default\":\"John Doe\"},"                                            \
	"\"age\":{\"type\":\"integer\",\"default\":30},"                                                      \
	"\"score\":{\"type\":\"number\",\"default\":95.5},"                                                   \
	"\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\",\"pending\"],\"default\":\"active\"},"   \
	"\"verified\":{\"type\":\"boolean\",\"default\":true}"
#define ENUMS                                                                                        \
	"\"untitledSingle\":{\"type\":\"string\",\"enum\":[\"option1\",\"option2\",\"option3\"]},"               \
	"\"titledSingle\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"value1\",\"title\":\"First Option\"},"     \
	"{\"const\":\"value2\",\"title\":\"Second Option\"},{\"const\":\"value3\",\"title\":\"Third Option\"}]},"  \
	"\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\",\"opt3\"],"                             \
	"\"enumNames\":[\"Option One\",\"Option Two\",\"Option Three\"]},"                                    \
	"\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":\"string\","                                 \
	"\"enum\":[\"option1\",\"option2\",\"option3\"]}},"                                                   \
	"\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"const\":\"value1\",\"title\":\"First Choice\"},"  \
	"{\"const\":\"value2\",\"title\":\"Second Choice\"},{\"const\":\"value3\",\"title\":\"Third Choice\"}]}}"

static void
elicited(const char *request, const char *key)
{
	char *response = find(find(request, "inputResponses"), key);
	char *content = find(response, "content");
	char words[4096] = "";
	size_t at = (size_t)snprintf(words, sizeof(words), "Elicitation completed: action=%s, content=",
				     find_text(response, "action"));

	/* Into a JSON string. */
	for (const char *c = content == NULL ? "{}" : content; *c != '\0' && at + 3 < sizeof(words); c++) {
		if (*c == '"' || *c == '\\')
			words[at++] = '\\';
		words[at++] = *c;
	}
	words[at] = '\0';
	text(words);
}

static void
log_line(const char *data)
{
	char event[256];

	snprintf(event, sizeof(event), "{\"type\":\"log\",\"level\":\"info\",\"data\":\"%s\"}", data);
	say(event);
}

static void
with_logging(void)
{
	log_line("Tool execution started");
	usleep(50000);
	log_line("Tool processing data");
	usleep(50000);
	log_line("Tool execution completed");
	text("done");
}

static void
with_progress(void)
{
	say("{\"type\":\"progress\",\"progress\":0,\"total\":100,\"message\":\"begun\"}");
	usleep(50000);
	say("{\"type\":\"progress\",\"progress\":50,\"total\":100}");
	/* One that does not rise is dropped. */
	say("{\"type\":\"progress\",\"progress\":50,\"total\":100}");
	usleep(50000);
	say("{\"type\":\"progress\",\"progress\":100,\"total\":100}");
	text("done");
}

static void
multi_round(const char *request)
{
	char *state = find_text(request, "requestState");

	if (strcmp(state, "second") == 0) {
		if (!ask(request, "step2", "", "second"))
			text("both steps done");
	} else if (strcmp(state, "first") == 0 &&
		   find(find(request, "inputResponses"), "step1") != NULL) {
		printf("{\"inputRequests\":{\"step2\":%s},\"requestState\":\"second\"}",
		       ELICIT("Step 2: What is your favorite color?", "\"color\":{\"type\":\"string\"}",
			      "\"color\""));
	} else {
		printf("{\"inputRequests\":{\"step1\":%s},\"requestState\":\"first\"}",
		       ELICIT("Step 1: What is your name?", "\"name\":{\"type\":\"string\"}", "\"name\""));
	}
}

/* The manifest beside the module, which a test made writable: written again, so that it changes. */
static void
change(const char *what)
{
	FILE *file = fopen("everything.manifest.json", "r+");
	int c;

	if (file == NULL) {
		text("nothing to change");
		return;
	}
	/* "version": "1.0.N" counts up. */
	while ((c = fgetc(file)) != EOF && c != '#')
		;
	if (c == '#') {
		fseek(file, 0, SEEK_CUR);
		c = fgetc(file);
		fseek(file, -1, SEEK_CUR);
		fputc(c == '9' ? '0' : c + 1, file);
	}
	fclose(file);
	text(what);
}

static void
call_sampling(const char *request)
{
	char *prompt = find_text(find(request, "arguments"), "prompt");
	char question[2048];
	char words[2048];

	snprintf(question, sizeof(question), "\"answer\":{\"method\":\"sampling/createMessage\",\"params\":{"
		 "\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"%s\"}}],"
		 "\"maxTokens\":100}}", prompt);
	if (ask(request, "answer", question, NULL))
		return;
	snprintf(words, sizeof(words), "LLM response: %s",
		 find_text(find(find(find(request, "inputResponses"), "answer"), "content"), "text"));
	text(words);
}

static void
call_elicitation(const char *request)
{
	char question[2048];

	snprintf(question, sizeof(question), "\"answer\":{\"method\":\"elicitation/create\",\"params\":{"
		 "\"message\":\"%s\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
		 "\"username\":{\"type\":\"string\",\"description\":\"User's response\"},"
		 "\"email\":{\"type\":\"string\",\"description\":\"User's email address\"}},"
		 "\"required\":[\"username\",\"email\"]}}}",
		 find_text(find(request, "arguments"), "message"));
	if (!ask(request, "answer", question, NULL))
		elicited(request, "answer");
}

static void
greet(const char *request)
{
	char words[512];

	if (ask(request, "user_name", "\"user_name\":" NAME_FORM, NULL))
		return;
	snprintf(words, sizeof(words), "Hello, %s!",
		 find_text(find(find(find(request, "inputResponses"), "user_name"), "content"), "name"));
	text(words);
}

static void
read_resource(const char *request)
{
	char *uri = find_text(find(request, "arguments"), "uri");
	char *id = strncmp(uri, "test://template/", 16) == 0 ? strdup(uri + 16) : NULL;

	if (strcmp(uri, "test://static-text") == 0) {
		printf("{\"contents\":[{\"uri\":\"%s\",\"mimeType\":\"text/plain\","
		       "\"text\":\"This is the content of the static text resource.\"}]}", uri);
	} else if (strcmp(uri, "test://static-binary") == 0) {
		printf("{\"contents\":[{\"uri\":\"%s\",\"mimeType\":\"image/png\",\"blob\":\"" PIXEL "\"}]}", uri);
	} else if (id != NULL && strstr(id, "/data") != NULL) {
		*strstr(id, "/data") = '\0';
		printf("{\"contents\":[{\"uri\":\"%s\",\"mimeType\":\"application/json\",\"text\":"
		       "\"{\\\"id\\\":\\\"%s\\\",\\\"templateTest\\\":true,\\\"data\\\":\\\"Data for ID: %s\\\"}\"}]}",
		       uri, id, id);
	} else if (strcmp(uri, "test://plain") == 0) {
		fputs("only text", stdout);
	} else {
		fputs("{\"err\":\"there is no such resource\"}", stdout);
	}
}

#define MESSAGE(content) "{\"role\":\"user\",\"content\":" content "}"

static void
get_prompt(const char *request)
{
	char *outer = find(request, "arguments");
	char *name = find_text(outer, "prompt");
	/* The outer object has a member of the same name. */
	char *arguments = find(outer == NULL ? NULL : outer + 1, "arguments");

	if (strcmp(name, "test_simple_prompt") == 0)
		fputs("{\"messages\":[" MESSAGE("{\"type\":\"text\",\"text\":"
		      "\"This is a simple prompt for testing.\"}") "]}", stdout);
	else if (strcmp(name, "test_prompt_with_arguments") == 0)
		printf("{\"messages\":[" MESSAGE("{\"type\":\"text\",\"text\":"
		       "\"Prompt with arguments: arg1='%s', arg2='%s'\"}") "]}",
		       find_text(arguments, "arg1"), find_text(arguments, "arg2"));
	else if (strcmp(name, "test_prompt_with_embedded_resource") == 0)
		printf("{\"messages\":[" MESSAGE("{\"type\":\"resource\",\"resource\":{\"uri\":\"%s\","
		       "\"mimeType\":\"text/plain\",\"text\":\"Embedded resource content for testing.\"}}") ","
		       MESSAGE("{\"type\":\"text\",\"text\":\"Please process the embedded resource above.\"}") "]}",
		       find_text(arguments, "resourceUri"));
	else if (strcmp(name, "test_prompt_with_image") == 0)
		fputs("{\"messages\":[" MESSAGE("{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":\"" PIXEL "\"}") ","
		      MESSAGE("{\"type\":\"text\",\"text\":\"Please analyze the image above.\"}") "]}", stdout);
	else if (strcmp(name, "test_input_required_result_prompt") == 0) {
		if (!ask(request, "user_context", "\"user_context\":" ELICIT(
			 "What context should the prompt use?", "\"context\":{\"type\":\"string\"}", "\"context\""), NULL))
			fputs("{\"ok\":\"a prompt with context\"}", stdout);
	} else
		fputs("{\"err\":\"there is no such prompt\"}", stdout);
}

static void
complete(const char *request)
{
	static const char *const words[] = { "paris", "park", "party", "rome" };
	char *value = find_text(find(find(request, "arguments"), "argument"), "value");
	int count = 0;

	fputs("{\"completion\":{\"values\":[", stdout);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(words[i], value, strlen(value)) == 0)
			printf("%s\"%s\"", count++ > 0 ? "," : "", words[i]);
	}
	printf("],\"total\":%d,\"hasMore\":false}}", count);
}

static int
call(const char *tool, const char *request)
{
	if (strcmp(tool, "test_simple_text") == 0)
		text("This is a simple text response for testing.");
	else if (strcmp(tool, "test_image_content") == 0)
		fputs("{\"content\":[{\"type\":\"image\",\"data\":\"" PIXEL "\",\"mimeType\":\"image/png\"}]}", stdout);
	else if (strcmp(tool, "test_audio_content") == 0)
		fputs("{\"content\":[{\"type\":\"audio\",\"data\":\"" SOUND "\",\"mimeType\":\"audio/wav\"}]}", stdout);
	else if (strcmp(tool, "test_embedded_resource") == 0)
		fputs("{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"test://embedded-resource\","
		      "\"mimeType\":\"text/plain\",\"text\":\"This is an embedded resource content.\"}}]}", stdout);
	else if (strcmp(tool, "test_multiple_content_types") == 0)
		fputs("{\"content\":[{\"type\":\"text\",\"text\":\"Multiple content types test:\"},"
		      "{\"type\":\"image\",\"data\":\"" PIXEL "\",\"mimeType\":\"image/png\"},"
		      "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://mixed-content-resource\","
		      "\"mimeType\":\"application/json\",\"text\":\"{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}\"}}]}", stdout);
	else if (strcmp(tool, "test_resource_link") == 0)
		fputs("{\"content\":[{\"type\":\"resource_link\",\"uri\":\"test://static-text\",\"name\":\"a link\"}]}", stdout);
	else if (strcmp(tool, "test_structured") == 0)
		fputs("{\"ok\":{\"temperature\":22.5,\"conditions\":\"Partly cloudy\"}}", stdout);
	else if (strcmp(tool, "test_structured_wrong") == 0)
		fputs("{\"ok\":{\"temperature\":\"warm\"}}", stdout);
	else if (strcmp(tool, "test_error_handling") == 0)
		fputs("{\"err\":\"This tool intentionally returns an error for testing\"}", stdout);
	else if (strcmp(tool, "test_tool_with_logging") == 0 || strcmp(tool, "test_logging_tool") == 0)
		with_logging();
	else if (strcmp(tool, "test_tool_with_progress") == 0)
		with_progress();
	else if (strcmp(tool, "test_sampling") == 0)
		call_sampling(request);
	else if (strcmp(tool, "test_elicitation") == 0 || strcmp(tool, "test_streaming_elicitation") == 0)
		call_elicitation(request);
	else if (strcmp(tool, "test_elicitation_sep1034_defaults") == 0) {
		if (!ask(request, "form", "\"form\":" ELICIT("Please review", DEFAULTS, ""), NULL))
			elicited(request, "form");
	} else if (strcmp(tool, "test_elicitation_sep1330_enums") == 0) {
		if (!ask(request, "form", "\"form\":" ELICIT("Please choose", ENUMS, ""), NULL))
			elicited(request, "form");
	} else if (strcmp(tool, "test_input_required_result_elicitation") == 0)
		greet(request);
	else if (strcmp(tool, "test_input_required_result_sampling") == 0 ||
		 strcmp(tool, "test_missing_capability") == 0) {
		if (!ask(request, "capital_question", "\"capital_question\":" SAMPLE("What is the capital of France?"), NULL))
			text("thank you");
	} else if (strcmp(tool, "test_input_required_result_list_roots") == 0) {
		if (!ask(request, "client_roots", "\"client_roots\":" ROOTS, NULL))
			text("the roots are known");
	} else if (strcmp(tool, "test_input_required_result_request_state") == 0 ||
		   strcmp(tool, "test_input_required_result_tampered_state") == 0) {
		if (!ask(request, "confirm", "\"confirm\":" OK_FORM, "a \\\"state\\\""))
			text(strcmp(find_text(request, "requestState"), "a \\\"state\\\"") == 0 ? "state-ok" : "state-lost");
	} else if (strcmp(tool, "test_input_required_result_multiple_inputs") == 0) {
		if (!ask(request, "client_roots", "\"user_name\":" NAME_FORM ",\"greeting\":"
			 SAMPLE("Generate a greeting") ",\"client_roots\":" ROOTS, "three"))
			text("all three are there");
	} else if (strcmp(tool, "test_input_required_result_multi_round") == 0)
		multi_round(request);
	else if (strcmp(tool, "test_input_required_result_capabilities") == 0) {
		if (!ask(request, "question", "\"user_name\":" NAME_FORM ",\"question\":" SAMPLE("Who are you?"), NULL))
			text("thank you");
	} else if (strcmp(tool, "test_reconnection") == 0) {
		/* Longer than an answer may take before it becomes a stream. */
		usleep(2500000);
		text("Reconnection test completed");
	} else if (strcmp(tool, "test_trigger_tool_change") == 0 || strcmp(tool, "test_trigger_prompt_change") == 0)
		change("changed");
	else if (strcmp(tool, "json_schema_2020_12_tool") == 0 || strcmp(tool, "test_x_mcp_header") == 0)
		printf("{\"ok\":%s}", find(request, "arguments"));
	else if (strcmp(tool, "sleep") == 0) {
		usleep((useconds_t)(1000 * strtoul(find(find(request, "arguments"), "ms"), NULL, 10)));
		text("slept");
	} else if (strcmp(tool, "large") == 0) {
		size_t bytes = strtoul(find(find(request, "arguments"), "bytes"), NULL, 10);

		for (size_t i = 0; i < bytes; i++)
			putchar('x');
	} else if (strcmp(tool, "flood") == 0) {
		for (;;)
			log_line("again and again, more than a client may want to read");
	} else if (strcmp(tool, "trap") == 0)
		__builtin_trap();
	else if (strcmp(tool, "exit") == 0)
		exit(7);
	else
		return 0;
	return 1;
}

int
main(void)
{
	char *request = read_request();
	char *tool = find_text(request, "tool");

	if (request == NULL)
		return 1;
	if (strcmp(tool, "_resource_read") == 0)
		read_resource(request);
	else if (strcmp(tool, "_prompt_get") == 0)
		get_prompt(request);
	else if (strcmp(tool, "_complete") == 0)
		complete(request);
	else if (!call(tool, request))
		fputs("{\"err\":\"no such tool\"}", stdout);
	return 0;
}
