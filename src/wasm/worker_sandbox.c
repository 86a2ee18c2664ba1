/* The native sandbox around a WASM worker; see worker_sandbox.h. */
#include "wasm/worker_sandbox.h"

#include <string.h>

#include "broker/run.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

/* PROTOCOL_CONTROL_FD and PROTOCOL_CODE_FD. */
#define KEPT_FDS 2

int
worker_sandbox_run(const struct policy *policy, const struct broker_options *options,
		   const char *program_path)
{
	struct strv argv = STRV_INIT;
	struct strv environment = STRV_INIT;
	struct sandbox_command command = { .name = program_path,
					   .argv = &argv,
					   .environment = &environment };
	struct error err = ERROR_INIT;
	int r;

	strv_add(&argv, program_path);
	r = run_command(policy, &command, KEPT_FDS, options, &err);
	strv_done(&argv);
	if (r >= 0)
		return r;
	(void)message_send(PROTOCOL_CONTROL_FD, MESSAGE_FAILED, err.message, strlen(err.message));
	return -r;
}
