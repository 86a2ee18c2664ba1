/* The plan as data; see plan.h. */
#include "sandbox/plan.h"

#include <string.h>

#include "util/mem.h"
#include "util/path.h"

static const char *const mount_kind_names[] = {
	[PLAN_MOUNT_WRITABLE] = "writable",   [PLAN_MOUNT_READ_ONLY] = "read-only",
	[PLAN_MOUNT_PIN] = "pin",	      [PLAN_MOUNT_DEVICE] = "device",
	[PLAN_MOUNT_CONSOLE] = "terminal",    [PLAN_MOUNT_MASK] = "mask",
	[PLAN_MOUNT_TMPFS] = "tmpfs",	      [PLAN_MOUNT_EMPTY] = "empty",
	[PLAN_MOUNT_SYMLINK] = "symlink",
	[PLAN_MOUNT_FILE] = "file",	      [PLAN_MOUNT_PROC] = "proc",
	[PLAN_MOUNT_DEVPTS] = "devpts",	      [PLAN_MOUNT_MQUEUE] = "mqueue",
};
static_assert(ARRAY_SIZE(mount_kind_names) == PLAN_MOUNT_KIND_COUNT, "a name for each kind");

void
plan_init(struct plan *plan)
{
	*plan = (struct plan){ .tier = SANDBOX_TIER_NAMESPACES, .cgroup_procs_fd = -1 };
	for (size_t i = 0; i < ARRAY_SIZE(plan->stdio); i++) {
		plan->stdio[i].shared_with = -1;
		plan->stdio[i].pump_inside_fd = -1;
	}
}

void
plan_done(struct plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->mounts_count; i++) {
		free(plan->mounts[i].path);
		free(plan->mounts[i].source);
		free(plan->mounts[i].text);
		free(plan->mounts[i].reason);
	}
	free(plan->mounts);
	for (size_t i = 0; i < plan->grants_count; i++)
		free(plan->grants[i].path);
	free(plan->grants);
	free(plan->ports);
	free(plan->watches);
	strv_done(&plan->watch_texts);
	strv_done(&plan->unversioned);
	free(plan->quarantine_path);
	free(plan->cgroup_path);
	strv_done(&plan->cgroup_settings);
	fd_close(plan->cgroup_procs_fd);
	for (size_t i = 0; i < ARRAY_SIZE(plan->stdio); i++) {
		free(plan->stdio[i].path);
		fd_close(plan->stdio[i].pump_inside_fd);
	}
	free(plan->command_path);
	strv_done(&plan->argv);
	strv_done(&plan->environment);
	free(plan->working_directory);
	plan_init(plan);
}

struct plan_mount *
plan_add_mount(struct plan *plan, enum plan_mount_kind kind, const char *path, const char *reason)
{
	struct plan_mount *mount;

	MEM_GROW(plan->mounts, plan->mounts_capacity, plan->mounts_count);
	mount = &plan->mounts[plan->mounts_count++];
	*mount = (struct plan_mount){
		.kind = kind,
		.path = mem_strdup(path),
		.reason = mem_strdup(reason),
	};
	return mount;
}

struct plan_grant *
plan_add_grant(struct plan *plan, const char *path)
{
	struct plan_grant *grant;

	MEM_GROW(plan->grants, plan->grants_capacity, plan->grants_count);
	grant = &plan->grants[plan->grants_count++];
	*grant = (struct plan_grant){ .path = mem_strdup(path) };
	return grant;
}

const char *
plan_mount_kind_name(enum plan_mount_kind kind)
{
	return mount_kind_names[kind];
}

bool
plan_is_in_writable(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (plan->mounts[i].kind == PLAN_MOUNT_WRITABLE &&
		    path_is_beneath(path, plan->mounts[i].path))
			return true;
	}
	return false;
}

const struct plan_mount *
plan_find_kind(const struct plan *plan, enum plan_mount_kind kind)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (plan->mounts[i].kind == kind)
			return &plan->mounts[i];
	}
	return NULL;
}
