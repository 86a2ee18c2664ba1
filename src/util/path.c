/* Paths as text; see path.h. */
#include "util/path.h"

#include <string.h>

#include "util/mem.h"
#include "util/strings.h"

/* Appends the components of `path` to `buf`, which is "" (the root) or "/a/b". */
static void
add_components(struct strbuf *buf, const char *path)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			char *slash = buf->length ? strrchr(buf->text, '/') : NULL;

			if (slash != NULL) {
				*slash = '\0';
				buf->length = (size_t)(slash - buf->text);
			}
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			strbuf_putc(buf, '/');
			strbuf_add(buf, path, n);
		}
		path += n;
		path += strspn(path, "/");
	}
}

char *
path_normalize(const char *base, const char *path)
{
	struct strbuf buf = STRBUF_INIT;

	if (path[0] != '/')
		add_components(&buf, base);
	add_components(&buf, path);
	if (buf.length == 0)
		strbuf_putc(&buf, '/');
	return strbuf_take(&buf);
}

char *
path_join(const char *directory, const char *name)
{
	size_t n = strlen(directory);
	size_t name_bytes;
	char *path;

	while (n > 0 && directory[n - 1] == '/')
		n--;
	while (*name == '/')
		name++;
	/* By hand: this is called for each name that a plan looks at. */
	name_bytes = strlen(name) + 1;
	path = mem_zalloc(1, n + 1 + name_bytes);
	memcpy(path, directory, n);
	path[n] = '/';
	memcpy(path + n + 1, name, name_bytes);
	return path;
}

bool
path_is_beneath(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	if (n == 1 && directory[0] == '/')
		return path[0] == '/';
	return strncmp(path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

const char *
path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *
path_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	if (slash == path)
		return mem_strdup("/");
	return mem_strndup(path, (size_t)(slash - path));
}
