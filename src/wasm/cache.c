/* The cache of compiled code; see cache.h. */
#include "wasm/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <porta_engine_id.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "wasm/facts.h"
#include "wasm/module.h"
#include "wasm/protocol.h"

#define CHUNK_BYTES    ((size_t)256 * 1024)
#define SECONDS_IN_DAY (24 * 60 * 60)

/* Changes with Wasmtime and all else of rust/, and with how porta-engine sets it up. */
static const char engine_version[] = PORTA_ENGINE_ID PROTOCOL_SETTINGS_VERSION;

static const char magic[8] = "portaWC1";

/* The end of an entry. */
struct footer {
	char magic[8];
	uint64_t code_length;
	uint64_t facts_length;
	uint8_t key[PORTA_SHA256_BYTES];
	uint8_t hash[PORTA_SHA256_BYTES]; /* of all before, this member excepted */
};

static char *
find_path(void)
{
	const char *cache_home = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (cache_home != NULL && cache_home[0] == '/')
		return path_join(cache_home, "porta/wasm");
	if (home != NULL && home[0] == '/')
		return path_join(home, ".cache/porta/wasm");
	return NULL;
}

static int
make_directories(const char *path)
{
	_cleanup_free_ char *parent = NULL;
	int r;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || str_equal(path, "/"))
		return -errno;
	parent = path_dirname(path);
	r = make_directories(parent);
	if (r < 0)
		return r;
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int
cache_open(struct cache *cache, bool create, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat status;

	cache->path = find_path();
	if (cache->path == NULL)
		return 0;
	fd = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && create && make_directories(cache->path) == 0)
		fd = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A home that is read-only or not there: nothing is kept, all works. */
	if (fd < 0)
		return 0;
	if (fstat(fd, &status) < 0 || status.st_uid != geteuid() || (status.st_mode & 022) != 0)
		return error_set(err, -EPERM,
				 "%s is not used: it has to belong to you, and be writable for nobody else",
				 cache->path);
	cache->directory_fd = TAKE_FD(fd);
	return 0;
}

void
cache_done(struct cache *cache)
{
	fd_close(TAKE_FD(cache->directory_fd));
	free(TAKE_PTR(cache->path));
}

struct cache_key
cache_key_of(const uint8_t module_hash[PORTA_SHA256_BYTES], bool has_fuel)
{
	struct porta_sha256 hash;
	struct cache_key key;

	porta_sha256_init(&hash);
	porta_sha256_update(&hash, module_hash, PORTA_SHA256_BYTES);
	porta_sha256_update(&hash, engine_version, sizeof(engine_version));
	porta_sha256_update(&hash, has_fuel ? "f" : "-", 1);
	porta_sha256_final(&hash, key.bytes);
	return key;
}

void
cache_entry_done(struct cache_entry *entry)
{
	fd_close(TAKE_FD(entry->fd));
	free(TAKE_PTR(entry->facts));
}

static void
put_name(const struct cache_key *key, char name[CACHE_KEY_HEX_BYTES])
{
	module_put_hex(key->bytes, name);
}

static int
read_exactly(int fd, void *bytes, size_t length, off_t offset)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = pread(fd, (char *)bytes + done, length - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		done += (size_t)n;
	}
	return 0;
}

/* The hash of the first `length` bytes and of the footer up to its own. */
static int
hash_entry(int fd, uint64_t length, const struct footer *footer, uint8_t ret_hash[PORTA_SHA256_BYTES])
{
	static char chunk[CHUNK_BYTES];
	struct porta_sha256 hash;

	porta_sha256_init(&hash);
	for (uint64_t done = 0; done < length;) {
		size_t n = (size_t)MIN(length - done, (uint64_t)sizeof(chunk));
		int r = read_exactly(fd, chunk, n, (off_t)done);

		if (r < 0)
			return r;
		porta_sha256_update(&hash, chunk, n);
		done += n;
	}
	porta_sha256_update(&hash, footer, offsetof(struct footer, hash));
	porta_sha256_final(&hash, ret_hash);
	return 0;
}

