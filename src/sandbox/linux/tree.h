/*
 * Ends a process tree that has no pid namespace around it. The processes are found as descendants: who takes
 * charge of a tree adopts its orphans (PR_SET_CHILD_SUBREAPER), so that none gets away by a double fork or setsid.
 */
#ifndef PORTA_SANDBOX_LINUX_TREE_H
#define PORTA_SANDBOX_LINUX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree {
	bool is_adopting;
	bool is_enclosed;  /* no signal of this process leaves the tree: kill(-1) ends all of it at once */
	pid_t *others;	   /* children from before, of a shell that became porta: none of the tree's */
	size_t others_count;
	size_t others_capacity;
};

/* Takes charge: from now on orphans below the calling process become its children. 0 or a negative errno. */
int tree_adopt(struct tree *tree);
/*
 * Encloses the calling process, which is in charge, and all that it will start in a Landlock domain that no signal of
 * theirs leaves; sets NO_NEW_PRIVS. Does nothing before ABI 6, which has no such scope.
 */
void tree_enclose(struct tree *tree, int landlock_abi);
/*
 * Kills every descendant, and returns when none is left. Not enclosed, it walks: a process is killed, then its
 * children are looked up, which are all that it will ever have.
 */
void tree_end(struct tree *tree);
/* NULL is allowed. */
void tree_done(struct tree *tree);

#endif
