/* SPDX-License-Identifier: MIT */
/* Output to a file, whole or not at all; see outfile.h. */
#include "outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int outfile_open(struct outfile *o, const char *path, struct error *e)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	*o = (struct outfile){
		.path = util_copy(path, strlen(path)),
		.temporary = util_format("%s.XXXXXX", path),
	};
	fd = mkstemp(o->temporary);
	if (fd >= 0) {
		fchmod(fd, 0666 & ~mask);
		o->f = fdopen(fd, "w");
	}
	if (o->f)
		return 0;
	error_set(e, ERROR_NO_OFFSET, "cannot write %s: %s", path,
		  strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(o->temporary);
	}
	free(o->path);
	free(o->temporary);
	return -1;
}

int outfile_commit(struct outfile *o, struct error *e)
{
	bool failed = fflush(o->f) || ferror(o->f);
	int saved = errno;

	if (!failed && rename(o->temporary, o->path)) {
		failed = true;
		saved = errno;
	}
	if (failed) {
		error_set(e, ERROR_NO_OFFSET, "cannot write %s: %s", o->path,
			  strerror(saved));
		outfile_abort(o);
		return -1;
	}
	fclose(o->f);
	free(o->path);
	free(o->temporary);
	return 0;
}

void outfile_abort(struct outfile *o)
{
	fclose(o->f);
	unlink(o->temporary);
	free(o->path);
	free(o->temporary);
}
