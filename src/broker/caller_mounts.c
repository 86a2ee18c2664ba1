/* The sandbox's mounts, by id; see caller_mounts.h. Follows proc_pid_mountinfo(5). */
#include "broker/caller_mounts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

struct caller_mount {
	uint64_t id;
	uint64_t parent_id;
	uint32_t device;
	bool is_named;
};

/* What asked for such a mount begins so, in plan_mount.reason. */
#define NAMED_REASON_PREFIX "-v"

void
caller_mounts_init(struct caller_mounts *mounts, const struct plan *plan, pid_t init_pid)
{
	*mounts = (struct caller_mounts){ .plan = plan, .init_pid = init_pid };
}

void
caller_mounts_done(struct caller_mounts *mounts)
{
	if (mounts != NULL)
		free(TAKE_PTR(mounts->items));
}

static bool
is_named_mount(const struct plan_mount *mount)
{
	return (mount->kind == PLAN_MOUNT_WRITABLE || mount->kind == PLAN_MOUNT_READ_ONLY) &&
	       str_starts_with(mount->reason, NAMED_REASON_PREFIX);
}

static bool
is_named_point(const struct plan *plan, const char *mount_point)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (is_named_mount(&plan->mounts[i]) &&
		    str_equal(plan->mounts[i].path, mount_point))
			return true;
	}
	return false;
}

/* Space, tab, newline and backslash stand as three octal digits; decoded in place. */
static void
decode_octal(char *text)
{
	char *to = text;

	while (*text != '\0') {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to++ =
			    (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /root /mount/point options...": the point is decoded in place. */
static bool
parse_line(char *line, struct caller_mount *ret_mount, char **ret_point)
{
	unsigned long long id;
	unsigned long long parent_id;
	unsigned device_major;
	unsigned device_minor;
	int root = 0;
	char *point;

	if (sscanf(line, "%llu %llu %u:%u %n", &id, &parent_id, &device_major, &device_minor,
		   &root) < 4 ||
	    root == 0)
		return false;
	point = strchr(line + root, ' ');
	if (point == NULL)
		return false;
	point++;
	point[strcspn(point, " ")] = '\0';
	decode_octal(point);
	*ret_mount = (struct caller_mount){
		.id = id,
		.parent_id = parent_id,
		.device = device_major << 20 | (device_minor & 0xfffff),
	};
	*ret_point = point;
	return true;
}

/* Calls `fn` for each mount of the process's namespace, until it returns false. */
static void
for_each_mount(pid_t pid,
	       bool (*fn)(void *data, const struct caller_mount *mount, const char *point),
	       void *data)
{
	_cleanup_free_ char *line = NULL;
	struct caller_mount mount;
	char path[64];
	char *point;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	for (size_t i = 0; i < CALLER_MOUNTS_MAX && getline(&line, &size, file) > 0; i++) {
		if (parse_line(line, &mount, &point) && !fn(data, &mount, point))
			break;
	}
	fclose(file);
}

static struct caller_mount *
find_mount(const struct caller_mounts *mounts, uint64_t id)
{
	for (size_t i = 0; i < mounts->count; i++) {
		if (mounts->items[i].id == id)
			return &mounts->items[i];
	}
	return NULL;
}

static bool
add_mount(void *data, const struct caller_mount *mount, const char *point)
{
	struct caller_mounts *mounts = data;

	MEM_GROW(mounts->items, mounts->capacity, mounts->count);
	mounts->items[mounts->count] = *mount;
	mounts->items[mounts->count++].is_named = is_named_point(mounts->plan, point);
	return true;
}

static void
read_mounts(struct caller_mounts *mounts)
{
	bool changed = true;

	mounts->count = 0;
	for_each_mount(mounts->init_pid, add_mount, mounts);
	/*
	 * What is mounted beneath a named mount belongs to it. Parents mostly come first: two
	 * rounds.
	 */
	while (changed) {
		changed = false;
		for (size_t i = 0; i < mounts->count; i++) {
			struct caller_mount *mount = &mounts->items[i];
			const struct caller_mount *parent = find_mount(mounts, mount->parent_id);

			if (!mount->is_named && parent != NULL && parent->is_named)
				mount->is_named = changed = true;
		}
	}
}

static const struct caller_mount *
find_or_read(struct caller_mounts *mounts, uint64_t id)
{
	const struct caller_mount *mount = find_mount(mounts, id);

	/* A named mount stays for the whole run, so its id is never another's; others come and go. */
	if (mount == NULL) {
		read_mounts(mounts);
		mount = find_mount(mounts, id);
	}
	return mount;
}

/*
 * Without namespaces the sandbox sees the host's mounts, and only its path tells where a file is. A writable directory
 * does not count then: there is no border between it and /tmp, so that a service's socket could be moved in.
 */
static bool
is_named_path(const struct plan *plan, int fd)
{
	char link[64];
	char path[PATH_MAX];
	bool is_named = false;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (!path_is_beneath(path, plan->mounts[i].path))
			continue;
		if (plan->mounts[i].kind == PLAN_MOUNT_WRITABLE)
			return false;
		is_named = is_named || is_named_mount(&plan->mounts[i]);
	}
	return is_named;
}

bool
caller_mounts_is_named(struct caller_mounts *mounts, const struct unix_path_file *file)
{
	const struct caller_mount *mount;

	if (mounts->plan->tier != SANDBOX_TIER_NAMESPACES)
		return is_named_path(mounts->plan, file->fd);
	mount = find_or_read(mounts, file->mount_id);
	return mount != NULL && mount->is_named;
}

struct device_search {
	uint64_t id;
	uint32_t device;
};

static bool
look_for_device(void *data, const struct caller_mount *mount, const char *point)
{
	struct device_search *search = data;

	(void)point;
	if (mount->id != search->id)
		return true;
	search->device = mount->device;
	return false;
}

uint32_t
caller_mounts_device(struct caller_mounts *mounts, pid_t tid, const struct unix_path_file *file)
{
	const struct caller_mount *mount = find_or_read(mounts, file->mount_id);
	struct device_search search = { .id = file->mount_id };

	if (mount != NULL)
		return mount->device;
	for_each_mount(tid, look_for_device, &search);
	return search.device;
}
