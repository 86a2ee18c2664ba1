/* porta's own directories; see plan_own.h. */
#include "sandbox/linux/plan_own.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/protect.h"
#include "util/mem.h"
#include "util/path.h"

static void
add_base(struct strv *list, const char *base)
{
	_cleanup_free_ char *path = base != NULL ? path_join(base, "porta") : NULL;

	if (path != NULL && !strv_contains(list, path))
		strv_add(list, path);
}

/* By the XDG Base Directory Specification; a run elsewhere may lack the variables of this one. */
static void
list_own(const struct plan_homes *homes, struct strv *ret_list)
{
	static const struct {
		const char *variable;
		const char *fallback;
	} places[] = { { "XDG_DATA_HOME", ".local/share" },
		       { "XDG_STATE_HOME", ".local/state" },
		       { "XDG_CACHE_HOME", ".cache" } };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *base =
		    protect_user_directory(places[i].variable, places[i].fallback);

		add_base(ret_list, base);
		for (size_t j = 0; j < homes->own.count; j++) {
			_cleanup_free_ char *below_home =
			    path_join(homes->own.items[j], places[i].fallback);

			add_base(ret_list, below_home);
		}
	}
}

/* No protection by name stands against a mount that -v asks for; so that is refused. */
static int
check_mounts(const struct plan *plan, const char *own, struct error *err)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (mount->kind == PLAN_MOUNT_WRITABLE && path_is_beneath(mount->path, own))
			return error_set(err, -EINVAL,
					 "%s: porta's own directories are never writable in a sandbox "
					 "(%s); add :ro to read it",
					 mount->reason, own);
	}
	return 0;
}

/* `path`, free of symlinks and writable or not, with all that leads to it. */
static int
protect_resolved(struct plan *plan, const char *path, struct error *err)
{
	if (plan_is_in_writable(plan, path))
		protect_plan_own(plan, path);
	return check_mounts(plan, path, err);
}

/* `path` is what exists of the directory, `rest` what is to be made below. */
static int
protect_aliases(struct plan *plan, const struct mount_table *table, const char *path, const char *rest,
		struct error *err)
{
	struct strv aliases = STRV_INIT;
	int r = mount_table_aliases(table, path, *rest == '\0' ? MOUNT_TABLE_PARTS : MOUNT_TABLE_WHOLE,
				    &aliases, err);

	for (size_t i = 0; r == 0 && i < aliases.count; i++) {
		_cleanup_free_ char *joined = path_join(aliases.items[i], rest);
		_cleanup_free_ char *own = path_normalize("/", joined);

		r = protect_resolved(plan, own, err);
	}
	strv_done(&aliases);
	return r;
}

static int
protect_everywhere(struct plan *plan, const struct mount_table *table, const char *own, struct error *err)
{
	_cleanup_free_ char *existing = mem_strdup(own);
	char resolved[PATH_MAX];

	/* What leads there by symlinks is protected too. */
	protect_plan_own(plan, own);
	while (realpath(existing, resolved) == NULL) {
		char *above = path_dirname(existing);

		free(existing);
		existing = above;
	}
	return protect_aliases(plan, table, resolved, own + strlen(existing), err);
}

int
plan_own(struct plan *plan, const struct plan_homes *homes, const struct mount_table *table,
	 struct error *err)
{
	struct strv list = STRV_INIT;
	int r = 0;

	list_own(homes, &list);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = protect_everywhere(plan, table, list.items[i], err);
	strv_done(&list);
	return r;
}