/* Reads an entry and checks all of it; -EBADMSG where it is not what its name says. */
static int
check_entry(int fd, const struct cache_key *key, struct cache_entry *ret_entry)
{
	uint8_t hash[PORTA_SHA256_BYTES];
	_cleanup_free_ char *facts = NULL;
	struct footer footer;
	struct stat status;
	uint64_t length;
	int r;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    (size_t)status.st_size < sizeof(footer))
		return -EBADMSG;
	length = (uint64_t)status.st_size - sizeof(footer);
	r = read_exactly(fd, &footer, sizeof(footer), (off_t)length);
	if (r < 0)
		return r;
	if (memcmp(footer.magic, magic, sizeof(magic)) != 0 ||
	    memcmp(footer.key, key->bytes, sizeof(footer.key)) != 0 ||
	    footer.facts_length > FACTS_BYTES_MAX || footer.facts_length > length ||
	    footer.code_length != length - footer.facts_length)
		return -EBADMSG;
	r = hash_entry(fd, length, &footer, hash);
	if (r < 0)
		return r;
	if (memcmp(hash, footer.hash, sizeof(hash)) != 0)
		return -EBADMSG;
	facts = mem_zalloc(footer.facts_length + 1, 1);
	r = read_exactly(fd, facts, footer.facts_length, (off_t)footer.code_length);
	if (r < 0)
		return r;
	ret_entry->facts_length = footer.facts_length;
	ret_entry->facts = TAKE_PTR(facts);
	return 0;
}

/* When an entry was used last is its time of modification, set once a day at most. */
static void
note_use(int fd)
{
	struct stat status;

	if (fstat(fd, &status) == 0 && time(NULL) - status.st_mtime > SECONDS_IN_DAY)
		(void)futimens(fd, NULL);
}

