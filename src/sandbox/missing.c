/* What a machine cannot keep of a policy; see missing.h. */
#include "sandbox/missing.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"
#include "util/strings.h"

void
missing_done(struct missing *missing)
{
	for (int i = 0; i < GUARANTEE_COUNT; i++)
		free(missing->why[i]);
	*missing = (struct missing){ 0 };
}

void
missing_add(struct missing *missing, enum guarantee guarantee, const char *why)
{
	if (missing->why[guarantee] == NULL)
		missing->why[guarantee] = mem_strdup(why);
}

char *
missing_names(const bool not_kept[GUARANTEE_COUNT], const char *separator)
{
	struct strbuf names = STRBUF_INIT;

	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		if (!not_kept[i])
			continue;
		if (names.length > 0)
			strbuf_puts(&names, separator);
		strbuf_puts(&names, guarantee_name((enum guarantee)i));
	}
	return names.text;
}

/* One reason may be that of several guarantees. */
static bool
is_told_before(const struct missing *missing, int guarantee)
{
	for (int i = 0; i < guarantee; i++) {
		if (missing->why[i] != NULL && str_equal(missing->why[i], missing->why[guarantee]))
			return true;
	}
	return false;
}

/* The flag comes before the reasons: a message has a limit. */
static int
refuse(const struct missing *missing, const bool not_kept[GUARANTEE_COUNT], const char *cause,
       struct error *err)
{
	_cleanup_free_ char *names = missing_names(not_kept, ", ");
	_cleanup_free_ char *flag = missing_names(not_kept, ",");
	struct strbuf reasons = STRBUF_INIT;

	strbuf_puts(&reasons, cause);
	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		if (!not_kept[i] || is_told_before(missing, i))
			continue;
		strbuf_puts(&reasons, reasons.length > 0 ? "; " : "");
		strbuf_puts(&reasons, missing->why[i]);
	}
	error_set(err, -EOPNOTSUPP,
		  "this machine cannot keep the guarantee%s %s (--degrade=%s accepts that, 'porta doctor' tells more): %s",
		  strchr(names, ' ') != NULL ? "s" : "", names, flag, reasons.text);
	strbuf_done(&reasons);
	return -EOPNOTSUPP;
}

int
missing_check(const struct missing *missing, const struct policy *policy,
	      const struct machine *machine, struct plan *plan, struct error *err)
{
	bool not_kept[GUARANTEE_COUNT] = { 0 };
	bool is_accepted = true;

	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		not_kept[i] = missing->why[i] != NULL;
		is_accepted = is_accepted && (!not_kept[i] || policy->degrade[i]);
	}
	if (!is_accepted)
		return refuse(missing, not_kept, machine_tier_cause(machine), err);
	memcpy(plan->not_kept, not_kept, sizeof(not_kept));
	return 0;
}
