/*
 * porta-engine: a WASM worker, started by porta and by nobody else. The only program that links
 * Wasmtime, and the one that parses, compiles and runs what nobody trusts.
 *
 * Theory of operation. porta starts it with an empty environment and few descriptors (protocol.h).
 * It hears what it is to be, raises its walls, and only then looks at the module. It works for one
 * module, in one role, and ends when porta does or hangs up.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/compile.h"
#include "engine/guest.h"
#include "engine/serve.h"
#include "engine/walls.h"
#include "wasm/message.h"
#include "wasm/protocol.h"

static int
receive_config(struct message_reader *reader, struct protocol_config *ret_config, struct error *err)
{
	struct message message;
	int r = message_read(reader, PROTOCOL_CONTROL_FD, MESSAGE_BYTES_MAX, &message);

	if (r < 0)
		return error_set_errno(err, r, "cannot hear porta");
	if (message.kind != MESSAGE_CONFIG ||
	    protocol_config_get(message.bytes, message.length, ret_config) < 0)
		return error_set(err, -EPROTO, "heard nonsense");
	return 0;
}

static int
run(const struct protocol_config *config, const int *path_fds, struct message_reader *reader,
    struct error *err)
{
	struct guest_end end = GUEST_END_INIT;
	struct guest *guest = NULL;
	int r = guest_load(config, path_fds, reader, &guest, &end, err);

	if (r == 1)
		r = guest_call(guest, config->entry, NULL, &end, err);
	if (r >= 0)
		r = serve_send_end(&end, NULL, err);
	/* Nothing is given back: the process ends. */
	return r;
}

static int
work(struct error *err)
{
	struct message_reader reader = MESSAGE_READER_INIT;
	struct protocol_config config = PROTOCOL_CONFIG_INIT;
	int *path_fds = NULL;
	int r;

	r = receive_config(&reader, &config, err);
	if (r < 0)
		return r;
	r = walls_raise(&config, &path_fds, err);
	if (r < 0)
		return r;
	switch (config.role) {
	case WORKER_INSPECT:
	case WORKER_COMPILE:
		return compile_module(&config, &reader, err);
	case WORKER_RUN:
		return run(&config, path_fds, &reader, err);
	case WORKER_SERVE:
		return serve(&config, path_fds, &reader, err);
	case WORKER_ROLE_COUNT:
		break;
	}
	return error_set(err, -EINVAL, "there is no such role");
}

int
main(void)
{
	struct error err = ERROR_INIT;

	if (work(&err) < 0) {
		(void)message_send(PROTOCOL_CONTROL_FD, MESSAGE_FAILED, err.message,
				   strlen(err.message));
		_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}
