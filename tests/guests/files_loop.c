/* Imports what changes files, says that it began, then never ends. */
#include <stdio.h>
#include <unistd.h>

int
main(void)
{
	volatile unsigned int counter = 0;

	(void)unlink("missing");
	puts("begun");
	fflush(stdout);
	for (;;)
		counter++;
}
