/* A library (a reactor, in WASI's words): no _start, but _initialize and a function for each tool. */
#include <stdio.h>
#include <string.h>

static char greeting[16];

__attribute__((constructor)) static void
prepare(void)
{
	strcpy(greeting, "hello");
}

__attribute__((export_name("greet"))) void
greet(void)
{
	char name[64] = "";

	if (fgets(name, sizeof(name), stdin) != NULL)
		printf("%s, %s", greeting, name);
	fflush(stdout);
}

__attribute__((export_name("add"))) int
add(int a, int b)
{
	return a + b;
}
