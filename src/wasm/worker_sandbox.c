/* The native sandbox around a worker; see worker_sandbox.h. */
#include "wasm/worker_sandbox.h"

#include <string.h>

#include "broker/run.h"
#include "util/mem.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

/* `policy`, by which the program itself can be seen, wherever porta is installed. */
static void
make_visible(const struct policy *policy, const char *program_path, struct policy *ret_policy)
{
	size_t count = policy->mounts_count;

	*ret_policy = *policy;
	if (policy->read_mode == READ_MODE_OPEN)
		return;
	ret_policy->mounts = mem_zalloc(count + 1, sizeof(*ret_policy->mounts));
	for (size_t i = 0; i < count; i++)
		ret_policy->mounts[i] = policy->mounts[i];
	ret_policy->mounts[count] = (struct policy_mount){ .host = (char *)program_path,
							   .read_only = true,
							   .text = (char *)program_path };
	ret_policy->mounts_count = count + 1;
}

int
worker_sandbox_run(const struct worker_start *start, const char *program_path, int kept_fds)
{
	const struct strv nothing = STRV_INIT;
	struct strv argv = STRV_INIT;
	struct sandbox_command command = {
		.name = program_path,
		.argv = &argv,
		.environment = start->environment == NULL ? &nothing : start->environment,
	};
	struct error err = ERROR_INIT;
	struct policy policy;
	int r;

	make_visible(start->sandbox, program_path, &policy);
	strv_add(&argv, program_path);
	r = run_command(&policy, &command, kept_fds, start->broker, &err);
	/* The process ends: nothing is given back. */
	if (r >= 0)
		return r;
	(void)message_send(PROTOCOL_CONTROL_FD, MESSAGE_FAILED, err.message, strlen(err.message));
	return -r;
}
