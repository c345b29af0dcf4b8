/* SPDX-License-Identifier: MIT */
/*
 * Completion for shells, from the tables of the command line: commands, the
 * options of each, the words that an option takes, and traces (*.zst).
 *
 * A command is known as the parser knows it: it is the first argument. One
 * whose arguments are words ("bash|zsh|fish") has no options but --help.
 */
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* What an option's argument is. */
enum kind { KIND_NONE, KIND_WORDS, KIND_FILE, KIND_DIRECTORY, KIND_TEXT };

/* Return what an option's argument is. */
static enum kind kind_of(const struct options_info *i)
{
	if (!i->argument)
		return KIND_NONE;
	if (i->words)
		return KIND_WORDS;
	if (strcmp(i->argument, "FILE") == 0)
		return KIND_FILE;
	return util_starts(i->argument, "DIR") ? KIND_DIRECTORY : KIND_TEXT;
}

/* Tell whether an option's argument comes behind '=' or not at all. */
static bool is_optional(const struct options_info *i)
{
	return i->argument && *i->argument == '[';
}

/* Return the words that a command's arguments are, to be freed; NULL: there
 * are traces among them. */
static char *words_of(const struct options_command *c)
{
	char *words;

	if (!strchr(c->arguments, '|') || strstr(c->arguments, "TRACE"))
		return NULL;
	words = util_copy(c->arguments, strlen(c->arguments));
	for (char *p = words; (p = strchr(p, '|'));)
		*p = ' ';
	return words;
}

/* Return the option after `i` of a command that has words, or traces. */
static const struct options_info *next_of(const struct options_command *c,
					  bool words,
					  const struct options_info *i)
{
	do {
		i = options_next(c, i);
	} while (i && words && strcmp(i->name, "help") != 0);
	return i;
}

/* Write a text, with `escape` before each character that is in `special`. */
static void put_escaped(FILE *out, const char *text, const char *special,
			const char *escape)
{
	for (; *text; text++) {
		if (strchr(special, *text))
			fputs(escape, out);
		putc(*text, out);
	}
}

/* ---- bash ---- */

static const char bash_head[] =
	"# bash completion of memtrace-report, made by memtrace-report "
	"completion bash\n"
	"\n"
	"_memtrace_report_files()\n"
	"{\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"_memtrace_report_words()\n"
	"{\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"_memtrace_report()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} option=''\n"
	"\tlocal command='' options words='' commands\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tif ((COMP_CWORD > 1)); then\n"
	"\t\tcommand=${COMP_WORDS[1]}\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\tfi\n"
	"\tif [[ $cur == '=' ]]; then\n"
	"\t\toption+='=' cur=''\n"
	"\telif [[ $option == '=' ]] && ((COMP_CWORD > 2)); then\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD - 2]}'='\n"
	"\tfi\n"
	"\tcase $option in\n";

static const char bash_tail[] =
	"\tif [[ $cur == -* ]]; then\n"
	"\t\t_memtrace_report_words \"$options\"\n"
	"\telif [[ $words ]]; then\n"
	"\t\t_memtrace_report_words \"$words\"\n"
	"\telse\n"
	"\t\t_memtrace_report_files -o plusdirs -f -X '!*.zst'\n"
	"\t\t((COMP_CWORD > 1)) && return\n"
	"\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen \\\n"
	"\t\t\t-W \"$commands\" -- \"$cur\")\n"
	"\tfi\n"
	"}\n"
	"\n"
	"complete -F _memtrace_report memtrace-report\n";

/* Write what completes an option's argument in bash. */
static void bash_option(FILE *out, const struct options_info *i)
{
	fputs("\t", out);
	if (i->letter)
		fprintf(out, "-%c | ", i->letter);
	if (!is_optional(i))
		fprintf(out, "--%s | ", i->name);
	fprintf(out, "--%s=)\n", i->name);
	switch (kind_of(i)) {
	case KIND_WORDS:
		fprintf(out, "\t\t_memtrace_report_words '%s'\n", i->words);
		break;
	case KIND_FILE:
		fputs("\t\t_memtrace_report_files -f\n", out);
		break;
	case KIND_DIRECTORY:
		fputs("\t\t_memtrace_report_files -d\n", out);
		break;
	default:
		break;
	}
	fputs("\t\treturn ;;\n", out);
}

