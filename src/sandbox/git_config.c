/* git's configuration syntax; see git_config.h. */
#include "sandbox/git_config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util/mem.h"

#define END_OF_TEXT (-1)

struct parser {
	const char *text;
	size_t length;
	size_t position;
	struct strbuf section; /* "section." or "section.subsection." */
	struct strbuf name;
	struct strbuf value;
};

/* The next character, "\r\n" read as "\n" as git does. */
static int
next(struct parser *p)
{
	unsigned char c;

	if (p->position >= p->length)
		return END_OF_TEXT;
	c = (unsigned char)p->text[p->position++];
	if (c == '\r' && p->position < p->length && p->text[p->position] == '\n') {
		p->position++;
		return '\n';
	}
	return c;
}

/* White space as git has it: no vertical tab, no form feed. */
static bool
is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
strbuf_clear(struct strbuf *buf)
{
	buf->length = 0;
	strbuf_add(buf, "", 0);
}

/* `"subsection"]`, from after the white space that follows the section's name. */
static int
parse_subsection(struct parser *p)
{
	int c;

	do {
		c = next(p);
	} while (c == ' ' || c == '\t');
	if (c != '"')
		return -EINVAL;
	strbuf_putc(&p->section, '.');
	for (;;) {
		c = next(p);
		if (c == '"')
			break;
		if (c == '\\')
			c = next(p);
		if (c == END_OF_TEXT || c == '\n')
			return -EINVAL;
		strbuf_putc(&p->section, (char)c);
	}
	return next(p) == ']' ? 0 : -EINVAL;
}

static int
parse_section(struct parser *p)
{
	strbuf_clear(&p->section);
	for (;;) {
		int c = next(p);

		if (c == ']')
			break;
		if (c == ' ' || c == '\t') {
			int r = parse_subsection(p);

			if (r < 0)
				return r;
			break;
		}
		if (c == END_OF_TEXT || (!isalnum(c) && c != '-' && c != '.'))
			return -EINVAL;
		strbuf_putc(&p->section, (char)tolower(c));
	}
	strbuf_putc(&p->section, '.');
	return 0;
}

/*
 * The character that a backslash and `c` stand for in a value; 0 for the end of a continued line.
 */
static int
unescape(int c, char *ret_char)
{
	switch (c) {
	case '\n':
		*ret_char = '\0';
		return 0;
	case 't':
		*ret_char = '\t';
		return 0;
	case 'b':
		*ret_char = '\b';
		return 0;
	case 'n':
		*ret_char = '\n';
		return 0;
	case '\\':
	case '"':
		*ret_char = (char)c;
		return 0;
	default:
		return -EINVAL;
	}
}

/* From after "=" to the end of the line, continuation lines included. */
static int
parse_value(struct parser *p)
{
	bool in_quotes = false;
	bool in_comment = false;
	size_t kept = 0; /* without the white space at the end */

	strbuf_clear(&p->value);
	for (;;) {
		int c = next(p);
		char literal;

		if (c == '\n' || c == END_OF_TEXT) {
			p->value.length = kept;
			p->value.text[kept] = '\0';
			return in_quotes ? -EINVAL : 0;
		}
		if (in_comment)
			continue;
		if (!in_quotes && is_space(c)) {
			if (p->value.length > 0)
				strbuf_putc(&p->value, (char)c);
			continue;
		}
		if (!in_quotes && (c == ';' || c == '#')) {
			in_comment = true;
			continue;
		}
		if (c == '"') {
			in_quotes = !in_quotes;
			kept = p->value.length;
			continue;
		}
		literal = (char)c;
		if (c == '\\' && unescape(next(p), &literal) < 0)
			return -EINVAL;
		if (c != '\\' || literal != '\0')
			strbuf_putc(&p->value, literal);
		kept = p->value.length;
	}
}

