/*
 * Init: pid 1 inside the sandbox. Makes the file system, starts the command, reaps,
 * watches the broker and the protected names, and ends everything.
 */
#ifndef PORTA_SANDBOX_LINUX_INIT_H
#define PORTA_SANDBOX_LINUX_INIT_H

#include "sandbox/plan.h"
#include "util/macros.h"

/*
 * Called in the new process, in its namespaces; `control_fd` is init's end, `host_root_fd` a handle of
 * "/" in the host's mount namespace. Never returns.
 */
_noreturn_ void init_main(const struct plan *plan, int control_fd, int host_root_fd);

#endif
