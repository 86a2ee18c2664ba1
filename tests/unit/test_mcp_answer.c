/* From what a guest wrote to what a client gets, for each version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <porta_server.h>

#include "mcp/answer.h"
#include "util/mem.h"

static struct catalog_tool with_schema;

/* "RESULT json", "ERROR code sentence" or "INPUT json state". */
static char *
read_as(enum answer_for what, enum mcp_version version, const struct catalog_tool *tool, const char *output)
{
	const struct answer_question question = { .what = what, .version = version, .tool = tool, .uri = "test://x" };
	struct answer answer = ANSWER_INIT;
	struct strbuf out = STRBUF_INIT;

	answer_read(&question, output, strlen(output), &answer);
	switch (answer.kind) {
	case ANSWER_RESULT:
		json_write(&out, answer.value, JSON_STYLE_COMPACT);
		break;
	case ANSWER_ERROR:
		strbuf_printf(&out, "ERROR %d %s", (int)answer.code, answer.sentence.text);
		break;
	case ANSWER_INPUT:
		strbuf_puts(&out, "INPUT ");
		if (answer.value != NULL)
			json_write(&out, answer.value, JSON_STYLE_COMPACT);
		strbuf_printf(&out, " %s", answer.state == NULL ? "none" : answer.state);
		break;
	}
	answer_done(&answer);
	return strbuf_take(&out);
}

static void
check(enum answer_for what, enum mcp_version version, const struct catalog_tool *tool, const char *output,
      const char *expected)
{
	_cleanup_free_ char *found = read_as(what, version, tool, output);

	assert_string_equal(found, expected);
}

static void
check_tool(const char *output, const char *expected)
{
	check(ANSWER_TOOL, MCP_2025_11_25, NULL, output, expected);
}

#define TEXT(text) "{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}]}"
#define ERROR_TEXT(text) "{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}],\"isError\":true}"
#define BROKEN "the agent's answer is not what it should be: "

static void
test_values(void **state)
{
	(void)state;
	check_tool("plain text, no JSON", TEXT("plain text, no JSON"));
	check_tool("", TEXT(""));
	check_tool("{\"ok\":\"words\"}", TEXT("words"));
	check_tool("{\"ok\":5}", TEXT("5"));
	check_tool("{\"ok\":null}", TEXT("null"));
	check_tool("{\"ok\":{\"a\":[1]}}", TEXT("{\\\"a\\\":[1]}"));
	check_tool("{\"err\":\"no\"}", ERROR_TEXT("no"));
	check_tool("{\"err\":{\"a\":1}}", ERROR_TEXT("{\\\"a\\\":1}"));
	check_tool("[1,2]", TEXT("[1,2]"));
	check_tool("{\"a\":1}", TEXT("{\\\"a\\\":1}"));
	check_tool("\"a string\"", TEXT("a string"));
}

static void
test_results(void **state)
{
	(void)state;
	check_tool("{\"content\":[]}", "{\"content\":[]}");
	check_tool("{\"content\":[],\"resultType\":\"evil\",\"extra\":1,\"_meta\":{\"a\":1}}", "{\"content\":[],\"_meta\":{\"a\":1}}");
	check_tool("{\"structuredContent\":{\"a\":1}}",
		   "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"a\\\":1}\"}],\"structuredContent\":{\"a\":1}}");
	/* Not an object: older versions have no place for it. */
	check_tool("{\"structuredContent\":[1]}", TEXT("[1]"));
	check(ANSWER_TOOL, MCP_2026_07_28, NULL, "{\"structuredContent\":[1]}",
	      "{\"content\":[{\"type\":\"text\",\"text\":\"[1]\"}],\"structuredContent\":[1]}");
	check(ANSWER_TOOL, MCP_2025_03_26, NULL, "{\"structuredContent\":{\"a\":1}}", TEXT("{\\\"a\\\":1}"));
	check_tool("{\"content\":[],\"isError\":\"yes\"}", "{\"content\":[]}");
	check_tool("{\"content\":5}", ERROR_TEXT(BROKEN "at /content: an integer where an array belongs"));
}

