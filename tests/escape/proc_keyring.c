/*
 * The kernel's keyrings are shared with every process of the user.
 */
#include "attack.h"

static int
attack(void)
{
	if (syscall(SYS_add_key, "user", "porta-test-attack", "x", 1, -3 /* session */) >= 0)
		return escaped("added a key");
	if (syscall(SYS_keyctl, 0 /* get id */, -4 /* user */, 0) >= 0)
		return escaped("found the user's keyring");
	return held("add_key");
}
