/* The host's mount table; see mount_table.h. */
#include "sandbox/linux/mount_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
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
	/* The source may be empty, which strtok_r would pass over. */
	entry->options = rest + strcspn(rest, " ");
	entry->options += *entry->options == ' ';
	unescape(entry->root);
	unescape(entry->point);
	return 0;
}

/* A layer of the overlay that is the table's last entry; what cannot be reached from here shows nothing. */
static void
add_layer(struct mount_table *table, const char *path)
{
	char resolved[PATH_MAX];
	struct mount_layer *layer;
	struct stat st;

	/* A relative one is so to where mount(8) ran. */
	if (path[0] != '/' || realpath(path, resolved) == NULL || stat(resolved, &st) < 0)
		return;
	MEM_GROW(table->layers, table->layers_capacity, table->layers_count);
	layer = &table->layers[table->layers_count++];
	*layer = (struct mount_layer){ .entry = table->count,
				       .path = mem_strdup(resolved),
				       .device = st.st_dev,
				       .inode = st.st_ino };
}

/* "lowerdir=/a:/b::/data", where a colon that is part of a name has a backslash before it. */
static void
add_layers(struct mount_table *table, char *list)
{
	char *out = list;
	char *start = list;

	for (const char *in = list;; in++) {
		if (*in == '\\' && in[1] != '\0') {
			*out++ = *++in;
		} else if (*in == ':' || *in == '\0') {
			bool is_last = *in == '\0';

			*out++ = '\0';
			add_layer(table, start);
			start = out;
			if (is_last)
				return;
		} else {
			*out++ = *in;
		}
	}
}

/* A backslash is part of the name as fsconfig(2) passes it, and escapes what follows it in mount(2)'s. */
static void
add_single_layer(struct mount_table *table, char *path)
{
	char *out = path;

	add_layer(table, path);
	if (strchr(path, '\\') == NULL)
		return;
	for (const char *in = path; *in != '\0'; in++) {
		if (*in == '\\' && in[1] != '\0')
			in++;
		*out++ = *in;
	}
	*out = '\0';
	add_layer(table, path);
}

/* Commas in a value are escaped, so that they are none yet when the options are taken apart. */
static void
read_overlay(struct mount_table *table, char *options)
{
	char *option;

	while ((option = strsep(&options, ",")) != NULL) {
		char *value = strchr(option, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		unescape(value);
		if (str_equal(option, "lowerdir"))
			add_layers(table, value);
		else if (str_equal(option, "lowerdir+") || str_equal(option, "datadir+") ||
			 str_equal(option, "upperdir"))
			add_single_layer(table, value);
	}
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
		if (str_equal(table.entries[table.count].type, "overlay"))
			read_overlay(&table, table.entries[table.count].options);
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
	for (size_t i = 0; i < table->layers_count; i++)
		free(table->layers[i].path);
	free(table->layers);
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

/* The rest of a path that is `directory` or below it: "" or "/...". */
static const char *
below(const char *path, const char *directory)
{
	return path + (str_equal(directory, "/") ? 0 : strlen(directory));
}

/* `path` as it is named in its own file system: below entry->root instead of entry->point. */
static char *
inside_path(const struct mount_entry *entry, const char *path)
{
	_cleanup_free_ char *joined = path_join(entry->root, below(path, entry->point));

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
check_lone_path(const struct mount_table *table, const char *path, const struct stat *st,
		struct error *err)
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
	return 0;
}

static void
add_once(struct strv *paths, const char *path)
{
	if (!strv_contains(paths, path))
		strv_add(paths, path);
}

/* The aliases of `path` by mounts of the same file system. */
static int
add_by_mounts(const struct mount_table *table, const char *path, enum mount_table_want want,
	      struct strv *ret_paths, struct error *err)
{
	_cleanup_free_ char *inside = NULL;
	const struct mount_entry *own;
	struct statx stx;
	struct stat st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &stx) < 0 || lstat(path, &st) < 0)
		return error_set_errno(err, -errno, "cannot look at %s", path);
	own = find_by_id(table, stx.stx_mnt_id);
	if (own == NULL)
		return check_lone_path(table, path, &st, err);
	if (!path_is_beneath(path, own->point))
		return error_set(err, -ESTALE, "cannot find the mount of %s", path);
	inside = inside_path(own, path);
	for (size_t i = 0; i < table->count; i++) {
		const struct mount_entry *entry = &table->entries[i];
		_cleanup_free_ char *alias = NULL;

		if (entry == own || entry->device_major != own->device_major ||
		    entry->device_minor != own->device_minor)
			continue;
		if (path_is_beneath(entry->root, inside)) {
			if ((want == MOUNT_TABLE_PARTS || str_equal(entry->root, inside)) &&
			    !path_is_beneath(entry->point, path))
				add_once(ret_paths, entry->point);
			continue;
		}
		if (!path_is_beneath(inside, entry->root))
			continue;
		alias = path_join(entry->point, below(inside, entry->root));
		if (is_same(&st, alias))
			add_once(ret_paths, alias);
	}
	return 0;
}

