/*
 * The versions of the Model Context Protocol that porta speaks, and what they differ in. Up to
 * 2025-11-25 a connection is opened by `initialize` (legacy); from 2026-07-28 on each request says
 * its version (modern). Sources: the specification's changelogs of each version.
 */
#ifndef PORTA_MCP_VERSION_H
#define PORTA_MCP_VERSION_H

#include <stdbool.h>

#include "util/json.h"

enum mcp_version {
	MCP_2024_11_05,
	MCP_2025_03_26,
	MCP_2025_06_18,
	MCP_2025_11_25,
	MCP_2026_07_28,
	MCP_VERSION_COUNT,
};

/* What `initialize` is answered with where the client asks for another one. */
#define MCP_LEGACY_LATEST MCP_2025_11_25

const char *mcp_version_name(enum mcp_version version);
bool mcp_version_find(const char *name, enum mcp_version *ret_version);
/* All names, the newest first. */
json_value *mcp_version_list(void);

static inline bool
mcp_is_modern(enum mcp_version version)
{
	return version >= MCP_2026_07_28;
}

/* JSON-RPC batches came with 2025-03-26 and went with the version after it. */
static inline bool
mcp_has_batches(enum mcp_version version)
{
	return version == MCP_2025_03_26;
}

static inline bool
mcp_has_audio(enum mcp_version version)
{
	return version >= MCP_2025_03_26;
}

/* Annotations of tools, the capability of completion, a message of progress. */
static inline bool
mcp_has_tool_annotations(enum mcp_version version)
{
	return version >= MCP_2025_03_26;
}

/* outputSchema, structuredContent, resource links, elicitation. */
static inline bool
mcp_has_structured(enum mcp_version version)
{
	return version >= MCP_2025_06_18;
}

/* structuredContent of any kind, and an outputSchema of any type. */
static inline bool
mcp_has_any_structured(enum mcp_version version)
{
	return version >= MCP_2026_07_28;
}

/* Clients take an event without data, with which a stream that can be resumed begins (SEP-1699). */
static inline bool
mcp_has_priming_events(enum mcp_version version)
{
	return version == MCP_2025_11_25;
}

/* Input that breaks a tool's inputSchema is the tool's error; before, the protocol's. */
static inline bool
mcp_has_input_errors(enum mcp_version version)
{
	return version >= MCP_2025_11_25;
}

/* The error for a request whose id cannot be read has no id; before, id null. */
static inline bool
mcp_has_errors_without_id(enum mcp_version version)
{
	return version >= MCP_2025_11_25;
}

#endif
