/*
 * A setuid-root program outside is executed.
 *
 * world: setuid
 * users: user
 */
#include "attack.h"

static int
attack(void)
{
	char command[4200], line[64] = "";

	/* It is a copy of id(1). */
	snprintf(command, sizeof(command), "%s -u", world_path("outside/setuid"));
	FILE *output = popen(command, "r");
	if (output == NULL || fgets(line, sizeof(line), output) == NULL)
		return held("popen");
	errno = EPERM;
	return strcmp(line, "0\n") == 0 ? escaped("a setuid program runs as root") : held("setuid");
}
