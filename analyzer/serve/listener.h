/* SPDX-License-Identifier: MIT */
/*
 * A socket that is listened on, by its name on the command line.
 */
#ifndef ANALYZER_LISTENER_H
#define ANALYZER_LISTENER_H

#include "util.h"

struct listener {
	int fd;
	char *url;  /* where it is, with the port that it got */
	char *path; /* of a socket in the file system, or NULL */
};

/*
 * Listen on HOST:PORT, on PORT of 127.0.0.1, or on unix:PATH, a socket for
 * this user alone; port 0 is any that is free. 0, or -1 with `e` filled.
 */
int listener_open(struct listener *l, const char *name, struct error *e);

/* A socket in the file system is removed. The descriptor is not closed: it is
 * the server's. */
void listener_close(struct listener *l);

#endif
