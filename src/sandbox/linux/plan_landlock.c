/* The plan of the lower tiers; see plan_landlock.h. */
#include "sandbox/linux/plan_landlock.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/linux/plan_paths.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/strings.h"

struct carving {
	struct plan *plan;
	struct strv hidden;	   /* never granted, nor anything beneath */
	struct plan_inode *closed; /* what is hidden and what is above it: by whatever path they are met, not granted whole */
	size_t closed_count;
	size_t closed_capacity;
	size_t grants_count;
};

static bool
is_asked_for(const struct plan_mount *mount)
{
	return str_starts_with(mount->reason, "-v ") || str_equal(mount->reason, "/tmp");
}

static const struct plan_mount *
writable_mount_above(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->mounts_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (mount->kind == PLAN_MOUNT_WRITABLE && path_is_beneath(path, mount->path))
			return mount;
	}
	return NULL;
}

static void
add_missing_part(struct missing *missing, enum guarantee guarantee, const char *path,
		 const struct plan_mount *whole, const char *what)
{
	_cleanup_free_ char *why = mem_printf("%s cannot be %s, since it lies in %s, which is writable",
					      path, what, whole->path);

	missing_add(missing, guarantee, why);
}

static void
drop_mount(struct plan_mount *mount)
{
	free(mount->path);
	free(mount->source);
	free(mount->text);
	free(mount->reason);
}

/* Whether a mount of the first tier's plan means something without mounts. */
static bool
is_kept(const struct plan *plan, const struct plan_mount *mount, struct missing *missing)
{
	const struct plan_mount *whole;

	if (mount->kind == PLAN_MOUNT_WRITABLE)
		return true;
	if (mount->kind == PLAN_MOUNT_READ_ONLY && is_asked_for(mount)) {
		whole = writable_mount_above(plan, mount->path);
		if (whole != NULL)
			add_missing_part(missing, GUARANTEE_WRITES, mount->path, whole, "read-only");
		return true;
	}
	if (mount->kind != PLAN_MOUNT_MASK)
		return false;
	whole = writable_mount_above(plan, mount->path);
	if (whole != NULL)
		add_missing_part(missing, GUARANTEE_HIDDEN, mount->path, whole, "hidden");
	return whole == NULL;
}

static void
reduce_mounts(struct plan *plan, struct missing *missing)
{
	size_t kept = 0;

	/* Judged before any is gone: where a mount lies is seen by the others. */
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (!is_kept(plan, &plan->mounts[i], missing))
			plan->mounts[i].kind = PLAN_MOUNT_KIND_COUNT;
	}
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (plan->mounts[i].kind == PLAN_MOUNT_KIND_COUNT)
			drop_mount(&plan->mounts[i]);
		else
			plan->mounts[kept++] = plan->mounts[i];
	}
	plan->mounts_count = kept;
}

static void
add_closed(struct carving *carving, const char *path)
{
	struct plan_inode inode = plan_inode_at(path);

	if (inode.number == 0)
		return;
	MEM_GROW(carving->closed, carving->closed_capacity, carving->closed_count);
	carving->closed[carving->closed_count++] = inode;
}

static void
hide(struct carving *carving, const char *path)
{
	_cleanup_free_ char *above = mem_strdup(path);

	strv_add(&carving->hidden, path);
	while (!str_equal(above, "/")) {
		char *parent;

		add_closed(carving, above);
		parent = path_dirname(above);
		free(above);
		above = parent;
	}
}

static bool
is_closed(const struct carving *carving, const struct plan_inode *inode)
{
	for (size_t i = 0; i < carving->closed_count; i++) {
		if (carving->closed[i].number == inode->number &&
		    carving->closed[i].device == inode->device)
			return true;
	}
	return false;
}

enum position {
	POSITION_CLEAR,	 /* nothing hidden is beneath */
	POSITION_ABOVE,	 /* something is */
	POSITION_HIDDEN, /* it is hidden, or beneath what is */
};

static enum position
position_of(const struct carving *carving, const char *path, const struct strv *unreadable)
{
	const struct strv *lists[] = { &carving->hidden, unreadable };
	enum position position = POSITION_CLEAR;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t j = 0; j < lists[i]->count; j++) {
			if (path_is_beneath(path, lists[i]->items[j]))
				return POSITION_HIDDEN;
			if (path_is_beneath(lists[i]->items[j], path))
				position = POSITION_ABOVE;
		}
	}
	return position;
}

static void grant_beneath(struct carving *carving, const char *path, const struct strv *unreadable);

/* A directory that cannot be listed, home directories often, is still passed through to what is named below it. */
static void
grant_entries(struct carving *carving, const char *path, const struct strv *unreadable)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL && carving->grants_count <= PLAN_READ_GRANTS_MAX) {
		_cleanup_free_ char *child = NULL;

		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..") ||
		    entry->d_type == DT_LNK)
			continue;
		child = path_join(path, entry->d_name);
		grant_beneath(carving, child, unreadable);
	}
	closedir(directory);
}