/* Write the options, and the words, of a command in bash. */
static void bash_command(FILE *out, const struct options_command *c)
{
	const struct options_info *i = NULL;
	char *words = words_of(c);

	fprintf(out, "\t%s)\n\t\toptions='", c->name ? c->name : "*");
	for (const char *blank = ""; (i = next_of(c, words, i)); blank = " ")
		fprintf(out, "%s--%s", blank, i->name);
	fputs("'\n", out);
	if (words)
		fprintf(out, "\t\twords='%s'\n", words);
	fputs("\t\t;;\n", out);
	free(words);
}

/* Write the completion of bash. */
static void put_bash(FILE *out)
{
	fputs(bash_head, out);
	for (const struct options_info *i = NULL; (i = options_next(NULL, i));)
		if (i->argument)
			bash_option(out, i);
	fputs("\tesac\n\tcommands='", out);
	for (const struct options_command *c = options_commands + 1; c->help;
	     c++)
		fprintf(out, "%s%s", c == options_commands + 1 ? "" : " ",
			c->name);
	fputs("'\n\tcase $command in\n", out);
	for (const struct options_command *c = options_commands + 1; c->help;
	     c++)
		bash_command(out, c);
	bash_command(out, options_commands);
	fputs("\tesac\n", out);
	fputs(bash_tail, out);
}

/* ---- zsh ---- */

static const char zsh_head[] = "#compdef memtrace-report\n"
			       "# made by memtrace-report completion zsh\n"
			       "\n"
			       "_memtrace_report_first()\n"
			       "{\n"
			       "\tlocal -a commands=(\n";

static const char zsh_middle[] = "\t)\n"
				 "\n"
				 "\t_describe -t commands command commands\n"
				 "\t_files -g '*.zst'\n"
				 "}\n"
				 "\n"
				 "_memtrace_report()\n"
				 "{\n"
				 "\tlocal -a specs\n"
				 "\tlocal rest=\"_files -g '*.zst'\"\n"
				 "\n"
				 "\tcase $words[2] in\n";

static const char zsh_tail[] =
	"\tesac\n"
	"\t_arguments -s $specs '1:trace:_memtrace_report_first' "
	"\"*:trace:$rest\"\n"
	"}\n"
	"\n"
	"_memtrace_report \"$@\"\n";

/* Write a text between the quotes of a zsh specification. */
static void zsh_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			putc('\\', out);
		if (*text == '\'')
			fputs("'\\''", out);
		else
			putc(*text, out);
	}
}

/* Write one way to say an option, `how` it takes its argument. */
static void zsh_spec(FILE *out, const struct options_info *i, const char *name,
		     const char *how)
{
	static const char *const action[] = {
		[KIND_FILE] = "_files",
		[KIND_DIRECTORY] = "_directories",
		[KIND_TEXT] = " ",
	};

	fprintf(out, "\t\t\t'%s%s[", name, i->argument ? how : "");
	zsh_text(out, i->help);
	putc(']', out);
	if (i->argument)
		fprintf(out, "%s%s:", is_optional(i) ? "::" : ":", i->name);
	if (kind_of(i) == KIND_WORDS)
		fprintf(out, "(%s)", i->words);
	else if (i->argument)
		fputs(action[kind_of(i)], out);
	fputs("'\n", out);
}

/* Write the options, and the words, of a command in zsh. */
static void zsh_command(FILE *out, const struct options_command *c)
{
	char *words = words_of(c);

	fprintf(out, "\t%s)\n\t\tspecs=(\n", c->name ? c->name : "*");
	for (const struct options_info *i = NULL; (i = next_of(c, words, i));) {
		char *name = util_format("--%s", i->name);
		char letter[] = {'-', i->letter, '\0'};

		if (i->letter)
			zsh_spec(out, i, letter, "+");
		zsh_spec(out, i, name, is_optional(i) ? "=-" : "=");
		free(name);
	}
	fputs("\t\t)\n", out);
	if (words)
		fprintf(out, "\t\trest='(%s)'\n", words);
	fputs("\t\t;;\n", out);
	free(words);
}

