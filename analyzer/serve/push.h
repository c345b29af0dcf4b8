/* SPDX-License-Identifier: MIT */
/*
 * The command push: a trace's profile sent to a server of profiles, Pyroscope
 * or what speaks its language, once or again and again while it grows.
 */
#ifndef ANALYZER_PUSH_H
#define ANALYZER_PUSH_H

#include "served.h"

/* Push by --url, --name and --every. 0, or -1 with `e` filled. */
int push_run(const struct served_from *from, struct error *e);

#endif
