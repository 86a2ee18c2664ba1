/*
 * The command line and environment that other processes read of this one
 * (/proc/PID/cmdline needs no right at all). They lie in one stretch of memory, which
 * the kernel shows as it stands: execve(2), proc(5).
 */
#ifndef PORTA_UTIL_TITLE_H
#define PORTA_UTIL_TITLE_H

/*
 * Overwrites both for this process and its later forks; `name`, cut to the room there is,
 * takes their place. argv and environ read as empty afterwards: copy what is needed first.
 */
void title_replace(const char *name);

#endif
