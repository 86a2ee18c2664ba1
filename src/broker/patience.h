/*
 * A limit to what the broker waits for in the kernel, where a program inside has a hand in how long
 * that is: a socket that it made blocking again in the moment of a connect, or that lingers when
 * its last descriptor, the broker's duplicate, is closed. While the broker stands still nothing is
 * judged and nothing is guarded.
 *
 * A timer's signals interrupt such a call (EINTR) every PATIENCE_MS. They come between begin and
 * end alone.
 */
#ifndef PORTA_BROKER_PATIENCE_H
#define PORTA_BROKER_PATIENCE_H

#include "util/error.h"

#define PATIENCE_MS 10

int patience_init(struct error *err);
void patience_begin(void);
void patience_end(void);
/* Closes a descriptor (or nothing: -1) of a file that is the program's too. */
void patience_close(int fd);

#endif