/* Goes down as deep as what is hidden lies. */
static void
grant_beneath(struct carving *carving, const char *path, const struct strv *unreadable)
{
	enum position position = position_of(carving, path, unreadable);
	struct plan_inode inode;
	struct plan_grant *grant;

	if (position == POSITION_HIDDEN)
		return;
	if (position == POSITION_ABOVE) {
		grant_entries(carving, path, unreadable);
		return;
	}
	inode = plan_inode_at(path);
	if (inode.number == 0 || inode.type == S_IFLNK || is_closed(carving, &inode))
		return;
	carving->grants_count++;
	grant = plan_add_grant(carving->plan, path);
	grant->inode = inode;
	grant->read = true;
}

/* Without an inode, a grant would go to whatever is at its path when it is made. */
static void
complete_grants(struct plan *plan)
{
	for (size_t i = 0; i < plan->grants_count; i++) {
		struct plan_grant *grant = &plan->grants[i];

		for (size_t j = 0; j < plan->mounts_count && grant->inode.number == 0; j++) {
			if (str_equal(plan->mounts[j].path, grant->path))
				grant->inode = plan->mounts[j].inode;
		}
		if (grant->inode.number == 0)
			grant->inode = plan_inode_at(grant->path);
	}
}

/* A tree inside what a wider one leaves out is named for itself. */
static void
grant_tree(struct carving *carving, const char *path, const struct strv *unreadable)
{
	static const struct strv none = STRV_INIT;
	bool is_left_out = position_of(carving, path, unreadable) == POSITION_HIDDEN;

	grant_beneath(carving, path, is_left_out ? &none : unreadable);
}

static void
carve(struct carving *carving, const struct strv *readable, const struct strv *unreadable)
{
	const struct plan *plan = carving->plan;

	for (size_t i = 0; i < readable->count; i++)
		grant_tree(carving, readable->items[i], unreadable);
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (plan->mounts[i].kind != PLAN_MOUNT_MASK)
			grant_tree(carving, plan->mounts[i].path, unreadable);
	}
}

void
plan_landlock(struct plan *plan, const struct strv *readable, const struct strv *unreadable,
	      struct missing *missing)
{
	struct carving carving = { .plan = plan };
	size_t first_read_grant;

	if (plan->watches_count > 0)
		missing_add(missing, GUARANTEE_PROTECTED,
			    "what makes other programs run code can be changed in a writable directory");
	plan->watches_count = 0;
	free(TAKE_PTR(plan->quarantine_path));
	reduce_mounts(plan, missing);
	for (size_t i = 0; i < plan->mounts_count; i++) {
		if (plan->mounts[i].kind == PLAN_MOUNT_MASK)
			hide(&carving, plan->mounts[i].path);
	}
	complete_grants(plan);
	first_read_grant = plan->grants_count;
	carve(&carving, readable, unreadable);
	if (carving.grants_count > PLAN_READ_GRANTS_MAX) {
		missing_add(missing, GUARANTEE_HIDDEN,
			    "there are too many files beside what is hidden");
		/* A part of them is of no use: where that is accepted, nothing is hidden. */
		while (plan->grants_count > first_read_grant)
			free(plan->grants[--plan->grants_count].path);
		for (size_t i = 0; i < plan->grants_count; i++)
			plan->grants[i].read = false;
	}
	strv_done(&carving.hidden);
	free(carving.closed);
}

static int
refuse_rule(const char *flag, const struct net_rule *rule, struct error *err)
{
	return error_set(err, -EOPNOTSUPP,
			 "%s %s: this machine cannot keep the guarantee network: without a door only ports can be told apart, so that rules of the form '*:PORT' alone are taken, with --degrade=network",
			 flag, rule->text);
}

static void
add_ports(struct plan *plan, const struct net_rule *rule)
{
	MEM_GROW(plan->ports, plan->ports_capacity, plan->ports_count);
	plan->ports[plan->ports_count++] =
	    (struct plan_ports){ .first = rule->port_first, .last = rule->port_last };
}

int
plan_ports(struct plan *plan, const struct policy *policy, struct missing *missing, struct error *err)
{
	if (policy->deny_net.count > 0)
		return refuse_rule("--deny-net", &policy->deny_net.items[0], err);
	for (size_t i = 0; i < policy->allow_net.count; i++) {
		const struct net_rule *rule = &policy->allow_net.items[i];

		if (rule->kind != NET_HOST_ANY)
			return refuse_rule("--allow-net", rule, err);
		add_ports(plan, rule);
	}
	if (policy->net_mode == NET_MODE_RULES)
		missing_add(missing, GUARANTEE_NETWORK,
			    "'*' would reach this machine's own ports and the cloud's metadata too");
	if (policy->net_mode == NET_MODE_LOOPBACK_ONLY) {
		missing_add(missing, GUARANTEE_NETWORK,
			    "connections to other machines cannot be told from those to this one");
		plan->landlock_net = false;
	}
	return 0;
}