/* `key`, `key = value`, from the key's first letter on. */
static int
parse_setting(struct parser *p, int c, git_config_fn *fn, void *data)
{
	int r;

	strbuf_clear(&p->name);
	strbuf_add(&p->name, p->section.text ? p->section.text : "", p->section.length);
	do {
		strbuf_putc(&p->name, (char)tolower(c));
		c = next(p);
	} while (c != END_OF_TEXT && (isalnum(c) || c == '-'));
	while (c == ' ' || c == '\t')
		c = next(p);
	if (c == '\n' || c == END_OF_TEXT) {
		fn(data, p->name.text, NULL);
		return 0;
	}
	if (c != '=')
		return -EINVAL;
	r = parse_value(p);
	if (r == 0)
		fn(data, p->name.text, p->value.text);
	return r;
}

static int
parse_all(struct parser *p, git_config_fn *fn, void *data)
{
	bool in_comment = false;

	if (p->length >= 3 && memcmp(p->text, "\xef\xbb\xbf", 3) == 0)
		p->position = 3;
	for (;;) {
		int c = next(p);
		int r = 0;

		if (c == END_OF_TEXT)
			return 0;
		if (c == '\n')
			in_comment = false;
		else if (in_comment || is_space(c))
			continue;
		else if (c == '#' || c == ';')
			in_comment = true;
		else if (c == '[')
			r = parse_section(p);
		else if (isalpha(c))
			r = parse_setting(p, c, fn, data);
		else
			r = -EINVAL;
		if (r < 0)
			return r;
	}
}

int
git_config_parse(const char *text, size_t length, git_config_fn *fn, void *data)
{
	struct parser p = { .text = text, .length = length };
	int r = parse_all(&p, fn, data);

	strbuf_done(&p.section);
	strbuf_done(&p.name);
	strbuf_done(&p.value);
	return r;
}

/* What a setting's value, or subsection, must look like to run something. */
enum program_condition {
	IF_SET,		  /* any value */
	IF_NOT_BOOLEAN,	  /* a command, where true and false are allowed too */
	IF_COMMAND,	  /* "!command" */
	IF_HELPER_VALUE,  /* "helper::address" */
	IF_HELPER_MIDDLE, /* the same as the subsection */
};

/* "*" in the middle stands for any subsection. From git's documentation of each variable. */
static const struct {
	const char *pattern;
	enum program_condition condition;
} programs[] = {
	{ "alias.*", IF_SET }, /* each can hold -c, --exec and the like */
	{ "branch.*.pushremote", IF_HELPER_VALUE },
	{ "branch.*.remote", IF_HELPER_VALUE },
	{ "browser.*.cmd", IF_SET },
	{ "browser.*.path", IF_SET },
	{ "core.alternaterefscommand", IF_SET },
	{ "core.askpass", IF_SET },
	{ "core.attributesfile", IF_SET },
	{ "core.editor", IF_SET },
	{ "core.fsmonitor", IF_NOT_BOOLEAN },
	{ "core.gitproxy", IF_SET },
	{ "core.hookspath", IF_SET },
	{ "core.pager", IF_SET },
	{ "core.sshcommand", IF_SET },
	{ "core.worktree", IF_SET },
	{ "credential.*.helper", IF_SET },
	{ "credential.helper", IF_SET },
	{ "diff.*.command", IF_SET },
	{ "diff.*.textconv", IF_SET },
	{ "diff.external", IF_SET },
	{ "diff.guitool", IF_SET },
	{ "diff.tool", IF_SET },
	{ "difftool.*.cmd", IF_SET },
	{ "difftool.*.path", IF_SET },
	{ "filter.*.clean", IF_SET },
	{ "filter.*.process", IF_SET },
	{ "filter.*.smudge", IF_SET },
	{ "gc.recentobjectshook", IF_SET },
	{ "gpg.*.defaultkeycommand", IF_SET },
	{ "gpg.*.program", IF_SET },
	{ "gpg.program", IF_SET },
	{ "guitool.*.cmd", IF_SET },
	{ "help.browser", IF_SET },
	{ "hook.*.command", IF_SET },
	{ "imap.tunnel", IF_SET },
	{ "include.path", IF_SET },
	{ "includeif.*.path", IF_SET },
	{ "init.templatedir", IF_SET },
	{ "instaweb.browser", IF_SET },
	{ "instaweb.httpd", IF_SET },
	{ "interactive.difffilter", IF_SET },
	{ "lfs.customtransfer.*.path", IF_SET },
	{ "lfs.extension.*.clean", IF_SET },
	{ "lfs.extension.*.smudge", IF_SET },
	{ "man.*.cmd", IF_SET },
	{ "man.*.path", IF_SET },
	{ "man.viewer", IF_SET },
	{ "merge.*.driver", IF_SET },
	{ "merge.guitool", IF_SET },
	{ "merge.tool", IF_SET },
	{ "mergetool.*.cmd", IF_SET },
	{ "mergetool.*.path", IF_SET },
	{ "pager.*", IF_NOT_BOOLEAN },
	{ "protocol.*.allow", IF_SET },
	{ "protocol.allow", IF_SET },
	{ "remote.*.pushurl", IF_HELPER_VALUE },
	{ "remote.*.receivepack", IF_SET },
	{ "remote.*.uploadpack", IF_SET },
	{ "remote.*.url", IF_HELPER_VALUE },
	{ "remote.*.vcs", IF_SET },
	{ "sendemail.*", IF_SET },
	{ "sequence.editor", IF_SET },
	{ "submodule.*.update", IF_COMMAND },
	{ "submodule.*.url", IF_HELPER_VALUE },
	{ "tar.*.command", IF_SET },
	{ "trailer.*.cmd", IF_SET },
	{ "trailer.*.command", IF_SET },
	{ "uploadpack.packobjectshook", IF_SET },
	{ "url.*.insteadof", IF_HELPER_MIDDLE },
	{ "url.*.pushinsteadof", IF_HELPER_MIDDLE },
	{ "web.browser", IF_SET },
};

