/* porta.toml; see project_file.h. */
#include "config/project_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/toml_json.h"
#include "util/fd.h"
#include "util/helper.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

/* "nodes", a node, "items", an item. */
#define JSON_LEVELS 6
#define LINE_MAX_NUMBER INT32_MAX

static void
value_done(struct project_value *value)
{
	if (value->text != NULL)
		mem_wipe(value->text, strlen(value->text));
	free(value->text);
}

static void
setting_done(struct project_setting *setting)
{
	for (size_t i = 0; i < setting->values_count; i++)
		value_done(&setting->values[i]);
	free(setting->values);
	free(setting->section);
	free(setting->key);
	free(setting->sub_key);
}

void
project_file_done(struct project_file *file)
{
	for (size_t i = 0; i < file->settings_count; i++)
		setting_done(&file->settings[i]);
	free(file->settings);
	free(file->path);
	free(file->directory);
	*file = (struct project_file){ 0 };
}

int
project_file_error(const struct project_file *file, struct project_place place, struct error *err,
		   const char *fmt, ...)
{
	char sentence[ERROR_MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, arguments);
	va_end(arguments);
	if (place.line == 0)
		return error_set(err, -EINVAL, "%s: %s", file->path, sentence);
	return error_set(err, -EINVAL, "%s:%u:%u: %s", file->path, place.line, place.column, sentence);
}

static char *
working_directory(struct error *err)
{
	char directory[PATH_MAX];

	if (getcwd(directory, sizeof(directory)) != NULL)
		return mem_strdup(directory);
	error_set_errno(err, -errno, "cannot find the working directory");
	return NULL;
}

int
project_file_find(char **ret_path, struct error *err)
{
	_cleanup_free_ char *start = working_directory(err);
	_cleanup_free_ char *directory = NULL;

	if (start == NULL)
		return -EIO;
	directory = mem_strdup(start);
	for (;;) {
		_cleanup_free_ char *path = path_join(directory, PROJECT_FILE_NAME);
		struct stat status;
		char *parent;

		/* One that leads nowhere is the nearest all the same: its error is told, not another file taken. */
		if (lstat(path, &status) == 0) {
			*ret_path = str_equal(directory, start) ? mem_strdup(PROJECT_FILE_NAME) : TAKE_PTR(path);
			return 0;
		}
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return error_set_errno(err, -errno, "%s", path);
		if (str_equal(directory, "/"))
			break;
		parent = path_dirname(directory);
		free(directory);
		directory = parent;
	}
	return error_set(err, -ENOENT,
			 "there is no porta.toml in %s, nor in a directory above it ('porta init' writes one)",
			 start);
}

static bool
is_trusted_owner(uid_t owner)
{
	const char *sudo_uid = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	uint64_t caller;

	if (owner == geteuid() || owner == 0)
		return true;
	return sudo_uid != NULL && str_parse_u64(sudo_uid, 0, UINT32_MAX, &caller) == 0 && owner == caller;
}

/* A symlink is whose it is too: it says which of the user's own files is obeyed, and from where. */
static int
check_owner(const char *path, const struct stat *status, struct error *err)
{
	struct stat link = { .st_mode = 0 };
	uid_t owner = status->st_uid;

	if (lstat(path, &link) < 0)
		return error_set_errno(err, -errno, "%s", path);
	if (S_ISLNK(link.st_mode) && !is_trusted_owner(link.st_uid))
		owner = link.st_uid;
	if (is_trusted_owner(owner))
		return 0;
	return error_set(err, -EPERM,
			 "%s belongs to user %u, not to you, and is not obeyed for that: read it, and name "
			 "it with --file %s if you trust it",
			 path, (unsigned int)owner, path);
}

static int
check_trust(int fd, const char *path, bool is_found, struct error *err)
{
	struct stat status;
	int r;

	if (fstat(fd, &status) < 0)
		return error_set_errno(err, -errno, "%s", path);
	if (S_ISDIR(status.st_mode))
		return error_set(err, -EISDIR, "%s is a directory", path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, -EINVAL, "%s is not a regular file", path);
	if (status.st_size > (off_t)TOML_BYTES_MAX)
		return error_set(err, -EFBIG, "%s has more than %zu KiB", path, TOML_BYTES_MAX / 1024);
	if (!is_found)
		return 0;
	r = check_owner(path, &status, err);
	if (r < 0)
		return r;
	if ((status.st_mode & S_IWOTH) != 0)
		return error_set(err, -EPERM,
				 "%s can be changed by every user of this machine, and is not obeyed for that: "
				 "chmod o-w %s, or name it with --file %s",
				 path, path, path);
	return 0;
}

