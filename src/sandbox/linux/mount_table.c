/* The host's mount table; see mount_table.h. */
#include "sandbox/linux/mount_table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/os_linux.h"

/* The kernel writes space, tab, newline and backslash as \ooo; undone in place. */
static void
unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0';) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
		    in[3] >= '0' && in[3] <= '7') {
			*out++ = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
			in += 4;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

/* The number at *text, which `end` follows; *text is then behind that. */
static bool
take_number(char **text, char end, unsigned *ret_number)
{
	const char *start = *text;
	unsigned number = 0;

	while (**text >= '0' && **text <= '9')
		number = number * 10 + (unsigned)(*(*text)++ - '0');
	*ret_number = number;
	return *text > start && *(*text)++ == end;
}

/*
 * "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [OPTIONAL FIELDS] - TYPE SOURCE OPTIONS". By hand:
 * every start of porta reads the whole table, for which sscanf takes three times as long.
 */
static int
parse_line(char *line, struct mount_entry *entry)
{
	unsigned parent;
	char *rest;
	char *type;

	if (!take_number(&line, ' ', &entry->id) || !take_number(&line, ' ', &parent) ||
	    !take_number(&line, ':', &entry->device_major) ||
	    !take_number(&line, ' ', &entry->device_minor))
		return -EINVAL;
	entry->root = strtok_r(line, " ", &rest);
	entry->point = strtok_r(NULL, " ", &rest);
	type = entry->point != NULL ? strstr(rest, " - ") : NULL;
	entry->type = type != NULL ? strtok_r(type + strlen(" - "), " ", &rest) : NULL;
	if (entry->type == NULL)
		return -EINVAL;
	unescape(entry->root);
	unescape(entry->point);
	return 0;
}

int
mount_table_read(const char *path, struct mount_table *ret_table, struct error *err)
{
	struct mount_table table = { 0 };
	char *rest = NULL;
	char *line;
	int r;

	r = fd_read_file_at(AT_FDCWD, path, MOUNT_TABLE_MAX_BYTES, &table.text, NULL);
	if (r < 0)
		return error_set_errno(err, r, "cannot read %s", path);
	for (line = strtok_r(table.text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		MEM_GROW(table.entries, table.capacity, table.count);
		r = parse_line(line, &table.entries[table.count]);
		if (r < 0) {
			mount_table_done(&table);
			return error_set(err, r, "cannot understand %s", path);
		}
		table.count++;
	}
	*ret_table = table;
	return 0;
}

void
mount_table_done(struct mount_table *table)
{
	if (table == NULL)
		return;
	free(table->entries);
	free(table->text);
	*table = (struct mount_table){ 0 };
}

static const struct mount_entry *
find_by_id(const struct mount_table *table, uint64_t id)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->entries[i].id == id)
			return &table->entries[i];
	}
	return NULL;
}

/* `path` as it is named in its own file system: below entry->root instead of entry->point. */
static char *
inside_path(const struct mount_entry *entry, const char *path)
{
	const char *below = path + (str_equal(entry->point, "/") ? 0 : strlen(entry->point));
	_cleanup_free_ char *joined = path_join(entry->root, below);

	return path_normalize("/", joined);
}

/* Whether both paths lead to the same inode: the second may be covered by another mount. */
static bool
is_same(const struct stat *st, const char *path)
{
	struct stat other;

	return lstat(path, &other) == 0 && other.st_ino == st->st_ino && other.st_dev == st->st_dev;
}

/*
 * In a chroot the table has no line for the root directory's own mount. No other mount of its file
 * system may be there, then: what that shows could not be told.
 */
static int
add_lone_path(const struct mount_table *table, const char *path, const struct stat *st,
	      struct strv *ret_paths, struct error *err)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *point = table->entries[i].point;
		struct stat other;

		if (lstat(point, &other) == 0 && other.st_dev == st->st_dev)
			return error_set(err, -EXDEV,
					 "in this chroot porta cannot tell whether %s shows %s too "
					 "(make its root directory a mount of its own)",
					 point, path);
	}
	strv_add(ret_paths, path);
	return 0;
}

int
mount_table_aliases(const struct mount_table *table, const char *path, struct strv *ret_paths,
		    struct error *err)
{
	_cleanup_free_ char *inside = NULL;
	const struct mount_entry *own;
	struct statx stx;
	struct stat st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &stx) < 0 || lstat(path, &st) < 0)
		return error_set_errno(err, -errno, "cannot look at %s", path);
	own = find_by_id(table, stx.stx_mnt_id);
	if (own == NULL)
		return add_lone_path(table, path, &st, ret_paths, err);
	if (!path_is_beneath(path, own->point))
		return error_set(err, -ESTALE, "cannot find the mount of %s", path);
	strv_add(ret_paths, path);
	inside = inside_path(own, path);
	for (size_t i = 0; i < table->count; i++) {
		const struct mount_entry *entry = &table->entries[i];
		_cleanup_free_ char *alias = NULL;

		if (entry == own || entry->device_major != own->device_major ||
		    entry->device_minor != own->device_minor)
			continue;
		if (path_is_beneath(entry->root, inside)) {
			if (!path_is_beneath(entry->point, path))
				strv_add(ret_paths, entry->point);
			continue;
		}
		if (!path_is_beneath(inside, entry->root))
			continue;
		alias = path_join(entry->point,
				  inside + (str_equal(entry->root, "/") ? 0 : strlen(entry->root)));
		if (is_same(&st, alias) && !strv_contains(ret_paths, alias))
			strv_add(ret_paths, alias);
	}
	return 0;
}
