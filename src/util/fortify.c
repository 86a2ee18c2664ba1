/*
 * The checked forms of three functions, which glibc has and musl has not: the distribution's
 * libjansson.a, compiled for glibc, calls them. Linked with musl only.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/macros.h"

/* `size` is what the compiler knew of the buffer; SIZE_MAX: nothing. */
int __snprintf_chk(char *text, size_t max, int flag, size_t size, const char *fmt, ...)
    _printf_(5, 6);
int __vsnprintf_chk(char *text, size_t max, int flag, size_t size, const char *fmt, va_list args);
char *__strncpy_chk(char *target, const char *text, size_t max, size_t size);

int
__vsnprintf_chk(char *text, size_t max, int flag, size_t size, const char *fmt, va_list args)
{
	(void)flag;
	if (max > size)
		abort();
	return vsnprintf(text, max, fmt, args);
}

int
__snprintf_chk(char *text, size_t max, int flag, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = __vsnprintf_chk(text, max, flag, size, fmt, args);
	va_end(args);
	return n;
}

char *
__strncpy_chk(char *target, const char *text, size_t max, size_t size)
{
	if (max > size)
		abort();
	return strncpy(target, text, max);
}
