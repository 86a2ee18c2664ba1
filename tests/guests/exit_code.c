/* Ends with the code that its one argument says; without one, by returning from main with 7. */
#include <stdlib.h>

int
main(int argc, char **argv)
{
	if (argc > 1)
		exit(atoi(argv[1]));
	return 7;
}
