/*
 * porta's own tools, porta.exec and porta.http: the host calls of the agent protocol, for clients. Each is
 * there only where its capability is granted and an allowlist says what for.
 */
#ifndef PORTA_MCP_BUILTIN_H
#define PORTA_MCP_BUILTIN_H

#include "policy/policy.h"
#include "util/json.h"

#define BUILTIN_COUNT 2

/* Definitions of tools, or NULL where there is none. */
json_value *builtin_define_exec(const struct policy *policy, capability_set granted);
json_value *builtin_define_http(const struct policy *policy, capability_set granted);

#endif