/*
 * Whether `name` fits `pattern`, which holds at most one "*"; *ret_middle is what that stands for.
 */
static bool
matches(const char *pattern, const char *name, const char **ret_middle, size_t *ret_length)
{
	const char *star = strchr(pattern, '*');
	size_t before;

	*ret_middle = name;
	*ret_length = 0;
	if (star == NULL)
		return str_equal(pattern, name);
	before = (size_t)(star - pattern);
	if (strncmp(name, pattern, before) != 0 || strlen(name + before) < strlen(star + 1) ||
	    !str_ends_with(name + before, star + 1))
		return false;
	*ret_middle = name + before;
	*ret_length = strlen(name + before) - strlen(star + 1);
	return true;
}

static bool
is_boolean(const char *value)
{
	static const char *const words[] = {
		"true", "false", "yes", "no", "on", "off", "1", "0", ""
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(value, words[i]) == 0)
			return true;
	}
	return false;
}

static bool
holds(enum program_condition condition, const char *value, const char *middle, size_t length)
{
	switch (condition) {
	case IF_SET:
		return value[0] != '\0';
	case IF_NOT_BOOLEAN:
		return !is_boolean(value);
	case IF_COMMAND:
		return value[0] == '!';
	case IF_HELPER_VALUE:
		return strstr(value, "::") != NULL;
	case IF_HELPER_MIDDLE:
		return memmem(middle, length, "::", 2) != NULL;
	}
	return true;
}

bool
git_config_runs_program(const char *name, const char *value)
{
	if (value == NULL)
		return false; /* "true" is no command */
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const char *middle;
		size_t length;

		if (matches(programs[i].pattern, name, &middle, &length) &&
		    holds(programs[i].condition, value, middle, length))
			return true;
	}
	return false;
}

bool
git_config_is_include(const char *name)
{
	return str_equal(name, "include.path") ||
	       (str_starts_with(name, "includeif.") && str_ends_with(name, ".path"));
}

static void
list_program(void *data, const char *name, const char *value)
{
	struct strv *list = data;

	if (git_config_runs_program(name, value))
		strv_take(list, mem_printf("%s=%s", name, value));
}

int
git_config_list_programs(const char *text, size_t length, struct strv *list)
{
	return git_config_parse(text, length, list_program, list);
}