static void
test_broken_content(void **state)
{
	static const char *const broken[] = {
		"[5]", "[{}]", "[{\"type\":\"text\"}]", "[{\"type\":\"text\",\"text\":5}]", "[{\"type\":\"video\",\"data\":\"\"}]",
		"[{\"type\":\"image\",\"data\":\"AA==\"}]", "[{\"type\":\"image\",\"data\":\"A\",\"mimeType\":\"x\"}]",
		"[{\"type\":\"image\",\"data\":\"?===\",\"mimeType\":\"x\"}]", "[{\"type\":\"resource\",\"resource\":{}}]",
		"[{\"type\":\"resource\",\"resource\":{\"uri\":\"x\"}}]",
		"[{\"type\":\"resource\",\"resource\":{\"uri\":\"x\",\"text\":\"a\",\"blob\":\"\"}}]",
		"[{\"type\":\"resource_link\",\"uri\":\"x\"}]",
		"[{\"type\":\"text\",\"text\":\"\",\"annotations\":{\"priority\":2}}]",
		"[{\"type\":\"text\",\"text\":\"\",\"annotations\":{\"audience\":[\"all\"]}}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		_cleanup_free_ char *output = mem_printf("{\"content\":%s}", broken[i]);
		_cleanup_free_ char *found = read_as(ANSWER_TOOL, MCP_2025_11_25, NULL, output);

		assert_non_null(strstr(found, "\"isError\":true"));
		assert_non_null(strstr(found, "/content/0"));
	}
}

static void
test_what_a_version_lacks(void **state)
{
	static const char audio[] = "{\"content\":[{\"type\":\"audio\",\"data\":\"AAAA\",\"mimeType\":\"audio/wav\"}]}";
	static const char link[] = "{\"content\":[{\"type\":\"resource_link\",\"uri\":\"u\",\"name\":\"n\"}]}";

	(void)state;
	check(ANSWER_TOOL, MCP_2025_03_26, NULL, audio, audio);
	check(ANSWER_TOOL, MCP_2024_11_05, NULL, audio,
	      TEXT("{\\\"type\\\":\\\"audio\\\",\\\"data\\\":\\\"AAAA\\\",\\\"mimeType\\\":\\\"audio/wav\\\"}"));
	check(ANSWER_TOOL, MCP_2025_06_18, NULL, link, link);
	check(ANSWER_TOOL, MCP_2025_03_26, NULL, link,
	      TEXT("{\\\"type\\\":\\\"resource_link\\\",\\\"uri\\\":\\\"u\\\",\\\"name\\\":\\\"n\\\"}"));
}

static void
test_output_schema(void **state)
{
	(void)state;
	check(ANSWER_TOOL, MCP_2025_11_25, &with_schema, "{\"ok\":{\"n\":1}}",
	      "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"n\\\":1}\"}],\"structuredContent\":{\"n\":1}}");
	check(ANSWER_TOOL, MCP_2025_11_25, &with_schema, "{\"ok\":{\"n\":\"x\"}}",
	      ERROR_TEXT(BROKEN "it breaks the tool's outputSchema at /n: \\\"x\\\" is not of type \\\"number\\\""));
	check(ANSWER_TOOL, MCP_2025_11_25, &with_schema, "{\"content\":[]}",
	      ERROR_TEXT(BROKEN "the structuredContent that its outputSchema asks for is missing"));
	/* An error need not keep to it. */
	check(ANSWER_TOOL, MCP_2025_11_25, &with_schema, "{\"content\":[],\"isError\":true}", "{\"content\":[],\"isError\":true}");
	check(ANSWER_TOOL, MCP_2025_11_25, &with_schema, "{\"err\":\"no\"}", ERROR_TEXT("no"));
}

