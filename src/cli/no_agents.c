/* A build without WASM; see run_agent.h. */
#include <errno.h>

#include "cli/output.h"
#include "cli/run_agent.h"

int
explain_agent(const struct run_options *options, struct strbuf *out, struct error *err)
{
	(void)out;
	error_set(err, -ENOTSUP, "%s is a WASM agent, and this porta is built without them",
		  options->target);
	return -EXIT_CODE_FAILED;
}

int
run_agent(const struct run_options *options)
{
	struct error err = ERROR_INIT;
	int r = explain_agent(options, NULL, &err);

	return output_fail(options->command_name, &err, -r);
}
