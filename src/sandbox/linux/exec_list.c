/* --allow-exec as Landlock grants; see exec_list.h. */
#include "sandbox/linux/exec_list.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "sandbox/command_path.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

/* binfmt_script nests this deep at most (BINPRM_BUF_SIZE bytes of a first line are read). */
#define INTERPRETERS_MAX  4
#define FIRST_LINE_BYTES  256
#define PROGRAM_HEADERS_MAX 128

/* The PT_INTERP of an ELF file, or NULL. */
static char *
elf_interpreter(int fd, const Elf64_Ehdr *header)
{
	size_t count = MIN((size_t)header->e_phnum, (size_t)PROGRAM_HEADERS_MAX);

	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_phentsize != sizeof(Elf64_Phdr))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		off_t offset = (off_t)(header->e_phoff + i * sizeof(Elf64_Phdr));
		Elf64_Phdr program;
		char path[PATH_MAX];
		ssize_t n;

		if (pread(fd, &program, sizeof(program), offset) != (ssize_t)sizeof(program))
			return NULL;
		if (program.p_type != PT_INTERP || program.p_filesz >= sizeof(path))
			continue;
		n = pread(fd, path, program.p_filesz, (off_t)program.p_offset);
		if (n <= 0)
			return NULL;
		path[n] = '\0';
		return mem_strdup(path);
	}
	return NULL;
}

/* The words behind "#!": the interpreter, and the argument if it is `env`'s command. */
static void
script_interpreters(const char *line, struct strv *ret_words)
{
	_cleanup_free_ char *copy = mem_strndup(line, strcspn(line, "\n"));
	char *rest;
	char *word = strtok_r(copy, " \t", &rest);

	if (word == NULL)
		return;
	strv_add(ret_words, word);
	if (!str_equal(path_basename(word), "env"))
		return;
	while ((word = strtok_r(NULL, " \t", &rest)) != NULL) {
		if (word[0] == '-' || strchr(word, '=') != NULL)
			continue;
		strv_add(ret_words, word);
		return;
	}
}

static void
interpreters_of(const char *path, struct strv *ret_words)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	union {
		Elf64_Ehdr elf;
		char line[FIRST_LINE_BYTES + 1];
	} start = { 0 };

	if (fd < 0 || pread(fd, &start, FIRST_LINE_BYTES, 0) < 2)
		return;
	if (start.line[0] == '#' && start.line[1] == '!') {
		script_interpreters(start.line + 2, ret_words);
	} else if (memcmp(start.elf.e_ident, ELFMAG, SELFMAG) == 0) {
		char *interpreter = elf_interpreter(fd, &start.elf);

		if (interpreter != NULL)
			strv_take(ret_words, interpreter);
	}
}

static void
grant_file(struct plan *plan, const char *path, int depth)
{
	struct strv words = STRV_INIT;
	char resolved[PATH_MAX];

	if (depth > INTERPRETERS_MAX || realpath(path, resolved) == NULL)
		return;
	for (size_t i = 0; i < plan->grants_count; i++) {
		if (plan->grants[i].execute && str_equal(plan->grants[i].path, resolved))
			return;
	}
	plan_add_grant(plan, resolved)->execute = true;
	interpreters_of(resolved, &words);
	for (size_t i = 0; i < words.count; i++) {
		_cleanup_free_ char *found = NULL;
		struct error ignored;

		/* An interpreter that is not there makes the script fail by itself. */
		if (command_path_find(words.items[i], &plan->environment, &found, &ignored) == 0)
			grant_file(plan, found, depth + 1);
	}
	strv_done(&words);
}

int
exec_list_grant(struct plan *plan, const struct strv *words, struct error *err)
{
	grant_file(plan, plan->command_path, 0);
	for (size_t i = 0; i < words->count; i++) {
		_cleanup_free_ char *path = NULL;
		int r;

		r = command_path_find(words->items[i], &plan->environment, &path, err);
		if (r < 0)
			return error_wrap(err, -EINVAL, "--allow-exec %s", words->items[i]);
		grant_file(plan, path, 0);
	}
	return 0;
}
