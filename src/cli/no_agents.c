/* A build without WASM; see run_agent.h. */
#include <errno.h>

#include "cli/output.h"
#include "cli/run_agent.h"

int
run_agent(const struct run_options *options)
{
	struct error err = ERROR_INIT;

	error_set(&err, -ENOTSUP, "%s is a WASM agent, and this porta is built without them",
		  options->target);
	return output_fail("run", &err, EXIT_CODE_FAILED);
}
