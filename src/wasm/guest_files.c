/* What of the file system a guest may touch; see guest_files.h. */
#include "wasm/guest_files.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/linux/plan_paths.h"
#include "util/mem.h"
#include "util/path.h"

static bool
is_granted(capability_set granted, enum capability capability)
{
	return (granted & (1U << capability)) != 0;
}

/* What the guest calls it: as written; a path from the home directory by its full name. */
static char *
guest_name(const struct policy_mount *mount, const char *host_path)
{
	const char *written = mount->guest != NULL     ? mount->guest
			      : mount->written != NULL ? mount->written
						       : mount->host;
	size_t length;

	if (mount->guest == NULL && (str_starts_with(written, "~/") || str_equal(written, "~")))
		return mem_strdup(host_path);
	length = strlen(written);
	while (length > 1 && written[length - 1] == '/')
		length--;
	return mem_strndup(written, length);
}

/* path_dirname for a path as written: "." for a name alone. */
static char *
directory_of(const char *path)
{
	return strchr(path, '/') == NULL ? mem_strdup(".") : path_dirname(path);
}

/* A file is found in its directory, which is opened to list it; only the file itself can be read. */
static int
add_file(struct protocol_config *config, const struct policy_mount *mount, const char *host_path,
	 enum protocol_access access, struct error *err)
{
	_cleanup_free_ char *name = guest_name(mount, host_path);
	_cleanup_free_ char *host_directory = path_dirname(host_path);
	_cleanup_free_ char *guest_directory = directory_of(name);

	if (!str_equal(path_basename(name), path_basename(host_path)))
		return error_set(err, -EINVAL,
				 "-v %s: a file keeps its name for the guest; write -v %s:%s/%s",
				 mount->text, mount->host, guest_directory, path_basename(host_path));
	protocol_config_add_path(config, host_directory, guest_directory, ACCESS_LIST,
				 access == ACCESS_WRITE);
	protocol_config_add_path(config, host_path, "", access, access == ACCESS_WRITE);
	return 0;
}

static int
add_mount(const struct policy_mount *mount, const struct plan_homes *homes, bool may_write,
	  struct protocol_config *config, struct error *err)
{
	enum protocol_access access =
	    mount->read_only || !may_write ? ACCESS_READ : ACCESS_WRITE;
	_cleanup_free_ char *host_path = NULL;
	_cleanup_free_ char *name = NULL;
	struct stat status;
	int r;

	r = plan_path_resolve(mount->host, homes, &host_path, &status, err);
	if (r < 0)
		return error_wrap(err, r, "-v %s", mount->text);
	if (!S_ISDIR(status.st_mode))
		return add_file(config, mount, host_path, access, err);
	name = guest_name(mount, host_path);
	protocol_config_add_path(config, host_path, name, access, access == ACCESS_WRITE);
	return 0;
}

int
guest_files_add(const struct policy *policy, capability_set granted, struct protocol_config *config,
		struct error *err)
{
	bool may_write = is_granted(granted, CAPABILITY_FS_WRITE);
	struct plan_homes homes;
	char directory[PATH_MAX];
	int r = 0;

	if (!is_granted(granted, CAPABILITY_FS))
		return 0;
	if (policy->mounts_count == 0) {
		if (getcwd(directory, sizeof(directory)) == NULL)
			return error_set_errno(err, -errno, "cannot find the working directory");
		protocol_config_add_path(config, directory, ".", ACCESS_READ, false);
		return 0;
	}
	plan_homes_find(geteuid(), &homes);
	for (size_t i = 0; i < policy->mounts_count && r == 0; i++)
		r = add_mount(&policy->mounts[i], &homes, may_write, config, err);
	plan_homes_done(&homes);
	return r;
}

void
guest_files_sandbox(const struct policy *policy, capability_set granted, struct policy *ret_sandbox)
{
	struct policy sandbox = *policy;

	sandbox.mounts = mem_zalloc(policy->mounts_count + 1, sizeof(*sandbox.mounts));
	for (size_t i = 0; i < policy->mounts_count; i++) {
		sandbox.mounts[i] = policy->mounts[i];
		sandbox.mounts[i].guest = NULL;
		if (!is_granted(granted, CAPABILITY_FS_WRITE))
			sandbox.mounts[i].read_only = true;
	}
	/* The worker's filter knows no socket and no program. */
	sandbox.net_mode = NET_MODE_FULL;
	sandbox.allow_net = (struct net_rules){ 0 };
	sandbox.deny_net = (struct net_rules){ 0 };
	sandbox.allow_bind = (struct net_rules){ 0 };
	sandbox.allow_unix = (struct strv)STRV_INIT;
	sandbox.allow_exec_set = false;
	sandbox.allow_exec = (struct strv)STRV_INIT;
	sandbox.env = (struct env_request){ 0 };
	/* The clock is porta's. */
	sandbox.limits.timeout_ms = 0;
	*ret_sandbox = sandbox;
}

void
guest_files_sandbox_done(struct policy *sandbox)
{
	free(TAKE_PTR(sandbox->mounts));
}