/* Not by way of a symlink: what that leads to is no part of the layer, or of the overlay. */
static bool
is_there(const char *path)
{
	char resolved[PATH_MAX];

	return realpath(path, resolved) != NULL && str_equal(path, resolved);
}

/* What lies at `inside` in an overlay, and is shown by this mount of it. */
static int
add_shown(const struct mount_entry *entry, const char *inside, enum mount_table_want want,
	  struct strv *ret_paths, struct error *err)
{
	_cleanup_free_ char *path = NULL;

	if (path_is_beneath(inside, entry->root)) {
		_cleanup_free_ char *joined = path_join(entry->point, below(inside, entry->root));

		path = path_normalize("/", joined);
	} else if (want == MOUNT_TABLE_PARTS && path_is_beneath(entry->root, inside)) {
		path = mem_strdup(entry->point);
	}
	if (path == NULL || !is_there(path))
		return 0;
	if (path_is_beneath(ret_paths->items[0], path) && !str_equal(ret_paths->items[0], path))
		return error_set(err, -EXDEV, "the overlay at %s shows what lies below it, in %s", path,
				 ret_paths->items[0]);
	add_once(ret_paths, path);
	return 0;
}

/* Through overlays: those that `path` lies in the layers of, or a layer in it. */
static int
add_by_overlays(const struct mount_table *table, const char *path, enum mount_table_want want,
		struct strv *ret_paths, struct error *err)
{
	_cleanup_free_ char *above = mem_strdup(path);
	int r = 0;

	for (size_t i = 0; r == 0 && i < table->layers_count; i++) {
		const struct mount_layer *layer = &table->layers[i];

		if (want == MOUNT_TABLE_PARTS && !str_equal(layer->path, path) &&
		    path_is_beneath(layer->path, path))
			r = add_shown(&table->entries[layer->entry], "/", want, ret_paths, err);
	}
	while (r == 0) {
		struct stat st;
		char *parent;

		if (lstat(above, &st) < 0)
			return error_set_errno(err, -errno, "cannot look at %s", above);
		for (size_t i = 0; r == 0 && i < table->layers_count; i++) {
			const struct mount_layer *layer = &table->layers[i];
			_cleanup_free_ char *inside = NULL;

			if (layer->device != st.st_dev || layer->inode != st.st_ino)
				continue;
			inside = path_join("/", below(path, above));
			r = add_shown(&table->entries[layer->entry], inside, want, ret_paths, err);
		}
		if (str_equal(above, "/"))
			break;
		parent = path_dirname(above);
		free(above);
		above = parent;
	}
	return r;
}

/* In the layers of an overlay that `path` lies in. */
static void
add_layers_of(const struct mount_table *table, const char *path, struct strv *ret_paths)
{
	for (size_t i = 0; i < table->layers_count; i++) {
		const struct mount_entry *entry = &table->entries[table->layers[i].entry];
		_cleanup_free_ char *inside = NULL;
		_cleanup_free_ char *joined = NULL;
		_cleanup_free_ char *copy = NULL;

		if (!path_is_beneath(path, entry->point))
			continue;
		inside = inside_path(entry, path);
		joined = path_join(table->layers[i].path, inside);
		copy = path_normalize("/", joined);
		if (is_there(copy))
			add_once(ret_paths, copy);
	}
}

int
mount_table_aliases(const struct mount_table *table, const char *path, enum mount_table_want want,
		    struct strv *ret_paths, struct error *err)
{
	struct strv found = STRV_INIT;
	int r;

	strv_add(&found, path);
	r = add_by_mounts(table, path, want, &found, err);
	/* Overlays lie on overlays, and each has mounts of its own. */
	for (size_t i = 0; r == 0 && table->layers_count > 0 && i < found.count; i++) {
		if (found.count > MOUNT_TABLE_ALIASES_MAX)
			r = error_set(err, -E2BIG, "too many mounts show %s", path);
		if (r == 0 && i > 0)
			r = add_by_mounts(table, found.items[i], want, &found, err);
		if (r == 0)
			r = add_by_overlays(table, found.items[i], want, &found, err);
		if (r == 0)
			add_layers_of(table, found.items[i], &found);
	}
	for (size_t i = 0; r == 0 && i < found.count; i++)
		add_once(ret_paths, found.items[i]);
	strv_done(&found);
	return r;
}
