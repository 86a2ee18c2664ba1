/* --env-file; see env_file.h. No message holds anything of the file but its name and a line's
 * number. */
#include "config/env_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "util/fd.h"
#include "util/mem.h"

struct parser {
	const char *at; /* NUL-terminated */
	const char *file_name;
	size_t line;
	char *variable; /* "KEY=VALUE" being made; room for the whole text */
	size_t length;
};

static void
put(struct parser *parser, char c)
{
	parser->variable[parser->length++] = c;
}

static int
refuse(const struct parser *parser, struct error *err, const char *why)
{
	return error_set(err, -EINVAL, "%s:%zu: %s", parser->file_name, parser->line, why);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_line_end(const char *s)
{
	return *s == '\0' || *s == '\n' || (*s == '\r' && (s[1] == '\n' || s[1] == '\0'));
}

static void
skip_blanks(struct parser *parser)
{
	while (is_blank(*parser->at))
		parser->at++;
}

static void
skip_line(struct parser *parser)
{
	parser->at += strcspn(parser->at, "\n");
	if (*parser->at == '\n') {
		parser->at++;
		parser->line++;
	}
}

/* One character between quotes, a line's end counted and made "\n". */
static void
put_quoted_char(struct parser *parser)
{
	if (*parser->at == '\r' && parser->at[1] == '\n')
		parser->at++;
	if (*parser->at == '\n')
		parser->line++;
	put(parser, *parser->at++);
}

static void
put_escape(struct parser *parser)
{
	static const char escapes[] = "n\nt\t\"\"\\\\$$";

	for (const char *s = escapes; *s != '\0'; s += 2) {
		if (parser->at[1] == *s) {
			put(parser, s[1]);
			parser->at += 2;
			return;
		}
	}
	/* As in the shell, any other backslash is itself. */
	put(parser, *parser->at++);
}

static int
parse_quoted(struct parser *parser, struct error *err)
{
	const char quote = *parser->at++;
	size_t first_line = parser->line;

	while (*parser->at != '\0' && *parser->at != quote) {
		if (quote == '"' && *parser->at == '\\')
			put_escape(parser);
		else
			put_quoted_char(parser);
	}
	if (*parser->at == '\0') {
		parser->line = first_line;
		return refuse(parser, err,
			      quote == '"' ? "a value starts with \" and has no closing one"
					   : "a value starts with ' and has no closing one");
	}
	parser->at++;
	return 0;
}

/* To the line's end or a "#" behind a blank, without blanks at its end. */
static void
parse_plain(struct parser *parser)
{
	size_t start = parser->length;

	while (!is_line_end(parser->at) && !(*parser->at == '#' && is_blank(parser->at[-1])))
		put(parser, *parser->at++);
	while (parser->length > start && is_blank(parser->variable[parser->length - 1]))
		parser->length--;
}

static int
parse_value(struct parser *parser, struct error *err)
{
	int r;

	skip_blanks(parser);
	if (*parser->at != '"' && *parser->at != '\'') {
		parse_plain(parser);
		return 0;
	}
	r = parse_quoted(parser, err);
	if (r < 0)
		return r;
	if (is_blank(*parser->at)) {
		skip_blanks(parser);
		if (*parser->at == '#')
			return 0;
	}
	if (!is_line_end(parser->at))
		return refuse(parser, err,
			      "something follows the closing quote: quote the whole value, or put "
			      "a blank before a comment");
	return 0;
}

static bool
is_key_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static int
parse_line(struct parser *parser, struct error *err)
{
	int r;

	skip_blanks(parser);
	if (is_line_end(parser->at) || *parser->at == '#')
		return 0;
	if (strncmp(parser->at, "export", 6) == 0 && is_blank(parser->at[6])) {
		parser->at += 6;
		skip_blanks(parser);
	}
	parser->length = 0;
	while (is_key_char(*parser->at))
		put(parser, *parser->at++);
	skip_blanks(parser);
	if (*parser->at == '=') {
		put(parser, *parser->at++);
		r = parse_value(parser, err);
		if (r < 0)
			return r;
	} else if (!is_line_end(parser->at) && !(*parser->at == '#' && is_blank(parser->at[-1]))) {
		parser->length = 0;
	}
	parser->variable[parser->length] = '\0';
	return 1;
}

static int
add_variable(struct parser *parser, size_t line, struct env_request *env, struct error *err)
{
	struct error why;
	int r = env_request_add(env, parser->variable, &why);

	parser->line = line;
	if (r == -E2BIG) {
		*err = why;
		return error_wrap(err, r, "%s:%zu", parser->file_name, line);
	}
	if (r < 0)
		return refuse(parser, err,
			      "not a variable: write KEY=VALUE, or KEY to pass the host's value; "
			      "KEY holds letters, digits and \"_\" and starts with no digit");
	return 0;
}

static int
parse_lines(struct parser *parser, struct env_request *env, struct error *err)
{
	while (*parser->at != '\0') {
		size_t line = parser->line;
		int r = parse_line(parser, err);

		if (r < 0)
			return r;
		if (r > 0) {
			size_t next = parser->line;

			r = add_variable(parser, line, env, err);
			if (r < 0)
				return r;
			parser->line = next;
		}
		skip_line(parser);
	}
	return 0;
}

int
env_file_parse(const char *text, size_t length, const char *file_name, struct env_request *env,
	       struct error *err)
{
	struct parser parser = { .file_name = file_name, .line = 1 };
	_cleanup_free_ char *copy = NULL;
	const char *nul;
	int r;

	if (length > ENV_FILE_MAX_BYTES)
		return error_set(err, -EFBIG, "%s: has more than %d bytes", file_name,
				 ENV_FILE_MAX_BYTES);
	nul = memchr(text, '\0', length);
	if (nul != NULL) {
		for (const char *s = text; s < nul; s++)
			parser.line += *s == '\n';
		return refuse(&parser, err, "has a NUL byte: this is no text file");
	}
	copy = mem_strndup(text, length);
	parser.variable = mem_zalloc(length + 1, 1);
	parser.at = str_starts_with(copy, "\xef\xbb\xbf") ? copy + 3 : copy;
	r = parse_lines(&parser, env, err);
	mem_wipe(copy, length);
	mem_wipe(parser.variable, length + 1);
	free(parser.variable);
	return r;
}

int
env_file_load(const char *path, struct env_request *env, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	r = fd_read_file_at(AT_FDCWD, path, ENV_FILE_MAX_BYTES, &text, &length);
	if (r == -EFBIG)
		return error_set(err, r, "%s: has more than %d bytes", path, ENV_FILE_MAX_BYTES);
	if (r < 0)
		return error_set_errno(err, r, "cannot read %s", path);
	r = env_file_parse(text, length, path, env, err);
	mem_wipe(text, length);
	return r;
}
