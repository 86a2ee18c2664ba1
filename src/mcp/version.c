/* The versions of MCP; see version.h. */
#include "mcp/version.h"

#include "util/strings.h"

static const char *const names[] = {
	[MCP_2024_11_05] = "2024-11-05", [MCP_2025_03_26] = "2025-03-26",
	[MCP_2025_06_18] = "2025-06-18", [MCP_2025_11_25] = "2025-11-25",
	[MCP_2026_07_28] = "2026-07-28",
};
static_assert(ARRAY_SIZE(names) == MCP_VERSION_COUNT, "a name for each version");

const char *
mcp_version_name(enum mcp_version version)
{
	return names[version];
}

bool
mcp_version_find(const char *name, enum mcp_version *ret_version)
{
	for (size_t i = 0; i < MCP_VERSION_COUNT; i++) {
		if (str_equal(names[i], name)) {
			*ret_version = (enum mcp_version)i;
			return true;
		}
	}
	return false;
}

json_value *
mcp_version_list(void)
{
	json_value *list = json_new_array();

	for (size_t i = MCP_VERSION_COUNT; i-- > 0;)
		json_append(list, json_new_string(names[i]));
	return list;
}
