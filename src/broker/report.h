/* Opening the file of --report, which porta writes outside of any sandbox. */
#ifndef PORTA_BROKER_REPORT_H
#define PORTA_BROKER_REPORT_H

#include "sandbox/plan.h"
#include "util/error.h"

/*
 * Opens `path` for writing, made or emptied. A symlink in what the plan leaves writable is refused: what ran there
 * before may have put it, and porta would write where it leads. Those elsewhere are the user's own. Returns a
 * descriptor, or a negative errno with a sentence.
 */
int report_open(const struct plan *plan, const char *path, struct error *err);

#endif
