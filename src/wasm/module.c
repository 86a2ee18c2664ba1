/* A module's file; see module.h. */
#include "wasm/module.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/exit_code.h"
#include "util/fd.h"

#define CHUNK_BYTES ((size_t)256 * 1024)

int
module_open(const char *path, struct module *ret_module, struct error *err)
{
	struct stat status;
	/* O_NONBLOCK: a FIFO of this name is refused, not waited for. */
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		int code = errno == ENOENT || errno == ENOTDIR ? EXIT_CODE_NOT_FOUND
							       : EXIT_CODE_NOT_RUNNABLE;

		error_set_errno(err, -errno, "cannot open %s", path);
		return -code;
	}
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		error_set(err, -EACCES, "%s is no regular file", path);
		return -EXIT_CODE_NOT_RUNNABLE;
	}
	if ((uint64_t)status.st_size > MODULE_BYTES_MAX) {
		error_set(err, -EFBIG, "%s is larger than 1 GiB, the most that a module may be", path);
		return -EXIT_CODE_BAD_MODULE;
	}
	ret_module->fd = TAKE_FD(fd);
	ret_module->size = (uint64_t)status.st_size;
	return 0;
}

void
module_done(struct module *module)
{
	fd_close(TAKE_FD(module->fd));
	fd_close(TAKE_FD(module->copy_fd));
}

/* Hashes the file from its start, and writes it to `copy_fd` too where that is not -1. */
static int
read_module(struct module *module, int copy_fd, struct error *err)
{
	static char chunk[CHUNK_BYTES];
	struct porta_sha256 hash;
	uint64_t size = 0;

	porta_sha256_init(&hash);
	for (;;) {
		ssize_t n = pread(module->fd, chunk, sizeof(chunk), (off_t)size);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, -errno, "cannot read the module");
		if (n == 0)
			break;
		size += (uint64_t)n;
		if (size > MODULE_BYTES_MAX)
			return error_set(err, -EFBIG, "the module grows while it is read");
		porta_sha256_update(&hash, chunk, (size_t)n);
		r = copy_fd < 0 ? 0 : fd_write_all(copy_fd, chunk, (size_t)n);
		if (r < 0)
			return error_set_errno(err, r, "cannot copy the module");
	}
	module->size = size;
	porta_sha256_final(&hash, module->hash);
	return 0;
}

int
module_hash(struct module *module, struct error *err)
{
	return read_module(module, -1, err);
}

int
module_copy(struct module *module, struct error *err)
{
	_cleanup_fd_ int fd = memfd_create("module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return error_set_errno(err, -errno, "cannot copy the module: memfd_create");
	r = read_module(module, fd, err);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return error_set_errno(err, -errno, "cannot seal the copy of the module");
	fd_close(TAKE_FD(module->copy_fd));
	module->copy_fd = TAKE_FD(fd);
	return 0;
}

void
module_put_hex(const uint8_t hash[PORTA_SHA256_BYTES], char ret_hex[MODULE_HASH_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < PORTA_SHA256_BYTES; i++) {
		ret_hex[2 * i] = digits[hash[i] >> 4];
		ret_hex[2 * i + 1] = digits[hash[i] & 15];
	}
	ret_hex[2 * PORTA_SHA256_BYTES] = '\0';
}
