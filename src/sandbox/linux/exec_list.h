/*
 * --allow-exec: which files the sandbox may execute, as Landlock grants. A program
 * needs its interpreter too: the dynamic loader of an ELF file (elf(5), PT_INTERP), or
 * what a script's "#!" names (execve(2)).
 */
#ifndef PORTA_SANDBOX_LINUX_EXEC_LIST_H
#define PORTA_SANDBOX_LINUX_EXEC_LIST_H

#include "sandbox/plan.h"
#include "util/error.h"

/* Grants the plan's own command and each of `words` (looked up in the plan's PATH), with their interpreters. */
int exec_list_grant(struct plan *plan, const struct strv *words, struct error *err);

#endif
