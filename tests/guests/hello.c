/* Prints a line: what a C program needs at the least. */
#include <stdio.h>

int
main(void)
{
	puts("hello");
	return 0;
}
