/* SPDX-License-Identifier: MIT */
/*
 * Bytes sent to an HTTP server. The only user of libcurl.
 */
#ifndef ANALYZER_UPLOAD_H
#define ANALYZER_UPLOAD_H

#include "util.h"

/* POST to a URL and wait for the answer, half a minute at most. 0, or -1 with
 * `e` filled: there is no server, or it does not take it. */
int upload_post(const char *url, const char *type, const void *bytes, size_t n,
		struct error *e);

#endif
