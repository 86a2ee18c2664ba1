/* porta doctor: which guarantees hold on this machine, and why not. */
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "sandbox/machine.h"

/* How a line begins: a mark, in colour or not. */
struct marks {
	const char *holds;
	const char *fails;
};

/* Whether the locale that the C library would choose (locale(7)) is a UTF-8 one. */
static bool
locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			       strcasestr(value, "utf8") != NULL;
	}
	return false;
}

static const struct marks *
choose_marks(void)
{
	static const struct marks all[2][2] = {
		{ { "ok", "NO" }, { "\033[32mok\033[0m", "\033[31mNO\033[0m" } },
		{ { "✓", "✗" }, { "\033[32m✓\033[0m", "\033[31m✗\033[0m" } },
	};
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	bool plain = (no_color != NULL && *no_color != '\0') || terminal == NULL ||
		     str_equal(terminal, "dumb") || isatty(STDOUT_FILENO) == 0;

	return &all[locale_is_utf8()][!plain];
}

static void
explain_text(const struct machine *machine, const struct machine_verdict *verdicts,
	     struct strbuf *out)
{
	const struct marks *marks = choose_marks();
	size_t failed = 0;

	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		const struct machine_verdict *verdict = &verdicts[i];

		strbuf_printf(out, "%s %-13s %s\n", verdict->holds ? marks->holds : marks->fails,
			      guarantee_name((enum guarantee)i),
			      guarantee_description((enum guarantee)i));
		if (verdict->holds)
			continue;
		failed++;
		strbuf_puts(out, "      why: ");
		strbuf_put_printable(out, verdict->why);
		strbuf_putc(out, '\n');
		if (*verdict->fix != '\0') {
			strbuf_puts(out, "      fix: ");
			strbuf_put_printable(out, verdict->fix);
			strbuf_putc(out, '\n');
		}
	}
	strbuf_putc(out, '\n');
	machine_explain(machine, out);
	if (failed == 0)
		strbuf_puts(out, "\nEvery guarantee holds on this machine.\n");
	else
		strbuf_printf(
		    out,
		    "\n%zu of %d guarantees do not hold; a run that needs one stops, unless "
		    "--degrade names it.\n",
		    failed, GUARANTEE_COUNT);
}

static void
explain_json(const struct machine *machine, const struct machine_verdict *verdicts,
	     struct strbuf *out)
{
	strbuf_puts(out, "{\"guarantees\":[");
	for (int i = 0; i < GUARANTEE_COUNT; i++) {
		strbuf_printf(
		    out, "%s{\"name\":\"%s\",\"holds\":%s,\"description\":", i > 0 ? "," : "",
		    guarantee_name((enum guarantee)i), verdicts[i].holds ? "true" : "false");
		strbuf_put_json(out, guarantee_description((enum guarantee)i));
		if (!verdicts[i].holds) {
			strbuf_puts(out, ",\"why\":");
			strbuf_put_json(out, verdicts[i].why);
			strbuf_puts(out, ",\"fix\":");
			strbuf_put_json(out, verdicts[i].fix);
		}
		strbuf_putc(out, '}');
	}
	strbuf_puts(out, "],\"machine\":");
	machine_explain_json(machine, out);
	strbuf_puts(out, "}\n");
}

static int
run_doctor(int argc, char **argv)
{
	struct machine_verdict verdicts[GUARANTEE_COUNT] = { 0 };
	struct command_arguments arguments;
	struct machine machine = { 0 };
	struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	bool all_hold = true;
	int code;

	if (command_parse_arguments(&command_doctor, argc, argv, &arguments, &err) < 0)
		return output_fail("doctor", &err, EXIT_CODE_FAILED);
	if (arguments.help) {
		command_write_help(&command_doctor, &text);
	} else {
		machine_probe_full(&machine);
		for (int i = 0; i < GUARANTEE_COUNT; i++) {
			machine_judge(&machine, (enum guarantee)i, &verdicts[i]);
			all_hold = all_hold && verdicts[i].holds;
		}
		if (arguments.json)
			explain_json(&machine, verdicts, &text);
		else
			explain_text(&machine, verdicts, &text);
	}
	code = output_print(&text);
	strbuf_done(&text);
	return code != EXIT_CODE_OK || all_hold ? code : 1;
}

const struct command command_doctor = {
	.name = "doctor",
	.form = "[--json]",
	.summary = "show which guarantees hold on this machine, and why not",
	.usage = "Tries what porta needs of this machine and shows which of its guarantees hold;\n"
		 "for each that does not: why, and the command or setting that changes it. Exit\n"
		 "code 0 if all hold, 1 if not.\n"
		 "\n"
		 "  --json    as a JSON object\n",
	.has_json = true,
	.run = run_doctor,
};