/* A member that porta-toml writes always. */
static int
get_place(const struct json_place *node, struct project_place *ret_place, struct error *err)
{
	struct json_place line;
	struct json_place column;
	int64_t line_number;
	int64_t column_number;
	int r;

	if (!json_member(node, "line", &line) || !json_member(node, "column", &column))
		return error_set(err, -EPROTO, "porta-toml wrote a node without its place");
	r = json_get_integer(&line, 0, LINE_MAX_NUMBER, &line_number, err);
	if (r == 0)
		r = json_get_integer(&column, 0, LINE_MAX_NUMBER, &column_number, err);
	if (r < 0)
		return r;
	*ret_place = (struct project_place){ (unsigned int)line_number, (unsigned int)column_number };
	return 0;
}

static int
get_text(const struct json_place *node, const char *name, const char **ret_text, struct error *err)
{
	struct json_place member;

	if (!json_member(node, name, &member))
		return error_set(err, -EPROTO, "porta-toml wrote a node without \"%s\"", name);
	return json_get_string(&member, ret_text, err);
}

/* An array that porta-toml always writes there. */
static int
get_array(const struct json_place *node, const char *name, struct json_place *ret_array, struct error *err)
{
	if (!json_member(node, name, ret_array) || json_kind_of(ret_array) != JSON_KIND_ARRAY)
		return error_set(err, -EPROTO, "porta-toml wrote a node without \"%s\"", name);
	return 0;
}

static int
take_value(const struct json_place *node, const char *kind, struct project_value *value, struct error *err)
{
	struct json_place member;
	const char *text = NULL;
	int r = get_place(node, &value->place, err);

	if (r < 0)
		return r;
	value->kind = PROJECT_VALUE_OTHER;
	if (str_equal(kind, "boolean")) {
		value->kind = PROJECT_VALUE_BOOLEAN;
		if (!json_member(node, "value", &member))
			return error_set(err, -EPROTO, "porta-toml wrote a node without \"value\"");
		return json_get_bool(&member, &value->boolean, err);
	}
	if (!str_equal(kind, "string") && !str_equal(kind, "integer"))
		return 0;
	value->kind = str_equal(kind, "string") ? PROJECT_VALUE_STRING : PROJECT_VALUE_INTEGER;
	r = get_text(node, "value", &text, err);
	if (r == 0)
		value->text = mem_strdup(text);
	return r;
}

static int
take_items(const struct json_place *node, struct project_setting *setting, struct error *err)
{
	struct json_place items;
	size_t count;
	int r = get_array(node, "items", &items, err);

	if (r < 0)
		return r;
	count = json_count(&items);
	setting->values = mem_zalloc(count, sizeof(*setting->values));
	for (size_t i = 0; i < count; i++) {
		struct json_place item;
		const char *kind;

		json_item(&items, i, &item);
		r = get_text(&item, "kind", &kind, err);
		if (r == 0)
			r = take_value(&item, kind, &setting->values[i], err);
		if (r < 0)
			return r;
		setting->values_count++;
	}
	return 0;
}

static int
take_path(const struct json_place *node, struct project_setting *setting, struct error *err)
{
	char **const names[] = { &setting->section, &setting->key, &setting->sub_key };
	struct json_place path;
	size_t count;
	int r = get_array(node, "path", &path, err);

	if (r < 0)
		return r;
	count = json_count(&path);
	if (count == 0)
		return error_set(err, -EPROTO, "porta-toml wrote a node without a key");
	setting->is_deeper = count > ARRAY_SIZE(names);
	for (size_t i = 0; i < MIN(count, ARRAY_SIZE(names)); i++) {
		struct json_place item;
		const char *name;

		json_item(&path, i, &item);
		r = json_get_string(&item, &name, err);
		if (r < 0)
			return r;
		*names[i] = mem_strdup(name);
	}
	return 0;
}

