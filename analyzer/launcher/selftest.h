/* SPDX-License-Identifier: MIT */
/*
 * The canary: a program that loses blocks on purpose is checked as any other,
 * and the verdict must be that. A gate that finds nothing is trusted only
 * where this finds something.
 */
#ifndef ANALYZER_SELFTEST_H
#define ANALYZER_SELFTEST_H

/*
 * Run the canary, with the launcher at `self`. Say on stdout that the gate
 * works, or on stderr what does not and where to look. Return the exit status:
 * 0; CHECKED_BREACH: the verdict is wrong; CHECKED_VACUOUS: there is none.
 */
int selftest_run(const char *self);

/*
 * Tell whether the command line is that of the program which loses blocks.
 */
int selftest_is_planted(char *const *argv);

/* Be it; return its exit status. */
int selftest_plant(char *const *argv);

#endif
