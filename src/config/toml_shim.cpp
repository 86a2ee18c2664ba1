/* The one file that knows toml++; see toml_shim.h. */
#include "config/toml_shim.h"

/* All of the standard library that the parser includes, before what is defined below can change it. */
#include <cfloat>
#include <charconv>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iosfwd>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/*
 * What the parser takes for granted is undefined behaviour where it is not so: 3.3 asserts that a key follows "[[",
 * and takes U+FEC6 to U+FEFE, where a blank may be, to be unreachable. Here it ends.
 */
#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? static_cast<void>(0) : toml_give_up())
#define __builtin_unreachable() toml_give_up()
#ifdef __clang__
#define __builtin_assume(expression) TOML_ASSERT(expression)
#endif
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#undef __builtin_unreachable
#undef __builtin_assume

namespace {

struct walk {
	toml_visit visit;
	void *data;
	std::vector<const char *> path;
};

toml_kind
kind_of(const toml::node &node)
{
	switch (node.type()) {
	case toml::node_type::table:
		return TOML_TABLE;
	case toml::node_type::array:
		return TOML_ARRAY;
	case toml::node_type::string:
		return TOML_STRING;
	case toml::node_type::integer:
		return TOML_INTEGER;
	case toml::node_type::floating_point:
		return TOML_FLOAT;
	case toml::node_type::boolean:
		return TOML_BOOLEAN;
	default:
		return TOML_OTHER;
	}
}

toml_node
describe(const walk &walk, const toml::node &node, const toml::source_position &position)
{
	toml_node told = {};

	told.path = walk.path.data();
	told.path_count = walk.path.size();
	told.kind = kind_of(node);
	told.line = position.line;
	told.column = position.column;
	if (const auto *string = node.as_string()) {
		told.text = string->get().c_str();
		told.length = string->get().size();
	} else if (const auto *integer = node.as_integer()) {
		told.integer = integer->get();
	} else if (const auto *boolean = node.as_boolean()) {
		told.boolean = boolean->get();
	}
	return told;
}

/* A key is told as a C string: what is behind a NUL would be lost, and another key be meant. */
std::string
without_nul(std::string_view key)
{
	std::string name;

	for (char c : key)
		c == '\0' ? name.append("\\0") : name.append(1, c);
	return name;
}

bool
walk_array(const walk &walk, const toml::array &array)
{
	for (const toml::node &item : array) {
		toml_node told = describe(walk, item, item.source().begin);

		told.is_item = true;
		if (told.kind == TOML_TABLE || told.kind == TOML_ARRAY)
			told.kind = TOML_OTHER;
		if (!walk.visit(&told, walk.data))
			return false;
	}
	return true;
}

bool
walk_table(walk &walk, const toml::table &table)
{
	for (auto &&[key, node] : table) {
		std::string name = without_nul(key.str());
		bool goes_on;

		walk.path.push_back(name.c_str());
		toml_node told = describe(walk, node, key.source().begin);
		bool is_deep = walk.path.size() >= TOML_DEPTH_MAX;

		if (is_deep && (told.kind == TOML_TABLE || told.kind == TOML_ARRAY))
			told.kind = TOML_OTHER;
		goes_on = walk.visit(&told, walk.data);
		if (goes_on && told.kind == TOML_TABLE)
			goes_on = walk_table(walk, *node.as_table());
		else if (goes_on && told.kind == TOML_ARRAY)
			goes_on = walk_array(walk, *node.as_array());
		walk.path.pop_back();
		if (!goes_on)
			return false;
	}
	return true;
}

} // namespace

extern "C" bool
toml_read(const char *text, size_t length, toml_visit visit, void *data, toml_error *ret_error)
{
	toml::parse_result result = toml::parse(std::string_view(text, length));
	walk walk = { visit, data, {} };

	if (!result) {
		const toml::parse_error &error = result.error();
		std::string_view why = error.description();

		std::snprintf(ret_error->message, sizeof(ret_error->message), "%.*s",
			      static_cast<int>(why.size()), why.data());
		ret_error->line = error.source().begin.line;
		ret_error->column = error.source().begin.column;
		return false;
	}
	walk_table(walk, result.table());
	return true;
}
