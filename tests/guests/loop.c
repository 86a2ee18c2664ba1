/* Says that it began, then never ends. */
#include <stdio.h>

int
main(void)
{
	volatile unsigned int counter = 0;

	puts("begun");
	fflush(stdout);
	for (;;)
		counter++;
}
