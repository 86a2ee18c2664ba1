/* Each of its variables on a line of its own. */
#include <stdio.h>

extern char **environ;

int
main(void)
{
	for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
		puts(*variable);
	return 0;
}
