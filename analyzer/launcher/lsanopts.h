/* SPDX-License-Identifier: MIT */
/*
 * $LSAN_OPTIONS: what tools that drive LeakSanitizer tell it, so that they
 * drive us as well. Source: sanitizer_flag_parser.cpp of compiler-rt.
 */
#ifndef ANALYZER_LSANOPTS_H
#define ANALYZER_LSANOPTS_H

struct lsanopts {
	char *log_path;	    /* the report is to go to log_path.PID; or NULL,
				as for "stdout" and "stderr" */
	char *suppressions; /* a file of them, or NULL */
	int exitcode;	    /* for "there are leaks"; -1: not said */
};

/*
 * Take from `text` ("key=value:key='value'", NULL counts as "") what is
 * above; other keys are LeakSanitizer's own business. The last of a key wins.
 */
void lsanopts_parse(struct lsanopts *o, const char *text);

void lsanopts_free(struct lsanopts *o);

#endif