static int
take_setting(const struct json_place *node, struct project_setting *setting, struct error *err)
{
	const char *kind;
	int r = take_path(node, setting, err);

	if (r == 0)
		r = get_place(node, &setting->place, err);
	if (r == 0)
		r = get_text(node, "kind", &kind, err);
	if (r < 0)
		return r;
	if (str_equal(kind, "table")) {
		setting->kind = PROJECT_SETTING_TABLE;
		return 0;
	}
	if (str_equal(kind, "array")) {
		setting->kind = PROJECT_SETTING_ARRAY;
		return take_items(node, setting, err);
	}
	setting->kind = PROJECT_SETTING_VALUE;
	setting->values = mem_zalloc(1, sizeof(*setting->values));
	setting->values_count = 1;
	return take_value(node, kind, setting->values, err);
}

static int
take_error(const struct json_place *root, const struct project_file *file, struct error *err)
{
	struct project_place place;
	const char *why;
	int r = get_text(root, "error", &why, err);

	if (r == 0)
		r = get_place(root, &place, err);
	return r < 0 ? r : project_file_error(file, place, err, "%s", why);
}

static int
take_nodes(const struct json_place *root, struct project_file *file, struct error *err)
{
	struct json_place nodes;
	size_t count;
	int r;

	if (!json_member(root, "nodes", &nodes))
		return take_error(root, file, err);
	r = get_array(root, "nodes", &nodes, err);
	if (r < 0)
		return r;
	count = json_count(&nodes);
	file->settings = mem_zalloc(count, sizeof(*file->settings));
	for (size_t i = 0; i < count; i++) {
		struct json_place node;

		json_item(&nodes, i, &node);
		file->settings_count++;
		r = take_setting(&node, &file->settings[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The parser sorts by name; a person reads from the top. */
static int
compare_places(const void *a, const void *b)
{
	const struct project_place *first = &((const struct project_setting *)a)->place;
	const struct project_place *second = &((const struct project_setting *)b)->place;

	if (first->line != second->line)
		return first->line < second->line ? -1 : 1;
	return first->column < second->column ? -1 : first->column > second->column;
}

int
project_file_take_answer(const char *text, size_t length, struct project_file *file, struct error *err)
{
	static const struct json_limits limits = { TOML_JSON_BYTES_MAX, JSON_LEVELS };
	_cleanup_json_ json_value *json = NULL;
	struct json_place root;
	int r = json_parse(text, length, &limits, &json, err);

	if (r < 0)
		return error_wrap(err, r, "%s: what porta-toml wrote", file->path);
	root = (struct json_place)JSON_PLACE_OF(json);
	r = take_nodes(&root, file, err);
	if (r == 0 && file->settings_count > 1)
		qsort(file->settings, file->settings_count, sizeof(*file->settings), compare_places);
	return r;
}

static int
parse(int fd, struct project_file *file, struct error *err)
{
	static const char *const argv[] = { "porta-toml", NULL };
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	bool is_good;
	int r = helper_run(argv, fd, TOML_JSON_BYTES_MAX, &text, &length, &is_good, err);

	if (r < 0)
		return error_wrap(err, r, "%s", file->path);
	if (!is_good)
		return error_set(err, -EPROTO, "%s: porta-toml, which reads it, ended without a word", file->path);
	r = project_file_take_answer(text, length, file, err);
	mem_wipe(text, length);
	return r;
}

int
project_file_load(const char *path, bool is_found, struct project_file *ret_file, struct error *err)
{
	struct project_file file = { .path = mem_strdup(path) };
	_cleanup_free_ char *directory = strchr(path, '/') != NULL ? path_dirname(path) : mem_strdup(".");
	/* A FIFO must not keep porta waiting. */
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	r = fd < 0 ? error_set_errno(err, -errno, "cannot read %s", path) : check_trust(fd, path, is_found, err);
	if (r == 0) {
		file.directory = realpath(directory, NULL);
		if (file.directory == NULL)
			r = error_set_errno(err, -errno, "cannot find the directory of %s", path);
	}
	if (r == 0)
		r = parse(fd, &file, err);
	if (r < 0) {
		project_file_done(&file);
		return r;
	}
	*ret_file = file;
	return 0;
}
