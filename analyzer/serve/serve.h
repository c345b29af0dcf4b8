/* SPDX-License-Identifier: MIT */
/*
 * The command serve: traces as Go's net/http/pprof shows its program, and as
 * Prometheus reads metrics. It reads their files, as any report does: the
 * programs that are recorded know nothing of it.
 */
#ifndef ANALYZER_SERVE_H
#define ANALYZER_SERVE_H

#include "served.h"

/* Serve until a signal ends it. 0, or -1 with `e` filled. */
int serve_run(const struct served_from *from, struct error *e);

#endif