int
cache_find(const struct cache *cache, const struct cache_key *key, struct cache_entry *ret_entry)
{
	char name[CACHE_KEY_HEX_BYTES];
	_cleanup_fd_ int fd = -1;

	if (cache->directory_fd < 0)
		return 0;
	put_name(key, name);
	fd = openat(cache->directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (check_entry(fd, key, ret_entry) < 0) {
		cache_remove(cache, key);
		return 0;
	}
	note_use(fd);
	ret_entry->fd = TAKE_FD(fd);
	return 1;
}

int
cache_new_file(const struct cache *cache, struct error *err)
{
	int fd = -1;

	if (cache->directory_fd >= 0)
		fd = openat(cache->directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Not every file system has files without a name. */
	if (fd < 0)
		fd = memfd_create("code", MFD_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, -errno, "cannot make a file for compiled code");
	return fd;
}

/* The same file, read-only: what has a name is not written to any more. */
static int
open_again(int fd)
{
	_cleanup_free_ char *path = mem_printf("/proc/self/fd/%d", fd);
	int again = open(path, O_RDONLY | O_CLOEXEC);

	return again < 0 ? -errno : again;
}

static int
write_end(int fd, const struct cache_key *key, const char *facts, size_t facts_length)
{
	struct footer footer = { .facts_length = facts_length };
	struct stat status;
	int r;

	memcpy(footer.magic, magic, sizeof(magic));
	memcpy(footer.key, key->bytes, sizeof(footer.key));
	if (fstat(fd, &status) < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	footer.code_length = (uint64_t)status.st_size;
	r = fd_write_all(fd, facts, facts_length);
	if (r < 0)
		return r;
	r = hash_entry(fd, footer.code_length + facts_length, &footer, footer.hash);
	return r < 0 ? r : fd_write_all(fd, &footer, sizeof(footer));
}

static int
compare_by_use(const void *first, const void *second)
{
	const struct cache_item *a = first;
	const struct cache_item *b = second;

	return a->used < b->used ? 1 : a->used > b->used ? -1 : strcmp(a->key, b->key);
}

/* The entries that are longest unused go until the rest is small enough. */
static void
prune(const struct cache *cache)
{
	_cleanup_free_ struct cache_item *items = NULL;
	struct error err = ERROR_INIT;
	uint64_t bytes = 0;
	size_t count;

	if (cache_list(cache, &items, &count, &err) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		bytes += items[i].bytes;
		if (bytes > CACHE_BYTES_MAX)
			(void)unlinkat(cache->directory_fd, items[i].key, 0);
	}
}

/* Gives the file its name; one that is there already is as good. */
static void
keep(const struct cache *cache, const struct cache_key *key, int fd)
{
	_cleanup_free_ char *path = mem_printf("/proc/self/fd/%d", fd);
	char name[CACHE_KEY_HEX_BYTES];

	if (cache->directory_fd < 0)
		return;
	put_name(key, name);
	if (linkat(AT_FDCWD, path, cache->directory_fd, name, AT_SYMLINK_FOLLOW) == 0)
		prune(cache);
}

int
cache_add(const struct cache *cache, const struct cache_key *key, int fd, const char *facts,
	  size_t facts_length, struct cache_entry *ret_entry, struct error *err)
{
	int r = write_end(fd, key, facts, facts_length);

	if (r < 0)
		return error_set_errno(err, r, "cannot write the compiled code");
	keep(cache, key, fd);
	r = open_again(fd);
	if (r < 0)
		return error_set_errno(err, r, "cannot open the compiled code");
	ret_entry->fd = r;
	ret_entry->facts = mem_strndup(facts, facts_length);
	ret_entry->facts_length = facts_length;
	return 0;
}

void
cache_remove(const struct cache *cache, const struct cache_key *key)
{
	char name[CACHE_KEY_HEX_BYTES];

	put_name(key, name);
	if (cache->directory_fd >= 0)
		(void)unlinkat(cache->directory_fd, name, 0);
}

static bool
is_key(const char *name)
{
	return strlen(name) == CACHE_KEY_HEX_BYTES - 1 &&
	       strspn(name, "0123456789abcdef") == CACHE_KEY_HEX_BYTES - 1;
}

int
cache_list(const struct cache *cache, struct cache_item **ret_items, size_t *ret_count,
	   struct error *err)
{
	struct cache_item *items = NULL;
	size_t capacity = 0;
	size_t count = 0;
	struct dirent *entry;
	DIR *directory;
	int fd;

	*ret_items = NULL;
	*ret_count = 0;
	if (cache->directory_fd < 0)
		return 0;
	fd = openat(cache->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = fd < 0 ? NULL : fdopendir(fd);
	if (directory == NULL) {
		fd_close(fd);
		return error_set_errno(err, -errno, "cannot list %s", cache->path);
	}
	while ((entry = readdir(directory)) != NULL) {
		struct stat status;

		if (!is_key(entry->d_name) || fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		MEM_GROW(items, capacity, count);
		snprintf(items[count].key, sizeof(items[count].key), "%s", entry->d_name);
		items[count].bytes = (uint64_t)status.st_size;
		items[count++].used = status.st_mtime;
	}
	closedir(directory);
	if (count > 0)
		qsort(items, count, sizeof(*items), compare_by_use);
	*ret_items = items;
	*ret_count = count;
	return 0;
}

int
cache_clear(const struct cache *cache, size_t *ret_count, uint64_t *ret_bytes, struct error *err)
{
	_cleanup_free_ struct cache_item *items = NULL;
	size_t count;
	int r = cache_list(cache, &items, &count, err);

	*ret_count = 0;
	*ret_bytes = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (unlinkat(cache->directory_fd, items[i].key, 0) < 0 && errno != ENOENT)
			r = error_set_errno(err, -errno, "cannot remove %s/%s", cache->path,
					    items[i].key);
		*ret_count += 1;
		*ret_bytes += items[i].bytes;
	}
	return r;
}