/* Write the completion of zsh. */
static void put_zsh(FILE *out)
{
	fputs(zsh_head, out);
	for (const struct options_command *c = options_commands + 1; c->help;
	     c++) {
		fprintf(out, "\t\t'%s:", c->name);
		zsh_text(out, c->help);
		fputs("'\n", out);
	}
	fputs(zsh_middle, out);
	for (const struct options_command *c = options_commands + 1; c->help;
	     c++)
		zsh_command(out, c);
	zsh_command(out, options_commands);
	fputs(zsh_tail, out);
}

/* ---- fish ---- */

static const char fish_head[] =
	"# fish completion of memtrace-report, made by memtrace-report "
	"completion fish\n"
	"\n"
	"function __memtrace_report_first\n"
	"\ttest (count (commandline -opc)) -eq 1\n"
	"end\n"
	"\n"
	"function __memtrace_report_command\n"
	"\tset -l words (commandline -opc)\n"
	"\ttest (count $words) -gt 1; and contains -- $words[2] $argv\n"
	"end\n"
	"\n"
	"function __memtrace_report_traces\n"
	"\t__fish_complete_path (commandline -ct) |"
	" string match -r '^[^\\t]*(?:/|\\.zst)(?:\\t.*)?$'\n"
	"end\n"
	"\n"
	"complete -c memtrace-report -f\n";

/* Write a text in the quotes of fish. */
static void fish_text(FILE *out, const char *text)
{
	putc('\'', out);
	put_escaped(out, text, "'\\", "\\");
	putc('\'', out);
}

/* Write the names of the commands: those that have an option of their own,
 * or those whose arguments are words. */
static void fish_commands(FILE *out, const struct options_info *own)
{
	for (const struct options_command *c = options_commands + 1; c->help;
	     c++) {
		const struct options_info *i = NULL;
		char *words = words_of(c);

		do {
			i = own ? next_of(c, words, i) : NULL;
		} while (i && i != own);
		if (own ? i != NULL : words != NULL)
			fprintf(out, " %s", c->name);
		free(words);
	}
}

/* Write an option in fish, with the commands that have it. */
static void fish_option(FILE *out, const struct options_info *i)
{
	fputs("complete -c memtrace-report -n '", out);
	if (i->own) {
		fputs("__memtrace_report_command", out);
		fish_commands(out, i);
	} else {
		fputs("not __memtrace_report_command", out);
		fish_commands(out, NULL);
	}
	fprintf(out, "' -l %s", i->name);
	if (i->letter)
		fprintf(out, " -s %c", i->letter);
	if (i->argument && !is_optional(i))
		fputs(kind_of(i) == KIND_FILE ? " -rF" : " -x", out);
	if (kind_of(i) == KIND_WORDS)
		fprintf(out, " -a '%s'", i->words);
	else if (kind_of(i) == KIND_DIRECTORY)
		fputs(" -a '(__fish_complete_directories)'", out);
	fputs(" -d ", out);
	fish_text(out, i->help);
	putc('\n', out);
}

/* Write a command in fish, with the words that are its arguments. */
static void fish_command(FILE *out, const struct options_command *c)
{
	char *words = words_of(c);

	fprintf(out,
		"complete -c memtrace-report -n __memtrace_report_first"
		" -a %s -d ",
		c->name);
	fish_text(out, c->help);
	putc('\n', out);
	if (words)
		fprintf(out,
			"complete -c memtrace-report -n "
			"'__memtrace_report_command %s' -a '%s'\n",
			c->name, words);
	free(words);
}

/* Write the completion of fish. */
static void put_fish(FILE *out)
{
	fputs(fish_head, out);
	for (const struct options_command *c = options_commands + 1; c->help;
	     c++)
		fish_command(out, c);
	fputs("complete -c memtrace-report -n 'not __memtrace_report_command",
	      out);
	fish_commands(out, NULL);
	fputs("' -a '(__memtrace_report_traces)'\n", out);
	for (const struct options_info *i = NULL; (i = options_next(NULL, i));)
		fish_option(out, i);
}

int options_completion(FILE *out, const char *shell)
{
	static const struct {
		const char *name;
		void (*put)(FILE *out);
	} shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};

	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].put(out);
			return 0;
		}
	return -1;
}