static void
test_resources(void **state)
{
	(void)state;
	check(ANSWER_RESOURCE, MCP_2025_11_25, NULL, "words", "{\"contents\":[{\"uri\":\"test://x\",\"text\":\"words\"}]}");
	check(ANSWER_RESOURCE, MCP_2025_11_25, NULL, "{\"contents\":[{\"uri\":\"u\",\"blob\":\"AAAA\",\"more\":1}]}",
	      "{\"contents\":[{\"uri\":\"u\",\"blob\":\"AAAA\"}]}");
	check(ANSWER_RESOURCE, MCP_2025_11_25, NULL, "{\"err\":\"none\"}", "ERROR -32002 none");
	check(ANSWER_RESOURCE, MCP_2026_07_28, NULL, "{\"err\":\"none\"}", "ERROR -32602 none");
	check(ANSWER_RESOURCE, MCP_2026_07_28, NULL, "{\"contents\":5}",
	      "ERROR -32603 " BROKEN "at /contents: an integer where an array belongs");
}

static void
test_prompts(void **state)
{
	(void)state;
	check(ANSWER_PROMPT, MCP_2025_11_25, NULL, "{\"ok\":\"words\"}",
	      "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"words\"}}]}");
	check(ANSWER_PROMPT, MCP_2025_11_25, NULL,
	      "{\"description\":\"d\",\"messages\":[{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"t\"}}]}",
	      "{\"messages\":[{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"t\"}}],\"description\":\"d\"}");
	check(ANSWER_PROMPT, MCP_2025_11_25, NULL, "{\"err\":\"none\"}", "ERROR -32602 none");
}

static void
test_completions(void **state)
{
	struct strbuf many = STRBUF_INIT;
	_cleanup_free_ char *found = NULL;

	(void)state;
	check(ANSWER_COMPLETION, MCP_2025_11_25, NULL, "{\"completion\":{\"values\":[\"a\"],\"total\":5,\"hasMore\":true,\"x\":1}}",
	      "{\"completion\":{\"values\":[\"a\"],\"total\":5,\"hasMore\":true}}");
	check(ANSWER_COMPLETION, MCP_2025_11_25, NULL, "{\"ok\":[\"a\",\"b\"]}", "{\"completion\":{\"values\":[\"a\",\"b\"]}}");
	strbuf_puts(&many, "{\"ok\":[\"a\"");
	for (int i = 0; i < 150; i++)
		strbuf_puts(&many, ",\"b\"");
	strbuf_puts(&many, "]}");
	found = read_as(ANSWER_COMPLETION, MCP_2025_11_25, NULL, many.text);
	assert_non_null(strstr(found, "\"hasMore\":true"));
	assert_true(strlen(found) < 500);
	strbuf_done(&many);
}

static void
test_questions(void **state)
{
	(void)state;
	check_tool("{\"inputRequests\":{\"a\":{}},\"requestState\":\"s\"}", "INPUT {\"a\":{}} s");
	check_tool("{\"requestState\":\"s\"}", "INPUT  s");
	check_tool("{\"inputRequests\":5}", TEXT("{\\\"inputRequests\\\":5}"));
	check(ANSWER_COMPLETION, MCP_2025_11_25, NULL, "{\"inputRequests\":{}}",
	      "ERROR -32603 " BROKEN "at the top: an object where an array belongs");
}

static int
make_schema(void **state)
{
	static const char schema[] = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}}";
	char sentence[100];

	(void)state;
	with_schema.name = "t";
	with_schema.output = porta_schema_new(schema, strlen(schema), sentence, sizeof(sentence));
	return with_schema.output == NULL ? -1 : 0;
}

static int
free_schema(void **state)
{
	(void)state;
	porta_schema_free(with_schema.output);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	    cmocka_unit_test(test_results),
		cmocka_unit_test(test_broken_content), cmocka_unit_test(test_what_a_version_lacks),
		cmocka_unit_test(test_output_schema), cmocka_unit_test(test_resources),
		cmocka_unit_test(test_prompts),	    cmocka_unit_test(test_completions),
		cmocka_unit_test(test_questions),
	};

	return cmocka_run_group_tests(tests, make_schema, free_schema);
}
