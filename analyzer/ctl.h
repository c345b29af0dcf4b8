/* SPDX-License-Identifier: MIT */
/*
 * ctl: tell a running program to start or stop recording, to name a moment, to
 * be scanned. And --now: the scan whose verdict is then shown.
 */
#ifndef ANALYZER_CTL_H
#define ANALYZER_CTL_H

#include "options.h"

/* The command ctl; returns the exit status. */
int ctl_run(const struct options *o, int argc, char **argv);

/* Have the program of --now scanned; its trace's path, to be freed, and the
 * scan in o->scan. NULL: it could not be, which was said. */
char *ctl_scan_now(struct options *o);

#endif
