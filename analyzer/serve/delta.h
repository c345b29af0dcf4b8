/* SPDX-License-Identifier: MIT */
/*
 * What happened between two looks at one running program: a profile less an
 * earlier one of the same trace. Negative numbers are in two's complement, as
 * pprof has them.
 */
#ifndef ANALYZER_DELTA_H
#define ANALYZER_DELTA_H

#include "profile.h"

/*
 * Take the rows of `before` from those of `after`; its totals follow.
 * `live_stays`: what is live remains what is live, only what was counted is of
 * the time between. Rows of `before` are put in another order.
 */
void delta_take(struct profile *after, struct profile *before, bool live_stays);

#endif
