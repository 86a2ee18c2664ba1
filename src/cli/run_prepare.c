/* From a command line to the command; see run_prepare.h. */
#include "cli/run_prepare.h"

void
run_prepared_done(struct run_prepared *prepared)
{
	strv_done(&prepared->environment);
	strv_done(&prepared->argv);
}

bool
run_is_agent(const struct run_options *options)
{
	return str_ends_with(options->target, ".wasm");
}

int
run_prepare(const struct run_options *options, struct run_prepared *ret_prepared, struct error *err)
{
	int r = policy_check_native(&options->policy, err);

	if (r < 0)
		return r;
	strv_add(&ret_prepared->argv, options->target);
	for (size_t i = 0; i < options->arguments_count; i++)
		strv_add(&ret_prepared->argv, options->arguments[i]);
	env_build(&options->policy.env, environ, net_mode_name(options->policy.net_mode),
		  &ret_prepared->environment);
	ret_prepared->command = (struct sandbox_command){ .name = options->target,
							  .argv = &ret_prepared->argv,
							  .environment = &ret_prepared->environment };
	return 0;
}
