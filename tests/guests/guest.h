/* What guests that speak the agent protocol share: a request, and a look into its JSON. */
#ifndef PORTA_GUESTS_GUEST_H
#define PORTA_GUESTS_GUEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* stdin has a u32 length and JSON. NULL: it is cut off. */
static inline char *
read_request(void)
{
	uint32_t length;
	char *text;

	if (fread(&length, sizeof(length), 1, stdin) != 1)
		return NULL;
	text = calloc((size_t)length + 1, 1);
	if (text == NULL || fread(text, 1, length, stdin) != length)
		return NULL;
	return text;
}

/* The text of the JSON value behind `"name":`, cut out of a request; NULL where there is none. */
static inline char *
find(const char *request, const char *name)
{
	char key[64];
	const char *start;
	const char *end;
	int depth = 0;
	int in_string = 0;

	snprintf(key, sizeof(key), "\"%s\":", name);
	start = request == NULL ? NULL : strstr(request, key);
	if (start == NULL)
		return NULL;
	start += strlen(key);
	start += strspn(start, " ");
	for (end = start; *end != '\0'; end++) {
		if (in_string && *end == '\\')
			end++;
		else if (*end == '"')
			in_string = !in_string;
		else if (!in_string && (*end == '{' || *end == '['))
			depth++;
		else if (!in_string && depth == 0 && strchr(",}]", *end) != NULL)
			break;
		else if (!in_string && (*end == '}' || *end == ']'))
			depth--;
	}
	return strndup(start, (size_t)(end - start));
}

#endif
