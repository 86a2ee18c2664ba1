/* The other programs of porta; see program.h. */
#include "util/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "util/mem.h"
#include "util/path.h"

int
program_open(const char *name, struct error *err)
{
	static const char *const places[] = { "", "../libexec/porta/" };
	_cleanup_free_ char *directory = NULL;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return error_set_errno(err, -errno, "cannot find %s: /proc/self/exe", name);
	self[n] = '\0';
	directory = path_dirname(self);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = mem_printf("%s/%s%s", directory, places[i], name);
		int fd = open(path, O_PATH | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT && errno != ENOTDIR)
			return error_set_errno(err, -errno, "cannot open %s", path);
	}
	return error_set(err, -ENOENT, "%s is neither in %s nor in %s/../libexec/porta", name,
			 directory, directory);
}
