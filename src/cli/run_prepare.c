/* From a command line to its plan; see run_prepare.h. */
#include "cli/run_prepare.h"

#include <errno.h>

#include "sandbox/sandbox.h"

enum exit_code
run_prepare(const struct run_options *options, const struct machine *machine, struct plan *ret_plan,
	    struct error *err)
{
	struct strv environment = STRV_INIT;
	struct strv argv = STRV_INIT;
	struct sandbox_command command = { .name = options->target,
					   .argv = &argv,
					   .environment = &environment };
	int r;

	/* Before the flags of agents are found wrong for a native command. */
	if (str_ends_with(options->target, ".wasm")) {
		error_set(err, -ENOTSUP, "%s is a WASM agent, and this porta is built without them",
			  options->target);
		return EXIT_CODE_FAILED;
	}
	if (policy_check_native(&options->policy, err) < 0)
		return EXIT_CODE_FAILED;
	strv_add(&argv, options->target);
	for (size_t i = 0; i < options->arguments_count; i++)
		strv_add(&argv, options->arguments[i]);
	env_build(&options->policy.env, environ, net_mode_name(options->policy.net_mode),
		  &environment);
	r = sandbox_plan(&options->policy, &command, machine, ret_plan, err);
	strv_done(&environment);
	strv_done(&argv);
	if (r == -ENOENT)
		return EXIT_CODE_NOT_FOUND;
	if (r == -EACCES)
		return EXIT_CODE_NOT_RUNNABLE;
	return r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
